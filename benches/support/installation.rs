//! An installation of its own, with a database, an account and a key; and servers of the release binary on it.

use std::io::{BufWriter, Read, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tonic::transport::Endpoint;

use super::figures::{cpu_s, resident_mib};
use super::grpc::Grpc;
use super::postgres::Postgres;
use super::rest::Rest;
use super::sentences::memory_line;

const EMAIL: &str = "bench@memsync.dev";
const POLL: Duration = Duration::from_millis(1);

/// A data directory and a database.
pub struct Installation {
    directory: tempfile::TempDir,
    postgres: Option<Postgres>,
    key: String,
}

/// A server; killed when dropped.
pub struct Server {
    process: Child,
    pub url: String,
    key: String,
    /// From its start to its first good answer to a health check.
    pub start: Duration,
}

impl Installation {
    pub fn on_sqlite() -> Self {
        Self::on(None)
    }

    pub fn on_postgres(postgres: Postgres) -> Self {
        Self::on(Some(postgres))
    }

    fn on(postgres: Option<Postgres>) -> Self {
        let mut installation = Self {
            directory: tempfile::tempdir().unwrap(),
            postgres,
            key: String::new(),
        };
        let mut create = installation.memsync();
        create.args(["key", "create", "--email", EMAIL, "--name", "bench", "--create-account"]);
        let created = create.output().unwrap();
        let said = String::from_utf8_lossy(&created.stderr);
        assert!(created.status.success(), "memsync key create: {said}");
        installation.key = String::from_utf8(created.stdout).unwrap().trim().to_owned();
        installation
    }

    fn memsync(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_memsync"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("MEMSYNC_") {
                command.env_remove(name);
            }
        }
        command
            .env("MEMSYNC_DATA_DIR", self.directory.path())
            .env("MEMSYNC_LISTEN", "127.0.0.1:0")
            .env("MEMSYNC_ADDRESS_FILE", self.address_file())
            .env("MEMSYNC_BOOTSTRAP", "false")
            .env("MEMSYNC_AUTH__JWT_SECRET", "the same for all servers of a bench")
            .env("MEMSYNC_LOG", "warn")
            // Far away, so that the buckets do their work and nothing is refused.
            .env("MEMSYNC_LIMITS__REQUESTS_PER_MINUTE", "100000000")
            .env("MEMSYNC_LIMITS__SEARCHES_PER_MINUTE", "100000000")
            .env("MEMSYNC_LIMITS__UNAUTHENTICATED_PER_MINUTE", "100000000")
            .env("MEMSYNC_TRUSTED_PROXIES", "127.0.0.1");
        if let Some(postgres) = &self.postgres {
            command.env("MEMSYNC_DATABASE__URL", postgres.url());
        }
        command
    }

    fn address_file(&self) -> PathBuf {
        self.directory.path().join("address")
    }

    /// Gives each of these people memories of their own, by `memsync import`, and waits until the disk has them: else the
    /// system writes them out beside what is measured next.
    pub fn import(&self, people: Range<usize>, memories_each: usize) {
        if people.is_empty() {
            return;
        }
        let mut import = self.memsync();
        import.args(["import", "--email", EMAIL, "-"]);
        let mut import = import.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufWriter::new(import.stdin.take().unwrap());
        for person in people {
            for n in 0..memories_each {
                lines.write_all(memory_line(person, n).as_bytes()).unwrap();
            }
        }
        drop(lines);
        assert!(import.wait().unwrap().success(), "the import failed");
        assert!(Command::new("sync").status().unwrap().success(), "sync failed");
    }

    /// Starts a server with these settings.
    pub fn start(&self, settings: &[(&str, &str)]) -> Server {
        let _ = std::fs::remove_file(self.address_file());
        let started = Instant::now();
        let mut command = self.memsync();
        command.envs(settings.iter().copied()).stderr(Stdio::inherit());
        let process = command.spawn().unwrap();
        let address = loop {
            match std::fs::read_to_string(self.address_file()) {
                Ok(address) if !address.is_empty() => break address,
                _ => std::thread::sleep(POLL),
            }
        };
        while !is_healthy(&address) {
            std::thread::sleep(POLL);
        }
        Server {
            process,
            url: format!("http://{address}"),
            key: self.key.clone(),
            start: started.elapsed(),
        }
    }
}

impl Server {
    /// A client with a connection of its own.
    pub async fn grpc(&self) -> Grpc {
        let endpoint = Endpoint::from_shared(self.url.clone()).unwrap().tcp_nodelay(true);
        Grpc {
            channel: endpoint.connect().await.unwrap(),
            key: self.key.parse().unwrap(),
        }
    }

    /// `streams` clients on each of so many connections.
    pub async fn callers(&self, connections: usize, streams: usize) -> Vec<Grpc> {
        let mut callers = Vec::new();
        for _ in 0..connections {
            callers.extend(vec![self.grpc().await; streams]);
        }
        callers
    }

    pub fn rest(&self) -> Rest {
        rustls::crypto::ring::default_provider().install_default().ok();
        Rest {
            http: reqwest::Client::new(),
            url: self.url.clone(),
            key: self.key.clone(),
        }
    }

    pub fn resident_mib(&self) -> f64 {
        resident_mib(self.process.id())
    }

    pub fn cpu_s(&self) -> f64 {
        cpu_s(self.process.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn is_healthy(address: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(b"GET /healthcheck HTTP/1.1\r\nHost: memsync\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}
