//! Files that are part of the program, such as pages, styles and scripts: type, ETag, gzip.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};
use std::marker::PhantomData;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use parking_lot::Mutex;
use rust_embed::RustEmbed;
use sha2::Digest;

/// Smaller files are sent as they are.
const COMPRESS_FROM_BYTES: usize = 1024;

const GZIP: HeaderValue = HeaderValue::from_static("gzip");

type Sha256 = [u8; 32];

/// The files of the directory that `A` embeds. A debug build reads them from the disk each time.
pub struct Assets<A> {
    policy: HeaderValue,
    /// Compressed once, by content.
    compressed: Mutex<HashMap<Sha256, Bytes>>,
    files: PhantomData<fn() -> A>,
}

impl<A> fmt::Debug for Assets<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assets")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

impl<A: RustEmbed> Assets<A> {
    /// Files that are sent with this Content-Security-Policy.
    pub fn new(policy: &'static str) -> Self {
        Self {
            policy: HeaderValue::from_static(policy),
            compressed: Mutex::default(),
            files: PhantomData,
        }
    }

    /// The answer to a request with these headers for the file at `path` within the directory; `None` where there is
    /// no such file. A client that has the file already gets 304.
    pub fn answer(&self, path: &str, request: &HeaderMap) -> Option<Response> {
        let file = A::get(path)?;
        let hash = file.metadata.sha256_hash();
        let mime = file.metadata.mimetype();
        let mut response = unless_known(&hash, request, |response| {
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, content_type(mime));
            let is_text = !mime.starts_with("image/") || mime == "image/svg+xml";
            let worth_it = is_text && file.data.len() >= COMPRESS_FROM_BYTES && takes_gzip(request);
            if worth_it && let Some(compressed) = self.compressed(hash, &file.data) {
                headers.insert(CONTENT_ENCODING, GZIP);
                *response.body_mut() = Body::from(compressed);
            } else {
                *response.body_mut() = Body::from(file.data);
            }
        });
        // With a 304 too: what it says takes the place of what the client has been told.
        let headers = response.headers_mut();
        headers.insert(CONTENT_SECURITY_POLICY, self.policy.clone());
        Some(response)
    }

    fn compressed(&self, hash: Sha256, data: &[u8]) -> Option<Bytes> {
        let known = self.compressed.lock().get(&hash).cloned();
        known.or_else(|| {
            let compressed = gzip(data).ok()?;
            self.compressed.lock().insert(hash, compressed.clone());
            Some(compressed)
        })
    }
}

/// A text that is made when the program starts, and served in the same way.
#[derive(Debug)]
pub struct Text {
    content_type: HeaderValue,
    hash: Sha256,
    plain: Bytes,
    compressed: Option<Bytes>,
}

impl Text {
    /// A text of this type.
    pub fn new(content_type: &'static str, text: String) -> Self {
        Self {
            content_type: HeaderValue::from_static(content_type),
            hash: sha2::Sha256::digest(&text).into(),
            compressed: gzip(text.as_bytes()).ok(),
            plain: text.into(),
        }
    }

    /// The answer to a request with these headers. A client that has the text already gets 304.
    pub fn answer(&self, request: &HeaderMap) -> Response {
        unless_known(&self.hash, request, |response| {
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, self.content_type.clone());
            let compressed = self.compressed.clone().filter(|_| takes_gzip(request));
            if compressed.is_some() {
                headers.insert(CONTENT_ENCODING, GZIP);
            }
            *response.body_mut() = Body::from(compressed.unwrap_or_else(|| self.plain.clone()));
        })
    }
}

/// An answer that `fill` gives its content, or 304 to a client that has the content with this hash.
fn unless_known(hash: &Sha256, request: &HeaderMap, fill: impl FnOnce(&mut Response)) -> Response {
    let mut response = Response::new(Body::empty());
    let etag = etag(hash);
    let is_known = has(request, &etag);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(ETAG, etag);
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        fill(&mut response);
    }
    response
}

/// The entity tag of content with this hash. Weak, because the compressed and the plain form share it.
fn etag(hash: &Sha256) -> HeaderValue {
    let hex: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::try_from(format!("W/\"{hex}\"")).unwrap_or(HeaderValue::from_static("W/\"\""))
}

/// Whether the client has the content with this weak tag.
fn has(request: &HeaderMap, etag: &HeaderValue) -> bool {
    let opaque = |tag: &str| tag.trim_start_matches("W/").to_owned();
    let wanted = opaque(etag.to_str().unwrap_or_default());
    list(request, IF_NONE_MATCH).any(|tag| tag == "*" || opaque(tag) == wanted)
}

fn takes_gzip(request: &HeaderMap) -> bool {
    list(request, ACCEPT_ENCODING).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let is_refused = matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000");
        name.trim().eq_ignore_ascii_case("gzip") && !is_refused
    })
}

fn list(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter();
    let values = values.filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

fn content_type(mime: &str) -> HeaderValue {
    let is_text = mime.starts_with("text/");
    let with_charset = if is_text {
        format!("{mime}; charset=utf-8")
    } else {
        mime.to_owned()
    };
    HeaderValue::try_from(with_charset).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

fn gzip(data: &[u8]) -> io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(data.len() / 3), Compression::default());
    encoder.write_all(data)?;
    Ok(encoder.finish()?.into())
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::io::Read;

    use flate2::read::GzDecoder;
    use http_body_util::BodyExt;
    use rust_embed::{EmbeddedFile, Metadata};

    use super::*;

    struct Page;

    const TEXT: &str = "<p>A page.</p>";

    impl RustEmbed for Page {
        fn get(path: &str) -> Option<EmbeddedFile> {
            let text = TEXT.repeat(100);
            (path == "page.html").then(|| EmbeddedFile {
                data: Cow::Owned(text.into_bytes()),
                metadata: Metadata::__rust_embed_new([7; 32], None, None, "text/html"),
            })
        }

        fn iter() -> impl Iterator<Item = Cow<'static, str>> + 'static {
            std::iter::once(Cow::Borrowed("page.html"))
        }
    }

    fn request(name: HeaderName, value: &HeaderValue) -> HeaderMap {
        HeaderMap::from_iter([(name, value.clone())])
    }

    #[tokio::test]
    async fn a_file_comes_compressed_to_whoever_takes_that_and_not_again_to_whoever_has_it() {
        let assets = Assets::<Page>::new("default-src 'self'");
        let plain = assets.answer("page.html", &HeaderMap::new()).expect("a file");
        assert_eq!(plain.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
        assert_eq!(plain.headers()[CONTENT_SECURITY_POLICY], "default-src 'self'");
        let etag = plain.headers()[ETAG].clone();
        let plain = plain.into_body().collect().await.expect("read").to_bytes();
        assert_eq!(plain, TEXT.repeat(100));

        let gzip = HeaderValue::from_static("br;q=1.0, gzip;q=0.8");
        let compressed = assets
            .answer("page.html", &request(ACCEPT_ENCODING, &gzip))
            .expect("a file");
        assert_eq!(compressed.headers()[CONTENT_ENCODING], "gzip");
        let compressed = compressed.into_body().collect().await.expect("read").to_bytes();
        let mut text = String::new();
        GzDecoder::new(&compressed[..]).read_to_string(&mut text).expect("gzip");
        assert_eq!(text, TEXT.repeat(100));

        let again = assets
            .answer("page.html", &request(IF_NONE_MATCH, &etag))
            .expect("a file");
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(again.headers()[CONTENT_SECURITY_POLICY], "default-src 'self'");
        assert!(assets.answer("other.html", &HeaderMap::new()).is_none());
    }
}
