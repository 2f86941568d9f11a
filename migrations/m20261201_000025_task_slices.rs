//! Tasks that are done in slices: where a task goes on, how far it is, what it tells the operator, whether it is to stop.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const COLUMNS: [&str; 4] = ["tries", "sealed_cursor", "progress", "cancel_requested"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite adds one column a statement.
        for column in [
            ColumnDef::new("tries").integer().not_null().default(0).to_owned(),
            ColumnDef::new("sealed_cursor").blob().to_owned(),
            ColumnDef::new("progress").json().to_owned(),
            ColumnDef::new("cancel_requested")
                .boolean()
                .not_null()
                .default(false)
                .to_owned(),
        ] {
            let mut table = Table::alter().table("tasks").to_owned();
            table.add_column(column);
            manager.alter_table(table).await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("task_logs")
                    .col(ColumnDef::new("account_id").text().not_null())
                    .col(ColumnDef::new("task_id").text().not_null())
                    .col(ColumnDef::new("position").integer().not_null())
                    .col(ColumnDef::new("logged_at").timestamp_with_time_zone().not_null())
                    .col(ColumnDef::new("line").text().not_null())
                    .primary_key(Index::create().col("account_id").col("task_id").col("position"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("task_logs", ("account_id", "task_id"))
                            .to("tasks", ("account_id", "id"))
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("task_logs").to_owned()).await?;
        for column in COLUMNS {
            let mut table = Table::alter().table("tasks").to_owned();
            table.drop_column(column);
            manager.alter_table(table).await?;
        }
        Ok(())
    }
}
