//! API keys: making, changing, rotating, revoking. No key makes or changes one beyond its own bounds.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;

use super::{AuthService, Secret};
use crate::error::{Error, Result, Violation};
use crate::model::{AccountId, ApiKeyId, Caller, Grant, ScopeSet, id_fault};
use crate::services::Actor;
use crate::store::{ApiKeyRow, ApiKeyStatus};

/// Keys that are read at one time, where only some are shown.
const KEYS_AT_ONCE: u64 = 500;

/// What a new key is to be.
#[derive(Clone, Debug, Default)]
pub struct NewApiKey {
    /// What to call it.
    pub name: String,
    /// What it may do; [`ScopeSet::default_for_keys`] when absent.
    pub scopes: Option<ScopeSet>,
    /// How long it lives; for ever when absent.
    pub expires_in: Option<Duration>,
    /// Requests a minute, beside the account's limits.
    pub requests_per_minute: Option<u32>,
    /// The only people that it may touch; everybody when empty.
    pub user_ids: Vec<String>,
    /// The only networks that it works from; any when empty.
    pub networks: Vec<IpNet>,
}

/// What to change in a key; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct ApiKeyChange {
    /// What to call it.
    pub name: Option<String>,
    /// What it may do.
    pub scopes: Option<ScopeSet>,
    /// Requests a minute; 0 takes the limit away.
    pub requests_per_minute: Option<u32>,
}

impl AuthService {
    /// Makes a key for the caller's account, within the caller's own bounds; the secret is given this once.
    pub async fn create_api_key(&self, caller: &Caller, actor: &Actor, new: NewApiKey) -> Result<(ApiKeyRow, Secret)> {
        let row = self.new_key(&caller.account_id, new)?;
        let mut grant = row.grant;
        inherit(&mut grant, &caller.grant);
        within(&grant, &caller.grant)?;
        self.insert_key(actor, ApiKeyRow { grant, ..row }).await
    }

    /// Makes a key for any account, for whoever runs the command line.
    pub async fn issue_api_key(&self, account_id: &AccountId, new: NewApiKey) -> Result<(ApiKeyRow, Secret)> {
        let row = self.new_key(account_id, new)?;
        self.insert_key(&Actor::operator(), row).await
    }

    /// A key without its secret.
    fn new_key(&self, account_id: &AccountId, new: NewApiKey) -> Result<ApiKeyRow> {
        let fault = |user_id: &String| Some(Violation::new("allowed_user_ids", id_fault(user_id)?));
        let faults: Vec<Violation> = new.user_ids.iter().filter_map(fault).collect();
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        let created_at = self.clock.now();
        let expires_at = match new.expires_in.map(TimeDelta::from_std) {
            None => None,
            Some(Ok(lifetime)) => created_at.checked_add_signed(lifetime),
            Some(Err(_)) => return Err(Error::Invalid(vec![Violation::new("expires_in", "is too long")])),
        };
        Ok(ApiKeyRow {
            id: ApiKeyId::generate(),
            account_id: account_id.clone(),
            name: new.name,
            key_hash: [0; 32],
            key_hint: String::new(),
            grant: Grant {
                scopes: new.scopes.unwrap_or_else(ScopeSet::default_for_keys),
                user_ids: new.user_ids,
                networks: new.networks,
                requests_per_minute: new.requests_per_minute,
                expires_at,
            },
            created_at,
            revoked_at: None,
            last_used: None,
        })
    }

    async fn insert_key(&self, actor: &Actor, mut row: ApiKeyRow) -> Result<(ApiKeyRow, Secret)> {
        let secret = Secret::api_key()?;
        (row.key_hash, row.key_hint) = (secret.hash(), secret.hint());
        let transaction = self.store.begin().await?;
        transaction.insert_api_key(&row).await?;
        let event = actor.did("key.created", Some(row.id.as_str()), &row.account_id, row.created_at);
        transaction.insert_audit_event(&event).await?;
        transaction.commit().await?;
        Ok((row, secret))
    }

    /// A page of the keys of the caller's account, newest first; and how many there are on all pages. Whoever is bound to
    /// some people sees the keys that reach nobody else.
    pub async fn list_api_keys(
        &self,
        caller: &Caller,
        status: Option<ApiKeyStatus>,
        offset: u64,
        limit: u64,
    ) -> Result<(Vec<ApiKeyRow>, u64)> {
        let status = status.map(|status| (status, self.clock.now()));
        let account = Some(&caller.account_id);
        if caller.grant.user_ids.is_empty() {
            return self.store.api_keys(account, status, offset, limit).await;
        }
        let (mut page, mut total) = (Vec::new(), 0);
        let mut read = 0;
        loop {
            let (rows, of_account) = self.store.api_keys(account, status, read, KEYS_AT_ONCE).await?;
            read += KEYS_AT_ONCE;
            for row in rows {
                if reaches_no_more_people(&row.grant, &caller.grant) {
                    if total >= offset && (page.len() as u64) < limit {
                        page.push(row);
                    }
                    total += 1;
                }
            }
            if read >= of_account {
                return Ok((page, total));
            }
        }
    }

    /// The keys whose use the caller may read; nothing where that is everybody's of the account.
    pub async fn readable_keys(&self, caller: &Caller) -> Result<Option<HashSet<String>>> {
        if caller.grant.user_ids.is_empty() {
            return Ok(None);
        }
        let (keys, _) = self.list_api_keys(caller, None, 0, u64::MAX).await?;
        Ok(Some(keys.into_iter().map(|key| key.id.into()).collect()))
    }

    /// Every key of an account, or of all, newest first.
    pub async fn all_api_keys(&self, account_id: Option<&AccountId>) -> Result<Vec<ApiKeyRow>> {
        Ok(self.store.api_keys(account_id, None, 0, u32::MAX.into()).await?.0)
    }

    /// Changes a key of the caller's account. [`Error::ApiKeyNotFound`] where no such key works.
    pub async fn update_api_key(
        &self,
        caller: &Caller,
        actor: &Actor,
        id: &ApiKeyId,
        change: ApiKeyChange,
    ) -> Result<ApiKeyRow> {
        let now = self.clock.now();
        let transaction = self.store.begin().await?;
        let row = transaction.api_key(Some(&caller.account_id), id).await?;
        let mut row = row.filter(|row| works(row, now)).ok_or(Error::ApiKeyNotFound)?;
        within(&row.grant, &caller.grant)?;
        row.name = change.name.unwrap_or(row.name);
        row.grant.scopes = change.scopes.unwrap_or(row.grant.scopes);
        match change.requests_per_minute {
            None => {}
            Some(0) => row.grant.requests_per_minute = None,
            limit => row.grant.requests_per_minute = limit,
        }
        within(&row.grant, &caller.grant)?;
        transaction.update_api_key(&row).await?;
        let event = actor.did("key.updated", Some(id.as_str()), &caller.account_id, now);
        transaction.insert_audit_event(&event).await?;
        transaction.commit().await?;
        self.forget_key(&row.key_hash).await;
        Ok(row)
    }

    /// Makes a key with the bounds of an old one, which lives on for the grace period.
    pub async fn rotate_api_key(
        &self,
        caller: &Caller,
        actor: &Actor,
        id: &ApiKeyId,
        grace: Duration,
    ) -> Result<(ApiKeyRow, Secret)> {
        let now = self.clock.now();
        let transaction = self.store.begin().await?;
        let old = transaction.api_key(Some(&caller.account_id), id).await?;
        let mut old = old.filter(|row| works(row, now)).ok_or(Error::ApiKeyNotFound)?;
        within(&old.grant, &caller.grant)?;

        let secret = Secret::api_key()?;
        let lifetime = old.grant.expires_at.map(|at| at - old.created_at);
        let mut new = ApiKeyRow {
            id: ApiKeyId::generate(),
            key_hash: secret.hash(),
            key_hint: secret.hint(),
            created_at: now,
            last_used: None,
            ..old.clone()
        };
        let bound = caller.grant.expires_at;
        let renewed = lifetime.map(|lifetime| now + lifetime);
        new.grant.expires_at = renewed.map(|at| bound.map_or(at, |bound| at.min(bound)));
        transaction.insert_api_key(&new).await?;

        if grace.is_zero() {
            old.revoked_at = Some(now);
        } else {
            let end = now + TimeDelta::from_std(grace).unwrap_or(TimeDelta::zero());
            old.grant.expires_at = Some(old.grant.expires_at.map_or(end, |at| at.min(end)));
        }
        transaction.update_api_key(&old).await?;
        let event = actor.did("key.rotated", Some(id.as_str()), &caller.account_id, now);
        transaction.insert_audit_event(&event).await?;
        let event = actor.did("key.created", Some(new.id.as_str()), &caller.account_id, now);
        transaction.insert_audit_event(&event).await?;
        transaction.commit().await?;
        self.forget_key(&old.key_hash).await;
        Ok((new, secret))
    }

    /// Revokes a key of the caller's account that is no more than the caller, but never the one of this request. Gives
    /// the time.
    pub async fn delete_api_key(&self, caller: &Caller, actor: &Actor, id: &ApiKeyId) -> Result<DateTime<Utc>> {
        if caller.api_key_id() == Some(id) {
            return Err(Error::CannotDeleteActiveKey);
        }
        self.revoke(actor, Some(caller), id).await
    }

    /// Revokes any key, for whoever runs the command line.
    pub async fn revoke_api_key(&self, id: &ApiKeyId) -> Result<()> {
        self.revoke(&Actor::operator(), None, id).await.map(|_| ())
    }

    /// In this process at once, in others when their cache forgets it. [`Error::ApiKeyNotFound`] where no such key
    /// is left to revoke.
    async fn revoke(&self, actor: &Actor, caller: Option<&Caller>, id: &ApiKeyId) -> Result<DateTime<Utc>> {
        let now = self.clock.now();
        let transaction = self.store.begin().await?;
        let row = transaction.api_key(caller.map(|caller| &caller.account_id), id).await?;
        let mut row = row
            .filter(|row| row.revoked_at.is_none())
            .ok_or(Error::ApiKeyNotFound)?;
        if let Some(caller) = caller {
            within(&row.grant, &caller.grant)?;
        }
        row.revoked_at = Some(now);
        transaction.update_api_key(&row).await?;
        let event = actor.did("key.deleted", Some(id.as_str()), &row.account_id, now);
        transaction.insert_audit_event(&event).await?;
        transaction.commit().await?;
        self.forget_key(&row.key_hash).await;
        Ok(now)
    }
}

fn works(row: &ApiKeyRow, now: DateTime<Utc>) -> bool {
    row.status(now) == ApiKeyStatus::Active
}

/// What a new key is not told, it takes from the key that makes it.
fn inherit(grant: &mut Grant, maker: &Grant) {
    if grant.user_ids.is_empty() {
        grant.user_ids.clone_from(&maker.user_ids);
    }
    if grant.networks.is_empty() {
        grant.networks.clone_from(&maker.networks);
    }
    grant.requests_per_minute = grant.requests_per_minute.or(maker.requests_per_minute);
    grant.expires_at = grant.expires_at.or(maker.expires_at);
}

fn reaches_no_more_people(grant: &Grant, maker: &Grant) -> bool {
    let people = &maker.user_ids;
    people.is_empty() || !grant.user_ids.is_empty() && grant.user_ids.iter().all(|person| people.contains(person))
}

/// Refuses a grant that is more than its maker's in any respect.
fn within(grant: &Grant, maker: &Grant) -> Result<()> {
    if let Some(scope) = grant.scopes.missing_from(maker.scopes) {
        return Err(Error::Forbidden(scope));
    }
    let persons_fit = reaches_no_more_people(grant, maker);
    let networks_fit = maker.networks.is_empty()
        || !grant.networks.is_empty()
            && grant
                .networks
                .iter()
                .all(|inner| maker.networks.iter().any(|outer| outer.contains(inner)));
    let at_most = |value: Option<i64>, bound: Option<i64>| match (value, bound) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(value), Some(bound)) => value <= bound,
    };
    let end = |grant: &Grant| grant.expires_at.map(|at| at.timestamp_micros());
    let rate = |grant: &Grant| grant.requests_per_minute.map(i64::from);
    for (fits, message) in [
        (
            persons_fit,
            "No key reaches people beyond those of the key that manages it: allowed_user_ids",
        ),
        (
            networks_fit,
            "No key works from addresses beyond those of the key that manages it: allowed_ips",
        ),
        (
            at_most(end(grant), end(maker)),
            "No key outlives the key that manages it: expires_in",
        ),
        (
            at_most(rate(grant), rate(maker)),
            "No key exceeds the rate of the key that manages it: rate_limit_per_minute",
        ),
    ] {
        if !fits {
            return Err(Error::ForbiddenHere(message));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Scope;

    fn bounded() -> Grant {
        Grant {
            scopes: [Scope::MemoriesRead, Scope::KeysWrite].into_iter().collect(),
            user_ids: vec!["p1".to_owned(), "p2".to_owned()],
            networks: vec!["10.0.0.0/8".parse().expect("a network")],
            requests_per_minute: Some(60),
            expires_at: DateTime::from_timestamp(1_800_000_000, 0),
        }
    }

    #[test]
    fn a_key_that_names_no_bounds_gets_those_of_its_maker() {
        let mut grant = Grant::of([Scope::MemoriesRead].into_iter().collect());
        assert!(within(&grant, &bounded()).is_err());
        inherit(&mut grant, &bounded());
        within(&grant, &bounded()).expect("inherited");
        assert_eq!(
            Grant {
                scopes: bounded().scopes,
                ..grant
            },
            bounded()
        );
    }

    #[test]
    fn nothing_can_be_more_than_the_makers() {
        within(&bounded(), &Grant::everything()).expect("a person may do all");
        within(&bounded(), &bounded()).expect("the same is no more");
        let more: [fn(&mut Grant); 8] = [
            |grant| grant.scopes = ScopeSet::all(),
            |grant| grant.user_ids.clear(),
            |grant| grant.user_ids.push("p3".to_owned()),
            |grant| grant.networks.clear(),
            |grant| grant.networks.push("11.0.0.1/32".parse().expect("a network")),
            |grant| grant.requests_per_minute = Some(61),
            |grant| grant.requests_per_minute = None,
            |grant| grant.expires_at = None,
        ];
        for (index, change) in more.iter().enumerate() {
            let mut grant = bounded();
            change(&mut grant);
            assert!(within(&grant, &bounded()).is_err(), "{index}");
        }
        let mut less = bounded();
        less.user_ids.pop();
        less.networks = vec!["10.1.0.0/16".parse().expect("a network")];
        less.requests_per_minute = Some(1);
        within(&less, &bounded()).expect("less is allowed");
    }
}
