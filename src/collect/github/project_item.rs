//! `github.project_item`: what stands on the boards that the configuration names: issues, pull requests and drafts, with status, due date and all field values.
//!
//! Left out: how a status came about; GitHub's published schema has no history of field values.

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Fact, Field, set};
use crate::collect::github::board::{self, FieldValue, Item, SEES_BOARDS};
use crate::model::{AttributeDecl, AttributeType, Boards, Gap, GapCause, Kind, Population, Resource, ResourceId, Scope, Tally, attribute};

/// The collector of `github.project_item`.
#[derive(Debug, Clone, Copy)]
pub struct ProjectItem;

const SEES_CONTENT: &str = "access to the repository of the item's issue or pull request";
const OPTIONAL_TEXT: AttributeType = AttributeType::Optional(&AttributeType::Text);
const OPTIONAL_TIME: AttributeType = AttributeType::Optional(&AttributeType::Time);
const TEXTS: AttributeType = AttributeType::List(&AttributeType::Text);

const FIELD: &[AttributeDecl] = &[
    attribute("name", AttributeType::Text, "The field", "fieldValues.field.name"),
    attribute("type", AttributeType::Text, "single_select, date, number, text or iteration", "fieldValues.__typename"),
    attribute("value", OPTIONAL_TEXT, "The value as text; null where it is empty", "fieldValues.name, date, number, text, title"),
    attribute("updated_at", AttributeType::Time, "When it was last set", "fieldValues.updatedAt"),
    attribute("by", OPTIONAL_TEXT, "Who set it; null where the account is gone", "fieldValues.creator.login"),
];

/// What it promises.
pub static KIND: Kind = Kind {
    name: "github.project_item",
    meaning: "An item of a board in github.projects, archived or not",
    permission: SEES_BOARDS,
    attributes: &[
        attribute("project", AttributeType::Int, "The board's number", "the configuration"),
        attribute("project_title", AttributeType::Text, "The board's name", "ProjectV2.title"),
        attribute(
            "type",
            AttributeType::Text,
            "ISSUE, PULL_REQUEST, DRAFT_ISSUE, or REDACTED where the credential may not see what it is",
            "ProjectV2Item.type",
        ),
        attribute("number", AttributeType::Optional(&AttributeType::Int), "The number of the issue or pull request; null for a draft", "content.number"),
        attribute("repository", OPTIONAL_TEXT, "owner/name; null for a draft", "content.repository.nameWithOwner"),
        attribute("url", OPTIONAL_TEXT, "Its page; null for a draft", "content.url"),
        attribute("title", AttributeType::Text, "Its title", "content.title"),
        attribute("state", OPTIONAL_TEXT, "OPEN, CLOSED or MERGED; null for a draft", "content.state"),
        attribute("labels", TEXTS, "Names of its labels; none for a draft", "content.labels"),
        attribute("assignees", TEXTS, "Who is to do it", "content.assignees"),
        attribute("archived", AttributeType::Bool, "True where it was taken off the board's views", "isArchived"),
        attribute("created_at", AttributeType::Time, "When it was put on the board", "createdAt"),
        attribute("updated_at", AttributeType::Time, "When the item last changed", "updatedAt"),
        attribute("added_by", OPTIONAL_TEXT, "Who put it on the board; null where the account is gone", "creator.login"),
        attribute("status", OPTIONAL_TEXT, "The value of the single-select field Status; null where none is set", "fieldValues Status.name"),
        attribute("status_changed_at", OPTIONAL_TIME, "When the status was last set; null where none is set", "fieldValues Status.updatedAt"),
        attribute("due", OPTIONAL_TIME, "The end (UTC) of the day in the date field github.due_field; null where none is set", "fieldValues date"),
        attribute("due_changed_at", OPTIONAL_TIME, "When that day was last set; null where none is set", "fieldValues updatedAt"),
        attribute("fields", AttributeType::List(&AttributeType::Record(FIELD)), "The values of the board's own fields", "fieldValues"),
    ],
};

#[async_trait]
impl Collector for ProjectItem {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        for organization in &scope.github_organizations {
            board::fetch_items(organization, &scope.boards, api, KIND.name).await?;
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let numbers: Vec<String> = scope.boards.projects.iter().map(ToString::to_string).collect();
        let mut population = Population::of(&KIND, format!("all items of the boards {} of {}", numbers.join(", "), scope.github_organizations.join(", ")));
        if scope.boards.projects.is_empty() {
            population.gaps.push(board::not_configured());
        }
        for organization in &scope.github_organizations {
            for number in scope.boards.of(organization) {
                read(&Place { organization, number, boards: &scope.boards }, evidence, &mut population, emit)?;
            }
        }
        Ok(population)
    }
}

/// A board and how it is read.
struct Place<'a> {
    organization: &'a str,
    number: u32,
    boards: &'a Boards,
}

fn read(place: &Place<'_>, evidence: &dyn Evidence, population: &mut Population, emit: &mut dyn FnMut(Resource)) -> Result<(), Unreadable> {
    let mut count = 0;
    let mut broken = Vec::new();
    let listed = board::each_item(place.organization, place.number, evidence, &mut |item| match resource(place, item) {
        Ok(resource) => {
            count += 1;
            emit(resource);
        }
        Err(gap) => broken.push(gap),
    })?;
    let second_source = if listed.total.is_some() { "GraphQL ProjectV2.items.totalCount" } else { "none: GitHub did not answer items.totalCount" };
    population.tallies.push(Tally {
        tenant: board::address(place.organization, place.number),
        count,
        second_count: listed.total,
        second_source: second_source.to_owned(),
    });
    population.gaps.extend(listed.gaps);
    population.gaps.extend(broken);
    population.evidence.extend(listed.evidence);
    Ok(())
}

fn resource(place: &Place<'_>, item: &Item<'_>) -> Fact<Resource> {
    let id: ResourceId = format!("{}/items/{}", board::address(place.organization, place.number), item.id)
        .parse()
        .map_err(|error: crate::model::ids::InvalidId| Gap::new(GapCause::Malformed, error.to_string()))?;
    let content = item.node.get("content").needing(SEES_CONTENT);
    let name = match (content.path(&["repository", "nameWithOwner"]).text(), content.get("number").int(), content.get("title").text()) {
        (Ok(repository), Ok(number), _) => format!("{repository}#{number}"),
        (_, _, Ok(title)) => title.to_owned(),
        _ => item.id.to_owned(),
    };
    let mut resource = Resource::new(&KIND, id, name, vec![item.exchange]);
    resource.know("project", place.number);
    set(&mut resource, "project_title", text(&item.project.get("title")));
    set(&mut resource, "type", text(&item.node.get("type")));
    set(&mut resource, "archived", item.node.get("isArchived").bool());
    set(&mut resource, "created_at", item.node.get("createdAt").time());
    set(&mut resource, "updated_at", item.node.get("updatedAt").time());
    set(&mut resource, "added_by", board::login(&item.node.get("creator")));
    describe_content(&mut resource, &content);
    describe_values(&mut resource, item.node, &place.boards.due_field);
    Ok(resource.completed(&KIND))
}

fn text(field: &Field<'_>) -> Fact<String> {
    field.text().map(ToOwned::to_owned)
}

/// The issue, pull request or draft. What may not be seen has no content, and nothing is known of it.
fn describe_content(resource: &mut Resource, content: &Field<'_>) {
    let typename = content.get("__typename").text();
    set(resource, "title", text(&content.get("title")));
    if typename == Ok("DraftIssue") {
        for name in ["number", "repository", "url", "state"] {
            resource.know(name, Value::Null);
        }
        resource.know("labels", json!([]));
        set(resource, "assignees", names(&content.get("drafted"), "login"));
        return;
    }
    let state = if typename == Ok("PullRequest") { "changeState" } else { "issueState" };
    set(resource, "number", content.get("number").int());
    set(resource, "repository", text(&content.path(&["repository", "nameWithOwner"])));
    set(resource, "url", text(&content.get("url")));
    set(resource, "state", text(&content.get(state)));
    set(resource, "labels", names(&content.get("labels"), "name"));
    set(resource, "assignees", names(&content.get("assignees"), "login"));
}

fn names(connection: &Field<'_>, field: &str) -> Fact<Vec<String>> {
    connection.all_nodes()?.iter().map(|node| text(&node.get(field))).collect()
}

fn describe_values(resource: &mut Resource, node: &Field<'_>, due_field: &str) {
    let values = match board::values(node) {
        Ok(values) => values,
        Err(gap) => {
            for name in ["status", "status_changed_at", "due", "due_changed_at", "fields"] {
                resource.lack(name, gap.clone());
            }
            return;
        }
    };
    let (status, due) = (board::status(&values), board::date(&values, due_field));
    resource.know("status", status.and_then(|status| status.value.clone()));
    resource.know("status_changed_at", status.map(|status| status.updated_at.clone()));
    set(resource, "due", due.map(board::end_of_day).transpose());
    resource.know("due_changed_at", due.map(|due| due.updated_at.clone()));
    resource.know("fields", values.iter().map(record).collect::<Vec<_>>());
}

fn record(value: &FieldValue) -> Value {
    json!({ "name": value.name, "type": value.kind, "value": value.value, "updated_at": value.updated_at, "by": value.by })
}
