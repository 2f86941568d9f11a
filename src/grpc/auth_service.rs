//! `memsync.v1.AuthService`.

use std::sync::Arc;
use std::time::Duration;

use tonic::{Request, Response, Status};

use super::convert_auth as convert;
use super::metadata::{caller, may_touch_everybody, origin};
use super::validate::Violations;
use crate::model::{ApiKeyId, OAuthClientId};
use crate::proto::v1::auth_service_server::AuthService as Rpcs;
use crate::proto::v1::{self as pb};
use crate::services::{Actor, AuditLog, AuthService, RateLimiter, UsageService};

/// The service; who is asking was settled by the layer before it.
pub(super) struct Auth {
    pub(super) auth: Arc<AuthService>,
    pub(super) limits: Arc<RateLimiter>,
    pub(super) usage: Arc<UsageService>,
    pub(super) audit: Arc<AuditLog>,
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Rpcs for Auth {
    async fn register(&self, request: Request<pb::RegisterRequest>) -> Answer<pb::RegisterResponse> {
        let (_, extensions, message) = request.into_parts();
        let pb::RegisterRequest { email, password, name } = message;
        let tokens = self
            .auth
            .register(&origin(&extensions), &email, &password, name)
            .await?;
        Ok(Response::new(convert::register_response(tokens)))
    }

    async fn login(&self, request: Request<pb::LoginRequest>) -> Answer<pb::LoginResponse> {
        let (_, extensions, message) = request.into_parts();
        let pb::LoginRequest { email, password } = message;
        let mut violations = Violations::default();
        violations.text(pb::LoginRequest::EMAIL, &email);
        violations.text(pb::LoginRequest::PASSWORD, &password);
        violations.finish(())?;
        let tokens = self.auth.login(&origin(&extensions), &email, &password).await?;
        Ok(Response::new(convert::login_response(tokens)))
    }

    async fn set_up_account(&self, request: Request<pb::SetUpAccountRequest>) -> Answer<pb::SetUpAccountResponse> {
        let (_, extensions, message) = request.into_parts();
        let pb::SetUpAccountRequest {
            setup_token,
            email,
            password,
        } = message;
        let mut violations = Violations::default();
        violations.text(pb::SetUpAccountRequest::SETUP_TOKEN, &setup_token);
        violations.given(pb::SetUpAccountRequest::EMAIL, &email);
        violations.given(pb::SetUpAccountRequest::PASSWORD, &password);
        violations.finish(())?;
        let tokens = self
            .auth
            .set_up(&origin(&extensions), &setup_token, &email, &password)
            .await?;
        Ok(Response::new(convert::set_up_response(tokens)))
    }

    async fn refresh_token(&self, request: Request<pb::RefreshTokenRequest>) -> Answer<pb::RefreshTokenResponse> {
        let (_, extensions, message) = request.into_parts();
        let pb::RefreshTokenRequest { refresh_token } = message;
        let mut violations = Violations::default();
        violations.text(pb::RefreshTokenRequest::REFRESH_TOKEN, &refresh_token);
        violations.finish(())?;
        let tokens = self.auth.refresh(&origin(&extensions), &refresh_token).await?;
        Ok(Response::new(convert::refresh_response(tokens)))
    }

    async fn logout(&self, request: Request<pb::LogoutRequest>) -> Answer<pb::LogoutResponse> {
        let (caller, origin) = (caller(request.extensions())?, origin(request.extensions()));
        self.auth.logout(&caller, &origin).await?;
        Ok(Response::new(pb::LogoutResponse { success: true }))
    }

    async fn change_password(&self, request: Request<pb::ChangePasswordRequest>) -> Answer<pb::ChangePasswordResponse> {
        let (_, extensions, message) = request.into_parts();
        let (caller, origin) = (caller(&extensions)?, origin(&extensions));
        let pb::ChangePasswordRequest {
            current_password,
            new_password,
        } = message;
        let mut violations = Violations::default();
        violations.text(pb::ChangePasswordRequest::CURRENT_PASSWORD, &current_password);
        violations.given(pb::ChangePasswordRequest::NEW_PASSWORD, &new_password);
        violations.finish(())?;
        self.auth
            .change_password(&caller, &origin, &current_password, &new_password)
            .await?;
        Ok(Response::new(pb::ChangePasswordResponse { success: true }))
    }

    async fn delete_account(&self, request: Request<pb::DeleteAccountRequest>) -> Answer<pb::DeleteAccountResponse> {
        let (_, extensions, message) = request.into_parts();
        let (caller, origin) = (caller(&extensions)?, origin(&extensions));
        let pb::DeleteAccountRequest { password } = message;
        let mut violations = Violations::default();
        violations.text(pb::DeleteAccountRequest::PASSWORD, &password);
        violations.finish(())?;
        let receipt = self.auth.delete_own_account(&caller, &origin, &password).await?;
        Ok(Response::new(pb::DeleteAccountResponse { success: true, receipt }))
    }

    async fn who_am_i(&self, request: Request<pb::WhoAmIRequest>) -> Answer<pb::WhoAmIResponse> {
        let caller = caller(request.extensions())?;
        let limits = self.limits.limits_of(&caller);
        Ok(Response::new(convert::who_am_i_response(&caller, limits)))
    }

    async fn create_api_key(&self, request: Request<pb::CreateApiKeyRequest>) -> Answer<pb::CreateApiKeyResponse> {
        let (_, extensions, message) = request.into_parts();
        let (caller, origin) = (caller(&extensions)?, origin(&extensions));
        let new = convert::new_api_key(message)?;
        let actor = Actor::caller(&caller, &origin);
        let (row, secret) = self.auth.create_api_key(&caller, &actor, new).await?;
        Ok(Response::new(convert::create_key_response(row, &secret)))
    }

    async fn list_api_keys(&self, request: Request<pb::ListApiKeysRequest>) -> Answer<pb::ListApiKeysResponse> {
        let (_, extensions, message) = request.into_parts();
        let caller = caller(&extensions)?;
        let page = convert::key_page(message)?;
        let (mut rows, total) = self
            .auth
            .list_api_keys(&caller, page.status, page.offset, page.limit)
            .await?;
        for row in &mut rows {
            row.last_used = self.usage.last_used(&row.id).or(row.last_used);
        }
        Ok(Response::new(convert::list_keys_response(
            rows,
            total,
            &page,
            self.auth.now(),
        )))
    }

    async fn update_api_key(&self, request: Request<pb::UpdateApiKeyRequest>) -> Answer<pb::UpdateApiKeyResponse> {
        let (_, extensions, message) = request.into_parts();
        let (caller, origin) = (caller(&extensions)?, origin(&extensions));
        let (id, change) = convert::api_key_change(message)?;
        let actor = Actor::caller(&caller, &origin);
        let mut row = self.auth.update_api_key(&caller, &actor, &id, change).await?;
        row.last_used = self.usage.last_used(&row.id).or(row.last_used);
        Ok(Response::new(pb::UpdateApiKeyResponse {
            api_key: Some(convert::api_key(row, self.auth.now())),
        }))
    }

    async fn rotate_api_key(&self, request: Request<pb::RotateApiKeyRequest>) -> Answer<pb::RotateApiKeyResponse> {
        let (_, extensions, message) = request.into_parts();
        let (caller, origin) = (caller(&extensions)?, origin(&extensions));
        let (id, grace_s) = convert::key_rotation(message)?;
        let actor = Actor::caller(&caller, &origin);
        let grace = Duration::from_secs(grace_s);
        let (row, secret) = self.auth.rotate_api_key(&caller, &actor, &id, grace).await?;
        Ok(Response::new(convert::rotate_key_response(row, &secret)))
    }

    async fn delete_api_key(&self, request: Request<pb::DeleteApiKeyRequest>) -> Answer<pb::DeleteApiKeyResponse> {
        let (_, extensions, message) = request.into_parts();
        let (caller, origin) = (caller(&extensions)?, origin(&extensions));
        let pb::DeleteApiKeyRequest { api_key_id } = message;
        let mut violations = Violations::default();
        violations.text(pb::DeleteApiKeyRequest::API_KEY_ID, &api_key_id);
        violations.finish(())?;
        let actor = Actor::caller(&caller, &origin);
        let id = ApiKeyId::from_stored(api_key_id);
        let deleted_at = self.auth.delete_api_key(&caller, &actor, &id).await?;
        Ok(Response::new(pb::DeleteApiKeyResponse {
            success: true,
            api_key_id: id.into(),
            deleted_at: Some(convert::timestamp(deleted_at)),
        }))
    }

    async fn get_usage(&self, request: Request<pb::GetUsageRequest>) -> Answer<pb::GetUsageResponse> {
        let (_, extensions, message) = request.into_parts();
        let caller = caller(&extensions)?;
        let query = convert::usage_query(message)?;
        let keys = self.auth.readable_keys(&caller).await?;
        let usage = self.usage.read(&caller.account_id, keys.as_ref(), query).await?;
        Ok(Response::new(convert::usage_response(usage)))
    }

    async fn create_o_auth_client(
        &self,
        request: Request<pb::CreateOAuthClientRequest>,
    ) -> Answer<pb::CreateOAuthClientResponse> {
        let (_, extensions, message) = request.into_parts();
        let (caller, origin) = (caller(&extensions)?, origin(&extensions));
        let new = convert::new_oauth_client(message)?;
        let (client, secret) = self.auth.create_oauth_client(&caller, &origin, new).await?;
        Ok(Response::new(pb::CreateOAuthClientResponse {
            client: Some(convert::oauth_client(client)),
            client_secret: secret.expose().to_owned(),
        }))
    }

    async fn list_o_auth_clients(
        &self,
        request: Request<pb::ListOAuthClientsRequest>,
    ) -> Answer<pb::ListOAuthClientsResponse> {
        let caller = caller(request.extensions())?;
        let clients = self.auth.list_oauth_clients(&caller).await?;
        Ok(Response::new(pb::ListOAuthClientsResponse {
            clients: clients.into_iter().map(convert::oauth_client).collect(),
        }))
    }

    async fn delete_o_auth_client(
        &self,
        request: Request<pb::DeleteOAuthClientRequest>,
    ) -> Answer<pb::DeleteOAuthClientResponse> {
        let (_, extensions, message) = request.into_parts();
        let (caller, origin) = (caller(&extensions)?, origin(&extensions));
        let pb::DeleteOAuthClientRequest { client_id } = message;
        let mut violations = Violations::default();
        violations.text(pb::DeleteOAuthClientRequest::CLIENT_ID, &client_id);
        violations.finish(())?;
        let id = OAuthClientId::from_stored(client_id);
        self.auth.delete_oauth_client(&caller, &origin, &id).await?;
        Ok(Response::new(pb::DeleteOAuthClientResponse { success: true }))
    }

    async fn list_audit_events(
        &self,
        request: Request<pb::ListAuditEventsRequest>,
    ) -> Answer<pb::ListAuditEventsResponse> {
        let (_, extensions, message) = request.into_parts();
        let caller = caller(&extensions)?;
        may_touch_everybody(&caller)?;
        let (cursor, limit) = convert::audit_page(message)?;
        let (events, next) = self.audit.list(&caller.account_id, cursor.as_ref(), limit).await?;
        Ok(Response::new(pb::ListAuditEventsResponse {
            events: events.into_iter().map(convert::audit_event).collect(),
            next_cursor: next.map(String::from),
        }))
    }
}
