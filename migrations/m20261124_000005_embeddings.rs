//! The vectors of memories, each beside the name of the model that made it.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("embeddings")
                    .col(ColumnDef::new("account_id").text().not_null())
                    .col(ColumnDef::new("memory_id").text().not_null())
                    .col(ColumnDef::new("model").text().not_null())
                    // 32-bit floats, little-endian.
                    .col(ColumnDef::new("vector").blob().not_null())
                    .primary_key(Index::create().col("account_id").col("memory_id").col("model"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("embeddings", ("account_id", "memory_id"))
                            .to("memories", ("account_id", "id"))
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("embeddings").to_owned()).await
    }
}
