//! Biographies: the current one with its settings, and earlier ones.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("profiles")
                    .col(ColumnDef::new("account_id").text().not_null())
                    .col(ColumnDef::new("person_id").text().not_null())
                    // Sentences and figures; absent where it is to be written.
                    .col(ColumnDef::new("bio").json())
                    // Ids of the memories behind it.
                    .col(ColumnDef::new("sources").json().not_null())
                    .col(ColumnDef::new("is_manual").boolean().not_null())
                    .col(ColumnDef::new("settings").json().not_null())
                    // Memories that it was made of.
                    .col(ColumnDef::new("memory_count").big_integer().not_null())
                    .col(ColumnDef::new("version").big_integer().not_null())
                    .col(ColumnDef::new("generated_at").timestamp_with_time_zone())
                    .col(ColumnDef::new("refreshed_at").timestamp_with_time_zone())
                    // When it is to be written anew.
                    .col(ColumnDef::new("due_at").timestamp_with_time_zone())
                    .col(ColumnDef::new("updated_at").timestamp_with_time_zone().not_null())
                    .primary_key(Index::create().col("account_id").col("person_id"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("profiles", ("account_id", "person_id"))
                            .to("persons", ("account_id", "id"))
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("profiles_due")
                    .table("profiles")
                    .col("due_at")
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("bio_versions")
                    .col(ColumnDef::new("account_id").text().not_null())
                    .col(ColumnDef::new("person_id").text().not_null())
                    .col(ColumnDef::new("version").big_integer().not_null())
                    .col(ColumnDef::new("bio").text().not_null())
                    .col(ColumnDef::new("sources").json().not_null())
                    .col(ColumnDef::new("reason").text().not_null())
                    .col(ColumnDef::new("changed_at").timestamp_with_time_zone().not_null())
                    .primary_key(Index::create().col("account_id").col("person_id").col("version"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("bio_versions", ("account_id", "person_id"))
                            .to("persons", ("account_id", "id"))
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["bio_versions", "profiles"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}
