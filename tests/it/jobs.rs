//! Work that lasts is done slice by slice: each slice once, whatever breaks off, and beside everything else.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use memsync::app::App;
use memsync::error::{Error, Result};
use memsync::jobs::{Job, JobKinds, Lane, Retries, StoreConversation, run_queue};
use memsync::model::{ApiKeyId, AuthMethod, Caller, Clock, Grant, Memory, Owner, TaskId, TaskState};
use memsync::services::{
    ClaimedTask, ListQuery, ListRequest, ListSort, MemoryService, StoreTask, TaskProgress, TaskReport, TaskStep,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::process::{BOUND, eventually, memsync};
use crate::support::{TestDatabase, config, install_crypto};

const ENTRIES: [&str; 4] = [
    "I collect theodolites.",
    "My sister Clara lives in Berlin.",
    "I am allergic to peanuts.",
    "I work as a baker in Porto.",
];
/// Where a child of the test below dies, as `before` or `after` and the number of a slice.
const DIES: &str = "MEMSYNC_TEST_JOB_DIES";
const DIRECTORY: &str = "MEMSYNC_TEST_JOB_DIRECTORY";

/// Remembers a diary, an entry a slice.
struct Diary {
    memories: Arc<MemoryService>,
    /// What each slice waits for.
    gate: Arc<Semaphore>,
    under_way: Arc<AtomicUsize>,
    most_under_way: Arc<AtomicUsize>,
    /// Faults that are still to come before slices succeed.
    faults: AtomicUsize,
    dies: Option<(String, usize)>,
}

#[derive(Serialize, Deserialize)]
struct DiaryTask {
    entries: Vec<String>,
}

#[derive(Default, Serialize, Deserialize)]
struct Cursor {
    done: usize,
}

impl Diary {
    fn new(memories: Arc<MemoryService>) -> Self {
        Self {
            memories,
            gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
            under_way: Arc::default(),
            most_under_way: Arc::default(),
            faults: AtomicUsize::new(0),
            dies: None,
        }
    }

    fn dies(&self, when: &str, slice: usize) {
        if self.dies.as_ref().is_some_and(|(at, n)| at == when && *n == slice) {
            // As after `kill -9`: nothing is put in order.
            std::process::abort();
        }
    }
}

#[tonic::async_trait]
impl Job for Diary {
    const KIND: &'static str = "diary";
    const LANE: Lane = Lane {
        per_instance: 3,
        per_account: 2,
    };
    const RETRIES: Retries = Retries {
        tries: 3,
        first_pause: Duration::from_millis(1),
    };
    type Payload = DiaryTask;

    async fn run_slice(&self, task: &ClaimedTask, diary: DiaryTask) -> Result<()> {
        let under_way = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_under_way.fetch_max(under_way, Ordering::SeqCst);
        let passed = self.gate.acquire().await;
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        drop(passed);
        if self
            .faults
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .is_ok()
        {
            return Err(Error::Unavailable("the pen is dry".into()));
        }
        let Cursor { done } = task.cursor()?.unwrap_or_default();
        self.dies("before", done);
        let conversation: StoreTask = serde_json::from_value(json!({
            "messages": [{"role": "user", "content": diary.entries[done]}],
            "agent_id": "diary", "thread_id": "diary", "source": "test", "said_at": "2026-01-15T10:00:00Z",
        }))
        .unwrap();
        let next = (done + 1 < diary.entries.len()).then(|| TaskStep {
            cursor: json!(Cursor { done: done + 1 }),
            progress: TaskProgress {
                step: "reading".to_owned(),
                items_processed: done as u64 + 1,
                items_total: Some(diary.entries.len() as u64),
                ..TaskProgress::default()
            },
            log: vec![format!("entry {done} is read")],
        });
        self.memories.store_for(task, conversation, next).await?;
        self.dies("after", done);
        Ok(())
    }
}

/// The services over a database, with no server beside them, and the queue driven for the jobs of a test.
struct Office {
    app: App,
    /// Gone with the office, in this order.
    _place: Option<(TestDatabase, TempDir)>,
    stop: watch::Sender<bool>,
}

impl Office {
    async fn open() -> Self {
        install_crypto();
        let dir = tempfile::tempdir().unwrap();
        let mut config = config(dir.path());
        let database = TestDatabase::create();
        config.database.url = database.url(dir.path());
        Self {
            app: App::open(&config, Clock::system()).await.unwrap(),
            _place: Some((database, dir)),
            stop: watch::Sender::new(false),
        }
    }

    async fn open_in(dir: &Path) -> Self {
        install_crypto();
        Self {
            app: App::open(&config(dir), Clock::system()).await.unwrap(),
            _place: None,
            stop: watch::Sender::new(false),
        }
    }

    /// An account's person, made where they are not there yet.
    async fn person(&self, email: &str) -> Owner {
        let known = self.app.auth.find_account(email).await.unwrap();
        let account = match known {
            Some(account) => account,
            None => self.app.auth.create_account(email, None, None).await.unwrap(),
        };
        Owner {
            account_id: account.id,
            user_id: "anna".to_owned(),
        }
    }

    async fn add(&self, owner: &Owner, kind: &str, entries: &[&str]) -> TaskId {
        let entries = entries.iter().map(|entry| (*entry).to_owned()).collect();
        let task = DiaryTask { entries };
        self.app.tasks.add(owner, kind, &task, "test").await.unwrap()
    }

    fn run(&self, kinds: JobKinds) -> JoinHandle<()> {
        tokio::spawn(run_queue(Arc::clone(&self.app.tasks), kinds, self.stop.subscribe()))
    }

    async fn report(&self, owner: &Owner, id: &TaskId) -> TaskReport {
        self.app.tasks.report(&caller(owner), id).await.unwrap()
    }

    async fn ended(&self, owner: &Owner, id: &TaskId) -> TaskReport {
        eventually("the task ends", BOUND, async || {
            let report = self.report(owner, id).await;
            matches!(report.state, TaskState::Done | TaskState::Failed).then_some(report)
        })
        .await
    }

    /// What is remembered of a person: text and version, in order.
    async fn remembered(&self, owner: &Owner) -> Vec<(String, i64)> {
        let request = ListRequest {
            owner: owner.clone(),
            query: ListQuery {
                category: None,
                memory_type: None,
                is_instruction: None,
                agent_id: None,
                thread_id: None,
                include_superseded: true,
                sort: ListSort::CreatedAt,
                ascending: true,
                offset: 0,
                limit: 100,
            },
            as_of: None,
        };
        let page = self.app.memories.list(request).await.unwrap();
        let memory = |memory: &Memory| {
            assert_eq!(memory.reinforced, 0, "{} was told twice", memory.text);
            (memory.text.clone(), memory.version)
        };
        page.memories.iter().map(memory).collect()
    }
}

fn caller(owner: &Owner) -> Caller {
    Caller {
        account_id: owner.account_id.clone(),
        email: String::new(),
        method: AuthMethod::ApiKey(ApiKeyId::generate()),
        grant: Grant::everything(),
    }
}

fn each_entry_once() -> Vec<(String, i64)> {
    let entries = [
        "User collects theodolites.",
        "User's sister Clara lives in Berlin.",
        "User is allergic to peanuts.",
        "User works as a baker in Porto.",
    ];
    entries.map(|entry| (entry.to_owned(), 1)).to_vec()
}

#[tokio::test]
async fn a_long_task_tells_how_far_it_is_and_ends_with_its_last_slice() {
    let office = Office::open().await;
    let anna = office.person("ada@example.com").await;
    let mut diary = Diary::new(Arc::clone(&office.app.memories));
    diary.gate = Arc::new(Semaphore::new(0));
    let gate = Arc::clone(&diary.gate);
    let id = office.add(&anna, "diary", &ENTRIES).await;
    let queue = office.run(JobKinds::default().with(diary));
    for slice in 1..ENTRIES.len() as u64 {
        // Each slice takes a permit and gives it back.
        gate.add_permits(1);
        let progress = eventually("a slice ends", BOUND, async || {
            let progress = office.report(&anna, &id).await.progress?;
            (progress.items_processed >= slice).then_some(progress)
        })
        .await;
        assert_eq!((progress.step.as_str(), progress.items_total), ("reading", Some(4)));
    }
    let ended = office.ended(&anna, &id).await;
    assert_eq!(ended.state, TaskState::Done);
    assert_eq!(ended.result.unwrap()["memories_created"], 1, "of the last slice");
    assert_eq!(office.remembered(&anna).await, each_entry_once());
    let log = office.app.tasks.log(&anna.account_id, &id).await.unwrap();
    let lines: Vec<&str> = log.iter().map(|(_, line)| line.as_str()).collect();
    assert_eq!(lines, ["entry 0 is read", "entry 1 is read", "entry 2 is read"]);
    office.stop.send_replace(true);
    queue.await.unwrap();
}

#[tokio::test]
async fn a_slice_that_fails_is_tried_again_and_fails_the_task_in_the_end() {
    let office = Office::open().await;
    let anna = office.person("ada@example.com").await;
    let diary = Diary::new(Arc::clone(&office.app.memories));
    // Two for the first slice, and none for the others.
    diary.faults.store(2, Ordering::SeqCst);
    let id = office.add(&anna, "diary", &ENTRIES).await;
    let queue = office.run(JobKinds::default().with(diary));
    assert_eq!(office.ended(&anna, &id).await.state, TaskState::Done);
    assert_eq!(office.remembered(&anna).await, each_entry_once());
    office.stop.send_replace(true);
    queue.await.unwrap();

    let office = Office::open().await;
    let anna = office.person("ada@example.com").await;
    let diary = Diary::new(Arc::clone(&office.app.memories));
    diary.faults.store(3, Ordering::SeqCst);
    let id = office.add(&anna, "diary", &ENTRIES).await;
    let queue = office.run(JobKinds::default().with(diary));
    assert_eq!(office.ended(&anna, &id).await.state, TaskState::Failed);
    let listed = office.app.tasks.list(None, None).await.unwrap();
    let why = listed[0].last_error.as_deref();
    assert_eq!(why, Some("the database or the embedder did not answer"));
    office.stop.send_replace(true);
    queue.await.unwrap();
}

#[tokio::test]
async fn a_cancelled_task_stops_after_its_slice_and_keeps_nothing_to_do() {
    let office = Office::open().await;
    let anna = office.person("ada@example.com").await;
    let mut diary = Diary::new(Arc::clone(&office.app.memories));
    diary.gate = Arc::new(Semaphore::new(0));
    let (gate, under_way) = (Arc::clone(&diary.gate), Arc::clone(&diary.under_way));
    let tasks = &office.app.tasks;
    let id = office.add(&anna, "diary", &ENTRIES).await;
    let queue = office.run(JobKinds::default().with(diary));
    eventually("a slice is under way", BOUND, async || {
        (under_way.load(Ordering::SeqCst) == 1).then_some(())
    })
    .await;
    tasks.request_cancel(&anna.account_id, &id).await.unwrap();
    gate.add_permits(1);
    let ended = office.ended(&anna, &id).await;
    assert_eq!(ended.state, TaskState::Failed);
    assert_eq!(ended.refused.as_deref(), Some("The task was cancelled"));
    assert_eq!(office.remembered(&anna).await, each_entry_once()[..1]);
    assert_eq!(tasks.retry(None).await.unwrap(), 0, "what it was to do is gone");
    let again = tasks.request_cancel(&anna.account_id, &id).await;
    assert!(matches!(again, Err(Error::TaskNotFound)), "{again:?}");
    let eve = office.person("eve@example.com").await;
    let theirs = office.add(&anna, "diary", &ENTRIES).await;
    let foreign = tasks.request_cancel(&eve.account_id, &theirs).await;
    assert!(matches!(foreign, Err(Error::TaskNotFound)), "{foreign:?}");
    office.stop.send_replace(true);
    queue.await.unwrap();
}

#[tokio::test]
async fn no_kind_and_no_account_keeps_the_others_waiting() {
    let office = Office::open().await;
    let (anna, eve) = (
        office.person("ada@example.com").await,
        office.person("eve@example.com").await,
    );
    let mut diary = Diary::new(Arc::clone(&office.app.memories));
    diary.gate = Arc::new(Semaphore::new(0));
    let (gate, under_way, most) = (
        Arc::clone(&diary.gate),
        Arc::clone(&diary.under_way),
        Arc::clone(&diary.most_under_way),
    );
    let mut diaries = Vec::new();
    for _ in 0..4 {
        diaries.push(office.add(&anna, "diary", &ENTRIES[..1]).await);
    }
    let kinds = JobKinds::default()
        .with(diary)
        .with(StoreConversation(Arc::clone(&office.app.memories)));
    let queue = office.run(kinds);
    eventually("the account's share is under way", BOUND, async || {
        (under_way.load(Ordering::SeqCst) == 2).then_some(())
    })
    .await;
    let stored = json!({
        "messages": [{"role": "user", "content": ENTRIES[1]}],
        "agent_id": "a", "thread_id": "t", "source": "test", "said_at": "2026-01-15T10:00:00Z",
    });
    let store = office.app.tasks.add(&anna, "store", &stored, "test").await.unwrap();
    assert_eq!(office.ended(&anna, &store).await.state, TaskState::Done);
    let theirs = office.add(&eve, "diary", &ENTRIES[..1]).await;
    eventually("the other account's is under way", BOUND, async || {
        (under_way.load(Ordering::SeqCst) == 3).then_some(())
    })
    .await;
    assert_eq!(most.load(Ordering::SeqCst), 3);
    gate.add_permits(Semaphore::MAX_PERMITS);
    for id in &diaries {
        assert_eq!(office.ended(&anna, id).await.state, TaskState::Done);
    }
    assert_eq!(office.ended(&eve, &theirs).await.state, TaskState::Done);
    assert!(most.load(Ordering::SeqCst) <= 3);
    office.stop.send_replace(true);
    queue.await.unwrap();
}

#[tokio::test]
async fn an_operator_reads_what_a_task_logged_and_cancels_another() {
    let dir = tempfile::tempdir().unwrap();
    let office = Office::open_in(dir.path()).await;
    let anna = office.person("ada@example.com").await;
    let done = office.add(&anna, "diary", &ENTRIES[..2]).await;
    let queue = office.run(JobKinds::default().with(Diary::new(Arc::clone(&office.app.memories))));
    office.ended(&anna, &done).await;
    office.stop.send_replace(true);
    queue.await.unwrap();

    let log = memsync(dir.path(), &[], &["task", "log", done.as_str()]).expect_success("task log");
    assert!(log.stdout.trim_end().ends_with(" entry 0 is read"), "{}", log.stdout);
    assert_eq!(log.stdout.lines().count(), 1);
    let ended = memsync(dir.path(), &[], &["task", "cancel", done.as_str()]);
    assert!(ended.stderr.contains("has ended already"), "{}", ended.stderr);
    let unknown = memsync(dir.path(), &[], &["task", "cancel", "task_x"]);
    assert!(unknown.stderr.contains("there is no task task_x"), "{}", unknown.stderr);

    let waiting = office.add(&anna, "diary", &ENTRIES).await;
    memsync(dir.path(), &[], &["task", "cancel", waiting.as_str()]).expect_success("task cancel");
    office.stop.send_replace(false);
    let queue = office.run(JobKinds::default().with(Diary::new(Arc::clone(&office.app.memories))));
    let report = office.ended(&anna, &waiting).await;
    assert_eq!(report.refused.as_deref(), Some("The task was cancelled"));
    assert_eq!(office.remembered(&anna).await, each_entry_once()[..2]);
    office.stop.send_replace(true);
    queue.await.unwrap();
}

#[test]
fn a_process_that_is_killed_at_any_step_repeats_no_slice_and_loses_none() {
    for when in ["before", "after"] {
        for slice in 0..ENTRIES.len() {
            let dir = tempfile::tempdir().unwrap();
            let dies = format!("{when} {slice}");
            assert!(!child(dir.path(), &dies), "it dies {dies}");
            assert!(child(dir.path(), ""), "it goes on after it died {dies}");
        }
    }
}

/// Runs the test below in a process of its own; whether it succeeded.
fn child(dir: &Path, dies: &str) -> bool {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "jobs::in_a_process_of_its_own", "--nocapture"])
        .env(DIRECTORY, dir)
        .env(DIES, dies)
        .output()
        .unwrap();
    child.status.success()
}

/// The child of the test above: does the diary in a directory, or dies in the midst of it. Without one, it does a new
/// diary to its end.
#[tokio::test]
async fn in_a_process_of_its_own() {
    let new = tempfile::tempdir().unwrap();
    let dir = std::env::var_os(DIRECTORY).map_or_else(|| new.path().to_owned(), Into::into);
    let dies = std::env::var(DIES).unwrap_or_default();
    let office = Office::open_in(&dir).await;
    let anna = office.person("ada@example.com").await;
    let known = office.app.tasks.list(None, None).await.unwrap();
    let id = match known.first() {
        Some(task) => task.id.clone(),
        None => office.add(&anna, "diary", &ENTRIES).await,
    };
    let mut diary = Diary::new(Arc::clone(&office.app.memories));
    diary.dies = dies
        .split_once(' ')
        .map(|(when, slice)| (when.to_owned(), slice.parse().unwrap()));
    let queue = office.run(JobKinds::default().with(diary));
    assert_eq!(office.ended(&anna, &id).await.state, TaskState::Done);
    assert_eq!(office.remembered(&anna).await, each_entry_once());
    office.stop.send_replace(true);
    queue.await.unwrap();
}
