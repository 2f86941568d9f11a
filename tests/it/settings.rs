//! Settings: a broken, half-written or unknown one never starts a server, and every message names what to mend.

use std::ffi::OsString;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use memsync::config::Config;
use tempfile::TempDir;

mod declared;
mod starting;

/// 32 bytes in Base64.
const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const SECRET: &str = "a secret of more than thirty-two bytes";

/// A whole settings file that is right.
const GOOD: &str = r#"# Settings of a test.
listen = "127.0.0.1:0"
trusted_proxies = ["10.0.0.0/8", "::1"]
bootstrap = false
log = "memsync=debug,info"

[database]
url = "postgres://me:hunter2@db.example.com/memsync"
max_connections = 20
timeout = 2.5

[auth]
registration = "closed"
jwt_secret = "a secret of more than thirty-two bytes"

[limits]
requests_per_minute = 1_000
"#;

struct Settings {
    dir: TempDir,
    variables: Vec<(OsString, OsString)>,
}

impl Settings {
    fn of(file: impl AsRef<[u8]>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("memsync.toml");
        std::fs::write(&path, file).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        Self {
            dir,
            variables: Vec::new(),
        }
    }

    fn variable(name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        let mut settings = Self::of("");
        settings.variables.push((name.into(), value.into()));
        settings
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("memsync.toml")
    }

    fn load(&self) -> Result<Config, Vec<String>> {
        Config::load_from(Some(&self.file()), self.variables.clone()).map_err(|e| e.0)
    }

    /// What is wrong, without the directory of the file.
    #[track_caller]
    fn faults(&self) -> Vec<String> {
        let directory = format!("{}/", self.dir.path().display());
        let faults = self.load().expect_err("these settings must not be taken");
        faults.iter().map(|fault| fault.replace(&directory, "")).collect()
    }
}

#[track_caller]
fn refused(file: &str, expected: &[&str]) {
    assert_eq!(Settings::of(file).faults(), expected, "{file}");
}

#[track_caller]
fn refused_variable(name: &str, value: &str, expected: &str) {
    assert_eq!(Settings::variable(name, value).faults(), [expected], "{name}={value}");
}

#[test]
fn a_good_file_is_read_and_variables_win_over_it() {
    let mut settings = Settings::of(GOOD);
    settings
        .variables
        .push(("MEMSYNC_DATABASE__MAX_CONNECTIONS".into(), "30".into()));
    let config = settings.load().unwrap();
    assert_eq!(config.database.max_connections, 30);
    assert_eq!(config.database.timeout.as_millis(), 2_500);
    assert_eq!(config.limits.requests_per_minute, 1_000);
    assert_eq!(config.limits.unauthenticated_per_minute, 12_000);
    assert_eq!(config.trusted_proxies.len(), 2);
    assert!(!config.auth.is_registration_open && !config.bootstrap);
    assert_eq!(config.warnings, [""; 0]);
}

#[test]
fn a_file_that_does_not_parse_names_line_and_column_and_shows_nothing_of_it() {
    for (file, place) in [
        ("listen = \"127.0.0.1:0\"\nbootstrap false\n", "memsync.toml:2:11: "),
        ("[auth]\njwt_secret = \"hunter2 and more\n", "memsync.toml:2:"),
        ("[auth\nregistration = \"closed\"\n", "memsync.toml:1:6: "),
        ("bootstrap = true\nbootstrap = false\n", "memsync.toml:2:1: "),
        ("bootstrap = hunter2\n", "memsync.toml:1:13: "),
    ] {
        let faults = Settings::of(file).faults();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with(place), "{faults:?} does not begin with {place}");
        assert!(!faults[0].contains("hunter2"), "{faults:?}");
    }
    let latin1 = Settings::of(b"# fine\nlog = \"\xe9\"\n").faults();
    assert_eq!(latin1, ["memsync.toml:2:8: is not UTF-8"]);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let settings = Settings::of("");
    std::fs::remove_file(settings.file()).unwrap();
    let missing = "the settings file memsync.toml can't be read: No such file or directory (os error 2)";
    assert_eq!(settings.faults(), [missing]);
    std::fs::create_dir(settings.file()).unwrap();
    assert!(settings.faults()[0].starts_with("the settings file memsync.toml can't be read: "));
}

#[test]
fn an_unknown_key_names_the_one_that_was_meant() {
    refused(
        "[databse]\nurl = \"sqlite://x\"\n",
        &["databse.url: no such setting; did you mean database.url? (memsync.toml:2:1)"],
    );
    refused(
        "[auth]\nregistratoin = \"closed\"\n",
        &["auth.registratoin: no such setting; did you mean auth.registration? (memsync.toml:2:1)"],
    );
    refused(
        "max_connections = 5\n",
        &["max_connections: no such setting; did you mean database.max_connections? (memsync.toml:1:1)"],
    );
    refused(
        "colour_of_the_sky = 5\n[zzz]\n",
        &[
            "colour_of_the_sky: no such setting; `memsync config --default` lists all (memsync.toml:1:1)",
            "zzz: no such setting; `memsync config --default` lists all (memsync.toml:2:2)",
        ],
    );
}

#[test]
fn a_key_of_the_wrong_type_names_what_was_expected() {
    refused(
        "bootstrap = \"yes\"\nlog = 5\ntrusted_proxies = [5]\ndatabase = 5\n",
        &[
            "bootstrap: must be true or false, not a string (memsync.toml:1:1)",
            "database: must be a section, [database], not an integer (memsync.toml:4:1)",
            "log: must be a string: a level such as info, or a filter such as memsync=debug,info, not an integer \
             (memsync.toml:2:1)",
            "trusted_proxies: must be an array of strings: IP addresses or CIDR blocks, such as 10.0.0.0/8, not an \
             array (memsync.toml:3:1)",
        ],
    );
    refused(
        "[listen]\nport = 80\n",
        &[
            "listen: must be a string: an address and a port, such as 127.0.0.1:8080, [::1]:8080 or localhost:8080, \
           not a table (memsync.toml:1:2)",
        ],
    );
}

#[test]
fn a_bad_value_names_its_form_and_where_it_was_given() {
    refused(
        "[limits]\nrequests_per_minute = -1\n",
        &["limits.requests_per_minute: must be a whole number from 0 to 4294967295, not \"-1\" (memsync.toml:2:1)"],
    );
    refused_variable(
        "MEMSYNC_AUTH__REGISTRATION",
        "closd",
        "auth.registration: must be open or closed, not \"closd\" (MEMSYNC_AUTH__REGISTRATION)",
    );
    refused_variable(
        "MEMSYNC_CORS__ALLOWED_ORIGINS",
        "https://a.example, b.example",
        "cors.allowed_origins: must be origins such as https://app.example.com, or *, not \"https://a.example, \
         b.example\"; \"b.example\" is none (MEMSYNC_CORS__ALLOWED_ORIGINS)",
    );
}

#[test]
fn an_address_without_a_host_is_refused_with_the_two_that_it_may_mean() {
    for given in ["8080", ":8080"] {
        let faults = Settings::variable("MEMSYNC_LISTEN", given).faults();
        let both = "write 127.0.0.1:8080 for this machine alone, or 0.0.0.0:8080 for every network (MEMSYNC_LISTEN)";
        assert!(faults.len() == 1 && faults[0].ends_with(both), "{faults:?}");
    }
    let localhost = Settings::variable("MEMSYNC_LISTEN", "localhost:8080").load().unwrap();
    assert_eq!(localhost.listen.to_string(), "127.0.0.1:8080");
    let unknown = Settings::variable("MEMSYNC_LISTEN", "nowhere.invalid:8080").faults();
    assert!(
        unknown[0].contains("the name nowhere.invalid can't be resolved: "),
        "{unknown:?}"
    );
}

#[test]
fn a_misspelt_variable_is_refused_and_one_of_another_program_is_not() {
    refused_variable(
        "MEMSYNC_DATABASE_URL",
        "sqlite://x",
        "MEMSYNC_DATABASE_URL: no such setting; did you mean MEMSYNC_DATABASE__URL?",
    );
    refused_variable(
        "MEMSYNC_LISTNE",
        "127.0.0.1:80",
        "MEMSYNC_LISTNE: no such setting; did you mean MEMSYNC_LISTEN?",
    );
    refused_variable(
        "MEMSYNC_DATABASE__SHARDS",
        "5",
        "MEMSYNC_DATABASE__SHARDS: no such setting; did you mean MEMSYNC_DATABASE__URL?",
    );
    for client in ["MEMSYNC_KEY", "MEMSYNC_API_KEY", "MEMSYNC_BASE_URL"] {
        let config = Settings::variable(client, "x").load().unwrap();
        assert_eq!(config.warnings, [""; 0], "{client}");
    }
    for other in ["MEMSYNC_URL", "MEMSYNC_COLOUR"] {
        let config = Settings::variable(other, "x").load().unwrap();
        let warning = format!("the variable {other} is none of the settings and changes nothing");
        assert_eq!(config.warnings, [warning]);
    }
}

#[test]
fn faults_of_file_and_variables_are_said_at_once_and_hold_no_secret() {
    let mut settings = Settings::of("[auth]\njwt_secret = \"hunter2\"\nregistration = \"x\"\n");
    for (name, value) in [
        ("MEMSYNC_ENCRYPTION__MASTER_KEY", "hunter2"),
        ("MEMSYNC_DATABASE__URL", "mysql://me:hunter2@db"),
        ("MEMSYNC_TLS__CERT", "/no/such/file"),
    ] {
        settings.variables.push((name.into(), value.into()));
    }
    let mut faults = settings.faults();
    faults.sort();
    assert_eq!(
        faults,
        [
            "auth.jwt_secret: must be at least 32 bytes (memsync.toml:2:1)",
            "auth.registration: must be open or closed, not \"x\" (memsync.toml:3:1)",
            "database.url: must be sqlite://FILE or postgres://USER:PASSWORD@HOST:PORT/DATABASE \
             (MEMSYNC_DATABASE__URL)",
            "encryption.master_key: must be 32 bytes in Base64 (MEMSYNC_ENCRYPTION__MASTER_KEY)",
            "tls.key: is needed beside tls.cert",
        ]
    );
}
