//! The calls of every RPC, as each transport says them. An RPC without a row here fails the parity test.

use memsync::proto::v1::{self as pb};
use prost::Message;
use serde_json::{Value, json};
use tonic::Code;

use self::Expected::{Failure, NewAnswer, Same};
use crate::support::conversation;

/// What both transports must answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expected {
    /// The same answer.
    Same,
    /// The same answer but for what every call makes anew: ids and times.
    NewAnswer,
    /// The same failure.
    Failure(u16, Code, &'static str),
}

/// One call, as each transport says it.
pub struct Call {
    pub expected: Expected,
    /// Values of the `{field}`s of the path.
    pub path: Value,
    pub query: &'static str,
    /// The body; empty where there is none.
    pub body: Value,
    /// The same content as the encoded request.
    pub message: Vec<u8>,
}

fn call(expected: Expected, path: Value, query: &'static str, body: Value, message: impl Message) -> Call {
    Call {
        expected,
        path,
        query,
        body,
        message: message.encode_to_vec(),
    }
}

const LATER: Expected = Failure(501, Code::Unimplemented, "NOT_IMPLEMENTED");
const SIGN_IN: Expected = Failure(401, Code::Unauthenticated, "AUTHENTICATION_ERROR");
const INVALID: Expected = Failure(400, Code::InvalidArgument, "VALIDATION_ERROR");
const ABSENT: Expected = Failure(404, Code::NotFound, "MEMORY_NOT_FOUND");

/// The calls of an RPC; `known` is a memory that there is, `fresh` a person whom no call has named before.
/// `None` for an RPC that has no row yet.
pub fn calls(rpc: &str, known: &str, fresh: &str) -> Option<Vec<Call>> {
    let by_id = json!({"memory_id": known, "api_key_id": "key_1", "client_id": "c1", "user_id": "p1"});
    let later = |message: Vec<u8>, body: Value| {
        vec![Call {
            expected: LATER,
            path: by_id.clone(),
            query: "",
            body,
            message,
        }]
    };
    let signed_in = || {
        vec![Call {
            expected: SIGN_IN,
            path: by_id.clone(),
            query: "",
            body: json!({}),
            message: Vec::new(),
        }]
    };
    Some(match rpc {
        "MemoryService.StoreMemories" => store_calls(fresh),
        "MemoryService.SearchMemories" => search_calls(),
        "MemoryService.ListMemories" => list_calls(),
        "MemoryService.GetMemory" => {
            let get = |id: &str, user_id: Option<&str>| pb::GetMemoryRequest {
                memory_id: id.to_owned(),
                user_id: user_id.map(str::to_owned),
            };
            let id = |id: &str| json!({"memory_id": id});
            vec![
                call(Same, id(known), "", Value::Null, get(known, None)),
                call(ABSENT, id("mem_none"), "", Value::Null, get("mem_none", None)),
                call(
                    ABSENT,
                    id(known),
                    "user_id=other",
                    Value::Null,
                    get(known, Some("other")),
                ),
                call(INVALID, id("a%0Ab"), "", Value::Null, get("a\nb", None)),
            ]
        }
        "MemoryService.UpdateMemory" => later(
            pb::UpdateMemoryRequest {
                memory_id: known.to_owned(),
                importance: Some(0.5),
                ..Default::default()
            }
            .encode_to_vec(),
            json!({"importance": 0.5}),
        ),
        "MemoryService.BatchDeleteMemories" => later(
            pb::BatchDeleteMemoriesRequest {
                memory_ids: vec![known.to_owned()],
                ..Default::default()
            }
            .encode_to_vec(),
            json!({"memory_ids": [known]}),
        ),
        "MemoryService.DeleteMemory"
        | "MemoryService.GetMemoryHistory"
        | "MemoryService.ExportMemories"
        | "MemoryService.EraseUser"
        | "MemoryService.ImportMemories" => later(Vec::new(), Value::Null),
        "AuthService.WhoAmI" => vec![call(Same, Value::Null, "", Value::Null, pb::WhoAmIRequest {})],
        "AuthService.Register" | "AuthService.Login" | "AuthService.RefreshToken" => later(Vec::new(), json!({})),
        "AuthService.CreateApiKey" | "AuthService.UpdateApiKey" | "AuthService.RotateApiKey" => {
            later(Vec::new(), json!({}))
        }
        "AuthService.ListApiKeys"
        | "AuthService.DeleteApiKey"
        | "AuthService.GetUsage"
        | "AuthService.ListAuditEvents" => later(Vec::new(), Value::Null),
        "AuthService.Logout"
        | "AuthService.ChangePassword"
        | "AuthService.DeleteAccount"
        | "AuthService.CreateOAuthClient"
        | "AuthService.ListOAuthClients"
        | "AuthService.DeleteOAuthClient" => signed_in(),
        _ => return None,
    })
}

fn store_calls(fresh: &str) -> Vec<Call> {
    let words = "I work as a nurse in Oslo. I love hiking.";
    let mut body = conversation("t", &[words]);
    body["user_id"] = fresh.into();
    let message = |content: &str, role: pb::Role| pb::Message {
        role: role.into(),
        content: content.to_owned(),
        ..Default::default()
    };
    let request = |messages: Vec<pb::Message>| pb::StoreMemoriesRequest {
        messages,
        agent_id: "assistant".to_owned(),
        thread_id: "t".to_owned(),
        source: "chat".to_owned(),
        user_id: Some(fresh.to_owned()),
        ..Default::default()
    };
    let mut background = body.clone();
    background["async"] = true.into();
    let in_background = pb::StoreMemoriesRequest {
        r#async: Some(true),
        ..request(vec![message(words, pb::Role::User)])
    };
    let mut bad = json!({"messages": [{"role": "user", "content": ""}], "agent_id": "", "thread_id": "t"});
    bad["source"] = "s".repeat(129).into();
    let invalid = pb::StoreMemoriesRequest {
        messages: vec![message("", pb::Role::User)],
        thread_id: "t".to_owned(),
        source: "s".repeat(129),
        ..Default::default()
    };
    vec![
        call(
            NewAnswer,
            Value::Null,
            "",
            body,
            request(vec![message(words, pb::Role::User)]),
        ),
        call(LATER, Value::Null, "", background, in_background),
        call(INVALID, Value::Null, "", bad, invalid),
        call(INVALID, Value::Null, "", json!({}), pb::StoreMemoriesRequest::default()),
    ]
}

fn search_calls() -> Vec<Call> {
    let search = || pb::SearchMemoriesRequest {
        query: "What does the user do?".to_owned(),
        ..Default::default()
    };
    let body = |more: Value| {
        let mut body = json!({"query": "What does the user do?"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let career = vec![pb::Category::Career.into()];
    vec![
        call(Same, Value::Null, "", body(json!({})), search()),
        call(
            Same,
            Value::Null,
            "",
            body(json!({"rerank": true, "limit": 2})),
            pb::SearchMemoriesRequest {
                rerank: Some(true),
                limit: Some(2),
                ..search()
            },
        ),
        call(
            Same,
            Value::Null,
            "",
            body(json!({"categories": ["career"], "type": "semantic"})),
            pb::SearchMemoriesRequest {
                categories: career,
                r#type: Some(pb::MemoryType::Semantic.into()),
                ..search()
            },
        ),
        call(
            Same,
            Value::Null,
            "",
            body(json!({"user_id": "nobody"})),
            pb::SearchMemoriesRequest {
                user_id: Some("nobody".to_owned()),
                ..search()
            },
        ),
        call(
            INVALID,
            Value::Null,
            "",
            body(json!({"limit": 101, "min_importance": 2})),
            pb::SearchMemoriesRequest {
                limit: Some(101),
                min_importance: Some(2.0),
                ..search()
            },
        ),
        call(
            Failure(400, Code::InvalidArgument, "INVALID_CATEGORY"),
            Value::Null,
            "",
            body(json!({"categories": ["sports"]})),
            pb::SearchMemoriesRequest {
                categories: vec![77],
                ..search()
            },
        ),
    ]
}

fn list_calls() -> Vec<Call> {
    let list = pb::ListMemoriesRequest::default;
    vec![
        call(Same, Value::Null, "", Value::Null, list()),
        call(
            Same,
            Value::Null,
            "page=2&page_size=1&sort=importance&order=asc",
            Value::Null,
            pb::ListMemoriesRequest {
                page: Some(2),
                page_size: Some(1),
                sort: Some(pb::SortField::Importance.into()),
                order: Some(pb::SortOrder::Asc.into()),
                ..list()
            },
        ),
        call(
            Same,
            Value::Null,
            "category=interests&type=semantic&agent_id=assistant",
            Value::Null,
            pb::ListMemoriesRequest {
                category: Some(pb::Category::Interests.into()),
                r#type: Some(pb::MemoryType::Semantic.into()),
                agent_id: Some("assistant".to_owned()),
                ..list()
            },
        ),
        call(
            INVALID,
            Value::Null,
            "page=0&page_size=101",
            Value::Null,
            pb::ListMemoriesRequest {
                page: Some(0),
                page_size: Some(101),
                ..list()
            },
        ),
    ]
}
