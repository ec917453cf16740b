//! What the answers about things tell of each, by its node id, and why of some nothing is told.
//!
//! Left out: how they were asked about (`batch`).

use std::collections::BTreeMap;

use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, refused};
use crate::collect::github::batch::{Thing, is_shared};
use crate::model::{Gap, GapCause};

/// What was told of each thing, by its node id.
#[derive(Debug)]
pub(super) struct Told<T> {
    by_id: BTreeMap<String, (u32, T)>,
    /// Of things that were asked for by themselves and not answered.
    own: BTreeMap<String, Gap>,
    /// Of the others that were not answered.
    shared: Option<Gap>,
}

impl<T> Told<T> {
    /// Reads the stored answers.
    pub(super) fn read(
        organization: &str,
        operation: &str,
        cure: &'static str,
        evidence: &dyn Evidence,
        read: impl Fn(&Field<'_>) -> T,
    ) -> Result<Self, Unreadable> {
        let mut told = Self { by_id: BTreeMap::new(), own: BTreeMap::new(), shared: None };
        let prefix = format!("{organization}/");
        for exchange in evidence.operation(operation) {
            let Some(id) = exchange.subject.strip_prefix(&prefix).filter(|_| !exchange.is_answer()) else { continue };
            if is_shared(exchange, organization) {
                told.shared = Some(refused(evidence, exchange, cure)?);
            } else if let Some((gap, _exchange)) = (Thing { organization, id, name: id }).own_gap(operation, cure, evidence)? {
                told.own.insert(id.to_owned(), gap);
            }
        }
        each(organization, operation, cure, evidence, &mut |node, exchange| {
            if let Ok(id) = node.get("id").text() {
                told.by_id.insert(id.to_owned(), (exchange, read(node)));
            }
        })?;
        Ok(told)
    }

    /// What was told of a thing, with the exchange, or why nothing was.
    pub(super) fn of(&self, id: &str) -> Fact<(u32, &T)> {
        let gap = || {
            let known = self.own.get(id).or(self.shared.as_ref()).cloned();
            known.unwrap_or_else(|| Gap::new(GapCause::Unanswered, "the source gave no details of it"))
        };
        self.by_id.get(id).map(|(exchange, told)| (*exchange, told)).ok_or_else(gap)
    }
}

/// Shows each thing that the stored answers tell of, with its exchange.
pub(super) fn each(
    organization: &str,
    operation: &str,
    cure: &'static str,
    evidence: &dyn Evidence,
    visit: &mut dyn FnMut(&Field<'_>, u32),
) -> Result<(), Unreadable> {
    let is_ours = |subject: &str| subject.strip_prefix(organization).is_some_and(|rest| rest.starts_with('/'));
    for exchange in evidence.operation(operation).iter().filter(|exchange| is_ours(&exchange.subject) && exchange.is_answer()) {
        let answer = Answer::stored_graphql(evidence, exchange)?;
        for node in answer.root().path(&["data", "nodes"]).needing(cure).items().unwrap_or_default() {
            visit(&node, exchange.n);
        }
    }
    Ok(())
}

/// The things of an answer, as they are in the reply to a batch.
pub(super) fn nodes(answer: &Answer) -> Vec<Field<'_>> {
    answer.root().path(&["data", "nodes"]).items().unwrap_or_default()
}
