//! What happened to an issue, by whom and when: who had it, who labelled it, who closed it, who answered, who looked at the evidence, which changes name it.
//!
//! Each list comes from a part of the timeline of its own, so that one that is cut leaves only its own attributes undetermined.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::collect::github::answer::{Fact, Field, set};
use crate::collect::github::issue::{login, text};
use crate::collect::github::review::claims_no_review;
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause, Resource, attribute};

/// One assignment.
pub(super) const ASSIGNED: &[AttributeDecl] = &[
    attribute("to", AttributeType::Text, "Who was to do it", "AssignedEvent.assignee.login"),
    attribute("to_type", AttributeType::Text, "User, Bot, …", "AssignedEvent.assignee.__typename"),
    attribute("by", AttributeType::Text, "Who said so", "AssignedEvent.actor.login"),
    attribute("at", AttributeType::Time, "When", "AssignedEvent.createdAt"),
];

/// One label put on it.
pub(super) const LABELLED: &[AttributeDecl] = &[
    attribute("label", AttributeType::Text, "The label's name", "LabeledEvent.label.name"),
    attribute("by", AttributeType::Text, "Who put it there", "LabeledEvent.actor.login"),
    attribute("by_type", AttributeType::Text, "User, Bot, …", "LabeledEvent.actor.__typename"),
    attribute("at", AttributeType::Time, "When", "LabeledEvent.createdAt"),
];

/// One closing.
pub(super) const CLOSINGS: &[AttributeDecl] = &[
    attribute("at", AttributeType::Time, "When", "ClosedEvent.createdAt"),
    attribute("by", AttributeType::Text, "Who closed it", "ClosedEvent.actor.login"),
    attribute("by_type", AttributeType::Text, "User, Bot, …", "ClosedEvent.actor.__typename"),
    attribute("reason", AttributeType::Optional(&AttributeType::Text), "COMPLETED, NOT_PLANNED, …; null where none was given", "ClosedEvent.stateReason"),
];

/// One pull request that names it.
pub(super) const LINKED: &[AttributeDecl] = &[
    attribute("repository", AttributeType::Text, "owner/name", "CrossReferencedEvent.source.repository.nameWithOwner"),
    attribute("number", AttributeType::Int, "Its number", "CrossReferencedEvent.source.number"),
    attribute("url", AttributeType::Text, "Its page", "CrossReferencedEvent.source.url"),
    attribute("merged_at", AttributeType::Optional(&AttributeType::Time), "When it was merged; null where it is not", "CrossReferencedEvent.source.mergedAt"),
    attribute("at", AttributeType::Time, "When it was linked", "CrossReferencedEvent.createdAt, ConnectedEvent.createdAt"),
    attribute("by", AttributeType::Text, "Who linked it", "CrossReferencedEvent.actor.login, ConnectedEvent.actor.login"),
];

/// Tells all of it. `given` is what was given as evidence.
pub(super) fn describe(resource: &mut Resource, node: &Field<'_>, given: &Fact<Vec<Value>>) {
    let assigned = events(&node.get("people"), &["AssignedEvent"], |event| {
        let assignee = event.get("assignee");
        Ok(json!({"to": login(&assignee)?, "to_type": typename(&assignee)?, "by": login(&event.get("actor"))?, "at": event.get("createdAt").time()?}))
    });
    let closings = events(&node.get("timelineItems"), &["ClosedEvent"], |event| {
        let (actor, reason) = (event.get("actor"), event.get("stateReason").or_none(text)?);
        Ok(json!({"at": event.get("createdAt").time()?, "by": login(&actor)?, "by_type": typename(&actor)?, "reason": reason}))
    });
    let doers = doers(node, &assigned, given);
    set(resource, "first_assigned_at", first_assigned(node, &assigned));
    set(resource, "labelled", events(&node.get("marks"), &["LabeledEvent"], labelled));
    set(resource, "first_response_at", first_response(node));
    set(resource, "reviewed_by", reviewed_by(node, &doers, given));
    set(resource, "linked_pull_requests", linked(node));
    set(resource, "assigned", assigned);
    set(resource, "closings", closings);
    set(resource, "doers", doers.map(|doers| doers.into_iter().collect::<Vec<_>>()));
}

/// The events of these types, oldest first.
fn events(timeline: &Field<'_>, types: &[&str], read: impl Fn(&Field<'_>) -> Fact<Value>) -> Fact<Vec<Value>> {
    let all = timeline.all_nodes()?;
    let wanted = all.iter().filter(|event| event.get("__typename").text().is_ok_and(|name| types.contains(&name)));
    let mut events = wanted.map(read).collect::<Fact<Vec<Value>>>()?;
    events.sort_by(|one, other| at(one).cmp(at(other)));
    Ok(events)
}

/// RFC 3339 in UTC, so that the order of the texts is the order of the times.
fn at(event: &Value) -> &str {
    event.get("at").and_then(Value::as_str).unwrap_or_default()
}

/// An account that is gone was somebody's.
fn typename(account: &Field<'_>) -> Fact<String> {
    Ok(account.or_none(|account| text(&account.get("__typename")))?.unwrap_or_else(|| "User".to_owned()))
}

fn labelled(event: &Field<'_>) -> Fact<Value> {
    let actor = event.get("actor");
    Ok(json!({"label": event.path(&["label", "name"]).text()?, "by": login(&actor)?, "by_type": typename(&actor)?, "at": event.get("createdAt").time()?}))
}

/// When a person, no bot, first had it. Who has it without an event that says since when leaves this open.
fn first_assigned(node: &Field<'_>, assigned: &Fact<Vec<Value>>) -> Fact<Option<String>> {
    let to_a_person = |event: &&Value| event.get("to_type").and_then(Value::as_str) == Some("User");
    if let Some(first) = assigned.as_ref().map_err(Clone::clone)?.iter().find(to_a_person) {
        return Ok(Some(at(first).to_owned()));
    }
    if node.get("assignees").all_nodes()?.is_empty() {
        return Ok(None);
    }
    Err(Gap::new(GapCause::LeftOut, "somebody has it, and no event says since when"))
}

/// Who had it at any time, and who gave evidence: none of them can look at it from outside. Ordered, each once.
fn doers(node: &Field<'_>, assigned: &Fact<Vec<Value>>, given: &Fact<Vec<Value>>) -> Fact<BTreeSet<String>> {
    let mut doers = BTreeSet::new();
    for account in node.get("assignees").all_nodes()? {
        doers.insert(login(&account)?);
    }
    let named = |list: &[Value], field: &str| list.iter().filter_map(|item| item.get(field)?.as_str().map(str::to_owned)).collect::<Vec<_>>();
    doers.extend(named(assigned.as_ref().map_err(Clone::clone)?, "to"));
    let given: Vec<Value> = given.as_ref().map_err(Clone::clone)?.iter().filter(|item| is_captured(item)).cloned().collect();
    doers.extend(named(&given, "by"));
    Ok(doers)
}

fn is_captured(item: &Value) -> bool {
    item.get("captured").and_then(Value::as_bool) == Some(true)
}

/// A comment by a person.
struct Said {
    by: String,
    at: String,
    body: String,
}

fn said(node: &Field<'_>) -> Fact<Vec<Said>> {
    let mut said = Vec::new();
    for comment in node.get("comments").all_nodes()? {
        let author = comment.get("author");
        if typename(&author)? == "User" {
            said.push(Said { by: login(&author)?, at: comment.get("createdAt").time()?, body: text(&comment.get("body"))? });
        }
    }
    said.sort_by(|one, other| one.at.cmp(&other.at));
    Ok(said)
}

fn first_response(node: &Field<'_>) -> Fact<Option<String>> {
    let author = login(&node.get("author"))?;
    Ok(said(node)?.into_iter().find(|comment| comment.by != author).map(|comment| comment.at))
}

/// Persons who spoke after the first evidence was given and before it was last closed, and who are no doers. Saying that no review is needed is none.
fn reviewed_by(node: &Field<'_>, doers: &Fact<BTreeSet<String>>, given: &Fact<Vec<Value>>) -> Fact<Vec<String>> {
    let closed = node.get("closedAt").or_none(Field::time)?;
    let doers = doers.as_ref().map_err(Clone::clone)?;
    let captured = given.as_ref().map_err(Clone::clone)?.iter().filter(|item| is_captured(item));
    let Some(first) = captured.map(at).min() else { return Ok(Vec::new()) };
    let counts = |comment: &Said| {
        let in_time = comment.at.as_str() > first && closed.as_ref().is_none_or(|closed| comment.at <= *closed);
        in_time && !doers.contains(&comment.by) && !claims_no_review(&comment.body, &[])
    };
    let reviewers: BTreeSet<String> = said(node)?.into_iter().filter(counts).map(|comment| comment.by).collect();
    Ok(reviewers.into_iter().collect())
}

/// Pull requests that name it or were connected to it, each once.
fn linked(node: &Field<'_>) -> Fact<Vec<Value>> {
    let mut seen = BTreeSet::new();
    let mut linked = Vec::new();
    for event in node.get("references").all_nodes()? {
        let change = match event.get("__typename").text()? {
            "CrossReferencedEvent" => event.get("source"),
            "ConnectedEvent" => event.get("subject"),
            _ => continue,
        };
        // An issue may name it too. What cannot be seen, because it is in a repository that the credential does not reach, stands as null.
        if change.is_none() || change.get("__typename").text()? != "PullRequest" {
            continue;
        }
        let url = text(&change.get("url"))?;
        if seen.insert(url.clone()) {
            linked.push(json!({
                "repository": change.path(&["repository", "nameWithOwner"]).text()?, "number": change.get("number").int()?, "url": url,
                "merged_at": change.get("mergedAt").or_none(Field::time)?, "at": event.get("createdAt").time()?, "by": login(&event.get("actor"))?,
            }));
        }
    }
    linked.sort_by(|one, other| at(one).cmp(at(other)));
    Ok(linked)
}
