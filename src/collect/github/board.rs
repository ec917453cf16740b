//! The items of the boards (Projects, version 2) that the configuration names: asked for to the last page, and read with their field values.
//!
//! Shared by the kinds that need boards; a run sends each request once. Left out: what an item is to a kind (`project_item`, `issue_board`).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::collect::api::{Api, ApiError, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, refused};
use crate::collect::github::items::page_body;
use crate::collect::github::walk::{self, Part};
use crate::collect::paging::Paging;
use crate::model::{Boards, Gap, GapCause, Host};

const OPERATION: &str = "graphql/project-items";
const QUERY: &str = include_str!("queries/project_items.graphql");
const PAGING: Paging = Paging::Cursor("/data/organization/projectV2/items/pageInfo");
/// What shows a board. A board that may not be seen is answered like one that is not there.
pub(super) const SEES_BOARDS: &str = "Projects: read on the organisation (App: organization_projects: read; token: read:project), and a board of that number";
/// The field that says how far an item is.
pub(super) const STATUS: &str = "Status";

/// What the exchanges about a board are filed under.
pub(super) fn subject(organization: &str, number: u32) -> String {
    format!("{organization}/projects/{number}")
}

/// Where a board is: the start of its items' ids, and its tenant.
pub(super) fn address(organization: &str, number: u32) -> String {
    format!("github.com/orgs/{organization}/projects/{number}")
}

/// Why nothing was asked, where no board is named.
pub(super) fn not_configured() -> Gap {
    Gap::new(GapCause::NotConfigured, "no board is named").cured_by("projects under [github] in proofline.toml, e.g. projects = [\"acme/220\"]")
}

/// Asks for the items of every board of an organisation.
pub(super) async fn fetch_items(organization: &str, boards: &Boards, api: &dyn Api, asked_by: &'static str) -> Result<(), ApiError> {
    for number in boards.of(organization) {
        let variables = json!({ "organization": organization, "number": number });
        let ask = |part: Part<'_>| {
            Request::get(Host::GitHub, "/graphql", OPERATION, subject(organization, number), asked_by).post(page_body(QUERY, &variables, part))
        };
        walk::all(QUERY, PAGING, api, &ask).await?;
    }
    Ok(())
}

/// A board as its items' pages tell it.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// How many items the board says it has.
    pub(super) total: Option<u64>,
    /// Why its items are not all.
    pub(super) gaps: Vec<Gap>,
    /// The exchanges that list them, in page order.
    pub(super) evidence: Vec<u32>,
}

/// An item on its page.
pub(super) struct Item<'a> {
    /// The page's board.
    pub(super) project: &'a Field<'a>,
    /// Its node id, which no other item has.
    pub(super) id: &'a str,
    /// Its fields.
    pub(super) node: &'a Field<'a>,
    /// The exchange that lists it.
    pub(super) exchange: u32,
}

/// Shows each item of a board once.
pub(super) fn each_item(organization: &str, number: u32, evidence: &dyn Evidence, visit: &mut dyn FnMut(&Item<'_>)) -> Result<Listed, Unreadable> {
    let subject = subject(organization, number);
    let mut listed = Listed::default();
    let mut seen = BTreeSet::new();
    for exchange in evidence.about(OPERATION, &subject) {
        listed.evidence.push(exchange.n);
        if !exchange.is_answer() {
            listed.gaps.push(refused(evidence, exchange, SEES_BOARDS)?);
            continue;
        }
        let answer = Answer::stored_graphql(evidence, exchange)?;
        let project = answer.root().path(&["data", "organization", "projectV2"]).needing(SEES_BOARDS);
        let items = project.get("items");
        listed.total = listed.total.or(items.get("totalCount").int().ok().and_then(|total| u64::try_from(total).ok()));
        let nodes = match items.get("nodes").items() {
            Ok(nodes) => nodes,
            Err(gap) => {
                listed.gaps.push(Gap { detail: format!("board {number}: {}", gap.detail), ..gap });
                continue;
            }
        };
        for node in &nodes {
            match node.get("id").text() {
                Ok(id) if seen.insert(id.to_owned()) => visit(&Item { project: &project, id, node, exchange: exchange.n }),
                Ok(_twice) => {}
                Err(gap) => {
                    listed.gaps.push(Gap { cause: GapCause::Incomplete, detail: format!("an item of board {number} is hidden: {}", gap.detail), ..gap })
                }
            }
        }
    }
    if listed.gaps.is_empty() {
        listed.gaps.extend(evidence.listing_gap(OPERATION, &subject));
    }
    Ok(listed)
}

/// The value of a board's own field; what a board shows of its content's labels or people is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FieldValue {
    /// The field.
    pub(super) name: String,
    /// `single_select`, `date`, `number`, `text` or `iteration`.
    pub(super) kind: &'static str,
    /// As text; none where the field is empty.
    pub(super) value: Option<String>,
    /// When it was last set.
    pub(super) updated_at: String,
    /// Who set it; none where GitHub does not say or the account is gone.
    pub(super) by: Option<String>,
}

/// The types of values that a board has of its own, with the member that holds the value. The other types show what the content has itself.
/// <https://docs.github.com/en/graphql/reference/unions#projectv2itemfieldvalue>
const OWN: &[(&str, &str, &str)] = &[
    ("ProjectV2ItemFieldSingleSelectValue", "single_select", "name"),
    ("ProjectV2ItemFieldDateValue", "date", "date"),
    ("ProjectV2ItemFieldNumberValue", "number", "number"),
    ("ProjectV2ItemFieldTextValue", "text", "text"),
    ("ProjectV2ItemFieldIterationValue", "iteration", "title"),
];

/// The values of an item, in the board's order.
pub(super) fn values(item: &Field<'_>) -> Fact<Vec<FieldValue>> {
    let mut values = Vec::new();
    for node in item.get("fieldValues").all_nodes()? {
        let typename = node.get("__typename").text()?;
        let Some((_, kind, member)) = OWN.iter().find(|(known, _, _)| *known == typename) else { continue };
        values.push(FieldValue {
            name: node.path(&["field", "name"]).text()?.to_owned(),
            kind,
            value: node.get(member).or_none(scalar)?,
            updated_at: node.get("updatedAt").time()?,
            by: login(&node.get("creator"))?,
        });
    }
    Ok(values)
}

/// Text, or a number as it is written.
fn scalar(field: &Field<'_>) -> Fact<String> {
    match field.value() {
        Some(Value::Number(number)) => Ok(number.to_string()),
        _ => field.text().map(ToOwned::to_owned),
    }
}

/// An account's name; none where there is none.
pub(super) fn login(field: &Field<'_>) -> Fact<Option<String>> {
    field.or_none(|account| account.get("login").text().map(ToOwned::to_owned))
}

/// The value of the single-select field `Status`, where one is set.
pub(super) fn status(values: &[FieldValue]) -> Option<&FieldValue> {
    values.iter().find(|value| value.kind == "single_select" && value.name == STATUS && value.value.is_some())
}

/// The value of the date field of this name, where one is set.
pub(super) fn date<'v>(values: &'v [FieldValue], name: &str) -> Option<&'v FieldValue> {
    values.iter().find(|value| value.kind == "date" && value.name == name && value.value.is_some())
}

/// The end (UTC) of the day that a date field says.
pub(super) fn end_of_day(value: &FieldValue) -> Fact<String> {
    let day: Option<chrono::NaiveDate> = value.value.as_deref().and_then(|text| text.parse().ok());
    let day = day.ok_or_else(|| Gap::new(GapCause::Malformed, format!("the field {} is not a date", value.name)))?;
    Ok(format!("{day}T23:59:59Z"))
}
