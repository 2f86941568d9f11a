//! Where settings come from: the file and the variables. Gathers what is given under known names, and what is wrong.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::form::{Form, TomlType};
use super::names;
use super::settings::{SETTINGS, find};

/// The file of the working directory.
const DEFAULT_FILE: &str = "memsync.toml";
const PREFIX: &str = "MEMSYNC_";

/// A value that was given, as a variable would have it.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) text: String,
    pub(super) origin: Origin,
}

/// Where a value was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    File { file: PathBuf, line: usize, column: usize },
    Variable(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line, column } => write!(f, "{}:{line}:{column}", file.display()),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

/// What was given.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// By the setting's name; only what has the form that the setting wants.
    pub(super) given: BTreeMap<&'static str, Given>,
    pub(super) faults: Vec<String>,
    /// Variables that mean nothing to this program.
    pub(super) unknown: Vec<String>,
    /// Whether the file could be read to its end. Otherwise nothing can be said of what is missing.
    pub(super) is_complete: bool,
}

impl Sources {
    /// Reads `file`, by default that of the working directory where there is one, then `variables`, which win.
    pub(super) fn read(file: Option<&Path>, variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut sources = Self {
            is_complete: true,
            ..Self::default()
        };
        sources.read_file(file);
        sources.read_variables(variables);
        sources.check();
        sources
    }

    fn read_file(&mut self, chosen: Option<&Path>) {
        let path = chosen.unwrap_or(Path::new(DEFAULT_FILE));
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            // A link that leads nowhere is there, and is a mistake.
            Err(e) if e.kind() == ErrorKind::NotFound && chosen.is_none() && path.symlink_metadata().is_err() => return,
            Err(e) => {
                self.is_complete = false;
                return self
                    .faults
                    .push(format!("the settings file {} can't be read: {e}", path.display()));
            }
        };
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(e) => {
                self.is_complete = false;
                let before = String::from_utf8_lossy(&e.as_bytes()[..e.utf8_error().valid_up_to()]).into_owned();
                let place = place(path, &before, before.len());
                return self.faults.push(format!("{place}: is not UTF-8"));
            }
        };
        match DeTable::parse(&text) {
            Ok(table) => self.read_table(path, &text, "", table.get_ref()),
            Err(e) => {
                self.is_complete = false;
                let at = e.span().map_or(text.len(), |span| span.start);
                // The message of the parser holds nothing of the file, which may hold secrets.
                self.faults.push(format!("{}: {}", place(path, &text, at), e.message()));
            }
        }
    }

    fn read_table(&mut self, path: &Path, text: &str, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table.iter() {
            let name = format!("{prefix}{}", key.get_ref());
            let origin = place(path, text, key.span().start);
            let is_section = SETTINGS.iter().any(|s| is_within(s.name, &name));
            match (find(&name), value.get_ref()) {
                (Some(setting), value) => match text_of(setting.form, value) {
                    Some(text) => {
                        self.given.insert(setting.name, Given { text, origin });
                    }
                    None => {
                        let expected = expected_in_toml(setting.form);
                        let found = a(value.type_str());
                        self.faults
                            .push(format!("{name}: must be {expected}, not {found} ({origin})"));
                    }
                },
                (None, DeValue::Table(inner)) if is_section => {
                    self.read_table(path, text, &format!("{name}."), inner);
                }
                (None, value) if is_section => {
                    let found = a(value.type_str());
                    self.faults
                        .push(format!("{name}: must be a section, [{name}], not {found} ({origin})"));
                }
                // The names in a misspelt section say best which one was meant.
                (None, DeValue::Table(inner)) if !inner.is_empty() && prefix.is_empty() => {
                    self.read_table(path, text, &format!("{name}."), inner);
                }
                (None, _) => self
                    .faults
                    .push(format!("{name}: no such setting{} ({origin})", names::hint(&name))),
            }
        }
    }

    fn read_variables(&mut self, variables: impl IntoIterator<Item = (OsString, OsString)>) {
        for (variable, value) in variables {
            let variable = variable.to_string_lossy().into_owned();
            let upper = variable.to_ascii_uppercase();
            let Some(rest) = upper.strip_prefix(PREFIX) else {
                continue;
            };
            let name = rest.to_ascii_lowercase().replace("__", ".");
            match (find(&name), value.into_string()) {
                (Some(setting), Ok(text)) => {
                    let origin = Origin::Variable(variable);
                    self.given.insert(setting.name, Given { text, origin });
                }
                (Some(setting), Err(_)) => self.faults.push(format!("{}: is not UTF-8 ({variable})", setting.name)),
                (None, _) if names::is_of_a_client(&upper) => {}
                (None, _) if names::is_meant(&name) => {
                    self.faults
                        .push(format!("{variable}: no such setting{}", names::hint_of_variable(&name)));
                }
                (None, _) => self.unknown.push(variable),
            }
        }
    }

    /// Sorts out what does not have the form that its setting wants.
    fn check(&mut self) {
        self.given.retain(|name, given| {
            let Some(form) = find(name).map(|setting| setting.form) else {
                return false;
            };
            let Err(reason) = form.check(&given.text) else {
                return true;
            };
            let expected = form.expected();
            let found = match form.is_secret() {
                true => String::new(),
                false => format!(", not {:?}", given.text),
            };
            let reason = reason.map(|reason| format!("; {reason}")).unwrap_or_default();
            let origin = &given.origin;
            self.faults
                .push(format!("{name}: must be {expected}{found}{reason} ({origin})"));
            false
        });
    }
}

/// Whether a setting is in a section.
fn is_within(setting: &str, section: &str) -> bool {
    setting.strip_prefix(section).is_some_and(|rest| rest.starts_with('.'))
}

fn place(file: &Path, text: &str, at: usize) -> Origin {
    let before = &text.as_bytes()[..at.min(text.len())];
    let line_start = before
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(0, |newline| newline + 1);
    Origin::File {
        file: file.to_owned(),
        line: before.iter().filter(|b| **b == b'\n').count() + 1,
        column: String::from_utf8_lossy(&before[line_start..]).chars().count() + 1,
    }
}

/// A value as a variable would have it; none where the form is written otherwise.
fn text_of(form: Form, value: &DeValue<'_>) -> Option<String> {
    match (form.toml_type(), value) {
        (TomlType::Boolean, DeValue::Boolean(value)) => Some(value.to_string()),
        (TomlType::Integer | TomlType::Number, DeValue::Integer(n)) => {
            let whole = i128::from_str_radix(n.as_str(), n.radix()).ok();
            Some(whole.map_or_else(|| n.to_string(), |n| n.to_string()))
        }
        (TomlType::Number, DeValue::Float(n)) => Some(n.as_str().to_owned()),
        (TomlType::String | TomlType::Strings, DeValue::String(text)) => Some(text.clone().into_owned()),
        (TomlType::Strings, DeValue::Array(items)) => {
            let items: Option<Vec<&str>> = items.iter().map(|item| item.get_ref().as_str()).collect();
            Some(items?.join(","))
        }
        _ => None,
    }
}

fn expected_in_toml(form: Form) -> String {
    let expected = form.expected();
    match form.toml_type() {
        TomlType::Boolean | TomlType::Integer | TomlType::Number => expected,
        TomlType::String => format!("a string: {expected}"),
        TomlType::Strings => format!("an array of strings: {expected}"),
    }
}

fn a(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'i']) { "an" } else { "a" };
    format!("{article} {noun}")
}
