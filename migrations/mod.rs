//! The schema, one change a file, up and down, for SQLite and PostgreSQL alike.
//!
//! Every table of user data has `account_id` first in its primary key: it is the owner in every query and the
//! distribution key of a sharded PostgreSQL.

use sea_orm_migration::prelude::*;

mod m20261124_000001_accounts;
mod m20261124_000002_api_keys;
mod m20261124_000003_persons;
mod m20261124_000004_memories;
mod m20261124_000005_embeddings;
mod m20261124_000006_idempotency;
mod m20261124_000007_key_bounds;
mod m20261124_000008_oauth;
mod m20261124_000009_sessions;
mod m20261124_000010_rate_limits;
mod m20261124_000011_usage;
mod m20261124_000012_audit;
mod m20261124_000013_deletions;
mod m20261124_000014_sealing;
mod m20261125_000015_tasks;
mod m20261125_000016_profiles;
mod m20261129_000017_leases;
mod m20261129_000018_superseded_index;
mod m20261129_000019_candidates;
mod m20261130_000020_task_errors;
mod m20261130_000021_list_index;
mod m20261130_000022_idempotency_person;
mod m20261130_000023_sign_in_places;
mod m20261130_000024_first_account;
mod m20261201_000025_task_slices;
mod m20261201_000026_time_precision;
mod m20261201_000027_instructions;

pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261124_000001_accounts::Migration),
            Box::new(m20261124_000002_api_keys::Migration),
            Box::new(m20261124_000003_persons::Migration),
            Box::new(m20261124_000004_memories::Migration),
            Box::new(m20261124_000005_embeddings::Migration),
            Box::new(m20261124_000006_idempotency::Migration),
            Box::new(m20261124_000007_key_bounds::Migration),
            Box::new(m20261124_000008_oauth::Migration),
            Box::new(m20261124_000009_sessions::Migration),
            Box::new(m20261124_000010_rate_limits::Migration),
            Box::new(m20261124_000011_usage::Migration),
            Box::new(m20261124_000012_audit::Migration),
            Box::new(m20261124_000013_deletions::Migration),
            Box::new(m20261124_000014_sealing::Migration),
            Box::new(m20261125_000015_tasks::Migration),
            Box::new(m20261125_000016_profiles::Migration),
            Box::new(m20261129_000017_leases::Migration),
            Box::new(m20261129_000018_superseded_index::Migration),
            Box::new(m20261129_000019_candidates::Migration),
            Box::new(m20261130_000020_task_errors::Migration),
            Box::new(m20261130_000021_list_index::Migration),
            Box::new(m20261130_000022_idempotency_person::Migration),
            Box::new(m20261130_000023_sign_in_places::Migration),
            Box::new(m20261130_000024_first_account::Migration),
            Box::new(m20261201_000025_task_slices::Migration),
            Box::new(m20261201_000026_time_precision::Migration),
            Box::new(m20261201_000027_instructions::Migration),
        ]
    }
}
