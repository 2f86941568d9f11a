//! One allowance: a token bucket, kept as the time at which it is full again (the generic cell rate algorithm, ITU-T
//! I.371), so that it needs no timer and one number.

use std::time::Duration;

use crate::error::RateLimited;

const MINUTE_US: i64 = 60_000_000;
const HOUR_US: i64 = 60 * MINUTE_US;

/// What a caller has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Requests in a minute, or in the time that the limit is for.
    pub limit: u32,
    /// Requests that are left at this moment.
    pub remaining: u32,
    /// When all of them are left again, in Unix seconds.
    pub reset: i64,
    /// Where nothing was left: how long until one is, in microseconds.
    pub retry_after_us: Option<i64>,
}

impl Allowance {
    /// Why a request is refused; nothing where something is left for it.
    pub(super) fn refusal(&self, now_us: i64) -> Option<RateLimited> {
        let wait = self.retry_after_us?;
        Some(RateLimited {
            limit: self.limit,
            reset_time: (now_us + wait + 999_999).div_euclid(1_000_000),
            retry_after: Duration::from_micros(u64::try_from(wait).unwrap_or(0)),
        })
    }
}

/// How many in how long: what a bucket holds, and how fast it gains that.
#[derive(Clone, Copy, Debug)]
pub(in crate::services) struct Rate {
    limit: u32,
    interval_us: i64,
}

impl Rate {
    pub(in crate::services) const fn per_minute(limit: u32) -> Self {
        Self::of(limit, MINUTE_US)
    }

    pub(in crate::services) const fn per_hour(limit: u32) -> Self {
        Self::of(limit, HOUR_US)
    }

    const fn of(limit: u32, period_us: i64) -> Self {
        let interval_us = match limit {
            0 => period_us,
            limit => period_us / limit as i64,
        };
        let interval_us = if interval_us == 0 { 1 } else { interval_us };
        Self { limit, interval_us }
    }

    /// Microseconds in which a bucket gains a token.
    pub(super) const fn interval_us(self) -> i64 {
        self.interval_us
    }

    /// What a bucket holds that is full again after `full_in_us`.
    pub(super) fn allowance(self, full_in_us: i64, now_us: i64) -> Allowance {
        let Self { limit, interval_us } = self;
        let room = i64::from(limit) * interval_us - full_in_us;
        Allowance {
            limit,
            remaining: u32::try_from(room / interval_us).unwrap_or(0),
            reset: (now_us + full_in_us + 999_999).div_euclid(1_000_000),
            retry_after_us: (room < interval_us).then_some(interval_us - room),
        }
    }
}

/// A bucket of this process alone.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::services) struct Bucket {
    full_at_us: i64,
}

impl Bucket {
    /// What it holds.
    pub(super) fn peek(self, rate: Rate, now_us: i64) -> Allowance {
        rate.allowance((self.full_at_us - now_us).max(0), now_us)
    }

    /// Takes a token; the bucket must hold one.
    pub(super) fn take(&mut self, rate: Rate, now_us: i64) -> Allowance {
        self.full_at_us = self.full_at_us.max(now_us) + rate.interval_us;
        Allowance {
            retry_after_us: None,
            ..self.peek(rate, now_us)
        }
    }

    /// Takes a token, where there is one.
    pub(in crate::services) fn try_take(&mut self, rate: Rate, now_us: i64) -> Result<(), RateLimited> {
        match self.peek(rate, now_us).refusal(now_us) {
            Some(refusal) => Err(refusal),
            None => {
                self.take(rate, now_us);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000_000;
    const RATE: Rate = Rate::per_minute(60);

    #[test]
    fn a_full_bucket_gives_a_minutes_worth_at_once_and_then_one_by_one() {
        let mut bucket = Bucket::default();
        for left in (0..60).rev() {
            assert_eq!(bucket.peek(RATE, NOW).retry_after_us, None);
            assert_eq!(bucket.take(RATE, NOW).remaining, left);
        }
        let empty = bucket.peek(RATE, NOW);
        assert_eq!((empty.remaining, empty.retry_after_us), (0, Some(1_000_000)));
        assert_eq!(empty.reset, NOW / 1_000_000 + 60);
        let later = NOW + 1_000_000;
        assert_eq!(bucket.peek(RATE, later).remaining, 1);
        bucket.take(RATE, later);
        assert_eq!(bucket.peek(RATE, later).retry_after_us, Some(1_000_000));
    }

    #[test]
    fn every_limit_has_an_answer() {
        for limit in [1, 7, 60_000_001, u32::MAX] {
            let mut bucket = Bucket::default();
            assert_eq!(
                bucket.take(Rate::per_minute(limit), NOW).remaining,
                limit - 1,
                "{limit}"
            );
        }
    }

    #[test]
    fn an_hours_worth_comes_back_in_an_hour() {
        let (mut bucket, rate) = (Bucket::default(), Rate::per_hour(2));
        assert!(bucket.try_take(rate, NOW).is_ok() && bucket.try_take(rate, NOW).is_ok());
        let refused = bucket.try_take(rate, NOW).expect_err("nothing is left");
        assert_eq!((refused.limit, refused.retry_after.as_secs()), (2, 1800));
        assert!(bucket.try_take(rate, NOW + 1_800_000_000).is_ok());
        assert!(bucket.try_take(rate, NOW + 1_800_000_000).is_err());
    }

    #[test]
    fn it_never_holds_more_than_a_minutes_worth() {
        let mut bucket = Bucket::default();
        bucket.take(RATE, NOW);
        let much_later = NOW + 3_600_000_000;
        assert_eq!(bucket.peek(RATE, much_later).remaining, 60);
        assert_eq!(bucket.peek(RATE, much_later).reset, much_later / 1_000_000);
    }
}
