//! How an account was made, and the links by which one without a password gets an owner who can sign in.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut users = Table::alter().table("users").to_owned();
        users.add_column(ColumnDef::new("made_by").text());
        manager.alter_table(users).await?;
        // The one account that a program knew by its address until now.
        let first = "UPDATE users SET made_by = 'first_start' \
                     WHERE email = 'local@memsync.dev' AND id = (SELECT min(id) FROM users)";
        manager.get_connection().execute_unprepared(first).await?;
        manager
            .create_table(
                Table::create()
                    .table("setup_links")
                    .col(ColumnDef::new("account_id").text().not_null().primary_key())
                    .col(ColumnDef::new("token_hash").blob().not_null())
                    .col(ColumnDef::new("expires_at").timestamp_with_time_zone().not_null())
                    .foreign_key(
                        ForeignKey::create()
                            .from("setup_links", "account_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("setup_links").to_owned())
            .await?;
        let mut users = Table::alter().table("users").to_owned();
        users.drop_column("made_by");
        manager.alter_table(users).await
    }
}
