//! The published Python snippets, and a gRPC client that has only server reflection, against the real binary.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Process, run};

#[test]
fn the_published_python_class_and_health_check_work_unchanged() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path());
    let (base, key) = (server.url(), server.first_key());
    python("memsync_client.py", &[&base, &key]);
}

#[test]
fn a_python_client_with_only_server_reflection_stores_searches_and_reads_error_details() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path());
    let (address, key) = (server.address.to_string(), server.first_key());
    python("reflection_client.py", &[&address, &key]);
}

/// The interpreter that has the packages of `tests/clients/requirements.txt`.
pub fn interpreter() -> PathBuf {
    std::env::var_os("MEMSYNC_TEST_PYTHON").map_or_else(|| "python3".into(), PathBuf::from)
}

/// Runs a script of `tests/clients`, which must end well.
#[track_caller]
pub fn python(script: &str, arguments: &[&str]) {
    let python = interpreter();
    assert!(
        Command::new(&python).arg("--version").output().is_ok(),
        "{} can't be run: install Python 3.10 or newer (apt-get install python3 python3-venv) or set \
         MEMSYNC_TEST_PYTHON; tests/run installs the packages",
        python.display()
    );
    let mut command = Command::new(python);
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script))
        .args(arguments);
    run(command).expect_success(script);
}
