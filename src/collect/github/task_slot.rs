//! `github.task_slot`: the slots of recurring tasks that began by now, each with the issue that answers it and what was given to show that it was done.
//!
//! Slots come from the calendar, so that one which nobody opened an issue for is there, and stays there. An issue answers a slot by its label and, as the task says, a field of a
//! board, its title, or the slot in which it was opened. Where several do, the one that was completed first counts, and all are named. Left out: whether that is enough (the
//! control's tests), and issues without the label.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Fact, set};
use crate::collect::github::issue::{self, Issue};
use crate::model::{
    Attached, Attribute, AttributeDecl, AttributeType, Gap, GapCause, Given, Kind, Population, Resource, Scope, Slot, Tally, TaskRule, Tasks, attribute,
};

/// The kind.
pub struct TaskSlot;

const TEXT: AttributeType = AttributeType::Text;
const TEXTS: AttributeType = AttributeType::List(&AttributeType::Text);
const OPTIONAL_TEXT: AttributeType = AttributeType::Optional(&AttributeType::Text);
const OPTIONAL_TIME: AttributeType = AttributeType::Optional(&AttributeType::Time);

/// One thing that was given.
const EVIDENCE: &[AttributeDecl] = &[
    attribute(
        "kind",
        TEXT,
        "attachment, pull_request, workflow_run, commit, link_only, comment; from a terminal: file, hash, note, link",
        "github.issue evidence, comments; the log",
    ),
    attribute("at", AttributeType::Time, "When it was given", "github.issue evidence, comments; the log"),
    attribute("by", TEXT, "Who gave it", "github.issue evidence, comments; the log"),
    attribute("name", TEXT, "The file's name, its address, or the text's beginning", "github.issue evidence, comments; the log"),
    attribute(
        "sha256",
        OPTIONAL_TEXT,
        "SHA-256 of what is kept, or of what is said to be kept elsewhere; null where there is none",
        "github.issue evidence; the log",
    ),
    attribute("counts", AttributeType::Bool, "True where the task says that this kind counts, and it is kept", "the task"),
];

const ATTRIBUTES: &[AttributeDecl] = &[
    attribute("task", TEXT, "The control that declares the task", "the control file"),
    attribute("title", TEXT, "That control's title", "the control file"),
    attribute("slot", TEXT, "The slot's name, e.g. 2026-03 or 2026-Q1", "the audit calendar"),
    attribute("starts_at", AttributeType::Time, "When it begins", "the audit calendar"),
    attribute("ends_at", AttributeType::Time, "When it ends", "the audit calendar"),
    attribute("due", AttributeType::Time, "The first instant at which it is overdue", "the audit calendar"),
    attribute("looked_for", TEXT, "How its issue is found, in words", "the control file"),
    attribute("counting", TEXT, "What counts as evidence, in words", "the control file"),
    attribute("issues", TEXTS, "The pages of all issues that answer it, the one that counts first", "Issue.url"),
    attribute("url", OPTIONAL_TEXT, "The page of the one that counts; null where there is none", "Issue.url"),
    attribute("opened_at", OPTIONAL_TIME, "When that was opened", "Issue.createdAt"),
    attribute("opened_by", OPTIONAL_TEXT, "Who opened it", "Issue.author"),
    attribute("assignees", TEXTS, "Who is to do it", "Issue.assignees"),
    attribute("first_assigned_at", OPTIONAL_TIME, "When a person, no bot, first had it; null where none ever had", "AssignedEvent"),
    attribute("state", OPTIONAL_TEXT, "OPEN or CLOSED; null where there is no issue", "Issue.state"),
    attribute("state_reason", OPTIONAL_TEXT, "COMPLETED, NOT_PLANNED, …; null where none was given", "Issue.stateReason"),
    attribute("closed_at", OPTIONAL_TIME, "When it was last closed; null while open", "Issue.closedAt"),
    attribute("closed_by", OPTIONAL_TEXT, "Who closed it; null while open", "ClosedEvent.actor"),
    attribute("closed_by_person", AttributeType::Bool, "True where that is a person, no bot", "ClosedEvent.actor.__typename"),
    attribute("open_boxes", AttributeType::Int, "Boxes of its text that are not checked", "Issue.body"),
    attribute("edits_after_close", AttributeType::Int, "Changes to its title, text or comments after it was closed", "Issue.lastEditedAt, timelineItems"),
    attribute(
        "evidence",
        AttributeType::List(&AttributeType::Record(EVIDENCE)),
        "What was given to show that it was done",
        "github.issue evidence, comments; the log",
    ),
    attribute("doers", TEXTS, "Who has it, who ever had it, and who gave evidence; sorted", "github.issue doers; the log"),
    attribute("reviewed_by", TEXTS, "Persons other than these who commented on the evidence before it was closed; sorted", "github.issue reviewed_by"),
];

/// What it promises.
pub static KIND: Kind = Kind {
    name: "github.task_slot",
    meaning: "A slot of a recurring task ([control.task]) that began by now, and the issue that answers it",
    permission: "Issues and Pull requests, and Actions and Contents for runs and commits that are given as evidence: read on all repositories (token: repo)",
    attributes: ATTRIBUTES,
};

/// Attributes that are the issue's own, with what they are where there is no issue.
const OF_ISSUE: &[(&str, &str, Absent)] = &[
    ("url", "url", Absent::Null),
    ("opened_at", "created_at", Absent::Null),
    ("opened_by", "author", Absent::Null),
    ("assignees", "assignees", Absent::List),
    ("first_assigned_at", "first_assigned_at", Absent::Null),
    ("state", "state", Absent::Null),
    ("state_reason", "state_reason", Absent::Null),
    ("closed_at", "closed_at", Absent::Null),
    ("closed_by", "closed_by", Absent::Null),
    ("open_boxes", "open_boxes", Absent::Zero),
    ("edits_after_close", "edits_after_close", Absent::Zero),
];

#[derive(Debug, Clone, Copy)]
enum Absent {
    Null,
    List,
    Zero,
}

#[async_trait]
impl Collector for TaskSlot {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        if scope.tasks.is_some() { issue::fetch_as(KIND.name, scope, api).await } else { Ok(()) }
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let mut population = Population::of(&KIND, "slots of recurring tasks that began by now".to_owned());
        let Some(tasks) = &scope.tasks else {
            let gap = Gap::new(GapCause::NotConfigured, "no control of this run declares a task");
            population.gaps.push(gap.cured_by("[control.task] in a control file"));
            return Ok(population);
        };
        let Ok(zone) = tasks.time_zone.parse::<Tz>() else {
            population.gaps.push(Gap::new(GapCause::Malformed, "the audit calendar has no time zone that is known"));
            return Ok(population);
        };
        let labels: BTreeSet<&str> = tasks.rules.iter().map(|rule| rule.task.label.as_str()).collect();
        let mut issues = Vec::new();
        let listed = Issue.extract(scope, evidence, &mut |issue| {
            if texts(&issue, "labels").map_or(true, |of| of.iter().any(|label| labels.contains(label))) {
                issues.push(issue);
            }
        })?;
        let mut count = 0;
        for rule in &tasks.rules {
            let slots = rule.task.slots_until(scope.window.end(), zone);
            let mut answers = Answers::read(rule, &slots, &issues);
            answers.gap = answers.gap.take().or_else(|| gap_of(&listed));
            let told = slots.iter().filter_map(|slot| resource((rule, slot, zone), answers.of(slot), &given(tasks, rule, slot), &listed.evidence).ok());
            for resource in told.filter(|resource| !resource.evidence.is_empty()) {
                count += 1;
                emit(resource.completed(&KIND));
            }
        }
        if count == 0 && listed.evidence.is_empty() {
            population.gaps.extend(gap_of(&listed));
        }
        population.tallies.push(Tally {
            tenant: "the audit calendar".to_owned(),
            count,
            second_count: None,
            second_source: "none: slots follow from the calendar".to_owned(),
        });
        population.evidence = listed.evidence;
        Ok(population)
    }
}

/// What was given for a slot from a terminal.
fn given<'t>(tasks: &'t Tasks, rule: &TaskRule, slot: &Slot) -> Vec<&'t Attached> {
    tasks.attached.iter().filter(|of| of.control == rule.control && of.slot == slot.name).collect()
}

/// Why an issue that was not seen may be there still.
fn gap_of(listed: &Population) -> Option<Gap> {
    let differ = || Gap::new(GapCause::Incomplete, "search counts other issues with the labels than were listed");
    (!listed.completeness().is_complete()).then(|| listed.gaps.first().cloned().unwrap_or_else(differ))
}

/// The issues that answer the slots of one task.
struct Answers<'i> {
    of: BTreeMap<&'i str, Vec<&'i Resource>>,
    /// Why one may be missing.
    gap: Option<Gap>,
}

impl<'i> Answers<'i> {
    fn read(rule: &TaskRule, slots: &'i [Slot], issues: &'i [Resource]) -> Self {
        let mut answers = Self { of: BTreeMap::new(), gap: None };
        for issue in issues {
            match answered(rule, slots, issue) {
                Ok(Some(slot)) => answers.of.entry(slot.name.as_str()).or_default().push(issue),
                Ok(None) => {}
                Err(gap) => answers.gap = Some(gap),
            }
        }
        answers.of.values_mut().for_each(|found| found.sort_by_key(|issue| rank(issue)));
        answers
    }

    fn of(&self, slot: &Slot) -> Fact<&[&'i Resource]> {
        match (self.of.get(slot.name.as_str()), &self.gap) {
            (Some(found), _) => Ok(found),
            (None, Some(gap)) => Err(gap.clone()),
            (None, None) => Ok(&[]),
        }
    }
}

/// The slot that an issue answers; none where it is of another task, or of none.
fn answered<'s>(rule: &TaskRule, slots: &'s [Slot], issue: &Resource) -> Fact<Option<&'s Slot>> {
    if !texts(issue, "labels")?.contains(&rule.task.label.as_str()) {
        return Ok(None);
    }
    if let Some(field) = &rule.task.field {
        let boards = known(issue, "boards")?.as_array().map(Vec::as_slice).unwrap_or_default();
        let named: BTreeSet<&str> = boards.iter().filter_map(|board| board.get("values")?.get(field)?.as_str()).collect();
        return Ok(slots.iter().find(|slot| named.contains(slot.name.as_str())));
    }
    let title = known(issue, "title")?.as_str().unwrap_or_default();
    let says = |slot: &Slot| rule.task.title_of(slot).is_none_or(|wanted| says(title, &wanted));
    if rule.task.names_slots() {
        return Ok(slots.iter().find(|slot| says(slot)));
    }
    let opened: DateTime<Utc> = text(issue, "created_at")?.parse().map_err(|_unusable| Gap::new(GapCause::Malformed, "created_at is no instant"))?;
    Ok(slots.iter().find(|slot| slot.period.contains(opened) && says(slot)))
}

/// Whether a title says something, whatever the case, and not as a part of a longer word or number: `2026` is not said by `2026-Q1`.
#[must_use]
pub fn says(title: &str, wanted: &str) -> bool {
    let (title, wanted) = (title.to_lowercase(), wanted.to_lowercase());
    let goes_on = |c: char| c.is_alphanumeric() || c == '-';
    title.match_indices(&wanted).any(|(at, found)| {
        let (before, after) = (title.get(..at).unwrap_or_default(), title.get(at + found.len()..).unwrap_or_default());
        !before.ends_with(goes_on) && !after.starts_with(goes_on)
    })
}

/// Completed ones first, by when they were closed, then open ones by when they were opened, then what was closed otherwise.
fn rank(issue: &Resource) -> (u8, String) {
    let told = |name| text(issue, name).unwrap_or_default().to_owned();
    match (told("state").as_str(), told("state_reason").as_str()) {
        ("CLOSED", "COMPLETED") => (0, told("closed_at")),
        ("CLOSED", _) => (2, told("closed_at")),
        _ => (1, told("created_at")),
    }
}

fn resource(
    (rule, slot, zone): (&TaskRule, &Slot, Tz),
    found: Fact<&[&Resource]>,
    attached: &[&Attached],
    listed: &[u32],
) -> Result<Resource, crate::model::ids::InvalidId> {
    let id = format!("task/{}/{}", rule.control, slot.name).parse()?;
    let counts = found.as_ref().ok().and_then(|found| found.first().copied());
    let cited = counts.map_or_else(|| listed.to_vec(), |issue| issue.evidence.clone());
    let mut resource = Resource::new(&KIND, id, format!("{} {}", rule.control, slot.name), cited);
    resource.know("task", rule.control.as_str());
    resource.know("title", rule.title.as_str());
    resource.know("slot", slot.name.as_str());
    resource.know("starts_at", instant(slot.period.start()));
    resource.know("ends_at", instant(slot.period.end()));
    resource.know("due", instant(rule.task.due(slot, zone)));
    resource.know("looked_for", looked_for(rule, slot));
    resource.know("counting", rule.task.evidence.iter().map(|kind| kind.as_str().replace('_', " ")).collect::<Vec<_>>().join(", "));
    match found {
        Ok(found) => describe(&mut resource, rule, found, attached),
        Err(gap) => {
            let untold: Vec<&str> = ATTRIBUTES.iter().map(|declared| declared.name).filter(|name| !resource.attributes.contains_key(*name)).collect();
            untold.into_iter().for_each(|name| resource.lack(name, gap.clone()));
        }
    }
    Ok(resource)
}

fn looked_for(rule: &TaskRule, slot: &Slot) -> String {
    let label = format!("the label {}", rule.task.label);
    match (&rule.task.field, rule.task.title_of(slot)) {
        (Some(field), _) => format!("{label} and {field} = {} on a board", slot.name),
        (None, Some(title)) if rule.task.names_slots() => format!("{label} and '{title}' in its title"),
        (None, Some(title)) => format!("{label} and '{title}' in its title, opened in {}", slot.name),
        (None, None) => format!("{label} that was opened in {}", slot.name),
    }
}

fn describe(resource: &mut Resource, rule: &TaskRule, found: &[&Resource], attached: &[&Attached]) {
    let issue = found.first().copied();
    set(resource, "issues", found.iter().map(|issue| text(issue, "url").map(ToOwned::to_owned)).collect::<Fact<Vec<_>>>());
    for (name, of_issue, absent) in OF_ISSUE {
        let value = issue.map_or_else(
            || {
                Ok(match absent {
                    Absent::Null => Value::Null,
                    Absent::List => json!([]),
                    Absent::Zero => json!(0),
                })
            },
            |issue| known(issue, of_issue).cloned(),
        );
        set(resource, name, value);
    }
    set(resource, "closed_by_person", issue.map_or(Ok(false), closed_by_person));
    set(resource, "evidence", evidence_of(rule, issue, attached));
    let given_by: BTreeSet<&str> = attached.iter().map(|of| of.by.as_str()).collect();
    let people = |name| issue.map_or_else(|| Ok(Vec::new()), |issue| texts(issue, name));
    set(
        resource,
        "doers",
        people("doers").map(|doers| doers.into_iter().chain(given_by.iter().copied()).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()),
    );
    set(resource, "reviewed_by", people("reviewed_by").map(|by| by.into_iter().filter(|login| !given_by.contains(login)).collect::<Vec<_>>()));
}

fn closed_by_person(issue: &Resource) -> Fact<bool> {
    let Some(by) = known(issue, "closed_by")?.as_str() else { return Ok(false) };
    let closings = known(issue, "closings")?.as_array().map(Vec::as_slice).unwrap_or_default();
    Ok(closings.iter().any(|closing| field(closing, "by") == by && field(closing, "by_type") == "User"))
}

/// Everything that was given for a slot, oldest first.
fn evidence_of(rule: &TaskRule, issue: Option<&Resource>, attached: &[&Attached]) -> Fact<Vec<Value>> {
    let mut items = Vec::new();
    if let Some(issue) = issue {
        for item in known(issue, "evidence")?.as_array().into_iter().flatten() {
            let kind = field(item, "kind");
            let ended_well = kind != Given::WorkflowRun.as_str() || field(item, "conclusion") == "success";
            let counts = rule.task.evidence.iter().any(|counting| counting.as_str() == kind) && item.get("captured") == Some(&json!(true)) && ended_well;
            let name = item.get("name").and_then(Value::as_str).unwrap_or_else(|| field(item, "url"));
            items.push(json!({"kind": kind, "at": item.get("at"), "by": item.get("by"), "name": name, "sha256": item.get("sha256"), "counts": counts}));
        }
        if let Some(begins) = &rule.task.comment {
            let comments = known(issue, "comments")?.as_array().map(Vec::as_slice).unwrap_or_default();
            items.extend(comments.iter().filter_map(|comment| said(rule, begins, comment)));
        }
    }
    items.extend(attached.iter().map(|of| {
        let counts = rule.task.evidence.contains(&of.kind);
        json!({"kind": of.kind.as_str(), "at": instant(of.at), "by": of.by, "name": short(&of.name), "sha256": of.sha256.to_string(), "counts": counts})
    }));
    items.sort_by(|a, b| (field(a, "at"), field(a, "name")).cmp(&(field(b, "at"), field(b, "name"))));
    Ok(items)
}

/// A comment by a person that begins as the task says.
fn said(rule: &TaskRule, begins: &str, comment: &Value) -> Option<Value> {
    let text = field(comment, "text").trim_start();
    let is_said = text.get(..begins.len()).is_some_and(|start| start.eq_ignore_ascii_case(begins)) && field(comment, "by_type") == "User";
    let counts = rule.task.evidence.contains(&Given::Comment);
    is_said.then(|| json!({"kind": "comment", "at": comment.get("at"), "by": comment.get("by"), "name": short(text), "sha256": null, "counts": counts}))
}

fn short(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(120).collect()
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn field<'v>(record: &'v Value, name: &str) -> &'v str {
    record.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn known<'r>(issue: &'r Resource, name: &str) -> Fact<&'r Value> {
    match issue.attributes.get(name) {
        Some(Attribute::Known(value)) => Ok(value),
        Some(Attribute::Unknown(gap)) => Err(gap.clone()),
        None => Err(Gap::new(GapCause::LeftOut, format!("the source left out {name}"))),
    }
}

fn text<'r>(issue: &'r Resource, name: &str) -> Fact<&'r str> {
    known(issue, name).map(|value| value.as_str().unwrap_or_default())
}

fn texts<'r>(issue: &'r Resource, name: &str) -> Fact<Vec<&'r str>> {
    Ok(known(issue, name)?.as_array().into_iter().flatten().filter_map(Value::as_str).collect())
}
