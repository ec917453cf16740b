//! What the evidence rests on: the log, its key, and the level of each day.
//!
//! Left out: how a level is derived, which the model says.

use maud::{Markup, html};

use crate::model::Assurance;
use crate::model::assessment::DayAssurance;
use crate::report::html::{Page, cells};

/// The section.
pub(crate) fn section(page: &Page<'_>) -> Markup {
    let of = page.reading.assessment;
    let lowest = of.days.iter().map(|day| day.level).min();
    html! {
        section #assurance aria-labelledby="assurance-h" {
            h2 #assurance-h { "What this evidence rests on" }
            @if let Some(lowest) = lowest {
                p { "Every day of this period on which something was collected reaches at least " strong { (lowest) } ". " (meaning(lowest)) }
            }
            @match &of.log {
                None => p { "Nothing signs the evidence in this store." },
                Some(log) => dl.terms {
                    div { dt { "Log" } dd { code { (cells::foreign(&log.origin)) } } }
                    div { dt { "First key" } dd { code { (cells::foreign(&log.first_key)) } } }
                    div { dt { "Checkpoint" } dd { (log.size) " entries, root " code { (log.root) } } }
                },
            }
            @if !of.days.is_empty() {
                (cells::boxed("Assurance of each day", &html! {
                    table {
                        thead { tr { th scope="col" { "Days" } th.num scope="col" { "Runs" } th scope="col" { "Level" } th scope="col" { "What it lacks for the next" } } }
                        tbody { @for range in ranges(&of.days) { (row(range)) } }
                    }
                }))
            }
            p { "Levels follow from the log, its checkpoints, what observers signed and the lock of the store. " code { "proofline verify" } " also hashes every stored body again. No level shows that the sources told the truth, or that nothing was left out on purpose." }
        }
    }
}

fn row(range: &[DayAssurance]) -> Markup {
    let Some(first) = range.first() else { return html! {} };
    html! {
        tr {
            th scope="row" { (days(range)) }
            td.num { (range.iter().map(|day| day.runs).sum::<u32>()) }
            td { (first.level) }
            td { @match &first.lacks { Some(lacks) => (cells::foreign(lacks)), None => "–" } }
        }
    }
}

fn meaning(level: Assurance) -> &'static str {
    match level {
        Assurance::L0 => "Damage shows; whoever may write to the store could have rewritten everything.",
        Assurance::L1 => "Only the holder of the log's key could have rewritten it, and whoever may delete could have cut it short.",
        Assurance::L2 => "Nobody could delete or replace what was stored; the holder of the log's key is believed about the time.",
        Assurance::L3 => "Nobody could delete, replace or date back what was stored.",
        Assurance::L4 => "Nobody could delete, replace or date back what was stored, or show somebody else another history.",
    }
}

/// Days in a row that have the same level for the same reason.
fn ranges(days: &[DayAssurance]) -> impl Iterator<Item = &[DayAssurance]> {
    days.chunk_by(|a, b| (a.level, &a.lacks) == (b.level, &b.lacks))
}

fn days(range: &[DayAssurance]) -> String {
    match (range.first(), range.last()) {
        (Some(first), Some(last)) if first.day != last.day => format!("{} to {}", first.day, last.day),
        (Some(first), _) => first.day.to_string(),
        _ => String::new(),
    }
}
