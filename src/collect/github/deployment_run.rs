//! The run of GitHub Actions behind a deployment: who started it, who approved it for the environment, and how its jobs ended.
//!
//! A deployment is a run's where one of the run's jobs made it; GitHub says so of each job. Left out: deployments by other tools, of which GitHub has no approvals.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::collect::api::{Api, ApiError, Reply};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, set};
use crate::collect::github::batch::Batch;
use crate::collect::github::deployment::{AT_ONCE, KIND, SEES_DEPLOYMENTS};
use crate::collect::github::share;
use crate::collect::github::told::{self, Told};
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause, Resource};

const RUNS: &str = "graphql/deployment-runs";
const RUN_BATCHES: Batch =
    Batch { kind: KIND.name, operation: RUNS, query: include_str!("queries/deployment_runs.graphql"), size: share::FULL, abreast: AT_ONCE };
/// Each suite of checks on a commit opens its list of jobs.
const NESTED: u64 = 1;
const REVIEWS: &str = "graphql/run-reviews";
/// Runs whose reviews are worth one point: each may have five, with its environments.
const REVIEWED: usize = 16;
const REVIEW_BATCHES: Batch =
    Batch { kind: KIND.name, operation: REVIEWS, query: include_str!("queries/run_reviews.graphql"), size: REVIEWED, abreast: AT_ONCE };

/// One job of a run.
pub(super) const JOB: &[AttributeDecl] = &[
    AttributeDecl { name: "name", ty: AttributeType::Text, meaning: "What it is called", vendor: "GraphQL CheckRun.name" },
    AttributeDecl {
        name: "conclusion",
        ty: AttributeType::Text,
        meaning: "SUCCESS, FAILURE, …; PENDING where it had not ended",
        vendor: "GraphQL CheckRun.conclusion",
    },
    AttributeDecl {
        name: "started_at",
        ty: AttributeType::Optional(&AttributeType::Time),
        meaning: "When it began; null where it has not",
        vendor: "GraphQL CheckRun.startedAt",
    },
];

/// The attributes that are told here.
const ATTRIBUTES: [&str; 4] = ["run", "started_by", "approved_by", "jobs"];

/// Asks about deployments by their node ids, each with the number of suites of checks on its commit; then who reviewed the runs that made them.
pub(super) async fn fetch(organization: &str, deployments: Vec<(u64, String)>, api: &dyn Api) -> Result<(), ApiError> {
    let mut made = BTreeSet::new();
    let note = |reply: &Reply| {
        let answer = Answer::graphql(&reply.body);
        made.extend(told::nodes(&answer).iter().filter_map(|node| run(node).ok()?.id.ok()));
    };
    RUN_BATCHES.ask_shares(organization, share::by_size(deployments, NESTED, &json!({})), api, note).await?;
    let made: Vec<String> = made.into_iter().collect();
    REVIEW_BATCHES.ask(organization, &made, api, |_reply| {}).await
}

/// What was read of the runs of an organisation's deployments.
#[derive(Debug)]
pub(super) struct Runs {
    /// By the deployment's node id.
    runs: Told<Fact<Run>>,
    /// Who approved, and for which environments; by the run's node id.
    approvals: Told<Fact<Vec<Approval>>>,
}

/// Who approved, and for which environments.
type Approval = (String, Vec<String>);

#[derive(Debug, Clone)]
struct Run {
    id: Fact<String>,
    number: i64,
    started_by: Fact<Option<String>>,
    jobs: Fact<Vec<Value>>,
}

impl Runs {
    /// Reads the stored answers.
    pub(super) fn read(organization: &str, evidence: &dyn Evidence) -> Result<Self, Unreadable> {
        let runs = Told::read(organization, RUNS, SEES_DEPLOYMENTS, evidence, run)?;
        Ok(Self { runs, approvals: Told::read(organization, REVIEWS, SEES_DEPLOYMENTS, evidence, approvals)? })
    }

    /// Sets what is known of the deployment's run.
    pub(super) fn describe(&self, resource: &mut Resource, id: Fact<&str>, environment: &Fact<Option<String>>) {
        let run = id.and_then(|id| self.runs.of(id)).and_then(|(exchange, run)| {
            resource.evidence.push(exchange);
            run.clone()
        });
        match run {
            Ok(run) => {
                let approved_by = self.approved_by(&run, environment, &mut resource.evidence);
                set(resource, "approved_by", approved_by);
                resource.know("run", run.number);
                set(resource, "started_by", run.started_by);
                set(resource, "jobs", run.jobs);
            }
            Err(gap) => ATTRIBUTES.into_iter().for_each(|name| resource.lack(name, gap.clone())),
        }
    }

    fn approved_by(&self, run: &Run, environment: &Fact<Option<String>>, evidence: &mut Vec<u32>) -> Fact<Vec<String>> {
        let environment = environment.as_ref().map_err(Clone::clone)?.as_deref();
        let (exchange, approvals) = self.approvals.of(run.id.as_ref().map_err(Clone::clone)?)?;
        evidence.push(exchange);
        let approvals = approvals.as_ref().map_err(Clone::clone)?;
        let meant = approvals.iter().filter(|(_, environments)| environments.iter().any(|name| Some(name.as_str()) == environment));
        let mut people: Vec<String> = meant.map(|(by, _)| by.clone()).collect();
        people.sort_unstable();
        people.dedup();
        Ok(people)
    }
}

/// The run that made a deployment: the one with a job that GitHub says made it.
fn run(deployment: &Field<'_>) -> Fact<Run> {
    let number = deployment.get("databaseId").int()?;
    let (suites, mut cut) = deployment.path(&["commit", "checkSuites"]).nodes();
    for suite in &suites {
        let run = suite.get("workflowRun");
        if run.is_none() {
            continue;
        }
        let (jobs, more) = suite.get("checkRuns").nodes();
        cut = cut.or(more);
        if jobs.iter().any(|job| job.path(&["deployment", "databaseId"]).int() == Ok(number)) {
            let started_by = suite.get("creator").or_none(|creator| creator.get("login").text().map(ToOwned::to_owned));
            let id = run.get("id").text().map(ToOwned::to_owned);
            return Ok(Run { id, number: run.get("databaseId").int()?, started_by, jobs: all_jobs(suite) });
        }
    }
    Err(cut.unwrap_or_else(|| Gap::new(GapCause::LeftOut, "no job of GitHub Actions made this deployment, and GitHub keeps approvals of nothing else")))
}

fn approvals(run: &Field<'_>) -> Fact<Vec<Approval>> {
    let mut approvals = Vec::new();
    for review in run.get("deploymentReviews").all_nodes()? {
        if review.get("state").text()? == "APPROVED" {
            let environments = review.get("environments").all_nodes()?;
            let names = environments.iter().map(|environment| environment.get("name").text().map(ToOwned::to_owned)).collect::<Fact<Vec<_>>>()?;
            approvals.push((review.path(&["user", "login"]).text()?.to_owned(), names));
        }
    }
    Ok(approvals)
}

fn all_jobs(suite: &Field<'_>) -> Fact<Vec<Value>> {
    let job = |job: &Field<'_>| {
        let conclusion = job.get("conclusion").or_none(Field::text)?.unwrap_or("PENDING");
        Ok(json!({"name": job.get("name").text()?, "conclusion": conclusion, "started_at": job.get("startedAt").or_none(Field::time)?}))
    };
    suite.get("checkRuns").all_nodes()?.iter().map(job).collect()
}
