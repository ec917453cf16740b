//! Several nights of an organisation whose repositories are renamed, given away, deleted, made again, made and hidden: each is a resource with a state, and none a gap.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use proofline::cli::exit::Exit;
use proofline::model::{Attribute, Completeness, GapCause, Resource};
use serde_json::Value;

use crate::cli::{Bench, finding};
use crate::sandbox::site::Site;
use crate::sandbox::world::fates::{Fate, What};
use crate::sandbox::world::{Plan, Viewer, World};
use crate::sandbox::{Action, Behaviour, Fault};
use crate::truth::{Read, read_back};

const KIND: &str = "github.known_repository";
const CONTROL: &str = "REP-29";

fn fates(night: u32, all: &[(u64, What)]) -> Vec<Fate> {
    all.iter().map(|(place, what)| Fate { night, place: *place, what: what.clone() }).collect()
}

/// One of each before the second night.
fn everything() -> Vec<Fate> {
    let all = [
        (10, What::Renamed("shop")),
        (11, What::TransferredInSight("other")),
        (12, What::TransferredAway),
        (13, What::Deleted),
        (14, What::Remade),
        (15, What::Hidden),
        (16, What::Made("fresh")),
    ];
    fates(1, &all)
}

/// Lets a night pass and collects.
fn night(site: &Site, bench: &mut Bench, number: usize) -> (Exit, Value, Read) {
    site.night(number);
    bench.now = Site::first_night() + TimeDelta::days(i64::try_from(number).expect("small"));
    let (exit, document) = bench.json(&["collect", "--control", CONTROL]);
    (exit, document, register(bench))
}

fn register(bench: &Bench) -> Read {
    read_back(bench.folder.path()).into_iter().find(|read| read.kind == KIND).expect("the register")
}

/// Every resource is as the world has it, and no attribute is open.
fn assert_true(site: &Site, read: &Read) {
    let truth = site.sandbox().world().truth();
    let told: BTreeMap<&str, &Resource> = read.resources.iter().map(|resource| (resource.id.as_str(), resource)).collect();
    let true_ids: Vec<&str> = truth.of(KIND).map(|(id, _)| id).collect();
    assert_eq!(told.keys().copied().collect::<Vec<_>>(), true_ids);
    for (id, facts) in truth.of(KIND) {
        for (name, fact) in facts {
            assert_eq!(told[id].attributes.get(name), Some(&Attribute::Known(fact.clone())), "{id} {name}");
        }
        assert!(matches!(told[id].attributes["last_seen"], Attribute::Known(_)), "{id}");
    }
}

fn states(read: &Read) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for resource in &read.resources {
        let state = match &resource.attributes["state"] {
            Attribute::Known(state) => state.as_str().expect("text").to_owned(),
            Attribute::Unknown(_) => "undetermined".to_owned(),
        };
        *counts.entry(state).or_default() += 1;
    }
    counts
}

fn counts(of: &[(&str, usize)]) -> BTreeMap<String, usize> {
    of.iter().map(|(state, count)| ((*state).to_owned(), *count)).collect()
}

fn last_seen(read: &Read, number: u64) -> Value {
    let resource = read.resources.iter().find(|resource| resource.id.as_str().ends_with(&format!("/{number}"))).expect("a resource");
    match &resource.attributes["last_seen"] {
        Attribute::Known(at) => at.clone(),
        Attribute::Unknown(gap) => panic!("{gap}"),
    }
}

fn inquiries(document: &Value) -> u64 {
    // Whose token asks, the organisation, one page of the REST list, one of the bulk query; the rest is what was asked of the differences.
    document["exchanges"].as_u64().unwrap_or_else(|| panic!("{document:#}")) - 4
}

#[test]
fn what_becomes_of_a_repository_is_told_night_after_night() {
    let site = Site::small();
    let mut bench = Bench::new(&site.configuration());
    let (exit, document, first) = night(&site, &mut bench, 0);
    assert_eq!((exit, inquiries(&document)), (Exit::Satisfied, 0), "nobody is new to a first run");
    assert_eq!(states(&first), counts(&[("listed", 40)]));
    assert_true(&site, &first);

    site.befall(everything());
    let (exit, document, second) = night(&site, &mut bench, 1);
    assert_true(&site, &second);
    assert_eq!(states(&second), counts(&[("gone", 3), ("listed", 34), ("moved", 1), ("new", 2), ("renamed", 1), ("unreadable", 1)]));
    assert_eq!(second.population.completeness(), Completeness::Reconciled, "{:?}", second.population);
    assert_eq!((exit, inquiries(&document)), (Exit::NotSatisfied, 1));
    assert_eq!((finding(&document, CONTROL)["counts"]["pass"].as_u64(), finding(&document, CONTROL)["counts"]["fail"].as_u64()), (Some(38), Some(4)));

    // What left stays on the register, with when it was last there.
    let (_, document, third) = night(&site, &mut bench, 2);
    assert_true(&site, &third);
    assert_eq!(states(&third), counts(&[("gone", 3), ("listed", 37), ("moved", 1), ("unreadable", 1)]));
    assert_eq!(inquiries(&document), 1, "only those that left are asked about");
    assert_eq!((last_seen(&third, 1_000_013), last_seen(&third, 1_000_020)), ("2026-11-02T02:00:00Z".into(), "2026-11-04T02:00:00Z".into()));
    site.assert_contracts_held();
    assert_eq!(bench.run(&["verify", "--reevaluate"]).exit, Exit::Satisfied, "the states come from what is stored");
}

#[test]
fn a_night_without_a_list_declares_nobody_gone_and_forgets_nobody() {
    let site = Site::small();
    let mut bench = Bench::new(&site.configuration());
    night(&site, &mut bench, 0);
    site.befall([fates(1, &[(13, What::Deleted)]), fates(2, &[(14, What::Deleted)])].concat());
    night(&site, &mut bench, 1);
    site.sandbox().behave(Behaviour::default().with(Fault::always("/github/orgs/acme/repos", Action::Status(502))));
    let (exit, document, blind) = night(&site, &mut bench, 2);
    assert_eq!((exit, finding(&document, CONTROL)["counts"]["fail"].as_u64()), (Exit::Undetermined, Some(0)));
    assert_eq!(states(&blind), counts(&[("listed", 38)]), "GraphQL lists those that are left");
    assert!(blind.population.gaps.iter().any(|gap| gap.detail.starts_with("what is missing cannot be told")), "{:?}", blind.population.gaps);
    site.all_well();
    let (_, _, seen) = night(&site, &mut bench, 3);
    assert_true(&site, &seen);
    assert_eq!(states(&seen), counts(&[("gone", 2), ("listed", 38)]));
}

#[test]
fn who_does_not_see_how_many_there_are_cannot_call_one_gone() {
    let site = Site::small();
    let mut bench = Bench::new(&site.configuration());
    night(&site, &mut bench, 0);
    let plan = site.sandbox().world().plan.clone();
    site.sandbox().serve_world(World::new(Plan { fates: everything(), viewer: Viewer::Member, ..plan }));
    let (_, document, member) = night(&site, &mut bench, 1);
    assert_eq!(states(&member), counts(&[("listed", 34), ("moved", 1), ("new", 2), ("renamed", 1), ("undetermined", 3), ("unreadable", 1)]));
    assert_eq!(finding(&document, CONTROL)["counts"]["undetermined"].as_u64(), Some(3));
    let open: Vec<_> = member
        .resources
        .iter()
        .filter_map(|resource| match &resource.attributes["state"] {
            Attribute::Unknown(gap) => Some((gap.cause, gap.cure.as_deref().is_some_and(|cure| cure.contains("admin:org")))),
            Attribute::Known(_) => None,
        })
        .collect();
    assert_eq!(open, [(GapCause::LeftOut, true); 3]);
}

#[test]
fn what_a_stopped_run_found_new_is_new_to_the_run_that_goes_on() {
    let site = Site::small();
    let mut bench = Bench::new(&site.configuration());
    bench.json(&["collect", "--due"]);
    site.befall(everything());
    site.night(1);
    bench.now += TimeDelta::days(1);
    // How many there are is not told, so none can be called gone: the control is owed again.
    site.sandbox().behave(Behaviour::default().with(Fault::always("/github/orgs/acme", Action::Status(502))));
    let (_, stopped) = bench.json(&["collect", "--due"]);
    assert_eq!(states(&register(&bench)), counts(&[("undetermined", 3), ("listed", 34), ("moved", 1), ("new", 2), ("renamed", 1), ("unreadable", 1)]));
    site.all_well();
    bench.now += TimeDelta::minutes(10);
    let (_, whole) = bench.json(&["collect", "--due"]);
    assert_eq!(whole["continues"], stopped["run"]);
    assert_eq!(finding(&whole, CONTROL)["counts"]["fail"].as_u64(), Some(4));
    assert_true(&site, &register(&bench));
}
