//! What holds for every setting that is declared, whatever it is given.

use memsync::config::{DefaultValue, Form, SETTINGS, Setting, default_file};
use proptest::prelude::*;

use super::{GOOD, KEY, SECRET, Settings};

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
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Letters that no form has a use for.
    #[test]
    fn garbage_in_any_variable_is_refused_by_the_settings_name(setting in any_setting(), garbage in "[~^%§][~^%§ ]{0,11}") {
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
    // A limit that is set holds for the account of the first start too, whatever it is.
    let set = format!("{:?}", Settings::of(&in_force).load().unwrap());
    assert_eq!(set.replace("are_set: true", "are_set: false"), none, "{in_force}");
    for setting in SETTINGS {
        let line = format!("\n# {} = ", key_of(setting));
        assert!(file.contains(&line), "{} is not in the file", setting.name);
    }
}
