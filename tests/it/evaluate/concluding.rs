//! `Judge::conclude` and `run_example`: what observations and populations amount to.

use proofline::evaluate::run_example;
use proofline::model::FindingStatus::{NotSatisfied, Satisfied, Undetermined};
use proofline::model::{Finding, FindingStatus, Gap, GapCause, Population, Resource, Test, Verdict};
use serde_json::json;

use super::world::{BRANCH, branch, control, example, judge, population, refused, test, with, without};

fn conclude(tests: Vec<Test>, resources: Vec<Resource>, populations: &[Population]) -> Finding {
    let mut judge = judge(tests);
    for resource in resources {
        judge.observe(vec![resource]).expect("observations");
    }
    let mut findings = judge.conclude(populations);
    assert_eq!(findings.len(), 1);
    findings.remove(0)
}

fn require() -> Vec<Test> {
    vec![test(Some("branch.is_default"), "branch.required_approvals >= 1", None)]
}

fn named(name: &str, mut resource: Resource) -> Resource {
    resource.name = name.to_owned();
    resource
}

fn failing() -> Resource {
    named("bad", with("required_approvals", json!(0)))
}

fn unknown() -> Resource {
    without("required_approvals")
}

fn out_of_scope() -> Resource {
    with("is_default", json!(false))
}

/// Resources, populations, the status, whether it is transient, and how each reason begins.
type Case = (Vec<Resource>, Vec<Population>, FindingStatus, bool, &'static [&'static str]);

fn assert_findings(cases: Vec<Case>) {
    for (number, (resources, populations, status, transient, reasons)) in cases.into_iter().enumerate() {
        let finding = conclude(require(), resources, &populations);
        assert_eq!((finding.status, finding.transient), (status, transient), "{number}: {finding:?}");
        assert_eq!(finding.reasons.len(), reasons.len(), "{number}: {:?}", finding.reasons);
        for (said, expected) in finding.reasons.iter().zip(reasons) {
            assert!(said.starts_with(expected), "{number}: {said}");
        }
    }
}

#[test]
fn one_failure_is_enough_and_one_gap_is_no_pass() {
    assert_findings(vec![
        (vec![branch("a"), out_of_scope()], vec![population(2, Some(2), vec![])], Satisfied, false, &[]),
        (vec![branch("a")], vec![population(1, None, vec![])], Satisfied, false, &[]),
        (vec![branch("a"), failing()], vec![population(2, Some(2), vec![])], NotSatisfied, false, &["1 of 2 in-scope demo.branch fail: bad"]),
        (
            vec![branch("a"), unknown()],
            vec![population(2, Some(2), vec![])],
            Undetermined,
            false,
            &["1 of 2 in-scope demo.branch are undetermined: branch.required_approvals is not known: 403 (needs Administration: read)"],
        ),
        (vec![failing(), unknown()], vec![population(2, Some(2), vec![])], NotSatisfied, false, &["1 of 2 in-scope demo.branch fail: bad", "1 of 2 in-scope"]),
    ]);
}

#[test]
fn a_population_that_cannot_be_believed_is_no_pass() {
    let forbidden = || Gap::new(GapCause::Forbidden, "403 on page 2").cured_by("Metadata: read");
    let unanswered = || Gap::new(GapCause::Unanswered, "502 on page 2");
    assert_findings(vec![
        (
            vec![branch("a")],
            vec![population(1, None, vec![forbidden()])],
            Undetermined,
            false,
            &["the population of demo.branch is incomplete: 403 on page 2 (needs Metadata: read)"],
        ),
        (vec![branch("a")], vec![population(1, None, vec![forbidden(), unanswered()])], Undetermined, true, &["the population of demo.branch is incomplete"]),
        (
            // The failure stands, but what was not read is asked for again.
            vec![failing()],
            vec![population(1, None, vec![unanswered()])],
            NotSatisfied,
            true,
            &["1 of 1 in-scope demo.branch fail: bad", "the population of demo.branch is incomplete: 502"],
        ),
        (vec![branch("a")], vec![population(1, Some(3), vec![])], Undetermined, true, &["demo.branch: 1 enumerated in demo/acme, but the other count says 3"]),
        (vec![], vec![], Undetermined, false, &["demo.branch was not collected"]),
        (vec![branch("a")], vec![population(2, Some(2), vec![])], Undetermined, false, &["2 demo.branch were enumerated, but 1 were judged"]),
        (vec![], vec![population(0, Some(0), vec![])], Undetermined, false, &["there is no demo.branch at all"]),
        (vec![out_of_scope()], vec![population(1, Some(1), vec![])], Undetermined, false, &["none of 1 demo.branch is in scope of `branch.is_default`"]),
    ]);
}

#[test]
fn an_empty_population_is_fine_where_the_control_says_so() {
    let allowed = || {
        let mut tests = require();
        tests[0].may_be_empty = true;
        tests
    };
    assert_eq!(conclude(allowed(), vec![], &[population(0, Some(0), vec![])]).status, FindingStatus::Satisfied);
    assert_eq!(conclude(allowed(), vec![with("is_default", json!(false))], &[population(1, None, vec![])]).status, FindingStatus::Satisfied);
    assert_eq!(conclude(allowed(), vec![], &[population(0, Some(4), vec![])]).status, FindingStatus::Undetermined);
    assert_eq!(conclude(allowed(), vec![], &[]).status, FindingStatus::Undetermined);
    assert_eq!(conclude(vec![], vec![], &[]).status, FindingStatus::Undetermined);
}

#[test]
fn what_was_not_listed_was_not_looked_for() {
    let listed_by = |texts: &[&str]| {
        let population = population(1, Some(1), vec![]);
        Population { listed_by: texts.iter().map(|text| (*text).to_owned()).collect(), ..population }
    };
    let finding = |resource: Resource, texts: &[&str]| {
        let mut tests = require();
        tests[0].may_be_empty = true;
        tests[0].listed_by = vec!["labels".to_owned()];
        conclude(tests, vec![resource], &[listed_by(texts)])
    };
    // `labels` are `incident` and `outage`: see `world::control`.
    for resource in [branch("a"), out_of_scope()] {
        assert_eq!(finding(resource.clone(), &["incident", "outage", "task"]).status, Satisfied);
        for texts in [["incident"].as_slice(), &["task"], &[]] {
            let finding = finding(resource.clone(), texts);
            assert_eq!((finding.status, finding.transient), (Undetermined, false), "{texts:?}");
            assert!(finding.reasons[0].contains("`outage`"), "{:?}", finding.reasons);
            assert_eq!(finding.reasons[0].contains("`incident`"), !texts.contains(&"incident"), "{:?}", finding.reasons);
        }
    }
    let mut nothing = require();
    nothing[0].may_be_empty = true;
    nothing[0].listed_by = vec!["by_name".to_owned()];
    let unsaid = conclude(nothing, vec![], &[listed_by(&[])]);
    assert_eq!((unsaid.status, unsaid.reasons.as_slice()), (Undetermined, ["the parameters do not say which demo.branch it is about".to_owned()].as_slice()));
    let finding = finding(failing(), &["incident"]);
    assert_eq!((finding.status, finding.reasons.len()), (NotSatisfied, 2), "{:?}", finding.reasons);
}

#[test]
fn the_worst_test_decides_and_is_named() {
    let tests = || vec![test(None, "branch.limit == 10", None), test(None, "branch.required_approvals >= 5", None)];
    let finding = conclude(tests(), (0..8).map(|n| branch(&format!("b{n}"))).collect(), &[population(8, Some(8), vec![])]);
    assert_eq!(finding.status, FindingStatus::NotSatisfied);
    assert_eq!(finding.reasons, ["test 2: 8 of 8 in-scope demo.branch fail: b0, b1, b2, b3, b4 and 3 more"]);
    assert_eq!((finding.counts.pass, finding.counts.fail, finding.counts.in_scope()), (8, 8, 16));
}

#[test]
fn examples_are_judged_at_their_own_instant_with_their_own_parameters() {
    let recent = test(Some("branch.is_default"), "now - branch.created_at < duration(params.max_age)", None);
    let control = control("DEMO-1", vec![test(None, "false", None), recent]);
    let run = |verdict, resource, parameters| run_example(&control, 2, &example(verdict, &resource, &parameters), &BRANCH);
    let known = json!({"is_default": true, "created_at": "2026-03-01T00:00:00Z"});

    let outcome = run(Verdict::Pass, known.clone(), json!({})).expect("runs");
    assert!(outcome.holds(), "{outcome:?}");
    let outcome = run(Verdict::Pass, known, json!({"max_age": "1h"})).expect("runs");
    assert_eq!((outcome.holds(), outcome.actual), (false, Verdict::Fail));
    let outcome = run(Verdict::Undetermined, json!({"is_default": true}), json!({})).expect("runs");
    assert!(outcome.holds() && outcome.because.starts_with("branch.created_at is not known: the example leaves it out"), "{outcome:?}");
    assert_eq!(run(Verdict::NotApplicable, json!({"is_default": false}), json!({})).expect("runs").actual, Verdict::NotApplicable);

    assert!(refused(run(Verdict::Pass, json!({"is_defualt": true}), json!({}))).contains("\"is_defualt\""));
    assert_eq!(refused(run(Verdict::Pass, json!({"is_default": "yes"}), json!({}))), "the example's is_default is declared bool, but the value is text");
    assert_eq!(refused(run_example(&control, 3, &example(Verdict::Pass, &json!({}), &json!({})), &BRANCH)), "DEMO-1 has no test 3");
}

#[test]
fn fields_that_may_be_null_may_be_left_out_of_records_in_examples() {
    let control = control("DEMO-1", vec![test(None, "branch.checks.exists(c, c.app == null)", None)]);
    let given = example(Verdict::Pass, &json!({"checks": [{"context": "ci"}]}), &json!({}));
    assert!(run_example(&control, 1, &given, &BRANCH).expect("runs").holds());
    let given = example(Verdict::Pass, &json!({"checks": [{"app": "x"}]}), &json!({}));
    assert!(refused(run_example(&control, 1, &given, &BRANCH)).contains("the field is missing"));
}
