//! How often: token buckets per account and class, per key, and per address.
//!
//! On SQLite the buckets are this process's own. On PostgreSQL instances share them: each takes a tenth of a minute's
//! worth at a time from the database, so that far from the limit one request in many asks it.

use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use moka::sync::Cache;
use parking_lot::Mutex;

use crate::error::{Error, Result};
use crate::model::{AccountId, ApiKeyId, Caller, Clock};
use crate::store::Store;
mod addresses;
mod bucket;

pub(super) use addresses::AddressLimits;
pub use bucket::Allowance;
pub(super) use bucket::{Bucket, Rate};

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
    /// Per address: all requests, with credentials and without.
    pub requests_of_address: u32,
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

/// One allowance.
#[derive(Debug, Default)]
struct Tokens {
    /// Of this process alone.
    own: Mutex<Bucket>,
    /// What was taken from a bucket that instances share.
    lease: tokio::sync::Mutex<Lease>,
}

#[derive(Debug, Default)]
struct Lease {
    tokens: u32,
    ends_at_us: i64,
    /// The shared bucket as it was when this was taken from it.
    full_at_us: i64,
    /// The shared bucket is empty until then.
    empty_until_us: i64,
}

/// The allowances of an account.
#[derive(Debug, Default)]
struct AccountTokens {
    general: Tokens,
    search: Tokens,
    integration: Tokens,
}

/// An allowance that a request is taken from: its name, what it holds, and itself.
struct Share<'a> {
    name: &'static str,
    limit: u32,
    tokens: &'a Tokens,
}

/// Counts requests against what is allowed.
#[derive(Debug)]
pub struct RateLimiter {
    store: Store,
    clock: Clock,
    settings: RateLimitSettings,
    /// The one account without limits.
    unlimited: OnceLock<AccountId>,
    accounts: Cache<AccountId, Arc<AccountTokens>>,
    keys: Cache<ApiKeyId, Arc<Tokens>>,
    anonymous: AddressLimits,
    addresses: AddressLimits,
}

impl RateLimiter {
    /// With these limits.
    pub fn new(store: Store, clock: Clock, settings: RateLimitSettings) -> Self {
        Self {
            store,
            clock,
            settings,
            unlimited: OnceLock::new(),
            accounts: forgetful(),
            keys: forgetful(),
            anonymous: AddressLimits::per_minute(settings.unauthenticated),
            addresses: AddressLimits::per_minute(settings.requests_of_address),
        }
    }

    /// Takes the account's limits off, until the process ends. Those of its keys stay.
    pub fn lift_for(&self, account_id: AccountId) {
        // Whoever came first stays.
        let _ = self.unlimited.set(account_id);
    }

    fn limits_of_account(&self, account_id: &AccountId) -> RateLimitSettings {
        match self.unlimited.get() {
            Some(unlimited) if unlimited == account_id => RateLimitSettings {
                requests: 0,
                searches: 0,
                integrations: 0,
                ..self.settings
            },
            Some(_) | None => self.settings,
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
        let limits = self.limits_of_account(&caller.account_id);
        RateLimitSettings {
            requests: both(limits.requests),
            ..limits
        }
    }

    /// Counts a request of this caller. Gives what is left of the scarcest allowance, none where nothing is limited;
    /// one with `retry_after_us` refuses the request.
    pub async fn take(&self, caller: &Caller, class: RateLimitClass) -> Result<Option<Allowance>> {
        let account = self.accounts.get_with_by_ref(&caller.account_id, Arc::default);
        let limits = self.limits_of_account(&caller.account_id);
        let own_limit = caller.api_key_id().zip(caller.grant.requests_per_minute);
        let own = own_limit.map(|(id, limit)| (self.keys.get_with_by_ref(id, Arc::default), limit));
        let special = match class {
            RateLimitClass::General => None,
            RateLimitClass::Search => Some(("searches", limits.searches, &account.search)),
            RateLimitClass::Integration => Some(("integrations", limits.integrations, &account.integration)),
        };
        let general = Some(("requests", limits.requests, &account.general));
        let own = own.as_ref().map(|(tokens, limit)| ("", *limit, &**tokens));
        // Always in this order, so that two requests never wait for each other.
        let shares = [general, special, own].map(|share| {
            let (name, limit, tokens) = share.filter(|(_, limit, _)| *limit > 0)?;
            Some(Share { name, limit, tokens })
        });
        let now_us = self.clock.now().timestamp_micros();
        if self.store.is_shared() {
            self.take_shared(caller, &shares, now_us).await
        } else {
            Ok(take_own(&shares, now_us))
        }
    }

    /// From all of the shares, or from none.
    async fn take_shared(
        &self,
        caller: &Caller,
        shares: &[Option<Share<'_>>],
        now_us: i64,
    ) -> Result<Option<Allowance>> {
        let mut scarcest: Option<Allowance> = None;
        for (index, share) in shares.iter().enumerate() {
            let Some(share) = share else { continue };
            let left = self.take_leased(caller, share, now_us).await?;
            if left.retry_after_us.is_some() {
                for earlier in shares[..index].iter().flatten() {
                    earlier.tokens.lease.lock().await.tokens += 1;
                }
                return Ok(Some(left));
            }
            if scarcest.is_none_or(|scarcest| left.remaining < scarcest.remaining) {
                scarcest = Some(left);
            }
        }
        Ok(scarcest)
    }

    async fn take_leased(&self, caller: &Caller, share: &Share<'_>, now_us: i64) -> Result<Allowance> {
        let Share { name, limit, tokens } = *share;
        // Held while the database is asked, so that requests at one time ask it once.
        let mut lease = tokens.lease.lock().await;
        if lease.tokens == 0 || lease.ends_at_us <= now_us {
            if lease.empty_until_us > now_us {
                return Ok(lease.refusal(limit, now_us));
            }
            // The allowance of a key has its name, the others the account's.
            let bucket = match caller.api_key_id() {
                Some(id) if name.is_empty() => id.to_string(),
                Some(_) | None => format!("{}/{name}", caller.account_id),
            };
            let wanted = (limit / LEASE_PART).max(1);
            let interval_us = Rate::per_minute(limit).interval_us();
            let granted = self
                .store
                .lease_tokens(&caller.account_id, &bucket, wanted, limit, interval_us)
                .await?;
            lease.tokens = granted.granted;
            lease.ends_at_us = now_us + LEASE_US;
            lease.full_at_us = now_us + granted.full_in_us;
            if granted.granted == 0 {
                let room_us = i64::from(limit) * interval_us - granted.full_in_us;
                lease.empty_until_us = now_us + (interval_us - room_us).max(1);
                return Ok(lease.refusal(limit, now_us));
            }
        }
        lease.tokens -= 1;
        let shared = Rate::per_minute(limit).allowance((lease.full_at_us - now_us).max(0), now_us);
        Ok(Allowance {
            remaining: (shared.remaining + lease.tokens).min(limit),
            retry_after_us: None,
            ..shared
        })
    }

    /// Counts a request of somebody without valid credentials. Fails where there were too many from this address.
    pub fn take_anonymous(&self, address: Option<IpAddr>) -> Result<()> {
        self.anonymous.take(address, self.clock.now().timestamp_micros())
    }

    /// Counts a request of whomever. Fails where there were too many from this address, so that nobody gets more by
    /// making more accounts. The loopback has no limit: what comes from there is the operator's.
    pub fn take_from_address(&self, address: Option<IpAddr>) -> Result<()> {
        let address = address.filter(|address| !address.is_loopback());
        self.addresses.take(address, self.clock.now().timestamp_micros())
    }

    /// The error of an allowance that refuses.
    pub fn refusal(&self, allowance: &Allowance) -> Option<Error> {
        let limited = allowance.refusal(self.clock.now().timestamp_micros())?;
        Some(Error::RateLimited(limited))
    }
}

/// A cache that forgets what must be full by now.
fn forgetful<K, T>() -> Cache<K, Arc<T>>
where
    K: Hash + Eq + Send + Sync + 'static,
    T: Send + Sync + 'static,
{
    Cache::builder()
        .max_capacity(REMEMBERED)
        .time_to_idle(FULL_AFTER)
        .build()
}

/// From all of the shares, or from none.
fn take_own(shares: &[Option<Share<'_>>; 3], now_us: i64) -> Option<Allowance> {
    let mut locked = shares.each_ref().map(|share| {
        share
            .as_ref()
            .map(|share| (Rate::per_minute(share.limit), share.tokens.own.lock()))
    });
    let held = locked.iter().flatten().map(|(rate, bucket)| bucket.peek(*rate, now_us));
    let empty = held.filter(|left| left.retry_after_us.is_some());
    if let Some(empty) = empty.max_by_key(|left| left.retry_after_us) {
        return Some(empty);
    }
    let left = locked
        .iter_mut()
        .flatten()
        .map(|(rate, bucket)| bucket.take(*rate, now_us));
    left.min_by_key(|left| left.remaining)
}

impl Lease {
    fn refusal(&self, limit: u32, now_us: i64) -> Allowance {
        Allowance {
            remaining: 0,
            retry_after_us: Some((self.empty_until_us - now_us).max(1)),
            ..Rate::per_minute(limit).allowance((self.full_at_us - now_us).max(0), now_us)
        }
    }
}
