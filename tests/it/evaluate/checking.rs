//! `check`: what it refuses, what it says, and where it points; and that it stays silent about what is fine.

use proofline::evaluate::check;
use proofline::model::{Expression, ExpressionMistake, ExpressionSite, Want, Weight};

use super::world::{BRANCH, parameters};

fn mistakes(source: &str, want: Want) -> Vec<ExpressionMistake> {
    check(&ExpressionSite { kind: &BRANCH, parameters: &parameters(), expression: &Expression(source.to_owned()), want, given: None })
}

/// `error|warning [text pointed at] message (help)` for each mistake.
fn said(source: &str) -> Vec<String> {
    let lines = mistakes(source, Want::Truth).into_iter().map(|mistake| {
        let weight = if mistake.weight == Weight::Error { "error" } else { "warning" };
        let at = source.get(mistake.range.clone()).unwrap_or_else(|| panic!("{source}: {:?} is not on character boundaries", mistake.range));
        format!("{weight} [{at}] {}{}", mistake.message, mistake.help.map(|help| format!(" ({help})")).unwrap_or_default())
    });
    lines.collect()
}

#[test]
fn says_nothing_about_what_is_fine() {
    let fine = [
        "branch.is_default && !branch.archived",
        "branch.required_approvals >= params.approvals",
        "branch[\"required_approvals\"] + 1 > 2",
        "now - branch.created_at < duration(params.max_age)",
        "branch.pushed_at != null && now - branch.pushed_at < duration(\"2160h\")",
        "now - branch.pushed_at < duration(\"2160h\") && branch.pushed_at != null",
        "branch.pushed_at == null || branch.pushed_at > timestamp(\"2026-01-01T00:00:00Z\")",
        "branch.pushed_at == null ? branch.archived : branch.pushed_at < now",
        "!(branch.pushed_at == null) && branch.pushed_at < now",
        "branch.pushed_at == branch.created_at",
        "branch.checks.size() > 0 && branch.checks.all(c, c.app != null)",
        "branch.checks.all(c, c.app == null || c.app.startsWith(\"rob\"))",
        "branch.checks.filter(c, c.app != null && c.app.size() > 2).size() == 1",
        "branch.checks.map(c, c.app != null, c.app.lowerAscii()).exists(a, a == \"robot\")",
        "branch.checks.exists_one(c, c.context == \"ci\")",
        "branch.actors.all(a, a in params.allowed)",
        "\"team\" in branch.labels && branch.labels.team == \"web\"",
        "branch.labels.exists(k, k == \"team\" && branch.labels[k].matches(\"^w\"))",
        "params.by_name[branch.name] == branch.required_approvals",
        "branch.name in [\"main\", \"master\"]",
        "branch.created_at.getFullYear() == 2026",
        "string(branch.required_approvals) == \"2\"",
        "dyn(branch.name) == 1",
        "// only this matters\nbranch.is_default",
        "branch.actors.exists(branch, branch.contains(\"ä\"))",
        "size(branch.actors.filter(a, !(a in params.allowed))) == 0",
        "1.5 < double(branch.limit)",
        "{\"main\": 2}[branch.name] == 2",
        "type(branch.limit) == int",
    ];
    for source in fine {
        assert_eq!(said(source), Vec::<String>::new(), "{source}");
    }
    let text = "\"needs \" + string(branch.required_approvals) + \" approvals, has \" + branch.actors.join(\", \")";
    assert_eq!(mistakes(text, Want::Text), Vec::new());
}

#[test]
fn names_are_checked_and_slips_are_named() {
    let cases: &[(&str, &[&str])] = &[
        ("branch.is_defualt", &["error [is_defualt] demo.branch has no attribute `is_defualt` (did you mean `is_default`?)"]),
        ("branch . xyzzy == 1", &["error [xyzzy] demo.branch has no attribute `xyzzy`"]),
        ("is_default", &["error [is_default] there is no variable `is_default` (did you mean `branch.is_default`?)"]),
        ("brunch.is_default", &["error [brunch] there is no variable `brunch` (did you mean `branch`?)"]),
        ("branch.required_approvals > params.approval", &["error [approval] the control has no parameter `approval` (did you mean `params.approvals`?)"]),
        ("params.days > 1", &["error [days] the control has no parameter `days` (add `days = …` to [control.parameters])"]),
        ("branch.checks.all(c, c.ap == null)", &["error [ap] the record has no field `ap` (did you mean `app`?)"]),
        ("branch.name.foo == 1", &["error [foo] text has no field `foo`"]),
        ("branch.name.startWith(\"a\")", &["error [startWith] there is no function `startWith` (did you mean `startsWith`?)"]),
        ("startsWith(branch.name, \"a\")", &["error [startsWith] `startsWith` is not called like this (write it as `value.startsWith(…)`)"]),
        ("branch.actors.all(a == \"x\")", &["error [all] `all` is not called like this (write it as `list.all(x, …x…)`)"]),
        ("branch.name.contains()", &["error [contains] `contains` takes 1 argument(s), not 0"]),
        (
            "brunch.x == 1 && branch.y == 2",
            &["error [brunch] there is no variable `brunch` (did you mean `branch`?)", "error [y] demo.branch has no attribute `y`"],
        ),
        ("/* a */ true", &["error [/] `/` is not expected here", "error [*] `*` is not expected here", "error [/] `/` is not expected here"]),
        ("'äöü€😀' == branch.nme", &["error [nme] demo.branch has no attribute `nme` (did you mean `name`?)"]),
    ];
    for (source, expected) in cases {
        assert_eq!(said(source), expected.to_vec(), "{source}");
    }
}

#[test]
fn what_would_turn_a_missing_attribute_into_an_answer_is_refused() {
    let whole = "`branch` as a whole has no value: what is missing from it would not be noticed";
    for source in ["\"archived\" in branch", "branch == {}", "size(branch) > 3", "branch.all(k, true)", "branch.size() == 10", "[branch].size() == 1"] {
        let said = said(source);
        assert!(said.iter().any(|line| line.contains(whole)), "{source}: {said:?}");
    }
    for source in [
        "has(branch.archived)",
        "!has(branch.archived) || branch.archived",
        "branch.?archived.orValue(true)",
        "branch[?\"archived\"].hasValue()",
        "optional.of(branch.archived).orValue(true)",
    ] {
        let said = said(source);
        assert!(said.iter().any(|line| line.starts_with("error") && line.contains("would turn a missing attribute into an answer")), "{source}: {said:?}");
    }
}

#[test]
fn types_are_checked_where_they_are_known() {
    let cases: &[(&str, &str)] = &[
        ("branch.required_approvals", "error [branch.required_approvals] this yields int; it must yield true or false"),
        ("branch.name == 1", "error [branch.name == 1] text and int are never equal"),
        ("branch.is_default == \"true\"", "error [branch.is_default == \"true\"] bool and text are never equal"),
        ("branch.is_default == null", "error [branch.is_default == null] bool is never null here"),
        ("!branch.name", "error [branch.name] `!` takes true or false, not text"),
        ("branch.is_default && branch.limit", "error [branch.limit] `&&` takes true or false, not int"),
        ("branch.is_default > branch.archived", "error [branch.is_default > branch.archived] bool has no order"),
        ("size(branch.limit) > 1", "error [size] `size` does not take (int)"),
        ("branch.limit.size() > 1", "error [size] `size` on int does not take ()"),
        (
            "branch.created_at > \"2026-01-01\"",
            "error [branch.created_at > \"2026-01-01\"] time and text cannot be compared (write an instant as timestamp(\"2026-01-01T00:00:00Z\"))",
        ),
        (
            "now - branch.created_at < 90",
            "error [now - branch.created_at < 90] duration and int cannot be compared (write a span of time as duration(\"24h\"))",
        ),
        ("\"n\" + branch.limit == \"n1\"", "error [\"n\" + branch.limit] `+` does not go between text and int (write string(…) around what is not text)"),
        ("\"a\" in branch.name", "error [\"a\" in branch.name] `in` looks in a list or a map, not in text (write `text.contains(part)`)"),
        ("1 in branch.actors", "error [1 in branch.actors] int is never in a list of text"),
        ("branch.checks.all(c, c.context)", "error [c.context] the condition of `all` yields true or false, not text"),
        ("branch.limit.all(x, true)", "error [all] `all` goes through a list or a map, not int"),
        (
            "branch.labels.map(k, k).size() == 1",
            "error [map] `map` over a map would yield its keys in random order (use `all`, `exists` or `exists_one`, which do not depend on the order)",
        ),
        ("duration(\"90d\") > now - now", "error [duration(\"90d\")] duration() fails here: "),
        ("branch.name.matches(\"(\")", "error [branch.name.matches(\"(\")] matches() fails here: "),
        ("duration(\"1h30\") > now - now", "error [duration(\"1h30\")] duration() fails here: \"1h30\" is not a span of time"),
        ("now - now < duration(params.half_read)", "error [duration(params.half_read)] duration() fails here: \"30m and more\" is not a span of time"),
        ("timestamp(\"soon\") < now", "error [timestamp(\"soon\")] timestamp() fails here: "),
        (
            "branch.pushed_at < now",
            "warning [branch.pushed_at] `branch.pushed_at` may be null (the source says there is none); the result is undetermined then",
        ),
        ("branch.checks.exists(c, c.app.startsWith(\"x\"))", "warning [c.app] `c.app` may be null"),
        ("branch.pushed_at != null || branch.pushed_at < now", "warning [branch.pushed_at] `branch.pushed_at` may be null"),
        ("branch.checks.exists(c, c.app != null) && branch.checks.exists(c, c.app.size() > 0)", "warning [c.app] `c.app` may be null"),
    ];
    for (source, expected) in cases {
        let said = said(source);
        assert_eq!(said.len(), 1, "{source}: {said:?}");
        assert!(said[0].starts_with(expected), "{source}\n  said {}\n  want {expected}", said[0]);
    }
    assert_eq!(mistakes("branch.limit", Want::Text)[0].message, "this yields int; it must yield text");
}

#[test]
fn syntax_errors_are_said_in_words_and_in_the_right_place() {
    let cases: &[(&str, &[&str])] = &[
        ("", &["error [] the expression is empty"]),
        ("branch.limit =", &["error [=] `=` is not part of the language (write `==` to compare)"]),
        ("branch.limit == ", &["error [ ] the expression ends too early"]),
        ("(branch.is_default", &["error [t] `)` is missing at the end"]),
        ("branch.is_default and branch.archived", &["error [and] `and` is not expected here (write `&&`)"]),
        ("'ä€😀' == 'x' and true", &["error [and] `and` is not expected here (write `&&`)"]),
        ("branch.name == 'ma", &["error ['] the text that starts here does not end (close it with the same quote)"]),
        ("branch.is_default\n  && §", &["error [§] `§` is not part of the language"]),
        ("99999999999999999999 > 1", &["error [99999999999999999999] the number does not fit in 64 bits"]),
        ("if == 1", &["error [if] `if` is a reserved word and names nothing"]),
    ];
    for (source, expected) in cases {
        let said = said(source);
        assert_eq!(said, expected.to_vec(), "{source}");
    }
    let long = format!("{}true", "true && ".repeat(600));
    assert!(mistakes(&long, Want::Truth)[0].message.contains("the most is 4096"));
}

#[test]
fn a_where_that_rules_null_out_guards_the_require() {
    let given = Expression("branch.is_default && branch.pushed_at != null".to_owned());
    let expression = Expression("branch.pushed_at < now".to_owned());
    let site = ExpressionSite { kind: &BRANCH, parameters: &parameters(), expression: &expression, want: Want::Truth, given: None };
    assert_eq!(check(&site).len(), 1);
    assert_eq!(check(&ExpressionSite { given: Some(&given), ..site }), Vec::new());
    let broken = Expression("branch.pushed_at !=".to_owned());
    assert_eq!(check(&ExpressionSite { given: Some(&broken), ..site }).len(), 1);
}
