//! The operating calendar: each control in each of its slots, so that a missed night is seen as such.
//!
//! Slots of one frequency share a table; a row is a control in a month (daily), a day (hourly) or a year (the rest), so that it fits a page.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use crate::model::{ControlAssessment, Frequency, SlotRow, SlotState};
use crate::report::html::{CAP, Page, cells};
use crate::report::reading::{Reading, SlotCounts};
use crate::report::words::grouped;

const STATES: [SlotState; 10] = [
    SlotState::Fail,
    SlotState::Undetermined,
    SlotState::Partial,
    SlotState::NotRun,
    SlotState::Reconstructed,
    SlotState::Waived,
    SlotState::Late,
    SlotState::Pass,
    SlotState::Pending,
    SlotState::BeforeStart,
];

/// The section.
pub(crate) fn section(page: &Page<'_>) -> Markup {
    let of = page.reading.assessment;
    html! {
        section #calendar aria-labelledby="calendar-h" {
            h2 #calendar-h { "Operating calendar" }
            p { "Every slot in which a control was due, on the calendar of " (of.time_zone) ". Where several runs fall into one slot, the worst counts." }
            dl.legend {
                @for state in STATES { div { dt.slot.(state.as_str()) aria-hidden="true" { (cells::sign(state)) } dd { (cells::spoken(state.as_str())) ": " (meaning(state)) } } }
            }
            @for (frequency, controls) in by_frequency(&page.reading) { (strip(frequency, &controls)) }
        }
    }
}

fn meaning(state: SlotState) -> &'static str {
    match state {
        SlotState::Pass => "satisfied",
        SlotState::Waived => "satisfied, because waivers cover what fails",
        SlotState::Fail => "not satisfied",
        SlotState::Undetermined => "ran, but could not be told",
        SlotState::Partial => "ran, but a source did not answer to the end",
        SlotState::Late => "satisfied, later than it was due",
        SlotState::Reconstructed => "nothing ran; told afterwards by a run that says so",
        SlotState::NotRun => "the slot is over and nothing ran",
        SlotState::Pending => "the slot is not over and nothing ran yet",
        SlotState::BeforeStart => "ended before the first sealed run",
    }
}

fn by_frequency<'a>(reading: &Reading<'a>) -> BTreeMap<Frequency, Vec<&'a ControlAssessment>> {
    let mut groups: BTreeMap<Frequency, Vec<&ControlAssessment>> = BTreeMap::new();
    for control in &reading.assessment.controls {
        groups.entry(control.control.frequency).or_default().push(control);
    }
    groups
}

/// The row and the column of a slot, taken from its name: `2026-11-23` is column `23` of row `2026-11`.
fn place(row: &SlotRow) -> (&str, &str) {
    let name = row.slot.name.as_str();
    name.rsplit_once('T').or_else(|| name.rsplit_once('-')).unwrap_or(("", name))
}

type Grid<'a> = BTreeMap<&'a str, BTreeMap<&'a str, &'a SlotRow>>;

fn grid(control: &ControlAssessment) -> Grid<'_> {
    let mut grid = Grid::new();
    // What was due in another way before the schedule changed has other columns.
    for row in control.slots.iter().filter(|row| Frequency::of_name(&row.slot.name) == control.control.frequency) {
        let (line, column) = place(row);
        grid.entry(line).or_default().insert(column, row);
    }
    grid
}

fn strip(frequency: Frequency, controls: &[&ControlAssessment]) -> Markup {
    let grids: Vec<_> = controls.iter().map(|control| (*control, grid(control))).collect();
    let columns: BTreeSet<&str> = grids.iter().flat_map(|(_, grid)| grid.values().flat_map(BTreeMap::keys)).copied().collect();
    let total: usize = grids.iter().map(|(_, grid)| grid.len().max(1)).sum();
    let each = (CAP / controls.len().max(1)).max(1);
    let shown: usize = grids.iter().map(|(_, grid)| grid.len().max(1).min(each)).sum();
    let label = format!("{} controls", frequency.as_str());
    html! {
        h3 { (capital(frequency.as_str())) " controls" }
        (cells::boxed(&label, &html! {
            table.calendar {
                thead { tr {
                    th scope="col" { "Control" } th.num scope="col" { "Ran" } th.num scope="col" { "Passed" } th scope="col" { "Longest gap" }
                    th scope="col" { (line_name(frequency)) }
                    @for column in &columns { th.day scope="col" title=(column) { (heading(column)) } }
                } }
                @for (control, grid) in &grids { tbody { (control_rows(control, grid, &columns, each)) } }
            }
        }))
        (cells::shown(shown, total, "slots.csv"))
    }
}

/// `14+0100` is a column of hourly controls; the offset would make it too wide and stays in the title.
fn heading(column: &str) -> &str {
    column.split(['+', '-']).next().unwrap_or(column)
}

fn line_name(frequency: Frequency) -> &'static str {
    match frequency {
        Frequency::Hourly => "Day",
        Frequency::Daily => "Month",
        Frequency::Weekly | Frequency::Monthly | Frequency::Quarterly => "Year",
        Frequency::Yearly => "",
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The newest `each` lines of one control, with its counts beside the first.
fn control_rows(control: &ControlAssessment, grid: &Grid<'_>, columns: &BTreeSet<&str>, each: usize) -> Markup {
    let slots = SlotCounts::of(&control.slots);
    let lines: Vec<_> = grid.iter().skip(grid.len().saturating_sub(each)).collect();
    let span = lines.len().max(1);
    let head = html! {
        th scope="rowgroup" rowspan=(span) { (cells::control_link(control.control.id.as_str())) }
        td.num rowspan=(span) { (grouped(slots.ran())) " of " (grouped(slots.due())) }
        td.num rowspan=(span) { (grouped(slots.pass)) " of " (grouped(slots.due())) }
        td.nb rowspan=(span) { (slots.gap_text()) }
    };
    html! {
        @if lines.is_empty() { tr { (head) th scope="row" { "–" } @if !columns.is_empty() { td colspan=(columns.len()) { "no slot in the period" } } } }
        @for (index, (line, cells)) in lines.iter().enumerate() {
            tr {
                @if index == 0 { (head) }
                th scope="row" { (line) }
                @for column in columns { (slot_cell(cells.get(column).copied())) }
            }
        }
    }
}

fn slot_cell(row: Option<&SlotRow>) -> Markup {
    let Some(row) = row else { return html! { td {} } };
    let state = cells::spoken(row.state.as_str());
    html! {
        td.slot.(row.state.as_str()) title={ (row.slot.name) ": " (state) } { span aria-hidden="true" { (cells::sign(row.state)) } span.unseen { (state) } }
    }
}
