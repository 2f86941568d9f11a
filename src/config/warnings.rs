//! What an operator should know of settings that are allowed.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use url::Url;

use super::settings::find;
use super::sources::{Given, Origin, Sources};
use super::{Config, Form};

/// What a start should say.
pub(super) fn warnings(config: &Config, sources: &Sources) -> Vec<String> {
    let mut said: Vec<String> = sources
        .unknown
        .iter()
        .map(|variable| format!("the variable {variable} is none of the settings and changes nothing"))
        .collect();
    let is_encrypted = config.tls.is_some() || !config.trusted_proxies.is_empty();
    if config.tls_required && !is_encrypted {
        said.push(
            "tls.required is on, but there is neither tls.cert nor trusted_proxies: nobody will get an answer"
                .to_owned(),
        );
    }
    if !config.listen.ip().to_canonical().is_loopback() {
        let listen = config.listen;
        if !is_encrypted {
            said.push(format!(
                "keys and memories cross the network unencrypted at {listen}: set tls.cert and tls.key, or trusted_proxies \
                 where a proxy encrypts"
            ));
        }
        if config.auth.is_registration_open {
            said.push(format!(
                "anybody who can reach {listen} can make an account: with auth.registration = \"closed\" only the command \
                 line can"
            ));
        }
    }
    if config.auth.jwt_secret.is_none() && !config.database.url.starts_with("sqlite:") {
        said.push(
            "auth.jwt_secret is not set: other instances on this database will not believe this one's tokens"
                .to_owned(),
        );
    }
    said.extend(config.tls.iter().filter_map(|tls| exposed("the private key", &tls.key)));
    let in_file = sources.given.iter().find_map(|(name, given)| match &given.origin {
        Origin::File { file, .. } if is_secret(name, given) => Some(file),
        Origin::File { .. } | Origin::Variable(_) => None,
    });
    said.extend(in_file.and_then(|file| exposed("the settings file, which holds secrets,", file)));
    said
}

fn is_secret(name: &str, given: &Given) -> bool {
    match find(name).map(|setting| setting.form) {
        Some(Form::DatabaseUrl) => Url::parse(&given.text).is_ok_and(|url| url.password().is_some()),
        Some(form) => form.is_secret(),
        None => false,
    }
}

/// Whether others may read or change a file. Its group may read it: services are often given their secrets so.
fn exposed(what: &str, file: &Path) -> Option<String> {
    let mode = std::fs::metadata(file).ok()?.permissions().mode() & 0o777;
    let file = file.display();
    (mode & 0o026 != 0).then(|| format!("others may read or change {what} {file} (mode {mode:03o}): chmod 640 {file}"))
}
