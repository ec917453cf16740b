//! One of the answers that a resource is put together from: about one subject, and read field by field.
//!
//! Left out: listings, which have pages (`listing`, `walk`).

use crate::collect::api::Reply;
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, refused, set};
use crate::model::{Exchange, Gap, GapCause, Resource};

/// One answer, or why there is none.
#[derive(Debug)]
pub(super) struct Part {
    answer: Fact<Answer>,
    /// The exchange that was read back; none where nothing was asked.
    pub(super) exchange: Option<u32>,
    cure: &'static str,
}

impl Part {
    /// Reads what was answered to an operation about a subject; `cure` would show what is missing.
    pub(super) fn read(operation: &str, subject: &str, cure: &'static str, evidence: &dyn Evidence) -> Result<Self, Unreadable> {
        let Some(exchange) = evidence.about(operation, subject).first() else {
            let gap = Gap::new(GapCause::Incomplete, format!("{operation} was not asked for {subject}"));
            return Ok(Self { answer: Err(gap), exchange: None, cure });
        };
        Ok(Self { answer: answer(exchange, cure, evidence)?, exchange: Some(exchange.n), cure })
    }

    /// What a reply of REST says while others are still to be asked for.
    pub(super) fn told(reply: &Reply, cure: &'static str) -> Self {
        let answer = reply.gap.as_ref().map_or_else(|| Ok(Answer::rest(&reply.body)), |gap| Err(gap.clone()));
        Self { answer, exchange: None, cure }
    }

    /// What `read` makes of the whole answer.
    pub(super) fn whole<T>(&self, read: impl FnOnce(&Field<'_>) -> Fact<T>) -> Fact<T> {
        let answer = self.answer.as_ref().map_err(Clone::clone)?;
        read(&answer.root().needing(self.cure))
    }

    /// What `read` makes of a field.
    pub(super) fn fact<T>(&self, field: &str, read: impl FnOnce(&Field<'_>) -> Fact<T>) -> Fact<T> {
        self.whole(|root| read(&root.get(field)))
    }

    /// Sets an attribute that is true or false.
    pub(super) fn bool(&self, resource: &mut Resource, attribute: &str, field: &str) {
        set(resource, attribute, self.fact(field, |field| field.bool()));
    }

    /// Sets an attribute that is text.
    pub(super) fn text(&self, resource: &mut Resource, attribute: &str, field: &str) {
        set(resource, attribute, self.fact(field, |field| field.text().map(ToOwned::to_owned)));
    }
}

fn answer(exchange: &Exchange, cure: &'static str, evidence: &dyn Evidence) -> Result<Fact<Answer>, Unreadable> {
    let read = if exchange.operation.starts_with("graphql/") { Answer::stored_graphql } else { Answer::stored_rest };
    if exchange.is_answer() { Ok(Ok(read(evidence, exchange)?)) } else { Ok(Err(refused(evidence, exchange, cure)?)) }
}
