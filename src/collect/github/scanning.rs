//! When code scanning last looked at the default branch of a repository; GitHub tells it of one repository at a time.
//!
//! <https://docs.github.com/en/rest/code-scanning/code-scanning#list-code-scanning-analyses-for-a-repository>. Left out: what it found, which alerts tell.

use futures::{StreamExt as _, TryStreamExt as _, future, stream};

use crate::collect::api::{Api, ApiError, Reply, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, refused};
use crate::collect::github::repositories;
use crate::collect::github::wording::{path_part, repository_path};
use crate::model::{Exchange, Gap, GapCause, Host};

const OPERATION: &str = "code-scanning/list-recent-analyses";
const SEES_ANALYSES: &str = "Code scanning alerts: read on the repository, and GitHub Code Security where it is private (token: security_events)";
/// Repositories that are asked about at the same time; the `Api` has its own limit.
const AT_ONCE: usize = 16;

/// A repository and its default branch.
pub(super) type Scanned = (String, String);

/// The repositories on a page of the bulk query that are in use and have something to scan: no scanner reads what is in no language, such as mere prose.
pub(super) fn in_use(page: &Reply) -> Vec<Scanned> {
    let answer = Answer::graphql(&page.body);
    let nodes = repositories::nodes(&answer);
    let has_code = |node: &&Field<'_>| node.get("languages").all_nodes().map_or(true, |languages| !languages.is_empty());
    let used = nodes.iter().filter(|node| node.get("isArchived").bool() != Ok(true)).filter(has_code);
    used.filter_map(|node| Some((node.get("nameWithOwner").text().ok()?.to_owned(), node.path(&["defaultBranchRef", "name"]).text().ok()?.to_owned())))
        .collect()
}

/// Asks for the latest analysis of each of these.
pub(super) async fn fetch(scanned: &[Scanned], api: &dyn Api, asked_by: &'static str) -> Result<(), ApiError> {
    let ask = |(name, branch): &Scanned| {
        let reference = path_part(&format!("refs/heads/{branch}"));
        let target = format!("/repos/{}/code-scanning/analyses?per_page=1&ref={reference}", repository_path(name));
        api.send(Request::get(Host::GitHub, target, OPERATION, name.as_str(), asked_by))
    };
    stream::iter(scanned).map(ask).buffer_unordered(AT_ONCE).try_for_each(|_reply| future::ok(())).await
}

/// When the repository of this name was last scanned, none where it never was, and the exchange that tells.
pub(super) fn read(name: &str, evidence: &dyn Evidence) -> Result<(Option<u32>, Fact<Option<String>>), Unreadable> {
    let Some(exchange) = evidence.about(OPERATION, name).first() else {
        return Ok((None, Err(Gap::new(GapCause::Incomplete, format!("{OPERATION} was not asked for {name}")))));
    };
    Ok((Some(exchange.n), last(exchange, evidence)?))
}

fn last(exchange: &Exchange, evidence: &dyn Evidence) -> Result<Fact<Option<String>>, Unreadable> {
    let answer = Answer::stored_rest(evidence, exchange)?;
    if !exchange.is_answer() {
        // This 404 speaks of analyses; the one that hides them says "Not Found".
        let is_none = exchange.status == Some(404) && answer.root().get("message").text() == Ok("no analysis found");
        return Ok(if is_none { Ok(None) } else { Err(refused(evidence, exchange, SEES_ANALYSES)?) });
    }
    let analyses = match answer.root().needing(SEES_ANALYSES).items() {
        Ok(analyses) => analyses,
        Err(gap) => return Ok(Err(gap)),
    };
    Ok(match analyses.first() {
        None => Ok(None),
        Some(analysis) => match analysis.get("error").text() {
            Ok("") => analysis.get("created_at").time().map(Some),
            Ok(_) => Err(Gap::new(GapCause::Unanswered, "the latest analysis failed, so that nothing is known of the code")),
            Err(gap) => Err(gap),
        },
    })
}
