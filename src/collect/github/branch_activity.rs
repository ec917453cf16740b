//! `github.branch_activity`: what moved or deleted a default branch in the run's window, as GitHub's own record of each repository tells it.
//!
//! Left out: other branches, and what changed (`pull_request`). A repository that was not pushed to since the window began is not asked.
//! <https://docs.github.com/en/rest/repos/repos#list-repository-activities>

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures::channel::mpsc;
use futures::{StreamExt as _, TryStreamExt as _};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError, Reply, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, refused, set};
use crate::collect::github::repositories::{self, Listed};
use crate::collect::github::wording::repository_path;
use crate::collect::listing::all_pages;
use crate::collect::paging::Paging;
use crate::model::{AttributeType, Exchange, Gap, GapCause, Host, Kind, Period, Population, Resource, ResourceId, Scope, Tally, attribute};

/// The collector of `github.branch_activity`.
#[derive(Debug, Clone, Copy)]
pub struct BranchActivity;

const OPERATION: &str = "repos/list-activities";
const SEES_ACTIVITY: &str = "Contents: read on all repositories (token: repo)";
/// Repositories that are asked at the same time.
const AT_ONCE: usize = 16;

/// What the kind promises.
pub static KIND: Kind = Kind {
    name: "github.branch_activity",
    meaning: "something that moved or deleted a repository's default branch in the run's window",
    permission: SEES_ACTIVITY,
    attributes: &[
        attribute("repository", AttributeType::Text, "owner/name", "GraphQL Repository.nameWithOwner"),
        attribute("branch", AttributeType::Text, "the default branch", "GET /repos/{owner}/{repo}/activity ref"),
        attribute(
            "activity",
            AttributeType::Text,
            "push (straight to the branch), force_push, branch_deletion, branch_creation, pr_merge or merge_queue_merge",
            "GET /repos/{owner}/{repo}/activity activity_type",
        ),
        attribute(
            "actor",
            AttributeType::Optional(&AttributeType::Text),
            "who did it; null where the account is gone",
            "GET /repos/{owner}/{repo}/activity actor.login",
        ),
        attribute("at", AttributeType::Time, "when", "GET /repos/{owner}/{repo}/activity timestamp"),
        attribute("before", AttributeType::Text, "the commit that the branch led to before", "GET /repos/{owner}/{repo}/activity before"),
        attribute("after", AttributeType::Text, "the commit that it led to afterwards", "GET /repos/{owner}/{repo}/activity after"),
    ],
};

#[async_trait]
impl Collector for BranchActivity {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        let window = scope.window;
        for organization in &scope.github_organizations {
            // Repositories of a page are asked while the next page is on its way.
            let (found, repositories) = mpsc::unbounded();
            let listing = repositories::fetch(organization, api, KIND.name, move |page: &Reply| {
                let answer = Answer::graphql(&page.body);
                let nodes = repositories::nodes(&answer);
                let named = nodes.iter().filter(|node| is_asked(node, window)).filter_map(|node| node.get("nameWithOwner").text().ok());
                // The other end lives as long as this function waits for it.
                named.for_each(|name| drop(found.unbounded_send(name.to_owned())));
            });
            let asking = repositories.map(|name: String| ask(name, window, api)).buffer_unordered(AT_ONCE).try_collect::<()>();
            futures::try_join!(listing, asking)?;
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let mut population = Population::of(
            &KIND,
            format!(
                "whatever moved or deleted the default branch of a repository of {} from {} up to, not including, {}",
                scope.github_organizations.join(", "),
                scope.window.start().to_rfc3339(),
                scope.window.end().to_rfc3339()
            ),
        );
        for organization in &scope.github_organizations {
            let mut read = Reading { window: scope.window, count: 0, gaps: Vec::new(), evidence: Vec::new(), emit: &mut *emit };
            let whole = repositories::each(organization, evidence, &mut |listed| read.repository(&listed, evidence))?;
            for item in &whole.rest_only {
                read.gaps.push(Gap::new(GapCause::Incomplete, format!("{OPERATION} was not asked for {}: GraphQL does not show it", item.name())));
            }
            population.tallies.push(Tally {
                tenant: format!("github.com/{organization}"),
                count: read.count,
                second_count: None,
                second_source: "none: GitHub counts these nowhere else".to_owned(),
            });
            population.gaps.append(&mut read.gaps);
            population.evidence.append(&mut read.evidence);
            population.gaps.extend(whole.gaps);
            population.evidence.extend(whole.evidence);
        }
        Ok(population)
    }
}

/// True unless nothing can have happened since the window began.
fn is_asked(node: &Field<'_>, window: Period) -> bool {
    if node.get("isEmpty").bool() == Ok(true) {
        return false;
    }
    let pushed = node.get("pushedAt").time().ok().and_then(|at| at.parse::<DateTime<Utc>>().ok());
    pushed.is_none_or(|at| at >= window.start())
}

async fn ask(name: String, window: Period, api: &dyn Api) -> Result<(), ApiError> {
    let ask = |target: &str| Request::get(Host::GitHub, target, OPERATION, name.as_str(), KIND.name);
    let first = format!("/repos/{}/activity?time_period={}&per_page=100", repository_path(&name), reach(window));
    all_pages(api, ask(&first), Paging::Link, ask, |_page| {}).await
}

/// The shortest of GitHub's periods, which end now, that holds the window.
fn reach(window: Period) -> &'static str {
    match window.end() - window.start() {
        length if length < TimeDelta::days(1) => "day",
        length if length < TimeDelta::days(7) => "week",
        length if length < TimeDelta::days(28) => "month",
        length if length < TimeDelta::days(90) => "quarter",
        _ => "year",
    }
}

struct Reading<'a> {
    window: Period,
    count: u64,
    gaps: Vec<Gap>,
    evidence: Vec<u32>,
    emit: &'a mut dyn FnMut(Resource),
}

impl Reading<'_> {
    fn repository(&mut self, listed: &Listed<'_>, evidence: &dyn Evidence) -> Result<(), Unreadable> {
        if !is_asked(listed.node, self.window) {
            return Ok(());
        }
        let branch = match listed.node.get("defaultBranchRef").get("name").text() {
            Ok(branch) => branch,
            Err(gap) => {
                self.gaps.push(gap);
                return Ok(());
            }
        };
        let before = self.gaps.len();
        let mut seen = BTreeSet::new();
        for exchange in evidence.about(OPERATION, listed.name) {
            self.evidence.push(exchange.n);
            if !exchange.is_answer() {
                self.gaps.push(refused(evidence, exchange, SEES_ACTIVITY)?);
                continue;
            }
            match Answer::stored_rest(evidence, exchange)?.root().needing(SEES_ACTIVITY).items() {
                Ok(items) => items.iter().for_each(|item| self.item(item, exchange, (listed.name, branch), &mut seen)),
                Err(gap) => self.gaps.push(gap),
            }
        }
        if self.gaps.len() == before {
            self.gaps.extend(evidence.listing_gap(OPERATION, listed.name));
        }
        Ok(())
    }

    fn item(&mut self, item: &Field<'_>, exchange: &Exchange, (repository, branch): (&str, &str), seen: &mut BTreeSet<i64>) {
        match read(item, exchange, (repository, branch), self.window) {
            Ok(Some((id, resource))) if seen.insert(id) => {
                self.count += 1;
                (self.emit)(resource);
            }
            Ok(_) => {}
            Err(gap) => self.gaps.push(Gap { cause: GapCause::Malformed, detail: format!("an activity of {repository}: {}", gap.detail), ..gap }),
        }
    }
}

/// None for another branch, or outside the window. What cannot be placed is a gap of the population: it may be about the branch.
fn read(item: &Field<'_>, exchange: &Exchange, (repository, branch): (&str, &str), window: Period) -> Fact<Option<(i64, Resource)>> {
    let at = item.get("timestamp").time()?;
    let is_inside = at.parse::<DateTime<Utc>>().is_ok_and(|at| window.contains(at));
    if item.get("ref").text()? != format!("refs/heads/{branch}") || !is_inside {
        return Ok(None);
    }
    let number = item.get("id").int()?;
    let id: ResourceId = format!("github.com/{repository}/activity/{number}")
        .parse()
        .map_err(|error: crate::model::ids::InvalidId| Gap::new(GapCause::Malformed, error.to_string()))?;
    let mut resource = Resource::new(&KIND, id, format!("{repository}@{branch} {at}"), vec![exchange.n]);
    resource.know("repository", repository);
    resource.know("branch", branch);
    resource.know("at", at);
    set(&mut resource, "actor", item.get("actor").or_none(|actor| actor.get("login").text().map(ToOwned::to_owned)));
    for (attribute, field) in [("activity", "activity_type"), ("before", "before"), ("after", "after")] {
        set(&mut resource, attribute, item.get(field).text().map(ToOwned::to_owned));
    }
    Ok(Some((number, resource.completed(&KIND))))
}
