//! The published JavaScript snippet against the real binary.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Process, run};

#[test]
fn the_published_javascript_class_works_unchanged() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path());
    let node = std::env::var_os("MEMSYNC_TEST_NODE").map_or_else(|| "node".into(), PathBuf::from);
    assert!(
        Command::new(&node).arg("--version").output().is_ok(),
        "{} can't be run: install Node.js 18 or newer (apt-get install nodejs) or set MEMSYNC_TEST_NODE",
        node.display()
    );
    let mut command = Command::new(node);
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/memsync_client.mjs"))
        .args([server.url(), server.first_key()]);
    run(command).expect_success("memsync_client.mjs");
}
