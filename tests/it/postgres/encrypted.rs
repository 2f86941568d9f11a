//! TLS on the way to PostgreSQL: whose certificate is believed, and what a server says that believes none.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::json;

use crate::process::{Process, Rest, memsync};
use crate::support::Postgres;

const PASSWORD: &str = "Heron-quartz-0417-canal";

/// Somebody who signs certificates.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self {
            pem: params.self_signed(&key).unwrap().pem(),
            issuer: Issuer::new(params, key),
        }
    }

    /// A PostgreSQL of this name, that lets in over TLS alone.
    fn postgres(&self, name: &str) -> Postgres {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let postgres = Postgres::start();
        for (setting, text) in [
            ("ssl_cert_file", certificate.pem()),
            ("ssl_key_file", key.serialize_pem()),
        ] {
            let file = postgres.put(setting, &text);
            postgres.sql(&format!("ALTER SYSTEM SET {setting} = '{}'", file.display()));
        }
        postgres.sql("ALTER SYSTEM SET ssl = on");
        postgres.put("data/pg_hba.conf", "hostssl all all 127.0.0.1/32 trust\n");
        postgres.stop();
        postgres.resume();
        postgres
    }
}

fn url(postgres: &Postgres, parameters: &str) -> String {
    format!(
        "postgres://postgres:{PASSWORD}@127.0.0.1:{}/postgres?{parameters}",
        postgres.port
    )
}

/// A server stores and finds over an encrypted connection.
async fn works(postgres: &Postgres, parameters: &str) {
    let (data, url) = (tempfile::tempdir().unwrap(), url(postgres, parameters));
    let settings = [("MEMSYNC_DATABASE__URL", url.as_str())];
    let create = [
        "key",
        "create",
        "--email",
        "ada@example.com",
        "--name",
        "n",
        "--create-account",
    ];
    let key = memsync(data.path(), &settings, &create)
        .expect_success("key create")
        .stdout;
    let server = Process::start_with(data.path(), &settings);
    let rest = Rest::new(server.url(), key.trim());
    let body = json!({"messages": [{"role": "user", "content": "I live in Oslo."}], "agent_id": "a", "thread_id": "t",
        "source": "s", "user_id": parameters});
    let (status, answer) = rest.post("/v1/memories", &body).await.unwrap();
    assert_eq!(
        (status, &answer["memories_created"]),
        (200, &json!(1)),
        "{parameters}: {answer}"
    );
    let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE application_name = 'memsync'";
    assert_eq!(postgres.sql(encrypted), "t\n");
    server.stop().expect_success("SIGTERM");
}

/// A server starts, is not ready, and says why; the password is nowhere in what it says.
async fn is_not_ready(postgres: &Postgres, parameters: &str, why: &str) {
    let (data, url) = (tempfile::tempdir().unwrap(), url(postgres, parameters));
    let settings = [
        ("MEMSYNC_DATABASE__URL", url.as_str()),
        ("MEMSYNC_DATABASE__TIMEOUT", "1"),
    ];
    let server = Process::start_with(data.path(), &settings);
    let health = reqwest::get(format!("{}/healthcheck", server.url())).await.unwrap();
    assert_eq!(health.status().as_u16(), 503, "{parameters}");
    let Some(line) = server.stop().expect_success("SIGTERM").stderr.lines().find_map(|line| {
        assert!(!line.contains(PASSWORD), "{line}");
        line.contains("waiting for the database").then(|| line.to_owned())
    }) else {
        panic!("{parameters}: not a word of the database")
    };
    assert!(line.contains(why), "{parameters}: {line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_believed_for_its_authority_and_name() {
    let (ours, others) = (Authority::new(), Authority::new());
    let files = tempfile::tempdir().unwrap();
    let root = |name: &str, authority: &Authority| {
        let file = files.path().join(name);
        std::fs::write(&file, &authority.pem).unwrap();
        format!("sslrootcert={}", file.display())
    };
    let (ours_pem, others_pem) = (root("ours.pem", &ours), root("others.pem", &others));
    let postgres = ours.postgres("127.0.0.1");
    works(&postgres, &format!("sslmode=verify-full&{ours_pem}")).await;
    works(&postgres, "sslmode=require").await;
    is_not_ready(
        &postgres,
        &format!("sslmode=verify-full&{others_pem}"),
        "invalid peer certificate",
    )
    .await;
    is_not_ready(&postgres, "sslmode=verify-full", "invalid peer certificate").await;
    is_not_ready(&postgres, "sslmode=disable", "no encryption").await;

    let elsewhere = ours.postgres("127.0.0.2");
    works(&elsewhere, &format!("sslmode=verify-ca&{ours_pem}")).await;
    is_not_ready(
        &elsewhere,
        &format!("sslmode=verify-full&{ours_pem}"),
        "not valid for name",
    )
    .await;
}
