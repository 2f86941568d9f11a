//! What a memory took the place of is looked for among those that were replaced; the index over all of them drew lists
//! of one person's current memories to every current memory of the account.

use sea_orm_migration::prelude::*;

const INDEX: &str = "memories_superseded_by";

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

async fn replace(manager: &SchemaManager<'_>, condition: &str) -> Result<(), DbErr> {
    let drop = Index::drop().name(INDEX).table("memories").to_owned();
    manager.drop_index(drop).await?;
    let create = format!("CREATE INDEX {INDEX} ON memories (account_id, superseded_by) {condition}");
    manager.get_connection().execute_unprepared(&create).await?;
    Ok(())
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        replace(manager, "WHERE superseded_by IS NOT NULL").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        replace(manager, "").await
    }
}
