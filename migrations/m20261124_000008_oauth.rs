//! Programs that act for people, and the codes that they are given for a moment.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("oauth_clients")
                    .col(ColumnDef::new("id").text().not_null().primary_key())
                    .col(ColumnDef::new("account_id").text().not_null())
                    .col(ColumnDef::new("name").text().not_null())
                    .col(ColumnDef::new("secret_hash").blob().not_null())
                    .col(ColumnDef::new("is_public").boolean().not_null())
                    .col(ColumnDef::new("redirect_uris").json().not_null())
                    .col(ColumnDef::new("scopes").text().not_null())
                    .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
                    .foreign_key(
                        ForeignKey::create()
                            .from("oauth_clients", "account_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("oauth_clients_account")
                    .table("oauth_clients")
                    .col("account_id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("oauth_codes")
                    .col(ColumnDef::new("code_hash").blob().not_null().primary_key())
                    .col(ColumnDef::new("client_id").text().not_null())
                    .col(ColumnDef::new("account_id").text().not_null())
                    .col(ColumnDef::new("redirect_uri").text().not_null())
                    .col(ColumnDef::new("scopes").text().not_null())
                    .col(ColumnDef::new("code_challenge").text().not_null())
                    .col(ColumnDef::new("expires_at").timestamp_with_time_zone().not_null())
                    .col(ColumnDef::new("session_id").text())
                    .foreign_key(
                        ForeignKey::create()
                            .from("oauth_codes", "client_id")
                            .to("oauth_clients", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("oauth_codes", "account_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("oauth_codes").to_owned())
            .await?;
        manager
            .drop_table(Table::drop().table("oauth_clients").to_owned())
            .await
    }
}
