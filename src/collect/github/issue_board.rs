//! Where an issue stands on the boards that the configuration names, and by when it is due when the board, the milestone and the text are taken together.
//!
//! Read from the boards' own listings and not from the issue: a credential that may not see boards gets an issue without any, or no issue at all.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Fact, Field};
use crate::collect::github::board::{self, Item};
use crate::collect::github::completion::due_in;
use crate::model::{Attribute, AttributeDecl, AttributeType, Boards, Gap, GapCause, Resource, attribute};

const OPTIONAL_TIME: AttributeType = AttributeType::Optional(&AttributeType::Time);

/// What is told of an issue on a board.
pub(super) const BOARD: &[AttributeDecl] = &[
    attribute("project", AttributeType::Int, "The board's number", "the configuration"),
    attribute("status", AttributeType::Optional(&AttributeType::Text), "Its Status there; null where none is set", "fieldValues Status.name"),
    attribute("status_changed_at", OPTIONAL_TIME, "When that was last set; null where none is set", "fieldValues Status.updatedAt"),
    attribute("due", OPTIONAL_TIME, "The end (UTC) of the day in github.due_field; null where none is set", "fieldValues date"),
    attribute("values", AttributeType::Map(&AttributeType::Text), "The values of the board's own fields that are set, by the field's name", "fieldValues"),
    attribute("archived", AttributeType::Bool, "True where it was taken off the board's views", "isArchived"),
    attribute("added_at", AttributeType::Time, "When it was put there", "createdAt"),
];

/// The issues on the boards of one organisation.
#[derive(Debug)]
pub(super) struct OnBoards {
    /// By `owner/name#number`: a record for each board, and the exchanges that tell; or why they could not be read.
    issues: BTreeMap<String, Vec<Fact<Place>>>,
    /// Why nothing can be said of any issue.
    gap: Option<Gap>,
    is_configured: bool,
    /// Every exchange that lists a board: what is on none cites them all.
    evidence: Vec<u32>,
}

/// An issue on a board.
#[derive(Debug, Clone)]
struct Place {
    record: Value,
    due: Option<String>,
    exchange: u32,
}

/// Reads the stored listings of the boards.
pub(super) fn read(organization: &str, boards: &Boards, evidence: &dyn Evidence) -> Result<OnBoards, Unreadable> {
    let is_configured = boards.of(organization).next().is_some();
    let mut on = OnBoards { issues: BTreeMap::new(), gap: (!is_configured).then(board::not_configured), is_configured, evidence: Vec::new() };
    for number in boards.of(organization) {
        let (mut count, mut hidden) = (0_u64, None);
        let listed = board::each_item(organization, number, evidence, &mut |item| {
            count += 1;
            match name(item) {
                Ok(Some(name)) => on.issues.entry(name).or_default().push(place(number, item, &boards.due_field)),
                Ok(None) => {}
                Err(gap) => hidden = Some(gap),
            }
        })?;
        on.evidence.extend(listed.evidence);
        let short = listed.total.filter(|total| *total != count).map(|total| {
            let detail = format!("{count} of {total} items of board {number} were read");
            Gap::new(GapCause::Incomplete, detail)
        });
        on.gap = on.gap.take().or(listed.gaps.into_iter().next()).or(hidden).or(short);
    }
    Ok(on)
}

/// The name of the issue that an item is; none where it is something else. What is hidden from a credential is no issue that it was shown elsewhere.
fn name(item: &Item<'_>) -> Fact<Option<String>> {
    if item.node.get("type").text()? != "ISSUE" {
        return Ok(None);
    }
    let content = item.node.get("content");
    Ok(Some(format!("{}#{}", content.path(&["repository", "nameWithOwner"]).text()?, content.get("number").int()?)))
}

fn place(number: u32, item: &Item<'_>, due_field: &str) -> Fact<Place> {
    let values = board::values(item.node)?;
    let status = board::status(&values);
    let due = board::date(&values, due_field).map(board::end_of_day).transpose()?;
    let set: BTreeMap<&str, &str> = values.iter().filter_map(|value| Some((value.name.as_str(), value.value.as_deref()?))).collect();
    let record = json!({
        "project": number, "status": status.and_then(|status| status.value.clone()), "status_changed_at": status.map(|status| status.updated_at.clone()),
        "due": due, "values": set, "archived": item.node.get("isArchived").bool()?, "added_at": item.node.get("createdAt").time()?,
    });
    Ok(Place { record, due, exchange: item.exchange })
}

/// When the milestone of an issue is due.
pub(super) fn milestone_due(node: &Field<'_>) -> Fact<Option<String>> {
    Ok(node.get("milestone").or_none(|milestone| milestone.get("dueOn").or_none(Field::time))?.flatten())
}

impl OnBoards {
    /// The issue with what the boards tell of it.
    pub(super) fn told(&self, mut issue: Resource) -> Resource {
        let places = self.places(&issue.name);
        match &places {
            Ok(places) => {
                issue.know("boards", places.iter().map(|place| place.record.clone()).collect::<Vec<_>>());
                let cited: Vec<u32> = if places.is_empty() { self.evidence.clone() } else { places.iter().map(|place| place.exchange).collect() };
                issue.evidence.extend(cited);
                issue.evidence.sort_unstable();
                issue.evidence.dedup();
            }
            Err(gap) => issue.lack("boards", gap.clone()),
        }
        match self.stated(&issue, places) {
            Ok(stated) => {
                issue.know("due", stated.first().map(|(_, at)| at.clone()));
                issue.know("due_source", stated.first().map(|(source, _)| *source));
                issue.know("due_stated", days(&stated));
            }
            Err(gap) => ["due", "due_source", "due_stated"].iter().for_each(|name| issue.lack(name, gap.clone())),
        }
        issue
    }

    fn places(&self, name: &str) -> Fact<Vec<Place>> {
        match &self.gap {
            Some(gap) => Err(gap.clone()),
            None => self.issues.get(name).into_iter().flatten().cloned().collect(),
        }
    }

    /// Each place where a due date is stated, the one that counts first: the boards, the earliest of several first; the milestone; the text.
    fn stated(&self, issue: &Resource, places: Fact<Vec<Place>>) -> Fact<Vec<(&'static str, String)>> {
        let mut stated = Vec::new();
        if self.is_configured {
            let dates: BTreeSet<String> = places?.into_iter().filter_map(|place| place.due).collect();
            stated.extend(dates.into_iter().map(|due| ("board", due)));
        }
        let milestone = known(issue, "milestone_due")?.as_str().map(ToOwned::to_owned);
        stated.extend(milestone.map(|due| ("milestone", due)));
        let day = known(issue, "body")?.as_str().and_then(due_in);
        stated.extend(day.map(|day| ("body", format!("{day}T23:59:59Z"))));
        Ok(stated)
    }
}

/// How many different days are stated.
fn days(stated: &[(&'static str, String)]) -> i64 {
    let days: BTreeSet<&str> = stated.iter().filter_map(|(_, at)| at.get(..10)).collect();
    i64::try_from(days.len()).unwrap_or(i64::MAX)
}

fn known<'r>(issue: &'r Resource, name: &str) -> Fact<&'r Value> {
    match issue.attributes.get(name) {
        Some(Attribute::Known(value)) => Ok(value),
        Some(Attribute::Unknown(gap)) => Err(gap.clone()),
        None => Err(Gap::new(GapCause::LeftOut, format!("the source left out {name}"))),
    }
}
