//! The observations of a control's newest run: failures, then what is undetermined, then waived failures; passes and what is out of scope folded away.

use maud::{Markup, html};

use crate::model::{ControlAssessment, Observation, RunId, Verdict};
use crate::report::html::{Page, cells, waivers};
use crate::report::reading;
use crate::report::words::{grouped, length};

/// The tables, failures first.
pub(crate) fn tables(page: &Page<'_>, of: &ControlAssessment, run: &RunId) -> Markup {
    html! {
        @for (verdict, title) in [(Verdict::Fail, "Failures"), (Verdict::Undetermined, "Undetermined"), (Verdict::Waived, "Waived failures")] {
            @let seen = reading::with_verdict(of, verdict);
            @if !seen.is_empty() {
                h5.verdict.(verdict.as_str()) { (title) " (" (grouped(length(&seen))) ")" }
                (table(page, run, &seen, title))
            }
        }
        @for (verdict, title) in [(Verdict::Pass, "Passes"), (Verdict::NotApplicable, "Out of scope by the control's where")] {
            @let seen = reading::with_verdict(of, verdict);
            @if !seen.is_empty() {
                details { summary { (title) " (" (grouped(length(&seen))) ")" } (brief(page, run, &seen, title)) }
            }
        }
    }
}

fn table(page: &Page<'_>, run: &RunId, seen: &[&Observation], title: &str) -> Markup {
    let (rows, total) = cells::capped(seen);
    html! {
        (cells::boxed(title, &html! {
            table.results {
                thead { tr { th scope="col" { "Resource" } th scope="col" { "Why" } th scope="col" { "Evidence" } } }
                tbody { @for row in rows { tr { (resource(row)) td { (because(page, row)) } td { (cells::citations(page, run, &row.evidence)) } } } }
            }
        }))
        (cells::shown(rows.len(), total, "results.csv"))
    }
}

/// The same without the addresses: enough to match a sample, and a tenth of the size.
fn brief(page: &Page<'_>, run: &RunId, seen: &[&Observation], title: &str) -> Markup {
    let (rows, total) = cells::capped(seen);
    html! {
        (cells::boxed(title, &html! {
            table.results {
                thead { tr { th scope="col" { "Resource" } th scope="col" { "Why" } th scope="col" { "Evidence" } } }
                tbody { @for row in rows { tr { (resource(row)) td { (because(page, row)) } td { @for n in row.evidence.iter().take(12) { (cells::exchange_number(page, run, *n)) " " } } } } }
            }
        }))
        (cells::shown(rows.len(), total, "results.csv"))
    }
}

fn resource(row: &Observation) -> Markup {
    html! {
        th scope="row" {
            (cells::foreign(&row.name))
            @if row.name != row.resource.as_str() { code.rid { (cells::foreign(row.resource.as_str())) } }
        }
    }
}

fn because(page: &Page<'_>, row: &Observation) -> Markup {
    html! {
        @if row.because.is_empty() { "–" } @else { (cells::foreign(&row.because)) }
        @if let Some(waiver) = &row.waiver { span.meta { "fails; waived by " (waivers::link(page, waiver)) } }
        @if row.transient { span.meta { "the next run may settle it" } }
    }
}
