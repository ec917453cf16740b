//! What was looked at, and the proof that it is all of it.

use maud::{Markup, html};

use crate::model::{Population, RunId, Scope, Tally};
use crate::report::html::{Page, cells};
use crate::report::words::{self, grouped};

/// Tenants that one population shows; an organisation may have hundreds of projects.
const TENANTS: usize = 40;

/// The section.
pub(crate) fn section(page: &Page<'_>) -> Markup {
    let of = page.reading.assessment;
    html! {
        section #scope aria-labelledby="scope-h" {
            h2 #scope-h { "Scope and completeness" }
            @match &of.scope {
                Some(scope) => (tenants(scope)),
                None => p { "No run was sealed in the period, so nothing is known of the scope." },
            }
            p { "What runs looked at " @match of.scope_changes.len() { 0 => "did not change in the period", _ => { "changed in the period: " a href="#changes" { "changes" } } } "." }
            h3 { "Populations" }
            p { "What the newest run of each control enumerated, to the last page, beside a second count from an independent source." }
            (populations(page))
        }
    }
}

fn tenants(scope: &Scope) -> Markup {
    let texts = |items: &[String]| html! { @if items.is_empty() { "none" } @else { (cells::foreign(&items.join(", "))) } };
    let parents: Vec<String> = scope.gcp_parents.iter().map(ToString::to_string).collect();
    let boards: Vec<String> = scope.boards.projects.iter().map(ToString::to_string).collect();
    html! {
        dl.facts {
            div { dt { "GitHub organisations" } dd { (texts(&scope.github_organizations)) } }
            @if let Some(enterprise) = &scope.github_enterprise { div { dt { "GitHub enterprise" } dd { (cells::foreign(enterprise)) } } }
            div { dt { "Google Cloud parents" } dd { (texts(&parents)) } }
            div { dt { "Task labels" } dd { (texts(&scope.issue_labels)) } }
            @if !scope.release_workflows.is_empty() { div { dt { "Release workflows" } dd { (texts(&scope.release_workflows)) } } }
            @if !boards.is_empty() { div { dt { "Boards" } dd { (texts(&boards)) } } }
            div { dt { "Window of changes" } dd { (cells::time(scope.window.start())) " up to, not including, " (cells::time(scope.window.end())) } }
        }
    }
}

fn populations(page: &Page<'_>) -> Markup {
    let (rows, _) = cells::capped(&page.reading.assessment.populations);
    html! {
        (cells::boxed("Populations", &html! {
            table.populations {
                thead { tr {
                    th scope="col" { "Kind" } th scope="col" { "Tenant" } th.num scope="col" { "Count" }
                    th scope="col" { "Second count and its source" } th scope="col" { "Completeness" }
                } }
                @for (run, population) in rows { tbody { (population_rows(page, run, population)) } }
            }
        }))
        (cells::shown(lines(rows, TENANTS), lines(&page.reading.assessment.populations, usize::MAX), "populations.csv"))
    }
}

/// Lines of the table where a population shows at most `most` tenants; one without tenants has a line too.
fn lines(populations: &[(RunId, Population)], most: usize) -> usize {
    populations.iter().map(|(_, population)| population.tallies.len().clamp(1, most)).sum()
}

fn population_rows(page: &Page<'_>, run: &RunId, population: &Population) -> Markup {
    let tallies = population.tallies.get(..TENANTS).unwrap_or(&population.tallies);
    let span = tallies.len().max(1);
    let head = html! {
        th scope="rowgroup" rowspan=(span) {
            code { (population.kind) }
            span.meta { (cells::foreign(&population.definition)) }
            span.meta { "run " code { (run) } ", " (listing(page, run, population)) }
        }
    };
    let state = html! {
        td rowspan=(span) {
            b { (words::completeness(population.completeness())) }
            span.meta { (words::completeness_meaning(population.completeness())) }
            (cells::gaps(page, &population.gaps))
        }
    };
    html! {
        @if population.tallies.is_empty() { tr { (head) td colspan="3" { "nothing could be counted" } (state) } }
        @for (index, tally) in tallies.iter().enumerate() {
            tr { @if index == 0 { (head) } (tally_cells(tally)) @if index == 0 { (state) } }
        }
    }
}

fn tally_cells(tally: &Tally) -> Markup {
    html! {
        td { (cells::foreign(&tally.tenant)) }
        td.num { (grouped(tally.count)) }
        td {
            @match tally.second_count {
                Some(second) if second == tally.count => { (grouped(second)) " =" },
                Some(second) => b { (grouped(second)) " ≠" },
                None => "none",
            }
            span.meta { (cells::foreign(&tally.second_source)) }
        }
    }
}

/// The exchanges that list the members, from the first page to the last.
pub(crate) fn listing(page: &Page<'_>, run: &RunId, population: &Population) -> Markup {
    html! {
        @match (population.evidence.first(), population.evidence.last()) {
            (Some(first), Some(last)) if first != last => {
                (words::plural(words::length(&population.evidence), "exchange")) ", " (cells::exchange_number(page, run, *first)) " to " (cells::exchange_number(page, run, *last))
            },
            (Some(only), _) => { "1 exchange, " (cells::exchange_number(page, run, *only)) },
            (None, _) => "no exchange lists it",
        }
    }
}
