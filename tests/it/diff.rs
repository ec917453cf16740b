//! `diff` over two nights of the sandbox: what is known to have changed between them, and nothing else.
#![cfg(test)]

use std::collections::BTreeSet;

use chrono::TimeDelta;
use proofline::cli::exit::Exit;
use serde_json::{Value, json};

use crate::cli::Bench;
use crate::sandbox::site::{Site, Size};
use crate::sandbox::world::{Plan, World};

const CONTROLS: [&str; 3] = ["IAM-03", "STO-01", "REP-03"];

fn collect(bench: &mut Bench) -> String {
    let arguments: Vec<&str> = ["collect"].into_iter().chain(CONTROLS.iter().flat_map(|control| ["--control", control])).collect();
    bench.json(&arguments).1["run"].as_str().expect("a run").to_owned()
}

fn of<'a>(told: &'a Value, kind: &str) -> &'a Value {
    told["differences"].as_array().expect("differences").iter().find(|of| of["kind"] == kind).unwrap_or_else(|| panic!("no {kind}"))
}

#[test]
fn two_nights_differ_in_what_the_world_changed() {
    let site = Site::sized(Size { repositories: 6, members: 4, projects: 12, changes: 1, tasks: 2 });
    let plan = site.sandbox().world().plan.clone();
    site.sandbox().serve_world(World::new(Plan { drift_percent: 60, ..plan }));
    let mut bench = Bench::new(&site.configuration());
    let before = site.sandbox().world();
    let first = collect(&mut bench);
    site.night(1);
    bench.now += TimeDelta::days(1);
    let after = site.sandbox().world();
    collect(&mut bench);

    let (exit, told) = bench.json(&["diff", &first, "2026-11-03"]);
    assert_eq!(exit, Exit::Satisfied);
    assert_eq!((&told["before"]["shows"], &told["after"]["shows"]), (&json!("2026-11-02T02:00:00Z"), &json!("2026-11-03T02:00:00Z")));
    // Buckets whose prevention the world toggled.
    let toggled: BTreeSet<String> = before
        .google
        .projects
        .iter()
        .zip(&after.google.projects)
        .filter(|(project, _)| project.active)
        .flat_map(|(then, now)| {
            let changed = then.buckets.iter().zip(&now.buckets).filter(|(then, now)| then.prevention_enforced != now.prevention_enforced);
            changed.map(|(bucket, _)| bucket.name.clone()).collect::<Vec<_>>()
        })
        .collect();
    let buckets = of(&told, "gcp.bucket");
    let changed = buckets["changed"].as_array().expect("changed");
    let named: BTreeSet<String> = changed.iter().map(|changed| changed["name"].as_str().expect("a name").to_owned()).collect();
    assert!(!toggled.is_empty());
    assert_eq!(named, toggled);
    assert!(
        changed
            .iter()
            .all(|changed| changed["fields"].as_array().is_some_and(|fields| fields.iter().any(|field| field["attribute"] == "public_access_prevention")))
    );
    assert_eq!((buckets["entered"].as_array().map(Vec::len), buckets["left"].as_array().map(Vec::len)), (Some(0), Some(0)));
    // Owners that came: the population is whole but for the projects that refuse.
    let owners =
        of(&told, "gcp.iam_binding")["entered"].as_array().expect("entered").iter().chain(of(&told, "gcp.iam_binding")["unclear"].as_array().expect("unclear"));
    let came = after
        .google
        .projects
        .iter()
        .flat_map(|project| &project.bindings)
        .flat_map(|binding| &binding.members)
        .filter(|member| member.contains("night-1@"))
        .count();
    assert_eq!(owners.filter(|item| item["resource"].as_str().is_some_and(|id| id.contains("user:night-1@"))).count(), came);

    let text = bench.run(&["diff", "2026-11-02", "2026-11-03", "--kind", "gcp.bucket"]);
    assert!(text.out.contains(&format!("gcp.bucket: 0 entered, 0 left, {} changed", toggled.len())) && text.out.contains("-> "), "{}", text.out);
    let same = bench.run(&["diff", &first, &first]);
    assert!(same.out.contains("kinds are the same.") && !same.out.contains('~'), "{}", same.out);
    for (arguments, said) in [
        (["diff", "2026-11-02", "2026-11-09"], "no run shows 2026-11-09"),
        (["diff", "2026-11-02", "yesterday"], "neither a day"),
        (["diff", "20260101T000000Z-00000000", "2026-11-03"], "no sealed run"),
    ] {
        let outcome = bench.run(&arguments);
        assert!(outcome.exit == Exit::Usage && outcome.err.contains(said), "{}", outcome.err);
    }
}
