//! Servers over one database, which faults befall, and what the writers meet.

use std::sync::{Arc, RwLock};

use reqwest::Client;
use tempfile::TempDir;
use tokio::sync::watch;

use crate::process::{BOUND, Process, Rest, eventually, memsync};
use crate::support::{Postgres, Proxy, Way};

/// What is the same for every server.
const COMMON: [(&str, &str); 5] = [
    (
        "MEMSYNC_AUTH__JWT_SECRET",
        "the one secret of every server, long enough",
    ),
    (
        "MEMSYNC_ENCRYPTION__MASTER_KEY",
        "b25lIG1hc3RlciBrZXkgb2YgYWxsIGluc3RhbmNlcy4=",
    ),
    ("MEMSYNC_BOOTSTRAP", "false"),
    ("MEMSYNC_DATABASE__TIMEOUT", "1"),
    ("MEMSYNC_DATABASE__STATEMENT_TIMEOUT", "1"),
];

/// What the writers have met so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    pub acknowledged: usize,
    /// Attempts that were refused, cut off or not answered.
    pub failed: usize,
}

/// What the writers know of the servers.
pub struct Shared {
    clients: RwLock<Vec<Rest>>,
    progress: watch::Sender<Progress>,
}

pub struct World {
    servers: Vec<(Option<Process>, TempDir)>,
    database: Option<(Postgres, Proxy)>,
    key: String,
    pub shared: Arc<Shared>,
}

impl Shared {
    /// A client of the server whose turn it is.
    pub fn server(&self, turn: usize) -> Rest {
        let clients = self.clients.read().unwrap();
        clients[turn % clients.len()].clone()
    }

    pub fn note(&self, change: impl FnOnce(&mut Progress)) {
        self.progress.send_modify(change);
    }
}

impl World {
    /// Two servers over a PostgreSQL that keeps what it says even where the machine dies.
    pub async fn on_postgres() -> Self {
        let postgres = Postgres::start_with(&[]);
        let proxy = Proxy::before(postgres.port, Way::Open).await;
        Self::with(2, Some((postgres, proxy)))
    }

    /// One server over a file.
    pub fn on_sqlite() -> Self {
        Self::with(1, None)
    }

    fn with(servers: usize, database: Option<(Postgres, Proxy)>) -> Self {
        let places = (0..servers).map(|_| (None, tempfile::tempdir().unwrap()));
        let mut world = Self {
            servers: places.collect(),
            database,
            key: String::new(),
            shared: Arc::new(Shared {
                clients: RwLock::default(),
                progress: watch::Sender::default(),
            }),
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
        let created = world.with_settings(0, |place, settings| memsync(place, settings, &create));
        world.key = created.expect_success("key create").stdout.trim().to_owned();
        for server in 0..servers {
            world.start(server);
        }
        world
    }

    fn with_settings<T>(&self, server: usize, run: impl FnOnce(&std::path::Path, &[(&str, &str)]) -> T) -> T {
        let url = self.database.as_ref().map(|(_, proxy)| proxy.url());
        let url = url.iter().map(|url| ("MEMSYNC_DATABASE__URL", url.as_str()));
        let settings: Vec<_> = COMMON.into_iter().chain(url).collect();
        run(self.servers[server].1.path(), &settings)
    }

    pub fn servers(&self) -> usize {
        self.servers.len()
    }

    pub fn start(&mut self, server: usize) {
        let process = self.with_settings(server, Process::start_with);
        let client = Rest::new(process.url(), &self.key);
        self.servers[server].0 = Some(process);
        let mut clients = self.shared.clients.write().unwrap();
        match clients.get_mut(server) {
            Some(known) => *known = client,
            None => clients.push(client),
        }
    }

    pub fn kill(&mut self, server: usize) {
        self.servers[server].0.take().unwrap().kill();
    }

    pub fn postgres(&self) -> &Postgres {
        &self.database.as_ref().unwrap().0
    }

    pub fn progress(&self) -> Progress {
        *self.shared.progress.borrow()
    }

    pub async fn wait_for(&self, holds: impl FnMut(&Progress) -> bool) {
        let mut progress = self.shared.progress.subscribe();
        let waited = tokio::time::timeout(BOUND, progress.wait_for(holds)).await;
        waited.expect("the writers get nowhere").unwrap();
    }

    /// What goes to the database goes this way until `holds`.
    pub async fn until(&self, way: Way, holds: impl FnMut(&Progress) -> bool) {
        let (_, proxy) = self.database.as_ref().unwrap();
        proxy.set(way);
        self.wait_for(holds).await;
        proxy.set(Way::Open);
    }

    pub async fn is_healthy_again(&self) {
        let client = Client::new();
        for (server, _) in &self.servers {
            let url = format!("{}/healthcheck", server.as_ref().unwrap().url());
            eventually("the server says that it serves", BOUND, async || {
                let answer = client.get(&url).send().await.ok()?;
                answer.status().is_success().then_some(())
            })
            .await;
        }
    }
}
