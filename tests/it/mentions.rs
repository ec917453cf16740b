//! Security tasks that name what happened, or is to happen, on Google Cloud: over the whole sandbox, so that the issues come as GitHub shows them.
#![cfg(test)]

use chrono::TimeDelta;
use proofline::model::{Attribute, Resource};
use serde_json::{Value, json};

use crate::sandbox::site::{Site, Size};
use crate::sandbox::world::World;
use crate::sandbox::world::truth::instant;
use crate::truth::{Read, collected};

fn of<'r>(reads: &'r [Read], kind: &str, is_wanted: impl Fn(&Resource) -> bool) -> &'r Resource {
    let read = reads.iter().find(|read| read.kind == kind).expect("it is registered");
    read.resources.iter().find(|resource| is_wanted(resource)).expect("it is listed")
}

fn known<'r>(resource: &'r Resource, name: &str) -> &'r Value {
    match &resource.attributes[name] {
        Attribute::Known(value) => value,
        Attribute::Unknown(gap) => panic!("{name}: {gap}"),
    }
}

#[test]
fn a_task_that_names_an_entry_or_projects_is_held_against_them() {
    let site = Site::sized(Size { repositories: 12, members: 6, projects: 6, changes: 1, tasks: 6 });
    let mut world = World::new(site.sandbox().world().plan.clone());
    let covered = (instant(world.plan.instant(-2)), instant(world.plan.instant(-1) - TimeDelta::hours(1)));
    let at = |entry: &Value| entry["at"].as_str().unwrap_or_default().to_owned();
    let entries =
        world.google.projects.iter().filter(|project| project.active).flat_map(|project| &project.assets).filter(|asset| asset.kind == "gcp.audit_entry");
    let entry = entries.map(|asset| asset.truth.clone()).find(|truth| (&covered.0..&covered.1).contains(&&at(truth))).expect("an entry");
    let gone = world.google.projects.iter().find(|project| !project.active).expect("a project that is going away");
    let gone = (gone.id.clone(), instant(gone.created + TimeDelta::days(30)));
    let there = world.google.projects.iter().find(|project| project.active).expect("a project").id.clone();
    let label = world.plan.task_label.clone();
    let issue = world.repositories.iter_mut().flat_map(|repository| &mut repository.issues).find(|issue| issue.labels.contains(&label)).expect("a task");
    (issue.closed, issue.reopened) = (None, None);
    issue.body.push_str(&format!("\n{} in {there}; {}, and projects/zz-never-there too", entry["insert_id"].as_str().unwrap_or_default(), gone.0));
    issue.created = at(&entry).parse::<chrono::DateTime<chrono::Utc>>().expect("a time") + TimeDelta::hours(2);
    let opened = instant(issue.created);
    site.sandbox().serve_world(world);

    let reads = collected(&site);
    let found = of(&reads, "gcp.audit_entry", |resource| {
        resource.attributes["insert_id"] == Attribute::Known(entry["insert_id"].clone()) && resource.id.as_str().contains(&at(&entry))
    });
    let tasks = known(found, "tasks");
    assert_eq!(tasks.as_array().map(Vec::len), Some(1), "{tasks}");
    assert_eq!(tasks[0]["created_at"], json!(opened));
    let url = tasks[0]["url"].clone();
    let other = of(&reads, "gcp.audit_entry", |resource| resource.attributes["insert_id"] != Attribute::Known(entry["insert_id"].clone()));
    assert_eq!(known(other, "tasks"), &json!([]), "no task names it");

    let task = of(&reads, "gcp.teardown", |resource| resource.attributes["url"] == Attribute::Known(url.clone()));
    let mut projects = vec![
        json!({ "id": gone.0, "is_there": false, "gone_at": gone.1 }),
        json!({ "id": there, "is_there": true, "gone_at": null }),
        json!({ "id": "zz-never-there", "is_there": false, "gone_at": null }),
    ];
    projects.sort_by_key(|project| project["id"].to_string());
    assert_eq!(known(task, "projects"), &Value::from(projects));
    let silent = of(&reads, "gcp.teardown", |resource| resource.attributes["url"] != Attribute::Known(url.clone()));
    assert!(matches!(silent.attributes["projects"], Attribute::Unknown(_)), "it names none");
    site.assert_contracts_held();
}
