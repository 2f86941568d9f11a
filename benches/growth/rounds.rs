//! Rounds of one kind of request each, over people picked at random.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rand::random_range;
use tokio::task::JoinSet;

use crate::support::callers::{Round, round};
use crate::support::grpc::Grpc;
use crate::support::sentences::{memory_id, person_name, question, sentence};

/// The number of the next sentence that nobody has told yet; imported ones are below.
static NEXT_SENTENCE: AtomicUsize = AtomicUsize::new(10_000_000);

pub async fn who_am_i(callers: &[Grpc], duration: Duration) -> Round {
    let call = |caller: Grpc| async move { drop(caller.who_am_i().await.unwrap()) };
    round(callers, duration, call).await
}

/// One of each person's memories.
pub async fn gets(callers: &[Grpc], duration: Duration, people: Range<usize>, memories_each: usize) -> Round {
    let call = move |caller: Grpc| {
        let (person, n) = (random_range(people.clone()), random_range(0..memories_each));
        async move { caller.get(person_name(person), memory_id(person, n)).await.unwrap() }
    };
    round(callers, duration, call).await
}

/// The newest of each person's memories.
pub async fn lists(callers: &[Grpc], duration: Duration, people: Range<usize>) -> Round {
    let call = move |caller: Grpc| {
        let person = random_range(people.clone());
        async move { drop(caller.list(person_name(person)).await.unwrap()) }
    };
    round(callers, duration, call).await
}

pub async fn searches(callers: &[Grpc], duration: Duration, people: Range<usize>, memories_each: usize) -> Round {
    let call = move |caller: Grpc| {
        let (person, n) = (random_range(people.clone()), random_range(0..memories_each));
        async move { drop(caller.search(person_name(person), question(n)).await.unwrap()) }
    };
    round(callers, duration, call).await
}

/// Searches each person once, one after the other, and tells how long each took: where nobody was searched before, each
/// search loads an index.
pub async fn first_searches(caller: &Grpc, people: impl IntoIterator<Item = usize>) -> Vec<Duration> {
    let mut times = Vec::new();
    for person in people {
        let started = Instant::now();
        caller.search(person_name(person), question(person)).await.unwrap();
        times.push(started.elapsed());
    }
    times
}

/// Reads these people's indexes into memory, as far as there is room.
pub async fn warm_up(callers: &[Grpc], people: Range<usize>) {
    let mut warming = JoinSet::new();
    for (first, caller) in people.clone().zip(callers) {
        let (caller, share) = (caller.clone(), (first..people.end).step_by(callers.len()));
        warming.spawn(async move { drop(first_searches(&caller, share).await) });
    }
    warming.join_all().await;
}

/// Turns of conversations. What was stored is deleted behind the round, so that people stay as they were.
pub async fn stores(callers: &[Grpc], duration: Duration, people: Range<usize>) -> Round {
    let stored = Arc::new(Mutex::new(vec![Vec::new(); people.end]));
    let call = {
        let (stored, people) = (Arc::clone(&stored), people.clone());
        move |caller: Grpc| {
            let (stored, person) = (Arc::clone(&stored), random_range(people.clone()));
            let said = sentence(NEXT_SENTENCE.fetch_add(1, Ordering::Relaxed));
            async move {
                let answer = caller.store(person_name(person), said, None).await.unwrap();
                let ids = answer.memories.into_iter().map(|memory| memory.id);
                stored.lock()[person].extend(ids);
            }
        }
    };
    let round = round(callers, duration, call).await;
    let stored = std::mem::take(&mut *stored.lock());
    for (person, ids) in stored.into_iter().enumerate() {
        for ids in ids.chunks(1_000) {
            callers[0].delete(person_name(person), ids.to_vec()).await.unwrap();
        }
    }
    round
}
