//! One section for each control: what it says, how it was tested, what was found, and the four facts about the information behind it.

use std::collections::BTreeSet;

use maud::{Markup, html};

use crate::model::{Control, ControlAssessment, Finding, RunId, RunSummary, Test, WaivedFailures};
use crate::report::html::{Page, Place, cells, changes, cover, filter, redefined, results, scope};
use crate::report::reading::{self, ByRun, SlotCounts};
use crate::report::words::{self, grouped};

/// All controls: failures first, then what is undetermined or not run, then what is satisfied.
pub(crate) fn section(page: &Page<'_>) -> Markup {
    let total = page.reading.assessment.controls.len();
    html! {
        section #controls aria-labelledby="controls-h" {
            h2 #controls-h { "Controls" }
            p { "Failures first, then what is undetermined or was not run, then what is satisfied; the more severe before the less." }
            @if total > 0 { (filter::bar(page)) }
            @for control in page.reading.controls_by_urgency() { (article(page, control)) }
            (cells::shown(total, total, "controls.csv"))
        }
    }
}

fn article(page: &Page<'_>, of: &ControlAssessment) -> Markup {
    let id = of.control.id.as_str();
    let keys = filter::keys(page, of);
    html! {
        article.control id={ "control-" (id) } aria-labelledby={ "h-" (id) } data-conclusion=(keys.conclusion) data-severity=(keys.severity) data-owner=(keys.owner) data-criteria=(keys.criteria) {
            header {
                h3 id={ "h-" (id) } { span.id { (id) } " " (of.control.title) }
                (cells::badge(reading::conclusion(of)))
            }
            (about(page, of))
            @if let Some((run, _)) = reading::latest(of) { (results::tables(page, of, run)) }
            (cells::part(page, "Over the period"))
            (schedules(of))
            (history(page, of))
            @if let Some(link) = cells::own_page(page, &of.control.id) { p { "Every row, every slot: " (link) "." } }
        }
    }
}

/// What a control says, how it was tested and what was found, without the rows.
pub(crate) fn about(page: &Page<'_>, of: &ControlAssessment) -> Markup {
    html! {
        (statement(&of.control))
        (cells::part(page, "How it was tested"))
        @for (number, test) in (1_u32..).zip(&of.control.tests) { (how(page, of, number, test)) }
        (definition(page, of))
        (cells::part(page, "What the newest run found"))
        @match reading::latest(of) {
            None => p { "No run of the period judged this control, so nothing is known of it." },
            Some((run, finding)) => (conclusion(page, of, run, finding)),
        }
    }
}

/// When it was due, where that changed.
pub(crate) fn schedules(of: &ControlAssessment) -> Markup {
    html! {
        @if of.schedules.len() > 1 {
            p { b { "The schedule changed in the period." } " Each slot counts as it was due then:" }
            ul.reasons { @for due in &of.schedules { li { (cells::foreign(&due.words)) ", from run " code { (due.run) } " on, " (cells::time(due.since)) } } }
        }
    }
}

fn statement(control: &Control) -> Markup {
    html! {
        dl.facts.four {
            div { dt { "Owner" } dd { (control.owner) } }
            div { dt { "Severity" } dd { (control.severity.as_str()) } }
            div { dt { "Frequency" } dd { (control.frequency.as_str()) @if let Some(weekday) = control.weekday { ", from " (weekday.as_str()) " on" } @if let Some(schedule) = &control.schedule { ", at " code { (schedule) } } @if let Some(starts) = control.starts { ", since " (starts) } } }
            div { dt { "Criteria" } dd { @for id in &control.satisfies { code.tag { (id) } " " } } }
            div.wide { dt { "Why" } dd { (control.why) } }
            div.wide { dt { "Fix" } dd { (control.fix) } }
        }
    }
}

/// One test with its expressions exactly as written, then source, query and parameters, match to the source, gaps.
fn how(page: &Page<'_>, of: &ControlAssessment, number: u32, test: &Test) -> Markup {
    let run = reading::latest(of).map(|(run, _)| run);
    html! {
        @if of.control.tests.len() > 1 { @match page.place { Place::First => h5 { "Test " (number) }, Place::Control => h3 { "Test " (number) } } }
        dl.test {
            div { dt { "Population" } dd { code { (test.population) } @if test.may_be_empty { " (an empty one satisfies the test)" } } }
            @if !test.listed_by.is_empty() { div { dt { "Has to be listed by" } dd { @for name in &test.listed_by { code { "params." (name) } " " } } } }
            div { dt { "Applies where" } dd { @match &test.filter { Some(filter) => pre { code { (filter.0) } }, None => "to every member" } } }
            div { dt { "Requires" } dd { pre { code { (test.require.0) } } } }
            @if let Some(because) = &test.because { div { dt { "Says why with" } dd { pre { code { (because.0) } } } } }
        }
        (provenance(page, of, run, test))
    }
}

fn provenance(page: &Page<'_>, of: &ControlAssessment, run: Option<&RunId>, test: &Test) -> Markup {
    let population = run.and_then(|run| page.reading.population(run, &test.population).map(|population| (run, population)));
    let parameters = reading::parameters(of);
    let slots = SlotCounts::of(&of.slots);
    html! {
        dl.ipe aria-label="About the information tested" {
            @match population {
                None => { div { dt { "Source" } dd { "this population was not enumerated in the period" } } },
                Some((run, population)) => {
                    div { dt { "Source" } dd { (hosts(page, run, &population.evidence)) "; run " code { (run) } @if let Some(summary) = page.reading.run(run) { ", " (cells::time(summary.started_at)) " to " (cells::time(summary.ended_at)) } } }
                    div { dt { "Query and parameters" } dd {
                        (cells::foreign(&population.definition)) "; " (scope::listing(page, run, population))
                        @if !parameters.is_empty() { "; parameters " code { (parameters) } }
                    } }
                    div { dt { "Match to the source" } dd { (cells::foreign(&words::tallies(population))) } }
                },
            }
            div { dt { "Gaps in sequence or timing" } dd {
                @match population {
                    Some((_, population)) => { (words::completeness_meaning(population.completeness())) "; " },
                    None => "nothing was read; ",
                }
                "nothing ran in " (grouped(slots.not_run + slots.reconstructed)) " of " (grouped(slots.due())) " due slots"
                @if slots.reconstructed > 0 { ", of which " (grouped(slots.reconstructed)) " were told afterwards" } ", longest gap: " span.nb { (slots.gap_text()) }
                @if let Some((_, population)) = population { (cells::gaps(page, &population.gaps)) }
            } }
        }
    }
}

fn hosts(page: &Page<'_>, run: &RunId, numbers: &[u32]) -> Markup {
    let hosts: BTreeSet<&str> = numbers.iter().filter_map(|n| page.reading.exchange(run, *n)).map(|exchange| words::host(&exchange.url)).collect();
    let hosts: Vec<&str> = hosts.into_iter().collect();
    html! { @if hosts.is_empty() { "no exchange of this assessment" } @else { (cells::foreign(&hosts.join(", "))) } }
}

/// The definition in force, and where it changed in the period each one with the run that had it first.
fn definition(page: &Page<'_>, of: &ControlAssessment) -> Markup {
    let spans = changes::definitions(of);
    html! {
        p.definition { "Definition " (cells::digest(&of.control.digest)) " from " code { (of.control.file) } "." }
        @if spans.len() > 1 {
            p { strong { "The definition changed in the period." } " Each run was judged by the one that it had:" }
            ol.reasons { @for span in &spans {
                li {
                    (cells::digest(&span.digest)) " from run " code { (span.first) } " on" @if let Some(run) = page.reading.run(span.first) { ", " (cells::time(run.started_at)) }
                    ", in " (words::plural(span.runs, "run")) @if span.digest == of.control.digest { ", the one above" }
                }
            } }
        }
        (redefined::of_control(of))
    }
}

fn conclusion(page: &Page<'_>, of: &ControlAssessment, run: &RunId, finding: &Finding) -> Markup {
    let counts = finding.counts;
    html! {
        p {
            (cells::badge(finding.into())) @if finding.counts.waived > 0 { ", without waivers " b { "not satisfied" } "," } " in run " code { (run) }
            @if let Some(summary) = page.reading.run(run) { " of " (cells::time(summary.started_at)) (reconstruction(summary)) }
            @if let Some(slot) = ByRun::of(of).slot(run) { ", slot " span.nb { (slot) } }
            ". Of " b { (grouped(counts.in_scope())) " in scope" } ": "
            b { (grouped(counts.fail)) " fail" } ", " b { (grouped(counts.undetermined)) " undetermined" } ", " b { (grouped(counts.waived)) " waived" } ", "
            b { (grouped(counts.pass)) " pass" } ". " (grouped(counts.not_applicable)) " out of scope."
        }
        div.finding { (cover::reasons(page, &finding.reasons)) }
        (cover::reasons(page, &finding.waived_by.iter().map(WaivedFailures::told).collect::<Vec<_>>()))
    }
}

/// So that nobody takes what was told afterwards for a run.
fn reconstruction(run: &RunSummary) -> Markup {
    html! { @if let Some(as_of) = run.as_of { ", " b { "reconstructed" } ": what there was at " (cells::time(as_of)) } }
}

fn history(page: &Page<'_>, of: &ControlAssessment) -> Markup {
    let slots = SlotCounts::of(&of.slots);
    let newest: Vec<_> = of.findings.iter().rev().collect();
    let rows = newest.get(..page.folder.most()).unwrap_or(&newest);
    html! {
        p {
            "Ran in " b { (grouped(slots.ran())) " of " (grouped(slots.due())) } " due slots: " (grouped(slots.fail)) " fail, " (grouped(slots.undetermined)) " undetermined, "
            @if slots.partial > 0 { (grouped(slots.partial)) " partial, " }
            @if slots.late > 0 { (grouped(slots.late)) " passed late, " }
            @if slots.waived > 0 { (grouped(slots.waived)) " waived, " }
            (grouped(slots.pass)) " pass; " (grouped(slots.not_run)) " not run"
            @if slots.reconstructed > 0 { ", " (grouped(slots.reconstructed)) " reconstructed afterwards" } ". Longest gap: " span.nb { (slots.gap_text()) } "."
        }
        @if !newest.is_empty() {
            details {
                summary { "Every finding of the period, newest first (" (grouped(words::length(&newest))) ")" }
                (findings(page, of, rows))
                (cells::shown_of(page, &of.control.id, rows.len(), newest.len(), "findings.csv"))
            }
        }
    }
}

/// A row for each run that judged it.
pub(crate) fn findings(page: &Page<'_>, of: &ControlAssessment, rows: &[&(RunId, Finding)]) -> Markup {
    let by_run = ByRun::of(of);
    cells::boxed(
        "Findings of the period",
        &html! {
            table {
                thead { tr { th scope="col" { "Run" } th scope="col" { "Slot" } th scope="col" { "Finding" } th.num scope="col" { "Fail" } th.num scope="col" { "Undetermined" } th.num scope="col" { "Waived" } th.num scope="col" { "In scope" } th scope="col" { "Reasons" } } }
                tbody { @for (run, finding) in rows { (history_row(page, by_run.slot(run), run, finding)) } }
            }
        },
    )
}

fn history_row(page: &Page<'_>, slot: Option<&str>, run: &RunId, finding: &Finding) -> Markup {
    html! {
        tr {
            th scope="row" { code { (run) } @if let Some(summary) = page.reading.run(run) { span.meta { (cells::time(summary.started_at)) (reconstruction(summary)) } } }
            td.nb { @if let Some(slot) = slot { (slot) } }
            td { (cells::badge(finding.into())) }
            td.num { (grouped(finding.counts.fail)) } td.num { (grouped(finding.counts.undetermined)) } td.num { (grouped(finding.counts.waived)) } td.num { (grouped(finding.counts.in_scope())) }
            td { (cover::reasons(page, &finding.reasons)) }
        }
    }
}
