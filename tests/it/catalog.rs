//! The catalogue: what a good file becomes, and what each mistake looks like to the person who made it.

#![cfg(test)]

use std::collections::BTreeMap;

use proofline::catalog::{Catalog, Mistakes, Overrides, SourceFile, Style, Vocabulary, load, schema, settings, shipped};
use proofline::model::{AttributeDecl, AttributeType, ControlId, ExpressionMistake, ExpressionSite, Frequency, Kind, Severity, Verdict, Want, Weight};
use serde_json::json;

const fn declared(name: &'static str, ty: AttributeType) -> AttributeDecl {
    AttributeDecl { name, ty, meaning: "An attribute.", vendor: "GET /x" }
}

static CHECK: &[AttributeDecl] = &[declared("context", AttributeType::Text), declared("app", AttributeType::Optional(&AttributeType::Text))];

static BRANCH: Kind = Kind {
    name: "github.branch",
    meaning: "A branch.",
    permission: "metadata: read",
    attributes: &[
        declared("name", AttributeType::Text),
        declared("is_default", AttributeType::Bool),
        declared("required_approvals", AttributeType::Int),
        declared("required_checks", AttributeType::List(&AttributeType::Record(CHECK))),
        declared("pushed_at", AttributeType::Optional(&AttributeType::Time)),
        declared("labels", AttributeType::Map(&AttributeType::Text)),
    ],
};

static ORGANIZATION: Kind =
    Kind { name: "github.organization", meaning: "An organisation.", permission: "members: read", attributes: &[declared("login", AttributeType::Text)] };

/// An engine that knows one mistake: the word BAD, and one warning: the word ODD.
fn fake_check(site: &ExpressionSite<'_>) -> Vec<ExpressionMistake> {
    let found = |word: &str, weight: Weight| {
        site.expression.0.find(word).map(|at| ExpressionMistake {
            weight,
            range: at..at + word.len(),
            message: format!("there is no attribute `{word}`"),
            help: Some(format!("did you mean `{}`?", site.kind.attributes[0].name)),
        })
    };
    let wanted = |want: Want| site.want == want;
    let text = (wanted(Want::Truth) && site.expression.0.starts_with('\'')).then(|| ExpressionMistake {
        weight: Weight::Error,
        range: 0..site.expression.0.len(),
        message: "this yields text, not true or false".to_owned(),
        help: None,
    });
    [found("BAD", Weight::Error), found("ODD", Weight::Warning), text].into_iter().flatten().collect()
}

fn load_with(files: &[SourceFile], overrides: &Overrides) -> Result<Catalog, Mistakes> {
    load(files, &Vocabulary { kinds: &[&BRANCH, &ORGANIZATION], check: &fake_check }, overrides)
}

const CRITERIA: &str = r#"
framework = "soc2"
name = "SOC 2"
[[criterion]]
id = "CC8.1"
title = "Changes are managed"
[[criterion]]
id = "CC6.1"
title = "Access is protected"
"#;

const GOOD: &str = r#"
[[control]]
id = "CHG-01"
title = "Default branches accept only reviewed changes"
owner = "cloud-devops"
severity = "high"
satisfies = ["soc2:CC8.1"]
frequency = "daily"
why = "A change that nobody saw can break or betray."
fix = "Protect the branch."

[control.parameters]
approvals = 1

[[control.test]]
population = "github.branch"
where = "branch.is_default"
require = "branch.required_approvals >= params.approvals"
because = "'needs approvals'"

[[control.test.example]]
verdict = "pass"
branch = { is_default = true, required_approvals = 1, required_checks = [{ context = "ci", app = { none = true } }], pushed_at = 2026-01-31T10:00:00+01:00, labels = { a = "b" } }

[[control.test.example]]
verdict = "fail"
now = 2026-03-01T00:00:00Z
parameters = { approvals = 2 }
branch = { is_default = true, required_approvals = 1, pushed_at = { none = true } }
"#;

fn files(control: &str) -> Vec<SourceFile> {
    vec![SourceFile::new("controls/criteria/soc2.toml", CRITERIA), SourceFile::new("controls/change.toml", control)]
}

fn good() -> Catalog {
    match load_with(&files(GOOD), &Overrides::default()) {
        Ok(catalog) => catalog,
        Err(mistakes) => panic!("{mistakes}"),
    }
}

/// `GOOD` with one text replaced; the text has to be there.
fn with(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from:?} is not in the good file");
    GOOD.replacen(from, to, 1)
}

fn mistakes_of(control: &str) -> Mistakes {
    load_with(&files(control), &Overrides::default()).expect_err("the file has a mistake")
}

fn overrides(id: &str, name: &str, value: serde_json::Value) -> Overrides {
    let id: ControlId = id.parse().expect("an id");
    Overrides::from(BTreeMap::from([(id, BTreeMap::from([(name.to_owned(), value)]))]))
}

#[test]
fn a_good_file_becomes_a_catalogue() {
    let catalog = good();
    assert!(catalog.warnings.is_empty(), "{}", catalog.warnings);
    let control = catalog.control(&"CHG-01".parse().expect("an id")).expect("the control");
    assert_eq!((control.severity, control.frequency, control.file.as_str()), (Severity::High, Frequency::Daily, "controls/change.toml"));
    assert_eq!(control.parameters["approvals"], json!(1));
    let test = &control.tests[0];
    assert_eq!(test.filter.as_ref().map(|e| e.0.as_str()), Some("branch.is_default"));
    let [pass, fail] = test.examples.as_slice() else { panic!("two examples") };
    assert_eq!(
        serde_json::to_value(&pass.resource).expect("JSON"),
        json!({
            "is_default": true, "required_approvals": 1, "pushed_at": "2026-01-31T09:00:00Z", "labels": { "a": "b" },
            "required_checks": [{ "context": "ci", "app": null }]
        })
    );
    assert_eq!((pass.now.to_rfc3339().as_str(), pass.verdict, pass.line), ("2026-01-01T00:00:00+00:00", Verdict::Pass, 21));
    assert_eq!((fail.now.to_rfc3339().as_str(), fail.verdict), ("2026-03-01T00:00:00+00:00", Verdict::Fail));
    assert_eq!((fail.parameters["approvals"].clone(), fail.resource["pushed_at"].clone()), (json!(2), json!(null)));
    let uncovered: Vec<_> = catalog.uncovered().iter().map(|criterion| criterion.id.as_str()).collect();
    assert_eq!(uncovered, ["soc2:CC6.1"]);
}

#[test]
fn a_mistake_is_framed_with_file_line_column_and_a_suggestion() {
    insta::assert_snapshot!(mistakes_of(&with("branch.is_default", "branch.BAD && true")), @r#"
    error: there is no attribute `BAD`
      --> controls/change.toml:17:17
       |
    17 | where = "branch.BAD && true"
       |                 ^^^
       |
       = help: did you mean `name`?

    1 error, 0 warnings
    "#);
    insta::assert_snapshot!(mistakes_of(&with("severity = \"high\"", "severty = \"high\"")), @r#"
    error: a control has no key `severty`
     --> controls/change.toml:6:1
      |
    6 | severty = "high"
      | ^^^^^^^
      |
      = help: did you mean `severity`?

    1 error, 0 warnings
    "#);
    insta::assert_snapshot!(mistakes_of(&format!("{GOOD}\n{GOOD}")), @r#"
    error: the control id CHG-01 is taken
      --> controls/change.toml:33:6
       |
    33 | id = "CHG-01"
       |      ^^^^^^^^
       |
      ::: controls/change.toml:3:6
       |
     3 | id = "CHG-01"
       |      -------- it was given first here
       |
       = help: a control keeps its id for good, so give this one another

    1 error, 0 warnings
    "#);
    let far = mistakes_of(&with("verdict = \"pass\"", &format!("\"{}\" = 1\nverdict = \"pass\"", "é".repeat(300))));
    assert!(far.to_string().lines().all(|line| line.len() < 800), "{far}");
}

#[test]
fn a_column_is_the_true_one_though_the_line_is_cut() {
    let long = mistakes_of(&with("is_default = true, required_approvals = 1, req", &format!("name = \"{}\", is_defalt = true, req", "é".repeat(300))));
    assert_eq!(shorts(&long), ["23:323 github.branch has no attribute `is_defalt` | did you mean `is_default`?"]);
    assert!(long.to_string().contains("--> controls/change.toml:23:323"), "{long}");
    let mixed = mistakes_of(&with("is_default = true, required_approvals = 1, req", "\tname = \"é日本\", is_defalt = true, req"));
    assert!(mixed.to_string().contains("--> controls/change.toml:23:27"), "{mixed}");
}

/// A mistake: what is replaced in the good file, by what, and every message that must come, with its line and column.
type Case<'c> = (&'c str, &'c str, &'c [&'c str]);

fn assert_mistakes(cases: &[Case<'_>]) {
    for (from, to, expected) in cases {
        let mistakes = mistakes_of(&with(from, to));
        let lines: Vec<String> = mistakes.0.iter().filter(|m| m.weight == Weight::Error).map(short).collect();
        assert_eq!(lines, *expected, "{to}");
    }
}

#[test]
fn mistakes_about_when_a_control_is_due_have_message_place_and_suggestion() {
    assert_mistakes(&[
        (
            "frequency = \"daily\"",
            "frequency = \"annual\"",
            &["8:13 `frequency` cannot be \"annual\" | one of hourly, daily, weekly, monthly, quarterly, yearly"],
        ),
        (
            "frequency = \"daily\"",
            "frequency = \"daily\"\nweekday = \"monday\"",
            &["9:11 `weekday` is for weekly controls | leave it out, or write frequency = \"weekly\""],
        ),
        (
            "frequency = \"daily\"",
            "frequency = \"weekly\"\nweekday = \"thirsday\"",
            &["9:11 `weekday` cannot be \"thirsday\" | did you mean \"thursday\"? one of monday, tuesday, wednesday, thursday, friday, saturday, sunday"],
        ),
        (
            "frequency = \"daily\"",
            "frequency = \"daily\"\nschedule = \"17 2 * *\"",
            &[
                "9:12 \"17 2 * *\" is not a cron pattern: Invalid pattern: Pattern must have 5 fields when seconds are disallowed. | write five fields: minute, hour, day of the month, month, day of the week, e.g. \"17 2 * * MON-FRI\"",
            ],
        ),
        (
            "frequency = \"daily\"",
            "frequency = \"weekly\"\nweekday = \"monday\"\nschedule = \"17 2 * * MON\"",
            &["10:12 `schedule` and `weekday` both say when it is owed | leave one out"],
        ),
        (
            "frequency = \"daily\"",
            "frequency = \"daily\"\nstarts = \"soon\"",
            &["9:10 `starts` is a date, not text | write a date without quotes, e.g. 2026-12-31"],
        ),
        (
            "frequency = \"daily\"",
            "frequency = \"daily\"\nstarts = 2026",
            &["9:10 `starts` is a date, not an integer | write a date without quotes, e.g. 2026-12-31"],
        ),
    ]);
}

#[test]
fn mistakes_in_a_control_have_message_place_and_suggestion() {
    assert_mistakes(&[
        ("id = \"CHG-01\"", "id = \"../x\"", &["3:6 \"../x\" is not a control id | use letters, digits, '-', '_' and '.', at most 80, e.g. CHG-01"]),
        ("id = \"CHG-01\"\n", "", &["2:1 a control needs `id` | e.g. id = \"CHG-01\""]),
        ("title = \"Default branches accept only reviewed changes\"", "title = \" \"", &["4:9 `title` is empty"]),
        ("title = \"Default branches accept only reviewed changes\"", "title = \"a\\nb\"", &["4:9 `title` is one line"]),
        (
            "title = \"Default branches accept only reviewed changes\"",
            "title = \"a\\u0000\"",
            &["4:9 `title` holds the control character \\u{0} | leave it out"],
        ),
        ("owner = \"cloud-devops\"", "owner = 7", &["5:9 `owner` is text, not an integer | write owner = \"…\""]),
        (
            "severity = \"high\"",
            "severity = \"hihg\"",
            &["6:12 `severity` cannot be \"hihg\" | did you mean \"high\"? one of critical, high, medium, low, info"],
        ),
        ("\"soc2:CC8.1\"", "\"soc2:CC8.2\"", &["7:14 no criteria file has soc2:CC8.2 | did you mean `soc2:CC8.1`?"]),
        ("\"soc2:CC8.1\"", "\"sco2:CC8.1\"", &["7:14 no criteria file has sco2:CC8.1 | framework: did you mean `soc2`?"]),
        ("\"soc2:CC8.1\"", "\"CC8.1\"", &["7:14 \"CC8.1\" is not a criterion | write framework:number, e.g. soc2:CC8.1 or iso27001:A.8.32"]),
        ("\"soc2:CC8.1\"", "\"soc2:CC8.1\", \"soc2:CC8.1\"", &["7:28 soc2:CC8.1 is named twice | leave one out"]),
        (
            "[\"soc2:CC8.1\"]",
            "[]",
            &["7:13 `satisfies` is empty | name a criterion that it helps to meet; your own ones go into a file in a criteria/ directory"],
        ),
        ("satisfies = [\"soc2:CC8.1\"]", "satisfies = \"soc2:CC8.1\"", &["7:13 `satisfies` is a list, not text | write satisfies = [ … ]"]),
        ("approvals = 1\n", "approvals = nan\n", &["13:13 `approvals` is not a finite number"]),
        ("approvals = 1\n", "approvals = 99999999999999999999\n", &["13:13 this number does not fit into 64 bits"]),
        (
            "approvals = 1\n",
            "approvals = 1\n\"a b\" = 1\n",
            &["14:1 `a b` is not a parameter name | use lower-case letters, digits and '_', so that expressions can say params.name"],
        ),
        ("[[control]]", "[control]", &["2:1 `control` is a list, not a table | write control = [ … ]"]),
        (
            "[[control]]",
            "[[controls]]",
            &["2:3 a control file has no key `controls` | did you mean `control`?", "12:2 `control` is a list, not a table | write control = [ … ]"],
        ),
    ]);
}

#[test]
fn mistakes_in_a_test_have_message_place_and_suggestion() {
    let long = format!("require = \"{}\"", "x".repeat(4097));
    assert_mistakes(&[
        ("\"github.branch\"", "\"github.brnch\"", &["16:14 there is no resource kind `github.brnch` | did you mean `github.branch`?"]),
        ("\"github.branch\"", "\"aws.bucket\"", &["16:14 there is no resource kind `aws.bucket` | one of github.branch, github.organization"]),
        (
            "require = \"branch.required_approvals >= params.approvals\"",
            "requires = \"true\"",
            &["18:1 a test has no key `requires` | did you mean `require`?"],
        ),
        (
            "require = \"branch.required_approvals >= params.approvals\"",
            &long,
            &["18:11 `require` is 4097 bytes long, at most 4096 are allowed | split it into several tests"],
        ),
        ("require = \"branch", "require = \"\\\"é\\\" != BAD && branch", &["18:21 there is no attribute `BAD` | did you mean `name`?"]),
        ("because = \"'needs approvals'\"", "because = '''\n'needs'\n + BAD'''", &["21:4 there is no attribute `BAD` | did you mean `name`?"]),
        ("where = \"branch.is_default\"", "where = \"'text'\"", &["17:10 this yields text, not true or false"]),
        ("because = \"'needs approvals'\"", "may_be_empty = \"yes\"", &["19:16 `may_be_empty` is true or false, not text"]),
        ("because = \"'needs approvals'\"", "listed_by = \"labels\"", &["19:13 `listed_by` is a list, not text | write listed_by = [ … ]"]),
        (
            "because = \"'needs approvals'\"",
            "listed_by = [\"approvals\", \"nothing\"]",
            &[
                "19:14 the control has no parameter `approvals` that is a list of texts | name a list of `[control.parameters]`, e.g. listed_by = [\"labels\"]",
                "19:27 the control has no parameter `nothing` that is a list of texts | name a list of `[control.parameters]`, e.g. listed_by = [\"labels\"]",
            ],
        ),
    ]);
}

#[test]
fn mistakes_in_an_example_have_message_place_and_suggestion() {
    assert_mistakes(&[
        (
            "verdict = \"pass\"",
            "verdict = \"passes\"",
            &["22:11 `verdict` cannot be \"passes\" | did you mean \"pass\"? one of pass, fail, not-applicable, undetermined"],
        ),
        ("verdict = \"fail\"", "verdict = \"waived\"", &["26:11 an example cannot be waived | write the verdict before any waiver: fail"]),
        (
            "branch = { is_default = true, required_approvals = 1, required_checks",
            "brnch = { required_checks",
            &["23:1 an example has no key `brnch` | did you mean `branch`?"],
        ),
        (
            "required_approvals = 1, required_checks",
            "required_aprovals = 1, required_checks",
            &["23:31 github.branch has no attribute `required_aprovals` | did you mean `required_approvals`?"],
        ),
        ("required_approvals = 1, required_checks", "required_approvals = \"1\", required_checks", &["23:52 `required_approvals` is int, not text | e.g. 1"]),
        ("context = \"ci\"", "contxt = \"ci\"", &["23:76 required_checks has no attribute `contxt` | did you mean `context`?"]),
        ("{ context = \"ci\", app = { none = true } }", "\"ci\"", &["23:74 `required_checks` is {context: text, app: text or null}, not text"]),
        ("2026-01-31T10:00:00+01:00", "2026-01-31", &["23:130 `pushed_at` is not an instant | write date, time and offset, e.g. 2026-01-31T09:00:00Z"]),
        ("2026-01-31T10:00:00+01:00", "\"tomorrow\"", &["23:130 `pushed_at` is not an instant | write date, time and offset, e.g. 2026-01-31T09:00:00Z"]),
        ("labels = { a = \"b\" }", "labels = { a = 1 }", &["23:172 `a` is text, not an integer | e.g. \"…\""]),
        ("now = 2026-03-01T00:00:00Z", "now = 2026-03-01T00:00:00", &["27:7 `now` is not an instant | write date, time and offset, e.g. 2026-01-31T09:00:00Z"]),
        ("{ approvals = 2 }", "{ aprovals = 2 }", &["28:16 `parameters` has no key `aprovals` | did you mean `approvals`?"]),
        ("{ approvals = 2 }", "{ approvals = \"2\" }", &["28:28 `approvals` has to be an integer, not text"]),
    ]);
}

/// `line:column message | help`.
fn short(mistake: &proofline::catalog::Mistake) -> String {
    let place = mistake.place.as_ref().map_or_else(String::new, |place| format!("{}:{} ", place.line, place.column));
    let help = mistake.help.as_ref().map_or_else(String::new, |help| format!(" | {help}"));
    format!("{place}{}{help}", mistake.message)
}

fn shorts(mistakes: &Mistakes) -> Vec<String> {
    mistakes.0.iter().map(short).collect()
}

#[test]
fn a_broken_control_hides_nothing_in_the_next() {
    let broken = GOOD.replace("CHG-01", "CHG-02").replace("severity = \"high\"", "severity = high").replace("owner = \"cloud-devops\"", "owner = 'cloud");
    let next = GOOD.replace("severity = \"high\"", "severity = \"awful\"").replace("branch.is_default\"", "BAD\"");
    let mistakes = mistakes_of(&format!("{broken}\n{next}"));
    insta::assert_snapshot!(shorts(&mistakes).join("\n"), @r#"
    5:15 this is not TOML: invalid literal string, expected `'`
    6:12 this is not TOML: string values must be quoted, expected literal string
    36:12 `severity` cannot be "awful" | one of critical, high, medium, low, info
    47:10 there is no attribute `BAD` | did you mean `name`?
    "#);
}

#[test]
fn what_a_syntax_error_swallowed_is_not_reported_as_missing() {
    let broken = with("severity = \"high\"", "severity \"high\"").replace("because = \"'needs approvals'\"", "because = \"'''\n'x'");
    let lines = shorts(&mistakes_of(&broken));
    assert!(lines.len() >= 2 && lines.iter().all(|line| line.contains("this is not TOML")), "{lines:#?}");
}

#[test]
fn the_engine_is_asked_about_each_expression_with_what_is_given_there() {
    let asked = std::cell::RefCell::new(Vec::new());
    let check = |site: &ExpressionSite<'_>| {
        let given = site.given.map(|given| given.0.clone());
        asked.borrow_mut().push((site.expression.0.clone(), site.want, given, site.parameters["approvals"].clone()));
        Vec::new()
    };
    load(&files(GOOD), &Vocabulary { kinds: &[&BRANCH], check: &check }, &overrides("CHG-01", "approvals", json!(4))).expect("a good file");
    let condition = || Some("branch.is_default".to_owned());
    assert_eq!(
        *asked.borrow(),
        [
            ("branch.is_default".to_owned(), Want::Truth, None, json!(4)),
            ("branch.required_approvals >= params.approvals".to_owned(), Want::Truth, condition(), json!(4)),
            ("'needs approvals'".to_owned(), Want::Text, condition(), json!(4)),
        ]
    );
}

#[test]
fn warnings_stop_nothing() {
    let quiet = with("verdict = \"fail\"", "verdict = \"pass\"").replace("approvals = 1\n", "approvals = 1\nspare = 2\n").replace("is_default\"", "ODD\"");
    let catalog = load_with(&files(&quiet), &Overrides::default()).expect("only warnings");
    assert_eq!(
        shorts(&catalog.warnings),
        [
            "14:1 no expression reads `params.spare` | leave it out, or use it",
            "16:1 no example of this test gets the verdict fail | add a [[control.test.example]] that shows it",
            "18:17 there is no attribute `ODD` | did you mean `name`?",
        ]
    );
}

#[test]
fn overrides_replace_parameters_and_must_fit() {
    let catalog = load_with(&files(GOOD), &overrides("CHG-01", "approvals", json!(3))).expect("it fits");
    assert_eq!(catalog.controls[0].parameters["approvals"], json!(3));
    assert_ne!(catalog.controls[0].digest, good().controls[0].digest);
    for (id, name, value, expected) in [
        ("CHG-02", "approvals", json!(3), "there is no control CHG-02 | did you mean `CHG-01`?"),
        ("CHG-01", "aprovals", json!(3), "CHG-01 has no parameter `aprovals` | did you mean `approvals`?"),
        ("CHG-01", "approvals", json!("3"), "`approvals` has to be an integer, not text | CHG-01 has approvals = 1"),
    ] {
        let mistakes = load_with(&files(GOOD), &overrides(id, name, value)).expect_err("it does not fit");
        assert_eq!(shorts(&mistakes), [expected]);
    }
    let written = SourceFile::new("proofline.toml", "[github]\norganizations = [\"acme\"]\n[parameters.CHG-01]\naprovals = 2\n");
    let settings = settings::settings(&written).expect("settings");
    let mistakes = load_with(&files(GOOD), &settings.parameters).expect_err("no such parameter");
    assert_eq!(shorts(&mistakes), ["4:12 CHG-01 has no parameter `aprovals` | did you mean `approvals`?"]);
}

#[test]
fn the_digest_changes_when_and_only_when_what_is_judged_or_said_changes() {
    let digest = |files: &[SourceFile]| load_with(files, &Overrides::default()).map(|catalog| catalog.controls[0].digest).expect("a good file");
    let original = digest(&files(GOOD));
    let commented = format!("# moved\n{}", GOOD.replace("severity = \"high\"", "severity    = 'high' # as agreed"));
    assert_eq!(digest(&[SourceFile::new("controls/criteria/soc2.toml", CRITERIA), SourceFile::new("elsewhere.toml", &commented)]), original);
    assert_eq!(digest(&files(&with("because = ", "may_be_empty = false\nbecause = "))), original);
    assert_eq!(digest(&files(&with("now = 2026-03-01T00:00:00Z", "now = 2026-03-02T00:00:00Z"))), original, "an example judges nothing");
    let labels = GOOD.replace("approvals = 1\n", "approvals = 1\nlabels = [\"incident\"]\n");
    let listed = labels.replace("because = ", "listed_by = [\"labels\"]\nbecause = ");
    assert_ne!(digest(&files(&listed)), digest(&files(&labels)));
    for (from, to) in [
        ("CHG-01", "CHG-02"),
        ("severity = \"high\"", "severity = \"low\""),
        ("soc2:CC8.1", "soc2:CC6.1"),
        ("frequency = \"daily\"", "frequency = \"weekly\""),
        ("Protect the branch.", "Protect it."),
        ("approvals = 1\n", "approvals = 2\n"),
        (">= params", "> params"),
        ("where = \"branch.is_default\"\n", ""),
        ("'needs approvals'", "'needs more'"),
        ("because = ", "may_be_empty = true\nbecause = "),
    ] {
        assert_ne!(digest(&files(&with(from, to))), original, "{to}");
    }
}

#[test]
fn criteria_files_are_checked_too() {
    let criteria =
        CRITERIA.replace("CC6.1", "CC8.1").replace("title = \"Changes are managed\"", "titel = \"Changes\"").replace("name = \"SOC 2\"", "name = \"\"");
    let mistakes = load_with(&[SourceFile::new("criteria/soc2.toml", criteria)], &Overrides::default()).expect_err("mistakes");
    assert_eq!(
        shorts(&mistakes),
        ["3:8 `name` is empty", "6:1 a criterion has no key `titel` | did you mean `title`?", "8:6 the criterion soc2:CC8.1 is there twice",]
    );
}

#[test]
fn mistakes_are_flat_in_json_and_coloured_on_terminals() {
    let mistakes = mistakes_of(&with("severity = \"high\"", "severity = \"hihg\""));
    assert_eq!(
        serde_json::to_value(&mistakes).expect("JSON"),
        json!([{
            "weight": "error", "file": "controls/change.toml", "line": 6, "column": 12, "message": "`severity` cannot be \"hihg\"",
            "help": "did you mean \"high\"? one of critical, high, medium, low, info"
        }])
    );
    assert!(mistakes.render(Style::Colour).contains("\u{1b}["));
    assert!(!mistakes.render(Style::Plain).contains('\u{1b}'));
}

#[test]
fn the_shipped_criteria_load() {
    let catalog = load_with(&shipped::criteria(), &Overrides::default()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert!(catalog.warnings.is_empty());
    for id in ["soc2:CC8.1", "iso27001:A.8.32", "cis-github:1.1.3", "cis-gcp:1.4", "nist80053:CM-3"] {
        assert!(catalog.criterion(&id.parse().expect("an id")).is_some(), "{id}");
    }
}

mod hostile {
    use proofline::catalog::{Overrides, SourceFile, settings};
    use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};

    use super::{GOOD, files, load_with, with};

    fn survives(text: &str) {
        if let Err(mistakes) = load_with(&files(text), &Overrides::default()) {
            let printed = mistakes.to_string();
            assert!(printed.len() < 3_000 * (mistakes.0.len() + 1), "{} bytes for {} mistakes", printed.len(), mistakes.0.len());
        }
        if let Err(mistakes) = settings::settings(&SourceFile::new("proofline.toml", text)) {
            assert!(!mistakes.to_string().is_empty());
        }
    }

    #[test]
    fn odd_files_neither_panic_nor_flood() {
        let big = "x".repeat(5 << 20);
        for text in [
            String::new(),
            "\0".to_owned(),
            with("high", "hi\0gh"),
            with("severity = \"high\"", &format!("severity = \"{big}\"")),
            with("branch.is_default", &big),
            format!("{big} = 1\n{GOOD}"),
            format!("x = {}{}", "[".repeat(100_000), "]".repeat(100_000)),
            format!("x = {}1{}", "{a=".repeat(100_000), "}".repeat(100_000)),
            "\u{feff}\u{feff}[[control]]".to_owned(),
            "[[control]]\r\rid = 1\r".to_owned(),
            "control = [1, {}, [[[]]], { test = [1, { example = [2, {}] }] }]".to_owned(),
            "[github]\norganizations = [[], {}, 1, nan, 2026-01-01]\n[parameters]\n\"\" = {}\nx = 1".to_owned(),
            "'''".to_owned(),
            "\"\\ud800\" = \"\\UFFFFFFFF\"".to_owned(),
        ] {
            survives(&text);
        }
    }

    #[test]
    fn a_file_that_is_no_control_file_is_not_answered_with_a_flood() {
        let one_line = format!("control = [{{ {} }}]", (0..10_000).map(|n| format!("k{n} = 1")).collect::<Vec<_>>().join(", "));
        for text in ["[[[\n".repeat(20_000), "x = = 1\n".repeat(20_000), one_line] {
            let mistakes = load_with(&files(&text), &Overrides::default()).expect_err("not a control file");
            assert!((2..=301).contains(&mistakes.0.len()), "{}", mistakes.0.len());
            assert!(mistakes.to_string().contains("more mistakes, which are not shown"));
        }
    }

    #[test]
    fn deep_dotted_keys_do_not_exhaust_the_stack() {
        for text in [format!("{}a = 1", "a.".repeat(500_000)), format!("[{}a]", "a.".repeat(500_000)), format!("[[{}a]]", "a.".repeat(500_000))] {
            survives(&text);
        }
    }

    #[test]
    fn a_byte_order_mark_and_crlf_change_nothing() {
        let unix = with("fix = \"Protect the branch.\"", "fix = \"\"\"\nProtect\nthe branch.\"\"\"").replace("\"branch.is_default\"", "'''\ntrue\n && true'''");
        let windows = format!("\u{feff}{}", unix.replace('\n', "\r\n"));
        let digest = |text: &str| load_with(&files(text), &Overrides::default()).expect("good").controls[0].digest;
        assert_eq!(digest(&windows), digest(&unix));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever a slip of the hand makes of a good file, the answer is a catalogue or mistakes that can be printed.
        #[test]
        fn mutations_never_panic(cuts in proptest::collection::vec((any::<proptest::sample::Index>(), 0..12_usize, "[\\PC\n\"'\\\\\\[\\]{}=#.]{0,4}"), 1..6)) {
            let mut text: Vec<char> = GOOD.chars().collect();
            for (at, length, insert) in cuts {
                let at = at.index(text.len() + 1);
                let end = (at + length).min(text.len());
                text.splice(at..end, insert.chars());
            }
            let text: String = text.into_iter().collect();
            match load_with(&files(&text), &Overrides::default()) {
                Ok(catalog) => prop_assert!(catalog.controls.len() <= 1),
                Err(mistakes) => prop_assert!(mistakes.errors() > 0 && mistakes.to_string().contains("error")),
            }
            let starter = settings::STARTER.replacen("organizations = []", &format!("organizations = {text}"), 1);
            prop_assert!(settings::settings(&SourceFile::new("p", starter)).map_or_else(|m| m.errors() > 0, |_| true));
        }
    }
}

mod configuration {
    use proofline::catalog::settings::{Limits, STARTER, Settings, settings};
    use proofline::catalog::{Mistakes, SourceFile};
    use proofline::model::GcpParent;

    use super::shorts;

    fn read(text: &str) -> Result<Settings, Mistakes> {
        settings(&SourceFile::new("proofline.toml", text))
    }

    const FULL: &str = r#"entity = "Acme Ltd"
time_zone = "Europe/Berlin"
store = "file:evidence"
controls = ["controls", "more.toml"]
first_window_days = 90
[github]
organizations = ["zeta", "acme", "acme"]
base_url = "https://ghe.example.com/api/v3/"
issue_labels = ["soc2", "security-task"]
[google]
organizations = ["123456789012"]
folders = ["456"]
projects = ["acme-prod"]
base_url = "http://127.0.0.1:9000/{service}"
[limits]
concurrency = 4
timeout_seconds = 5
body_mib = 1
attempts = 2
max_wait_minutes = 0
github_per_minute = 100
[parameters.CHG-01]
approvals = 2
[storage]
base_url = "https://storage.example.com/"
impersonate = "evidence@acme-audit.iam.gserviceaccount.com"
[retention]
days = 400
[log]
origin = "acme.example/evidence"
vkey = "acme.example/evidence+bc435f43+AQANps1kpRU0Q5I7IUVXWHu7p2qPVIIbiu3rikCYOrzG"
kms = "projects/p/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1"
kms_base_url = "https://kms.example.com/"
"#;

    const VKEY: &str = "acme.example/evidence+bc435f43+AQANps1kpRU0Q5I7IUVXWHu7p2qPVIIbiu3rikCYOrzG";

    #[test]
    fn who_asks_google_and_how_fast_is_read() {
        let more = "impersonate = \"reader@acme-audit.iam.gserviceaccount.com\"\nquota_project = \"acme-audit\"\n[limits]\ngoogle_per_minute = 50\n";
        let settings = read(&FULL.replacen("[limits]\n", more, 1)).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let google = (settings.google.impersonate.as_deref(), settings.google.quota_project.as_deref());
        assert_eq!(google, (Some("reader@acme-audit.iam.gserviceaccount.com"), Some("acme-audit")));
        assert_eq!(settings.limits.google_per_minute, Some(50));
        let wrong = FULL.replacen("[limits]\n", "impersonate = \"reader\"\n[limits]\n", 1);
        assert!(read(&wrong).is_err_and(|mistakes| mistakes.to_string().contains("is not the address of a service account")));
    }

    #[test]
    fn every_field_is_read() {
        let settings = read(FULL).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        assert_eq!((settings.entity.as_deref(), settings.time_zone, settings.first_window_days), (Some("Acme Ltd"), chrono_tz::Tz::Europe__Berlin, 90));
        assert_eq!(settings.github.organizations, ["acme", "zeta"]);
        assert_eq!((settings.github.base_url.as_str(), settings.store.as_str()), ("https://ghe.example.com/api/v3", "file:evidence"));
        assert_eq!(settings.github.issue_labels, ["security-task", "soc2"]);
        let parents = [GcpParent::Organization("123456789012".into()), GcpParent::Folder("456".into()), GcpParent::Project("acme-prod".into())];
        assert_eq!(settings.google.parents, parents);
        assert_eq!(settings.google.base_url, "http://127.0.0.1:9000/{service}");
        let limits =
            Limits { concurrency: 4, timeout_seconds: 5, body_mib: 1, attempts: 2, max_wait_minutes: 0, github_per_minute: Some(100), google_per_minute: None };
        assert_eq!(settings.limits, limits);
        assert_eq!(settings.parameters.values().len(), 1);
        let impersonate = settings.storage.impersonate.as_deref();
        assert_eq!((settings.storage.base_url.as_str(), impersonate), ("https://storage.example.com", Some("evidence@acme-audit.iam.gserviceaccount.com")));
        assert_eq!(settings.retention_days, Some(400));
        assert_eq!(settings.log.vkey.map(|vkey| vkey.to_string()).as_deref(), Some(VKEY));
        assert_eq!((settings.log.kms.is_some(), settings.log.kms_base_url.as_deref()), (true, Some("https://kms.example.com")));
    }

    #[test]
    fn an_enterprise_is_named_by_its_slug() {
        let with = |line: &str| read(&FULL.replacen("[google]", &format!("{line}\n[google]"), 1));
        let named = with("enterprise = \"acme-inc\"").unwrap_or_else(|mistakes| panic!("{mistakes}"));
        assert_eq!(named.github.enterprise.as_deref(), Some("acme-inc"));
        assert_eq!(read(FULL).unwrap_or_else(|mistakes| panic!("{mistakes}")).github.enterprise, None);
        let mistakes = with("enterprise = \"https://github.com/enterprises/acme\"").expect_err("an address").to_string();
        assert!(mistakes.contains("is not the slug of an enterprise"), "{mistakes}");
    }

    #[test]
    fn workflows_that_release_are_named_by_their_paths() {
        let with = |line: &str| read(&FULL.replacen("[google]", &format!("{line}\n[google]"), 1));
        let named = with("release_workflows = [\".github/workflows/z.yaml\", \".github/workflows/release.yml\", \".github/workflows/z.yaml\"]");
        let workflows = named.unwrap_or_else(|mistakes| panic!("{mistakes}")).github.release_workflows;
        assert_eq!(workflows, [".github/workflows/release.yml", ".github/workflows/z.yaml"]);
        assert_eq!(read(FULL).unwrap_or_else(|mistakes| panic!("{mistakes}")).github.release_workflows, [""; 0], "nobody said");
        for path in [
            "release.yml",
            ".github/workflows/",
            ".github/workflows/.yml",
            ".github/workflows/a/b.yml",
            ".github/workflows/release.json",
            "/.github/workflows/a.yml",
        ] {
            let mistakes = with(&format!("release_workflows = [\"{path}\"]")).expect_err(path).to_string();
            assert!(mistakes.contains("is not the file of a workflow") && mistakes.contains(".github/workflows/release.yml"), "{mistakes}");
        }
    }

    #[test]
    fn boards_are_numbers_of_organisations_and_a_date_field() {
        let with = |line: &str| read(&FULL.replacen("[google]", &format!("{line}\n[google]"), 1));
        let of_one = |line: &str| read(&FULL.replacen("[google]", &format!("{line}\n[google]"), 1).replacen("\"zeta\", ", "", 1));
        let shown = |settings: Result<Settings, Mistakes>| {
            let boards = settings.unwrap_or_else(|mistakes| panic!("{mistakes}")).github.boards;
            (boards.projects.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "), boards.due_field)
        };
        let due = "Target date".to_owned();
        assert_eq!(shown(of_one("projects = [264, 220, 220, \"Acme/220\"]\ndue_field = \"Target date\"")), ("220 264".to_owned(), due.clone()));
        assert_eq!(
            shown(with("projects = [\"zeta/220\", \"acme/220\", \"ACME/7\"]\ndue_field = \"Target date\"")),
            ("acme/7 acme/220 zeta/220".to_owned(), due)
        );
        assert_eq!(shown(read(FULL)), (String::new(), "SLA".to_owned()));
        for (line, what) in [
            ("projects = [\"220\"]", "\"220\" is no board"),
            ("projects = [\"acme/0\"]", "\"acme/0\" is no board"),
            ("projects = [\"acne/220\"]", "did you mean `acme`?"),
            ("projects = [220]", "of which organisation is board 220? each counts its own"),
            ("projects = [220]", "write \"acme/220\""),
            ("projects = [0]", "out of range"),
            ("projects = 220", "a list, not an integer"),
        ] {
            let mistakes = with(line).expect_err(line);
            assert!(mistakes.to_string().contains(what), "{mistakes}");
        }
    }

    #[test]
    fn the_starter_loads_once_an_organisation_is_filled_in() {
        let mistakes = read(STARTER).expect_err("nothing is filled in yet");
        assert_eq!(mistakes.0.len(), 1, "{mistakes}");
        let settings = read(&STARTER.replacen("organizations = []", "organizations = [\"acme\"]", 1)).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        assert_eq!((settings.github.organizations.len(), settings.google.parents.len()), (1, 0));
        assert_eq!((settings.controls, settings.limits), (None, Limits::default()));
        // What is commented out is right as well: the same text with every example switched on.
        let everything: String = STARTER.lines().map(|line| line.strip_prefix("# ").filter(|rest| is_toml(rest)).unwrap_or(line).to_owned() + "\n").collect();
        assert!(everything.contains("\n[parameters.CHG-01]\napprovals = 2"), "{everything}");
        assert!(read(&everything.replacen("organizations = []", "organizations = [\"acme\"]", 1)).is_ok());
    }

    fn is_toml(line: &str) -> bool {
        line.starts_with('[') || line.split_once(" = ").is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
    }

    #[test]
    fn each_mistake_says_what_to_write() {
        let cases: &[(&str, &str, &str)] = &[
            ("entity =", "entiti =", "1:1 the configuration has no key `entiti` | did you mean `entity`?"),
            ("Europe/Berlin", "Europe/Berln", "2:13 there is no time zone \"Europe/Berln\" | did you mean \"Europe/Berlin\"?"),
            (
                "file:evidence",
                "evidence",
                "3:9 `store` is a URL | write e.g. store = \"file:evidence\" for a directory beside this file, or store = \"gs://bucket/folder\"",
            ),
            (
                "file:evidence",
                "s3://me:pw@host/x",
                "3:9 a URL here must not hold credentials | take out what stands before `@`; credentials come from the environment",
            ),
            ("[\"controls\", \"more.toml\"]", "[]", "4:12 `controls` is empty | name a directory, or leave it out to use the controls in the binary"),
            ("= 90", "= 0", "5:21 `first_window_days` is out of range | write an integer from 1 to 366"),
            ("= 90", "= \"90\"", "5:21 `first_window_days` is an integer, not text | write an integer from 1 to 366"),
            ("\"zeta\"", "\"github.com/zeta\"", "7:18 \"github.com/zeta\" is not a GitHub login | write it as in github.com/LOGIN, e.g. \"acme\""),
            (
                "https://ghe.example.com/api/v3/",
                "http://ghe.example.com/api/v3",
                "8:12 over plain http a token would travel in clear | write https://; http:// is only for 127.0.0.1, [::1] and localhost",
            ),
            (
                "https://ghe",
                "https://u:p@ghe",
                "8:12 a URL here must not hold credentials | take out what stands before `@`; credentials come from the environment",
            ),
            (
                "https://ghe",
                "https://@ghe",
                "8:12 a URL here must not hold credentials | take out what stands before `@`; credentials come from the environment",
            ),
            ("https://ghe", "ghe", "8:12 `base_url` is not a URL | e.g. https://ghe.example.com/api/v3"),
            ("https://ghe", "ftp://ghe", "8:12 `base_url` starts with https:// | e.g. https://ghe.example.com/api/v3"),
            ("/api/v3/", "/api/v3/?a=b", "8:12 `base_url` ends with its path | leave out what follows `?` or `#`"),
            (
                "127.0.0.1:9000",
                "127.0.0.1.example.com:9000",
                "14:12 over plain http a token would travel in clear | write https://; http:// is only for 127.0.0.1, [::1] and localhost",
            ),
            (
                "9000/{service}",
                "9000",
                "14:12 `base_url` does not say where the service's name goes | put {service} into it, e.g. https://{service}.googleapis.com",
            ),
            (
                "\"123456789012\"",
                "\"organizations/1\"",
                "11:18 \"organizations/1\" is not the number of an organisation or folder | write the digits only, as `gcloud organizations list` prints them, e.g. \"123456789012\"",
            ),
            ("acme-prod", "Acme Prod", "13:13 \"Acme Prod\" is not a project id | write the id, not the name or number, e.g. \"acme-prod\""),
            ("concurrency", "concurency", "16:1 [limits] has no key `concurency` | did you mean `concurrency`?"),
            ("parameters.CHG-01", "parameters.\"a b\"", "22:13 \"a b\" is not a control id | write [parameters.CHG-01]"),
            ("parameters.CHG-01", "parameter.CHG-01", "22:2 the configuration has no key `parameter` | did you mean `parameters`?"),
        ];
        for (from, to, expected) in cases {
            told(from, to, expected);
        }
    }

    #[test]
    fn a_key_that_is_not_the_first_of_this_log_is_refused() {
        let cases = [
            (VKEY.replace("evidence+", "evidence+0"), "the key id is not the key's"),
            ("acme.example/other+b9c95957+AQANps1kpRU0Q5I7IUVXWHu7p2qPVIIbiu3rikCYOrzG".to_owned(), "it is the key of a log called \"acme.example/other\""),
            ("acme.example/evidence+e68c6fd2+BAANps1kpRU0Q5I7IUVXWHu7p2qPVIIbiu3rikCYOrzG".to_owned(), "it is the key of a witness"),
        ];
        for (vkey, why) in cases {
            let help = "write the first key of this log, as `proofline keygen --origin NAME` and `proofline verify` print it: name+id+key";
            told(VKEY, &vkey, &format!("31:8 `vkey` is not the verifier key of this log: {why} | {help}"));
        }
    }

    #[test]
    fn each_mistake_about_store_and_log_says_what_to_write() {
        let cases = [
            (
                "https://storage",
                "http://storage",
                "25:12 over plain http a token would travel in clear | write https://; http:// is only for 127.0.0.1, [::1] and localhost",
            ),
            (
                "evidence@acme-audit.iam.gserviceaccount.com",
                "someone@acme.com",
                "26:15 \"someone@acme.com\" is not the address of a service account | write it in full, e.g. \"evidence@acme-audit.iam.gserviceaccount.com\"",
            ),
            (
                "https://kms",
                "http://kms",
                "33:16 over plain http a token would travel in clear | write https://; http:// is only for 127.0.0.1, [::1] and localhost",
            ),
            ("https://kms", "kms", "33:16 `base_url` is not a URL | e.g. https://cloudkms.googleapis.com"),
            ("days = 400", "days = 0", "28:8 `days` is out of range | write an integer from 1 to 36500"),
        ];
        for (from, to, expected) in cases {
            told(from, to, expected);
        }
    }

    fn told(from: &str, to: &str, expected: &str) {
        assert!(FULL.contains(from), "{from}");
        let mistakes = read(&FULL.replacen(from, to, 1)).expect_err(to);
        assert_eq!(shorts(&mistakes), [expected]);
    }

    #[test]
    fn a_credential_in_the_file_is_not_repeated_in_what_is_printed() {
        for text in [
            "base_url = \"https://user:hunter2@ghe.example.com\"",
            "base_url = \"hunter2@\"",
            "token = \"hunter2\"",
            "token = hunter2",
            "client_secret = hunter2\nx = \"",
        ] {
            let mistakes = read(&format!("[github]\norganizations = [\"acme\"]\n{text}\n")).expect_err("a credential");
            assert!(!serde_json::to_string(&mistakes).expect("JSON").contains("hunter2"));
            assert!(!mistakes.to_string().contains("hunter2"), "{mistakes}");
        }
    }
}

mod editor_schema {
    use super::{BRANCH, GOOD, ORGANIZATION, schema, with};
    use serde_json::Value;

    fn instance(text: &str) -> Value {
        let table: toml::Table = text.parse().expect("TOML");
        let mut value = serde_json::to_value(table).expect("JSON");
        plain_instants(&mut value);
        value
    }

    /// serde shows a TOML instant as a table; editors show it as text.
    fn plain_instants(value: &mut Value) {
        match value {
            Value::Object(fields) => match fields.get("$__toml_private_datetime") {
                Some(text) => *value = text.clone(),
                None => fields.values_mut().for_each(plain_instants),
            },
            Value::Array(items) => items.iter_mut().for_each(plain_instants),
            _ => {}
        }
    }

    #[test]
    fn a_good_file_passes_and_typos_fail() {
        for kinds in [vec![&BRANCH, &ORGANIZATION], vec![]] {
            let schema = schema::schema(&kinds);
            let validator = jsonschema::draft202012::new(&schema).expect("a schema");
            let errors: Vec<String> = validator.iter_errors(&instance(GOOD)).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{errors:?}");
            for (from, to) in [
                ("severity = \"high\"", "severty = \"high\""),
                ("severity = \"high\"", "severity = \"awful\""),
                ("frequency = \"daily\"", "frequency = \"nightly\""),
                ("[\"soc2:CC8.1\"]", "[\"CC8.1\"]"),
                ("where = ", "wher = "),
                ("verdict = \"pass\"", "verdct = \"pass\""),
                ("verdict = \"pass\"", "verdict = \"ok\""),
                ("title = \"Default", "title = \"\"\nx = \"Default"),
            ] {
                assert!(!validator.is_valid(&instance(&with(from, to))), "{to}");
            }
        }
    }

    #[test]
    fn with_kinds_the_example_is_held_to_their_attributes() {
        let schema = schema::schema(&[&BRANCH, &ORGANIZATION]);
        let validator = jsonschema::draft202012::new(&schema).expect("a schema");
        for (from, to) in [
            ("population = \"github.branch\"", "population = \"github.brnch\""),
            ("branch = { is_default = true, required_approvals = 1, required_checks", "brnch = { required_checks"),
            ("branch = { is_default = true, required_approvals = 1, required_checks", "branch = { is_defalt = true, required_checks"),
            ("branch = { is_default = true, required_approvals = 1, required_checks", "branch = { is_default = 1, required_checks"),
        ] {
            assert!(!validator.is_valid(&instance(&with(from, to))), "{to}");
        }
    }
}
