//! The first account: how its owner gets in, and that first tries on one's own machine meet no limit.

use std::path::Path;

use serde_json::json;

use crate::process::{Process, Rest, SETUP_PAGE, memsync, memsync_command};

const PASSWORD: &str = "nine grey herons by the canal";

fn token(link: &str) -> &str {
    link.split_once('#').unwrap().1
}

/// Sets an account up as the page of a link does; the status.
async fn set_up(server: &Process, link: &str, email: &str) -> u16 {
    let body = json!({"setup_token": token(link), "email": email, "password": PASSWORD});
    let rest = Rest::new(server.url(), "none");
    let headers = [("x-csrf-token", "none"), ("sec-fetch-site", "same-origin")];
    rest.post_with("/dashboard/session/setup", &body, &headers)
        .await
        .unwrap()
        .0
}

async fn signs_in(server: &Process, email: &str) -> u16 {
    let body = json!({"email": email, "password": PASSWORD});
    Rest::new(server.url(), "none")
        .post("/v1/auth/login", &body)
        .await
        .unwrap()
        .0
}

#[tokio::test]
async fn a_start_prints_a_link_to_the_first_account_until_somebody_can_sign_in() {
    let data = tempfile::tempdir().unwrap();
    let first = Process::start(data.path());
    let (key, old) = (first.first_key(), first.setup_link());
    assert!(old.starts_with(&format!("{}{SETUP_PAGE}", first.url())), "{old}");
    let log = first.stop().expect_success("SIGTERM").stderr;
    assert!(!log.contains(token(&old)), "the token is in the log:\n{log}");

    let public = ("MEMSYNC_PUBLIC_URL", "https://memory.example");
    let second = Process::start_with(data.path(), &[public]);
    let link = second.setup_link();
    assert!(link.starts_with(&format!("{}{SETUP_PAGE}", public.1)), "{link}");
    assert_eq!(
        set_up(&second, &old, "ada@example.com").await,
        401,
        "a new link ends the old one"
    );
    assert_eq!(signs_in(&second, "ada@example.com").await, 401);
    assert_eq!(set_up(&second, &link, "ada@example.com").await, 200);
    assert_eq!(signs_in(&second, "ada@example.com").await, 200);
    assert_eq!(set_up(&second, &link, "eve@example.com").await, 401, "it works once");
    let (status, who) = Rest::new(second.url(), &key).get("/v1/auth/me").await.unwrap();
    assert_eq!(
        (status, &who["email"]),
        (200, &json!("ada@example.com")),
        "its keys stay"
    );
    let log = second.stop().expect_success("SIGTERM").stderr;
    assert!(!log.contains(token(&link)), "the token is in the log:\n{log}");

    let third = Process::start(data.path()).stop().expect_success("SIGTERM");
    assert_eq!(third.stdout, "", "there is nothing more to say");
}

#[tokio::test]
async fn the_command_line_makes_a_link_for_an_account_without_a_password() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start_with(data.path(), &[("MEMSYNC_BOOTSTRAP", "false")]);
    let link = |settings: &[(&str, &str)], url: &[&str]| {
        let arguments = ["user", "link", "--email", "ada@example.com"];
        memsync(data.path(), settings, &[&arguments, url].concat())
    };
    assert!(link(&[], &[]).stderr.contains("there is no account ada@example.com"));
    memsync(data.path(), &[], &["user", "create", "--email", "ada@example.com"]).expect_success("user create");
    assert_eq!(link(&[("MEMSYNC_DASHBOARD", "false")], &[]).status.code(), Some(1));
    let made = link(&[], &["--url", "https://memory.example/"])
        .expect_success("user link")
        .stdout;
    assert!(
        made.starts_with(&format!("https://memory.example{SETUP_PAGE}")),
        "{made}"
    );
    assert_eq!(
        set_up(&server, made.trim(), "ada@example.com").await,
        200,
        "the address may stay"
    );
    let refused = link(&[], &[]);
    assert_eq!((refused.status.code(), refused.stdout.as_str()), (Some(1), ""));
    assert!(refused.stderr.contains("has a password"), "{}", refused.stderr);
}

#[test]
fn without_a_dashboard_no_link_is_printed() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start_with(data.path(), &[("MEMSYNC_DASHBOARD", "false")]);
    server.first_key();
    let ended = server.stop().expect_success("SIGTERM");
    assert!(!ended.stdout.contains("dashboard"), "{}", ended.stdout);
}

/// Searches more often than the default limit allows in a minute; how often that was refused.
async fn refused_searches(rest: &Rest) -> usize {
    let mut refused = 0;
    for _ in 0..120 {
        let (status, answer) = rest
            .post("/v1/memories/search", &json!({"query": "work"}))
            .await
            .unwrap();
        assert!([200, 429].contains(&status), "{answer}");
        refused += usize::from(status == 429);
    }
    refused
}

/// A server without the limits that tests set, or with these settings.
fn start_with_default_limits(data: &Path, settings: &[(&str, &str)]) -> Process {
    let mut command = memsync_command(data, &[]);
    for name in ["REQUESTS", "SEARCHES"] {
        command.env_remove(format!("MEMSYNC_LIMITS__{name}_PER_MINUTE"));
    }
    command.envs(settings.iter().copied());
    Process::listen(data, command)
}

#[tokio::test]
async fn first_tries_on_ones_own_machine_meet_no_limit() {
    let data = tempfile::tempdir().unwrap();
    let server = start_with_default_limits(data.path(), &[]);
    let first = Rest::new(server.url(), &server.first_key());
    assert_eq!(refused_searches(&first).await, 0);
    let (_, who) = first.get("/v1/auth/me").await.unwrap();
    let none = json!({"requests_per_minute": 0, "searches_per_minute": 0, "integrations_per_minute": 0});
    assert_eq!(who["rate_limits"], none);

    let create = [
        "key",
        "create",
        "--email",
        "ada@example.com",
        "--name",
        "n",
        "--create-account",
    ];
    let other = memsync(data.path(), &[], &create).expect_success("key create").stdout;
    assert!(
        refused_searches(&Rest::new(server.url(), other.trim())).await > 0,
        "other accounts have limits"
    );

    let link = server.setup_link();
    assert_eq!(set_up(&server, &link, "grace@example.com").await, 200);
    server.stop().expect_success("SIGTERM");
    let server = start_with_default_limits(data.path(), &[]);
    server.wait_for_log("no rate limits");
    let first = Rest::new(server.url(), first.key());
    assert_eq!(refused_searches(&first).await, 0, "also under its new address");
}

#[tokio::test]
async fn limits_that_are_set_and_those_behind_a_proxy_hold_for_the_first_account_too() {
    for setting in [
        ("MEMSYNC_LIMITS__SEARCHES_PER_MINUTE", "50"),
        ("MEMSYNC_LIMITS__REQUESTS_PER_MINUTE", "70"),
        ("MEMSYNC_PUBLIC_URL", "https://memory.example"),
        ("MEMSYNC_TRUSTED_PROXIES", "127.0.0.1"),
    ] {
        let data = tempfile::tempdir().unwrap();
        let server = start_with_default_limits(data.path(), &[setting]);
        let first = Rest::new(server.url(), &server.first_key());
        assert!(refused_searches(&first).await > 0, "{setting:?}");
    }
}
