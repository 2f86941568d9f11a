//! Failed sign-ins, by account and by address: after a few, each further one costs a wait that doubles.
//!
//! Most of all by both: whoever guesses at somebody's password from one place waits there, and the owner elsewhere does
//! not. Only very many failures from everywhere make everybody wait who is new where they are, and never for more than a
//! minute.
//!
//! Kept in memory: an attacker who can reach n instances has n times as many attempts.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use moka::sync::Cache;
use parking_lot::Mutex;

use crate::error::RateLimited;

/// Failures without a wait, and the longest wait in seconds.
#[derive(Clone, Copy)]
struct Patience {
    free: u32,
    longest_s: i64,
}

/// For one account from one address.
const PAIR: Patience = Patience {
    free: 10,
    longest_s: 900,
};
/// From one address, for any account.
const ADDRESS: Patience = Patience {
    free: 50,
    longest_s: 900,
};
/// For one account, from anywhere.
const ACCOUNT: Patience = Patience {
    free: 100,
    longest_s: 60,
};
const FIRST_WAIT_S: i64 = 1;
/// How long failures are remembered after the last one.
const MEMORY: Duration = Duration::from_secs(1800);
const MEMORY_S: i64 = 1800;
/// Accounts and addresses that are remembered at one time.
const REMEMBERED: u64 = 100_000;

/// Who tries.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Who {
    Pair(String, Option<IpAddr>),
    Address(IpAddr),
    Account(String),
}

/// Why an attempt has to wait.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wait {
    /// There were too many failures from this address.
    Here(RateLimited),
    /// There were too many failures for this account, from wherever.
    Everywhere(RateLimited),
}

#[derive(Clone, Copy, Debug, Default)]
struct Failures {
    count: u32,
    last: DateTime<Utc>,
    blocked_until: DateTime<Utc>,
}

/// Remembers failed sign-ins.
#[derive(Debug)]
pub(super) struct SignInAttempts(Cache<Who, Arc<Mutex<Failures>>>);

impl SignInAttempts {
    pub(super) fn new() -> Self {
        Self(Cache::builder().max_capacity(REMEMBERED).time_to_idle(MEMORY).build())
    }

    /// Counts an attempt as failed until [`Self::succeeded`] says otherwise, so that many at one time count too.
    pub(super) fn begin(&self, email: &str, address: Option<IpAddr>, now: DateTime<Utc>) -> Result<(), Wait> {
        for (who, patience) in parties(email, address) {
            let is_account = matches!(who, Who::Account(_));
            let entry = self.0.get_with(who, Arc::default);
            let mut failures = entry.lock();
            if failures.blocked_until > now {
                let wait = failures.blocked_until - now;
                let limited = RateLimited {
                    limit: patience.free,
                    reset_time: (failures.blocked_until.timestamp_micros() + 999_999).div_euclid(1_000_000),
                    retry_after: wait.to_std().unwrap_or_default(),
                };
                return Err(match is_account {
                    true => Wait::Everywhere(limited),
                    false => Wait::Here(limited),
                });
            }
            if failures.last + TimeDelta::seconds(MEMORY_S) < now {
                failures.count = 0;
            }
            failures.count += 1;
            failures.last = now;
            if failures.count >= patience.free {
                let doublings = (failures.count - patience.free).min(20);
                let wait = (FIRST_WAIT_S << doublings).min(patience.longest_s);
                failures.blocked_until = now + TimeDelta::seconds(wait);
            }
        }
        Ok(())
    }

    /// Forgets the failures of an account from this address, and takes the attempt off the others: off the account's where
    /// it was counted there.
    pub(super) fn succeeded(&self, email: &str, address: Option<IpAddr>, is_counted: bool) {
        for (who, patience) in parties(email, address) {
            if matches!(who, Who::Account(_)) && !is_counted {
                continue;
            }
            if matches!(who, Who::Pair(..)) {
                self.0.invalidate(&who);
            } else if let Some(entry) = self.0.get(&who) {
                let mut failures = entry.lock();
                failures.count = failures.count.saturating_sub(1);
                if failures.count < patience.free {
                    failures.blocked_until = DateTime::default();
                }
            }
        }
    }
}

fn parties(email: &str, address: Option<IpAddr>) -> impl Iterator<Item = (Who, Patience)> {
    let address = address.map(network);
    let pair = Some((Who::Pair(email.to_owned(), address), PAIR));
    let alone = address.map(|address| (Who::Address(address), ADDRESS));
    let account = Some((Who::Account(email.to_owned()), ACCOUNT));
    pair.into_iter().chain(alone).chain(account)
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
            Err(Wait::Here(limited) | Wait::Everywhere(limited)) => Some(limited.retry_after.as_secs()),
            Ok(()) => None,
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
        attempts.succeeded("ada", None, true);
        assert_eq!(wait(&attempts, "ada", now()), None);
    }

    #[test]
    fn who_guesses_elsewhere_does_not_lock_the_owner_out() {
        let attempts = SignInAttempts::new();
        let (owner, other) = (Some(IpAddr::from([192, 0, 2, 1])), Some(IpAddr::from([192, 0, 2, 2])));
        for _ in 0..60 {
            let _ = attempts.begin("ada", other, now());
        }
        assert!(attempts.begin("ada", other, now()).is_err());
        attempts.begin("ada", owner, now()).expect("the owner may try");
    }

    #[test]
    fn failures_are_forgotten_after_half_an_hour() {
        let attempts = SignInAttempts::new();
        for _ in 0..10 {
            let _ = attempts.begin("ada", None, now());
        }
        let later = now() + TimeDelta::seconds(MEMORY_S + 1);
        for _ in 0..10 {
            attempts.begin("ada", None, later).expect("forgotten");
        }
        assert!(attempts.begin("ada", None, later).is_err());
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
