//! What may be changed on the sandbox's GitHub: an issue is opened, put on the board, given a due day. Each change makes another world, so that everything else shows it.

use serde_json::{Value, json};

use crate::sandbox::graphql::Question;
use crate::sandbox::rest::{Ask, Reply, page};
use crate::sandbox::world::boards::{BOARD, FIELDS};
use crate::sandbox::world::people::Person;
use crate::sandbox::world::repositories::Repository;
use crate::sandbox::world::tasks::Issue;
use crate::sandbox::world::truth::instant;
use crate::sandbox::world::{Added, Plan, World};

/// The answer to what changes or lists issues, with the plan of the world that comes of it; none for other requests.
pub(crate) fn answer(world: &World, ask: &Ask) -> Option<(Reply, Option<Plan>)> {
    if ask.is_graphql() {
        return mutation(world, &Question::parse(&ask.body)?);
    }
    let segments = ask.segments();
    let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
    let (method, ["repos", owner, name, "issues"]) = (ask.method.as_str(), parts.as_slice()) else { return None };
    let found = world.repository(name).filter(|_found| *owner == world.plan.organization);
    let Some((place, repository)) = found else { return Some((Reply::message(404, "Not Found"), None)) };
    match method {
        "GET" => {
            let label = ask.parameter("labels").unwrap_or_default();
            let mut all: Vec<&Issue> = repository.issues.iter().filter(|issue| label.is_empty() || issue.labels.contains(&label)).collect();
            all.reverse();
            Some((page(ask, &ask.path, &all, |issue| shown(world, repository, issue)), None))
        }
        "POST" => Some(open(world, (place, repository), ask)),
        _ => None,
    }
}

fn open(world: &World, (place, repository): (usize, &Repository), ask: &Ask) -> (Reply, Option<Plan>) {
    let draft: Value = serde_json::from_slice(&ask.body).unwrap_or_default();
    let text = |name: &str| draft.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let texts = |name: &str| draft.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>();
    // Whom it cannot be given to is left out without a word.
    let assignees = texts("assignees").iter().filter_map(|login| world.members.iter().position(|member| member.login == *login)).collect();
    let numbers = repository.issues.iter().map(|issue| issue.number).chain(repository.pull_requests.iter().map(|change| change.number));
    let issue = Issue {
        number: numbers.max().unwrap_or(0) + 1_000,
        title: text("title"),
        body: text("body"),
        author: Person::Member(0),
        created: world.now(),
        labels: texts("labels"),
        assignees,
        placed: Some(false),
        ..Issue::default()
    };
    let reply = Reply::json(201, &shown(world, repository, &issue));
    let mut plan = world.plan.clone();
    plan.added.push(Added { repository: place, issue });
    (reply, Some(plan))
}

fn shown(world: &World, repository: &Repository, issue: &Issue) -> Value {
    let logins = issue.assignees.iter().filter_map(|index| world.login(&Person::Member(*index))).map(|login| json!({ "login": login }));
    json!({
        "number": issue.number, "node_id": node_id(repository, issue), "title": issue.title, "body": issue.body,
        "html_url": format!("https://github.com/{}/issues/{}", world.full_name(repository), issue.number),
        "state": issue.state().to_lowercase(), "created_at": instant(issue.created), "assignees": logins.collect::<Vec<_>>(),
        "labels": issue.labels.iter().map(|label| json!({ "name": label })).collect::<Vec<_>>(),
    })
}

fn node_id(repository: &Repository, issue: &Issue) -> String {
    format!("I_{}_{}", repository.id, issue.number)
}

/// What a mutation, or the question for a board's fields, is answered.
fn mutation(world: &World, question: &Question) -> Option<(Reply, Option<Plan>)> {
    let query = &question.query;
    let variable = |name: &str| question.variables.get(name).and_then(Value::as_str).unwrap_or_default();
    let board = format!("PVT_{BOARD}");
    if query.starts_with("query Board(") {
        if question.variables.get("number") != Some(&json!(BOARD)) {
            return Some((Reply::json(200, &json!({ "data": { "organization": { "projectV2": null } } })), None));
        }
        let fields = FIELDS.map(|(name, kind)| json!({ "id": format!("PVTF_{name}"), "name": name, "dataType": kind }));
        return Some((Reply::json(200, &json!({ "data": { "organization": { "projectV2": { "id": board, "fields": { "nodes": fields } } } } })), None));
    }
    let mut plan = world.plan.clone();
    let known = |added: &&mut Added, id: &str| world.repositories.get(added.repository).is_some_and(|repository| node_id(repository, &added.issue) == id);
    if query.starts_with("mutation Add(") && variable("board") == board {
        let content = variable("content");
        plan.added.iter_mut().find(|added| known(added, content))?.issue.placed = Some(true);
        return Some((Reply::json(200, &json!({ "data": { "addProjectV2ItemById": { "item": { "id": format!("PVTI_{content}") } } } })), Some(plan)));
    }
    if query.starts_with("mutation Set(") && variable("field") == "PVTF_SLA" {
        let item = variable("item").strip_prefix("PVTI_")?;
        let day = question.variables.get("value")?.get("date")?.as_str()?.parse().ok();
        plan.added.iter_mut().find(|added| known(added, item))?.issue.due = day;
        return Some((Reply::json(200, &json!({ "data": { "updateProjectV2ItemFieldValue": { "projectV2Item": { "id": variable("item") } } } })), Some(plan)));
    }
    None
}
