//! The team's board: its tasks with status and due date, a few of them forgotten, ideas that were put away, and what the viewer may not see.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use crate::sandbox::world::World;
use crate::sandbox::world::changes::PullRequest;
use crate::sandbox::world::people::Person;
use crate::sandbox::world::repositories::Repository;
use crate::sandbox::world::tasks::Issue;
use crate::sandbox::world::truth::{Truth, instant};

/// The number of the only board.
pub(crate) const BOARD: u32 = 220;
/// Its name.
pub(crate) const TITLE: &str = "Cloud DevOps";
/// Its automation, and whether it is on.
pub(crate) const WORKFLOWS: [(&str, bool); 2] = [("Item closed", true), ("Auto-archive items", false)];
/// Its fields.
pub(crate) const FIELDS: [(&str, &str); 5] = [("Title", "TITLE"), ("Status", "SINGLE_SELECT"), ("SLA", "DATE"), ("Estimate", "NUMBER"), ("Slot", "TEXT")];
/// Ideas that were put away: enough for a second page.
const IDEAS: u32 = 95;

/// An item of the board.
#[derive(Debug)]
pub(crate) struct Item<'w> {
    pub(crate) id: String,
    pub(crate) content: Content<'w>,
    pub(crate) archived: bool,
    pub(crate) created: DateTime<Utc>,
    pub(crate) status: Option<&'static str>,
    pub(crate) due: Option<NaiveDate>,
    pub(crate) estimate: Option<u32>,
    pub(crate) slot: Option<&'static str>,
}

/// What an item is.
#[derive(Debug)]
pub(crate) enum Content<'w> {
    Issue(&'w Repository, &'w Issue),
    Change(&'w Repository, &'w PullRequest),
    Draft(String),
    /// Of a repository that the viewer may not see.
    Hidden,
}

impl Item<'_> {
    /// When its fields were set.
    pub(crate) fn set_at(&self) -> DateTime<Utc> {
        self.created + TimeDelta::hours(1)
    }

    /// Who put it there and set its fields.
    pub(crate) fn by(&self) -> Person {
        if self.archived { Person::Ghost } else { Person::Member(0) }
    }
}

impl World {
    /// Everything on the board, in its order.
    pub(crate) fn board(&self) -> Vec<Item<'_>> {
        let mut items = Vec::new();
        for repository in &self.repositories {
            items.extend(repository.issues.iter().filter(|issue| issue.is_on_board()).map(|issue| task(repository, issue)));
        }
        let change = self.repositories.iter().find_map(|repository| Some((repository, repository.pull_requests.first()?)));
        items.extend(change.map(|(repository, change)| self.other("C", Content::Change(repository, change))));
        items.push(self.other("H", Content::Hidden));
        items.extend((0..IDEAS).map(|nth| Item { archived: true, ..self.other(&format!("D{nth}"), Content::Draft(format!("Idea {nth}"))) }));
        items
    }

    fn other<'w>(&self, id: &str, content: Content<'w>) -> Item<'w> {
        Item { id: format!("PVTI_{id}"), content, archived: false, created: self.plan.instant(-100), status: None, due: None, estimate: None, slot: None }
    }

    /// What the team wrote about how the board stands: when and what, newest first.
    pub(crate) fn updates(&self) -> Vec<(DateTime<Utc>, &'static str)> {
        vec![(self.plan.instant(-3), "Handover: nothing is on fire"), (self.plan.instant(-10), "Retro: fewer pages than last time")]
    }

    /// Adds the board and its items.
    pub(super) fn tell_board(&self, truth: &mut Truth) {
        let place = format!("github.com/orgs/{}/projects/{BOARD}", self.plan.organization);
        let writer = self.login(&Person::Member(0));
        let update = |(at, body): &(DateTime<Utc>, &str)| json!({ "at": instant(*at), "edited": false, "by": writer, "status": "ON_TRACK", "body": body });
        let updates = self.updates();
        let facts = json!({
            "organization": self.plan.organization, "number": BOARD, "title": TITLE, "public": false, "closed": false, "item_count": self.board().len(),
            "status_updates": updates.iter().map(update).collect::<Vec<_>>(), "last_status_update_at": updates.first().map(|(at, _)| instant(*at)),
            "workflows": WORKFLOWS.map(|(name, enabled)| json!({ "name": name, "enabled": enabled })),
            "fields": FIELDS.map(|(name, kind)| json!({ "name": name, "type": kind })), "description": null, "readme": "How we work",
        });
        truth.add("github.project", place.clone(), facts);
        for item in self.board() {
            truth.add("github.project_item", format!("{place}/items/{}", item.id), self.item_facts(&item));
        }
    }

    fn item_facts(&self, item: &Item<'_>) -> Value {
        let set_at = instant(item.set_at());
        let mut facts = json!({
            "project": BOARD, "project_title": TITLE, "archived": item.archived, "created_at": instant(item.created), "updated_at": set_at,
            "added_by": self.login(&item.by()), "status": item.status, "status_changed_at": item.status.map(|_| set_at.clone()),
            "due": item.due.map(end_of_day), "due_changed_at": item.due.map(|_| set_at.clone()), "fields": self.field_facts(item),
        });
        let content = match &item.content {
            Content::Issue(repository, issue) => json!({
                "type": "ISSUE", "number": issue.number, "repository": self.full_name(repository), "title": issue.title, "state": issue.state(), "labels": issue.labels,
                "assignees": issue.assignees.iter().filter_map(|index| self.login(&Person::Member(*index))).collect::<Vec<_>>(),
            }),
            Content::Change(repository, change) => json!({
                "type": "PULL_REQUEST", "number": change.number, "repository": self.full_name(repository), "title": change.title, "state": change.state(),
                "labels": change.labels, "assignees": [],
            }),
            Content::Draft(title) => {
                json!({ "type": "DRAFT_ISSUE", "number": null, "repository": null, "url": null, "title": title, "state": null, "labels": [], "assignees": [] })
            }
            Content::Hidden => json!({ "type": "REDACTED" }),
        };
        if let (Some(facts), Value::Object(content)) = (facts.as_object_mut(), content) {
            facts.extend(content);
        }
        facts
    }

    fn field_facts(&self, item: &Item<'_>) -> Vec<Value> {
        let by = self.login(&item.by());
        let fact =
            |name: &str, kind: &str, value: String| json!({ "name": name, "type": kind, "value": value, "updated_at": instant(item.set_at()), "by": by });
        let status = item.status.map(|status| fact("Status", "single_select", status.to_owned()));
        let due = item.due.map(|due| fact("SLA", "date", due.to_string()));
        let estimate = item.estimate.map(|days| fact("Estimate", "number", format!("{days}.0")));
        let slot = item.slot.map(|slot| fact("Slot", "text", slot.to_owned()));
        status.into_iter().chain(due).chain(estimate).chain(slot).collect()
    }

    /// What the board adds to an issue.
    pub(super) fn board_facts(&self, repository: &Repository, issue: &Issue) -> Value {
        let item = issue.is_on_board().then(|| task(repository, issue));
        let on_board = item.as_ref().map(|item| {
            json!({
                "project": BOARD, "status": item.status, "status_changed_at": item.status.map(|_| instant(item.set_at())), "due": item.due.map(end_of_day),
                "archived": false, "added_at": instant(item.created),
                "values": self.field_facts(item).iter().filter_map(|fact| Some((fact["name"].as_str()?.to_owned(), fact["value"].clone()))).collect::<Map<_, _>>(),
            })
        });
        let planned = issue.milestone.as_ref().and_then(|(_, due)| *due);
        let due = item.and_then(|item| item.due);
        let days: std::collections::BTreeSet<NaiveDate> = due.into_iter().chain(planned.map(|at| at.date_naive())).collect();
        let (total, completed) = issue.sub_issues;
        let name = self.full_name(repository);
        let part = |nth: usize| {
            let done = nth < completed;
            json!({
                "repository": name, "number": 9_000 + nth, "title": format!("Part {nth}"), "state": if done { "CLOSED" } else { "OPEN" },
                "state_reason": done.then_some("COMPLETED"), "labels": [],
            })
        };
        json!({
            "boards": on_board.into_iter().collect::<Vec<_>>(), "milestone_due": planned.map(instant), "due": due.map(end_of_day).or(planned.map(instant)),
            "due_source": if due.is_some() { Some("board") } else { planned.map(|_| "milestone") }, "due_stated": days.len(),
            "sub_issues": (0..total).map(part).collect::<Vec<_>>(),
        })
    }
}

fn task<'w>(repository: &'w Repository, issue: &'w Issue) -> Item<'w> {
    let status = match (issue.closed.is_some(), issue.number % 5) {
        (true, _) | (false, 0) => Some("Done"),
        (false, 1) => None,
        (false, _) => Some("In progress"),
    };
    let planned = issue.milestone.as_ref().and_then(|(_, due)| *due);
    let due = match issue.number % 4 {
        _ if issue.placed.is_some() => issue.due,
        0 => Some((issue.created + TimeDelta::days(10)).date_naive()),
        1 => planned.map(|at| at.date_naive()),
        _ => None,
    };
    Item {
        id: format!("PVTI_I{}_{}", repository.id, issue.number),
        content: Content::Issue(repository, issue),
        archived: false,
        created: issue.created,
        status,
        due,
        estimate: issue.number.is_multiple_of(2).then_some(3),
        slot: issue.slot,
    }
}

/// As the program tells a day.
fn end_of_day(day: NaiveDate) -> String {
    format!("{day}T23:59:59Z")
}
