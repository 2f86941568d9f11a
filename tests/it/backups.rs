//! A backup of the whole database has everything that was acknowledged before it began, and takes a database's place
//! whole or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use sea_orm::{ConnectionTrait, Database};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::crash::{line, list_all, text_of, town};
use crate::process::{BOUND, Finished, Process, Rest, eventually, memsync, memsync_command};
use crate::support::Postgres;

mod refused;

const WRITERS: usize = 4;
const SECRET: &str = "My password is Quokka-Bartholomew-9.";

fn person(writer: usize) -> String {
    format!("writer-{writer}")
}

fn said(person: &str, thread: &str, texts: &[String]) -> Value {
    let messages: Vec<Value> = texts
        .iter()
        .map(|text| json!({"role": "user", "content": text}))
        .collect();
    json!({"messages": messages, "user_id": person, "agent_id": "a", "thread_id": thread, "source": "s"})
}

async fn store(rest: &Rest, person: &str, thread: &str, texts: &[String]) -> Vec<(String, String)> {
    let (status, answer) = rest.post("/v1/memories", &said(person, thread, texts)).await.unwrap();
    assert_eq!(status, 200, "{answer}");
    let memories = answer["memories"].as_array().unwrap();
    memories
        .iter()
        .map(|m| (text_of(m, "id"), text_of(m, "memory")))
        .collect()
}

fn backup(data: &Path, file: &Path) -> Finished {
    memsync(data, &[], &["backup", file.to_str().unwrap()])
}

fn restore(data: &Path, file: &Path) -> Finished {
    memsync(data, &[], &["restore", "--from", file.to_str().unwrap()])
}

/// A place with a server that has stored one memory, and a backup of it.
async fn place_with_backup(thing: &str) -> (TempDir, Process, Rest, PathBuf) {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path());
    let rest = Rest::new(server.url(), &server.first_key());
    store(&rest, "ada", "t1", &[format!("I bought a {thing} in Porto.")]).await;
    let file = data.path().join("backup.db");
    backup(data.path(), &file).expect_success("backup");
    (data, server, rest, file)
}

/// What Ada's memories say, on a server of its own.
async fn memories_in(data: &Path, key: &str) -> Vec<String> {
    let server = Process::start(data);
    let rest = Rest::new(server.url(), key);
    let texts = list_all(&rest, "ada").await.into_values().collect();
    server.stop().expect_success("SIGTERM");
    texts
}

/// Stores conversations of two facts each until it is told to stop; the memories of each, by thread.
async fn write(rest: Rest, writer: usize, written: Arc<Mutex<Vec<(usize, String, String)>>>, stop: Arc<AtomicBool>) {
    for number in 0.. {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let texts = [
            format!(
                "I bought a red kayak number {number:04} in the town of {}.",
                town(number)
            ),
            format!(
                "My cousin sold a brass lantern number {number:04} in {}.",
                town(number + 1)
            ),
        ];
        let stored = store(&rest, &person(writer), &format!("thread-{number}"), &texts).await;
        assert_eq!(stored.len(), texts.len(), "{stored:?}");
        let stored = stored.into_iter().map(|(id, text)| (writer, id, text));
        written.lock().extend(stored);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_writers_has_all_that_was_acknowledged_before_it_and_nothing_half() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path());
    let key = server.first_key();
    let rest = Rest::new(server.url(), &key);
    let secret = store(&rest, "ada", "t", &[SECRET.to_owned()]).await.remove(0).0;
    let (written, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| tokio::spawn(write(rest.clone(), writer, Arc::clone(&written), Arc::clone(&stop))))
        .collect();
    let wait_for = async |count: usize| {
        let written = || written.lock().len();
        eventually("writers are at it", BOUND, async || (written() >= count).then_some(())).await;
    };
    wait_for(80).await;
    let before = written.lock().clone();
    let file = data.path().join("backup.db");
    let made = tokio::task::spawn_blocking({
        let (data, file) = (data.path().to_owned(), file.clone());
        move || backup(&data, &file).expect_success("backup")
    });
    let made = made.await.unwrap();
    let by_then = written.lock().len();
    wait_for(by_then + 8).await;
    stop.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
    server.stop().expect_success("SIGTERM");
    assert!(made.stdout.contains("1 accounts, "), "{}", made.stdout);
    let master_key = data.path().join("master_key");
    assert!(made.stderr.contains(master_key.to_str().unwrap()), "{}", made.stderr);

    let fresh = tempfile::tempdir().unwrap();
    let restored = restore(fresh.path(), &file).expect_success("restore");
    assert!(
        restored.stderr.contains("the master key"),
        "it is not there: {}",
        restored.stderr
    );
    std::fs::copy(&master_key, fresh.path().join("master_key")).unwrap();
    let server = Process::start(fresh.path());
    let rest = Rest::new(server.url(), &key);
    for writer in 0..WRITERS {
        let listed = list_all(&rest, &person(writer)).await;
        for (_, id, text) in before.iter().filter(|(by, ..)| *by == writer) {
            assert_eq!(listed.get(id), Some(text), "{id} was acknowledged before the backup");
        }
        let mut of_thread: BTreeMap<&str, usize> = BTreeMap::new();
        for text in listed.values() {
            let number = text.split("number ").nth(1).unwrap();
            *of_thread.entry(&number[..4]).or_default() += 1;
        }
        assert!(of_thread.values().all(|count| *count == 2), "{of_thread:?}");
        let (_, last, text) = before.iter().rfind(|(by, ..)| *by == writer).unwrap();
        let search = json!({"query": text, "user_id": person(writer), "limit": 10});
        let found = rest.post("/v1/memories/search", &search).await.unwrap().1;
        assert!(found.to_string().contains(last.as_str()), "{text}: {found}");
    }
    let (status, memory) = rest.get(&format!("/v1/memories/{secret}?user_id=ada")).await.unwrap();
    assert_eq!(status, 200, "{memory}");
    assert!(text_of(&memory, "memory").contains("Quokka-Bartholomew-9"), "{memory}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_its_owner_s_alone_and_takes_no_name_that_is_taken() {
    let (data, _server, _, file) = place_with_backup("kayak").await;
    let mode = |file: &Path| std::fs::metadata(file).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&file), 0o600);
    let taken = data.path().join("letter");
    std::fs::write(&taken, "dear Ada").unwrap();
    let refused = backup(data.path(), &taken);
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stderr.contains("already exists"), "{}", refused.stderr);
    assert_eq!(std::fs::read(&taken).unwrap(), b"dear Ada");

    let nowhere = tempfile::tempdir().unwrap();
    let refused = backup(nowhere.path(), &nowhere.path().join("backup.db"));
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stderr.contains("there is no database"), "{}", refused.stderr);
    assert_eq!(std::fs::read_dir(nowhere.path()).unwrap().count(), 0, "nothing is made");
}

/// What is in a directory, by name.
fn names(directory: &Path) -> Vec<String> {
    let names = std::fs::read_dir(directory).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: BTreeSet<String> = names.collect();
    names.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_is_killed_or_ended_leaves_no_file_of_its_name() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path());
    let rest = Rest::new(server.url(), &server.first_key());
    let padding = "x".repeat(15_000);
    for part in 0..4 {
        let lines: String = (part * 500..(part + 1) * 500)
            .map(|number| {
                let mut line: Value = serde_json::from_str(&line(number, "ada")).unwrap();
                line["memory"]["metadata"] = json!({"padding": padding});
                line.to_string() + "\n"
            })
            .collect();
        assert_eq!(rest.post_bytes("/v1/import", lines).await.unwrap().0, 200);
    }
    for signal in ["KILL", "TERM", "INT"] {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("backup.db");
        let mut command = memsync_command(data.path(), &[]);
        command.args(["backup", file.to_str().unwrap()]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let is_writing = async || (!names(place.path()).is_empty()).then_some(());
        eventually("it writes", BOUND, is_writing).await;
        let kill = format!("kill -{signal} {}", child.id());
        std::process::Command::new("sh").args(["-c", &kill]).status().unwrap();
        let ended = child.wait().unwrap();
        if ended.success() {
            // It was done before.
            restore(tempfile::tempdir().unwrap().path(), &file).expect_success("restore");
            continue;
        }
        assert!(!file.exists(), "SIG{signal}");
        if signal != "KILL" {
            assert_eq!(names(place.path()), [""; 0], "SIG{signal}");
        }
    }
    let file = data.path().join("backup.db");
    backup(data.path(), &file).expect_success("a backup after these");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_database_takes_the_place_of_the_other_which_is_kept_with_its_log() {
    let (data, server, rest, file) = place_with_backup("kayak").await;
    store(&rest, "ada", "t2", &["I bought a lantern in Turku.".to_owned()]).await;
    // The lantern is in the log only.
    server.kill();
    assert!(data.path().join("memsync.db-wal").metadata().unwrap().len() > 0);
    restore(data.path(), &file).expect_success("restore");
    let kept = names(data.path()).into_iter().find(|name| name.contains(".replaced-"));
    let kept = data.path().join(kept.unwrap());
    let texts = memories_in(data.path(), rest.key()).await;
    assert!(texts.len() == 1 && texts[0].contains("kayak"), "{texts:?}");

    restore(data.path(), &kept).expect_success("the other way round");
    let texts = memories_in(data.path(), rest.key()).await;
    assert!(texts.len() == 2 && texts.concat().contains("lantern"), "{texts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_database_is_replaced_and_its_log_not_taken_for_the_new_one_s() {
    let (data, server, rest, file) = place_with_backup("kayak").await;
    store(&rest, "ada", "t2", &["I bought a lantern in Turku.".to_owned()]).await;
    server.kill();
    let damaged = data.path().join("memsync.db");
    let log = data.path().join("memsync.db-wal");
    // A log without the database's first page, or it would mend what is done to that.
    let database = Database::connect(format!("sqlite://{}", damaged.display()))
        .await
        .unwrap();
    for statement in [
        "PRAGMA wal_checkpoint(TRUNCATE)",
        "UPDATE memories SET reinforced = reinforced",
    ] {
        database.execute_unprepared(statement).await.unwrap();
    }
    let logged = std::fs::read(&log).unwrap();
    database.close().await.unwrap();
    let mut bytes = std::fs::read(&damaged).unwrap();
    bytes[..100].fill(0xa5);
    std::fs::write(&damaged, bytes).unwrap();
    std::fs::write(&log, logged).unwrap();
    restore(data.path(), &file).expect_success("restore");
    let texts = memories_in(data.path(), rest.key()).await;
    assert!(texts.len() == 1 && texts[0].contains("kayak"), "{texts:?}");
    let kept: Vec<String> = names(data.path())
        .into_iter()
        .filter(|name| name.contains(".replaced-"))
        .collect();
    assert!(kept.len() == 2 && kept[1] == format!("{}-wal", kept[0]), "{kept:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_open_is_not_replaced_and_one_that_is_being_replaced_not_opened() {
    let (data, server, rest, file) = place_with_backup("kayak").await;
    store(&rest, "ada", "t2", &["I bought a lantern in Turku.".to_owned()]).await;
    let is_refused = |by: &str| {
        let refused = restore(data.path(), &file);
        assert_eq!(refused.status.code(), Some(1), "{by}");
        assert!(refused.stderr.contains("is in use"), "{by}: {}", refused.stderr);
    };
    is_refused("a server");
    assert_eq!(list_all(&rest, "ada").await.len(), 2, "the server goes on");
    server.stop().expect_success("SIGTERM");

    let other = Database::connect(format!("sqlite://{}", data.path().join("memsync.db").display()));
    let other = other.await.unwrap();
    other.execute_unprepared("SELECT count(*) FROM memories").await.unwrap();
    is_refused("a program that knows nothing of our lock");
    other.close().await.unwrap();

    let lock = File::options()
        .append(true)
        .open(data.path().join("memsync.db.lock"))
        .unwrap();
    lock.lock().unwrap();
    is_refused("another restore");
    let start = memsync(data.path(), &[("MEMSYNC_LISTEN", "127.0.0.1:0")], &["serve"]);
    assert_eq!(start.status.code(), Some(1));
    assert!(start.stderr.contains("being replaced by a backup"), "{}", start.stderr);
    drop(lock);
    assert_eq!(
        memories_in(data.path(), rest.key()).await.len(),
        2,
        "nothing was replaced"
    );
    restore(data.path(), &file).expect_success("restore");
    assert_eq!(memories_in(data.path(), rest.key()).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgresql_a_dump_restored_elsewhere_gives_the_same_answers() {
    let postgres = Postgres::start();
    let (data, url) = (tempfile::tempdir().unwrap(), postgres.url());
    let settings = [("MEMSYNC_DATABASE__URL", url.as_str())];
    let server = Process::start_with(data.path(), &settings);
    let rest = Rest::new(server.url(), &server.first_key());
    let texts = [
        "I work as a baker in Porto.",
        "I love hiking.",
        "I want to build a wooden boat.",
        "My sister Clara lives in Berlin.",
    ];
    let more = ["I play the cello.", "I am allergic to peanuts.", SECRET];
    let texts: Vec<String> = texts.into_iter().chain(more).map(str::to_owned).collect();
    let stored = store(&rest, "ada", "t", &texts).await;
    rest.delete(&format!("/v1/memories/{}?user_id=ada", stored[1].0))
        .await
        .unwrap();
    let answers = async |rest: &Rest| {
        let mut answers = Vec::new();
        for path in [
            "/v1/memories?user_id=ada",
            "/v1/profile?user_id=ada&include=bio,stats",
            "/v1/auth/me",
        ] {
            answers.push(rest.get(path).await.unwrap());
        }
        for query in ["work", "password", "family"] {
            let search = json!({"query": query, "user_id": "ada", "rerank": true});
            answers.push(rest.post("/v1/memories/search", &search).await.unwrap());
        }
        for (status, answer) in &mut answers {
            assert_eq!(*status, 200, "{answer}");
            for changing in ["processing_time", "timestamp", "request_id"] {
                answer.as_object_mut().unwrap().remove(changing);
            }
        }
        answers
    };
    let before = answers(&rest).await;
    assert!(
        before[0].1.to_string().contains("Quokka-Bartholomew-9"),
        "{}",
        before[0].1
    );
    let dump = data.path().join("backup.dump");
    let refused = memsync(data.path(), &settings, &["backup", dump.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1));
    let said = format!("pg_dump --format=custom --file={} '{url}'", dump.display());
    assert!(refused.stderr.contains(&said), "{}", refused.stderr);

    postgres.client(
        "pg_dump",
        &["--format=custom", &format!("--file={}", dump.display()), &url],
    );
    server.stop().expect_success("SIGTERM");
    postgres.sql("CREATE DATABASE restored");
    let restored = format!("{}/restored", url.rsplit_once('/').unwrap().0);
    let settings = [("MEMSYNC_DATABASE__URL", restored.as_str())];
    let refused = memsync(data.path(), &settings, &["restore", "--from", dump.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1));
    let said = format!(
        "pg_restore --exit-on-error --no-owner --dbname='{restored}' {}",
        dump.display()
    );
    assert!(refused.stderr.contains(&said), "{}", refused.stderr);
    let to = format!("--dbname={restored}");
    postgres.client(
        "pg_restore",
        &["--exit-on-error", "--no-owner", &to, dump.to_str().unwrap()],
    );
    let server = Process::start_with(data.path(), &settings);
    let rest = Rest::new(server.url(), rest.key());
    assert_eq!(answers(&rest).await, before);
    let more = store(&rest, "ada", "t2", &["I moved to Lisbon.".to_owned()]).await;
    assert_eq!(more.len(), 1, "and it goes on");
}
