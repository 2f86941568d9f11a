//! What handlers read from a request besides its message: the caller, the person, the idempotency key.

use std::sync::Arc;

use tonic::Extensions;
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};

use super::validate::Violations;
use crate::error::{Error, Result};
use crate::model::{Caller, OWN_PERSON, Origin, Owner};
use crate::proto::Field;
use crate::proto::v1::{self as pb, TextForm};

/// As every request that names a person declares it.
const USER_ID: &Field = pb::StoreMemoriesRequest::USER_ID;
/// The metadata in its place.
const X_USER_ID: &Field = &Field {
    name: "x-user-id",
    ..*USER_ID
};
/// The metadata `idempotency-key`, which no proto declares.
const IDEMPOTENCY_KEY: &Field = &Field {
    min_length: 1,
    max_length: 128,
    form: TextForm::Visible,
    ..Field::named("idempotency-key")
};

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
        Some(user_id) => (USER_ID, Some(user_id)),
        None => (X_USER_ID, text(metadata, X_USER_ID.name, violations)),
    };
    violations.text_if_some(field, user_id.as_ref());
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
    let key = text(metadata, IDEMPOTENCY_KEY.name, violations)?;
    violations.text(IDEMPOTENCY_KEY, &key);
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
