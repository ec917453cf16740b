//! The waivers of the period: which are in force, which expired, which nobody needed, which were declared later than they say, which were renewed.

use maud::{Markup, html};

use crate::model::{WaiverId, WaiverStanding, WaiverUse, waived_control_days};
use crate::report::html::{Page, cells};
use crate::report::words::{self, grouped};

/// The section.
pub(crate) fn section(page: &Page<'_>) -> Markup {
    let all = page.reading.assessment.waivers.as_slice();
    html! {
        section #waivers aria-labelledby="waivers-h" {
            h2 #waivers-h { "Waivers" }
            @if all.is_empty() {
                p { "No waiver was declared in the period." }
            } @else {
                p {
                    "A waiver is an approved, dated and expiring acceptance of a failure. What it covers stays a failure in every table, with its reason; only the effective status leaves it out. "
                    b { (grouped(waived_control_days(all))) } " control-days of the period had at least one waived failure."
                }
                (groups(all))
                (table(all))
            }
        }
    }
}

fn groups(all: &[WaiverUse]) -> Markup {
    let standing = |wanted: WaiverStanding| all.iter().filter(|of| of.standing == wanted).collect::<Vec<_>>();
    html! {
        dl.facts {
            (group("In force at the end", &standing(WaiverStanding::InForce)))
            (group("Expired", &standing(WaiverStanding::Expired)))
            (group("Not in force yet", &standing(WaiverStanding::NotYet)))
            (group("Withdrawn: not in the newest run's files", &standing(WaiverStanding::Withdrawn)))
            (group("Unused: covered no failure in the period", &all.iter().filter(|of| of.is_unused()).collect::<Vec<_>>()))
            (group("Retroactive: a run after its approval did not hold it", &all.iter().filter(|of| of.retroactive.is_some()).collect::<Vec<_>>()))
            (group("Renewed, or a renewal", &all.iter().filter(|of| of.is_renewed()).collect::<Vec<_>>()))
            (group("Changed in the period", &all.iter().filter(|of| !of.changed.is_empty()).collect::<Vec<_>>()))
        }
    }
}

fn group(title: &str, members: &[&WaiverUse]) -> Markup {
    let (shown, total) = cells::capped(members);
    html! {
        div { dt { (title) } dd {
            @if members.is_empty() { "none" }
            @for of in shown { a href={ "#waiver-" (of.waiver.id) } { (of.waiver.id) } " " }
            @if shown.len() < total { "and more, in " a href="waivers.csv" { "waivers.csv" } }
        } }
    }
}

fn table(all: &[WaiverUse]) -> Markup {
    let (shown, total) = cells::capped(all);
    html! {
        (cells::boxed("Waivers", &html! {
            table.waivers {
                thead { tr {
                    th scope="col" { "Waiver" } th scope="col" { "Covers" } th scope="col" { "Reason" } th scope="col" { "Asked for and approved by" }
                    th scope="col" { "In force" } th scope="col" { "Use in the period" } th scope="col" { "To look at" }
                } }
                tbody { @for of in shown { (row(of)) } }
            }
        }))
        (cells::shown(shown.len(), total, "waivers.csv"))
    }
}

fn row(of: &WaiverUse) -> Markup {
    let waiver = &of.waiver;
    html! {
        tr id={ "waiver-" (waiver.id) } {
            th scope="row" { (waiver.id) span.meta { (cells::foreign(&waiver.ticket)) } }
            td { b { (waiver.control) } code.rid { (cells::foreign(&waiver.resource)) } }
            td { (cells::foreign(&waiver.reason)) @if let Some(instead) = &waiver.compensating { span.meta { "Instead: " (cells::foreign(instead)) } } }
            td { (cells::foreign(&waiver.requested_by)) span.meta { "approved by " (cells::foreign(&waiver.approved_by)) } }
            td { span.nb { (waiver.approved_on) } " to " span.nb { (waiver.expires_on) } span.meta { (cells::spoken(of.standing.as_str())) } }
            td { (words::plural(of.failures, "failure")) " in " (words::plural(words::length(&of.runs), "run")) span.meta { (of.days.len()) " control-days" } }
            td { (remarks(of)) }
        }
    }
}

/// What an auditor asks about.
fn remarks(of: &WaiverUse) -> Markup {
    html! {
        ul.reasons {
            @if of.is_unused() { li { "unused: it covered no failure" } }
            @if let Some(run) = &of.retroactive {
                li { "retroactive: run " code { (run) } " began after the day of approval and did not hold it; first declared in run " code { (of.first_run) } ", " (cells::time(of.first_declared_at)) }
            }
            @if let Some(renews) = &of.waiver.renews { li { "renews " (renews) } }
            @for by in &of.renewed_by { li { "renewed by " (by) } }
            @if of.is_renewed() { li { "all together from " span.nb { (of.spans.0) } " to " span.nb { (of.spans.1) } } }
            @if !of.changed.is_empty() { li { "had other terms in " (words::plural(words::length(&of.changed), "run")) } }
        }
    }
}

/// The waiver's row, where it is shown.
pub(crate) fn link(page: &Page<'_>, id: &WaiverId) -> Markup {
    let (shown, _total) = cells::capped(&page.reading.assessment.waivers);
    html! { @if shown.iter().any(|of| of.waiver.id == *id) { a href={ (page.first()) "#waiver-" (id) } { (id) } } @else { (id) } }
}
