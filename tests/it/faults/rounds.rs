//! Faults at random, round after round, under writers who try again with the same key until they are answered: nothing
//! that was acknowledged is lost, nothing is there twice, nobody sees another's.
//!
//! `MEMSYNC_TEST_FAULT_ROUNDS` says how many, `MEMSYNC_TEST_FAULT_SEED` repeats the faults of an earlier run.

mod ledger;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use tokio::task::JoinSet;

use self::ledger::{Fact, judge};
use self::world::{Progress, Shared, World};
use crate::process::BOUND;
use crate::support::Way;

const WRITERS: usize = 16;
/// What each of them stores in a round.
const FACTS: usize = 4;
/// How long a writer waits for an answer before it asks again.
const PATIENCE: Duration = Duration::from_secs(1);
/// What it leaves in between.
const PAUSE: Duration = Duration::from_millis(50);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    /// `kill -9` of a server, which is started again.
    Kill,
    /// Connections to the database are cut, and new ones too, for a while.
    Cut,
    /// Connections to the database are cut between what is asked and its answer.
    Unanswered,
    /// The database says nothing for a while.
    Stall,
    /// The database crashes, and is started again.
    Crash,
    /// The database is restarted in order.
    Restart,
    /// The database crashes, and every server with it.
    Blackout,
}

const ON_POSTGRES: [Fault; 7] = [
    Fault::Kill,
    Fault::Cut,
    Fault::Unanswered,
    Fault::Stall,
    Fault::Crash,
    Fault::Restart,
    Fault::Blackout,
];
const ON_SQLITE: [Fault; 1] = [Fault::Kill];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_memory_is_lost_doubled_or_leaked_over_postgresql() {
    rounds("PostgreSQL", World::on_postgres().await, &ON_POSTGRES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_memory_is_lost_doubled_or_leaked_over_sqlite() {
    rounds("SQLite", World::on_sqlite(), &ON_SQLITE).await;
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|e| panic!("{variable}={text}: {e}")))
}

#[expect(clippy::print_stdout, reason = "the figures of a long run are for somebody to read")]
async fn rounds(database: &str, mut world: World, faults: &[Fault]) {
    let rounds = number("MEMSYNC_TEST_FAULT_ROUNDS");
    // Where nobody says how many, each fault comes once, and a lone one more often.
    let rounds = rounds.map_or(faults.len().max(3), |rounds| usize::try_from(rounds).unwrap());
    let seed = number("MEMSYNC_TEST_FAULT_SEED").unwrap_or_else(rand::random);
    println!("{database}: {rounds} rounds, MEMSYNC_TEST_FAULT_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let started = Instant::now();
    let mut happened: BTreeMap<Fault, usize> = BTreeMap::new();
    let (mut facts, mut turns): (Vec<Fact>, Vec<Fault>) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        // Each kind before any comes again.
        if turns.is_empty() {
            turns = faults.to_vec();
            turns.shuffle(&mut random);
        }
        let fault = turns.pop().unwrap();
        *happened.entry(fault).or_default() += 1;
        facts.extend(one_round(&mut world, round, fault, &mut random).await);
        let (seconds, tried) = (started.elapsed().as_secs(), world.progress().failed);
        println!(
            "{round} {fault:?}: {} acknowledged, {tried} tried again, {seconds} s",
            facts.len()
        );
    }
    let report = judge(&world, &facts).await;
    let kinds: Vec<String> = happened
        .iter()
        .map(|(fault, count)| format!("{fault:?} {count}"))
        .collect();
    println!(
        "| {database} | rounds {rounds} | {} | acknowledged {} | tried again {} | lost {} | duplicated {} | leaked {} \
         | {:.0} s | seed {seed} |",
        kinds.join(", "),
        facts.len(),
        world.progress().failed,
        report.lost.len(),
        report.duplicated.len(),
        report.leaked.len(),
        started.elapsed().as_secs_f64(),
    );
    report.assert_clean();
}

/// Every writer stores its facts; somewhere among them comes the fault. Gives what was acknowledged: all.
async fn one_round(world: &mut World, round: usize, fault: Fault, random: &mut StdRng) -> Vec<Fact> {
    let before = world.progress();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let facts = (0..FACTS).map(|n| Fact::new(writer, round * FACTS + n)).collect();
        writers.spawn(write(facts, Arc::clone(&world.shared)));
    }
    let all = before.acknowledged + WRITERS * FACTS;
    let some = before.acknowledged + random.random_range(0..WRITERS * FACTS / 2);
    world.wait_for(|now| now.acknowledged >= some).await;
    let refusals = world.progress().failed + random.random_range(1..WRITERS);
    let is_felt = |now: &Progress| now.failed >= refusals || now.acknowledged == all;
    let victim = random.random_range(0..world.servers());
    match fault {
        Fault::Kill => {
            world.kill(victim);
            world.start(victim);
        }
        Fault::Cut => world.until(Way::Cut, is_felt).await,
        Fault::Unanswered => world.until(Way::Unanswered, is_felt).await,
        Fault::Stall => world.until(Way::Stalled, is_felt).await,
        Fault::Crash => {
            world.postgres().crash();
            world.wait_for(is_felt).await;
            world.postgres().resume();
        }
        Fault::Restart => {
            world.postgres().stop();
            world.postgres().resume();
        }
        Fault::Blackout => {
            world.postgres().crash();
            for server in 0..world.servers() {
                world.kill(server);
            }
            for server in 0..world.servers() {
                world.start(server);
            }
            world.postgres().resume();
        }
    }
    let facts = writers.join_all().await.into_iter().flatten().collect();
    world.is_healthy_again().await;
    facts
}

/// Stores facts one after the other, each with the same key until it is acknowledged, at one server and the next.
async fn write(mut facts: Vec<Fact>, world: Arc<Shared>) -> Vec<Fact> {
    for fact in &mut facts {
        let key = [("idempotency-key", fact.word.as_str())];
        let body = json!({"messages": [{"role": "user", "content": fact.told()}], "user_id": fact.person,
            "agent_id": "a", "thread_id": "t", "source": "s"});
        let since = Instant::now();
        for turn in fact.turn.. {
            let rest = world.server(turn);
            let answer = tokio::time::timeout(PATIENCE, rest.post_with("/v1/memories", &body, &key)).await;
            match answer {
                Ok(Ok((200, answer))) => {
                    fact.id = fact.acknowledged(&answer);
                    break;
                }
                // Away, died, or silent: it may be stored, or not.
                Ok(Ok((503, _)) | Err(_)) | Err(_) => world.note(|progress| progress.failed += 1),
                Ok(Ok((status, answer))) => panic!("{}: {status} {answer}", fact.word),
            }
            assert!(since.elapsed() < BOUND, "{}: never acknowledged", fact.word);
            tokio::time::sleep(PAUSE).await;
        }
        world.note(|progress| progress.acknowledged += 1);
    }
    facts
}
