//! The command line. Everything that it does is a call into the library.
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use memsync::app::{self, App};
use memsync::config::{self, Config, LogConfig, LogFormat};
use memsync::error::Error;
use memsync::model::Clock;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

mod cli;

use cli::output::{self, note, say};

/// A light request is some dozens of small allocations, which took a seventh of its time from the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// With the commit that it was built from, where the build knew it.
const VERSION: &str = env!("MEMSYNC_VERSION");

/// The long-term memory of AI applications.
#[derive(Parser)]
#[command(version = VERSION)]
struct Cli {
    /// The settings file [default: `memsync.toml` in the working directory, if there is one].
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve gRPC and REST on one port (the default).
    Serve,
    /// Create, list and delete accounts.
    #[command(subcommand)]
    User(cli::UserCommand),
    /// List and erase people in an account.
    #[command(subcommand)]
    Person(cli::PersonCommand),
    /// Create, list and revoke API keys.
    #[command(subcommand)]
    Key(cli::KeyCommand),
    /// Copy the whole SQLite database into a new file while servers keep running.
    Backup {
        /// The file; it must not exist yet.
        file: PathBuf,
    },
    /// List background tasks and retry failed ones.
    #[command(subcommand)]
    Task(cli::TaskCommand),
    /// Restore the deleted memories of one backup or, with `--from`, a whole SQLite database.
    Restore(cli::Restore),
    /// Export every memory of a person, or of a whole account, as lines of JSON.
    Export(cli::Export),
    /// Import memories from `memsync export`, mem0 or Zep.
    Import(cli::Import),
    /// Compute the vectors of the configured embedder now. Servers also do this by themselves, in the background.
    Reembed(cli::Reembed),
    /// Encrypt the keys of accounts under a new master key: the one in the settings, or a new one in the data directory.
    RotateMasterKey,
    /// Verify an erasure receipt issued by this installation, and print what it says.
    VerifyReceipt {
        /// A file with the receipt; `-` for standard input.
        file: PathBuf,
    },
    /// Print the settings in use, and where each came from; secrets are hidden.
    Config {
        /// Print a `memsync.toml` with every setting and its default instead.
        #[arg(long)]
        default: bool,
    },
    /// Change the database's schema.
    #[command(subcommand)]
    Migrate(MigrateCommand),
    /// Measure extraction and recall on a data set.
    #[command(subcommand)]
    Eval(cli::EvalCommand),
    /// Print the OpenAPI document of the REST API, as served at `/openapi.json`.
    Openapi,
    /// Print a shell completion script.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the man page.
    Man {
        /// Write it to this directory instead, with a page for each command.
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Ask a server whether it is healthy; exit code 0 or 1.
    Healthcheck {
        /// The server's URL [default: the configured address].
        #[arg(long)]
        url: Option<String>,
    },
}

#[derive(Subcommand)]
enum MigrateCommand {
    /// Bring the schema up to date.
    Up,
    /// Revert the last changes.
    Down {
        /// How many.
        steps: u32,
    },
    /// List the changes and whether they are applied.
    Status {
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let command = cli.command.unwrap_or(Command::Serve);
    let run = || -> anyhow::Result<()> {
        // Bad settings must not be in the way of what needs none.
        match &command {
            Command::Completions { shell } => return Ok(cli::completions(*shell, Cli::command())?),
            Command::Man { dir } => return cli::man(Cli::command(), dir.as_deref()),
            Command::Config { default: true } => return Ok(say!("{}", config::default_file().trim_end())?),
            _ => {}
        }
        let config = Config::load(cli.config.as_deref())?;
        start_logging(&config.log);
        rustls::crypto::ring::default_provider()
            .install_default()
            .map_err(|_| anyhow::anyhow!("a TLS provider is installed already"))?;
        tokio::runtime::Runtime::new()?.block_on(run_and_explain(config, cli.config, command))
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if output::is_reader_gone(&error) => ExitCode::SUCCESS,
        Err(error) => {
            note!("memsync: {}", explain(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error for the operator: with the fields and causes that a client's answer has no place for, or must not have.
fn explain(error: &anyhow::Error) -> String {
    match error.chain().next().and_then(|first| first.downcast_ref()) {
        Some(Error::Invalid(violations)) => {
            let reasons: Vec<String> = violations
                .iter()
                .map(|v| format!("{}: {}", v.field, v.reason))
                .collect();
            reasons.join("; ")
        }
        Some(Error::Unavailable(cause)) => {
            let causes = std::iter::successors(cause.source(), |&cause| cause.source());
            causes.fold(cause.to_string(), |said, cause| format!("{said}: {cause}"))
        }
        Some(_) | None => format!("{error:#}"),
    }
}

/// Does a command. Where the database does not answer, says what is known of the reason.
async fn run_and_explain(config: Config, file: Option<PathBuf>, command: Command) -> anyhow::Result<()> {
    let outcome = run(config.clone(), file, command).await;
    match &outcome {
        Err(error) if matches!(error.downcast_ref(), Some(Error::Unavailable(_))) => app::why_away(&config)
            .await
            .map_or(outcome, |why| Err(anyhow::anyhow!(why))),
        Ok(()) | Err(_) => outcome,
    }
}

async fn run(config: Config, file: Option<PathBuf>, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve => serve(config).await,
        Command::User(command) => cli::user(&config, command).await,
        Command::Person(command) => cli::person(&config, command).await,
        Command::Key(command) => cli::key(&config, command).await,
        Command::Backup { file } => cli::backup(&config, &file).await,
        Command::Restore(restore) => cli::restore(&config, restore).await,
        Command::Task(command) => cli::task(&config, command).await,
        Command::Export(export) => cli::export(&config, export).await,
        Command::Import(import) => cli::import(&config, import).await,
        Command::Reembed(reembed) => cli::reembed(&config, reembed).await,
        Command::RotateMasterKey => cli::rotate_master_key(&config).await,
        Command::VerifyReceipt { file } => cli::verify_receipt(&config, &file),
        Command::Config { .. } => {
            say!("{}", config::effective_settings(file.as_deref())?)?;
            Ok(())
        }
        Command::Migrate(command) => migrate(&config, command).await,
        Command::Eval(command) => cli::eval(config, command).await,
        Command::Openapi => {
            say!("{}", app::openapi_document(&config)?)?;
            Ok(())
        }
        // Done before the settings were read.
        Command::Completions { .. } | Command::Man { .. } => Ok(()),
        Command::Healthcheck { url } => healthcheck(&config, url).await,
    }
}

/// How long a stop waits for the first key.
const WELCOME_TIMEOUT: Duration = Duration::from_secs(5);

async fn serve(config: Config) -> anyhow::Result<()> {
    for warning in config.warnings.iter().chain(&app::exposed_secrets(&config)) {
        tracing::warn!("{warning}");
    }
    let app = App::assemble(&config, Clock::system()).await?;
    let (stopped, mut hangup) = (stop_signal()?, signal(SignalKind::hangup())?);
    let running = app.clone().start(&config).await?;
    let address = running.address;
    let url = cli::own_url(&config, address);
    tracing::info!("listening on {address}: gRPC and REST at {url}");
    let welcoming = config
        .bootstrap
        .then(|| tokio::spawn(bootstrap(app.clone(), config.clone(), address)));
    let certificate = running.certificate();
    let reloading = tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            match &certificate {
                Some(certificate) => certificate.reload_or_keep().await,
                None => tracing::info!("there is no certificate to read again"),
            }
        }
    });
    let stopped = async {
        stopped.await;
        // A key that is being made is shown: nothing else ever shows it.
        if let Some(welcoming) = welcoming.filter(|_| app.is_ready()) {
            let _ = tokio::time::timeout(WELCOME_TIMEOUT, welcoming).await;
        }
    };
    let served = running.run_until(stopped).await;
    reloading.abort();
    served
}

/// Makes the first account, once the database answers, and says how to use it.
async fn bootstrap(app: App, config: Config, address: SocketAddr) {
    app.ready().await;
    match welcome(&app, &config, address).await {
        // The server goes on where nobody reads it.
        Ok(words) if !words.is_empty() => drop(say!("{words}")),
        Ok(_) => {}
        Err(error) => tracing::error!(
            error = format!("{:#}", anyhow::Error::from(error)),
            "the first account was not made ready"
        ),
    }
}

/// What a start has to say: the first key, and how to sign in while nobody can.
async fn welcome(app: &App, config: &Config, address: SocketAddr) -> memsync::error::Result<String> {
    let key = app.bootstrap().await?;
    app.lift_local_limits(config, address).await?;
    let url = cli::own_url(config, address);
    let mut words = key.map(|key| first_steps(key.expose(), &url)).unwrap_or_default();
    if config.dashboard
        && let Some(token) = app.new_setup_token().await?
    {
        let url = cli::public_url(config).unwrap_or(url);
        words += &format!(
            r#"
To see your memories in the dashboard, choose an address and a password here. This link works once, for 15 minutes:

  {}
"#,
            app::setup_url(&url, &token)
        );
    }
    Ok(words)
}

fn first_steps(key: &str, url: &str) -> String {
    format!(
        r#"
Your API key, shown this once:

  {key}

Remember a conversation:

  curl -s {url}/v1/memories -H "X-API-Key: {key}" -H "Content-Type: application/json" -d '{{"agent_id":"demo","thread_id":"hello","source":"curl","messages":[{{"role":"user","content":"I just moved to Lisbon and work as a data engineer. I love climbing."}}]}}'

Find it again:

  curl -s {url}/v1/memories/search -H "X-API-Key: {key}" -H "Content-Type: application/json" -d '{{"query":"What does the user do for work?"}}'
"#
    )
}

fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: requests under way are finished");
    })
}

async fn migrate(config: &Config, command: MigrateCommand) -> anyhow::Result<()> {
    let store = app::connect(config).await?;
    match command {
        MigrateCommand::Up => store.migrate_up().await?,
        MigrateCommand::Down { steps } => store.migrate_down(steps).await?,
        MigrateCommand::Status { json } => {
            let changes = store.migration_status().await?;
            let state = |applied: bool| if applied { "applied" } else { "pending" };
            output::print_list(
                &changes,
                json,
                ["STATE", "CHANGE"],
                |(name, applied)| [state(*applied).to_owned(), name.clone()],
                |(name, applied)| json!({"change": name, "state": state(*applied)}),
            )?;
        }
    }
    Ok(())
}

async fn healthcheck(config: &Config, url: Option<String>) -> anyhow::Result<()> {
    let url = url.unwrap_or_else(|| cli::own_url(config, config.listen));
    let answer = reqwest::get(format!("{}/healthcheck", url.trim_end_matches('/'))).await?;
    if !answer.status().is_success() {
        bail!("{url} answers {}", answer.status());
    }
    say!("ok")?;
    Ok(())
}

fn start_logging(config: &LogConfig) {
    let filter = EnvFilter::new(format!("{},sqlx=warn,sea_orm_migration=warn", config.filter));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    match config.format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).with_span_list(false).init(),
    }
}
