//! People who registered, and a clock that stands still.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};
use memsync::model::Clock;
use serde_json::{Value, json};

use super::{Answer, Rest, TestServer};

/// The password of everybody who registers here.
pub const PASSWORD: &str = "nine grey herons by the canal";

/// Somebody who registered, and the first session.
#[derive(Clone, Debug)]
pub struct Person {
    pub user_id: String,
    pub access_token: String,
    pub refresh_token: String,
}

impl Person {
    pub fn from_tokens(answer: &Value) -> Self {
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        Self {
            user_id: text("user_id"),
            access_token: text("access_token"),
            refresh_token: text("refresh_token"),
        }
    }
}

impl TestServer {
    pub async fn register(&self, email: &str) -> Person {
        let body = json!({"email": email, "password": PASSWORD});
        let answer = self.anonymous().post("/v1/auth/register", &body).await;
        assert_eq!(answer.status.as_u16(), 201, "{answer:?}");
        Person::from_tokens(&answer.json())
    }

    pub async fn login(&self, email: &str, password: &str) -> Answer {
        let body = json!({"email": email, "password": password});
        self.anonymous().post("/v1/auth/login", &body).await
    }

    /// One more session of somebody who registered.
    pub async fn sign_in(&self, email: &str) -> Person {
        Person::from_tokens(&self.login(email, PASSWORD).await.ok())
    }

    pub async fn refresh(&self, refresh_token: &str) -> Answer {
        let body = json!({"refresh_token": refresh_token});
        self.anonymous().post("/v1/auth/refresh", &body).await
    }

    /// A REST client with this access token.
    pub fn bearer(&self, access_token: &str) -> Rest {
        self.anonymous()
            .with("authorization", &format!("Bearer {access_token}"))
    }
}

/// Sets the clock of a server; it moves only by this.
#[derive(Clone)]
pub struct Hand(Arc<AtomicI64>);

impl Hand {
    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(1_800_000_000)))
    }

    pub fn clock(&self) -> Clock {
        let hand = self.clone();
        Clock::from_fn(move || hand.now())
    }

    pub fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.unix(), 0).unwrap()
    }

    pub fn unix(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    pub fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}
