//! The table `usage_hours`: what each key used, by the hour and the RPC.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbBackend, QueryOrder};

use super::{Store, db_error};
use crate::error::{Error, Result};
use crate::model::AccountId;

/// The advisory lock under which instances on one PostgreSQL add to the same rows.
const USAGE_LOCK: i64 = 0x006d_656d_7573_6167;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "usage_hours")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub api_key_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub hour: DateTimeUtc,
    #[sea_orm(primary_key, auto_increment = false)]
    pub endpoint: String,
    pub requests: i64,
    pub errors: i64,
    pub memories_created: i64,
    pub searches: i64,
    pub latency: Json,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What one key used of one RPC in one hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageHour {
    /// The account.
    pub account_id: AccountId,
    /// The key, or what stands for one.
    pub api_key_id: String,
    /// The start of the hour.
    pub hour: DateTime<Utc>,
    /// The RPC.
    pub endpoint: String,
    /// Requests.
    pub requests: i64,
    /// Requests that failed.
    pub errors: i64,
    /// Memories that were made.
    pub memories_created: i64,
    /// Searches.
    pub searches: i64,
    /// Latencies in microseconds, each with how often it occurred.
    pub latency: Vec<(u64, u64)>,
}

impl UsageHour {
    fn add(&mut self, more: Self) {
        self.requests += more.requests;
        self.errors += more.errors;
        self.memories_created += more.memories_created;
        self.searches += more.searches;
        self.latency.extend(more.latency);
        self.latency.sort_unstable();
        self.latency.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
    }
}

impl TryFrom<Model> for UsageHour {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        Ok(Self {
            account_id: AccountId::from_stored(row.account_id),
            api_key_id: row.api_key_id,
            hour: row.hour,
            endpoint: row.endpoint,
            requests: row.requests,
            errors: row.errors,
            memories_created: row.memories_created,
            searches: row.searches,
            latency: serde_json::from_value(row.latency).map_err(|e| Error::Internal(Box::new(e)))?,
        })
    }
}

impl Store {
    /// Adds to what is stored: all of it, or nothing. Rows of accounts that are gone are left out.
    pub async fn add_usage(&self, hours: Vec<UsageHour>) -> Result<()> {
        let transaction = self.begin().await?;
        if transaction.0.get_database_backend() == DbBackend::Postgres {
            let lock = format!("SELECT pg_advisory_xact_lock({USAGE_LOCK})");
            transaction.0.execute_unprepared(&lock).await.map_err(db_error)?;
        }
        for mut hour in hours {
            let account = super::accounts::Entity::find_by_id(hour.account_id.as_str());
            if account.one(&transaction.0).await.map_err(db_error)?.is_none() {
                continue;
            }
            let key = (
                hour.account_id.to_string(),
                hour.api_key_id.clone(),
                hour.hour,
                hour.endpoint.clone(),
            );
            let stored = Entity::find_by_id(key).one(&transaction.0).await.map_err(db_error)?;
            if let Some(stored) = stored {
                hour.add(stored.try_into()?);
            }
            let row = ActiveModel {
                account_id: Set(hour.account_id.into()),
                api_key_id: Set(hour.api_key_id),
                hour: Set(hour.hour),
                endpoint: Set(hour.endpoint),
                requests: Set(hour.requests),
                errors: Set(hour.errors),
                memories_created: Set(hour.memories_created),
                searches: Set(hour.searches),
                latency: Set(serde_json::to_value(hour.latency).map_err(|e| Error::Internal(Box::new(e)))?),
            };
            let key = [Column::AccountId, Column::ApiKeyId, Column::Hour, Column::Endpoint];
            let sums = [
                Column::Requests,
                Column::Errors,
                Column::MemoriesCreated,
                Column::Searches,
                Column::Latency,
            ];
            Entity::insert(row)
                .on_conflict(OnConflict::columns(key).update_columns(sums).to_owned())
                .exec_without_returning(&transaction.0)
                .await
                .map_err(db_error)?;
        }
        transaction.commit().await
    }

    /// What an account, or one key of it, used from one hour up to another, oldest first.
    pub async fn usage(
        &self,
        account_id: &AccountId,
        api_key_id: Option<&str>,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Vec<UsageHour>> {
        let mut query = Entity::find()
            .filter(Column::AccountId.eq(account_id.as_str()))
            .filter(Column::Hour.gte(from))
            .filter(Column::Hour.lt(to))
            .order_by_asc(Column::Hour)
            .order_by_asc(Column::ApiKeyId)
            .order_by_asc(Column::Endpoint);
        if let Some(id) = api_key_id {
            query = query.filter(Column::ApiKeyId.eq(id));
        }
        let rows = query.all(&self.read).await.map_err(db_error)?;
        rows.into_iter().map(UsageHour::try_from).collect()
    }

    /// Forgets hours before this time.
    pub async fn purge_usage(&self, before: DateTime<Utc>) -> Result<()> {
        Entity::delete_many()
            .filter(Column::Hour.lt(before))
            .exec(&self.write)
            .await
            .map_err(db_error)?;
        Ok(())
    }
}
