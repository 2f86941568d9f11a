//! Receipts of erasure: signed statements that can be checked later, also by others.
//!
//! A receipt is a JWS (RFC 7515) with EdDSA over Ed25519 (RFC 8037) and says whom it concerns, what was erased and when.

use std::fmt;

use chrono::{DateTime, Utc};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::error::{Error, Result, Violation};

const ISSUER: &str = "memsync";
const KIND: &str = "erasure+jwt";

/// What a receipt says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    iss: String,
    /// Whom it concerns: an account, or a person of one.
    pub sub: String,
    /// When it was written, in Unix seconds.
    pub iat: i64,
    /// Its own id.
    pub jti: String,
    /// How much was erased, by kind.
    pub erased: Value,
}

/// Signs and checks receipts.
pub struct Receipts {
    signing: EncodingKey,
    verifying: DecodingKey,
}

impl fmt::Debug for Receipts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receipts")
    }
}

impl Receipts {
    /// `seed`: the private key (RFC 8032).
    pub fn new(seed: &[u8; 32]) -> Result<Self> {
        let key = SigningKey::from_bytes(seed);
        let der = key.to_pkcs8_der().map_err(|e| Error::Internal(Box::new(e)))?;
        Ok(Self {
            signing: EncodingKey::from_ed_der(der.as_bytes()),
            verifying: DecodingKey::from_ed_der(key.verifying_key().as_bytes()),
        })
    }

    pub(super) fn sign(&self, subject: &str, erased: Value, now: DateTime<Utc>) -> Result<String> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(KIND.to_owned());
        let receipt = Receipt {
            iss: ISSUER.to_owned(),
            sub: subject.to_owned(),
            iat: now.timestamp(),
            jti: Uuid::now_v7().simple().to_string(),
            erased,
        };
        encode(&header, &receipt, &self.signing).map_err(|e| Error::Internal(Box::new(e)))
    }

    /// What a receipt says, where this service wrote it and nobody changed it.
    pub fn verify(&self, receipt: &str) -> Result<Receipt> {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["iss", "sub"]);
        validation.validate_exp = false;
        let checked = decode::<Receipt>(receipt.trim(), &self.verifying, &validation);
        checked.map(|data| data.claims).map_err(|_| {
            Error::Invalid(vec![Violation::new(
                "receipt",
                "was not written by this service, or was changed",
            )])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_believed_as_written_and_only_from_its_own_key() {
        let receipts = Receipts::new(&[7; 32]).expect("a key");
        let now = DateTime::from_timestamp(1_800_000_000, 0).expect("a time");
        let signed = receipts
            .sign("user_1", serde_json::json!({"memories": 3}), now)
            .expect("signed");
        let read = receipts.verify(&format!("{signed}\n")).expect("valid");
        assert_eq!((read.sub.as_str(), read.iat), ("user_1", 1_800_000_000));
        assert_eq!(read.erased["memories"], 3);
        assert!(Receipts::new(&[8; 32]).expect("a key").verify(&signed).is_err());
        let changed = signed.replacen('.', ".e", 1);
        assert!(receipts.verify(&changed).is_err());
    }
}
