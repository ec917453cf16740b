//! `github.workflow_run`: the runs of the workflows that release, as `[github] release_workflows` names them: of what, started by whom, and how each ended.
//!
//! Whatever was created in the month before the window is read too: it may have been run again, and one that failed is judged when there was time to make it good.
//! Only repositories that have such a workflow on their default branch are asked. Left out: jobs and approvals (`deployment_run`), attempts before the latest, and
//! runs of a workflow that is on another branch only.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures::channel::mpsc;
use futures::{StreamExt as _, TryStreamExt as _};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError, Reply};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, set};
use crate::collect::github::batch::Batch;
use crate::collect::github::repositories::{self, Listed};
use crate::collect::github::run_list::{self, Pipeline, SEES_RUNS, Span};
use crate::collect::github::told::Told;
use crate::model::ids::InvalidId;
use crate::model::{AttributeType, Gap, GapCause, Kind, Period, Population, Resource, Scope, Tally, attribute};

/// The collector of `github.workflow_run`.
#[derive(Debug, Clone, Copy)]
pub struct WorkflowRun;

const COMMITS: &str = "graphql/run-commits";
/// Runs in one question; each opens one list, so that two questions would be one point.
const TOGETHER: usize = 50;
const COMMIT_BATCHES: Batch = Batch { kind: KIND.name, operation: COMMITS, query: include_str!("queries/run_commits.graphql"), size: TOGETHER, abreast: 8 };
/// Workflows that are asked about at the same time; the `Api` has its own limit.
const AT_ONCE: usize = 16;
/// How long after its creation a run may be run again. <https://docs.github.com/en/actions/how-tos/manage-workflow-runs/re-run-workflows-and-jobs>
const LOOK_BACK: TimeDelta = TimeDelta::days(30);
const OPTIONAL_TEXT: AttributeType = AttributeType::Optional(&AttributeType::Text);

/// What the kind promises.
pub static KIND: Kind = Kind {
    name: "github.workflow_run",
    meaning: "a run of a workflow in github.release_workflows, created in the run's window or in the month before it",
    permission: SEES_RUNS,
    attributes: &[
        attribute("repository", AttributeType::Text, "owner/name", "GraphQL Repository.nameWithOwner"),
        attribute("workflow", AttributeType::Text, "the path of the workflow", "GraphQL Repository.object(HEAD:.github/workflows) Tree.entries.name"),
        attribute("number", AttributeType::Int, "which run of its workflow it is", "GET …/actions/workflows/{workflow_id}/runs run_number"),
        attribute("attempt", AttributeType::Int, "which attempt of the run is told; above 1 where it was run again", "GET …/runs run_attempt"),
        attribute("event", AttributeType::Text, "what started it, e.g. push, release, schedule, workflow_dispatch", "GET …/runs event"),
        attribute("branch", OPTIONAL_TEXT, "the branch or tag that it ran on; null where there is none", "GET …/runs head_branch"),
        attribute("commit", AttributeType::Text, "the commit that it ran on", "GET …/runs head_sha"),
        attribute(
            "on_default_branch",
            AttributeType::Bool,
            "what it ran on is of the repository itself and called like its default branch, as a tag may be too",
            "GET …/runs head_branch, head_repository.id; GraphQL Repository.defaultBranchRef.name",
        ),
        attribute("from_fork", AttributeType::Bool, "it ran on what lies in another repository", "GET …/runs head_repository.id, repository.id"),
        attribute(
            "merged_pull_requests",
            AttributeType::Optional(&AttributeType::List(&AttributeType::Int)),
            "numbers of the pull requests, merged into the default branch, that brought the commit; null where it is not of the window",
            "GraphQL WorkflowRun.checkSuite.commit.associatedPullRequests",
        ),
        attribute(
            "actor",
            OPTIONAL_TEXT,
            "whose push, release or click it was, of a schedule who wrote it last; null where nobody's account",
            "GET …/runs actor.login",
        ),
        attribute("started_by", OPTIONAL_TEXT, "who started the attempt that is told; null where nobody's account", "GET …/runs triggering_actor.login"),
        attribute("status", OPTIONAL_TEXT, "completed, in_progress, queued, …", "GET …/runs status"),
        attribute("conclusion", OPTIONAL_TEXT, "success, failure, cancelled, timed_out, …; null where it has not ended", "GET …/runs conclusion"),
        attribute("created_at", AttributeType::Time, "when it was first started", "GET …/runs created_at"),
        attribute("started_at", AttributeType::Time, "when the attempt that is told was started", "GET …/runs run_started_at"),
        attribute("updated_at", AttributeType::Time, "when it last changed: of one that has ended, when it ended", "GET …/runs updated_at"),
        attribute("url", AttributeType::Text, "its page", "GET …/runs html_url"),
        attribute(
            "in_window",
            AttributeType::Bool,
            "the attempt that is told was started in the run's window, neither before nor since",
            "GET …/runs run_started_at",
        ),
        attribute(
            "recovered_at",
            AttributeType::Optional(&AttributeType::Time),
            "when this or a later run of the same workflow in the same repository first succeeded; null where none has",
            "GET …/runs conclusion, run_number, updated_at",
        ),
    ],
};

#[async_trait]
impl Collector for WorkflowRun {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        if scope.release_workflows.is_empty() {
            return Ok(());
        }
        for organization in &scope.github_organizations {
            // Workflows of a page's repositories are asked about while the next page is on its way.
            let (found, pipelines) = mpsc::unbounded();
            let wanted = scope.release_workflows.clone();
            let listing = repositories::fetch(organization, api, KIND.name, move |page: &Reply| {
                let answer = Answer::graphql(&page.body);
                let known = repositories::nodes(&answer).into_iter().filter_map(|node| run_list::pipelines(&node, &wanted).ok()).flatten();
                // The other end lives as long as this function waits for it.
                known.for_each(|pipeline| drop(found.unbounded_send(pipeline)));
            });
            let asking = pipelines.map(|pipeline: Pipeline| ask(pipeline, scope.window, api)).buffer_unordered(AT_ONCE).try_concat();
            let ((), mut ids) = futures::try_join!(listing, asking)?;
            // The same question is the same bytes, whichever workflow answered first.
            ids.sort_unstable();
            COMMIT_BATCHES.ask(organization, &ids, api, |_reply| {}).await?;
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let (wanted, organizations) = (&scope.release_workflows, scope.github_organizations.join(", "));
        let (start, end) = (span(scope.window).first().to_rfc3339(), scope.window.end().to_rfc3339());
        let whose = format!("{} in every repository of {organizations} that has it on its default branch", wanted.join(", "));
        let definition = format!("runs, created from {start} to {end} or later, of {whose}");
        let mut population = Population::of(&KIND, definition);
        if wanted.is_empty() {
            population.gaps.push(not_named("no workflow is said to release".to_owned()));
            return Ok(population);
        }
        let mut found = BTreeSet::new();
        for organization in &scope.github_organizations {
            let commits = Told::read(organization, COMMITS, SEES_RUNS, evidence, brought)?;
            let reading = Reading { scope, commits, count: 0, total: Some(0), found: &mut found, population: &mut population, emit: &mut *emit };
            reading.organization(organization, evidence)?;
        }
        // A name that is misspelt would make an empty population, and that a good one.
        let missing = wanted.iter().filter(|path| !found.contains(*path));
        population.gaps.extend(missing.map(|path| not_named(format!("no repository of {organizations} has {path} on its default branch"))));
        Ok(population)
    }
}

fn not_named(why: String) -> Gap {
    Gap::new(GapCause::NotConfigured, why).cured_by("release_workflows under [github] in proofline.toml")
}

/// What is read of a workflow's runs: those of the window, and of the time before.
fn span(window: Period) -> Span {
    Span::since(window.start() - LOOK_BACK, window.end())
}

/// Asks for a workflow's runs; gives the node ids of those of the window.
async fn ask(pipeline: Pipeline, window: Period, api: &dyn Api) -> Result<Vec<String>, ApiError> {
    let mut ids = Vec::new();
    let note = |page: &Answer| {
        let recent = run_list::runs(page).unwrap_or_default().into_iter().filter(|run| is_of(run, window) != Ok(false));
        ids.extend(recent.filter_map(|run| run.get("node_id").text().ok().map(ToOwned::to_owned)));
    };
    pipeline.fetch(span(window), api, KIND.name, note).await?;
    Ok(ids)
}

/// True where the attempt that is told was started in the window.
fn is_of(run: &Field<'_>, window: Period) -> Fact<bool> {
    let started = run.get("run_started_at").time()?.parse::<DateTime<Utc>>();
    started.map(|at| window.contains(at)).map_err(|error| Gap::new(GapCause::Malformed, error.to_string()))
}

/// The merged pull requests that brought the commit of a run, each with the branch that it was merged into.
type Brought = Fact<Vec<(i64, String)>>;

fn brought(run: &Field<'_>) -> Brought {
    let mut merged = Vec::new();
    for change in run.path(&["checkSuite", "commit", "associatedPullRequests"]).all_nodes()? {
        if change.get("merged").bool()? {
            merged.push((change.get("number").int()?, change.get("baseRefName").text()?.to_owned()));
        }
    }
    merged.sort_unstable();
    Ok(merged)
}

/// What is being read of one organisation.
struct Reading<'a> {
    scope: &'a Scope,
    commits: Told<Brought>,
    count: u64,
    /// What the listings count; none where one did not say.
    total: Option<u64>,
    /// The workflows that a repository has.
    found: &'a mut BTreeSet<String>,
    population: &'a mut Population,
    emit: &'a mut dyn FnMut(Resource),
}

/// A run, as far as it bears on others of its workflow.
struct Run {
    number: i64,
    /// When it succeeded; none where it did not.
    succeeded: Option<String>,
}

impl Reading<'_> {
    fn organization(mut self, organization: &str, evidence: &dyn Evidence) -> Result<(), Unreadable> {
        let whole = repositories::each(organization, evidence, &mut |listed| self.repository(&listed, evidence))?;
        let unseen = |item: &repositories::RestItem| format!("the workflows of {} are not known: GraphQL does not show it", item.name());
        self.population.gaps.extend(whole.rest_only.iter().map(|item| Gap::new(GapCause::Incomplete, unseen(item))));
        self.population.gaps.extend(whole.gaps);
        self.population.evidence.extend(whole.evidence);
        let source = match self.total {
            Some(_) => "the sum of total_count of every GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs",
            None => "none: not every listing that was asked for told its total_count",
        };
        let tenant = format!("github.com/{organization}");
        self.population.tallies.push(Tally { tenant, count: self.count, second_count: self.total, second_source: source.to_owned() });
        Ok(())
    }

    fn repository(&mut self, listed: &Listed<'_>, evidence: &dyn Evidence) -> Result<(), Unreadable> {
        match run_list::pipelines(listed.node, &self.scope.release_workflows) {
            Ok(pipelines) => pipelines.into_iter().try_for_each(|pipeline| self.pipeline(&pipeline, listed, evidence)),
            Err(gap) => {
                let detail = format!("the workflows of {} are not shown: {}", listed.name, gap.detail);
                self.population.gaps.push(Gap { cause: GapCause::Incomplete, detail, ..gap });
                Ok(())
            }
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline, listed: &Listed<'_>, evidence: &dyn Evidence) -> Result<(), Unreadable> {
        self.found.insert(pipeline.path.clone());
        let (mut seen, mut runs, mut broken) = (BTreeSet::new(), Vec::new(), Vec::new());
        let told = pipeline.each(span(self.scope.window), evidence, &mut |item, exchange| match self.resource(item, pipeline, listed, exchange) {
            // A page may repeat what moved while it was read.
            Ok((id, resource)) if seen.insert(id) => runs.push((run(item), resource)),
            Ok(_) => {}
            Err(gap) => {
                broken.push(Gap { cause: GapCause::Malformed, detail: format!("a run of {} of {}: {}", pipeline.path, listed.name, gap.detail), ..gap })
            }
        })?;
        self.total = self.total.zip(told.total).map(|(total, more)| total.saturating_add(more));
        let unread = told.gaps.first().or(broken.first()).cloned();
        self.population.gaps.extend(told.gaps);
        self.population.gaps.extend(broken);
        self.population.evidence.extend(told.evidence);
        for resource in with_recoveries(runs, unread) {
            self.count = self.count.saturating_add(1);
            (self.emit)(resource.completed(&KIND));
        }
        Ok(())
    }

    fn resource(&self, item: &Field<'_>, pipeline: &Pipeline, listed: &Listed<'_>, exchange: u32) -> Fact<(i64, Resource)> {
        let (number, repository) = (item.get("id").int()?, listed.name);
        let id = format!("github.com/{repository}/actions/runs/{number}");
        let id = id.parse().map_err(|error: InvalidId| Gap::new(GapCause::Malformed, error.to_string()))?;
        let file = pipeline.path.rsplit('/').next().unwrap_or_default();
        let which = item.get("run_number").int().unwrap_or(number);
        let mut resource = Resource::new(&KIND, id, format!("{repository}: {file} #{which}"), vec![exchange]);
        resource.know("repository", repository);
        resource.know("workflow", pipeline.path.as_str());
        let default_branch = listed.node.path(&["defaultBranchRef", "name"]).text();
        let in_window = is_of(item, self.scope.window);
        let merged = self.merged(item, &in_window, default_branch.clone(), &mut resource.evidence);
        set(&mut resource, "merged_pull_requests", merged);
        set(&mut resource, "in_window", in_window);
        let from_fork = from_fork(item);
        let on_default = from_fork.clone().and_then(|fork| Ok(!fork && item.get("head_branch").or_none(Field::text)? == Some(default_branch?)));
        set(&mut resource, "on_default_branch", on_default);
        set(&mut resource, "from_fork", from_fork);
        describe(&mut resource, item);
        resource.evidence.sort_unstable();
        resource.evidence.dedup();
        Ok((number, resource))
    }

    fn merged(&self, item: &Field<'_>, in_window: &Fact<bool>, default_branch: Fact<&str>, cited: &mut Vec<u32>) -> Fact<Option<Vec<i64>>> {
        if !in_window.clone()? {
            return Ok(None);
        }
        let (exchange, brought) = self.commits.of(item.get("node_id").text()?)?;
        cited.push(exchange);
        let default_branch = default_branch?;
        let brought = brought.as_ref().map_err(Clone::clone)?.iter();
        Ok(Some(brought.filter(|(_number, base)| base == default_branch).map(|(number, _base)| *number).collect()))
    }
}

/// Where the commit of a run lies; a repository that is gone says nothing.
fn from_fork(run: &Field<'_>) -> Fact<bool> {
    Ok(run.path(&["head_repository", "id"]).int()? != run.path(&["repository", "id"]).int()?)
}

fn describe(resource: &mut Resource, run: &Field<'_>) {
    let text = |field: &Field<'_>| field.text().map(ToOwned::to_owned);
    for (name, field) in [("number", "run_number"), ("attempt", "run_attempt")] {
        set(resource, name, run.get(field).int());
    }
    for (name, field) in [("event", "event"), ("commit", "head_sha"), ("url", "html_url")] {
        set(resource, name, text(&run.get(field)));
    }
    for (name, field) in [("branch", "head_branch"), ("status", "status"), ("conclusion", "conclusion")] {
        set(resource, name, run.get(field).or_none(text));
    }
    for (name, field) in [("actor", "actor"), ("started_by", "triggering_actor")] {
        set(resource, name, run.get(field).or_none(|who| text(&who.get("login"))));
    }
    for (name, field) in [("created_at", "created_at"), ("started_at", "run_started_at"), ("updated_at", "updated_at")] {
        set(resource, name, run.get(field).time());
    }
}

fn run(item: &Field<'_>) -> Fact<Run> {
    let succeeded = item.get("conclusion").or_none(Field::text)? == Some("success");
    Ok(Run { number: item.get("run_number").int()?, succeeded: if succeeded { Some(item.get("updated_at").time()?) } else { None } })
}

/// The runs of one workflow, newest first, each with when it was made good. Where one is not known, it may be the one that did so: nothing is told then.
fn with_recoveries(mut runs: Vec<(Fact<Run>, Resource)>, unread: Option<Gap>) -> Vec<Resource> {
    let untold = unread.or_else(|| runs.iter().find_map(|(run, _resource)| run.as_ref().err().cloned()));
    runs.sort_by_key(|(run, _resource)| std::cmp::Reverse(run.as_ref().map_or(i64::MAX, |run| run.number)));
    let mut first: Option<String> = None;
    for (run, resource) in &mut runs {
        let succeeded = run.as_ref().ok().and_then(|run| run.succeeded.clone());
        first = first.take().into_iter().chain(succeeded).min();
        set(resource, "recovered_at", untold.clone().map_or_else(|| Ok(first.clone()), Err));
    }
    runs.into_iter().map(|(_run, resource)| resource).collect()
}
