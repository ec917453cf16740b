//! The deviation register: what failed when, for how long, and whether the cure held. Open ones first.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::model::{Control, ControlId, Severity};
use crate::model::{Episode, EpisodeOutcome, Sighting};
use crate::report::html::{Page, cells};
use crate::report::words::{grouped, instant, plural};

const SEVERITIES: [Severity; 5] = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info];

type Controls<'a> = BTreeMap<&'a ControlId, &'a Control>;

/// The section.
pub(crate) fn section(page: &Page<'_>) -> Markup {
    let of = page.reading.assessment;
    let controls: Controls<'_> = of.controls.iter().map(|of| (&of.control.id, &of.control)).collect();
    let mut episodes: Vec<&Episode> = of.episodes.iter().collect();
    let severity = |episode: &Episode| controls.get(&episode.control).map(|control| control.severity);
    episodes.sort_by_key(|episode| (episode.outcome != EpisodeOutcome::Open, severity(episode), episode.first_seen.at));
    let (rows, total) = cells::capped(&episodes);
    html! {
        section #deviations aria-labelledby="deviations-h" {
            h2 #deviations-h { "Deviation register" }
            p { "Each time in which a resource failed a control, derived from the observations of every sealed run; those that were cured in time are here too. What could not be told neither begins one nor ends one. When it began is known to the night: it was last seen good and first seen failing by the runs named. One that is open at the end of the period is open here, whatever came later." }
            @if episodes.is_empty() {
                p { "Nothing failed in this period, as far as runs tell." }
            } @else {
                (summary(page, &controls, &episodes))
                (cells::boxed("Deviation register", &html! {
                    table.deviations {
                        thead { tr { th scope="col" { "Control and resource" } th scope="col" { "First seen" } th scope="col" { "Outcome" } th.num scope="col" { "Lasted" } th scope="col" { "Why, and what is known of the cure" } } }
                        tbody { @for episode in rows { (row(page, &controls, episode)) } }
                    }
                }))
                (cells::shown(rows.len(), total, "deviations.csv"))
            }
        }
    }
}

/// How many of each severity, and what became of them.
fn summary(page: &Page<'_>, controls: &Controls<'_>, episodes: &[&Episode]) -> Markup {
    let of = |severity| episodes.iter().copied().filter(move |episode| controls.get(&episode.control).is_some_and(|control| control.severity == severity));
    html! {
        (cells::boxed("Deviations by severity", &html! {
            table {
                thead { tr {
                    th scope="col" { "Severity" } th.num scope="col" { "To be cured within" } th.num scope="col" { "All" } th.num scope="col" { "Cured in time" } th.num scope="col" { "Cured late" }
                    th.num scope="col" { "Open, in time" } th.num scope="col" { "Open, overdue" } th.num scope="col" { "Out of scope or gone" } th.num scope="col" { "Came back" }
                } }
                tbody { @for severity in SEVERITIES { @if of(severity).next().is_some() {
                    @let allowed = page.reading.days_allowed(severity);
                    @let count = |wanted: &dyn Fn(&Episode) -> bool| grouped(u64::try_from(of(severity).filter(|episode| wanted(episode)).count()).unwrap_or(u64::MAX));
                    @let in_time = |episode: &Episode| episode.within(allowed, page.reading.ends()) != Some(false);
                    tr {
                        th scope="row" { (severity.as_str()) }
                        td.num { @match allowed { Some(days) => (plural(days.into(), "day")), None => "no time set" } }
                        td.num { (count(&|_| true)) }
                        td.num { (count(&|episode| episode.outcome == EpisodeOutcome::Fixed && in_time(episode))) }
                        td.num { (count(&|episode| episode.outcome == EpisodeOutcome::Fixed && !in_time(episode))) }
                        td.num { (count(&|episode| episode.outcome == EpisodeOutcome::Open && in_time(episode))) }
                        td.num { (count(&|episode| episode.outcome == EpisodeOutcome::Open && !in_time(episode))) }
                        td.num { (count(&|episode| matches!(episode.outcome, EpisodeOutcome::Gone | EpisodeOutcome::OutOfScope))) }
                        td.num { (count(&|episode| episode.came_back)) }
                    }
                } } }
            }
        }))
    }
}

fn row(page: &Page<'_>, controls: &Controls<'_>, episode: &Episode) -> Markup {
    let control = controls.get(&episode.control).copied();
    let allowed = control.and_then(|control| page.reading.days_allowed(control.severity));
    let within = episode.within(allowed, page.reading.ends());
    let lasted = episode.lasted(page.reading.ends());
    html! {
        tr id={ "d-" (episode.id) } {
            th scope="row" {
                // What no run of the period judged has no section.
                @match control {
                    Some(control) => { (cells::control_link(episode.control.as_str())) ", " (control.severity.as_str()) span.meta { (cells::foreign(&control.owner)) } },
                    None => (episode.control),
                }
                span.meta { (cells::foreign(&episode.name)) }
                span.meta { code { (episode.id) } }
            }
            td { (seen(&episode.first_seen)) @if let Some(good) = &episode.last_good { span.meta { "last good " (cells::time(good.at)) } } @else { span.meta { "never seen good before" } } }
            td {
                b { (cells::spoken(episode.outcome.as_str())) } @if episode.waived { ", waived" }
                @match &episode.ended { Some(ended) => span.meta { (seen(ended)) }, None => span.meta { "last seen " (cells::time(episode.last_seen.at)) } }
            }
            td.num {
                (plural(u64::try_from(lasted.num_days()).unwrap_or(0), "day"))
                @match within { Some(true) => span.meta { "in time" }, Some(false) => span.meta { b { @if episode.ended.is_some() { "late" } @else { "overdue" } } }, None => {} }
            }
            td {
                (cells::foreign(&episode.because))
                @for note in notes(episode) { span.meta { (note) } }
                @for ticket in page.reading.tickets(episode) { span.meta { "ticket " (cells::foreign(ticket)) } }
            }
        }
    }
}

fn seen(sighting: &Sighting) -> Markup {
    html! { span title={ "run " (sighting.run) ", evaluation SHA-256 " (sighting.evaluation) } { time datetime=(instant(sighting.at)) { (instant(sighting.at)) } } }
}

fn notes(episode: &Episode) -> Vec<String> {
    let mut notes = Vec::new();
    if episode.again {
        notes.push("it had failed before and been cured: that cure did not hold".to_owned());
    }
    if episode.came_back {
        notes.push("it failed again later: this cure did not hold".to_owned());
    }
    if episode.redefined {
        notes.push("the control's definition changed between the last failure and the re-test".to_owned());
    }
    if episode.untold > 0 {
        notes.push(format!("{} since did not show it, or could not tell", plural(episode.untold.into(), "run")));
    }
    if let Some(ended) = &episode.ended {
        notes.push(format!("re-tested by run {}", ended.run));
    }
    notes
}
