//! `memsync.v1.MemoryService`.

use std::sync::Arc;
use std::time::Instant;

use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};
use tonic::{Request, Response, Status, Streaming};

use super::interceptor::MemoriesCreated;
use super::metadata::{caller, etag, idempotency_key, if_match, may_touch_everybody, origin, owner};
use super::validate::Violations;
use super::{convert, convert_changes, convert_portability, convert_store};
use crate::error::Error;
use crate::model::{Accepted, BackupId, MemoryId, OWN_PERSON, Scope};
use crate::proto::v1::memory_service_server::MemoryService as Rpcs;
use crate::proto::v1::{self as pb};
use crate::services::{Actor, DeletionOptions, Import, MemoryService, PortabilityService};

/// The service.
#[derive(Debug)]
pub(super) struct Memories {
    pub(super) memories: Arc<MemoryService>,
    pub(super) portability: Arc<PortabilityService>,
}

fn deletion_options(backup: Option<bool>, restore_superseded: Option<bool>, cascade: Option<bool>) -> DeletionOptions {
    DeletionOptions {
        count_insights: cascade.unwrap_or(false),
        backup: backup.unwrap_or(true),
        restore_superseded: restore_superseded.unwrap_or(true),
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Rpcs for Memories {
    async fn store_memories(&self, request: Request<pb::StoreMemoriesRequest>) -> Answer<pb::StoreMemoriesResponse> {
        let started = Instant::now();
        let (metadata, extensions, message) = request.into_parts();
        let caller = caller(&extensions)?;
        let mut violations = Violations::default();
        let owner = owner(&caller, &metadata, message.user_id.clone(), &mut violations)?;
        let is_preview = message.preview == Some(true);
        let key = idempotency_key(&metadata, &mut violations).filter(|_| !is_preview);
        let idempotency = key.map(|key| {
            (
                key,
                Sha256::digest(convert_store::canonical_bytes(&message, &owner)).into(),
            )
        });
        let is_later = message.r#async == Some(true);
        let request = convert_store::store_request(message, owner, idempotency, self.memories.now(), violations)?;
        if is_preview {
            let outcome = self.memories.preview(request).await?;
            return Ok(Response::new(convert_store::preview_response(
                outcome,
                started.elapsed(),
            )));
        }
        if is_later {
            let task_id = self.memories.store_async(&caller, request).await?;
            let mut response = Response::new(convert_store::accepted_response(task_id, started.elapsed()));
            response.extensions_mut().insert(Accepted);
            return Ok(response);
        }
        let outcome = self.memories.store(&caller, request).await?;
        let answer = convert_store::store_response(outcome, started.elapsed());
        let created = MemoriesCreated(u32::try_from(answer.memories_created).unwrap_or(0));
        let mut response = Response::new(answer);
        response.extensions_mut().insert(created);
        Ok(response)
    }

    async fn search_memories(&self, request: Request<pb::SearchMemoriesRequest>) -> Answer<pb::SearchMemoriesResponse> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = caller(&extensions)?;
        let mut violations = Violations::default();
        let owner = owner(&caller, &metadata, message.user_id.clone(), &mut violations)?;
        let wants_bio = message.include_bio.unwrap_or(true) && caller.may(Scope::ProfileRead);
        let request = convert::search_request(message, owner, wants_bio, violations)?;
        let answer = self.memories.search(request).await?;
        Ok(Response::new(convert::search_response(answer)))
    }

    async fn list_memories(&self, request: Request<pb::ListMemoriesRequest>) -> Answer<pb::ListMemoriesResponse> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = caller(&extensions)?;
        let mut violations = Violations::default();
        let owner = owner(&caller, &metadata, message.user_id.clone(), &mut violations)?;
        let (request, page) = convert::list_request(message, owner, violations)?;
        let memories = self.memories.list(request).await?;
        Ok(Response::new(convert::list_response(memories, page)))
    }

    async fn get_memory(&self, request: Request<pb::GetMemoryRequest>) -> Answer<pb::GetMemoryResponse> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = caller(&extensions)?;
        let mut violations = Violations::default();
        let pb::GetMemoryRequest { memory_id, user_id } = message;
        let owner = owner(&caller, &metadata, user_id, &mut violations)?;
        violations.text(pb::GetMemoryRequest::MEMORY_ID, &memory_id);
        let id = violations.finish(MemoryId::from_stored(memory_id))?;
        let memory = self.memories.get(&owner, &id).await?;
        let mut response = Response::new(pb::GetMemoryResponse {
            memory: Some(convert::memory(&memory)),
        });
        response.metadata_mut().insert("etag", etag(memory.version));
        Ok(response)
    }

    async fn update_memory(&self, request: Request<pb::UpdateMemoryRequest>) -> Answer<pb::UpdateMemoryResponse> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = caller(&extensions)?;
        let mut violations = Violations::default();
        let owner = owner(&caller, &metadata, message.user_id.clone(), &mut violations)?;
        let if_match = if_match(&metadata, &mut violations);
        let with_vector = message.include_embeddings == Some(true);
        let (id, change) = convert_changes::memory_change(message, if_match, self.memories.now(), violations)?;
        let (memory, vector) = self.memories.update(&caller, &owner, &id, change).await?;
        let version = memory.version;
        let vector = vector.filter(|_| with_vector).unwrap_or_default();
        let mut response = Response::new(convert_changes::update_response(memory, vector));
        response.metadata_mut().insert("etag", etag(version));
        Ok(response)
    }

    async fn delete_memory(&self, request: Request<pb::DeleteMemoryRequest>) -> Answer<pb::DeleteMemoryResponse> {
        let (metadata, extensions, message) = request.into_parts();
        let (caller, origin) = (caller(&extensions)?, origin(&extensions));
        let mut violations = Violations::default();
        let pb::DeleteMemoryRequest {
            memory_id,
            user_id,
            cascade,
            backup,
            expected_version,
            restore_superseded,
        } = message;
        let owner = owner(&caller, &metadata, user_id, &mut violations)?;
        violations.text(pb::DeleteMemoryRequest::MEMORY_ID, &memory_id);
        let if_match = if_match(&metadata, &mut violations);
        let expected = expected_version.or(if_match);
        let id = violations.finish(MemoryId::from_stored(memory_id))?;
        let actor = Actor::caller(&caller, &origin);
        let deletion = self
            .memories
            .delete_one(
                &actor,
                &owner,
                &id,
                expected,
                deletion_options(backup, restore_superseded, cascade),
            )
            .await?;
        if deletion.deleted.is_empty() {
            return Err(Error::MemoryNotFound.into());
        }
        Ok(Response::new(convert_changes::delete_response(id, deletion)))
    }

    async fn batch_delete_memories(
        &self,
        request: Request<pb::BatchDeleteMemoriesRequest>,
    ) -> Answer<pb::BatchDeleteMemoriesResponse> {
        let (metadata, extensions, message) = request.into_parts();
        let (caller, origin) = (caller(&extensions)?, origin(&extensions));
        let mut violations = Violations::default();
        let pb::BatchDeleteMemoriesRequest {
            memory_ids,
            user_id,
            cascade,
            backup,
            restore_superseded,
        } = message;
        let owner = owner(&caller, &metadata, user_id, &mut violations)?;
        let ids = convert_changes::memory_ids(memory_ids, violations)?;
        let actor = Actor::caller(&caller, &origin);
        let options = deletion_options(backup, restore_superseded, cascade);
        let deletion = self.memories.delete(&actor, &owner, &ids, options).await?;
        Ok(Response::new(convert_changes::batch_delete_response(deletion)))
    }

    async fn get_memory_history(
        &self,
        request: Request<pb::GetMemoryHistoryRequest>,
    ) -> Answer<pb::GetMemoryHistoryResponse> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = caller(&extensions)?;
        let mut violations = Violations::default();
        let pb::GetMemoryHistoryRequest { memory_id, user_id } = message;
        let owner = owner(&caller, &metadata, user_id, &mut violations)?;
        violations.text(pb::GetMemoryHistoryRequest::MEMORY_ID, &memory_id);
        let id = violations.finish(MemoryId::from_stored(memory_id))?;
        let history = self.memories.history(&owner, &id).await?;
        Ok(Response::new(convert_changes::history_response(id, history)))
    }

    type ExportMemoriesStream = BoxStream<'static, Result<pb::ExportMemoriesResponse, Status>>;

    async fn export_memories(&self, request: Request<pb::ExportMemoriesRequest>) -> Answer<Self::ExportMemoriesStream> {
        let (metadata, extensions, message) = request.into_parts();
        let (caller, origin) = (caller(&extensions)?, origin(&extensions));
        let mut violations = Violations::default();
        let pb::ExportMemoriesRequest { user_id, all_users } = message;
        let user_id = if all_users == Some(true) {
            if user_id.is_some() {
                violations.add("all_users", "contradicts user_id");
            }
            may_touch_everybody(&caller)?;
            None
        } else {
            Some(owner(&caller, &metadata, user_id, &mut violations)?.user_id)
        };
        let user_id = violations.finish(user_id)?;
        let actor = Actor::caller(&caller, &origin);
        let account_id = caller.account_id.clone();
        let memories = Arc::clone(&self.portability)
            .export(&actor, account_id, user_id)
            .await?;
        let lines = memories.map_ok(convert_portability::export_response);
        Ok(Response::new(lines.map_err(Status::from).boxed()))
    }

    async fn import_memories(
        &self,
        request: Request<Streaming<pb::ImportMemoriesRequest>>,
    ) -> Answer<pb::ImportMemoriesResponse> {
        let (metadata, extensions, mut pieces) = request.into_parts();
        let (caller, origin) = (caller(&extensions)?, origin(&extensions));
        let first = pieces.message().await?.unwrap_or_default();
        let options = convert_portability::import_options(&caller, &metadata, &first)?;
        let mut import = Import::new(Arc::clone(&self.portability), options)?;
        import.feed(&first.chunk).await?;
        while let Some(piece) = pieces.message().await? {
            import.feed(&piece.chunk).await?;
        }
        let report = import.finish(&Actor::caller(&caller, &origin)).await?;
        Ok(Response::new(convert_portability::import_response(report)))
    }

    async fn get_memory_settings(
        &self,
        request: Request<pb::GetMemorySettingsRequest>,
    ) -> Answer<pb::GetMemorySettingsResponse> {
        let caller = caller(request.extensions())?;
        may_touch_everybody(&caller)?;
        let lifetime = self.memories.episodic_lifetime(&caller.account_id).await?;
        Ok(Response::new(pb::GetMemorySettingsResponse {
            settings: Some(convert_portability::settings(lifetime)),
        }))
    }

    async fn update_memory_settings(
        &self,
        request: Request<pb::UpdateMemorySettingsRequest>,
    ) -> Answer<pb::UpdateMemorySettingsResponse> {
        let (_, extensions, message) = request.into_parts();
        let (caller, origin) = (caller(&extensions)?, origin(&extensions));
        may_touch_everybody(&caller)?;
        let account = &caller.account_id;
        if let Some(lifetime) = convert_portability::settings_change(message)? {
            let actor = Actor::caller(&caller, &origin);
            self.memories.set_episodic_lifetime(&actor, account, lifetime).await?;
        }
        let lifetime = self.memories.episodic_lifetime(account).await?;
        Ok(Response::new(pb::UpdateMemorySettingsResponse {
            settings: Some(convert_portability::settings(lifetime)),
        }))
    }

    async fn erase_user(&self, request: Request<pb::EraseUserRequest>) -> Answer<pb::EraseUserResponse> {
        let (metadata, extensions, message) = request.into_parts();
        let (caller, origin) = (caller(&extensions)?, origin(&extensions));
        let mut violations = Violations::default();
        let pb::EraseUserRequest { user_id } = message;
        if user_id.is_empty() {
            violations.text(pb::EraseUserRequest::USER_ID, &user_id);
        }
        let owner = owner(&caller, &metadata, Some(user_id), &mut violations)?;
        let owner = violations.finish(owner)?;
        let (erased, receipt) = self.memories.erase(&Actor::caller(&caller, &origin), &owner).await?;
        Ok(Response::new(pb::EraseUserResponse {
            success: true,
            erased: Some(convert_changes::erased(erased)),
            receipt,
        }))
    }

    async fn erase_own_data(&self, request: Request<pb::EraseOwnDataRequest>) -> Answer<pb::EraseOwnDataResponse> {
        let (metadata, extensions, message) = request.into_parts();
        let (caller, origin) = (caller(&extensions)?, origin(&extensions));
        let mut violations = Violations::default();
        let owner = owner(&caller, &metadata, Some(OWN_PERSON.to_owned()), &mut violations)?;
        let pb::EraseOwnDataRequest { user_id } = message;
        // A URL with `..` in it can have named somebody else before a library made this route of it.
        let named = metadata.get_all("x-user-id").iter().any(|user_id| !user_id.is_empty());
        for (field, is_named) in [
            ("user_id", user_id.is_some_and(|id| id != OWN_PERSON)),
            ("x-user-id", named),
        ] {
            if is_named {
                violations.add(field, "must be absent: EraseUser erases others");
            }
        }
        violations.finish(())?;
        let (erased, receipt) = self.memories.erase(&Actor::caller(&caller, &origin), &owner).await?;
        Ok(Response::new(pb::EraseOwnDataResponse {
            success: true,
            erased: Some(convert_changes::erased(erased)),
            receipt,
        }))
    }

    async fn list_users(&self, request: Request<pb::ListUsersRequest>) -> Answer<pb::ListUsersResponse> {
        let (_, extensions, message) = request.into_parts();
        let caller = caller(&extensions)?;
        let (after, limit) = convert_changes::users_page(message)?;
        let (people, has_more) = self
            .memories
            .people(&caller.account_id, &caller.grant.user_ids, after.as_deref(), limit)
            .await?;
        Ok(Response::new(convert_changes::users_response(people, has_more)))
    }

    async fn restore_backup(&self, request: Request<pb::RestoreBackupRequest>) -> Answer<pb::RestoreBackupResponse> {
        let (_, extensions, message) = request.into_parts();
        let (caller, origin) = (caller(&extensions)?, origin(&extensions));
        let mut violations = Violations::default();
        violations.text(pb::RestoreBackupRequest::BACKUP_ID, &message.backup_id);
        let id = violations.finish(BackupId::from_stored(message.backup_id))?;
        let restored = self.memories.restore_own(&caller, &origin, &id).await?;
        Ok(Response::new(pb::RestoreBackupResponse {
            success: true,
            restored: restored.into_iter().map(String::from).collect(),
        }))
    }
}
