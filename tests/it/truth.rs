//! What is read back from the store agrees with what is true: every kind, every resource, every attribute, over the real transport, in fair weather and in foul.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use proofline::cli::evidence::StoredEvidence;
use proofline::cli::host::{Host, Output, Screen};
use proofline::collect::Collector as _;
use proofline::collect::gcp::assets::ASSETS;
use proofline::collect::registry::COLLECTORS;
use proofline::model::{Attribute, GapCause, Population, Resource, RunId};
use proofline::store::Store;
use proofline::store::local::LocalStore;
use proofline::store::snapshot;
use proofline::store::spool::Spool;

use crate::sandbox::site::{Site, Size};
use crate::sandbox::world::google::Inventory;
use crate::sandbox::world::truth::Truth;
use crate::sandbox::{Action, Behaviour, Fault};

/// One kind as it was read back.
pub(crate) struct Read {
    pub(crate) kind: &'static str,
    pub(crate) resources: Vec<Resource>,
    pub(crate) population: Population,
}

/// Collects once and reads everything back from the store.
pub(crate) fn collected(site: &Site) -> Vec<Read> {
    let folder = tempfile::tempdir().expect("a folder");
    collect_into(folder.path(), &site.configuration());
    read_back(folder.path())
}

/// Kinds that no shipped control asks for.
const ASKED_BY_NONE: &[&str] = &["github.discussion", "github.environment_variable", "github.repository_variable"];

/// A control over a kind, so that it is read.
fn control_over(number: usize, kind: &str) -> String {
    let noun = kind.rsplit('.').next().unwrap_or(kind);
    format!(
        r#"[[control]]
id = "READ-{number}"
title = "It is read"
owner = "tests"
severity = "info"
satisfies = ["soc2:CC4.1"]
frequency = "daily"
why = "So that it is read."
fix = "Read it."
[[control.test]]
population = "{kind}"
may_be_empty = true
require = "{noun}.repository != ''"

"#
    )
}

/// Collects every kind once, with a clock that goes on.
pub(crate) fn collect_into(folder: &Path, configuration: &str) {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("controls");
    fs::write(folder.join("others.toml"), (1..).zip(ASKED_BY_NONE).map(|(number, kind)| control_over(number, kind)).collect::<String>()).expect("written");
    fs::write(folder.join("proofline.toml"), format!("controls = [{shipped:?}, \"others.toml\"]\n{configuration}")).expect("written");
    let started = Instant::now();
    let host = Host {
        clock: Arc::new(move || Site::first_night() + started.elapsed()),
        variables: BTreeMap::from([("GITHUB_TOKEN".to_owned(), Site::TOKEN.to_owned())]),
        folder: folder.to_path_buf(),
        random: Box::new(|| 7),
        program: None,
        out: Output::new(std::io::sink()),
        err: Output::new(std::io::sink()),
        screen: Screen::Log,
    };
    proofline::cli::run(["proofline", "collect"].map(OsString::from), host);
}

/// The newest run of an installation, read back from its store.
pub(crate) fn read_back(folder: &Path) -> Vec<Read> {
    let store: Arc<dyn Store> = Arc::new(LocalStore::open(folder.join("evidence")).expect("a store"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let run: RunId = runtime.block_on(snapshot::runs(store.as_ref())).expect("listed").pop().expect("a sealed run");
    let sealed = runtime.block_on(snapshot::open(store.as_ref(), &run)).expect("sealed");
    let exchanges = runtime.block_on(snapshot::requests(store.as_ref(), &sealed.manifest)).expect("requests");
    let placed = runtime.block_on(snapshot::bodies(store.as_ref(), &sealed.manifest)).expect("places");
    let spool = runtime.block_on(Spool::gather(store.as_ref(), &placed)).expect("bodies");
    let evidence = StoredEvidence::new(spool, exchanges);
    let read = COLLECTORS.iter().map(|collector| {
        let mut resources = Vec::new();
        let population = collector.extract(&sealed.manifest.scope, &evidence, &mut |resource| resources.push(resource)).expect("extracted");
        Read { kind: collector.kind().name, resources, population }
    });
    read.collect()
}

/// A binding's condition is a digest in its id, and its expression in the truth's: those are left to the kind's own tests.
fn is_compared(id: &str) -> bool {
    !id.contains("condition=")
}

/// No known attribute may differ from the truth. Returns the ids that were read.
fn assert_nothing_false(truth: &Truth, read: &Read) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for resource in read.resources.iter().filter(|resource| is_compared(resource.id.as_str())) {
        let id = resource.id.as_str();
        ids.insert(id.to_owned());
        for (name, attribute) in &resource.attributes {
            if let (Attribute::Known(value), Some(fact)) = (attribute, truth.attribute(read.kind, id, name)) {
                assert_eq!(value, fact, "{} {id} {name}", read.kind);
            }
        }
    }
    ids
}

/// The truth knows what was before the window too.
pub(crate) fn is_of_window(kind: &str) -> bool {
    matches!(
        kind,
        "gcp.audit_entry"
            | "github.audit_event"
            | "github.pull_request"
            | "github.branch_activity"
            | "github.change"
            | "github.deployment"
            | "github.workflow_run"
    )
}

/// True where a gap says that the place in which the resource lies, e.g. `projects/acme-prod-7`, could not be read.
fn names_the_place(population: &Population, id: &str) -> bool {
    let words = population.gaps.iter().flat_map(|gap| gap.detail.split_whitespace());
    words.map(|word| word.trim_end_matches([':', ','])).any(|word| word.starts_with("projects/") && id.contains(word))
}

fn a_world() -> Site {
    Site::sized(Size { repositories: 120, members: 40, projects: 12, changes: 15, tasks: 20 })
}

#[test]
fn everything_that_may_be_seen_is_seen_as_it_is() {
    assert_all_is_seen(&a_world());
}

/// Each limit lifts after a second; the run waits for it instead of taking it for a refusal.
#[test]
fn rate_limits_cost_time_and_nothing_else() {
    let site = a_world();
    let slow = [("/github/graphql", Action::SlowDown(1)), ("/github/orgs/*", Action::RateLimited(1)), ("/cloudasset/*", Action::Status(429))];
    site.sandbox().behave(slow.into_iter().fold(Behaviour::default(), |behaviour, (path, action)| behaviour.with(Fault::first(1, path, action))));
    assert_all_is_seen(&site);
}

pub(crate) fn assert_all_is_seen(site: &Site) {
    let world = site.sandbox().world();
    let truth = world.truth();
    let inventory = world.google.inventory == Inventory::On;
    for read in collected(site) {
        let seen = assert_nothing_false(&truth, &read);
        if !inventory && ASSETS.iter().any(|asset| asset.kind().name == read.kind && !asset.is_listed_by_its_service()) {
            assert!(read.population.gaps.iter().any(|gap| matches!(gap.cause, GapCause::Disabled | GapCause::Forbidden)), "{}", read.kind);
            continue;
        }
        let in_window = |id: &str| !is_of_window(read.kind) || seen.contains(id);
        for (id, facts) in truth.of(read.kind).filter(|(id, _)| is_compared(id) && in_window(id) && !truth.hidden.contains(*id)) {
            let Some(resource) = read.resources.iter().find(|resource| resource.id.as_str() == id) else {
                assert!(names_the_place(&read.population, id), "{} {id} is missing and no gap names its place: {:?}", read.kind, read.population.gaps);
                continue;
            };
            // What other assets tell is read through the inventory only.
            for name in
                facts.keys().filter(|name| inventory || !matches!(name.as_str(), "newest_snapshot" | "dns_logged" | "backup_plans" | "is_log_destination"))
            {
                let attribute = resource.attributes.get(name).unwrap_or_else(|| panic!("{} declares no {name}", read.kind));
                assert!(matches!(attribute, Attribute::Known(_)), "{} {id} {name}: {attribute:?}", read.kind);
            }
        }
    }
    site.assert_contracts_held();
}

/// One repository in twenty is listed and can be read by nobody: it stays in the population, what is in it is missing out loud, and nothing else is touched.
#[test]
fn repositories_that_cannot_be_read_leave_all_others_as_they_are() {
    let site = Site::with_unreadable(Size { repositories: 120, members: 40, projects: 12, changes: 15, tasks: 20 }, 20);
    let world = site.sandbox().world();
    let truth = world.truth();
    let unreadable: Vec<String> = world
        .repositories
        .iter()
        .filter(|repository| !world.is_readable(repository))
        .map(|repository| format!("github.com/{}", world.full_name(repository)))
        .collect();
    assert!(unreadable.len() >= 4, "{unreadable:?}");
    let lies_within = |id: &str| unreadable.iter().any(|name| id.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
    for read in collected(&site) {
        let seen = assert_nothing_false(&truth, &read);
        let facts = truth.of(read.kind).filter(|(id, _)| is_compared(id) && !truth.hidden.contains(*id) && (!is_of_window(read.kind) || seen.contains(*id)));
        for (id, facts) in facts {
            let resource = read.resources.iter().find(|resource| resource.id.as_str() == id);
            match (resource, lies_within(id)) {
                (Some(resource), false) => assert!(facts.keys().all(|name| matches!(resource.attributes.get(name), Some(Attribute::Known(_)))), "{id}"),
                (Some(resource), true) => assert!(resource.attributes.values().any(|attribute| matches!(attribute, Attribute::Unknown(_))), "{id}"),
                (None, true) => {
                    assert_ne!(read.kind, "github.repository", "{id} left the population");
                    assert!(!read.population.completeness().is_complete(), "{} {id} is missing and nothing says so", read.kind);
                }
                (None, false) => assert!(names_the_place(&read.population, id), "{} {id}", read.kind),
            }
        }
        if read.kind == "github.repository" {
            assert!(read.population.completeness().is_complete(), "{:?}", read.population.gaps);
        }
    }
    site.assert_contracts_held();
}

#[test]
fn foul_weather_makes_unknown_and_never_false() {
    for fault in [Fault::every(20, "*", Action::Status(502)), Fault::every(7, "/github/graphql", Action::Truncate), Fault::every(5, "*", Action::Close)] {
        let site = a_world();
        let truth = site.sandbox().world().truth();
        site.sandbox().behave(Behaviour::default().with(fault.clone()));
        for read in collected(&site) {
            let seen = assert_nothing_false(&truth, &read);
            let complete = read.population.completeness().is_complete();
            let missing = truth.of(read.kind).filter(|(id, _)| is_compared(id) && !truth.hidden.contains(*id) && !seen.contains(*id)).count();
            // Changes are those of the window; how many there are is what the second count says.
            assert!(missing == 0 || !complete || is_of_window(read.kind), "{}: {missing} are missing and nothing says so ({fault:?})", read.kind);
        }
    }
}
