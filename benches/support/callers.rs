//! Callers in a closed loop: each sends its next request when the last one is answered.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

const SIGNIFICANT_DIGITS: u8 = 3;
const LONGEST_US: u64 = 3_600_000_000;

/// What a round of calls showed.
pub struct Round {
    pub calls: u64,
    pub per_second: f64,
    pub p50_ms: f64,
    pub p95_ms: f64,
}

/// Lets every caller make calls for `duration`, all at one time. A call under way at the end is finished and counted.
pub async fn round<C, F, Fut>(callers: &[C], duration: Duration, call: F) -> Round
where
    C: Clone + Send + 'static,
    F: Fn(C) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = ()> + Send,
{
    let started = Instant::now();
    let running: Vec<_> = callers
        .iter()
        .map(|caller| {
            let (caller, call) = (caller.clone(), call.clone());
            tokio::spawn(async move {
                let mut latencies_us = latencies();
                while started.elapsed() < duration {
                    let one = Instant::now();
                    call(caller.clone()).await;
                    latencies_us.saturating_record(one.elapsed().as_micros() as u64);
                }
                latencies_us
            })
        })
        .collect();
    let mut latencies_us = latencies();
    for caller in running {
        latencies_us.add(caller.await.unwrap()).unwrap();
    }
    let quantile_ms = |quantile| latencies_us.value_at_quantile(quantile) as f64 / 1000.0;
    Round {
        calls: latencies_us.len(),
        per_second: latencies_us.len() as f64 / started.elapsed().as_secs_f64(),
        p50_ms: quantile_ms(0.50),
        p95_ms: quantile_ms(0.95),
    }
}

fn latencies() -> Histogram<u64> {
    Histogram::new_with_max(LONGEST_US, SIGNIFICANT_DIGITS).unwrap()
}
