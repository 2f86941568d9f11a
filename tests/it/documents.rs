//! The paths and links in the documents lead to files that exist.

use std::path::{Path, PathBuf};

/// Endings of files that a document can only mean as files of this repository.
const SOURCES: [&str; 3] = [".rs", ".md", ".proto"];
/// Folders at the root that are no part of the repository.
const FOREIGN: [&str; 3] = [".git", "data", "target"];

#[test]
fn every_path_that_the_architecture_and_the_adrs_name_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = first_folders(root);
    let mut documents = vec![root.join("CONTRIBUTING.md"), root.join("docs/ARCHITECTURE.md")];
    documents.extend(entries(&root.join("docs/adr")));
    let (mut named, mut broken) = (0, Vec::new());
    for document in documents {
        let text = std::fs::read_to_string(&document).unwrap();
        let name = document.strip_prefix(root).unwrap().display();
        assert_eq!(text.matches('`').count() % 2, 0, "{name}: a backtick without its other");
        for path in paths(&text, &folders) {
            named += 1;
            if !leads_somewhere(root, &path) {
                broken.push(format!("{name}: `{path}`"));
            }
        }
        let folder = document.parent().unwrap();
        let missing = links(&text).into_iter().filter(|link| !folder.join(link).exists());
        broken.extend(missing.map(|link| format!("{name}: the link {link}")));
    }
    assert!(named > 100, "only {named} paths were found");
    assert!(
        broken.is_empty(),
        "these lead nowhere; paths begin at the root, such as `src/lib.rs`:\n{}",
        broken.join("\n")
    );
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

/// What paths begin with: the folders at the root, and those of `src/`, whose paths must not begin with them.
fn first_folders(root: &Path) -> Vec<String> {
    let mut all = entries(root);
    all.extend(entries(&root.join("src")));
    let folders = all.into_iter().filter(|path| path.is_dir());
    let names = folders.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned());
    names.filter(|name| !FOREIGN.contains(&name.as_str())).collect()
}

/// The code spans that name a path of this repository.
fn paths(markdown: &str, folders: &[String]) -> Vec<String> {
    let is_path = |span: &String| {
        let first = span.split_once('/').map(|(first, _)| first);
        let is_in_folder = first.is_some_and(|first| folders.iter().any(|folder| folder == first));
        let is_source = SOURCES.iter().any(|ending| span.ends_with(ending));
        !span.contains(char::is_whitespace) && (is_in_folder || is_source)
    };
    let spans = code_spans(markdown);
    spans
        .iter()
        .filter(|span| is_path(span))
        .flat_map(|span| alternatives(span))
        .collect()
}

/// What stands between two backticks, outside of fenced blocks.
fn code_spans(markdown: &str) -> Vec<String> {
    let (mut prose, mut is_fenced) = (String::new(), false);
    for line in markdown.lines() {
        if line.starts_with("```") {
            is_fenced = !is_fenced;
        } else if !is_fenced {
            prose += line;
            prose.push('\n');
        }
    }
    prose.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// `src/{a,b}.rs` is two paths.
fn alternatives(path: &str) -> Vec<String> {
    let parts = path
        .split_once('{')
        .and_then(|(start, rest)| Some((start, rest.split_once('}')?)));
    match parts {
        None => vec![path.to_owned()],
        Some((start, (names, end))) => names.split(',').map(|name| format!("{start}{name}{end}")).collect(),
    }
}

/// Whether there is anything at a path; `*` and `…` stand for any part of a name.
fn leads_somewhere(root: &Path, path: &str) -> bool {
    let mut places = vec![root.to_owned()];
    for name in path.trim_end_matches('/').split('/') {
        places = match name.split_once(['*', '…']) {
            None => places.iter().map(|place| place.join(name)).collect(),
            Some((start, end)) => {
                let folders = places.iter().filter(|place| place.is_dir());
                let inside = folders.flat_map(|folder| entries(folder));
                inside.filter(|place| has_name(place, start, end)).collect()
            }
        };
        places.retain(|place| place.exists());
    }
    match path.ends_with('/') {
        true => places.iter().any(|place| place.is_dir()),
        false => !places.is_empty(),
    }
}

fn has_name(path: &Path, start: &str, end: &str) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    name.strip_prefix(start).is_some_and(|rest| rest.ends_with(end))
}

/// Where links to other files lead, as seen from the document.
fn links(markdown: &str) -> Vec<&str> {
    let targets = markdown
        .match_indices("](")
        .filter_map(|(at, opening)| markdown[at + opening.len()..].split_once(')'));
    targets
        .map(|(target, _)| target)
        .filter(|target| !target.contains("://") && !target.starts_with('#'))
        .map(|target| target.split('#').next().unwrap_or(target))
        .collect()
}

#[test]
fn paths_are_told_from_other_words_and_those_that_are_gone_are_found() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = "`src/lib.rs` is `build.rs`, `src/{lib,main}.rs`, `tests/it/` and `migrations/*_accounts.rs`.\n\
        ```\n`src/in_a_block.rs`\n```\n\
        Not `cargo test src/lib.rs`, `/v1/memories`, `1_Pooling/config.json`, `memsync.toml` or `and/or`.\n\
        `src/gone.rs`, `gone.rs`, `src/gone/*.rs`, `src/lib.rs/`, `services/auth/`, `docs/gone…`";
    let (there, gone): (Vec<String>, Vec<String>) = paths(text, &first_folders(root))
        .into_iter()
        .partition(|path| leads_somewhere(root, path));
    let expected = [
        "src/lib.rs",
        "build.rs",
        "src/lib.rs",
        "src/main.rs",
        "tests/it/",
        "migrations/*_accounts.rs",
    ];
    assert_eq!(there, expected);
    let expected = [
        "src/gone.rs",
        "gone.rs",
        "src/gone/*.rs",
        "src/lib.rs/",
        "services/auth/",
        "docs/gone…",
    ];
    assert_eq!(gone, expected);
    let text = "[a](docs/A.md#part), [b](#part), [c](https://example.com/c), [d](../d.md)";
    assert_eq!(links(text), ["docs/A.md", "../d.md"]);
}
