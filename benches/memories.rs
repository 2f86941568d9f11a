//! What storing and searching cost as a person's memories grow, inside the process, over SQLite; and how fast texts are
//! embedded. `cargo bench --bench memories`; figures of one run compare with each other only.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a program that measures prints, and ends when it can't"
)]

use std::sync::Arc;
use std::time::Instant;

use memsync::app::App;
use memsync::config::Config;
use memsync::model::Filter;
use memsync::model::{AccountId, ApiKeyId, AuthMethod, Caller, Clock, Grant, Owner, Role};
use memsync::providers::{Embedder, StaticTable};
use memsync::services::{Actor, ConversationMessage, Import, ImportFormat, ImportOptions, SearchRequest, StoreRequest};
use support::figures::{percentile_ms, resident_mib};
use support::sentences::{memory_line, question, sentence};

#[expect(dead_code, reason = "other benches need the rest")]
mod support;

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
const ROUNDS: usize = 200;
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

    embedding().await;
    println!("memories   store 10 messages: p50, p95    search: p50, p95    resident");
    for size in SIZES {
        let owner = Owner {
            account_id: account.clone(),
            user_id: format!("person-{size}"),
        };
        fill(&app, &owner, size).await;
        let mut searches = Vec::new();
        for round in 0..ROUNDS {
            let request = search(&owner, &question(round * 37));
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
        searches.remove(0);
        println!(
            "{size:>8}   {:>15.2} ms, {:>6.2} ms   {:>6.2} ms, {:>5.2} ms   {:>5.0} MiB",
            percentile_ms(&mut stores, 50),
            percentile_ms(&mut stores, 95),
            percentile_ms(&mut searches, 50),
            percentile_ms(&mut searches, 95),
            resident_mib(std::process::id())
        );
    }
}

async fn embedding() {
    let embedder = StaticTable::built_in();
    let texts: Vec<String> = (0..5_000).map(sentence).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let started = Instant::now();
    embedder.encode_documents(&texts).await.unwrap();
    let many = started.elapsed();
    let started = Instant::now();
    for text in &texts[..1_000] {
        embedder.encode_query(text).await.unwrap();
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
    let mut import = Import::new(Arc::clone(&app.portability), options).unwrap();
    for n in 0..size {
        import.feed(memory_line(size, n).as_bytes()).await.unwrap();
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
        include_bio: false,
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
        utc_offset: None,
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
