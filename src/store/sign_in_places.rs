//! The table `sign_in_places`: where the people of an account signed in from lately.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, OnConflict, Query};
use sea_orm::{ActiveValue::Set, JoinType, Order, QuerySelect};

use super::{Store, Transaction, accounts, db_error};
use crate::error::Result;
use crate::model::AccountId;

/// Places that are remembered of an account.
const REMEMBERED: u64 = 20;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_in_places")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub place: String,
    pub seen_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::accounts::Entity",
        from = "Column::AccountId",
        to = "super::accounts::Column::Id"
    )]
    Account,
}

impl ActiveModelBehavior for ActiveModel {}

impl Store {
    /// Whether somebody has signed in to the account with this address from this place. One query, whether there is such
    /// an account or not.
    pub async fn is_sign_in_place(&self, email: &str, place: &str) -> Result<bool> {
        let row = Entity::find()
            .join(JoinType::InnerJoin, Relation::Account.def())
            .filter(accounts::Column::Email.eq(email))
            .filter(Column::Place.eq(place))
            .one(&self.read)
            .await
            .map_err(db_error)?;
        Ok(row.is_some())
    }

    /// Forgets places that nobody has signed in from since this time.
    pub async fn purge_sign_in_places(&self, before: DateTime<Utc>) -> Result<()> {
        Entity::delete_many()
            .filter(Column::SeenAt.lt(before))
            .exec(&self.write)
            .await
            .map_err(db_error)?;
        Ok(())
    }
}

impl Transaction {
    /// Remembers that somebody signed in to the account from this place; forgets the oldest of too many.
    pub async fn remember_sign_in_place(&self, account_id: &AccountId, place: &str, now: DateTime<Utc>) -> Result<()> {
        let row = ActiveModel {
            account_id: Set(account_id.to_string()),
            place: Set(place.to_owned()),
            seen_at: Set(now),
        };
        let mut again = OnConflict::columns([Column::AccountId, Column::Place]);
        again.update_column(Column::SeenAt);
        Entity::insert(row)
            .on_conflict(again)
            .exec_without_returning(&self.0)
            .await
            .map_err(db_error)?;
        let newest = Query::select()
            .column(Column::Place)
            .from(Entity)
            .and_where(Expr::col(Column::AccountId).eq(account_id.as_str()))
            .order_by(Column::SeenAt, Order::Desc)
            .limit(REMEMBERED)
            .to_owned();
        Entity::delete_many()
            .filter(Column::AccountId.eq(account_id.as_str()))
            .filter(Column::Place.not_in_subquery(newest))
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }
}
