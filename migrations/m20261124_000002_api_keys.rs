//! API keys: only a hash and a hint of each.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("api_keys")
                    .col(ColumnDef::new("id").text().not_null().primary_key())
                    .col(ColumnDef::new("account_id").text().not_null())
                    .col(ColumnDef::new("name").text().not_null())
                    .col(ColumnDef::new("key_hash").blob().not_null().unique_key())
                    .col(ColumnDef::new("key_hint").text().not_null())
                    .col(ColumnDef::new("scopes").text().not_null())
                    .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
                    .col(ColumnDef::new("expires_at").timestamp_with_time_zone())
                    .col(ColumnDef::new("revoked_at").timestamp_with_time_zone())
                    .foreign_key(
                        ForeignKey::create()
                            .from("api_keys", "account_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("api_keys_account")
                    .table("api_keys")
                    .col("account_id")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("api_keys").to_owned()).await
    }
}
