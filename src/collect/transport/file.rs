//! What is different about an attached file: it lies on another host, behind an address that lets in whoever has it, and holds anything.
//!
//! Left out: which addresses are files (`collect::attachment`), where redirects may lead (`address`).

use bytes::Bytes;
use url::Url;

use crate::collect::answer::{Answer, Reading};
use crate::collect::api::{ApiError, Request};
use crate::collect::transport::address::Travels;
use crate::collect::transport::earlier::earlier;
use crate::collect::transport::journey::{HOPS, Journey, Step};
use crate::collect::transport::record::Landing;
use crate::collect::transport::wire::Received;
use crate::model::{Gap, GapCause, Host};

impl<'a> Journey<'a> {
    /// An attached file lies elsewhere, behind an address that is a credential by itself: it is followed, and never written down whole.
    pub(super) async fn file_redirected(&mut self, received: Received, leads_to: Option<String>) -> Result<Step<'a>, ApiError> {
        let next = match leads_to {
            _ if self.hops >= HOPS => Err("too many".to_owned()),
            None => Err("it leads nowhere".to_owned()),
            Some(location) => self.core.addresses.file(&self.url, &location).map_err(|misdirected| misdirected.to_string()),
        };
        let (next, credential) = match next {
            Ok(next) => next,
            Err(why) => {
                let gap = Gap::new(GapCause::Forbidden, format!("a redirect was refused: {why}"));
                return Ok(Step::landed(Landing::fresh(received, Some(gap))));
            }
        };
        self.hops = self.hops.saturating_add(1);
        self.record_hop(received).await?;
        self.url = next;
        // Once left behind, the credential stays there.
        if credential == Travels::Nothing {
            self.credential = Travels::Nothing;
        }
        self.previous = earlier(self.core, self.request, &self.shown());
        Ok(Step::Onward)
    }

    /// GitHub's pages hand out files by redirects; a page in place of one asks to sign in, whatever its status.
    pub(super) fn read_file(&self, answer: &Answer<'_>) -> Reading {
        let is_page = answer.headers.get("content-type").is_some_and(|sort| sort.to_ascii_lowercase().starts_with("text/html"));
        if answer.status == 200 && self.credential == Travels::Secret && is_page && self.request.host == Host::GitHubFiles {
            return Reading::Refused(Gap::new(GapCause::Forbidden, format!("{}: a page came instead of the file", answer.asked)));
        }
        answer.read_file()
    }

    /// The address as it may be written down: the query of an attached file's is what lets in.
    pub(super) fn shown(&self) -> Url {
        let mut url = self.url.clone();
        if is_file(self.request) {
            url.set_query(None);
        }
        url
    }
}

impl Received {
    /// The same without its body.
    pub(super) fn emptied(self) -> Self {
        Self { body: Bytes::new(), redacted: Vec::new(), ..self }
    }
}

/// True for requests for attached files.
pub(super) fn is_file(request: &Request) -> bool {
    matches!(request.host, Host::GitHubFiles | Host::GitHubImages)
}

/// Only the file itself is kept of what comes from where files lie: a redirect, and the errors of a store, repeat the signed address.
pub(super) fn unsigned(mut received: Received) -> Received {
    let without_query = |location: &String| location.split(['?', '#']).next().unwrap_or_default().to_owned();
    if let Some(location) = received.head.headers.get("location").map(without_query) {
        received.head.headers.insert("location".to_owned(), location);
    }
    if received.head.status == 200 { received } else { received.emptied() }
}
