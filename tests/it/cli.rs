//! The command line and the life of the process, as `operations` documents them.

mod existing;
mod first_start;
mod lists;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::process::{BOUND, Process, Rest, eventually, find_key, memsync, run};

/// How long a revocation by another process may stay unnoticed: 2 s, and slack for a busy machine.
const REVOCATION_BOUND: Duration = Duration::from_secs(4);
const EMAIL: &str = "ada@example.com";

fn create_key(data: &Path, more: &[&str]) -> String {
    let arguments = [&["key", "create", "--email", EMAIL, "--name", "laptop"], more].concat();
    memsync(data, &[], &arguments).expect_success("key create").stdout
}

#[test]
fn the_first_start_prints_a_key_once_and_a_curl_that_works_as_pasted() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path());
    let key = server.first_key();
    let welcome = server.stdout();
    let curls: Vec<&str> = welcome
        .lines()
        .map(str::trim)
        .filter(|l| l.starts_with("curl "))
        .collect();
    assert_eq!(curls.len(), 2, "{welcome}");
    let answers: Vec<Value> = curls
        .iter()
        .map(|curl| {
            let mut bash = Command::new("bash");
            bash.args(["-c", curl]);
            serde_json::from_str(&run(bash).expect_success(curl).stdout).unwrap()
        })
        .collect();
    assert_eq!(answers[0]["success"], true, "{}", answers[0]);
    let best = &answers[1]["memories"][0];
    assert!(
        best["memory"].as_str().unwrap().contains("data engineer"),
        "{}",
        answers[1]
    );
    let first = server.stop().expect_success("SIGTERM");
    assert!(!first.stderr.contains(&key), "the key is in the log:\n{}", first.stderr);
    assert!(
        !first.stderr.contains('\u{1b}'),
        "colours in a log that is no terminal:\n{}",
        first.stderr
    );

    let second = Process::start(data.path()).stop().expect_success("SIGTERM");
    assert_eq!([find_key(&second.stdout), find_key(&second.stderr)], [None, None]);
}

#[tokio::test]
async fn without_bootstrap_the_first_start_makes_no_account() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start_with(data.path(), &[("MEMSYNC_BOOTSTRAP", "false")]);
    let (status, answer) = Rest::new(server.url(), "none").get("/v1/memories").await.unwrap();
    assert_eq!(status, 401, "{answer}");
    assert_eq!(server.stop().expect_success("SIGTERM").stdout, "");
    let accounts = memsync(data.path(), &[], &["user", "list"]).expect_success("user list");
    assert_eq!(accounts.stdout, "");
}

#[tokio::test]
async fn the_account_of_the_first_start_signs_in_once_it_has_a_password() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path());
    server.first_key();
    let rest = Rest::new(server.url(), "none");
    let sign_in = json!({"email": "local@memsync.dev", "password": "a quokka in Lisbon"});
    assert_eq!(rest.post("/v1/auth/login", &sign_in).await.unwrap().0, 401);
    let set = |password: &str| {
        let mut set = Command::new("sh");
        set.args([
            "-c",
            "echo \"$PASSWORD\" | \"$PROGRAM\" user password --email local@memsync.dev",
        ])
        .env("PASSWORD", password)
        .env("PROGRAM", env!("CARGO_BIN_EXE_memsync"))
        .env("MEMSYNC_DATA_DIR", data.path());
        run(set)
    };
    let short = set("short");
    assert_eq!(short.status.code(), Some(1));
    assert_eq!(short.stderr, "memsync: password: must be 12 to 256 characters\n");
    set("a quokka in Lisbon").expect_success("user password");
    let (status, answer) = rest.post("/v1/auth/login", &sign_in).await.unwrap();
    assert_eq!(
        (status, &answer["email"]),
        (200, &json!("local@memsync.dev")),
        "{answer}"
    );

    set("another quokka in Lisbon").expect_success("user password");
    let refresh = json!({"refresh_token": answer["refresh_token"]});
    assert_eq!(
        rest.post("/v1/auth/refresh", &refresh).await.unwrap().0,
        401,
        "its sessions end"
    );
}

#[test]
fn the_address_file_holds_the_chosen_address() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path());
    let written = std::fs::read_to_string(data.path().join("address")).unwrap();
    assert_eq!(written.trim(), server.address.to_string());
    assert_ne!(server.address.port(), 0);
}

#[tokio::test]
async fn key_create_prints_the_key_alone_or_one_json_object() {
    let data = tempfile::tempdir().unwrap();
    let unknown = ["key", "create", "--email", EMAIL, "--name", "laptop"];
    let refused = memsync(data.path(), &[], &unknown);
    assert_eq!((refused.status.code(), refused.stdout.as_str()), (Some(1), ""));
    assert!(refused.stderr.contains("--create-account"), "{}", refused.stderr);

    let plain = create_key(data.path(), &["--create-account"]);
    let key = find_key(&plain).unwrap();
    assert_eq!(plain, format!("{key}\n"));

    let shown = create_key(
        data.path(),
        &["--json", "--scopes", "memories:read,usage:read", "--expires-in", "30d"],
    );
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["name"], "laptop");
    assert_eq!(shown["scopes"], json!(["memories:read", "usage:read"]));
    assert!(shown["api_key_id"].as_str().unwrap().starts_with("key_"), "{shown}");
    for time in ["created_at", "expires_at"] {
        let text = shown[time].as_str().unwrap();
        assert!(
            text.ends_with('Z') && text.contains('T'),
            "{time} is RFC 3339 with Z: {text}"
        );
    }
    let eternal: Value = serde_json::from_str(&create_key(data.path(), &["--json"])).unwrap();
    assert!(
        eternal.get("expires_at").is_none(),
        "absent fields are omitted: {eternal}"
    );

    let server = Process::start(data.path());
    let read_only = Rest::new(server.url(), shown["key"].as_str().unwrap());
    assert_eq!(read_only.get("/v1/memories").await.unwrap().0, 200);
    let message = json!({"role": "user", "content": "I live in Oslo."});
    let body = json!({"messages": [message], "agent_id": "a", "thread_id": "t", "source": "s"});
    let (status, answer) = read_only.post("/v1/memories", &body).await.unwrap();
    assert_eq!(
        (status, &answer["error"]["code"]),
        (403, &json!("PERMISSION_DENIED")),
        "{answer}"
    );
    let (status, answer) = Rest::new(server.url(), &key).post("/v1/memories", &body).await.unwrap();
    assert_eq!(status, 200, "{answer}");
}

#[test]
fn a_key_with_an_unknown_scope_is_not_made() {
    let data = tempfile::tempdir().unwrap();
    memsync(data.path(), &[], &["user", "create", "--email", EMAIL]).expect_success("user create");
    let arguments = [
        "key",
        "create",
        "--email",
        EMAIL,
        "--name",
        "n",
        "--scopes",
        "memories:read,everything",
    ];
    let refused = memsync(data.path(), &[], &arguments);
    assert_eq!((refused.status.code(), refused.stdout.as_str()), (Some(1), ""));
    assert!(refused.stderr.contains("scope"), "{}", refused.stderr);
    assert_eq!(
        memsync(data.path(), &[], &["key", "list"])
            .expect_success("key list")
            .stdout,
        ""
    );
}

#[tokio::test]
async fn a_running_server_notices_a_revoked_key() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start_with(data.path(), &[("MEMSYNC_BOOTSTRAP", "false")]);
    let made: Value = serde_json::from_str(&create_key(data.path(), &["--json", "--create-account"])).unwrap();
    let id = made["api_key_id"].as_str().unwrap();
    let rest = Rest::new(server.url(), made["key"].as_str().unwrap());
    assert_eq!(
        rest.get("/v1/memories").await.unwrap().0,
        200,
        "a key made while the server runs"
    );
    let listed = memsync(data.path(), &[], &["key", "list", "--email", EMAIL]).expect_success("key list");
    assert!(
        listed.stdout.contains(id) && listed.stdout.contains("active"),
        "{}",
        listed.stdout
    );
    assert_eq!(
        find_key(&listed.stdout).filter(|k| k == made["key"].as_str().unwrap()),
        None
    );

    memsync(data.path(), &[], &["key", "revoke", id]).expect_success("key revoke");
    eventually("the revoked key is refused", REVOCATION_BOUND, async || {
        let (status, answer) = rest.get("/v1/memories").await.unwrap();
        assert!([200, 401].contains(&status), "{answer}");
        (status == 401).then_some(())
    })
    .await;
    let listed = memsync(data.path(), &[], &["key", "list"]).expect_success("key list");
    assert!(listed.stdout.contains("revoked"), "{}", listed.stdout);
    let unknown = memsync(data.path(), &[], &["key", "revoke", "key_unknown"]);
    assert_eq!(unknown.status.code(), Some(1), "{unknown:?}");
}

#[tokio::test]
async fn accounts_are_made_listed_and_deleted_with_their_keys() {
    let data = tempfile::tempdir().unwrap();
    let create = ["user", "create", "--email", EMAIL, "--name", "Ada"];
    let made = memsync(data.path(), &[], &create).expect_success("user create");
    let id = made.stdout.trim();
    assert!(id.starts_with("user_"), "{}", made.stdout);
    let twice = memsync(data.path(), &[], &create);
    assert_eq!(twice.status.code(), Some(1), "an address is taken once: {twice:?}");
    let listed = memsync(data.path(), &[], &["user", "list"])
        .expect_success("user list")
        .stdout;
    assert!(
        listed.lines().count() == 2 && listed.contains(id) && listed.contains(EMAIL),
        "{listed}"
    );

    let key = create_key(data.path(), &[]);
    memsync(data.path(), &[], &["user", "delete", "--email", EMAIL]).expect_success("user delete");
    assert_eq!(
        memsync(data.path(), &[], &["user", "list"])
            .expect_success("user list")
            .stdout,
        ""
    );
    assert_eq!(
        memsync(data.path(), &[], &["key", "list"])
            .expect_success("key list")
            .stdout,
        ""
    );
    let again = memsync(data.path(), &[], &["user", "delete", "--email", EMAIL]);
    assert!(
        again.status.code() == Some(1) && again.stderr.contains(EMAIL),
        "{again:?}"
    );
    let server = Process::start_with(data.path(), &[("MEMSYNC_BOOTSTRAP", "false")]);
    assert_eq!(
        Rest::new(server.url(), key.trim()).get("/v1/memories").await.unwrap().0,
        401
    );
}

#[test]
fn migrate_status_down_and_up_agree() {
    let data = tempfile::tempdir().unwrap();
    let status = || {
        memsync(data.path(), &[], &["migrate", "status"])
            .expect_success("migrate status")
            .stdout
    };
    let count = |word: &str| status().lines().filter(|line| line.starts_with(word)).count();
    let all = count("pending");
    assert!(all > 0 && count("applied") == 0, "{}", status());
    for arguments in [["migrate", "up"].as_slice(), &["migrate", "up"]] {
        memsync(data.path(), &[], arguments).expect_success("migrate up");
        assert_eq!((count("applied"), count("pending")), (all, 0));
    }
    memsync(data.path(), &[], &["migrate", "down", "2"]).expect_success("migrate down");
    assert_eq!((count("applied"), count("pending")), (all - 2, 2));
    memsync(data.path(), &[], &["migrate", "down", &(all - 2).to_string()]).expect_success("migrate down");
    assert_eq!((count("applied"), count("pending")), (0, all));
    memsync(data.path(), &[], &["migrate", "up"]).expect_success("migrate up");
    assert_eq!((count("applied"), count("pending")), (all, 0));
}

#[test]
fn healthcheck_ends_with_0_for_a_server_and_1_without_one() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path());
    let elsewhere = tempfile::tempdir().unwrap();
    let check = |url: &str| {
        memsync(elsewhere.path(), &[], &["healthcheck", "--url", url])
            .status
            .code()
    };
    let url = server.url();
    assert_eq!(check(&url), Some(0));
    let listen = server.address.to_string();
    let configured = memsync(elsewhere.path(), &[("MEMSYNC_LISTEN", &listen)], &["healthcheck"]);
    configured.expect_success("healthcheck of the configured address");
    server.stop().expect_success("SIGTERM");
    assert_eq!(check(&url), Some(1));
}

#[test]
fn every_bad_setting_is_named_at_once_and_stops_the_start() {
    let data = tempfile::tempdir().unwrap();
    let settings = [
        ("MEMSYNC_LISTEN", "nonsense"),
        ("MEMSYNC_DATABASE__MAX_CONNECTIONS", "x"),
        ("MEMSYNC_LOG_FORMAT", "xml"),
    ];
    let refused = memsync(data.path(), &settings, &[]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    for name in ["listen", "database.max_connections", "log_format"] {
        assert!(
            refused.stderr.contains(name),
            "{name} is not named:\n{}",
            refused.stderr
        );
    }
    assert!(
        !data.path().join("memsync.db").exists(),
        "nothing is made before the settings are good"
    );
}

#[test]
fn a_port_in_use_stops_the_start_with_a_message_that_names_it() {
    let data = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = memsync(data.path(), &[("MEMSYNC_LISTEN", &address)], &[]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let advice = format!(
        "memsync: listen: {address} is in use: stop the program that listens there, or choose another port with \
         MEMSYNC_LISTEN\n"
    );
    assert_eq!(refused.stderr, advice);
    let next = Process::start(data.path());
    assert!(
        find_key(&next.first_key()).is_some(),
        "a failed start must not use up the first key"
    );
}

#[tokio::test]
async fn a_json_log_is_one_object_a_line_and_holds_neither_keys_nor_memories() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start_with(data.path(), &[("MEMSYNC_LOG_FORMAT", "json"), ("MEMSYNC_LOG", "debug")]);
    let key = server.first_key();
    let rest = Rest::new(server.url(), &key);
    let secret = "zanzibarite";
    let message = json!({"role": "user", "content": format!("I collect {secret} and live in Oslo.")});
    let body = json!({"messages": [message], "agent_id": "a", "thread_id": "t", "source": "s"});
    let id = [("x-request-id", "req-of-the-test")];
    assert_eq!(rest.post_with("/v1/memories", &body, &id).await.unwrap().0, 200);
    let query = json!({"query": format!("Who collects {secret}?")});
    assert_eq!(rest.post("/v1/memories/search", &query).await.unwrap().0, 200);
    assert_eq!(
        rest.get(&format!("/v1/memories?agent_id={secret}")).await.unwrap().0,
        200
    );
    let bad = json!({"query": secret, "limit": secret});
    assert_eq!(rest.post("/v1/memories/search", &bad).await.unwrap().0, 400);
    let foreign = format!("{key}{secret}");
    assert_eq!(
        Rest::new(server.url(), &foreign).get("/v1/memories").await.unwrap().0,
        401
    );

    let log = server.stop().expect_success("SIGTERM").stderr;
    assert!(!log.contains("memsync_sk_live_"), "a key is in the log:\n{log}");
    assert!(!log.contains(secret), "a memory's text is in the log:\n{log}");
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("not JSON ({e}): {line}")))
        .collect();
    // The fields of a request stand in the line itself or in the `span` that the request is.
    let field = |line: &Value, name: &str| line.get(name).or_else(|| line.get("span")?.get(name)).cloned();
    let requests: Vec<&Value> = lines.iter().filter(|l| field(l, "duration_ms").is_some()).collect();
    assert_eq!(requests.len(), 5, "one line a request:\n{log}");
    for line in &requests {
        let duration_ms = field(line, "duration_ms").unwrap().as_f64().unwrap().to_string();
        let decimals = duration_ms.split('.').nth(1).map_or(0, str::len);
        assert!(decimals <= 3, "{duration_ms}");
        assert!(field(line, "request_id").unwrap().is_string(), "{line}");
        assert!(
            ["GET", "POST"].contains(&field(line, "method").unwrap().as_str().unwrap()),
            "{line}"
        );
    }
    let statuses: Vec<u64> = requests
        .iter()
        .map(|l| field(l, "status").unwrap().as_u64().unwrap())
        .collect();
    assert_eq!(statuses, [200, 200, 200, 400, 401]);
    assert_eq!(field(requests[0], "request_id").unwrap(), "req-of-the-test");
    for line in &requests[..4] {
        assert!(
            field(line, "user_id").unwrap().as_str().unwrap().starts_with("user_"),
            "{line}"
        );
    }
}

#[test]
fn sigterm_finishes_a_request_under_way_and_ends_with_0() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path());
    let body = r#"{"query":"anything"}"#;
    let head = format!(
        "POST /v1/memories/search HTTP/1.1\r\nhost: memsync\r\nx-api-key: {}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nexpect: 100-continue\r\n\r\n",
        server.first_key(),
        body.len()
    );
    let mut socket = TcpStream::connect(server.address).unwrap();
    socket.set_read_timeout(Some(BOUND)).unwrap();
    socket.write_all(head.as_bytes()).unwrap();
    // The server asks for the body: the request is under way.
    let mut asked = [0; 25];
    socket.read_exact(&mut asked).unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    server.terminate();
    server.wait_for_log("stopping");
    socket.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let stopped = server.end();
    assert_eq!(stopped.status.code(), Some(0), "{stopped:?}");
}

#[test]
fn a_new_data_directory_and_everything_in_it_is_for_its_owner_alone() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let settings = [("MEMSYNC_DATA_DIR", data.to_str().unwrap())];
    let server = Process::start_with(home.path(), &settings);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let files: Vec<_> = std::fs::read_dir(&data)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    for name in ["memsync.db", "memsync.db-wal", "master_key"] {
        let file = files
            .iter()
            .find(|file| file.ends_with(name))
            .unwrap_or_else(|| panic!("{name} in {files:?}"));
        assert_eq!(mode(file), 0o600, "{name}");
    }
    server.stop().expect_success("SIGTERM");
}
