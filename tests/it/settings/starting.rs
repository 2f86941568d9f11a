//! What the program says of its settings: `memsync config`, and a start that can't be or that somebody should know of.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use memsync::config::{SETTINGS, default_file};

use super::{GOOD, KEY, SECRET, Settings};
use crate::process::{Process, memsync};

#[test]
fn config_prints_what_holds_and_where_it_came_from_and_hides_secrets() {
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("memsync.toml"), GOOD).unwrap();
    let variables = [("MEMSYNC_ENCRYPTION__MASTER_KEY", KEY), ("MEMSYNC_LOG_FORMAT", "json")];
    let shown = memsync(data.path(), &variables, &["config"])
        .expect_success("config")
        .stdout;
    for line in [
        "listen = \"127.0.0.1:0\"  # memsync.toml:2:1",
        "trusted_proxies = [\"10.0.0.0/8\", \"::1\"]  # memsync.toml:3:1",
        "log_format = \"json\"  # MEMSYNC_LOG_FORMAT",
        "database.url = \"postgres://me:hidden@db.example.com/memsync\"  # memsync.toml:8:1",
        "database.min_connections = 0  # default",
        "auth.jwt_secret = \"(hidden)\"  # memsync.toml:14:1",
        "encryption.master_key = \"(hidden)\"  # MEMSYNC_ENCRYPTION__MASTER_KEY",
        "# tls.cert is not set",
    ] {
        assert!(shown.lines().any(|l| l == line), "no line {line}:\n{shown}");
    }
    assert_eq!(shown.lines().count(), SETTINGS.len());
    for secret in ["hunter2", SECRET, KEY] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(toml::de::DeTable::parse(&shown).is_ok(), "{shown}");
}

#[test]
fn config_default_prints_a_file_even_where_the_settings_are_broken() {
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("memsync.toml"), "broken").unwrap();
    let file = memsync(data.path(), &[], &["config", "--default"]).expect_success("config --default");
    assert_eq!(file.stdout, default_file());
}

#[test]
fn a_broken_file_stops_the_start_before_anything_is_made() {
    let data = tempfile::tempdir().unwrap();
    let broken = "[auth]\nregistration = closed\n";
    std::fs::write(data.path().join("memsync.toml"), broken).unwrap();
    let refused = memsync(data.path(), &[("MEMSYNC_LOG_FORMAT", "xml")], &[]);
    assert_eq!(
        (refused.status.code(), refused.stdout.as_str()),
        (Some(1), ""),
        "{refused:?}"
    );
    for part in [
        "memsync.toml:2:16: ",
        "log_format: must be text or json, not \"xml\" (MEMSYNC_LOG_FORMAT)",
    ] {
        assert!(refused.stderr.contains(part), "no {part}:\n{}", refused.stderr);
    }
    let left: Vec<_> = std::fs::read_dir(data.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(left, ["memsync.toml"]);
}

#[test]
fn a_directory_that_cannot_be_made_is_named_with_the_reason() {
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("file"), "").unwrap();
    let place = data.path().join("file").join("data");
    let variables = [("MEMSYNC_DATA_DIR", place.to_str().unwrap())];
    let place = place.display();
    for arguments in [[].as_slice(), &["user", "list"]] {
        let refused = memsync(data.path(), &variables, arguments);
        let message =
            format!("memsync: can't make the directory of the database, {place}: Not a directory (os error 20)\n");
        assert_eq!((refused.status.code(), refused.stderr), (Some(1), message));
    }
    let elsewhere = format!("sqlite://{}", data.path().join("memsync.db").display());
    let variables = [variables[0], ("MEMSYNC_DATABASE__URL", &elsewhere)];
    let refused = memsync(data.path(), &variables, &[]);
    let message = format!("memsync: can't read the secret {place}/receipt_key: Not a directory (os error 20)\n");
    assert_eq!((refused.status.code(), refused.stderr), (Some(1), message));
}

#[test]
fn a_database_that_is_not_one_is_named() {
    let data = tempfile::tempdir().unwrap();
    std::fs::create_dir(data.path().join("memsync.db")).unwrap();
    let refused = memsync(data.path(), &[], &[]);
    let file = data.path().join("memsync.db");
    let message = format!(
        "memsync: can't open the database {}: Is a directory (os error 21)\n",
        file.display()
    );
    assert_eq!((refused.status.code(), refused.stderr), (Some(1), message));
}

#[test]
fn a_postgresql_that_does_not_answer_is_named_without_its_password() {
    let data = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("postgres://me:hunter2@127.0.0.1:{port}/memories");
    let variables = [
        ("MEMSYNC_DATABASE__URL", url.as_str()),
        ("MEMSYNC_DATABASE__TIMEOUT", "0.2"),
    ];
    let why = format!(
        "can't connect to PostgreSQL at 127.0.0.1:{port} (database memories, user me): Connection refused (os error 111)"
    );
    let refused = memsync(data.path(), &variables, &["migrate", "status"]);
    assert_eq!(
        (refused.status.code(), refused.stderr),
        (Some(1), format!("memsync: {why}\n"))
    );

    let waiting = Process::start_with(data.path(), &variables)
        .stop()
        .expect_success("SIGTERM");
    assert!(
        waiting.stderr.contains(&format!("waiting for the database: {why}")),
        "{}",
        waiting.stderr
    );
    assert!(!waiting.stderr.contains("hunter2"), "{}", waiting.stderr);
}

#[test]
fn a_data_directory_or_secret_that_is_open_to_others_is_said_at_start() {
    let data = tempfile::tempdir().unwrap();
    let private = Process::start(data.path()).stop().expect_success("SIGTERM");
    assert!(!private.stderr.contains("chmod"), "{}", private.stderr);
    let open = |path: &Path, mode| std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    open(data.path(), 0o777);
    open(&data.path().join("jwt_secret"), 0o644);
    std::fs::write(
        data.path().join("memsync.toml"),
        format!("[auth]\njwt_previous_secret = {SECRET:?}\n"),
    )
    .unwrap();
    open(&data.path().join("memsync.toml"), 0o644);
    let exposed = Process::start(data.path()).stop().expect_success("SIGTERM").stderr;
    let place = data.path().display();
    for warning in [
        format!("others may write to the data directory (mode 777): chmod 700 {place}"),
        format!("others may read {place}/jwt_secret or write to it (mode 644): chmod 600 {place}/jwt_secret"),
        "others may read or change the settings file, which holds secrets, memsync.toml (mode 644): chmod 640 memsync.toml"
            .to_owned(),
    ] {
        assert!(exposed.contains(&warning), "no {warning}:\n{exposed}");
    }
    assert_eq!(exposed.matches("chmod").count(), 3, "{exposed}");
}

#[test]
fn a_server_that_a_network_reaches_is_warned_of_what_is_open() {
    let warnings = |file: &str| Settings::of(file).load().unwrap().warnings;
    let open = "anybody who can reach 0.0.0.0:80 can make an account: with auth.registration = \"closed\" only the command \
                line can";
    let clear = "keys and memories cross the network unencrypted at 0.0.0.0:80: set tls.cert and tls.key, or \
                 trusted_proxies where a proxy encrypts";
    let (network, closed) = ("listen = \"0.0.0.0:80\"\n", "[auth]\nregistration = \"closed\"\n");
    let proxy = "trusted_proxies = \"10.0.0.1\"\n";
    assert_eq!(warnings(network), [clear, open]);
    assert_eq!(warnings(&format!("{network}{closed}")), [clear]);
    assert_eq!(warnings(&format!("{network}{proxy}")), [open]);
    assert_eq!(warnings(&format!("{network}{proxy}{closed}")), [""; 0]);
    for here in ["127.0.0.1:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
        assert_eq!(warnings(&format!("listen = {here:?}\n")), [""; 0], "{here}");
    }
}
