//! Runs that a rate limit stops: what was answered stands, what was not is undetermined, and the next start of the same command goes on from there.
#![cfg(test)]

use chrono::TimeDelta;
use proofline::cli::exit::Exit;
use serde_json::Value;

use crate::cli::Bench;
use crate::sandbox::site::Site;

/// Points of each of GitHub's limits in an hour of this test.
const ALLOWANCE: u64 = 40;

/// Waits for nothing, so that a run ends where a limit is met.
fn impatient(site: &Site) -> Bench {
    Bench::new(&format!("{}max_wait_minutes = 0\n", site.configuration()))
}

fn number(document: &Value, path: &str) -> u64 {
    document.pointer(path).and_then(Value::as_u64).unwrap_or_default()
}

/// Pass, fail and undetermined of each control, from the newest finding of each.
fn counts(site: &Site, nights: &[Value]) -> Vec<String> {
    let newest = |control: &str| {
        let findings = nights.iter().rev().flat_map(|night| night["findings"].as_array().into_iter().flatten());
        findings.into_iter().find(|finding| finding["control"] == control).map(|finding| finding["counts"].clone()).unwrap_or_default()
    };
    let told = |(control, (pass, fail, undetermined)): (String, (u64, u64, u64))| {
        let found = newest(&control);
        let same = [("/pass", pass), ("/fail", fail), ("/undetermined", undetermined)].iter().all(|(path, expected)| number(&found, path) == *expected);
        (!same).then(|| format!("{control}: {found} instead of {pass}/{fail}/{undetermined}"))
    };
    site.expected_counts().into_iter().filter_map(told).collect()
}

#[test]
fn a_run_that_the_rate_limit_stops_is_continued_and_ends_with_the_truth() {
    let whole = {
        let site = Site::small();
        Bench::new(&site.configuration()).json(&["collect", "--due"]);
        site.answered()
    };
    let site = Site::small();
    let mut bench = impatient(&site);
    let mut nights: Vec<Value> = Vec::new();
    for hour in 1_u64.. {
        site.allow(hour * ALLOWANCE);
        let (_exit, document) = bench.json(&["collect", "--due"]);
        if document.get("run").is_none() {
            break;
        }
        assert!(hour < 20, "it never ends: {document:#}");
        if let Some(before) = nights.last() {
            assert_eq!(document["continues"], before["run"]);
            assert!(number(&document, "/budget/taken_over") > 0, "{:#}", document["budget"]);
        }
        nights.push(document);
        bench.now += TimeDelta::minutes(10);
    }
    let partial = nights.iter().filter(|night| night["kinds"].as_object().is_some_and(|kinds| kinds.values().any(|outcome| outcome == "partial")));
    assert!(partial.count() >= 2, "the limit was never met: {} nights", nights.len());
    assert_eq!(counts(&site, &nights), Vec::<String>::new());
    // Each stop costs the requests that met the limit, and refusals are asked again.
    let asked = site.answered();
    assert!(asked < whole + 40 * nights.len(), "{asked} requests instead of {whole} in {} nights", nights.len());
    let verified = bench.run(&["verify"]);
    assert_eq!(verified.exit, Exit::Satisfied, "{}", verified.err);
    site.assert_contracts_held();
}

#[test]
fn what_was_answered_in_another_slot_or_by_a_whole_run_is_asked_again() {
    let site = Site::small();
    let mut bench = impatient(&site);
    site.allow(ALLOWANCE);
    let (_exit, stopped) = bench.json(&["collect", "--due"]);
    site.allow(100_000);
    // 02:00 of the next day: the same command is another night's.
    bench.now += TimeDelta::days(1);
    let (_exit, whole) = bench.json(&["collect", "--due"]);
    assert_eq!((&whole["continues"], number(&whole, "/budget/taken_over")), (&Value::Null, 0), "{stopped:#}");
    // By hand everything is asked.
    bench.now += TimeDelta::minutes(10);
    let (_exit, again) = bench.json(&["collect"]);
    assert_eq!((&again["continues"], number(&again, "/budget/taken_over")), (&Value::Null, 0));
}

#[test]
fn a_run_tells_what_is_partial_and_how_many_calls_points_304s_and_waits_it_took() {
    let site = Site::small();
    let mut bench = impatient(&site);
    let budget = |out: &str| out.lines().find(|line| line.starts_with("Budget: ")).unwrap_or_else(|| panic!("{out}")).to_owned();
    site.allow(ALLOWANCE);
    let stopped = bench.run(&["collect", "--due"]).out;
    assert!(stopped.contains(" is partial: a later `collect --due` will try again"), "{stopped}");
    site.allow(100_000);
    bench.now += TimeDelta::minutes(10);
    let whole = bench.run(&["collect", "--due"]).out;
    assert!(whole.contains("It continues run ") && !whole.contains(" is partial"), "{whole}");
    for told in
        ["requests sent", "unchanged (304)", "s waited", "answers taken over", "points of GitHub's graphql limit used", "requests of GitHub's core limit used"]
    {
        assert!(budget(&whole).contains(told), "{told}: {}", budget(&whole));
    }
    site.night(1);
    bench.now = Site::first_night() + TimeDelta::days(1);
    let next = budget(&bench.run(&["collect", "--due"]).out);
    assert!(!next.contains(" 0 unchanged (304)") && !next.contains("taken over"), "{next}");
}
