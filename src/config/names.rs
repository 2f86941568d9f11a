//! Names that are not those of a setting: which one was meant, and whether one was meant at all.

use strsim::damerau_levenshtein;

use super::settings::{SETTINGS, Setting};

/// Variables that clients of the service read.
const OF_CLIENTS: [&str; 3] = ["MEMSYNC_KEY", "MEMSYNC_API_KEY", "MEMSYNC_BASE_URL"];

pub(super) fn is_of_a_client(variable: &str) -> bool {
    OF_CLIENTS.contains(&variable)
}

/// Whether a variable's name, with dots between levels, can only be meant for this program: it names a section, or is
/// a slip of the pen away from a setting. Others may be those of another program.
pub(super) fn is_meant(name: &str) -> bool {
    let is_in_section = name.split_once('.').is_some_and(|(section, _)| {
        let is_this = |setting: &Setting| setting.name.split_once('.').is_some_and(|(of, _)| of == section);
        SETTINGS.iter().any(is_this)
    });
    let is_slip = |setting: &Setting| distance(name, setting) <= (name.len() / 4).clamp(1, 3);
    is_in_section || SETTINGS.iter().any(is_slip)
}

/// How many letters a name is away from a setting's, whatever stands between levels.
fn distance(name: &str, setting: &Setting) -> usize {
    let level = |name: &str| name.replace("__", "_").replace('.', "_");
    damerau_levenshtein(&level(name), &level(setting.name))
}

/// The setting that was meant, where there is one that looks like it.
fn meant(name: &str) -> Option<&'static Setting> {
    let last = |name: &str| name.rsplit('.').next().map(str::to_owned);
    let rate = |setting: &Setting| match last(name) == last(setting.name) {
        // The right name in the wrong section.
        true => distance(name, setting).min(1),
        false => distance(name, setting),
    };
    let nearest = SETTINGS
        .iter()
        .map(|setting| (rate(setting), setting))
        .min_by_key(|(rate, _)| *rate);
    nearest
        .filter(|(rate, _)| *rate <= name.len() / 2)
        .map(|(_, setting)| setting)
}

/// What to add to a message about a name in the file.
pub(super) fn hint(name: &str) -> String {
    suggestion(meant(name).map(|setting| setting.name.to_owned()))
}

/// What to add to a message about a variable.
pub(super) fn hint_of_variable(name: &str) -> String {
    suggestion(meant(name).map(Setting::variable))
}

fn suggestion(meant: Option<String>) -> String {
    match meant {
        Some(name) => format!("; did you mean {name}?"),
        None => "; `memsync config --default` lists all".to_owned(),
    }
}
