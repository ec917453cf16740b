//! The tables that a control leads to: controls, results, findings, slots.

use crate::model::{ControlAssessment, Finding, Frequency, Observation, RunId, Test, WaivedFailures, WaiverId};
use crate::report::reading::{self, ByRun, Reading, SlotCounts};
use crate::report::table::Kind::{Flag, Instant, Number, Text};
use crate::report::table::cell::{Cell, blank, instant, list, number, optional, text};
use crate::report::table::{Rows, Table};
use crate::report::words;

/// One row a control: its definition, its slots, its newest finding.
pub(crate) fn controls<'a>(reading: &'a Reading<'a>) -> Table<'a> {
    Table {
        name: "controls".to_owned(),
        query: "each control of the assessment with its definition, its slots in the period and its newest finding",
        columns: &[
            ("control_id", Text),
            ("title", Text),
            ("owner", Text),
            ("severity", Text),
            ("frequency", Text),
            ("why", Text),
            ("fix", Text),
            ("criteria", Text),
            ("tests", Number),
            ("population", Text),
            ("where", Text),
            ("require", Text),
            ("because", Text),
            ("may_be_empty", Text),
            ("parameters", Text),
            ("control_sha256", Text),
            ("control_file", Text),
            ("changed_in_period", Flag),
            ("other_definitions", Text),
            ("slots_due", Number),
            ("slots_run", Number),
            ("slots_not_run", Number),
            ("slots_reconstructed", Number),
            ("slots_pass", Number),
            ("slots_waived", Number),
            ("slots_fail", Number),
            ("slots_undetermined", Number),
            ("slots_partial", Number),
            ("slots_late", Number),
            ("slots_pending", Number),
            ("slots_before_start", Number),
            ("longest_gap_slots", Number),
            ("in_scope", Number),
            ("fail", Number),
            ("undetermined", Number),
            ("waived", Number),
            ("pass", Number),
            ("not_applicable", Number),
            ("conclusion", Text),
            ("raw_conclusion", Text),
            ("conclusion_reason", Text),
            ("conclusion_run", Text),
            ("judged_at", Instant),
        ],
        rows: reading.assessment.controls.iter().map(|control| control_row(reading, control)).collect(),
    }
}

fn control_row(reading: &Reading<'_>, of: &ControlAssessment) -> Vec<Cell> {
    let control = &of.control;
    let latest = reading::latest(of);
    let mut row = vec![
        text(control.id.as_str()),
        text(&control.title),
        text(&control.owner),
        text(control.severity.as_str()),
        text(control.frequency.as_str()),
        text(&control.why),
        text(&control.fix),
        list(&control.satisfies),
        number(words::length(&control.tests)),
        each_test(of, |test| Some(&test.population)),
        each_test(of, |test| test.filter.as_ref().map(|filter| filter.0.as_str())),
        each_test(of, |test| Some(&test.require.0)),
        each_test(of, |test| test.because.as_ref().map(|because| because.0.as_str())),
        each_test(of, |test| Some(if test.may_be_empty { "yes" } else { "no" })),
        text(reading::parameters(of)),
        text(control.digest.to_string()),
        text(&control.file),
        Cell::from(of.other_definitions.iter().any(|(_, digest)| *digest != control.digest)),
        list(of.other_definitions.iter().map(|(run, digest)| format!("{run}={digest}"))),
    ];
    row.extend(slot_cells(&SlotCounts::of(&of.slots)));
    row.extend(count_cells(latest.map(|(_, finding)| finding)));
    row.extend([
        text(reading::conclusion(of).as_str()),
        text(latest.map_or(reading::conclusion(of).as_str(), |(_, finding)| finding.raw_status().as_str())),
        list(latest.map(|(_, finding)| finding.reasons.as_slice()).unwrap_or_default()),
        optional(latest.map(|(run, _)| run.as_str())),
        judged_at(reading, latest.map(|(run, _)| run)),
    ]);
    row
}

/// A control with one test says it plainly; with several, each is numbered.
fn each_test(of: &ControlAssessment, part: fn(&Test) -> Option<&str>) -> Cell {
    match of.control.tests.as_slice() {
        [only] => optional(part(only)),
        several => list((1_u32..).zip(several).map(|(number, test)| format!("test {number}: {}", part(test).unwrap_or_default()))),
    }
}

fn slot_cells(slots: &SlotCounts) -> [Cell; 13] {
    [
        slots.due(),
        slots.ran(),
        slots.not_run,
        slots.reconstructed,
        slots.pass,
        slots.waived,
        slots.fail,
        slots.undetermined,
        slots.partial,
        slots.late,
        slots.pending,
        slots.before_start,
        slots.longest_gap,
    ]
    .map(number)
}

/// In scope, fail, undetermined, waived, pass, not applicable; blank where nothing was judged, because nothing is not zero.
fn count_cells(finding: Option<&Finding>) -> [Cell; 6] {
    match finding.map(|finding| finding.counts) {
        None => [(); 6].map(|()| blank()),
        Some(counts) => [counts.in_scope(), counts.fail, counts.undetermined, counts.waived, counts.pass, counts.not_applicable].map(number),
    }
}

fn judged_at(reading: &Reading<'_>, run: Option<&RunId>) -> Cell {
    run.and_then(|run| reading.run(run)).map_or_else(blank, |run| instant(run.started_at))
}

/// One row an observation of each control's newest run.
pub(crate) fn results<'a>(reading: &'a Reading<'a>) -> Table<'a> {
    let rows = || reading.assessment.controls.iter().filter_map(|control| reading::latest(control).map(|(run, _)| (control, run)));
    Table {
        name: "results".to_owned(),
        query: "every observation of the newest run of the period that judged the control, those out of scope included",
        columns: &[
            ("run_id", Text),
            ("slot", Text),
            ("judged_at", Instant),
            ("control_id", Text),
            ("test", Number),
            ("resource_kind", Text),
            ("resource_id", Text),
            ("resource_name", Text),
            ("verdict", Text),
            ("raw_verdict", Text),
            ("waiver_id", Text),
            ("because", Text),
            ("may_settle_by_itself", Flag),
            ("evidence", Text),
            ("evidence_sha256", Text),
            ("control_sha256", Text),
        ],
        rows: Rows::of(move || rows().flat_map(|(control, run)| result_rows(reading, control, run))),
    }
}

/// What is the same for all observations of one run stands before and after what is theirs.
fn result_rows<'a>(reading: &'a Reading<'a>, control: &'a ControlAssessment, run: &'a RunId) -> impl Iterator<Item = Vec<Cell>> + 'a {
    let by_run = ByRun::of(control);
    let before = [text(run.as_str()), optional(by_run.slot(run)), judged_at(reading, Some(run))];
    let after = text(by_run.definition(run).to_string());
    control.observations.iter().map(move |seen| {
        let mut row = Vec::with_capacity(16);
        row.extend_from_slice(&before);
        row.extend(observation_cells(reading, run, &seen));
        row.push(after.clone());
        row
    })
}

fn observation_cells(reading: &Reading<'_>, run: &RunId, seen: &Observation) -> [Cell; 12] {
    [
        text(seen.control.as_str()),
        number(seen.test),
        text(&seen.kind),
        text(seen.resource.as_str()),
        text(&seen.name),
        text(seen.verdict.as_str()),
        text(seen.raw_verdict().as_str()),
        optional(seen.waiver.as_ref().map(WaiverId::as_str)),
        text(&seen.because),
        Cell::from(seen.transient),
        list(seen.evidence.iter()),
        list(seen.evidence.iter().map(|n| reading.exchange(run, *n).map_or_else(|| "not in this assessment".to_owned(), |e| e.sha256.to_string()))),
    ]
}

/// One row a control and run.
pub(crate) fn findings<'a>(reading: &'a Reading<'a>) -> Table<'a> {
    Table {
        name: "findings".to_owned(),
        query: "what each run of the period said of each control, oldest run first",
        columns: &[
            ("control_id", Text),
            ("run_id", Text),
            ("slot", Text),
            ("judged_at", Instant),
            ("severity", Text),
            ("owner", Text),
            ("status", Text),
            ("raw_status", Text),
            ("in_scope", Number),
            ("fail", Number),
            ("undetermined", Number),
            ("waived", Number),
            ("pass", Number),
            ("not_applicable", Number),
            ("reasons", Text),
            ("waived_by", Text),
            ("may_settle_by_itself", Flag),
            ("control_sha256", Text),
        ],
        rows: reading.assessment.controls.iter().flat_map(|control| finding_rows(reading, control)).collect(),
    }
}

fn finding_rows(reading: &Reading<'_>, control: &ControlAssessment) -> Vec<Vec<Cell>> {
    let by_run = ByRun::of(control);
    control.findings.iter().map(|(run, finding)| finding_row(reading, (control, &by_run), run, finding)).collect()
}

fn finding_row(reading: &Reading<'_>, (control, by_run): (&ControlAssessment, &ByRun<'_>), run: &RunId, finding: &Finding) -> Vec<Cell> {
    let mut row = vec![
        text(finding.control.as_str()),
        text(run.as_str()),
        optional(by_run.slot(run)),
        judged_at(reading, Some(run)),
        text(control.control.severity.as_str()),
        text(&control.control.owner),
        text(finding.status.as_str()),
        text(finding.raw_status().as_str()),
    ];
    row.extend(count_cells(Some(finding)));
    row.extend([
        list(&finding.reasons),
        list(finding.waived_by.iter().map(WaivedFailures::told)),
        Cell::from(finding.transient),
        text(by_run.definition(run).to_string()),
    ]);
    row
}

/// One row a control and due slot: the run ledger.
pub(crate) fn slots<'a>(reading: &'a Reading<'a>) -> Table<'a> {
    let all = reading.assessment.controls.iter().flat_map(|control| control.slots.iter().map(move |row| (control, row)));
    Table {
        name: "slots".to_owned(),
        query: "each slot of each control in the period, oldest first, those in which nothing ran included",
        columns: &[
            ("control_id", Text),
            ("frequency", Text),
            ("slot", Text),
            ("slot_start", Instant),
            ("slot_end", Instant),
            ("state", Text),
            ("late", Flag),
            ("runs", Text),
        ],
        rows: all
            .map(|(control, row)| {
                vec![
                    text(control.control.id.as_str()),
                    // What it was when the slot was due.
                    text(Frequency::of_name(&row.slot.name).as_str()),
                    text(&row.slot.name),
                    instant(row.slot.period.start()),
                    instant(row.slot.period.end()),
                    text(row.state.as_str()),
                    Cell::from(row.late),
                    list(&row.runs),
                ]
            })
            .collect(),
    }
}
