//! Starts what a server does beside answering, and stops it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use super::{App, SERVICES};
use crate::config::Config;
use crate::jobs::{self, JobKinds, Retention, StoreConversation};
use crate::services::Lease;

/// What a server does beside answering.
#[derive(Debug)]
pub(super) struct Background {
    /// What can be broken off anywhere.
    loops: Vec<JoinHandle<()>>,
    jobs: Jobs,
}

/// What is to finish the work that is under way.
#[derive(Debug)]
pub(super) struct Jobs {
    running: [JoinHandle<()>; 2],
    stop: watch::Sender<bool>,
}

impl Background {
    pub(super) fn start(app: &App, config: &Config, health: HealthReporter, status: ServingStatus) -> Self {
        let retention = Retention {
            usage: config.usage_retention,
            audit: config.audit_retention,
        };
        let lease = |work| Lease::new(app.store.clone(), app.clock.clone(), work);
        let (candidates, expiry, purge, reembed) =
            (lease("candidates"), lease("expiry"), lease("purge"), lease("reembed"));
        let flush_interval = config.usage_flush_interval;
        let loops = vec![
            tokio::spawn(watch_database(app.clone(), Arc::new(config.clone()), health, status)),
            when_ready(app, async move |app: App| {
                jobs::flush_regularly(&app.usage, &app.audit, flush_interval).await;
            }),
            when_ready(app, async move |app: App| {
                jobs::remove_expired(&app.memories, &expiry).await
            }),
            when_ready(app, async move |app: App| {
                jobs::purge(&app.auth, &app.memories, &app.usage, &app.audit, retention, &purge).await;
            }),
            when_ready(app, async move |app: App| {
                jobs::build_candidates(&app.candidates, &candidates).await
            }),
            when_ready(app, async move |app: App| jobs::reembed(app.embeddings, &reembed).await),
        ];
        let (stop, stopped) = watch::channel(false);
        let running = [
            until_stopped(app, stopped.clone(), async |app: App, stopped| {
                let kinds = JobKinds::default().with(StoreConversation(app.memories));
                jobs::run_queue(app.tasks, kinds, stopped).await;
            }),
            until_stopped(app, stopped, async |app: App, stopped| {
                jobs::write_bios(app.profiles, stopped).await;
            }),
        ];
        Self {
            loops,
            jobs: Jobs { running, stop },
        }
    }

    /// Breaks the loops off. Once they have ended, none of them can say SERVING again.
    pub(super) async fn stop_loops(self) -> Jobs {
        for task in self.loops {
            task.abort();
            let _ = task.await;
        }
        self.jobs
    }
}

impl Jobs {
    /// Lets the work under way finish, for so long. What is broken off is undone, and done once its lease is over.
    pub(super) async fn stop(self, patience: Duration) {
        self.stop.send_replace(true);
        let deadline = tokio::time::Instant::now() + patience;
        for mut job in self.running {
            if tokio::time::timeout_at(deadline, &mut job).await.is_err() {
                job.abort();
            }
        }
    }
}

fn when_ready<F: Future<Output = ()> + Send + 'static>(
    app: &App,
    run: impl FnOnce(App) -> F + Send + 'static,
) -> JoinHandle<()> {
    let app = app.clone();
    tokio::spawn(async move {
        app.ready().await;
        run(app).await;
    })
}

fn until_stopped<F: Future<Output = ()> + Send + 'static>(
    app: &App,
    mut stopped: watch::Receiver<bool>,
    run: impl FnOnce(App, watch::Receiver<bool>) -> F + Send + 'static,
) -> JoinHandle<()> {
    let app = app.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = app.ready() => {}
            _ = stopped.changed() => return,
        }
        run(app, stopped).await;
    })
}

/// Makes the database ready where it is not yet, and tells the health service whether it answers. Only changes are told:
/// clients that watch the health service hear of nothing else.
async fn watch_database(app: App, config: Arc<Config>, health: HealthReporter, told: ServingStatus) {
    let check = || {
        let (app, config) = (app.clone(), config.clone());
        async move {
            let is_ready = *app.is_ready.borrow();
            match is_ready {
                true => {
                    let (answer, _) = tokio::join!(app.store.ping(), app.store.ping_replica());
                    answer
                }
                false => app.prepare(&config).await,
            }
        }
    };
    let tell = |is_serving| {
        let health = health.clone();
        async move {
            let status = match is_serving {
                true => ServingStatus::Serving,
                false => ServingStatus::NotServing,
            };
            for service in SERVICES {
                health.set_service_status(service, status).await;
            }
        }
    };
    jobs::watch_database(matches!(told, ServingStatus::Serving), check, tell).await;
}
