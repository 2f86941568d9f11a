//! The real binary as an operator runs it: a process with settings in the environment, its streams captured, killed
//! when dropped. Also other programs run to their end, and a small REST client.
//!
//! Servers inside the test's own process live in `support`.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longer than anything here takes on a slow, busy machine; a wait that reaches it is a failure.
pub const BOUND: Duration = Duration::from_secs(60);

/// Where a one-time link leads, before its token.
pub const SETUP_PAGE: &str = "/dashboard/welcome#";

/// What a program that has ended left behind.
#[derive(Debug)]
pub struct Finished {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    /// Fails, with everything that the program said, unless it ended well.
    #[track_caller]
    pub fn expect_success(self, what: &str) -> Self {
        assert!(
            self.status.success(),
            "{what}: {}\n--- stdout\n{}\n--- stderr\n{}",
            self.status,
            self.stdout,
            self.stderr
        );
        self
    }
}

/// A server of its own process.
pub struct Process {
    child: Running,
    pub address: SocketAddr,
}

impl Process {
    /// Starts `memsync` on a free port, and returns when it says that it listens.
    #[track_caller]
    pub fn start(data_dir: &Path) -> Self {
        Self::start_with(data_dir, &[])
    }

    /// The same with more settings.
    #[track_caller]
    pub fn start_with(data_dir: &Path, settings: &[(&str, &str)]) -> Self {
        Self::listen(data_dir, memsync_command(data_dir, settings))
    }

    /// Starts one that a signal does nothing to, such as that of a file that is too large.
    #[track_caller]
    pub fn start_deaf_to(data_dir: &Path, signal: &str) -> Self {
        Self::start_after(data_dir, &format!("trap '' {signal}"), &[])
    }

    /// Starts one in a shell that has run `script`.
    #[track_caller]
    pub fn start_after(data_dir: &Path, script: &str, settings: &[(&str, &str)]) -> Self {
        let memsync = memsync_command(data_dir, settings);
        let mut shell = Command::new("sh");
        let script = format!("{script} && exec '{}'", memsync.get_program().display());
        shell.args(["-c", &script]).current_dir(data_dir);
        for (name, value) in memsync.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        Self::listen(data_dir, shell)
    }

    /// Starts what `memsync_command` made.
    #[track_caller]
    pub fn listen(data_dir: &Path, mut command: Command) -> Self {
        command
            .env("MEMSYNC_LISTEN", "127.0.0.1:0")
            .env("MEMSYNC_ADDRESS_FILE", data_dir.join("address"));
        let child = Running::spawn(command);
        let log = child.stderr.wait("listening on", |log| log.contains("listening on "));
        let address = log
            .split("listening on ")
            .nth(1)
            .and_then(|rest| rest.split(": ").next());
        let address = address
            .and_then(|a| a.parse().ok())
            .unwrap_or_else(|| panic!("no address in {log:?}"));
        Self { child, address }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The key that a first start prints.
    #[track_caller]
    pub fn first_key(&self) -> String {
        let shown = self.child.stdout.wait("the first key", |text| {
            find_key(text).is_some() && text.contains("/v1/memories/search")
        });
        find_key(&shown).unwrap()
    }

    /// The link that a start prints while nobody can sign in to the first account.
    #[track_caller]
    pub fn setup_link(&self) -> String {
        let shown = self.child.stdout.wait("the link", |text| text.contains(SETUP_PAGE));
        let link = shown.lines().find(|line| line.contains(SETUP_PAGE)).unwrap();
        link.trim().to_owned()
    }

    pub fn id(&self) -> u32 {
        self.child.child.id()
    }

    /// The most memory that the process ever had, in MiB.
    pub fn peak_memory_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        kib / 1024
    }

    /// Everything printed on stdout up to now.
    pub fn stdout(&self) -> String {
        self.child.stdout.text()
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill();
    }

    /// Waits until the log has `text`.
    #[track_caller]
    pub fn wait_for_log(&self, text: &str) {
        self.child.stderr.wait(text, |log| log.contains(text));
    }

    /// SIGTERM, and the end of the process.
    #[track_caller]
    pub fn stop(self) -> Finished {
        self.terminate();
        self.end()
    }

    /// Sends SIGTERM.
    #[track_caller]
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends SIGHUP.
    pub fn hang_up(&self) {
        self.signal("HUP");
    }

    fn signal(&self, name: &str) {
        let pid = self.id().to_string();
        let kill = format!("kill -{name} \"$0\"");
        let sent = Command::new("sh").args(["-c", &kill, &pid]).status().unwrap();
        assert!(sent.success(), "SIG{name} could not be sent");
    }

    /// The end of the process, which is expected soon.
    #[track_caller]
    pub fn end(self) -> Finished {
        self.child.end("a stop by SIGTERM")
    }
}

/// Runs a `memsync` command to its end.
#[track_caller]
pub fn memsync(data_dir: &Path, settings: &[(&str, &str)], arguments: &[&str]) -> Finished {
    let mut command = memsync_command(data_dir, settings);
    command.args(arguments);
    run(command)
}

/// A `memsync` command that has not begun.
pub fn memsync_command(data_dir: &Path, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_memsync"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("MEMSYNC_") {
            command.env_remove(name);
        }
    }
    command
        .current_dir(data_dir)
        .env("MEMSYNC_DATA_DIR", data_dir)
        .env("MEMSYNC_LIMITS__REQUESTS_PER_MINUTE", "0")
        .env("MEMSYNC_LIMITS__SEARCHES_PER_MINUTE", "0")
        .envs(settings.iter().copied());
    command
}

/// Runs a program to its end.
#[track_caller]
pub fn run(command: Command) -> Finished {
    run_within(command, BOUND)
}

/// The same for one that takes its time.
#[track_caller]
pub fn run_within(command: Command, bound: Duration) -> Finished {
    let name = command.get_program().to_string_lossy().into_owned();
    Running::spawn(command).end_within(&name, bound)
}

/// The first API key in a text.
pub fn find_key(text: &str) -> Option<String> {
    let start = text.find("memsync_sk_live_")?;
    let key: String = text[start..]
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect();
    Some(key)
}

/// Asks until `probe` has an answer; fails when that takes longer than `bound`.
pub async fn eventually<T>(what: &str, bound: Duration, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = probe().await {
            return answer;
        }
        assert!(started.elapsed() < bound, "{what}: not within {bound:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A REST client with one key.
#[derive(Clone)]
pub struct Rest {
    http: reqwest::Client,
    base: String,
    key: String,
}

impl Rest {
    pub fn new(base: String, key: &str) -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        Self {
            http: reqwest::Client::builder().timeout(BOUND).build().unwrap(),
            base,
            key: key.to_owned(),
        }
    }

    pub fn key(&self) -> &str {
        &self.key
    }

    /// Status and JSON body of a POST.
    pub async fn post(&self, path: &str, body: &Value) -> reqwest::Result<(u16, Value)> {
        self.post_with(path, body, &[]).await
    }

    /// The same with more headers.
    pub async fn post_with(&self, path: &str, body: &Value, headers: &[(&str, &str)]) -> reqwest::Result<(u16, Value)> {
        let mut request = self.http.post(format!("{}{path}", self.base)).json(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request).await
    }

    /// Status and JSON body of a GET.
    pub async fn get(&self, path: &str) -> reqwest::Result<(u16, Value)> {
        self.send(self.http.get(format!("{}{path}", self.base))).await
    }

    /// The bytes of an answer to a GET, whatever they are.
    pub async fn get_bytes(&self, path: &str) -> reqwest::Result<Vec<u8>> {
        let request = self.http.get(format!("{}{path}", self.base));
        let answer = request.header("x-api-key", &self.key).send().await?;
        Ok(answer.bytes().await?.to_vec())
    }

    /// Status and JSON body of a POST of bytes.
    pub async fn post_bytes(&self, path: &str, body: impl Into<reqwest::Body>) -> reqwest::Result<(u16, Value)> {
        let request = self.http.post(format!("{}{path}", self.base)).body(body);
        self.send(request.header("content-type", "application/x-ndjson")).await
    }

    /// Status and JSON body of a DELETE.
    pub async fn delete(&self, path: &str) -> reqwest::Result<(u16, Value)> {
        self.send(self.http.delete(format!("{}{path}", self.base))).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> reqwest::Result<(u16, Value)> {
        let answer = request.header("x-api-key", &self.key).send().await?;
        Ok((answer.status().as_u16(), answer.json().await?))
    }
}

/// A child process; killed when dropped.
struct Running {
    child: Child,
    stdout: Captured,
    stderr: Captured,
}

impl Running {
    #[track_caller]
    fn spawn(mut command: Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{name} could not be started: {e}"));
        let stdout = Captured::read(child.stdout.take().unwrap());
        let stderr = Captured::read(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
    }

    fn kill(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }

    #[track_caller]
    fn end(self, what: &str) -> Finished {
        self.end_within(what, BOUND)
    }

    #[track_caller]
    fn end_within(mut self, what: &str, bound: Duration) -> Finished {
        let started = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(
                started.elapsed() < bound,
                "{what}: no end within {bound:?}\n{}\n{}",
                self.stdout.text(),
                self.stderr.text()
            );
            std::thread::sleep(Duration::from_millis(5));
        };
        Finished {
            status,
            stdout: self.stdout.whole(),
            stderr: self.stderr.whole(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// One stream of a child, read as it comes.
struct Captured {
    shared: Arc<(Mutex<Stream>, Condvar)>,
    reader: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Stream {
    bytes: Vec<u8>,
    ended: bool,
}

impl Stream {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

impl Captured {
    fn read(mut source: impl std::io::Read + Send + 'static) -> Self {
        let shared = Arc::new((Mutex::new(Stream::default()), Condvar::new()));
        let writer = Arc::clone(&shared);
        let reader = std::thread::spawn(move || {
            let mut part = [0; 4096];
            loop {
                let read = source.read(&mut part).unwrap_or(0);
                let mut stream = writer.0.lock().unwrap();
                stream.bytes.extend_from_slice(&part[..read]);
                stream.ended = read == 0;
                writer.1.notify_all();
                if stream.ended {
                    return;
                }
            }
        });
        Self {
            shared,
            reader: Some(reader),
        }
    }

    fn text(&self) -> String {
        self.shared.0.lock().unwrap().text()
    }

    /// The text as soon as `holds`; fails when the stream ends or the bound passes first.
    #[track_caller]
    fn wait(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + BOUND;
        let mut stream = self.shared.0.lock().unwrap();
        loop {
            let text = stream.text();
            // A line that is still being written is not looked at.
            let whole = text.rfind('\n').map_or("", |end| &text[..end]);
            if holds(whole) {
                return whole.to_owned();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!stream.ended && !left.is_zero(), "waited in vain for {what}:\n{text}");
            stream = self.shared.1.wait_timeout(stream, left).unwrap().0;
        }
    }

    /// The whole text, after the end of the process.
    fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.text()
    }
}
