//! The run of GitHub Actions behind a deployment: who started it, who approved it for the environment, and how its jobs ended.
//!
//! A deployment is a run's where one of the run's jobs made it; GitHub says so of each job. Left out: deployments by other tools, of which GitHub has no approvals.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, refused, set};
use crate::collect::github::batch::Batch;
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause, Resource};

const OPERATION: &str = "graphql/deployment-runs";
const QUERY: &str = include_str!("queries/deployment_runs.graphql");
/// Deployments in one request: each may have twenty runs, which makes a batch costly.
const BATCH: usize = 10;
const ABREAST: usize = 8;

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

/// Asks about deployments by their node ids.
pub(super) async fn fetch(organization: &str, ids: &[String], api: &dyn Api, asked_by: &'static str) -> Result<(), ApiError> {
    Batch { kind: asked_by, operation: OPERATION, query: QUERY, size: BATCH, abreast: ABREAST }.ask(organization, ids, api, |_reply| {}).await
}

/// What was read of the runs of an organisation's deployments.
#[derive(Debug, Default)]
pub(super) struct Runs {
    /// By the deployment's node id, with the exchange.
    runs: BTreeMap<String, (u32, Fact<Run>)>,
    /// Why some were not read.
    trouble: Option<Gap>,
}

#[derive(Debug, Clone)]
struct Run {
    number: i64,
    started_by: Fact<Option<String>>,
    /// Who approved, and for which environments.
    approvals: Fact<Vec<(String, Vec<String>)>>,
    jobs: Fact<Vec<Value>>,
}

impl Runs {
    /// Reads the stored answers.
    pub(super) fn read(organization: &str, evidence: &dyn Evidence, cure: &'static str) -> Result<Self, Unreadable> {
        let mut all = Self::default();
        let prefix = format!("{organization}/");
        for exchange in evidence.operation(OPERATION).iter().filter(|exchange| exchange.subject.starts_with(&prefix)) {
            if !exchange.is_answer() {
                all.trouble = Some(refused(evidence, exchange, cure)?);
                continue;
            }
            let answer = Answer::stored_graphql(evidence, exchange)?;
            let nodes = answer.root().path(&["data", "nodes"]).needing(cure).items().unwrap_or_default();
            all.runs.extend(nodes.iter().filter_map(|node| Some((node.get("id").text().ok()?.to_owned(), (exchange.n, run(node))))));
        }
        Ok(all)
    }

    /// Sets what is known of the deployment's run.
    pub(super) fn describe(&self, resource: &mut Resource, id: Fact<&str>, environment: &Fact<Option<String>>) {
        let run = match id.map(|id| self.runs.get(id)) {
            Ok(Some((exchange, run))) => {
                resource.evidence.push(*exchange);
                run.clone()
            }
            Ok(None) => Err(self.trouble.clone().unwrap_or_else(|| Gap::new(GapCause::Unanswered, "the source gave no details of the deployment"))),
            Err(gap) => Err(gap),
        };
        match run {
            Ok(run) => {
                set(resource, "approved_by", environment.clone().and_then(|environment| approved_by(&run, environment.as_deref())));
                resource.know("run", run.number);
                set(resource, "started_by", run.started_by);
                set(resource, "jobs", run.jobs);
            }
            Err(gap) => ATTRIBUTES.into_iter().for_each(|name| resource.lack(name, gap.clone())),
        }
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
            return Ok(Run { number: run.get("databaseId").int()?, started_by, approvals: approvals(&run), jobs: all_jobs(suite) });
        }
    }
    Err(cut.unwrap_or_else(|| Gap::new(GapCause::LeftOut, "no job of GitHub Actions made this deployment, and GitHub keeps approvals of nothing else")))
}

fn approvals(run: &Field<'_>) -> Fact<Vec<(String, Vec<String>)>> {
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

fn approved_by(run: &Run, environment: Option<&str>) -> Fact<Vec<String>> {
    let approvals = run.approvals.as_ref().map_err(Clone::clone)?;
    let meant = approvals.iter().filter(|(_, environments)| environments.iter().any(|name| Some(name.as_str()) == environment));
    let mut people: Vec<String> = meant.map(|(by, _)| by.clone()).collect();
    people.sort_unstable();
    people.dedup();
    Ok(people)
}

fn all_jobs(suite: &Field<'_>) -> Fact<Vec<Value>> {
    let job = |job: &Field<'_>| {
        let conclusion = job.get("conclusion").or_none(Field::text)?.unwrap_or("PENDING");
        Ok(json!({"name": job.get("name").text()?, "conclusion": conclusion, "started_at": job.get("startedAt").or_none(Field::time)?}))
    };
    suite.get("checkRuns").all_nodes()?.iter().map(job).collect()
}
