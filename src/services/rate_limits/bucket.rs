//! One allowance: a token bucket, kept as the time at which it is full again (the generic cell rate algorithm, ITU-T
//! I.371), so that it needs no timer and one number.

const MINUTE_US: i64 = 60_000_000;

/// What a caller has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Requests a minute.
    pub limit: u32,
    /// Requests that are left at this moment.
    pub remaining: u32,
    /// When all of them are left again, in Unix seconds.
    pub reset: i64,
    /// Where nothing was left: how long until one is, in microseconds.
    pub retry_after_us: Option<i64>,
}

/// Microseconds in which a bucket gains a token.
pub(super) fn interval_us(limit: u32) -> i64 {
    (MINUTE_US / i64::from(limit.max(1))).max(1)
}

/// A bucket of this process alone, which holds as many tokens as it gains in a minute.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bucket {
    full_at_us: i64,
}

impl Bucket {
    /// What it holds.
    pub(super) fn peek(self, limit: u32, now_us: i64) -> Allowance {
        allowance(limit, (self.full_at_us - now_us).max(0), now_us)
    }

    /// Takes a token; the bucket must hold one.
    pub(super) fn take(&mut self, limit: u32, now_us: i64) -> Allowance {
        self.full_at_us = self.full_at_us.max(now_us) + interval_us(limit);
        Allowance {
            retry_after_us: None,
            ..self.peek(limit, now_us)
        }
    }
}

/// What a bucket holds that is full again after `full_in_us`.
pub(super) fn allowance(limit: u32, full_in_us: i64, now_us: i64) -> Allowance {
    let interval = interval_us(limit);
    let room = i64::from(limit) * interval - full_in_us;
    Allowance {
        limit,
        remaining: u32::try_from(room / interval).unwrap_or(0),
        reset: (now_us + full_in_us + 999_999).div_euclid(1_000_000),
        retry_after_us: (room < interval).then_some(interval - room),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000_000;

    #[test]
    fn a_full_bucket_gives_a_minutes_worth_at_once_and_then_one_by_one() {
        let mut bucket = Bucket::default();
        for left in (0..60).rev() {
            assert_eq!(bucket.peek(60, NOW).retry_after_us, None);
            assert_eq!(bucket.take(60, NOW).remaining, left);
        }
        let empty = bucket.peek(60, NOW);
        assert_eq!((empty.remaining, empty.retry_after_us), (0, Some(1_000_000)));
        assert_eq!(empty.reset, NOW / 1_000_000 + 60);
        let later = NOW + 1_000_000;
        assert_eq!(bucket.peek(60, later).remaining, 1);
        bucket.take(60, later);
        assert_eq!(bucket.peek(60, later).retry_after_us, Some(1_000_000));
    }

    #[test]
    fn every_limit_has_an_answer() {
        for limit in [1, 7, 60_000_001, u32::MAX] {
            let mut bucket = Bucket::default();
            assert_eq!(bucket.take(limit, NOW).remaining, limit - 1, "{limit}");
        }
    }

    #[test]
    fn it_never_holds_more_than_a_minutes_worth() {
        let mut bucket = Bucket::default();
        bucket.take(60, NOW);
        let much_later = NOW + 3_600_000_000;
        assert_eq!(bucket.peek(60, much_later).remaining, 60);
        assert_eq!(bucket.peek(60, much_later).reset, much_later / 1_000_000);
    }
}
