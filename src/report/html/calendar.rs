//! The operating calendar: each control in each of its slots, so that a missed night is seen as such, and the same in words.
//!
//! Slots of one frequency share a table; a row is a control in a month (daily), a day (hourly) or a year (the rest), so that it fits a page. Where the slots of all
//! controls do not, the first page shows a cell for each month (`months`), and each control's own page all of its slots.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use crate::model::{ControlAssessment, Frequency, SlotRow, SlotState};
use crate::report::html::{Page, Place, cells, months, spells};
use crate::report::reading::Reading;

/// Worst first.
pub(crate) const STATES: [SlotState; 10] = [
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

/// Days and hours of one table that the first page shows each for itself: 30 days of 260 controls, or a year of 20; some 900 kB.
const SLOTS: usize = 8_000;

/// Lines of one table on the first page.
const LINES: usize = 600;

/// A control with its slots of one frequency; it may have had another before its schedule changed.
type Row<'a> = (&'a ControlAssessment, Vec<&'a SlotRow>);

/// The lines of a control's grid, and in each line its slots by their column.
type Grid<'a> = BTreeMap<&'a str, BTreeMap<&'a str, &'a SlotRow>>;

/// The section of the first page.
pub(crate) fn section(page: &Page<'_>) -> Markup {
    let of = page.reading.assessment;
    let controls: Vec<&ControlAssessment> = of.controls.iter().collect();
    html! {
        section #calendar aria-labelledby="calendar-h" {
            h2 #calendar-h { "Operating calendar" }
            p { "Every slot in which a control was due, on the calendar of " (of.time_zone) ". Where several runs fall into one slot, the worst counts." }
            (legend())
            @for (frequency, rows) in by_frequency(&controls) {
                h3 { (capital(frequency.as_str())) " controls" }
                @if is_long(frequency, &rows) { (months::table(page, &rows, &label(frequency))) } @else { (strip(page, frequency, &rows)) }
            }
            @if !controls.is_empty() {
                h3 { "The same in words" }
                (spells::table(page, &controls))
            }
        }
    }
}

/// All slots of one control, for its own page.
pub(crate) fn of_control(page: &Page<'_>, of: &ControlAssessment) -> Markup {
    html! {
        (legend())
        @for (frequency, rows) in by_frequency(&[of]) { (strip(page, frequency, &rows)) }
        (spells::table(page, &[of]))
    }
}

/// True where the first page cannot show every slot.
pub(crate) fn is_cut(reading: &Reading<'_>) -> bool {
    let controls: Vec<&ControlAssessment> = reading.assessment.controls.iter().collect();
    by_frequency(&controls).iter().any(|(frequency, rows)| is_long(*frequency, rows))
}

/// Days and hours of a long period are more than a page can carry; weeks and what is longer are few.
fn is_long(frequency: Frequency, rows: &[Row<'_>]) -> bool {
    matches!(frequency, Frequency::Hourly | Frequency::Daily) && rows.iter().map(|(_, slots)| slots.len()).sum::<usize>() > SLOTS
}

fn legend() -> Markup {
    html! {
        dl.legend {
            @for state in STATES { div { dt.slot.(state.as_str()) aria-hidden="true" { (cells::sign(state)) } dd { (cells::spoken(state.as_str())) ": " (meaning(state)) } } }
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

/// The controls by the frequency of their slots; one without any slot by its own.
fn by_frequency<'a>(controls: &[&'a ControlAssessment]) -> BTreeMap<Frequency, Vec<Row<'a>>> {
    let mut groups: BTreeMap<Frequency, Vec<Row<'a>>> = BTreeMap::new();
    for of in controls {
        let mut own: BTreeMap<Frequency, Vec<&SlotRow>> = BTreeMap::from([(of.control.frequency, Vec::new())]);
        for row in &of.slots {
            own.entry(Frequency::of_name(&row.slot.name)).or_default().push(row);
        }
        for (frequency, slots) in own {
            groups.entry(frequency).or_default().push((of, slots));
        }
    }
    groups
}

/// The row and the column of a slot, taken from its name: `2026-11-23` is column `23` of row `2026-11`.
fn place(row: &SlotRow) -> (&str, &str) {
    let name = row.slot.name.as_str();
    name.rsplit_once('T').or_else(|| name.rsplit_once('-')).unwrap_or(("", name))
}

fn grid<'a>(slots: &[&'a SlotRow]) -> Grid<'a> {
    let mut grid = Grid::new();
    for row in slots {
        let (line, column) = place(row);
        grid.entry(line).or_default().insert(column, *row);
    }
    grid
}

fn strip(page: &Page<'_>, frequency: Frequency, rows: &[Row<'_>]) -> Markup {
    let grids: Vec<_> = rows.iter().map(|(of, slots)| (*of, grid(slots))).collect();
    let columns: BTreeSet<&str> = grids.iter().flat_map(|(_, grid)| grid.values().flat_map(BTreeMap::keys)).copied().collect();
    let total: usize = grids.iter().map(|(_, grid)| grid.len().max(1)).sum();
    let each = if page.place == Place::First { (LINES / rows.len().max(1)).max(1) } else { usize::MAX };
    let shown: usize = grids.iter().map(|(_, grid)| grid.len().max(1).min(each)).sum();
    html! {
        (cells::boxed(&label(frequency), &html! {
            table.calendar {
                thead { tr {
                    th scope="col" { "Control" } th scope="col" { (line_name(frequency)) }
                    @for column in &columns { th.day scope="col" title=(column) { (heading(column)) } }
                } }
                @for (of, grid) in &grids { tbody { (control_rows(page, of, grid, &columns, each)) } }
            }
        }))
        @if page.place == Place::First { (cells::shown(shown, total, "slots.csv")) }
    }
}

fn label(frequency: Frequency) -> String {
    format!("{} controls", capital(frequency.as_str()))
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

/// The newest `each` lines of one control.
fn control_rows(page: &Page<'_>, of: &ControlAssessment, grid: &Grid<'_>, columns: &BTreeSet<&str>, each: usize) -> Markup {
    let lines: Vec<_> = grid.iter().skip(grid.len().saturating_sub(each)).collect();
    let head = html! { th scope="rowgroup" rowspan=(lines.len().max(1)) { (spells::name(page, of)) } };
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
