//! Ids that nobody takes for others, in every place where a client can put one.

use std::collections::BTreeSet;

use memsync::proto::v1 as pb;
use sea_orm::{ConnectionTrait, Database};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;

use super::methods;
use crate::process::{Process, find_key, memsync};
use crate::support::{Answer, DEFAULT_SCOPES, PASSWORD, Rest, TestServer, bindings, conversation, send};

/// An id of each kind that is refused.
const BAD: [&str; 12] = [
    ".",
    "..",
    "%2e%2E",
    "x/../y",
    "..\\data",
    " alice",
    "alice ",
    "ali\u{ad}ce",
    "ali\u{34f}ce",
    "alice\u{3164}",
    "ali\u{e0041}ce",
    "ali\u{a0}ce",
];

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// The fields that a 400 blames.
#[track_caller]
fn blamed(answer: &Answer) -> Vec<String> {
    let details = answer.failure(400, "VALIDATION_ERROR");
    let violations = details["violations"].as_array().unwrap().iter();
    violations
        .map(|violation| violation["field"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_reads_like_another_is_refused_wherever_it_is_given() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let session = server.register("grace@example.com").await;
    let session = server.bearer(&session.access_token);
    for bad in BAD {
        let story = conversation("t", &["I live in Oslo."]);
        for name in ["user_id", "agent_id", "thread_id", "source"] {
            let mut story = story.clone();
            story[name] = bad.into();
            assert_eq!(blamed(&rest.post("/v1/memories", &story).await), [name], "{bad:?}");
        }
        let mut identified = story.clone();
        identified["messages"][0]["id"] = bad.into();
        assert_eq!(
            blamed(&rest.post("/v1/memories", &identified).await),
            ["messages[0].id"],
            "{bad:?}"
        );
        for (verb, path, name) in [
            ("GET", format!("/v1/memories?user_id={}", encoded(bad)), "user_id"),
            ("GET", format!("/v1/profile?user_id={}", encoded(bad)), "user_id"),
            ("GET", format!("/v1/export?user_id={}", encoded(bad)), "user_id"),
            ("POST", format!("/v1/import?user_id={}", encoded(bad)), "user_id"),
            ("GET", format!("/v1/memories/{}", encoded(bad)), "memory_id"),
            ("DELETE", format!("/v1/memories/{}", encoded(bad)), "memory_id"),
        ] {
            // The URL library of this very test takes dots out of paths.
            if name == "memory_id" && [".", ".."].contains(&bad) {
                continue;
            }
            let answer = rest.call(verb, &path, &Value::Null).await;
            assert_eq!(blamed(&answer), [name], "{verb} {path}");
        }
        if bad.trim() == bad {
            let answer = rest.with("x-user-id", bad).get("/v1/memories").await;
            assert_eq!(blamed(&answer), ["x-user-id"], "{bad:?}");
        }
        let key = json!({"name": "k", "allowed_user_ids": ["bob", bad]});
        let answer = session.post("/v1/api-keys", &key).await;
        assert_eq!(blamed(&answer), ["allowed_user_ids[1]"], "{bad:?}");
        let ids = json!({"memory_ids": [bad]});
        let answer = rest.post("/v1/memories/batch-delete", &ids).await;
        assert_eq!(blamed(&answer), ["memory_ids[0]"], "{bad:?}");
        let line = json!({"format": 1, "memory": {
            "id": "mem_1", "memory": "User lives in Oslo.", "type": "semantic", "categories": ["identity"],
            "importance": 0.5, "user_id": bad, "version": 1, "created_at": "2026-01-15T16:30:00Z",
            "updated_at": "2026-01-15T16:30:00Z",
        }});
        let import = async |query: &str| {
            let request = rest.request("POST", &format!("/v1/import{query}"));
            send(request.body(line.to_string())).await.ok()
        };
        let report = import("").await;
        assert_eq!(report["failed"], 1, "{bad:?}: {report}");
        assert!(
            report["errors"][0]["reason"]
                .as_str()
                .unwrap()
                .starts_with("memory.user_id"),
            "{report}"
        );
        assert_eq!(
            import("?user_id=bob&dry_run=true").await["imported"],
            1,
            "a good name in its place is taken"
        );
    }
    let users = rest.get("/v1/users").await.ok();
    assert_eq!(users["users"], json!([]), "nobody was made");
    let twice = rest
        .with("x-user-id", "alice")
        .with("x-user-id", "bob")
        .get("/v1/memories")
        .await;
    assert_eq!(blamed(&twice), ["x-user-id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_refuses_the_same_ids() {
    let server = TestServer::start().await;
    let key = server.create_key("ada@example.com", &DEFAULT_SCOPES).await.secret;
    let mut client = server.memories(&[("x-api-key", &key)]);
    for bad in BAD {
        let request = pb::EraseUserRequest {
            user_id: bad.to_owned(),
        };
        let status = client.erase_user(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{bad:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_registers_an_address_that_reads_like_anothers() {
    let server = TestServer::start().await;
    server.register("ada@example.com").await;
    for email in [
        "a\u{ad}da@example.com",
        "ada@exam\u{200b}ple.com",
        "ada@example.com\u{3164}",
        "ad\u{e0061}a@example.com",
    ] {
        let body = json!({"email": email, "password": PASSWORD});
        let answer = server.anonymous().post("/v1/auth/register", &body).await;
        assert_eq!(blamed(&answer), ["email"], "{email:?}");
    }
}

/// The status that a request gets whose path is sent as it stands.
async fn status_of(server: &TestServer, verb: &str, path: &str, header: &str) -> u16 {
    let mut connection = TcpStream::connect(server.address()).await.unwrap();
    let head = format!(
        "{verb} {path} HTTP/1.1\r\nhost: memsync\r\n{header}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

/// A path as URL libraries leave it.
fn normalised(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_id_made_of_dots_reaches_a_route() {
    let server = TestServer::start().await;
    let key = server.create_key("ada@example.com", &DEFAULT_SCOPES).await.secret;
    let header = format!("x-api-key: {key}");
    let rest = server.rest(&key);
    rest.store(&conversation("t", &["I live in Oslo."])).await;
    let all: Vec<_> = methods().iter().flat_map(bindings).collect();
    let mut elsewhere = BTreeSet::new();
    for binding in all.iter().filter(|binding| binding.template.contains('{')) {
        for dots in [".", "..", "%2e", "%2E%2e", ".%2e"] {
            let segments = binding.template.split('/');
            let path: Vec<&str> = segments.map(|s| if s.starts_with('{') { dots } else { s }).collect();
            let path = path.join("/");
            let status = status_of(&server, &binding.verb, &path, &header).await;
            assert!((400..500).contains(&status), "{} {path}: {status}", binding.verb);
            let path = normalised(&path);
            let other = all
                .iter()
                .find(|other| other.template == path && other.verb == binding.verb);
            if let Some(other) = other.filter(|other| other.verb != "GET") {
                elsewhere.insert(format!("{} {}", other.verb, other.template));
            }
        }
    }
    // It is refused where anything beside the path names somebody.
    assert_eq!(elsewhere, BTreeSet::from(["DELETE /v1/data".to_owned()]));
    assert_eq!(rest.list("").await.len(), 1, "nothing was erased");
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_data_are_not_erased_by_a_request_that_names_somebody() {
    let server = TestServer::start().await;
    let key = server.create_key("ada@example.com", &DEFAULT_SCOPES).await.secret;
    let rest = server.rest(&key);
    rest.store(&conversation("t", &["I live in Oslo."])).await;
    let answer = rest.with("x-user-id", "alice").delete("/v1/data").await;
    assert_eq!(blamed(&answer), ["x-user-id"]);
    // As a URL library leaves `/v1/users/../data?user_id=..`.
    let answer = rest.delete("/v1/data?user_id=..").await;
    assert_eq!(blamed(&answer), ["user_id"]);
    let mut client = server.memories(&[("x-api-key", &key), ("x-user-id", "alice")]);
    let status = client
        .erase_own_data(pb::EraseOwnDataRequest::default())
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(rest.list("").await.len(), 1);
    let erased = rest.with("x-user-id", "").delete("/v1/data").await.ok();
    assert_eq!(erased["erased"]["memories"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_erases_nobody_by_a_path_of_dots() {
    let server = TestServer::start().await;
    let ada = server.register("ada@example.com").await;
    server
        .bearer(&ada.access_token)
        .store(&conversation("t", &["I live in Oslo."]))
        .await;
    let header = format!(
        "cookie: memsync_access={}; memsync_refresh=none; memsync_csrf=none\r\nsec-fetch-site: same-origin\r\n\
         x-csrf-token: none",
        ada.access_token
    );
    for path in [
        "/v1/users/../data",
        "/v1/users/%2e%2e/data",
        "/v1/data?user_id=..",
        "/../../v1/data",
        "//v1/data",
    ] {
        let status = status_of(&server, "DELETE", &format!("/dashboard/api{path}"), &header).await;
        assert!((400..500).contains(&status), "{path}: {status}");
    }
    let rest: Rest = server.bearer(&ada.access_token);
    assert_eq!(rest.list("").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_stored_under_such_an_id_before_is_listed_and_erased_on_the_command_line() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path());
    let create = [
        "key",
        "create",
        "--create-account",
        "--email",
        "ada@example.com",
        "--name",
        "k",
    ];
    let key = find_key(&memsync(data.path(), &[], &create).expect_success("key create").stdout).unwrap();
    let rest = crate::process::Rest::new(server.url(), &key);
    for user_id in ["first", "second"] {
        let mut story = conversation("t", &["I live in Oslo."]);
        story["user_id"] = user_id.into();
        assert_eq!(rest.post("/v1/memories", &story).await.unwrap().0, 200);
    }
    server.stop().expect_success("SIGTERM");
    let file = format!("sqlite://{}", data.path().join("memsync.db").display());
    let database = Database::connect(file).await.unwrap();
    for (from, to) in [("first", ".."), ("second", "ali\u{ad}ce")] {
        let rename = format!("UPDATE persons SET user_id = '{to}' WHERE user_id = '{from}'");
        database.execute_unprepared(&rename).await.unwrap();
    }
    database.close().await.unwrap();

    let person = |arguments: &[&str]| {
        let arguments = [&["person"], arguments, &["--email", "ada@example.com"]].concat();
        memsync(data.path(), &[], &arguments).expect_success("person").stdout
    };
    let listed = || {
        let people = person(&["list"]);
        // A heading comes first.
        let people = people
            .lines()
            .skip(1)
            .map(|line| line.split_whitespace().map(str::to_owned).collect());
        people.collect::<Vec<Vec<String>>>()
    };
    assert_eq!(listed(), [["..", "1"], ["ali\\u00adce", "1"]]);
    for user_id in ["..", "ali\u{ad}ce"] {
        let receipt = person(&["erase", "--user-id", user_id]);
        assert_eq!(receipt.trim().split('.').count(), 3, "{receipt}");
    }
    assert!(listed().is_empty());
}
