//! Secrets: API keys, refresh tokens, the codes and secrets of OAuth. Each is a prefix that says what it is, 32 random
//! bytes in base62, and for API keys a checksum. Only SHA-256 of each is stored.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::sign;
use jsonwebtoken::{Algorithm, EncodingKey};
use rand::TryRng;
use rand::rngs::SysRng;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// How an API key begins.
const API_KEY: &str = "memsync_sk_live_";
/// Base62 digits of 16 bytes.
const HALF: usize = 22;
/// Base62 digits of 32 bytes.
const RANDOM: usize = 2 * HALF;
/// Base62 digits of a CRC-32.
const CHECKSUM: usize = 6;

/// A whole secret. Shown once, never stored; its `Debug` hides it.
pub struct Secret(String);

impl Secret {
    /// A new API key: `memsync_sk_live_…`.
    pub fn api_key() -> Result<Self> {
        let Self(body) = Self::with_prefix(API_KEY)?;
        let checksum = checksum(&body);
        Ok(Self(body + &checksum))
    }

    /// A new secret from the operating system's random numbers.
    pub(super) fn with_prefix(prefix: &str) -> Result<Self> {
        let bytes = random()?;
        let (high, low) = bytes.split_at(16);
        Ok(Self(format!("{prefix}{}{}", base62_of(high), base62_of(low))))
    }

    pub(super) fn with_suffix(self, suffix: &str) -> Self {
        Self(self.0 + suffix)
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored of an API key to recognise it by: too little to guess it.
    pub(super) fn hint(&self) -> String {
        let (start, end) = (API_KEY.len() + 4, self.0.len() - 4);
        format!("{}…{}", &self.0[..start], &self.0[end..])
    }

    /// SHA-256 of this secret.
    pub(super) fn hash(&self) -> [u8; 32] {
        hash(&self.0)
    }
}

/// The operating system's random numbers.
pub(super) fn random() -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|e| Error::Unavailable(Box::new(e)))?;
    Ok(bytes)
}

/// A mark on a text that only the holder of the key can make: 128 bits of HMAC-SHA-256, in base62.
pub(super) fn mark(text: &str, key: &[u8; 32]) -> Result<String> {
    let key = EncodingKey::from_secret(key);
    let tag = sign(text.as_bytes(), &key, Algorithm::HS256).map_err(|e| Error::Internal(Box::new(e)))?;
    let tag = URL_SAFE_NO_PAD.decode(tag).map_err(|e| Error::Internal(Box::new(e)))?;
    Ok(base62_of(&tag[..16]))
}

/// At most 16 bytes, always as many digits.
fn base62_of(bytes: &[u8]) -> String {
    let number = bytes
        .iter()
        .fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    format!("{:0>HALF$}", base62::encode(number))
}

/// SHA-256 of a secret that a caller sent. A plain hash is right here: 256 random bits can't be searched.
pub(super) fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// Whether a text has an API key's form and checksum, which spares the database every typing mistake.
pub(super) fn is_api_key(text: &str) -> bool {
    text.len() == API_KEY.len() + RANDOM + CHECKSUM
        && text.is_ascii()
        && text.starts_with(API_KEY)
        && checksum(&text[..text.len() - CHECKSUM]) == text[text.len() - CHECKSUM..]
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

fn checksum(body: &str) -> String {
    format!("{:0>CHECKSUM$}", base62::encode(crc32fast::hash(body.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_is_well_formed_and_one_changed_character_is_not() {
        let key = Secret::api_key().expect("random numbers");
        assert!(is_api_key(key.expose()), "{}", key.expose());
        for position in 0..key.expose().len() {
            let mut changed = key.expose().to_owned().into_bytes();
            changed[position] = if changed[position] == b'x' { b'y' } else { b'x' };
            assert!(!is_api_key(&String::from_utf8(changed).expect("ASCII")));
        }
    }

    #[test]
    fn a_hint_and_a_debug_print_give_nothing_away() {
        let key = Secret::api_key().expect("random numbers");
        assert_eq!(key.hint().chars().count(), API_KEY.len() + 4 + 1 + 4);
        assert_eq!(format!("{key:?}"), "Secret");
    }

    #[test]
    fn garbage_is_not_a_key() {
        for garbage in [
            "",
            "memsync_sk_live_",
            "memsync_sk_live_é",
            &"é".repeat(33),
            &"a".repeat(66),
        ] {
            assert!(!is_api_key(garbage), "{garbage}");
        }
    }
}
