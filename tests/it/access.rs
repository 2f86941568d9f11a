//! Every RPC lets in whom its declaration names and nobody else, over both transports and whatever the body.

mod credentials;
mod ids;
mod names;
mod refusal;

use std::collections::BTreeSet;

use memsync::config::Hidden;
use memsync::model::{Clock, Scope};
use memsync::proto::DESCRIPTORS;
use prost_reflect::{DescriptorPool, MethodDescriptor};
use serde_json::json;
use tonic::Code;
use tonic_types::StatusExt;

use self::credentials::{JWT_SECRET, bad_credentials};
use self::refusal::{Clients, UNAUTHENTICATED, assert_refused, lacking};
use crate::support::{Access, TestServer, access, bindings, call_raw, send};

/// Bodies that no RPC takes, and one that many take.
const BODIES: [(&str, &[u8]); 4] = [
    ("application/json", b"{}"),
    ("application/json", b"\xff{]garbage"),
    ("text/xml", b"<a/>"),
    (
        "application/json",
        b"{\"limit\": \"many\", \"messages\": 7, \"name\": [null]}",
    ),
];
/// No message of any type: a field number that is cut off.
const BAD_MESSAGE: &[u8] = &[0xff, 0xff];

fn methods() -> Vec<MethodDescriptor> {
    let pool = DescriptorPool::decode(DESCRIPTORS).unwrap();
    let methods: Vec<MethodDescriptor> = pool
        .services()
        .filter(|service| service.package_name() == "memsync.v1")
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .collect();
    assert!(methods.len() >= 28, "{}", methods.len());
    methods
}

async fn server() -> TestServer {
    let secret = |config: &mut memsync::config::Config| config.auth.jwt_secret = Some(Hidden(JWT_SECRET.to_owned()));
    TestServer::start_with(secret, Clock::system()).await
}

/// The path of a binding, with `id` wherever it wants one.
fn path(template: &str, id: &str) -> String {
    let part = |part: &str| {
        if part.starts_with('{') {
            id.to_owned()
        } else {
            part.to_owned()
        }
    };
    template.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_in_with_bad_credentials_and_all_hear_the_same_from_every_rpc() {
    let server = server().await;
    let clients = Clients::of(&server);
    let bad = bad_credentials(&server).await;
    let mut turn = 0;
    for method in methods() {
        if access(&method) == Access::Public {
            continue;
        }
        for (who, headers) in &bad {
            let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
            // Every body with some, one after the other with the rest.
            turn = (turn + 1) % BODIES.len();
            let bodies = match *who {
                "nobody" | "an unknown key" | "an expired token" => &BODIES[..],
                _ => &BODIES[turn..=turn],
            };
            assert_refused(&clients, &headers, &method, &UNAUTHENTICATED, (who, bodies)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_rpc_answers_whatever_credentials_come_with_it() {
    let server = server().await;
    let clients = Clients::of(&server);
    let mut bad = bad_credentials(&server).await;
    let all = Scope::ALL.map(|scope| scope.as_str());
    bad.push((
        "a key",
        vec![("x-api-key", server.create_key("ada@example.com", &all).await.secret)],
    ));
    let mut public = BTreeSet::new();
    for method in methods() {
        if access(&method) != Access::Public {
            continue;
        }
        public.insert(method.name().to_owned());
        for (who, headers) in &bad {
            let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
            for message in [Vec::new(), BAD_MESSAGE.to_vec()] {
                let status = call_raw(clients.channel.clone(), &headers, &method, message)
                    .await
                    .unwrap_err();
                let info = status.get_error_details().error_info().cloned().unwrap();
                let answer = (status.code(), info.reason.as_str());
                assert_eq!(answer, (Code::InvalidArgument, "VALIDATION_ERROR"), "{who}: {status:?}");
            }
            let rest = clients.rest(&headers);
            for binding in bindings(&method) {
                let answer = rest.post(&binding.template, &json!({})).await;
                let details = answer.failure(400, "VALIDATION_ERROR");
                assert!(
                    !details["violations"].as_array().unwrap().is_empty(),
                    "{who}: {details}"
                );
                let answer = rest.post_bytes(&binding.template, "garbage").await;
                answer.failure(400, "VALIDATION_ERROR");
            }
        }
    }
    let expected = ["Login", "RefreshToken", "Register", "SetUpAccount"].map(str::to_owned);
    assert_eq!(public, expected.into(), "nothing else is open to everybody");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_refused_by_what_its_scopes_do_not_name_and_by_what_is_for_people() {
    let server = server().await;
    let clients = Clients::of(&server);
    let mut refused = 0;
    for method in methods() {
        let (but, refusal) = match access(&method) {
            Access::Public | Access::Authenticated => continue,
            Access::SignedIn => (None, UNAUTHENTICATED),
            Access::Scope(_) => (Some(access(&method)), UNAUTHENTICATED),
        };
        let lacked = match &but {
            Some(Access::Scope(scope)) => Some(scope.as_str()),
            _ => None,
        };
        let refusal = lacked.map_or(refusal, lacking);
        let scopes = Scope::ALL.map(|scope| scope.as_str());
        let others: Vec<&str> = scopes.into_iter().filter(|scope| Some(*scope) != lacked).collect();
        let key = server.create_key("ada@example.com", &others).await.secret;
        let who = format!("a key with all scopes but {lacked:?}");
        assert_refused(&clients, &[("x-api-key", &key)], &method, &refusal, (&who, &BODIES)).await;
        refused += 1;
    }
    assert!(refused > 20, "{refused}");
}

/// Whether an answer is one of who may not do what they asked for.
fn is_refusal(code: Code) -> bool {
    matches!(code, Code::Unauthenticated | Code::PermissionDenied)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_with_just_the_scope_is_let_in() {
    let server = server().await;
    let clients = Clients::of(&server);
    for method in methods() {
        let scopes = match access(&method) {
            Access::Public | Access::SignedIn => continue,
            Access::Authenticated => vec!["profile:read".to_owned()],
            Access::Scope(scope) => vec![scope],
        };
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let key = server.create_key("ada@example.com", &scopes).await.secret;
        assert_let_in(&clients, ("x-api-key", &key), &method).await;
        assert_let_in(&clients, ("authorization", &format!("Bearer {key}")), &method).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_token_is_let_in_everywhere() {
    let server = server().await;
    let clients = Clients::of(&server);
    let token = server.register("ada@example.com").await.access_token;
    let shouted = clients.rest(&[("authorization", &format!("BEARER {token}"))]);
    shouted.get("/v1/auth/me").await.ok();
    let (ends, others): (Vec<_>, Vec<_>) = methods().into_iter().partition(|method| method.name() == "Logout");
    for method in others.iter().filter(|method| access(method) != Access::Public) {
        assert_let_in(&clients, ("authorization", &format!("Bearer {token}")), method).await;
    }
    let bearer = format!("Bearer {token}");
    let answer = call_raw(
        clients.channel.clone(),
        &[("authorization", &bearer)],
        &ends[0],
        Vec::new(),
    )
    .await;
    assert_eq!(answer.unwrap(), [8, 1], "success: true");
    let token = server.sign_in("ada@example.com").await.access_token;
    let answer = server.bearer(&token).post("/v1/auth/logout", &json!({})).await.ok();
    assert_eq!(answer, json!({"success": true}));
}

async fn assert_let_in(clients: &Clients, header: (&str, &str), method: &MethodDescriptor) {
    let rpc = method.full_name();
    let rest = clients.rest(&[header]);
    for binding in bindings(method) {
        let answer = rest
            .call(&binding.verb, &path(&binding.template, "x1"), &json!({}))
            .await;
        let status = answer.status.as_u16();
        assert!(!matches!(status, 401 | 403 | 429 | 500), "{rpc}: {answer:?}");
    }
    if let Err(status) = call_raw(clients.channel.clone(), &[header], method, Vec::new()).await {
        assert!(!is_refusal(status.code()), "{rpc}: {status:?}");
        assert!(
            !matches!(status.code(), Code::Internal | Code::Unknown),
            "{rpc}: {status:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_programs_token_does_what_it_was_granted_and_nothing_that_is_for_people() {
    let server = server().await;
    let clients = Clients::of(&server);
    let ada = server.register("ada@example.com").await;
    let program = json!({"name": "notes", "scopes": ["memories:read", "profile:read"]});
    let program = server
        .bearer(&ada.access_token)
        .post("/v1/oauth/clients", &program)
        .await
        .json();
    let form = format!(
        "grant_type=client_credentials&scope=memories:read&client_id={}&client_secret={}",
        program["client"]["client_id"].as_str().unwrap(),
        program["client_secret"].as_str().unwrap()
    );
    let request = server.anonymous().request("POST", "/oauth/token");
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let granted = send(request.body(form)).await.ok();
    let token = format!("Bearer {}", granted["access_token"].as_str().unwrap());
    let header = ("authorization", token.as_str());
    let who = ("a program's token", &BODIES[..1]);
    for method in methods() {
        match access(&method) {
            Access::Public => {}
            Access::Scope(scope) if scope != "memories:read" => {
                assert_refused(&clients, &[header], &method, &lacking(&scope), who).await;
            }
            Access::SignedIn => assert_refused(&clients, &[header], &method, &UNAUTHENTICATED, who).await,
            Access::Scope(_) | Access::Authenticated => assert_let_in(&clients, header, &method).await,
        }
    }
}
