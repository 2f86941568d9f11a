//! Whatever comes in: a refusal in the documented shape, never a fault, and the server goes on.

use memsync::proto::DESCRIPTORS;
use prost_reflect::DescriptorPool;
use serde_json::{Value, json};

use crate::support::{Answer, Rest, TestServer, bindings, conversation, send};

/// Every POST route of the descriptors, with the fields of its path filled in.
fn post_routes() -> Vec<String> {
    let pool = DescriptorPool::decode(DESCRIPTORS).unwrap();
    let methods = pool
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>());
    // An import goes on behind what it can't read, and says so in its answer.
    let posts = methods
        .filter(|method| !method.is_client_streaming())
        .flat_map(|method| bindings(&method))
        .filter(|binding| binding.verb == "POST");
    let routes: Vec<String> = posts
        .map(|binding| binding.template.replace("{api_key_id}", "key_1"))
        .map(|route| route.replace("{backup_id}", "backup_1"))
        .collect();
    assert!(
        routes.len() > 10 && routes.iter().all(|route| !route.contains('{')),
        "{routes:?}"
    );
    routes
}

/// Numbers that look random and are the same in every run (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    fn bytes(&mut self) -> Vec<u8> {
        (0..self.below(200)).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    /// JSON of any shape under names that requests use.
    fn json(&mut self, depth: usize) -> Value {
        const NAMES: [&str; 10] = [
            "messages",
            "content",
            "role",
            "agent_id",
            "thread_id",
            "limit",
            "metadata",
            "memory_ids",
            "user_id",
            "type",
        ];
        match self.below(if depth == 0 { 6 } else { 8 }) {
            0 => Value::Null,
            1 => json!(self.next().is_multiple_of(2)),
            2 => json!(self.next().cast_signed()),
            3 => json!(f64::from_bits(self.next())),
            4 => json!(String::from_utf8_lossy(&self.bytes())),
            5 => json!(["", "\u{0}", "user", &"9".repeat(400), "\u{202e}"][self.below(5)]),
            6 => (0..self.below(4)).map(|_| self.json(depth - 1)).collect(),
            _ => {
                let pairs = (0..self.below(6)).map(|_| (NAMES[self.below(10)].to_owned(), self.json(depth - 1)));
                Value::Object(pairs.collect())
            }
        }
    }
}

/// A 4xx in the documented shape; 501 is the documented answer of what a later version serves.
#[track_caller]
fn assert_refused(answer: &Answer, what: &str) {
    let later = answer.status.as_u16() == 501;
    assert!(
        answer.status.is_client_error() || later,
        "{}: {what}: {}",
        answer.status,
        answer.json()
    );
    if later {
        answer.failure(501, "NOT_IMPLEMENTED");
    }
    answer.documented_shape();
}

async fn assert_still_answers(server: &TestServer, ada: &Rest) {
    assert_eq!(server.anonymous().get("/healthcheck").await.ok()["status"], "ok");
    ada.store(&conversation("after", &["I live in Oslo."])).await;
    let hits = ada.search(&json!({"query": "Where does the user live?"})).await;
    assert!(hits[0]["memory"].as_str().unwrap().contains("Oslo"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_random_bodies_are_refused_in_the_documented_shape() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    let routes = post_routes();
    let mut numbers = Numbers(20_260_115);
    for round in 0..1000 {
        let route = &routes[round % routes.len()];
        let body = if round % 2 == 0 {
            numbers.bytes()
        } else {
            serde_json::to_vec(&numbers.json(4)).unwrap()
        };
        let what = format!("round {round}: POST {route} {}", String::from_utf8_lossy(&body));
        assert_refused(&ada.post_bytes(route, body).await, &what);
    }
    assert_still_answers(&server, &ada).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn truncated_json_is_refused_wherever_it_is_cut() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    let mut whole = conversation("t", &["I live in Oslo — ☃."]);
    whole["metadata"] = json!({"a": [1, {"b": null}]});
    let whole = serde_json::to_vec(&whole).unwrap();
    for end in 1..whole.len() {
        let answer = ada.post_bytes("/v1/memories", whole[..end].to_vec()).await;
        assert_eq!(answer.failure(400, "VALIDATION_ERROR")["field"], "body", "cut at {end}");
    }
    assert!(ada.list("").await.is_empty());
    assert_still_answers(&server, &ada).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn huge_deep_and_invalid_bodies_are_refused_on_every_route() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    let nested = |open: &str, close: &str| format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
    let deep_metadata = format!(
        r#"{{"query":"x","agent_id":"a","metadata":{}}}"#,
        nested(r#"{"a":"#, "}")
    );
    for route in post_routes() {
        let large = ada.post_bytes(&route, vec![b'['; 10 << 20]).await;
        assert_refused(&large, &route);
        for body in [nested("[", "]"), nested(r#"{"a":"#, "}"), deep_metadata.clone()] {
            assert_refused(&ada.post_bytes(&route, body).await, &route);
        }
        for bytes in [
            &b"\xff\xfe\x00"[..],
            b"{\"query\": \"\xc3\x28\"}",
            b"\x00",
            b"\xed\xa0\x80",
        ] {
            assert_refused(&ada.post_bytes(&route, bytes).await, &route);
        }
    }
    assert_still_answers(&server, &ada).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_out_of_range_name_their_field() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    for limit in [
        "0",
        "-1",
        "101",
        "2147483647",
        "2147483648",
        "9999999999999999999999",
        "1e300",
        "1.5",
        "\"ten\"",
    ] {
        let body = format!(r#"{{"query":"x","limit":{limit}}}"#);
        let details = ada
            .post_bytes("/v1/memories/search", body)
            .await
            .failure(400, "VALIDATION_ERROR");
        assert_eq!(details["field"], "limit", "{limit}");
    }
    for query in [
        "page=0",
        "page=-1",
        "page=99999999999999999999",
        "page_size=101",
        "page_size=x",
        "sort=x",
        "order=x",
    ] {
        let details = ada
            .get(&format!("/v1/memories?{query}"))
            .await
            .failure(400, "VALIDATION_ERROR");
        assert_eq!(details["field"], query.split('=').next().unwrap(), "{query}");
    }
    assert_still_answers(&server, &ada).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn control_characters_in_ids_are_refused() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    for bad in [
        "\u{0}",
        "a\nb",
        "a\u{7f}",
        "\u{202e}abc",
        "zero\u{200b}width",
        "x".repeat(129).as_str(),
    ] {
        for field in ["agent_id", "thread_id", "source", "user_id"] {
            let mut body = conversation("t", &["I live in Oslo."]);
            body[field] = bad.into();
            let details = ada.post("/v1/memories", &body).await.failure(400, "VALIDATION_ERROR");
            assert_eq!(details["field"], field, "{bad:?}");
        }
        let mut body = conversation("t", &["I live in Oslo."]);
        body["messages"][0]["id"] = bad.into();
        let details = ada.post("/v1/memories", &body).await.failure(400, "VALIDATION_ERROR");
        assert_eq!(details["field"], "messages[0].id", "{bad:?}");
    }
    for path in [
        "/v1/memories/%00",
        "/v1/memories/a%0Ab",
        "/v1/memories/%ff",
        "/v1/memories?user_id=%00",
        "/v1/memories?agent_id=%ff",
    ] {
        ada.get(path).await.failure(400, "VALIDATION_ERROR");
    }
    let header = send(ada.request("GET", "/v1/memories").header("x-user-id", &b"\xff\xfe"[..])).await;
    assert_eq!(header.failure(400, "VALIDATION_ERROR")["field"], "x-user-id");
    assert_still_answers(&server, &ada).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_of_a_conversation_are_kept_to_the_byte() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    let longest = "é".repeat(16 << 10);
    ada.store(&conversation("t", &[&longest])).await;
    let too_long = ada
        .post("/v1/memories", &conversation("t", &[&format!("{longest}x")]))
        .await;
    assert_eq!(
        too_long.failure(400, "VALIDATION_ERROR")["field"],
        "messages[0].content"
    );
    ada.store(&conversation("t", &vec!["Hi."; 500])).await;
    for words in [vec!["Hi."; 501], vec![]] {
        let answer = ada.post("/v1/memories", &conversation("t", &words)).await;
        assert_eq!(answer.failure(400, "VALIDATION_ERROR")["field"], "messages");
    }
    let levels = |n: usize| (1..n).fold(json!({"a": 1}), |inner, _| json!({"a": inner}));
    for (metadata, fits) in [
        (levels(8), true),
        (levels(9), false),
        (json!({"a": "x".repeat((16 << 10) - 8)}), true),
        (json!({"a": "x".repeat((16 << 10) - 7)}), false),
    ] {
        let mut body = conversation("t", &["Hi."]);
        body["metadata"] = metadata;
        let answer = ada.post("/v1/memories", &body).await;
        if fits {
            answer.ok();
        } else {
            assert_eq!(answer.failure(400, "VALIDATION_ERROR")["field"], "metadata");
        }
    }
    ada.search(&json!({"query": "é".repeat(4096)})).await;
    for query in ["é".repeat(4097), String::new(), "  ".to_owned()] {
        let answer = ada.post("/v1/memories/search", &json!({"query": query})).await;
        assert_eq!(answer.failure(400, "VALIDATION_ERROR")["field"], "query");
    }
}
