//! Why the last attempt at a task failed.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::alter().table("tasks").to_owned();
        table.add_column(ColumnDef::new("last_error").text());
        manager.alter_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::alter().table("tasks").to_owned();
        table.drop_column("last_error");
        manager.alter_table(table).await
    }
}
