//! Asking by id what became of things that earlier runs knew, and whether things that they did not know are there.
//!
//! What earlier runs knew stands as a comment in the query that is sent and stored: so the difference between two nights is told by the evidence of the later one,
//! and `extract` needs no memory. A thing that is neither missing nor new nor called otherwise is not asked about: an ordinary night costs nothing.
//! Left out on purpose: what the difference means (the kinds).

use std::collections::BTreeMap;

use futures::StreamExt as _;
use futures::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::collect::api::{Api, ApiError, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, refused};
use crate::collect::github::items::body;
use crate::collect::memory::Seen;
use crate::model::{Gap, GapCause, Host};

/// As many ids as GitHub takes at once.
const BATCH: usize = 100;
/// Requests under way at once.
const ABREAST: usize = 8;
/// What opens the line of a query that says what earlier runs knew; null where they did not know a thing.
const KNEW: &str = "# Earlier runs knew: ";

/// How one kind of thing is asked about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inquiry {
    /// The kind that asks.
    pub(super) kind: &'static str,
    /// The operation.
    pub(super) operation: &'static str,
    /// The query, of `nodes(ids: $ids)`.
    pub(super) query: &'static str,
    /// What shows such things.
    pub(super) cure: &'static str,
}

/// A thing that is asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Asked {
    /// What tells it from all others of its kind.
    pub(super) key: String,
    /// The source's own id.
    pub(super) id: String,
    /// What earlier runs knew of it; none where they did not know it.
    pub(super) seen: Option<Seen>,
}

/// What the source said of it.
#[derive(Debug)]
pub(super) struct Told {
    /// What earlier runs knew of it; none where they did not know it.
    pub(super) seen: Option<Seen>,
    /// The exchange.
    pub(super) exchange: u32,
    /// What there is of it now.
    pub(super) now: Now,
}

/// What there is of a thing now.
#[derive(Debug)]
pub(super) enum Now {
    /// It is there, like this.
    There(Answer),
    /// The source knows no such thing, or hides it.
    Nowhere,
    /// The source did not say.
    Untold(Gap),
}

impl Inquiry {
    /// Asks.
    pub(super) async fn ask(&self, organization: &str, things: &[Asked], api: &dyn Api) -> Result<(), ApiError> {
        let requests: Vec<Request> = (1_u32..)
            .zip(things.chunks(BATCH))
            .map(|(number, batch)| {
                let ids: Vec<&str> = batch.iter().map(|thing| thing.id.as_str()).collect();
                let subject = format!("{organization}/known-{number:05}");
                Request::get(Host::GitHub, "/graphql", self.operation, subject, self.kind).post(body(
                    &self.with_knowledge(batch),
                    &json!({}),
                    &json!({ "ids": ids }),
                ))
            })
            .collect();
        let sent = futures::stream::iter(requests).map(|request| api.send(request)).buffer_unordered(ABREAST);
        sent.try_for_each(|_reply| async { Ok(()) }).await
    }

    fn with_knowledge(&self, things: &[Asked]) -> String {
        // Text and instants cannot fail to serialise, and JSON on one line is one comment.
        format!("{}{KNEW}{}\n", self.query, serde_json::to_string(things).unwrap_or_default())
    }

    /// What was asked about, and what came back, by key.
    pub(super) fn told(&self, organization: &str, evidence: &dyn Evidence) -> Result<BTreeMap<String, Told>, Unreadable> {
        let mut all = BTreeMap::new();
        let prefix = format!("{organization}/");
        for exchange in evidence.operation(self.operation).iter().filter(|exchange| exchange.subject.starts_with(&prefix)) {
            let answer = if exchange.is_answer() { Ok(Answer::stored_graphql(evidence, exchange)?) } else { Err(refused(evidence, exchange, self.cure)?) };
            let asked = evidence.asked(exchange)?.unwrap_or_default();
            for (place, thing) in knowledge(&asked).into_iter().enumerate() {
                let now = answer.as_ref().map_or_else(|gap| Now::Untold(gap.clone()), |answer| self.now(answer, place));
                all.insert(thing.key, Told { seen: thing.seen, exchange: exchange.n, now });
            }
        }
        Ok(all)
    }

    fn now(&self, answer: &Answer, place: usize) -> Now {
        let nodes = match answer.root().path(&["data", "nodes"]).needing(self.cure).items() {
            Ok(nodes) => nodes,
            Err(gap) => return Now::Untold(gap),
        };
        match nodes.get(place) {
            Some(node) if node.is_not_found() => Now::Nowhere,
            Some(node) => node.value().map_or_else(|| Now::Untold(node.gap()), |there| Now::There(Answer::of(there.clone()))),
            None => Now::Untold(Gap::new(GapCause::Malformed, format!("{} answered fewer things than it was asked for", self.operation))),
        }
    }
}

/// What a query says that earlier runs knew.
fn knowledge(asked: &[u8]) -> Vec<Asked> {
    let body: Value = serde_json::from_slice(asked).unwrap_or_default();
    let mut lines = body.get("query").and_then(Value::as_str).unwrap_or_default().lines();
    lines.find_map(|line| line.strip_prefix(KNEW)).and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Asked, Inquiry, knowledge};
    use crate::collect::github::items::body;
    use crate::collect::memory::Seen;

    #[test]
    fn what_earlier_runs_knew_is_read_back_from_the_query() {
        let inquiry = Inquiry { kind: "k", operation: "o", query: "query K { x }\n", cure: "c" };
        let seen = Seen { id: "R_7".into(), name: "acme/a\"b\n# Earlier runs knew: []".into(), at: "2026-03-01T02:00:00Z".parse().expect("an instant") };
        let things = [Asked { key: "7".into(), id: "R_7".into(), seen: Some(seen) }, Asked { key: "8".into(), id: "R_8".into(), seen: None }];
        let query = inquiry.with_knowledge(&things);
        assert_eq!(query.lines().count(), 2, "{query}");
        assert_eq!(knowledge(&body(&query, &serde_json::json!({}), &serde_json::json!({}))), things);
        assert_eq!(knowledge(b"{}"), []);
    }
}
