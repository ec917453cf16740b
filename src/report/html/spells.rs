//! The operating calendar in words: what each control did in its slots, as ranges of slots with one state; for whoever cannot see the grid, or wants to quote it.

use maud::{Markup, html};

use crate::model::{ControlAssessment, SlotRow, SlotState};
use crate::report::html::{CAP, Page, Place, cells};
use crate::report::reading::SlotCounts;
use crate::report::words::{grouped, length, plural};

/// Ranges that a row tells on the first page.
const TOLD: usize = 12;

/// The table of some controls.
pub(crate) fn table(page: &Page<'_>, controls: &[&ControlAssessment]) -> Markup {
    let rows = controls.get(..CAP).unwrap_or(controls);
    html! {
        (cells::boxed("Slots in words", &html! {
            table.spells {
                thead { tr {
                    th scope="col" { "Control" } th.num scope="col" { "Ran" } th.num scope="col" { "Passed" } th scope="col" { "Longest gap" } th scope="col" { "Slots that did not simply pass" }
                } }
                tbody { @for of in rows { (row(page, of)) } }
            }
        }))
        @if page.place == Place::First { (cells::shown(rows.len(), controls.len(), "slots.csv")) }
    }
}

fn row(page: &Page<'_>, of: &ControlAssessment) -> Markup {
    let slots = SlotCounts::of(&of.slots);
    let spells: Vec<&[SlotRow]> =
        of.slots.chunk_by(|a, b| a.state == b.state).filter(|spell| spell.first().is_some_and(|row| row.state != SlotState::Pass)).collect();
    let most = if page.place == Place::First { TOLD } else { usize::MAX };
    html! {
        tr {
            th scope="row" { (name(page, of)) }
            td.num { (grouped(slots.ran())) " of " (grouped(slots.due())) }
            td.num { (grouped(slots.pass)) " of " (grouped(slots.due())) }
            td { (slots.gap_text()) }
            td {
                @if of.slots.is_empty() { "no slot in the period" }
                @else if spells.is_empty() { "none" }
                @else { ul.reasons {
                    @for spell in spells.iter().take(most) { li { (told(spell)) } }
                    @if spells.len() > most { li.note { "and " (spells.len() - most) " more, in " (cells::csv(page, "slots.csv")) } }
                } }
            }
        }
    }
}

/// `fail: 2026-11-16 to 2026-11-20, 5 slots`.
fn told(spell: &[SlotRow]) -> String {
    let (Some(first), Some(last)) = (spell.first(), spell.last()) else { return String::new() };
    let state = cells::spoken(first.state.as_str());
    if spell.len() == 1 {
        format!("{state}: {}", first.slot.name)
    } else {
        format!("{state}: {} to {}, {}", first.slot.name, last.slot.name, plural(length(spell), "slot"))
    }
}

/// A control by its id, as a link to its section where that is on the same page.
pub(crate) fn name(page: &Page<'_>, of: &ControlAssessment) -> Markup {
    html! { @match page.place { Place::First => (cells::control_link(of.control.id.as_str())), Place::Control => (of.control.id) } }
}
