//! The table `rate_limits`: what instances on one PostgreSQL have taken from the allowances that they share.

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::{Store, db_error};
use crate::error::{Error, Result};
use crate::model::AccountId;

/// Tokens of a shared bucket, as one instance was granted them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// How many; 0 where the bucket is empty.
    pub granted: u32,
    /// How long until the bucket is full again, in microseconds.
    pub full_in_us: i64,
}

impl Store {
    /// Whether other instances can be working on the same database.
    pub fn is_shared(&self) -> bool {
        self.write.get_database_backend() == DbBackend::Postgres
    }

    /// Takes up to `wanted` tokens from a bucket that holds `capacity` and gains one every `interval_us`, by the
    /// database's clock. PostgreSQL only.
    ///
    /// One statement, so that instances can't overdraw: the generic cell rate algorithm (ITU-T I.371) with the time
    /// at which the bucket is full again as its only state.
    pub async fn lease_tokens(
        &self,
        account_id: &AccountId,
        bucket: &str,
        wanted: u32,
        capacity: u32,
        interval_us: i64,
    ) -> Result<Lease> {
        const SQL: &str = "\
            WITH clock AS (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now) \
            INSERT INTO rate_limits AS bucket (id, account_id, spent_until, granted) \
            SELECT $1, $2, clock.now + $3 * $5, $3 FROM clock \
            ON CONFLICT (id) DO UPDATE SET \
                granted = LEAST($3, GREATEST(0, ($4 * $5 - GREATEST(0, bucket.spent_until - (SELECT now FROM clock))) / $5)), \
                spent_until = GREATEST(bucket.spent_until, (SELECT now FROM clock)) + $5 * \
                    LEAST($3, GREATEST(0, ($4 * $5 - GREATEST(0, bucket.spent_until - (SELECT now FROM clock))) / $5)) \
            RETURNING granted, spent_until - (SELECT now FROM clock) AS full_in";
        let values = [
            bucket.into(),
            account_id.as_str().into(),
            i64::from(wanted.min(capacity)).into(),
            i64::from(capacity).into(),
            interval_us.into(),
        ];
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, SQL, values);
        let row = self.write.query_one_raw(statement).await.map_err(db_error)?;
        let row = row.ok_or_else(|| Error::Internal("a lease returned no row".into()))?;
        let granted: i64 = row.try_get("", "granted").map_err(db_error)?;
        Ok(Lease {
            granted: u32::try_from(granted).unwrap_or(0),
            full_in_us: row.try_get("", "full_in").map_err(db_error)?,
        })
    }
}
