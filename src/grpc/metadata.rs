//! What handlers read from a request besides its message: the caller, the person, the idempotency key.

use std::sync::Arc;

use tonic::Extensions;
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};

use super::validate::Violations;
use crate::error::{Error, Result};
use crate::model::{Caller, OWN_PERSON, Origin, Owner};

/// The caller that the authentication layer found; a request without one is refused.
pub(super) fn caller(extensions: &Extensions) -> Result<Arc<Caller>> {
    extensions.get::<Arc<Caller>>().cloned().ok_or(Error::Unauthenticated)
}

/// Where the request came from.
pub(super) fn origin(extensions: &Extensions) -> Arc<Origin> {
    extensions.get::<Arc<Origin>>().cloned().unwrap_or_default()
}

/// Whose data a request touches: its `user_id`, else the metadata `x-user-id`, else the account's own person. Fails
/// where the caller may not touch that person.
pub(super) fn owner(
    caller: &Caller,
    metadata: &MetadataMap,
    user_id: Option<String>,
    violations: &mut Violations,
) -> Result<Owner> {
    let (field, user_id) = match user_id {
        Some(user_id) => ("user_id", Some(user_id)),
        None => ("x-user-id", text(metadata, "x-user-id", violations)),
    };
    if let Some(user_id) = &user_id {
        violations.id(field, user_id, 0);
    }
    let user_id = user_id.unwrap_or_else(|| OWN_PERSON.to_owned());
    if !caller.grant.covers_person(&user_id) {
        return Err(Error::ForbiddenPerson);
    }
    Ok(Owner {
        account_id: caller.account_id.clone(),
        user_id,
    })
}

/// What concerns a whole account is not for keys that are bound to some of its people.
pub(super) fn may_touch_everybody(caller: &Caller) -> Result<()> {
    if caller.grant.user_ids.is_empty() {
        Ok(())
    } else {
        Err(Error::ForbiddenPerson)
    }
}

/// The metadata `idempotency-key`.
pub(super) fn idempotency_key(metadata: &MetadataMap, violations: &mut Violations) -> Option<String> {
    let key = text(metadata, "idempotency-key", violations)?;
    violations.visible("idempotency-key", &key, 1);
    Some(key)
}

/// The version that the metadata `if-match` names, as [`etag`] writes it; none for `*`.
pub(super) fn if_match(metadata: &MetadataMap, violations: &mut Violations) -> Option<i64> {
    let tag = text(metadata, "if-match", violations)?;
    let tag = tag.trim();
    if tag == "*" {
        return None;
    }
    let version = tag.trim_start_matches("W/").trim_matches('"').parse().ok();
    if version.is_none() {
        violations.add("if-match", "must be the ETag of a memory");
    }
    version
}

/// The entity tag of a memory's version.
pub(super) fn etag(version: i64) -> MetadataValue<Ascii> {
    MetadataValue::try_from(format!("\"{version}\"")).unwrap_or_else(|_| MetadataValue::from_static("\"\""))
}

fn text(metadata: &MetadataMap, name: &'static str, violations: &mut Violations) -> Option<String> {
    let mut values = metadata.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() {
        violations.add(name, "must be given once");
    }
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => Some(text.to_owned()),
        Err(_) => {
            violations.add(name, "must be UTF-8");
            None
        }
    }
}
