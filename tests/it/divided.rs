//! Answers that are of no use for how much was asked for: what took too long, and what holds something that may not be kept. Less is asked for, and only what is at fault stays unknown.
#![cfg(test)]

use std::collections::BTreeMap;

use proofline::model::{Attribute, GapCause, Resource};
use serde_json::Value;

use crate::cli::Bench;
use crate::redact::tokens;
use crate::sandbox::Behaviour;
use crate::sandbox::site::{Site, Size};
use crate::sandbox::world::World;
use crate::truth::{assert_all_is_seen, collected};

fn a_site() -> Site {
    Site::sized(Size { repositories: 60, members: 20, projects: 1, changes: 12, tasks: 24 })
}

/// The site with something written into it.
fn written(change: impl FnOnce(&mut World)) -> Site {
    let site = a_site();
    let mut world = World::new(site.sandbox().world().plan.clone());
    change(&mut world);
    site.sandbox().serve_world(world);
    site
}

/// How a kind's resources are named that lack something, and whether its population is whole.
fn lacking(site: &Site, kind: &str, attribute: &str) -> (Vec<String>, bool) {
    let all = collected(site);
    let read = all.iter().find(|read| read.kind == kind).expect("a kind");
    let lacks = |resource: &&Resource| matches!(resource.attributes.get(attribute), Some(Attribute::Unknown(_)));
    (read.resources.iter().filter(lacks).map(|resource| resource.name.clone()).collect(), read.population.completeness().is_complete())
}

/// GitHub manages so many items of each query, and everything is found all the same.
#[test]
fn what_takes_github_too_long_is_asked_for_in_smaller_pages_and_batches() {
    let site = a_site();
    let manages = [
        ("Repositories", 10),
        ("RepositoryAccess", 7),
        ("Issues", 20),
        ("PullRequests", 25),
        ("Changes", 30),
        ("RepositoryChanges", 1),
        ("OrganizationMembers", 9),
        ("ProjectItems", 4),
        ("IssueDetails", 3),
        ("PullRequestDetails", 1),
        ("WorkflowsBatch", 6),
        ("ChangesBatch", 2),
        ("DeploymentsBatch", 1),
        ("DeploymentDetails", 4),
        ("DeploymentRuns", 2),
        ("RunReviews", 3),
        ("ReviewTeams", 2),
        ("SubIssues", 1),
    ];
    let manages = manages.map(|(query, most)| (query.to_owned(), most)).into();
    site.sandbox().behave(Behaviour { manages, ..Behaviour::default() });
    assert_all_is_seen(&site);
}

#[test]
fn the_run_says_that_it_asks_for_less_and_is_whole() {
    let site = Site::small();
    site.sandbox().behave(Behaviour { manages: BTreeMap::from([("Repositories".to_owned(), 10)]), ..Behaviour::default() });
    let mut bench = Bench::new(&site.configuration());
    let outcome = bench.run(&["collect", "--control", "REP-03", "--json"]);
    assert!(outcome.err.contains("graphql/repositories for acme: graphql/repositories for acme answered 504; asking for less at a time"), "{}", outcome.err);
    let document: Value = serde_json::from_str(&outcome.out).expect("JSON");
    assert_eq!(document["kinds"]["github.branch"], "complete", "{document:#}");
    assert!(document["failed"].as_u64() >= Some(1), "what was too much is counted, not hidden");
}

#[test]
fn a_credential_in_one_issue_leaves_that_issue_unknown_and_no_other() {
    let site = written(|world| {
        let commented = world.repositories.iter_mut().flat_map(|repository| &mut repository.issues).filter(|issue| !issue.comments.is_empty());
        commented.last().expect("an issue with a comment").comments[0].body.push_str(&tokens()[0]);
    });
    let all = collected(&site);
    let issues = &all.iter().find(|read| read.kind == "github.issue").expect("issues");
    assert!(issues.population.completeness().is_complete(), "{:?}", issues.population.gaps);
    let unknown: Vec<&Resource> = issues.resources.iter().filter(|issue| matches!(issue.attributes["body"], Attribute::Unknown(_))).collect();
    assert_eq!(unknown.len(), 1, "of {}", issues.resources.len());
    let Attribute::Unknown(gap) = &unknown[0].attributes["body"] else { panic!("it is unknown") };
    assert_eq!(gap.cause, GapCause::Malformed, "asking again brings the same: {gap}");
    assert!(gap.detail.contains(&unknown[0].name) && gap.detail.contains("credential"), "{gap}");
    assert!(gap.cure.as_ref().is_some_and(|cure| cure.contains("revoked")), "{gap}");
    site.assert_contracts_held();
}

#[test]
fn a_credential_in_one_change_leaves_that_change_unknown_and_no_other() {
    let site = written(|world| {
        let (now, yesterday) = (world.now(), world.now() - chrono::TimeDelta::days(1));
        let changes = world.repositories.iter_mut().flat_map(|repository| &mut repository.pull_requests);
        let mut tonight = changes.filter(|change| change.merged.as_ref().is_some_and(|merge| merge.at >= yesterday && merge.at < now));
        tonight.next().expect("a change of the night").body.push_str(&tokens()[0]);
    });
    let (unknown, complete) = lacking(&site, "github.pull_request", "independent_approvals");
    assert_eq!((unknown.len(), complete), (1, true), "{unknown:?}");
}

/// A listing names titles, a hundred repositories at a time.
#[test]
fn a_credential_in_a_title_hides_one_repositorys_issues_and_the_listing_goes_on() {
    let site = a_site();
    let whole = collected(&site).into_iter().find(|read| read.kind == "github.issue").expect("issues").resources.len();
    let mut of_the_repository = 0;
    let site = written(|world| {
        let repository = world.repositories.iter_mut().find(|repository| !repository.issues.is_empty()).expect("a repository with issues");
        of_the_repository = repository.issues.len();
        repository.issues[0].title.push_str(&tokens()[0]);
    });
    let all = collected(&site);
    let issues = all.iter().find(|read| read.kind == "github.issue").expect("issues");
    assert!(issues.resources.len() + of_the_repository >= whole && issues.resources.len() < whole, "{} of {whole}", issues.resources.len());
    assert!(!issues.population.completeness().is_complete());
    assert!(issues.population.gaps.iter().any(|gap| gap.detail.contains("credential")), "{:?}", issues.population.gaps);
}

/// Where nothing answers, nobody is asked for one thing after the other.
#[test]
fn an_outage_is_not_taken_for_too_much() {
    let asked = |site: &Site| {
        let before = site.sandbox().counters().total;
        let (unknown, _) = lacking(site, "github.issue", "body");
        (unknown, site.sandbox().counters().total - before)
    };
    let (_, in_health) = asked(&a_site());
    let site = a_site();
    site.sandbox().behave(Behaviour { manages: BTreeMap::from([("IssueDetails".to_owned(), 0)]), ..Behaviour::default() });
    let (unknown, in_an_outage) = asked(&site);
    assert!(unknown.len() >= 15, "{unknown:?}");
    assert!(in_an_outage < in_health + 100, "{in_an_outage} requests, {in_health} without an outage");
}
