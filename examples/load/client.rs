//! A client of either transport, with what went wrong in words.

use anyhow::{Context, anyhow, bail, ensure};
use memsync::proto::v1::RateLimits;
use serde_json::Value;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::grpc::Grpc;
use crate::rest::{Answer, Rest};
use crate::{Options, Transport};

/// A connected client.
pub enum Client {
    Grpc(Grpc),
    Rest(Rest),
}

/// Why a request failed.
pub struct Failure {
    /// The API's `error.code`, or `UNREACHABLE`.
    pub code: String,
    message: String,
}

impl Client {
    pub async fn connect(options: &Options) -> anyhow::Result<Self> {
        let key = match &options.key {
            Some(key) => key.clone(),
            None => std::env::var("MEMSYNC_KEY").context("a key is needed: give --key or set MEMSYNC_KEY")?,
        };
        let url = options.url.trim_end_matches('/').to_owned();
        ensure!(
            url.starts_with("http://") || url.starts_with("https://"),
            "--url: {url}: must begin with http:// or https://"
        );
        rustls::crypto::ring::default_provider().install_default().ok();
        let ca = match &options.ca {
            Some(file) => Some(std::fs::read(file).with_context(|| file.display().to_string())?),
            None => None,
        };
        match options.transport {
            Transport::Grpc => Self::over_grpc(url, &key, ca).await,
            Transport::Rest => Self::over_rest(url, key, ca),
        }
    }

    async fn over_grpc(url: String, key: &str, ca: Option<Vec<u8>>) -> anyhow::Result<Self> {
        let mut endpoint = Endpoint::from_shared(url.clone()).with_context(|| format!("--url: {url}"))?;
        if url.starts_with("https:") {
            let ca = ca.context("gRPC over https needs --ca")?;
            endpoint = endpoint.tls_config(ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca)))?;
        }
        let channel = endpoint.tcp_nodelay(true).connect().await;
        Ok(Self::Grpc(Grpc {
            channel: channel.with_context(|| format!("{url} can't be reached"))?,
            key: key.parse().context("the key holds characters that no key has")?,
        }))
    }

    fn over_rest(url: String, key: String, ca: Option<Vec<u8>>) -> anyhow::Result<Self> {
        let mut http = reqwest::Client::builder();
        if let Some(ca) = ca {
            http = http.add_root_certificate(reqwest::Certificate::from_pem(&ca)?);
        }
        Ok(Self::Rest(Rest {
            http: http.build()?,
            url,
            key,
        }))
    }

    /// How much the key's account may ask.
    pub async fn limits(&self) -> anyhow::Result<RateLimits> {
        match self {
            Self::Grpc(grpc) => {
                let answer = grpc.who_am_i().await.map_err(Failure::from)?;
                Ok(answer.rate_limits.unwrap_or_default())
            }
            Self::Rest(rest) => {
                let body = success(rest.who_am_i().await)?;
                let answer: Value = serde_json::from_slice(&body)?;
                let limit = |name| answer["rate_limits"][name].as_i64().unwrap_or(0) as i32;
                Ok(RateLimits {
                    requests_per_minute: limit("requests_per_minute"),
                    searches_per_minute: limit("searches_per_minute"),
                    ..RateLimits::default()
                })
            }
        }
    }

    /// Takes in lines of `docs/EXPORT_FORMAT.md`; fails where one is not taken.
    pub async fn import(&self, lines: String) -> anyhow::Result<()> {
        let (failed, first) = match self {
            Self::Grpc(grpc) => {
                let answer = grpc.import(&lines).await.map_err(Failure::from)?;
                let first = answer.errors.into_iter().next();
                (answer.failed, first.map(|error| error.reason))
            }
            Self::Rest(rest) => {
                let body = success(rest.import(lines).await)?;
                let answer: Value = serde_json::from_slice(&body)?;
                let first = answer["errors"][0]["reason"].as_str().map(str::to_owned);
                (answer["failed"].as_i64().unwrap_or(0), first)
            }
        };
        match failed {
            0 => Ok(()),
            _ => bail!("{failed} memories were refused: {}", first.unwrap_or_default()),
        }
    }

    pub async fn search(&self, user_id: String, query: String) -> Result<(), Failure> {
        match self {
            Self::Grpc(grpc) => grpc.search(user_id, query).await.map(drop).map_err(Failure::from),
            Self::Rest(rest) => success(rest.search(&user_id, &query).await).map(drop),
        }
    }

    pub async fn store(&self, user_id: String, said: String, idempotency_key: Option<&str>) -> Result<(), Failure> {
        match self {
            Self::Grpc(grpc) => {
                let answer = grpc.store(user_id, said, idempotency_key).await;
                answer.map(drop).map_err(Failure::from)
            }
            Self::Rest(rest) => success(rest.store(&user_id, &said, idempotency_key).await).map(drop),
        }
    }
}

fn success(answer: reqwest::Result<Answer>) -> Result<Vec<u8>, Failure> {
    let answer = answer.map_err(|error| Failure {
        code: "UNREACHABLE".to_owned(),
        message: format!("{:#}", anyhow!(error)),
    })?;
    if answer.status.is_success() {
        return Ok(answer.body);
    }
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Err(Failure {
        code: text(&body["error"]["code"]).unwrap_or_else(|| answer.status.as_str().to_owned()),
        message: text(&body["detail"]).unwrap_or_else(|| "the answer is not MemSync's".to_owned()),
    })
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        let code = match status.get_details_error_info() {
            Some(info) => info.reason,
            None if status.code() == Code::Unavailable => "UNREACHABLE".to_owned(),
            None => format!("{:?}", status.code()),
        };
        Self {
            code,
            message: status.message().to_owned(),
        }
    }
}

impl From<Failure> for anyhow::Error {
    fn from(failure: Failure) -> Self {
        anyhow!("{}: {}", failure.code, failure.message)
    }
}
