//! Imports run only downwards.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What each room may use. A room that is missing here fails the test until somebody decides where it lies.
const RULES: [(&str, &[&str]); 23] = [
    ("jobs", &["services", "model", "error"]),
    ("dashboard", &["in_process", "rest", "server", "model"]),
    ("openapi", &["rest", "grpc", "server", "model", "proto"]),
    ("rest", &["in_process", "admission", "model"]),
    ("in_process", &["model"]),
    ("oauth", &["services", "model", "error"]),
    ("admission", &["model"]),
    (
        "grpc",
        &["admission", "services", "search", "profile", "model", "error", "proto"],
    ),
    (
        "services",
        &[
            "extraction",
            "profile",
            "search",
            "providers",
            "cpu",
            "store",
            "model",
            "error",
        ],
    ),
    ("profile", &["extraction", "model", "error"]),
    ("extraction", &["model", "parser", "error"]),
    ("search", &["model", "error"]),
    ("parser", &["inference", "providers"]),
    ("inference", &[]),
    ("providers", &["cpu", "model", "error"]),
    ("cpu", &[]),
    ("store", &["model", "error"]),
    ("error", &["model"]),
    ("model", &[]),
    ("proto", &[]),
    ("config", &[]),
    ("secrets", &[]),
    ("server", &["admission", "config", "model"]),
];
/// Drivers at the top, which may see everything: the composition root, the command line, the crate's list of rooms.
const TOP: [&str; 5] = ["app", "cli", "main", "lib", "eval"];

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The rooms that a source names by `crate::…`, with the lines; comments name rooms freely.
fn edges(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in source.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for (at, _) in code.match_indices("crate::") {
            let is_part_of_a_word = code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
            if is_part_of_a_word {
                continue;
            }
            let rest = &code[at + "crate::".len()..];
            let names = match rest.strip_prefix('{') {
                Some(list) => list
                    .split('}')
                    .next()
                    .unwrap_or(list)
                    .split(',')
                    .map(str::trim)
                    .collect(),
                None => vec![rest],
            };
            for name in names {
                let room: String = name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                found.push((index + 1, room));
            }
        }
    }
    found
}

fn broken_rules(room: &str, file: &str, source: &str) -> Vec<String> {
    let rules: BTreeMap<&str, &[&str]> = RULES.into_iter().collect();
    if TOP.contains(&room) {
        return Vec::new();
    }
    let Some(allowed) = rules.get(room) else {
        return vec![format!(
            "{file}: the room `{room}` has no rule; add it to the rules of this test"
        )];
    };
    edges(source)
        .into_iter()
        .filter(|(_, used)| used != room && !allowed.contains(&used.as_str()))
        .map(|(line, used)| {
            let list = match allowed {
                [] => "nothing of this crate".to_owned(),
                _ => allowed.join(", "),
            };
            format!("{file}:{line}: `{room}` uses `{used}`; the rule: `{room}` may use {list}")
        })
        .collect()
}

#[test]
fn imports_run_only_downwards() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut rooms_seen = Vec::new();
    let mut broken = Vec::new();
    for path in files {
        let relative = path.strip_prefix(&root).unwrap();
        let first = relative.components().next().unwrap().as_os_str().to_str().unwrap();
        let room = first.trim_end_matches(".rs");
        rooms_seen.push(room.to_owned());
        let file = format!("src/{}", relative.display());
        // Tests may bring what their room is handed by others.
        if relative
            .iter()
            .any(|part| part == "tests" || part.to_string_lossy().starts_with("tests_") || part == "tests.rs")
        {
            continue;
        }
        broken.extend(broken_rules(room, &file, &std::fs::read_to_string(&path).unwrap()));
    }
    for (room, _) in RULES {
        assert!(
            rooms_seen.iter().any(|seen| seen == room),
            "the room `{room}` of the rules is gone"
        );
    }
    assert!(broken.is_empty(), "forbidden imports:\n{}", broken.join("\n"));
}

#[test]
fn a_forbidden_import_is_found_in_every_form_of_use() {
    for source in [
        "use crate::store::Store;",
        "pub(crate) use crate::store::Store;",
        "use crate::{model::Memory, store::Store};",
        "fn f() { crate::store::open(); }",
        "use crate::store as s;",
    ] {
        let broken = broken_rules("grpc", "src/grpc/x.rs", source);
        let rule = "src/grpc/x.rs:1: `grpc` uses `store`; the rule: `grpc` may use \
                    admission, services, search, profile, model, error, proto";
        assert_eq!(broken, [rule], "{source}");
    }
    assert!(broken_rules("grpc", "x.rs", "//! crate::store\nuse crate::services::Auth;").is_empty());
    assert_eq!(broken_rules("new_room", "x.rs", "").len(), 1);
}
