//! Schemathesis, which makes requests of the OpenAPI document, valid and not, and holds every answer against it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::clients_python::interpreter;
use crate::process::{Process, Rest, find_key, memsync, run_within};
use crate::support::conversation;

/// How long it looks for faults, in seconds.
const BUDGET: &str = "45";
const BOUND: Duration = Duration::from_secs(240);
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,\
                      response_headers_conformance";
/// What would take away the key or the session that the run itself uses.
const DESTROYS_THE_RUN: &str = "^(delete_account|logout|change_password|(rotate|update|delete)_api_key(_unprefixed)?)$";
/// What only a signed-in person may call.
const SIGNED_IN: &str = "^(create_oauth_client|list_oauth_clients|delete_oauth_client|who_am_i)$";
const SCOPES: &str = "memories:read,memories:write,profile:read,profile:write,integrations:read,integrations:write,\
                      usage:read,keys:read,keys:write";
const UNLIMITED: [(&str, &str); 5] = [
    ("MEMSYNC_LIMITS__REQUESTS_PER_MINUTE", "0"),
    ("MEMSYNC_LIMITS__SEARCHES_PER_MINUTE", "0"),
    ("MEMSYNC_LIMITS__INTEGRATIONS_PER_MINUTE", "0"),
    ("MEMSYNC_LIMITS__UNAUTHENTICATED_PER_MINUTE", "0"),
    ("MEMSYNC_LIMITS__REGISTRATIONS_PER_HOUR_PER_ADDRESS", "0"),
];
/// Enough for a profile.
const WORDS: [&str; 4] = [
    "My name is Nora and I live in Bergen.",
    "I work as a carpenter. I love rowing.",
    "My sister Anna lives in Oslo.",
    "I want to build a wooden boat of my own.",
];

#[tokio::test]
async fn no_answer_to_a_key_of_all_scopes_contradicts_the_document() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start_with(data.path(), &UNLIMITED);
    let create = "key create --create-account --email nora@example.com --name all --scopes";
    let create: Vec<&str> = create.split(' ').chain([SCOPES]).collect();
    let made = memsync(data.path(), &[], &create).expect_success("key create");
    let key = find_key(&made.stdout).unwrap();
    let stored = Rest::new(server.url(), &key)
        .post("/v1/memories", &conversation("t", &WORDS))
        .await;
    assert_eq!(stored.unwrap().0, 200);
    let options = ["--exclude-operation-id-regex", DESTROYS_THE_RUN, "--max-time", BUDGET];
    let tried = schemathesis(&server, &format!("X-API-Key: {key}"), &options);
    assert!(tried > 500, "only {tried} requests");
}

#[tokio::test]
async fn no_answer_to_a_signed_in_person_contradicts_the_document() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start_with(data.path(), &UNLIMITED);
    let person = json!({"email": "ada@example.com", "password": "nine grey herons by the canal"});
    let answer = Rest::new(server.url(), "").post("/v1/auth/register", &person).await;
    let token = answer.unwrap().1["access_token"].as_str().unwrap().to_owned();
    let options = ["--include-operation-id-regex", SIGNED_IN, "--max-examples", "20"];
    let tried = schemathesis(&server, &format!("Authorization: Bearer {token}"), &options);
    assert!(tried > 50, "only {tried} requests");
}

/// How many requests it made, none of which had a wrong answer.
#[track_caller]
fn schemathesis(server: &Process, credential: &str, options: &[&str]) -> u32 {
    let base = server.url();
    let hooks = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let place = tempfile::tempdir().unwrap();
    let mut command = Command::new(interpreter());
    command
        .args(["-B", "-m", "schemathesis.cli", "run", &format!("{base}/openapi.json")])
        .args(["--url", &base, "--header", credential, "--checks", CHECKS])
        .args(["--phases", "examples,coverage,fuzzing,stateful", "--seed", "1"])
        .args(["--no-color", "--generation-database", "none"])
        .args(options)
        .env("SCHEMATHESIS_HOOKS", "schemathesis_hooks")
        .env("PYTHONPATH", hooks)
        // It keeps what it finds where it runs.
        .current_dir(place.path());
    let report = run_within(command, BOUND).expect_success("schemathesis").stdout;
    let count = |line: &str| line.trim().split_once(" generated,")?.0.parse().ok();
    report.lines().find_map(count).unwrap_or_else(|| panic!("{report}"))
}
