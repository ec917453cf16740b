//! Small pieces that every section is made of: states, instants, digests, citations, tables in their own scrolling box.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::model::{ControlId, Digest, Gap, RunId, SlotState};
use crate::report::html::{CAP, Page, Place, folder};
use crate::report::reading::Conclusion;
use crate::report::words;

/// Characters of a foreign text that the page shows; the whole text is in the CSV files.
const CLIP: usize = 240;

/// Citations that one row shows.
const CITED: usize = 6;

/// A conclusion as a sign, a word and a colour; the word alone is enough.
pub(crate) fn badge(conclusion: Conclusion) -> Markup {
    let (class, sign) = match conclusion {
        Conclusion::NotSatisfied => ("fail", "✗"),
        Conclusion::Undetermined => ("undetermined", "?"),
        Conclusion::NotRun => ("not-run", "–"),
        Conclusion::Waived => ("waived", "◇"),
        Conclusion::Satisfied => ("pass", "✓"),
    };
    html! { span.badge.(class) { span aria-hidden="true" { (sign) } " " (spoken(conclusion.as_str())) @if conclusion == Conclusion::Waived { " with waivers" } } }
}

/// The sign of a slot in the calendar.
pub(crate) fn sign(state: SlotState) -> &'static str {
    match state {
        SlotState::Pass => "✓",
        SlotState::Waived => "◇",
        SlotState::Fail => "✗",
        SlotState::Undetermined => "?",
        SlotState::Partial => "◐",
        SlotState::Late => "»",
        SlotState::Reconstructed => "↺",
        SlotState::NotRun => "–",
        SlotState::Pending => "…",
        SlotState::BeforeStart => "·",
    }
}

/// The words of the CSV files without their hyphens.
pub(crate) fn spoken(word: &str) -> String {
    word.replace('-', " ")
}

/// Text that a source named: apart from the direction of its surroundings, and cut where it is very long.
pub(crate) fn foreign(text: &str) -> Markup {
    let total = text.chars().count();
    if total <= CLIP {
        return html! { bdi { (text) } };
    }
    let head: String = text.chars().take(CLIP).collect();
    html! { bdi { (head) } " … " span.note { "(" (words::grouped(u64::try_from(total).unwrap_or(u64::MAX))) " characters; whole in the CSV file)" } }
}

/// An instant in UTC.
pub(crate) fn time(at: DateTime<Utc>) -> Markup {
    let text = words::instant(at);
    html! { time datetime=(text) { (text) } }
}

/// A digest: all 64 digits are there to be selected and copied, the first twelve are seen.
pub(crate) fn digest(digest: &Digest) -> Markup {
    let text = digest.to_string();
    html! { code.sha title=(text) { (text) } }
}

/// A wide thing in a box of its own that scrolls by finger and by keyboard.
pub(crate) fn boxed(label: &str, table: &Markup) -> Markup {
    html! { div.scroll role="group" aria-label=(label) tabindex="0" { (table) } }
}

/// How much of a table is shown, and which file has all of it.
pub(crate) fn shown(shown: usize, total: usize, file: &str) -> Markup {
    html! { p.rows { (counted(shown, total)) "All rows: " a href=(file) { (file) } } }
}

/// The same for a table of a control, which has all of it on its own pages, where it has any.
pub(crate) fn shown_of(page: &Page<'_>, id: &ControlId, shown: usize, total: usize, file: &str) -> Markup {
    html! { p.rows { (counted(shown, total)) "All rows: " (csv(page, file)) @if let Some(link) = own_page(page, id) { ", " (link) } } }
}

/// A link to the first of a control's own pages.
pub(crate) fn own_page(page: &Page<'_>, id: &ControlId) -> Option<Markup> {
    let name = page.folder.name(id)?;
    Some(html! { a href={ (page.up()) "controls/" (folder::path(name, 1)) } { "the page of " (id) } })
}

fn counted(shown: usize, total: usize) -> Markup {
    let group = |number: usize| words::grouped(u64::try_from(number).unwrap_or(u64::MAX));
    html! {
        "Rows shown / total: " (group(shown)) " / " (group(total)) ". "
        @if shown < total { strong { "Not all rows are shown. " } }
    }
}

/// A link to a table of the report.
pub(crate) fn csv(page: &Page<'_>, file: &str) -> Markup {
    html! { a href={ (page.up()) (file) } { (file) } }
}

/// The rows that fit, and how many there are.
pub(crate) fn capped<T>(rows: &[T]) -> (&[T], usize) {
    (rows.get(..CAP).unwrap_or(rows), rows.len())
}

/// The gaps of a population, the first twelve; one refused listing a repository can make thousands.
pub(crate) fn gaps(page: &Page<'_>, gaps: &[Gap]) -> Markup {
    const MOST: usize = 12;
    html! {
        @if !gaps.is_empty() { ul.reasons {
            @for gap in gaps.iter().take(MOST) { li { (words::gap_cause(gap.cause)) ": " (foreign(&gap.to_string())) } }
            @if gaps.len() > MOST { li.note { "and " (gaps.len() - MOST) " more, in " (csv(page, "populations.csv")) } }
        } }
    }
}

/// The exchanges that a row was read from.
pub(crate) fn citations(page: &Page<'_>, run: &RunId, numbers: &[u32]) -> Markup {
    html! {
        ul.cites {
            @for n in numbers.iter().take(CITED) { li { (citation(page, run, *n)) } }
            @if numbers.len() > CITED { li.note { "and " (numbers.len() - CITED) " more, in " (csv(page, "results.csv")) } }
        }
    }
}

fn citation(page: &Page<'_>, run: &RunId, n: u32) -> Markup {
    let Some(exchange) = page.reading.exchange(run, n) else {
        return html! { b { "#" (n) } " is not in this assessment" };
    };
    html! {
        (exchange_number(page, run, n)) " " code.url { (words::method(exchange.method)) " " (foreign(&exchange.url)) }
        span.meta { (words::status(exchange)) " · received " (time(exchange.received_at())) " · SHA-256 " (digest(&exchange.sha256)) }
    }
}

/// The number of an exchange, as a link where the evidence index shows it.
pub(crate) fn exchange_number(page: &Page<'_>, run: &RunId, n: u32) -> Markup {
    match page.indexed.get(&(run, n)) {
        Some(_) => html! { a.n href={ "#e-" (run) "-" (n) } { "#" (n) } },
        None => html! { b.n { "#" (n) } },
    }
}

/// A link to a control's section.
pub(crate) fn control_link(id: &str) -> Markup {
    html! { a href={ "#control-" (id) } { (id) } }
}

/// A heading within what is said of a control: deep on the first page, right below the title on the control's own.
pub(crate) fn part(page: &Page<'_>, text: &str) -> Markup {
    html! { @match page.place { Place::First => h4 { (text) }, Place::Control => h2 { (text) } } }
}
