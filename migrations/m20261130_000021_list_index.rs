//! The newest memories of a person, and how many are current, are answered by an index alone: before, every row of the
//! person was read for each page of a list.

use sea_orm_migration::prelude::*;

const NARROW: &str = "memories_created_at";
const WIDE: &str = "memories_listed";

pub(super) struct Migration;

impl MigrationName for Migration {
    // Databases know it by the name that it had before two migrations of one number were told apart.
    fn name(&self) -> &'static str {
        "m20261130_000020_list_index"
    }
}

async fn replace(manager: &SchemaManager<'_>, old: &str, new: &str, columns: &[&'static str]) -> Result<(), DbErr> {
    // It may have been made beforehand, beside running servers: `docs/OPERATIONS.md`.
    let mut create = Index::create().if_not_exists().name(new).table("memories").to_owned();
    for column in columns {
        create.col(*column);
    }
    manager.create_index(create).await?;
    manager
        .drop_index(Index::drop().name(old).table("memories").to_owned())
        .await
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            "account_id",
            "person_id",
            "created_at",
            "id",
            "superseded_by",
            "expires_at",
        ];
        replace(manager, NARROW, WIDE, &columns).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        replace(manager, WIDE, NARROW, &["account_id", "person_id", "created_at"]).await
    }
}
