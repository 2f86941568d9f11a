use prost_reflect::DescriptorPool;

use super::*;
use crate::model::{
    MAX_CATEGORIES, MAX_EMAIL_BYTES, MAX_METADATA_BYTES, MAX_NAME_CHARS, MAX_PASSWORD_CHARS, MAX_REDIRECT_URIS,
    MAX_TEXT_BYTES, MAX_URI_BYTES, MIN_PASSWORD_CHARS,
};
use crate::proto::DESCRIPTORS;
use crate::proto::v1 as pb;

fn text_of(field: &'static Field, text: &str) -> Option<String> {
    text_fault(field, text).map(Cow::into_owned)
}

/// What the check says of the field, with its name.
fn said<T>(check: impl FnOnce(&mut Violations) -> T) -> Vec<(String, String)> {
    let mut violations = Violations::default();
    check(&mut violations);
    let pair = |violation: Violation| (violation.field.to_string(), violation.reason.to_string());
    violations.list.into_iter().map(pair).collect()
}

fn one(field: &str, reason: &str) -> Vec<(String, String)> {
    vec![(field.to_owned(), reason.to_owned())]
}

#[test]
fn a_text_of_the_declared_length_is_taken_and_one_beyond_is_refused() {
    let id = pb::GetMemoryRequest::MEMORY_ID;
    for length in [1, 128] {
        assert_eq!(
            text_of(id, &"é".repeat(length)),
            None,
            "{length} characters of two bytes"
        );
    }
    for length in [0, 129, 200] {
        let fault = text_of(id, &"é".repeat(length));
        assert_eq!(fault.as_deref(), Some("must be 1 to 128 characters"), "{length}");
    }
    let content = pb::Message::CONTENT;
    for (text, fits) in [
        (String::new(), true),
        ("é".repeat(16_384), true),
        ("é".repeat(16_385), false),
    ] {
        let fault = text_of(content, &text);
        let expected = (!fits).then_some("must be at most 32768 bytes");
        assert_eq!(fault.as_deref(), expected, "{} bytes", text.len());
    }
}

#[test]
fn a_text_is_of_its_declared_form() {
    let unseen = "must have no control or invisible characters";
    let query = "must be 1 to 4096 characters, not all blank";
    let kept = "must be 1 to 32768 bytes, not all blank, without NUL";
    for (field, text, fault) in [
        (pb::GetMemoryRequest::MEMORY_ID, "mem_1", None),
        (pb::GetMemoryRequest::MEMORY_ID, "mem\u{200b}", Some(unseen)),
        (
            pb::GetMemoryRequest::MEMORY_ID,
            "mem_1 ",
            Some("must not begin or end with white space"),
        ),
        (pb::CreateApiKeyRequest::NAME, " laptop ", None),
        (pb::CreateApiKeyRequest::NAME, "a\nb", Some(unseen)),
        (pb::CreateApiKeyRequest::NAME, "  ", Some("must not be blank")),
        (pb::SearchMemoriesRequest::QUERY, "\0", None),
        (pb::SearchMemoriesRequest::QUERY, "\n ", Some(query)),
        (pb::UpdateMemoryRequest::CONTENT, " x", None),
        (pb::UpdateMemoryRequest::CONTENT, "", Some(kept)),
        (pb::UpdateMemoryRequest::CONTENT, "a\0b", Some(kept)),
    ] {
        assert_eq!(text_of(field, text).as_deref(), fault, "{} {text:?}", field.name);
    }
}

#[test]
fn answers_give_the_declared_bounds() {
    let metadata = |depth: usize, text: &str| {
        let around = |kind| Struct {
            fields: [("k".to_owned(), Value { kind: Some(kind) })].into(),
        };
        let innermost = around(Kind::StringValue(text.to_owned()));
        Some((1..depth).fold(innermost, |inner, _| around(Kind::StructValue(inner))))
    };
    let field = pb::SearchMemoriesRequest::METADATA;
    assert_eq!(said(|v| v.metadata(field, metadata(8, ""))), []);
    assert_eq!(
        said(|v| v.metadata(field, metadata(9, ""))),
        one("metadata", "must be at most 8 levels deep")
    );
    assert_eq!(
        said(|v| v.metadata(field, metadata(1, &"x".repeat(16 << 10)))),
        one("metadata", "must be at most 16 KiB as JSON")
    );
    let field = pb::ListApiKeysRequest::OFFSET;
    assert_eq!(said(|v| v.number(field, Some(i32::MAX))), []);
    assert_eq!(
        said(|v| v.number(field, Some(-1))),
        one("offset", "must be 0 to 2147483647")
    );
    assert_eq!(
        said(|v| v.share(pb::UpdateMemoryRequest::IMPORTANCE, Some(f64::NAN))),
        one("importance", "must be 0.0 to 1.0")
    );
    assert_eq!(
        said(|v| v.count(pb::CreateApiKeyRequest::ALLOWED_IPS, "", 101)),
        one("allowed_ips", "must be at most 100")
    );
    assert_eq!(
        said(|v| v.count(pb::BatchDeleteMemoriesRequest::MEMORY_IDS, "ids", 0)),
        one("memory_ids", "must be 1 to 1000 ids")
    );
}

#[test]
fn answers_give_the_words_of_an_enum() {
    let (sort, order) = (pb::ListMemoriesRequest::SORT, pb::ListMemoriesRequest::ORDER);
    let include = pb::GetBioRequest::INCLUDE.item(2);
    let nothing = |_: pb::SortOrder| None::<()>;
    assert_eq!(
        said(|v| v.word(sort, Some(99), nothing)),
        one("sort", "must be created_at, updated_at or importance")
    );
    assert_eq!(
        said(|v| v.word(order, Some(0), nothing)),
        one("order", "must be asc or desc")
    );
    assert_eq!(
        said(|v| v.word(include, Some(99), nothing)),
        one(
            "include[2]",
            "must be one of: bio, categories, insights, stats, traits, sources"
        )
    );
}

#[test]
fn what_is_kept_has_the_limits_that_requests_declare() {
    for (limit, declared) in [
        (MAX_NAME_CHARS, pb::StoreMemoriesRequest::USER_ID.max_length),
        (MAX_NAME_CHARS, pb::StoreMemoriesRequest::AGENT_ID.max_length),
        (MAX_NAME_CHARS, pb::StoreMemoriesRequest::THREAD_ID.max_length),
        (MAX_NAME_CHARS, pb::StoreMemoriesRequest::SOURCE.max_length),
        (MAX_NAME_CHARS, pb::RegisterRequest::NAME.max_length),
        (MAX_TEXT_BYTES, pb::Message::CONTENT.max_bytes),
        (MAX_TEXT_BYTES, pb::UpdateMemoryRequest::CONTENT.max_bytes),
        (MAX_METADATA_BYTES, pb::StoreMemoriesRequest::METADATA.max_bytes),
        (MAX_METADATA_BYTES, pb::UpdateMemoryRequest::METADATA.max_bytes),
        (MAX_CATEGORIES, pb::UpdateMemoryRequest::CATEGORIES.max_distinct_items),
        (MAX_EMAIL_BYTES, pb::RegisterRequest::EMAIL.max_length),
        (MAX_EMAIL_BYTES, pb::SetUpAccountRequest::EMAIL.max_length),
        (MIN_PASSWORD_CHARS, pb::RegisterRequest::PASSWORD.min_length),
        (MAX_PASSWORD_CHARS, pb::RegisterRequest::PASSWORD.max_length),
        (MIN_PASSWORD_CHARS, pb::SetUpAccountRequest::PASSWORD.min_length),
        (MAX_PASSWORD_CHARS, pb::SetUpAccountRequest::PASSWORD.max_length),
        (MIN_PASSWORD_CHARS, pb::ChangePasswordRequest::NEW_PASSWORD.min_length),
        (MAX_PASSWORD_CHARS, pb::ChangePasswordRequest::NEW_PASSWORD.max_length),
        (MAX_REDIRECT_URIS, pb::CreateOAuthClientRequest::REDIRECT_URIS.max_items),
        (MAX_URI_BYTES, pb::CreateOAuthClientRequest::REDIRECT_URIS.max_bytes),
    ] {
        assert_eq!(limit, declared);
    }
}

#[test]
fn every_request_declares_the_person_alike() {
    let descriptors = DescriptorPool::decode(DESCRIPTORS).expect("compiled descriptors");
    let option = descriptors
        .get_extension_by_name("memsync.v1.limits")
        .expect("declared");
    let methods = descriptors
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>());
    let mut declared = Vec::new();
    for request in methods.map(|method| method.input()) {
        // One that must name somebody, and one that must not.
        if let Some(field) = request.get_field_by_name("user_id")
            && !["EraseUserRequest", "EraseOwnDataRequest"].contains(&request.name())
        {
            let limits = field.options().get_extension(&option).to_string();
            declared.push((request.name().to_owned(), limits));
        }
    }
    assert!(declared.len() > 15, "{declared:?}");
    for (request, limits) in &declared {
        assert_eq!(*limits, declared[0].1, "{request}");
    }
}
