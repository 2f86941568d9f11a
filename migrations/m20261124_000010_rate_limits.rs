//! What instances on one PostgreSQL have taken from the allowances that they share.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("rate_limits")
                    .col(ColumnDef::new("id").text().not_null().primary_key())
                    .col(ColumnDef::new("account_id").text().not_null())
                    .col(ColumnDef::new("spent_until").big_integer().not_null())
                    .col(ColumnDef::new("granted").big_integer().not_null())
                    .foreign_key(
                        ForeignKey::create()
                            .from("rate_limits", "account_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("rate_limits").to_owned()).await
    }
}
