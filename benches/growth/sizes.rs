//! Searches and stores as a person's memories and the clients grow, on SQLite and on PostgreSQL.

use std::ops::Range;

use crate::Options;
use crate::rounds::{first_searches, searches, stores};
use crate::support::callers::Round;
use crate::support::installation::Installation;
use crate::support::postgres::{Postgres, find_binaries};

/// Connections and streams on each.
const CLIENTS: [(usize, usize); 3] = [(1, 1), (4, 2), (8, 8)];
/// Holds everybody.
const CACHE: (&str, &str) = ("MEMSYNC_INDEX__MEMORY_MB", "65536");

pub async fn measure(options: &Options) {
    on("SQLite", options, Installation::on_sqlite).await;
    if find_binaries().is_none() {
        println!("no PostgreSQL found: install it, or set MEMSYNC_TEST_PG_BIN to where initdb is");
        return;
    }
    let install = || Installation::on_postgres(Postgres::start_with(&[]));
    on("PostgreSQL", options, install).await;
}

async fn on(database: &str, options: &Options, install: impl FnOnce() -> Installation) {
    println!("\n{database}, {} people, every index in memory:", options.people);
    println!("| memories a person | clients | searches/s | p50 ms | p95 ms | stores/s | p50 ms | p95 ms |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    let installation = install();
    let mut people = 0..0;
    for &memories_each in &options.sizes {
        // Others of the next size, in the same database.
        people = people.end..people.end + options.people;
        installation.import(people.clone(), memories_each);
        row_for_each_number_of_clients(options, &installation, people.clone(), memories_each).await;
    }
}

async fn row_for_each_number_of_clients(
    options: &Options,
    installation: &Installation,
    people: Range<usize>,
    memories_each: usize,
) {
    let server = installation.start(&[CACHE]);
    first_searches(&server.grpc().await, people.clone()).await;
    for (connections, streams) in CLIENTS {
        let callers = server.callers(connections, streams).await;
        let searches = searches(&callers, options.round, people.clone(), memories_each).await;
        let stores = stores(&callers, options.round, people.clone()).await;
        println!(
            "| {memories_each} | {} | {} | {} |",
            callers.len(),
            cells(&searches),
            cells(&stores)
        );
    }
}

fn cells(round: &Round) -> String {
    format!("{:.0} | {:.2} | {:.2}", round.per_second, round.p50_ms, round.p95_ms)
}
