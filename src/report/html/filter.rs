//! Search and filters over the controls, for readers whose browser runs the page's script; they stay hidden where it does not.
//!
//! The values are numbers and our own words, never a text that a source named. Left out: what the script does with them (`reports/templates/report.js`).

use std::collections::BTreeSet;

use maud::{Markup, html};

use crate::model::{ControlAssessment, CriterionId, Severity};
use crate::report::html::{Page, cells};
use crate::report::reading::{self, Conclusion};

const SEVERITIES: [Severity; 5] = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info];

/// The bar above the controls.
pub(crate) fn bar(page: &Page<'_>) -> Markup {
    let controls = &page.reading.assessment.controls;
    let severities: BTreeSet<Severity> = controls.iter().map(|of| of.control.severity).collect();
    html! {
        div.filter #filter role="search" aria-label="Controls" hidden {
            (text("Search ids, titles, resources and reasons"))
            fieldset {
                legend { "Conclusion" }
                @for conclusion in Conclusion::ALL {
                    @if page.reading.concluded(conclusion) > 0 {
                        label { input type="checkbox" value=(key(conclusion)); " " (cells::badge(conclusion)) }
                    }
                }
            }
            div {
                label for="filter-severity" { "Severity" }
                select #filter-severity {
                    option value="" { "all" }
                    @for severity in SEVERITIES.into_iter().filter(|severity| severities.contains(severity)) { option value=(severity.as_str()) { (severity.as_str()) } }
                }
            }
            div {
                label for="filter-owner" { "Owner" }
                select #filter-owner {
                    option value="" { "all" }
                    @for (number, owner) in owners(page).into_iter().enumerate() { option value=(number) { (owner) } }
                }
            }
            div { label for="filter-criterion" { "Framework or criterion" } (criteria(page)) }
            (told("The filter is for this section and its list in the contents; every other section shows everything."))
        }
    }
}

/// The bar of a control's own page: its rows alone.
pub(crate) fn rows() -> Markup {
    html! {
        div.filter #filter role="search" aria-label="Rows of this page" hidden {
            (text("Search resources and reasons on this page"))
            (told("The search is for the rows of this page."))
        }
    }
}

fn text(label: &str) -> Markup {
    html! {
        div.wide {
            label for="filter-text" { (label) }
            input #filter-text type="search" autocomplete="off" spellcheck="false";
        }
    }
}

/// What is shown, told to whoever does not see it change.
fn told(note: &str) -> Markup {
    html! { div.wide.told { p #filter-told role="status" {} button #filter-clear type="button" { "Show all" } p.note { (note) } } }
}

fn criteria(page: &Page<'_>) -> Markup {
    let covered: Vec<_> = page.reading.criteria().into_iter().filter(|of| !of.controls.is_empty()).collect();
    html! {
        select #filter-criterion {
            option value="" { "all" }
            @for group in covered.chunk_by(|a, b| framework(a.id) == framework(b.id)) {
                @if let Some(first) = group.first() {
                    optgroup label=(framework(first.id)) {
                        option value={ (framework(first.id)) ":" } { "any of " (first.criterion.map_or(framework(first.id), |criterion| criterion.framework.as_str())) }
                        @for of in group { option value=(of.id) { (of.id) " " (of.criterion.map_or("", |criterion| criterion.title.as_str())) } }
                    }
                }
            }
        }
    }
}

fn framework(id: &CriterionId) -> &str {
    id.as_str().split(':').next().unwrap_or(id.as_str())
}

/// In alphabetical order; the place of one is its value.
fn owners<'a>(page: &Page<'a>) -> Vec<&'a str> {
    let owners: BTreeSet<&str> = page.reading.assessment.controls.iter().map(|of| of.control.owner.as_str()).collect();
    owners.into_iter().collect()
}

/// What a control is filtered by.
pub(crate) struct Keys {
    pub(crate) conclusion: &'static str,
    pub(crate) severity: &'static str,
    pub(crate) owner: usize,
    pub(crate) criteria: String,
}

/// The keys of one control.
pub(crate) fn keys(page: &Page<'_>, of: &ControlAssessment) -> Keys {
    let criteria: Vec<&str> = of.control.satisfies.iter().map(CriterionId::as_str).collect();
    Keys {
        conclusion: key(reading::conclusion(of)),
        severity: of.control.severity.as_str(),
        owner: owners(page).binary_search(&of.control.owner.as_str()).unwrap_or_default(),
        criteria: criteria.join(" "),
    }
}

fn key(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Waived => "waived",
        other => other.as_str(),
    }
}
