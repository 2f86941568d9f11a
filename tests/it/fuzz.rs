//! Requests that nobody would write, made from the descriptors: whatever is sent to whichever route as whoever, the
//! answer is a documented one and the next request is answered too.
//!
//! The same in every run: each route has a seed of its own.

mod generator;
mod values;
mod wire;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::join_all;
use memsync::model::{Clock, Scope};
use memsync::proto::DESCRIPTORS;
use prost_reflect::{DescriptorPool, MethodDescriptor};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use self::generator::{Generator, Hostile, Known};
use crate::support::{Answer, Postgres, Rest, TestServer, bindings, conversation, send};

const CALLBACK: &str = "https://app.example.com/callback?from=memsync";

/// A server, and somebody on it in every way in which one can ask.
struct Target {
    server: TestServer,
    key: Rest,
    person: Rest,
    /// A session that a sign-out may end.
    spare: Rest,
    nobody: Rest,
    known: Known,
    client_secret: String,
}

#[derive(Clone, Copy, Debug)]
enum Who {
    Key,
    Person,
    Nobody,
}

impl Target {
    async fn start(server: TestServer) -> Self {
        let person = server.register("ada@example.com").await;
        let spare = server.sign_in("ada@example.com").await;
        let scopes = Scope::ALL.map(|scope| scope.as_str());
        let key = server.create_key("ada@example.com", &scopes).await.secret;
        let other = server.create_key("ada@example.com", &scopes).await;
        let stored = server.rest(&key).store(&conversation("t", &["I live in Oslo."])).await;
        let body = json!({"name": "program", "redirect_uris": [CALLBACK]});
        let client = server
            .bearer(&person.access_token)
            .post("/v1/oauth/clients", &body)
            .await
            .json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            key: server.rest(&key),
            person: server.bearer(&person.access_token),
            spare: server.bearer(&spare.access_token),
            nobody: server.anonymous(),
            known: Known {
                memory_id: text(&stored["memories"][0]["id"]),
                api_key_id: other.id.to_string(),
                client_id: text(&client["client"]["client_id"]),
                refresh_token: spare.refresh_token,
            },
            client_secret: text(&client["client_secret"]),
            server,
        }
    }

    /// One request as this caller.
    async fn send(&self, who: Who, method: &MethodDescriptor, request: &Hostile) -> Result<Answer, String> {
        let rest = match who {
            Who::Key => &self.key,
            Who::Person if method.name() == "Logout" => &self.spare,
            Who::Person => &self.person,
            Who::Nobody => &self.nobody,
        };
        try_send(request, request.complete(rest.request(request.verb, &request.path))).await
    }

    async fn assert_still_answers(&self) {
        for rest in [&self.key, &self.person] {
            assert_eq!(rest.get("/healthcheck").await.ok()["authenticated"], true);
            rest.store(&conversation("after", &["I work as a nurse in Oslo."]))
                .await;
            let hits = rest.search(&json!({"query": "What does the user do for work?"})).await;
            assert!(hits[0]["memory"].as_str().unwrap().contains("nurse"), "{hits:?}");
        }
    }
}

/// The answer; or that there is none, which is a fault.
async fn try_send(hostile: &Hostile, request: RequestBuilder) -> Result<Answer, String> {
    let none = |e: reqwest::Error| format!("{hostile:?}\n  → {e:?}");
    let response = request.send().await.map_err(none)?;
    Ok(Answer {
        status: response.status(),
        headers: response.headers().clone(),
        bytes: response.bytes().await.map_err(none)?.to_vec(),
    })
}

/// What is wrong with an answer.
fn fault(request: &Hostile, answer: &Answer) -> Option<String> {
    let status = answer.status;
    let shape = || std::panic::catch_unwind(|| answer.documented_shape()).is_ok();
    let is_good = if status.as_u16() == 501 {
        request.verb == "HEAD" || (answer.json()["error"]["code"] == "NOT_IMPLEMENTED" && shape())
    } else if status.is_client_error() {
        request.verb == "HEAD" || shape()
    } else {
        status.is_success()
    };
    (!is_good || answer.header("x-request-id").is_none()).then(|| told(request, answer))
}

fn told(request: &Hostile, answer: &Answer) -> String {
    let shown = String::from_utf8_lossy(&answer.bytes);
    format!(
        "{request:?}\n  → {} {}",
        answer.status,
        shown.chars().take(600).collect::<String>()
    )
}

#[track_caller]
fn assert_none(faults: &[String]) {
    let first: Vec<&str> = faults.iter().take(20).map(String::as_str).collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), first.join("\n"));
}

/// So many requests to each route as each caller.
async fn attack_every_route(target: &Target, rounds: u64) -> Vec<String> {
    let pool = DescriptorPool::decode(DESCRIPTORS).unwrap();
    let methods: Vec<MethodDescriptor> = pool
        .services()
        .filter(|service| service.package_name() == "memsync.v1")
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .collect();
    let routes: Vec<_> = methods
        .iter()
        .flat_map(|method| bindings(method).into_iter().map(move |binding| (method, binding)))
        .collect();
    assert!(routes.len() > 28, "{}", routes.len());
    let attacks = routes.iter().zip(1..).map(|((method, binding), seed)| async move {
        let mut generator = Generator::new(seed, &target.known);
        let mut faults = Vec::new();
        for round in 0..rounds {
            let mut request = generator.request(binding, &method.input());
            if round == 0 {
                request = Hostile::with_nul(binding);
            }
            for who in [Who::Key, Who::Person, Who::Nobody] {
                let fault = match target.send(who, method, &request).await {
                    Ok(answer) => fault(&request, &answer),
                    Err(fault) => Some(fault),
                };
                faults.extend(fault.map(|fault| format!("{who:?}: {fault}")));
            }
        }
        faults
    });
    join_all(attacks).await.concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_to_any_route_by_anybody_gets_an_undocumented_answer() {
    let target = Target::start(TestServer::start().await).await;
    assert_none(&attack_every_route(&target, 70).await);
    target.assert_still_answers().await;
}

/// Ids and tokens with a NUL, which PostgreSQL takes in no text: none may get there.
async fn send_nuls(target: &Target) -> Vec<String> {
    let own = format!(
        "client_id={}&client_secret={}",
        target.known.client_id, target.client_secret
    );
    let nobodys = "client_id=a%00b&client_secret=x";
    let form = |path, credentials: &str, rest: &str| (path, "x-www-form-urlencoded", format!("{credentials}&{rest}"));
    let mut faults = Vec::new();
    for (path, kind, body) in [
        (
            "/v1/auth/refresh",
            "json",
            r#"{"refresh_token": "memsync_rt_a\u0000b_c.d"}"#.to_owned(),
        ),
        (
            "/v1/auth/login",
            "json",
            r#"{"email": "a\u0000b@example.com", "password": "a\u0000b"}"#.to_owned(),
        ),
        form("/oauth/authorize", nobodys, "response_type=code"),
        form("/oauth/token", nobodys, "grant_type=client_credentials"),
        form(
            "/oauth/token",
            &own,
            "grant_type=refresh_token&refresh_token=memsync_rt_a%00b_c.d",
        ),
        form(
            "/oauth/token",
            &own,
            "grant_type=authorization_code&code=a%00b&code_verifier=a%00b",
        ),
        form("/oauth/introspect", nobodys, "token=x"),
        form("/oauth/introspect", &own, "token=memsync_rt_a%00b_c.d"),
        form("/oauth/revoke", &own, "token=memsync_rt_a%00b_c.d"),
    ] {
        let request = target.nobody.request("POST", path).body(body.clone());
        let answer = send(request.header("content-type", format!("application/{kind}"))).await;
        // A token that is nothing is no error there.
        let is_fine = answer.status.is_client_error() || (path != "/oauth/token" && answer.status.is_success());
        if !is_fine {
            faults.push(format!("POST {path} {body} → {}", answer.status));
        }
    }
    faults
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_does_one_on_postgresql_which_refuses_more_than_sqlite() {
    let postgres = Postgres::start();
    let url = postgres.url();
    let server = TestServer::start_with(|config| config.database.url = url, Clock::system()).await;
    let target = Target::start(server).await;
    let mut faults = attack_every_route(&target, 15).await;
    faults.extend(attack_oauth(&target, 60).await);
    faults.extend(send_nuls(&target).await);
    assert_none(&faults);
    target.assert_still_answers().await;
}

/// What is wrong with an answer of an endpoint that programs call, or people's browsers for them.
fn oauth_fault(path: &str, request: &Hostile, answer: &Answer) -> Option<String> {
    let status = answer.status.as_u16();
    let is_documented = match (path, status) {
        (_, 200) => true,
        (_, 405) => answer.bytes.is_empty() && answer.header("allow").is_some(),
        ("/oauth/authorize", 303) => answer.header("location").is_some_and(|to| to.starts_with(CALLBACK)),
        ("/oauth/authorize", 400 | 401 | 429) => answer.header("content-type") == Some("text/html; charset=utf-8"),
        (_, 400 | 401) => {
            let body: Value = serde_json::from_slice(&answer.bytes).unwrap_or_default();
            body["error"].is_string() && body["error_description"].is_string()
        }
        _ => false,
    };
    let is_good = request.verb == "HEAD" || is_documented;
    let is_kept = answer.header("cache-control") != Some("no-store");
    (!is_good || is_kept).then(|| told(request, answer))
}

async fn attack_oauth(target: &Target, rounds: u64) -> Vec<String> {
    let basic = STANDARD.encode(format!("{}:{}", target.known.client_id, target.client_secret));
    let basic = format!("Basic {basic}");
    // A browser would follow; where to is what is judged here.
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let browser = &browser.build().unwrap();
    let paths = ["/oauth/authorize", "/oauth/token", "/oauth/revoke", "/oauth/introspect"];
    let attacks = paths.into_iter().zip(1000..).map(|(path, seed)| {
        let basic = &basic;
        async move {
            let mut generator = Generator::new(seed, &target.known);
            let mut faults = Vec::new();
            for _ in 0..rounds {
                let form = generator.form(path, CALLBACK);
                for credentials in [Some(basic), None] {
                    let request = browser.request(form.verb.parse().unwrap(), target.server.url(&form.path));
                    let request = match credentials {
                        Some(basic) => request.header("authorization", basic),
                        None => request,
                    };
                    let fault = match try_send(&form, form.complete(request)).await {
                        Ok(answer) => oauth_fault(path, &form, &answer),
                        Err(fault) => Some(fault),
                    };
                    faults.extend(fault);
                }
            }
            faults
        }
    });
    join_all(attacks).await.concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_form_to_an_oauth_endpoint_fails_the_server_or_sends_a_browser_elsewhere() {
    let target = Target::start(TestServer::start().await).await;
    assert_none(&attack_oauth(&target, 300).await);
    target.assert_still_answers().await;
}
