//! Whoever goes away while a person's index is read leaves it as whoever stays would.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use memsync::model::{Filter, MemoryId, Owner};
use memsync::providers::{EmbedError, Embedder, StaticTable};
use memsync::services::{Actor, DeletionOptions, MemoryService, SearchRequest};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::process::{BOUND, eventually};
use crate::support::{OtherEmbedder, TestServer, conversation};

/// The built-in embedder under another name, so that memories are embedded anew; they wait at its gate.
struct Gated {
    embedder: Arc<StaticTable>,
    /// Has no permits while it is shut.
    gate: Semaphore,
    /// How often memories came to it.
    came: AtomicUsize,
}

impl Gated {
    fn open(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS);
    }

    fn came(&self) -> usize {
        self.came.load(Ordering::SeqCst)
    }
}

#[tonic::async_trait]
impl Embedder for Gated {
    fn model(&self) -> &str {
        "gated"
    }

    fn dimensions(&self) -> usize {
        self.embedder.dimensions()
    }

    async fn encode_documents(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        self.came.fetch_add(1, Ordering::SeqCst);
        // Nobody closes it.
        drop(self.gate.acquire().await);
        self.embedder.encode_documents(texts).await
    }

    async fn encode_query(&self, text: &str) -> Result<Vec<f32>, EmbedError> {
        self.embedder.encode_query(text).await
    }
}

/// A person with one memory, and a service whose index of them is being read, at the gate.
struct Reading {
    _server: TestServer,
    memories: Arc<MemoryService>,
    gated: Arc<Gated>,
    /// How many hold the embedder while nobody embeds.
    idle: usize,
    owner: Owner,
    id: MemoryId,
    search: JoinHandle<usize>,
}

impl Reading {
    async fn begin() -> Self {
        let server = TestServer::start().await;
        let rest = server.ada().await;
        let stored = rest.store(&conversation("t", &["I collect theodolites."])).await;
        let account = server.running.app.auth.find_account("ada@example.com").await.unwrap();
        let owner = Owner {
            account_id: account.unwrap().id,
            user_id: String::new(),
        };
        let gated = Arc::new(Gated {
            embedder: StaticTable::built_in(),
            gate: Semaphore::new(0),
            came: AtomicUsize::new(0),
        });
        let embedder = Arc::clone(&gated) as Arc<dyn Embedder>;
        let memories = OtherEmbedder::of(&server, embedder).memories;
        let idle = Arc::strong_count(&gated);
        let search = tokio::spawn(found(Arc::clone(&memories), owner.clone()));
        eventually("memories are at the gate", BOUND, async || {
            (gated.came() > 0).then_some(())
        })
        .await;
        Self {
            _server: server,
            memories,
            gated,
            idle,
            owner,
            id: MemoryId::from_stored(stored["memories"][0]["id"].as_str().unwrap()),
            search,
        }
    }

    /// The client goes away.
    async fn leave(&mut self) {
        self.search.abort();
        assert!((&mut self.search).await.unwrap_err().is_cancelled());
    }
}

/// How many memories a search finds.
async fn found(memories: Arc<MemoryService>, owner: Owner) -> usize {
    let request = SearchRequest {
        owner,
        query: "theodolites".to_owned(),
        limit: 10,
        rerank: false,
        explain: false,
        include_bio: false,
        filter: Filter::default(),
        as_of: None,
    };
    memories.search(request).await.unwrap().hits.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_was_begun_is_there_for_the_next_one() {
    let mut reading = Reading::begin().await;
    reading.leave().await;
    reading.gated.open();
    assert_eq!(found(Arc::clone(&reading.memories), reading.owner.clone()).await, 1);
    assert_eq!(reading.gated.came(), 1, "it was read once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_after_somebody_left_is_not_undone_by_what_they_were_reading() {
    let mut reading = Reading::begin().await;
    reading.leave().await;
    let (memories, owner) = (Arc::clone(&reading.memories), reading.owner.clone());
    let ids = [reading.id.clone()];
    let options = DeletionOptions {
        backup: false,
        restore_superseded: true,
        count_insights: false,
    };
    let mut deleting = tokio::spawn(async move {
        memories
            .delete(&Actor::operator(), &owner, &ids, options)
            .await
            .unwrap()
    });
    // It waits for what is being read. Where it did not, it would be done by then.
    let waited = tokio::time::timeout(Duration::from_millis(500), &mut deleting).await;
    reading.gated.open();
    let deleted = match waited {
        Ok(deleted) => deleted,
        Err(_) => deleting.await,
    };
    assert_eq!(deleted.unwrap().deleted, [reading.id]);
    eventually("nobody embeds any more", BOUND, async || {
        (Arc::strong_count(&reading.gated) == reading.idle).then_some(())
    })
    .await;
    assert_eq!(found(reading.memories, reading.owner).await, 0);
}
