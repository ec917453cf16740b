//! Reading things by their node ids, many in one request, and fewer where the answer for many is of no use.
//!
//! An answer that tells a credential is not stored, and one that takes GitHub ten seconds does not come: the batch is then asked for in halves, down to the one thing
//! that spoils it, so that only that one stays unknown. Left out: what the answers say (the kinds).

use futures::StreamExt as _;
use serde_json::{Value, json};

use crate::collect::api::{Api, ApiError, Reply, Request};
use crate::collect::evidence::{Evidence, Unreadable, was_withheld};
use crate::collect::github::answer::refused;
use crate::collect::github::items::body;
use crate::collect::github::share::{self, Share};
use crate::model::{Exchange, Gap, GapCause, Host};

/// Things alone without an answer, one after the other, before the rest of their batch is given up: the source is down then, and no thing is at fault.
const IN_VAIN: usize = 2;

/// What a reader can do about a thing whose texts tell a credential.
const UNTELL: &str = "the credential that somebody wrote there revoked, and taken out of the text";

/// How one kind of thing is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Batch {
    /// The kind that asks.
    pub(super) kind: &'static str,
    /// The operation.
    pub(super) operation: &'static str,
    /// The query, over `$ids` and, where the things have lists of very different lengths, `$first`.
    pub(super) query: &'static str,
    /// Things in one request.
    pub(super) size: usize,
    /// Requests under way at once; the transport bounds all kinds together.
    pub(super) abreast: usize,
}

impl Batch {
    /// Asks about things, and shows each usable answer.
    pub(super) async fn ask(&self, organization: &str, ids: &[String], api: &dyn Api, on_reply: impl FnMut(&Reply) + Send) -> Result<(), ApiError> {
        self.ask_shares(organization, share::of_length(ids, self.size), api, on_reply).await
    }

    /// The same about shares that were made before.
    pub(super) async fn ask_shares(
        &self,
        organization: &str,
        shares: Vec<Share>,
        api: &dyn Api,
        mut on_reply: impl FnMut(&Reply) + Send,
    ) -> Result<(), ApiError> {
        let numbered: Vec<(usize, Share)> = (1..).zip(shares).collect();
        let ask = |(number, share)| self.ask_share(format!("{organization}/batch-{number:05}"), share, api);
        let mut asked = futures::stream::iter(numbered).map(ask).buffer_unordered(self.abreast);
        while let Some(replies) = asked.next().await {
            replies?.iter().for_each(&mut on_reply);
        }
        Ok(())
    }

    /// Asks about the things of one batch: together, or else in ever smaller parts. `subject` names the batch; a thing by itself is filed under its own id.
    pub(super) async fn ask_one(&self, subject: String, batch: Vec<String>, api: &dyn Api) -> Result<Vec<Reply>, ApiError> {
        self.ask_share(subject, Share { variables: json!({}), ids: batch }, api).await
    }

    async fn ask_share(&self, subject: String, Share { variables, ids: batch }: Share, api: &dyn Api) -> Result<Vec<Reply>, ApiError> {
        let organization = subject.split('/').next().unwrap_or_default().to_owned();
        let mut replies = Vec::new();
        let mut in_vain = 0;
        let subject = name(&organization, &batch, subject);
        // The part to ask for next is the last one.
        let mut parts = vec![(subject, batch)];
        while let Some((subject, part)) = parts.pop() {
            let request = self.request(subject.clone(), &part, &variables);
            let reply = api.send(if part.len() > 1 { request.divisible() } else { request }).await?;
            if reply.too_much {
                let (first, second) = part.split_at(part.len() / 2);
                let named = |(number, half): (u32, &[String])| (name(&organization, half, format!("{subject}.{number}")), half.to_vec());
                parts.extend([(2, second), (1, first)].map(named));
                continue;
            }
            in_vain = if reply.gap.as_ref().is_some_and(|gap| gap.cause == GapCause::Unanswered) { in_vain + 1 } else { 0 };
            if in_vain >= IN_VAIN {
                break;
            }
            replies.extend(Some(reply).filter(|reply| reply.gap.is_none()));
        }
        Ok(replies)
    }

    fn request(&self, subject: String, ids: &[String], variables: &Value) -> Request {
        let body = body(self.query, variables, &json!({ "ids": ids }));
        Request::get(Host::GitHub, "/graphql", self.operation, subject, self.kind).post(body)
    }
}

/// What a request is filed under: that for one thing by itself under its id.
fn name(organization: &str, part: &[String], among_others: String) -> String {
    if let [id] = part { alone(organization, id) } else { among_others }
}

fn alone(organization: &str, id: &str) -> String {
    format!("{organization}/{id}")
}

/// True where what an exchange was asked about is many things, so that its trouble is that of them all.
pub(super) fn is_shared(exchange: &Exchange, organization: &str) -> bool {
    let name = exchange.subject.strip_prefix(organization).and_then(|name| name.strip_prefix('/'));
    name.is_some_and(|name| name.starts_with("batch-"))
}

/// One thing of a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Thing<'t> {
    /// Whose it is.
    pub(super) organization: &'t str,
    /// Its node id.
    pub(super) id: &'t str,
    /// What a reader calls it, e.g. `acme/web#7`.
    pub(super) name: &'t str,
}

impl Thing<'_> {
    /// Why a thing that was asked for by itself was not answered, and the exchange; none where it was answered, or asked for only among others.
    pub(super) fn own_gap(self, operation: &str, cure: &str, evidence: &dyn Evidence) -> Result<Option<(Gap, u32)>, Unreadable> {
        let exchange = evidence.about(operation, &alone(self.organization, self.id)).first().filter(|exchange| !exchange.is_answer());
        let Some(exchange) = exchange else { return Ok(None) };
        if !was_withheld(exchange) {
            return Ok(Some((refused(evidence, exchange, cure)?, exchange.n)));
        }
        let why = exchange.error.as_deref().unwrap_or_default();
        let gap = Gap::new(GapCause::Malformed, format!("what GitHub tells of {} was not kept: {why}", self.name));
        Ok(Some((if why.contains("credential") { gap.cured_by(UNTELL) } else { gap }, exchange.n)))
    }
}
