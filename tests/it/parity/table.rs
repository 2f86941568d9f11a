//! The calls of every RPC, as each transport says them. An RPC without a row here fails the parity test.

use memsync::proto::v1::{self as pb};
use prost::Message;
use serde_json::{Value, json};
use tonic::Code;

use self::Expected::{Failure, NewAnswer, Same, Taken};
use crate::support::conversation;

mod accounts;
mod keys;
mod profiles;

/// What both transports must answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expected {
    /// The same answer.
    Same,
    /// The same answer but for what every call makes anew: ids and times.
    NewAnswer,
    /// The same, of what is done later.
    Taken,
    /// The same failure.
    Failure(u16, Code, &'static str),
}

/// Who makes a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum By {
    /// A key with every scope, of the account that knows [`Known`].
    Key,
    /// The session of [`Fresh`].
    Session,
}

/// What there is in the account of the key.
pub struct Known {
    pub memory_id: String,
    pub api_key_id: String,
    pub task_id: String,
}

/// Somebody whom no call has named before. Of the account, only what an RPC about accounts is called with is there.
#[derive(Clone, Default)]
pub struct Fresh {
    pub person: String,
    pub email: String,
    pub access_token: String,
    pub refresh_token: String,
    pub api_key_id: String,
    pub client_id: String,
    /// Sets up another account, which has no password.
    pub setup_token: String,
}

/// One call, as each transport says it.
pub struct Call {
    pub by: By,
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
        by: By::Key,
        expected,
        path,
        query,
        body,
        message: message.encode_to_vec(),
    }
}

/// The calls as those of a signed-in person.
fn by_session(calls: Vec<Call>) -> Vec<Call> {
    let by_session = |call| Call {
        by: By::Session,
        ..call
    };
    calls.into_iter().map(by_session).collect()
}

const SIGN_IN: Expected = Failure(401, Code::Unauthenticated, "AUTHENTICATION_ERROR");
const INVALID: Expected = Failure(400, Code::InvalidArgument, "VALIDATION_ERROR");
const ABSENT: Expected = Failure(404, Code::NotFound, "MEMORY_NOT_FOUND");

/// The calls of an RPC, in order. `None` for an RPC that has no row yet.
pub fn calls(rpc: &str, known: &Known, fresh: &Fresh) -> Option<Vec<Call>> {
    if let Some(rpc) = rpc.strip_prefix("AuthService.") {
        return accounts::calls(rpc, fresh).or_else(|| keys::calls(rpc, known, fresh));
    }
    if let Some(rpc) = rpc.strip_prefix("ProfileService.") {
        return profiles::calls(rpc, "told", &fresh.person);
    }
    let task_id = known.task_id.as_str();
    let known = known.memory_id.as_str();
    Some(match rpc {
        "IntegrationService.GetTask" => {
            let get = |expected, id: &str, path: &str| {
                let message = pb::GetTaskRequest { task_id: id.to_owned() };
                call(expected, json!({"task_id": path}), "", Value::Null, message)
            };
            let absent = Failure(404, Code::NotFound, "INTEGRATION_NOT_FOUND");
            vec![
                get(Same, task_id, task_id),
                get(absent, "task_none", "task_none"),
                get(INVALID, "a\nb", "a%0Ab"),
            ]
        }
        "MemoryService.StoreMemories" => store_calls(&fresh.person),
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
        "MemoryService.UpdateMemory" => update_calls(known),
        "MemoryService.GetMemoryHistory" => {
            let history = |expected, id: &str, path: &str| {
                let message = pb::GetMemoryHistoryRequest {
                    memory_id: id.to_owned(),
                    user_id: None,
                };
                call(expected, json!({"memory_id": path}), "", Value::Null, message)
            };
            vec![
                history(Same, known, known),
                history(ABSENT, "mem_none", "mem_none"),
                history(INVALID, "a\nb", "a%0Ab"),
            ]
        }
        "MemoryService.DeleteMemory" => {
            let delete = |expected, id: &str, path: &str| {
                let message = pb::DeleteMemoryRequest {
                    memory_id: id.to_owned(),
                    ..Default::default()
                };
                call(expected, json!({"memory_id": path}), "", Value::Null, message)
            };
            vec![delete(ABSENT, "mem_none", "mem_none"), delete(INVALID, "a\nb", "a%0Ab")]
        }
        "MemoryService.BatchDeleteMemories" => {
            let delete = |expected, ids: &[&str]| {
                let message = pb::BatchDeleteMemoriesRequest {
                    memory_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
                    cascade: Some(true),
                    ..Default::default()
                };
                let body = json!({"memory_ids": ids, "cascade": true});
                call(expected, Value::Null, "", body, message)
            };
            vec![
                delete(Same, &["mem_none", "mem_nothing"]),
                delete(INVALID, &[]),
                delete(INVALID, &["", "a\nb"]),
            ]
        }
        "MemoryService.EraseUser" => {
            let erase = |expected, person: &str, path: &str| {
                let message = pb::EraseUserRequest {
                    user_id: person.to_owned(),
                };
                call(expected, json!({"user_id": path}), "", Value::Null, message)
            };
            vec![erase(NewAnswer, "nobody", "nobody"), erase(INVALID, "a\nb", "a%0Ab")]
        }
        "MemoryService.EraseOwnData" => {
            let message = pb::EraseOwnDataRequest::default();
            by_session(vec![call(NewAnswer, Value::Null, "", Value::Null, message)])
        }
        "MemoryService.ListUsers" => {
            let list = |expected, query, limit, cursor: Option<&str>| {
                let message = pb::ListUsersRequest {
                    limit,
                    cursor: cursor.map(str::to_owned),
                };
                call(expected, Value::Null, query, Value::Null, message)
            };
            vec![
                list(Same, "", None, None),
                list(Same, "limit=1&cursor=after:", Some(1), Some("after:")),
                list(INVALID, "limit=0&cursor=else", Some(0), Some("else")),
            ]
        }
        "MemoryService.RestoreBackup" => {
            let restore = |expected, id: &str, path: &str| {
                let message = pb::RestoreBackupRequest {
                    backup_id: id.to_owned(),
                };
                call(expected, json!({"backup_id": path}), "", json!({}), message)
            };
            vec![
                restore(
                    Failure(404, Code::NotFound, "BACKUP_NOT_FOUND"),
                    "backup_none",
                    "backup_none",
                ),
                restore(INVALID, "a\nb", "a%0Ab"),
            ]
        }
        "MemoryService.ExportMemories" => {
            let export = |expected, query, user_id: &str, all_users| {
                let message = pb::ExportMemoriesRequest {
                    user_id: Some(user_id.to_owned()),
                    all_users,
                };
                call(expected, Value::Null, query, Value::Null, message)
            };
            vec![
                export(Same, "user_id=solo", "solo", None),
                export(INVALID, "user_id=a%0Ab", "a\nb", None),
                export(INVALID, "user_id=solo&all_users=true", "solo", Some(true)),
            ]
        }
        "MemoryService.ImportMemories" => {
            let import = |expected, query, format| {
                let message = pb::ImportMemoriesRequest {
                    chunk: b"{}".to_vec(),
                    format,
                    ..Default::default()
                };
                call(expected, Value::Null, query, json!({}), message)
            };
            vec![
                import(Same, "", None),
                import(Same, "format=mem0", Some(pb::ImportFormat::Mem0.into())),
                import(INVALID, "format=word", Some(99)),
            ]
        }
        "MemoryService.GetMemorySettings" => {
            vec![call(
                Same,
                Value::Null,
                "",
                Value::Null,
                pb::GetMemorySettingsRequest {},
            )]
        }
        "MemoryService.UpdateMemorySettings" => {
            let update = |expected, episodic_lifetime| {
                let message = pb::UpdateMemorySettingsRequest {
                    episodic_lifetime: Some(episodic_lifetime),
                };
                let body = json!({"episodic_lifetime": episodic_lifetime});
                call(expected, Value::Null, "", body, message)
            };
            vec![
                update(Same, 3600),
                update(Same, 0),
                update(INVALID, 59),
                update(INVALID, -1),
            ]
        }
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
    let mut in_parts = body.clone();
    in_parts["messages"] = json!([
        {"role": "user", "content": [{"type": "text", "text": "I play chess."}, {"type": "image_url", "image_url": {}}]},
        {"role": "tool", "content": "I live in Rome."},
        {"role": "assistant", "content": null},
    ]);
    let part = |kind: &str, text: Option<&str>| pb::ContentPart {
        r#type: kind.to_owned(),
        text: text.map(str::to_owned),
    };
    let parts = pb::Message {
        content_parts: vec![part("text", Some("I play chess.")), part("image_url", None)],
        ..message("", pb::Role::User)
    };
    let (tool, silent) = (
        message("I live in Rome.", pb::Role::Tool),
        message("", pb::Role::Assistant),
    );
    let mut background = body.clone();
    background["async"] = true.into();
    let in_background = pb::StoreMemoriesRequest {
        r#async: Some(true),
        ..request(vec![message(words, pb::Role::User)])
    };
    let mut preview = body.clone();
    preview["preview"] = true.into();
    let previewed = pb::StoreMemoriesRequest {
        preview: Some(true),
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
        call(NewAnswer, Value::Null, "", in_parts, request(vec![parts, tool, silent])),
        call(Taken, Value::Null, "", background, in_background),
        call(NewAnswer, Value::Null, "", preview, previewed),
        call(INVALID, Value::Null, "", bad, invalid),
        call(INVALID, Value::Null, "", json!({}), pb::StoreMemoriesRequest::default()),
    ]
}

fn update_calls(known: &str) -> Vec<Call> {
    let update = |expected, id: &str, body: Value, message: pb::UpdateMemoryRequest| {
        let message = pb::UpdateMemoryRequest {
            memory_id: id.to_owned(),
            ..message
        };
        call(expected, json!({"memory_id": id}), "", body, message)
    };
    let change = || pb::UpdateMemoryRequest {
        importance: Some(0.5),
        ..Default::default()
    };
    let outdated = pb::UpdateMemoryRequest {
        expected_version: Some(1_000_000),
        ..change()
    };
    let bad = pb::UpdateMemoryRequest {
        content: Some(String::new()),
        importance: Some(2.0),
        ..Default::default()
    };
    let conflict = Failure(409, Code::Aborted, "CONFLICT");
    vec![
        update(NewAnswer, known, json!({"importance": 0.5}), change()),
        update(ABSENT, "mem_none", json!({"importance": 0.5}), change()),
        update(
            conflict,
            known,
            json!({"importance": 0.5, "expected_version": 1_000_000}),
            outdated,
        ),
        update(INVALID, known, json!({"content": "", "importance": 2}), bad),
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
            body(json!({"categories": ["career"], "type": "semantic", "instruction": false})),
            pb::SearchMemoriesRequest {
                categories: career,
                instruction: Some(false),
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
            "category=interests&type=semantic&agent_id=assistant&instruction=false",
            Value::Null,
            pb::ListMemoriesRequest {
                instruction: Some(false),
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
