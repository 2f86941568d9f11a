//! Everything that this program can be asked to do, done once.

use memsync::config::Config;
use memsync::model::{Clock, TaskState};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::clients_oauth::Program;
use crate::logs::two_runs;
use crate::parity::every_route_is_called;
use crate::portability::a_life;
use crate::process::{BOUND, Finished, eventually, memsync};
use crate::support::{Rest, TestDatabase, TestServer, conversation};

pub async fn is_done(database: TestDatabase, directory: TempDir) {
    let url = database.url(directory.path());
    two_runs(directory.path(), &[("MEMSYNC_DATABASE__URL", &url)]).await;
    let limited = |config: &mut Config| {
        config.limits.requests_per_minute = 1_000_000;
        config.limits.searches_per_minute = 1_000_000;
        config.limits.max_memories_per_account = 1_000_000;
        config.limits.max_memories_per_person = 1_000_000;
        config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    };
    let server = TestServer::start_in(directory, database, limited, Clock::system()).await;
    programs(&server).await;
    guesses(&server).await;
    every_route_is_called(&server).await;
    let rest = server.ada().await;
    a_life(&rest).await;
    past(&rest).await;
    let hand = Database::connect(url).await.unwrap();
    tasks(&server, &rest, &hand).await;
    operator(&server, &rest).await;
    sweeps(&server, &rest, &hand).await;
    server.running.stop().await.unwrap();
}

fn command(server: &TestServer, arguments: &[&str]) -> Finished {
    let url = server.database.url(server.dir.path());
    let ended = memsync(server.dir.path(), &[("MEMSYNC_DATABASE__URL", &url)], arguments);
    ended.expect_success(&arguments.join(" "))
}

async fn programs(server: &TestServer) {
    let program = Program::register(server).await;
    let tokens = program.exchange(&program.code().await).await.ok();
    let next = program.refresh(&tokens).await.ok();
    program.token(&[("grant_type", "client_credentials")]).await.ok();
    // What was spent already ends the grant.
    assert_eq!(program.refresh(&tokens).await.status.as_u16(), 400);
    assert_eq!(program.refresh(&next).await.status.as_u16(), 400);
}

/// What is asked of the past, in every way.
async fn past(rest: &Rest) {
    let at = "as_of=2100-01-01T00:00:00Z";
    rest.search(&json!({"query": "music", "as_of": "2100-01-01T00:00:00Z"}))
        .await;
    for narrowed in [
        "sort=updated_at&order=asc",
        "sort=importance&include_superseded=true",
        "category=career",
        "type=semantic",
        "instruction=true",
        "agent_id=assistant",
        "thread_id=t",
    ] {
        rest.list(&format!("{at}&{narrowed}")).await;
    }
}

/// So many wrong passwords from everywhere that it matters who was here before.
async fn guesses(server: &TestServer) {
    let mut statuses = Vec::new();
    for guess in 0..=100 {
        let rest = server
            .anonymous()
            .with("x-forwarded-for", &format!("203.0.113.{guess}"));
        let body = json!({"email": "guessed@example.com", "password": "a guess"});
        statuses.push(rest.post("/v1/auth/login", &body).await.status.as_u16());
    }
    assert_eq!((statuses[99], statuses[100]), (401, 429));
}

/// A task that is put off, given up, and done again.
async fn tasks(server: &TestServer, rest: &Rest, hand: &DatabaseConnection) {
    let fail_with = async |code: &str| {
        let sql = format!(
            "CREATE OR REPLACE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
               RAISE EXCEPTION 'broken' USING ERRCODE = '{code}';
             END $$;
             CREATE OR REPLACE TRIGGER broken BEFORE INSERT ON memories FOR EACH ROW EXECUTE FUNCTION broken()"
        );
        hand.execute_unprepared(&sql).await.unwrap();
    };
    fail_with("53100").await;
    let mut later = conversation("later", &["I collect theodolites."]);
    later["async"] = true.into();
    let taken = rest.post("/v1/memories", &later).await.json();
    let id = taken["task_id"].as_str().unwrap();
    let tasks = &server.running.app.tasks;
    eventually("it is put off", BOUND, async || {
        let waiting = tasks.list(None, Some(TaskState::Pending)).await.unwrap();
        waiting.iter().any(|task| task.attempts > 0).then_some(())
    })
    .await;
    fail_with("P0001").await;
    let has_ended = async |status: &str| {
        eventually(status, BOUND, async || {
            let task = rest.get(&format!("/v1/integrations/status/{id}")).await.ok();
            (task["status"] == status).then_some(())
        })
        .await;
    };
    has_ended("FAILED").await;
    hand.execute_unprepared("DROP TRIGGER broken ON memories")
        .await
        .unwrap();
    command(
        server,
        &["task", "list", "--state", "failed", "--email", "ada@example.com"],
    );
    command(server, &["task", "list"]);
    command(server, &["task", "retry", id]);
    command(server, &["task", "retry", "--all-failed"]);
    has_ended("SUCCESS").await;
}

/// What the command line does, while the server runs.
async fn operator(server: &TestServer, rest: &Rest) {
    let grace = ["--email", "grace@example.com"];
    let create = ["key", "create", "--name", "n", "--create-account", "--json"];
    let made: Value = serde_json::from_str(&command(server, &[&create[..], &grace].concat()).stdout).unwrap();
    command(server, &["key", "list"]);
    command(server, &[&["key", "list"][..], &grace].concat());
    command(server, &["key", "revoke", made["api_key_id"].as_str().unwrap()]);
    command(
        server,
        &["user", "create", "--email", "ben@example.com", "--name", "Ben"],
    );
    command(server, &["user", "list"]);
    command(server, &[&["user", "delete"][..], &grace].concat());

    let once = rest.with("idempotency-key", "once");
    let stored = once
        .store(&conversation("t", &["My password is Wombat-Ferdinand-3."]))
        .await;
    once.store(&conversation("t", &["My password is Wombat-Ferdinand-3."]))
        .await;
    let id = stored["memories"][0]["id"].as_str().unwrap();
    let deleted = rest.delete(&format!("/v1/memories/{id}")).await.ok();
    command(server, &["restore", deleted["backup_id"].as_str().unwrap()]);
    rest.search(&json!({"query": "password"})).await;

    let ada = ["--email", "ada@example.com"];
    let exported = command(server, &[&["export"][..], &ada].concat()).stdout;
    let file = server.dir.path().join("export.ndjson");
    std::fs::write(&file, exported).unwrap();
    command(server, &[&["import"][..], &ada, &[file.to_str().unwrap()]].concat());
    command(
        server,
        &["import", "--email", "ben@example.com", file.to_str().unwrap()],
    );
    command(server, &["rotate-master-key"]);
}

/// What is done from time to time, with something to do.
async fn sweeps(server: &TestServer, rest: &Rest, hand: &DatabaseConnection) {
    rest.store(&conversation("t", &["I own a red canoe."])).await;
    let over = "UPDATE memories SET expires_at = now() - interval '1 day' WHERE text LIKE '%canoe%'";
    hand.execute_unprepared(over).await.unwrap();
    let app = &server.running.app;
    assert_eq!(app.memories.forget_expired().await.unwrap(), 1);
    app.usage.flush().await.unwrap();
    app.audit.flush().await.unwrap();
    app.auth.purge().await.unwrap();
    app.memories.purge().await.unwrap();
    app.usage.purge(chrono::TimeDelta::zero()).await.unwrap();
    app.audit.purge(chrono::TimeDelta::zero()).await.unwrap();
}
