//! Who did what, when, from where. Rows are added, and removed when they are old.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("audit_events")
                    .col(ColumnDef::new("account_id").text().not_null())
                    .col(ColumnDef::new("id").text().not_null())
                    .col(ColumnDef::new("action").text().not_null())
                    .col(ColumnDef::new("actor").text().not_null())
                    .col(ColumnDef::new("api_key_id").text())
                    .col(ColumnDef::new("target").text())
                    .col(ColumnDef::new("address").text())
                    .col(ColumnDef::new("request_id").text())
                    .col(ColumnDef::new("occurred_at").timestamp_with_time_zone().not_null())
                    .primary_key(Index::create().col("account_id").col("id"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("audit_events", "account_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("audit_events_occurred_at")
                    .table("audit_events")
                    .col("occurred_at")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("audit_events").to_owned()).await
    }
}
