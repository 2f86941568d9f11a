//! `memsync task`.

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use memsync::app::App;
use memsync::config::Config;
use memsync::error::Error;
use memsync::model::{Clock, TaskId, TaskState};
use memsync::services::TaskRow;
use serde_json::{Value, json};

use super::output::{note, print_list, say};
use super::{account, addresses, rfc3339};

#[derive(Subcommand)]
pub enum TaskCommand {
    /// List tasks, oldest first. Finished tasks are listed for seven days.
    List(ListTasks),
    /// Retry tasks that failed, as if they were new. A running server picks them up within a second.
    Retry {
        /// The task's id, `task_…`.
        #[arg(required_unless_present = "all_failed")]
        task_id: Option<String>,
        /// All failed tasks.
        #[arg(long, conflicts_with = "task_id")]
        all_failed: bool,
    },
    /// Cancel a task. What it has done so far stays; the part under way is finished first.
    Cancel {
        /// The task's id, `task_…`.
        task_id: String,
    },
    /// Show what a task has logged.
    Log {
        /// The task's id, `task_…`.
        task_id: String,
    },
}

#[derive(Args)]
pub struct ListTasks {
    /// Only tasks in this state: `pending`, `running`, `failed` or `done`.
    #[arg(long)]
    state: Option<TaskState>,
    /// Only the tasks of this account.
    #[arg(long)]
    email: Option<String>,
    /// Print one JSON object per line.
    #[arg(long)]
    json: bool,
}

pub async fn task(config: &Config, command: TaskCommand) -> anyhow::Result<()> {
    let app = App::open(config, Clock::system()).await?;
    match command {
        TaskCommand::List(list) => {
            let account = match list.email {
                Some(email) => Some(account(&app, &email).await?),
                None => None,
            };
            let tasks = app.tasks.list(account.as_ref(), list.state).await?;
            let emails = addresses(&app).await?;
            let email = |task: &TaskRow| emails.get(&task.owner.account_id).cloned().unwrap_or_default();
            let headers = [
                "TASK", "ACCOUNT", "PERSON", "KIND", "STATE", "ATTEMPTS", "DUE", "CREATED", "ERROR",
            ];
            let cells = |task: &TaskRow| cells(task, email(task));
            print_list(&tasks, list.json, headers, cells, |task| object(task, &email(task)))?;
        }
        TaskCommand::Retry { task_id, .. } => {
            let id = task_id.map(TaskId::from_stored);
            let count = app.tasks.retry(id.as_ref()).await?;
            match id {
                Some(id) if count == 0 => bail!("there is no failed task {id}"),
                _ => note!("{count} tasks will be retried"),
            }
        }
        TaskCommand::Cancel { task_id } => {
            let task = find(&app, &task_id).await?;
            match app.tasks.request_cancel(&task.owner.account_id, &task.id).await {
                Ok(()) => note!("{task_id} will be cancelled"),
                Err(Error::TaskNotFound) => bail!("{task_id} has ended already"),
                Err(error) => return Err(error.into()),
            }
        }
        TaskCommand::Log { task_id } => {
            let task = find(&app, &task_id).await?;
            for (at, line) in app.tasks.log(&task.owner.account_id, &task.id).await? {
                say!("{} {line}", rfc3339(at))?;
            }
        }
    }
    Ok(())
}

async fn find(app: &App, task_id: &str) -> anyhow::Result<TaskRow> {
    let tasks = app.tasks.list(None, None).await?;
    let found = tasks.into_iter().find(|task| task.id.as_str() == task_id);
    found.with_context(|| format!("there is no task {task_id}"))
}

fn cells(task: &TaskRow, email: String) -> [String; 9] {
    [
        task.id.to_string(),
        email,
        task.owner.user_id.clone(),
        task.kind.clone(),
        task.state.as_str().to_owned(),
        task.attempts.to_string(),
        rfc3339(task.due_at),
        rfc3339(task.created_at),
        task.last_error.clone().unwrap_or_default(),
    ]
}

fn object(task: &TaskRow, email: &str) -> Value {
    let mut shown = json!({
        "task_id": task.id.as_str(), "account_id": task.owner.account_id.as_str(), "email": email,
        "user_id": task.owner.user_id, "kind": task.kind, "state": task.state.as_str(), "attempts": task.attempts,
        "due_at": rfc3339(task.due_at), "created_at": rfc3339(task.created_at),
    });
    if let Some(error) = &task.last_error {
        shown["last_error"] = error.as_str().into();
    }
    shown
}
