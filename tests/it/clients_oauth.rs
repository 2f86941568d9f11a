//! OAuth 2.0 by a library that others wrote, against the real binary; and how long codes and grants live.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;

use crate::clients_python::interpreter;
use crate::process::{Process, run};
use crate::support::{Answer, Hand, PASSWORD, TestServer, send};

const CALLBACK: &str = "https://app.example.com/callback";
const VERIFIER: &str = "a verifier of enough characters, which nobody would guess";

#[test]
fn a_program_that_uses_authlib_gets_what_it_was_granted_and_no_more() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path());
    let mut command = Command::new(interpreter());
    // Its modules import each other, and the sources are no place for what Python keeps of that.
    command.arg("-B");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/oauth_client.py");
    command.arg(script).arg(server.url());
    run(command).expect_success("oauth_client.py");
}

/// A program of Ada's, and Ada.
pub struct Program<'s> {
    server: &'s TestServer,
    email: &'static str,
    id: String,
    secret: String,
}

impl<'s> Program<'s> {
    pub async fn register(server: &'s TestServer) -> Self {
        let ada = server.register("ada@example.com").await;
        let body = json!({"name": "program", "redirect_uris": [CALLBACK]});
        let made = server.bearer(&ada.access_token).post("/v1/oauth/clients", &body).await;
        assert_eq!(made.status.as_u16(), 201, "{made:?}");
        let made = made.json();
        Self {
            server,
            email: "ada@example.com",
            id: made["client"]["client_id"].as_str().unwrap().to_owned(),
            secret: made["client_secret"].as_str().unwrap().to_owned(),
        }
    }

    /// The code of a yes.
    pub async fn code(&self) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let form = [
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", CALLBACK),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("decision", "allow"),
            ("email", self.email),
            ("password", PASSWORD),
        ];
        // A browser would follow; the program's page is not there.
        let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let request = browser.build().unwrap().post(self.server.url("/oauth/authorize"));
        let answer = send(
            request
                .header("content-type", "application/x-www-form-urlencoded")
                .body(encoded(&form)),
        )
        .await;
        assert_eq!(answer.status.as_u16(), 303, "{answer:?}");
        let location = Url::parse(answer.header("location").unwrap()).unwrap();
        let code = location.query_pairs().find(|(name, _)| name == "code");
        code.unwrap().1.into_owned()
    }

    pub async fn token(&self, form: &[(&str, &str)]) -> Answer {
        let own = [("client_id", self.id.as_str()), ("client_secret", &self.secret)];
        let request = self.server.anonymous().request("POST", "/oauth/token");
        send(
            request
                .header("content-type", "application/x-www-form-urlencoded")
                .body(encoded(&[form, &own].concat())),
        )
        .await
    }

    pub async fn exchange(&self, code: &str) -> Answer {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ])
        .await
    }

    pub async fn refresh(&self, tokens: &Value) -> Answer {
        let refresh_token = tokens["refresh_token"].as_str().unwrap();
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)])
            .await
    }

    async fn works(&self, tokens: &Value) -> bool {
        let rest = self.server.bearer(tokens["access_token"].as_str().unwrap());
        let answer = rest.get("/v1/memories").await;
        if answer.status.as_u16() != 200 {
            assert_eq!(answer.failure(401, "AUTHENTICATION_ERROR"), json!({}));
        }
        answer.status.as_u16() == 200
    }
}

fn encoded(form: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish()
}

#[track_caller]
fn assert_invalid_grant(answer: &Answer) {
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["error"]),
        (400, &json!("invalid_grant")),
        "{answer:?}"
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_sent_on_before_they_have_signed_in_or_said_no() {
    let server = TestServer::start().await;
    let program = Program::register(&server).await;
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let good = [
        ("response_type", "code"),
        ("client_id", &program.id),
        ("redirect_uri", CALLBACK),
        ("scope", "memories:read"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let browser = browser.build().unwrap();
    let post = |form: String| {
        let request = browser.post(server.url("/oauth/authorize")).body(form);
        request.header("content-type", "application/x-www-form-urlencoded")
    };
    for (name, value) in [
        ("response_type", "token"),
        ("response_type", ""),
        ("scope", "everything"),
        ("code_challenge", "short"),
        ("code_challenge_method", "plain"),
    ] {
        let bad = good.map(|(known, good)| (known, if known == name { value } else { good }));
        let query = encoded(&bad);
        let signed_in = encoded(
            &[
                &bad[..],
                &[("decision", "allow"), ("email", program.email), ("password", PASSWORD)],
            ]
            .concat(),
        );
        for request in [
            browser.get(server.url(&format!("/oauth/authorize?{query}"))),
            post(query.clone()),
            post(signed_in),
        ] {
            let answer = send(request).await;
            assert_eq!(
                (answer.status.as_u16(), answer.header("location")),
                (400, None),
                "{name}={value}"
            );
            assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
        }
    }
    // A form of another site says no in nobody's name.
    let no = encoded(&[&good[..], &[("decision", "deny")]].concat());
    for (site, status) in [("cross-site", 403), ("same-site", 403), ("same-origin", 303)] {
        let answer = send(post(no.clone()).header("sec-fetch-site", site)).await;
        assert_eq!(answer.status.as_u16(), status, "{site}");
        assert_eq!(answer.header("location").is_some(), status == 303, "{site}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_can_register_no_address_that_is_anybodys() {
    let server = TestServer::start().await;
    let ada = server.register("ada@example.com").await;
    let rest = server.bearer(&ada.access_token);
    for uri in [
        "https://*",
        "https://*.example.com/callback",
        "https://user@app.example.com/callback",
        "https://user:secret@app.example.com/callback",
        "https://@app.example.com/callback",
        "https://app.example.com/callback#",
        "https://app.example.com\\@evil.example/callback",
    ] {
        let body = json!({"name": "program", "redirect_uris": [CALLBACK, uri]});
        let details = rest
            .post("/v1/oauth/clients", &body)
            .await
            .failure(400, "VALIDATION_ERROR");
        assert_eq!(details["field"], "redirect_uris[1]", "{uri}");
    }
    assert_eq!(rest.get("/v1/oauth/clients").await.ok()["clients"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_waits_two_minutes_for_its_program_and_not_a_second_longer() {
    let hand = Hand::new();
    let server = TestServer::start_with(|_| {}, hand.clock()).await;
    let program = Program::register(&server).await;
    let (in_time, late) = (program.code().await, program.code().await);
    hand.forward(119);
    let tokens = program.exchange(&in_time).await.ok();
    assert!(program.works(&tokens).await);
    hand.forward(1);
    assert_invalid_grant(&program.exchange(&late).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_ends_to_the_second_and_its_grant_lives_on_while_it_is_refreshed() {
    let hand = Hand::new();
    let server = TestServer::start_with(|_| {}, hand.clock()).await;
    let program = Program::register(&server).await;
    let code = program.code().await;
    let mut tokens = program.exchange(&code).await.ok();
    for _ in 0..3 {
        hand.forward(899);
        assert!(program.works(&tokens).await);
        hand.forward(1);
        assert!(!program.works(&tokens).await);
        hand.forward(2000);
        tokens = program.refresh(&tokens).await.ok();
        assert!(program.works(&tokens).await);
    }
    hand.forward(3600);
    assert_invalid_grant(&program.refresh(&tokens).await);

    let own = program.token(&[("grant_type", "client_credentials")]).await.ok();
    hand.forward(899);
    assert!(program.works(&own).await);
    hand.forward(1);
    assert!(!program.works(&own).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_takes_back_what_programs_were_granted() {
    let server = TestServer::start().await;
    let program = Program::register(&server).await;
    let code = program.code().await;
    let tokens = program.exchange(&code).await.ok();
    let person = server.sign_in(program.email).await;
    let body = json!({"current_password": PASSWORD, "new_password": "four blue kites above the dunes"});
    let changed = server
        .bearer(&person.access_token)
        .post("/v1/auth/password", &body)
        .await;
    changed.ok();
    assert!(!program.works(&tokens).await);
    assert_invalid_grant(&program.refresh(&tokens).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_bring_one_code_at_one_time_none_keeps_a_token() {
    let server = TestServer::start().await;
    let program = Program::register(&server).await;
    let code = program.code().await;
    let answers = futures::future::join_all((0..8).map(|_| program.exchange(&code))).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status.as_u16() == 200);
    assert_eq!(won.len(), 1, "{answers:?}");
    lost.into_iter().for_each(assert_invalid_grant);
    assert!(
        !program.works(&won[0].json()).await,
        "the code came twice, so it was stolen"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_bring_one_refresh_token_at_one_time_none_keeps_the_grant() {
    let server = TestServer::start().await;
    let program = Program::register(&server).await;
    let code = program.code().await;
    let tokens = program.exchange(&code).await.ok();
    let answers = futures::future::join_all((0..8).map(|_| program.refresh(&tokens))).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status.as_u16() == 200);
    assert_eq!(won.len(), 1, "{answers:?}");
    lost.into_iter().for_each(assert_invalid_grant);
    assert!(!program.works(&won[0].json()).await);
    assert_invalid_grant(&program.refresh(&won[0].json()).await);
}
