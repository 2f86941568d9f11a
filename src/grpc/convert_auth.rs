//! Protobuf messages ⇄ the types of `model/` and `services/`, for accounts, keys, usage and the audit log.

use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use ipnet::IpNet;

pub(super) use super::convert::timestamp;
use super::validate::Violations;
use crate::error::Result;
use crate::model::{ApiKeyId, AuditEventId, AuthMethod, Caller, ScopeSet};
use crate::proto::Field;
use crate::proto::v1::{self as pb};
use crate::services::{
    ApiKeyChange, ApiKeyRow, ApiKeyStatus, AuditEvent, Granularity, NewApiKey, NewOAuthClient, OAuthClient,
    RateLimitSettings, Secret, Tokens, Usage, UsageQuery,
};

const BEARER: &str = "Bearer";

pub(super) fn register_response(tokens: Tokens) -> pb::RegisterResponse {
    let pb::LoginResponse {
        user_id,
        email,
        access_token,
        refresh_token,
        expires_in,
        token_type,
    } = login_response(tokens);
    pb::RegisterResponse {
        user_id,
        email,
        access_token,
        refresh_token,
        expires_in,
        token_type,
    }
}

pub(super) fn set_up_response(tokens: Tokens) -> pb::SetUpAccountResponse {
    let pb::LoginResponse {
        user_id,
        email,
        access_token,
        refresh_token,
        expires_in,
        token_type,
    } = login_response(tokens);
    pb::SetUpAccountResponse {
        user_id,
        email,
        access_token,
        refresh_token,
        expires_in,
        token_type,
    }
}

pub(super) fn login_response(tokens: Tokens) -> pb::LoginResponse {
    pb::LoginResponse {
        user_id: tokens.account_id.into(),
        email: tokens.email,
        access_token: tokens.access_token,
        refresh_token: tokens.refresh_token.expose().to_owned(),
        expires_in: i32::try_from(tokens.expires_in).unwrap_or(i32::MAX),
        token_type: BEARER.to_owned(),
    }
}

pub(super) fn refresh_response(tokens: Tokens) -> pb::RefreshTokenResponse {
    let pb::LoginResponse {
        user_id,
        email,
        access_token,
        refresh_token,
        expires_in,
        token_type,
    } = login_response(tokens);
    pb::RefreshTokenResponse {
        user_id,
        email,
        access_token,
        refresh_token,
        expires_in,
        token_type,
    }
}

pub(super) fn who_am_i_response(caller: &Caller, limits: RateLimitSettings) -> pb::WhoAmIResponse {
    let auth_method = match caller.method {
        AuthMethod::ApiKey(_) => pb::AuthMethod::ApiKey,
        AuthMethod::Session(_) | AuthMethod::OAuth { .. } => pb::AuthMethod::Jwt,
    };
    let count = |limit: u32| i32::try_from(limit).unwrap_or(i32::MAX);
    pb::WhoAmIResponse {
        user_id: caller.account_id.to_string(),
        email: Some(caller.email.clone()),
        auth_method: auth_method.into(),
        api_key_id: caller.api_key_id().map(ApiKeyId::to_string),
        scopes: words(caller.grant.scopes),
        rate_limits: Some(pb::RateLimits {
            requests_per_minute: count(limits.requests),
            searches_per_minute: count(limits.searches),
            integrations_per_minute: count(limits.integrations),
        }),
    }
}

fn words(scopes: ScopeSet) -> Vec<String> {
    scopes.iter().map(|scope| scope.as_str().to_owned()).collect()
}

fn scope_set(field: &'static Field, words: &[String], violations: &mut Violations) -> Option<ScopeSet> {
    let mut scopes = Vec::with_capacity(words.len());
    for (index, word) in words.iter().enumerate() {
        match word.parse() {
            Ok(scope) => scopes.push(scope),
            Err(_) => violations.add(field.item(index), "is not a scope"),
        }
    }
    (!words.is_empty()).then(|| scopes.into_iter().collect())
}

pub(super) fn new_api_key(message: pb::CreateApiKeyRequest) -> Result<NewApiKey> {
    let pb::CreateApiKeyRequest {
        name,
        scopes,
        expires_in,
        rate_limit_per_minute,
        allowed_user_ids,
        allowed_ips,
    } = message;
    let mut violations = Violations::default();
    violations.text(pb::CreateApiKeyRequest::NAME, &name);
    let expires_in = violations.number(pb::CreateApiKeyRequest::EXPIRES_IN, expires_in);
    let limit = violations.number(pb::CreateApiKeyRequest::RATE_LIMIT_PER_MINUTE, rate_limit_per_minute);
    let (people, addresses) = (
        pb::CreateApiKeyRequest::ALLOWED_USER_IDS,
        pb::CreateApiKeyRequest::ALLOWED_IPS,
    );
    violations.count(people, "", allowed_user_ids.len());
    violations.count(addresses, "", allowed_ips.len());
    for (index, user_id) in allowed_user_ids.iter().take(people.max_items).enumerate() {
        violations.text(people.item(index), user_id);
    }
    let mut networks: Vec<IpNet> = Vec::new();
    for (index, text) in allowed_ips.iter().take(addresses.max_items).enumerate() {
        match network(text) {
            Some(network) => networks.push(network),
            None => violations.add(addresses.item(index), "must be an IP address or a CIDR block"),
        }
    }
    let scopes = scope_set(pb::CreateApiKeyRequest::SCOPES, &scopes, &mut violations);
    violations.finish(NewApiKey {
        name,
        scopes,
        expires_in: expires_in.and_then(seconds),
        requests_per_minute: limit.and_then(|limit| u32::try_from(limit).ok()),
        user_ids: allowed_user_ids,
        networks,
    })
}

fn network(text: &str) -> Option<IpNet> {
    let network = text.parse::<IpNet>().ok();
    network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn seconds(count: i32) -> Option<Duration> {
    u64::try_from(count).ok().map(Duration::from_secs)
}

pub(super) fn create_key_response(row: ApiKeyRow, secret: &Secret) -> pb::CreateApiKeyResponse {
    pb::CreateApiKeyResponse {
        api_key_id: row.id.into(),
        key: secret.expose().to_owned(),
        name: row.name,
        scopes: words(row.grant.scopes),
        created_at: Some(timestamp(row.created_at)),
        expires_at: row.grant.expires_at.map(timestamp),
    }
}

pub(super) fn rotate_key_response(row: ApiKeyRow, secret: &Secret) -> pb::RotateApiKeyResponse {
    let pb::CreateApiKeyResponse {
        api_key_id,
        key,
        name,
        scopes,
        created_at,
        expires_at,
    } = create_key_response(row, secret);
    pb::RotateApiKeyResponse {
        api_key_id,
        key,
        name,
        scopes,
        created_at,
        expires_at,
    }
}

/// Which page of the keys was asked for.
pub(super) struct KeyPage {
    pub(super) status: Option<ApiKeyStatus>,
    pub(super) offset: u64,
    pub(super) limit: u64,
}

pub(super) fn key_page(message: pb::ListApiKeysRequest) -> Result<KeyPage> {
    let pb::ListApiKeysRequest { status, limit, offset } = message;
    let mut violations = Violations::default();
    let status = violations.word(pb::ListApiKeysRequest::STATUS, status, |status| {
        Some(match status {
            pb::ApiKeyStatus::Unspecified => None,
            pb::ApiKeyStatus::Active => Some(ApiKeyStatus::Active),
            pb::ApiKeyStatus::Expired => Some(ApiKeyStatus::Expired),
            pb::ApiKeyStatus::Revoked => Some(ApiKeyStatus::Revoked),
        })
    });
    let limit = violations.number(pb::ListApiKeysRequest::LIMIT, limit).unwrap_or(50);
    let offset = violations.number(pb::ListApiKeysRequest::OFFSET, offset).unwrap_or(0);
    violations.finish(KeyPage {
        status: status.flatten(),
        offset: u64::try_from(offset).unwrap_or(0),
        limit: u64::try_from(limit).unwrap_or(1),
    })
}

pub(super) fn list_keys_response(
    rows: Vec<ApiKeyRow>,
    total: u64,
    page: &KeyPage,
    now: DateTime<Utc>,
) -> pb::ListApiKeysResponse {
    let end = page.offset + rows.len() as u64;
    pb::ListApiKeysResponse {
        api_keys: rows.into_iter().map(|row| api_key(row, now)).collect(),
        total: i32::try_from(total).unwrap_or(i32::MAX),
        has_more: end < total,
    }
}

pub(super) fn api_key(row: ApiKeyRow, now: DateTime<Utc>) -> pb::ApiKey {
    let status = match row.status(now) {
        ApiKeyStatus::Active => pb::ApiKeyStatus::Active,
        ApiKeyStatus::Expired => pb::ApiKeyStatus::Expired,
        ApiKeyStatus::Revoked => pb::ApiKeyStatus::Revoked,
    };
    pb::ApiKey {
        api_key_id: row.id.into(),
        name: row.name,
        key_hint: row.key_hint,
        scopes: words(row.grant.scopes),
        status: status.into(),
        last_used: row
            .last_used
            .map(|at| timestamp(at.duration_trunc(TimeDelta::minutes(1)).unwrap_or(at))),
        created_at: Some(timestamp(row.created_at)),
        expires_at: row.grant.expires_at.map(timestamp),
        rate_limit_per_minute: row
            .grant
            .requests_per_minute
            .map(|limit| i32::try_from(limit).unwrap_or(i32::MAX)),
        allowed_user_ids: row.grant.user_ids,
        allowed_ips: row.grant.networks.iter().map(IpNet::to_string).collect(),
    }
}

pub(super) fn api_key_change(message: pb::UpdateApiKeyRequest) -> Result<(ApiKeyId, ApiKeyChange)> {
    let pb::UpdateApiKeyRequest {
        api_key_id,
        name,
        scopes,
        rate_limit_per_minute,
    } = message;
    let mut violations = Violations::default();
    violations.text(pb::UpdateApiKeyRequest::API_KEY_ID, &api_key_id);
    violations.text_if_some(pb::UpdateApiKeyRequest::NAME, name.as_ref());
    let limit = violations.number(pb::UpdateApiKeyRequest::RATE_LIMIT_PER_MINUTE, rate_limit_per_minute);
    let change = ApiKeyChange {
        name,
        scopes: scope_set(pb::UpdateApiKeyRequest::SCOPES, &scopes, &mut violations),
        requests_per_minute: limit.and_then(|limit| u32::try_from(limit).ok()),
    };
    violations.finish((ApiKeyId::from_stored(api_key_id), change))
}

pub(super) fn key_rotation(message: pb::RotateApiKeyRequest) -> Result<(ApiKeyId, u64)> {
    let pb::RotateApiKeyRequest {
        api_key_id,
        grace_period,
    } = message;
    let mut violations = Violations::default();
    violations.text(pb::RotateApiKeyRequest::API_KEY_ID, &api_key_id);
    let grace = violations
        .number(pb::RotateApiKeyRequest::GRACE_PERIOD, grace_period)
        .unwrap_or(0);
    violations.finish((ApiKeyId::from_stored(api_key_id), u64::try_from(grace).unwrap_or(0)))
}

pub(super) fn usage_query(message: pb::GetUsageRequest) -> Result<UsageQuery> {
    let pb::GetUsageRequest {
        from,
        to,
        granularity,
        api_key_id,
    } = message;
    let mut violations = Violations::default();
    let granularity = violations.word(pb::GetUsageRequest::GRANULARITY, granularity, |granularity| {
        Some(match granularity {
            pb::Granularity::Unspecified | pb::Granularity::Hour => Granularity::Hour,
            pb::Granularity::Day => Granularity::Day,
        })
    });
    violations.text_if_some(pb::GetUsageRequest::API_KEY_ID, api_key_id.as_ref());
    let query = UsageQuery {
        from: violations.time(pb::GetUsageRequest::FROM, from),
        to: violations.time(pb::GetUsageRequest::TO, to),
        granularity: granularity.unwrap_or(Granularity::Hour),
        api_key_id,
    };
    violations.finish(query)
}

pub(super) fn usage_response(usage: Usage) -> pb::GetUsageResponse {
    pb::GetUsageResponse {
        totals: Some(pb::UsageTotals {
            requests: usage.requests,
            errors: usage.errors,
            memories_created: usage.memories_created,
            searches: usage.searches,
        }),
        series: usage
            .series
            .into_iter()
            .map(|point| pb::UsagePoint {
                start: Some(timestamp(point.start)),
                api_key_id: point.api_key_id,
                endpoint: point.endpoint,
                requests: point.requests,
                errors: point.errors,
                p50_ms: point.p50_ms,
                p95_ms: point.p95_ms,
            })
            .collect(),
    }
}

pub(super) fn new_oauth_client(message: pb::CreateOAuthClientRequest) -> Result<NewOAuthClient> {
    let pb::CreateOAuthClientRequest {
        name,
        redirect_uris,
        scopes,
        public,
    } = message;
    let mut violations = Violations::default();
    violations.text(pb::CreateOAuthClientRequest::NAME, &name);
    let scopes = scope_set(pb::CreateOAuthClientRequest::SCOPES, &scopes, &mut violations);
    violations.finish(NewOAuthClient {
        name,
        redirect_uris,
        scopes,
        is_public: public,
    })
}

pub(super) fn oauth_client(client: OAuthClient) -> pb::OAuthClient {
    pb::OAuthClient {
        client_id: client.id.into(),
        name: client.name,
        redirect_uris: client.redirect_uris,
        scopes: words(client.scopes),
        created_at: Some(timestamp(client.created_at)),
        public: client.is_public,
    }
}

pub(super) fn audit_page(message: pb::ListAuditEventsRequest) -> Result<(Option<AuditEventId>, u64)> {
    let pb::ListAuditEventsRequest { limit, cursor } = message;
    let mut violations = Violations::default();
    let limit = violations
        .number(pb::ListAuditEventsRequest::LIMIT, limit)
        .unwrap_or(50);
    violations.text_if_some(pb::ListAuditEventsRequest::CURSOR, cursor.as_ref());
    violations.finish((cursor.map(AuditEventId::from_stored), u64::try_from(limit).unwrap_or(1)))
}

pub(super) fn audit_event(event: AuditEvent) -> pb::AuditEvent {
    pb::AuditEvent {
        id: event.id.into(),
        action: event.action,
        actor: event.actor,
        api_key_id: event.api_key_id,
        target: event.target,
        address: event.address,
        request_id: event.request_id,
        occurred_at: Some(timestamp(event.occurred_at)),
    }
}
