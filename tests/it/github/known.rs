//! What became of repositories that earlier runs knew: the differences, what GitHub says of them, and what that does not tell.

use proofline::collect::Collector as _;
use proofline::collect::github::known_repository::{KnownRepository, remember};
use proofline::collect::memory::{Memory, Register, Seen};
use proofline::collect::replay::{Answer, Replay, ReplayedEvidence};
use proofline::model::{Completeness, GapCause, Population, Resource, Scope};
use serde_json::{Value, json};

use crate::github::{assert_contract_in, known, scope, unknown};

const INQUIRY: &str = "graphql/known-repositories";

fn seen(number: i64, name: &str) -> (String, Seen) {
    (number.to_string(), Seen { id: format!("R_{number}"), name: name.into(), at: "2026-02-28T02:00:00Z".parse().expect("an instant") })
}

fn memory(of: &str, seen: impl IntoIterator<Item = (String, Seen)>) -> Memory {
    Memory { repositories: [(of.to_owned(), Register::from_iter(seen))].into() }
}

/// An organisation of these repositories.
struct Site<'a> {
    listed: &'a [(i64, &'a str)],
    nodes: Value,
    inquiry: Option<Answer>,
    counted: Option<usize>,
}

impl Site<'_> {
    fn answer(&self, operation: &str) -> Answer {
        let ok = |body: Value| Answer::new(200, body.to_string());
        let item = |(number, name): &(i64, &str)| json!({"id": number, "node_id": format!("R_{number}"), "full_name": name});
        let node = |(number, name): &(i64, &str)| json!({"databaseId": number, "nameWithOwner": name});
        match operation {
            "orgs/get" => ok(json!({"public_repos": 0, "total_private_repos": self.counted})),
            "repos/list-for-org" => ok(self.listed.iter().map(item).collect()),
            "graphql/repositories" => ok(json!({"data": {"organization": {"repositories": {
                "totalCount": self.listed.len(), "pageInfo": {"hasNextPage": false, "endCursor": null}, "nodes": self.listed.iter().map(node).collect::<Value>(),
            }}}})),
            INQUIRY => self.inquiry.clone().unwrap_or_else(|| ok(self.nodes.clone())),
            other => panic!("unexpected {other}"),
        }
    }
}

fn collect_in(scope: &Scope, site: &Site<'_>, memory: Memory) -> (Vec<Resource>, Population, ReplayedEvidence) {
    let replay = Replay::new("2026-03-01T02:00:00Z".parse().expect("an instant"), |request| site.answer(request.operation)).remembering(memory);
    futures::executor::block_on(KnownRepository.fetch(scope, &replay)).expect("fetched");
    let evidence = replay.evidence();
    let (resources, population) = assert_contract_in(scope, &KnownRepository, &evidence);
    (resources, population, evidence)
}

fn collect(site: &Site<'_>, memory: Memory) -> (Vec<Resource>, Population, ReplayedEvidence) {
    collect_in(&scope(), site, memory)
}

const NOT_FOUND: &str = "NOT_FOUND";

fn nowhere(kind: &str) -> Value {
    json!({"data": {"nodes": [null]}, "errors": [{"type": kind, "path": ["nodes", 0], "message": "Could not resolve to a node"}]})
}

fn web_is_missing(nodes: Value) -> Site<'static> {
    Site { listed: &[(8, "acme/api")], nodes, inquiry: None, counted: Some(1) }
}

fn both() -> Memory {
    memory("acme", [seen(7, "acme/web"), seen(8, "acme/api")])
}

fn numbered(resources: &[Resource], number: i64) -> &Resource {
    resources.iter().find(|resource| known(resource, "number") == number).unwrap_or_else(|| panic!("{number} is missing"))
}

fn asked(evidence: &ReplayedEvidence) -> usize {
    use proofline::collect::Evidence as _;
    evidence.operation(INQUIRY).len()
}

#[test]
fn an_ordinary_night_asks_nothing() {
    let site = Site { listed: &[(7, "acme/web"), (8, "acme/api")], nodes: json!(null), inquiry: None, counted: Some(2) };
    let (resources, population, evidence) = collect(&site, both());
    assert_eq!((asked(&evidence), resources.len(), population.completeness()), (0, 2, Completeness::Reconciled));
    assert!(resources.iter().all(|resource| known(resource, "state") == "listed"));
}

#[test]
fn what_is_missing_is_gone_only_where_all_that_is_there_was_seen() {
    let (resources, population, _) = collect(&web_is_missing(nowhere(NOT_FOUND)), both());
    let web = numbered(&resources, 7);
    assert_eq!((known(web, "state"), known(web, "last_seen"), known(web, "former_name")), (json!("gone"), json!("2026-02-28T02:00:00Z"), Value::Null));
    assert_eq!((population.completeness(), population.tallies[0].second_count), (Completeness::Reconciled, Some(2)));
    // A count that differs, or that is left out: it may be out of sight.
    for (counted, cause) in [(Some(2), GapCause::Incomplete), (None, GapCause::LeftOut)] {
        let (resources, _, _) = collect(&Site { counted, ..web_is_missing(nowhere(NOT_FOUND)) }, both());
        assert_eq!(unknown(numbered(&resources, 7), "state").cause, cause, "{counted:?}");
    }
}

#[test]
fn what_the_source_does_not_say_declares_nobody_gone() {
    let there = |name: &str, number: i64| json!({"data": {"nodes": [{"databaseId": number, "nameWithOwner": name}]}});
    for (nodes, cause) in [
        (nowhere("FORBIDDEN"), GapCause::Forbidden),
        (json!({"data": {"nodes": [null]}}), GapCause::LeftOut),
        (json!({"data": {"nodes": []}}), GapCause::Malformed),
        (json!({"data": {"nodes": [{}]}}), GapCause::LeftOut),
        (there("acme/web", 7), GapCause::Incomplete),
        (there("other/web", 9), GapCause::Malformed),
    ] {
        let (resources, _, _) = collect(&web_is_missing(nodes.clone()), both());
        assert_eq!(unknown(numbered(&resources, 7), "state").cause, cause, "{nodes}");
        assert_eq!(known(numbered(&resources, 7), "name"), "acme/web", "{nodes}");
    }
    for (answer, cause) in
        [(Answer::new(502, ""), GapCause::Unanswered), (Answer::new(403, "{}"), GapCause::Forbidden), (Answer::default(), GapCause::Unanswered)]
    {
        let site = Site { inquiry: Some(answer), ..web_is_missing(json!(null)) };
        let (resources, _, evidence) = collect(&site, both());
        assert_eq!(unknown(numbered(&resources, 7), "state").cause, cause);
        let (register, whole) = remember("acme", &evidence).expect("readable");
        assert_eq!((register.get("7"), whole), (both().repositories["acme"].get("7"), true), "it is asked about again");
    }
}

#[test]
fn moves_names_and_successors_are_told_by_number() {
    let moved = json!({"data": {"nodes": [{"databaseId": 7, "nameWithOwner": "other/web"}]}});
    let (resources, _, _) = collect(&web_is_missing(moved), both());
    let web = numbered(&resources, 7);
    assert_eq!((known(web, "state"), known(web, "name"), known(web, "former_name")), (json!("moved"), json!("other/web"), json!("acme/web")));
    // Deleted and made again under its name; the other one has a new name.
    let listed = [(9, "acme/web"), (8, "acme/backend")];
    let nodes = json!({"data": {"nodes": [null, {}, {}]}, "errors": [{"type": NOT_FOUND, "path": ["nodes", 0], "message": "x"}]});
    let (resources, population, _) = collect(&Site { listed: &listed, nodes, inquiry: None, counted: Some(2) }, both());
    let told: Vec<_> = [7, 8, 9].map(|number| (known(numbered(&resources, number), "state"), known(numbered(&resources, number), "successor"))).into();
    assert_eq!(told, [(json!("gone"), json!(9)), (json!("renamed"), Value::Null), (json!("new"), Value::Null)]);
    assert_eq!((known(numbered(&resources, 8), "former_name"), population.completeness()), (json!("acme/api"), Completeness::Reconciled));
}

#[test]
fn an_organisation_that_is_called_otherwise_is_known_by_its_repositories() {
    let scope = Scope { github_organizations: vec!["newco".into()], ..scope() };
    let site = Site { listed: &[(8, "newco/api")], nodes: nowhere(NOT_FOUND), inquiry: None, counted: Some(1) };
    let (resources, _, _) = collect_in(&scope, &site, both());
    assert_eq!((known(numbered(&resources, 8), "state"), known(numbered(&resources, 8), "former_name")), (json!("renamed"), json!("acme/api")));
    assert_eq!(known(numbered(&resources, 7), "state"), "gone");
    // One that shares nothing with what was known is a first run.
    let (resources, _, evidence) = collect_in(&scope, &Site { listed: &[(80, "newco/api")], ..site }, both());
    assert_eq!((asked(&evidence), known(numbered(&resources, 80), "state")), (0, json!("listed")));
}

#[test]
fn many_that_vanish_are_asked_a_hundred_at_a_time() {
    let site = Site { listed: &[], nodes: json!({"data": {"nodes": []}}), inquiry: None, counted: Some(0) };
    let (resources, _, evidence) = collect(&site, memory("acme", (0..250).map(|number| seen(number, &format!("acme/r{number}")))));
    assert_eq!((asked(&evidence), resources.len()), (3, 250));
}
