//! Requests as the number of people grows, with 1,000 memories each, on SQLite; under the default cache and a large one.

use std::ops::Range;

use crate::Options;
use crate::rounds::{first_searches, gets, lists, searches, stores, who_am_i};
use crate::support::figures::percentile_ms;
use crate::support::installation::{Installation, Server};

const DEFAULT_CACHE_MB: usize = 512;
const MEMORIES_EACH: usize = 1_000;
/// People that the hot requests are about: those that came first.
const HOT: Range<usize> = 0..10;
const CONNECTIONS: usize = 2;
const STREAMS_PER_CONNECTION: usize = 4;
/// People whose first search is timed, at most.
const FIRST_SEARCHES: usize = 100;
const COLUMNS: [&str; 7] = [
    "WhoAmI",
    "GetMemory, all",
    "ListMemories, all",
    "search, hot",
    "store, hot",
    "search, all",
    "first search, ms",
];

pub async fn measure(options: &Options) {
    let clients = CONNECTIONS * STREAMS_PER_CONNECTION;
    println!("\nRequests a second of {clients} clients; in brackets, as a ratio to the first row of the same cache.");
    println!(
        "All: a person picked at random each time. Hot: one of the same {}.",
        HOT.end
    );
    println!("First search: of one client, each of a person whose index is not in memory yet; median.");
    println!("| cache, MiB | people | {} |", COLUMNS.join(" | "));
    println!("|{}", " --- |".repeat(COLUMNS.len() + 2));

    let caches_mb = [DEFAULT_CACHE_MB, options.large_cache_mb];
    let mut first_rows = [None; 2];
    let levels = std::iter::successors(Some(HOT.end), |people| Some(people * 10));
    let installation = Installation::on_sqlite();
    let mut imported = 0;
    for people in levels.take_while(|people| *people <= options.persons) {
        installation.import(imported..people, MEMORIES_EACH);
        imported = people;
        for (cache_mb, first_row) in caches_mb.iter().zip(&mut first_rows) {
            let server = installation.start(&[("MEMSYNC_INDEX__MEMORY_MB", &cache_mb.to_string())]);
            let row = row(options, &server, people).await;
            let ratios = row
                .iter()
                .zip(first_row.get_or_insert(row))
                .map(|(now, first)| now / *first);
            let cells: String = row
                .iter()
                .zip(ratios)
                .map(|(now, ratio)| format!(" {now:.0} ({ratio:.2}) |"))
                .collect();
            println!("| {cache_mb} | {people} |{cells}");
        }
    }
}

/// Figures by column.
async fn row(options: &Options, server: &Server, people: usize) -> [f64; COLUMNS.len()] {
    let callers = server.callers(CONNECTIONS, STREAMS_PER_CONNECTION).await;
    who_am_i(&callers, options.round / 4).await;
    let sample = (0..people).step_by(people.div_ceil(FIRST_SEARCHES));
    let mut first_searches_took = first_searches(&callers[0], sample).await;
    let who_am_i = who_am_i(&callers, options.round).await;
    let gets = gets(&callers, options.round, 0..people, MEMORIES_EACH).await;
    let lists = lists(&callers, options.round, 0..people).await;
    first_searches(&callers[0], HOT).await;
    let hot_searches = searches(&callers, options.round, HOT, MEMORIES_EACH).await;
    let hot_stores = stores(&callers, options.round, HOT).await;
    // Into memory, as far as there is room.
    first_searches(&callers[0], 0..people).await;
    let all_searches = searches(&callers, options.round, 0..people, MEMORIES_EACH).await;
    [
        who_am_i.per_second,
        gets.per_second,
        lists.per_second,
        hot_searches.per_second,
        hot_stores.per_second,
        all_searches.per_second,
        percentile_ms(&mut first_searches_took, 50),
    ]
}
