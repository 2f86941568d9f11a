//! How much each key used, by the hour and the RPC.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("usage_hours")
                    .col(ColumnDef::new("account_id").text().not_null())
                    .col(ColumnDef::new("api_key_id").text().not_null())
                    .col(ColumnDef::new("hour").timestamp_with_time_zone().not_null())
                    .col(ColumnDef::new("endpoint").text().not_null())
                    .col(ColumnDef::new("requests").big_integer().not_null())
                    .col(ColumnDef::new("errors").big_integer().not_null())
                    .col(ColumnDef::new("memories_created").big_integer().not_null())
                    .col(ColumnDef::new("searches").big_integer().not_null())
                    .col(ColumnDef::new("latency").json().not_null())
                    .primary_key(
                        Index::create()
                            .col("account_id")
                            .col("api_key_id")
                            .col("hour")
                            .col("endpoint"),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("usage_hours", "account_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("usage_hours_hour")
                    .table("usage_hours")
                    .col("hour")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("usage_hours").to_owned()).await
    }
}
