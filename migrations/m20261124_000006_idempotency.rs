//! The first answer to each request that carried an idempotency key.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("idempotency_records")
                    .col(ColumnDef::new("account_id").text().not_null())
                    .col(ColumnDef::new("key").text().not_null())
                    .col(ColumnDef::new("request_hash").blob().not_null())
                    // Ids of the stored memories and what was done to each: the answer is read again from them.
                    .col(ColumnDef::new("outcome").json().not_null())
                    .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
                    .primary_key(Index::create().col("account_id").col("key"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("idempotency_records", "account_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("idempotency_records_created_at")
                    .table("idempotency_records")
                    .col("created_at")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("idempotency_records").to_owned())
            .await
    }
}
