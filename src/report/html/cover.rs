//! What a reader sees first: whom and when it is about, how the controls stand, and what could not be determined.

use maud::{Markup, html};

use crate::model::{Assessment, ControlAssessment, Gap, MissingPermission, Population, RunId, waived_control_days};
use crate::report::html::{Page, cells};
use crate::report::reading::{self, Conclusion};
use crate::report::words::{self, grouped};

/// The cover.
pub(crate) fn cover(page: &Page<'_>) -> Markup {
    let of = page.reading.assessment;
    html! {
        header.cover {
            p.kicker { "Controls report" }
            h1 { (cells::foreign(&of.entity)) }
            p.period { (words::period_days(of)) }
            (standing(page))
            (facts(of))
        }
    }
}

fn standing(page: &Page<'_>) -> Markup {
    let total = words::length(&page.reading.assessment.controls);
    let slots = page.reading.slots();
    html! {
        ul.standing aria-label="Controls by the newest finding of the period" {
            @for conclusion in Conclusion::ALL {
                li { p { b.figure { (grouped(page.reading.concluded(conclusion))) } " of " (grouped(total)) " controls" } (cells::badge(conclusion)) }
            }
        }
        (observed(page))
        p.slots {
            "Over the whole period: of " (grouped(slots.due())) " slots due by now, "
            b { (grouped(slots.fail)) " failed" } ", "
            b { (grouped(slots.undetermined)) " undetermined" } ", "
            @if slots.partial > 0 { b { (grouped(slots.partial)) " partial" } ", " }
            b { (grouped(slots.not_run)) " not run" } ", "
            @if slots.reconstructed > 0 { b { (grouped(slots.reconstructed)) " reconstructed" } ", " }
            @if slots.waived > 0 { b { (grouped(slots.waived)) " passed with waivers" } ", " }
            @if slots.late > 0 { b { (grouped(slots.late)) " passed late" } ", " }
            b { (grouped(slots.pass)) " passed" } ". "
            (grouped(slots.pending)) " more are pending, " (grouped(slots.before_start)) " ended before the first sealed run."
        }
    }
}

/// What fails and what is waived, apart: a waived failure is a failure still.
fn observed(page: &Page<'_>) -> Markup {
    let newest = || page.reading.assessment.controls.iter().filter_map(reading::latest).map(|(_, finding)| finding.counts);
    let (fail, waived): (u64, u64) = (newest().map(|counts| counts.fail).sum(), newest().map(|counts| counts.waived).sum());
    html! {
        p.slots {
            "In the newest run of each control " b { (grouped(fail)) " resources fail" } " and " b { (grouped(waived)) " more fail and are waived" } "; without waivers "
            b { (grouped(page.reading.raw_failing())) } " controls are not satisfied. "
            (grouped(waived_control_days(&page.reading.assessment.waivers))) " control-days of the period were waived: " a href="#waivers" { "waivers" } "."
        }
    }
}

fn facts(of: &Assessment) -> Markup {
    let local = |at| words::local_instant(at, &of.time_zone).unwrap_or_else(|| "not known: the time zone has no such name".to_owned());
    let mut frameworks: Vec<&str> = of.criteria.iter().map(|criterion| criterion.framework.as_str()).collect();
    frameworks.sort_unstable();
    frameworks.dedup();
    html! {
        dl.facts {
            div { dt { "Period, " (of.time_zone) } dd { span.nb { (local(of.period.start())) } " up to, not including, " span.nb { (local(of.period.end())) } } }
            @if of.time_zone != "UTC" { div { dt { "Period, UTC" } dd { (cells::time(of.period.start())) " up to, not including, " (cells::time(of.period.end())) } } }
            div { dt { "Prepared" } dd { (cells::time(of.prepared_at)) " by " (of.tool) } }
            div { dt { "Evidence store" } dd { code { (of.store) } } }
            div { dt { "Sealed runs" } dd {
                (grouped(words::length(&of.runs)))
                @if let (Some(first), Some(last)) = (of.runs.first(), of.runs.last()) { ", from " (cells::time(first.started_at)) " to " (cells::time(last.ended_at)) }
            } }
            @if !frameworks.is_empty() { div { dt { "Frameworks" } dd { (frameworks.join(", ")) } } }
        }
    }
}

/// The table of contents.
pub(crate) fn contents(page: &Page<'_>) -> Markup {
    html! {
        nav.contents aria-label="Contents" {
            h2 { "Contents" }
            ol {
                li { a href="#open" { "What could not be determined" } }
                li { a href="#scope" { "Scope and completeness" } }
                li { a href="#changes" { "Changes in the period" } }
                li { a href="#criteria" { "Conclusions by criterion" } }
                li { a href="#calendar" { "Operating calendar" } }
                li {
                    a href="#controls" { "Controls" }
                    ul {
                        @for control in page.reading.controls_by_urgency() {
                            li { a href={ "#control-" (control.control.id) } { (control.control.id) } " " (cells::badge(reading::conclusion(control))) }
                        }
                    }
                }
                li { a href="#deviations" { "Deviation register" } }
                li { a href="#waivers" { "Waivers" } }
                li { a href="#tasks" { "Security tasks" } }
                li { a href="#runs" { "Run ledger" } }
                li { a href="#evidence" { "Evidence index" } }
                li { a href="#assurance" { "What this rests on" } }
                li { a href="#verify" { "How to verify" } }
                li { a href="#about" { "About this file" } }
                li { a href="#glossary" { "Terms" } }
            }
        }
    }
}

/// What is not known, why, and what would cure it: on page one, because an unknown is never a pass.
pub(crate) fn open_questions(page: &Page<'_>) -> Markup {
    let open: Vec<_> = page.reading.controls_by_urgency().into_iter().filter(|control| is_open(control)).collect();
    let holes: Vec<_> =
        page.reading.assessment.populations.iter().filter(|(_, population)| !population.completeness().is_complete()).flat_map(holes_of).collect();
    let (shown, total) = cells::capped(&holes);
    html! {
        section #open aria-labelledby="open-h" {
            h2 #open-h { "What could not be determined" }
            @if open.is_empty() && holes.is_empty() {
                p { "Nothing. Every control was judged, and every population was read to its last page and agrees with its second count where there is one." }
            } @else {
                p { "An unknown is never counted as a pass. Each row says what is missing and, where it is known, the permission or setting that would cure it." }
                (cells::boxed("What could not be determined", &html! {
                    table {
                        thead { tr { th scope="col" { "What" } th scope="col" { "Why it is not known" } th scope="col" { "Cure" } } }
                        tbody {
                            @for control in &open { (open_row(page, control)) }
                            @for hole in shown { (hole_row(hole)) }
                        }
                    }
                }))
                (cells::shown(open.len() + shown.len(), open.len() + total, "populations.csv"))
                @if !page.reading.assessment.permissions.is_empty() { (permissions(&page.reading.assessment.permissions)) }
            }
        }
    }
}

/// The permission ledger: what to grant, and what it would open.
fn permissions(missing: &[MissingPermission]) -> Markup {
    let (shown, total) = cells::capped(missing);
    html! {
        h3 { "What to grant" }
        p { "Permissions and settings that the credentials of the newest runs lack. The controls named beside each stay undetermined, in part or as a whole, until somebody grants it; the runs themselves need no change." }
        (cells::boxed("What to grant", &html! {
            table.grants {
                thead { tr { th scope="col" { "Permission" } th scope="col" { "Controls it leaves open" } th.num scope="col" { "Observations" } th scope="col" { "What is not seen" } } }
                tbody {
                    @for row in shown {
                        tr {
                            th scope="row" { (cells::foreign(&row.cure)) }
                            td { @for control in &row.controls { (cells::control_link(control.as_str())) " " } }
                            td.num { (grouped(row.observations)) }
                            td { @for unseen in &row.unseen { code { (unseen) } " " } span.meta { (cells::foreign(&row.example)) } }
                        }
                    }
                }
            }
        }))
        (cells::shown(shown.len(), total, "permissions.csv"))
    }
}

type Hole<'a> = (&'a RunId, &'a Population, Option<&'a Gap>);

/// Each gap of a population; a population that is not complete without a gap (two counts disagree) has one hole without.
fn holes_of((run, population): &(RunId, Population)) -> Vec<Hole<'_>> {
    if population.gaps.is_empty() { vec![(run, population, None)] } else { population.gaps.iter().map(|gap| (run, population, Some(gap))).collect() }
}

fn hole_row((run, population, gap): &Hole<'_>) -> Markup {
    html! {
        tr {
            th scope="row" { code { (population.kind) } span.meta { "population, run " code { (run) } } }
            @match gap {
                Some(gap) => { td { (words::gap_cause(gap.cause)) ": " (cells::foreign(&gap.detail)) } td { @match &gap.cure { Some(cure) => (cells::foreign(cure)), None => "not known" } } },
                None => { td { (words::completeness_meaning(population.completeness())) } td { "not known; the counts are below" } },
            }
        }
    }
}

fn is_open(control: &ControlAssessment) -> bool {
    match reading::conclusion(control) {
        Conclusion::Undetermined | Conclusion::NotRun => true,
        Conclusion::NotSatisfied => reading::latest(control).is_some_and(|(_, finding)| finding.counts.undetermined > 0),
        Conclusion::Waived | Conclusion::Satisfied => false,
    }
}

fn open_row(page: &Page<'_>, control: &ControlAssessment) -> Markup {
    let finding = reading::latest(control).map(|(_, finding)| finding);
    html! {
        tr {
            th scope="row" { (cells::control_link(control.control.id.as_str())) " " (cells::badge(reading::conclusion(control))) span.meta { (control.control.title) } }
            @match finding {
                None => { td { "no run of the period judged it" } td { "run " code { "proofline collect" } } }
                Some(finding) => {
                    td {
                        @if finding.counts.undetermined > 0 { (grouped(finding.counts.undetermined)) " of " (grouped(finding.counts.in_scope())) " in scope undetermined" }
                        (reasons(page, &finding.reasons))
                    }
                    td { @if finding.transient { "the next run may settle it" } @else { "as named in the reason" } }
                }
            }
        }
    }
}

/// Reasons as a list, cut at twelve.
pub(crate) fn reasons(page: &Page<'_>, reasons: &[String]) -> Markup {
    const MOST: usize = 12;
    html! {
        @if !reasons.is_empty() {
            ul.reasons {
                @for reason in reasons.iter().take(MOST) { li { (cells::foreign(reason)) } }
                @if reasons.len() > MOST { li.note { "and " (reasons.len() - MOST) " more, in " (cells::csv(page, "findings.csv")) } }
            }
        }
    }
}
