//! The dashboard in a real browser: `tests/browser/*.mjs`, each against a server of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{BOUND, Process, run_within};

fn passes(test: &str) {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start_with(data.path(), &[("MEMSYNC_USAGE__FLUSH_INTERVAL", "1")]);
    let given = |name: &str, how: &str| {
        let value = std::env::var_os(name).map(PathBuf::from);
        value.unwrap_or_else(|| panic!("{name} is not set: {how}"))
    };
    let modules = given(
        "MEMSYNC_TEST_NODE_MODULES",
        "tests/run sets it; npm install in tests/browser",
    );
    let chromium = given("MEMSYNC_TEST_CHROMIUM", "tests/run sets it; apt-get install chromium");
    let node = std::env::var_os("MEMSYNC_TEST_NODE").map_or_else(|| "node".into(), PathBuf::from);
    let mut command = Command::new(node);
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser").join(test))
        .args([server.url(), server.setup_link()])
        .env("MEMSYNC_TEST_NODE_MODULES", modules)
        .env("MEMSYNC_TEST_CHROMIUM", chromium);
    run_within(command, 4 * BOUND).expect_success(test);
}

#[test]
fn a_person_signs_up_makes_a_key_sees_a_memory_mends_it_and_erases_it() {
    passes("journey.mjs");
}

#[test]
fn what_a_new_account_is_given_to_paste_works_as_pasted() {
    passes("snippets.mjs");
}

#[test]
fn no_page_keeps_anybody_out() {
    passes("accessibility.mjs");
}

#[test]
fn the_link_of_the_first_start_leads_its_owner_in() {
    passes("first-link.mjs");
}

#[test]
fn what_is_stored_is_shown_as_text() {
    passes("injection.mjs");
}

#[test]
fn nobody_sees_anything_of_another_account() {
    passes("isolation.mjs");
}
