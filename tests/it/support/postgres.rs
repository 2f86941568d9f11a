//! A PostgreSQL of a test's own: on a private port, in a private directory, with a standby where one is wanted.

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::PathBuf;
use std::process::Command;

use crate::process::run;

/// A PostgreSQL of this test alone; stopped when dropped.
pub struct Postgres {
    directory: tempfile::TempDir,
    binaries: PathBuf,
    pub port: u16,
}

impl Postgres {
    pub fn start() -> Self {
        Self::start_from(binaries())
    }

    fn start_from(binaries: PathBuf) -> Self {
        let postgres = Self::prepare(binaries);
        postgres.command(
            "initdb",
            "-U postgres --auth=trust -E UTF8 --locale=C --no-sync -D \"$D\"/data",
        );
        postgres.resume();
        postgres
    }

    /// A hot standby that follows this server.
    pub fn standby(&self) -> Self {
        let standby = Self::prepare(self.binaries.clone());
        let copy = format!(
            "-U postgres -h 127.0.0.1 -p {} -D \"$D\"/data -R -X stream -c fast",
            self.port
        );
        standby.command("pg_basebackup", &copy);
        standby.resume();
        standby
    }

    fn prepare(binaries: PathBuf) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let postgres = Self {
            directory: tempfile::tempdir().unwrap(),
            binaries,
            port,
        };
        let directory = postgres.directory.path();
        if is_root() {
            // PostgreSQL refuses to run as root.
            let mut id = Command::new("id");
            id.args(["-u", "postgres"]);
            let id = run(id).expect_success("id -u postgres (apt-get install postgresql makes this account)");
            chown(directory, Some(id.stdout.trim().parse().unwrap()), None).unwrap();
        }
        std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700)).unwrap();
        postgres
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts the server again.
    pub fn resume(&self) {
        // A commit survives the end of the process without fsync: only the machine's end would lose it.
        let port = self.port;
        self.command(
            "pg_ctl",
            &format!(
                "-D \"$D\"/data -w -t 60 -l \"$D\"/log -o \"-p {port} -c listen_addresses=127.0.0.1 \
                 -c unix_socket_directories=$D -c fsync=off -c full_page_writes=off\" start"
            ),
        );
    }

    /// Ends the server as a crash would.
    pub fn crash(&self) {
        self.command("pg_ctl", "-D \"$D\"/data -m immediate -w stop");
    }

    /// Runs SQL as the superuser; what it prints, unaligned.
    pub fn sql(&self, sql: &str) -> String {
        let url = self.url();
        let options = ["-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-d", &url, "-c", sql];
        self.client("psql", &options)
    }

    /// Runs one of PostgreSQL's own programs; what it prints.
    pub fn client(&self, program: &str, arguments: &[&str]) -> String {
        let mut client = Command::new(self.binaries.join(program));
        client.args(arguments);
        run(client)
            .expect_success(&format!("{program} {}", arguments.join(" ")))
            .stdout
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
        let status = command
            .stdin(std::process::Stdio::null())
            .stdout(out)
            .stderr(err)
            .status()
            .unwrap();
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

fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Where `initdb`, `pg_ctl` and the clients are.
pub fn binaries() -> PathBuf {
    if let Some(given) = std::env::var_os("MEMSYNC_TEST_PG_BIN") {
        return given.into();
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter(|version| version.path().join("bin/initdb").is_file())
        .max_by_key(|version| version.file_name().to_string_lossy().parse::<u32>().unwrap_or(0));
    newest
        .unwrap_or_else(|| panic!("no PostgreSQL found: apt-get install postgresql, or set MEMSYNC_TEST_PG_BIN"))
        .path()
        .join("bin")
}
