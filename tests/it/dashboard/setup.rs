//! The page of a one-time link: an account without a password gets an owner.

use memsync::services::Account;
use serde_json::{Value, json};

use super::Browser;
use crate::support::{Answer, Hand, PASSWORD, TestServer};

const EMAIL: &str = "grace@example.com";

async fn account(server: &TestServer) -> Account {
    let auth = &server.running.app.auth;
    auth.create_account("local@memsync.dev", None, None).await.unwrap()
}

async fn token(server: &TestServer, account: &Account) -> Option<String> {
    let token = server.running.app.auth.new_setup_token(account).await.unwrap();
    token.map(|token| token.expose().to_owned())
}

async fn set_up(browser: &Browser, token: &str, email: &str, password: &str) -> Answer {
    let body = json!({"setup_token": token, "email": email, "password": password});
    browser.call("POST", "/dashboard/session/setup", &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_gives_its_account_an_owner_once() {
    let server = TestServer::start().await;
    let account = account(&server).await;
    server.register("ada@example.com").await;
    let key = server.create_key("local@memsync.dev", &["memories:read"]).await;
    let link = token(&server, &account).await.unwrap();
    let browser = Browser::new(&server);

    // None of these spends it.
    let (cut, longer) = (&link[..link.len() - 1], format!("{link}0"));
    for wrong in ["memsync_setup_", "x", cut, &longer, &link.replace("user_", "user_0")] {
        set_up(&browser, wrong, EMAIL, PASSWORD)
            .await
            .failure(401, "AUTHENTICATION_ERROR");
    }
    let bad = set_up(&browser, &link, "nobody", "short")
        .await
        .failure(400, "VALIDATION_ERROR");
    let fields: Vec<&Value> = bad["violations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| &v["field"])
        .collect();
    assert_eq!(fields, ["email", "password"]);
    set_up(&browser, &link, "ada@example.com", PASSWORD)
        .await
        .failure(409, "EMAIL_TAKEN");
    let form = json!({"setup_token": link, "email": EMAIL, "password": PASSWORD});
    let foreign = browser.call_with(&[], "POST", "/dashboard/session/setup", &form).await;
    foreign.failure(403, "PERMISSION_DENIED");
    browser
        .api("POST", "/v1/auth/setup", &form)
        .await
        .failure(404, "ROUTE_NOT_FOUND");

    let body = set_up(&browser, &link, EMAIL, PASSWORD).await.ok();
    assert_eq!(
        body,
        json!({"user_id": account.id.as_str(), "email": EMAIL}),
        "tokens are in cookies"
    );
    assert_eq!(browser.who_am_i().await.ok()["email"], EMAIL);
    assert_eq!(server.login(EMAIL, PASSWORD).await.ok()["user_id"], account.id.as_str());
    server
        .login("local@memsync.dev", PASSWORD)
        .await
        .failure(401, "AUTHENTICATION_ERROR");
    assert_eq!(server.rest(&key.secret).get("/v1/auth/me").await.ok()["email"], EMAIL);

    let thief = Browser::new(&server);
    let again = set_up(&thief, &link, "eve@example.com", PASSWORD).await;
    again.failure(401, "AUTHENTICATION_ERROR");
    let owned = server.running.app.auth.find_account(EMAIL).await.unwrap().unwrap();
    assert_eq!(token(&server, &owned).await, None, "it has a password");
    let log = browser.api("GET", "/v1/audit-log", &Value::Null).await.ok();
    let actions: Vec<&Value> = log["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["action"])
        .collect();
    assert_eq!(actions[1..3], ["account.set_up", "setup_link.created"], "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_use_a_link_at_one_time_one_gets_the_account() {
    let server = TestServer::start().await;
    let link = token(&server, &account(&server).await).await.unwrap();
    let (ada, eve) = (Browser::new(&server), Browser::new(&server));
    let (first, second) = tokio::join!(
        set_up(&ada, &link, "ada@example.com", PASSWORD),
        set_up(&eve, &link, "eve@example.com", PASSWORD)
    );
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_ends_after_15_minutes_with_the_next_one_and_with_a_password() {
    let hand = Hand::new();
    let server = TestServer::start_with(|_| {}, hand.clock()).await;
    let account = account(&server).await;
    let browser = Browser::new(&server);
    let refused = async |link: &str| {
        let answer = set_up(&browser, link, EMAIL, PASSWORD).await;
        answer.failure(401, "AUTHENTICATION_ERROR");
    };
    let first = token(&server, &account).await.unwrap();
    let second = token(&server, &account).await.unwrap();
    refused(&first).await;
    hand.forward(15 * 60);
    refused(&second).await;
    server.running.app.auth.purge().await.unwrap();
    refused(&second).await;

    let third = token(&server, &account).await.unwrap();
    hand.forward(15 * 60 - 1);
    let auth = &server.running.app.auth;
    assert!(auth.set_password("local@memsync.dev", PASSWORD).await.unwrap());
    refused(&third).await;
    server.login("local@memsync.dev", PASSWORD).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_lasts_for_15_minutes_and_its_page_is_as_strict_as_the_others() {
    let hand = Hand::new();
    let server = TestServer::start_with(|_| {}, hand.clock()).await;
    server.anonymous().get("/dashboard/welcome").await.strict_page();
    let link = token(&server, &account(&server).await).await.unwrap();
    assert!(!format!("{:?}", server.running.app).contains(&link));
    hand.forward(15 * 60 - 1);
    set_up(&Browser::new(&server), &link, EMAIL, PASSWORD).await.ok();
    assert_eq!(server.traces_of(&link), 0, "only its hash is kept");
}
