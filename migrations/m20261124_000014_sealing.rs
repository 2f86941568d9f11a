//! Private memories kept encrypted, memories that expire, and versions that keep all that changes.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// Table, column and type of what is added.
fn added() -> Vec<(&'static str, ColumnDef)> {
    let nullable = |name: &'static str| ColumnDef::new(name);
    vec![
        ("memories", nullable("sealed").blob().take()),
        ("memories", nullable("expires_at").timestamp_with_time_zone().take()),
        ("memory_versions", nullable("sealed").blob().take()),
        ("memory_versions", nullable("importance").double().take()),
        ("memory_versions", nullable("metadata").json().take()),
        (
            "memory_versions",
            nullable("event_time").timestamp_with_time_zone().take(),
        ),
        ("memory_versions", nullable("superseded_by").text().take()),
        (
            "embeddings",
            nullable("is_sealed").boolean().not_null().default(false).take(),
        ),
        // The key that wraps it, by its fingerprint.
        (
            "account_keys",
            nullable("master_key_id").text().not_null().default("").take(),
        ),
        // How long an episodic memory lives that is stored without an end.
        ("users", nullable("episodic_lifetime_s").big_integer().take()),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in added() {
            manager
                .alter_table(Table::alter().table(table).add_column(column).to_owned())
                .await?;
        }
        manager
            .create_index(
                Index::create()
                    .name("memories_expires_at")
                    .table("memories")
                    .col("expires_at")
                    .to_owned(),
            )
            .await?;
        // Exports read a person page by page.
        manager
            .create_index(
                Index::create()
                    .name("memories_person")
                    .table("memories")
                    .col("account_id")
                    .col("person_id")
                    .col("id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("memories_superseded_by")
                    .table("memories")
                    .col("account_id")
                    .col("superseded_by")
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("master_keys")
                    .col(ColumnDef::new("id").integer().not_null().primary_key())
                    // The fingerprint of the master key that new account keys are wrapped with.
                    .col(ColumnDef::new("master_key_id").text().not_null())
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("master_keys").to_owned())
            .await?;
        for name in ["memories_superseded_by", "memories_person", "memories_expires_at"] {
            manager
                .drop_index(Index::drop().name(name).table("memories").to_owned())
                .await?;
        }
        for (table, column) in added() {
            manager
                .alter_table(
                    Table::alter()
                        .table(table)
                        .drop_column(column.get_column_name())
                        .to_owned(),
                )
                .await?;
        }
        Ok(())
    }
}
