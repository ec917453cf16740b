//! Expressions that are meant to break the engine: none may crash, hang or slip through as a verdict.

use std::time::Duration;

use proofline::evaluate::{Judge, check};
use proofline::model::{Expression, ExpressionSite, Verdict, Want};

use super::world::{BRANCH, branch, control, judge, now, parameters, test};

/// 160 billion steps: certainly not done within any limit used here. Naming an attribute lets the abandoned thread end.
fn endless() -> String {
    let list = format!("[{}]", vec!["1"; 40].join(","));
    let mut source = "branch.limit == 10".to_owned();
    for name in ["a", "b", "c", "d", "e", "f", "g"] {
        source = format!("{list}.all({name}, {source})");
    }
    source
}

#[test]
fn deep_and_broken_sources_of_4_kib_are_survived() {
    let shapes = [
        "(".repeat(4096),
        format!("{}1{}", "(".repeat(2000), ")".repeat(2000)),
        format!("{}1", "1+".repeat(2000)),
        format!("{}{} == []", "[".repeat(2000), "]".repeat(2000)),
        "[".repeat(4096),
        "{1:".repeat(1000),
        format!("{}true", "!".repeat(4000)),
        format!("{}1 == 1", "-".repeat(4000)),
        format!("branch{}", ".a".repeat(2000)),
        format!("{}true", "true && ".repeat(500)),
        format!("{}true", "true ? true : ".repeat(280)),
        format!("[1]{}", "[0]".repeat(1300)),
        format!("{}true{}", "[1].all(x,".repeat(300), ")".repeat(300)),
        "a".repeat(4096),
        "'".repeat(4095),
        "\u{0}\u{1}\u{2}".repeat(1000),
        "😀".repeat(1024),
        "\\".repeat(4096),
    ];
    for source in &shapes {
        assert!(source.len() <= 4096, "{}", source.len());
        let expression = Expression(source.clone());
        let mistakes = check(&ExpressionSite { kind: &BRANCH, parameters: &parameters(), expression: &expression, want: Want::Truth, given: None });
        for mistake in &mistakes {
            assert!(source.get(mistake.range.clone()).is_some(), "{:.20}: {:?}", source, mistake.range);
            assert!(mistake.message.len() < 9000, "{:.20}", source);
        }
        if let Ok(mut judge) = Judge::new(&[control("DEMO-1", vec![test(None, source, None)])], &[&BRANCH], now()) {
            judge.observe(vec![branch("main")]).expect("an observation");
        }
    }
}

#[test]
fn hostile_patterns_take_no_time_or_are_refused() {
    for pattern in ["(a+)+$", "(a|a)*b", "(.*)*x", "a{1000}{1000}"] {
        let require = format!("'{}'.matches('{pattern}')", "a".repeat(2000));
        let observation = judge(vec![test(None, &require, None)]).observe(vec![branch("main")]).expect("an observation").remove(0);
        assert!(!observation.transient, "{pattern}: {}", observation.because);
    }
}

#[test]
fn an_endless_expression_is_given_up_and_the_others_go_on() {
    let tests =
        vec![test(None, "branch.limit == 10", None), test(None, &endless(), None), test(Some(&endless()), "true", None), test(None, "false", Some(&endless()))];
    let mut judge = judge(tests).limited_to(Duration::from_millis(150));
    let observations = judge.observe((0..5).map(|n| branch(&format!("b{n}"))).collect()).expect("observations");
    assert_eq!(observations.len(), 20);
    for observation in observations {
        let (verdict, transient) = match observation.test {
            1 => (Verdict::Pass, false),
            // A reason that takes too long does not change the verdict.
            4 => (Verdict::Fail, false),
            _ => (Verdict::Undetermined, true),
        };
        assert_eq!((observation.verdict, observation.transient), (verdict, transient), "{observation:?}");
        if verdict == Verdict::Undetermined {
            assert!(observation.because.ends_with("took longer than 150 ms"), "{}", observation.because);
        }
    }
}
