//! The dashboard's way to the API: a session in cookies that scripts and other sites can do nothing with.

mod setup;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use memsync::model::Clock;
use serde_json::{Value, json};

use crate::support::{Answer, PASSWORD, Rest, TestServer, conversation, send};

const EMAIL: &str = "grace@example.com";

/// A browser with a page of the dashboard open: it keeps cookies, and says where requests come from.
struct Browser {
    rest: Rest,
    cookies: RefCell<BTreeMap<String, String>>,
    prefix: &'static str,
}

impl Browser {
    fn new(server: &TestServer) -> Self {
        Self {
            rest: server.anonymous().with("sec-fetch-site", "same-origin"),
            cookies: RefCell::default(),
            prefix: "",
        }
    }

    fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.borrow().get(&format!("{}{name}", self.prefix)).cloned()
    }

    /// A request of a page, with the token against forged ones.
    async fn call(&self, verb: &str, path: &str, body: &Value) -> Answer {
        let token = self.cookie("memsync_csrf").unwrap_or("none".to_owned());
        self.call_with(&[("x-csrf-token", &token)], verb, path, body).await
    }

    async fn call_with(&self, headers: &[(&str, &str)], verb: &str, path: &str, body: &Value) -> Answer {
        let cookies = self.cookies.borrow().clone();
        let cookies: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = self.rest.request(verb, path).header("cookie", cookies.join("; "));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = send(if body.is_null() { request } else { request.json(body) }).await;
        for set in answer.headers.get_all("set-cookie") {
            let (name, rest) = set.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            match value {
                "" => self.cookies.borrow_mut().remove(name),
                value => self.cookies.borrow_mut().insert(name.to_owned(), value.to_owned()),
            };
        }
        answer
    }

    async fn register(&self) -> Answer {
        let account = json!({"email": EMAIL, "password": PASSWORD});
        self.call("POST", "/dashboard/session/register", &account).await
    }

    async fn api(&self, verb: &str, path: &str, body: &Value) -> Answer {
        self.call(verb, &format!("/dashboard/api{path}"), body).await
    }

    async fn who_am_i(&self) -> Answer {
        self.api("GET", "/v1/auth/me", &Value::Null).await
    }
}

/// The attributes of each cookie that an answer sets, by its name.
fn attributes(answer: &Answer) -> BTreeMap<String, Vec<String>> {
    let set = answer.headers.get_all("set-cookie").iter();
    set.map(|cookie| {
        let mut parts = cookie.to_str().unwrap().split("; ");
        let name = parts.next().unwrap().split('=').next().unwrap().to_owned();
        let mut attributes: Vec<String> = parts.map(str::to_owned).collect();
        attributes.sort();
        (name, attributes)
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_in_cookies_and_never_in_an_answer() {
    let server = TestServer::start().await;
    let browser = Browser::new(&server);
    let answer = browser.register().await;
    assert_eq!(answer.status.as_u16(), 201, "{answer:?}");
    let body = answer.json();
    assert_eq!(body, json!({"user_id": body["user_id"], "email": EMAIL}));
    let hidden = ["HttpOnly", "Path=/", "SameSite=Strict"].map(str::to_owned).to_vec();
    let readable = ["Path=/", "SameSite=Strict"].map(str::to_owned).to_vec();
    let expected = [
        ("memsync_access", &hidden),
        ("memsync_csrf", &readable),
        ("memsync_refresh", &hidden),
    ];
    let expected = expected.map(|(name, attributes)| (name.to_owned(), attributes.clone()));
    assert_eq!(attributes(&answer), BTreeMap::from(expected));
    assert_eq!(answer.header("cache-control"), Some("no-store"));

    let who = browser.who_am_i().await.ok();
    assert_eq!((&who["email"], &who["auth_method"]), (&json!(EMAIL), &json!("jwt")));
    for route in [
        "/v1/auth/login",
        "/v1/auth/register",
        "/v1/auth/setup",
        "/v1/auth/refresh",
        "/v1/auth/refresh/",
        "/v1/auth/%6cogin",
        "/v1/auth/%6Cogin/",
        "/v1/%61uth/re%67ister",
        "/%76%31/%61%75%74%68/%72%65%66%72%65%73%68",
    ] {
        let refresh_token = browser.cookie("memsync_refresh").unwrap();
        for body in [
            json!({"refresh_token": refresh_token, "email": EMAIL, "password": PASSWORD}),
            json!({"email": 1}),
        ] {
            let answer = browser.api("POST", route, &body).await;
            answer.failure(404, "ROUTE_NOT_FOUND");
        }
    }
    browser.who_am_i().await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_cookies_are_for_tls_and_this_host_alone() {
    let behind_proxy = |config: &mut memsync::config::Config| {
        config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    };
    let server = TestServer::start_with(behind_proxy, Clock::system()).await;
    let mut browser = Browser::new(&server);
    browser.rest = browser.rest.with("x-forwarded-proto", "https");
    browser.prefix = "__Host-";
    let answer = browser.register().await;
    let names = ["__Host-memsync_access", "__Host-memsync_csrf", "__Host-memsync_refresh"];
    let set = attributes(&answer);
    assert_eq!(set.keys().collect::<Vec<_>>(), names);
    for attributes in set.values() {
        assert!(attributes.contains(&"Secure".to_owned()), "{attributes:?}");
    }
    browser.who_am_i().await.ok();

    let plain = Browser::new(&server);
    plain.register().await;
    let account = json!({"email": EMAIL, "password": PASSWORD});
    plain.call("POST", "/dashboard/session", &account).await.ok();
    *browser.cookies.borrow_mut() = plain.cookies.take();
    let answer = browser.who_am_i().await;
    answer.failure(401, "AUTHENTICATION_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_site_makes_a_browser_send_is_refused() {
    let server = TestServer::start().await;
    let browser = Browser::new(&server);
    browser.register().await;
    let mut foreign = Browser::new(&server);
    foreign.cookies = browser.cookies.clone();
    let token = browser.cookie("memsync_csrf").unwrap();
    let key = json!({"name": "stolen"});
    let paths = ["/dashboard/api/v1/api-keys", "/dashboard/session/refresh"];
    for path in paths {
        for headers in [
            vec![],
            vec![("x-csrf-token", "none")],
            vec![("x-csrf-token", &token[1..])],
        ] {
            let answer = browser.call_with(&headers, "POST", path, &key).await;
            answer.failure(403, "PERMISSION_DENIED");
        }
        for site in ["cross-site", "same-site", "none"] {
            foreign.rest = server.anonymous().with("sec-fetch-site", site);
            let answer = foreign.call("POST", path, &key).await;
            answer.failure(403, "PERMISSION_DENIED");
        }
    }
    foreign.rest = server.anonymous().with("sec-fetch-site", "cross-site");
    foreign.who_am_i().await.failure(403, "PERMISSION_DENIED");
    let account = json!({"email": EMAIL, "password": PASSWORD});
    let sign_in = foreign.call("POST", "/dashboard/session", &account).await;
    sign_in.failure(403, "PERMISSION_DENIED");
    let form = browser.call_with(&[], "POST", "/dashboard/session", &account).await;
    form.failure(403, "PERMISSION_DENIED");

    let keys = browser.api("GET", "/v1/api-keys", &Value::Null).await.ok();
    assert_eq!(keys["api_keys"], json!([]));
    let made = browser.api("POST", "/v1/api-keys", &json!({"name": "own"})).await;
    assert_eq!(made.status.as_u16(), 201, "{made:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_count_for_nothing_outside_of_the_dashboard() {
    let server = TestServer::start().await;
    let browser = Browser::new(&server);
    browser.register().await;
    let answer = browser.call("GET", "/v1/auth/me", &Value::Null).await;
    answer.failure(401, "AUTHENTICATION_ERROR");
    let own = browser.cookie("memsync_access").unwrap();
    let others = Browser::new(&server);
    let headers = [
        ("authorization", format!("Bearer {own}")),
        ("x-csrf-token", "none".to_owned()),
    ];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = others
        .call_with(&headers, "GET", "/dashboard/api/v1/auth/me", &Value::Null)
        .await;
    answer.failure(401, "AUTHENTICATION_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_on_with_the_next_tokens_and_ends_where_one_is_spent_twice() {
    let server = TestServer::start().await;
    let browser = Browser::new(&server);
    let answer = browser.call("POST", "/dashboard/session/refresh", &Value::Null).await;
    answer.failure(401, "AUTHENTICATION_ERROR");
    browser.register().await;
    let before = browser.cookies.borrow().clone();
    let answer = browser
        .call("POST", "/dashboard/session/refresh", &Value::Null)
        .await
        .ok();
    assert_eq!(answer, json!({"user_id": answer["user_id"], "email": EMAIL}));
    assert!(
        before
            .iter()
            .all(|(name, value)| browser.cookie(name).as_ref() != Some(value))
    );
    browser.who_am_i().await.ok();

    let thief = Browser::new(&server);
    *thief.cookies.borrow_mut() = before;
    let answer = thief.call("POST", "/dashboard/session/refresh", &Value::Null).await;
    answer.failure(401, "AUTHENTICATION_ERROR");
    assert!(thief.cookies.borrow().is_empty(), "the browser forgets what has ended");
    let answer = browser.call("POST", "/dashboard/session/refresh", &Value::Null).await;
    answer.failure(401, "AUTHENTICATION_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_the_session_also_where_its_access_token_has_ended() {
    let server = TestServer::start().await;
    for is_old in [false, true] {
        let browser = Browser::new(&server);
        if browser.register().await.status.as_u16() != 201 {
            let account = json!({"email": EMAIL, "password": PASSWORD});
            browser.call("POST", "/dashboard/session", &account).await.ok();
        }
        if is_old {
            browser
                .cookies
                .borrow_mut()
                .insert("memsync_access".to_owned(), "ended".to_owned());
        }
        let (access, refresh) = (browser.cookie("memsync_access"), browser.cookie("memsync_refresh"));
        browser.call("DELETE", "/dashboard/session", &Value::Null).await.ok();
        assert!(browser.cookies.borrow().is_empty());
        let answer = server.refresh(&refresh.unwrap()).await;
        answer.failure(401, "AUTHENTICATION_ERROR");
        let who = server.bearer(&access.unwrap()).get("/v1/auth/me").await;
        who.failure(401, "AUTHENTICATION_ERROR");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_reach_the_same_memories_as_a_key_and_an_erased_account_is_signed_out() {
    let server = TestServer::start().await;
    let browser = Browser::new(&server);
    browser.register().await;
    let key = browser
        .api("POST", "/v1/api-keys", &json!({"name": "app"}))
        .await
        .json();
    let rest = server.rest(key["key"].as_str().unwrap());
    rest.store(&conversation("t", &["I work as a nurse in Oslo."])).await;
    let listed = browser.api("GET", "/v1/memories?page_size=5", &Value::Null).await.ok();
    assert_eq!(listed["data"], json!(rest.list("").await));
    let export = browser.api("GET", "/v1/export", &Value::Null).await;
    assert_eq!(export.header("content-type"), Some("application/x-ndjson"));

    let wrong = browser.api("DELETE", "/v1/auth/me", &json!({"password": "no"})).await;
    assert_eq!(wrong.status.as_u16(), 401);
    assert!(browser.cookie("memsync_access").is_some());
    let gone = browser
        .api("DELETE", "/v1/auth/%6de", &json!({"password": PASSWORD}))
        .await
        .ok();
    assert!(gone["receipt"].is_string());
    assert!(browser.cookies.borrow().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_load_nothing_from_elsewhere_run_nothing_inline_and_are_framed_by_nobody() {
    let server = TestServer::start().await;
    let rest = server.anonymous();
    for path in ["/dashboard", "/dashboard/keys", "/dashboard/memories/mem_1"] {
        let page = rest.get(path).await;
        assert_eq!(page.header("cross-origin-opener-policy"), Some("same-origin"));
        let text = page.strict_page();
        assert!(
            !text.contains("://") && !text.contains("<style") && !text.contains("onclick"),
            "{text}"
        );
    }
    let answer = rest.get("/dashboard/assets/none.js").await;
    answer.failure(404, "ROUTE_NOT_FOUND");
    let answer = rest.get("/dashboard/assets/../../Cargo.toml").await;
    assert_eq!(answer.status.as_u16(), 404);
}

/// The files of a directory and of those in it.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_pages_together_take_less_than_a_hundred_kilobytes() {
    let server = TestServer::start().await;
    let rest = server.anonymous().with("accept-encoding", "gzip");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/dashboard");
    let loaded = |path: &PathBuf| {
        path.extension()
            .is_some_and(|end| ["html", "css", "js", "svg"].map(Some).contains(&end.to_str()))
    };
    let (mut count, mut bytes) = (0, 0);
    for file in files(&root).iter().filter(|path| loaded(path)) {
        let path = file.strip_prefix(&root).unwrap().display().to_string();
        let answer = rest.get(&format!("/dashboard/assets/{path}")).await;
        assert_eq!(answer.status.as_u16(), 200, "{path}");
        count += 1;
        bytes += answer.bytes.len();
    }
    assert!(count > 30 && bytes < 100_000, "{count} files, {bytes} bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_verb_is_told_the_right_ones() {
    let server = TestServer::start().await;
    let browser = Browser::new(&server);
    for (verb, path, allowed) in [
        ("POST", "/", "GET"),
        ("PUT", "/dashboard/keys", "GET"),
        ("DELETE", "/dashboard/assets/app.js", "GET"),
        ("GET", "/dashboard/session", "POST"),
        ("PUT", "/dashboard/session/refresh", "POST"),
    ] {
        let answer = browser.call(verb, path, &Value::Null).await;
        answer.failure(405, "METHOD_NOT_ALLOWED");
        let allow = answer.header("allow").unwrap();
        assert!(allow.contains(allowed), "{verb} {path}: {allow}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_dashboard_serves_none_of_it() {
    let server = TestServer::start_with(|config| config.dashboard = false, Clock::system()).await;
    for path in ["/", "/dashboard", "/dashboard/keys", "/dashboard/assets/app.js"] {
        server.anonymous().get(path).await.failure(404, "ROUTE_NOT_FOUND");
    }
    let account = json!({"email": EMAIL, "password": PASSWORD});
    let answer = server.anonymous().post("/dashboard/session", &account).await;
    answer.failure(404, "ROUTE_NOT_FOUND");
}
