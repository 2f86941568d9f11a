//! The table `tasks`: background work, due at a time, taken by one instance at a time.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Alias, ExprTrait, Func, LockBehavior, LockType, Query};
use sea_orm::{ActiveValue::Set, DbBackend, PaginatorTrait, QueryOrder, QuerySelect, UpdateMany};

use super::{Store, Transaction, db_error};
use crate::error::{Error, Result};
use crate::model::{AccountId, Owner, TaskId, TaskState};

/// Lines of a task's log that are kept.
const MAX_LOG_LINES: i32 = 1_000;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "tasks")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub user_id: String,
    pub kind: String,
    pub state: String,
    pub sealed: Option<Vec<u8>>,
    pub result: Option<Json>,
    pub changed_by: String,
    pub attempts: i32,
    pub due_at: DateTimeUtc,
    pub created_at: DateTimeUtc,
    pub finished_at: Option<DateTimeUtc>,
    pub last_error: Option<String>,
    pub tries: i32,
    pub sealed_cursor: Option<Vec<u8>>,
    pub progress: Option<Json>,
    pub cancel_requested: bool,
}

pub(super) mod logs {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "task_logs")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub task_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub position: i32,
        pub logged_at: DateTimeUtc,
        pub line: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A task as it is asked after.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// Whom it is for.
    pub owner: Owner,
    /// How far it is.
    pub state: TaskState,
    /// What it did, for the service to read.
    pub result: Option<serde_json::Value>,
    /// How far it is within its work, for the service to read.
    pub progress: Option<serde_json::Value>,
}

/// A task to do.
#[derive(Clone, Debug)]
pub struct DueTask {
    /// Its id.
    pub id: TaskId,
    /// Whom it is for.
    pub owner: Owner,
    /// What sort of work, for the service to read.
    pub kind: String,
    /// What is to be done, for the service to read; none where it does not open any more.
    pub payload: Option<Vec<u8>>,
    /// Where it goes on, for the service to read; none at its start.
    pub cursor: Option<Vec<u8>>,
    /// The key or session that asked for it.
    pub changed_by: String,
    /// How often it was taken, this time included. It tells one taking from another.
    pub attempts: i32,
    /// How often the slice at hand was begun, this time included.
    pub tries: i32,
    /// Whether it is to stop.
    pub cancel_requested: bool,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
}

/// A task as an operator sees it: all but what is to be done.
#[derive(Clone, Debug)]
pub struct TaskRow {
    /// Its id.
    pub id: TaskId,
    /// Whom it is for.
    pub owner: Owner,
    /// What sort of work.
    pub kind: String,
    /// How far it is.
    pub state: TaskState,
    /// How often it was begun.
    pub attempts: i32,
    /// When its turn is, or when its lease ends.
    pub due_at: DateTime<Utc>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}

/// A task that is new.
#[derive(Clone, Copy, Debug)]
pub struct NewTask<'a> {
    /// Its id.
    pub id: &'a TaskId,
    /// Whom it is for.
    pub owner: &'a Owner,
    /// What sort of work.
    pub kind: &'a str,
    /// What is to be done.
    pub payload: &'a [u8],
    /// The key or session that asks for it.
    pub changed_by: &'a str,
}

/// Which tasks to take.
#[derive(Clone, Copy, Debug)]
pub enum TaskFilter<'k> {
    /// Of this kind, of accounts of which fewer than so many are under way.
    Kind {
        /// The kind.
        kind: &'k str,
        /// Tasks of one account at a time.
        per_account: u32,
    },
    /// Of none of these kinds.
    OtherThan(&'k [&'k str]),
}

/// Where a task goes on after a slice.
#[derive(Clone, Copy, Debug)]
pub struct NextSlice<'n> {
    /// Where, for the service to read.
    pub cursor: &'n [u8],
    /// How far it is.
    pub progress: &'n serde_json::Value,
    /// What the operator is told.
    pub log: &'n [String],
}

/// A change of a task by whoever took it; of nothing once its lease was over and another has taken it.
fn ours(task: &DueTask) -> UpdateMany<Entity> {
    Entity::update_many()
        .filter(Column::AccountId.eq(task.owner.account_id.as_str()))
        .filter(Column::Id.eq(task.id.as_str()))
        .filter(Column::State.eq(TaskState::Running.as_str()))
        .filter(Column::Attempts.eq(task.attempts))
}

/// How many tasks of a kind are under way, of the account of the row at hand.
fn running_of_account(kind: &str, now: DateTime<Utc>) -> Expr {
    let other = Alias::new("other");
    let column = |column: Column| Expr::col((other.clone(), column));
    let running = Query::select()
        .expr(Func::count(column(Column::Id)))
        .from_as(Entity, other.clone())
        .and_where(column(Column::AccountId).equals((Entity, Column::AccountId)))
        .and_where(column(Column::Kind).eq(kind))
        .and_where(column(Column::State).eq(TaskState::Running.as_str()))
        .and_where(column(Column::DueAt).gt(now))
        .to_owned();
    Expr::SubQuery(None, Box::new(running.into()))
}

impl Store {
    /// A task of the account.
    pub async fn task(&self, account_id: &AccountId, id: &TaskId) -> Result<Option<Task>> {
        let row = Entity::find_by_id((account_id.to_string(), id.to_string()))
            .one(&self.read)
            .await
            .map_err(db_error)?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Task {
            id: id.clone(),
            owner: Owner {
                account_id: account_id.clone(),
                user_id: row.user_id,
            },
            state: row.state.parse().map_err(|e| Error::Internal(Box::new(e)))?,
            result: row.result,
            progress: row.progress,
        }))
    }

    /// Takes the task that has been due longest, for `lease`: when that has passed without an end, it is due again. The
    /// bound of an account holds for each instance; two of them at the same moment can go beyond it by one.
    pub async fn take_task(
        &self,
        filter: TaskFilter<'_>,
        now: DateTime<Utc>,
        lease: TimeDelta,
    ) -> Result<Option<DueTask>> {
        let due = || {
            let tasks = Entity::find();
            let tasks = match filter {
                TaskFilter::OtherThan(kinds) => tasks.filter(Column::Kind.is_not_in(kinds.iter().copied())),
                TaskFilter::Kind { kind, per_account } => tasks
                    .filter(Column::Kind.eq(kind))
                    .filter(running_of_account(kind, now).lt(per_account)),
            };
            tasks
                .filter(Column::State.is_in([TaskState::Pending.as_str(), TaskState::Running.as_str()]))
                .filter(Column::DueAt.lte(now))
                .order_by_asc(Column::DueAt)
                .order_by_asc(Column::Id)
        };
        // Most times there is nothing: then no writer is kept waiting.
        if due().one(&self.read).await.map_err(db_error)?.is_none() {
            return Ok(None);
        }
        let transaction = self.begin().await?;
        let row = due()
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .one(&transaction.0)
            .await
            .map_err(db_error)?;
        let Some(row) = row else { return Ok(None) };
        let account_id = AccountId::from_stored(&row.account_id);
        let cipher = transaction.cipher(&account_id, now).await?;
        // One that does not open is for the service to give up: it must not keep the others waiting.
        let payload = row.sealed.and_then(|sealed| cipher.open(&sealed, &row.id).ok());
        let cursor = row.sealed_cursor.and_then(|sealed| cipher.open(&sealed, &row.id).ok());
        let (attempts, tries) = (row.attempts + 1, row.tries + 1);
        Entity::update_many()
            .col_expr(Column::State, Expr::value(TaskState::Running.as_str()))
            .col_expr(Column::Attempts, Expr::value(attempts))
            .col_expr(Column::Tries, Expr::value(tries))
            .col_expr(Column::DueAt, Expr::value(now + lease))
            .filter(Column::AccountId.eq(&row.account_id))
            .filter(Column::Id.eq(&row.id))
            .exec(&transaction.0)
            .await
            .map_err(db_error)?;
        transaction.commit().await?;
        Ok(Some(DueTask {
            id: TaskId::from_stored(row.id),
            owner: Owner {
                account_id,
                user_id: row.user_id,
            },
            kind: row.kind,
            payload,
            cursor,
            changed_by: row.changed_by,
            attempts,
            tries,
            cancel_requested: row.cancel_requested,
            created_at: row.created_at,
        }))
    }

    /// Makes due again what is under way, on SQLite: its file has one instance, which has just started.
    pub async fn release_tasks(&self, now: DateTime<Utc>) -> Result<()> {
        if self.write.get_database_backend() != DbBackend::Sqlite {
            return Ok(());
        }
        Entity::update_many()
            .col_expr(Column::DueAt, Expr::value(now))
            .filter(Column::State.eq(TaskState::Running.as_str()))
            .exec(&self.write)
            .await
            .map_err(db_error)?;
        Ok(())
    }

    /// Keeps a task for longer. False where it is not the taker's any more.
    pub async fn renew_task(&self, task: &DueTask, until: DateTime<Utc>) -> Result<bool> {
        let renewed = ours(task)
            .col_expr(Column::DueAt, Expr::value(until))
            .exec(&self.write)
            .await
            .map_err(db_error)?;
        Ok(renewed.rows_affected == 1)
    }

    /// Has a task of the account stop: at once where nobody is at it, else after the slice under way. False where there is
    /// no such task, or it has ended.
    pub async fn request_task_cancel(&self, account_id: &AccountId, id: &TaskId, now: DateTime<Utc>) -> Result<bool> {
        let requested = Entity::update_many()
            .col_expr(Column::CancelRequested, Expr::value(true))
            // One that waits for another try waits no longer.
            .col_expr(
                Column::DueAt,
                Expr::case(
                    Expr::col(Column::State).eq(TaskState::Pending.as_str()),
                    Expr::value(now),
                )
                .finally(Expr::col(Column::DueAt))
                .into(),
            )
            .filter(Column::AccountId.eq(account_id.as_str()))
            .filter(Column::Id.eq(id.as_str()))
            .filter(Column::State.is_in([TaskState::Pending.as_str(), TaskState::Running.as_str()]))
            .exec(&self.write)
            .await
            .map_err(db_error)?;
        Ok(requested.rows_affected == 1)
    }

    /// Ends a task that was to stop. What it was to do is not kept.
    pub async fn cancel_task(&self, task: &DueTask, result: serde_json::Value, now: DateTime<Utc>) -> Result<()> {
        ours(task)
            .col_expr(Column::State, Expr::value(TaskState::Failed.as_str()))
            .col_expr(Column::Sealed, Expr::value(Option::<Vec<u8>>::None))
            .col_expr(Column::SealedCursor, Expr::value(Option::<Vec<u8>>::None))
            .col_expr(Column::Result, Expr::value(result))
            .col_expr(Column::LastError, Expr::value("cancelled"))
            .col_expr(Column::FinishedAt, Expr::value(now))
            .exec(&self.write)
            .await
            .map_err(db_error)?;
        Ok(())
    }

    /// What a task of the account told the operator, the oldest first.
    pub async fn task_log(&self, account_id: &AccountId, id: &TaskId) -> Result<Vec<(DateTime<Utc>, String)>> {
        logs::Entity::find()
            .select_only()
            .columns([logs::Column::LoggedAt, logs::Column::Line])
            .filter(logs::Column::AccountId.eq(account_id.as_str()))
            .filter(logs::Column::TaskId.eq(id.as_str()))
            .order_by_asc(logs::Column::Position)
            .into_tuple()
            .all(&self.read)
            .await
            .map_err(db_error)
    }

    /// Puts a task off that could not be done now, and says why.
    pub async fn postpone_task(&self, task: &DueTask, until: DateTime<Utc>, why: &str) -> Result<()> {
        ours(task)
            .col_expr(Column::State, Expr::value(TaskState::Pending.as_str()))
            .col_expr(Column::DueAt, Expr::value(until))
            .col_expr(Column::LastError, Expr::value(why))
            .exec(&self.write)
            .await
            .map_err(db_error)?;
        Ok(())
    }

    /// Gives a task up. What was to be done is kept until it is purged, for [`Self::retry_tasks`].
    pub async fn fail_task(
        &self,
        task: &DueTask,
        why: &str,
        result: Option<serde_json::Value>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        ours(task)
            .col_expr(Column::State, Expr::value(TaskState::Failed.as_str()))
            .col_expr(Column::Result, Expr::value(result))
            .col_expr(Column::LastError, Expr::value(why))
            .col_expr(Column::FinishedAt, Expr::value(now))
            .exec(&self.write)
            .await
            .map_err(db_error)?;
        Ok(())
    }

    /// Makes tasks due that were given up, as if they were new: the one with this id, or all. Says how many. What a
    /// version before this one gave up it did not keep.
    pub async fn retry_tasks(&self, id: Option<&TaskId>, now: DateTime<Utc>) -> Result<u64> {
        let mut given_up = Entity::update_many()
            .col_expr(Column::State, Expr::value(TaskState::Pending.as_str()))
            .col_expr(Column::Attempts, Expr::value(0))
            .col_expr(Column::Tries, Expr::value(0))
            .col_expr(Column::DueAt, Expr::value(now))
            .col_expr(Column::FinishedAt, Expr::value(Option::<DateTime<Utc>>::None))
            .filter(Column::State.eq(TaskState::Failed.as_str()))
            .filter(Column::Sealed.is_not_null());
        if let Some(id) = id {
            given_up = given_up.filter(Column::Id.eq(id.as_str()));
        }
        let retried = given_up.exec(&self.write).await.map_err(db_error)?;
        Ok(retried.rows_affected)
    }

    /// The tasks of an account, or of all, in one state or any; the oldest first.
    pub async fn list_tasks(&self, account_id: Option<&AccountId>, state: Option<TaskState>) -> Result<Vec<TaskRow>> {
        type Row = (
            String,
            String,
            String,
            String,
            String,
            i32,
            DateTime<Utc>,
            DateTime<Utc>,
            Option<String>,
        );
        let mut tasks = Entity::find().select_only().columns([
            Column::AccountId,
            Column::Id,
            Column::UserId,
            Column::Kind,
            Column::State,
            Column::Attempts,
            Column::DueAt,
            Column::CreatedAt,
            Column::LastError,
        ]);
        if let Some(account_id) = account_id {
            tasks = tasks.filter(Column::AccountId.eq(account_id.as_str()));
        }
        if let Some(state) = state {
            tasks = tasks.filter(Column::State.eq(state.as_str()));
        }
        let tasks = tasks.order_by_asc(Column::CreatedAt).order_by_asc(Column::Id);
        let rows: Vec<Row> = tasks.into_tuple().all(&self.read).await.map_err(db_error)?;
        let row = |(account_id, id, user_id, kind, state, attempts, due_at, created_at, last_error): Row| {
            Ok(TaskRow {
                id: TaskId::from_stored(id),
                owner: Owner {
                    account_id: AccountId::from_stored(account_id),
                    user_id,
                },
                kind,
                state: state.parse().map_err(|e| Error::Internal(Box::new(e)))?,
                attempts,
                due_at,
                created_at,
                last_error,
            })
        };
        rows.into_iter().map(row).collect()
    }

    /// Forgets tasks that ended before this time.
    pub async fn purge_tasks(&self, before: DateTime<Utc>) -> Result<()> {
        Entity::delete_many()
            .filter(Column::FinishedAt.lt(before))
            .exec(&self.write)
            .await
            .map_err(db_error)?;
        Ok(())
    }
}

impl Transaction {
    /// Keeps a task to do.
    pub async fn insert_task(&self, task: NewTask<'_>, now: DateTime<Utc>) -> Result<()> {
        let account_id = &task.owner.account_id;
        let cipher = self.cipher(account_id, now).await?;
        let row = ActiveModel {
            account_id: Set(account_id.to_string()),
            id: Set(task.id.to_string()),
            user_id: Set(task.owner.user_id.clone()),
            kind: Set(task.kind.to_owned()),
            state: Set(TaskState::Pending.as_str().to_owned()),
            sealed: Set(Some(cipher.seal(task.payload, task.id.as_str())?)),
            result: Set(None),
            changed_by: Set(task.changed_by.to_owned()),
            attempts: Set(0),
            due_at: Set(now),
            created_at: Set(now),
            finished_at: Set(None),
            last_error: Set(None),
            tries: Set(0),
            sealed_cursor: Set(None),
            progress: Set(None),
            cancel_requested: Set(false),
        };
        Entity::insert(row)
            .exec_without_returning(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }

    /// Puts a task back into the queue with what this transaction did for it, to go on at `next`. False as for
    /// [`Self::finish_task`].
    pub async fn advance_task(&self, task: &DueTask, next: NextSlice<'_>, now: DateTime<Utc>) -> Result<bool> {
        let account_id = &task.owner.account_id;
        let cipher = self.cipher(account_id, now).await?;
        let advanced = ours(task)
            .col_expr(Column::State, Expr::value(TaskState::Pending.as_str()))
            .col_expr(
                Column::SealedCursor,
                Expr::value(cipher.seal(next.cursor, task.id.as_str())?),
            )
            .col_expr(Column::Progress, Expr::value(next.progress.clone()))
            .col_expr(Column::Tries, Expr::value(0))
            .col_expr(Column::DueAt, Expr::value(now))
            .col_expr(Column::LastError, Expr::value(Option::<String>::None))
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        if advanced.rows_affected != 1 {
            return Ok(false);
        }
        if next.log.is_empty() {
            return Ok(true);
        }
        let known = logs::Entity::find()
            .filter(logs::Column::AccountId.eq(account_id.as_str()))
            .filter(logs::Column::TaskId.eq(task.id.as_str()))
            .count(&self.0)
            .await
            .map_err(db_error)?;
        let first = i32::try_from(known).unwrap_or(i32::MAX);
        let room = MAX_LOG_LINES.saturating_sub(first);
        let lines: Vec<logs::ActiveModel> = (first..)
            .zip(next.log)
            .take(usize::try_from(room).unwrap_or_default())
            .map(|(position, line)| logs::ActiveModel {
                account_id: Set(account_id.to_string()),
                task_id: Set(task.id.to_string()),
                position: Set(position),
                logged_at: Set(now),
                line: Set(line.clone()),
            })
            .collect();
        if !lines.is_empty() {
            let inserted = logs::Entity::insert_many(lines);
            inserted.exec_without_returning(&self.0).await.map_err(db_error)?;
        }
        Ok(true)
    }

    /// Ends a task with what this transaction did for it. False where it is not to be done any more: it has been
    /// erased, or another instance has taken it. Then this transaction must not go on.
    pub async fn finish_task(&self, task: &DueTask, result: serde_json::Value, now: DateTime<Utc>) -> Result<bool> {
        let done = ours(task)
            .col_expr(Column::State, Expr::value(TaskState::Done.as_str()))
            .col_expr(Column::Sealed, Expr::value(Option::<Vec<u8>>::None))
            .col_expr(Column::SealedCursor, Expr::value(Option::<Vec<u8>>::None))
            .col_expr(Column::Result, Expr::value(result))
            .col_expr(Column::FinishedAt, Expr::value(now))
            .col_expr(Column::LastError, Expr::value(Option::<String>::None))
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        Ok(done.rows_affected == 1)
    }

    /// Deletes the tasks of a person, done or not; says how many.
    pub(super) async fn delete_tasks(&self, owner: &Owner) -> Result<u64> {
        let deleted = Entity::delete_many()
            .filter(Column::AccountId.eq(owner.account_id.as_str()))
            .filter(Column::UserId.eq(&owner.user_id))
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        Ok(deleted.rows_affected)
    }
}
