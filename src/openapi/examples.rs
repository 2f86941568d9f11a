//! Examples of requests and answers, by RPC. Tests hold them against their schemas and a server.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// The examples of an RPC.
#[derive(Debug, Default, Deserialize)]
struct Example {
    request: Option<Value>,
    answer: Option<Value>,
    /// The answer to what is done later.
    accepted: Option<Value>,
}

/// All of them.
#[derive(Debug, Deserialize)]
pub(super) struct Examples(BTreeMap<String, Example>);

impl Examples {
    pub(super) fn read() -> serde_json::Result<Self> {
        serde_json::from_str(include_str!("examples.json"))
    }

    pub(super) fn request(&self, rpc: &str) -> Option<&Value> {
        self.0.get(rpc)?.request.as_ref()
    }

    pub(super) fn answer(&self, rpc: &str) -> Option<&Value> {
        self.0.get(rpc)?.answer.as_ref()
    }

    pub(super) fn accepted(&self, rpc: &str) -> Option<&Value> {
        self.0.get(rpc)?.accepted.as_ref()
    }
}
