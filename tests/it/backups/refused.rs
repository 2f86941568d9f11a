//! What is no whole MemSync database of this version replaces nothing.

use std::path::{Path, PathBuf};

use sea_orm::{ConnectionTrait, Database};

use super::{memories_in, names, place_with_backup, restore};

/// A copy of a backup that SQL has changed.
async fn changed(backup: &Path, name: &str, sql: &str) -> PathBuf {
    let file = backup.with_file_name(name);
    std::fs::copy(backup, &file).unwrap();
    let database = Database::connect(format!("sqlite://{}", file.display())).await.unwrap();
    database.execute_unprepared(sql).await.unwrap();
    database.close().await.unwrap();
    file
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_no_whole_backup_of_this_version_replaces_nothing() {
    let (data, server, rest, backup) = place_with_backup("kayak").await;
    server.stop().expect_success("SIGTERM");
    let elsewhere = tempfile::tempdir().unwrap();
    let file = |name: &str| elsewhere.path().join(name);
    let whole = std::fs::read(&backup).unwrap();
    std::fs::write(
        file("letter"),
        "dear Ada, this is no database but a letter of some length",
    )
    .unwrap();
    std::fs::write(file("half"), &whole[..whole.len() / 2]).unwrap();
    let mut torn = whole.clone();
    // Every page but the first, whose schema can be read.
    let noise = (0_u8..251).cycle();
    torn[4096..]
        .iter_mut()
        .zip(noise)
        .for_each(|(byte, noise)| *byte ^= noise);
    std::fs::write(file("torn"), torn).unwrap();
    std::fs::write(file("empty"), "").unwrap();
    std::fs::write(file("in-use"), &whole).unwrap();
    std::fs::write(file("in-use-wal"), "frames").unwrap();
    std::fs::copy(&backup, file("good")).unwrap();
    let tomorrow = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29990101_000001_tomorrow', 0)";
    let foreign = "UPDATE seaql_migrations SET version = 'other_' || version";
    for (file, expected) in [
        (
            changed(&file("good"), "newer", tomorrow).await,
            "from a newer version: it has m29990101_000001_tomorrow",
        ),
        (
            changed(&file("good"), "foreign", foreign).await,
            "not a MemSync database",
        ),
        (file("letter"), "not a MemSync database"),
        (file("empty"), "not a MemSync database"),
        (file("half"), "damaged"),
        (file("torn"), "damaged"),
        (file("in-use"), "has a write-ahead log next to it"),
        (file("nowhere"), "No such file"),
    ] {
        let before = names(data.path());
        let refused = restore(data.path(), &file);
        assert_eq!(refused.status.code(), Some(1), "{}", file.display());
        assert!(
            refused.stderr.contains(expected),
            "{}: {}",
            file.display(),
            refused.stderr
        );
        assert_eq!(names(data.path()), before, "{}", file.display());
    }
    let texts = memories_in(data.path(), rest.key()).await;
    assert!(texts.len() == 1 && texts[0].contains("kayak"), "{texts:?}");
}
