//! Memories in their current version, and the versions before it.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("memories")
                    .col(ColumnDef::new("account_id").text().not_null())
                    .col(ColumnDef::new("id").text().not_null())
                    .col(ColumnDef::new("person_id").text().not_null())
                    // The person's revision when this row last changed: what an index must read again.
                    .col(ColumnDef::new("revision").big_integer().not_null())
                    .col(ColumnDef::new("version").big_integer().not_null())
                    .col(ColumnDef::new("text").text().not_null())
                    .col(ColumnDef::new("memory_type").text().not_null())
                    .col(ColumnDef::new("categories").text().not_null())
                    .col(ColumnDef::new("category_bits").integer().not_null())
                    .col(ColumnDef::new("importance").double().not_null())
                    .col(ColumnDef::new("reinforced").integer().not_null())
                    .col(ColumnDef::new("source").text().not_null())
                    .col(ColumnDef::new("agent_id").text().not_null())
                    .col(ColumnDef::new("thread_id").text().not_null())
                    .col(ColumnDef::new("metadata").json())
                    .col(ColumnDef::new("event_time").timestamp_with_time_zone())
                    // The words that it was taken from: [{message_id, position, quote}].
                    .col(ColumnDef::new("sources").json().not_null())
                    .col(ColumnDef::new("context").text())
                    .col(ColumnDef::new("operation").text().not_null())
                    .col(ColumnDef::new("changed_by").text().not_null())
                    .col(ColumnDef::new("superseded_by").text())
                    .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
                    .col(ColumnDef::new("updated_at").timestamp_with_time_zone().not_null())
                    .primary_key(Index::create().col("account_id").col("id"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("memories", ("account_id", "person_id"))
                            .to("persons", ("account_id", "id"))
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        for (name, column) in [("memories_revision", "revision"), ("memories_created_at", "created_at")] {
            manager
                .create_index(
                    Index::create()
                        .name(name)
                        .table("memories")
                        .col("account_id")
                        .col("person_id")
                        .col(column)
                        .to_owned(),
                )
                .await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("memory_versions")
                    .col(ColumnDef::new("account_id").text().not_null())
                    .col(ColumnDef::new("memory_id").text().not_null())
                    .col(ColumnDef::new("version").big_integer().not_null())
                    .col(ColumnDef::new("text").text().not_null())
                    .col(ColumnDef::new("memory_type").text().not_null())
                    .col(ColumnDef::new("categories").text().not_null())
                    .col(ColumnDef::new("operation").text().not_null())
                    .col(ColumnDef::new("changed_by").text().not_null())
                    .col(ColumnDef::new("changed_at").timestamp_with_time_zone().not_null())
                    .primary_key(Index::create().col("account_id").col("memory_id").col("version"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("memory_versions", ("account_id", "memory_id"))
                            .to("memories", ("account_id", "id"))
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("memory_versions").to_owned())
            .await?;
        manager.drop_table(Table::drop().table("memories").to_owned()).await
    }
}
