//! How much each key uses, by the hour and the RPC. Counted in memory, written in batches: a crash loses at most what
//! was counted since the last one.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use hdrhistogram::Histogram;
use parking_lot::Mutex;

use crate::error::{Error, Result, Violation};
use crate::model::{AccountId, ApiKeyId, Caller, Clock};
use crate::store::{Store, UsageHour};

/// What stands for the key where there is none.
const SESSION: &str = "session";
/// Latencies are kept to one part in a hundred.
const DIGITS: u8 = 2;
const MAX_LATENCY_US: u64 = 3_600_000_000;
const MAX_DAYS: i64 = 366;
/// Steps of a series at most.
const MAX_HOURS: i64 = 31 * 24;

/// What one request was.
#[derive(Clone, Copy, Debug)]
pub struct RequestOutcome {
    /// Whether it failed.
    pub is_error: bool,
    /// How long it took.
    pub latency: Duration,
    /// Memories that it made.
    pub memories_created: u32,
    /// Whether it was a search.
    pub is_search: bool,
}

#[derive(Debug)]
struct Cell {
    requests: i64,
    errors: i64,
    memories_created: i64,
    searches: i64,
    latency: Histogram<u32>,
}

#[derive(Debug)]
struct Credential {
    account_id: AccountId,
    api_key_id: Option<ApiKeyId>,
    last_used: DateTime<Utc>,
    cells: HashMap<(Arc<str>, i64), Cell>,
}

/// How wide the steps of a series are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granularity {
    /// An hour.
    Hour,
    /// A day, in UTC.
    Day,
}

/// Which usage to read.
#[derive(Clone, Debug)]
pub struct UsageQuery {
    /// From this time on.
    pub from: Option<DateTime<Utc>>,
    /// Up to this time.
    pub to: Option<DateTime<Utc>>,
    /// Steps of the series.
    pub granularity: Granularity,
    /// Only this key.
    pub api_key_id: Option<String>,
}

/// One step of one key and RPC.
#[derive(Clone, Debug, PartialEq)]
pub struct UsagePoint {
    /// Its start.
    pub start: DateTime<Utc>,
    /// The key, or `session`.
    pub api_key_id: String,
    /// The RPC.
    pub endpoint: String,
    /// Requests.
    pub requests: i64,
    /// Requests that failed.
    pub errors: i64,
    /// Median latency in milliseconds.
    pub p50_ms: f64,
    /// 95th percentile of latency in milliseconds.
    pub p95_ms: f64,
}

/// Sums and steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    /// Requests.
    pub requests: i64,
    /// Requests that failed.
    pub errors: i64,
    /// Memories that were made.
    pub memories_created: i64,
    /// Searches.
    pub searches: i64,
    /// Steps, oldest first.
    pub series: Vec<UsagePoint>,
}

/// Counts requests.
#[derive(Debug)]
pub struct UsageService {
    store: Store,
    clock: Clock,
    pending: Mutex<HashMap<String, Credential>>,
}

impl UsageService {
    /// Counts into this database.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self {
            store,
            clock,
            pending: Mutex::default(),
        }
    }

    /// Counts one request.
    pub fn record(&self, caller: &Caller, endpoint: &Arc<str>, outcome: RequestOutcome) {
        let now = self.clock.now();
        let hour = now.timestamp().div_euclid(3600);
        let name = caller.api_key_id().map_or(caller.account_id.as_str(), ApiKeyId::as_str);
        let mut pending = self.pending.lock();
        let credential = match pending.get_mut(name) {
            Some(credential) => credential,
            None => pending.entry(name.to_owned()).or_insert_with(|| Credential {
                account_id: caller.account_id.clone(),
                api_key_id: caller.api_key_id().cloned(),
                last_used: now,
                cells: HashMap::new(),
            }),
        };
        credential.last_used = now;
        let cell = credential.cells.entry((Arc::clone(endpoint), hour));
        let cell = cell.or_insert_with(Cell::new);
        cell.requests += 1;
        cell.errors += i64::from(outcome.is_error);
        cell.memories_created += i64::from(outcome.memories_created);
        cell.searches += i64::from(outcome.is_search);
        let micros = u64::try_from(outcome.latency.as_micros()).unwrap_or(u64::MAX);
        cell.record(micros, 1);
    }

    /// Writes what was counted; keeps it where the database does not answer. Goes on where its caller does not wait.
    pub async fn flush(self: &Arc<Self>) -> Result<()> {
        let service = Arc::clone(self);
        let writing = tokio::spawn(async move { service.flush_now().await });
        writing.await.map_err(|e| Error::Internal(Box::new(e)))?
    }

    async fn flush_now(&self) -> Result<()> {
        let taken = mem::take(&mut *self.pending.lock());
        if taken.is_empty() {
            return Ok(());
        }
        let written = self.write(&taken).await;
        if written.is_err() {
            self.put_back(taken);
        }
        written
    }

    async fn write(&self, taken: &HashMap<String, Credential>) -> Result<()> {
        let hours = taken.values().flat_map(|credential| {
            let of_cell = |((endpoint, hour), cell): (&(Arc<str>, i64), &Cell)| UsageHour {
                account_id: credential.account_id.clone(),
                api_key_id: credential
                    .api_key_id
                    .as_ref()
                    .map_or_else(|| SESSION.to_owned(), ApiKeyId::to_string),
                hour: DateTime::from_timestamp(hour * 3600, 0).unwrap_or_default(),
                endpoint: endpoint.to_string(),
                requests: cell.requests,
                errors: cell.errors,
                memories_created: cell.memories_created,
                searches: cell.searches,
                latency: cell
                    .latency
                    .iter_recorded()
                    .map(|step| (step.value_iterated_to(), step.count_since_last_iteration()))
                    .collect(),
            };
            credential.cells.iter().map(of_cell).collect::<Vec<_>>()
        });
        self.store.add_usage(hours.collect()).await?;
        let used: Vec<(ApiKeyId, DateTime<Utc>)> = taken
            .values()
            .filter_map(|credential| Some((credential.api_key_id.clone()?, credential.last_used)))
            .collect();
        // The counts are written; a time of last use that is lost is not worth counting them twice.
        if let Err(error) = self.store.touch_api_keys(&used).await {
            tracing::warn!(%error, "the last use of keys is not written yet");
        }
        Ok(())
    }

    fn put_back(&self, taken: HashMap<String, Credential>) {
        let mut pending = self.pending.lock();
        for (name, old) in taken {
            let Some(new) = pending.get_mut(&name) else {
                pending.insert(name, old);
                continue;
            };
            for (key, cell) in old.cells {
                new.cells.entry(key).or_insert_with(Cell::new).add(&cell);
            }
        }
    }

    /// When this key was used last, where that is not written yet.
    pub fn last_used(&self, id: &ApiKeyId) -> Option<DateTime<Utc>> {
        self.pending
            .lock()
            .get(id.as_str())
            .map(|credential| credential.last_used)
    }

    /// What an account used, or these keys of it, with what this process has counted until now.
    pub async fn read(
        self: &Arc<Self>,
        account_id: &AccountId,
        among: Option<&HashSet<String>>,
        query: UsageQuery,
    ) -> Result<Usage> {
        let (from, to) = self.span(&query)?;
        self.flush().await?;
        let mut hours = self
            .store
            .usage(account_id, query.api_key_id.as_deref(), from, to)
            .await?;
        if let Some(among) = among {
            hours.retain(|hour| among.contains(&hour.api_key_id));
        }
        let mut usage = Usage::default();
        let mut steps: BTreeMap<(DateTime<Utc>, String, String), Cell> = BTreeMap::new();
        for hour in hours {
            usage.requests += hour.requests;
            usage.errors += hour.errors;
            usage.memories_created += hour.memories_created;
            usage.searches += hour.searches;
            let start = floor(hour.hour, query.granularity);
            let step = steps.entry((start, hour.api_key_id, hour.endpoint));
            let step = step.or_insert_with(Cell::new);
            step.requests += hour.requests;
            step.errors += hour.errors;
            for (micros, count) in hour.latency {
                step.record(micros, u32::try_from(count).unwrap_or(u32::MAX));
            }
        }
        let milliseconds = |cell: &Cell, quantile| cell.latency.value_at_quantile(quantile) as f64 / 1000.0;
        usage.series = steps
            .into_iter()
            .map(|((start, api_key_id, endpoint), cell)| UsagePoint {
                start,
                api_key_id,
                endpoint,
                requests: cell.requests,
                errors: cell.errors,
                p50_ms: milliseconds(&cell, 0.50),
                p95_ms: milliseconds(&cell, 0.95),
            })
            .collect();
        Ok(usage)
    }

    /// The first hour that counts, and the first that does not.
    fn span(&self, query: &UsageQuery) -> Result<(DateTime<Utc>, DateTime<Utc>)> {
        let to = query.to.unwrap_or_else(|| self.clock.now() + TimeDelta::seconds(1));
        let (usual, longest) = match query.granularity {
            Granularity::Hour => (TimeDelta::hours(24), TimeDelta::hours(MAX_HOURS)),
            Granularity::Day => (TimeDelta::days(30), TimeDelta::days(MAX_DAYS)),
        };
        let from = query.from.unwrap_or(to - usual);
        let reason = if from > to {
            "must not be after to"
        } else if to - from > longest {
            "must be at most 31 days before to, or 366 with granularity=day"
        } else {
            return Ok((floor(from, query.granularity), to));
        };
        Err(Error::Invalid(vec![Violation::new("from", reason)]))
    }

    /// Forgets hours before this time.
    pub async fn purge(&self, retention: TimeDelta) -> Result<()> {
        self.store.purge_usage(self.clock.now() - retention).await
    }
}

impl Cell {
    fn new() -> Self {
        let latency = Histogram::new(DIGITS).expect("invariant: two digits are within what the crate takes, 0 to 5");
        Self {
            requests: 0,
            errors: 0,
            memories_created: 0,
            searches: 0,
            latency,
        }
    }

    fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.errors += other.errors;
        self.memories_created += other.memories_created;
        self.searches += other.searches;
        for step in other.latency.iter_recorded() {
            self.record(step.value_iterated_to(), step.count_at_value());
        }
    }

    fn record(&mut self, micros: u64, count: u32) {
        // The histogram grows with its greatest value, and this is one that it can hold.
        let _ = self.latency.record_n(micros.clamp(1, MAX_LATENCY_US), count);
    }
}

fn floor(time: DateTime<Utc>, granularity: Granularity) -> DateTime<Utc> {
    let step = match granularity {
        Granularity::Hour => TimeDelta::hours(1),
        Granularity::Day => TimeDelta::days(1),
    };
    time.duration_trunc(step).unwrap_or(time)
}
