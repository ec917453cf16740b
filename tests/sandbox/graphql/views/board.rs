//! `ProjectV2`, its items and their field values.

use serde_json::json;

use crate::sandbox::graphql::arguments::Arguments;
use crate::sandbox::graphql::connection::{Connection, Edge};
use crate::sandbox::graphql::object::{Record, Shown, leaf};
use crate::sandbox::graphql::views::issue::IssueView;
use crate::sandbox::graphql::views::pull_request::PullRequestView;
use crate::sandbox::graphql::views::{at, people};
use crate::sandbox::world::World;
use crate::sandbox::world::boards::{BOARD, Content, FIELDS, Item, TITLE, WORKFLOWS};
use crate::sandbox::world::people::Person;

/// `Organization.projectV2`.
pub(crate) fn project<'w>(world: &'w World, arguments: &Arguments) -> Shown<'w> {
    let number = arguments.int("number").unwrap_or_default();
    if number != i64::from(BOARD) {
        return Shown::Refused("NOT_FOUND", format!("Could not resolve to a ProjectV2 with the number {number}."));
    }
    let named = |typename: &'static str, fields: Vec<(&'static str, Shown<'w>)>| Edge::to(Record::new(typename, fields));
    let fields = Connection::over("ProjectV2FieldConfigurationConnection", FIELDS.to_vec(), move |(name, kind)| {
        named(if *kind == "SINGLE_SELECT" { "ProjectV2SingleSelectField" } else { "ProjectV2Field" }, vec![("name", leaf(*name)), ("dataType", leaf(*kind))])
    });
    let workflows = Connection::over("ProjectV2WorkflowConnection", WORKFLOWS.to_vec(), move |(name, enabled)| {
        named("ProjectV2Workflow", vec![("name", leaf(*name)), ("enabled", leaf(*enabled))])
    });
    let updates = Connection::over("ProjectV2StatusUpdateConnection", world.updates(), move |(when, body)| {
        let creator = people::actor(world, &Person::Member(0));
        named(
            "ProjectV2StatusUpdate",
            vec![("createdAt", at(Some(*when))), ("updatedAt", at(Some(*when))), ("status", leaf("ON_TRACK")), ("body", leaf(*body)), ("creator", creator)],
        )
    });
    let items = Connection::over("ProjectV2ItemConnection", world.board(), move |item| Edge::to(item_record(world, item)));
    let url = format!("https://github.com/orgs/{}/projects/{BOARD}", world.plan.organization);
    Shown::one(Record::new(
        "ProjectV2",
        [
            ("id", leaf(format!("PVT_{BOARD}"))),
            ("number", leaf(BOARD)),
            ("title", leaf(TITLE)),
            ("url", leaf(url)),
            ("shortDescription", Shown::NULL),
            ("readme", leaf("How we work")),
            ("public", leaf(false)),
            ("closed", leaf(false)),
            ("createdAt", at(Some(world.created))),
            ("updatedAt", at(Some(world.plan.start))),
            ("fields", fields),
            ("workflows", workflows),
            ("statusUpdates", updates),
            ("items", items),
        ],
    ))
}

fn item_record<'w>(world: &'w World, item: &Item<'w>) -> Record<'w> {
    let (kind, content) = match &item.content {
        Content::Issue(repository, issue) => ("ISSUE", Shown::one(IssueView { world, repository, issue })),
        Content::Change(repository, change) => ("PULL_REQUEST", Shown::one(PullRequestView { world, repository, change })),
        Content::Draft(title) => {
            let assignees = Connection::over("UserConnection", Vec::<usize>::new(), move |index| Edge::of(people::user(world, *index)));
            ("DRAFT_ISSUE", Shown::one(Record::new("DraftIssue", [("title", leaf(title.as_str())), ("assignees", assignees)])))
        }
        Content::Hidden => ("REDACTED", Shown::NULL),
    };
    Record::new(
        "ProjectV2Item",
        [
            ("id", leaf(item.id.as_str())),
            ("type", leaf(kind)),
            ("isArchived", leaf(item.archived)),
            ("createdAt", at(Some(item.created))),
            ("updatedAt", at(Some(item.set_at()))),
            ("creator", people::actor(world, &item.by())),
            ("content", content),
            ("fieldValues", values(world, item)),
        ],
    )
}

/// The values of the board's fields, and one that shows the content's own repository.
fn values<'w>(world: &'w World, item: &Item<'w>) -> Shown<'w> {
    let mut values = Vec::new();
    values.extend(item.status.map(|status| ("ProjectV2ItemFieldSingleSelectValue", "Status", "name", json!(status))));
    values.extend(item.due.map(|due| ("ProjectV2ItemFieldDateValue", "SLA", "date", json!(due))));
    values.extend(item.estimate.map(|days| ("ProjectV2ItemFieldNumberValue", "Estimate", "number", json!(f64::from(days)))));
    values.extend(item.slot.map(|slot| ("ProjectV2ItemFieldTextValue", "Slot", "text", json!(slot))));
    values.push(("ProjectV2ItemFieldRepositoryValue", "Repository", "", json!(null)));
    let (set_at, by) = (item.set_at(), item.by());
    Connection::over("ProjectV2ItemFieldValueConnection", values, move |(typename, field, member, value)| {
        let named = Shown::one(Record::new("ProjectV2Field", [("name", leaf(*field))]));
        let fields = [("updatedAt", at(Some(set_at))), ("creator", people::actor(world, &by)), ("field", named), (*member, leaf(value.clone()))];
        Edge::to(Record::new(typename, fields))
    })
}
