//! The table `audit_events`: rows are added, and removed when they are old. One thing is taken out of them: which
//! memories were deleted of a person who was erased.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Query;
use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect};

use super::deletions::tombstones;
use super::{Store, Transaction, accounts, db_error};
use crate::error::Result;
use crate::model::{AccountId, AuditEventId};

/// The action of an event whose target is a memory.
pub const MEMORY_DELETED: &str = "memory.deleted";

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_events")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub action: String,
    pub actor: String,
    pub api_key_id: Option<String>,
    pub target: Option<String>,
    pub address: Option<String>,
    pub request_id: Option<String>,
    pub occurred_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// Its id; later events have greater ones.
    pub id: AuditEventId,
    /// The account that it concerns.
    pub account_id: AccountId,
    /// What was done, such as `key.created`.
    pub action: String,
    /// Who did it.
    pub actor: String,
    /// With which key.
    pub api_key_id: Option<String>,
    /// To what.
    pub target: Option<String>,
    /// From which address.
    pub address: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

impl From<Model> for AuditEvent {
    fn from(row: Model) -> Self {
        Self {
            id: AuditEventId::from_stored(row.id),
            account_id: AccountId::from_stored(row.account_id),
            action: row.action,
            actor: row.actor,
            api_key_id: row.api_key_id,
            target: row.target,
            address: row.address,
            request_id: row.request_id,
            occurred_at: row.occurred_at,
        }
    }
}

impl From<&AuditEvent> for ActiveModel {
    fn from(event: &AuditEvent) -> Self {
        Self {
            account_id: Set(event.account_id.to_string()),
            id: Set(event.id.to_string()),
            action: Set(event.action.clone()),
            actor: Set(event.actor.clone()),
            api_key_id: Set(event.api_key_id.clone()),
            target: Set(event.target.clone()),
            address: Set(event.address.clone()),
            request_id: Set(event.request_id.clone()),
            occurred_at: Set(event.occurred_at),
        }
    }
}

impl Store {
    /// The newest events of an account that are older than `before`.
    pub async fn audit_events(
        &self,
        account_id: &AccountId,
        before: Option<&AuditEventId>,
        limit: u64,
    ) -> Result<Vec<AuditEvent>> {
        let mut query = Entity::find()
            .filter(Column::AccountId.eq(account_id.as_str()))
            .order_by_desc(Column::Id)
            .limit(limit);
        if let Some(before) = before {
            query = query.filter(Column::Id.lt(before.as_str()));
        }
        let rows = query.all(&self.read).await.map_err(db_error)?;
        Ok(rows.into_iter().map(AuditEvent::from).collect())
    }

    /// Forgets events older than this time.
    pub async fn purge_audit_events(&self, before: DateTime<Utc>) -> Result<()> {
        Entity::delete_many()
            .filter(Column::OccurredAt.lt(before))
            .exec(&self.write)
            .await
            .map_err(db_error)?;
        Ok(())
    }
}

impl Transaction {
    /// Adds an event.
    pub async fn insert_audit_event(&self, event: &AuditEvent) -> Result<()> {
        Entity::insert(ActiveModel::from(event))
            .exec_without_returning(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }

    /// Takes the ids out of the events that tell of deletions of a person's memories.
    pub(super) async fn redact_deletions(&self, account_id: &AccountId, person_id: &str) -> Result<()> {
        let deleted = Query::select()
            .column(tombstones::Column::MemoryId)
            .from(tombstones::Entity)
            .and_where(tombstones::Column::AccountId.eq(account_id.as_str()))
            .and_where(tombstones::Column::PersonId.eq(person_id))
            .to_owned();
        Entity::update_many()
            .col_expr(Column::Target, Expr::value(Option::<String>::None))
            .filter(Column::AccountId.eq(account_id.as_str()))
            .filter(Column::Action.eq(MEMORY_DELETED))
            .filter(Column::Target.in_subquery(deleted))
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }

    /// Adds an event, unless its account is gone.
    pub async fn insert_audit_event_of_living_account(&self, event: &AuditEvent) -> Result<()> {
        let account = accounts::Entity::find_by_id(event.account_id.as_str());
        if account.one(&self.0).await.map_err(db_error)?.is_some() {
            self.insert_audit_event(event).await?;
        }
        Ok(())
    }
}
