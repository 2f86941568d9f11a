//! `grpc.health.v1.Health`: tonic's, but that a watch of a service that is not here stays open, as the protocol says.

use std::future::ready;

use futures::stream::{self, BoxStream, StreamExt};
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::Health as Rpcs;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tonic_health::server::{HealthReporter, HealthService};

/// The service.
#[derive(Debug)]
pub(super) struct Health(HealthService);

impl Health {
    pub(super) fn new(reporter: HealthReporter) -> Self {
        Self(HealthService::from_health_reporter(reporter))
    }
}

#[tonic::async_trait]
impl Rpcs for Health {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        self.0.check(request).await
    }

    type WatchStream = BoxStream<'static, Result<HealthCheckResponse, Status>>;

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        match self.0.watch(request).await {
            Ok(known) => Ok(known.map(StreamExt::boxed)),
            Err(status) if status.code() == Code::NotFound => {
                let unknown = HealthCheckResponse {
                    status: ServingStatus::ServiceUnknown.into(),
                };
                // It lasts as long as a watch of the whole server, of which it tells nothing.
                let server = self.0.watch(Request::new(HealthCheckRequest::default())).await?;
                let nothing_more = server.into_inner().filter_map(|_| ready(None));
                let told = stream::once(ready(Ok(unknown)));
                Ok(Response::new(told.chain(nothing_more).boxed()))
            }
            Err(status) => Err(status),
        }
    }
}
