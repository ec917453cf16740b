//! One HTML page that an auditor opens from a mail, without network, without our binary, without script.
//!
//! Everything that a source named is text to maud, which escapes it; the finished page is then searched for characters that act unseen (direction overrides, NUL), which are written out.
//! The page's own policy refuses everything but its style. Left out on purpose: whole tables (beyond `CAP` rows they are in the CSV files), scripts, pictures.

mod assurance;
mod calendar;
mod cells;
mod changes;
mod control;
mod cover;
mod criteria;
mod deviations;
mod ledger;
mod method;
mod results;
mod scope;
mod tasks;
mod waivers;

use std::collections::BTreeSet;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::model::{Assessment, RunId, Verdict, unseen};
use crate::report::reading::{self, Reading};
use crate::report::words;
use crate::report::{Format, ReportError, ReportFile};

/// Rows that a table shows at most; the rest is in the CSV file that the table names.
const CAP: usize = 200;

const STYLE: &str = include_str!("../../../reports/templates/report.css");

/// Nothing is loaded, nothing is run, nothing is sent; only the style in the page applies.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The HTML format.
pub(crate) struct Html;

impl Format for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn meaning(&self) -> &'static str {
        "one page for people: scope, conclusions, calendar, failures with their evidence"
    }

    fn render(&self, assessment: &Assessment) -> Result<Vec<ReportFile>, ReportError> {
        let page = Page::new(assessment);
        let text = document(&page).into_string();
        let safe = unseen::written_out(&text, |c| c != '\n').into_owned();
        Ok(vec![ReportFile { path: "index.html".to_owned(), bytes: safe.into_bytes() }])
    }
}

/// What every section of the page reads.
struct Page<'a> {
    reading: Reading<'a>,
    /// The exchanges that the evidence index shows, and that rows may therefore link to.
    indexed: BTreeSet<(&'a RunId, u32)>,
}

impl<'a> Page<'a> {
    fn new(assessment: &'a Assessment) -> Self {
        let reading = Reading::new(assessment);
        let indexed = indexed(&reading);
        Self { reading, indexed }
    }
}

/// The first `CAP` exchanges in the order in which a reader looks for them: behind failures, behind what is undetermined, behind the populations, then the rest.
fn indexed<'a>(reading: &Reading<'a>) -> BTreeSet<(&'a RunId, u32)> {
    let controls = reading.controls_by_urgency();
    let rows = [Verdict::Fail, Verdict::Undetermined, Verdict::Waived].into_iter().flat_map(|verdict| {
        controls.iter().filter_map(|control| reading::latest(control).map(|(run, _)| (*control, run))).flat_map(move |(control, run)| {
            let rows = reading::with_verdict(control, verdict).into_iter().take(CAP);
            rows.flat_map(move |seen| seen.evidence.iter().map(move |n| (run, *n)))
        })
    });
    let listings = reading.assessment.populations.iter().flat_map(|(run, population)| population.evidence.iter().map(move |n| (run, *n)));
    let rest = reading.assessment.evidence.iter().map(|cited| (&cited.run, cited.exchange.n));
    let mut indexed = BTreeSet::new();
    for key in rows.chain(listings).chain(rest) {
        if indexed.len() == CAP {
            break;
        }
        if reading.exchange(key.0, key.1).is_some() {
            indexed.insert(key);
        }
    }
    indexed
}

fn document(page: &Page<'_>) -> Markup {
    let of = page.reading.assessment;
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (of.entity) " · controls report · " (words::period_days(of)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "Skip to the report" }
                (cover::cover(page))
                div.frame {
                    (cover::contents(page))
                    main #main tabindex="-1" {
                        (cover::open_questions(page))
                        (scope::section(page))
                        (criteria::section(page))
                        (calendar::section(page))
                        (control::section(page))
                        (deviations::section(page))
                        (waivers::section(page))
                        (tasks::section(page))
                        (ledger::runs(page))
                        (ledger::evidence(page))
                        (assurance::section(page))
                        (method::verify(page))
                        (method::glossary())
                    }
                }
                footer { p { "Prepared by " (of.tool) " at " (cells::time(of.prepared_at)) ". Every number on this page comes from sealed runs; nothing was typed in." } }
            }
        }
    }
}
