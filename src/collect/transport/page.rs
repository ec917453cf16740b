//! Which page follows, as far as the transport may follow it.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;

use crate::collect::api::Request;
use crate::collect::paging::Paging;
use crate::collect::transport::address::Addresses;
use crate::model::{Gap, GapCause, PageMark};

/// What an answer says about the page after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is no page of a listing.
    NoPage,
    /// It is the last one.
    Last,
    /// This names the next one.
    Next(String),
    /// It does not tell.
    Untold(Gap),
    /// The next page is on another host; a credential would travel there.
    Refused(Gap),
}

/// Reads what follows a usable answer.
pub(super) fn turn(request: &Request, headers: &BTreeMap<String, String>, body: &[u8], addresses: &Addresses) -> Turn {
    let Some((paging, _)) = request.page else { return Turn::NoPage };
    let asked = format!("{} for {}", request.operation, request.subject);
    match paging.next(headers, body) {
        Err(untold) => Turn::Untold(Gap::new(GapCause::Malformed, format!("{asked}: {untold}"))),
        Ok(None) => Turn::Last,
        Ok(Some(token)) if paging != Paging::Link => Turn::Next(token),
        Ok(Some(link)) => match addresses.target(request.host, &link) {
            Ok(target) => Turn::Next(target),
            Err(misdirected) => Turn::Refused(Gap::new(GapCause::Malformed, format!("{asked}: the address of the next page was refused: {misdirected}"))),
        },
    }
}

impl Turn {
    /// The mark in the record of page `number`.
    pub(super) fn mark(&self, number: u32) -> PageMark {
        let last = match self {
            Self::Last => Some(true),
            Self::Next(_) => Some(false),
            Self::NoPage | Self::Untold(_) | Self::Refused(_) => None,
        };
        PageMark { number, last }
    }
}

/// True for a re-validated last page that is full: its bytes stay the same when an item is added on a page after it, and a 304 may leave out the `Link` that would say so.
pub(super) fn may_have_grown(request: &Request, headers: &BTreeMap<String, String>, body: &[u8]) -> bool {
    let is_last = request.page.is_some_and(|(paging, _)| paging == Paging::Link) && Paging::Link.next(headers, body) == Ok(None);
    is_last && serde_json::from_slice::<Vec<IgnoredAny>>(body).is_ok_and(|items| items.len() >= per_page(&request.target))
}

/// GitHub's default is 30. <https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api>
fn per_page(target: &str) -> usize {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let named = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "per_page");
    named.and_then(|(_, value)| value.parse().ok()).unwrap_or(30)
}
