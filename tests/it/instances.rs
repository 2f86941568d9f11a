//! Three instances over one PostgreSQL are one service: limits, sessions, keys and counts are shared.

use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, Database, TransactionTrait};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{BOUND, Process, Rest, eventually, memsync};
use crate::support::Postgres;

const SECRET: &str = "the one secret of every instance, long enough";
const MASTER_KEY: &str = "b25lIG1hc3RlciBrZXkgb2YgYWxsIGluc3RhbmNlcy4=";
/// What an instance believes of a key or a session for at most two seconds, and a slow machine's leeway.
const SOON: Duration = Duration::from_secs(10);

struct Instances {
    servers: Vec<(Process, TempDir)>,
    _postgres: Postgres,
}

/// Three instances, and a key as the command line prints it.
fn start(settings: &[(&str, &str)], key: &[&str]) -> (Instances, Value) {
    let postgres = Postgres::start();
    let url = postgres.url();
    let common = [
        ("MEMSYNC_DATABASE__URL", url.as_str()),
        ("MEMSYNC_AUTH__JWT_SECRET", SECRET),
        ("MEMSYNC_ENCRYPTION__MASTER_KEY", MASTER_KEY),
        ("MEMSYNC_BOOTSTRAP", "false"),
        ("MEMSYNC_USAGE__FLUSH_INTERVAL", "0.2"),
    ];
    let settings = [&common, settings].concat();
    let place = tempfile::tempdir().unwrap();
    let create = [
        "key",
        "create",
        "--email",
        "ada@example.com",
        "--create-account",
        "--json",
    ];
    let created = memsync(place.path(), &settings, &[create.as_slice(), key].concat());
    let key = serde_json::from_str(&created.expect_success("key create").stdout).unwrap();
    let servers = (0..3).map(|_| {
        let place = tempfile::tempdir().unwrap();
        (Process::start_with(place.path(), &settings), place)
    });
    let servers = servers.collect();
    let instances = Instances {
        servers,
        _postgres: postgres,
    };
    (instances, key)
}

impl Instances {
    fn clients(&self, key: &Value) -> Vec<Rest> {
        let key = key["key"].as_str().unwrap();
        let client = |(server, _): &(Process, TempDir)| Rest::new(server.url(), key);
        self.servers.iter().map(client).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn together_they_let_no_more_requests_through_than_one_would() {
    const LIMIT: usize = 60;
    let limit = LIMIT.to_string();
    let (instances, key) = start(&[("MEMSYNC_LIMITS__REQUESTS_PER_MINUTE", &limit)], &["--name", "n"]);
    let clients = instances.clients(&key);
    let started = Instant::now();
    let callers = clients.into_iter().map(|client| {
        tokio::spawn(async move {
            let mut answers = Vec::new();
            for _ in 0..LIMIT {
                answers.push(client.get("/v1/auth/me").await.unwrap());
            }
            answers
        })
    });
    let mut answers = Vec::new();
    for caller in callers.collect::<Vec<_>>() {
        answers.extend(caller.await.unwrap());
    }
    let gained = started.elapsed().as_secs() as usize + 1;
    let allowed = answers.iter().filter(|(status, _)| *status == 200).count();
    assert!(allowed <= LIMIT + gained, "{allowed} of {LIMIT} in {gained} s");
    // What one instance took and did not use, another can't have.
    assert!(allowed >= LIMIT - 2 * LIMIT / 10, "{allowed} of {LIMIT}");
    for (status, body) in answers.iter().filter(|(status, _)| *status != 200) {
        assert_eq!((*status, &body["error"]["code"]), (429, &json!("RATE_LIMIT_EXCEEDED")));
        assert_eq!(body["error"]["details"]["limit"], LIMIT);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_its_own_limit_has_it_once_and_not_on_every_instance() {
    let (instances, key) = start(&[], &["--name", "n", "--rate-limit-per-minute", "4"]);
    let clients = instances.clients(&key);
    let started = Instant::now();
    let mut allowed = 0;
    for round in 0..12 {
        let (status, _) = clients[round % 3].get("/v1/auth/me").await.unwrap();
        allowed += u64::from(status == 200);
    }
    let gained = started.elapsed().as_secs() / 15 + 1;
    assert!((4..=4 + gained).contains(&allowed), "{allowed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_works_on_all_and_ends_on_all() {
    let (instances, key) = start(&[], &["--name", "n", "--scopes", "memories:read,keys:read"]);
    let clients = instances.clients(&key);
    let account = json!({"email": "grace@example.com", "password": "correct horse battery"});
    let (status, tokens) = clients[0].post("/v1/auth/register", &account).await.unwrap();
    assert_eq!(status, 201, "{tokens}");
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let as_grace = async |client: &reqwest::Client, index: usize, method: &str, path: &str| {
        let url = format!("{}{path}", instances.servers[index].0.url());
        let request = client.request(method.parse().unwrap(), url);
        let request = request.header("authorization", &bearer);
        request.send().await.unwrap().status().as_u16()
    };
    let client = reqwest::Client::new();
    for index in 0..3 {
        assert_eq!(as_grace(&client, index, "GET", "/v1/auth/me").await, 200, "{index}");
    }
    assert_eq!(as_grace(&client, 1, "POST", "/v1/auth/logout").await, 200);
    assert_eq!(
        as_grace(&client, 1, "GET", "/v1/auth/me").await,
        401,
        "at once where it ended"
    );
    for index in [0, 2] {
        eventually("the session has ended on another instance", SOON, async || {
            (as_grace(&client, index, "GET", "/v1/auth/me").await == 401).then_some(())
        })
        .await;
    }

    let id = key["api_key_id"].as_str().unwrap();
    let (place, url) = (tempfile::tempdir().unwrap(), instances._postgres.url());
    let settings = [("MEMSYNC_DATABASE__URL", url.as_str())];
    memsync(place.path(), &settings, &["key", "revoke", id]).expect_success("key revoke");
    for client in &clients {
        eventually("the revoked key is refused", SOON, async || {
            (client.get("/v1/memories").await.unwrap().0 == 401).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_each_counts_adds_up() {
    let (instances, key) = start(&[], &["--name", "n", "--scopes", "memories:read,usage:read"]);
    let clients = instances.clients(&key);
    for client in &clients {
        for _ in 0..7 {
            assert_eq!(client.get("/v1/memories").await.unwrap().0, 200);
        }
    }
    eventually("every instance has written its counts", SOON, async || {
        let (_, usage) = clients[0].get("/v1/usage").await.unwrap();
        let series = usage["series"].as_array().unwrap();
        let lists = series.iter().filter(|point| point["endpoint"] == "ListMemories");
        (lists.map(|point| point["requests"].as_u64().unwrap()).sum::<u64>() == 21).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_is_behind_or_gone_hides_nothing_from_a_search() {
    let postgres = Postgres::start();
    let standby = postgres.standby();
    let (url, replica_url) = (postgres.url(), standby.url());
    let settings = [
        ("MEMSYNC_DATABASE__URL", url.as_str()),
        ("MEMSYNC_DATABASE__REPLICA_URL", replica_url.as_str()),
        ("MEMSYNC_AUTH__JWT_SECRET", SECRET),
    ];
    let places = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let first = Process::start_with(places[0].path(), &settings);
    let key = first.first_key();
    let second = Process::start_with(places[1].path(), &settings);
    let (first, second) = (Rest::new(first.url(), &key), Rest::new(second.url(), &key));
    let is_found = async |thing: &str| {
        let words = format!("I bought a {thing} in Porto.");
        let body = json!({"messages": [{"role": "user", "content": words}], "agent_id": "a", "thread_id": thing,
            "source": "s"});
        assert_eq!(first.post("/v1/memories", &body).await.unwrap().0, 200);
        let (status, found) = second
            .post("/v1/memories/search", &json!({"query": thing}))
            .await
            .unwrap();
        assert_eq!(status, 200, "{found}");
        assert!(found.to_string().contains(thing), "{thing}: {found}");
    };
    is_found("kayak").await;
    standby.sql("SELECT pg_wal_replay_pause()");
    is_found("violin").await;
    is_found("lantern").await;
    standby.sql("SELECT pg_wal_replay_resume()");
    is_found("teapot").await;
    let reads = "SELECT sum(seq_scan + idx_scan) > 0 FROM pg_stat_user_tables WHERE relname = 'memories'";
    eventually("indexes were loaded from the replica", SOON, async || {
        (standby.sql(reads).trim() == "t").then_some(())
    })
    .await;
    standby.crash();
    is_found("saddle").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_them_sweeps_for_all() {
    let (instances, _) = start(&[], &["--name", "n"]);
    let sweeps = "SELECT name FROM leases WHERE name IN ('expiry', 'purge') ORDER BY name";
    eventually("each sweep has a holder", SOON, async || {
        (instances._postgres.sql(sweeps) == "expiry\npurge\n").then_some(())
    })
    .await;
    let holders = "SELECT count(DISTINCT holder) FROM leases WHERE name IN ('expiry', 'purge') GROUP BY name";
    assert_eq!(instances._postgres.sql(holders), "1\n1\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_instance_was_at_when_it_died_another_does_and_each_task_is_done_once() {
    const TASKS: usize = 66;
    const PEOPLE: usize = 6;
    let (mut instances, key) = start(&[], &["--name", "n"]);
    let clients = instances.clients(&key);
    // Nobody can keep a memory, so that each instance is in the middle of a task when one of them dies.
    let database = Database::connect(instances._postgres.url()).await.unwrap();
    let lock = database.begin().await.unwrap();
    lock.execute_unprepared("LOCK TABLE memories IN SHARE ROW EXCLUSIVE MODE")
        .await
        .unwrap();
    let mut ids = Vec::new();
    for number in 0..TASKS {
        let words = format!("I own kayak number {number}.");
        let body = json!({"messages": [{"role": "user", "content": words}], "agent_id": "a", "source": "s",
            "thread_id": format!("t{number}"), "user_id": format!("person {}", number % PEOPLE), "async": true});
        let (status, taken) = clients[number % 3].post("/v1/memories", &body).await.unwrap();
        assert_eq!(status, 202, "{taken}");
        ids.push(taken["task_id"].as_str().unwrap().to_owned());
    }
    let sql = |sql: &str| instances._postgres.sql(sql);
    eventually("each instance is at a task", SOON, async || {
        (sql("SELECT count(*) FROM tasks WHERE state = 'running'") == "3\n").then_some(())
    })
    .await;
    let (dead, _place) = instances.servers.pop().unwrap();
    dead.kill();
    lock.rollback().await.unwrap();

    eventually("the others have done all but what it was at", BOUND, async || {
        let rest = sql("SELECT state, attempts FROM tasks WHERE state <> 'done'");
        (rest == "running|1\n").then_some(())
    })
    .await;
    // In place of half a minute.
    sql("UPDATE tasks SET due_at = now() WHERE state = 'running'");
    for (client, id) in (0..2).flat_map(|client| ids.iter().map(move |id| (client, id))) {
        eventually(id, BOUND, async || {
            let (_, task) = clients[client]
                .get(&format!("/v1/integrations/status/{id}"))
                .await
                .unwrap();
            (task["status"] == "SUCCESS" && task["result"]["memories_created"] == 1).then_some(())
        })
        .await;
    }
    let attempts = "SELECT attempts, count(*) FROM tasks GROUP BY attempts ORDER BY attempts";
    assert_eq!(sql(attempts), format!("1|{}\n2|1\n", TASKS - 1));
    let mut texts = Vec::new();
    for person in 0..PEOPLE {
        let path = format!("/v1/memories?user_id=person%20{person}&page_size=100");
        let (_, page) = clients[person % 2].get(&path).await.unwrap();
        let memories = page["data"].as_array().unwrap();
        texts.extend(
            memories
                .iter()
                .map(|memory| memory["memory"].as_str().unwrap().to_owned()),
        );
    }
    texts.sort_unstable();
    let mut expected: Vec<_> = (0..TASKS)
        .map(|number| format!("User owns kayak number {number}."))
        .collect();
    expected.sort_unstable();
    assert_eq!(texts, expected);
}
