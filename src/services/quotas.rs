//! How many memories an account and its people may have. Nothing is counted where there is no limit.

use super::memories::MemoryService;
use crate::error::{Error, Quota, Result};
use crate::model::{AccountId, PersonId};
use crate::store::Transaction;

impl MemoryService {
    /// Keeps others from adding memories to an account that may have only so many. To be called before the transaction
    /// touches a person of it: whoever erases an account goes the same way round.
    pub(super) async fn hold_quota(&self, transaction: &Transaction, account_id: &AccountId) -> Result<()> {
        match self.limits.per_account {
            0 => Ok(()),
            _ => transaction.hold_account(account_id).await,
        }
    }

    /// How many there are by now, where only so many may be. The transaction has advanced the person's revision: until it
    /// ends nobody else adds any.
    pub(super) async fn quotas(
        &self,
        transaction: &Transaction,
        account_id: &AccountId,
        person_id: &PersonId,
    ) -> Result<Quotas> {
        let mut quotas = Vec::new();
        for (whose, limit, person_id) in [
            (Quota::Person, self.limits.per_person, Some(person_id)),
            (Quota::Account, self.limits.per_account, None),
        ] {
            if limit > 0 {
                let current = transaction.count_memories(account_id, person_id).await?;
                quotas.push((whose, limit, current));
            }
        }
        Ok(Quotas(quotas))
    }
}

/// Limits, and how much of each is used.
pub(super) struct Quotas(Vec<(Quota, u64, u64)>);

impl Quotas {
    /// [`Error::QuotaExceeded`] where so many more memories would be too many.
    pub(super) fn admit(&self, added: usize) -> Result<()> {
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
