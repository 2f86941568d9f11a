//! Access tokens: JWTs (RFC 7519) that live for minutes, signed with HS256 and no other algorithm.

use std::fmt;

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::model::{AccountId, OAuthClientId, ScopeSet, SessionId};

/// Issuer and audience of every token.
const ISSUER: &str = "memsync";

/// What a token says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    iss: String,
    aud: String,
    /// The account.
    pub(super) sub: String,
    /// When it was made, in Unix seconds.
    pub(super) iat: i64,
    /// When it ends, in Unix seconds.
    pub(super) exp: i64,
    pub(super) jti: String,
    /// The session that it belongs to, and ends with.
    pub(super) sid: String,
    /// What a program was granted (RFC 8693); absent for the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scope: Option<String>,
    /// The program that acts (RFC 8693); absent for the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_id: Option<String>,
}

/// Whom a token is for.
pub(super) struct Subject<'a> {
    pub(super) account_id: &'a AccountId,
    pub(super) session_id: &'a SessionId,
    pub(super) program: Option<(&'a OAuthClientId, ScopeSet)>,
}

/// Signs tokens with the current secret, and takes those of the previous one while they live.
pub(super) struct TokenSigner {
    encoding: EncodingKey,
    decoding: Vec<DecodingKey>,
    validation: Validation,
}

impl fmt::Debug for TokenSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSigner")
    }
}

impl TokenSigner {
    pub(super) fn new(secret: &[u8], previous: Option<&[u8]>) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[ISSUER]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        // Held against our own clock below.
        validation.validate_exp = false;
        Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: std::iter::once(secret)
                .chain(previous)
                .map(DecodingKey::from_secret)
                .collect(),
            validation,
        }
    }

    pub(super) fn sign(&self, subject: &Subject<'_>, now: DateTime<Utc>, lifetime_s: i64) -> Result<String> {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: ISSUER.to_owned(),
            sub: subject.account_id.to_string(),
            iat: now.timestamp(),
            exp: now.timestamp() + lifetime_s,
            jti: Uuid::now_v7().simple().to_string(),
            sid: subject.session_id.to_string(),
            scope: subject.program.map(|(_, scopes)| scopes.to_string()),
            client_id: subject.program.map(|(id, _)| id.to_string()),
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.encoding).map_err(|e| Error::Internal(Box::new(e)))
    }

    /// What a token says, where one of our secrets signed it and it has not ended.
    pub(super) fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claims> {
        let claims = self
            .decoding
            .iter()
            .find_map(|key| decode::<Claims>(token, key, &self.validation).ok())
            .ok_or(Error::Unauthenticated)?
            .claims;
        if claims.exp <= now.timestamp() {
            return Err(Error::Unauthenticated);
        }
        Ok(claims)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    const SECRET: &[u8] = b"a secret of thirty-two bytes or more";

    fn token(signer: &TokenSigner, now: DateTime<Utc>) -> String {
        let subject = Subject {
            account_id: &AccountId::from_stored("user_1"),
            session_id: &SessionId::from_stored("sess_1"),
            program: None,
        };
        signer.sign(&subject, now, 900).expect("signed")
    }

    #[test]
    fn a_token_works_until_the_second_it_ends() {
        let signer = TokenSigner::new(SECRET, None);
        let now = DateTime::from_timestamp(1_800_000_000, 0).expect("a time");
        let token = token(&signer, now);
        let at = |seconds| signer.verify(&token, now + chrono::TimeDelta::seconds(seconds));
        assert_eq!(at(899).expect("valid").sub, "user_1");
        assert!(at(900).is_err());
    }

    #[test]
    fn a_previous_secret_is_still_believed_and_a_foreign_one_is_not() {
        let now = Utc::now();
        let old = token(&TokenSigner::new(SECRET, None), now);
        let rotated = TokenSigner::new(b"another secret of more than 32 bytes", Some(SECRET));
        assert!(rotated.verify(&old, now).is_ok());
        let foreign = TokenSigner::new(b"another secret of more than 32 bytes", None);
        assert!(foreign.verify(&old, now).is_err());
    }

    #[test]
    fn no_other_algorithm_is_believed() {
        let signer = TokenSigner::new(SECRET, None);
        let now = Utc::now();
        let good = token(&signer, now);
        let mut parts = good.split('.');
        let (_, claims) = (parts.next(), parts.next().expect("claims"));
        let none = URL_SAFE_NO_PAD.encode(br#"{"alg":"none","typ":"JWT"}"#);
        assert!(signer.verify(&format!("{none}.{claims}."), now).is_err());
        let json: serde_json::Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).expect("base64")).expect("JSON");
        let stronger = encode(&Header::new(Algorithm::HS512), &json, &EncodingKey::from_secret(SECRET));
        assert!(signer.verify(&stronger.expect("signed"), now).is_err());
    }
}
