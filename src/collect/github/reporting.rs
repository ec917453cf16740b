//! Whether a public repository takes vulnerability reports in private; GitHub offers that to public ones only, and tells it of one repository at a time.
//!
//! <https://docs.github.com/en/rest/repos/repos#check-if-private-vulnerability-reporting-is-enabled-for-a-repository>

use futures::{StreamExt as _, TryStreamExt as _, future, stream};

use crate::collect::api::{Api, ApiError, Reply, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, refused};
use crate::collect::github::repositories;
use crate::collect::github::wording::repository_path;
use crate::model::{Gap, GapCause, Host};

const OPERATION: &str = "repos/check-private-vulnerability-reporting";
const SEES_REPORTING: &str = "Administration: read on the repository (token: repo)";
/// Repositories that are asked about at the same time; the `Api` has its own limit.
const AT_ONCE: usize = 16;

/// The public repositories on a page of the bulk query.
pub(super) fn public(page: &Reply) -> Vec<String> {
    let answer = Answer::graphql(&page.body);
    let nodes = repositories::nodes(&answer);
    let named = nodes.iter().filter(|node| node.get("visibility").text() == Ok("PUBLIC")).filter_map(|node| node.get("nameWithOwner").text().ok());
    named.map(ToOwned::to_owned).collect()
}

/// Asks about each of these repositories.
pub(super) async fn fetch(names: &[String], api: &dyn Api, asked_by: &'static str) -> Result<(), ApiError> {
    let ask = |name: &String| {
        let target = format!("/repos/{}/private-vulnerability-reporting", repository_path(name));
        api.send(Request::get(Host::GitHub, target, OPERATION, name.as_str(), asked_by))
    };
    stream::iter(names).map(ask).buffer_unordered(AT_ONCE).try_for_each(|_reply| future::ok(())).await
}

/// Whether the public repository of this name takes reports in private, and the exchange that tells.
pub(super) fn read(name: &str, evidence: &dyn Evidence) -> Result<(Option<u32>, Fact<bool>), Unreadable> {
    let Some(exchange) = evidence.about(OPERATION, name).first() else {
        return Ok((None, Err(Gap::new(GapCause::Incomplete, format!("{OPERATION} was not asked for {name}")))));
    };
    let told = if exchange.is_answer() {
        Answer::stored_rest(evidence, exchange)?.root().needing(SEES_REPORTING).get("enabled").bool()
    } else {
        Err(refused(evidence, exchange, SEES_REPORTING)?)
    };
    Ok((Some(exchange.n), told))
}
