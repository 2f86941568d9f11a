//! Failed sign-ins, by account and by address: after a few, each further one costs a wait that doubles.
//!
//! Kept in memory: an attacker who can reach n instances has n times as many attempts.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use moka::sync::Cache;
use parking_lot::Mutex;

use crate::error::{Error, RateLimited, Result};

/// Failures without a wait, for one account.
const FREE_PER_ACCOUNT: u32 = 10;
/// Failures without a wait, from one address.
const FREE_PER_ADDRESS: u32 = 50;
const FIRST_WAIT_S: i64 = 1;
const LONGEST_WAIT_S: i64 = 900;
/// How long failures are remembered after the last one.
const MEMORY: Duration = Duration::from_secs(1800);
/// Accounts and addresses that are remembered at one time.
const REMEMBERED: u64 = 100_000;

/// Who tries.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Who {
    Account(String),
    Address(IpAddr),
}

#[derive(Clone, Copy, Debug, Default)]
struct Failures {
    count: u32,
    blocked_until: Option<DateTime<Utc>>,
}

/// Remembers failed sign-ins.
#[derive(Debug)]
pub(super) struct SignInAttempts(Cache<Who, Arc<Mutex<Failures>>>);

impl SignInAttempts {
    pub(super) fn new() -> Self {
        Self(Cache::builder().max_capacity(REMEMBERED).time_to_idle(MEMORY).build())
    }

    /// Counts an attempt as failed until [`Self::succeeded`] says otherwise, so that many at one time count too.
    pub(super) fn begin(&self, email: &str, address: Option<IpAddr>, now: DateTime<Utc>) -> Result<()> {
        for (who, free) in parties(email, address) {
            let entry = self.0.get_with(who, Arc::default);
            let mut failures = entry.lock();
            if let Some(until) = failures.blocked_until.filter(|until| *until > now) {
                return Err(Error::RateLimited(RateLimited {
                    limit: free,
                    reset_time: until.timestamp() + 1,
                    retry_after: (until - now).to_std().unwrap_or_default(),
                }));
            }
            failures.count += 1;
            if failures.count >= free {
                let doublings = (failures.count - free).min(20);
                let wait = (FIRST_WAIT_S << doublings).min(LONGEST_WAIT_S);
                failures.blocked_until = Some(now + TimeDelta::seconds(wait));
            }
        }
        Ok(())
    }

    /// Forgets the failures of an account, and takes the attempt off its address.
    pub(super) fn succeeded(&self, email: &str, address: Option<IpAddr>) {
        self.0.invalidate(&Who::Account(email.to_owned()));
        if let Some(entry) = address.and_then(|address| self.0.get(&Who::Address(network(address)))) {
            let mut failures = entry.lock();
            failures.count = failures.count.saturating_sub(1);
            if failures.count < FREE_PER_ADDRESS {
                failures.blocked_until = None;
            }
        }
    }
}

fn parties(email: &str, address: Option<IpAddr>) -> impl Iterator<Item = (Who, u32)> {
    let account = Some((Who::Account(email.to_owned()), FREE_PER_ACCOUNT));
    let address = address.map(|address| (Who::Address(network(address)), FREE_PER_ADDRESS));
    account.into_iter().chain(address)
}

/// What one client can be assumed to hold: an IPv4 address, or the /64 of an IPv6 one.
pub(in crate::services) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let bits = v6.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(bits.into())
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).expect("a time")
    }

    fn wait(attempts: &SignInAttempts, email: &str, at: DateTime<Utc>) -> Option<u64> {
        match attempts.begin(email, None, at) {
            Err(Error::RateLimited(limited)) => Some(limited.retry_after.as_secs()),
            _ => None,
        }
    }

    #[test]
    fn waits_begin_after_ten_failures_and_double() {
        let attempts = SignInAttempts::new();
        for _ in 0..10 {
            assert_eq!(wait(&attempts, "ada", now()), None);
        }
        let mut at = now();
        for expected in [1, 2, 4, 8] {
            assert_eq!(wait(&attempts, "ada", at), Some(expected));
            at += TimeDelta::seconds(i64::try_from(expected).expect("small"));
            assert_eq!(wait(&attempts, "ada", at), None, "the wait is over");
        }
        assert_eq!(wait(&attempts, "grace", at), None, "another account");
    }

    #[test]
    fn a_success_forgets_the_accounts_failures() {
        let attempts = SignInAttempts::new();
        for _ in 0..10 {
            let _ = attempts.begin("ada", None, now());
        }
        attempts.succeeded("ada", None);
        assert_eq!(wait(&attempts, "ada", now()), None);
    }

    #[test]
    fn one_address_that_tries_many_accounts_waits_too() {
        let attempts = SignInAttempts::new();
        let address = Some(IpAddr::from([192, 0, 2, 1]));
        for account in 0..50 {
            attempts.begin(&account.to_string(), address, now()).expect("free");
        }
        assert!(attempts.begin("another", address, now()).is_err());
        assert!(
            attempts
                .begin("another", Some(IpAddr::from([192, 0, 2, 2])), now())
                .is_ok()
        );
    }
}
