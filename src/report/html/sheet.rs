//! A control's own pages, where the first page of the report does not carry every row: all its observations and findings, its calendar, and the exchanges behind each page's rows.
//!
//! Left out on purpose: what the first page says of the whole assessment; each page leads back to it.

use std::collections::BTreeSet;

use maud::{DOCTYPE, Markup, html};

use crate::model::{ControlAssessment, Finding, Observation, RunId, Verdict};
use crate::report::ReportError;
use crate::report::html::folder::{SHEET, path};
use crate::report::html::{Page, Place, calendar, cells, control, filter, foot, ledger, policy, results};
use crate::report::reading;
use crate::report::words::{self, grouped};

/// A table of a control, or a part of it.
#[derive(Clone, Copy)]
enum Rows<'p> {
    Seen(Verdict, &'p [Observation]),
    Told(&'p [&'p (RunId, Finding)]),
}

/// Some rows of a table, where they begin in it, and how many it has.
#[derive(Clone, Copy)]
struct Part<'p> {
    rows: Rows<'p>,
    from: usize,
    total: usize,
}

/// One page among those of its control.
struct Sheet<'p> {
    name: &'p str,
    number: usize,
    pages: usize,
    parts: &'p [Part<'p>],
}

/// Each page of a control, one after another, with its path.
///
/// # Errors
/// What `take` ends with.
pub(crate) fn each(
    first: &Page<'_>,
    of: &ControlAssessment,
    name: &str,
    mut take: impl FnMut(String, Markup) -> Result<(), ReportError>,
) -> Result<(), ReportError> {
    let seen: Vec<_> = results::ORDER.into_iter().map(|verdict| (verdict, of.observations.with_verdict(verdict).collect::<Vec<_>>())).collect();
    let told: Vec<_> = of.findings.iter().rev().collect();
    let tables = seen.iter().map(|(verdict, rows)| Rows::Seen(*verdict, rows)).chain([Rows::Told(&told)]);
    let pages = divided(tables, SHEET);
    for (index, parts) in pages.iter().enumerate() {
        let page = Page { reading: first.reading, indexed: cited(first, of, (index, parts)), folder: first.folder, place: Place::Control };
        let sheet = Sheet { name, number: index + 1, pages: pages.len(), parts };
        take(format!("controls/{}", path(name, sheet.number)), document(&page, of, &sheet))?;
    }
    Ok(())
}

impl<'p> Rows<'p> {
    fn len(self) -> usize {
        match self {
            Self::Seen(_, rows) => rows.len(),
            Self::Told(rows) => rows.len(),
        }
    }

    fn part(self, from: usize, most: usize) -> Self {
        let to = from.saturating_add(most).min(self.len());
        match self {
            Self::Seen(verdict, rows) => Self::Seen(verdict, rows.get(from..to).unwrap_or_default()),
            Self::Told(rows) => Self::Told(rows.get(from..to).unwrap_or_default()),
        }
    }
}

/// The tables in pages of at most `most` rows; a control without any row has a page too.
fn divided<'p>(tables: impl Iterator<Item = Rows<'p>>, most: usize) -> Vec<Vec<Part<'p>>> {
    let mut pages = Vec::new();
    let mut page = Vec::new();
    let mut room = most;
    for table in tables {
        let mut from = 0;
        while from < table.len() {
            if room == 0 {
                pages.push(std::mem::take(&mut page));
                room = most;
            }
            let rows = table.part(from, room);
            page.push(Part { rows, from, total: table.len() });
            (from, room) = (from + rows.len(), room - rows.len());
        }
    }
    pages.push(page);
    pages
}

/// The exchanges behind the rows of a page, and on the first one those that list the populations.
fn cited<'a>(first: &Page<'a>, of: &'a ControlAssessment, (index, parts): (usize, &[Part<'_>])) -> BTreeSet<(&'a RunId, u32)> {
    let Some((run, _)) = reading::latest(of) else { return BTreeSet::new() };
    let rows = parts.iter().flat_map(|part| match part.rows {
        Rows::Seen(_, rows) => rows,
        Rows::Told(_) => &[],
    });
    let tests = if index == 0 { of.control.tests.as_slice() } else { &[] };
    let listed = tests.iter().filter_map(|test| first.reading.population(run, &test.population)).flat_map(|population| {
        let ends = [population.evidence.first(), population.evidence.last()];
        ends.into_iter().flatten()
    });
    rows.flat_map(|row| row.evidence.iter()).chain(listed).filter(|n| first.reading.exchange(run, **n).is_some()).map(|n| (run, *n)).collect()
}

fn document(page: &Page<'_>, of: &ControlAssessment, sheet: &Sheet<'_>) -> Markup {
    let whole = page.reading.assessment;
    let id = of.control.id.as_str();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                (policy::head())
                title { (id) @if sheet.pages > 1 { ", page " (sheet.number) } " · " (whole.entity) " · controls report · " (words::period_days(whole)) }
            }
            body {
                a.skip href="#main" { "Skip to the control" }
                header.cover {
                    p.kicker { a href={ (page.first()) "#control-" (id) } { "Back to the controls report" } }
                    h1.control-title { span.id { (id) } " " (cells::foreign(&of.control.title)) }
                    p.period { (cells::foreign(&whole.entity)) ", " (words::period_days(whole)) }
                    (cells::badge(reading::conclusion(of)))
                    (pages(sheet, "Pages"))
                }
                main.sheet #main tabindex="-1" {
                    @if sheet.number == 1 { (about(page, of)) }
                    section aria-labelledby="rows-h" {
                        h2 #rows-h { "All rows" @if sheet.pages > 1 { ", page " (sheet.number) " of " (sheet.pages) } }
                        (filter::rows())
                        @if sheet.parts.is_empty() { p { "No run of the period judged this control, so it has no row." } }
                        @for part in sheet.parts { (table(page, of, *part)) }
                        (pages(sheet, "Pages, below"))
                    }
                    section aria-labelledby="evidence-h" {
                        h2 #evidence-h { "Evidence of this page" }
                        p { "The exchanges behind the rows above. Those of the whole report: " (cells::csv(page, "evidence.csv")) "." }
                        (ledger::index(page))
                    }
                }
                (foot(page))
                (policy::script())
            }
        }
    }
}

/// What the first page says of the control too, and each of its slots.
fn about(page: &Page<'_>, of: &ControlAssessment) -> Markup {
    html! {
        (control::about(page, of))
        section aria-labelledby="slots-h" {
            h2 #slots-h { "Over the period" }
            (control::schedules(of))
            (calendar::of_control(page, of))
        }
    }
}

fn table(page: &Page<'_>, of: &ControlAssessment, part: Part<'_>) -> Markup {
    let count = part.rows.len();
    let number = |n: usize| grouped(u64::try_from(n).unwrap_or(u64::MAX));
    let (title, file, table) = match part.rows {
        Rows::Seen(verdict, rows) => {
            let run = reading::latest(of).map(|(run, _)| run);
            (results::title(verdict), "results.csv", run.map(|run| results::table(page, run, verdict, rows)))
        }
        Rows::Told(rows) => ("Every finding of the period, newest first", "findings.csv", Some(control::findings(page, of, rows))),
    };
    html! {
        h3 { (title) " (" (number(part.total)) ")" }
        @if let Some(table) = table { (table) }
        p.rows { "Rows " (number(part.from + 1)) " to " (number(part.from + count)) " of " (number(part.total)) ". The same in a table: " (cells::csv(page, file)) "." }
    }
}

/// The way to the other pages and back.
fn pages(sheet: &Sheet<'_>, label: &str) -> Markup {
    let link = |number: usize, text: &str| html! { a href=(path(sheet.name, number)) { (text) } };
    html! {
        @if sheet.pages > 1 {
            nav.pages aria-label=(label) {
                p {
                    "Page " (sheet.number) " of " (sheet.pages) ". "
                    @if sheet.number > 1 { (link(1, "First")) " " (link(sheet.number - 1, "Previous")) " " }
                    @if sheet.number != sheet.pages { (link(sheet.number + 1, "Next")) " " (link(sheet.pages, "Last")) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Rows, divided};
    use crate::model::{Finding, RunId};

    #[test]
    fn every_row_is_on_one_page() {
        let row: (RunId, Finding) = serde_json::from_value(serde_json::json!(["20260301T020000Z-9f2c11aa", {
            "control": "A-1", "status": "satisfied", "reasons": [], "transient": false,
            "counts": {"pass": 1, "fail": 0, "waived": 0, "undetermined": 0, "not_applicable": 0},
        }]))
        .expect("a finding");
        let shapes = |tables: &[usize]| {
            let rows: Vec<Vec<_>> = tables.iter().map(|count| vec![&row; *count]).collect();
            let pages = divided(rows.iter().map(|rows| Rows::Told(rows)), 5);
            pages.iter().map(|page| page.iter().map(|part| (part.from, part.rows.len(), part.total)).collect::<Vec<_>>()).collect::<Vec<_>>()
        };
        assert_eq!(shapes(&[]), [[]]);
        assert_eq!(shapes(&[2, 0, 3]), [[(0, 2, 2), (0, 3, 3)]]);
        assert_eq!(shapes(&[7, 4]), [vec![(0, 5, 7)], vec![(5, 2, 7), (0, 3, 4)], vec![(3, 1, 4)]]);
    }
}
