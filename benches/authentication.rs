//! What authentication costs: keyed requests against the same server's open health check, and keyed requests beside a
//! flood of wrong passwords; and what reading a stored profile costs beside a request that reads nothing. Ratios within one run; `cargo bench --bench authentication`.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program that measures prints, and ends when it can't"
)]

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use memsync::proto::v1::auth_service_client::AuthServiceClient;
use memsync::proto::v1::memory_service_client::MemoryServiceClient;
use memsync::proto::v1::profile_service_client::ProfileServiceClient;
use memsync::proto::v1::{
    GetProfileRequest, ListMemoriesRequest, LoginRequest, Message, Role, StoreMemoriesRequest, WhoAmIRequest,
};
use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

const CONNECTIONS: usize = 4;
const STREAMS_PER_CONNECTION: usize = 16;
const ROUNDS: usize = 8;
const ROUND: Duration = Duration::from_secs(1);
const FLOOD: usize = 64;

struct Server {
    process: Child,
    url: String,
    key: MetadataValue<Ascii>,
    _directory: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let address_file = directory.path().join("address");
        let memsync = || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_memsync"));
            command
                .env("MEMSYNC_DATA_DIR", directory.path())
                .env("MEMSYNC_LISTEN", "127.0.0.1:0")
                .env("MEMSYNC_ADDRESS_FILE", &address_file)
                .env("MEMSYNC_BOOTSTRAP", "false")
                .env("MEMSYNC_LOG", "warn")
                // Far away, so that the buckets do their work and nothing is refused.
                .env("MEMSYNC_LIMITS__REQUESTS_PER_MINUTE", "100000000")
                .env("MEMSYNC_LIMITS__UNAUTHENTICATED_PER_MINUTE", "100000000")
                .env("MEMSYNC_TRUSTED_PROXIES", "127.0.0.1");
            command
        };
        let create = [
            "key",
            "create",
            "--email",
            "ada@example.com",
            "--name",
            "n",
            "--create-account",
        ];
        let created = memsync().args(create).output().unwrap();
        let key = String::from_utf8(created.stdout).unwrap();
        let process = memsync().stderr(Stdio::inherit()).spawn().unwrap();
        let address = loop {
            match std::fs::read_to_string(&address_file) {
                Ok(address) if !address.is_empty() => break address,
                _ => std::thread::sleep(Duration::from_millis(10)),
            }
        };
        Self {
            process,
            url: format!("http://{address}"),
            key: key.trim().parse().unwrap(),
            _directory: directory,
        }
    }

    async fn channel(&self) -> Channel {
        Endpoint::from_shared(self.url.clone())
            .unwrap()
            .tcp_nodelay(true)
            .connect()
            .await
            .unwrap()
    }

    fn keyed<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("x-api-key", self.key.clone());
        request
    }
}

#[derive(Clone, Copy)]
enum Call {
    Health,
    WhoAmI,
    Profile,
}

/// Calls a second from all connections and streams at one time.
async fn throughput(server: &Arc<Server>, channels: &[Channel], call: Call) -> f64 {
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let started = Instant::now();
    let mut callers = Vec::new();
    for channel in channels {
        for _ in 0..STREAMS_PER_CONNECTION {
            let (server, channel) = (Arc::clone(server), channel.clone());
            let (stop, done) = (Arc::clone(&stop), Arc::clone(&done));
            callers.push(tokio::spawn(async move {
                let mut health = HealthClient::new(channel.clone());
                let mut auth = AuthServiceClient::new(channel.clone());
                let mut profiles = ProfileServiceClient::new(channel);
                while !stop.load(Ordering::Relaxed) {
                    match call {
                        Call::Health => {
                            health.check(HealthCheckRequest::default()).await.unwrap();
                        }
                        Call::WhoAmI => {
                            auth.who_am_i(server.keyed(WhoAmIRequest {})).await.unwrap();
                        }
                        Call::Profile => {
                            let request = server.keyed(GetProfileRequest::default());
                            profiles.get_profile(request).await.unwrap();
                        }
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                }
            }));
        }
    }
    tokio::time::sleep(ROUND).await;
    stop.store(true, Ordering::Relaxed);
    let seconds = started.elapsed().as_secs_f64();
    let calls = done.load(Ordering::Relaxed) as f64;
    for caller in callers {
        caller.await.unwrap();
    }
    calls / seconds
}

/// The 95th percentile of keyed requests, one after the other, for some seconds.
async fn p95_ms(server: &Server, channel: &Channel) -> f64 {
    let mut client = MemoryServiceClient::new(channel.clone());
    let mut latencies = Vec::new();
    let started = Instant::now();
    while started.elapsed() < 4 * ROUND {
        let one = Instant::now();
        client
            .list_memories(server.keyed(ListMemoriesRequest::default()))
            .await
            .unwrap();
        latencies.push(one.elapsed().as_secs_f64() * 1000.0);
    }
    latencies.sort_by(f64::total_cmp);
    latencies[latencies.len() * 95 / 100]
}

/// Stores what a profile can be made of.
async fn tell_a_life(server: &Server, channel: &Channel) {
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
    let mut client = MemoryServiceClient::new(channel.clone());
    client.store_memories(server.keyed(request)).await.unwrap();
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[tokio::main]
async fn main() {
    let server = Arc::new(Server::start());
    let mut channels = Vec::new();
    for _ in 0..CONNECTIONS {
        channels.push(server.channel().await);
    }
    for call in [Call::Health, Call::WhoAmI] {
        throughput(&server, &channels, call).await;
    }
    let mut ratios = Vec::new();
    let mut keyed_per_second = Vec::new();
    for _ in 0..ROUNDS {
        let open = throughput(&server, &channels, Call::Health).await;
        let keyed = throughput(&server, &channels, Call::WhoAmI).await;
        ratios.push(keyed / open);
        keyed_per_second.push(keyed);
    }
    println!(
        "WhoAmI with a key / health check without: {:.2} (median of {ROUNDS} pairs; {:.0} keyed requests/s)",
        median(ratios),
        median(keyed_per_second)
    );

    tell_a_life(&server, &channels[0]).await;
    throughput(&server, &channels, Call::Profile).await;
    let (mut ratios, mut profiles_per_second) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let keyed = throughput(&server, &channels, Call::WhoAmI).await;
        let profiles = throughput(&server, &channels, Call::Profile).await;
        ratios.push(profiles / keyed);
        profiles_per_second.push(profiles);
    }
    println!(
        "GetProfile / WhoAmI: {:.2} (median of {ROUNDS} pairs; {:.0} profiles/s)",
        median(ratios),
        median(profiles_per_second)
    );

    let calm = p95_ms(&server, &channels[0]).await;
    let stop = Arc::new(AtomicBool::new(false));
    let attempts = (0..FLOOD).map(|index| {
        let (channel, stop) = (channels[1 + index % (CONNECTIONS - 1)].clone(), Arc::clone(&stop));
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
    let flooded = p95_ms(&server, &channels[0]).await;
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
