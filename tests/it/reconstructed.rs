//! A night that was missed, told afterwards as far as Cloud Asset Inventory and audit logs remember it: the truth of that night, judged at that night, and never taken for a run.
#![cfg(test)]

use std::fs;

use chrono::TimeDelta;
use proofline::cli::exit::Exit;
use serde_json::Value;

use crate::cli::Bench;
use crate::sandbox::site::{Site, Size};
use crate::sandbox::world::google::Inventory;
use crate::truth::read_back;

/// Controls over each way of reading the inventory: tables, policies, keys, what other assets tell.
const CONTROLS: [&str; 7] = ["IAM-01", "IAM-07", "LOG-02", "NET-02", "SQL-03", "STO-01", "IAM-18"];

/// Controls over what happened, and the logs that tell it.
const OF_EVENTS: [&str; 3] = ["CHG-13", "IAM-12", "NET-07"];
const LOGS: [&str; 2] = ["gcp.audit_entry", "github.audit_event"];

fn arguments(first: &[&'static str]) -> Vec<&'static str> {
    first.iter().copied().chain(CONTROLS.iter().flat_map(|control| ["--control", control])).collect()
}

fn a_site() -> Site {
    Site::sized(Size { repositories: 4, members: 4, projects: 8, changes: 1, tasks: 2 })
}

/// The third night is missed: its day ends, and the fourth goes on.
fn missed() -> (Site, Bench) {
    let site = a_site();
    let mut bench = Bench::new(&site.configuration());
    for night in [0, 1, 3] {
        site.night(night);
        bench.now = Site::first_night() + TimeDelta::days(i64::try_from(night).expect("a few"));
        bench.json(&["collect", "--due"]);
    }
    (site, bench)
}

/// What was found of each control, without what differs by the way of asking.
fn found(document: &Value) -> Vec<(String, String)> {
    let of = |finding: &Value| (finding["control"].as_str().expect("a control").to_owned(), finding["counts"].to_string());
    document["findings"].as_array().expect("findings").iter().map(of).collect()
}

#[test]
fn a_missed_night_is_told_as_it_was_and_as_a_reconstruction() {
    let (site, mut bench) = missed();
    let open = &bench.json(&["status"]).1["reconstructible"];
    assert_eq!(open.as_array().map(Vec::len), Some(1), "{open}");
    assert_eq!(
        (&open[0]["day"], &open[0]["until"]),
        (&Value::from("2026-11-04"), &Value::from("2026-12-09T00:00:00Z")),
        "events count from the beginning of a slot, and are forgotten first"
    );
    let (_exit, told) = bench.json(&["collect", "--reconstruct", "2026-11-04"]);
    assert_eq!((&told["trigger"], &told["as_of"]), (&Value::from("reconstruct"), &Value::from("2026-11-04T23:59:59Z")));
    site.assert_contracts_held();
    let read = read_back(bench.folder.path());

    // The same night, had it not been missed.
    let other = a_site();
    other.night(2);
    let mut ran = Bench::new(&other.configuration());
    ran.now = "2026-11-04T23:59:59Z".parse().expect("an instant");
    let names: Vec<String> = found(&told).into_iter().map(|(control, _counts)| control).collect();
    let asked: Vec<&str> = ["collect"].into_iter().chain(names.iter().flat_map(|control| ["--control", control.as_str()])).collect();
    let (_exit, truly) = ran.json(&asked);
    assert!(names.len() > 60, "{names:?}");
    let (of_events, of_states): (Vec<_>, Vec<_>) = found(&told).into_iter().partition(|(control, _counts)| OF_EVENTS.contains(&control.as_str()));
    assert_eq!(of_events.len(), OF_EVENTS.len(), "{names:?}");
    assert_eq!(of_states, found(&truly).into_iter().filter(|(control, _counts)| !OF_EVENTS.contains(&control.as_str())).collect::<Vec<_>>());
    let tonight = bench.run(&arguments(&["collect"]));
    assert!(!tonight.out.contains("reconstructs"), "{}", tonight.out);
    for (then, now) in read.iter().zip(read_back(ran.folder.path())) {
        let attributes =
            |resources: &[proofline::model::Resource]| resources.iter().map(|resource| (resource.id.clone(), resource.attributes.clone())).collect::<Vec<_>>();
        if LOGS.contains(&now.kind) {
            continue;
        }
        if now.population.gaps.is_empty() && !now.resources.is_empty() && told["kinds"].get(now.kind).is_some() {
            assert_eq!(attributes(&then.resources), attributes(&now.resources), "{}", now.kind);
            assert!(then.population.gaps.is_empty(), "{}: {:?}", now.kind, then.population.gaps);
        }
    }

    // Nothing is open any more, and the same is not told twice.
    assert_eq!(bench.json(&["status"]).1["reconstructible"], Value::Array(Vec::new()));
    let again = bench.run(&["collect", "--reconstruct", "2026-11-04"]);
    assert!(again.exit == Exit::Satisfied && again.err.contains("Nothing of 2026-11-04 is missing"), "{} {}", again.out, again.err);
    // What is due tonight, and the newest finding, are as if nobody had looked back.
    let verified = bench.run(&["verify", "--reevaluate"]);
    assert_eq!(verified.exit, Exit::Satisfied, "{} {}", verified.out, verified.err);
    bench.run(&["report", "--out", "report", "--from", "2026-11-02", "--to", "2026-11-05"]);
    let report = bench.folder.path().join("report");
    let slots = fs::read_to_string(report.join("slots.csv")).expect("slots");
    let of = |day: &str| slots.lines().filter(|line| line.contains("STO-01") && line.contains(&format!(",{day},"))).collect::<Vec<_>>().join("\n");
    assert!(of("2026-11-04").contains("reconstructed"), "{}", of("2026-11-04"));
    assert!(!of("2026-11-03").contains("reconstructed") && !of("2026-11-05").contains("reconstructed"));
    let page = fs::read_to_string(report.join("index.html")).expect("a report");
    assert!(page.contains("shows what there was at") && page.contains("<b>reconstructed</b>: what there was at") && page.contains("↺"));
}

/// What a day's logs say is the same whenever they are read.
#[test]
fn the_logs_of_a_missed_day_say_what_they_would_have_said_then() {
    let (site, mut bench) = missed();
    let events = || OF_EVENTS.iter().flat_map(|control| ["--control", *control]);
    let (_exit, told) = bench.json(&["collect", "--reconstruct", "2026-11-04"].into_iter().chain(events()).collect::<Vec<_>>());
    site.assert_contracts_held();
    let mut then = Bench::new(&site.configuration());
    then.now = "2026-11-04T23:59:59Z".parse().expect("an instant");
    let (_exit, said) = then.json(&["collect", "--since", "2026-11-04"].into_iter().chain(events()).collect::<Vec<_>>());
    assert_eq!(found(&told), found(&said));
    for (told, said) in read_back(bench.folder.path()).iter().zip(read_back(then.folder.path())) {
        if LOGS.contains(&told.kind) {
            let attributes = |resources: &[proofline::model::Resource]| resources.iter().map(|of| (of.id.clone(), of.attributes.clone())).collect::<Vec<_>>();
            assert!(!told.resources.is_empty() && told.population.gaps.is_empty(), "{}: {:?}", told.kind, told.population.gaps);
            assert_eq!(attributes(&told.resources), attributes(&said.resources), "{}", told.kind);
        }
    }
}

#[test]
fn a_day_that_cannot_be_told_is_refused_with_the_reason() {
    let (site, mut bench) = missed();
    let said = |bench: &mut Bench, arguments: &[&str]| {
        let outcome = bench.run(arguments);
        assert_eq!(outcome.exit, Exit::Usage, "{}", outcome.out);
        outcome.err
    };
    assert!(said(&mut bench, &["collect", "--reconstruct", "2026-11-05"]).contains("is not over yet"));
    assert!(said(&mut bench, &["collect", "--reconstruct", "2026-04-05"]).contains("no source remembers more than 178 days"));
    assert!(said(&mut bench, &["collect", "--reconstruct", "2026-11-04", "--control", "CHG-03"]).contains("github.pull_request, which is not remembered"));
    assert!(said(&mut bench, &["collect", "--reconstruct", "2026-11-04", "--control", "ERR-01"]).contains("gcp.error_group"));
    assert!(said(&mut bench, &["collect", "--reconstruct", "2026-09-05", "--control", "STO-01"]).contains("no more than 35 days"));
    // Without the inventory nothing is known of the past, and nothing is asked of services.
    let plan = site.sandbox().world().plan.clone();
    site.sandbox().serve_world(crate::sandbox::world::World::new(crate::sandbox::world::Plan { inventory: Inventory::Off, ..plan }));
    site.sandbox().forget_requests();
    let of_logs = ["--control", "IAM-12", "--control", "NET-07"];
    let (_exit, told) = bench.json(&[arguments(&["collect", "--reconstruct", "2026-11-04"]), of_logs.to_vec()].concat());
    let named: Vec<String> = found(&told).into_iter().map(|(control, _counts)| control).collect();
    assert!(["IAM-12", "NET-07", "STO-01"].iter().all(|control| named.iter().any(|name| name == control)), "{named:?}");
    for finding in told["findings"].as_array().expect("findings") {
        assert_eq!(finding["status"], "undetermined", "{finding}");
    }
    let alone = |service: &str| !["cloudasset", "github", "logging"].contains(&service);
    assert!(!site.sandbox().requests().iter().any(|entry| alone(&entry.service)), "services know no past, but for their logs");
}
