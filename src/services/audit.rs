//! Who did what: events that are written with what they tell of, and read page by page.

use std::mem;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;

use crate::error::{Error, Result};
use crate::model::{AccountId, AuditEventId, Caller, Clock, Origin};
use crate::store::{AuditEvent, Store};

/// Refusals that wait to be written; more are counted, not kept.
const MAX_PENDING: usize = 10_000;

/// Who does something, from where.
#[derive(Clone, Debug, Default)]
pub struct Actor {
    name: String,
    credential: String,
    api_key_id: Option<String>,
    address: Option<String>,
    request_id: Option<String>,
}

impl Actor {
    /// Whoever runs the command line.
    pub fn operator() -> Self {
        Self {
            name: "operator".to_owned(),
            credential: "operator".to_owned(),
            ..Self::default()
        }
    }

    /// A caller, in a request.
    pub fn caller(caller: &Caller, origin: &Origin) -> Self {
        Self {
            credential: caller.credential().to_owned(),
            api_key_id: caller.api_key_id().map(ToString::to_string),
            ..Self::person(&caller.email, origin)
        }
    }

    /// A person who is signing in.
    pub fn person(email: &str, origin: &Origin) -> Self {
        Self {
            name: email.to_owned(),
            credential: email.to_owned(),
            api_key_id: None,
            address: origin.address.map(|address| address.to_string()),
            request_id: Some(origin.request_id.clone()).filter(|id| !id.is_empty()),
        }
    }

    /// The key, the session or the person, as histories keep it.
    pub(super) fn credential(&self) -> &str {
        &self.credential
    }

    /// That this actor did something to an account.
    pub(super) fn did(
        &self,
        action: &'static str,
        target: Option<&str>,
        account_id: &AccountId,
        now: DateTime<Utc>,
    ) -> AuditEvent {
        AuditEvent {
            id: AuditEventId::generate(),
            account_id: account_id.clone(),
            action: action.to_owned(),
            actor: self.name.clone(),
            api_key_id: self.api_key_id.clone(),
            target: target.map(str::to_owned),
            address: self.address.clone(),
            request_id: self.request_id.clone(),
            occurred_at: now,
        }
    }
}

/// The events of accounts.
#[derive(Debug)]
pub struct AuditLog {
    store: Store,
    clock: Clock,
    pending: Mutex<Vec<AuditEvent>>,
}

impl AuditLog {
    /// Over this database.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self {
            store,
            clock,
            pending: Mutex::default(),
        }
    }

    /// Notes that a caller was refused for lack of a right. Written with the next flush: whoever is refused must not
    /// cost a write each time.
    pub fn refused(&self, caller: &Caller, origin: &Origin, endpoint: &str) {
        let actor = Actor::caller(caller, origin);
        self.defer(actor.did("request.refused", Some(endpoint), &caller.account_id, self.clock.now()));
    }

    /// Takes an event for the next flush.
    pub(super) fn defer(&self, event: AuditEvent) {
        let mut pending = self.pending.lock();
        if pending.len() < MAX_PENDING {
            pending.push(event);
        } else {
            tracing::warn!("too many refusals at once: not all of them are in the audit log");
        }
    }

    /// Writes what waits; keeps it where the database does not answer. Goes on where its caller does not wait.
    pub async fn flush(self: &Arc<Self>) -> Result<()> {
        let log = Arc::clone(self);
        let writing = tokio::spawn(async move { log.flush_now().await });
        writing.await.map_err(|e| Error::Internal(Box::new(e)))?
    }

    async fn flush_now(&self) -> Result<()> {
        let taken = mem::take(&mut *self.pending.lock());
        let written = self.write(&taken).await;
        if written.is_err() {
            self.pending.lock().extend(taken);
        }
        written
    }

    async fn write(&self, events: &[AuditEvent]) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let transaction = self.store.begin().await?;
        for event in events {
            transaction.insert_audit_event_of_living_account(event).await?;
        }
        transaction.commit().await
    }

    /// A page of an account's events, newest first; and where the next one starts.
    pub async fn list(
        self: &Arc<Self>,
        account_id: &AccountId,
        cursor: Option<&AuditEventId>,
        limit: u64,
    ) -> Result<(Vec<AuditEvent>, Option<AuditEventId>)> {
        self.flush().await?;
        let mut events = self.store.audit_events(account_id, cursor, limit + 1).await?;
        let more = events.len() as u64 > limit;
        events.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let next = events.last().filter(|_| more).map(|event| event.id.clone());
        Ok((events, next))
    }

    /// Forgets events that are older.
    pub async fn purge(&self, retention: TimeDelta) -> Result<()> {
        self.store.purge_audit_events(self.clock.now() - retention).await
    }
}
