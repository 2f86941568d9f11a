//! Requests as the number of people grows, with 1,000 memories each, on SQLite; under caches of three sizes.

use std::ops::Range;

use crate::Options;
use crate::rounds::{gets, lists, searches, stores, warm_up, who_am_i};
use crate::support::installation::{Installation, Server};

const MEMORIES_EACH: usize = 1_000;
/// People that the hot requests are about: those that came first.
const HOT: Range<usize> = 0..10;
const CONNECTIONS: usize = 2;
const STREAMS_PER_CONNECTION: usize = 4;
const COLUMNS: [&str; 6] = [
    "WhoAmI",
    "GetMemory, all",
    "ListMemories, all",
    "search, hot",
    "store, hot",
    "search, all",
];

pub async fn measure(options: &Options) {
    let large = options.large_cache_mb.to_string();
    let caches = [
        ("the default cache of 512 MiB", "512"),
        ("a large cache", large.as_str()),
        ("a cache too small for one person: each search loads an index", "1"),
    ];
    let levels = std::iter::successors(Some(HOT.end), |people| Some(people * 10));
    let levels: Vec<usize> = levels.take_while(|people| *people <= options.persons).collect();

    let installation = Installation::on_sqlite();
    let mut first_rows = [None; 3];
    let mut tables: [Vec<String>; 3] = Default::default();
    let mut imported = 0;
    for people in levels {
        installation.import(imported..people, MEMORIES_EACH);
        imported = people;
        for (cache, (_, mebibytes)) in caches.iter().enumerate() {
            let server = installation.start(&[("MEMSYNC_INDEX__MEMORY_MB", mebibytes)]);
            let row = per_second(options, &server, people).await;
            let first = first_rows[cache].get_or_insert(row);
            let cells = row
                .iter()
                .zip(first)
                .map(|(now, first)| format!(" {now:.0} ({:.2}) |", now / *first));
            tables[cache].push(format!("| {people} |{}", cells.collect::<String>()));
        }
    }
    println!(
        "\nRequests a second of {} clients; in brackets, as a ratio to the first row.",
        CONNECTIONS * STREAMS_PER_CONNECTION
    );
    println!(
        "All: a person picked at random each time. Hot: one of the same {}.",
        HOT.end
    );
    for ((name, mebibytes), rows) in caches.iter().zip(tables) {
        println!("\nWith {name} (MEMSYNC_INDEX__MEMORY_MB={mebibytes}):");
        println!(
            "| people | {} |\n|{}",
            COLUMNS.join(" | "),
            " --- |".repeat(COLUMNS.len() + 1)
        );
        rows.iter().for_each(|row| println!("{row}"));
    }
}

/// Requests a second, by column.
async fn per_second(options: &Options, server: &Server, people: usize) -> [f64; COLUMNS.len()] {
    let callers = server.callers(CONNECTIONS, STREAMS_PER_CONNECTION).await;
    who_am_i(&callers, options.round / 4).await;
    warm_up(&callers[0], HOT).await;
    let without_index = [
        who_am_i(&callers, options.round).await,
        gets(&callers, options.round, 0..people, MEMORIES_EACH).await,
        lists(&callers, options.round, 0..people).await,
    ];
    let hot_searches = searches(&callers, options.round, HOT, MEMORIES_EACH).await;
    let hot_stores = stores(&callers, options.round, HOT).await;
    warm_up(&callers[0], 0..people).await;
    let all_searches = searches(&callers, options.round, 0..people, MEMORIES_EACH).await;
    let [who_am_i, gets, lists] = without_index;
    [who_am_i, gets, lists, hot_searches, hot_stores, all_searches].map(|round| round.per_second)
}
