//! What bounds an API key beside its scopes, and when it was last used.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite adds one column at a time.
        for column in columns() {
            manager
                .alter_table(Table::alter().table("api_keys").add_column(column).to_owned())
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in columns() {
            let name = column.get_column_name().to_owned();
            manager
                .alter_table(Table::alter().table("api_keys").drop_column(name).to_owned())
                .await?;
        }
        Ok(())
    }
}

fn columns() -> [ColumnDef; 4] {
    [
        ColumnDef::new("allowed_user_ids").json().to_owned(),
        ColumnDef::new("allowed_ips").json().to_owned(),
        ColumnDef::new("rate_limit_per_minute").integer().to_owned(),
        ColumnDef::new("last_used").timestamp_with_time_zone().to_owned(),
    ]
}
