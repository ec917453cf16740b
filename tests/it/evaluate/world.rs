//! A made-up kind, and the shortest ways to say control, resource and population.

use chrono::{DateTime, Utc};
use proofline::evaluate::{EvaluateError, Judge};
use proofline::model::{
    Attribute, AttributeDecl, AttributeType, Control, Digest, Example, Expression, Frequency, Gap, GapCause, Kind, Observation, Parameters, Population,
    Resource, Severity, Tally, Test, Verdict,
};
use serde_json::{Value, json};

const fn decl(name: &'static str, ty: AttributeType) -> AttributeDecl {
    AttributeDecl { name, ty, meaning: "", vendor: "" }
}

const CHECK: &[AttributeDecl] = &[decl("context", AttributeType::Text), decl("app", AttributeType::Optional(&AttributeType::Text))];

pub(super) static BRANCH: Kind = Kind {
    name: "demo.branch",
    meaning: "a branch",
    permission: "Administration: read",
    attributes: &[
        decl("name", AttributeType::Text),
        decl("is_default", AttributeType::Bool),
        decl("archived", AttributeType::Bool),
        decl("required_approvals", AttributeType::Int),
        decl("limit", AttributeType::Int),
        decl("created_at", AttributeType::Time),
        decl("pushed_at", AttributeType::Optional(&AttributeType::Time)),
        decl("checks", AttributeType::List(&AttributeType::Record(CHECK))),
        decl("actors", AttributeType::List(&AttributeType::Text)),
        decl("labels", AttributeType::Map(&AttributeType::Text)),
    ],
};

pub(super) fn now() -> DateTime<Utc> {
    "2026-03-01T02:00:00Z".parse().expect("an instant")
}

pub(super) fn expression(source: &str) -> Expression {
    Expression(source.to_owned())
}

pub(super) fn test(filter: Option<&str>, require: &str, because: Option<&str>) -> Test {
    Test {
        population: BRANCH.name.to_owned(),
        filter: filter.map(expression),
        require: expression(require),
        because: because.map(expression),
        may_be_empty: false,
        listed_by: Vec::new(),
        examples: Vec::new(),
    }
}

pub(super) fn control(id: &str, tests: Vec<Test>) -> Control {
    Control {
        id: id.parse().expect("a control id"),
        title: "Title".to_owned(),
        owner: "owner".to_owned(),
        severity: Severity::High,
        satisfies: Vec::new(),
        frequency: Frequency::Daily,
        why: "why".to_owned(),
        fix: "fix".to_owned(),
        weekday: None,
        schedule: None,
        starts: None,
        retention_days: None,
        task: None,
        parameters: parameters(),
        tests,
        file: "demo.toml".to_owned(),
        digest: Digest::of(b"demo"),
    }
}

pub(super) fn parameters() -> Parameters {
    let json = json!({"approvals": 1, "max_age": "24h", "half_read": "30m and more", "allowed": ["ann", "bob"], "labels": ["incident", "outage"], "by_name": {"main": 2}});
    serde_json::from_value(json).expect("parameters")
}

/// Everything known.
pub(super) fn branch(name: &str) -> Resource {
    let mut branch = Resource::new(&BRANCH, format!("demo/{name}").parse().expect("a resource id"), name, vec![7]);
    let values = json!({
        "name": name, "is_default": true, "archived": false, "required_approvals": 2, "limit": 10, "created_at": "2026-03-01T00:00:00Z",
        "pushed_at": null, "checks": [{"context": "ci", "app": null}, {"context": "lint", "app": "robot"}], "actors": ["ann"], "labels": {"team": "web"},
    });
    for (name, value) in values.as_object().expect("an object") {
        branch.know(name, value.clone());
    }
    branch
}

/// Everything known, but for one attribute with this value.
pub(super) fn with(attribute: &str, value: Value) -> Resource {
    let mut branch = branch("main");
    branch.know(attribute, value);
    branch
}

/// Everything known but one attribute.
pub(super) fn without(attribute: &str) -> Resource {
    let mut branch = branch("main");
    branch.lack(attribute, Gap::new(GapCause::Forbidden, "403").cured_by("Administration: read"));
    branch
}

pub(super) fn judge(tests: Vec<Test>) -> Judge {
    Judge::new(&[control("DEMO-1", tests)], &[&BRANCH], now()).expect("the control compiles")
}

/// The one observation of one resource under one `require`.
pub(super) fn observe(require: &str, resource: Resource) -> Observation {
    let mut observations = judge(vec![test(None, require, None)]).observe(vec![resource]).expect("observations");
    assert_eq!(observations.len(), 1);
    observations.remove(0)
}

pub(super) fn population(count: u64, second_count: Option<u64>, gaps: Vec<Gap>) -> Population {
    let tally = Tally { tenant: "demo/acme".to_owned(), count, second_count, second_source: "the other count".to_owned() };
    Population { tallies: vec![tally], gaps, evidence: vec![1], ..Population::of(&BRANCH, "all".to_owned()) }
}

pub(super) fn example(verdict: Verdict, resource: &Value, parameters: &Value) -> Example {
    let read = |json: &Value| serde_json::from_value(json.clone()).expect("a map");
    Example { verdict, resource: read(resource), now: now(), parameters: read(parameters), line: 1 }
}

pub(super) fn refused<T: std::fmt::Debug>(result: Result<T, EvaluateError>) -> String {
    result.expect_err("an error").to_string()
}

/// The attribute's value, known or not, as JSON.
pub(super) fn known(value: Option<Value>) -> Attribute {
    value.map_or_else(|| Attribute::Unknown(Gap::new(GapCause::LeftOut, "left out")), Attribute::Known)
}
