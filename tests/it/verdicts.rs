//! Verdicts agree with what is true: every shipped control of GitHub, every resource, over the real transport, in fair weather and in foul.
//!
//! What is expected comes of the world's facts: the same controls are asked of them, and of nothing that an API served. That what controls say of facts is right is
//! their own examples' to show; `expected_counts` works some out by hand.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use proofline::catalog::{self, Overrides, shipped};
use proofline::cli::vocabulary;
use proofline::collect::registry;
use proofline::evaluate::Judge;
use proofline::model::{Attribute, Control, Gap, GapCause, Kind, Resource, Verdict};
use proofline::store::Store;
use proofline::store::local::LocalStore;
use proofline::store::snapshot;
use serde_json::{Map, Value};

use crate::github::fixture;
use crate::sandbox::site::{Site, Size};
use crate::sandbox::world::truth::Truth;
use crate::sandbox::{Action, Behaviour, Fault};
use crate::truth::{Read, collect_into, is_of_window, read_back};

/// Control, test, kind and resource.
type Row = (String, u32, String, String);

/// Controls of which the sandbox's world holds no fact that would decide them; what decides them is in their kinds' own tests. A control that is not named here has
/// to be decided by the truth of some resource.
const UNDECIDED: &[&str] = &[];

/// What a night found.
struct Night {
    verdicts: BTreeMap<Row, Verdict>,
    reads: Vec<Read>,
    started: DateTime<Utc>,
}

fn small() -> Size {
    Size { repositories: 60, members: 20, projects: 2, changes: 12, tasks: 16 }
}

fn night(site: &Site) -> Night {
    let folder = tempfile::tempdir().expect("a folder");
    // As many attempts as are made unless somebody says otherwise.
    collect_into(folder.path(), &site.configuration().replace("attempts = 2\n", ""));
    let (started, verdicts) = judged(folder.path());
    Night { verdicts, reads: read_back(folder.path()), started }
}

/// What the newest run was judged to be.
fn judged(folder: &Path) -> (DateTime<Utc>, BTreeMap<Row, Verdict>) {
    let store: Arc<dyn Store> = Arc::new(LocalStore::open(folder.join("evidence")).expect("a store"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let run = snapshot::runs(store.as_ref()).await.expect("listed").pop().expect("a sealed run");
        let sealed = snapshot::open(store.as_ref(), &run).await.expect("sealed");
        let evaluation = snapshot::evaluations(store.as_ref(), &run).await.expect("read").pop().expect("judged").evaluation;
        let observations = snapshot::results(store.as_ref(), &evaluation).await.expect("results");
        let of_github = observations.into_iter().filter(|observation| observation.kind.starts_with("github."));
        let rows = of_github.map(|seen| ((seen.control.to_string(), seen.test, seen.kind.to_string(), seen.resource.to_string()), seen.verdict));
        (sealed.manifest.started_at, rows.collect())
    })
}

fn controls() -> Vec<Control> {
    let all = catalog::load(&shipped::files(), &vocabulary(), &Overrides::default()).expect("the shipped controls load").controls;
    all.into_iter().filter(|control| control.tests.iter().all(|test| test.population.starts_with("github."))).collect()
}

/// Every resource whose facts are known, with no more than is known of it.
fn facts(truth: &Truth, night: &Night) -> Vec<Resource> {
    let mut resources = Vec::new();
    for read in night.reads.iter().filter(|read| read.kind.starts_with("github.")) {
        let kind = registry::find(read.kind).expect("a kind").kind();
        let told: Vec<_> = truth.of(kind.name).map(|(id, facts)| (id.to_owned(), facts.clone())).collect();
        let served = served(kind.name);
        let same_everywhere =
            read.resources.iter().filter(|_| told.is_empty()).filter_map(|seen| Some((seen.id.to_string(), of_item(served.as_ref()?, &seen.name)?)));
        resources.extend(same_everywhere.chain(told.clone()).map(|(id, facts)| resource(kind, &id, facts)));
    }
    resources
}

fn resource(kind: &'static Kind, id: &str, facts: Map<String, Value>) -> Resource {
    let mut resource = Resource::new(kind, id.parse().expect("an id"), id, vec![1]);
    for (name, fact) in facts {
        resource.attributes.insert(name, Attribute::Known(fact));
    }
    for declared in kind.attributes.iter().filter(|declared| !resource.attributes.contains_key(declared.name)).collect::<Vec<_>>() {
        resource.lack(declared.name, Gap::new(GapCause::LeftOut, "the world does not say"));
    }
    resource
}

/// What is true of the items that every world serves, by their names.
fn served(kind: &str) -> Option<BTreeMap<String, Map<String, Value>>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(kind).join("items.json");
    path.exists().then(|| serde_json::from_value(fixture(kind, "items")["expected"].clone()).expect("attributes by name"))
}

/// The facts of one of them; the repository and the environment that it is in stand before its name.
fn of_item(served: &BTreeMap<String, Map<String, Value>>, name: &str) -> Option<Map<String, Value>> {
    let facts = served.get(name).or_else(|| served.iter().find(|(item, _)| name.ends_with(&format!(": {item}"))).map(|(_, facts)| facts))?;
    Some(facts.iter().filter(|(_, fact)| fact.get("gap").is_none()).map(|(name, fact)| (name.clone(), fact.clone())).collect())
}

fn expected(truth: &Truth, night: &Night) -> BTreeMap<Row, Verdict> {
    let mut judge = Judge::new(&controls(), registry::kinds(), night.started).expect("a judge");
    let observations = judge.observe(facts(truth, night)).expect("judged");
    let decided = observations.into_iter().filter(|observation| observation.verdict != Verdict::Undetermined);
    decided.map(|told| ((told.control.to_string(), told.test, told.kind.to_string(), told.resource.to_string()), told.verdict)).collect()
}

/// Every verdict is what the truth asks for, or undetermined where `may_be_open`; where a resource is missing, its population says that it is not whole.
/// Returns the controls that were decided.
fn assert_agreement(truth: &Truth, night: &Night, may_be_open: &dyn Fn(&str) -> bool) -> BTreeSet<String> {
    let mut decided = BTreeSet::new();
    for (row, expected) in expected(truth, night) {
        let (control, test, kind, id) = &row;
        match night.verdicts.get(&row) {
            Some(found) if *found == expected => drop(decided.insert(control.clone())),
            Some(Verdict::Undetermined) if may_be_open(id) => {}
            // The truth knows what was before the window too.
            None if is_of_window(kind) => {}
            None => {
                let read = night.reads.iter().find(|read| read.kind == kind).expect("a kind");
                assert!(may_be_open(id) && !read.population.completeness().is_complete(), "{kind} {id} is missing: {:?}", read.population);
            }
            Some(found) => panic!("{control}, test {test}: {id} is {} and should be {}", found.as_str(), expected.as_str()),
        }
    }
    decided
}

#[test]
fn every_control_says_of_every_resource_what_is_true() {
    let site = Site::sized(small());
    let truth = site.sandbox().world().truth();
    let night = night(&site);
    let decided = assert_agreement(&truth, &night, &|id| truth.hidden.contains(id));
    let undecided: BTreeSet<String> = controls().iter().map(|control| control.id.to_string()).filter(|id| !decided.contains(id)).collect();
    let named: BTreeSet<String> = UNDECIDED.iter().map(|id| (*id).to_owned()).collect();
    assert_eq!(undecided, named, "of these controls the world holds no truth; those that are named beyond them are decided now");
    site.assert_contracts_held();
}

/// Where the organisation settles nothing, each repository is judged by what it says itself, be it more or less than its neighbours.
#[test]
fn what_repositories_let_actions_do_is_judged_as_it_is() {
    let site = Site::with_open_actions();
    let truth = site.sandbox().world().truth();
    let night = night(&site);
    assert_agreement(&truth, &night, &|id| truth.hidden.contains(id));
    for control in ["CD-22", "CD-23"] {
        let of_it = night.verdicts.iter().filter(|((of, _, _, id), _)| of == control && !truth.hidden.contains(id));
        let verdicts: BTreeSet<&str> = of_it.map(|(_, verdict)| verdict.as_str()).collect();
        assert_eq!(verdicts, BTreeSet::from(["fail", "pass"]), "{control}");
    }
    site.assert_contracts_held();
}

/// What passes by itself leaves no trace in any verdict: a gateway that fails every twentieth time, and both of GitHub's limits, met in the middle of the run.
#[test]
fn trouble_that_passes_changes_no_verdict() {
    let site = Site::sized(small());
    let truth = site.sandbox().world().truth();
    let fair = night(&site);
    let limit = |every, path: &str, action| Fault { times: 2, ..Fault::every(every, path, action) };
    let weathers = [
        ("502 on every 20th request", vec![Fault::every(20, "*", Action::Status(502))]),
        (
            "limits",
            vec![
                limit(25, "/github/graphql", Action::RateLimited(1)),
                limit(40, "/github/graphql", Action::SlowDown(1)),
                limit(30, "/github/repos/*", Action::RateLimited(1)),
                limit(45, "/github/repos/*", Action::SlowDown(1)),
            ],
        ),
    ];
    for (weather, faults) in weathers {
        site.sandbox().behave(faults.into_iter().fold(Behaviour::default(), Behaviour::with));
        let foul = night(&site);
        assert_agreement(&truth, &foul, &|id| truth.hidden.contains(id));
        let differences: Vec<_> = fair.verdicts.iter().filter(|(row, verdict)| foul.verdicts.get(*row) != Some(*verdict)).take(5).collect();
        assert_eq!((differences, foul.verdicts.len()), (Vec::new(), fair.verdicts.len()), "{weather}");
    }
}

/// One repository in twenty can be read by nobody: what is asked of it is undetermined or known from the list, and all other verdicts stand.
#[test]
fn repositories_that_cannot_be_read_are_undetermined_and_nothing_else_is() {
    let whole = night(&Site::sized(small()));
    let site = Site::with_unreadable(small(), 20);
    let world = site.sandbox().world();
    let truth = world.truth();
    let unreadable: Vec<String> = world
        .repositories
        .iter()
        .filter(|repository| !world.is_readable(repository))
        .map(|repository| format!("github.com/{}", world.full_name(repository)))
        .collect();
    assert!(unreadable.len() >= 2, "{unreadable:?}");
    let lies_within = |id: &str| unreadable.iter().any(|name| id.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
    let night = night(&site);
    assert_agreement(&truth, &night, &|id| truth.hidden.contains(id) || lies_within(id));
    for repository in world.repositories.iter().filter(|repository| !world.is_readable(repository) && !repository.archived) {
        let id = format!("github.com/{}", world.full_name(repository));
        let open = night.verdicts.iter().filter(|((_, _, kind, of), verdict)| kind == "github.repository" && *of == id && **verdict == Verdict::Undetermined);
        assert!(open.count() > 3, "{id}");
    }
    let touched: Vec<_> =
        whole.verdicts.iter().filter(|((_, _, _, id), _)| !lies_within(id)).filter(|(row, verdict)| night.verdicts.get(*row) != Some(*verdict)).collect();
    assert!(touched.is_empty(), "{} verdicts of what can be read are others: {:?}", touched.len(), &touched[..touched.len().min(5)]);
    site.assert_contracts_held();
}
