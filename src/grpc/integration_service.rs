//! `memsync.v1.IntegrationService`.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::convert;
use super::metadata::caller;
use super::validate::Violations;
use crate::model::TaskId;
use crate::proto::v1::integration_service_server::IntegrationService as Rpcs;
use crate::proto::v1::{self as pb};
use crate::services::TaskQueue;

/// The service.
pub(super) struct Integrations(pub(super) Arc<TaskQueue>);

#[tonic::async_trait]
impl Rpcs for Integrations {
    async fn get_task(&self, request: Request<pb::GetTaskRequest>) -> Result<Response<pb::GetTaskResponse>, Status> {
        let (_, extensions, message) = request.into_parts();
        let caller = caller(&extensions)?;
        let pb::GetTaskRequest { task_id } = message;
        let mut violations = Violations::default();
        violations.text(pb::GetTaskRequest::TASK_ID, &task_id);
        let id = violations.finish(TaskId::from_stored(task_id))?;
        let report = self.0.report(&caller, &id).await?;
        Ok(Response::new(convert::task_response(report)))
    }
}
