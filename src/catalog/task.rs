//! `[control.task]`: from its table to a `Task`, and the tests that hold its slots to account.
//!
//! Left out: which issue answers a slot (`collect`).

use std::collections::BTreeSet;

use crate::catalog::page::{Page, Section, shown};
use crate::catalog::value;
use crate::model::{Aspect, ControlId, Expression, Frequency, Given, Opening, Task, Test};

const KEYS: &[&str] = &["every", "starts", "days", "label", "title", "field", "evidence", "comment", "reviewed", "open"];

/// What a task may take at most: a year and a bit, for a yearly one that is done in January.
pub(super) const DAYS: std::ops::RangeInclusive<u32> = 1..=400;

/// The kind whose resources are the slots of tasks.
pub(super) const POPULATION: &str = "github.task_slot";

/// The task of a control; `Some(None)` where it has none, nothing where it has one with a mistake.
#[allow(clippy::option_option, reason = "absent, wrong and right are three things here")]
pub(super) fn task(page: &mut Page<'_>, control: &Section<'_, '_>) -> Option<Option<Task>> {
    let Some(node) = control.get("task") else { return Some(None) };
    let section = Section::of(page, node, "a task", KEYS)?;
    let every = section.required(page, "every", "write daily, weekly, monthly, quarterly or yearly");
    let every = every.and_then(|node| value::variant::<Frequency>(page, node, "every", &["hourly"]).map(|every| (node, every)));
    if let Some((node, Frequency::Hourly)) = every {
        page.error(node.span(), "`every` cannot be \"hourly\"", "nobody does a task each hour: let a control test it".to_owned());
        return None;
    }
    let starts = section.required(page, "starts", "the first day whose slot is due, e.g. starts = 2026-01-01");
    let starts = starts.and_then(|node| value::day(page, node, "starts"));
    let label = section.required(page, "label", "the label of its issues, e.g. label = \"access-review\"").and_then(|node| value::line(page, node, "label"));
    let days = section.get("days").map(|node| value::number(page, node, "days", DAYS));
    let field = section.get("field").map(|node| value::line(page, node, "field"));
    let title = section.get("title").map(|node| value::line(page, node, "title"));
    let comment = section.get("comment").map(|node| value::line(page, node, "comment"));
    let evidence = evidence(page, &section);
    let reviewed = section.get("reviewed").map_or(Some(true), |node| value::truth(page, node, "reviewed"));
    let open = section.get("open").map(|node| {
        let open = Section::of(page, node, "how a task is opened", &["repository", "assignees", "body"])?;
        opening(page, &open)
    });
    let names_slot = field.is_some() || title.as_ref().is_some_and(|title| title.as_ref().is_none_or(|title| title.contains("{slot}")));
    if let (Some(node), false) = (section.get("open"), names_slot) {
        page.error(
            node.span(),
            "an issue that is opened for a slot has to say for which",
            "write {slot} into the task's title, e.g. title = \"Access review {slot}\"".to_owned(),
        );
        return None;
    }
    let owned = |text: Option<Option<std::borrow::Cow<'_, str>>>| text.map_or(Some(None), |text| text.map(|text| Some(text.trim().to_owned())));
    Some(Some(Task {
        every: every?.1,
        starts: starts?,
        days: days.map_or(Some(None), |days| days.map(Some))?,
        label: label?.into_owned(),
        title: owned(title)?,
        field: owned(field)?,
        evidence: evidence?,
        comment: owned(comment)?,
        reviewed: reviewed?,
        open: open.map_or(Some(None), |open| open.map(Some))?,
    }))
}

fn evidence(page: &mut Page<'_>, section: &Section<'_, '_>) -> Option<BTreeSet<Given>> {
    let has_comment = section.get("comment").is_some();
    let Some(node) = section.get("evidence") else {
        let mut usual = Given::usual();
        usual.extend(has_comment.then_some(Given::Comment));
        return Some(usual);
    };
    let items: Vec<_> = value::list(page, node, "evidence")?.collect();
    if items.is_empty() {
        page.error(node.span(), "`evidence` is empty", "a task that leaves nothing was not done, as far as anybody can tell".to_owned());
        return None;
    }
    let mut sound = true;
    let mut kinds = BTreeSet::new();
    for item in items {
        match value::variant::<Given>(page, item, "evidence", &["link"]) {
            Some(Given::Link) => {
                let help = "what lies behind an address may change: attach the file, or its hash".to_owned();
                page.error(item.span(), "a link cannot be evidence", help);
                sound = false;
            }
            Some(Given::Comment) if !has_comment => {
                page.error(item.span(), "nothing says how a comment begins that is evidence", "write e.g. comment = \"Done:\"".to_owned());
                sound = false;
            }
            Some(kind) => drop(kinds.insert(kind)),
            None => sound = false,
        }
    }
    sound.then_some(kinds)
}

fn opening(page: &mut Page<'_>, section: &Section<'_, '_>) -> Option<Opening> {
    let repository = section.required(page, "repository", "the repository that it is opened in, e.g. repository = \"acme/security\"");
    let repository = repository.and_then(|node| {
        let given = value::line(page, node, "repository")?;
        if !is_repository(&given) {
            page.error(node.span(), format!("\"{}\" is no repository", shown(&given)), "write owner/name, as in github.com/owner/name".to_owned());
            return None;
        }
        Some(given.into_owned())
    });
    let mut sound = true;
    let mut assignees = Vec::new();
    if let Some(node) = section.get("assignees") {
        for item in value::list(page, node, "assignees")?.collect::<Vec<_>>() {
            match value::line(page, item, "assignees") {
                Some(login) if is_login(&login) => assignees.push(login.into_owned()),
                Some(login) => {
                    page.error(item.span(), format!("\"{}\" is not a GitHub login", shown(&login)), "write it as in github.com/LOGIN".to_owned());
                    sound = false;
                }
                None => sound = false,
            }
        }
    }
    let body = section.required(page, "body", "what is to be done, in Markdown, with {slot} and {due}").and_then(|node| value::text(page, node, "body"));
    Some(Opening { repository: repository?, assignees: sound.then_some(assignees)?, body: body?.into_owned() })
}

fn is_repository(name: &str) -> bool {
    let plain = |part: &str| {
        (1..=100).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')) && part != "." && part != ".."
    };
    name.split_once('/').is_some_and(|(owner, name)| is_login(owner) && plain(name))
}

fn is_login(name: &str) -> bool {
    (1..=39).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

/// The tests of a task's slots, one an aspect: each slot is judged once it was closed or is due.
pub(super) fn tests(control: &ControlId, task: &Task) -> Vec<Test> {
    task.aspects().iter().map(|aspect| test(control, *aspect)).collect()
}

fn test(control: &ControlId, aspect: Aspect) -> Test {
    let (only, require, because) = match aspect {
        Aspect::Opened => ("", "task_slot.url != null", "'there is no issue with ' + task_slot.looked_for"),
        Aspect::Assigned => (" && task_slot.url != null", "task_slot.first_assigned_at != null", "task_slot.url + ' was never given to a person'"),
        Aspect::OnTime => (
            "",
            "task_slot.state == 'CLOSED' && task_slot.state_reason == 'COMPLETED' && task_slot.closed_at != null && task_slot.closed_at <= task_slot.due",
            "task_slot.url == null ? 'nothing shows that it was done by ' + string(task_slot.due) : task_slot.closed_at == null ? task_slot.url + ' is still open, due ' + string(task_slot.due) : task_slot.state_reason != 'COMPLETED' ? task_slot.url + ' was closed, and not as completed' : task_slot.url + ' was closed ' + string(task_slot.closed_at) + ', due ' + string(task_slot.due)",
        ),
        Aspect::Evidenced => (
            " && task_slot.url != null",
            "task_slot.evidence.exists(item, item.counts && (item.at <= task_slot.due || (task_slot.closed_at != null && item.at <= task_slot.closed_at)))",
            "string(task_slot.evidence.size()) + ' items were given, ' + string(task_slot.evidence.filter(item, item.counts).size()) + ' of them count and came too late: ' + task_slot.counting + ' would count, given before it is closed'",
        ),
        Aspect::Reviewed => (
            " && task_slot.url != null",
            "task_slot.reviewed_by.size() >= 1 || (task_slot.closed_by != null && task_slot.closed_by_person && !(task_slot.closed_by in task_slot.doers))",
            "task_slot.closed_by == null ? 'nobody but the doers looked at it' : task_slot.closed_by in task_slot.doers ? task_slot.closed_by + ' did the task and closed it, and nobody else commented on the evidence' : task_slot.closed_by + ', which closed it, is no person, and nobody else commented on the evidence'",
        ),
    };
    Test {
        population: POPULATION.to_owned(),
        filter: Some(Expression(format!("task_slot.task == '{control}' && (task_slot.due <= now || task_slot.closed_at != null){only}"))),
        require: Expression(require.to_owned()),
        because: Some(Expression(because.to_owned())),
        // Before its first slot begins there is none.
        may_be_empty: true,
        listed_by: Vec::new(),
        examples: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_login, is_repository};

    #[test]
    fn what_goes_into_a_path_is_a_name() {
        for good in ["acme/ops", "a/b.c_d-e"] {
            assert!(is_repository(good), "{good}");
        }
        for bad in ["acme", "acme/", "/ops", "acme/..", "acme/a/b", "acme/a b", "ac?me/x", "../x"] {
            assert!(!is_repository(bad), "{bad}");
        }
        assert!(is_login("ada-l") && !is_login("ada@example.com") && !is_login(""));
    }
}
