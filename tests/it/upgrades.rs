//! Instances are replaced one by one, so the program of every earlier version goes on on the newest schema.
//!
//! `upgrades/VERSION.sql` is what the program of that version asks of PostgreSQL, and `upgrades/VERSION.tsv` the schema
//! that it knew. `MEMSYNC_WRITE_QUERIES=1 cargo nextest run upgrades` writes those of this version.

mod everything;
mod queries;
mod schema;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use tempfile::TempDir;

use self::queries::{bound_types, for_sqlite, inserted_columns, with_lists_of};
use self::schema::{Schema, changes_that_break};
use crate::process::memsync;
use crate::support::Postgres;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The files of one ending, by version.
fn files(ending: &str) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(place()).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.extension().is_some_and(|found| found == ending));
    let read = |path: PathBuf| {
        let version = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (version, std::fs::read_to_string(path).unwrap())
    };
    let files: Vec<_> = files.map(read).collect();
    assert!(!files.is_empty(), "no {ending} in {}", place().display());
    files
}

fn place() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/upgrades")
}

/// Holds what this version's file says against what is the case, or writes it.
#[track_caller]
fn is_written(ending: &str, lines: &BTreeSet<String>) {
    let path = place().join(format!("{VERSION}.{ending}"));
    if std::env::var_os("MEMSYNC_WRITE_QUERIES").is_some() {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(&path, text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let written: BTreeSet<String> = written.lines().map(str::to_owned).collect();
    let missing: Vec<_> = lines.difference(&written).collect();
    let surplus: Vec<_> = written.difference(lines).collect();
    assert!(
        missing.is_empty() && surplus.is_empty(),
        "{} is not what this program asks; MEMSYNC_WRITE_QUERIES=1 writes it anew\nmissing: {missing:#?}\nsurplus: {surplus:#?}",
        path.display()
    );
}

/// A PostgreSQL with the newest schema.
fn newest() -> Postgres {
    let (postgres, place) = (Postgres::start(), tempfile::tempdir().unwrap());
    let url = postgres.url();
    memsync(place.path(), &[("MEMSYNC_DATABASE__URL", &url)], &["migrate", "up"]).expect_success("migrate up");
    postgres
}

/// A SQLite database with the newest schema, and where it lies.
async fn newest_sqlite() -> (DatabaseConnection, TempDir) {
    let place = tempfile::tempdir().unwrap();
    memsync(place.path(), &[], &["migrate", "up"]).expect_success("migrate up");
    let file = format!("sqlite://{}", place.path().join("memsync.db").display());
    (Database::connect(file).await.unwrap(), place)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_this_version_asks_is_written_down() {
    is_written("sql", &queries::asked_by(everything::is_done).await);
}

#[test]
fn the_schema_that_this_version_knows_is_written_down() {
    is_written("tsv", &Schema::of(&newest()).lines());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_earlier_versions_ask_runs_on_the_newest_schema_of_postgresql() {
    let postgres = newest();
    let schema = Schema::of(&postgres);
    let mut options = ConnectOptions::new(postgres.url());
    // What is prepared belongs to its connection.
    options.max_connections(1);
    let database = Database::connect(options).await.unwrap();
    for (version, statements) in files("sql") {
        for statement in statements.lines() {
            let prepare = format!("PREPARE asked {} AS {statement}", bound_types(statement));
            let prepared = database.execute_unprepared(&prepare).await;
            prepared.unwrap_or_else(|fault| panic!("{version}: {fault}\n{statement}"));
            database.execute_unprepared("DEALLOCATE asked").await.unwrap();
            if let Some((table, columns)) = inserted_columns(statement) {
                let absent: Vec<_> = schema
                    .needed(&table)
                    .filter(|needed| !columns.contains(needed))
                    .collect();
                assert!(absent.is_empty(), "{version}: {table} needs {absent:?}\n{statement}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_earlier_versions_ask_runs_on_the_newest_schema_of_sqlite() {
    let (database, _place) = newest_sqlite().await;
    for (version, statements) in files("sql") {
        for statement in statements.lines().filter_map(for_sqlite) {
            let explained = database.execute_unprepared(&format!("EXPLAIN {statement}")).await;
            explained.unwrap_or_else(|fault| panic!("{version}: {fault}\n{statement}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_names_many_ids_does_not_read_everything_of_the_account_on_sqlite() {
    let (database, _place) = newest_sqlite().await;
    let mut looked_at = 0;
    for (_, statements) in files("sql") {
        let statements = statements.lines().filter_map(for_sqlite);
        for statement in statements.filter_map(|statement| with_lists_of(1_000, &statement)) {
            looked_at += 1;
            for step in plan(&database, &statement).await {
                let reads_everything = step.starts_with("SCAN ") || step.ends_with("(account_id=?)");
                assert!(!reads_everything, "{step}\n{statement}");
            }
        }
    }
    assert!(looked_at > 5, "{looked_at}");
}

#[test]
fn an_index_that_was_made_beside_running_servers_is_taken_as_it_is() {
    let (postgres, place) = (newest(), tempfile::tempdir().unwrap());
    let before = [
        "DROP INDEX memories_listed",
        "CREATE INDEX memories_created_at ON memories (account_id, person_id, created_at)",
        "DELETE FROM seaql_migrations WHERE version = 'm20261130_000020_list_index'",
    ];
    for statement in before {
        postgres.sql(statement);
    }
    let operations = include_str!("../../docs/OPERATIONS.md");
    let (_, from) = operations.split_once("```sql\n").unwrap();
    let (statement, _) = from.split_once("```").unwrap();
    postgres.sql(statement);
    let named = |name| postgres.sql(&format!("SELECT oid FROM pg_class WHERE relname = '{name}'"));
    let made = named("memories_listed");
    assert_ne!(made, "");
    memsync(
        place.path(),
        &[("MEMSYNC_DATABASE__URL", &postgres.url())],
        &["migrate", "up"],
    )
    .expect_success("migrate up");
    assert_eq!(
        [named("memories_listed"), named("memories_created_at")],
        [made, String::new()]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_counted_and_sorted_by_an_index_alone_on_sqlite() {
    let (database, _place) = newest_sqlite().await;
    let of_current = "FROM \"memories\" WHERE \"memories\".\"account_id\" = $1 AND \"memories\".\"person_id\" = $2 \
        AND (\"memories\".\"expires_at\" IS NULL OR \"memories\".\"expires_at\" > $3) \
        AND \"memories\".\"superseded_by\" IS NULL";
    let newest = format!("{of_current} ORDER BY \"memories\".\"created_at\" DESC, \"memories\".\"id\" DESC LIMIT");
    let counted = format!("{of_current}) AS");
    let (_, statements) = files("sql").pop().unwrap();
    let mut plans = Vec::new();
    for asked in [counted, newest] {
        let statement = statements.lines().find(|statement| statement.contains(&asked));
        plans.push(plan(&database, statement.unwrap()).await);
    }
    let counted = "SEARCH memories USING COVERING INDEX memories_listed (account_id=? AND person_id=?)";
    let newest = "SEARCH memories USING INDEX memories_listed (account_id=? AND person_id=?)";
    assert_eq!(plans, [[counted], [newest]]);
}

async fn plan(database: &DatabaseConnection, statement: &str) -> Vec<String> {
    let explain = Statement::from_string(DbBackend::Sqlite, format!("EXPLAIN QUERY PLAN {statement}"));
    let steps = database.query_all_raw(explain).await.unwrap();
    steps.iter().map(|step| step.try_get("", "detail").unwrap()).collect()
}

#[test]
fn the_schema_has_only_grown_since_every_earlier_version() {
    let newest = Schema::of(&newest());
    for (version, earlier) in files("tsv") {
        let broken = changes_that_break(&Schema::read(&earlier), &newest);
        assert!(
            broken.is_empty(),
            "programs of {version} can't go on:\n{}",
            broken.join("\n")
        );
    }
}
