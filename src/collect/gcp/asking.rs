//! Sending: all pages of a Google listing, and many questions at a time. What the answers mean is not known here, but for the names that lead to the next question.

use futures::stream::{self, TryStreamExt};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::collect::api::{Api, ApiError, Reply, Request};
use crate::collect::listing::all_pages;
use crate::collect::paging::Paging;

/// How many projects (or buckets, or service accounts of one project) are asked about at a time; the transport bounds the connections.
const AT_A_TIME: usize = 32;

/// Everything but the unreserved characters of RFC 3986 and `@`, which paths may hold and service accounts do.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// A name as one path segment or one query value.
pub(super) fn encoded(name: &str) -> String {
    utf8_percent_encode(name, SEGMENT).to_string()
}

/// A resource name (`projects/acme/serviceAccounts/a@b`) as path segments.
pub(super) fn encoded_path(name: &str) -> String {
    name.split('/').map(encoded).collect::<Vec<_>>().join("/")
}

/// Asks for every page of a listing whose target already holds a `?`.
///
/// # Errors
/// Only where collecting cannot go on at all.
pub(super) async fn pages(api: &dyn Api, first: Request, on_page: impl FnMut(&Reply) + Send) -> Result<(), ApiError> {
    let base = first.clone();
    let next = move |token: &str| Request { target: format!("{}&pageToken={}", base.target, encoded(token)), ..base.clone() };
    all_pages(api, first, Paging::Token, next, on_page).await
}

/// Runs `ask` for every item, many at a time, until all are done.
///
/// # Errors
/// The first error; what is under way then is dropped.
pub(super) async fn for_each<T, Asked>(items: Vec<T>, ask: impl Fn(T) -> Asked) -> Result<(), ApiError>
where
    Asked: Future<Output = Result<(), ApiError>>,
{
    let asked = items.into_iter().map(|item| Ok(ask(item)));
    stream::iter(asked).try_for_each_concurrent(AT_A_TIME, |under_way| under_way).await
}

/// Runs all futures, many at a time, and collects what they find in no particular order.
///
/// # Errors
/// The first error.
pub(super) async fn collected<T>(questions: Vec<impl Future<Output = Result<T, ApiError>>>) -> Result<Vec<T>, ApiError> {
    stream::iter(questions.into_iter().map(Ok)).try_buffer_unordered(AT_A_TIME).try_collect().await
}

/// The text at `field` of each entry of a page's list; nothing where the answer is not usable (`extract` says so).
pub(super) fn names(reply: &Reply, list: &str, field: &str) -> Vec<String> {
    entries(reply, list).iter().filter_map(|entry| entry.get(field).and_then(Value::as_str).map(ToOwned::to_owned)).collect()
}

/// The entries of a page's list; none where the answer is not usable.
pub(super) fn entries(reply: &Reply, list: &str) -> Vec<Value> {
    match json(reply).get_mut(list).map(Value::take) {
        Some(Value::Array(entries)) => entries,
        _ => Vec::new(),
    }
}

/// The answer as JSON, null where it is not usable.
pub(super) fn json(reply: &Reply) -> Value {
    if reply.gap.is_some() {
        return Value::Null;
    }
    serde_json::from_slice(&reply.body).unwrap_or(Value::Null)
}
