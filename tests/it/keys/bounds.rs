//! A key reaches only its people, and works only from its addresses.

use std::collections::BTreeSet;

use memsync::config::Config;
use memsync::model::Clock;
use memsync::proto::DESCRIPTORS;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, Value as Proto};
use serde_json::json;
use tonic::Code;
use tonic_types::StatusExt;

use super::{ada, assert_unauthenticated, create, id_of, listed, with_key};
use crate::support::{Answer, Rest, TestServer, bindings, call_raw, conversation};

/// Those that name no person: a list leaves out whom the key does not name, a backup of theirs is none. The tests of
/// `memories` hold that.
const OF_NOBODY: [&str; 2] = ["ListUsers", "RestoreBackup"];

fn memory_rpcs() -> Vec<MethodDescriptor> {
    let pool = DescriptorPool::decode(DESCRIPTORS).unwrap();
    let service = pool.get_service_by_name("memsync.v1.MemoryService").unwrap();
    let named = |method: &MethodDescriptor| !OF_NOBODY.contains(&method.name());
    service.methods().filter(named).collect()
}

/// A request that names a person in its message, where it can.
fn naming(method: &MethodDescriptor, person: &str) -> Vec<u8> {
    let mut message = DynamicMessage::new(method.input());
    if method.input().get_field_by_name("user_id").is_some() {
        message.set_field_by_name("user_id", Proto::String(person.to_owned()));
    }
    prost::Message::encode_to_vec(&message)
}

#[track_caller]
fn assert_forbidden_person(answer: &Answer) {
    assert_eq!(answer.failure(403, "PERMISSION_DENIED"), json!({"field": "user_id"}));
    assert_eq!(answer.json()["detail"], "Insufficient permissions");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_bound_to_somebody_neither_deletes_nor_reads_of_keys_that_reach_others() {
    let (server, _hand, rest) = ada().await;
    let full = create(&rest, &json!({"name": "full"})).await;
    let scopes = json!([
        "memories:read",
        "memories:write",
        "keys:read",
        "keys:write",
        "usage:read"
    ]);
    let bound = create(
        &rest,
        &json!({"name": "bound", "scopes": scopes, "allowed_user_ids": ["p1"]}),
    )
    .await;
    let both = json!({"name": "both", "scopes": ["memories:read"], "allowed_user_ids": ["p1", "p2"]});
    let both = create(&rest, &both).await;
    let client = with_key(&server, &bound);
    for id in [id_of(&full), id_of(&both)] {
        client
            .delete(&format!("/v1/api-keys/{id}"))
            .await
            .failure(403, "PERMISSION_DENIED");
        assert_eq!(listed(&rest, id).await["status"], "active");
    }
    let heir = create(&client, &json!({"name": "heir", "scopes": ["memories:read"]})).await;
    with_key(&server, &full).get("/v1/memories").await.ok();
    with_key(&server, &heir)
        .with("x-user-id", "p1")
        .get("/v1/memories")
        .await
        .ok();

    let page = client.get("/v1/api-keys?limit=1").await.ok();
    assert_eq!(json!([page["total"], page["has_more"]]), json!([2, true]), "{page}");
    assert_eq!(page["api_keys"][0]["name"], "heir");
    let page = client.get("/v1/api-keys?limit=1&offset=1").await.ok();
    assert_eq!(page["api_keys"][0]["name"], "bound");
    assert_eq!(page["has_more"], false);

    let usage = client.get("/v1/usage").await.ok();
    let series = usage["series"].as_array().unwrap();
    let seen: std::collections::BTreeSet<&str> = series.iter().map(|s| s["api_key_id"].as_str().unwrap()).collect();
    assert_eq!(seen, [id_of(&bound), id_of(&heir)].into(), "{usage}");
    let sum: i64 = series.iter().map(|step| step["requests"].as_i64().unwrap()).sum();
    assert_eq!(usage["totals"]["requests"], sum);
    let of_full = client.get(&format!("/v1/usage?api_key_id={}", id_of(&full))).await.ok();
    assert_eq!(of_full["series"], json!([]));
    client.get("/v1/audit-log").await.failure(403, "PERMISSION_DENIED");

    client.delete(&format!("/v1/api-keys/{}", id_of(&heir))).await.ok();
    assert_eq!(listed(&rest, id_of(&heir)).await["status"], "revoked");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_rpc_of_memories_reaches_a_person_that_the_key_does_not_name() {
    let (server, _hand, rest) = ada().await;
    let key = create(&rest, &json!({"name": "k", "allowed_user_ids": ["p1", "p2"]})).await;
    let secret = key["key"].as_str().unwrap();
    let client = with_key(&server, &key);
    let mut served = BTreeSet::new();
    for method in memory_rpcs() {
        for (header, person) in [("p3", "p3"), ("p1", "p3"), ("P1", "P1"), ("p1 p2", "p1 p2"), ("", "")] {
            let metadata = [("x-api-key", secret), ("x-user-id", header)];
            let status = call_raw(server.channel(), &metadata, &method, naming(&method, person)).await;
            let status = status.expect_err(method.full_name());
            if status.code() == Code::Unimplemented {
                continue;
            }
            served.insert(method.name().to_owned());
            let what = format!("{} {header} {person}: {status:?}", method.full_name());
            assert_eq!(
                (status.code(), status.message()),
                (Code::PermissionDenied, "Insufficient permissions"),
                "{what}"
            );
            let info = status.get_error_details().error_info().cloned().unwrap();
            assert_eq!(info.reason, "PERMISSION_DENIED", "{what}");
            assert_eq!(info.metadata, [("field".to_owned(), "user_id".to_owned())].into());
        }
        for binding in bindings(&method) {
            // Without a person of its own, an import is for those whom its lines name.
            if method.is_client_streaming() {
                continue;
            }
            let path = binding
                .template
                .replace("{memory_id}", "mem_1")
                .replace("{user_id}", "p3");
            for client in [client.clone(), client.with("x-user-id", "p3")] {
                let answer = client.call(&binding.verb, &path, &json!({})).await;
                if answer.status.as_u16() == 501 {
                    continue;
                }
                assert_forbidden_person(&answer);
            }
        }
    }
    for rpc in ["StoreMemories", "SearchMemories", "ListMemories", "GetMemory"] {
        assert!(served.contains(rpc), "{rpc}: {served:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_serves_its_people_however_they_are_named_and_refuses_all_others() {
    let (server, _hand, rest) = ada().await;
    let mut story = conversation("t", &["I live in Oslo."]);
    rest.store(&story).await;
    story["user_id"] = "p3".into();
    let p3 = rest.store(&story).await;
    let foreign = p3["memories"][0]["id"].as_str().unwrap().to_owned();

    let key = create(&rest, &json!({"name": "k", "allowed_user_ids": ["p1", "p 2"]})).await;
    let client = with_key(&server, &key);
    let named = client.with("x-user-id", "p1");
    story["user_id"] = "p1".into();
    let stored = client.store(&story).await;
    assert_eq!(stored["memories_created"], 1);
    let id = stored["memories"][0]["id"].as_str().unwrap();
    assert_eq!(client.list("user_id=p1").await.len(), 1);
    assert_eq!(named.list("").await.len(), 1);
    assert_eq!(client.list("user_id=p%202").await.len(), 0);
    let by_header = named.get(&format!("/v1/memories/{id}")).await.ok();
    assert_eq!(client.get(&format!("/memories/{id}?user_id=p1")).await.ok(), by_header);
    let question = json!({"query": "Where does the user live?", "user_id": "p1"});
    assert_eq!(client.search(&question).await.len(), 1);
    assert_eq!(named.search(&json!({"query": "home"})).await.len(), 1);
    let answer = named.get(&format!("/v1/memories/{foreign}")).await;
    answer.failure(404, "MEMORY_NOT_FOUND");

    // The request names the person before the header does.
    assert_eq!(client.with("x-user-id", "p3").list("user_id=p1").await.len(), 1);
    story["user_id"] = "p3".into();
    for answer in [
        client.post("/v1/memories", &story).await,
        named.post("/v1/memories", &story).await,
        client
            .post("/v1/memories", &conversation("t", &["I live in Rome."]))
            .await,
        client.get("/v1/memories").await,
        named.get("/v1/memories?user_id=p3").await,
        named.get("/v1/memories?user_id=").await,
        client.get(&format!("/v1/memories/{foreign}?user_id=p3")).await,
        client.get(&format!("/v1/memories/{foreign}")).await,
        client.post("/v1/memories/search", &json!({"query": "home"})).await,
        named
            .post("/v1/memories/search", &json!({"query": "home", "user_id": "p3"}))
            .await,
        client.with("x-user-id", "p3").get("/v1/memories").await,
    ] {
        assert_forbidden_person(&answer);
    }
    assert_eq!(rest.list("user_id=p3").await.len(), 1);
    assert_eq!(rest.list("").await.len(), 1);
}

/// A server, and clients with a key for 10.0.0.0/8 and with one for the loopback.
async fn by_address(change: impl FnOnce(&mut Config)) -> (TestServer, Rest, Rest) {
    let server = TestServer::start_with(change, Clock::system()).await;
    let ada = server.register("ada@example.com").await;
    let rest = server.bearer(&ada.access_token);
    let mut clients = Vec::new();
    for network in ["10.0.0.0/8", "127.0.0.0/8"] {
        let key = create(&rest, &json!({"name": "k", "allowed_ips": [network]})).await;
        clients.push(with_key(&server, &key));
    }
    let loopback = clients.pop().unwrap();
    (server, clients.pop().unwrap(), loopback)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_works_only_from_its_addresses() {
    let (server, ten, loopback) = by_address(|_| {}).await;
    loopback.get("/v1/memories").await.ok();
    assert_unauthenticated(&ten.get("/v1/memories").await);
    assert_unauthenticated(&ten.get("/healthcheck").await);
    // Whoever is no proxy of ours can say what they want.
    for name in ["x-forwarded-for", "forwarded", "x-real-ip"] {
        let value = if name == "forwarded" {
            "for=10.1.2.3"
        } else {
            "10.1.2.3"
        };
        assert_unauthenticated(&ten.with(name, value).get("/v1/memories").await);
        loopback.with(name, value).get("/v1/memories").await.ok();
    }
    let session = server.sign_in("ada@example.com").await;
    let keys = server.bearer(&session.access_token).get("/v1/api-keys").await.ok();
    let seen: Vec<bool> = keys["api_keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key.get("last_used").is_some())
        .collect();
    assert_eq!(seen, [true, false], "a key that was refused was not used");
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_trusted_proxy_the_address_is_the_one_that_it_forwards_for() {
    let proxies = |config: &mut Config| {
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap(), "192.0.2.9/32".parse().unwrap()];
    };
    let (server, ten, loopback) = by_address(proxies).await;
    for (forwarded, works) in [
        ("10.1.2.3", true),
        ("203.0.113.1, 10.1.2.3", true),
        ("10.1.2.3, 127.0.0.1", true),
        ("10.1.2.3,192.0.2.9,127.0.0.1", true),
        ("::ffff:10.1.2.3", true),
        ("10.1.2.3:4711", true),
        ("[::ffff:10.1.2.3]:4711", true),
        ("203.0.113.1:80, 10.1.2.3:80, 127.0.0.1:80", true),
        ("203.0.113.1:80", false),
        ("203.0.113.1", false),
        ("10.1.2.3, 203.0.113.1", false),
        ("10.1.2.3, nonsense", false),
        ("nonsense", false),
        ("", false),
    ] {
        let answer = ten.with("x-forwarded-for", forwarded).get("/v1/memories").await;
        if works {
            answer.ok();
        } else {
            assert_unauthenticated(&answer);
        }
    }
    for (forwarded, works) in [
        ("for=10.1.2.3", true),
        (
            "for=203.0.113.1, for=\"10.1.2.3:4711\";proto=https, for=127.0.0.1",
            true,
        ),
        ("for=\"[::ffff:10.1.2.3]:4711\"", true),
        ("for=10.1.2.3, for=203.0.113.1", false),
        ("for=unknown", false),
    ] {
        let answer = ten.with("forwarded", forwarded).get("/v1/memories").await;
        assert_eq!(answer.status.is_success(), works, "{forwarded}: {answer:?}");
    }
    let both = ten
        .with("forwarded", "for=10.1.2.3")
        .with("x-forwarded-for", "203.0.113.1");
    assert_unauthenticated(&both.get("/v1/memories").await);
    let several = ten
        .with("x-forwarded-for", "10.1.2.3")
        .with("x-forwarded-for", "203.0.113.1");
    assert_unauthenticated(&several.get("/v1/memories").await);
    assert_unauthenticated(&ten.get("/v1/memories").await);
    loopback.get("/v1/memories").await.ok();
    assert_unauthenticated(&loopback.with("x-forwarded-for", "10.1.2.3").get("/v1/memories").await);

    let session = server.sign_in("ada@example.com").await;
    let rest = server
        .bearer(&session.access_token)
        .with("x-forwarded-for", "203.0.113.7");
    create(&rest, &json!({"name": "k"})).await;
    let events = rest.get("/v1/audit-log?limit=1").await.ok();
    assert_eq!(events["events"][0]["address"], "203.0.113.7");
}

#[tokio::test(flavor = "multi_thread")]
async fn bounds_that_are_none_are_named() {
    let (_server, _hand, rest) = ada().await;
    let many: Vec<String> = (0..101).map(|n| format!("p{n}")).collect();
    for (body, field) in [
        (json!({"allowed_ips": ["10.0.0.0/33"]}), "allowed_ips[0]"),
        (json!({"allowed_ips": ["10.0.0.1", "localhost"]}), "allowed_ips[1]"),
        (json!({"allowed_ips": [""]}), "allowed_ips[0]"),
        (json!({"allowed_user_ids": [""]}), "allowed_user_ids[0]"),
        (json!({"allowed_user_ids": many}), "allowed_user_ids"),
        (json!({"expires_in": 0}), "expires_in"),
        (json!({"expires_in": -1}), "expires_in"),
        (json!({"expires_in": 31_536_001}), "expires_in"),
        (json!({"rate_limit_per_minute": 0}), "rate_limit_per_minute"),
        (json!({"rate_limit_per_minute": 1_000_001}), "rate_limit_per_minute"),
        (json!({"scopes": ["memories:read", "memories:*"]}), "scopes[1]"),
        (json!({"name": "n".repeat(129)}), "name"),
        (json!({"name": ""}), "name"),
    ] {
        let mut request = json!({"name": "k"});
        request
            .as_object_mut()
            .unwrap()
            .extend(body.as_object().unwrap().clone());
        let details = rest
            .post("/v1/api-keys", &request)
            .await
            .failure(400, "VALIDATION_ERROR");
        assert_eq!(details["field"], field, "{details}");
        assert_eq!(details["violations"].as_array().unwrap().len(), 1, "{details}");
    }
    assert_eq!(rest.get("/v1/api-keys").await.ok()["total"], 0);
}
