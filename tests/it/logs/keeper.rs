//! Everything that people and programs do with secrets, and the secrets themselves.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use memsync::proto::v1::memory_service_client::MemoryServiceClient;
use memsync::proto::v1::{self as pb};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tonic::Request;
use tonic::transport::{Channel, Endpoint};
use url::Url;

use crate::support::{Answer, install_crypto, send};

pub const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "Heron-quartz-0417-canal";
pub const NEXT_PASSWORD: &str = "Lynx-basalt-9935-meadow";
const WRONG_PASSWORD: &str = "Otter-marble-6620-harbour";
const VERIFIER: &str = "verifier-pumice-8814-which-nobody-would-guess-in-a-year";
const CALLBACK: &str = "https://app.example.com/callback";
/// A word of the memories, and one of the queries, that no line of code has.
const REMEMBERED: &str = "zebrafinches";
const ASKED: &str = "axolotls";

/// A client that keeps what must stay between it and the server.
pub struct Keeper {
    pub base: String,
    http: reqwest::Client,
    pub secrets: Vec<(&'static str, String)>,
}

impl Keeper {
    pub fn new() -> Self {
        install_crypto();
        let fixed = [
            ("the password", PASSWORD),
            ("the next password", NEXT_PASSWORD),
            ("a wrong password", WRONG_PASSWORD),
            ("a verifier", VERIFIER),
            ("a memory", REMEMBERED),
            ("a query", ASKED),
        ];
        Self {
            base: String::new(),
            http: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
            secrets: fixed.map(|(what, secret)| (what, secret.to_owned())).into(),
        }
    }

    /// Keeps the parts of a secret that nobody can guess: the prefix and the id of a session are none.
    pub fn keep(&mut self, what: &'static str, secret: &str) -> String {
        for part in secret.split('.') {
            let random = if part.starts_with("memsync_") {
                part.rsplit('_').next().unwrap()
            } else {
                part
            };
            assert!(random.len() >= 16, "{what}: {secret}");
            self.secrets.push((what, random.to_owned()));
        }
        self.secrets.push((what, STANDARD.encode(secret)));
        secret.to_owned()
    }

    pub fn keep_tokens(&mut self, tokens: &Value) -> (String, String) {
        let access = self.keep("an access token", tokens["access_token"].as_str().unwrap());
        let refresh = tokens["refresh_token"].as_str().unwrap_or_default().to_owned();
        if !refresh.is_empty() {
            self.keep("a refresh token", &refresh);
        }
        (access, refresh)
    }

    pub async fn json(&self, verb: &str, path: &str, credential: (&str, &str), body: &Value, status: u16) -> Value {
        let request = self.http.request(verb.parse().unwrap(), format!("{}{path}", self.base));
        let request = match credential {
            ("", _) => request,
            (header, value) => request.header(header, value),
        };
        let answer = send(if body.is_null() { request } else { request.json(body) }).await;
        assert_eq!(answer.status.as_u16(), status, "{verb} {path} {answer:?}");
        answer.json()
    }

    async fn form(&self, path: &str, basic: Option<(&str, &str)>, form: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let request = self.http.post(format!("{}{path}", self.base));
        let request = match basic {
            Some((id, secret)) => request.basic_auth(id, Some(secret)),
            None => request,
        };
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        send(request.body(body)).await
    }

    pub async fn people(&mut self) -> String {
        let credentials = |password: &str| json!({"email": EMAIL, "password": password});
        let none = ("", "");
        let first = self
            .json("POST", "/v1/auth/register", none, &credentials(PASSWORD), 201)
            .await;
        let (_, refresh) = self.keep_tokens(&first);
        self.json("POST", "/v1/auth/register", none, &credentials(WRONG_PASSWORD), 409)
            .await;
        self.json("POST", "/v1/auth/login", none, &credentials(WRONG_PASSWORD), 401)
            .await;
        let spent = json!({"refresh_token": refresh});
        let second = self.json("POST", "/v1/auth/refresh", none, &spent, 200).await;
        self.keep_tokens(&second);
        self.json("POST", "/v1/auth/refresh", none, &spent, 401).await;
        let session = self
            .json("POST", "/v1/auth/login", none, &credentials(PASSWORD), 200)
            .await;
        let bearer = format!("Bearer {}", self.keep_tokens(&session).0);
        let change = json!({"current_password": PASSWORD, "new_password": NEXT_PASSWORD});
        self.json("POST", "/v1/auth/password", ("authorization", &bearer), &change, 200)
            .await;
        bearer
    }

    pub async fn memories(&mut self, bearer: &str) {
        let key = self
            .json(
                "POST",
                "/v1/api-keys",
                ("authorization", bearer),
                &json!({"name": "n"}),
                201,
            )
            .await;
        let key = self.keep("a key", key["key"].as_str().unwrap());
        let mine = ("x-api-key", key.as_str());
        let words = format!("I work as a nurse in Oslo. I love {REMEMBERED}.");
        let mut story = json!({
            "messages": [{"role": "user", "content": words, "name": REMEMBERED}],
            "agent_id": "assistant", "thread_id": "t", "source": "chat", "metadata": {"pet": REMEMBERED},
        });
        self.json("POST", "/v1/memories", mine, &story, 200).await;
        let query = json!({"query": format!("Does the user like {ASKED}?"), "metadata": {"pet": ASKED}});
        self.json("POST", "/v1/memories/search", mine, &query, 200).await;
        self.json("GET", "/v1/memories", mine, &Value::Null, 200).await;

        // Everything that is refused has the same words in it.
        story["messages"][0]["role"] = REMEMBERED.into();
        self.json("POST", "/v1/memories", mine, &story, 400).await;
        story["messages"] = json!(words);
        self.json("POST", "/v1/memories", mine, &story, 400).await;
        let category = json!({"query": ASKED, "categories": [ASKED], "limit": ASKED});
        self.json("POST", "/v1/memories/search", mine, &category, 400).await;
        self.json("POST", "/v1/memories/search", ("", ""), &query, 401).await;
        let mistyped = format!("{}_", &key[..key.len() - 1]);
        self.json("POST", "/v1/memories/search", ("x-api-key", &mistyped), &query, 401)
            .await;
        let broken = self.http.post(format!("{}/v1/memories", self.base));
        let broken = broken
            .header("x-api-key", &key)
            .body(format!("{{\"messages\": \"{words}"));
        assert_eq!(send(broken).await.status, StatusCode::BAD_REQUEST);
        for parameter in ["api_key", "access_token", "other"] {
            let status = if parameter == "other" { 200 } else { 400 };
            let path = format!("/v1/memories?{parameter}={key}&query={ASKED}");
            self.json("GET", &path, mine, &Value::Null, status).await;
        }

        let mut grpc = MemoryServiceClient::new(channel(&self.base));
        let message = pb::Message {
            role: pb::Role::User.into(),
            content: words,
            ..Default::default()
        };
        let store = pb::StoreMemoriesRequest {
            messages: vec![message],
            agent_id: "assistant".to_owned(),
            thread_id: "t2".to_owned(),
            source: "chat".to_owned(),
            ..Default::default()
        };
        grpc.store_memories(with_key(store, &key)).await.unwrap();
        let mut search = pb::SearchMemoriesRequest {
            query: ASKED.to_owned(),
            ..Default::default()
        };
        grpc.search_memories(with_key(search.clone(), &key)).await.unwrap();
        search.limit = Some(1000);
        grpc.search_memories(with_key(search.clone(), &key)).await.unwrap_err();
        grpc.search_memories(with_key(search, &mistyped)).await.unwrap_err();
    }

    pub async fn programs(&mut self, bearer: &str) {
        let body = json!({"name": "program", "redirect_uris": [CALLBACK]});
        let made = self
            .json("POST", "/v1/oauth/clients", ("authorization", bearer), &body, 201)
            .await;
        let secret = self.keep("a client secret", made["client_secret"].as_str().unwrap());
        let id = made["client"]["client_id"].as_str().unwrap().to_owned();
        self.secrets
            .push(("Basic credentials", STANDARD.encode(format!("{id}:{secret}"))));
        let basic = Some((id.as_str(), secret.as_str()));
        let grant = ("grant_type", "client_credentials");
        let own = self.form("/oauth/token", basic, &[grant]).await.ok();
        let own = self.keep_tokens(&own).0;
        let both = [grant, ("client_id", &id), ("client_secret", &secret)];
        let posted = self.form("/oauth/token", None, &both).await.ok();
        self.keep_tokens(&posted);
        let wrong = format!("{}_", &secret[..secret.len() - 1]);
        let refused = self.form("/oauth/token", Some((&id, &wrong)), &[grant]).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);

        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let mut consent = vec![
            ("response_type", "code"),
            ("client_id", &id),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("decision", "allow"),
            ("email", EMAIL),
        ];
        consent.push(("password", WRONG_PASSWORD));
        let refused = self.form("/oauth/authorize", None, &consent).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        *consent.last_mut().unwrap() = ("password", NEXT_PASSWORD);
        let allowed = self.form("/oauth/authorize", None, &consent).await;
        let location = Url::parse(allowed.header("location").unwrap()).unwrap();
        let code = location.query_pairs().next().unwrap().1.into_owned();
        self.keep("a code", &code);
        let exchange = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("code_verifier", VERIFIER),
        ];
        let granted = self.form("/oauth/token", basic, &exchange).await.ok();
        let (_, refresh) = self.keep_tokens(&granted);
        let refresh = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        let next = self.form("/oauth/token", basic, &refresh).await.ok();
        self.keep_tokens(&next);
        let stolen = self.form("/oauth/token", basic, &refresh).await;
        assert_eq!(stolen.status, StatusCode::BAD_REQUEST);
        for path in ["/oauth/introspect", "/oauth/revoke"] {
            assert_eq!(self.form(path, basic, &[("token", &own)]).await.status, StatusCode::OK);
        }
    }
}

pub fn channel(base: &str) -> Channel {
    Endpoint::from_shared(base.to_owned()).unwrap().connect_lazy()
}

pub fn with_key<T>(message: T, key: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("x-api-key", key.parse().unwrap());
    request
}
