//! Requests and replies, paging by `Link`, ETags: what REST answers have in common.

pub(crate) mod directory;
pub(crate) mod fields;
pub(crate) mod github;
pub(crate) mod github_bodies;
pub(crate) mod github_protection;
pub(crate) mod google;
pub(crate) mod google_bodies;
pub(crate) mod inventory;
pub(crate) mod listings;
pub(crate) mod logs;
pub(crate) mod people;
pub(crate) mod releases;

use axum::body::Bytes;
use axum::http::header::{AUTHORIZATION, IF_NONE_MATCH};
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A request, taken apart.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// `http://127.0.0.1:PORT/github`, for `Link`.
    pub(crate) base: String,
    pub(crate) service: String,
    pub(crate) method: String,
    /// Below the service, as sent.
    pub(crate) path: String,
    /// As sent.
    pub(crate) query: String,
    pub(crate) authorization: Option<String>,
    pub(crate) if_none_match: Option<String>,
    pub(crate) body: Bytes,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The connection breaks in the middle of the body.
    pub(crate) broken: bool,
}

impl Ask {
    /// Takes a request apart.
    pub(crate) fn new(parts: &Parts, body: Bytes, base: &str) -> Self {
        let whole = parts.uri.path().trim_start_matches('/');
        let (service, rest) = whole.split_once('/').map_or((whole, ""), |(service, rest)| (service, rest));
        let (service, path, mount) = match service {
            "enterprise" => {
                // Attached files lie below the pages, beside the API.
                let pages = format!("/{rest}");
                let path = rest.strip_prefix("api/v3").or_else(|| rest.strip_prefix("api")).unwrap_or(&pages);
                ("github", path.to_owned(), "enterprise/api/v3")
            }
            other => (other, format!("/{rest}"), other),
        };
        let header = |name| parts.headers.get(name).and_then(|value: &axum::http::HeaderValue| value.to_str().ok()).map(ToOwned::to_owned);
        Self {
            base: format!("{base}/{mount}"),
            service: service.to_owned(),
            method: parts.method.to_string(),
            path,
            query: parts.uri.query().unwrap_or_default().to_owned(),
            authorization: header(AUTHORIZATION),
            if_none_match: header(IF_NONE_MATCH),
            body,
        }
    }

    /// Whether it goes to GitHub's GraphQL.
    pub(crate) fn is_graphql(&self) -> bool {
        self.service == "github" && self.path == "/graphql"
    }

    /// The path, in decoded segments.
    pub(crate) fn segments(&self) -> Vec<String> {
        let decoded = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().into_owned();
        self.path.trim_start_matches('/').split('/').map(decoded).collect()
    }

    /// The parameters, decoded, in order.
    pub(crate) fn parameters(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.query.as_bytes()).into_owned().collect()
    }

    /// The last value of a parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        self.parameters().into_iter().rfind(|(known, _)| known == name).map(|(_, value)| value)
    }
}

impl Reply {
    /// A reply with a body.
    pub(crate) fn new(status: u16, body: Vec<u8>) -> Self {
        Self { status, headers: Vec::new(), body, broken: false }
    }

    /// A JSON body.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, body.to_string().into_bytes()).header("content-type", "application/json; charset=utf-8")
    }

    /// GitHub's error shape.
    pub(crate) fn message(status: u16, message: &str) -> Self {
        Self::json(status, &json!({ "message": message, "documentation_url": "https://docs.github.com/rest", "status": status.to_string() }))
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Takes a header away.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    /// Adds a strong `ETag` made from the content, and answers 304 without a body where the client has it already.
    pub(crate) fn revalidated(self, ask: &Ask) -> Self {
        if self.status != 200 {
            return self;
        }
        let digest = Sha256::digest(&self.body);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let etag = format!("\"{hex}\"");
        let known = ask.if_none_match.as_deref().is_some_and(|list| list.split(',').any(|known| known.trim().trim_start_matches("W/") == etag));
        let reply = self.header("etag", etag).header("cache-control", "private, max-age=60, s-maxage=60").header("vary", "Accept, Authorization");
        if known { Self { status: 304, body: Vec::new(), ..reply.without("content-type") } } else { reply }
    }
}

/// One page of a listing with GitHub's `Link`, which goes by id: `path` is where the next pages are.
pub(crate) fn page<T>(ask: &Ask, path: &str, items: &[T], show: impl Fn(&T) -> Value) -> Reply {
    let number = |name: &str, otherwise: usize| ask.parameter(name).and_then(|text| text.parse().ok()).unwrap_or(otherwise).max(1);
    let size = number("per_page", 30).min(100);
    let current = number("page", 1);
    let last = items.len().div_ceil(size).max(1);
    let shown: Value = items.iter().skip((current - 1).saturating_mul(size)).take(size).map(show).collect();
    let reply = Reply::json(200, &shown);
    let link = |page: usize, relation: &str| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(ask.parameters().into_iter().filter(|(name, _)| name != "page"));
        query.append_pair("page", &page.to_string());
        format!("<{}{path}?{}>; rel=\"{relation}\"", ask.base, query.finish())
    };
    let mut links = Vec::new();
    if current > 1 {
        links.push(link(current - 1, "prev"));
    }
    if current < last {
        links.push(link(current + 1, "next"));
        links.push(link(last, "last"));
    }
    if current > 1 {
        links.push(link(1, "first"));
    }
    if links.is_empty() { reply } else { reply.header("link", links.join(", ")) }
}

/// A page of a listing that is continued by a cursor instead of a number, as GitHub does for alerts and security configurations.
pub(crate) fn page_after<T>(ask: &Ask, path: &str, items: &[T], show: impl Fn(&T) -> Value) -> Reply {
    let number = |name: &str| ask.parameter(name).and_then(|text| text.parse::<usize>().ok());
    let (start, size) = (number("after").unwrap_or(0), number("per_page").unwrap_or(30).clamp(1, 100));
    let reply = Reply::json(200, &items.iter().skip(start).take(size).map(show).collect::<Value>());
    if start + size >= items.len() {
        return reply;
    }
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(ask.parameters().into_iter().filter(|(name, _)| name != "after"));
    query.append_pair("after", &(start + size).to_string());
    reply.header("link", format!("<{}{path}?{}>; rel=\"next\"", ask.base, query.finish()))
}

/// Google's error shape. <https://google.aip.dev/193>
pub(crate) fn google_error(code: u16, status: &str, message: &str) -> Reply {
    Reply::json(code, &json!({ "error": { "code": code, "message": message, "status": status } }))
}
