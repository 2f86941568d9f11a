//! Whose an idempotency key is, so that people of one account share none and an erasure finds them.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::alter().table("idempotency_records").to_owned();
        table.add_column(ColumnDef::new("user_id").text());
        manager.alter_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::alter().table("idempotency_records").to_owned();
        table.drop_column("user_id");
        manager.alter_table(table).await
    }
}
