//! `Judge::observe`: verdicts, reasons, and that what is missing never becomes an answer.

use std::collections::BTreeMap;

use proofline::evaluate::{Judge, check};
use proofline::model::{Attribute, AttributeDecl, AttributeType, Control, ExpressionSite, Gap, GapCause, Kind, Parameters, Resource, Verdict, Want};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_assert_eq, prop_oneof, proptest};
use serde_json::{Value, json};

use super::world::{BRANCH, branch, control, expression, judge, known, now, observe, refused, test, with, without};

#[test]
fn a_require_is_judged_with_the_values_it_looked_at() {
    let cases = [
        ("branch.required_approvals >= params.approvals", branch("main"), Verdict::Pass, "branch.required_approvals = 2, params.approvals = 1"),
        ("true", branch("main"), Verdict::Pass, ""),
        (
            "branch.required_approvals >= 1",
            with("required_approvals", json!(0)),
            Verdict::Fail,
            "branch.required_approvals >= 1 is false: branch.required_approvals = 0",
        ),
        ("1 == 2", branch("main"), Verdict::Fail, "1 == 2 is false"),
        ("branch.limit + 1 == 11", branch("main"), Verdict::Pass, "branch.limit = 10"),
        ("now - branch.created_at == duration('2h')", branch("main"), Verdict::Pass, "branch.created_at = \"2026-03-01T00:00:00Z\""),
        ("branch.pushed_at == null", branch("main"), Verdict::Pass, "branch.pushed_at = null"),
        ("branch.labels.team == 'web'", branch("main"), Verdict::Pass, "branch.labels = {\"team\":\"web\"}"),
        ("branch.actors.all(a, a in params.allowed)", branch("main"), Verdict::Pass, "branch.actors = [\"ann\"], params.allowed = [\"ann\",\"bob\"]"),
        (
            "branch.required_approvals >= 1",
            without("required_approvals"),
            Verdict::Undetermined,
            "branch.required_approvals is not known: 403 (needs Administration: read)",
        ),
        ("branch.pushed_at < now", branch("main"), Verdict::Undetermined, "`require` needs a value where there is none: branch.pushed_at = null"),
        (
            "branch.required_approvals >= 1",
            with("required_approvals", json!("2")),
            Verdict::Undetermined,
            "branch.required_approvals is not known: declared int, but the value is text",
        ),
        (
            "branch.limit > 0",
            with("limit", json!(u64::MAX)),
            Verdict::Undetermined,
            "branch.limit is not known: declared int, but the value is a number beyond 64 bits signed",
        ),
        (
            "branch.checks.all(c, c.context != '')",
            with("checks", json!([{"context": "ci"}])),
            Verdict::Undetermined,
            "branch.checks is not known: at [0].app: the field is missing",
        ),
        ("branch.labels.owner == 'x'", branch("main"), Verdict::Undetermined, "`require` looks up the key \"owner\", which is not there"),
        ("branch.actors[3] == 'x'", branch("main"), Verdict::Undetermined, "`require` asks for an element beyond the end of a list"),
        ("branch.limit + 9223372036854775807 > 0", branch("main"), Verdict::Undetermined, "`require` overflows or divides by zero"),
        ("branch.limit / 0 == 1", branch("main"), Verdict::Undetermined, "`require` overflows or divides by zero"),
        ("branch.limit", branch("main"), Verdict::Undetermined, "`require` is neither true nor false"),
        ("branch.name", branch("main"), Verdict::Undetermined, "`require` is neither true nor false"),
        ("nothing.here == 1", branch("main"), Verdict::Undetermined, "`require` names \"nothing\", which does not exist"),
    ];
    for (require, resource, verdict, because) in cases {
        let observation = observe(require, resource);
        assert_eq!((observation.verdict, &*observation.because), (verdict, because), "{require}");
        assert_eq!(*observation.evidence, [7], "{require}");
    }
}

#[test]
fn even_unchecked_expressions_cannot_see_what_is_missing() {
    for require in [
        "has(branch.required_approvals)",
        "!has(branch.required_approvals)",
        "'required_approvals' in branch",
        "!('required_approvals' in branch)",
        "branch == branch || true",
        "size(branch) == 9",
        "branch.exists(k, k == 'name')",
        "[branch][0].required_approvals == null",
        "branch.required_approvals == null",
        "branch.required_approvals != null",
        "type(branch.required_approvals) == int",
        "string(branch.required_approvals) == ''",
        "[branch.required_approvals].size() == 1",
        "{'a': branch.required_approvals}.size() == 1",
        "optional.of(branch.required_approvals).hasValue()",
        "[1].map(x, branch.required_approvals).size() == 1",
        "[1].filter(x, branch.required_approvals > 1).size() == 0",
        "[1].exists_one(x, branch.required_approvals > 1)",
    ] {
        let verdict = observe(require, without("required_approvals")).verdict;
        if require == "branch == branch || true" {
            assert_eq!(verdict, Verdict::Pass);
        } else {
            assert_eq!(verdict, Verdict::Undetermined, "{require}");
        }
    }
    for optional in ["branch.?required_approvals.hasValue()", "branch[?'required_approvals'].hasValue()"] {
        let result = Judge::new(&[control("DEMO-1", vec![test(None, optional, None)])], &[&BRANCH], now());
        assert!(refused(result).starts_with("DEMO-1, test 1, require: "), "{optional}");
    }
}

#[test]
fn where_excludes_only_what_it_certainly_excludes() {
    let judged = |filter: &str, resource: Resource| {
        let observation = judge(vec![test(Some(filter), "branch.required_approvals >= 1", None)]).observe(vec![resource]).expect("observations").remove(0);
        (observation.verdict, observation.because.to_string(), observation.transient)
    };
    assert_eq!(judged("branch.is_default", branch("main")).0, Verdict::Pass);
    assert_eq!(judged("branch.archived", branch("main")), (Verdict::NotApplicable, "branch.archived".to_owned(), false));
    assert_eq!(
        judged("branch.archived", without("archived")),
        (Verdict::Undetermined, "branch.archived is not known: 403 (needs Administration: read)".to_owned(), false)
    );
    // The answer is false whatever `archived` is.
    assert_eq!(judged("branch.archived && branch.limit > 100", without("archived")).0, Verdict::NotApplicable);

    let mut unanswered = branch("main");
    unanswered.lack("archived", Gap::new(GapCause::Unanswered, "timed out"));
    assert_eq!(judged("!branch.archived", unanswered), (Verdict::Undetermined, "branch.archived is not known: timed out".to_owned(), true));
}

#[test]
fn because_is_text_for_a_failure_and_never_changes_the_verdict() {
    let failing = with("required_approvals", json!(0));
    let said = |because: &str| {
        let observation =
            judge(vec![test(None, "branch.required_approvals > 0", Some(because))]).observe(vec![failing.clone()]).expect("observations").remove(0);
        assert_eq!(observation.verdict, Verdict::Fail, "{because}");
        observation.because.to_string()
    };
    assert_eq!(said("'has ' + string(branch.required_approvals)"), "has 0");
    assert_eq!(said("'a\\nb\\u0007c'"), "a b\\u{7}c");
    let own = "branch.required_approvals > 0 is false: branch.required_approvals = 0";
    for useless in ["branch.nothing", "1", "''", "'x' + 1"] {
        assert_eq!(said(useless), own, "{useless}");
    }
    assert_eq!(said(&format!("'{}'", "é".repeat(1000))).chars().count(), 500);
}

#[test]
fn order_is_resource_then_control_then_test_and_replays_are_identical() {
    let controls = [
        control("B-2", vec![test(None, "branch.limit > 1", None), test(None, "branch.labels.exists(k, k == 'team')", None)]),
        control("A-1", vec![test(None, "branch.checks.exists(c, c.app == 'robot')", None)]),
    ];
    let run = || {
        let mut judge = Judge::new(&controls, &[&BRANCH], now()).expect("compiles");
        judge.observe(vec![branch("z"), without("limit"), branch("a")]).expect("observations")
    };
    let observations = run();
    let order: Vec<_> = observations.iter().map(|o| (&*o.name, o.control.as_str(), o.test)).collect();
    assert_eq!(order[..4], [("z", "A-1", 1), ("z", "B-2", 1), ("z", "B-2", 2), ("main", "A-1", 1)]);
    assert_eq!(order.len(), 9);
    for _ in 0..5 {
        assert_eq!(run(), observations);
    }
}

#[test]
fn broken_promises_of_collectors_are_errors_and_count_nothing() {
    let mut judge = judge(vec![test(None, "true", None)]);
    let mut unproven = branch("main");
    unproven.evidence.clear();
    assert_eq!(refused(judge.observe(vec![branch("ok"), unproven])), "demo.branch demo/main cites no evidence");
    let stray = with("extra", json!(1));
    assert_eq!(refused(judge.observe(vec![stray])), "demo.branch demo/main has an attribute \"extra\" that the kind does not declare");
    let mut foreign = branch("main");
    foreign.kind = "demo.tag".to_owned();
    assert_eq!(refused(judge.observe(vec![foreign])), "demo/main is of the unknown kind \"demo.tag\"");
    assert_eq!(judge.conclude(&[])[0].counts.in_scope(), 0);
}

#[test]
fn controls_that_cannot_be_evaluated_are_refused() {
    let with_test = |test| Judge::new(&[control("DEMO-1", vec![test])], &[&BRANCH], now());
    assert!(refused(with_test(test(Some("1 +"), "true", None))).starts_with("DEMO-1, test 1, where: "));
    assert_eq!(refused(with_test(test(None, &" ".repeat(5000), None))), "DEMO-1, test 1, require: longer than 4096 bytes");
    let mut elsewhere = test(None, "true", None);
    elsewhere.population = "demo.tag".to_owned();
    assert_eq!(refused(with_test(elsewhere)), "DEMO-1: there is no resource kind \"demo.tag\"");
    let mut large = control("DEMO-1", vec![test(None, "true", None)]);
    large.parameters.insert("large".to_owned(), json!(u64::MAX));
    assert!(refused(Judge::new(&[large], &[&BRANCH], now())).starts_with("DEMO-1: parameter large: "));
    let twin = || control("DEMO-1", vec![test(None, "true", None)]);
    assert_eq!(refused(Judge::new(&[twin(), twin()], &[&BRANCH], now())), "two controls are called DEMO-1");
}

const fn decl(name: &'static str, ty: AttributeType) -> AttributeDecl {
    AttributeDecl { name, ty, meaning: "", vendor: "" }
}

static THING: Kind = Kind {
    name: "demo.thing",
    meaning: "a thing",
    permission: "none",
    attributes: &[decl("a", AttributeType::Bool), decl("b", AttributeType::Bool), decl("i", AttributeType::Int), decl("j", AttributeType::Int)],
};

fn integer() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![Just("thing.i".to_owned()), Just("thing.j".to_owned()), (-1..3_i64).prop_map(|i| i.to_string())];
    leaf.prop_recursive(2, 6, 2, |inner| {
        (inner.clone(), inner, prop_oneof![Just("+"), Just("-"), Just("/"), Just("%")]).prop_map(|(l, r, op)| format!("({l} {op} {r})"))
    })
}

fn truth() -> impl Strategy<Value = String> {
    let compared = (integer(), prop_oneof![Just("<"), Just("=="), Just("!="), Just(">=")], integer()).prop_map(|(l, op, r)| format!("({l} {op} {r})"));
    let leaf = prop_oneof![3 => Just("thing.a".to_owned()), 3 => Just("thing.b".to_owned()), 1 => any::<bool>().prop_map(|t| t.to_string()), 4 => compared];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let folds = prop_oneof![Just("all"), Just("exists"), Just("exists_one")];
        prop_oneof![
            3 => (inner.clone(), inner.clone()).prop_map(|(l, r)| format!("({l} && {r})")),
            3 => (inner.clone(), inner.clone()).prop_map(|(l, r)| format!("({l} || {r})")),
            2 => inner.clone().prop_map(|t| format!("!({t})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(l, r)| format!("({l} == {r})")),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(c, l, r)| format!("({c} ? {l} : {r})")),
            2 => (folds, integer(), integer(), inner.clone()).prop_map(|(fold, l, r, t)| format!("[{l}, 0, {r}].{fold}(x, (x > 0) && {t} || (x == thing.i))")),
            1 => (integer(), integer()).prop_map(|(l, r)| format!("({l} in [{r}, thing.j])")),
            1 => (integer(), inner.clone()).prop_map(|(l, t)| format!("([{l}, 1].filter(x, {t}).size() > 0)")),
            1 => (integer(), inner).prop_map(|(l, t)| format!("([0, 1].map(x, {t}, x + {l})[0] == 1)")),
        ]
    })
}

/// Every combination of known and unknown values.
fn things() -> Vec<(Vec<Option<Value>>, Resource)> {
    let truths = [None, Some(json!(false)), Some(json!(true))];
    let numbers = [None, Some(json!(-1)), Some(json!(0)), Some(json!(1)), Some(json!(2))];
    let mut things = Vec::new();
    for (a, b) in truths.iter().flat_map(|a| truths.iter().map(move |b| (a, b))) {
        for (i, j) in numbers.iter().flat_map(|i| numbers.iter().map(move |j| (i, j))) {
            let values = vec![a.clone(), b.clone(), i.clone(), j.clone()];
            let id = format!("thing/{}", things.len()).parse().expect("an id");
            let mut thing = Resource::new(&THING, id, "thing", vec![1]);
            thing.attributes = THING
                .attributes
                .iter()
                .zip(&values)
                .map(|(declared, value)| (declared.name.to_owned(), known(value.clone())))
                .collect::<BTreeMap<String, Attribute>>();
            things.push((values, thing));
        }
    }
    things
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// The engine absorbs errors as three-valued logic does: where there is a verdict although something is unknown, it is the verdict for every value of what is unknown.
    #[test]
    fn a_verdict_in_spite_of_a_gap_does_not_depend_on_what_is_missing(require in truth()) {
        // Whatever is generated here is well typed, so the checker must have nothing to say.
        let site = ExpressionSite { kind: &THING, parameters: &Parameters::new(), expression: &expression(&require), want: Want::Truth, given: None };
        prop_assert_eq!(check(&site), Vec::new(), "{}", require);
        let mut control: Control = control("DEMO-1", vec![test(None, &require, None)]);
        control.tests[0].population = THING.name.to_owned();
        let things = things();
        let mut judge = Judge::new(&[control], &[&THING], now()).expect("compiles");
        let observations = judge.observe(things.iter().map(|(_, thing)| thing.clone()).collect()).expect("observations");
        for ((gappy, _), observed) in things.iter().zip(&observations).filter(|(_, observed)| observed.verdict != Verdict::Undetermined) {
            for ((full, _), completed) in things.iter().zip(&observations) {
                if gappy.iter().zip(full).all(|(gap, value)| gap.is_none() || gap == value) {
                    prop_assert_eq!(completed.verdict, observed.verdict, "{} with {:?} and with {:?}", require, gappy, full);
                }
            }
        }
    }
}
