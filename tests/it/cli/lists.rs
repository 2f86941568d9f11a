//! What the command line prints: lists with headers or as JSON, a quiet end where nobody reads on, what a shell and a
//! reader of manuals need.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::process::{Finished, memsync, memsync_command, run};

const EMAIL: &str = "ada@example.com";

/// A `memsync` command before something else in a pipe. Ends as `memsync` does.
fn piped(data: &Path, arguments: &str, into: &str) -> Finished {
    let memsync = memsync_command(data, &[]);
    let mut bash = Command::new("bash");
    let script = format!(
        "'{}' {arguments} | {into}; exit ${{PIPESTATUS[0]}}",
        memsync.get_program().display()
    );
    bash.args(["-c", &script]).current_dir(data);
    for (name, value) in memsync.get_envs() {
        match value {
            Some(value) => bash.env(name, value),
            None => bash.env_remove(name),
        };
    }
    run(bash)
}

fn key(data: &Path, name: &str, more: &[&str]) -> Value {
    let create = [
        "key",
        "create",
        "--email",
        EMAIL,
        "--create-account",
        "--json",
        "--name",
        name,
    ];
    let made = memsync(data, &[], &[&create[..], more].concat()).expect_success("key create");
    serde_json::from_str(&made.stdout).unwrap()
}

#[test]
fn every_command_ends_quietly_where_nobody_reads_on() {
    let data = tempfile::tempdir().unwrap();
    for number in 0..3 {
        key(data.path(), &format!("key {number}"), &[]);
    }
    let export = "export --email ada@example.com";
    let dry = "import --email ada@example.com --dry-run export.ndjson";
    let line = json!({"id": "m1", "memory": "User lives in Oslo.", "user_id": "anna"});
    std::fs::write(data.path().join("mem0.json"), json!({"results": [line]}).to_string()).unwrap();
    let import = ["import", "--email", EMAIL, "--format", "mem0", "mem0.json"];
    memsync(data.path(), &[], &import).expect_success("import");
    let exported = memsync(data.path(), &[], &export.split(' ').collect::<Vec<_>>()).expect_success("export");
    assert_eq!(exported.stdout.lines().count(), 1, "{exported:?}");
    std::fs::write(data.path().join("export.ndjson"), exported.stdout).unwrap();
    for arguments in [
        "key list",
        "key list --json",
        "user list",
        "task list",
        "migrate status",
        export,
        dry,
        "openapi",
        "completions bash",
        "man",
        "--help",
        "backup copy.db",
        "reembed --dry-run",
    ] {
        let ended = piped(data.path(), arguments, "true");
        assert_eq!(ended.status.code(), Some(0), "{arguments}: {ended:?}");
        assert!(
            !ended.stderr.contains("panicked") && !ended.stderr.contains("ipe"),
            "{arguments}: {ended:?}"
        );
    }
    let first = piped(data.path(), "key list", "head -1").expect_success("key list");
    assert_eq!((first.stdout.lines().count(), first.stderr.as_str()), (1, ""));
    let both = piped(data.path(), "key list 2>&1", "head -1").expect_success("key list");
    assert!(both.stdout.starts_with("KEY "), "{both:?}");
}

#[test]
fn what_can_not_be_printed_for_another_reason_is_a_failure() {
    let data = tempfile::tempdir().unwrap();
    let ended = piped(data.path(), "openapi > /dev/full", "cat");
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(ended.stderr.contains("No space left"), "{ended:?}");
}

#[test]
fn lists_have_headers_and_name_the_account() {
    let data = tempfile::tempdir().unwrap();
    let list = |arguments: &[&str]| memsync(data.path(), &[], arguments).expect_success("a list");
    for empty in [["key", "list"], ["user", "list"], ["task", "list"]] {
        let listed = list(&empty);
        assert_eq!(
            (listed.stdout.as_str(), listed.stderr.as_str()),
            ("", "The list is empty.\n")
        );
        assert_eq!(list(&[&empty[..], &["--json"]].concat()).stdout, "");
    }
    let made = key(
        data.path(),
        "my laptop",
        &[
            "--scopes",
            "memories:read,usage:read",
            "--allowed-ips",
            "10.0.0.0/8",
            "--rate-limit-per-minute",
            "7",
        ],
    );
    let keys = list(&["key", "list"]).stdout;
    let lines: Vec<&str> = keys.lines().collect();
    let columns = ["KEY", "HINT", "STATUS", "ACCOUNT", "NAME", "SCOPES", "CREATED"];
    assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), columns);
    assert_eq!(lines.len(), 2, "{keys}");
    let at = |column: &str| lines[0].find(column).unwrap();
    assert!(lines[1].starts_with(made["api_key_id"].as_str().unwrap()), "{keys}");
    let shown = lines[1].replace('…', ".");
    for (column, cell) in [("STATUS", "active "), ("ACCOUNT", EMAIL), ("NAME", "my laptop ")] {
        assert!(shown[at(column)..].starts_with(cell), "{column}: {keys}");
    }

    let listed: Value = serde_json::from_str(&list(&["key", "list", "--json"]).stdout).unwrap();
    let expected = json!({
        "api_key_id": made["api_key_id"], "account_id": listed["account_id"], "email": EMAIL, "name": "my laptop",
        "key_hint": listed["key_hint"], "status": "active", "scopes": ["memories:read", "usage:read"],
        "allowed_user_ids": [], "allowed_ips": ["10.0.0.0/8"], "rate_limit_per_minute": 7,
        "created_at": made["created_at"],
    });
    assert_eq!(listed, expected);

    let users = list(&["user", "list"]).stdout;
    let columns = ["ACCOUNT", "EMAIL", "NAME", "PASSWORD", "MADE", "BY", "CREATED"];
    assert_eq!(
        users.lines().next().unwrap().split_whitespace().collect::<Vec<_>>(),
        columns
    );
    let user: Value = serde_json::from_str(&list(&["user", "list", "--json"]).stdout).unwrap();
    let expected = json!({
        "account_id": listed["account_id"], "email": EMAIL, "has_password": false,
        "made_by": "command_line", "created_at": user["created_at"],
    });
    assert_eq!(user, expected);

    let changes = list(&["migrate", "status", "--json"]).stdout;
    let changes: Vec<Value> = changes
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        changes[0],
        json!({"change": "m20261124_000001_accounts", "state": "applied"})
    );
}

#[test]
fn a_name_can_not_make_a_list_lie() {
    let data = tempfile::tempdir().unwrap();
    key(data.path(), "one\nkey_2  forged\u{1b}[2J", &[]);
    let keys = memsync(data.path(), &[], &["key", "list"])
        .expect_success("key list")
        .stdout;
    assert_eq!(keys.lines().count(), 2, "{keys}");
    assert!(!keys.contains('\u{1b}'), "{keys:?}");
}

#[test]
fn shells_and_manuals_know_every_command_whatever_the_settings_say() {
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("memsync.toml"), "listen = nonsense").unwrap();
    let settings = [("MEMSYNC_LOG_FORMAT", "xml")];
    let run = |arguments: &[&str]| {
        memsync(data.path(), &settings, arguments)
            .expect_success("memsync")
            .stdout
    };
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(&["completions", shell]);
        for word in ["rotate-master-key", "create-account", "completions"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let page = run(&["man"]);
    assert!(
        page.contains(".TH memsync 1") && page.contains("memsync\\-key(1)"),
        "{page}"
    );
    run(&["man", "--dir", "pages"]);
    for page in ["memsync.1", "memsync-key.1", "memsync-key-create.1"] {
        assert!(data.path().join("pages").join(page).is_file(), "{page}");
    }
}

#[test]
fn the_version_names_the_commit_that_was_built() {
    let data = tempfile::tempdir().unwrap();
    let version = memsync(data.path(), &[], &["--version"])
        .expect_success("--version")
        .stdout;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut expected = format!("memsync {}", env!("CARGO_PKG_VERSION"));
    let mut git = Command::new("git");
    git.args(["rev-parse", "--short=12", "HEAD"]).current_dir(root);
    if root.join(".git").exists()
        && let Ok(said) = git.output()
        && said.status.success()
    {
        expected = format!("{expected} ({})", String::from_utf8(said.stdout).unwrap().trim());
    }
    assert_eq!(version.trim(), expected);
}
