//! How long a start takes and how much memory a server holds, as the database grows, on SQLite.

use std::time::Duration;

use crate::Options;
use crate::support::figures::median;
use crate::support::installation::Installation;
use crate::support::sentences::{person_name, question};

const MEMORIES_EACH: usize = 1_000;
const STARTS: usize = 5;
/// What a server gets to come to rest.
const REST: Duration = Duration::from_secs(1);

pub async fn measure(options: &Options) {
    println!("\nMedians of {STARTS} starts; people of {MEMORIES_EACH} memories each:");
    println!("| memories | start ms | idle MiB | after a first search MiB |\n| --- | --- | --- | --- |");
    let installation = Installation::on_sqlite();
    let levels = std::iter::successors(Some(10_000), |memories| Some(memories * 10));
    let levels = levels.take_while(|memories| *memories <= options.memories);
    let mut imported = 0;
    for memories in std::iter::once(0).chain(levels) {
        let people = memories / MEMORIES_EACH;
        installation.import(imported..people, MEMORIES_EACH);
        imported = people;
        let (mut starts_ms, mut idle_mib, mut searched_mib) = (Vec::new(), Vec::new(), Vec::new());
        for start in 0..STARTS {
            let server = installation.start(&[]);
            starts_ms.push(server.start.as_secs_f64() * 1000.0);
            tokio::time::sleep(REST).await;
            idle_mib.push(server.resident_mib());
            let caller = server.grpc().await;
            caller.search(person_name(start), question(start)).await.unwrap();
            searched_mib.push(server.resident_mib());
        }
        println!(
            "| {memories} | {:.0} | {:.0} | {:.0} |",
            median(starts_ms),
            median(idle_mib),
            median(searched_mib)
        );
    }
}
