//! Work that one instance at a time does for all.

use chrono::{TimeDelta, Utc};

use crate::support::TestServer;

#[tokio::test]
async fn a_lease_is_one_holder_s_until_it_ends() {
    let server = TestServer::start().await;
    let store = &server.running.app.store;
    let now = Utc::now();
    let later = |seconds| now + TimeDelta::seconds(seconds);
    let take = async |holder, at: i64| {
        store
            .take_lease("reading", holder, later(at), later(at + 10))
            .await
            .unwrap()
    };
    assert!(take("a", 0).await);
    assert!(!take("b", 5).await, "a has it");
    assert!(take("a", 9).await, "a keeps it");
    assert!(!take("b", 18).await, "a kept it");
    assert!(take("b", 19).await, "it is over");
    assert!(!take("a", 20).await, "b has it now");
}
