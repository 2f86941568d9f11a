//! The settings that choose the embedder and, in `model`, the embedder that loads a model directory.

#[cfg(feature = "local-embedder")]
mod model;

use crate::process::memsync;

/// What a start with these settings says; it must not succeed.
#[track_caller]
fn fault(settings: &[(&str, &str)]) -> String {
    let data = tempfile::tempdir().unwrap();
    let ended = memsync(data.path(), settings, &["serve"]);
    assert!(!ended.status.success(), "{settings:?}");
    ended.stderr
}

#[test]
fn an_unknown_kind_is_said_at_start() {
    let said = fault(&[("MEMSYNC_EMBEDDER__KIND", "clever")]);
    assert!(
        said.contains("embedder.kind: must be builtin or local, not \"clever\" (MEMSYNC_EMBEDDER__KIND)"),
        "{said}"
    );
}

#[cfg(not(feature = "local-embedder"))]
#[test]
fn a_binary_without_the_feature_says_so_at_start() {
    let said = fault(&[("MEMSYNC_EMBEDDER__KIND", "local"), ("MEMSYNC_EMBEDDER__PATH", ".")]);
    assert!(
        said.contains("embedder.kind: this binary was built without the feature `local-embedder`"),
        "{said}"
    );
}

#[cfg(feature = "local-embedder")]
#[test]
fn a_path_that_is_missing_or_leads_nowhere_is_said_at_start() {
    let said = fault(&[("MEMSYNC_EMBEDDER__KIND", "local")]);
    assert!(
        said.contains("embedder.path: is needed where embedder.kind is local"),
        "{said}"
    );
    let said = fault(&[
        ("MEMSYNC_EMBEDDER__KIND", "local"),
        ("MEMSYNC_EMBEDDER__PATH", "nowhere"),
    ]);
    assert!(said.contains("embedder.path: nowhere is not a directory"), "{said}");
    let said = fault(&[("MEMSYNC_EMBEDDER__KIND", "local"), ("MEMSYNC_EMBEDDER__PATH", ".")]);
    assert!(said.contains("embedder.path: "), "{said}");
    assert!(said.contains("config.json can't be read: No such file"), "{said}");
}
