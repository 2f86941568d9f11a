//! Whether a server's memory stays where it is under a mixed load at a moderate rate. `cargo bench --bench soak`;
//! `MEMSYNC_SOAK_MINUTES` says for how long, 30 when absent.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program that measures prints, and ends when it can't"
)]

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rand::random_range;
use support::figures::slope;
use support::grpc::Grpc;
use support::installation::Installation;
use support::sentences::{memory_id, person_name, question, sentence};
use tokio::time::MissedTickBehavior;
use tonic::Status;

#[expect(dead_code, reason = "other benches need the rest")]
mod support;

const PEOPLE: usize = 20;
/// What each person keeps: what comes on top is deleted again, the oldest first.
const MEMORIES_EACH: usize = 1_000;
const REQUESTS_PER_SECOND: u32 = 200;
const CONNECTIONS: usize = 4;
const SAMPLE: Duration = Duration::from_secs(10);
const SAMPLES_A_MINUTE: usize = 6;

/// Requests since the start.
#[derive(Default)]
struct Counts {
    answered: AtomicU64,
    failed: AtomicU64,
}

#[tokio::main]
async fn main() {
    let minutes = std::env::var("MEMSYNC_SOAK_MINUTES").map_or(30.0, |minutes| minutes.parse().unwrap());
    let installation = Installation::on_sqlite();
    installation.import(0..PEOPLE, MEMORIES_EACH);
    let server = installation.start(&[]);
    let counts = Arc::new(Counts::default());
    let callers = server.callers(CONNECTIONS, PEOPLE / CONNECTIONS).await;
    let people = callers.into_iter().enumerate().map(|(person, caller)| {
        let life = Life::new(caller, person);
        tokio::spawn(life.go_on(Arc::clone(&counts)))
    });
    let people: Vec<_> = people.collect();

    println!("{REQUESTS_PER_SECOND} requests a second about {PEOPLE} people for {minutes} minutes");
    println!("| minute | resident MiB | answered | failed |\n| --- | --- | --- | --- |");
    let started = Instant::now();
    let mut ticks = tokio::time::interval(SAMPLE);
    let mut samples = Vec::new();
    while started.elapsed().as_secs_f64() < minutes * 60.0 {
        ticks.tick().await;
        let (hours, resident_mib) = (started.elapsed().as_secs_f64() / 3600.0, server.resident_mib());
        if samples.len() % SAMPLES_A_MINUTE == 0 {
            let (answered, failed) = (&counts.answered, &counts.failed);
            let minute = samples.len() / SAMPLES_A_MINUTE;
            println!("| {minute} | {resident_mib:.1} | {answered:?} | {failed:?} |");
        }
        samples.push((hours, resident_mib));
    }
    people.iter().for_each(|person| person.abort());
    let second_half = &samples[samples.len() / 2..];
    println!("slope over the second half: {:+.1} MiB an hour", slope(second_half));
}

/// A person who asks, tells, corrects and takes back.
struct Life {
    caller: Grpc,
    person: usize,
    /// The person's memories, oldest first.
    memory_ids: VecDeque<String>,
    /// Sentences told so far.
    told: usize,
}

impl Life {
    fn new(caller: Grpc, person: usize) -> Self {
        Self {
            caller,
            person,
            memory_ids: (0..MEMORIES_EACH).map(|n| memory_id(person, n)).collect(),
            told: MEMORIES_EACH,
        }
    }

    async fn go_on(mut self, counts: Arc<Counts>) {
        let mut ticks = tokio::time::interval(Duration::from_secs(1) * PEOPLE as u32 / REQUESTS_PER_SECOND);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match self.act().await {
                Ok(()) => counts.answered.fetch_add(1, Ordering::Relaxed),
                Err(status) => {
                    println!("{status}");
                    counts.failed.fetch_add(1, Ordering::Relaxed)
                }
            };
        }
    }

    /// Of twenty: twelve searches, four stores, two updates, two deletions.
    async fn act(&mut self) -> Result<(), Status> {
        let user_id = person_name(self.person);
        match random_range(0..20) {
            0..12 => {
                let question = question(random_range(0..self.told));
                self.caller.search(user_id, question).await.map(drop)
            }
            12..16 => {
                let said = self.next_sentence();
                let answer = self.caller.store(user_id, said, None).await?;
                for memory in answer.memories {
                    if !self.memory_ids.contains(&memory.id) {
                        self.memory_ids.push_back(memory.id);
                    }
                }
                Ok(())
            }
            16..18 => {
                let memory_id = self.memory_ids[random_range(0..self.memory_ids.len())].clone();
                let corrected = self.next_sentence();
                self.caller.update(user_id, memory_id, corrected).await
            }
            _ => {
                let surplus = self.memory_ids.len().saturating_sub(MEMORIES_EACH).max(1);
                let oldest = self.memory_ids.drain(..surplus).collect();
                self.caller.delete(user_id, oldest).await
            }
        }
    }

    fn next_sentence(&mut self) -> String {
        self.told += 1;
        sentence(self.told)
    }
}
