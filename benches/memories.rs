//! What storing and searching cost as a person's memories grow, inside the process, over SQLite; and how fast texts are
//! embedded. `cargo bench --bench memories`; figures of one run compare with each other only.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a program that measures prints, and ends when it can't"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use memsync::app::App;
use memsync::config::Config;
use memsync::model::{AccountId, ApiKeyId, AuthMethod, Caller, Clock, Grant, Owner, Role};
use memsync::providers::{Embedder, StaticTable};
use memsync::search::Filter;
use memsync::services::{Actor, ConversationMessage, Import, ImportFormat, ImportOptions, SearchRequest, StoreRequest};
use serde_json::json;

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
const ROUNDS: usize = 200;
const VERBS: [&str; 12] = [
    "bought",
    "painted",
    "repaired",
    "lost",
    "borrowed",
    "sold",
    "cleaned",
    "photographed",
    "carried",
    "found",
    "built",
    "hid",
];
const THINGS: [&str; 24] = [
    "a violin",
    "a kayak",
    "a lantern",
    "an anchor",
    "a saddle",
    "a novel",
    "a basket",
    "a puzzle",
    "a telescope",
    "a kettle",
    "a bicycle",
    "a tent",
    "a carpet",
    "a clock",
    "a drum",
    "a map",
    "a mirror",
    "a pillow",
    "a radio",
    "a scarf",
    "a stamp",
    "a teapot",
    "a vase",
    "a wheelbarrow",
];
const PLACES: [&str; 20] = [
    "Oslo", "Lima", "Porto", "Kyoto", "Accra", "Quito", "Turin", "Cork", "Perth", "Dakar", "Malmö", "Basel", "Graz",
    "Leeds", "Tampa", "Varna", "Zadar", "Nantes", "Osaka", "Bergen",
];
const PEOPLE: [&str; 16] = [
    "my sister",
    "my brother",
    "my neighbour",
    "my cousin",
    "my boss",
    "my aunt",
    "my uncle",
    "my teacher",
    "my dentist",
    "my landlord",
    "my niece",
    "my nephew",
    "my colleague",
    "my roommate",
    "my grandmother",
    "my coach",
];

/// The `n`th of very many different sentences.
fn sentence(n: usize) -> String {
    let of = |list: &[&'static str], n: usize| list[n % list.len()];
    let (verb, thing) = (of(&VERBS, n), of(&THINGS, n / 12));
    let (place, person) = (of(&PLACES, n / 288), of(&PEOPLE, n / 5_760));
    format!("I {verb} {thing} in {place} for {person} on day {}.", n % 997)
}

#[tokio::main]
async fn main() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::load(None).unwrap();
    config.database.url = format!("sqlite://{}", directory.path().join("bench.db").display());
    config.data_dir = directory.path().to_owned();
    let app = App::open(&config, Clock::system()).await.unwrap();
    let account = app
        .auth
        .create_account("bench@memsync.dev", None, None)
        .await
        .unwrap()
        .id;

    embedding();
    println!("memories   store 10 messages: p50, p95    search: p50, p95    resident");
    for size in SIZES {
        let owner = Owner {
            account_id: account.clone(),
            user_id: format!("person-{size}"),
        };
        fill(&app, &owner, size).await;
        let mut searches = Vec::new();
        for round in 0..ROUNDS {
            let request = search(&owner, &format!("What did I do with {}?", sentence(round * 37)));
            let started = Instant::now();
            app.memories.search(request).await.unwrap();
            searches.push(started.elapsed());
        }
        let mut stores = Vec::new();
        for round in 0..ROUNDS / 4 {
            let request = conversation(&owner, round);
            let started = Instant::now();
            app.memories.store(&caller(&account), request).await.unwrap();
            stores.push(started.elapsed());
        }
        // The first search of a person loads the index.
        let (store, search) = (percentiles(stores), percentiles(searches.split_off(1)));
        println!(
            "{size:>8}   {:>15.2} ms, {:>6.2} ms   {:>6.2} ms, {:>5.2} ms   {:>5} MiB",
            store[0],
            store[1],
            search[0],
            search[1],
            resident_mib()
        );
    }
}

fn embedding() {
    let embedder = StaticTable::built_in();
    let texts: Vec<String> = (0..5_000).map(sentence).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let started = Instant::now();
    embedder.embed(&texts).unwrap();
    let many = started.elapsed();
    let started = Instant::now();
    for text in &texts[..1_000] {
        embedder.embed_one(text).unwrap();
    }
    println!(
        "embedded {:.0} texts a second on one core; one alone takes {:.3} ms",
        texts.len() as f64 / many.as_secs_f64(),
        started.elapsed().as_secs_f64()
    );
}

/// Imports `size` memories of a person.
async fn fill(app: &App, owner: &Owner, size: usize) {
    let options = ImportOptions {
        account_id: owner.account_id.clone(),
        user_id: Some(owner.user_id.clone()),
        grant: Grant::everything(),
        format: ImportFormat::Memsync,
        is_dry_run: false,
    };
    let mut import = Import::new(Arc::clone(&app.memories), options).unwrap();
    for n in 0..size {
        let thread = format!("thread-{}", n / 50);
        let line = json!({"format": 1, "memory": {
            "id": format!("mem_{size:016x}{n:016x}"), "memory": sentence(n).replacen('I', "User", 1),
            "type": "episodic", "categories": ["interests"], "importance": 0.5, "source": "bench",
            "agent_id": "bench", "thread_id": thread, "source_message_ids": [format!("{thread}#{}", n % 50)],
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "version": 1}});
        import.feed(format!("{line}\n").as_bytes()).await.unwrap();
    }
    let report = import.finish(&Actor::operator()).await.unwrap();
    assert_eq!(report.imported, size as u64, "{:?}", report.errors.first());
}

fn search(owner: &Owner, query: &str) -> SearchRequest {
    SearchRequest {
        owner: owner.clone(),
        query: query.to_owned(),
        limit: 10,
        rerank: true,
        explain: false,
        filter: Filter::default(),
        as_of: None,
    }
}

/// Ten messages, half of them the assistant's.
fn conversation(owner: &Owner, round: usize) -> StoreRequest {
    let message = |n: usize| ConversationMessage {
        role: if n.is_multiple_of(2) {
            Role::User
        } else {
            Role::Assistant
        },
        content: match n.is_multiple_of(2) {
            true => format!("{} It took {} hours.", sentence(100_001 + round * 10 + n), round + n),
            false => "That sounds like quite a day! What happened next?".to_owned(),
        },
        id: None,
        name: None,
        said_at: None,
    };
    StoreRequest {
        owner: owner.clone(),
        messages: (0..10).map(message).collect(),
        agent_id: "bench".to_owned(),
        thread_id: format!("new-{round}"),
        source: "bench".to_owned(),
        metadata: None,
        said_at: None,
        expires_at: None,
        idempotency: None,
    }
}

fn caller(account_id: &AccountId) -> Caller {
    Caller {
        account_id: account_id.clone(),
        email: String::new(),
        method: AuthMethod::ApiKey(ApiKeyId::generate()),
        grant: Grant::everything(),
    }
}

fn percentiles(mut times: Vec<Duration>) -> [f64; 2] {
    times.sort_unstable();
    [50, 95].map(|percent| times[(times.len() * percent / 100).min(times.len() - 1)].as_secs_f64() * 1000.0)
}

/// Memory of this process that is in RAM.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = status.lines().find_map(|line| {
        line.strip_prefix("VmRSS:")?
            .trim()
            .strip_suffix(" kB")?
            .parse::<u64>()
            .ok()
    });
    kib.unwrap_or(0) / 1024
}
