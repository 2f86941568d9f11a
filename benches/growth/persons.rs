//! Requests as the number of people grows, with 1,000 memories each, on SQLite; under the default cache and a large one.
//!
//! Beside the growing installation stands one of ten people. Each round is done on both, one after the other, so that a
//! machine that is slower for a while is so for both.

use std::ops::Range;

use crate::Options;
use crate::rounds::{first_searches, gets, lists, searches, stores, warm_up, who_am_i};
use crate::support::callers::Round;
use crate::support::figures::{median, percentile_ms};
use crate::support::grpc::Grpc;
use crate::support::installation::{Installation, Server};

const DEFAULT_CACHE_MB: usize = 512;
const MEMORIES_EACH: usize = 1_000;
/// What the index of one person takes, about.
const INDEX_KIB: usize = 1_600;
/// People that the hot requests are about: those that came first, and all that the small installation has.
const HOT: Range<usize> = 0..10;
const CONNECTIONS: usize = 2;
const STREAMS_PER_CONNECTION: usize = 4;
/// Rounds of each kind on both sides.
const PAIRS: usize = 3;
/// People whose first search is timed.
const FIRST_SEARCHES: Range<usize> = 0..10;

#[derive(Clone, Copy)]
enum Requests {
    WhoAmI,
    GetAll,
    ListAll,
    SearchHot,
    StoreHot,
    SearchAll,
}

const COLUMNS: [(&str, Requests); 6] = [
    ("WhoAmI", Requests::WhoAmI),
    ("GetMemory, all", Requests::GetAll),
    ("ListMemories, all", Requests::ListAll),
    ("search, hot", Requests::SearchHot),
    ("store, hot", Requests::StoreHot),
    ("search, all", Requests::SearchAll),
];

/// An installation's server with so many people, and who calls it.
struct Side {
    callers: Vec<Grpc>,
    people: usize,
    _server: Server,
}

pub async fn measure(options: &Options) {
    println!(
        "\nRequests a second of {} clients, and their ratio to an installation of {} people: medians of {PAIRS} pairs of {:?}.",
        CONNECTIONS * STREAMS_PER_CONNECTION,
        HOT.end,
        options.round
    );
    println!(
        "All: a person picked at random each time. Hot: one of the same {}.",
        HOT.end
    );
    println!("First search: of one client, each of a person whose index is not in memory yet; median.");
    let names = COLUMNS.map(|(name, _)| name).join(" | ");
    println!("| cache, MiB | people | {names} | first search, ms |");
    println!("|{}", " --- |".repeat(COLUMNS.len() + 3));

    let (small, large) = (Installation::on_sqlite(), Installation::on_sqlite());
    small.import(HOT, MEMORIES_EACH);
    let mut imported = 0;
    let levels = std::iter::successors(Some(HOT.end), |people| Some(people * 10));
    for people in levels.take_while(|people| *people <= options.persons) {
        large.import(imported..people, MEMORIES_EACH);
        imported = people;
        for cache_mb in [DEFAULT_CACHE_MB, options.large_cache_mb] {
            row(options, &small, &large, people, cache_mb).await;
        }
    }
}

async fn row(options: &Options, small: &Installation, large: &Installation, people: usize, cache_mb: usize) {
    let small = Side::start(small, HOT.end, cache_mb).await;
    let large = Side::start(large, people, cache_mb).await;
    print!("| {cache_mb} | {people} |");
    let [small_first_ms, large_first_ms] = [small.first_search_ms().await, large.first_search_ms().await];
    for (_, requests) in COLUMNS {
        for side in [&small, &large] {
            side.warm_up(requests, cache_mb).await;
        }
        let mut pairs = Vec::new();
        for _ in 0..PAIRS {
            let of_small = small.round(options, requests).await;
            let of_large = large.round(options, requests).await;
            pairs.push((of_small.per_second, of_large.per_second));
        }
        let per_second = median(pairs.iter().map(|(_, of_large)| *of_large).collect());
        let ratio = median(pairs.iter().map(|(of_small, of_large)| of_large / of_small).collect());
        print!(" {per_second:.0} ({ratio:.2}) |");
    }
    println!(" {large_first_ms:.0} ({:.2}) |", large_first_ms / small_first_ms);
}

impl Side {
    async fn start(installation: &Installation, people: usize, cache_mb: usize) -> Self {
        let server = installation.start(&[("MEMSYNC_INDEX__MEMORY_MB", &cache_mb.to_string())]);
        Self {
            callers: server.callers(CONNECTIONS, STREAMS_PER_CONNECTION).await,
            people,
            _server: server,
        }
    }

    async fn first_search_ms(&self) -> f64 {
        percentile_ms(&mut first_searches(&self.callers[0], FIRST_SEARCHES).await, 50)
    }

    /// Reads the indexes that these requests need into memory, as far as there is room.
    async fn warm_up(&self, requests: Requests, cache_mb: usize) {
        let people = match requests {
            Requests::WhoAmI | Requests::GetAll | Requests::ListAll => 0,
            Requests::SearchHot | Requests::StoreHot => HOT.end,
            Requests::SearchAll => self.people.min(cache_mb * 1_024 / INDEX_KIB),
        };
        warm_up(&self.callers, 0..people).await;
    }

    async fn round(&self, options: &Options, requests: Requests) -> Round {
        let (callers, duration, all) = (&self.callers[..], options.round, 0..self.people);
        match requests {
            Requests::WhoAmI => who_am_i(callers, duration).await,
            Requests::GetAll => gets(callers, duration, all, MEMORIES_EACH).await,
            Requests::ListAll => lists(callers, duration, all).await,
            Requests::SearchHot => searches(callers, duration, HOT, MEMORIES_EACH).await,
            Requests::StoreHot => stores(callers, duration, HOT).await,
            Requests::SearchAll => searches(callers, duration, all, MEMORIES_EACH).await,
        }
    }
}
