//! Allowances of addresses, kept by this process alone.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use parking_lot::Mutex;

use super::bucket::{Bucket, Rate};
use super::{FULL_AFTER, REMEMBERED};
use crate::error::{Error, Result};
use crate::services::auth::network;

const HOUR: Duration = Duration::from_secs(3600);

/// One allowance for each address.
#[derive(Debug)]
pub(in crate::services) struct AddressLimits {
    /// None for no limit.
    rate: Option<Rate>,
    buckets: Cache<IpAddr, Arc<Mutex<Bucket>>>,
}

impl AddressLimits {
    /// So many a minute; 0 for no limit.
    pub(super) fn per_minute(limit: u32) -> Self {
        Self::new(limit, Rate::per_minute(limit), FULL_AFTER)
    }

    /// So many an hour; 0 for no limit.
    pub(in crate::services) fn per_hour(limit: u32) -> Self {
        Self::new(limit, Rate::per_hour(limit), HOUR + FULL_AFTER)
    }

    fn new(limit: u32, rate: Rate, full_after: Duration) -> Self {
        let buckets = Cache::builder().max_capacity(REMEMBERED).time_to_idle(full_after);
        Self {
            rate: (limit > 0).then_some(rate),
            buckets: buckets.build(),
        }
    }

    /// Counts one from this address. Fails where there were too many.
    pub(in crate::services) fn take(&self, address: Option<IpAddr>, now_us: i64) -> Result<()> {
        let Some((rate, address)) = self.rate.zip(address) else {
            return Ok(());
        };
        let bucket = self.buckets.get_with(network(address), Arc::default);
        bucket.lock().try_take(rate, now_us).map_err(Error::RateLimited)
    }
}
