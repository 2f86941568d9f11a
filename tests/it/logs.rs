//! The log: one JSON object for each request, and in no line of any level what only the user may know.

mod keeper;

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memsync::proto::v1::memory_service_client::MemoryServiceClient;
use memsync::proto::v1::{self as pb};
use serde_json::{Value, json};

use self::keeper::{EMAIL, Keeper, NEXT_PASSWORD, channel, with_key};
use crate::process::Process;
use crate::support::{install_crypto, send};

/// Two runs of a server in which everything happens that has to do with secrets; both logs, and the secrets.
pub async fn two_runs(data: &Path, settings: &[(&str, &str)]) -> (String, Vec<(&'static str, String)>) {
    let mut keeper = Keeper::new();
    let server = Process::start_with(data, settings);
    keeper.keep("the first key", &server.first_key());
    keeper.base = server.url();
    let bearer = keeper.people().await;
    keeper.memories(&bearer).await;
    keeper.programs(&bearer).await;
    let first = server.stop().expect_success("SIGTERM");

    let server = Process::start_with(data, settings);
    keeper.base = server.url();
    let login = json!({"email": EMAIL, "password": NEXT_PASSWORD});
    let session = keeper.json("POST", "/v1/auth/login", ("", ""), &login, 200).await;
    keeper.keep_tokens(&session);
    keeper.memories(&bearer).await;
    let end = json!({"password": NEXT_PASSWORD});
    keeper
        .json("DELETE", "/v1/auth/me", ("authorization", &bearer), &end, 200)
        .await;
    let second = server.stop().expect_success("SIGTERM");
    for secret in ["jwt_secret", "receipt_key"] {
        let bytes = std::fs::read(data.join(secret)).unwrap();
        let text = String::from_utf8_lossy(&bytes).trim().to_owned();
        keeper.secrets.push(("a secret of the server's own", text));
        keeper
            .secrets
            .push(("a secret of the server's own", STANDARD.encode(bytes)));
    }
    (first.stderr + &second.stderr, keeper.secrets)
}

fn assert_no_secret(log: &str, secrets: &[(&str, String)]) {
    assert!(secrets.len() > 40, "{}", secrets.len());
    for line in log.lines() {
        for (what, secret) in secrets {
            assert!(!line.contains(secret.as_str()), "{what} is in the log: {line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_line_of_the_most_talkative_log_has_a_secret_or_a_word_of_a_memory() {
    let data = tempfile::tempdir().unwrap();
    let talkative = "trace,sqlx::query=trace,sqlx::postgres=trace";
    let settings = [("MEMSYNC_LOG", talkative), ("MEMSYNC_LOG_FORMAT", "json")];
    let (log, secrets) = two_runs(data.path(), &settings).await;
    assert_no_secret(&log, &secrets);
    for level in ["TRACE", "DEBUG", "INFO"] {
        assert!(
            log.contains(&format!("\"level\":\"{level}\"")),
            "the log is as talkative as it can be: {level}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_request_is_one_json_object_of_the_log_with_all_that_an_operator_asks_for() {
    install_crypto();
    let data = tempfile::tempdir().unwrap();
    let server = Process::start_with(data.path(), &[("MEMSYNC_LOG_FORMAT", "json")]);
    let key = server.first_key();
    let http = reqwest::Client::new();
    let (user_id, none) = {
        let me = send(
            http.get(format!("{}/v1/auth/me", server.url()))
                .header("x-api-key", &key),
        )
        .await;
        (me.ok()["user_id"].clone(), Value::Null)
    };
    let mut expected = vec![(
        "GET".to_owned(),
        "/v1/auth/me".to_owned(),
        200,
        user_id.clone(),
        Value::Null,
    )];
    for (verb, path, shown, with_key, status) in [
        ("GET", "/healthcheck", "/healthcheck", false, 200),
        ("GET", "/v1/memories?page=2&agent_id=a", "/v1/memories", true, 200),
        ("GET", "/v1/memories", "/v1/memories", false, 401),
        ("GET", "/v1/memories/mem_none", "/v1/memories/{memory_id}", true, 404),
        ("GET", "/v1/api-keys", "/v1/api-keys", true, 403),
        ("POST", "/v1/memories", "/v1/memories", true, 400),
        ("PUT", "/v1/memories", "/v1/memories", true, 405),
        ("OPTIONS", "/v1/memories", "/v1/memories", false, 204),
        ("GET", "/nothing%20here", "unknown", true, 404),
        (
            "GET",
            "/v1/memories/%2e%2e/history",
            "/v1/memories/{memory_id}/history",
            true,
            400,
        ),
        ("PUT", "/v1/users/alice/data", "/v1/users/{user_id}/data", true, 405),
        ("GET", "/dashboard/memories/mem_1", "/dashboard/{*path}", false, 200),
        ("POST", "/oauth/token", "/oauth/token", false, 400),
        (
            "GET",
            "/.well-known/oauth-authorization-server",
            "/.well-known/oauth-authorization-server",
            false,
            200,
        ),
    ] {
        let request = http.request(verb.parse().unwrap(), format!("{}{path}", server.url()));
        let request = if with_key {
            request.header("x-api-key", &key)
        } else {
            request
        };
        let id = format!("id-{}", expected.len());
        let answer = send(request.header("x-request-id", &id)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("x-request-id")),
            (status, Some(id.as_str())),
            "{path}"
        );
        // Whoever asks for no route is not asked who they are.
        let known = with_key && !matches!(status, 405) && shown.starts_with("/v1");
        let user_id = if known { user_id.clone() } else { none.clone() };
        expected.push((verb.to_owned(), shown.to_owned(), status, user_id, none.clone()));
    }
    let mut grpc = MemoryServiceClient::new(channel(&server.url()));
    let path = |rpc: &str| format!("/memsync.v1.MemoryService/{rpc}");
    grpc.list_memories(with_key(pb::ListMemoriesRequest::default(), &key))
        .await
        .unwrap();
    expected.push((
        "POST".to_owned(),
        path("ListMemories"),
        200,
        user_id.clone(),
        none.clone(),
    ));
    grpc.search_memories(with_key(pb::SearchMemoriesRequest::default(), &key))
        .await
        .unwrap_err();
    expected.push(("POST".to_owned(), path("SearchMemories"), 200, user_id, json!("3")));

    let log = server.stop().expect_success("SIGTERM").stderr;
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    for line in &lines {
        assert!(
            line["level"].is_string() && line["timestamp"].is_string() && line["message"].is_string(),
            "{line}"
        );
    }
    let answered: Vec<&Value> = lines.iter().filter(|line| line["message"] == "answered").collect();
    assert_eq!(
        answered.len(),
        expected.len(),
        "one line for each request: {answered:#?}"
    );
    for (index, (line, (method, path, status, user_id, grpc_status))) in answered.iter().zip(expected).enumerate() {
        let shown = json!([
            line["level"],
            line["method"],
            line["path"],
            line["status"],
            line["user_id"]
        ]);
        assert_eq!(shown, json!(["INFO", method, path, status, user_id]), "{line}");
        assert_eq!(line["grpc_status"], grpc_status, "{line}");
        assert!(
            line["duration_ms"]
                .as_f64()
                .is_some_and(|ms| (0.0..60_000.0).contains(&ms)),
            "{line}"
        );
        let id = line["request_id"].as_str().unwrap();
        let ours = (1..15).contains(&index);
        assert!(id.starts_with(if ours { "id-" } else { "req_" }), "{line}");
    }
}
