//! How many accounts may be made: by an address, and in all. Kept in memory: each instance counts its own.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;

use super::AuthSettings;
use crate::error::{Error, Result};
use crate::services::rate_limits::{AddressLimits, Bucket, Rate};

/// Counts registrations.
#[derive(Debug)]
pub(super) struct Registrations {
    by_address: AddressLimits,
    /// None for no limit.
    rate: Option<Rate>,
    all: Mutex<Bucket>,
}

impl Registrations {
    pub(super) fn new(settings: &AuthSettings) -> Self {
        let limit = settings.registrations_per_hour;
        Self {
            by_address: AddressLimits::per_hour(settings.registrations_per_hour_per_address),
            rate: (limit > 0).then(|| Rate::per_hour(limit)),
            all: Mutex::default(),
        }
    }

    /// Counts one. Fails where there were too many.
    pub(super) fn take(&self, address: Option<IpAddr>, now: DateTime<Utc>) -> Result<()> {
        let now_us = now.timestamp_micros();
        self.by_address.take(address, now_us)?;
        match self.rate {
            Some(rate) => self.all.lock().try_take(rate, now_us).map_err(Error::RateLimited),
            None => Ok(()),
        }
    }
}
