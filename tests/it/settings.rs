//! Settings: a broken, half-written or unknown one never starts a server, and every message names what to mend.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use memsync::config::{Config, DefaultValue, Form, SETTINGS, Setting, default_file};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::process::{Finished, memsync};

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
        std::fs::write(dir.path().join("memsync.toml"), file).unwrap();
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
    assert_eq!(config.unknown, [""; 0]);
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
    let others = [
        ("MEMSYNC_KEY", [""; 0].as_slice()),
        ("MEMSYNC_API_KEY", &[]),
        ("MEMSYNC_BASE_URL", &[]),
        ("MEMSYNC_URL", &["MEMSYNC_URL"]),
        ("MEMSYNC_COLOUR", &["MEMSYNC_COLOUR"]),
    ];
    for (name, unknown) in others {
        let config = Settings::variable(name, "x").load().unwrap();
        assert_eq!(config.unknown, unknown, "{name}");
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

/// A value that a setting takes, as a variable has it.
fn good_value(setting: &Setting) -> String {
    match (setting.default, setting.form) {
        (DefaultValue::Value(value), _) => value.to_owned(),
        (_, Form::Switch) => "true".to_owned(),
        (_, Form::Whole(least, _)) => least.to_string(),
        (_, Form::Seconds(least)) => least.to_string(),
        (_, Form::Word(words)) => words[0].to_owned(),
        (_, Form::Path) => "/tmp/x".to_owned(),
        (_, Form::Address) => "127.0.0.1:0".to_owned(),
        (_, Form::Networks) => "10.0.0.0/8".to_owned(),
        (_, Form::Origins) => "https://app.example.com".to_owned(),
        (_, Form::DatabaseUrl) => "postgres://me@db/memsync".to_owned(),
        (_, Form::WebUrl) => "https://memory.example.com".to_owned(),
        (_, Form::LogFilter) => "info".to_owned(),
        (_, Form::Secret) => SECRET.to_owned(),
        (_, Form::Key) => KEY.to_owned(),
    }
}

/// Whether every text, or nearly every, is a value of a form.
fn takes_anything(form: Form) -> bool {
    matches!(form, Form::Path | Form::LogFilter | Form::Secret)
}

fn is_text_in_toml(form: Form) -> bool {
    !matches!(form, Form::Switch | Form::Whole(..) | Form::Seconds(_))
}

/// A line that sets a setting to something, in the section that it belongs to.
fn in_section(setting: &Setting, key: &str, value: &str) -> String {
    match setting.name.rsplit_once('.') {
        Some((section, _)) => format!("[{section}]\n{key} = {value}\n"),
        None => format!("{key} = {value}\n"),
    }
}

fn key_of(setting: &Setting) -> &'static str {
    setting.name.rsplit('.').next().unwrap()
}

fn any_setting() -> impl Strategy<Value = &'static Setting> {
    (0..SETTINGS.len()).prop_map(|index| &SETTINGS[index])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Letters that no form has a use for.
    #[test]
    fn garbage_in_any_variable_is_refused_by_the_settings_name(setting in any_setting(), garbage in "[~^%§ ]{1,12}") {
        prop_assume!(!takes_anything(setting.form));
        let faults = Settings::variable(setting.variable(), &garbage).faults();
        prop_assert!(faults[0].starts_with(&format!("{}: must be ", setting.name)), "{:?}", faults);
        prop_assert!(faults[0].contains(&setting.variable()), "{:?}", faults);
        let shows = faults[0].contains(&format!("{garbage:?}"));
        prop_assert_eq!(shows, !setting.form.is_secret(), "{:?}", faults);
    }

    #[test]
    fn a_wrong_type_of_any_key_is_refused_with_its_place(setting in any_setting(), wrong in 0..6_usize) {
        let is_list = matches!(setting.form, Form::Networks | Form::Origins);
        let value = ["\"x\"", "5", "true", "1979-05-27", "[[1]]", "{ x = 1 }"][wrong];
        let is_its_own = match value {
            "\"x\"" => is_text_in_toml(setting.form),
            "5" => matches!(setting.form, Form::Whole(..) | Form::Seconds(_)),
            "true" => setting.form == Form::Switch,
            _ => false,
        };
        prop_assume!(!is_its_own);
        let faults = Settings::of(in_section(setting, key_of(setting), value)).faults();
        let line = if setting.name.contains('.') { 2 } else { 1 };
        let named = format!("{}: must be {}", setting.name, if is_list { "an array of strings" } else { "" });
        prop_assert!(faults.iter().any(|f| f.starts_with(&named)), "{:?}", faults);
        prop_assert!(faults.iter().any(|f| f.contains(&format!("(memsync.toml:{line}:1)"))), "{:?}", faults);
    }

    #[test]
    fn a_misspelt_name_is_refused_in_the_file_and_as_a_variable(
        setting in any_setting(),
        at in any::<prop::sample::Index>(),
        slip in 0..3_usize,
    ) {
        let key = key_of(setting);
        let mut letters: Vec<char> = key.chars().collect();
        let at = at.index(letters.len());
        match slip {
            0 => letters.insert(at, 'q'),
            1 => letters[at] = 'q',
            _ => { letters.remove(at); }
        }
        let misspelt: String = letters.iter().collect();
        let name = setting.name.strip_suffix(key).unwrap().to_owned() + &misspelt;
        prop_assume!(!misspelt.is_empty() && SETTINGS.iter().all(|s| s.name != name));
        let value = good_value(setting);
        let in_toml = if is_text_in_toml(setting.form) { format!("{value:?}") } else { value.clone() };
        let faults = Settings::of(in_section(setting, &misspelt, &in_toml)).faults();
        prop_assert!(faults[0].starts_with(&format!("{name}: no such setting; did you mean ")), "{:?}", faults);

        let variable = format!("MEMSYNC_{}", name.replace('.', "__").to_ascii_uppercase());
        let faults = Settings::variable(&variable, value).faults();
        prop_assert!(faults[0].starts_with(&format!("{variable}: no such setting; did you mean ")), "{:?}", faults);
    }

    /// Bytes at random make a file that is refused with its place, or settings.
    #[test]
    fn no_file_makes_the_reader_panic_or_shows_in_its_faults(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let settings = Settings::of(&bytes);
        if let Err(faults) = settings.load() {
            prop_assert!(faults.iter().all(|fault| fault.contains("memsync.toml:")), "{:?}", faults);
        }
    }
}

#[test]
fn every_beginning_of_a_file_is_refused_with_its_place_or_means_what_it_says() {
    let mut refused = 0;
    for end in 0..GOOD.len() {
        let beginning = &GOOD[..end];
        let settings = Settings::of(beginning);
        let is_toml = toml::de::DeTable::parse(beginning).is_ok();
        match settings.load() {
            Ok(_) => assert!(is_toml, "{beginning}"),
            Err(_) => {
                refused += 1;
                let faults = settings.faults();
                assert!(
                    faults.iter().all(|f| f.contains("memsync.toml:")),
                    "{beginning}\n{faults:?}"
                );
                assert!(!faults.iter().any(|f| f.contains("hunter2")), "{beginning}\n{faults:?}");
            }
        }
    }
    assert!(refused > GOOD.len() / 2, "{refused}");
}

#[test]
fn every_setting_takes_a_good_value_from_file_and_variable_alike() {
    for setting in SETTINGS {
        if ["tls.cert", "tls.key", "database.replica_url"].contains(&setting.name) {
            continue;
        }
        let value = good_value(setting);
        let in_toml = if is_text_in_toml(setting.form) {
            format!("{value:?}")
        } else {
            value.clone()
        };
        let by_file = Settings::of(in_section(setting, key_of(setting), &in_toml)).load();
        let by_variable = Settings::variable(setting.variable(), value).load();
        assert_eq!(format!("{by_file:?}"), format!("{by_variable:?}"), "{}", setting.name);
        assert!(by_file.is_ok(), "{}: {by_file:?}", setting.name);
        assert_eq!(by_file.unwrap().unknown, [""; 0], "{}", setting.name);
    }
}

#[test]
fn the_default_file_changes_nothing_as_it_is_and_with_every_default_in_force() {
    let none = format!("{:?}", Settings::of("").load().unwrap());
    let file = default_file();
    assert_eq!(format!("{:?}", Settings::of(&file).load().unwrap()), none);
    let mut in_force = String::new();
    for line in file.lines() {
        match line.strip_prefix("# ").filter(|line| line.contains(" = ")) {
            Some(setting) if !setting.ends_with("\"\"") && !setting.ends_with("= ") => in_force += setting,
            Some(_) => {}
            None => in_force += line,
        }
        in_force.push('\n');
    }
    assert_eq!(
        format!("{:?}", Settings::of(&in_force).load().unwrap()),
        none,
        "{in_force}"
    );
    for setting in SETTINGS {
        let line = format!("\n# {} = ", key_of(setting));
        assert!(file.contains(&line), "{} is not in the file", setting.name);
    }
}

fn run(data: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Finished {
    memsync(data, variables, arguments)
}

#[test]
fn config_prints_what_holds_and_where_it_came_from_and_hides_secrets() {
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("memsync.toml"), GOOD).unwrap();
    let variables = [("MEMSYNC_ENCRYPTION__MASTER_KEY", KEY), ("MEMSYNC_LOG_FORMAT", "json")];
    let shown = run(data.path(), &variables, &["config"])
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
    let file = run(data.path(), &[], &["config", "--default"]).expect_success("config --default");
    assert_eq!(file.stdout, default_file());
}

#[test]
fn a_broken_file_stops_the_start_before_anything_is_made() {
    let data = tempfile::tempdir().unwrap();
    let broken = "[auth]\nregistration = closed\n";
    std::fs::write(data.path().join("memsync.toml"), broken).unwrap();
    let refused = run(data.path(), &[("MEMSYNC_LOG_FORMAT", "xml")], &[]);
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
