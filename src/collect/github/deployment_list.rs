//! The deployments of the repositories that deployed in a window, newest first: in batches, and page after page where fifty do not reach back to the window's start.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;

use crate::collect::api::{Api, ApiError, Reply, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, refused};
use crate::collect::github::batch::Batch;
use crate::collect::github::deployment::{AT_ONCE, KIND, SEES_DEPLOYMENTS};
use crate::collect::github::items::page_body;
use crate::collect::github::told;
use crate::collect::github::walk::{Part, Walk};
use crate::collect::paging::Paging;
use crate::model::{Gap, GapCause, Host, Period};

const BATCH: &str = "graphql/deployments-batch";
const BATCHES: Batch = Batch { kind: KIND.name, operation: BATCH, query: include_str!("queries/deployments_batch.graphql"), size: TOGETHER, abreast: AT_ONCE };
/// Repositories in one question.
const TOGETHER: usize = 50;
const SINGLE: &str = "graphql/repository-deployments";
const SINGLE_QUERY: &str = include_str!("queries/repository_deployments.graphql");
const SINGLE_PAGING: Paging = Paging::Cursor("/data/repository/deployments/pageInfo");

/// The node ids of deployments.
#[derive(Debug, Default)]
pub(super) struct Ids {
    /// Those that may be of the window.
    pub(super) inside: BTreeSet<String>,
    /// Those, later ones, and earlier ones of the same commits.
    pub(super) told: BTreeSet<String>,
}

/// When the newest of these deployments was begun; none where there are none.
pub(super) fn newest(deployments: &Field<'_>) -> Fact<Option<DateTime<Utc>>> {
    if deployments.get("totalCount").int()? == 0 {
        return Ok(None);
    }
    let nodes = deployments.get("nodes").items()?;
    let first = nodes.first().ok_or_else(|| Gap::new(GapCause::Incomplete, "deployments are counted, but not shown"))?;
    begun(first).map(Some)
}

fn begun(deployment: &Field<'_>) -> Fact<DateTime<Utc>> {
    deployment.get("createdAt").time()?.parse().map_err(|error: chrono::ParseError| Gap::new(GapCause::Malformed, error.to_string()))
}

/// True where nothing of the window lies beyond this page.
fn reaches_back(deployments: &Field<'_>, window: Period) -> bool {
    let is_last = deployments.path(&["pageInfo", "hasNextPage"]).bool() == Ok(false);
    let nodes = deployments.get("nodes").items();
    nodes.is_ok_and(|nodes| is_last || nodes.last().is_some_and(|oldest| begun(oldest).is_ok_and(|at| at < window.start())))
}

/// Lists the deployments of these repositories, each by its name and node id.
pub(super) async fn fetch(organization: &str, active: Vec<(String, Option<String>)>, window: Period, api: &dyn Api) -> Result<Ids, ApiError> {
    let mut alone: BTreeSet<String> = active.iter().map(|(name, _id)| name.clone()).collect();
    let ids: Vec<String> = active.into_iter().filter_map(|(_name, id)| id).collect();
    let mut found = Ids::default();
    let note = |reply: &Reply| {
        let answer = Answer::graphql(&reply.body);
        for repository in told::nodes(&answer) {
            let deployments = repository.get("deployments");
            if reaches_back(&deployments, window) && alone.remove(repository.get("nameWithOwner").text().unwrap_or_default()) {
                found.note(&deployments.get("nodes").items().unwrap_or_default(), window);
            }
        }
    };
    BATCHES.ask(organization, &ids, api, note).await?;
    let asking = stream::iter(alone).map(|repository| ask(repository, window, api)).buffer_unordered(AT_ONCE);
    asking
        .try_fold(found, |mut found, pages| async move {
            let nodes = pages.iter().flat_map(|page| of_one(page).get("nodes").items().unwrap_or_default()).collect::<Vec<_>>();
            found.note(&nodes, window);
            Ok(found)
        })
        .await
}

fn of_one(answer: &Answer) -> Field<'_> {
    answer.root().path(&["data", "repository", "deployments"])
}

/// Asks about one repository until the window's start is reached.
async fn ask(repository: String, window: Period, api: &dyn Api) -> Result<Vec<Answer>, ApiError> {
    let (owner, name) = repository.split_once('/').unwrap_or_default();
    let variables = json!({ "owner": owner, "name": name });
    let page = |part: Part<'_>| Request::get(Host::GitHub, "/graphql", SINGLE, repository.as_str(), KIND.name).post(page_body(SINGLE_QUERY, &variables, part));
    let mut pages = Vec::new();
    let mut walk = Walk::new(SINGLE_QUERY, SINGLE_PAGING);
    while let Some(reply) = walk.next(api, &page).await? {
        let answer = Answer::graphql(&reply.body);
        let is_enough = reaches_back(&of_one(&answer), window);
        pages.push(answer);
        if is_enough {
            break;
        }
    }
    Ok(pages)
}

impl Ids {
    fn note(&mut self, deployments: &[Field<'_>], window: Period) {
        let id = |node: &Field<'_>| node.get("id").text().ok().map(ToOwned::to_owned);
        let (recent, before): (Vec<_>, Vec<_>) = deployments.iter().partition(|node| begun(node).map_or(true, |at| at >= window.start()));
        let inside: Vec<_> = recent.iter().filter(|node| begun(node).map_or(true, |at| window.contains(at))).collect();
        let commits: BTreeSet<&str> = inside.iter().filter_map(|node| node.get("commitOid").text().ok()).collect();
        self.inside.extend(inside.iter().filter_map(|node| id(node)));
        let again = before.iter().filter(|node| node.get("commitOid").text().is_ok_and(|commit| commits.contains(commit)));
        self.told.extend(recent.iter().chain(again).filter_map(|node| id(node)));
    }
}

/// The deployments of one repository as they were listed.
pub(super) struct Listed<'a> {
    /// `owner/name`.
    pub(super) repository: &'a str,
    /// The pages, with the exchange of each.
    pages: Vec<(Field<'a>, u32)>,
}

impl<'a> Listed<'a> {
    /// The exchanges that listed them.
    pub(super) fn exchanges(&self) -> impl Iterator<Item = u32> {
        self.pages.iter().map(|(_page, exchange)| *exchange)
    }

    /// What was listed, with the exchange of each, and why it is not all, where it is not all.
    pub(super) fn nodes(&self) -> (Vec<(Field<'a>, u32)>, Option<Gap>) {
        let mut seen = Vec::new();
        let mut ids = BTreeSet::new();
        let mut cut = None;
        for (page, exchange) in &self.pages {
            let (nodes, gap) = page.nodes();
            // A page may repeat what moved while it was read.
            let new = nodes.into_iter().filter(|node| node.get("id").text().map_or(true, |id| ids.insert(id)));
            seen.extend(new.map(|node| (node, *exchange)));
            cut = gap.or(cut);
        }
        let total = self.pages.first().and_then(|(page, _)| page.get("totalCount").int().ok()).and_then(|total| usize::try_from(total).ok());
        let is_all = total.is_some_and(|total| total <= seen.len()) && !self.is_hidden();
        (seen, cut.filter(|_| !is_all))
    }

    /// True where some are hidden, which may be of any time.
    pub(super) fn is_hidden(&self) -> bool {
        self.pages.iter().any(|(page, _)| page.get("nodes").items().is_ok_and(|nodes| nodes.iter().any(|node| node.value().is_none())))
    }
}

/// Shows the stored lists of these repositories; gives why some cannot be shown.
pub(super) fn each(
    organization: &str,
    mut active: BTreeSet<String>,
    window: Period,
    evidence: &dyn Evidence,
    visit: &mut dyn FnMut(&Listed<'_>),
) -> Result<Vec<Gap>, Unreadable> {
    told::each(organization, BATCH, SEES_DEPLOYMENTS, evidence, &mut |repository, exchange| {
        let (name, deployments) = (repository.get("nameWithOwner").text().unwrap_or_default(), repository.get("deployments"));
        if reaches_back(&deployments, window) && active.remove(name) {
            visit(&Listed { repository: name, pages: vec![(deployments, exchange)] });
        }
    })?;
    let mut gaps = Vec::new();
    for name in &active {
        let mut answers = Vec::new();
        for exchange in evidence.about(SINGLE, name) {
            if exchange.is_answer() {
                answers.push((Answer::stored_graphql(evidence, exchange)?, exchange.n));
            } else {
                gaps.push(refused(evidence, exchange, SEES_DEPLOYMENTS)?);
            }
        }
        if answers.is_empty() && evidence.about(SINGLE, name).is_empty() {
            gaps.push(Gap::new(GapCause::Incomplete, format!("{SINGLE} was not asked for {name}")));
        }
        if !answers.is_empty() {
            let pages = answers.iter().map(|(answer, exchange)| (of_one(answer).needing(SEES_DEPLOYMENTS), *exchange)).collect();
            visit(&Listed { repository: name, pages });
        }
    }
    Ok(gaps)
}
