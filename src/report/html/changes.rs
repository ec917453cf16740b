//! What was not the same throughout the period: what runs looked at, when controls were due, and by which definition they were judged; a row for each run that brought a change.
//!
//! Left out on purpose: what changed within a definition, and whether that was right.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::model::{ControlAssessment, ControlId, Digest, RunId};
use crate::report::html::{Page, cells};
use crate::report::reading::{ByRun, Reading};
use crate::report::words::{self, length};

/// Controls that one cell names; a new version of the tool may change all of them in one night.
const NAMED: usize = 60;

/// Runs in a row that judged a control by the same definition.
pub(crate) struct Span<'a> {
    /// The definition.
    pub(crate) digest: Digest,
    /// The first of the runs.
    pub(crate) first: &'a RunId,
    /// How many there were.
    pub(crate) runs: u64,
}

/// The definitions of a control in the order of the runs; one that came back is there twice.
pub(crate) fn definitions(of: &ControlAssessment) -> Vec<Span<'_>> {
    let by_run = ByRun::of(of);
    let findings = of.findings.iter().map(|(run, _)| (run, by_run.definition(run)));
    // A run's name begins with when it began, so that one that tells of a past day is where it was made: it has the definitions of its own day.
    let runs: BTreeMap<&RunId, Digest> = findings.chain(of.other_definitions.iter().map(|(run, digest)| (run, *digest))).collect();
    let runs: Vec<(&RunId, Digest)> = runs.into_iter().collect();
    let spans = runs.chunk_by(|a, b| a.1 == b.1);
    spans.filter_map(|span| span.first().map(|(first, digest)| Span { digest: *digest, first, runs: length(span) })).collect()
}

/// What one run brought.
#[derive(Default)]
struct Change<'a> {
    at: Option<DateTime<Utc>>,
    scope: Vec<&'a str>,
    schedules: Vec<(&'a ControlId, &'a str, &'a str)>,
    definitions: Vec<&'a ControlId>,
}

fn by_run<'a>(reading: &Reading<'a>) -> BTreeMap<&'a RunId, Change<'a>> {
    let mut changes: BTreeMap<&RunId, Change<'_>> = BTreeMap::new();
    for scope in &reading.assessment.scope_changes {
        let change = changes.entry(&scope.run).or_default();
        change.at = Some(scope.at);
        change.scope.extend(scope.lines.iter().map(String::as_str));
    }
    for of in &reading.assessment.controls {
        for (before, after) in of.schedules.iter().zip(of.schedules.iter().skip(1)) {
            let change = changes.entry(&after.run).or_default();
            change.at = Some(after.since);
            change.schedules.push((&of.control.id, &before.words, &after.words));
        }
        for span in definitions(of).into_iter().skip(1) {
            let change = changes.entry(span.first).or_default();
            change.at = change.at.or_else(|| reading.run(span.first).map(|run| run.started_at));
            change.definitions.push(&of.control.id);
        }
    }
    changes
}

/// The section.
pub(crate) fn section(page: &Page<'_>) -> Markup {
    let changes: Vec<_> = by_run(page.reading).into_iter().collect();
    let (rows, total) = cells::capped(&changes);
    let redefined = page.reading.assessment.controls.iter().filter(|of| definitions(of).len() > 1).count();
    html! {
        section #changes aria-labelledby="changes-h" {
            h2 #changes-h { "Changes in the period" }
            @if page.reading.assessment.scope_changes.is_empty() { p { "Every run of the period looked at the same." } }
            @if redefined == 0 { p { "No control's definition changed between the runs of the period." } }
            @if !changes.is_empty() {
                p { "What a run had that the one before it had not. Each run was judged by the definitions that it had itself, and each slot counts as it was due then." }
                (cells::boxed("Changes in the period", &html! {
                    table.changes {
                        thead { tr { th scope="col" { "From run" } th scope="col" { "Scope" } th scope="col" { "Schedules" } th scope="col" { "Definitions" } } }
                        tbody { @for (run, change) in rows { (row(run, change)) } }
                    }
                }))
                p.rows { "Rows shown / total: " (words::grouped(length(rows))) " / " (words::grouped(u64::try_from(total).unwrap_or(u64::MAX))) ". Which definition each run had: " a href="controls.csv" { "controls.csv" } }
            }
        }
    }
}

fn row(run: &RunId, change: &Change<'_>) -> Markup {
    html! {
        tr {
            th scope="row" { code { (run) } @if let Some(at) = change.at { span.meta { (cells::time(at)) } } }
            td { @if change.scope.is_empty() { "–" } @else { ul.reasons { @for line in &change.scope { li { (cells::foreign(line)) } } } } }
            td { @if change.schedules.is_empty() { "–" } @else {
                ul.reasons { @for (id, before, after) in change.schedules.iter().take(NAMED) { li { (cells::control_link(id.as_str())) ": " (cells::foreign(before)) ", now " (cells::foreign(after)) } } }
                (more(change.schedules.len()))
            } }
            td { @if change.definitions.is_empty() { "–" } @else {
                (words::plural(length(&change.definitions), "control")) ": "
                @for id in change.definitions.iter().take(NAMED) { (cells::control_link(id.as_str())) " " }
                (more(change.definitions.len()))
            } }
        }
    }
}

fn more(total: usize) -> Markup {
    html! { @if total > NAMED { span.note { "and " (total - NAMED) " more" } } }
}
