//! A summary for a pull request, a chat or a mail: conclusions, coverage, what is open, where the rest is.
//!
//! Everything that a source or a user named stands in a code span, where it can be no link, mention, heading or HTML. Lists are cut, with their counts; all of it is in the CSV
//! files. Left out: passes, evidence, expressions.

use crate::model::episode::{Episode, EpisodeOutcome};
use crate::model::{Assessment, ControlAssessment, TaskStanding, unseen};
use crate::report::reading::{self, Conclusion, Reading, SlotCounts};
use crate::report::table::ipe;
use crate::report::words::{self, grouped, length, plural};
use crate::report::{Files, Format, ReportError, put};

/// Entries of one list.
const LISTED: usize = 30;

/// Characters of a foreign text.
const CLIP: usize = 120;

/// The Markdown format.
pub(crate) struct Markdown;

impl Format for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn meaning(&self) -> &'static str {
        "a summary to paste: conclusions, coverage, deviations, what could not be told"
    }

    fn render(&self, assessment: &Assessment, into: &mut dyn Files) -> Result<(), ReportError> {
        let reading = Reading::new(assessment);
        let parts = [
            head(&reading),
            conclusions(&reading),
            coverage(&reading),
            undetermined(&reading),
            deviations(&reading),
            tasks(&reading),
            criteria(&reading),
            about(&reading),
            foot(),
        ];
        put(into, "summary.md", parts.join("\n").as_bytes()).map(drop)
    }
}

/// A code span: its fence is longer than any run of backticks in it.
fn code(text: &str) -> String {
    let visible = unseen::written_out(text, |_c| true);
    let mut shown: String = visible.chars().take(CLIP).collect();
    if shown.len() < visible.len() {
        shown.push('…');
    }
    let longest = shown.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if shown.is_empty() || shown.starts_with(['`', ' ']) || shown.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{shown}{pad}{fence}")
}

/// The same within a table, where a bar would end the cell.
fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// A list that is cut.
fn listed(lines: impl ExactSizeIterator<Item = String>) -> String {
    let more = lines.len().saturating_sub(LISTED);
    let mut text: String = lines.take(LISTED).map(|line| format!("- {line}\n")).collect();
    if more > 0 {
        text.push_str(&format!("- and {more} more\n"));
    }
    text
}

fn head(reading: &Reading<'_>) -> String {
    let of = reading.assessment;
    let lowest = of.days.iter().map(|day| day.level).min().map_or_else(|| "not derived".to_owned(), |level| level.to_string());
    let rows = [
        ("Period", format!("{} ({})", words::period_days(of), code(&of.time_zone))),
        ("Prepared", format!("{} by {}", words::instant(of.prepared_at), code(&of.tool))),
        ("Sealed runs", grouped(length(&of.runs))),
        ("Every day rests on at least", lowest),
        ("Evidence", code(&of.store)),
    ];
    let rows: String = rows.iter().map(|(name, value)| format!("- {name}: {value}\n")).collect();
    format!("# Controls of {}\n\n{rows}", code(&of.entity))
}

fn conclusions(reading: &Reading<'_>) -> String {
    let total = length(&reading.assessment.controls);
    let of = |conclusion: Conclusion| {
        let found: Vec<&ControlAssessment> = reading.controls_by_urgency().into_iter().filter(|control| reading::conclusion(control) == conclusion).collect();
        let ids: Vec<&str> = found.iter().take(LISTED).map(|control| control.control.id.as_str()).collect();
        let more = if found.len() > LISTED { format!(" and {} more", found.len() - LISTED) } else { String::new() };
        let names = if ids.is_empty() { String::new() } else { format!(": {}{more}", ids.join(", ")) };
        let word = if conclusion == Conclusion::Waived { "satisfied with waivers".to_owned() } else { conclusion.as_str().replace('-', " ") };
        format!("- **{}** of {} {word}{names}\n", found.len(), plural(total, "control"))
    };
    format!("## Conclusions\n\n{}", Conclusion::ALL.map(of).concat())
}

fn coverage(reading: &Reading<'_>) -> String {
    let slots = reading.slots();
    let told = format!(
        "Of {} due by now {} ran ({} fail, {} undetermined, {} partial, {} with waivers, {} late, {} pass), {} were reconstructed and {} did not run.\n",
        plural(slots.due(), "slot"),
        grouped(slots.ran()),
        grouped(slots.fail),
        grouped(slots.undetermined),
        grouped(slots.partial),
        grouped(slots.waived),
        grouped(slots.late),
        grouped(slots.pass),
        grouped(slots.reconstructed),
        grouped(slots.not_run),
    );
    let mut gaps: Vec<(SlotCounts, &ControlAssessment)> = reading.assessment.controls.iter().map(|of| (SlotCounts::of(&of.slots), of)).collect();
    gaps.retain(|(slots, _of)| slots.longest_gap > 0);
    gaps.sort_by_key(|(slots, of)| (std::cmp::Reverse(slots.longest_gap), &of.control.id));
    let gaps = listed(gaps.iter().map(|(slots, of)| format!("{}: longest gap {}", of.control.id, slots.gap_text())));
    format!("## Coverage\n\n{told}\n{gaps}")
}

fn undetermined(reading: &Reading<'_>) -> String {
    let open: Vec<_> = reading.controls_by_urgency().into_iter().filter(|of| reading::conclusion(of) == Conclusion::Undetermined).collect();
    if open.is_empty() {
        return "## What could not be determined\n\nNothing.\n".to_owned();
    }
    let reason = |of: &ControlAssessment| reading::latest(of).and_then(|(_, finding)| finding.reasons.first().cloned()).unwrap_or_default();
    let controls = listed(open.iter().map(|of| format!("{}: {}", of.control.id, code(&reason(of)))));
    let grants =
        listed(reading.assessment.permissions.iter().map(|missing| format!("{} opens {}", code(&missing.cure), plural(length(&missing.controls), "control"))));
    let grants = if grants.is_empty() { String::new() } else { format!("\nWhat to grant:\n\n{grants}") };
    format!("## What could not be determined\n\n{controls}{grants}")
}

fn deviations(reading: &Reading<'_>) -> String {
    let episodes = &reading.assessment.episodes;
    let severity = |episode: &Episode| reading.assessment.controls.iter().find(|of| of.control.id == episode.control).map(|of| of.control.severity);
    let now = reading.ends();
    let overdue = |episode: &Episode| episode.within(severity(episode).and_then(|severity| reading.days_allowed(severity)), now) == Some(false);
    let mut open: Vec<&Episode> = episodes.iter().filter(|episode| episode.outcome == EpisodeOutcome::Open).collect();
    open.sort_by_key(|episode| (!overdue(episode), severity(episode), episode.first_seen.at));
    let late = open.iter().filter(|episode| overdue(episode)).count();
    let cured = episodes.iter().filter(|episode| episode.outcome == EpisodeOutcome::Fixed).count();
    let back = episodes.iter().filter(|episode| episode.came_back).count();
    let told =
        format!("{} in the period: {} open ({late} overdue), {cured} cured, {back} of these came back.\n", plural(length(episodes), "deviation"), open.len());
    if open.is_empty() {
        return format!("## Deviations\n\n{told}");
    }
    let row = |episode: &&Episode| {
        let severity = severity(episode).map_or("", crate::model::Severity::as_str);
        let days = plural(u64::try_from(episode.lasted(now).num_days()).unwrap_or(0), "day");
        let state = match (overdue(episode), episode.waived) {
            (_, true) => "waived",
            (true, false) => "**overdue**",
            (false, false) => "open",
        };
        let since = words::instant(episode.first_seen.at);
        format!("| {} | {severity} | {} | {since} | {days} | {state} | {} |\n", episode.control, cell(&episode.name), cell(&episode.because))
    };
    let rows: String = open.iter().take(LISTED).map(row).collect();
    let more = if open.len() > LISTED { format!("\nand {} more\n", open.len() - LISTED) } else { String::new() };
    format!("## Deviations\n\n{told}\n| Control | Severity | Resource | First seen | Lasted | State | Why |\n|---|---|---|---|---|---|---|\n{rows}{more}")
}

/// Slots of recurring tasks that need hands, or never can be good any more.
fn tasks(reading: &Reading<'_>) -> String {
    let all = &reading.assessment.tasks;
    if all.is_empty() {
        return String::new();
    }
    let count = |standing| (standing, all.iter().filter(|row| row.standing == standing).count());
    let counts = TaskStanding::ALL.map(count).into_iter().filter(|(_standing, count)| *count > 0);
    let counts: Vec<String> = counts.map(|(standing, count)| format!("{count} {}", standing.as_str().replace('-', " "))).collect();
    let mut bad: Vec<_> = all.iter().filter(|row| row.standing < TaskStanding::Waived).collect();
    bad.sort_by_key(|row| (row.standing, row.seen.due));
    let why = |because: Option<&String>| because.map(|because| format!(": {}", code(because))).unwrap_or_default();
    let lines =
        listed(bad.iter().map(|row| format!("{} {} **{}**{}", row.control, row.slot, row.standing.as_str().replace('-', " "), why(row.because.first()))));
    format!("## Security tasks\n\n{} of recurring tasks: {}.\n\n{lines}", plural(length(all), "slot"), counts.join(", "))
}

fn criteria(reading: &Reading<'_>) -> String {
    let all = reading.criteria();
    let uncovered: Vec<_> = all.iter().filter(|of| of.controls.is_empty()).collect();
    let lines = listed(uncovered.iter().map(|of| format!("{} {}", code(of.id.as_str()), code(of.criterion.map_or("", |criterion| &criterion.title)))));
    format!(
        "## Criteria\n\n{} of {} are covered by a control.\n\n{lines}",
        all.len() - uncovered.len(),
        plural(length(&all), "criterion").replace("criterions", "criteria")
    )
}

/// What an auditor asks of what the entity's own system produced; the companion of each CSV file has all of it.
fn about(reading: &Reading<'_>) -> String {
    let rows = ipe::of_whole_briefly(reading, 4).into_iter().map(|[item, value]| format!("| `{item}` | {} |\n", cell(&value)));
    format!("## About this file\n\n| Item | Value |\n|---|---|\n{}", rows.collect::<String>())
}

fn foot() -> String {
    "## The rest\n\n`index.html` is the report, each `*.csv` a table of it with its source, query and counts in `*.ipe.csv`; `report --format xlsx` makes a workbook of them, `--format oscal` assessment results. `proofline verify` holds the evidence against its log; `proofline export` makes a pack that verifies with stock tools.\n".to_owned()
}

#[cfg(test)]
mod tests {
    use super::{cell, code};

    #[test]
    fn a_code_span_cannot_be_left() {
        let cases = [("plain", "`plain`"), ("a`b``c", "```a`b``c```"), ("`", "`` ` ``"), ("two\nlines", "`two\\nlines`"), ("", "`  `")];
        for (text, shown) in cases {
            assert_eq!(code(text), shown);
        }
        assert_eq!(cell("a|b"), "`a\\|b`");
        assert!(code(&"x".repeat(500)).ends_with("…`"));
    }
}
