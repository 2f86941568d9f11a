//! Which people have candidates for their searches kept in the database. The tables with the candidates are made by the
//! program that uses them, where PostgreSQL has the extension `vector`.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

const COLUMNS: [&str; 2] = ["candidate_model", "candidates_since"];

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for mut column in [
            ColumnDef::new(COLUMNS[0]).text().to_owned(),
            ColumnDef::new(COLUMNS[1]).timestamp_with_time_zone().to_owned(),
        ] {
            manager
                .alter_table(Table::alter().table("persons").add_column(&mut column).to_owned())
                .await?;
        }
        let create = "CREATE INDEX persons_without_candidates ON persons (candidate_model) \
                      WHERE candidate_model IS NOT NULL AND candidates_since IS NULL";
        manager.get_connection().execute_unprepared(create).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            let drop = "DO $$ DECLARE candidates regclass; BEGIN \
                        FOR candidates IN SELECT oid FROM pg_class WHERE relkind = 'p' AND relname ~ '^candidates_[0-9]+$' \
                            AND relnamespace = current_schema()::regnamespace \
                        LOOP EXECUTE 'DROP TABLE ' || candidates; END LOOP; END $$";
            manager.get_connection().execute_unprepared(drop).await?;
        }
        let drop = Index::drop()
            .name("persons_without_candidates")
            .table("persons")
            .to_owned();
        manager.drop_index(drop).await?;
        for column in COLUMNS {
            manager
                .alter_table(Table::alter().table("persons").drop_column(column).to_owned())
                .await?;
        }
        Ok(())
    }
}
