//! Work that one instance at a time does for all.

use std::fmt;
use std::time::Duration;

use chrono::TimeDelta;
use uuid::Uuid;

use crate::error::Result;
use crate::model::Clock;
use crate::store::Store;

/// This instance's claim to be the one that does some work.
pub struct Lease {
    store: Store,
    clock: Clock,
    work: &'static str,
    instance: String,
}

impl Lease {
    /// A claim to `work` that is not made yet.
    pub fn new(store: Store, clock: Clock, work: &'static str) -> Self {
        Self {
            store,
            clock,
            work,
            instance: Uuid::now_v7().to_string(),
        }
    }

    /// Makes or renews the claim, for so long. False while another instance has it.
    pub async fn hold(&self, time: Duration) -> Result<bool> {
        let now = self.clock.now();
        let lease = TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
        self.store.take_lease(self.work, &self.instance, now, now + lease).await
    }

    /// Gives the claim up.
    pub async fn release(&self) -> Result<()> {
        self.hold(Duration::ZERO).await?;
        Ok(())
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lease({})", self.work)
    }
}
