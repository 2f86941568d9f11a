//! What a program asks of PostgreSQL, as its server logs it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use tempfile::TempDir;

use crate::process::memsync;
use crate::support::{Postgres, TestDatabase};

/// Everything asked of the database while `work` is done in this directory, each statement once.
pub async fn asked_by(work: impl AsyncFnOnce(TestDatabase, TempDir)) -> BTreeSet<String> {
    let settings = [
        "fsync=off",
        "full_page_writes=off",
        "max_connections=200",
        "log_line_prefix=@@%a@",
    ];
    let postgres = Postgres::start_with(&settings);
    let (database, directory) = (TestDatabase::create_on(postgres.url()), tempfile::tempdir().unwrap());
    let url = database.url(directory.path());
    let migrated = memsync(directory.path(), &[("MEMSYNC_DATABASE__URL", &url)], &["migrate", "up"]);
    migrated.expect_success("migrate up");
    postgres.sql("ALTER SYSTEM SET log_statement = 'all'");
    postgres.stop();
    let before = postgres.log().len();
    postgres.resume();
    work(database, directory).await;
    statements(&postgres.log()[before..])
}

/// The statements in a log that the program sent, and that read or change its tables.
fn statements(log: &str) -> BTreeSet<String> {
    let of_program = log
        .split("@@")
        .filter_map(|record| record.strip_prefix("memsync@LOG:  "));
    let statements = of_program.filter_map(|message| {
        let (how, statement) = message.split_once(": ")?;
        (how == "statement" || how.starts_with("execute ")).then(|| statement.trim().replace("\n\t", " "))
    });
    let is_query = |statement: &String| {
        let verbs = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "];
        let foreign = ["seaql_migrations", "information_schema", "pg_", "to_regclass"];
        verbs.iter().any(|verb| statement.starts_with(verb))
            && statement != "SELECT 1"
            && !foreign.iter().any(|name| statement.contains(name))
    };
    statements
        .filter(is_query)
        .map(|statement| one_form(&statement))
        .collect()
}

/// One form for statements that differ in how many values they bind.
fn one_form(statement: &str) -> String {
    static LIST: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"IN \((\$\d+)(?:, \$\d+)+\)").unwrap());
    static ROWS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"VALUES (\((?:[^()]|\([^()]*\))*\))(?:, \((?:[^()]|\([^()]*\))*\))+").unwrap());
    static BOUND: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\$(\d+)").unwrap());
    let statement = LIST.replace_all(statement, "IN ($1)");
    let statement = ROWS.replace_all(&statement, "VALUES $1");
    let mut numbers: Vec<String> = Vec::new();
    let numbered = BOUND.replace_all(&statement, |found: &regex::Captures<'_>| {
        let number = numbers.iter().position(|known| *known == found[1]).unwrap_or_else(|| {
            numbers.push(found[1].to_owned());
            numbers.len() - 1
        });
        format!("${}", number + 1)
    });
    numbered.into_owned()
}

/// The table and the columns of an INSERT.
pub fn inserted_columns(statement: &str) -> Option<(String, Vec<&str>)> {
    let (table, rest) = statement.strip_prefix("INSERT INTO \"")?.split_once("\" (")?;
    let columns = rest
        .split_once(')')?
        .0
        .split(", ")
        .map(|column| column.trim_matches('"'));
    Some((table.to_owned(), columns.collect()))
}

/// The statement without what only PostgreSQL has; none where SQLite is not asked it.
pub fn for_sqlite(statement: &str) -> Option<String> {
    let plain = || {
        statement
            .replace(" FOR NO KEY UPDATE", "")
            .replace(" FOR UPDATE SKIP LOCKED", "")
            .replace(" FOR UPDATE", "")
    };
    (!counts_requests(statement)).then(plain)
}

/// The statement with so many values in each of its lists; none where it has no list.
pub fn with_lists_of(values: usize, statement: &str) -> Option<String> {
    static LIST: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"IN \((\$\d+)\)").unwrap());
    let list = |found: &regex::Captures<'_>| format!("IN ({})", vec![&found[1]; values].join(", "));
    LIST.is_match(statement)
        .then(|| LIST.replace_all(statement, list).into_owned())
}

/// The types that a program binds values as, where the statement alone does not tell them.
pub fn bound_types(statement: &str) -> &'static str {
    match counts_requests(statement) {
        true => "(text, text, bigint, bigint, bigint)",
        false => "",
    }
}

fn counts_requests(statement: &str) -> bool {
    statement.contains(" INSERT INTO rate_limits ")
}

#[test]
fn statements_are_told_apart_by_what_they_ask_and_not_by_how_many_values_they_bind() {
    let log = "@@memsync@LOG:  execute sqlx_s_1: SELECT \"a\" FROM \"t\" WHERE \"a\" = $1 AND \"b\" IN ($2, $3)\n\
        @@memsync@DETAIL:  parameters: $1 = 'x'\n\
        @@memsync@LOG:  execute sqlx_s_2: SELECT \"a\" FROM \"t\"\n\tWHERE \"a\" = $1 AND \"b\" IN ($2, $3, $4)\n\
        @@memsync@LOG:  execute sqlx_s_3: INSERT INTO \"t\" (\"a\", \"b\") VALUES ($1, CAST($2 AS text)), ($3, \
        CAST($4 AS text)) ON CONFLICT (\"a\") DO UPDATE SET \"b\" = $5\n\
        @@memsync@LOG:  statement: BEGIN\n\
        @@psql@LOG:  statement: SELECT \"a\" FROM \"t\"\n";
    let insert = "INSERT INTO \"t\" (\"a\", \"b\") VALUES ($1, CAST($2 AS text)) ON CONFLICT (\"a\") DO UPDATE SET \
        \"b\" = $3";
    let select = "SELECT \"a\" FROM \"t\" WHERE \"a\" = $1 AND \"b\" IN ($2)";
    assert_eq!(statements(log), BTreeSet::from([insert.to_owned(), select.to_owned()]));
    assert_eq!(inserted_columns(insert), Some(("t".to_owned(), vec!["a", "b"])));
    assert_eq!(inserted_columns(select), None);
}
