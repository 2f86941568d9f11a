//! OAuth 2.0: programs that act for people, with what each person granted (RFC 6749, 7636, 7009, 7662, 9700).
//!
//! Codes need PKCE with S256. A grant is a session like a person's, with a program and fewer scopes: it ends as one.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::accounts::{new_refresh_token, session_of};
use super::programs::{is_redirect_uri, same_redirect};
use super::sign_in::Asking;
use super::{AuthService, Secret, secret};
use crate::error::{Error, Result};
use crate::model::{AccountId, OAuthClientId, Origin, ScopeSet, SessionId};
use crate::services::Actor;
use crate::store::{OAuthClient, OAuthCode, Session};

const CODE: &str = "memsync_ac_";
/// How long a code waits for its program.
const CODE_LIFETIME_S: i64 = 120;
/// Base64url characters of a SHA-256.
const CHALLENGE_CHARS: usize = 43;

/// Why a program gets no token: an error of the protocol (RFC 6749, 4.1.2.1 and 5.2), or a fault of the service.
#[derive(Debug, thiserror::Error)]
pub enum OAuthError {
    /// An error that the RFCs name.
    #[error("{code}: {description}")]
    Protocol {
        /// Its name, such as `invalid_grant`.
        code: &'static str,
        /// What is wrong, for the program's developer.
        description: Cow<'static, str>,
    },
    /// The service could not answer.
    #[error(transparent)]
    Service(#[from] Error),
}

fn protocol(code: &'static str, description: impl Into<Cow<'static, str>>) -> OAuthError {
    OAuthError::Protocol {
        code,
        description: description.into(),
    }
}

fn invalid_grant() -> OAuthError {
    protocol(
        "invalid_grant",
        "the grant is unknown, spent, expired or another program's",
    )
}

/// What a program asks a person for, as it stands in the URL.
#[derive(Clone, Debug, Default)]
pub struct AuthorizationRequest {
    /// Must be `code`.
    pub response_type: String,
    /// The program.
    pub client_id: String,
    /// Where to send the person back to; the one registered URI when absent.
    pub redirect_uri: Option<String>,
    /// Space-separated; all that the program may ask for when absent.
    pub scope: Option<String>,
    /// Given back unchanged.
    pub state: Option<String>,
    /// The PKCE challenge.
    pub code_challenge: Option<String>,
    /// Must be `S256`.
    pub code_challenge_method: Option<String>,
}

/// A request that a person can be asked to consent to.
#[derive(Clone, Debug)]
pub struct Consent {
    /// The program.
    pub client: OAuthClient,
    /// Where the person is sent back to.
    pub redirect_uri: String,
    /// What is asked for.
    pub scopes: ScopeSet,
    code_challenge: String,
}

/// How a program proves who it is.
#[derive(Clone, Default)]
pub struct ProgramCredentials {
    /// Its id.
    pub client_id: String,
    /// Its secret; absent from public programs.
    pub client_secret: Option<String>,
}

/// What a program is given. No `Debug`: tokens.
pub struct OAuthTokens {
    /// The Bearer token.
    pub access_token: String,
    /// The token that gets the next pair; none for a program that acts for itself.
    pub refresh_token: Option<Secret>,
    /// Seconds that the Bearer token lives.
    pub expires_in: i64,
    /// What it may do.
    pub scopes: ScopeSet,
}

/// What a token is, for the program that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introspection {
    /// What it may do.
    pub scopes: ScopeSet,
    /// The program that it was given to.
    pub client_id: OAuthClientId,
    /// The account that it acts for.
    pub account_id: AccountId,
    /// When it was made, in Unix seconds; absent for a refresh token.
    pub issued_at: Option<i64>,
    /// When it ends, in Unix seconds.
    pub expires_at: i64,
}

impl AuthService {
    /// The program, and where to send the person back to.
    async fn redirection(&self, request: &AuthorizationRequest) -> Result<(OAuthClient, String), OAuthError> {
        let client = self.registered(&request.client_id).await?;
        let client = client.ok_or_else(|| protocol("invalid_request", "no such client_id is registered"))?;
        // Earlier versions registered what is none.
        let fits = |known: &str, uri: &str| is_redirect_uri(known) && same_redirect(known, uri);
        let uri = match (&request.redirect_uri, client.redirect_uris.as_slice()) {
            (Some(uri), registered) if registered.iter().any(|known| fits(known, uri)) => uri.clone(),
            (None, [only]) if is_redirect_uri(only) => only.clone(),
            _ => {
                return Err(protocol(
                    "invalid_request",
                    "the redirect_uri is not registered for this client",
                ));
            }
        };
        Ok((client, uri))
    }

    /// What a person can be asked to consent to.
    pub async fn consent(&self, request: &AuthorizationRequest) -> Result<Consent, OAuthError> {
        let (client, redirect_uri) = self.redirection(request).await?;
        if request.response_type != "code" {
            return Err(protocol("unsupported_response_type", "response_type must be code"));
        }
        let code_challenge = match (&request.code_challenge, request.code_challenge_method.as_deref()) {
            (Some(challenge), Some("S256"))
                if challenge.len() == CHALLENGE_CHARS
                    && challenge
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') =>
            {
                challenge.clone()
            }
            _ => {
                return Err(protocol(
                    "invalid_request",
                    "PKCE is needed: code_challenge with code_challenge_method=S256",
                ));
            }
        };
        let scopes = requested(request.scope.as_deref(), client.scopes)?;
        Ok(Consent {
            client,
            redirect_uri,
            scopes,
            code_challenge,
        })
    }

    /// The person signs in and consents. Gives the code for the program.
    pub async fn grant(&self, origin: &Origin, email: &str, password: &str, consent: &Consent) -> Result<Secret> {
        let account = self.check_password(origin, email, password, Asking::Stranger).await?;
        let now = self.clock.now();
        let code = Secret::with_prefix(CODE)?;
        let row = OAuthCode {
            code_hash: code.hash(),
            client_id: consent.client.id.clone(),
            account_id: account.id.clone(),
            redirect_uri: consent.redirect_uri.clone(),
            scopes: consent.scopes,
            code_challenge: consent.code_challenge.clone(),
            expires_at: now + TimeDelta::seconds(CODE_LIFETIME_S),
            session_id: None,
        };
        let target = Some(consent.client.id.as_str());
        let event = Actor::person(&account.email, origin).did("oauth.granted", target, &account.id, now);
        let transaction = self.store.begin().await?;
        if !transaction.has_same_password(&account).await? {
            return Err(Error::Unauthenticated);
        }
        transaction.insert_oauth_code(&row).await?;
        self.remember_place(&transaction, &account.id, origin).await?;
        transaction.insert_audit_event(&event).await?;
        transaction.commit().await?;
        Ok(code)
    }

    async fn registered(&self, client_id: &str) -> Result<Option<OAuthClient>> {
        if client_id.contains(char::is_control) {
            return Ok(None);
        }
        self.store.oauth_client(&OAuthClientId::from_stored(client_id)).await
    }

    async fn program(&self, credentials: &ProgramCredentials) -> Result<OAuthClient, OAuthError> {
        let refused = || protocol("invalid_client", "client authentication failed");
        let client = self.registered(&credentials.client_id).await?.ok_or_else(refused)?;
        let is_right = match &credentials.client_secret {
            Some(sent) => secret::hash(sent).ct_eq(&client.secret_hash).into(),
            None => client.is_public,
        };
        if is_right { Ok(client) } else { Err(refused()) }
    }

    /// Fetches the tokens of a code. A code that comes twice was stolen: what it was spent for ends (RFC 6749, 4.1.2).
    pub async fn exchange_code(
        &self,
        credentials: &ProgramCredentials,
        code: &str,
        redirect_uri: Option<&str>,
        code_verifier: &str,
    ) -> Result<OAuthTokens, OAuthError> {
        let client = self.program(credentials).await?;
        let now = self.clock.now();
        let code_hash = secret::hash(code);
        let transaction = self.store.begin().await?;
        let row = transaction.oauth_code(&code_hash).await?.ok_or_else(invalid_grant)?;
        if let Some(session_id) = row.session_id {
            transaction.revoke_session(&session_id, now).await?;
            transaction.commit().await?;
            self.forget_session(&session_id).await;
            return Err(invalid_grant());
        }
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(code_verifier));
        let fits = row.client_id == client.id
            && row.expires_at > now
            && redirect_uri.is_none_or(|uri| uri == row.redirect_uri)
            && bool::from(challenge.as_bytes().ct_eq(row.code_challenge.as_bytes()));
        if !fits {
            return Err(invalid_grant());
        }
        let (session, refresh_token) = self.new_grant(&row.account_id, &client, row.scopes, true, now)?;
        transaction.insert_session(&session).await?;
        transaction.spend_oauth_code(&code_hash, &session.id).await?;
        transaction.commit().await?;
        self.tokens_of_grant(&session, &client.id, session.scopes, refresh_token)
    }

    /// A token for a program that acts for the account that registered it.
    pub async fn client_credentials(
        &self,
        credentials: &ProgramCredentials,
        scope: Option<&str>,
    ) -> Result<OAuthTokens, OAuthError> {
        let client = self.program(credentials).await?;
        if credentials.client_secret.is_none() {
            return Err(protocol("unauthorized_client", "this grant needs the client's secret"));
        }
        let scopes = requested(scope, client.scopes)?;
        let (session, _) = self.new_grant(&client.account_id, &client, scopes, false, self.clock.now())?;
        let transaction = self.store.begin().await?;
        transaction.insert_session(&session).await?;
        transaction.commit().await?;
        self.tokens_of_grant(&session, &client.id, scopes, None)
    }

    fn new_grant(
        &self,
        account_id: &AccountId,
        client: &OAuthClient,
        scopes: ScopeSet,
        can_refresh: bool,
        now: DateTime<Utc>,
    ) -> Result<(Session, Option<Secret>)> {
        let id = SessionId::generate();
        let family_key = secret::random()?;
        let refresh_token = can_refresh.then(|| new_refresh_token(&id, &family_key)).transpose()?;
        let lifetime = if can_refresh {
            self.refresh_token_lifetime()
        } else {
            TimeDelta::seconds(self.access_token_lifetime_s())
        };
        let session = Session {
            id,
            account_id: account_id.clone(),
            client_id: Some(client.id.clone()),
            scopes,
            family_key,
            refresh_hash: refresh_token.as_ref().map(Secret::hash),
            created_at: now,
            expires_at: now + lifetime,
            revoked_at: None,
        };
        Ok((session, refresh_token))
    }

    fn tokens_of_grant(
        &self,
        session: &Session,
        client_id: &OAuthClientId,
        scopes: ScopeSet,
        refresh_token: Option<Secret>,
    ) -> Result<OAuthTokens, OAuthError> {
        Ok(OAuthTokens {
            access_token: self.access_token(&session.account_id, &session.id, Some((client_id, scopes)))?,
            refresh_token,
            expires_in: self.access_token_lifetime_s(),
            scopes,
        })
    }

    /// Spends a program's refresh token for a new pair, with the scopes of the grant or fewer.
    pub async fn refresh_grant(
        &self,
        origin: &Origin,
        credentials: &ProgramCredentials,
        refresh_token: &str,
        scope: Option<&str>,
    ) -> Result<OAuthTokens, OAuthError> {
        let client = self.program(credentials).await?;
        let refused = |error| match error {
            Error::Unauthenticated => invalid_grant(),
            error => error.into(),
        };
        let (session, email) = self.refreshable(refresh_token).await.map_err(refused)?;
        if session.client_id.as_ref() != Some(&client.id) {
            return Err(invalid_grant());
        }
        let scopes = requested(scope, session.scopes)?;
        let next = self
            .rotate(origin, &session, &email, refresh_token)
            .await
            .map_err(refused)?;
        self.tokens_of_grant(&session, &client.id, scopes, Some(next))
    }

    /// Ends the grant that a token of this program belongs to; a token that is nothing is no error (RFC 7009).
    pub async fn revoke_grant(&self, credentials: &ProgramCredentials, token: &str) -> Result<(), OAuthError> {
        let client = self.program(credentials).await?;
        if let Some((session, _)) = self.grant_of(&client, token).await? {
            let transaction = self.store.begin().await?;
            transaction.revoke_session(&session.id, self.clock.now()).await?;
            transaction.commit().await?;
            self.forget_session(&session.id).await;
        }
        Ok(())
    }

    /// What a token of this program is; nothing for one that does not work (RFC 7662).
    pub async fn introspect(
        &self,
        credentials: &ProgramCredentials,
        token: &str,
    ) -> Result<Option<Introspection>, OAuthError> {
        let client = self.program(credentials).await?;
        let Some((session, claims)) = self.grant_of(&client, token).await? else {
            return Ok(None);
        };
        let introspection = match claims {
            Some(claims) => Introspection {
                scopes: claims.scope.unwrap_or_default().parse().unwrap_or_default(),
                client_id: client.id,
                account_id: session.account_id,
                issued_at: Some(claims.iat),
                expires_at: claims.exp,
            },
            None => Introspection {
                scopes: session.scopes,
                client_id: client.id,
                account_id: session.account_id,
                issued_at: None,
                expires_at: session.expires_at.timestamp(),
            },
        };
        Ok(Some(introspection))
    }

    /// The living grant of this program that a token belongs to; with what the token says, where it is no refresh
    /// token.
    async fn grant_of(
        &self,
        client: &OAuthClient,
        token: &str,
    ) -> Result<Option<(Session, Option<super::token::Claims>)>> {
        let now = self.clock.now();
        let (id, claims) = match (session_of(token), self.tokens.verify(token, now)) {
            (Some(id), _) => (id, None),
            (None, Ok(claims)) => (SessionId::from_stored(claims.sid.clone()), Some(claims)),
            (None, Err(_)) => return Ok(None),
        };
        let Some((session, _)) = self.store.session(&id).await? else {
            return Ok(None);
        };
        let is_current = claims.is_some() || session.refresh_hash == Some(secret::hash(token));
        let works = session.client_id.as_ref() == Some(&client.id)
            && session.revoked_at.is_none()
            && session.expires_at > now
            && is_current;
        Ok(works.then_some((session, claims)))
    }
}

/// The scopes of a request, all of which the program must be allowed.
fn requested(scope: Option<&str>, allowed: ScopeSet) -> Result<ScopeSet, OAuthError> {
    let Some(words) = scope.filter(|words| !words.trim().is_empty()) else {
        return Ok(allowed);
    };
    let scopes: ScopeSet = words.parse().map_err(|e| protocol("invalid_scope", format!("{e}")))?;
    match scopes.missing_from(allowed) {
        Some(scope) => Err(protocol(
            "invalid_scope",
            format!("{scope} is not granted to this client"),
        )),
        None => Ok(scopes),
    }
}
