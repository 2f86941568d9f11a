//! The calls of keys, OAuth clients, usage and the audit log.

use memsync::proto::v1::{self as pb};
use prost_types::Timestamp;
use serde_json::{Value, json};
use tonic::Code;

use super::{Call, Expected, Expected::*, Fresh, INVALID, Known, SIGN_IN, by_session, call};

const ABSENT_KEY: Expected = Failure(404, Code::NotFound, "API_KEY_NOT_FOUND");
const ABSENT_CLIENT: Expected = Failure(404, Code::NotFound, "OAUTH_CLIENT_NOT_FOUND");
const OWN_KEY: Expected = Failure(403, Code::PermissionDenied, "CANNOT_DELETE_ACTIVE_KEY");

pub fn calls(rpc: &str, known: &Known, fresh: &Fresh) -> Option<Vec<Call>> {
    let of_key = json!({"api_key_id": fresh.api_key_id});
    let of_client = json!({"client_id": fresh.client_id});
    Some(match rpc {
        "CreateApiKey" => by_session(create_key()),
        "ListApiKeys" => by_session(list_keys()),
        "UpdateApiKey" => update_key(of_key, fresh),
        "RotateApiKey" => rotate_key(of_key, fresh),
        "DeleteApiKey" => {
            let delete = |expected, id: &str| {
                let message = pb::DeleteApiKeyRequest {
                    api_key_id: id.to_owned(),
                };
                call(expected, json!({"api_key_id": id}), "", Value::Null, message)
            };
            let id = fresh.api_key_id.as_str();
            let mut calls = vec![delete(ABSENT_KEY, id), delete(OWN_KEY, &known.api_key_id)];
            calls.extend(by_session(vec![delete(NewAnswer, id), delete(ABSENT_KEY, id)]));
            calls
        }
        "GetUsage" => by_session(usage()),
        "ListAuditEvents" => by_session(audit()),
        "CreateOAuthClient" => create_client(),
        "ListOAuthClients" => {
            let list = |expected| call(expected, Value::Null, "", Value::Null, pb::ListOAuthClientsRequest {});
            let mut calls = vec![list(SIGN_IN)];
            calls.extend(by_session(vec![list(NewAnswer)]));
            calls
        }
        "DeleteOAuthClient" => {
            let delete = |expected| {
                let message = pb::DeleteOAuthClientRequest {
                    client_id: fresh.client_id.clone(),
                };
                call(expected, of_client.clone(), "", Value::Null, message)
            };
            let mut calls = vec![delete(SIGN_IN)];
            calls.extend(by_session(vec![delete(Same), delete(ABSENT_CLIENT)]));
            calls
        }
        _ => return None,
    })
}

fn create_key() -> Vec<Call> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let bounded = pb::CreateApiKeyRequest {
        name: "bounded".to_owned(),
        scopes: words(&["memories:read", "usage:read"]),
        expires_in: Some(3600),
        rate_limit_per_minute: Some(30),
        allowed_user_ids: words(&["p1", "p2"]),
        allowed_ips: words(&["10.0.0.0/8", "::1"]),
    };
    let bounded_body = json!({
        "name": "bounded", "scopes": ["memories:read", "usage:read"], "expires_in": 3600,
        "rate_limit_per_minute": 30, "allowed_user_ids": ["p1", "p2"], "allowed_ips": ["10.0.0.0/8", "::1"],
    });
    let bad = pb::CreateApiKeyRequest {
        name: String::new(),
        scopes: words(&["memories:read", "everything"]),
        expires_in: Some(31_536_001),
        rate_limit_per_minute: Some(0),
        allowed_user_ids: words(&["a\nb"]),
        allowed_ips: words(&["10.0.0.0/8", "nowhere"]),
    };
    let bad_body = json!({
        "name": "", "scopes": ["memories:read", "everything"], "expires_in": 31_536_001,
        "rate_limit_per_minute": 0, "allowed_user_ids": ["a\nb"], "allowed_ips": ["10.0.0.0/8", "nowhere"],
    });
    let plain = pb::CreateApiKeyRequest {
        name: "plain".to_owned(),
        ..Default::default()
    };
    vec![
        call(NewAnswer, Value::Null, "", json!({"name": "plain"}), plain),
        call(NewAnswer, Value::Null, "", bounded_body, bounded),
        call(INVALID, Value::Null, "", bad_body, bad),
        call(INVALID, Value::Null, "", json!({}), pb::CreateApiKeyRequest::default()),
    ]
}

fn list_keys() -> Vec<Call> {
    let list = |expected, query: &'static str, message: pb::ListApiKeysRequest| {
        call(expected, Value::Null, query, Value::Null, message)
    };
    let revoked = pb::ListApiKeysRequest {
        status: Some(pb::ApiKeyStatus::Revoked.into()),
        ..Default::default()
    };
    let page = pb::ListApiKeysRequest {
        status: Some(pb::ApiKeyStatus::Active.into()),
        limit: Some(1),
        offset: Some(1),
    };
    let unknown = pb::ListApiKeysRequest {
        status: Some(77),
        ..Default::default()
    };
    let bad = pb::ListApiKeysRequest {
        status: None,
        limit: Some(101),
        offset: Some(-1),
    };
    vec![
        list(NewAnswer, "", pb::ListApiKeysRequest::default()),
        list(Same, "status=revoked", revoked),
        list(Same, "status=active&limit=1&offset=1", page),
        list(INVALID, "limit=101&offset=-1", bad),
        list(INVALID, "status=lost", unknown),
    ]
}

fn update_key(of_key: Value, fresh: &Fresh) -> Vec<Call> {
    let update = |expected, body: Value, message: pb::UpdateApiKeyRequest| {
        let message = pb::UpdateApiKeyRequest {
            api_key_id: fresh.api_key_id.clone(),
            ..message
        };
        call(expected, of_key.clone(), "", body, message)
    };
    let change = pb::UpdateApiKeyRequest {
        name: Some("another name".to_owned()),
        scopes: vec!["memories:read".to_owned()],
        rate_limit_per_minute: Some(5),
        ..Default::default()
    };
    let body = json!({"name": "another name", "scopes": ["memories:read"], "rate_limit_per_minute": 5});
    let bad = pb::UpdateApiKeyRequest {
        name: Some(String::new()),
        scopes: vec!["everything".to_owned()],
        rate_limit_per_minute: Some(-1),
        ..Default::default()
    };
    let bad_body = json!({"name": "", "scopes": ["everything"], "rate_limit_per_minute": -1});
    let mut calls = vec![update(ABSENT_KEY, body.clone(), change.clone())];
    calls.extend(by_session(vec![
        update(NewAnswer, body, change),
        update(NewAnswer, json!({}), pb::UpdateApiKeyRequest::default()),
        update(INVALID, bad_body, bad),
    ]));
    calls
}

fn rotate_key(of_key: Value, fresh: &Fresh) -> Vec<Call> {
    let rotate = |expected, body: Value, grace_period: Option<i32>| {
        let message = pb::RotateApiKeyRequest {
            api_key_id: fresh.api_key_id.clone(),
            grace_period,
        };
        call(expected, of_key.clone(), "", body, message)
    };
    let mut calls = vec![rotate(ABSENT_KEY, json!({}), None)];
    calls.extend(by_session(vec![
        rotate(INVALID, json!({"grace_period": 604_801}), Some(604_801)),
        rotate(NewAnswer, json!({"grace_period": 0}), Some(0)),
        rotate(ABSENT_KEY, json!({}), None),
    ]));
    calls
}

fn usage() -> Vec<Call> {
    let time = |seconds| Some(Timestamp { seconds, nanos: 0 });
    let backwards = pb::GetUsageRequest {
        from: time(1_767_225_600),
        to: time(1_735_689_600),
        ..Default::default()
    };
    let nothing = pb::GetUsageRequest {
        from: time(1_735_689_600),
        to: time(1_735_776_000),
        granularity: Some(pb::Granularity::Day.into()),
        ..Default::default()
    };
    let of_no_key = pb::GetUsageRequest {
        api_key_id: Some("key_none".to_owned()),
        ..Default::default()
    };
    let get = |expected, query: &'static str, message: pb::GetUsageRequest| {
        call(expected, Value::Null, query, Value::Null, message)
    };
    vec![
        get(NewAnswer, "", pb::GetUsageRequest::default()),
        get(
            Same,
            "from=2025-01-01T00:00:00Z&to=2025-01-02T00:00:00Z&granularity=day",
            nothing,
        ),
        get(Same, "api_key_id=key_none", of_no_key),
        get(INVALID, "from=2026-01-01T00:00:00Z&to=2025-01-01T00:00:00Z", backwards),
    ]
}

fn audit() -> Vec<Call> {
    let list = |expected, query: &'static str, limit: Option<i32>, cursor: Option<&str>| {
        let message = pb::ListAuditEventsRequest {
            limit,
            cursor: cursor.map(str::to_owned),
        };
        call(expected, Value::Null, query, Value::Null, message)
    };
    vec![
        list(NewAnswer, "", None, None),
        list(NewAnswer, "limit=1", Some(1), None),
        list(Same, "cursor=evt_0", None, Some("evt_0")),
        list(INVALID, "limit=101", Some(101), None),
    ]
}

fn create_client() -> Vec<Call> {
    let client = pb::CreateOAuthClientRequest {
        name: "notes".to_owned(),
        redirect_uris: vec!["https://example.com/back".to_owned()],
        scopes: vec!["memories:read".to_owned()],
        public: true,
    };
    let body = json!({
        "name": "notes", "redirect_uris": ["https://example.com/back"], "scopes": ["memories:read"], "public": true,
    });
    let bad = pb::CreateOAuthClientRequest {
        name: "notes".to_owned(),
        redirect_uris: vec!["http://example.com/back".to_owned()],
        scopes: vec!["keys:write".to_owned()],
        public: false,
    };
    let bad_body = json!({
        "name": "notes", "redirect_uris": ["http://example.com/back"], "scopes": ["keys:write"], "public": false,
    });
    let mut calls = vec![call(SIGN_IN, Value::Null, "", body.clone(), client.clone())];
    calls.extend(by_session(vec![
        call(NewAnswer, Value::Null, "", body, client),
        call(INVALID, Value::Null, "", bad_body, bad),
        call(
            INVALID,
            Value::Null,
            "",
            json!({}),
            pb::CreateOAuthClientRequest::default(),
        ),
    ]));
    calls
}
