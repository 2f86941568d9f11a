//! Every example of the README works as it stands: each fenced block is run against a fresh server.
//!
//! The examples use `http://127.0.0.1:8080` and the variable `MEMSYNC_KEY`. A block of `text` that directly follows an
//! example holds lines of its output, in which `…` stands for anything. A block after `<!-- not run: … -->` is not run.
//! `memsync` is on the `PATH` and has the server's data directory.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use memsync::config::{DefaultValue, Form, SETTINGS, Setting};

use crate::clients_python::interpreter;
use crate::process::{Process, run};

/// The commands that start the server, run the tests, and set the reader's key and path.
const NOT_RUN: usize = 4;

#[derive(Debug, PartialEq, Eq)]
struct Example {
    language: String,
    code: String,
    /// Where it begins, for messages.
    line: usize,
    is_run: bool,
    expected: Vec<String>,
}

#[test]
fn every_example_of_the_readme_works() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let examples = examples(&readme);
    let skipped = examples.iter().filter(|example| !example.is_run).count();
    assert_eq!(skipped, NOT_RUN, "blocks marked `not run`");
    for language in ["sh", "python", "javascript"] {
        let runs = examples
            .iter()
            .any(|example| example.is_run && example.language == language);
        assert!(runs, "the README has no {language} example");
    }
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path());
    for example in examples.iter().filter(|example| example.is_run) {
        check(example, &server, data.path());
    }
}

#[test]
fn the_settings_of_the_readme_are_those_that_are_declared() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let header = "| variable | default | meaning |\n| --- | --- | --- |\n";
    let from = readme.find(header).unwrap() + header.len();
    let length: usize = readme[from..]
        .split_inclusive('\n')
        .take_while(|line| line.starts_with('|'))
        .map(str::len)
        .sum();
    let table: String = SETTINGS.iter().map(row).collect();
    if std::env::var_os("MEMSYNC_WRITE_README").is_some() {
        let written = format!("{}{table}{}", &readme[..from], &readme[from + length..]);
        std::fs::write(&path, written).unwrap();
        return;
    }
    assert_eq!(
        readme[from..from + length],
        table,
        "`MEMSYNC_WRITE_README=1 cargo nextest run readme` writes the table anew"
    );
}

fn row(setting: &Setting) -> String {
    let default = match (setting.default, setting.form) {
        (DefaultValue::Value(number), Form::Whole(..) | Form::Seconds(_)) => number.to_owned(),
        (DefaultValue::Value(value), _) => format!("`{value}`"),
        (DefaultValue::Derived(words, _) | DefaultValue::Unset(words), _) => words.to_owned(),
    };
    format!("| `{}` | {default} | {} |\n", setting.variable(), setting.about)
}

#[track_caller]
fn check(example: &Example, server: &Process, data_dir: &Path) {
    let key = server.first_key();
    let code = example.code.replace("127.0.0.1:8080", &server.address.to_string());
    let place = tempfile::tempdir().unwrap();
    let (program, name): (OsString, _) = match example.language.as_str() {
        "python" => (interpreter().into(), "example.py"),
        "javascript" => (
            std::env::var_os("MEMSYNC_TEST_NODE").unwrap_or("node".into()),
            "example.mjs",
        ),
        _ => ("bash".into(), "example.sh"),
    };
    let file = place.path().join(name);
    std::fs::write(&file, &code).unwrap();
    let mut command = Command::new(program);
    if example.language == "sh" {
        command.args(["-e", "-o", "pipefail"]);
    }
    command
        .arg(&file)
        .current_dir(place.path())
        .env("MEMSYNC_KEY", key)
        .env("MEMSYNC_DATA_DIR", data_dir)
        .env("PATH", path_with_installed_tools());
    let what = format!("README.md:{}: the {} example\n{code}", example.line, example.language);
    let ended = run(command).expect_success(&what);
    for line in &example.expected {
        assert!(
            line.split('…').all(|part| ended.stdout.contains(part)),
            "{what}\nprints no {line:?} but:\n{}\n{}",
            ended.stdout,
            ended.stderr
        );
    }
}

/// `memsync` itself, and the programs that `tests/clients/requirements.txt` brings, such as grpcurl, which stand beside
/// the interpreter.
fn path_with_installed_tools() -> OsString {
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let programs = [PathBuf::from(env!("CARGO_BIN_EXE_memsync")), interpreter()];
    let beside = programs
        .iter()
        .filter_map(|p| p.parent())
        .filter(|p| !p.as_os_str().is_empty());
    let all = beside.map(Path::to_path_buf).chain(std::env::split_paths(&inherited));
    std::env::join_paths(all).unwrap()
}

fn examples(markdown: &str) -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    let mut lines = markdown.lines().enumerate();
    // Whether `not run` has been read since the last block, and whether nothing but blank lines has.
    let (mut marked, mut follows) = (false, false);
    while let Some((number, line)) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            if line.starts_with("<!-- not run:") {
                marked = true;
            } else if !line.trim().is_empty() {
                (marked, follows) = (false, false);
            }
            continue;
        };
        let block: Vec<&str> = lines
            .by_ref()
            .map(|(_, line)| line)
            .take_while(|line| *line != "```")
            .collect();
        match language.trim() {
            "text" if follows => {
                let lines = block.iter().map(|line| line.trim()).filter(|line| !line.is_empty());
                found.last_mut().unwrap().expected = lines.map(str::to_owned).collect();
                follows = false;
            }
            language @ ("sh" | "python" | "javascript") => {
                found.push(Example {
                    language: language.to_owned(),
                    code: block.join("\n") + "\n",
                    line: number + 1,
                    is_run: !marked,
                    expected: Vec::new(),
                });
                follows = true;
            }
            // A marker before any other block would hide nothing.
            other => {
                assert!(!marked, "line {}: `not run` before a block of {other:?}", number + 1);
                follows = false;
            }
        }
        marked = false;
    }
    found
}

const SMALL: &str = r#"# A title

<!-- not run: starts the server -->
```sh
cargo run --release
```

<!-- not run: a marker that a paragraph parts from its block -->
Then this:

```sh
curl -sf http://127.0.0.1:8080/healthcheck -H "X-API-Key: $MEMSYNC_KEY"
echo
```

```text
"status":…"authenticated":true
```

Some words.

```python
import os
print(len(os.environ["MEMSYNC_KEY"]) > 40)
```

```toml
listen = "127.0.0.1:9000"
```

```text
This is no output of anything.
```

```javascript
const answer = await fetch("http://127.0.0.1:8080/healthcheck");
console.log(answer.status, process.env.MEMSYNC_KEY.length > 40);
```
```text
200 true
```
"#;

#[test]
fn the_blocks_of_a_readme_are_told_apart() {
    let found = examples(SMALL);
    let seen: Vec<(&str, usize, bool, Vec<&str>)> = found
        .iter()
        .map(|e| {
            (
                &*e.language,
                e.line,
                e.is_run,
                e.expected.iter().map(String::as_str).collect(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("sh", 4, false, vec![]),
            ("sh", 11, true, vec!["\"status\":…\"authenticated\":true"]),
            ("python", 22, true, vec![]),
            ("javascript", 35, true, vec!["200 true"]),
        ]
    );
    assert_eq!(found[0].code, "cargo run --release\n");
}

#[test]
fn the_examples_of_a_small_readme_run_against_a_server() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path());
    for example in examples(SMALL).iter().filter(|example| example.is_run) {
        check(example, &server, data.path());
    }
}
