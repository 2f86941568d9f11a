//! The calls of accounts and sessions.

use memsync::proto::v1::{self as pb};
use serde_json::{Value, json};
use tonic::Code;

use super::{Call, Expected, Expected::*, Fresh, INVALID, SIGN_IN, by_session, call};
use crate::support::PASSWORD;

const TAKEN: Expected = Failure(409, Code::AlreadyExists, "EMAIL_TAKEN");
const NEXT_PASSWORD: &str = "ten white herons by the lake";

pub fn calls(rpc: &str, fresh: &Fresh) -> Option<Vec<Call>> {
    Some(match rpc {
        "Register" => register(fresh),
        "SetUpAccount" => set_up(fresh),
        "Login" => login(fresh),
        "RefreshToken" => refresh(fresh),
        "Logout" => {
            let logout = |expected| call(expected, Value::Null, "", json!({}), pb::LogoutRequest {});
            let mut calls = vec![logout(SIGN_IN)];
            calls.extend(by_session(vec![logout(Same), logout(SIGN_IN)]));
            calls
        }
        "ChangePassword" => change_password(),
        "DeleteAccount" => delete_account(),
        "WhoAmI" => {
            let who = |expected| call(expected, Value::Null, "", Value::Null, pb::WhoAmIRequest {});
            let mut calls = vec![who(Same)];
            calls.extend(by_session(vec![who(NewAnswer)]));
            calls
        }
        _ => return None,
    })
}

fn register(fresh: &Fresh) -> Vec<Call> {
    let register = |expected, email: &str, password: &str, name: Option<&str>| {
        let message = pb::RegisterRequest {
            email: email.to_owned(),
            password: password.to_owned(),
            name: name.map(str::to_owned),
        };
        let mut body = json!({"email": email, "password": password});
        if let Some(name) = name {
            body["name"] = name.into();
        }
        call(expected, Value::Null, "", body, message)
    };
    let new = format!("new-{}", fresh.email);
    vec![
        register(NewAnswer, &new, PASSWORD, Some("Ada Lovelace")),
        register(TAKEN, &new, PASSWORD, None),
        register(INVALID, "nobody", "short", Some("")),
        call(INVALID, Value::Null, "", json!({}), pb::RegisterRequest::default()),
    ]
}

fn set_up(fresh: &Fresh) -> Vec<Call> {
    let set_up = |expected, token: &str, email: &str, password: &str| {
        let body = json!({"setup_token": token, "email": email, "password": password});
        let message = pb::SetUpAccountRequest {
            setup_token: token.to_owned(),
            email: email.to_owned(),
            password: password.to_owned(),
        };
        call(expected, Value::Null, "", body, message)
    };
    let (token, new) = (&fresh.setup_token, format!("owner-{}", fresh.email));
    vec![
        call(INVALID, Value::Null, "", json!({}), pb::SetUpAccountRequest::default()),
        set_up(SIGN_IN, "memsync_setup_user_none_0", &new, PASSWORD),
        set_up(INVALID, token, "nobody", "short"),
        set_up(TAKEN, token, &fresh.email, PASSWORD),
        set_up(NewAnswer, token, &new, PASSWORD),
        set_up(SIGN_IN, token, &new, PASSWORD),
    ]
}

fn login(fresh: &Fresh) -> Vec<Call> {
    let login = |expected, email: &str, password: &str| {
        let body = json!({"email": email, "password": password});
        let message = pb::LoginRequest {
            email: email.to_owned(),
            password: password.to_owned(),
        };
        call(expected, Value::Null, "", body, message)
    };
    vec![
        login(NewAnswer, &fresh.email, PASSWORD),
        login(SIGN_IN, &fresh.email, "another password"),
        login(SIGN_IN, "nobody@example.com", PASSWORD),
        call(INVALID, Value::Null, "", json!({}), pb::LoginRequest::default()),
    ]
}

fn refresh(fresh: &Fresh) -> Vec<Call> {
    let refresh = |expected| {
        let body = json!({"refresh_token": fresh.refresh_token});
        let message = pb::RefreshTokenRequest {
            refresh_token: fresh.refresh_token.clone(),
        };
        call(expected, Value::Null, "", body, message)
    };
    vec![
        call(INVALID, Value::Null, "", json!({}), pb::RefreshTokenRequest::default()),
        refresh(NewAnswer),
        refresh(SIGN_IN),
    ]
}

fn change_password() -> Vec<Call> {
    let change = |expected, current: &str, new: &str| {
        let body = json!({"current_password": current, "new_password": new});
        let message = pb::ChangePasswordRequest {
            current_password: current.to_owned(),
            new_password: new.to_owned(),
        };
        call(expected, Value::Null, "", body, message)
    };
    let mut calls = vec![change(SIGN_IN, PASSWORD, NEXT_PASSWORD)];
    calls.extend(by_session(vec![
        change(INVALID, PASSWORD, "short"),
        change(INVALID, "", NEXT_PASSWORD),
        change(SIGN_IN, NEXT_PASSWORD, NEXT_PASSWORD),
        change(Same, PASSWORD, NEXT_PASSWORD),
        change(SIGN_IN, PASSWORD, NEXT_PASSWORD),
    ]));
    calls
}

fn delete_account() -> Vec<Call> {
    let delete = |expected, password: &str| {
        let body = json!({"password": password});
        let message = pb::DeleteAccountRequest {
            password: password.to_owned(),
        };
        call(expected, Value::Null, "", body, message)
    };
    let mut calls = vec![delete(SIGN_IN, PASSWORD)];
    calls.extend(by_session(vec![
        call(INVALID, Value::Null, "", json!({}), pb::DeleteAccountRequest::default()),
        delete(SIGN_IN, "another password"),
        delete(NewAnswer, PASSWORD),
        delete(SIGN_IN, PASSWORD),
    ]));
    calls
}
