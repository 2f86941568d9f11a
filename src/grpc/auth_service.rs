//! `memsync.v1.AuthService`.

use tonic::{Request, Response, Status};

use super::metadata::caller;
use crate::error::Error;
use crate::model::AuthMethod;
use crate::proto::v1::auth_service_server::AuthService;
use crate::proto::v1::{self as pb};

/// The service; who is asking was settled by the layer before it.
pub(super) struct Auth;

type Answer<T> = Result<Response<T>, Status>;

fn later<T>(rpc: &'static str) -> Answer<T> {
    Err(Error::NotImplemented(rpc).into())
}

#[tonic::async_trait]
impl AuthService for Auth {
    async fn who_am_i(&self, request: Request<pb::WhoAmIRequest>) -> Answer<pb::WhoAmIResponse> {
        let caller = caller(request.extensions())?;
        let AuthMethod::ApiKey(api_key_id) = &caller.method;
        Ok(Response::new(pb::WhoAmIResponse {
            user_id: caller.account_id.to_string(),
            email: Some(caller.email.clone()),
            auth_method: pb::AuthMethod::ApiKey.into(),
            api_key_id: Some(api_key_id.to_string()),
            scopes: caller.scopes.iter().map(|scope| scope.to_string()).collect(),
            rate_limits: None,
        }))
    }

    async fn register(&self, _: Request<pb::RegisterRequest>) -> Answer<pb::RegisterResponse> {
        later("Register")
    }

    async fn login(&self, _: Request<pb::LoginRequest>) -> Answer<pb::LoginResponse> {
        later("Login")
    }

    async fn refresh_token(&self, _: Request<pb::RefreshTokenRequest>) -> Answer<pb::RefreshTokenResponse> {
        later("RefreshToken")
    }

    async fn logout(&self, _: Request<pb::LogoutRequest>) -> Answer<pb::LogoutResponse> {
        later("Logout")
    }

    async fn change_password(&self, _: Request<pb::ChangePasswordRequest>) -> Answer<pb::ChangePasswordResponse> {
        later("ChangePassword")
    }

    async fn delete_account(&self, _: Request<pb::DeleteAccountRequest>) -> Answer<pb::DeleteAccountResponse> {
        later("DeleteAccount")
    }

    async fn create_api_key(&self, _: Request<pb::CreateApiKeyRequest>) -> Answer<pb::CreateApiKeyResponse> {
        later("CreateApiKey")
    }

    async fn list_api_keys(&self, _: Request<pb::ListApiKeysRequest>) -> Answer<pb::ListApiKeysResponse> {
        later("ListApiKeys")
    }

    async fn update_api_key(&self, _: Request<pb::UpdateApiKeyRequest>) -> Answer<pb::UpdateApiKeyResponse> {
        later("UpdateApiKey")
    }

    async fn rotate_api_key(&self, _: Request<pb::RotateApiKeyRequest>) -> Answer<pb::RotateApiKeyResponse> {
        later("RotateApiKey")
    }

    async fn delete_api_key(&self, _: Request<pb::DeleteApiKeyRequest>) -> Answer<pb::DeleteApiKeyResponse> {
        later("DeleteApiKey")
    }

    async fn get_usage(&self, _: Request<pb::GetUsageRequest>) -> Answer<pb::GetUsageResponse> {
        later("GetUsage")
    }

    async fn create_o_auth_client(
        &self,
        _: Request<pb::CreateOAuthClientRequest>,
    ) -> Answer<pb::CreateOAuthClientResponse> {
        later("CreateOAuthClient")
    }

    async fn list_o_auth_clients(
        &self,
        _: Request<pb::ListOAuthClientsRequest>,
    ) -> Answer<pb::ListOAuthClientsResponse> {
        later("ListOAuthClients")
    }

    async fn delete_o_auth_client(
        &self,
        _: Request<pb::DeleteOAuthClientRequest>,
    ) -> Answer<pb::DeleteOAuthClientResponse> {
        later("DeleteOAuthClient")
    }

    async fn list_audit_events(&self, _: Request<pb::ListAuditEventsRequest>) -> Answer<pb::ListAuditEventsResponse> {
        later("ListAuditEvents")
    }
}
