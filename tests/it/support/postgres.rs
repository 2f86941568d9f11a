//! A PostgreSQL of a test's or a bench's own: on a private port, in a private directory, with a standby where one is
//! wanted.

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Commits survive the end of the process, and not that of the machine.
const UNSYNCED: [&str; 2] = ["fsync=off", "full_page_writes=off"];

/// A PostgreSQL of this test alone; stopped when dropped.
pub struct Postgres {
    directory: tempfile::TempDir,
    binaries: PathBuf,
    settings: String,
    pub port: u16,
}

impl Postgres {
    /// Starts one whose commits survive the end of the process, and not that of the machine.
    pub fn start() -> Self {
        Self::start_with(&UNSYNCED)
    }

    /// One with the extension `vector`.
    pub fn start_with_vectors() -> Self {
        let binaries = std::env::var_os("MEMSYNC_TEST_PGVECTOR_BIN");
        let binaries = binaries.expect("MEMSYNC_TEST_PGVECTOR_BIN, as tests/run sets it");
        Self::start_from(binaries.into(), &UNSYNCED)
    }

    /// Starts one as it comes, with fsync, but for these settings.
    pub fn start_with(settings: &[&str]) -> Self {
        Self::start_from(binaries(), settings)
    }

    fn start_from(binaries: PathBuf, settings: &[&str]) -> Self {
        let settings = settings.iter().map(|setting| format!(" -c {setting}")).collect();
        let postgres = Self::prepare(binaries, settings);
        postgres.command(
            "initdb",
            "-U postgres --auth=trust -E UTF8 --locale=C --no-sync -D \"$D\"/data",
        );
        postgres.resume();
        postgres
    }

    /// A hot standby that follows this server.
    pub fn standby(&self) -> Self {
        let standby = Self::prepare(self.binaries.clone(), self.settings.clone());
        let copy = format!(
            "-U postgres -h 127.0.0.1 -p {} -D \"$D\"/data -R -X stream -c fast",
            self.port
        );
        standby.command("pg_basebackup", &copy);
        standby.resume();
        standby
    }

    fn prepare(binaries: PathBuf, settings: String) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let postgres = Self {
            directory: tempfile::tempdir().unwrap(),
            binaries,
            settings,
            port,
        };
        let directory = postgres.directory.path();
        if is_root() {
            // PostgreSQL refuses to run as root.
            let mut id = Command::new("id");
            id.args(["-u", "postgres"]);
            chown(directory, Some(said(id).trim().parse().unwrap()), None).unwrap();
        }
        std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700)).unwrap();
        postgres
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts the server again.
    pub fn resume(&self) {
        let Self { port, settings, .. } = self;
        self.command(
            "pg_ctl",
            &format!(
                "-D \"$D\"/data -w -t 60 -l \"$D\"/log -o \"-p {port} -c listen_addresses=127.0.0.1 \
                 -c unix_socket_directories=$D{settings}\" start"
            ),
        );
    }

    /// Ends the server as a crash would.
    pub fn crash(&self) {
        self.command("pg_ctl", "-D \"$D\"/data -m immediate -w stop");
    }

    /// Ends the server in order, and whatever is under way with it.
    pub fn stop(&self) {
        self.command("pg_ctl", "-D \"$D\"/data -m fast -w stop");
    }

    /// Puts a file beside the server's, for its eyes only, over one of the same name.
    pub fn put(&self, name: &str, text: &str) -> PathBuf {
        let (directory, path) = (self.directory.path(), self.directory.path().join(name));
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let owner = std::fs::metadata(directory).unwrap().uid();
        chown(&path, Some(owner), None).unwrap();
        path
    }

    /// What the server has written to its log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    /// Runs SQL as the superuser; what it prints, unaligned.
    pub fn sql(&self, sql: &str) -> String {
        let options = [
            "-X",
            "-q",
            "-t",
            "-A",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            &self.url(),
            "-c",
            sql,
        ];
        self.client("psql", &options)
    }

    /// Runs one of PostgreSQL's own programs; what it prints.
    pub fn client(&self, program: &str, arguments: &[&str]) -> String {
        let mut client = Command::new(self.binaries.join(program));
        client.args(arguments);
        said(client)
    }

    #[track_caller]
    fn command(&self, program: &str, arguments: &str) {
        let script = format!(
            "D='{}'; cd \"$D\" && '{}' {arguments}",
            self.directory.path().display(),
            self.binaries.join(program).display()
        );
        let mut command = if is_root() {
            let mut su = Command::new("su");
            su.args(["postgres", "-s", "/bin/bash", "-c", &script]);
            su
        } else {
            let mut bash = Command::new("bash");
            bash.args(["-c", &script]);
            bash
        };
        // The server outlives this command and would hold its streams open.
        let log = tempfile::NamedTempFile::new().unwrap();
        let (out, err) = (log.reopen().unwrap(), log.reopen().unwrap());
        let command = command.stdin(Stdio::null()).stdout(out).stderr(err);
        let status = command.status().unwrap();
        let said = std::fs::read_to_string(log.path()).unwrap_or_default();
        assert!(
            std::thread::panicking() || status.success(),
            "{program}: {status}\n{said}"
        );
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.directory.path().join("data/postmaster.pid").exists() {
            self.crash();
        }
    }
}

/// What a program prints, which must end well.
#[track_caller]
fn said(mut command: Command) -> String {
    let ended = command.stdin(Stdio::null()).output();
    let ended = ended.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{command:?}: {}\n{errors}", ended.status);
    String::from_utf8(ended.stdout).unwrap()
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Where `initdb`, `pg_ctl` and the clients are.
pub fn binaries() -> PathBuf {
    find_binaries()
        .unwrap_or_else(|| panic!("no PostgreSQL found: apt-get install postgresql, or set MEMSYNC_TEST_PG_BIN"))
}

/// The same, where PostgreSQL is installed.
pub fn find_binaries() -> Option<PathBuf> {
    if let Some(given) = std::env::var_os("MEMSYNC_TEST_PG_BIN") {
        return Some(given.into());
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter(|version| version.path().join("bin/initdb").is_file())
        .max_by_key(|version| version.file_name().to_string_lossy().parse::<u32>().unwrap_or(0));
    Some(newest?.path().join("bin"))
}
