//! `memsync.v1.ProfileService`.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::metadata::{caller, owner};
use super::validate::Violations;
use super::{convert, convert_profile};
use crate::proto::v1::profile_service_server::ProfileService as Rpcs;
use crate::proto::v1::{self as pb};
use crate::services::ProfileService;

/// The service.
pub(super) struct Profiles(pub(super) Arc<ProfileService>);

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Rpcs for Profiles {
    async fn get_profile(&self, request: Request<pb::GetProfileRequest>) -> Answer<pb::GetProfileResponse> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = caller(&extensions)?;
        let mut violations = Violations::default();
        let owner = owner(&caller, &metadata, message.user_id.clone(), &mut violations)?;
        let wanted = convert_profile::wanted(message, violations)?;
        let profile = self.0.profile(&caller, &owner, wanted.refresh).await?;
        Ok(Response::new(convert_profile::profile_response(
            owner, &profile, &wanted,
        )))
    }

    async fn get_user_profile(
        &self,
        request: Request<pb::GetUserProfileRequest>,
    ) -> Answer<pb::GetUserProfileResponse> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = caller(&extensions)?;
        let mut violations = Violations::default();
        let owner = owner(&caller, &metadata, message.user_id, &mut violations)?;
        violations.finish(())?;
        let profile = self.0.profile(&caller, &owner, false).await?;
        Ok(Response::new(convert_profile::user_profile_response(&profile)))
    }

    async fn get_bio(&self, request: Request<pb::GetBioRequest>) -> Answer<pb::GetBioResponse> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = caller(&extensions)?;
        let mut violations = Violations::default();
        let owner = owner(&caller, &metadata, message.user_id.clone(), &mut violations)?;
        let (query, with_sources) = convert_profile::bio_query(message, violations)?;
        let bio = self.0.bio(&caller, &owner, &query).await?;
        Ok(Response::new(convert_profile::bio_response(bio, with_sources)))
    }

    async fn update_bio(&self, request: Request<pb::UpdateBioRequest>) -> Answer<pb::UpdateBioResponse> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = caller(&extensions)?;
        let mut violations = Violations::default();
        let owner = owner(&caller, &metadata, message.user_id.clone(), &mut violations)?;
        let change = convert_profile::bio_change(message, violations)?;
        let bio = self.0.update_bio(&owner, change).await?;
        Ok(Response::new(convert_profile::update_response(bio)))
    }

    async fn get_user_bio(&self, request: Request<pb::GetUserBioRequest>) -> Answer<pb::GetUserBioResponse> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = caller(&extensions)?;
        let mut violations = Violations::default();
        let owner = owner(&caller, &metadata, message.user_id, &mut violations)?;
        violations.finish(())?;
        let bio = self.0.public_bio(&owner).await?;
        Ok(Response::new(pb::GetUserBioResponse { user_bio: bio.text }))
    }

    async fn set_user_bio(&self, request: Request<pb::SetUserBioRequest>) -> Answer<pb::SetUserBioResponse> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = caller(&extensions)?;
        let mut violations = Violations::default();
        let pb::SetUserBioRequest { user_bio, user_id } = message;
        let owner = owner(&caller, &metadata, user_id, &mut violations)?;
        let text = match user_bio.as_str() {
            "" => violations.finish(String::new())?,
            _ => convert_profile::manual_bio(pb::SetUserBioRequest::USER_BIO, user_bio, violations)?,
        };
        let (bio, updated_at) = self.0.set_user_bio(&owner, &text).await?;
        Ok(Response::new(pb::SetUserBioResponse {
            user_bio: bio.map(|bio| bio.text).unwrap_or_default(),
            updated_at: Some(convert::timestamp(updated_at)),
        }))
    }

    async fn update_privacy(&self, request: Request<pb::UpdatePrivacyRequest>) -> Answer<pb::UpdatePrivacyResponse> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = caller(&extensions)?;
        let mut violations = Violations::default();
        let owner = owner(&caller, &metadata, message.user_id.clone(), &mut violations)?;
        violations.finish(())?;
        let privacy = self
            .0
            .update_privacy(&owner, convert_profile::privacy_change(message))
            .await?;
        Ok(Response::new(pb::UpdatePrivacyResponse {
            privacy_settings: Some(convert_profile::privacy(privacy)),
        }))
    }

    async fn get_profile_history(
        &self,
        request: Request<pb::GetProfileHistoryRequest>,
    ) -> Answer<pb::GetProfileHistoryResponse> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = caller(&extensions)?;
        let mut violations = Violations::default();
        let pb::GetProfileHistoryRequest { limit, user_id } = message;
        let owner = owner(&caller, &metadata, user_id, &mut violations)?;
        let limit = violations
            .number(pb::GetProfileHistoryRequest::LIMIT, limit)
            .unwrap_or(20);
        let limit = violations.finish(u64::try_from(limit).unwrap_or(1))?;
        let bios = self.0.history(&owner, limit).await?;
        Ok(Response::new(pb::GetProfileHistoryResponse {
            snapshots: bios.into_iter().map(convert_profile::snapshot).collect(),
        }))
    }
}
