//! The table `leases`: work that one instance at a time does for all.

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, OnConflict};

use super::{Store, db_error};
use crate::error::Result;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "leases")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub holder: String,
    pub ends_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Store {
    /// Takes a lease until `ends_at`, or keeps it for longer. False while another holder has it.
    pub async fn take_lease(
        &self,
        name: &str,
        holder: &str,
        now: DateTime<Utc>,
        ends_at: DateTime<Utc>,
    ) -> Result<bool> {
        let row = ActiveModel {
            name: Set(name.to_owned()),
            holder: Set(holder.to_owned()),
            ends_at: Set(ends_at),
        };
        let mut take_over = OnConflict::column(Column::Name);
        take_over
            .update_columns([Column::Holder, Column::EndsAt])
            .action_and_where(
                Expr::col((Entity, Column::Holder))
                    .eq(holder)
                    .or(Expr::col((Entity, Column::EndsAt)).lte(now)),
            );
        let taken = Entity::insert(row)
            .on_conflict(take_over)
            .exec_without_returning(&self.write)
            .await;
        match taken {
            Ok(rows) => Ok(rows == 1),
            Err(DbErr::RecordNotInserted) => Ok(false),
            Err(error) => Err(db_error(error)),
        }
    }
}
