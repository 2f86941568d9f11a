//! A private PostgreSQL, durable as it comes.

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::PathBuf;
use std::process::Command;

/// A PostgreSQL of this bench alone; stopped when dropped.
pub struct Postgres {
    directory: tempfile::TempDir,
    binaries: PathBuf,
    port: u16,
}

impl Postgres {
    /// Starts one, where PostgreSQL is installed.
    pub fn start() -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let postgres = Self {
            directory: tempfile::tempdir().unwrap(),
            binaries: binaries()?,
            port,
        };
        let directory = postgres.directory.path();
        if is_root() {
            // PostgreSQL refuses to run as root.
            let mut id = Command::new("id");
            id.args(["-u", "postgres"]);
            let id = String::from_utf8(id.output().unwrap().stdout).unwrap();
            chown(directory, Some(id.trim().parse().unwrap()), None).unwrap();
        }
        std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700)).unwrap();
        postgres.command(
            "initdb",
            "-U postgres --auth=trust -E UTF8 --locale=C --no-sync -D \"$D\"/data",
        );
        postgres.command(
            "pg_ctl",
            &format!(
                "-D \"$D\"/data -w -t 60 -l \"$D\"/log -o \"-p {port} -c listen_addresses=127.0.0.1 \
                 -c unix_socket_directories=$D\" start"
            ),
        );
        Some(postgres)
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
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
            self.command("pg_ctl", "-D \"$D\"/data -m immediate -w stop");
        }
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Where `initdb` and `pg_ctl` are.
fn binaries() -> Option<PathBuf> {
    if let Some(given) = std::env::var_os("MEMSYNC_TEST_PG_BIN") {
        return Some(given.into());
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter(|version| version.path().join("bin/initdb").is_file())
        .max_by_key(|version| version.file_name().to_string_lossy().parse::<u32>().unwrap_or(0));
    Some(newest?.path().join("bin"))
}
