//! The command line. Everything that it does is a call into the library.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line talks on its streams"
)]

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::{Parser, Subcommand};
use memsync::app::{self, App};
use memsync::config::{self, Config, LogConfig, LogFormat};
use memsync::error::Error;
use memsync::model::Clock;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

mod cli;

/// A light request is some dozens of small allocations, which took a seventh of its time from the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The long-term memory of AI applications.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// A settings file; `memsync.toml` of the working directory where there is one.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve gRPC and REST on one port (the default).
    Serve,
    /// Make, list and delete accounts.
    #[command(subcommand)]
    User(cli::UserCommand),
    /// Make, list and revoke API keys.
    #[command(subcommand)]
    Key(cli::KeyCommand),
    /// Copy the whole SQLite database into a new file, while servers go on.
    Backup {
        /// The file; must not be there yet.
        file: PathBuf,
    },
    /// List background tasks, and do those again that were given up.
    #[command(subcommand)]
    Task(cli::TaskCommand),
    /// Bring back the deleted memories of one backup, or with `--from` a whole SQLite database.
    Restore(cli::Restore),
    /// Write every memory of a person, or of a whole account, as lines of JSON.
    Export(cli::Export),
    /// Take memories in: what `export` wrote, or what mem0 or Zep gave.
    Import(cli::Import),
    /// Give every memory a vector of the embedder in the settings, now; servers do it by themselves in their own time.
    Reembed(cli::Reembed),
    /// Wrap the keys of accounts with another master key: that of the settings, else a new one in the data directory.
    RotateMasterKey,
    /// Check a receipt of erasure that this installation wrote, and print what it says.
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
    /// Measure the engine on a data set.
    #[command(subcommand)]
    Eval(cli::EvalCommand),
    /// Print the OpenAPI document of the REST API, as servers give it at `/openapi.json`.
    Openapi,
    /// Ask a server whether it can serve; exit code 0 or 1.
    Healthcheck {
        /// The server; the configured address when absent.
        #[arg(long)]
        url: Option<String>,
    },
}

#[derive(Subcommand)]
enum MigrateCommand {
    /// Bring the schema up to date.
    Up,
    /// Take back the last changes.
    Down {
        /// How many.
        steps: u32,
    },
    /// List the changes and whether they are applied.
    Status,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let run = || -> anyhow::Result<()> {
        if let Some(Command::Config { default: true }) = cli.command {
            print!("{}", config::default_file());
            return Ok(());
        }
        let config = Config::load(cli.config.as_deref())?;
        start_logging(&config.log);
        rustls::crypto::ring::default_provider()
            .install_default()
            .map_err(|_| anyhow::anyhow!("a TLS provider is installed already"))?;
        tokio::runtime::Runtime::new()?.block_on(run_and_explain(
            config,
            cli.config,
            cli.command.unwrap_or(Command::Serve),
        ))
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("memsync: {}", explain(&error));
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
            println!("{}", config::effective_settings(file.as_deref())?);
            Ok(())
        }
        Command::Migrate(command) => migrate(&config, command).await,
        Command::Eval(command) => cli::eval(config, command).await,
        Command::Openapi => {
            println!("{}", app::openapi_document(&config)?);
            Ok(())
        }
        Command::Healthcheck { url } => healthcheck(&config, url).await,
    }
}

async fn serve(config: Config) -> anyhow::Result<()> {
    for warning in config.warnings.iter().chain(&app::exposed_secrets(&config)) {
        tracing::warn!("{warning}");
    }
    let app = App::assemble(&config, Clock::system()).await?;
    let (stopped, mut hangup) = (stop_signal()?, signal(SignalKind::hangup())?);
    let running = app.clone().start(&config).await?;
    let (address, scheme) = (running.address, if config.tls.is_some() { "https" } else { "http" });
    tracing::info!("listening on {address}: gRPC and REST at {scheme}://{address}");
    if config.bootstrap {
        tokio::spawn(bootstrap(app, format!("{scheme}://{address}")));
    }
    let certificate = running.certificate();
    let reloading = tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            match &certificate {
                Some(certificate) => certificate.reload_or_keep().await,
                None => tracing::info!("there is no certificate to read again"),
            }
        }
    });
    let served = running.run_until(stopped).await;
    reloading.abort();
    served
}

/// Makes the first key, once the database answers.
async fn bootstrap(app: App, url: String) {
    app.ready().await;
    match app.bootstrap().await {
        Ok(Some(key)) => println!("{}", welcome(key.expose(), &url)),
        Ok(None) => {}
        Err(error) => tracing::error!(
            error = format!("{:#}", anyhow::Error::from(error)),
            "no first key was made"
        ),
    }
}

fn welcome(key: &str, url: &str) -> String {
    format!(
        r#"
Your API key, shown this once:

  {key}

Remember a conversation:

  curl -s {url}/v1/memories -H "X-API-Key: {key}" -H "Content-Type: application/json" -d '{{"agent_id":"demo","thread_id":"hello","source":"curl","messages":[{{"role":"user","content":"I just moved to Lisbon and work as a data engineer. I love climbing."}}]}}'

Find it again:

  curl -s {url}/v1/memories/search -H "X-API-Key: {key}" -H "Content-Type: application/json" -d '{{"query":"What does the user do for work?"}}'

See it in the dashboard, {url}/dashboard, as local@memsync.dev; give it a password first:

  memsync user password --email local@memsync.dev
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
        MigrateCommand::Status => {
            for (name, applied) in store.migration_status().await? {
                println!("{}\t{name}", if applied { "applied" } else { "pending" });
            }
        }
    }
    Ok(())
}

async fn healthcheck(config: &Config, url: Option<String>) -> anyhow::Result<()> {
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let url = url.unwrap_or_else(|| format!("{scheme}://{}", config.listen));
    let answer = reqwest::get(format!("{}/healthcheck", url.trim_end_matches('/'))).await?;
    if !answer.status().is_success() {
        bail!("{url} answers {}", answer.status());
    }
    println!("ok");
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
