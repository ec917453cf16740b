//! A year of slots on the first page and on the controls' own pages, and what changed within a period.

use std::collections::BTreeMap;

use chrono_tz::Europe::Berlin;
use proofline::model::assessment::Due;
use proofline::model::{Assessment, ControlAssessment, Digest, Frequency, Period, SlotRow, SlotState};

use super::sample::{assessment, at, run};
use super::{attribute, balanced, page, render};

/// The slots of 2026: every tenth fails, every tenth after it was not run, the rest passes.
pub(crate) fn slots(frequency: Frequency) -> Vec<SlotRow> {
    let year = Period::new(at("2025-12-31T23:00:00Z"), at("2026-12-31T23:00:00Z")).expect("not empty");
    let state = |n: usize| match n % 10 {
        3 => SlotState::Fail,
        4 => SlotState::NotRun,
        _ => SlotState::Pass,
    };
    frequency.slots_in(year, Berlin).into_iter().enumerate().map(|(n, slot)| SlotRow { slot, state: state(n), late: false, runs: Vec::new() }).collect()
}

/// The first control of the sample as many times as there are frequencies, each over a year.
pub(crate) fn year(frequencies: &[Frequency]) -> Assessment {
    let mut of = assessment();
    let model = of.controls[1].clone();
    let control = |(n, frequency): (usize, &Frequency)| {
        let mut copy = ControlAssessment { slots: slots(*frequency), observations: model.observations.clone(), ..model.clone() };
        copy.control.id = format!("YEAR-{n:03}").parse().expect("an id");
        copy.control.frequency = *frequency;
        copy
    };
    of.controls = frequencies.iter().enumerate().map(control).collect();
    (of.episodes, of.permissions, of.waivers) = (Vec::new(), Vec::new(), Vec::new());
    of
}

fn text(files: &BTreeMap<String, Vec<u8>>, path: &str) -> String {
    String::from_utf8(files.get(path).unwrap_or_else(|| panic!("no {path}")).clone()).expect("UTF-8")
}

/// The section with an id, up to the next one.
fn section<'a>(page: &'a str, id: &str) -> &'a str {
    page.split(&format!("<section id=\"{id}\"")).nth(1).and_then(|rest| rest.split("</section>").next()).expect("the section")
}

/// How many cells of the grid say that state.
fn cells(page: &str, state: &str) -> usize {
    balanced(page).iter().filter(|tag| tag.starts_with("td ") && attribute(tag, "class") == Some(&format!("slot {state}"))).count()
}

#[test]
fn a_year_of_days_weeks_and_months_has_a_cell_and_a_word_for_each_slot() {
    use Frequency::{Daily, Monthly, Quarterly, Weekly, Yearly};
    let of = year(&[Daily, Weekly, Monthly, Quarterly, Yearly]);
    let files = render("html", &of);
    assert_eq!(files.keys().collect::<Vec<_>>(), ["index.html"], "seventeen lines fit the page");
    let page = text(&files, "index.html");
    let all: Vec<&SlotRow> = of.controls.iter().flat_map(|control| &control.slots).collect();
    assert_eq!(all.len(), 365 + 53 + 12 + 4 + 1, "the year has weeks of both its neighbours");
    for state in [SlotState::Pass, SlotState::Fail, SlotState::NotRun] {
        assert_eq!(cells(&page, state.as_str()), all.iter().filter(|row| row.state == state).count(), "{}", state.as_str());
    }
    let calendar = section(&page, "calendar");
    assert_eq!(calendar.matches("<span class=\"unseen\">not run</span>").count(), all.iter().filter(|row| row.state == SlotState::NotRun).count());
    for needed in [
        "<th scope=\"row\">2026-07</th>",
        "<li>not run: 2026-01-05</li>",
        "<td class=\"num\">328 of 365</td><td class=\"num\">291 of 365</td>",
        ">W53</th>",
        ">Q4</th>",
    ] {
        assert!(calendar.contains(needed), "{needed}");
    }
    assert!(calendar.contains("more, in <a href=\"slots.csv\">"), "the ranges in words are cut where they are many");
}

#[test]
fn a_year_of_many_controls_is_told_by_month_with_every_slot_on_the_controls_own_page() {
    let of = year(&[Frequency::Daily; 30]);
    let files = render("html", &of);
    assert_eq!(files.len(), 31);
    let page = text(&files, "index.html");
    let calendar = section(&page, "calendar");
    assert_eq!(calendar.matches("<td class=\"slot fail\"").count(), 30 * 12, "the worst of each month");
    assert!(calendar.contains(
        "title=\"2026-02: 3 fail, 3 not run, 22 pass\"><span aria-hidden=\"true\">✗3</span><span class=\"unseen\">3 fail, 3 not run, 22 pass</span>"
    ));
    assert!(calendar.contains("<a href=\"controls/YEAR-007.html#slots-h\">"));
    let own = text(&files, "controls/YEAR-007.html");
    assert_eq!((cells(&own, "pass"), cells(&own, "fail"), cells(&own, "not-run")), (291, 37, 37));
    assert!(own.contains("<li>not run: 2026-12-31</li>"), "its ranges in words are all there");
}

#[test]
fn a_year_of_hours_is_told_by_month_too() {
    let files = render("html", &year(&[Frequency::Hourly]));
    let page = text(&files, "index.html");
    assert_eq!(cells(&page, "fail"), 12);
    assert!(page.len() < 400_000, "{} bytes", page.len());
    let own = text(&files, "controls/YEAR-000.html");
    balanced(&own);
    assert_eq!(cells(&own, "fail"), 876);
    assert!(own.contains("<th scope=\"row\">2026-10-25</th>") && own.contains("title=\"02+0100\""), "the hour that comes twice has two columns");
}

/// What was due in another way before keeps its place in the grid of its time.
#[test]
fn a_control_that_was_daily_and_is_weekly_is_in_both_grids() {
    let mut of = year(&[Frequency::Weekly]);
    let control = &mut of.controls[0];
    control.slots.splice(0..9, slots(Frequency::Daily).into_iter().take(59));
    let page = page(&of);
    let calendar = section(&page, "calendar");
    let (daily, weekly) = calendar.split_once("Weekly controls").expect("two grids");
    assert!(daily.contains("YEAR-000") && daily.contains("<th scope=\"row\">2026-02</th>") && weekly.contains("YEAR-000") && weekly.contains(">W53</th>"));
    assert_eq!(cells(&page, "pass") + cells(&page, "fail") + cells(&page, "not-run"), of.controls[0].slots.len());
}

#[test]
fn a_definition_that_changed_is_told_with_the_run_that_had_it_first() {
    let mut of = assessment();
    let place = of.controls.iter().position(|control| control.control.id.as_str() == "REP-03").expect("REP-03");
    let (now, before) = (of.controls[place].control.digest, Digest::of(b"asked for one"));
    // A, B, then A again: the runs of the 13th and 16th alone had another.
    of.controls[place].other_definitions = [13, 16].map(|day| (run(day), before)).to_vec();
    of.controls[0].schedules = [(12, "monthly"), (18, "monthly at <b>")]
        .map(|(day, words)| Due { run: run(day), since: at(&format!("2026-11-{day}T02:00:00Z")), words: words.to_owned() })
        .to_vec();
    let text = page(&of);
    balanced(&text);
    let changes = section(&text, "changes");
    let rows: Vec<&str> = changes.split("<tr>").skip(2).collect();
    let begins: Vec<_> = rows.iter().map(|row| [13, 17, 18].into_iter().find(|day| row.contains(&format!("<code>{}</code>", run(*day))))).collect();
    assert_eq!(
        begins,
        [Some(13), Some(17), Some(17), Some(18)].map(|day| day).into_iter().enumerate().filter(|(n, _)| *n != 2).map(|(_, day)| day).collect::<Vec<_>>()
    );
    assert!(rows[0].contains("1 control: <a href=\"#control-REP-03\">") && rows[1].contains("1 control: <a href=\"#control-REP-03\">"), "{changes}");
    assert!(rows[1].contains("label compliance came into scope"), "one row for what one run brought");
    assert!(rows[2].contains("<bdi>monthly</bdi>, now <bdi>monthly at &lt;b&gt;</bdi>"), "{}", rows[2]);
    let article = text.split("<article class=\"control\" id=\"control-REP-03\"").nth(1).and_then(|rest| rest.split("</article>").next()).expect("its section");
    let spans = article.split("The definition changed in the period.").nth(1).and_then(|rest| rest.split("</ol>").next()).expect("the definitions");
    let order: Vec<_> =
        spans.split("<li>").skip(1).map(|span| (span.contains(&before.to_string()), span.contains(&now.to_string()), span.contains("the one above"))).collect();
    assert_eq!(order, [(false, true, true), (true, false, false), (false, true, true)], "{spans}");
    assert!(spans.contains(&format!("from run <code>{}</code> on", run(13))) && spans.contains(", in 2 runs"));

    (of.scope_changes, of.controls[place].other_definitions, of.controls[0].schedules) = (Vec::new(), Vec::new(), Vec::new());
    let same = page(&of);
    assert!(
        same.contains("Every run of the period looked at the same.")
            && same.contains("No control's definition changed")
            && !same.contains("The definition changed")
    );
}

/// A night of the whole catalogue is no long period: every slot stays on the first page.
#[test]
fn a_month_of_many_controls_stays_on_the_first_page() {
    let mut of = year(&[Frequency::Daily; 250]);
    of.controls.iter_mut().for_each(|control| control.slots.truncate(31));
    let files = render("html", &of);
    assert_eq!(files.keys().collect::<Vec<_>>(), ["index.html"]);
    let page = text(&files, "index.html");
    assert_eq!((cells(&page, "fail"), cells(&page, "not-run")), (750, 750));
    assert!(section(&page, "calendar").contains("Rows shown / total: 250 / 250."));
}
