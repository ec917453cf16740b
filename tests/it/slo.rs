//! Objectives for services: whom they are asked of, and what a refusal, a hole or a changed field leaves of them. That what is read is true is `truth`'s.
#![cfg(test)]

use std::sync::Mutex;

use proofline::collect::Collector;
use proofline::collect::api::Request;
use proofline::collect::gcp::{MonitoredProject, Slo};
use proofline::collect::replay::Answer;
use proofline::model::{Attribute, GapCause};
use serde_json::{Value, json};

use crate::gcp::{Outcome, changes, collect, leave_out, places, scope};

const PROJECTS: &str = r#"{"projects":[{"name":"projects/7","projectId":"acme-a","state":"ACTIVE","parent":"organizations/1"},
    {"name":"projects/8","projectId":"acme-b","state":"ACTIVE","parent":"organizations/1"}]}"#;
const KINDS: [&dyn Collector; 2] = [&MonitoredProject, &Slo];

/// What is answered about acme-a, by operation: one service, with one objective that was held on the four days that count.
fn exchanges() -> Value {
    let point = |day: u64, share: f64| json!({ "interval": { "endTime": format!("2026-02-{day:02}T23:59:00Z") }, "value": { "doubleValue": share } });
    let objective =
        json!({ "name": "projects/7/services/shop/serviceLevelObjectives/fast", "displayName": "Fast", "goal": 0.999, "rollingPeriod": "2419200s" });
    json!({ "exchanges": [
        { "operation": "monitoring.services.list", "body": { "services": [{ "name": "projects/7/services/shop", "displayName": "Shop" }] } },
        { "operation": "monitoring.services.serviceLevelObjectives.list", "body": { "serviceLevelObjectives": [objective] } },
        { "operation": "monitoring.projects.timeSeries.list", "body": { "timeSeries": [{ "points": [point(27, 0.9995), point(26, 0.9991), point(25, 0.9994), point(24, 1.0)] }] } },
    ] })
}

async fn of(collector: &dyn Collector, answer: impl Fn(&Request) -> Answer + Send + Sync) -> Outcome {
    collect(collector, &scope(&["organizations/1"]), |request: &Request| match request.operation {
        "cloudresourcemanager.projects.list" => Answer::new(200, PROJECTS),
        "cloudresourcemanager.folders.list" | "cloudresourcemanager.projects.search" => Answer::new(200, "{}"),
        _ if request.subject == "projects/acme-b" => Answer::new(200, "{}"),
        _ => answer(request),
    })
    .await
}

fn answered(exchanges: &Value, request: &Request) -> Answer {
    let all = exchanges["exchanges"].as_array().expect("a list");
    let body = all.iter().find(|exchange| exchange["operation"] == json!(request.operation)).map(|exchange| exchange["body"].to_string());
    Answer::new(200, body.unwrap_or_else(|| panic!("{} is not expected", request.operation)))
}

fn known<'o>(outcome: &'o Outcome, name: &str) -> Option<&'o Value> {
    match outcome.resources.first().and_then(|resource| resource.attributes.get(name)) {
        Some(Attribute::Known(value)) => Some(value),
        _ => None,
    }
}

#[tokio::test]
async fn every_project_and_each_service_is_asked_and_what_was_measured_is_read() {
    let asked = Mutex::new(Vec::new());
    let outcome = of(&Slo, |request| {
        asked.lock().expect("nobody panics").push(request.target.clone());
        answered(&exchanges(), request)
    })
    .await;
    let asked = asked.into_inner().expect("nobody panicked");
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(asked[1].starts_with("/v3/projects/7/services/shop/serviceLevelObjectives?"), "{asked:?}");
    let filter = "filter=select_slo_compliance%28%22projects%2F7%2Fservices%2Fshop%2FserviceLevelObjectives%2Ffast%22%29&interval.startTime=2026-01-27T23%3A59%3A00Z&interval.endTime=2026-02-27T23%3A59%3A00Z";
    assert!(asked[2].starts_with("/v3/projects/acme-a/timeSeries?") && asked[2].contains(filter), "{asked:?}");
    assert!(outcome.population.gaps.is_empty(), "{:?}", outcome.population.gaps);
    for (name, value) in [
        ("service", json!("shop")),
        ("name", json!("Fast")),
        ("goal", json!(999_000)),
        ("rolling_days", json!(28)),
        ("calendar_period", Value::Null),
        ("attained", json!(999_100)),
        ("worst_on", json!("2026-02-26")),
        ("periods", json!(4)),
    ] {
        assert_eq!(known(&outcome, name), Some(&value), "{name}");
    }
    let outcome = of(&MonitoredProject, |request| answered(&exchanges(), request)).await;
    assert_eq!(known(&outcome, "services"), Some(&json!([{ "name": "Shop", "slos": 1 }])));
    assert_eq!(outcome.resources.len(), 2, "a project without a service is told too");
}

#[tokio::test]
async fn what_was_not_measured_or_is_refused_is_never_met() {
    let with = |series: Answer| async move {
        let answer = move |request: &Request| if request.operation.ends_with("timeSeries.list") { series.clone() } else { answered(&exchanges(), request) };
        let outcome = of(&Slo, answer).await;
        outcome.resources.first().and_then(|resource| resource.attributes.get("attained").cloned()).expect("it is listed all the same")
    };
    let whole = exchanges()["exchanges"][2]["body"].clone();
    let changed = |change: fn(&mut Value)| {
        let mut body = whole.clone();
        change(&mut body);
        Answer::new(200, body.to_string())
    };
    for (series, cause) in [
        (Answer::new(200, "{}"), GapCause::LeftOut),
        (Answer::new(403, "{}"), GapCause::Forbidden),
        (Answer::new(503, "{}"), GapCause::Unanswered),
        (Answer::new(200, "[7]"), GapCause::Malformed),
        (changed(|body| body["timeSeries"][0]["points"][3]["value"]["doubleValue"] = json!(-1)), GapCause::LeftOut),
        (changed(|body| body["executionErrors"] = json!([{ "code": 4, "message": "late" }])), GapCause::Incomplete),
        (changed(|body| body["unreachable"] = json!(["europe-west4"])), GapCause::Incomplete),
        (changed(|body| body["nextPageToken"] = json!("more")), GapCause::Incomplete),
    ] {
        match with(series.clone()).await {
            Attribute::Unknown(gap) => assert_eq!(gap.cause, cause, "{series:?}"),
            Attribute::Known(value) => panic!("{value} of {series:?}"),
        }
    }
    // One day that missed the goal decides, whatever the others held.
    let missed =
        changed(|body| body["timeSeries"][0]["points"] = json!([{ "interval": { "endTime": "2026-02-25T23:59:00Z" }, "value": { "doubleValue": 0.5 } }]));
    assert_eq!(with(missed).await, Attribute::Known(json!(500_000)));
}

#[tokio::test]
async fn a_service_that_refuses_or_breaks_off_leaves_a_gap() {
    let operations = ["monitoring.services.list", "monitoring.services.serviceLevelObjectives.list"];
    let ways = [(403, "{}", GapCause::Forbidden), (503, "{}", GapCause::Unanswered), (200, "[7]", GapCause::Malformed)];
    for (operation, (status, body, cause)) in operations.into_iter().flat_map(|operation| ways.map(|way| (operation, way))) {
        let answer = |request: &Request| match request.operation == operation {
            true => Answer::new(status, body),
            false => answered(&exchanges(), request),
        };
        let outcome = of(&Slo, answer).await;
        assert!(outcome.resources.is_empty() && outcome.population.gaps.iter().any(|gap| gap.cause == cause), "{operation} {status}");
        let outcome = of(&MonitoredProject, answer).await;
        match &outcome.resources[0].attributes["services"] {
            Attribute::Unknown(gap) => assert_eq!(gap.cause, cause, "{operation} {status}"),
            Attribute::Known(value) => panic!("{operation} {status}: {value}"),
        }
        assert_eq!(outcome.resources[1].attributes["services"], Attribute::Known(json!([])), "the other project answered");
    }
}

#[tokio::test]
async fn a_field_that_is_changed_or_left_out_makes_things_unknown_and_never_different() {
    for collector in KINDS {
        let kind = collector.kind().name;
        let whole = exchanges();
        let before = of(collector, |request| answered(&whole, request)).await;
        for place in places(&whole) {
            let mut broken = whole.clone();
            let value = broken.pointer_mut(&place).expect("a place in it");
            *value = [json!("junk"), json!(true)][usize::from(value.is_string())].clone();
            let after = of(collector, |request| answered(&broken, request)).await;
            assert!(before.resources.len() <= after.resources.len() || !after.population.gaps.is_empty(), "{kind} {place}: lost without a word");
            assert!(changes(&before, &after).is_empty(), "{kind} {place}: {:?} changed", changes(&before, &after));
            let mut without = whole.clone();
            leave_out(&mut without, &place);
            let after = of(collector, |request| answered(&without, request)).await;
            let changed = changes(&before, &after);
            // Empty lists and names that nobody gave are left out.
            assert!(changed.iter().all(|name| ["name", "services"].contains(&name.as_str())), "{kind} {place}: {changed:?} changed");
        }
    }
}
