//! The persons of an account, and how far each of their conversations has come.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("persons")
                    .col(ColumnDef::new("account_id").text().not_null())
                    .col(ColumnDef::new("id").text().not_null())
                    .col(ColumnDef::new("user_id").text().not_null())
                    .col(ColumnDef::new("revision").big_integer().not_null())
                    .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
                    .primary_key(Index::create().col("account_id").col("id"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("persons", "account_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("persons_user_id")
                    .table("persons")
                    .col("account_id")
                    .col("user_id")
                    .unique()
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("conversations")
                    .col(ColumnDef::new("account_id").text().not_null())
                    .col(ColumnDef::new("person_id").text().not_null())
                    .col(ColumnDef::new("thread_id").text().not_null())
                    .col(ColumnDef::new("next_position").big_integer().not_null())
                    .primary_key(Index::create().col("account_id").col("person_id").col("thread_id"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("conversations", ("account_id", "person_id"))
                            .to("persons", ("account_id", "id"))
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("conversations").to_owned())
            .await?;
        manager.drop_table(Table::drop().table("persons").to_owned()).await
    }
}
