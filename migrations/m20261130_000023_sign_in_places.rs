//! The places that people of an account signed in from.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("sign_in_places")
                    .col(ColumnDef::new("account_id").text().not_null())
                    .col(ColumnDef::new("place").text().not_null())
                    .col(ColumnDef::new("seen_at").timestamp_with_time_zone().not_null())
                    .primary_key(Index::create().col("account_id").col("place"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("sign_in_places", "account_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("sign_in_places").to_owned())
            .await
    }
}
