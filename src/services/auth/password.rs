//! Passwords: which are taken, and their argon2id hashes, made and checked on a few threads of their own so that a
//! flood of sign-ins leaves the others to the API.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::error::{Error, Result};
use crate::model::{MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS};

/// Fewer different characters make a pattern, not a password.
const MIN_DIFFERENT: usize = 5;
/// Sign-ins that wait for their turn; more are refused.
const QUEUE: usize = 64;
/// OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, 2 passes, 1 lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Random bytes in the shape of a hash, which no password has: what an unknown address is checked against, so that it
/// takes as long.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$5ksQABxZOKo/PEdgd8wnvw$bIgshe34XWK+FRhrvkZovurBzSjpA0sChk0RrhXJ5ew";

/// The commonest passwords of at least twelve characters: those of Django's and zxcvbn's lists.
static COMMON: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());
/// Words that digits and punctuation don't make a password of.
const WEAK_WORDS: [&str; 10] = [
    "password",
    "passw0rd",
    "qwerty",
    "qwertyuiop",
    "iloveyou",
    "welcome",
    "letmein",
    "changeme",
    "admin",
    "memsync",
];

/// What is wrong with a password that somebody wants to use, for the person to read.
pub(super) fn fault(password: &str, email: &str) -> Option<&'static str> {
    let chars = password.chars().take(MAX_PASSWORD_CHARS + 1).count();
    let lower = password.to_lowercase();
    let word = lower.trim_end_matches(|c: char| !c.is_alphabetic());
    let local_part = email.split('@').next().unwrap_or(email);
    if !(MIN_PASSWORD_CHARS..=MAX_PASSWORD_CHARS).contains(&chars) {
        Some("must be 12 to 256 characters")
    } else if COMMON.contains(lower.as_str())
        || WEAK_WORDS.contains(&word)
        || lower.chars().collect::<HashSet<_>>().len() < MIN_DIFFERENT
    {
        Some("is one of the commonest passwords")
    } else if lower == email || word == local_part {
        Some("must not be the e-mail address")
    } else {
        None
    }
}

/// Makes and checks hashes, a bounded number at a time.
#[derive(Debug)]
pub(super) struct PasswordHasher {
    turns: Arc<Semaphore>,
    queue: Semaphore,
}

impl PasswordHasher {
    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let turns = (cores / 2).max(1);
        Self {
            turns: Arc::new(Semaphore::new(turns)),
            queue: Semaphore::new(turns + QUEUE),
        }
    }

    /// The PHC string of a password.
    pub(super) async fn hash(&self, password: &str) -> Result<String> {
        let password = password.to_owned();
        self.in_turn(move || compute(&password)).await
    }

    /// Whether this is the password behind a hash. Takes as long when there is no hash.
    pub(super) async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool> {
        let known = hash.is_some();
        let hash = hash.unwrap_or(DECOY).to_owned();
        let password = password.to_owned();
        let matches = self
            .in_turn(move || Ok(argon2().verify_password(password.as_bytes(), hash.as_str()).is_ok()))
            .await?;
        Ok(known && matches)
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let full = |_| Error::Unavailable("too many sign-ins at one time".into());
        let _place = self.queue.try_acquire().map_err(full)?;
        let turn = Arc::clone(&self.turns)
            .acquire_owned()
            .await
            .map_err(|e| Error::Internal(Box::new(e)))?;
        let work = move || {
            // Held until the work is done, even where the caller has gone.
            let _turn = turn;
            work()
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|e| Error::Internal(Box::new(e)))?
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).unwrap_or(Params::DEFAULT);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn compute(password: &str) -> Result<String> {
    let hash = argon2().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string())
        .map_err(|e| Error::Internal(Box::new(e)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_common_and_patterned_passwords_are_refused_and_others_taken() {
        for bad in [
            "",
            "short",
            "elevenchars",
            "password1234",
            "PasswordPassword",
            "Welcome-2026!!",
            "qwertyuiop12",
            "123456789012",
            "abababababab",
            "ada@example.com",
            &"x".repeat(257),
        ] {
            assert!(fault(bad, "ada@example.com").is_some(), "{bad}");
        }
        for good in [
            "correct horse battery",
            "Tr0ub4dor&3-and-more",
            "жёлтая подводная",
            "testpassword123",
        ] {
            assert_eq!(fault(good, "ada@example.com"), None, "{good}");
        }
    }

    #[test]
    fn the_hash_is_argon2id_with_the_documented_cost() {
        let hash = compute("correct horse battery").expect("a hash");
        let parameters = "$argon2id$v=19$m=19456,t=2,p=1$";
        assert!(hash.starts_with(parameters), "{hash}");
        let shape = |hash: &str| hash.split('$').map(str::len).collect::<Vec<_>>();
        assert!(DECOY.starts_with(parameters), "{DECOY}");
        assert_eq!(shape(DECOY), shape(&hash), "the decoy costs as much");
        let fault = |hash: &str| {
            let verified = argon2().verify_password(b"another password", hash);
            verified.expect_err("refused").to_string()
        };
        assert_eq!(fault(DECOY), fault(&hash), "the decoy can be read");
    }

    #[tokio::test]
    async fn only_the_right_password_verifies_and_none_does_without_a_hash() {
        let hasher = PasswordHasher::new();
        let hash = hasher.hash("correct horse battery").await.expect("a hash");
        assert!(
            hasher
                .verify("correct horse battery", Some(&hash))
                .await
                .expect("checked")
        );
        assert!(
            !hasher
                .verify("correct horse batter", Some(&hash))
                .await
                .expect("checked")
        );
        assert!(!hasher.verify("", None).await.expect("checked"));
    }
}
