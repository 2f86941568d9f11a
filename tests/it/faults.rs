//! A database that is away, cut off, slow, full or read-only gives 503 in the documented shape; nothing that was
//! acknowledged is lost, and the service recovers by itself.

use std::time::Duration;

use sea_orm::{ConnectionTrait, Database, TransactionTrait};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{BOUND, Process, Rest, eventually, memsync};
use crate::support::{Answer, Postgres, Proxy, Way, send};

mod files;
mod overload;
mod rounds;

/// A server over PostgreSQL behind a proxy, and a key of it.
struct Place {
    server: Process,
    rest: Rest,
    proxy: Proxy,
    postgres: Postgres,
    _data: TempDir,
}

impl Place {
    async fn start(settings: &[(&str, &str)]) -> Self {
        let postgres = Postgres::start();
        let proxy = Proxy::before(postgres.port, Way::Open).await;
        let (data, url) = (tempfile::tempdir().unwrap(), proxy.url());
        let settings = [&with_short_limits(&url), settings].concat();
        let server = Process::start_with(data.path(), &settings);
        let rest = Rest::new(server.url(), &server.first_key());
        Self {
            server,
            rest,
            proxy,
            postgres,
            _data: data,
        }
    }

    /// Stores a fact of its own; the id of its memory.
    async fn store(&self, number: usize) -> Result<String, (u16, Value)> {
        let (status, answer) = self.rest.post("/v1/memories", &fact(number)).await.unwrap();
        match status {
            200 => Ok(answer["memories"][0]["id"].as_str().unwrap().to_owned()),
            _ => Err((status, answer)),
        }
    }

    async fn is_refused(&self, what: &str) {
        let url = format!("{}/v1/memories", self.server.url());
        let request = reqwest::Client::new().post(url).json(&fact(9_999));
        unavailable(&send(request.header("x-api-key", self.rest.key())).await, what);
    }

    async fn recovers(&self) {
        eventually("the service recovers", BOUND, async || self.store(1_000).await.ok()).await;
        eventually("it says that it serves", BOUND, async || {
            (health(&self.server).await.status == 200).then_some(())
        })
        .await;
    }
}

/// Settings that let a fault show soon.
fn with_short_limits(url: &str) -> [(&str, &str); 3] {
    [
        ("MEMSYNC_DATABASE__URL", url),
        ("MEMSYNC_DATABASE__TIMEOUT", "1"),
        ("MEMSYNC_DATABASE__STATEMENT_TIMEOUT", "1"),
    ]
}

fn fact(number: usize) -> Value {
    let text = format!("I bought kayak number {number:05} in the town of Porto.");
    json!({"messages": [{"role": "user", "content": text}], "agent_id": "a", "thread_id": format!("t{number}"),
        "source": "s", "user_id": "ada"})
}

async fn health(server: &Process) -> Answer {
    send(reqwest::Client::new().get(format!("{}/healthcheck", server.url()))).await
}

/// Checks that an answer is the documented 503, which says when to try again.
#[track_caller]
fn unavailable(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 503, "{what}");
    answer.failure(503, "SERVICE_UNAVAILABLE");
    assert!(answer.header("retry-after").is_some(), "{what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_down_at_the_start_is_waited_for() {
    let Place {
        server,
        rest,
        proxy,
        _data: data,
        postgres: _postgres,
    } = Place::start(&[]).await;
    server.stop().expect_success("SIGTERM");
    proxy.set(Way::Cut);
    let url = proxy.url();
    let server = Process::start_with(data.path(), &with_short_limits(&url));
    unavailable(&health(&server).await, "not ready");
    let keyed = reqwest::Client::new().get(format!("{}/v1/memories", server.url()));
    unavailable(&send(keyed.header("x-api-key", rest.key())).await, "with a key");
    let refused = memsync(data.path(), &with_short_limits(&url), &["key", "list"]);
    assert!(!refused.status.success(), "a command does not wait");

    proxy.set(Way::Open);
    let rest = Rest::new(server.url(), rest.key());
    eventually("it is ready", BOUND, async || {
        (health(&server).await.status == 200).then_some(())
    })
    .await;
    assert_eq!(rest.post("/v1/memories", &fact(1)).await.unwrap().0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_cut_under_writers_loses_nothing_that_was_acknowledged() {
    let place = Place::start(&[]).await;
    let mut kept = Vec::new();
    for round in 0..3 {
        let writing = async {
            let mut kept = Vec::new();
            for number in 0..40 {
                match place.store(round * 100 + number).await {
                    Ok(id) => kept.push(id),
                    Err((status, answer)) => assert_eq!(status, 503, "{answer}"),
                }
            }
            kept
        };
        let cutting = async {
            eventually("writers are at it", BOUND, async || {
                place.store(10_000 + round).await.ok()
            })
            .await;
            place.proxy.set(Way::Cut);
            place.is_refused("cut").await;
            place.proxy.set(Way::Open);
        };
        let (written, ()) = tokio::join!(writing, cutting);
        kept.extend(written);
        place.recovers().await;
    }
    for id in &kept {
        let path = format!("/v1/memories/{id}?user_id=ada");
        assert_eq!(place.rest.get(&path).await.unwrap().0, 200, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_stopped_answering_holds_nobody_up_for_long() {
    let place = Place::start(&[]).await;
    let id = place.store(1).await.unwrap();
    place.proxy.set(Way::Stalled);
    place.is_refused("stalled").await;
    eventually("it says that it does not serve", BOUND, async || {
        (health(&place.server).await.status == 503).then_some(())
    })
    .await;
    // Each of these would take a second and more if the database were asked.
    for _ in 0..200 {
        place.is_refused("known to be away").await;
    }
    place.proxy.set(Way::Open);
    place.recovers().await;
    assert_eq!(
        place
            .rest
            .get(&format!("/v1/memories/{id}?user_id=ada"))
            .await
            .unwrap()
            .0,
        200
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_database_makes_answers_late_and_not_wrong() {
    let place = Place::start(&[("MEMSYNC_DATABASE__TIMEOUT", "20")]).await;
    place.proxy.set(Way::Slow(Duration::from_millis(40)));
    let id = place.store(1).await.unwrap();
    let (status, memory) = place.rest.get(&format!("/v1/memories/{id}?user_id=ada")).await.unwrap();
    assert_eq!((status, &memory["id"]), (200, &json!(id)));
    assert_eq!(health(&place.server).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crashed_and_restarted_postgresql_is_found_again() {
    let place = Place::start(&[]).await;
    let id = place.store(1).await.unwrap();
    place.postgres.crash();
    place.is_refused("crashed").await;
    place.postgres.resume();
    place.recovers().await;
    assert_eq!(
        place
            .rest
            .get(&format!("/v1/memories/{id}?user_id=ada"))
            .await
            .unwrap()
            .0,
        200
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_postgresql_answers_readers_and_refuses_writers_until_it_is_not() {
    let place = Place::start(&[]).await;
    let id = place.store(1).await.unwrap();
    let read_only = |value: &str| {
        place
            .postgres
            .sql(&format!("ALTER SYSTEM SET default_transaction_read_only = {value}"));
        place.postgres.sql("SELECT pg_reload_conf()");
    };
    read_only("on");
    eventually("writes are refused", BOUND, async || {
        place.store(2).await.err().filter(|(status, _)| *status == 503)
    })
    .await;
    place.is_refused("read-only").await;
    assert_eq!(
        place
            .rest
            .get(&format!("/v1/memories/{id}?user_id=ada"))
            .await
            .unwrap()
            .0,
        200
    );
    let search = json!({"query": "kayak", "user_id": "ada"});
    assert_eq!(place.rest.post("/v1/memories/search", &search).await.unwrap().0, 200);
    read_only("off");
    place.recovers().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgresql_whose_disk_is_full_refuses_writers_and_keeps_what_it_has() {
    let place = Place::start(&[]).await;
    let id = place.store(1).await.unwrap();
    // What PostgreSQL says when it can't extend a file.
    place.postgres.sql(
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
         END $$;
         CREATE TRIGGER full_disk BEFORE INSERT ON memories FOR EACH ROW EXECUTE FUNCTION full_disk()",
    );
    place.is_refused("full").await;
    assert_eq!(
        place
            .rest
            .get(&format!("/v1/memories/{id}?user_id=ada"))
            .await
            .unwrap()
            .0,
        200
    );
    place.postgres.sql("DROP TRIGGER full_disk ON memories");
    place.recovers().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_somebody_else_holds_refuses_writers_until_it_is_released() {
    // The wait for the lock is over long before the statement's time is.
    let place = Place::start(&[("MEMSYNC_DATABASE__STATEMENT_TIMEOUT", "20")]).await;
    let id = place.store(1).await.unwrap();
    let other = Database::connect(place.postgres.url()).await.unwrap();
    let lock = other.begin().await.unwrap();
    lock.execute_unprepared("LOCK TABLE memories IN SHARE ROW EXCLUSIVE MODE")
        .await
        .unwrap();
    place.is_refused("locked").await;
    let path = format!("/v1/memories/{id}?user_id=ada");
    assert_eq!(place.rest.get(&path).await.unwrap().0, 200, "readers go on");
    lock.rollback().await.unwrap();
    place.recovers().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_idles_for_too_long_is_refused_and_not_a_fault_of_ours() {
    let place = Place::start(&[("MEMSYNC_DATABASE__TIMEOUT", "20")]).await;
    place.store(1).await.unwrap();
    // From one answer to the next question of the same transaction it takes longer than the second that it may idle.
    place.proxy.set(Way::Slow(Duration::from_millis(700)));
    place.is_refused("idle").await;
    place.proxy.set(Way::Open);
    place.recovers().await;
}
