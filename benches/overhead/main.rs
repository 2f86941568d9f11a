//! What MemSync costs over a bare tonic server that answers the same, and what REST costs over gRPC. Ratios within one
//! run; `cargo bench --bench overhead -- [bare] [rest]`.
//!
//! Clients and servers share the machine, so the clients' work is in every throughput. The CPU time of the server alone
//! is told beside it.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program that measures prints, and ends when it can't"
)]

use std::time::Duration;

use bare_server::BareServer;
use clap::{Parser, ValueEnum};
use support::callers::{Round, round};
use support::figures::median;
use support::grpc::Grpc;
use support::installation::{Installation, Server};
use support::rest::Rest;
use support::sentences::{person_name, question};

mod bare_server;
#[expect(dead_code, reason = "other benches need the rest")]
#[path = "../support/mod.rs"]
mod support;

const CONNECTIONS: usize = 4;
const STREAMS_PER_CONNECTION: usize = 16;
const MEMORIES: usize = 1_000;

#[derive(Parser)]
struct Options {
    /// What to measure; all when absent.
    parts: Vec<Part>,
    /// Pairs of rounds for each figure.
    #[arg(long, default_value_t = 9)]
    pairs: usize,
    /// How long a round lasts.
    #[arg(long, default_value = "1s", value_parser = humantime::parse_duration)]
    round: Duration,
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// A keyed request over gRPC, against a bare tonic server.
    Bare,
    /// The same requests over REST, against gRPC.
    Rest,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Call {
    WhoAmI,
    Search,
    List,
}

/// Throughput, and the server's CPU time for a call.
struct Sample {
    per_second: f64,
    cpu_us: f64,
}

impl Sample {
    fn of(round: &Round, cpu_s: f64) -> Self {
        Self {
            per_second: round.per_second,
            cpu_us: cpu_s * 1e6 / round.calls as f64,
        }
    }
}

#[tokio::main]
async fn main() {
    if bare_server::is_this() {
        return bare_server::serve().await;
    }
    let options = Options::parse();
    let is_wanted = |part| options.parts.is_empty() || options.parts.contains(&part);
    let installation = Installation::on_sqlite();
    installation.import(0..1, MEMORIES);
    let server = installation.start(&[]);
    let grpc = server.callers(CONNECTIONS, STREAMS_PER_CONNECTION).await;
    println!(
        "{} callers; medians of {} interleaved pairs of {:?}",
        grpc.len(),
        options.pairs,
        options.round
    );
    if is_wanted(Part::Bare) {
        against_bare(&options, &server, &grpc).await;
    }
    if is_wanted(Part::Rest) {
        let rest = vec![server.rest(); grpc.len()];
        for (name, call) in [("WhoAmI", Call::WhoAmI), ("search", Call::Search), ("list", Call::List)] {
            against_grpc(&options, name, call, &server, &grpc, &rest).await;
        }
    }
}

async fn against_bare(options: &Options, server: &Server, callers: &[Grpc]) {
    let bare = BareServer::start(&callers[0].who_am_i().await.unwrap());
    let bare_callers = bare.callers(&callers[0].key, CONNECTIONS, STREAMS_PER_CONNECTION).await;
    let mut pairs = Vec::new();
    for _ in 0..=options.pairs {
        let ours = over_grpc(options, callers, Call::WhoAmI, || server.cpu_s()).await;
        let theirs = over_grpc(options, &bare_callers, Call::WhoAmI, || bare.cpu_s()).await;
        pairs.push((ours, theirs));
    }
    report("WhoAmI with a key", ("MemSync", "bare tonic"), pairs);
}

async fn against_grpc(options: &Options, name: &str, call: Call, server: &Server, grpc: &[Grpc], rest: &[Rest]) {
    let mut pairs = Vec::new();
    for _ in 0..=options.pairs {
        let ours = over_rest(options, rest, call, || server.cpu_s()).await;
        let theirs = over_grpc(options, grpc, call, || server.cpu_s()).await;
        pairs.push((ours, theirs));
    }
    report(name, ("REST", "gRPC"), pairs);
}

async fn over_grpc(options: &Options, callers: &[Grpc], call: Call, cpu_s: impl Fn() -> f64) -> Sample {
    let call = move |caller: Grpc| async move {
        match call {
            Call::WhoAmI => drop(caller.who_am_i().await.unwrap()),
            Call::Search => drop(caller.search(person_name(0), question(7)).await.unwrap()),
            Call::List => drop(caller.list(person_name(0)).await.unwrap()),
        }
    };
    let before_s = cpu_s();
    let round = round(callers, options.round, call).await;
    Sample::of(&round, cpu_s() - before_s)
}

async fn over_rest(options: &Options, callers: &[Rest], call: Call, cpu_s: impl Fn() -> f64) -> Sample {
    let call = move |caller: Rest| async move {
        let answer = match call {
            Call::WhoAmI => caller.who_am_i().await,
            Call::Search => caller.search(&person_name(0), &question(7)).await,
            Call::List => caller.list(&person_name(0)).await,
        };
        answer.unwrap().expect_success();
    };
    let before_s = cpu_s();
    let round = round(callers, options.round, call).await;
    Sample::of(&round, cpu_s() - before_s)
}

/// Prints medians over all pairs but the first, which warms up.
fn report(what: &str, (ours, theirs): (&str, &str), pairs: Vec<(Sample, Sample)>) {
    let of = |figure: fn(&(Sample, Sample)) -> f64| median(pairs.iter().skip(1).map(figure).collect());
    println!(
        "{what}: {ours} / {theirs}: throughput {:.2} ({:.0} / {:.0} a second), server's CPU {:.2} ({:.0} / {:.0} µs a call)",
        of(|(a, b)| a.per_second / b.per_second),
        of(|(a, _)| a.per_second),
        of(|(_, b)| b.per_second),
        of(|(a, b)| a.cpu_us / b.cpu_us),
        of(|(a, _)| a.cpu_us),
        of(|(_, b)| b.cpu_us),
    );
}
