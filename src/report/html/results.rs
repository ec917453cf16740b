//! The observations of a control's newest run: failures, then what is undetermined, then waived failures; on the first page, passes and what is out of scope are folded away.

use maud::{Markup, html};

use crate::model::{ControlAssessment, Observation, RunId, Verdict};
use crate::report::html::{Page, cells, waivers};
use crate::report::words::{grouped, length};

/// The tables in their order.
pub(crate) const ORDER: [Verdict; 5] = [Verdict::Fail, Verdict::Undetermined, Verdict::Waived, Verdict::Pass, Verdict::NotApplicable];

/// What a table is called.
pub(crate) fn title(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Fail => "Failures",
        Verdict::Undetermined => "Undetermined",
        Verdict::Waived => "Waived failures",
        Verdict::Pass => "Passes",
        Verdict::NotApplicable => "Out of scope by the control's where",
    }
}

/// The tables of the first page, failures first, each as far as it fits.
pub(crate) fn tables(page: &Page<'_>, of: &ControlAssessment, run: &RunId) -> Markup {
    html! {
        @for verdict in ORDER {
            @let seen: Vec<_> = of.observations.with_verdict(verdict).collect();
            @let rows = seen.get(..page.folder.most()).unwrap_or(&seen);
            @let shown = html! { (table(page, run, verdict, rows)) (cells::shown_of(page, &of.control.id, rows.len(), seen.len(), "results.csv")) };
            @if seen.is_empty() {}
            @else if matches!(verdict, Verdict::Pass | Verdict::NotApplicable) {
                details { summary { (title(verdict)) " (" (grouped(length(&seen))) ")" } (shown) }
            } @else {
                h5.verdict.(verdict.as_str()) { (title(verdict)) " (" (grouped(length(&seen))) ")" }
                (shown)
            }
        }
    }
}

/// Rows of one verdict. What passes is told without addresses: enough to match a sample, and a quarter of the size.
pub(crate) fn table(page: &Page<'_>, run: &RunId, verdict: Verdict, rows: &[Observation]) -> Markup {
    let brief = matches!(verdict, Verdict::Pass | Verdict::NotApplicable);
    cells::boxed(
        title(verdict),
        &html! {
            table.results {
                thead { tr { th scope="col" { "Resource" } th scope="col" { "Why" } th scope="col" { "Evidence" } } }
                tbody { @for row in rows { tr {
                    (resource(row)) td { (because(page, row)) }
                    td { @if brief { @for n in row.evidence.iter().take(12) { (cells::exchange_number(page, run, *n)) " " } } @else { (cells::citations(page, run, &row.evidence)) } }
                } } }
            }
        },
    )
}

fn resource(row: &Observation) -> Markup {
    html! {
        th scope="row" {
            (cells::foreign(&row.name))
            @if *row.name != *row.resource.as_str() { code.rid { (cells::foreign(row.resource.as_str())) } }
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
