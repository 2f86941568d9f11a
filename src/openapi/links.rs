//! What an answer gives to the next call: ids.

use serde_json::{Map, Value, json};

use super::operations::snake_case;

/// The RPC and the status of its answer, the RPCs that take the id, as which parameter, and where it stands.
const LINKS: [(&str, &str, &[&str], &str, &str); 7] = [
    ("StoreMemories", "200", &OF_A_MEMORY, "memory_id", "memories/0/id"),
    ("StoreMemories", "202", &["GetTask"], "task_id", "task_id"),
    ("ListMemories", "200", &OF_A_MEMORY, "memory_id", "data/0/id"),
    ("DeleteMemory", "200", &["RestoreBackup"], "backup_id", "backup_id"),
    (
        "BatchDeleteMemories",
        "200",
        &["RestoreBackup"],
        "backup_id",
        "backup_id",
    ),
    (
        "CreateApiKey",
        "201",
        &["UpdateApiKey", "RotateApiKey", "DeleteApiKey"],
        "api_key_id",
        "api_key_id",
    ),
    (
        "CreateOAuthClient",
        "201",
        &["DeleteOAuthClient"],
        "client_id",
        "client/client_id",
    ),
];
const OF_A_MEMORY: [&str; 4] = ["GetMemory", "GetMemoryHistory", "UpdateMemory", "DeleteMemory"];

/// The links of an RPC's answer with this status; empty where it has none.
pub(super) fn of(rpc: &str, status: &str) -> Map<String, Value> {
    let mut links = Map::new();
    for (from, with, targets, parameter, place) in LINKS {
        if (from, with) != (rpc, status) {
            continue;
        }
        for target in targets {
            let value = format!("$response.body#/{place}");
            let link = json!({"operationId": snake_case(target), "parameters": {parameter: value}});
            links.insert((*target).to_owned(), link);
        }
    }
    links
}
