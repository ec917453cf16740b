//! What a team wrote down beside its board: discussions, and issues with a label of the configuration, of the last three months.
//!
//! Read from the listings that `discussion` and `issue` ask for, of discussions no further back than is looked; a run sends each request once. Left out: who took part, and what was said.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::Fact;
use crate::collect::github::discussion;
use crate::collect::github::issue;
use crate::model::{Attribute, AttributeDecl, AttributeType, Gap, GapCause, Resource, Scope, attribute};

/// How long before the end of the run's window a record may have been written.
const REACH: TimeDelta = TimeDelta::days(92);

/// What is told of a record.
pub(super) const RECORD: &[AttributeDecl] = &[
    attribute("kind", AttributeType::Text, "discussion or issue", "Repository.discussions, Repository.issues"),
    attribute("at", AttributeType::Time, "When it was begun", "createdAt"),
    attribute("by", AttributeType::Text, "Who began it", "author.login"),
    attribute("title", AttributeType::Text, "Its title", "title"),
    attribute("url", AttributeType::Text, "Its page", "url"),
    attribute("marks", AttributeType::List(&AttributeType::Text), "Its labels and the category of a discussion, in small letters", "labels, category.name"),
];

fn since(scope: &Scope) -> DateTime<Utc> {
    scope.window.end() - REACH
}

/// Asks for what may be a record.
pub(super) async fn fetch(organization: &str, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
    discussion::fetch_since(organization, since(scope), api).await?;
    issue::fetch_all(organization, &scope.issue_labels, api).await
}

/// The records of an organisation, newest first, with the exchanges that tell of them; or why they are not all.
pub(super) type Written = Fact<(Vec<Value>, Vec<u32>)>;

/// Reads them.
pub(super) fn read(organization: &str, scope: &Scope, evidence: &dyn Evidence) -> Result<Written, Unreadable> {
    let since = since(scope);
    let mut found: Vec<Fact<Option<Value>>> = Vec::new();
    let mut cited = Vec::new();
    let mut take = |kind: &'static str, resource: Resource| {
        let record = record(kind, &resource, since);
        if !matches!(record, Ok(None)) {
            cited.extend(resource.evidence);
        }
        found.push(record);
    };
    let mut gaps = discussion::each(organization, since, evidence, &mut |resource| take("discussion", resource))?;
    gaps.extend(issue::each_issue(organization, &scope.issue_labels, evidence, &mut |resource| take("issue", resource))?);
    if let Some(gap) = gaps.into_iter().next() {
        return Ok(Err(gap));
    }
    let mut records = match found.into_iter().filter_map(Fact::transpose).collect::<Fact<Vec<Value>>>() {
        Ok(records) => records,
        Err(gap) => return Ok(Err(gap)),
    };
    // RFC 3339 in UTC, so that the order of the texts is the order of the times.
    records.sort_by(|one, other| at(other).cmp(at(one)));
    cited.sort_unstable();
    cited.dedup();
    Ok(Ok((records, cited)))
}

fn at(record: &Value) -> &str {
    record.get("at").and_then(Value::as_str).unwrap_or_default()
}

/// None where it is too old.
fn record(kind: &str, resource: &Resource, since: DateTime<Utc>) -> Fact<Option<Value>> {
    let begun = known(resource, "created_at")?;
    if begun.as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok()).is_some_and(|at| at < since) {
        return Ok(None);
    }
    let labels = known(resource, "labels")?.as_array().into_iter().flatten().filter_map(Value::as_str);
    let category = if kind == "discussion" { known(resource, "category")?.as_str() } else { None };
    let marks: Vec<String> = labels.chain(category).map(str::to_lowercase).collect();
    Ok(Some(json!({
        "kind": kind, "at": begun, "by": known(resource, "author")?, "title": known(resource, "title")?, "url": known(resource, "url")?, "marks": marks,
    })))
}

fn known<'r>(resource: &'r Resource, name: &str) -> Fact<&'r Value> {
    match resource.attributes.get(name) {
        Some(Attribute::Known(value)) => Ok(value),
        Some(Attribute::Unknown(gap)) => Err(gap.clone()),
        None => Err(Gap::new(GapCause::LeftOut, format!("the source left out {name}"))),
    }
}
