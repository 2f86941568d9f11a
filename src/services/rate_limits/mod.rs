//! How often: token buckets per account and class, per key, and per address for whoever shows no credentials.
//!
//! On SQLite the buckets are this process's own. On PostgreSQL instances share them: each takes a tenth of a minute's
//! worth at a time from the database, so that far from the limit one request in many asks it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use parking_lot::Mutex;

use super::auth::network;
use crate::error::{Error, RateLimited, Result};
use crate::model::{Caller, Clock};
use crate::store::Store;
use bucket::{Bucket, allowance, interval_us};

mod bucket;

pub use bucket::Allowance;

/// Buckets that are remembered at one time.
const REMEMBERED: u64 = 200_000;
/// A bucket that was not used for so long is full, and can be forgotten.
const FULL_AFTER: Duration = Duration::from_secs(90);
/// The part of a minute's worth that an instance takes at a time.
const LEASE_PART: u32 = 10;
/// How long an instance may use what it took.
const LEASE_US: i64 = 6_000_000;

/// Requests a minute; 0 for no limit.
#[derive(Clone, Copy, Debug)]
pub struct RateLimitSettings {
    /// Per account: all requests.
    pub requests: u32,
    /// Per account: searches.
    pub searches: u32,
    /// Per account: submissions to integrations.
    pub integrations: u32,
    /// Per address, of whoever shows no valid credentials.
    pub unauthenticated: u32,
}

/// Which allowance a request is taken from, beside the one for all requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RateLimitClass {
    /// No other.
    General,
    /// Searches.
    Search,
    /// Submissions to integrations.
    Integration,
}

/// Whose allowance a bucket is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Id {
    Account(String, RateLimitClass),
    Key(String),
    Address(IpAddr),
}

#[derive(Debug, Default)]
struct Shared {
    /// Of this process alone.
    own: Mutex<Bucket>,
    /// What was taken from the shared bucket.
    lease: tokio::sync::Mutex<LocalLease>,
}

#[derive(Debug, Default)]
struct LocalLease {
    tokens: u32,
    ends_at_us: i64,
    /// The shared bucket as it was when this was taken from it.
    full_at_us: i64,
    /// The shared bucket is empty until then.
    empty_until_us: i64,
}

/// Counts requests against what is allowed.
#[derive(Debug)]
pub struct RateLimiter {
    store: Store,
    clock: Clock,
    settings: RateLimitSettings,
    buckets: Cache<Id, Arc<Shared>>,
}

impl RateLimiter {
    /// With these limits.
    pub fn new(store: Store, clock: Clock, settings: RateLimitSettings) -> Self {
        Self {
            store,
            clock,
            settings,
            buckets: Cache::builder()
                .max_capacity(REMEMBERED)
                .time_to_idle(FULL_AFTER)
                .build(),
        }
    }

    /// What a caller may do in a minute; 0 for no limit.
    pub fn limits_of(&self, caller: &Caller) -> RateLimitSettings {
        let own = caller.grant.requests_per_minute.unwrap_or(0);
        let both = |limit: u32| match (limit, own) {
            (0, own) => own,
            (limit, 0) => limit,
            (limit, own) => limit.min(own),
        };
        RateLimitSettings {
            requests: both(self.settings.requests),
            ..self.settings
        }
    }

    /// Counts a request of this caller. Gives what is left of the scarcest allowance, none where nothing is limited;
    /// one with `retry_after_us` refuses the request.
    pub async fn take(&self, caller: &Caller, class: RateLimitClass) -> Result<Option<Allowance>> {
        let account = caller.account_id.as_str();
        let of = |class| Id::Account(account.to_owned(), class);
        let general = (self.settings.requests, of(RateLimitClass::General));
        let special = match class {
            RateLimitClass::General => (0, general.1.clone()),
            RateLimitClass::Search => (self.settings.searches, of(class)),
            RateLimitClass::Integration => (self.settings.integrations, of(class)),
        };
        let own = (
            caller.grant.requests_per_minute.unwrap_or(0),
            Id::Key(caller.credential().to_owned()),
        );
        let buckets = [general, special, own].into_iter().filter(|(limit, _)| *limit > 0);
        let buckets: Vec<(u32, Arc<Shared>, Id)> = buckets
            .map(|(limit, id)| (limit, self.buckets.get_with_by_ref(&id, Arc::default), id))
            .collect();
        if self.store.is_shared() {
            self.take_shared(caller, &buckets).await
        } else {
            Ok(self.take_own(&buckets))
        }
    }

    /// From all of the buckets, or from none.
    fn take_own(&self, buckets: &[(u32, Arc<Shared>, Id)]) -> Option<Allowance> {
        let now_us = self.clock.now().timestamp_micros();
        // Always in the same order: general, special, the key's own.
        let mut locked: Vec<_> = buckets
            .iter()
            .map(|(limit, bucket, _)| (*limit, bucket.own.lock()))
            .collect();
        let empty = locked
            .iter()
            .map(|(limit, bucket)| bucket.peek(*limit, now_us))
            .filter(|allowance| allowance.retry_after_us.is_some())
            .max_by_key(|allowance| allowance.retry_after_us);
        if empty.is_some() {
            return empty;
        }
        let left = locked.iter_mut().map(|(limit, bucket)| bucket.take(*limit, now_us));
        left.min_by_key(|allowance| allowance.remaining)
    }

    async fn take_shared(&self, caller: &Caller, buckets: &[(u32, Arc<Shared>, Id)]) -> Result<Option<Allowance>> {
        let now_us = self.clock.now().timestamp_micros();
        let mut scarcest: Option<Allowance> = None;
        for (index, (limit, bucket, id)) in buckets.iter().enumerate() {
            let allowance = self.take_leased(caller, *limit, bucket, id, now_us).await?;
            if allowance.retry_after_us.is_some() {
                for (_, earlier, _) in &buckets[..index] {
                    earlier.lease.lock().await.tokens += 1;
                }
                return Ok(Some(allowance));
            }
            if scarcest.is_none_or(|scarcest| allowance.remaining < scarcest.remaining) {
                scarcest = Some(allowance);
            }
        }
        Ok(scarcest)
    }

    async fn take_leased(
        &self,
        caller: &Caller,
        limit: u32,
        bucket: &Shared,
        id: &Id,
        now_us: i64,
    ) -> Result<Allowance> {
        let interval = interval_us(limit);
        // Held while the database is asked, so that requests at one time ask it once.
        let mut lease = bucket.lease.lock().await;
        if lease.tokens == 0 || lease.ends_at_us <= now_us {
            if lease.empty_until_us > now_us {
                return Ok(refusal(limit, &lease, now_us));
            }
            let name = match id {
                Id::Account(account, class) => format!("{account}/{class:?}"),
                Id::Key(key) => key.clone(),
                Id::Address(address) => address.to_string(),
            };
            let wanted = (limit / LEASE_PART).max(1);
            let granted = self
                .store
                .lease_tokens(&caller.account_id, &name, wanted, limit, interval)
                .await?;
            lease.tokens = granted.granted;
            lease.ends_at_us = now_us + LEASE_US;
            lease.full_at_us = now_us + granted.full_in_us;
            if granted.granted == 0 {
                let room = i64::from(limit) * interval - granted.full_in_us;
                lease.empty_until_us = now_us + (interval - room).max(1);
                return Ok(refusal(limit, &lease, now_us));
            }
        }
        lease.tokens -= 1;
        let mut left = allowance(limit, (lease.full_at_us - now_us).max(0), now_us);
        left.remaining = (left.remaining + lease.tokens).min(limit);
        left.retry_after_us = None;
        Ok(left)
    }

    /// Counts a request of somebody without valid credentials. Fails where there were too many from this address.
    pub fn take_anonymous(&self, address: Option<IpAddr>) -> Result<()> {
        let limit = self.settings.unauthenticated;
        let Some(address) = address.filter(|_| limit > 0) else {
            return Ok(());
        };
        let id = Id::Address(network(address));
        let bucket = self.buckets.get_with_by_ref(&id, Arc::default);
        let now_us = self.clock.now().timestamp_micros();
        let mut bucket = bucket.own.lock();
        let left = bucket.peek(limit, now_us);
        match left.refusal(now_us) {
            Some(limited) => Err(Error::RateLimited(limited)),
            None => {
                bucket.take(limit, now_us);
                Ok(())
            }
        }
    }

    /// The error of an allowance that refuses.
    pub fn refusal(&self, allowance: &Allowance) -> Option<Error> {
        let limited = allowance.refusal(self.clock.now().timestamp_micros())?;
        Some(Error::RateLimited(limited))
    }
}

fn refusal(limit: u32, lease: &LocalLease, now_us: i64) -> Allowance {
    Allowance {
        remaining: 0,
        retry_after_us: Some((lease.empty_until_us - now_us).max(1)),
        ..allowance(limit, (lease.full_at_us - now_us).max(0), now_us)
    }
}

impl Allowance {
    fn refusal(&self, now_us: i64) -> Option<RateLimited> {
        let wait = self.retry_after_us?;
        Some(RateLimited {
            limit: self.limit,
            reset_time: (now_us + wait + 999_999).div_euclid(1_000_000),
            retry_after: Duration::from_micros(u64::try_from(wait).unwrap_or(0)),
        })
    }
}
