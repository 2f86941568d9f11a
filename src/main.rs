//! The command line. Everything that it does is a call into the library.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line talks on its streams"
)]

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, Parser, Subcommand};
use memsync::app::App;
use memsync::config::{Config, LogConfig, LogFormat};
use memsync::eval;
use memsync::model::{ApiKeyId, Clock, ScopeSet};
use memsync::services::NewApiKey;
use memsync::store::{Store, StoreOptions};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

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
    User(UserCommand),
    /// Make, list and revoke API keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Change the database's schema.
    #[command(subcommand)]
    Migrate(MigrateCommand),
    /// Measure the engine on a data set.
    #[command(subcommand)]
    Eval(EvalCommand),
    /// Ask a server whether it can serve; exit code 0 or 1.
    Healthcheck {
        /// The server; the configured address when absent.
        #[arg(long)]
        url: Option<String>,
    },
}

#[derive(Subcommand)]
enum UserCommand {
    /// Make an account.
    Create {
        /// Its e-mail address.
        #[arg(long)]
        email: String,
        /// What to call the person.
        #[arg(long)]
        name: Option<String>,
    },
    /// List the accounts.
    List,
    /// Delete an account with its keys and memories.
    Delete {
        /// Its e-mail address.
        #[arg(long)]
        email: String,
    },
}

#[derive(Subcommand)]
enum KeyCommand {
    /// Make a key and print it, this once.
    Create(CreateKey),
    /// List the keys.
    List {
        /// Only this account's.
        #[arg(long)]
        email: Option<String>,
    },
    /// Revoke a key.
    Revoke {
        /// The key's id, `key_…`.
        key_id: String,
    },
}

#[derive(Args)]
struct CreateKey {
    /// The account.
    #[arg(long)]
    email: String,
    /// What to call the key.
    #[arg(long)]
    name: String,
    /// What it may do, comma-separated; memories, profile and integrations when absent.
    #[arg(long, value_delimiter = ',')]
    scopes: Vec<String>,
    /// How long it lives, such as 30d; for ever when absent.
    #[arg(long, value_parser = humantime::parse_duration)]
    expires_in: Option<Duration>,
    /// Make the account where there is none.
    #[arg(long)]
    create_account: bool,
    /// Print one JSON object instead of the key alone.
    #[arg(long)]
    json: bool,
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

#[derive(Subcommand)]
enum EvalCommand {
    /// Store the conversations of a data set in a throw-away database, ask its questions, print recall.
    Recall {
        /// The data set, in LoCoMo's shape.
        #[arg(long)]
        data: PathBuf,
        /// Print one JSON object instead of a table.
        #[arg(long)]
        json: bool,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let run = || -> anyhow::Result<()> {
        let config = Config::load(cli.config.as_deref())?;
        start_logging(&config.log);
        rustls::crypto::ring::default_provider()
            .install_default()
            .map_err(|_| anyhow::anyhow!("a TLS provider is installed already"))?;
        tokio::runtime::Runtime::new()?.block_on(run(config, cli.command.unwrap_or(Command::Serve)))
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("memsync: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: Config, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve => serve(config).await,
        Command::User(command) => user(&config, command).await,
        Command::Key(command) => key(&config, command).await,
        Command::Migrate(command) => migrate(&config, command).await,
        Command::Eval(EvalCommand::Recall { data, json }) => eval_recall(config, &data, json).await,
        Command::Healthcheck { url } => healthcheck(&config, url).await,
    }
}

async fn serve(config: Config) -> anyhow::Result<()> {
    for name in &config.unknown {
        tracing::warn!("the setting {name} is not known and changes nothing");
    }
    let app = App::open(&config, Clock::system()).await?;
    let stopped = stop_signal()?;
    let running = app.clone().start(&config).await?;
    let first_key = if config.bootstrap { app.bootstrap().await? } else { None };
    let (address, scheme) = (running.address, if config.tls.is_some() { "https" } else { "http" });
    tracing::info!("listening on {address}: gRPC and REST at {scheme}://{address}");
    if let Some(key) = first_key {
        println!("{}", welcome(key.expose(), &format!("{scheme}://{address}")));
    }
    running.run_until(stopped).await
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

async fn user(config: &Config, command: UserCommand) -> anyhow::Result<()> {
    let auth = App::open(config, Clock::system()).await?.auth;
    match command {
        UserCommand::Create { email, name } => println!("{}", auth.create_account(&email, name).await?.id),
        UserCommand::List => {
            for account in auth.list_accounts().await? {
                println!("{}\t{}\t{}", account.id, account.email, rfc3339(account.created_at));
            }
        }
        UserCommand::Delete { email } => {
            if !auth.delete_account(&email).await? {
                bail!("there is no account {email}");
            }
            eprintln!("deleted {email}");
        }
    }
    Ok(())
}

async fn key(config: &Config, command: KeyCommand) -> anyhow::Result<()> {
    let auth = App::open(config, Clock::system()).await?.auth;
    match command {
        KeyCommand::Create(create) => {
            let scopes = if create.scopes.is_empty() {
                ScopeSet::default_for_keys()
            } else {
                create.scopes.join(" ").parse().context("--scopes")?
            };
            let account = match auth.find_account(&create.email).await? {
                Some(account) => account,
                None if create.create_account => auth.create_account(&create.email, None).await?,
                None => bail!("there is no account {}; --create-account makes it", create.email),
            };
            let new = NewApiKey {
                account_id: account.id,
                name: create.name,
                scopes,
                expires_in: create.expires_in,
            };
            let (row, secret) = auth.create_api_key(new).await?;
            eprintln!(
                "made {} ({}) for {}; it is shown this once",
                row.id, row.name, account.email
            );
            if create.json {
                let scopes: Vec<String> = row.scopes.iter().map(|s| s.to_string()).collect();
                let mut shown = serde_json::json!({
                    "api_key_id": row.id.as_str(), "key": secret.expose(), "name": row.name, "scopes": scopes,
                    "created_at": rfc3339(row.created_at),
                });
                if let Some(expires_at) = row.expires_at {
                    shown["expires_at"] = rfc3339(expires_at).into();
                }
                println!("{shown}");
            } else {
                println!("{}", secret.expose());
            }
        }
        KeyCommand::List { email } => {
            let account = match email {
                Some(email) => Some(
                    auth.find_account(&email)
                        .await?
                        .with_context(|| format!("there is no account {email}"))?,
                ),
                None => None,
            };
            for key in auth.list_api_keys(account.as_ref().map(|a| &a.id)).await? {
                let now = Clock::system().now();
                let status = match (key.revoked_at, key.expires_at) {
                    (Some(_), _) => "revoked",
                    (None, Some(at)) if at <= now => "expired",
                    (None, _) => "active",
                };
                println!("{}\t{}\t{}\t{}\t{}", key.id, key.key_hint, status, key.name, key.scopes);
            }
        }
        KeyCommand::Revoke { key_id } => {
            auth.revoke_api_key(&ApiKeyId::from_stored(&key_id)).await?;
            eprintln!("revoked {key_id}");
        }
    }
    Ok(())
}

fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

async fn migrate(config: &Config, command: MigrateCommand) -> anyhow::Result<()> {
    let options = StoreOptions {
        url: config.database.url.clone(),
        max_connections: config.database.max_connections,
        timeout: config.database.timeout,
    };
    let store = Store::connect(&options).await?;
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

async fn eval_recall(mut config: Config, data: &Path, json: bool) -> anyhow::Result<()> {
    let conversations = eval::load(data).with_context(|| data.display().to_string())?;
    let directory = tempfile::tempdir()?;
    config.database.url = format!("sqlite://{}", directory.path().join("eval.db").display());
    let app = App::open(&config, Clock::system()).await?;
    let account = app.auth.create_account("eval@memsync.dev", None).await?;
    let report = eval::recall(&app.memories, &account.id, &conversations, |id| eprintln!("{id} …")).await?;
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    println!(
        "{} conversations, {} messages, {} memories",
        report.conversations, report.messages, report.memories
    );
    println!("category      n   r@5  r@10  r@20 any@10 all@10   MRR nDCG@10 best score");
    for row in &report.figures {
        let name = if row.category == 0 {
            "1-4".to_owned()
        } else {
            row.category.to_string()
        };
        println!(
            "{name:<8} {:>6} {:>5.3} {:>5.3} {:>5.3} {:>6.3} {:>6.3} {:>5.3} {:>7.3} {:>10.3}",
            row.n,
            row.recall[0],
            row.recall[1],
            row.recall[2],
            row.recall_any[1],
            row.recall_all[1],
            row.mrr,
            row.ndcg_10,
            row.best_score
        );
    }
    if let Some(auroc) = report.auroc {
        println!("AUROC of the best score, answerable against not: {auroc:.3}");
    }
    let [store, search] = [report.store_ms, report.search_ms];
    println!("store a session: p50 {:.2} ms, p95 {:.2} ms", store[0], store[1]);
    println!("search: p50 {:.2} ms, p95 {:.2} ms", search[0], search[1]);
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
