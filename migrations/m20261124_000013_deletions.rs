//! Deleted memories: that they are gone, for indexes to follow; and, for a while, an encrypted backup under a key of the
//! account.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("memory_deletions")
                    .col(ColumnDef::new("account_id").text().not_null())
                    .col(ColumnDef::new("memory_id").text().not_null())
                    .col(ColumnDef::new("person_id").text().not_null())
                    .col(ColumnDef::new("revision").big_integer().not_null())
                    .primary_key(Index::create().col("account_id").col("memory_id"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("memory_deletions", ("account_id", "person_id"))
                            .to("persons", ("account_id", "id"))
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("memory_deletions_revision")
                    .table("memory_deletions")
                    .col("account_id")
                    .col("person_id")
                    .col("revision")
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("account_keys")
                    .col(ColumnDef::new("account_id").text().not_null().primary_key())
                    .col(ColumnDef::new("wrapped_key").blob().not_null())
                    .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
                    .foreign_key(
                        ForeignKey::create()
                            .from("account_keys", "account_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("backups")
                    .col(ColumnDef::new("account_id").text().not_null())
                    .col(ColumnDef::new("id").text().not_null())
                    .col(ColumnDef::new("person_id").text().not_null())
                    .col(ColumnDef::new("sealed").blob().not_null())
                    .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
                    .col(ColumnDef::new("expires_at").timestamp_with_time_zone().not_null())
                    .primary_key(Index::create().col("account_id").col("id"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("backups", ("account_id", "person_id"))
                            .to("persons", ("account_id", "id"))
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(Index::create().name("backups_id").table("backups").col("id").to_owned())
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("backups_expires_at")
                    .table("backups")
                    .col("expires_at")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("backups").to_owned()).await?;
        manager
            .drop_table(Table::drop().table("account_keys").to_owned())
            .await?;
        manager
            .drop_table(Table::drop().table("memory_deletions").to_owned())
            .await
    }
}
