//! What an API key looks like and how it is kept: `memsync_sk_live_`, 32 random bytes in base62, a checksum.

use std::fmt;

use rand::TryRng;
use rand::rngs::SysRng;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

const PREFIX: &str = "memsync_sk_live_";
/// Base62 digits of 16 bytes.
const HALF: usize = 22;
/// Base62 digits of a CRC-32.
const CHECKSUM: usize = 6;

/// A whole API key. Shown once, never stored; its `Debug` hides it.
pub struct ApiKeySecret(String);

impl ApiKeySecret {
    /// A new key from the operating system's random numbers.
    pub fn generate() -> Result<Self> {
        let mut bytes = [0; 32];
        SysRng
            .try_fill_bytes(&mut bytes)
            .map_err(|e| Error::Unavailable(Box::new(e)))?;
        let (high, low) = bytes.split_at(16);
        let half = |bytes: &[u8]| {
            let number = bytes
                .iter()
                .fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
            format!("{:0>HALF$}", base62::encode(number))
        };
        let body = format!("{PREFIX}{}{}", half(high), half(low));
        let checksum = checksum(&body);
        Ok(Self(body + &checksum))
    }

    /// The key itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored of it: enough to recognise it by, too little to guess it.
    pub fn hint(&self) -> String {
        let (start, end) = (PREFIX.len() + 4, self.0.len() - 4);
        format!("{}…{}", &self.0[..start], &self.0[end..])
    }

    /// SHA-256 of a key. A plain hash is right here: 256 random bits can't be searched.
    pub fn hash(key: &str) -> [u8; 32] {
        Sha256::digest(key).into()
    }

    /// Whether a text has a key's form and checksum, which spares the database every typing mistake.
    pub fn is_well_formed(key: &str) -> bool {
        key.len() == PREFIX.len() + 2 * HALF + CHECKSUM
            && key.is_ascii()
            && key.starts_with(PREFIX)
            && checksum(&key[..key.len() - CHECKSUM]) == key[key.len() - CHECKSUM..]
    }
}

impl fmt::Debug for ApiKeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKeySecret")
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
        let key = ApiKeySecret::generate().expect("random numbers");
        assert!(ApiKeySecret::is_well_formed(key.expose()), "{}", key.expose());
        for position in 0..key.expose().len() {
            let mut changed = key.expose().to_owned().into_bytes();
            changed[position] = if changed[position] == b'x' { b'y' } else { b'x' };
            assert!(!ApiKeySecret::is_well_formed(
                &String::from_utf8(changed).expect("ASCII")
            ));
        }
    }

    #[test]
    fn a_hint_and_a_debug_print_give_nothing_away() {
        let key = ApiKeySecret::generate().expect("random numbers");
        assert_eq!(key.hint().chars().count(), PREFIX.len() + 4 + 1 + 4);
        assert_eq!(format!("{key:?}"), "ApiKeySecret");
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
            assert!(!ApiKeySecret::is_well_formed(garbage), "{garbage}");
        }
    }
}
