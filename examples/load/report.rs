//! What was measured, operation by operation.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::client::Failure;

const SIGNIFICANT_DIGITS: u8 = 3;
const LONGEST_US: u64 = 3_600_000_000;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    Search,
    Store,
}

/// Calls of each operation.
#[derive(Default)]
pub struct Report(BTreeMap<Operation, Calls>);

struct Calls {
    /// Of calls that succeeded.
    latencies_us: Histogram<u64>,
    /// Calls that failed, by code.
    errors: BTreeMap<String, u64>,
}

impl Default for Calls {
    fn default() -> Self {
        let histogram = Histogram::new_with_max(LONGEST_US, SIGNIFICANT_DIGITS);
        Self {
            latencies_us: histogram.expect("the bounds are sound"),
            errors: BTreeMap::new(),
        }
    }
}

impl Report {
    pub fn record(&mut self, operation: Operation, latency: Duration, outcome: Result<(), Failure>) {
        let calls = self.0.entry(operation).or_default();
        match outcome {
            Ok(()) => calls.latencies_us.saturating_record(latency.as_micros() as u64),
            Err(failure) => *calls.errors.entry(failure.code).or_default() += 1,
        }
    }

    /// Adds what another client measured.
    pub fn add(&mut self, other: &Self) -> anyhow::Result<()> {
        for (operation, theirs) in &other.0 {
            let ours = self.0.entry(*operation).or_default();
            ours.latencies_us.add(&theirs.latencies_us)?;
            for (code, count) in &theirs.errors {
                *ours.errors.entry(code.clone()).or_default() += count;
            }
        }
        Ok(())
    }

    pub fn print(&self, elapsed: Duration, is_json: bool) {
        let seconds = elapsed.as_secs_f64();
        if is_json {
            let operations = self
                .0
                .iter()
                .map(|(operation, calls)| (operation.name().to_owned(), calls.json(seconds)));
            let operations: serde_json::Map<String, Value> = operations.collect();
            println!("{}", json!({"seconds": seconds, "operations": operations}));
            return;
        }
        println!("operation      calls   a second    p50 ms    p95 ms    p99 ms    max ms   errors");
        for (operation, calls) in &self.0 {
            println!("{:<9} {}", operation.name(), calls.row(seconds));
        }
    }
}

impl Operation {
    const fn name(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::Store => "store",
        }
    }
}

impl Calls {
    fn count(&self) -> u64 {
        self.latencies_us.len() + self.errors.values().sum::<u64>()
    }

    /// Successes.
    fn per_second(&self, seconds: f64) -> f64 {
        self.latencies_us.len() as f64 / seconds
    }

    /// Median, 95th and 99th percentile, and maximum.
    fn latencies_ms(&self) -> [f64; 4] {
        [0.50, 0.95, 0.99, 1.0].map(|quantile| self.latencies_us.value_at_quantile(quantile) as f64 / 1000.0)
    }

    fn row(&self, seconds: f64) -> String {
        let [p50, p95, p99, max] = self.latencies_ms();
        let errors = self.errors.iter().map(|(code, count)| format!("{count} {code}"));
        let errors: Vec<_> = errors.collect();
        let errors = if errors.is_empty() {
            "0".to_owned()
        } else {
            errors.join(", ")
        };
        format!(
            "{:>10} {:>10.1} {p50:>9.2} {p95:>9.2} {p99:>9.2} {max:>9.2}   {errors}",
            self.count(),
            self.per_second(seconds),
        )
    }

    fn json(&self, seconds: f64) -> Value {
        let [p50, p95, p99, max] = self.latencies_ms();
        json!({
            "calls": self.count(), "errors": self.errors, "per_second": self.per_second(seconds),
            "p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "max_ms": max,
        })
    }
}
