//! The tables that a run leads to: populations, evidence, runs; and the criteria.

use crate::model::assessment::DayAssurance;
use crate::model::{Cited, ControlAssessment, ControlId, MissingPermission, Population, RunId, RunSummary, Tally};
use crate::report::reading::{self, Coverage, Reading};
use crate::report::table::Kind::{Date, Flag, Instant, Number, Text};
use crate::report::table::cell::{Cell, blank, date, instant, list, number, optional, text};
use crate::report::table::{Rows, Table};
use crate::report::words;

/// One row a population and tenant.
pub(crate) fn populations<'a>(reading: &'a Reading<'a>) -> Table<'a> {
    Table {
        name: "populations".to_owned(),
        query: "what the newest run of each control enumerated, by kind and tenant, beside a second, independent count",
        columns: &[
            ("run_id", Text),
            ("kind", Text),
            ("definition", Text),
            ("tenant", Text),
            ("count", Number),
            ("second_count", Number),
            ("difference", Number),
            ("second_source", Text),
            ("completeness", Text),
            ("gaps", Text),
            ("pages", Number),
            ("evidence_first", Number),
            ("evidence_last", Number),
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
pub(crate) fn evidence<'a>(reading: &'a Reading<'a>) -> Table<'a> {
    Table {
        name: "evidence".to_owned(),
        query: "every exchange with a source that an observation or a population of this assessment cites, by run and number",
        columns: &[
            ("run_id", Text),
            ("exchange", Number),
            ("operation", Text),
            ("subject", Text),
            ("asked_by", Text),
            ("method", Text),
            ("url", Text),
            ("api_version", Text),
            ("request_body_sha256", Text),
            ("sent_at", Instant),
            ("took_ms", Number),
            ("waited_ms", Number),
            ("attempts", Number),
            ("status", Number),
            ("error", Text),
            ("server_date", Text),
            ("request_id", Text),
            ("etag", Text),
            ("page", Number),
            ("last_page", Flag),
            ("bytes", Number),
            ("sha256", Text),
            ("redacted", Text),
            ("pack_object", Text),
            ("pack_offset", Number),
            ("pack_length", Number),
            ("received_at", Instant),
            ("revalidates_run", Text),
            ("revalidates_exchange", Number),
        ],
        rows: Rows::of(|| reading.assessment.evidence.iter().map(exchange_row)),
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
        instant(exchange.sent_at),
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
        instant(exchange.received_at()),
        optional(exchange.revalidates.as_ref().map(|earlier| earlier.run.as_str())),
        exchange.revalidates.as_ref().map_or_else(blank, |earlier| number(earlier.n)),
    ]
}

/// One row a sealed run.
pub(crate) fn runs<'a>(reading: &'a Reading<'a>) -> Table<'a> {
    Table {
        name: "runs".to_owned(),
        query: "every sealed run that shows what there was in the period, oldest first",
        columns: &[
            ("run_id", Text),
            ("started_at", Instant),
            ("ended_at", Instant),
            ("seconds", Number),
            ("trigger", Text),
            ("tool", Text),
            ("requests", Number),
            ("not_modified", Number),
            ("failed", Number),
            ("partial_kinds", Text),
            ("manifest_sha256", Text),
            ("manifest_object", Text),
            ("evaluation", Text),
            ("continues_run", Text),
            ("taken_over", Number),
            ("sent", Number),
            ("waited_seconds", Number),
            ("limits", Text),
            ("as_of", Instant),
            ("identities", Text),
        ],
        rows: reading.assessment.runs.iter().map(run_row).collect(),
    }
}

/// One row a day.
pub(crate) fn assurance<'a>(reading: &'a Reading<'a>) -> Table<'a> {
    let row = |day: &DayAssurance| {
        let level = format!("{:?}", day.level);
        vec![date(day.day), number(day.runs), text(level), text(day.level.to_string()), optional(day.lacks.as_ref())]
    };
    Table {
        name: "assurance".to_owned(),
        query: "the level that each day of the period on which a run began has reached, derived from what was verified",
        columns: &[("day", Date), ("runs", Number), ("level", Text), ("rests_on", Text), ("lacks", Text)],
        rows: reading.assessment.days.iter().map(row).collect(),
    }
}

/// One row a permission.
pub(crate) fn permissions<'a>(reading: &'a Reading<'a>) -> Table<'a> {
    let row = |missing: &MissingPermission| {
        let controls: Vec<&str> = missing.controls.iter().map(ControlId::as_str).collect();
        vec![text(&missing.cure), list(&controls), list(&missing.unseen), number(missing.observations), text(&missing.example)]
    };
    Table {
        name: "permissions".to_owned(),
        query: "what would have to be granted to close what the newest runs left open",
        columns: &[("cure", Text), ("controls", Text), ("unseen", Text), ("observations", Number), ("example", Text)],
        rows: reading.assessment.permissions.iter().map(row).collect(),
    }
}

fn run_row(run: &RunSummary) -> Vec<Cell> {
    vec![
        text(run.run.as_str()),
        instant(run.started_at),
        instant(run.ended_at),
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
        run.as_of.map_or_else(blank, instant),
        list(words::identities(&run.identities)),
    ]
}

/// One row a criterion and control; a criterion that no control covers is a row too.
pub(crate) fn criteria<'a>(reading: &'a Reading<'a>) -> Table<'a> {
    Table {
        name: "criteria".to_owned(),
        query: "every criterion of the control directory with each control that helps to meet it, uncovered criteria included",
        columns: &[
            ("criterion", Text),
            ("framework", Text),
            ("title", Text),
            ("covered", Flag),
            ("control_id", Text),
            ("control_title", Text),
            ("conclusion", Text),
        ],
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
