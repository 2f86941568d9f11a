//! A key for an account that somebody else made is not made unawares.

use serde_json::{Value, json};

use crate::process::{Process, Rest, memsync};

const EMAIL: &str = "ada@example.com";

#[tokio::test]
async fn a_key_for_an_account_with_a_password_is_made_only_where_that_is_wanted() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path());
    let stranger = json!({"email": EMAIL, "password": "a stranger was here first"});
    let (status, answer) = Rest::new(server.url(), "none")
        .post("/v1/auth/register", &stranger)
        .await
        .unwrap();
    assert_eq!(status, 201, "{answer}");
    let create = [
        "key",
        "create",
        "--email",
        EMAIL,
        "--name",
        "laptop",
        "--create-account",
    ];
    let refused = memsync(data.path(), &[], &create);
    assert_eq!((refused.status.code(), refused.stdout.as_str()), (Some(1), ""));
    for said in [
        "ada@example.com already had an account: somebody registered it over the API at 20",
        "--existing-account",
    ] {
        assert!(refused.stderr.contains(said), "{said}: {}", refused.stderr);
    }
    let keys = memsync(data.path(), &[], &["key", "list", "--email", EMAIL]).expect_success("key list");
    assert_eq!(keys.stdout, "", "no key was made");
    let wanted = memsync(data.path(), &[], &[&create[..], &["--existing-account"]].concat());
    let wanted = wanted.expect_success("--existing-account");
    assert!(wanted.stdout.starts_with("memsync_sk_live_"), "{wanted:?}");
    assert!(
        wanted.stderr.contains("somebody registered it over the API"),
        "{wanted:?}"
    );
}

#[test]
fn a_second_key_says_that_the_account_was_there_and_how_it_was_made() {
    let data = tempfile::tempdir().unwrap();
    let create = |email: &str| {
        let arguments = ["key", "create", "--email", email, "--name", "n", "--create-account"];
        memsync(data.path(), &[], &arguments)
            .expect_success("key create")
            .stderr
    };
    assert!(!create(EMAIL).contains("already"));
    assert!(create(EMAIL).contains("already had an account: it was made on the command line at 20"));
    let server = tempfile::tempdir().unwrap();
    let first = Process::start(server.path());
    first.first_key();
    let listed = memsync(server.path(), &[], &["user", "list", "--json"])
        .expect_success("user list")
        .stdout;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(
        (&listed["email"], &listed["made_by"]),
        (&json!("local@memsync.dev"), &json!("first_start"))
    );
}
