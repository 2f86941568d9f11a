//! An id is worth nothing to another account.

use std::collections::BTreeSet;

use memsync::model::Scope;
use prost_reflect::{DynamicMessage, MethodDescriptor, Value as Proto};
use serde_json::{Value, json};
use tonic::Code;

use super::refusal::Clients;
use super::{methods, path, server};
use crate::support::{Access, Answer, access, bindings, call_raw, conversation};

/// The fields that name one thing of an account.
const IDS: [&str; 3] = ["memory_id", "api_key_id", "client_id"];

/// A request that names one thing, as its bytes.
fn naming(method: &MethodDescriptor, field: &str, id: &str) -> Vec<u8> {
    let mut message = DynamicMessage::new(method.input());
    message.set_field_by_name(field, Proto::String(id.to_owned()));
    prost::Message::encode_to_vec(&message)
}

/// A failure without what every answer makes anew.
fn told(answer: &Answer) -> (u16, Value) {
    (answer.status.as_u16(), answer.json()["error"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_of_another_account_is_as_absent_as_one_that_nobody_has() {
    let server = server().await;
    let clients = Clients::of(&server);
    let ada = server.register("ada@example.com").await;
    let ada = server.bearer(&ada.access_token);
    let stored = ada.store(&conversation("t", &["I live in Oslo."])).await;
    let created = ada.post("/v1/api-keys", &json!({"name": "ada's"})).await.json();
    let client = json!({"name": "ada's", "redirect_uris": ["https://example.com/back"]});
    let client = ada.post("/v1/oauth/clients", &client).await.json();
    let id_of = |field: &str| match field {
        "memory_id" => stored["memories"][0]["id"].as_str().unwrap().to_owned(),
        "api_key_id" => created["api_key_id"].as_str().unwrap().to_owned(),
        _ => client["client"]["client_id"].as_str().unwrap().to_owned(),
    };
    let grace = server.register("grace@example.com").await;
    let all = Scope::ALL.map(|scope| scope.as_str());
    let key = server.create_key("grace@example.com", &all).await.secret;
    let token = format!("Bearer {}", grace.access_token);
    let mut served = BTreeSet::new();
    for method in methods() {
        let headers: Vec<(&str, &str)> = match access(&method) {
            Access::SignedIn => vec![("authorization", &token)],
            _ => vec![("x-api-key", &key)],
        };
        let rest = clients.rest(&headers);
        for binding in bindings(&method) {
            let Some(field) = IDS
                .into_iter()
                .find(|id| binding.template.contains(&format!("{{{id}}}")))
            else {
                continue;
            };
            let foreign = path(&binding.template, &id_of(field));
            let unknown = path(&binding.template, &format!("{}x", id_of(field)));
            let body = match binding.verb.as_str() {
                "GET" | "DELETE" => Value::Null,
                _ => json!({}),
            };
            let answer = rest.call(&binding.verb, &foreign, &body).await;
            assert_eq!(told(&answer), told(&rest.call(&binding.verb, &unknown, &body).await));
            let status = call_raw(
                server.channel(),
                &headers,
                &method,
                naming(&method, field, &id_of(field)),
            )
            .await;
            let code = status.expect_err(&foreign).code();
            if code == Code::Unimplemented {
                answer.failure(501, "NOT_IMPLEMENTED");
                continue;
            }
            served.insert(method.name().to_owned());
            assert_eq!(code, Code::NotFound, "{foreign}");
            let reason = match field {
                "memory_id" => "MEMORY_NOT_FOUND",
                "api_key_id" => "API_KEY_NOT_FOUND",
                "task_id" => "INTEGRATION_NOT_FOUND",
                _ => "OAUTH_CLIENT_NOT_FOUND",
            };
            assert_eq!(answer.failure(404, reason), json!({}), "{foreign}");
        }
    }
    for rpc in [
        "GetMemory",
        "UpdateApiKey",
        "RotateApiKey",
        "DeleteApiKey",
        "DeleteOAuthClient",
    ] {
        assert!(served.contains(rpc), "{rpc}: {served:?}");
    }
    assert_eq!(ada.list("").await.len(), 1);
    let keys = ada.get("/v1/api-keys").await.ok();
    assert_eq!(
        (&keys["total"], &keys["api_keys"][0]["status"]),
        (&json!(1), &json!("active"))
    );
    let clients = ada.get("/v1/oauth/clients").await.ok();
    assert_eq!(clients["clients"].as_array().unwrap().len(), 1);
}
