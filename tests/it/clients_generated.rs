//! A client that a public generator makes of the OpenAPI document, against the real binary.

use crate::clients_python::python;
use crate::process::Process;

#[test]
fn a_client_generated_from_the_document_stores_searches_changes_and_deletes() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path());
    let place = tempfile::tempdir().unwrap();
    python(
        "generated_client.py",
        &[&server.url(), &server.first_key(), place.path().to_str().unwrap()],
    );
}
