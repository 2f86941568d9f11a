//! The programs that can act for people: registered, listed, removed.

use url::{Host, Url};

use super::{AuthService, Secret, signed_in};
use crate::error::{Error, Result, Violation};
use crate::model::{Caller, MAX_REDIRECT_URIS, MAX_URI_BYTES, OAuthClientId, Origin, ScopeSet};
use crate::services::Actor;
use crate::store::OAuthClient;

const CLIENT_SECRET: &str = "memsync_cs_";

/// A program to register.
#[derive(Clone, Debug)]
pub struct NewOAuthClient {
    /// What to call it.
    pub name: String,
    /// Where people may be sent back to.
    pub redirect_uris: Vec<String>,
    /// What it may ask for; [`ScopeSet::default_for_keys`] when absent.
    pub scopes: Option<ScopeSet>,
    /// Whether it can keep no secret.
    pub is_public: bool,
}

impl AuthService {
    /// Registers a program for the caller's account; the secret is given this once.
    pub async fn create_oauth_client(
        &self,
        caller: &Caller,
        origin: &Origin,
        new: NewOAuthClient,
    ) -> Result<(OAuthClient, Secret)> {
        let (account_id, _) = signed_in(caller)?;
        let mut violations = Vec::new();
        if new.redirect_uris.len() > MAX_REDIRECT_URIS {
            violations.push(Violation::new(
                "redirect_uris",
                format!("must be at most {MAX_REDIRECT_URIS}"),
            ));
        }
        for (index, uri) in new.redirect_uris.iter().take(MAX_REDIRECT_URIS).enumerate() {
            if !is_redirect_uri(uri) {
                let reason = "must be https, http on the loopback, or a scheme of the app's own: one host without a \
                              wildcard, without user name and password, without a fragment";
                violations.push(Violation::new(format!("redirect_uris[{index}]"), reason));
            }
        }
        let scopes = new.scopes.unwrap_or_else(ScopeSet::default_for_keys);
        if let Some(scope) = scopes.missing_from(ScopeSet::for_programs()) {
            violations.push(Violation::new("scopes", format!("no program can be granted {scope}")));
        }
        if !violations.is_empty() {
            return Err(Error::Invalid(violations));
        }
        let secret = Secret::with_prefix(CLIENT_SECRET)?;
        let client = OAuthClient {
            id: OAuthClientId::generate(),
            account_id: account_id.clone(),
            name: new.name,
            secret_hash: secret.hash(),
            is_public: new.is_public,
            redirect_uris: new.redirect_uris,
            scopes,
            created_at: self.clock.now(),
        };
        let target = Some(client.id.as_str());
        let event = Actor::caller(caller, origin).did("oauth_client.created", target, account_id, client.created_at);
        let transaction = self.store.begin().await?;
        transaction.insert_oauth_client(&client).await?;
        transaction.insert_audit_event(&event).await?;
        transaction.commit().await?;
        Ok((client, secret))
    }

    /// The programs that the caller's account registered, newest first.
    pub async fn list_oauth_clients(&self, caller: &Caller) -> Result<Vec<OAuthClient>> {
        let (account_id, _) = signed_in(caller)?;
        self.store.oauth_clients(account_id).await
    }

    /// Removes a program of the caller's account; every token that it was given stops working.
    pub async fn delete_oauth_client(&self, caller: &Caller, origin: &Origin, id: &OAuthClientId) -> Result<()> {
        let (account_id, _) = signed_in(caller)?;
        let event =
            Actor::caller(caller, origin).did("oauth_client.deleted", Some(id.as_str()), account_id, self.clock.now());
        let transaction = self.store.begin().await?;
        if !transaction.delete_oauth_client(account_id, id).await? {
            return Err(Error::OAuthClientNotFound);
        }
        transaction.insert_audit_event(&event).await?;
        transaction.commit().await?;
        self.forget_all().await;
        Ok(())
    }
}

pub(super) fn is_redirect_uri(uri: &str) -> bool {
    let Ok(parsed) = Url::parse(uri) else { return false };
    let authority = uri.split_once("://").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    let allowed = match parsed.scheme() {
        "https" => !authority.is_empty(),
        "http" => !authority.is_empty() && is_loopback(&parsed),
        // A scheme of a native app is a reversed domain name (RFC 8252, 7.1).
        scheme => scheme.contains('.'),
    };
    // The parser passes over spaces and an empty user name, and reads a backslash as a slash; browsers do too.
    let is_plain = !uri.contains(|c: char| c == '\\' || c.is_whitespace() || c.is_control());
    let has_one_host = match parsed.host() {
        Some(Host::Domain(name)) => {
            let is_of_names = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
            name.bytes().all(is_of_names)
        }
        Some(Host::Ipv4(_) | Host::Ipv6(_)) | None => true,
    };
    allowed
        && is_plain
        && has_one_host
        && !authority.contains(['@', '*'])
        && uri.len() <= MAX_URI_BYTES
        && parsed.fragment().is_none()
}

fn is_loopback(uri: &Url) -> bool {
    match uri.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// The same URI, character by character; on the loopback, where a native app can't choose, with any port (RFC 8252, 7.3).
pub(super) fn same_redirect(registered: &str, sent: &str) -> bool {
    if registered == sent {
        return true;
    }
    let (Ok(mut registered), Ok(mut sent)) = (Url::parse(registered), Url::parse(sent)) else {
        return false;
    };
    let both_loopback = registered.scheme() == "http" && is_loopback(&registered) && is_loopback(&sent);
    both_loopback && registered.set_port(None).is_ok() && sent.set_port(None).is_ok() && registered == sent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_redirect_uris_can_be_registered() {
        for good in [
            "https://app.example.com/callback?x=1",
            "http://127.0.0.1:8000/cb",
            "http://localhost/cb",
            "com.example.app:/cb",
        ] {
            assert!(is_redirect_uri(good), "{good}");
        }
        for bad in [
            "http://app.example.com/callback",
            "https://app.example.com/#fragment",
            "https://app.example.com/#",
            "https://user@app.example.com/",
            "https://user:secret@app.example.com/",
            "https://:secret@app.example.com/",
            "https://@app.example.com/",
            "https:user@app.example.com/",
            "https://*",
            "https://*/callback",
            "https://*.example.com/callback",
            "https://app.*.com/callback",
            "https://app.example.com,evil.example/callback",
            "https://app.example.com\\@evil.example/",
            "https://app.example.com/\tcallback",
            " https://app.example.com/",
            "https:app.example.com/",
            "https:///app.example.com/",
            "com.example.app://*/cb",
            "com.example.app://user@host/cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "/callback",
            "",
        ] {
            assert!(!is_redirect_uri(bad), "{bad}");
        }
    }

    #[test]
    fn a_redirect_must_be_the_registered_one_but_for_a_loopback_port() {
        let same = same_redirect;
        assert!(same("https://a.example/cb", "https://a.example/cb"));
        assert!(same("http://127.0.0.1/cb", "http://127.0.0.1:4711/cb"));
        for other in [
            "https://a.example/cb/",
            "https://a.example/cb?x",
            "https://a.example:444/cb",
            "http://a.example/cb",
        ] {
            assert!(!same("https://a.example/cb", other), "{other}");
        }
        assert!(!same("http://127.0.0.1/cb", "http://127.0.0.1:4711/other"));
        assert!(!same("http://127.0.0.1/cb", "https://127.0.0.1:4711/cb"));
    }
}
