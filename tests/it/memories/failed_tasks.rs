//! What is given up is kept, sealed, until an operator has it done again, its person is erased or it is too old.

use std::path::Path;

use memsync::model::TaskState;
use memsync::services::TaskQueue;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend};
use serde_json::{Value, json};

use crate::process::{self, BOUND, Finished, Process, eventually, memsync};
use crate::support::{Hand, PASSWORD, Postgres, Rest, TestServer, conversation};

const WORDS: &str = "My quokka is called Bartholomew.";

fn later(user_id: &str, words: &str) -> Value {
    let mut body = conversation("t", &[words]);
    body["async"] = true.into();
    body["user_id"] = user_id.into();
    body
}

/// A database in which no memory can be kept: a fault that waiting does not mend.
struct Broken(DatabaseConnection);

impl Broken {
    async fn at(url: &str) -> Self {
        let database = Database::connect(url).await.unwrap();
        let sql = match database.get_database_backend() {
            DbBackend::Postgres => {
                "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'broken'; END $$;
                 CREATE TRIGGER broken BEFORE INSERT ON memories FOR EACH ROW EXECUTE FUNCTION broken()"
            }
            _ => "CREATE TRIGGER broken BEFORE INSERT ON memories BEGIN SELECT RAISE(ABORT, 'broken'); END",
        };
        database.execute_unprepared(sql).await.unwrap();
        Self(database)
    }

    async fn of(server: &TestServer) -> Self {
        Self::at(&server.database.url(server.dir.path())).await
    }

    async fn mend(self) {
        let sql = match self.0.get_database_backend() {
            DbBackend::Postgres => "DROP TRIGGER broken ON memories",
            _ => "DROP TRIGGER broken",
        };
        self.0.execute_unprepared(sql).await.unwrap();
        self.0.close().await.unwrap();
    }
}

/// The id of a task that was taken on and given up.
async fn given_up(rest: &Rest, body: &Value) -> String {
    let taken = rest.post("/v1/memories", body).await;
    assert_eq!(taken.status, 202, "{taken:?}");
    let id = taken.json()["task_id"].as_str().unwrap().to_owned();
    has_ended(rest, &id, "FAILED").await;
    id
}

async fn has_ended(rest: &Rest, id: &str, status: &str) {
    eventually(status, BOUND, async || {
        let task = rest.get(&format!("/v1/integrations/status/{id}")).await.ok();
        (task["status"] == status).then_some(())
    })
    .await;
}

async fn count(tasks: &TaskQueue) -> usize {
    tasks.list(None, None).await.unwrap().len()
}

/// One life of a task through the real binary and its command line.
async fn scenario(data: &Path, settings: &[(&str, &str)], database: &str) {
    let command = |arguments: &[&str]| memsync(data, settings, &[&["task"], arguments].concat());
    let list = |arguments: &[&str]| -> Vec<Value> {
        let listed = command(&[&["list", "--json"], arguments].concat()).expect_success("task list");
        listed
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let server = Process::start_with(data, settings);
    let rest = process::Rest::new(server.url(), &server.first_key());
    let broken = Broken::at(database).await;
    let (status, taken) = rest.post("/v1/memories", &later("anna", WORDS)).await.unwrap();
    assert_eq!(status, 202, "{taken}");
    let id = taken["task_id"].as_str().unwrap();
    let has_ended = async |status: &str| {
        eventually(status, BOUND, async || {
            let (_, task) = rest.get(&format!("/v1/integrations/status/{id}")).await.unwrap();
            (task["status"] == status).then_some(task)
        })
        .await
    };
    let expected = json!({"task_id": id, "status": "FAILED", "error_message": "It failed too often and was abandoned"});
    assert_eq!(has_ended("FAILED").await, expected);

    let listed = list(&["--state", "failed", "--email", "local@memsync.dev"]);
    let expected = json!([{
        "task_id": id, "account_id": listed[0]["account_id"], "email": "local@memsync.dev", "user_id": "anna",
        "kind": "store", "state": "failed",
        "attempts": 1, "due_at": listed[0]["due_at"], "created_at": listed[0]["created_at"],
        "last_error": "internal error",
    }]);
    assert_eq!(json!(listed), expected);
    let table = command(&["list"]).expect_success("task list").stdout;
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    let headers = [
        "TASK", "ACCOUNT", "PERSON", "KIND", "STATE", "ATTEMPTS", "DUE", "CREATED", "ERROR",
    ];
    assert_eq!(lines[0], headers, "{table}");
    assert_eq!(
        lines[1][..6],
        [id, "local@memsync.dev", "anna", "store", "failed", "1"],
        "{table}"
    );
    assert_eq!(
        (lines.len(), &lines[1][8..]),
        (2, &["internal", "error"][..]),
        "{table}"
    );
    for state in ["pending", "running", "done"] {
        assert!(list(&["--state", state]).is_empty(), "{state}");
    }

    broken.mend().await;
    let retried = command(&["retry", id]).expect_success("task retry");
    assert_eq!(
        (retried.stdout.as_str(), retried.stderr.contains("1 tasks")),
        ("", true)
    );
    has_ended("SUCCESS").await;
    let (_, memories) = rest.get("/v1/memories?user_id=anna").await.unwrap();
    assert_eq!(memories["pagination"]["total_items"], 1, "{memories}");
    assert_eq!(memories["data"][0]["memory"], "User's quokka is called Bartholomew.");
    let done = list(&[]);
    assert_eq!((&done[0]["state"], done[0].get("last_error")), (&json!("done"), None));

    let refused = |ended: Finished, why: &str| {
        assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(1), ""));
        assert!(ended.stderr.contains(why), "{}", ended.stderr);
    };
    refused(command(&["retry", id]), &format!("there is no failed task {id}"));
    refused(
        command(&["list", "--email", "nobody@example.com"]),
        "there is no account",
    );
    let none = command(&["retry", "--all-failed"]).expect_success("task retry");
    assert!(none.stderr.contains("0 tasks"), "{}", none.stderr);
    server.stop().expect_success("SIGTERM");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_sees_what_was_given_up_and_has_it_done_again_on_sqlite() {
    let data = tempfile::tempdir().unwrap();
    let file = format!("sqlite://{}", data.path().join("memsync.db").display());
    scenario(data.path(), &[], &file).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_sees_what_was_given_up_and_has_it_done_again_on_postgresql() {
    let postgres = Postgres::start();
    let (data, url) = (tempfile::tempdir().unwrap(), postgres.url());
    scenario(data.path(), &[("MEMSYNC_DATABASE__URL", &url)], &url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_is_sealed_and_goes_with_its_person_or_account() {
    let server = TestServer::start().await;
    let ada = server.register("ada@example.com").await;
    let rest = server.bearer(&ada.access_token);
    let broken = Broken::of(&server).await;
    for user_id in ["anna", "ben"] {
        given_up(&rest, &later(user_id, WORDS)).await;
    }
    for word in ["quokka", "bartholomew"] {
        assert_eq!(server.traces_of(word), 0, "{word} is kept in the clear");
    }
    let tasks = &server.running.app.tasks;
    assert_eq!(count(tasks).await, 2);
    let erased = rest.delete("/v1/users/anna/data").await.ok();
    assert_eq!(erased["erased"]["jobs"], 1);
    let left = tasks.list(None, None).await.unwrap();
    assert_eq!(
        left.iter().map(|task| &*task.owner.user_id).collect::<Vec<_>>(),
        ["ben"]
    );
    let body = json!({"password": PASSWORD});
    rest.call("DELETE", "/v1/auth/me", &body).await.ok();
    assert_eq!(count(tasks).await, 0);
    assert_eq!(tasks.retry(None).await.unwrap(), 0);
    broken.mend().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_can_be_done_again_for_seven_days() {
    const DAY: i64 = 86_400;
    let hand = Hand::new();
    let server = TestServer::start_with(|_| {}, hand.clock()).await;
    let rest = server.ada().await;
    let broken = Broken::of(&server).await;
    let (memories, tasks) = (&server.running.app.memories, &server.running.app.tasks);
    let id = given_up(&rest, &later("anna", WORDS)).await;
    hand.forward(7 * DAY - 1);
    memories.purge().await.unwrap();
    assert_eq!(count(tasks).await, 1);
    assert_eq!(tasks.retry(None).await.unwrap(), 1);
    has_ended(&rest, &id, "FAILED").await;
    // It was given up anew, and is kept for as long again.
    hand.forward(2);
    memories.purge().await.unwrap();
    assert_eq!(count(tasks).await, 1);
    hand.forward(7 * DAY);
    memories.purge().await.unwrap();
    assert_eq!(count(tasks).await, 0);
    broken.mend().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_can_not_be_read_is_given_up_and_holds_up_no_other() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let broken = Broken::of(&server).await;
    let mut ids = Vec::new();
    for user_id in ["anna", "ben", "cleo"] {
        ids.push(given_up(&rest, &later(user_id, WORDS)).await);
    }
    for change in [
        "SET sealed = (SELECT wrapped_key FROM account_keys) WHERE user_id = 'anna'",
        "SET kind = 'dream' WHERE user_id = 'ben'",
    ] {
        broken
            .0
            .execute_unprepared(&format!("UPDATE tasks {change}"))
            .await
            .unwrap();
    }
    broken.mend().await;
    let tasks = &server.running.app.tasks;
    assert_eq!(tasks.retry(None).await.unwrap(), 3);
    // The other two come before it.
    has_ended(&rest, &ids[2], "SUCCESS").await;
    let listed = tasks.list(None, Some(TaskState::Failed)).await.unwrap();
    let why: Vec<_> = listed
        .iter()
        .map(|task| (task.id.as_str(), task.last_error.as_deref()))
        .collect();
    let expected = [
        (ids[0].as_str(), Some("the task can't be decrypted")),
        (ids[1].as_str(), Some("this kind of task is unknown")),
    ];
    assert_eq!(why, expected);
}
