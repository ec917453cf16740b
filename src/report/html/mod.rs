//! One HTML page that an auditor opens from a mail, without network, without our binary, and whole without script; and a page for each control where one page cannot carry every row.
//!
//! Everything that a source named is text to maud, which escapes it; the finished page is then searched for characters that act unseen (direction overrides, NUL), which are written out.
//! The page's own policy refuses everything but its style and its script (`policy`), which filters what is on the page. Left out on purpose: whole tables on the first page (beyond `CAP`
//! rows they are on the controls' own pages and in the CSV files), pictures.

mod assurance;
mod calendar;
mod cells;
mod changes;
mod control;
mod cover;
mod criteria;
mod deviations;
mod filter;
mod folder;
mod ledger;
mod method;
mod months;
mod policy;
mod redefined;
mod results;
mod scope;
mod sheet;
mod spells;
mod tasks;
mod waivers;

use std::collections::BTreeSet;

use maud::{DOCTYPE, Markup, html};

use crate::model::{Assessment, RunId, Verdict, unseen};
use crate::report::html::folder::Folder;
use crate::report::reading::{self, Reading};
use crate::report::words;
use crate::report::{Files, Format, ReportError, put};

/// Rows that a table shows at most; the rest is in the CSV file that the table names.
const CAP: usize = 200;

/// The HTML format.
pub(crate) struct Html;

impl Format for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn meaning(&self) -> &'static str {
        "one page for people: scope, conclusions, calendar, failures with their evidence; a large one with a page for each control"
    }

    fn render(&self, assessment: &Assessment, into: &mut dyn Files) -> Result<(), ReportError> {
        let reading = Reading::new(assessment);
        let folder = Folder::of(&reading);
        let page = Page { reading: &reading, indexed: indexed(&reading), folder: &folder, place: Place::First };
        file(into, "index.html", document(&page))?;
        for control in &assessment.controls {
            let Some(name) = folder.name(&control.control.id) else { continue };
            sheet::each(&page, control, name, |path, text| file(into, &path, text))?;
        }
        Ok(())
    }
}

/// Writes a finished page, in which nothing acts unseen.
fn file(into: &mut dyn Files, path: &str, text: Markup) -> Result<(), ReportError> {
    let text = text.into_string();
    let safe = unseen::written_out(&text, |c| c != '\n');
    put(into, path, safe.as_bytes()).map(drop)
}

/// What every section of a page reads.
struct Page<'a> {
    reading: &'a Reading<'a>,
    /// The exchanges that the evidence index of the page shows, and that rows may therefore link to.
    indexed: BTreeSet<(&'a RunId, u32)>,
    folder: &'a Folder,
    place: Place,
}

/// Which page it is, and so where its links lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// `index.html`.
    First,
    /// A page of one control, a folder below.
    Control,
}

impl Page<'_> {
    /// The way to the other files of the report.
    fn up(&self) -> &'static str {
        match self.place {
            Place::First => "",
            Place::Control => "../",
        }
    }

    /// The way to what the first page alone has, before its `#`.
    fn first(&self) -> &'static str {
        match self.place {
            Place::First => "",
            Place::Control => "../index.html",
        }
    }
}

/// The first `CAP` exchanges in the order in which a reader looks for them: behind failures, behind what is undetermined, behind the populations, then the rest.
fn indexed<'a>(reading: &Reading<'a>) -> BTreeSet<(&'a RunId, u32)> {
    let controls = reading.controls_by_urgency();
    let rows = [Verdict::Fail, Verdict::Undetermined, Verdict::Waived].into_iter().flat_map(|verdict| {
        controls.iter().filter_map(|control| reading::latest(control).map(|(run, _)| (*control, run))).flat_map(move |(control, run)| {
            let rows = control.observations.with_verdict(verdict).take(CAP);
            rows.flat_map(move |seen| seen.evidence.iter().map(|n| (run, *n)).collect::<Vec<_>>())
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
                (policy::head())
                title { (of.entity) " · controls report · " (words::period_days(of)) }
            }
            body {
                a.skip href="#main" { "Skip to the report" }
                (cover::cover(page))
                div.frame {
                    (cover::contents(page))
                    main #main tabindex="-1" {
                        (cover::open_questions(page))
                        (scope::section(page))
                        (changes::section(page))
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
                        (method::about(page))
                        (method::glossary())
                    }
                }
                (foot(page))
                (policy::script())
            }
        }
    }
}

fn foot(page: &Page<'_>) -> Markup {
    let of = page.reading.assessment;
    html! {
        footer {
            p {
                "Prepared by " (of.tool) " at " (cells::time(of.prepared_at)) ". Every number on this page comes from sealed runs; nothing was typed in. "
                a href={ (page.first()) "#about" } { "Sources, parameters, counts and gaps" }
            }
        }
    }
}
