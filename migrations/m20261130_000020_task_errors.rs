//! Why the last attempt at a task failed.

use sea_orm_migration::prelude::*;

pub(super) struct Migration;

impl MigrationName for Migration {
    // Databases know it by the name that it had before two migrations of one number were told apart.
    fn name(&self) -> &'static str {
        "m20261130_000019_task_errors"
    }
}

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
