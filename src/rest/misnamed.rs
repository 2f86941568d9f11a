//! Names in a request that are no field of it, but read as if they were: another spelling of a field, or what other
//! services call the person or a filter.
//!
//! Any other unknown name is ignored. These can't be: a request whose person or filter is passed over would be answered
//! with somebody else's memories, or with too many. `decode` asks for bodies, `params` for queries.

use std::borrow::Cow;

use super::scalar::Refusal;
use super::schema::MessageSchema;

/// The field of a request, and what it is called elsewhere, in lower-case letters.
const ELSEWHERE: [(&str, &[&str]); 7] = [
    (
        "user_id",
        &[
            "user",
            "users",
            "userids",
            "uid",
            "person",
            "personid",
            "enduser",
            "enduserid",
            "customerid",
            "ownerid",
            "actorid",
            "entityid",
            "tenant",
            "tenantid",
            "namespace",
        ],
    ),
    ("agent_id", &["agent", "assistantid", "appid", "botid"]),
    (
        "thread_id",
        &["thread", "runid", "sessionid", "conversationid", "chatid"],
    ),
    ("categories", &["category"]),
    ("category", &["categories"]),
    ("type", &["memorytype"]),
    ("memory_type", &["type"]),
];
/// What a set of conditions is called elsewhere.
const FILTERS: [&str; 6] = ["filter", "filters", "where", "criteria", "conditions", "metadatafilter"];
/// The fields that stand for such a set here.
const NARROWING: [&str; 11] = [
    "user_id",
    "agent_id",
    "thread_id",
    "category",
    "categories",
    "type",
    "instruction",
    "created_after",
    "created_before",
    "min_importance",
    "metadata",
];

/// Why a name that is no field of this message can't be passed over, with the right one; nothing where it can.
pub(super) fn refusal(message: &MessageSchema, name: &str) -> Option<Refusal> {
    // `filters.user_id` and `categories[]` are ways to write what belongs to a list or an object.
    let letters = letters(name.split(['.', '[']).next().unwrap_or_default());
    let has = |field: &str| message.field(field).is_some();
    let spelt_otherwise = message
        .fields
        .iter()
        .find(|field| self::letters(&field.name) == letters);
    if let Some(field) = spelt_otherwise {
        return Some(unknown(&field.name));
    }
    let mut elsewhere = ELSEWHERE.iter();
    if let Some((field, _)) = elsewhere.find(|(field, names)| names.contains(&letters.as_str()) && has(field)) {
        return Some(unknown(field));
    }
    if !FILTERS.contains(&letters.as_str()) || !has("user_id") {
        return None;
    }
    let fields: Vec<&str> = NARROWING.into_iter().filter(|field| has(field)).collect();
    Some(unknown(&fields.join(", ")))
}

fn unknown(instead: &str) -> Refusal {
    Cow::from(format!("is not a field of this request; use {instead}")).into()
}

fn letters(name: &str) -> String {
    let kept = name.chars().filter(|c| c.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::tests::real;

    fn told(message: &str, name: &str) -> Option<String> {
        let (schema, id, _) = real(message);
        let refusal = refusal(schema.message(id), name)?;
        Some(refusal.at(String::new()).reason.into_owned())
    }

    #[test]
    fn the_right_field_is_named() {
        let search = "memsync.v1.SearchMemoriesRequest";
        let list = "memsync.v1.ListMemoriesRequest";
        for (message, name, instead) in [
            (search, "userId", "user_id"),
            (search, "userID", "user_id"),
            (search, "user-id", "user_id"),
            (search, "userid", "user_id"),
            (search, "USER_ID", "user_id"),
            (search, "user", "user_id"),
            (search, "namespace", "user_id"),
            (search, "user_id[]", "user_id"),
            (search, "agentID", "agent_id"),
            (search, "run_id", "thread_id"),
            (search, "CreatedAfter", "created_after"),
            (search, "min-importance", "min_importance"),
            (search, "category", "categories"),
            (list, "categories[]", "category"),
            (
                list,
                "where",
                "user_id, agent_id, thread_id, category, type, instruction",
            ),
            (
                search,
                "filters",
                "user_id, agent_id, thread_id, categories, type, instruction, created_after, created_before, min_importance, metadata",
            ),
            (
                list,
                "filter[user_id]",
                "user_id, agent_id, thread_id, category, type, instruction",
            ),
            ("memsync.v1.CreateApiKeyRequest", "Scopes", "scopes"),
        ] {
            let expected = format!("is not a field of this request; use {instead}");
            assert_eq!(told(message, name), Some(expected), "{name} of {message}");
        }
    }

    #[test]
    fn what_means_nothing_here_is_passed_over() {
        for (message, name) in [
            ("memsync.v1.SearchMemoriesRequest", "temperature"),
            ("memsync.v1.SearchMemoriesRequest", "usage"),
            ("memsync.v1.SearchMemoriesRequest", ""),
            ("memsync.v1.SearchMemoriesRequest", "[]"),
            ("memsync.v1.LoginRequest", "filters"),
            ("memsync.v1.LoginRequest", "user"),
        ] {
            assert_eq!(told(message, name), None, "{name} of {message}");
        }
    }
}
