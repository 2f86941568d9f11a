//! What authentication costs: keyed requests against the same server's open health check, and keyed requests beside a
//! flood of wrong passwords; and what reading a stored profile costs beside a request that reads nothing. Ratios within
//! one run; `cargo bench --bench authentication`.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program that measures prints, and ends when it can't"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use memsync::proto::v1::auth_service_client::AuthServiceClient;
use memsync::proto::v1::memory_service_client::MemoryServiceClient;
use memsync::proto::v1::profile_service_client::ProfileServiceClient;
use memsync::proto::v1::{GetProfileRequest, LoginRequest, Message, Role, StoreMemoriesRequest};
use support::callers::round;
use support::figures::median;
use support::grpc::Grpc;
use support::installation::Installation;
use tonic::Request;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

#[expect(dead_code, reason = "other benches need the rest")]
mod support;

const CONNECTIONS: usize = 4;
const STREAMS_PER_CONNECTION: usize = 16;
const ROUNDS: usize = 8;
const ROUND: Duration = Duration::from_secs(1);
const FLOOD: usize = 64;

#[derive(Clone, Copy)]
enum Call {
    Health,
    WhoAmI,
    Profile,
}

/// Calls a second from all callers at one time.
async fn per_second(callers: &[Grpc], call: Call) -> f64 {
    let round = round(callers, ROUND, move |caller: Grpc| async move {
        match call {
            Call::Health => {
                let mut health = HealthClient::new(caller.channel);
                health.check(HealthCheckRequest::default()).await.unwrap();
            }
            Call::WhoAmI => {
                caller.who_am_i().await.unwrap();
            }
            Call::Profile => {
                let request = caller.keyed(GetProfileRequest::default());
                let mut profiles = ProfileServiceClient::new(caller.channel);
                profiles.get_profile(request).await.unwrap();
            }
        }
    });
    round.await.per_second
}

/// The 95th percentile of keyed requests, one after the other, for some seconds.
async fn p95_ms(caller: &Grpc) -> f64 {
    let list = |caller: Grpc| async move {
        caller.list(String::new()).await.unwrap();
    };
    round(std::slice::from_ref(caller), 4 * ROUND, list).await.p95_ms
}

/// Stores what a profile can be made of.
async fn tell_a_life(caller: &Grpc) {
    let facts = [
        "I live in Bergen.",
        "I work as a carpenter at Fjord Boats.",
        "I love rowing.",
        "My sister Anna lives in Oslo.",
        "I want to build a wooden boat.",
        "I am learning Finnish.",
    ];
    let message = |content: &str| Message {
        role: Role::User.into(),
        content: content.to_owned(),
        ..Message::default()
    };
    let request = StoreMemoriesRequest {
        messages: facts.map(message).to_vec(),
        agent_id: "bench".to_owned(),
        thread_id: "life".to_owned(),
        source: "bench".to_owned(),
        ..StoreMemoriesRequest::default()
    };
    let mut memories = MemoryServiceClient::new(caller.channel.clone());
    memories.store_memories(caller.keyed(request)).await.unwrap();
}

#[tokio::main]
async fn main() {
    let installation = Installation::on_sqlite();
    let server = installation.start(&[]);
    let callers = server.callers(CONNECTIONS, STREAMS_PER_CONNECTION).await;
    for call in [Call::Health, Call::WhoAmI] {
        per_second(&callers, call).await;
    }
    let mut ratios = Vec::new();
    let mut keyed_per_second = Vec::new();
    for _ in 0..ROUNDS {
        let open = per_second(&callers, Call::Health).await;
        let keyed = per_second(&callers, Call::WhoAmI).await;
        ratios.push(keyed / open);
        keyed_per_second.push(keyed);
    }
    println!(
        "WhoAmI with a key / health check without: {:.2} (median of {ROUNDS} pairs; {:.0} keyed requests/s)",
        median(ratios),
        median(keyed_per_second)
    );

    tell_a_life(&callers[0]).await;
    per_second(&callers, Call::Profile).await;
    let (mut ratios, mut profiles_per_second) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let keyed = per_second(&callers, Call::WhoAmI).await;
        let profiles = per_second(&callers, Call::Profile).await;
        ratios.push(profiles / keyed);
        profiles_per_second.push(profiles);
    }
    println!(
        "GetProfile / WhoAmI: {:.2} (median of {ROUNDS} pairs; {:.0} profiles/s)",
        median(ratios),
        median(profiles_per_second)
    );

    let calm = p95_ms(&callers[0]).await;
    let stop = Arc::new(AtomicBool::new(false));
    let attempts = (0..FLOOD).map(|index| {
        let caller = &callers[STREAMS_PER_CONNECTION * (1 + index % (CONNECTIONS - 1))];
        let (channel, stop) = (caller.channel.clone(), Arc::clone(&stop));
        tokio::spawn(async move {
            let mut client = AuthServiceClient::new(channel);
            let mut checked = 0;
            while !stop.load(Ordering::Relaxed) {
                // Accounts and addresses of their own, so that every attempt is checked and none is told to wait.
                let mut login = Request::new(LoginRequest {
                    email: format!("nobody{index}-{checked}@example.com"),
                    password: "not the password".to_owned(),
                });
                let address = format!("10.{index}.{}.{}", checked / 256, checked % 256);
                login.metadata_mut().insert("x-forwarded-for", address.parse().unwrap());
                client.login(login).await.unwrap_err();
                checked += 1;
            }
            checked
        })
    });
    let attempts: Vec<_> = attempts.collect();
    let flooded = p95_ms(&callers[0]).await;
    stop.store(true, Ordering::Relaxed);
    let mut refused = 0;
    for attempt in attempts {
        refused += attempt.await.unwrap();
    }
    println!(
        "p95 of keyed requests beside {FLOOD} wrong passwords at one time / without: {:.2} \
         ({flooded:.2} ms / {calm:.2} ms; {refused} passwords checked)",
        flooded / calm
    );
}
