//! More requests than can be answered at one time are refused at once, and cost no memory.

use futures::future::join_all;
use reqwest::Client;

use super::{Place, fact, health, unavailable};
use crate::process::{BOUND, eventually};
use crate::support::{Way, send};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_beyond_the_room_are_refused_at_once_with_the_time_to_come_back() {
    let settings = [
        ("MEMSYNC_LIMITS__MAX_CONCURRENT_REQUESTS", "4"),
        ("MEMSYNC_DATABASE__TIMEOUT", "30"),
    ];
    let place = Place::start(&settings).await;
    place.store(1).await.unwrap();
    place.proxy.set(Way::Stalled);
    let send_one = |number| {
        let request = Client::new().post(format!("{}/v1/memories", place.server.url()));
        send(request.header("x-api-key", place.rest.key()).json(&fact(number)))
    };
    let held: Vec<_> = (2..6).map(|number| tokio::spawn(send_one(number))).collect();
    // Once those four are in, everybody else is refused, while the database says nothing.
    let refused = eventually("there is no room", BOUND, async || {
        let answers = join_all((10..40).map(send_one));
        tokio::time::timeout(BOUND / 20, answers).await.ok()
    })
    .await;
    for answer in &refused {
        unavailable(answer, "no room");
    }
    assert_eq!(
        health(&place.server).await.status,
        200,
        "whoever asks after its health gets in"
    );
    place.proxy.set(Way::Open);
    for answer in join_all(held).await {
        answer.unwrap().ok();
    }
    place.recovers().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_requests_at_one_time_take_no_more_memory_than_there_is_room_for() {
    let place = Place::start(&[("MEMSYNC_LIMITS__MAX_REQUEST_MEMORY_MB", "16")]).await;
    place.store(1).await.unwrap();
    let before = place.server.peak_memory_mib();
    place.proxy.set(Way::Stalled);
    let large = "kayak ".repeat(600_000);
    let client = Client::new();
    let send_one = |_| {
        let request = client.post(format!("{}/v1/memories", place.server.url()));
        send(request.header("x-api-key", place.rest.key()).body(large.clone()))
    };
    let answers = join_all((0..64).map(send_one)).await;
    place.proxy.set(Way::Open);
    let refused = answers.iter().filter(|answer| answer.status == 503).count();
    assert!(refused >= 48, "{refused} of 64 were refused");
    let after = place.server.peak_memory_mib();
    assert!(
        after < before + 200,
        "{before} MiB before, {after} MiB with 64 requests of 3.4 MiB each"
    );
    place.recovers().await;
}
