//! The tables that a run leads to: populations, evidence, runs; and the criteria.

use crate::model::assessment::DayAssurance;
use crate::model::{Cited, ControlAssessment, ControlId, MissingPermission, Population, RunId, RunSummary, Tally};
use crate::report::reading::{self, Coverage, Reading};
use crate::report::table::Table;
use crate::report::table::cell::{Cell, blank, list, number, optional, text};
use crate::report::words::{self, instant};

/// One row a population and tenant.
pub(crate) fn populations(reading: &Reading<'_>) -> Table {
    Table {
        name: "populations".to_owned(),
        query: "what the newest run of each control enumerated, by kind and tenant, beside a second, independent count",
        columns: &[
            "run_id",
            "kind",
            "definition",
            "tenant",
            "count",
            "second_count",
            "difference",
            "second_source",
            "completeness",
            "gaps",
            "pages",
            "evidence_first",
            "evidence_last",
        ],
        rows: reading.assessment.populations.iter().flat_map(|(run, population)| population_rows(run, population)).collect(),
    }
}

/// A population without any tally is a row too: it must not vanish.
fn population_rows(run: &RunId, population: &Population) -> Vec<Vec<Cell>> {
    let row = |tally: Option<&Tally>| {
        let mut row = vec![text(run.as_str()), text(&population.kind), text(&population.definition)];
        row.extend(tally_cells(tally));
        row.extend([
            text(words::completeness(population.completeness())),
            list(&population.gaps),
            number(words::length(&population.evidence)),
            population.evidence.first().copied().map_or_else(blank, number),
            population.evidence.last().copied().map_or_else(blank, number),
        ]);
        row
    };
    if population.tallies.is_empty() { vec![row(None)] } else { population.tallies.iter().map(|tally| row(Some(tally))).collect() }
}

fn tally_cells(tally: Option<&Tally>) -> [Cell; 5] {
    let Some(tally) = tally else { return [(); 5].map(|()| blank()) };
    let difference = tally.second_count.map(|second| i128::from(tally.count) - i128::from(second));
    [text(&tally.tenant), number(tally.count), tally.second_count.map_or_else(blank, number), difference.map_or_else(blank, number), text(&tally.second_source)]
}

/// One row an exchange that a finding cites.
pub(crate) fn evidence(reading: &Reading<'_>) -> Table {
    Table {
        name: "evidence".to_owned(),
        query: "every exchange with a source that an observation or a population of this assessment cites, by run and number",
        columns: &[
            "run_id",
            "exchange",
            "operation",
            "subject",
            "asked_by",
            "method",
            "url",
            "api_version",
            "request_body_sha256",
            "sent_at",
            "took_ms",
            "waited_ms",
            "attempts",
            "status",
            "error",
            "server_date",
            "request_id",
            "etag",
            "page",
            "last_page",
            "bytes",
            "sha256",
            "redacted",
            "pack_object",
            "pack_offset",
            "pack_length",
            "received_at",
            "revalidates_run",
            "revalidates_exchange",
        ],
        rows: reading.assessment.evidence.iter().map(exchange_row).collect(),
    }
}

fn exchange_row(cited: &Cited) -> Vec<Cell> {
    let Cited { run, exchange, body } = cited;
    let header = |name: &str| optional(exchange.headers.get(name));
    vec![
        text(run.as_str()),
        number(exchange.n),
        text(&exchange.operation),
        text(&exchange.subject),
        list(&exchange.asked_by),
        text(words::method(exchange.method)),
        text(&exchange.url),
        optional(exchange.api_version.as_ref()),
        optional(exchange.request_body.map(|digest| digest.to_string())),
        text(instant(exchange.sent_at)),
        number(exchange.took_ms),
        number(exchange.waited_ms),
        number(exchange.attempts),
        exchange.status.map_or_else(blank, number),
        optional(exchange.error.as_ref()),
        header("date"),
        header("x-github-request-id"),
        header("etag"),
        exchange.page.map_or_else(blank, |page| number(page.number)),
        exchange.page.and_then(|page| page.last).map_or_else(blank, Cell::from),
        number(exchange.bytes),
        text(exchange.sha256.to_string()),
        list(&exchange.redacted),
        text(&body.pack),
        number(body.offset),
        number(body.length),
        text(instant(exchange.received_at())),
        optional(exchange.revalidates.as_ref().map(|earlier| earlier.run.as_str())),
        exchange.revalidates.as_ref().map_or_else(blank, |earlier| number(earlier.n)),
    ]
}

/// One row a sealed run.
pub(crate) fn runs(reading: &Reading<'_>) -> Table {
    Table {
        name: "runs".to_owned(),
        query: "every sealed run that shows what there was in the period, oldest first",
        columns: &[
            "run_id",
            "started_at",
            "ended_at",
            "seconds",
            "trigger",
            "tool",
            "requests",
            "not_modified",
            "failed",
            "partial_kinds",
            "manifest_sha256",
            "manifest_object",
            "evaluation",
            "continues_run",
            "taken_over",
            "sent",
            "waited_seconds",
            "limits",
            "as_of",
        ],
        rows: reading.assessment.runs.iter().map(run_row).collect(),
    }
}

/// One row a day.
pub(crate) fn assurance(reading: &Reading<'_>) -> Table {
    let row = |day: &DayAssurance| {
        let level = format!("{:?}", day.level);
        vec![text(day.day.to_string()), number(day.runs), text(level), text(day.level.to_string()), optional(day.lacks.as_ref())]
    };
    Table {
        name: "assurance".to_owned(),
        query: "the level that each day of the period on which a run began has reached, derived from what was verified",
        columns: &["day", "runs", "level", "rests_on", "lacks"],
        rows: reading.assessment.days.iter().map(row).collect(),
    }
}

/// One row a permission.
pub(crate) fn permissions(reading: &Reading<'_>) -> Table {
    let row = |missing: &MissingPermission| {
        let controls: Vec<&str> = missing.controls.iter().map(ControlId::as_str).collect();
        vec![text(&missing.cure), list(&controls), list(&missing.unseen), number(missing.observations), text(&missing.example)]
    };
    Table {
        name: "permissions".to_owned(),
        query: "what would have to be granted to close what the newest runs left open",
        columns: &["cure", "controls", "unseen", "observations", "example"],
        rows: reading.assessment.permissions.iter().map(row).collect(),
    }
}

fn run_row(run: &RunSummary) -> Vec<Cell> {
    vec![
        text(run.run.as_str()),
        text(instant(run.started_at)),
        text(instant(run.ended_at)),
        number((run.ended_at - run.started_at).num_seconds()),
        text(&run.trigger),
        text(&run.tool),
        number(run.exchanges),
        number(run.not_modified),
        number(run.failed),
        list(&run.partial),
        text(run.manifest.to_string()),
        text(&run.object),
        text(&run.evaluation),
        optional(run.continues.as_ref().map(RunId::as_str)),
        number(run.budget.taken_over),
        number(run.budget.sent),
        number(words::seconds(run.budget.waited_ms)),
        list(words::limits(&run.budget)),
        optional(run.as_of.map(instant)),
    ]
}

/// One row a criterion and control; a criterion that no control covers is a row too.
pub(crate) fn criteria(reading: &Reading<'_>) -> Table {
    Table {
        name: "criteria".to_owned(),
        query: "every criterion of the control directory with each control that helps to meet it, uncovered criteria included",
        columns: &["criterion", "framework", "title", "covered", "control_id", "control_title", "conclusion"],
        rows: reading.criteria().iter().flat_map(criterion_rows).collect(),
    }
}

fn criterion_rows(of: &Coverage<'_>) -> Vec<Vec<Cell>> {
    let row = |control: Option<&ControlAssessment>| {
        vec![
            text(of.id.as_str()),
            optional(of.criterion.map(|criterion| &criterion.framework)),
            optional(of.criterion.map(|criterion| &criterion.title)),
            Cell::from(control.is_some()),
            optional(control.map(|control| control.control.id.as_str())),
            optional(control.map(|control| &control.control.title)),
            optional(control.map(|control| reading::conclusion(control).as_str())),
        ]
    };
    if of.controls.is_empty() { vec![row(None)] } else { of.controls.iter().map(|control| row(Some(control))).collect() }
}
