//! What `memsync config` prints: the effective settings, and a file with the defaults.

use std::collections::BTreeMap;
use std::path::Path;

use url::Url;

use super::form::{Form, TomlType, items};
use super::reader::value;
use super::settings::{DefaultValue, SETTINGS, Setting};
use super::sources::{Given, Sources};
use super::{Config, ConfigError};

const HIDDEN: &str = "(hidden)";

/// The settings that [`Config::load`] reads, a line of TOML each, and where each came from. Secrets are hidden.
pub fn effective_settings(file: Option<&Path>) -> Result<String, ConfigError> {
    let sources = Sources::read(file, std::env::vars_os());
    Config::from_sources(&sources)?;
    let lines: Vec<String> = SETTINGS.iter().map(|setting| line(setting, &sources.given)).collect();
    Ok(lines.join("\n"))
}

fn line(setting: &Setting, given: &BTreeMap<&'static str, Given>) -> String {
    let name = setting.name;
    let origin = given
        .get(name)
        .map_or_else(|| "default".to_owned(), |given| given.origin.to_string());
    match (value(given, name), setting.default) {
        (Some(value), _) => format!(
            "{name} = {}  # {origin}",
            literal(setting.form, &shown(setting.form, value))
        ),
        (None, DefaultValue::Unset("–")) => format!("# {name} is not set"),
        (None, DefaultValue::Unset(words) | DefaultValue::Value(words) | DefaultValue::Derived(words, _)) => {
            format!("# {name} is not set: {words}")
        }
    }
}

fn shown(form: Form, value: String) -> String {
    match form {
        Form::Secret | Form::Key => HIDDEN.to_owned(),
        Form::DatabaseUrl if !value.starts_with("sqlite:") => without_password(&value),
        _ => value,
    }
}

/// A URL of PostgreSQL without what may be a secret in it.
fn without_password(url: &str) -> String {
    let Ok(mut url) = Url::parse(url) else {
        return HIDDEN.to_owned();
    };
    if url.password().is_some() && url.set_password(Some("hidden")).is_err() {
        return HIDDEN.to_owned();
    }
    if url.query().is_some() {
        let parameters: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let parameters = parameters.into_iter().map(|(name, value)| match name.as_str() {
            "password" => (name, "hidden".to_owned()),
            _ => (name, value),
        });
        let parameters: Vec<_> = parameters.collect();
        url.query_pairs_mut().clear().extend_pairs(parameters);
    }
    url.into()
}

/// A `memsync.toml` with every setting, commented out, at its default.
pub fn default_file() -> String {
    let mut file = "\
# The settings of MemSync at their defaults. Remove the # before a line to change it.
# A variable wins over this file: MEMSYNC_DATABASE__URL sets url of the section database.
"
    .to_owned();
    let (sections, top): (Vec<&Setting>, Vec<&Setting>) = SETTINGS.iter().partition(|s| s.name.contains('.'));
    let mut open = "";
    for setting in top.into_iter().chain(sections) {
        let (section, key) = setting.name.rsplit_once('.').unwrap_or(("", setting.name));
        if section != open {
            file.push_str(&format!("\n[{section}]\n"));
            open = section;
        }
        let default = match setting.default {
            DefaultValue::Value(_) | DefaultValue::Unset("–" | "none") => String::new(),
            DefaultValue::Derived(words, _) | DefaultValue::Unset(words) => format!(" Default: {words}."),
        };
        let value = match setting.default {
            DefaultValue::Value(value) => literal(setting.form, value),
            DefaultValue::Derived(..) | DefaultValue::Unset(_) => match setting.form.toml_type() {
                TomlType::Strings => "[]".to_owned(),
                TomlType::String => "\"\"".to_owned(),
                TomlType::Boolean | TomlType::Integer | TomlType::Number => String::new(),
            },
        };
        file.push_str(&format!(
            "\n# {}.{default}\n# {key} = {value}\n",
            sentence(setting.about)
        ));
    }
    file
}

fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A value as TOML writes it.
fn literal(form: Form, value: &str) -> String {
    match form.toml_type() {
        TomlType::Boolean | TomlType::Integer | TomlType::Number => value.to_owned(),
        TomlType::String => quoted(value),
        TomlType::Strings => {
            let items: Vec<String> = items(value).map(quoted).collect();
            format!("[{}]", items.join(", "))
        }
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            control if control.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(control))),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}
