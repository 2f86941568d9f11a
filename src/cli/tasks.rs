//! `memsync task`.

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use memsync::app::App;
use memsync::config::Config;
use memsync::model::{Clock, TaskId, TaskState};
use memsync::services::TaskRow;
use serde_json::json;

use super::rfc3339;

#[derive(Subcommand)]
pub enum TaskCommand {
    /// List tasks, the oldest first; those that ended, for seven days.
    List(ListTasks),
    /// Do again what was given up, as if it were new. A running server takes it up within a second.
    Retry {
        /// The task's id, `task_…`.
        #[arg(required_unless_present = "all_failed")]
        task_id: Option<String>,
        /// All that were given up.
        #[arg(long, conflicts_with = "task_id")]
        all_failed: bool,
    },
}

#[derive(Args)]
pub struct ListTasks {
    /// Only those that are `pending`, `running`, `failed` or `done`.
    #[arg(long)]
    state: Option<TaskState>,
    /// Only this account's.
    #[arg(long)]
    email: Option<String>,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

pub async fn task(config: &Config, command: TaskCommand) -> anyhow::Result<()> {
    let app = App::open(config, Clock::system()).await?;
    match command {
        TaskCommand::List(list) => {
            let account = match list.email {
                Some(email) => Some(
                    app.auth
                        .find_account(&email)
                        .await?
                        .with_context(|| format!("there is no account {email}"))?,
                ),
                None => None,
            };
            let account_id = account.as_ref().map(|account| &account.id);
            for task in app.memories.list_tasks(account_id, list.state).await? {
                println!("{}", if list.json { as_json(&task) } else { as_line(&task) });
            }
        }
        TaskCommand::Retry { task_id, .. } => {
            let id = task_id.map(TaskId::from_stored);
            let count = app.memories.retry_tasks(id.as_ref()).await?;
            match id {
                Some(id) if count == 0 => bail!("there is no task {id} that was given up and kept"),
                _ => eprintln!("{count} tasks are done again"),
            }
        }
    }
    Ok(())
}

fn as_line(task: &TaskRow) -> String {
    [
        task.id.as_str(),
        task.owner.account_id.as_str(),
        &task.owner.user_id,
        &task.kind,
        task.state.as_str(),
        &task.attempts.to_string(),
        &rfc3339(task.due_at),
        &rfc3339(task.created_at),
        task.last_error.as_deref().unwrap_or_default(),
    ]
    .join("\t")
}

fn as_json(task: &TaskRow) -> String {
    let mut shown = json!({
        "task_id": task.id.as_str(), "account_id": task.owner.account_id.as_str(), "user_id": task.owner.user_id,
        "kind": task.kind, "state": task.state.as_str(), "attempts": task.attempts,
        "due_at": rfc3339(task.due_at), "created_at": rfc3339(task.created_at),
    });
    if let Some(error) = &task.last_error {
        shown["last_error"] = error.as_str().into();
    }
    shown.to_string()
}
