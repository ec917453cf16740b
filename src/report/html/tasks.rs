//! Recurring tasks: each slot of the period, whether it was done on time, with what evidence, and who looked at it. What needs hands first.

use maud::{Markup, html};

use crate::model::{TaskEvidence, TaskRow, TaskStanding};
use crate::report::html::{Page, cells};
use crate::report::words::{grouped, length, plural};

/// The section.
pub(crate) fn section(page: &Page<'_>) -> Markup {
    let mut rows: Vec<&TaskRow> = page.reading.assessment.tasks.iter().collect();
    rows.sort_by_key(|row| (row.standing, &row.control, row.seen.starts_at));
    let (shown, total) = cells::capped(&rows);
    html! {
        section #tasks aria-labelledby="tasks-h" {
            h2 #tasks-h { "Security tasks" }
            @if rows.is_empty() {
                p { "No control of the period declares a recurring task." }
            } @else {
                p {
                    "Slots of recurring tasks that the period touches. They follow from the calendar: one that nobody did is here, and stays here; what was done later is late. "
                    (plural(length(&rows), "slot")) ": "
                    @for (place, (standing, count)) in standings(&rows).into_iter().enumerate() {
                        @if place > 0 { " · " }
                        span.nb { b { (grouped(count)) } " " (cells::spoken(standing.as_str())) }
                    }
                    "."
                }
                (cells::boxed("Security tasks", &html! {
                    table.tasks {
                        thead { tr { th scope="col" { "Task and slot" } th scope="col" { "Stands" } th scope="col" { "Issue" } th scope="col" { "Evidence of completion" } th scope="col" { "Reviewed by" } } }
                        tbody { @for of in shown { (row(page, of)) } }
                    }
                }))
                (cells::shown(shown.len(), total, "tasks.csv"))
            }
        }
    }
}

/// How many slots stand how, those that need hands first.
fn standings(rows: &[&TaskRow]) -> Vec<(TaskStanding, u64)> {
    let count = |standing: TaskStanding| (standing, rows.iter().filter(|row| row.standing == standing).map(|_row| 1).sum());
    TaskStanding::ALL.into_iter().map(count).filter(|(_standing, count)| *count > 0).collect()
}

fn row(page: &Page<'_>, of: &TaskRow) -> Markup {
    let seen = &of.seen;
    let is_judged = page.reading.assessment.controls.iter().any(|known| known.control.id == of.control);
    html! {
        tr {
            th scope="row" { @if is_judged { (cells::control_link(of.control.as_str())) } @else { (of.control) } " " span.nb { (of.slot) } span.meta { (cells::foreign(&of.title)) } }
            td { b { (cells::spoken(of.standing.as_str())) } span.meta { "due " (cells::time(seen.due)) } @for because in &of.because { span.meta { (cells::foreign(because)) } } }
            td {
                @match seen.issues.first() { Some(url) => code.rid { (cells::foreign(url)) }, None => "none" }
                @if seen.issues.len() > 1 { span.meta { "and " (plural(length(&seen.issues) - 1, "more issue")) } }
                @if !seen.assignees.is_empty() { span.meta { "given to " (cells::foreign(&seen.assignees.join(", "))) } }
                @if let Some(at) = seen.closed_at { span.meta { "closed " (cells::time(at)) @if let Some(by) = &seen.closed_by { " by " (cells::foreign(by)) } } }
                span.meta { "as told by " @for (place, n) in of.exchanges.iter().enumerate() { @if place > 0 { ", " } (cells::exchange_number(page, &of.run, *n)) } }
            }
            td { @if seen.evidence.is_empty() { "none" } @else { ul.reasons { @for item in &seen.evidence { (given(item)) } } } }
            td { @if seen.reviewed_by.is_empty() { "nobody else" } @else { (cells::foreign(&seen.reviewed_by.join(", "))) } }
        }
    }
}

fn given(item: &TaskEvidence) -> Markup {
    html! {
        li {
            (cells::spoken(&item.kind.replace('_', "-"))) " " (cells::foreign(&item.name)) ", " (cells::foreign(&item.by)) ", " (cells::time(item.at))
            @if !item.counts { ", " b { "does not count" } }
            @if let Some(sha256) = &item.sha256 { span.meta { "SHA-256 " code { (cells::foreign(sha256)) } } }
        }
    }
}
