//! How many memories an account and its people may have. Nothing is counted where there is no limit.

use super::PersonStore;
use crate::error::{Error, Quota, Result};
use crate::model::{AccountId, PersonId};
use crate::store::Transaction;

impl PersonStore {
    /// Keeps others from adding memories to an account that may have only so many. To be called before the transaction
    /// touches a person of it: whoever erases an account goes the same way round.
    pub(in crate::services) async fn hold_quota(
        &self,
        transaction: &Transaction,
        account_id: &AccountId,
    ) -> Result<()> {
        match self.quotas.per_account {
            0 => Ok(()),
            _ => transaction.hold_account(account_id).await,
        }
    }

    /// How many there are by now, where only so many may be. The transaction has advanced the person's revision: until it
    /// ends nobody else adds any.
    pub(in crate::services) async fn quotas(
        &self,
        transaction: &Transaction,
        account_id: &AccountId,
        person_id: &PersonId,
    ) -> Result<Quotas> {
        let mut quotas = Vec::new();
        for (whose, limit, person_id) in [
            (Quota::Person, self.quotas.per_person, Some(person_id)),
            (Quota::Account, self.quotas.per_account, None),
        ] {
            if limit > 0 {
                let current = transaction.count_memories(account_id, person_id).await?;
                quotas.push((whose, limit, current));
            }
        }
        Ok(Quotas(quotas))
    }
}

/// How many memories there may be.
#[derive(Clone, Copy, Debug)]
pub struct MemoryQuotas {
    /// In an account; 0 for no limit.
    pub per_account: u64,
    /// Of a person; 0 for no limit.
    pub per_person: u64,
}

/// Limits, and how much of each is used.
pub(in crate::services) struct Quotas(Vec<(Quota, u64, u64)>);

impl Quotas {
    /// [`Error::QuotaExceeded`] where so many more memories would be too many.
    pub(in crate::services) fn admit(&self, added: usize) -> Result<()> {
        let exceeded =
            |(_, limit, current): &&(_, u64, u64)| added > 0 && current.saturating_add(added as u64) > *limit;
        match self.0.iter().find(exceeded) {
            Some((whose, limit, current)) => Err(Error::QuotaExceeded {
                whose: *whose,
                limit: *limit,
                current: *current,
            }),
            None => Ok(()),
        }
    }
}
