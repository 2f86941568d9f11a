//! A REST client with a key over HTTP/1.1 with connections kept alive, and the requests that are measured. Bodies of
//! answers are read whole and given as they are.

use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};

/// A client; clones share the connections.
#[derive(Clone)]
pub struct Rest {
    pub http: Client,
    pub url: String,
    pub key: String,
}

/// Status and body of an answer.
pub struct Answer {
    pub status: StatusCode,
    pub body: Vec<u8>,
}

impl Answer {
    /// The body of a success.
    #[track_caller]
    pub fn expect_success(self) -> Vec<u8> {
        let body = || String::from_utf8_lossy(&self.body);
        assert!(self.status.is_success(), "{}: {}", self.status, body());
        self.body
    }
}

impl Rest {
    pub async fn who_am_i(&self) -> reqwest::Result<Answer> {
        self.send(self.http.get(self.at("/v1/auth/me"))).await
    }

    /// Ten memories at most, reranked.
    pub async fn search(&self, user_id: &str, query: &str) -> reqwest::Result<Answer> {
        let body = json!({"query": query, "limit": 10, "rerank": true, "user_id": user_id});
        self.post("/v1/memories/search", &body, None).await
    }

    /// The newest twenty.
    pub async fn list(&self, user_id: &str) -> reqwest::Result<Answer> {
        let path = format!("/v1/memories?page_size=20&user_id={user_id}");
        self.send(self.http.get(self.at(&path))).await
    }

    /// A turn of a conversation: what the person says, and what the assistant answers.
    pub async fn store(&self, user_id: &str, said: &str, idempotency_key: Option<&str>) -> reqwest::Result<Answer> {
        let body = json!({
            "messages": [
                {"role": "user", "content": said},
                {"role": "assistant", "content": super::sentences::ANSWER},
            ],
            "agent_id": "bench", "thread_id": "told", "source": "bench", "user_id": user_id,
        });
        self.post("/v1/memories", &body, idempotency_key).await
    }

    /// Takes in lines of `docs/EXPORT_FORMAT.md`.
    pub async fn import(&self, lines: String) -> reqwest::Result<Answer> {
        let request = self.http.post(self.at("/v1/import")).body(lines);
        self.send(request.header("content-type", "application/x-ndjson")).await
    }

    async fn post(&self, path: &str, body: &Value, idempotency_key: Option<&str>) -> reqwest::Result<Answer> {
        let mut request = self.http.post(self.at(path)).json(body);
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        self.send(request).await
    }

    async fn send(&self, request: RequestBuilder) -> reqwest::Result<Answer> {
        let answer = request.header("x-api-key", &self.key).send().await?;
        Ok(Answer {
            status: answer.status(),
            body: answer.bytes().await?.to_vec(),
        })
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}
