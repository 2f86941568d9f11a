//! Work that one instance at a time does for all.

use chrono::{TimeDelta, Utc};
use memsync::model::{Owner, TaskId, TaskState};
use memsync::store::{NewTask, TaskFilter};
use serde_json::json;

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

#[tokio::test]
async fn a_task_is_ended_by_whoever_took_it_last() {
    let server = TestServer::start().await;
    let (auth, store) = (&server.running.app.auth, &server.running.app.store);
    let account = auth.create_account("ada@example.com", None, None).await.unwrap();
    let (id, lease) = (TaskId::generate(), TimeDelta::seconds(30));
    let owner = Owner {
        account_id: account.id.clone(),
        user_id: "anna".to_owned(),
    };
    // Of tomorrow, so that the server leaves it alone.
    let later = |seconds| Utc::now() + TimeDelta::days(1) + TimeDelta::seconds(seconds);
    let transaction = store.begin().await.unwrap();
    let new = NewTask {
        id: &id,
        owner: &owner,
        kind: "store",
        payload: b"{}",
        changed_by: "key_1",
    };
    transaction.insert_task(new, later(0)).await.unwrap();
    transaction.commit().await.unwrap();
    let stores = TaskFilter::Kind {
        kind: "store",
        per_account: 1,
    };
    let take = async |at| store.take_task(stores, later(at), lease).await.unwrap();
    let first = take(1).await.unwrap();
    assert!(take(20).await.is_none(), "it is taken");
    let second = take(60).await.unwrap();
    assert_eq!((&second.id, first.attempts, second.attempts), (&id, 1, 2));

    let listed = async || store.list_tasks(None, None).await.unwrap().remove(0);
    store.fail_task(&first, "late", None, later(61)).await.unwrap();
    store.postpone_task(&first, later(0), "late").await.unwrap();
    assert_eq!(
        (listed().await.state, listed().await.last_error),
        (TaskState::Running, None)
    );
    for (taken, is_theirs) in [(&first, false), (&second, true), (&second, false)] {
        let transaction = store.begin().await.unwrap();
        let ended = transaction.finish_task(taken, json!({}), later(62)).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(ended, is_theirs, "attempt {}", taken.attempts);
    }
    assert_eq!(listed().await.state, TaskState::Done);
}
