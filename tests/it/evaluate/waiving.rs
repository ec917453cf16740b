//! `Judge::waiving`: only failures, only on days in force, only what the pattern names; and what the finding says of them.

use chrono::NaiveDate;
use proofline::model::{Attribute, FindingStatus, Resource, Verdict, Waiver};
use serde_json::json;

use super::world::{branch, judge, population, test, with, without};

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

pub(super) fn waiver(id: &str, control: &str, resource: &str, (from, to): (&str, &str)) -> Waiver {
    Waiver {
        id: id.parse().expect("a waiver id"),
        control: control.parse().expect("a control id"),
        resource: resource.to_owned(),
        reason: "It goes away in spring.".to_owned(),
        compensating: None,
        requested_by: "ann".to_owned(),
        approved_by: "bob".to_owned(),
        approved_on: day(from),
        expires_on: day(to),
        ticket: "T-1".to_owned(),
        renews: None,
        file: "demo.toml".to_owned(),
    }
}

const MARCH: (&str, &str) = ("2026-03-01", "2026-03-31");

fn failing() -> Resource {
    with("required_approvals", json!(0))
}

#[test]
fn a_failure_in_force_is_waived_and_nothing_else_is() {
    let one = |control, resource, days| vec![waiver("WVR-1", control, resource, days)];
    let cases = [
        (failing(), one("DEMO-1", "demo/main", MARCH), Verdict::Waived, Some("WVR-1")),
        (failing(), one("DEMO-1", "demo/*", MARCH), Verdict::Waived, Some("WVR-1")),
        (failing(), one("DEMO-1", "demo/mai", MARCH), Verdict::Fail, None),
        // The shown name is not the id.
        (failing(), one("DEMO-1", "main", MARCH), Verdict::Fail, None),
        (failing(), one("DEMO-2", "demo/*", MARCH), Verdict::Fail, None),
        (failing(), one("DEMO-1", "demo/*", ("2026-02-01", "2026-02-28")), Verdict::Fail, None),
        (failing(), one("DEMO-1", "demo/*", ("2026-02-01", "2026-03-01")), Verdict::Waived, Some("WVR-1")),
        (failing(), one("DEMO-1", "demo/*", ("2026-03-02", "2026-03-31")), Verdict::Fail, None),
        (branch("main"), one("DEMO-1", "*", MARCH), Verdict::Pass, None),
        (without("required_approvals"), one("DEMO-1", "*", MARCH), Verdict::Undetermined, None),
        (with("is_default", json!(false)), one("DEMO-1", "*", MARCH), Verdict::NotApplicable, None),
        // The one that was approved first counts, whatever its id is.
        (
            failing(),
            vec![waiver("WVR-1", "DEMO-1", "demo/*", MARCH), waiver("WVR-2", "DEMO-1", "*", ("2026-02-01", "2026-03-05"))],
            Verdict::Waived,
            Some("WVR-2"),
        ),
        (failing(), Vec::new(), Verdict::Fail, None),
    ];
    for (resource, waivers, verdict, by) in cases {
        let told = format!("{waivers:?} {:?}", resource.attributes.get("required_approvals").map(|value| matches!(value, Attribute::Known(_))));
        let tests = || vec![test(Some("branch.is_default"), "branch.required_approvals >= 1", Some("'needs approvals'"))];
        let bare = judge(tests()).observe(vec![resource.clone()]).expect("observations").remove(0);
        let seen = judge(tests()).waiving(&waivers, day("2026-03-01")).observe(vec![resource]).expect("observations").remove(0);
        assert_eq!((seen.verdict, seen.waiver.as_ref().map(|id| id.as_str())), (verdict, by), "{told}");
        assert_eq!((seen.raw_verdict(), &seen.because), (bare.verdict, &bare.because), "{told}");
        // What is not waived is told in the same bytes as before there were waivers.
        let json = serde_json::to_string(&seen).expect("JSON");
        assert_eq!(json.contains("\"waiver\""), by.is_some(), "{json}");
    }
}

#[test]
fn a_finding_tells_both_statuses_and_what_is_waived() {
    let named = |name: &str, resource: Resource| Resource { id: format!("demo/{name}").parse().expect("an id"), name: name.to_owned(), ..resource };
    let conclude = |waivers: &[Waiver], resources: Vec<Resource>| {
        let count = u64::try_from(resources.len()).expect("few");
        let mut judge = judge(vec![test(None, "branch.required_approvals >= 1", None)]).waiving(waivers, day("2026-03-01"));
        judge.observe(resources).expect("observations");
        judge.conclude(&[population(count, Some(count), Vec::new())]).remove(0)
    };
    let all = [waiver("WVR-1", "DEMO-1", "demo/a*", MARCH), waiver("WVR-2", "DEMO-1", "demo/b", MARCH)];
    let four = || vec![named("a1", failing()), named("a2", failing()), named("b", failing()), named("c", branch("main"))];
    let finding = conclude(&all, four());
    assert_eq!((finding.status, finding.raw_status()), (FindingStatus::Satisfied, FindingStatus::NotSatisfied));
    assert_eq!((finding.counts.fail, finding.counts.waived, finding.counts.pass, finding.counts.in_scope()), (0, 3, 1, 4));
    let told: Vec<String> = finding.waived_by.iter().map(proofline::model::WaivedFailures::told).collect();
    assert_eq!(told, ["2 fail and are waived by WVR-1: a1, a2", "1 fail and are waived by WVR-2: b"]);
    assert!(finding.reasons.is_empty());

    let finding = conclude(&all[..1], four());
    assert_eq!((finding.status, finding.raw_status()), (FindingStatus::NotSatisfied, FindingStatus::NotSatisfied));
    assert_eq!((finding.counts.fail, finding.counts.waived), (1, 2));

    let finding = conclude(&all, vec![named("a", failing()), named("b", without("required_approvals"))]);
    assert_eq!((finding.status, finding.raw_status()), (FindingStatus::Undetermined, FindingStatus::NotSatisfied));

    let finding = conclude(&[], four());
    assert_eq!(finding.counts.fail, 3);
    assert!(!serde_json::to_string(&finding).expect("JSON").contains("waived_by"), "without waivers the bytes are as they were");
}
