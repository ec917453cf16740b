//! Walking a GraphQL connection page by page, with pages that become smaller where GitHub does not manage whole ones.
//!
//! GitHub gives a query ten seconds and answers 502 or 504 beyond that. The same cursor is then asked for half as much, and what was too much is recorded under a
//! name of its own, so that pages stay numbered one by one. Left out: what is on a page (the kinds), connections inside another connection.

use std::collections::BTreeSet;

use crate::collect::api::{Api, ApiError, Reply, Request};
use crate::collect::paging::Paging;

/// Pages in a row that have to come before larger ones are tried again; each attempt that is too much costs up to twenty seconds.
const CALM: u32 = 10;

/// What one page is to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part<'c> {
    /// The cursor that it comes after.
    pub(super) after: Option<&'c str>,
    /// How many items, where that is fewer than the query says by itself.
    pub(super) first: Option<u32>,
}

impl Part<'_> {
    /// The first page, whole.
    pub(super) const FIRST: Self = Self { after: None, first: None };
}

/// A connection under way.
#[derive(Debug)]
pub(super) struct Walk {
    paging: Paging,
    after: Option<String>,
    /// The page to come, from 1.
    number: u32,
    whole: u32,
    size: u32,
    /// Pages since one was too much.
    calm: u32,
    seen: BTreeSet<String>,
    ended: bool,
}

impl Walk {
    /// From the beginning. The size of a page is the default of the query's `$first`; a query without one has pages that cannot be made smaller.
    pub(super) fn new(query: &str, paging: Paging) -> Self {
        let whole = size_in(query);
        Self { paging, after: None, number: 1, whole, size: whole, calm: 0, seen: BTreeSet::new(), ended: false }
    }

    /// The same, beginning after a cursor.
    pub(super) fn after(self, cursor: String) -> Self {
        Self { after: Some(cursor), ..self }
    }

    /// The next page, as `ask` spells the request for it; none after the last, after one that does not say how to go on, and where a cursor comes back that was seen before.
    pub(super) async fn next(&mut self, api: &dyn Api, ask: &(dyn Fn(Part<'_>) -> Request + Send + Sync)) -> Result<Option<Reply>, ApiError> {
        while !self.ended {
            let part = Part { after: self.after.as_deref(), first: (self.size < self.whole).then_some(self.size) };
            let request = ask(part).page(self.paging, self.number);
            let reply = api.send(if self.size > 1 { request.divisible() } else { request }).await?;
            if reply.too_much {
                self.size = (self.size / 2).max(1);
                self.calm = 0;
                continue;
            }
            self.turn(&reply);
            return Ok(Some(reply));
        }
        Ok(None)
    }

    fn turn(&mut self, reply: &Reply) {
        self.number = self.number.saturating_add(1);
        self.calm = self.calm.saturating_add(1);
        if self.size < self.whole && self.calm >= CALM {
            self.size = self.size.saturating_mul(2).min(self.whole);
            self.calm = 0;
        }
        self.after = reply.next.clone().filter(|next| self.seen.insert(next.clone()));
        self.ended = self.after.is_none();
    }
}

/// Asks for every page.
pub(super) async fn all(query: &str, paging: Paging, api: &dyn Api, ask: &(dyn Fn(Part<'_>) -> Request + Send + Sync)) -> Result<(), ApiError> {
    let mut walk = Walk::new(query, paging);
    while walk.next(api, ask).await?.is_some() {}
    Ok(())
}

fn size_in(query: &str) -> u32 {
    let digits = query.split_once("$first: Int = ").map_or("", |(_before, rest)| rest);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits.get(..end).and_then(|digits| digits.parse().ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::{CALM, Walk, size_in};
    use crate::collect::api::Request;
    use crate::collect::evidence::Evidence;
    use crate::collect::paging::Paging;
    use crate::collect::replay::{Answer, Replay};
    use crate::model::Host;

    const QUERY: &str = "query Things($after: String, $first: Int = 8) { things(first: $first, after: $after) { pageInfo { hasNextPage endCursor } } }";
    const THINGS: u32 = 60;

    /// Asks for everything; the first items and sizes of the pages that came, and the evidence.
    fn walked(manages: impl Fn(u32, u32) -> bool + Send + Sync) -> (Vec<(u32, u32)>, impl Evidence) {
        let asked: Mutex<Vec<(u32, u32)>> = Mutex::default();
        let replay = Replay::new("2026-11-02T02:00:00Z".parse().expect("an instant"), |request: &Request| {
            let body: Vec<u32> = serde_json::from_slice(request.body.as_deref().unwrap_or_default()).expect("two numbers");
            let (from, size) = (body[0], body[1]);
            if !manages(from, size) {
                return Answer::new(504, "");
            }
            asked.lock().expect("a list").push((from, size));
            let end = (from + size).min(THINGS);
            Answer::new(200, format!(r#"{{"data":{{"things":{{"pageInfo":{{"hasNextPage":{},"endCursor":"{end}"}}}}}}}}"#, end < THINGS))
        });
        let mut walk = Walk::new(QUERY, Paging::Cursor("/data/things/pageInfo"));
        futures::executor::block_on(async {
            let ask = |part: super::Part<'_>| {
                let body = format!("[{},{}]", part.after.unwrap_or("0"), part.first.unwrap_or(8));
                Request::get(Host::GitHub, "/graphql", "graphql/things", "acme", "github.thing").post(body)
            };
            while walk.next(&replay, &ask).await.expect("sent").is_some() {}
        });
        let evidence = replay.evidence();
        (asked.into_inner().expect("a list"), evidence)
    }

    #[test]
    fn the_size_is_the_querys_own() {
        assert_eq!(size_in(QUERY), 8);
        assert_eq!(size_in("query Things { things(first: 8) { totalCount } }"), 1);
    }

    #[test]
    fn a_page_that_is_too_much_is_asked_for_in_smaller_ones_from_the_same_cursor() {
        let (pages, evidence) = walked(|from, size| from < 16 || size <= 2);
        assert_eq!(pages[..4], [(0, 8), (8, 8), (16, 2), (18, 2)]);
        assert!(pages.windows(2).all(|pair| pair[0].0 + pair[0].1 == pair[1].0), "no item is left out and none comes twice: {pages:?}");
        let evidence: &dyn Evidence = &evidence;
        assert_eq!(evidence.listing_gap("graphql/things", "acme"), None, "pages are numbered one by one");
        assert!(!evidence.operation("too-much/graphql/things").is_empty(), "what was too much is on record");
    }

    #[test]
    fn larger_pages_are_tried_again_after_a_while() {
        let (pages, _) = walked(|from, size| from != 0 || size <= 2);
        let calm = usize::try_from(CALM).expect("a few");
        assert_eq!((pages[calm - 1].1, pages[calm].1), (2, 4), "{pages:?}");
    }

    #[test]
    fn one_item_that_is_too_much_ends_the_listing_with_its_reason() {
        let (pages, evidence) = walked(|from, _size| from < 16);
        assert_eq!(pages, [(0, 8), (8, 8)]);
        let evidence: &dyn Evidence = &evidence;
        let gap = evidence.listing_gap("graphql/things", "acme").expect("a gap");
        assert_eq!(gap.detail, "graphql/things for acme answered 504");
    }
}
