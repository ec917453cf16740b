//! What a control said before it said something else, part by part, with what the runs around the change found.

use maud::{Markup, html};

use crate::model::{ControlAssessment, Counts, DefinitionChange, FindingStatus, PartChange, RunId};
use crate::report::html::cells;
use crate::report::words::{grouped, plural};

/// The changes of a control's definition within the period; nothing where there were none.
pub(crate) fn of_control(of: &ControlAssessment) -> Markup {
    html! {
        @if !of.definition_changes.is_empty() {
            p { strong { "What changed in the definition" } }
            @for change in &of.definition_changes { (one(change)) }
        }
    }
}

fn one(change: &DefinitionChange) -> Markup {
    html! {
        p {
            "From run " code { (change.run) } ", " (cells::time(change.at)) ", on the definition " (cells::digest(&change.to)) " was in force instead of " (cells::digest(&change.from)) ". "
            "Before: " (found(change.before.as_ref())) "; after: " (found(change.after.as_ref())) "."
        }
        (cells::boxed("What changed in the definition", &html! {
            table.changes {
                thead { tr { th scope="col" { "Part" } th scope="col" { "Before" } th scope="col" { "After" } } }
                tbody { @for part in &change.parts { (row(part)) } }
            }
        }))
    }
}

fn row(part: &PartChange) -> Markup {
    let text = |text: Option<&String>| html! { @match text { Some(text) => code { (cells::foreign(text)) }, None => span.meta { "not there" } } };
    html! { tr { th scope="row" { (cells::foreign(&part.part)) } td { (text(part.before.as_ref())) } td { (text(part.after.as_ref())) } } }
}

fn found(finding: Option<&(RunId, FindingStatus, Counts)>) -> Markup {
    html! {
        @match finding {
            Some((_run, status, counts)) => { b { (cells::spoken(status.as_str())) } ", " (grouped(counts.pass)) " passed, " (grouped(counts.fail)) " failed, " (plural(counts.undetermined, "resource")) " undetermined" },
            None => "nothing was judged",
        }
    }
}
