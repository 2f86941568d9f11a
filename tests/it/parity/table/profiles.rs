//! The calls of ProfileService.

use memsync::proto::v1::{self as pb};
use prost::Message;
use serde_json::{Value, json};
use tonic::Code;

use super::Expected::{Failure, NewAnswer, Same};
use super::{Call, Expected, INVALID, call};

const NO_BIO: Expected = Failure(404, Code::NotFound, "BIO_NOT_FOUND");
const NO_PROFILE: Expected = Failure(404, Code::NotFound, "PROFILE_NOT_FOUND");
const TOO_LONG: Expected = Failure(400, Code::InvalidArgument, "BIO_TOO_LONG");
const NO_CATEGORY: Expected = Failure(400, Code::InvalidArgument, "INVALID_CATEGORY");
const NO_FORMAT: Expected = Failure(400, Code::InvalidArgument, "INVALID_FORMAT");

fn get(expected: Expected, query: &'static str, message: impl Message) -> Call {
    call(expected, json!({}), query, Value::Null, message)
}

fn nobody() -> Option<String> {
    Some("nobody".to_owned())
}

/// The calls of an RPC, in order. `told`: a person with memories enough; `person`: somebody new.
pub fn calls(rpc: &str, told: &str, person: &str) -> Option<Vec<Call>> {
    let told = Some(told.to_owned());
    Some(match rpc {
        "GetProfile" => {
            let profile = |include: &[pb::ProfilePart], category: Option<i32>, user_id| pb::GetProfileRequest {
                include: include.iter().map(|part| i32::from(*part)).collect(),
                category,
                refresh: None,
                user_id,
            };
            let everything = [
                pb::ProfilePart::Bio,
                pb::ProfilePart::Categories,
                pb::ProfilePart::Insights,
                pb::ProfilePart::Stats,
                pb::ProfilePart::Traits,
                pb::ProfilePart::Sources,
            ];
            let career = Some(pb::Category::Career.into());
            vec![
                get(Same, "user_id=told", profile(&[], None, told.clone())),
                get(
                    Same,
                    "user_id=told&include=bio,categories,insights,stats,traits,sources",
                    profile(&everything, None, told.clone()),
                ),
                get(Same, "user_id=told&category=career", profile(&[], career, told)),
                get(NO_PROFILE, "user_id=nobody", profile(&[], None, nobody())),
            ]
        }
        "GetUserProfile" => {
            let of = |user_id| pb::GetUserProfileRequest { user_id };
            vec![
                get(Same, "user_id=told", of(told)),
                get(NO_PROFILE, "user_id=nobody", of(nobody())),
            ]
        }
        "GetBio" => {
            let bio = |format: Option<i32>, style: Option<i32>, user_id| pb::GetBioRequest {
                format,
                style,
                user_id,
                ..Default::default()
            };
            let (short, formal) = (Some(pb::BioFormat::Short.into()), Some(pb::BioStyle::Formal.into()));
            let without = pb::GetBioRequest {
                exclude_categories: vec![pb::Category::Career.into(), pb::Category::Travel.into()],
                user_id: told.clone(),
                ..Default::default()
            };
            vec![
                get(Same, "user_id=told", bio(None, None, told.clone())),
                get(
                    NewAnswer,
                    "user_id=told&format=short&style=formal",
                    bio(short, formal, told.clone()),
                ),
                get(NewAnswer, "user_id=told&exclude_categories=career,travel", without),
                get(NO_FORMAT, "user_id=told&format=99", bio(Some(99), None, told.clone())),
                get(INVALID, "user_id=told&style=99", bio(None, Some(99), told)),
                get(NO_BIO, "user_id=nobody", bio(None, None, nobody())),
            ]
        }
        "UpdateBio" => {
            let change = |bio: &str| pb::UpdateBioRequest {
                bio: Some(bio.to_owned()),
                user_id: Some(person.to_owned()),
                ..Default::default()
            };
            let patch = |expected, body, message: pb::UpdateBioRequest| call(expected, json!({}), "", body, message);
            let long = "x".repeat(501);
            let wrong = pb::UpdateBioRequest {
                exclude_categories: vec![99],
                user_id: Some(person.to_owned()),
                ..Default::default()
            };
            let empty = pb::UpdateBioRequest {
                regenerate: Some(true),
                user_id: Some(person.to_owned()),
                ..Default::default()
            };
            vec![
                patch(NewAnswer, json!({"bio": "Rows.", "user_id": person}), change("Rows.")),
                patch(TOO_LONG, json!({"bio": long, "user_id": person}), change(&long)),
                patch(INVALID, json!({"bio": " ", "user_id": person}), change(" ")),
                patch(
                    NO_CATEGORY,
                    json!({"exclude_categories": ["sports"], "user_id": person}),
                    wrong,
                ),
                patch(NO_BIO, json!({"regenerate": true, "user_id": person}), empty),
            ]
        }
        "GetUserBio" => {
            let of = |user_id| pb::GetUserBioRequest { user_id };
            vec![
                get(Same, "user_id=told", of(told)),
                get(NO_BIO, "user_id=nobody", of(nobody())),
            ]
        }
        "SetUserBio" => {
            let set = |text: &str| pb::SetUserBioRequest {
                user_bio: text.to_owned(),
                user_id: Some(person.to_owned()),
            };
            let put = |expected, text: &str| {
                call(
                    expected,
                    json!({}),
                    "",
                    json!({"user_bio": text, "user_id": person}),
                    set(text),
                )
            };
            vec![
                put(NewAnswer, "Sails."),
                put(TOO_LONG, &"y".repeat(501)),
                put(NewAnswer, ""),
            ]
        }
        "UpdatePrivacy" => {
            let message = pb::UpdatePrivacyRequest {
                bio_public: Some(false),
                user_id: Some(person.to_owned()),
                ..Default::default()
            };
            let body = json!({"bio_public": false, "user_id": person});
            vec![call(Same, json!({}), "", body, message)]
        }
        "GetProfileHistory" => {
            let of = |limit, user_id| pb::GetProfileHistoryRequest { limit, user_id };
            vec![
                get(Same, "user_id=told&limit=5", of(Some(5), told)),
                get(Same, "user_id=nobody", of(None, nobody())),
                get(INVALID, "limit=0", of(Some(0), None)),
            ]
        }
        _ => return None,
    })
}
