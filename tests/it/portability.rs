//! Memories are taken out whole and taken in unchanged, and those of other services come with what they say.

use std::path::Path;

use futures::StreamExt;
use memsync::proto::v1 as pb;
use serde_json::{Value, json};

use crate::process::{Process, memsync};
use crate::support::{Answer, DEFAULT_SCOPES, Rest, TestServer, conversation, field, send};

/// Somebody's memories with every kind of history, and those of two people behind the same key.
pub async fn a_life(rest: &Rest) {
    for words in [
        "I work at Google as an engineer.",
        "I joined Meta.",
        "I play the cello.",
        "My password is Quokka-Bartholomew-9.",
        "I play the cello.",
    ] {
        let mut body = conversation("t", &[words]);
        body["metadata"] = json!({"platform": "chat", "deep": [1, 0.5, null, {"é": "🦘"}]});
        rest.store(&body).await;
    }
    let cello = rest.search(&json!({"query": "cello", "limit": 1})).await;
    let path = format!("/v1/memories/{}", cello[0]["id"].as_str().unwrap());
    for change in [
        json!({"content": "User plays the viola.", "importance": 0.75}),
        json!({"expires_at": "2100-01-01T00:00:00Z"}),
        json!({"categories": ["interests", "learning"]}),
    ] {
        rest.patch(&path, &change).await.ok();
    }
    for person in ["anna", "ben"] {
        let mut body = conversation("t", &["I bake bread every Sunday."]);
        body["user_id"] = person.into();
        rest.store(&body).await;
    }
}

async fn import(rest: &Rest, query: &str, lines: impl Into<reqwest::Body>) -> Answer {
    let request = rest.request("POST", &format!("/v1/import?{query}"));
    send(request.header("content-type", "application/x-ndjson").body(lines)).await
}

fn report(imported: u64, skipped: u64) -> Value {
    json!({"imported": imported, "skipped": skipped, "errors": [], "failed": 0})
}

/// The lines of an export by memory, because people come in the order of their ids.
fn lines(export: &[u8]) -> Vec<Value> {
    let lines = export.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let mut lines: Vec<Value> = lines.map(|line| serde_json::from_slice(line).unwrap()).collect();
    lines.sort_by_key(|line| line["memory"]["id"].as_str().unwrap().to_owned());
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_taken_in_elsewhere_is_the_same_with_dates_history_and_words() {
    let (from, to) = (TestServer::start().await, TestServer::start().await);
    let (ada, grace) = (from.ada().await, to.ada().await);
    a_life(&ada).await;
    let exported = ada.get("/v1/export?all_users=true").await;
    assert_eq!(exported.header("content-type"), Some("application/x-ndjson"));
    let all = lines(&exported.bytes);
    assert_eq!(all.len(), 6);
    let viola = all
        .iter()
        .find(|line| line["memory"]["memory"] == "User plays the viola.")
        .unwrap();
    assert_eq!(viola["format"], 1);
    assert_eq!(viola["reinforced"], 1);
    let operations: Vec<&Value> = viola["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| &v["operation"])
        .collect();
    assert_eq!(operations, ["added", "updated", "updated", "reclassified"]);
    assert_eq!(viola["sources"][0]["quote"], "I play the cello.");

    assert_eq!(import(&grace, "", exported.bytes.clone()).await.ok(), report(6, 0));
    assert_eq!(import(&grace, "", exported.bytes.clone()).await.ok(), report(0, 6));
    let again = grace.get("/v1/export?all_users=true").await;
    assert_eq!(lines(&again.bytes), all);
    for path in ["", "/history"] {
        let path = format!("/v1/memories/{}{path}", viola["memory"]["id"].as_str().unwrap());
        assert_eq!(grace.get(&path).await.ok(), ada.get(&path).await.ok());
    }
    for search in [
        json!({"query": "musical instruments", "limit": 3}),
        json!({"query": "employer", "rerank": true, "include_superseded": true}),
        json!({"query": "password", "limit": 1}),
        json!({"query": "baking", "user_id": "anna"}),
    ] {
        assert_eq!(grace.search(&search).await, ada.search(&search).await, "{search}");
    }
    let told = grace
        .store(&conversation("t", &["I joined Meta.", "I speak Finnish."]))
        .await;
    let operations = field(told["memories"].as_array().unwrap(), "operation");
    assert_eq!(operations, ["unchanged", "added"], "what came in is known");
    let finnish = grace.search(&json!({"query": "Finnish", "limit": 1})).await;
    assert_eq!(
        finnish[0]["source_message_ids"],
        json!(["t#6"]),
        "conversations go on where they were"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn precision_and_wishes_come_in_as_they_went_out_and_older_lines_are_taken_without() {
    let (from, to) = (TestServer::start().await, TestServer::start().await);
    let (ada, grace) = (from.ada().await, to.ada().await);
    let told = conversation(
        "t",
        &[
            "Always answer me in metric units.",
            "I graduated from university in 2019.",
        ],
    );
    let stored = ada.store(&told).await;
    assert_eq!(stored["memories_created"], 2, "{stored}");
    let graduated = stored["memories"][1]["id"].as_str().unwrap();
    let change = json!({"content": "User graduated from university in June 2018."});
    ada.patch(&format!("/v1/memories/{graduated}"), &change).await.ok();
    let exported = ada.get("/v1/export").await.bytes;
    assert_eq!(import(&grace, "", exported.clone()).await.ok(), report(2, 0));
    assert_eq!(grace.get("/v1/export").await.bytes, exported);

    let all = lines(&exported);
    let [wish, timed] = [true, false].map(|is_wish| all.iter().find(|line| line["memory"]["instruction"] == is_wish));
    let (wish, timed) = (wish.unwrap(), timed.unwrap());
    assert_eq!(wish["versions"][0]["instruction"], true);
    let precision =
        [&timed["memory"], &timed["versions"][0], &timed["versions"][1]].map(|v| &v["event_time_precision"]);
    assert_eq!(precision, ["month", "year", "month"]);

    let older = |line: &Value| {
        let mut line = line.clone();
        line["memory"].as_object_mut().unwrap().remove("instruction");
        line["memory"].as_object_mut().unwrap().remove("event_time_precision");
        for version in line["versions"].as_array_mut().unwrap() {
            version.as_object_mut().unwrap().remove("instruction");
            version.as_object_mut().unwrap().remove("event_time_precision");
        }
        line
    };
    let body: String = all.iter().map(|line| format!("{}\n", older(line))).collect();
    assert_eq!(
        import(&grace, "user_id=old", body).await.ok()["failed"],
        2,
        "the account has these ids"
    );
    let other = to.create_key("other@example.com", &DEFAULT_SCOPES).await;
    let other = to.rest(&other.secret);
    let body: String = all.iter().map(|line| format!("{}\n", older(line))).collect();
    assert_eq!(import(&other, "", body).await.ok(), report(2, 0));
    for shown in other.list("").await {
        assert_eq!(shown["instruction"], false);
        assert!(shown.get("event_time_precision").is_none(), "{shown}");
    }

    for (pointer, value, reason) in [
        (
            "/memory/event_time_precision",
            json!("decade"),
            "memory.event_time_precision: must be day, week, month, season or year",
        ),
        (
            "/versions/0/event_time_precision",
            json!("hour"),
            "versions.event_time_precision: must be day, week, month, season or year",
        ),
        (
            "/memory/event_time",
            Value::Null,
            "memory.event_time_precision: must not be without event_time",
        ),
    ] {
        let mut line = timed.clone();
        *line.pointer_mut(pointer).unwrap() = value;
        let answer = import(&other, "dry_run=true", line.to_string()).await.ok();
        assert_eq!(answer["errors"], json!([{"line": 1, "reason": reason}]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_order_mark_costs_no_line() {
    let (from, to) = (TestServer::start().await, TestServer::start().await);
    let (ada, grace) = (from.ada().await, to.ada().await);
    a_life(&ada).await;
    let marked = |bytes: &[u8]| [b"\xef\xbb\xbf".as_slice(), bytes].concat();
    let exported = ada.get("/v1/export?all_users=true").await.bytes;
    assert_eq!(import(&grace, "", marked(&exported)).await.ok(), report(6, 0));
    assert_eq!(
        lines(&grace.get("/v1/export?all_users=true").await.bytes),
        lines(&exported)
    );
    let foreign = json!([{"id": "1", "memory": "Plays the oboe", "created_at": 1_768_494_600}]).to_string();
    let answer = import(&grace, "format=mem0&user_id=kim", marked(foreign.as_bytes()))
        .await
        .ok();
    assert_eq!(answer, report(1, 0));
    assert_eq!(grace.list("user_id=kim").await[0]["created_at"], "2026-01-15T16:30:00Z");
    let bad = json!([{"id": "2", "memory": "Plays the flute", "created_at": "+262142-01-01"}]).to_string();
    let answer = import(&grace, "format=mem0", bad).await.ok();
    assert_eq!(
        answer["errors"][0]["reason"],
        "created_at: must be a time between the years 1 and 9999"
    );

    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("export.ndjson");
    std::fs::write(&file, marked(&exported)).unwrap();
    let create = ["user", "create", "--email", "ada@example.com"];
    memsync(data.path(), &[], &create).expect_success("user create");
    let import = ["import", "--email", "ada@example.com", file.to_str().unwrap()];
    let told = memsync(data.path(), &[], &import).expect_success("import").stderr;
    assert!(told.contains("imported 6, skipped 0, failed 0"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_line_is_reported_and_the_rest_comes_in() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    a_life(&rest).await;
    let good = rest.get("/v1/export").await.bytes;
    let good: Vec<&str> = std::str::from_utf8(&good).unwrap().lines().collect();
    let mut changed: Value = serde_json::from_str(good[0]).unwrap();
    let mut broken = |pointer: &str, value: Value| {
        *changed.pointer_mut(pointer).unwrap() = value;
        let line = changed.to_string();
        changed = serde_json::from_str(good[0]).unwrap();
        line
    };
    let bad = [
        ("{".to_owned(), "EOF"),
        ("[]".to_owned(), "expected struct Line"),
        (broken("/format", json!(2)), "format: must be 1"),
        (broken("/memory/id", json!("key_1")), "memory.id"),
        (broken("/memory/memory", json!("")), "memory.memory"),
        (broken("/memory/type", json!("eternal")), "memory.type"),
        (broken("/memory/categories", json!(["sports"])), "memory.categories"),
        (broken("/memory/importance", json!(1.5)), "memory.importance"),
        (broken("/memory/instruction", json!("yes")), "memory.instruction"),
        (broken("/memory/created_at", json!("yesterday")), "memory.created_at: "),
        (broken("/versions/0/version", json!(9)), "versions"),
        (broken("/versions/0/operation", json!("lost")), "versions.operation"),
        (broken("/memory/thread_id", json!("a\u{7}b")), "memory.thread_id"),
        (
            broken("/memory/created_at", json!("+262142-12-31T23:59:59Z")),
            "memory.created_at: must be",
        ),
        (
            broken("/memory/updated_at", json!("0000-06-01T00:00:00Z")),
            "memory.updated_at: must be",
        ),
        (
            broken("/versions/0/changed_at", json!("+12026-01-01T00:00:00Z")),
            "versions.changed_at: must be",
        ),
    ];
    let mut body = String::new();
    for (line, (bad, _)) in bad.iter().enumerate() {
        body += &format!("{bad}\n{}\n", good.get(line).unwrap_or(&""));
    }
    let grace = server.create_key("grace@example.com", &DEFAULT_SCOPES).await;
    let grace = server.rest(&grace.secret);
    let dry = import(&grace, "dry_run=true", body.clone()).await.ok();
    assert_eq!(
        (&dry["imported"], dry["preview"].as_array().unwrap().len()),
        (&json!(good.len()), good.len())
    );
    assert!(grace.list("").await.is_empty(), "a dry run stores nothing");

    let report = import(&grace, "", body).await.ok();
    assert_eq!(
        (&report["imported"], &report["failed"]),
        (&json!(good.len()), &json!(bad.len()))
    );
    let errors = report["errors"].as_array().unwrap();
    for (number, (error, (bad, reason))) in errors.iter().zip(&bad).enumerate() {
        assert_eq!(error["line"], 2 * number + 1, "{bad}");
        assert!(error["reason"].as_str().unwrap().contains(reason), "{bad}: {error}");
    }
    assert_eq!(grace.get("/v1/export").await.bytes, rest.get("/v1/export").await.bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_streams_both_ways_and_pieces_may_be_cut_anywhere() {
    let server = TestServer::start().await;
    let ada = server.create_key("ada@example.com", &DEFAULT_SCOPES).await;
    a_life(&server.rest(&ada.secret)).await;
    let mut client = server.memories(&[("x-api-key", &ada.secret)]);
    let stream = client
        .export_memories(pb::ExportMemoriesRequest::default())
        .await
        .unwrap()
        .into_inner();
    let records: Vec<_> = stream.collect().await;
    assert_eq!(records.len(), 4);
    let lines = server.rest(&ada.secret).get("/v1/export").await.bytes;
    let of_rest: Vec<Value> = self::lines(&lines);
    for (record, line) in records.into_iter().zip(&of_rest) {
        let memory = record.unwrap().record.unwrap();
        assert_eq!(memory.memory.unwrap().id, line["memory"]["id"].as_str().unwrap());
        assert_eq!(memory.versions.len(), line["versions"].as_array().unwrap().len());
    }

    let grace = server.create_key("grace@example.com", &DEFAULT_SCOPES).await;
    let mut client = server.memories(&[("x-api-key", &grace.secret)]);
    let pieces: Vec<pb::ImportMemoriesRequest> = lines
        .chunks(7)
        .map(|piece| pb::ImportMemoriesRequest {
            chunk: piece.to_vec(),
            ..Default::default()
        })
        .collect();
    let answer = client
        .import_memories(futures::stream::iter(pieces))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((answer.imported, answer.skipped, answer.failed), (4, 0, 0));
    assert_eq!(server.rest(&grace.secret).get("/v1/export").await.bytes, lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_takes_out_or_in_what_is_not_theirs() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    a_life(&rest).await;
    let all = rest.get("/v1/export?all_users=true").await.bytes;
    let grace = server.create_key("grace@example.com", &DEFAULT_SCOPES).await;
    let grace = server.rest(&grace.secret);
    assert!(grace.get("/v1/export?all_users=true").await.bytes.is_empty());

    let bound = server.key_bound_to("ada@example.com", "anna").await;
    let anna = server.rest(&bound.secret);
    anna.get("/v1/export?all_users=true")
        .await
        .failure(403, "PERMISSION_DENIED");
    anna.get("/v1/export").await.failure(403, "PERMISSION_DENIED");
    let hers = anna.get("/v1/export?user_id=anna").await.bytes;
    assert_eq!(lines(&hers).len(), 1);
    let report = import(&anna, "", all).await.ok();
    assert_eq!(
        (&report["imported"], &report["skipped"], &report["failed"]),
        (&json!(0), &json!(1), &json!(5))
    );
    let reading = server.create_key("ada@example.com", &["memories:read"]).await;
    let reading = server.rest(&reading.secret);
    import(&reading, "", "").await.failure(403, "PERMISSION_DENIED");
    let writing = server.create_key("ada@example.com", &["memories:write"]).await;
    server
        .rest(&writing.secret)
        .get("/v1/export")
        .await
        .failure(403, "PERMISSION_DENIED");
}

const MEM0: &str = r#"{"count": 3, "next": null, "results": [
  {"id": "m-1", "memory": "Works as a nurse at a hospital", "user_id": "alex", "hash": "5f", "metadata": {"team": "blue"},
   "categories": ["professional_details"], "created_at": "2024-07-01T05:06:07.000-07:00", "updated_at": "2024-08-01T00:00:00Z"},
  {"id": "m-2", "memory": "Is allergic to peanuts", "user_id": "alex", "agent_id": "coach", "run_id": "run-7",
   "created_at": "2024-07-02T00:00:00Z"},
  {"id": "m-3", "user_id": "alex"}
]}"#;

const ZEP: &str = r#"{"uuid": "e-1", "fact": "Kim works at Acme", "name": "WORKS_AT", "created_at": "2024-03-01T10:00:00Z", "valid_at": "2023-01-01T00:00:00Z", "invalid_at": "2024-06-01T00:00:00Z"}
{"uuid": "e-2", "fact": "Kim works at Globex", "name": "WORKS_AT", "created_at": "2024-06-02T10:00:00Z", "valid_at": "2024-06-01T00:00:00Z"}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn memories_of_mem0_and_facts_of_zep_come_in_with_their_people_and_dates() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let dry = import(&rest, "format=mem0&dry_run=true", MEM0).await.ok();
    assert_eq!((&dry["imported"], &dry["failed"]), (&json!(2), &json!(1)));
    assert_eq!(dry["errors"], json!([{"line": 3, "reason": "memory: is missing"}]));
    assert_eq!(dry["preview"][0]["memory"], "Works as a nurse at a hospital");
    assert!(rest.list("user_id=alex").await.is_empty());
    for (imported, skipped) in [(2, 0), (0, 2)] {
        let report = import(&rest, "format=mem0", MEM0).await.ok();
        assert_eq!(
            (&report["imported"], &report["skipped"]),
            (&json!(imported), &json!(skipped))
        );
    }
    let found = rest
        .search(&json!({"query": "job", "user_id": "alex", "rerank": true}))
        .await;
    assert_eq!(
        (&found[0]["memory"], &found[0]["categories"][0]),
        (&json!("Works as a nurse at a hospital"), &json!("career"))
    );
    assert_eq!(found[0]["created_at"], "2024-07-01T12:06:07Z");
    assert_eq!(found[0]["metadata"]["team"], "blue");
    let told = json!({"messages": [{"role": "user", "content": "I'm allergic to peanuts."}], "user_id": "alex",
        "agent_id": "a", "thread_id": "t", "source": "s"});
    assert_eq!(rest.store(&told).await["memories"][0]["operation"], "unchanged");

    let report = import(&rest, "format=zep&user_id=kim", ZEP).await.ok();
    assert_eq!(report, self::report(2, 0));
    let now = rest.list("user_id=kim").await;
    assert_eq!(field(&now, "memory"), ["Kim works at Globex"]);
    assert_eq!(
        (&now[0]["event_time"], &now[0]["event_time_precision"]),
        (&json!("2024-06-01T00:00:00Z"), &json!("day"))
    );
    let ever = rest
        .list("user_id=kim&include_superseded=true&sort=created_at&order=asc")
        .await;
    assert_eq!(field(&ever, "memory"), ["Kim works at Acme", "Kim works at Globex"]);
    let then = rest.list("user_id=kim&as_of=2024-05-01T00:00:00Z").await;
    assert_eq!(field(&then, "memory"), ["Kim works at Acme"]);
    import(&rest, "format=csv", "").await.failure(400, "VALIDATION_ERROR");
}

fn command(data: &Path, arguments: &[&str]) -> String {
    memsync(data, &[], arguments)
        .expect_success(&arguments.join(" "))
        .stdout
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_takes_out_and_in_what_the_api_does() {
    let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Process::start(data.path());
    let rest = crate::process::Rest::new(server.url(), &server.first_key());
    for person in ["", "anna"] {
        let mut body = conversation("t", &["I play the cello.", "My PIN is 4821."]);
        body["user_id"] = person.into();
        assert_eq!(rest.post("/v1/memories", &body).await.unwrap().0, 200);
    }
    let email = ["--email", "local@memsync.dev"];
    let all = command(data.path(), &[&["export"], email.as_slice()].concat());
    let own = command(data.path(), &[&["export", "--user-id", ""], email.as_slice()].concat());
    assert_eq!((all.lines().count(), own.lines().count()), (4, 2));
    let mine = rest.get_bytes("/v1/export").await.unwrap();
    assert_eq!(lines(own.as_bytes()), lines(&mine), "the same format");

    let file = other.path().join("export.ndjson");
    std::fs::write(&file, &all).unwrap();
    command(other.path(), &["user", "create", "--email", "local@memsync.dev"]);
    let file = file.to_str().unwrap();
    let dry = memsync(
        other.path(),
        &[],
        &[&["import", "--dry-run", file], email.as_slice()].concat(),
    );
    let dry = dry.expect_success("a dry run");
    assert_eq!(dry.stdout.lines().count(), 1 + 4);
    assert!(
        dry.stderr.contains("would import 4, skipped 0, failed 0"),
        "{}",
        dry.stderr
    );
    for said in ["imported 4, skipped 0, failed 0", "imported 0, skipped 4, failed 0"] {
        let done = memsync(other.path(), &[], &[&["import", file], email.as_slice()].concat());
        assert!(done.expect_success("import").stderr.contains(said));
    }
    let again = command(other.path(), &[&["export"], email.as_slice()].concat());
    assert_eq!(lines(again.as_bytes()), lines(all.as_bytes()));

    std::fs::write(file, "nonsense\n").unwrap();
    let failed = memsync(other.path(), &[], &[&["import", file], email.as_slice()].concat());
    assert_eq!(failed.status.code(), Some(1));
    assert!(failed.stderr.contains("line 1: "), "{}", failed.stderr);
    server.stop().expect_success("SIGTERM");
}
