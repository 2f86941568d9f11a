//! How much each key used, by the hour and the RPC.

use serde_json::{Value, json};

use super::{ada, create, id_of, with_key};
use crate::support::{Rest, TestServer, conversation};

async fn usage(rest: &Rest, query: &str) -> Value {
    rest.get(&format!("/v1/usage?{query}")).await.ok()
}

/// The series without its latencies, which must make sense.
#[track_caller]
fn steps(usage: &Value) -> Vec<Value> {
    let series = usage["series"].as_array().unwrap().iter();
    let step = |step: &Value| {
        let (p50, p95) = (step["p50_ms"].as_f64().unwrap(), step["p95_ms"].as_f64().unwrap());
        assert!(0.0 < p50 && p50 <= p95 && p95 < 60_000.0, "{step}");
        assert_eq!(step.as_object().unwrap().len(), 7, "{step}");
        json!([
            step["start"],
            step["api_key_id"],
            step["endpoint"],
            step["requests"],
            step["errors"]
        ])
    };
    series.map(step).collect()
}

fn totals(requests: i64, errors: i64, memories_created: i64, searches: i64) -> Value {
    json!({
        "requests": requests, "errors": errors, "memories_created": memories_created, "searches": searches,
    })
}

const FIRST: &str = "2027-01-15T08:00:00Z";
const SECOND: &str = "2027-01-15T09:00:00Z";
const DAY: &str = "2027-01-15T00:00:00Z";

/// What two keys did in two hours: `busy` a store, two searches, a lookup in vain and a bad one; `quiet` a refused
/// store, and a list in the second hour.
async fn two_hours() -> (TestServer, crate::support::Hand, Rest, Value, Value) {
    let (server, hand, rest) = ada().await;
    let busy = create(&rest, &json!({"name": "busy"})).await;
    let quiet = create(&rest, &json!({"name": "quiet", "scopes": ["memories:read"]})).await;
    let client = with_key(&server, &busy);
    let story = conversation("t", &["I live in Oslo.", "I love hiking."]);
    assert_eq!(client.store(&story).await["memories_created"], 2);
    for query in ["home", "hobbies"] {
        client.search(&json!({"query": query})).await;
    }
    client
        .get("/v1/memories/mem_none")
        .await
        .failure(404, "MEMORY_NOT_FOUND");
    client
        .post_bytes("/v1/memories", "garbage")
        .await
        .failure(400, "VALIDATION_ERROR");
    let client = with_key(&server, &quiet);
    client
        .post("/v1/memories", &story)
        .await
        .failure(403, "PERMISSION_DENIED");
    server.rest("nonsense").get("/v1/memories").await;
    hand.forward(3600);
    client.list("").await;
    (server, hand, rest, busy, quiet)
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_counts_every_request_by_hour_key_and_rpc() {
    let (_server, _hand, rest, busy, quiet) = two_hours().await;
    let (busy, quiet) = (id_of(&busy), id_of(&quiet));
    let all = usage(&rest, "").await;
    assert_eq!(all["totals"], totals(9, 3, 2, 2));
    let expected = [
        json!([FIRST, busy, "GetMemory", 1, 1]),
        json!([FIRST, busy, "SearchMemories", 2, 0]),
        json!([FIRST, busy, "StoreMemories", 2, 1]),
        json!([FIRST, quiet, "StoreMemories", 1, 1]),
        json!([FIRST, "session", "CreateApiKey", 2, 0]),
        json!([SECOND, quiet, "ListMemories", 1, 0]),
    ];
    assert_eq!(steps(&all), expected);

    let of_busy = usage(&rest, &format!("api_key_id={busy}")).await;
    assert_eq!(of_busy["totals"], totals(5, 2, 2, 2));
    assert_eq!(steps(&of_busy), &expected[..3]);
    let of_nobody = usage(&rest, "api_key_id=key_none").await;
    assert_eq!(of_nobody, json!({"totals": totals(0, 0, 0, 0), "series": []}));

    let by_day = usage(&rest, &format!("granularity=day&api_key_id={quiet}")).await;
    assert_eq!(by_day["totals"], totals(2, 1, 0, 0));
    assert_eq!(
        steps(&by_day),
        [
            json!([DAY, quiet, "ListMemories", 1, 0]),
            json!([DAY, quiet, "StoreMemories", 1, 1])
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_is_read_from_one_time_to_another() {
    let (_server, hand, rest, _, quiet) = two_hours().await;
    let quiet = id_of(&quiet);
    let of_quiet = async |query: &str| {
        let usage = usage(&rest, &format!("api_key_id={quiet}&{query}")).await;
        usage["totals"]["requests"].as_i64().unwrap()
    };
    for (query, requests) in [
        ("from=2027-01-15T08:00:00Z&to=2027-01-15T10:00:00Z", 2),
        ("from=2027-01-15T09:00:00Z", 1),
        ("from=2027-01-15T09:59:59Z&to=2027-01-15T10:00:00Z", 1),
        ("to=2027-01-15T09:00:00Z", 1),
        ("from=2027-01-15T08:30:00Z&to=2027-01-15T09:00:00Z", 1),
        ("from=2027-01-15T10:00:00Z&to=2027-01-15T11:00:00Z", 0),
        ("from=2027-01-14T08:00:00Z&to=2027-01-15T08:00:00Z", 0),
        ("granularity=day&from=2027-01-15T23:00:00Z&to=2027-01-16T00:00:00Z", 2),
        ("granularity=hour", 2),
    ] {
        assert_eq!(of_quiet(query).await, requests, "{query}");
    }
    for (query, field) in [
        ("from=2027-01-15T09:00:00Z&to=2027-01-15T08:00:00Z", "from"),
        ("from=2027-01-01T00:00:00Z&to=2027-03-01T00:00:00Z", "from"),
        (
            "granularity=day&from=2025-01-01T00:00:00Z&to=2027-01-01T00:00:00Z",
            "from",
        ),
        ("from=yesterday", "from"),
        ("to=1", "to"),
        ("granularity=week", "granularity"),
        ("api_key_id=", "api_key_id"),
    ] {
        let details = rest
            .get(&format!("/v1/usage?{query}"))
            .await
            .failure(400, "VALIDATION_ERROR");
        assert_eq!(details["field"], field, "{query}");
    }
    hand.forward(86_400);
    assert_eq!(of_quiet("").await, 1, "the first hour is more than a day ago");
    assert_eq!(of_quiet("granularity=day").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_the_usage_of_another_account() {
    let (server, _hand, _rest, busy, _) = two_hours().await;
    let grace = server.register("grace@example.com").await;
    let grace = server.bearer(&grace.access_token);
    for query in [String::new(), format!("api_key_id={}", id_of(&busy))] {
        let usage = usage(&grace, &query).await;
        let requests = usage["totals"]["requests"].as_i64().unwrap();
        assert!(requests <= 1, "only what she asked herself: {usage}");
        assert!(!usage.to_string().contains(id_of(&busy)), "{usage}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_and_last_use_outlive_a_restart() {
    let (server, hand, rest, busy, quiet) = two_hours().await;
    let query = format!("api_key_id={}", id_of(&busy));
    let before = usage(&rest, &query).await;
    // Counted, and not yet written when the server stops.
    with_key(&server, &quiet).list("").await;
    let server = server.restart_with(|_| {}, hand.clock()).await;
    let rest = server.bearer(&server.sign_in("ada@example.com").await.access_token);
    assert_eq!(usage(&rest, &query).await, before);
    let of_quiet = usage(&rest, &format!("api_key_id={}", id_of(&quiet))).await;
    assert_eq!(of_quiet["totals"], totals(3, 1, 0, 0));
    let row = super::listed(&rest, id_of(&quiet)).await;
    assert_eq!(row["last_used"], "2027-01-15T09:00:00Z");
    // Counts go on where they stopped.
    with_key(&server, &quiet).list("").await;
    let of_quiet = usage(&rest, &format!("api_key_id={}", id_of(&quiet))).await;
    assert_eq!(of_quiet["totals"], totals(4, 1, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_needs_its_scope_and_no_more() {
    let (server, _hand, rest) = ada().await;
    let key = create(&rest, &json!({"name": "k", "scopes": ["usage:read"]})).await;
    usage(&with_key(&server, &key), "").await;
    let key = create(&rest, &json!({"name": "k"})).await;
    let refused = with_key(&server, &key).get("/v1/usage").await;
    assert_eq!(
        refused.failure(403, "PERMISSION_DENIED"),
        json!({"required_scope": "usage:read"})
    );
}
