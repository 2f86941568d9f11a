//! SQLite in a file that can't grow, and in the hands of another process.

use std::process::Command;

use sea_orm::{ConnectionTrait, Database};

use super::{fact, health, unavailable};
use crate::process::{BOUND, Process, Rest, eventually, run};
use crate::support::{Answer, files_with, send};

async fn store(server: &Process, rest: &Rest, number: usize) -> Answer {
    let request = reqwest::Client::new().post(format!("{}/v1/memories", server.url()));
    send(request.header("x-api-key", rest.key()).json(&fact(number))).await
}

/// How large files of a process may get, in bytes.
fn limit_files(server: &Process, bytes: &str) {
    let mut prlimit = Command::new("prlimit");
    prlimit.args(["--pid", &server.id().to_string(), &format!("--fsize={bytes}:")]);
    run(prlimit).expect_success("prlimit");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_can_not_grow_refuses_writers_and_keeps_what_it_has() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start_deaf_to(data.path(), "XFSZ");
    let rest = Rest::new(server.url(), &server.first_key());
    let stored = store(&server, &rest, 1).await.ok();
    let id = stored["memories"][0]["id"].as_str().unwrap().to_owned();

    limit_files(&server, "4096");
    for number in 2..5 {
        unavailable(&store(&server, &rest, number).await, "no room");
    }
    let path = format!("/v1/memories/{id}?user_id=ada");
    assert_eq!(rest.get(&path).await.unwrap().0, 200);
    limit_files(&server, "unlimited");
    eventually("it stores again", BOUND, async || {
        (store(&server, &rest, 5).await.status == 200).then_some(())
    })
    .await;

    server.kill();
    let server = Process::start(data.path());
    let rest = Rest::new(server.url(), rest.key());
    let list = rest.get("/v1/memories?user_id=ada&page_size=100").await.unwrap().1;
    let texts: Vec<&str> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["memory"].as_str().unwrap())
        .collect();
    assert!(texts.iter().any(|text| text.contains("00001")) && texts.iter().any(|text| text.contains("00005")));
    assert!(
        !texts.iter().any(|text| text.contains("00003")),
        "what was refused is not there: {texts:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_another_process_has_locked_refuses_writers_until_it_lets_go() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start_with(data.path(), &[("MEMSYNC_DATABASE__TIMEOUT", "1")]);
    let rest = Rest::new(server.url(), &server.first_key());
    store(&server, &rest, 1).await.ok();

    let file = format!("sqlite://{}", data.path().join("memsync.db").display());
    let other = Database::connect(file).await.unwrap();
    other.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
    unavailable(&store(&server, &rest, 2).await, "locked");
    assert_eq!(
        rest.get("/v1/memories?user_id=ada").await.unwrap().0,
        200,
        "readers go on"
    );
    assert_eq!(health(&server).await.status, 200);
    other.close().await.unwrap();
    eventually("it stores again", BOUND, async || {
        (store(&server, &rest, 3).await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_reads_a_file_for_long_holds_up_neither_deletions_nor_writers() {
    let data = tempfile::tempdir().unwrap();
    // Longer than any request here may take.
    let server = Process::start_with(data.path(), &[("MEMSYNC_DATABASE__TIMEOUT", "1000")]);
    let rest = Rest::new(server.url(), &server.first_key());
    let stored = store(&server, &rest, 77_001).await.ok();
    let id = stored["memories"][0]["id"].as_str().unwrap().to_owned();

    let file = format!("sqlite://{}", data.path().join("memsync.db").display());
    let reader = Database::connect(file).await.unwrap();
    reader
        .execute_unprepared("BEGIN; SELECT count(*) FROM memories")
        .await
        .unwrap();
    let path = format!("/v1/memories/{id}?user_id=ada&backup=false");
    assert_eq!(rest.delete(&path).await.unwrap().0, 200);
    let id = store(&server, &rest, 77_002).await.ok()["memories"][0]["id"].clone();
    assert!(files_with(data.path(), "number 77001") > 0, "the reader still sees it");
    reader.close().await.unwrap();

    let path = format!("/v1/memories/{}?user_id=ada&backup=false", id.as_str().unwrap());
    assert_eq!(rest.delete(&path).await.unwrap().0, 200);
    for number in ["number 77001", "number 77002"] {
        assert_eq!(files_with(data.path(), number), 0, "the next deletion empties the log");
    }
}
