//! Criterion → controls → how they stand. Criteria that nothing covers are listed, not left out.

use maud::{Markup, html};

use crate::model::ControlAssessment;
use crate::report::html::{CAP, Page, cells};
use crate::report::reading::{self, Coverage, SlotCounts};
use crate::report::words::{self, grouped};

/// The section.
pub(crate) fn section(page: &Page<'_>) -> Markup {
    let all = page.reading.criteria();
    let (uncovered, covered): (Vec<_>, Vec<_>) = all.into_iter().partition(|of| of.controls.is_empty());
    let total = words::length(&covered) + words::length(&uncovered);
    html! {
        section #criteria aria-labelledby="criteria-h" {
            h2 #criteria-h { "Conclusions by criterion" }
            p {
                (grouped(words::length(&covered))) " of " (grouped(total)) " criteria are covered by at least one control. "
                "A control says what was tested; whether the criterion is met is the auditor's conclusion."
            }
            (cells::boxed("Conclusions by criterion", &html! {
                table.criteria {
                    thead { tr {
                        th scope="col" { "Criterion" } th scope="col" { "Control" } th scope="col" { "Newest finding" } th scope="col" { "Of its resources" } th scope="col" { "Slots passed" }
                    } }
                    @for (framework, criteria) in by_framework(covered.get(..CAP).unwrap_or(&covered)) {
                        tbody {
                            tr.group { th scope="rowgroup" colspan="5" { (framework) } }
                            @for of in criteria { (rows(of)) }
                        }
                    }
                }
            }))
            (cells::shown(covered.len().min(CAP), covered.len(), "criteria.csv"))
            h3 { "Criteria that no control covers" }
            @if uncovered.is_empty() { p { "None." } }
            @else {
                ul.uncovered {
                    @for of in &uncovered { li { code { (of.id) } " " (of.criterion.map(|criterion| criterion.title.as_str()).unwrap_or_default()) } }
                }
            }
        }
    }
}

/// Neighbours of one framework together; criteria are sorted by id, and so by framework.
fn by_framework<'r, 'a>(rows: &'r [Coverage<'a>]) -> Vec<(&'a str, &'r [Coverage<'a>])> {
    let name = |row: &Coverage<'a>| row.criterion.map_or("Criteria that no criteria file declares", |criterion| criterion.framework.as_str());
    rows.chunk_by(|a, b| name(a) == name(b)).filter_map(|rows| rows.first().map(|first| (name(first), rows))).collect()
}

fn rows(of: &Coverage<'_>) -> Markup {
    let mut controls = of.controls.clone();
    controls.sort_by_key(|control| (reading::conclusion(control), &control.control.id));
    html! {
        @for (index, control) in controls.iter().enumerate() {
            tr {
                @if index == 0 {
                    th scope="row" rowspan=(controls.len()) {
                        code { (of.id) }
                        @if let Some(criterion) = of.criterion { span.meta { (criterion.title) } }
                    }
                }
                (control_cells(control))
            }
        }
    }
}

fn passed(slots: &SlotCounts) -> String {
    if slots.due() == 0 { "none due yet".to_owned() } else { format!("{} of {}", grouped(slots.pass), grouped(slots.due())) }
}

fn control_cells(control: &ControlAssessment) -> Markup {
    let slots = SlotCounts::of(&control.slots);
    html! {
        td { (cells::control_link(control.control.id.as_str())) span.meta { (control.control.title) } }
        td { (cells::badge(reading::conclusion(control))) }
        @match reading::latest(control) {
            None => td { "nothing was judged" },
            Some((_, finding)) => td {
                (grouped(finding.counts.fail)) " fail, " (grouped(finding.counts.undetermined)) " undetermined of " (grouped(finding.counts.in_scope())) " in scope"
            },
        }
        td { (passed(&slots)) }
    }
}
