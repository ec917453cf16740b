//! The operating calendar by month, where the slots themselves are too many for one page: the worst state of each month, and how many slots had it.
//!
//! Left out on purpose: the slots, which each control's own page has.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use crate::model::{ControlAssessment, SlotRow, SlotState};
use crate::report::html::calendar::STATES;
use crate::report::html::{CAP, Page, cells, folder};

/// How many slots of a month had which state.
type Month = BTreeMap<usize, usize>;

/// The grid of controls by month.
pub(crate) fn table<'a>(page: &Page<'_>, controls: &[(&'a ControlAssessment, Vec<&'a SlotRow>)], label: &str) -> Markup {
    let shown = controls.get(..CAP.saturating_mul(3)).unwrap_or(controls);
    let rows: Vec<(&ControlAssessment, BTreeMap<&str, Month>)> = shown.iter().map(|(of, slots)| (*of, months(slots))).collect();
    let columns: BTreeSet<&str> = rows.iter().flat_map(|(_, months)| months.keys()).copied().collect();
    html! {
        p { "One cell is a month: the worst state of its slots, and how many had it. A control's name leads to its own page, which has every slot." }
        (cells::boxed(label, &html! {
            table.calendar.months {
                thead { tr { th scope="col" { "Control" } @for column in &columns { th.day scope="col" { (column) } } } }
                tbody { @for (of, months) in &rows { tr {
                    th scope="row" { (name(page, of)) }
                    @for column in &columns { (cell(column, months.get(column))) }
                } } }
            }
        }))
        (cells::shown(rows.len(), controls.len(), "slots.csv"))
    }
}

/// Where there are too many slots for this page, each control has its own.
fn name(page: &Page<'_>, of: &ControlAssessment) -> Markup {
    match page.folder.name(&of.control.id) {
        Some(name) => html! { a href={ "controls/" (folder::path(name, 1)) "#slots-h" } { (of.control.id) } },
        None => cells::control_link(of.control.id.as_str()),
    }
}

fn months<'a>(slots: &[&'a SlotRow]) -> BTreeMap<&'a str, Month> {
    let mut months: BTreeMap<&str, Month> = BTreeMap::new();
    for row in slots {
        let name = row.slot.name.get(..7).unwrap_or(&row.slot.name);
        let rank = STATES.iter().position(|state| *state == row.state).unwrap_or_default();
        *months.entry(name).or_default().entry(rank).or_default() += 1;
    }
    months
}

fn cell(column: &str, month: Option<&Month>) -> Markup {
    let ranked: Vec<(SlotState, usize)> = month.into_iter().flatten().filter_map(|(rank, count)| Some((*STATES.get(*rank)?, *count))).collect();
    let Some((worst, count)) = ranked.first() else { return html! { td {} } };
    let told = ranked.iter().map(|(state, count)| format!("{count} {}", cells::spoken(state.as_str()))).collect::<Vec<_>>().join(", ");
    html! {
        td.slot.(worst.as_str()) title={ (column) ": " (told) } { span aria-hidden="true" { (cells::sign(*worst)) (count) } span.unseen { (told) } }
    }
}
