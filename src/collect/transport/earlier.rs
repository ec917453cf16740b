//! What earlier runs were answered: re-validated by a 304, or taken over from the run that this one continues.

use std::collections::BTreeMap;

use url::Url;

use crate::collect::answer;
use crate::collect::api::Request;
use crate::collect::archive::{OF_THE_BODY, Previous};
use crate::collect::transport::Core;
use crate::collect::transport::journey::Journey;
use crate::collect::transport::page;
use crate::collect::transport::record::{Landing, Source};
use crate::collect::transport::wire::Received;
use crate::model::{Digest, Headers, Method};

impl<'a> Journey<'a> {
    /// What the run that this one continues was answered, unless asking again may bring more.
    pub(super) async fn taken_over(&self) -> Option<Landing<'a>> {
        let archive = &self.core.archive;
        let previous = archive.answered(self.request.method, self.url.as_str(), self.request.body.as_ref().map(|body| Digest::of(body)).as_ref())?;
        let body = archive.body(&previous.kept).await.ok()?;
        answer::is_settled(&self.request.target, &body).then(|| Landing {
            status: Some(200),
            headers: previous.headers.to_map(),
            source: Source::Earlier(body, previous),
            gap: None,
            too_much: false,
            leads_on: None,
            permit: None,
        })
    }

    /// None where the earlier body is of no use, so that it has to be asked for in full.
    pub(super) async fn revalidated(&mut self, received: Received) -> Option<Landing<'a>> {
        let previous = self.previous.take()?;
        let body = self.core.archive.body(&previous.kept).await.ok()?;
        let headers = freshened(&previous.headers, received.head.headers);
        if page::may_have_grown(self.request, &headers, &body) {
            return None;
        }
        Some(Landing { status: Some(304), headers, source: Source::Earlier(body, previous), gap: None, too_much: false, leads_on: None, permit: None })
    }
}

/// An earlier answer to a GET of this address.
pub(super) fn earlier(core: &Core, request: &Request, url: &Url) -> Option<Previous> {
    (request.method == Method::Get).then(|| core.archive.previous(url.as_str())).flatten()
}

/// A 304 updates the stored answer's headers (RFC 9110, 15.4.5) and may leave out those that describe the body.
fn freshened(before: &Headers, now: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut headers = before.only(&OF_THE_BODY).to_map();
    headers.extend(now);
    headers
}
