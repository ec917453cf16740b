//! The runs of a workflow, as REST lists them.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::sandbox::rest::github_bodies as bodies;
use crate::sandbox::rest::{Ask, Reply, page as page_of};
use crate::sandbox::world::World;
use crate::sandbox::world::releases::{RELEASE_WORKFLOW, Release};
use crate::sandbox::world::repositories::Repository;
use crate::sandbox::world::truth::instant;

/// GitHub shows no more of what was created in a span, though it counts them.
const MOST: usize = 1_000;

/// Newest first; other workflows than that which releases never ran.
pub(crate) fn page(world: &World, ask: &Ask, found: &Repository, file: &str, at: &str) -> Reply {
    let created = ask.parameter("created").unwrap_or_default();
    let (first, last) = created.strip_prefix(">=").map_or_else(|| created.split_once("..").unwrap_or_default(), |first| (first, "2100-01-01T00:00:00Z"));
    let (Ok(first), Ok(last)) = (first.parse::<DateTime<Utc>>(), last.parse::<DateTime<Utc>>()) else { return Reply::message(422, "created is no span") };
    let mut all = if RELEASE_WORKFLOW.ends_with(&format!("/{file}")) { found.releases(world) } else { Vec::new() };
    all.retain(|release| (first..=last).contains(&release.at));
    all.reverse();
    let shown = all.get(..MOST).unwrap_or(&all);
    let mut reply = page_of(ask, at, shown, |release| body(world, found, release));
    let runs: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    reply.body = json!({ "total_count": all.len(), "workflow_runs": runs }).to_string().into_bytes();
    reply
}

/// `workflow-run`.
fn body(world: &World, found: &Repository, release: &Release<'_>) -> Value {
    let id = found.release_id(release.number);
    let name = world.full_name(found);
    let url = bodies::api(&format!("/repos/{name}/actions/runs/{id}"));
    let who = world.login(&release.by).map_or(Value::Null, |login| bodies::user(login, 1, "User"));
    // Settings and instants of the repository are not told beside its runs.
    let mut repository = bodies::repository(world, found);
    if let Some(fields) = repository.as_object_mut() {
        fields.retain(|name, _| {
            name.ends_with("_url") || matches!(name.as_str(), "id" | "node_id" | "name" | "full_name" | "owner" | "private" | "description" | "fork" | "url")
        });
    }
    let mut run = json!({
        "id": id, "name": "Release", "node_id": format!("REL_{}_{}", found.id, release.number), "check_suite_id": id, "check_suite_node_id": format!("CS_{id}"),
        "head_branch": release.branch, "head_sha": release.commit, "path": RELEASE_WORKFLOW, "run_number": release.number, "run_attempt": release.attempt,
        "event": release.event, "display_title": release.branch, "status": if release.conclusion.is_some() { "completed" } else { "in_progress" },
        "conclusion": release.conclusion, "workflow_id": found.id, "url": url, "html_url": format!("https://github.com/{name}/actions/runs/{id}"),
        "pull_requests": [], "created_at": instant(release.at), "updated_at": instant(release.updated()), "run_started_at": instant(release.started()),
        "previous_attempt_url": null, "workflow_url": bodies::api(&format!("/repos/{name}/actions/workflows/{}", found.id)), "head_commit": null,
        "check_suite_url": bodies::api(&format!("/repos/{name}/check-suites/{id}")), "repository": repository, "head_repository": repository,
    });
    if let Some(fields) = run.as_object_mut() {
        fields.extend(["jobs", "logs", "cancel", "rerun", "artifacts"].map(|link| (format!("{link}_url"), format!("{url}/{link}").into())));
        fields.extend(["actor", "triggering_actor"].map(|role| (role.to_owned(), who.clone())));
    }
    run
}
