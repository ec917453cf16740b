//! `github.deployment`: what was deployed in the run's window: which commit, where to, by whom, with which success, and whether it had succeeded elsewhere before.
//!
//! Left out: the run that made it (`deployment_run`), and what the deployment did.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError, Reply, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, refused, set};
use crate::collect::github::batch::Batch;
use crate::collect::github::deployment_list::{self, Listed, newest};
use crate::collect::github::deployment_run::{self, JOB, Runs};
use crate::collect::github::told::{self, Told};
use crate::collect::github::walk::{Part, Walk};
use crate::collect::github::wording::graphql_body;
use crate::collect::paging::Paging;
use crate::model::{AttributeType, Gap, GapCause, Host, Kind, Period, Population, Resource, ResourceId, Scope, Tally, attribute};

/// The collector of `github.deployment`.
#[derive(Debug, Clone, Copy)]
pub struct Deployment;

const OPERATION: &str = "graphql/deployments";
const QUERY: &str = include_str!("queries/deployments.graphql");
const DETAILS: &str = "graphql/deployment-details";
/// Deployments whose three lists are worth one point.
const DETAILED: usize = 33;
const DETAILS_BATCHES: Batch =
    Batch { kind: KIND.name, operation: DETAILS, query: include_str!("queries/deployment_details.graphql"), size: DETAILED, abreast: AT_ONCE };
/// Requests of one sort under way at once; the transport bounds all kinds together.
pub(super) const AT_ONCE: usize = 8;
const PAGING: Paging = Paging::Cursor("/data/organization/repositories/pageInfo");
pub(super) const SEES_DEPLOYMENTS: &str = "Deployments, Contents, Pull requests, Actions and Checks: read on all repositories (token: repo)";
const OPTIONAL_TEXT: AttributeType = AttributeType::Optional(&AttributeType::Text);
const OPTIONAL_TIME: AttributeType = AttributeType::Optional(&AttributeType::Time);

/// What the kind promises.
pub static KIND: Kind = Kind {
    name: "github.deployment",
    meaning: "a deployment that was begun in the run's window",
    permission: SEES_DEPLOYMENTS,
    attributes: &[
        attribute("repository", AttributeType::Text, "owner/name", "GraphQL Repository.nameWithOwner"),
        attribute("environment", OPTIONAL_TEXT, "where to; null where none was named", "GraphQL Deployment.environment"),
        attribute("commit", AttributeType::Text, "the commit that was deployed", "GraphQL Deployment.commitOid"),
        attribute("created_at", AttributeType::Time, "when it was begun", "GraphQL Deployment.createdAt"),
        attribute("creator", OPTIONAL_TEXT, "who began it; null where the account is gone", "GraphQL Deployment.creator.login"),
        attribute("creator_type", OPTIONAL_TEXT, "User, Bot, …; null where the account is gone", "GraphQL Deployment.creator.__typename"),
        attribute("succeeded_at", OPTIONAL_TIME, "when it first succeeded; null where it has not", "GraphQL Deployment.statuses SUCCESS"),
        attribute("failed_at", OPTIONAL_TIME, "when it first failed; null where it has not", "GraphQL Deployment.statuses FAILURE and ERROR"),
        attribute(
            "recovered_at",
            OPTIONAL_TIME,
            "when this or a later deployment to the same environment first succeeded; null where none has",
            "GraphQL Deployment.statuses SUCCESS of the repository's deployments",
        ),
        attribute(
            "succeeded_before_in",
            AttributeType::List(&AttributeType::Text),
            "environments in which the same commit had succeeded before this deployment was begun, sorted",
            "GraphQL Deployment.statuses SUCCESS of the repository's deployments",
        ),
        attribute(
            "merged_pull_requests",
            AttributeType::List(&AttributeType::Int),
            "numbers of the merged pull requests that brought the commit",
            "GraphQL Deployment.commit.associatedPullRequests",
        ),
        attribute("run", AttributeType::Int, "the run of GitHub Actions that made it", "GraphQL WorkflowRun.databaseId, CheckRun.deployment"),
        attribute("started_by", OPTIONAL_TEXT, "who started that run; null where it was nobody's account, as of Apps", "GraphQL CheckSuite.creator.login"),
        attribute(
            "approved_by",
            AttributeType::List(&AttributeType::Text),
            "who approved that run for this environment, sorted",
            "GraphQL WorkflowRun.deploymentReviews APPROVED",
        ),
        attribute("jobs", AttributeType::List(&AttributeType::Record(JOB)), "the jobs of that run", "GraphQL CheckSuite.checkRuns"),
    ],
};

#[async_trait]
impl Collector for Deployment {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        for organization in &scope.github_organizations {
            let ask = |part: Part<'_>| Request::get(Host::GitHub, "/graphql", OPERATION, organization, KIND.name).post(graphql_body(QUERY, organization, part));
            let mut active = Vec::new();
            let mut walk = Walk::new(QUERY, PAGING);
            while let Some(page) = walk.next(api, &ask).await? {
                active.extend(with_deployments(&page, scope.window));
            }
            let listed = deployment_list::fetch(organization, active, scope.window, api).await?;
            let ids: Vec<String> = listed.told.into_iter().collect();
            let mut inside = Vec::new();
            let note = |reply: &Reply| {
                let answer = Answer::graphql(&reply.body);
                inside.extend(told::nodes(&answer).iter().filter_map(suites).filter(|(_suites, id)| listed.inside.contains(id)));
            };
            DETAILS_BATCHES.ask(organization, &ids, api, note).await?;
            deployment_run::fetch(organization, inside, api).await?;
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let mut population = Population::of(
            &KIND,
            format!(
                "deployments of every repository of {} begun from {} up to, not including, {}",
                scope.github_organizations.join(", "),
                scope.window.start().to_rfc3339(),
                scope.window.end().to_rfc3339()
            ),
        );
        for organization in &scope.github_organizations {
            let (runs, details) = (Runs::read(organization, evidence)?, Told::read(organization, DETAILS, SEES_DEPLOYMENTS, evidence, Details::read)?);
            let mut reading = Reading::new(scope.window, (runs, details), emit);
            reading.pages(organization, evidence, &mut population.evidence)?;
            population.tallies.push(Tally {
                tenant: format!("github.com/{organization}"),
                count: reading.count,
                second_count: None,
                second_source: "none: GitHub counts deployments of a window nowhere".to_owned(),
            });
            population.gaps.append(&mut reading.gaps);
        }
        Ok(population)
    }
}

/// The repositories of a page whose newest deployment may be of the window. Most have none, and what a deployment says costs far more than when it was begun.
fn with_deployments(page: &Reply, window: Period) -> Vec<(String, Option<String>)> {
    let answer = Answer::graphql(&page.body);
    let repositories = answer.root().path(&["data", "organization", "repositories", "nodes"]).items().unwrap_or_default();
    let active = repositories.iter().filter(|node| matches!(newest(&node.get("deployments")), Ok(Some(at)) if at >= window.start()));
    let text = |node: &Field<'_>, name: &str| node.get(name).text().ok().map(ToOwned::to_owned);
    active.filter_map(|node| Some((text(node, "nameWithOwner")?, text(node, "id")))).collect()
}

/// A deployment with the number of suites of checks on its commit; at least one is looked for where it is not told.
fn suites(deployment: &Field<'_>) -> Option<(u64, String)> {
    let suites = deployment.path(&["commit", "checkSuites", "totalCount"]).int().ok().and_then(|count| u64::try_from(count).ok()).unwrap_or(1);
    Some((suites, deployment.get("id").text().ok()?.to_owned()))
}

/// What is told of one deployment beside its place in the list.
#[derive(Debug, Clone)]
struct Details {
    succeeded_at: Fact<Option<String>>,
    failed_at: Fact<Option<String>>,
    merged_pull_requests: Fact<Vec<i64>>,
}

impl Details {
    fn read(node: &Field<'_>) -> Self {
        Self {
            succeeded_at: first_status(node, &["SUCCESS"]),
            failed_at: first_status(node, &["FAILURE", "ERROR"]),
            merged_pull_requests: merged_pull_requests(node),
        }
    }
}

struct Reading<'a> {
    window: Period,
    runs: Runs,
    details: Told<Details>,
    count: u64,
    gaps: Vec<Gap>,
    repositories: BTreeSet<String>,
    /// Repositories whose newest deployment may be of the window.
    active: BTreeSet<String>,
    emit: &'a mut dyn FnMut(Resource),
}

impl<'a> Reading<'a> {
    fn new(window: Period, (runs, details): (Runs, Told<Details>), emit: &'a mut dyn FnMut(Resource)) -> Self {
        Self { window, runs, details, count: 0, gaps: Vec::new(), repositories: BTreeSet::new(), active: BTreeSet::new(), emit }
    }

    fn pages(&mut self, organization: &str, evidence: &dyn Evidence, cited: &mut Vec<u32>) -> Result<(), Unreadable> {
        let mut total = None;
        for exchange in evidence.about(OPERATION, organization) {
            cited.push(exchange.n);
            if !exchange.is_answer() {
                self.gaps.push(refused(evidence, exchange, SEES_DEPLOYMENTS)?);
                continue;
            }
            let answer = Answer::stored_graphql(evidence, exchange)?;
            let repositories = answer.root().path(&["data", "organization", "repositories"]).needing(SEES_DEPLOYMENTS);
            total = total.or(repositories.get("totalCount").int().ok().and_then(|total| usize::try_from(total).ok()));
            match repositories.get("nodes").items() {
                Ok(nodes) => nodes.iter().for_each(|node| self.repository(node)),
                Err(gap) => self.gaps.push(gap),
            }
        }
        if self.gaps.is_empty() {
            self.gaps.extend(evidence.listing_gap(OPERATION, organization));
        }
        if let Some(total) = total.filter(|total| *total != self.repositories.len() && self.gaps.is_empty()) {
            let detail = format!("GraphQL counts {total} repositories of {organization}, {} told of their deployments", self.repositories.len());
            self.gaps.push(Gap::new(GapCause::Incomplete, detail));
        }
        let active = std::mem::take(&mut self.active);
        let gaps = deployment_list::each(organization, active, self.window, evidence, &mut |listed| {
            cited.extend(listed.exchanges());
            self.deployments(listed);
        })?;
        self.gaps.extend(gaps);
        Ok(())
    }

    fn repository(&mut self, node: &Field<'_>) {
        let name = match node.get("nameWithOwner").text() {
            Ok(name) => name,
            Err(gap) => return self.gaps.push(Gap { cause: GapCause::Incomplete, ..gap }),
        };
        if !self.repositories.insert(name.to_owned()) {
            return;
        }
        match newest(&node.get("deployments")) {
            Ok(Some(at)) if at >= self.window.start() => drop(self.active.insert(name.to_owned())),
            Ok(_) => {}
            Err(gap) => self.gaps.push(Gap { detail: format!("deployments of {name}: {}", gap.detail), ..gap }),
        }
    }

    fn deployments(&mut self, listed: &Listed<'_>) {
        let (nodes, cut) = listed.nodes();
        let (mut latest, mut oldest) = (Vec::new(), None::<DateTime<Utc>>);
        for (node, exchange) in nodes {
            match Seen::read(node, exchange, &self.details) {
                Ok(seen) => {
                    oldest = Some(oldest.map_or(seen.created_at, |oldest| oldest.min(seen.created_at)));
                    latest.push(seen);
                }
                Err(gap) => {
                    self.gaps.push(Gap { cause: GapCause::Malformed, detail: format!("a deployment of {}: {}", listed.repository, gap.detail), ..gap });
                }
            }
        }
        // Those that were not read are older than the oldest that was; those that are hidden may be of any time.
        if let Some(gap) = cut.clone().filter(|_| listed.is_hidden() || oldest.is_none_or(|oldest| oldest >= self.window.start())) {
            self.gaps.push(Gap { detail: format!("{}: {}", listed.repository, gap.detail), ..gap });
        }
        for seen in latest.iter().filter(|seen| self.window.contains(seen.created_at)) {
            match seen.resource(listed.repository, &latest, cut.as_ref()) {
                Ok(mut resource) => {
                    self.runs.describe(&mut resource, seen.node.get("id").text(), &seen.environment());
                    resource.evidence.sort_unstable();
                    resource.evidence.dedup();
                    let resource = resource.completed(&KIND);
                    self.count += 1;
                    (self.emit)(resource);
                }
                Err(gap) => self.gaps.push(gap),
            }
        }
    }
}

/// One deployment among the latest of its repository.
struct Seen<'a> {
    node: Field<'a>,
    /// What listed it.
    exchange: u32,
    number: i64,
    commit: &'a str,
    created_at: DateTime<Utc>,
    /// What is told of it, with the exchange, or why nothing is.
    details: Fact<(u32, &'a Details)>,
}

impl<'a> Seen<'a> {
    fn read(node: Field<'a>, exchange: u32, details: &'a Told<Details>) -> Fact<Self> {
        let at = node.get("createdAt").time()?;
        let created_at = at.parse().map_err(|error: chrono::ParseError| Gap::new(GapCause::Malformed, error.to_string()))?;
        let (number, commit) = (node.get("databaseId").int()?, node.get("commitOid").text()?);
        let details = node.get("id").text().and_then(|id| details.of(id));
        Ok(Self { node, exchange, number, commit, created_at, details })
    }

    fn told<T: Clone>(&self, of: impl Fn(&Details) -> &Fact<T>) -> Fact<T> {
        self.details.as_ref().map_err(Clone::clone).and_then(|(_exchange, details)| of(details).clone())
    }

    fn environment(&self) -> Fact<Option<String>> {
        self.node.get("environment").or_none(|name| name.text().map(ToOwned::to_owned))
    }

    fn resource(&self, repository: &str, latest: &[Self], cut: Option<&Gap>) -> Fact<Resource> {
        let id = format!("github.com/{repository}/deployments/{}", self.number).parse::<ResourceId>();
        let id = id.map_err(|error| Gap::new(GapCause::Malformed, error.to_string()))?;
        let environment = self.environment();
        let title = environment.clone().ok().flatten().unwrap_or_else(|| "?".to_owned());
        let mut resource = Resource::new(&KIND, id, format!("{repository} to {title}: {}", self.commit.get(..8).unwrap_or(self.commit)), vec![self.exchange]);
        resource.evidence.extend(self.details.as_ref().map(|(exchange, _)| *exchange));
        resource.know("repository", repository);
        resource.know("commit", self.commit);
        set(&mut resource, "created_at", self.node.get("createdAt").time());
        let creator = self.node.get("creator");
        for (attribute, field) in [("creator", "login"), ("creator_type", "__typename")] {
            set(&mut resource, attribute, creator.or_none(|creator| creator.get(field).text().map(ToOwned::to_owned)));
        }
        set(&mut resource, "recovered_at", environment.clone().and_then(|environment| self.recovered_at(environment.as_deref(), latest)));
        set(&mut resource, "environment", environment);
        set(&mut resource, "succeeded_at", self.told(|details| &details.succeeded_at));
        set(&mut resource, "failed_at", self.told(|details| &details.failed_at));
        set(&mut resource, "succeeded_before_in", self.succeeded_before_in(latest, cut));
        set(&mut resource, "merged_pull_requests", self.told(|details| &details.merged_pull_requests));
        Ok(resource)
    }

    /// The first success of this deployment or a later one to the same environment; all later ones are among the latest.
    fn recovered_at(&self, environment: Option<&str>, latest: &[Self]) -> Fact<Option<String>> {
        let mut first: Option<String> = None;
        for other in latest.iter().filter(|other| other.created_at >= self.created_at) {
            if other.environment()?.as_deref() == environment {
                first = first.into_iter().chain(other.told(|details| &details.succeeded_at)?).min();
            }
        }
        Ok(first)
    }

    /// Where the same commit had succeeded before. Where not all deployments were read, nothing found is not known.
    fn succeeded_before_in(&self, latest: &[Self], cut: Option<&Gap>) -> Fact<Vec<String>> {
        let mut environments = BTreeSet::new();
        for other in latest.iter().filter(|other| other.commit == self.commit && other.number != self.number) {
            let succeeded = other.told(|details| &details.succeeded_at)?.and_then(|at| at.parse::<DateTime<Utc>>().ok());
            if succeeded.is_some_and(|at| at <= self.created_at) {
                environments.extend(other.environment()?);
            }
        }
        match cut {
            Some(gap) if environments.is_empty() => Err(gap.clone()),
            _ => Ok(environments.into_iter().collect()),
        }
    }
}

/// When a deployment first had one of these states. Statuses that were not read leave a state that was not found unknown.
fn first_status(deployment: &Field<'_>, states: &[&str]) -> Fact<Option<String>> {
    let (statuses, cut) = deployment.get("statuses").nodes();
    let mut times = Vec::new();
    for status in &statuses {
        if states.contains(&status.get("state").text()?) {
            times.push(status.get("createdAt").time()?);
        }
    }
    match (times.into_iter().min(), cut) {
        (None, Some(gap)) => Err(gap),
        (first, _) => Ok(first),
    }
}

/// A commit that GitHub no longer knows has none that it could tell.
fn merged_pull_requests(deployment: &Field<'_>) -> Fact<Vec<i64>> {
    let mut merged = Vec::new();
    for change in deployment.get("commit").get("associatedPullRequests").all_nodes()? {
        if change.get("merged").bool()? {
            merged.push(change.get("number").int()?);
        }
    }
    merged.sort_unstable();
    Ok(merged)
}
