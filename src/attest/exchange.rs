//! One exchange with somebody outside: no redirects, a time limit for the whole of it, a size limit, and errors that name whom was asked and nothing of what was sent.

use std::time::Duration;

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use url::{Host, Url};

use crate::attest::AttestError;

/// Characters of an error answer that are shown.
const SHOWN: usize = 300;

/// Sends and receives.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    client: reqwest::Client,
    limit: usize,
}

/// A whole answer, of any status.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) who: String,
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Exchange {
    /// `timeout` is for one exchange from the first byte to the last, `limit` for the bytes of an answer. This machine is never asked through a proxy.
    pub(super) fn new(base: &Url, timeout: Duration, limit: usize) -> Result<Self, AttestError> {
        let builder = reqwest::Client::builder().redirect(Policy::none()).user_agent(concat!("proofline/", env!("CARGO_PKG_VERSION"))).timeout(timeout);
        let builder = if is_loopback(base) { builder.no_proxy() } else { builder };
        let client = builder.build().map_err(|error| AttestError::setting("the HTTP client", error.without_url().to_string()))?;
        Ok(Self { client, limit })
    }

    pub(super) async fn get(&self, url: &Url, headers: HeaderMap) -> Result<Answer, AttestError> {
        self.send(url, self.client.get(url.clone()).headers(headers)).await
    }

    pub(super) async fn post(&self, url: &Url, headers: HeaderMap, body: Vec<u8>) -> Result<Answer, AttestError> {
        self.send(url, self.client.post(url.clone()).headers(headers).body(body)).await
    }

    async fn send(&self, url: &Url, request: reqwest::RequestBuilder) -> Result<Answer, AttestError> {
        let who = named(url);
        let failed = |error: reqwest::Error| AttestError::Unreachable { who: named(url), why: fault(&error).to_owned() };
        let mut answer = request.send().await.map_err(failed)?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len().saturating_add(chunk.len()) > self.limit {
                return Err(AttestError::Malformed { what: "the answer", why: format!("it has more than {} bytes", self.limit) });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { who, status, headers, body })
    }
}

impl Answer {
    /// The media type, lower case and without parameters.
    pub(super) fn media_type(&self) -> String {
        let value = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// The answer as the refusal that it is.
    pub(super) fn refusal(self) -> AttestError {
        let why = match self.status {
            300..=399 => "a redirect, which is not followed: set the address that it leads to".to_owned(),
            _ => printable(&self.body),
        };
        AttestError::Status { who: self.who, status: self.status, why }
    }
}

/// The beginning of a text by somebody else, on one line.
pub(super) fn printable(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let shown: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN).collect();
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    if shown.is_empty() { "without a word".to_owned() } else { shown }
}

/// An address to ask: http or https, without credentials in it.
pub(super) fn address(what: &str, text: &str) -> Result<Url, AttestError> {
    let wrong = |why: &str| AttestError::setting(what, why);
    let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(wrong("it is not an http or https address"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it holds a user name or password, which would stand in every log"));
    }
    Ok(url)
}

pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Whom, without query.
fn named(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

/// Our own words, since a library's may quote what it sent.
fn fault(error: &reqwest::Error) -> &'static str {
    match error {
        error if error.is_timeout() => "no whole answer came in time",
        error if error.is_connect() => "no connection could be made",
        error if error.is_builder() => "the request could not be put into HTTP",
        _ => "the connection broke before the whole answer had come",
    }
}
