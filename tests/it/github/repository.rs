//! Repositories: two lists joined, and a count.

use proofline::collect::github::repository::Repository;
use proofline::model::{Attribute, Completeness, GapCause};
use serde_json::{Value, json};

use crate::github::{assert_contract, collect, fixture, known, named, run, unknown, world};

#[tokio::test]
async fn repositories_are_joined_by_number_and_reconciled() {
    let (resources, population) = run(&Repository, "normal").await;
    assert_eq!(population.completeness(), Completeness::Reconciled, "{:?}", population.gaps);
    assert_eq!(population.tallies[0].second_count, Some(6));
    let web = named(&resources, "acme/web");
    assert_eq!(web.id.as_str(), "github.com/acme/web");
    for (name, value) in [
        ("secret_scanning", json!("enabled")),
        ("dependabot_security_updates", json!("disabled")),
        ("default_branch", json!("main")),
        ("has_codeowners", json!(true)),
        ("codeowners_error_count", json!(0)),
        ("deploy_key_count", json!(0)),
        ("visibility", json!("PUBLIC")),
    ] {
        assert_eq!(known(web, name), value, "{name}");
    }
    let empty = named(&resources, "acme/empty");
    assert_eq!((known(empty, "default_branch"), known(empty, "pushed_at"), known(empty, "has_codeowners")), (Value::Null, Value::Null, json!(false)));
    assert_eq!(known(named(&resources, "acme/old"), "archived"), true);
}

#[tokio::test]
async fn a_setting_that_looks_off_to_who_may_not_see_it_is_unknown() {
    let (resources, _) = run(&Repository, "normal").await;
    let closed = named(&resources, "acme/closed");
    for name in ["secret_scanning", "dependabot_alerts", "delete_branch_on_merge", "deploy_key_count", "outside_collaborator_count"] {
        assert_eq!(unknown(closed, name).cause, GapCause::LeftOut, "{name}");
    }
    assert_eq!(known(named(&resources, "acme/open-door"), "dependabot_alerts"), true, "on is believed from anybody");
}

#[tokio::test]
async fn a_repository_in_one_list_only_is_named_and_kept() {
    let (resources, population) = run(&Repository, "partial").await;
    let closed = named(&resources, "acme/closed");
    assert_eq!(known(closed, "visibility"), "PRIVATE", "from REST");
    assert!(matches!(closed.attributes["default_branch"], Attribute::Unknown(_)), "REST names a default branch even for an empty repository");
    let details: Vec<_> = population.gaps.iter().map(|gap| gap.detail.as_str()).collect();
    assert!(details.iter().any(|detail| detail.contains("1 repositories on a page of 3 are hidden")), "{details:?}");
    assert!(details.iter().any(|detail| detail.contains("acme/closed")), "{details:?}");
    let deploy_keys = unknown(named(&resources, "acme/api"), "deploy_key_count");
    assert_eq!(
        (deploy_keys.cause, deploy_keys.detail.as_str()),
        (GapCause::Unanswered, "deployKeys.totalCount: Something went wrong while executing your query.")
    );
    assert_eq!(known(named(&resources, "acme/web"), "deploy_key_count"), 0, "its neighbours are untouched");

    let mut moved = fixture("github.repository", "normal");
    moved["answers"]["GET /organizations/4242/repos?type=all&per_page=100&page=2"]["body"] = json!([]);
    let (_, population) = assert_contract(&Repository, &collect(&Repository, world(moved)).await);
    assert!(population.gaps[0].detail.contains("acme/closed, acme/open-door") && population.gaps[0].cause == GapCause::Incomplete, "{:?}", population.gaps);
}

#[tokio::test]
async fn without_a_count_from_the_organisation_the_tally_says_which_permission_is_missing() {
    let mut blind = fixture("github.repository", "normal");
    blind["answers"]["GET /orgs/acme"]["body"].as_object_mut().expect("an object").remove("total_private_repos");
    let (_, population) = assert_contract(&Repository, &collect(&Repository, world(blind)).await);
    assert_eq!(population.completeness(), Completeness::Enumerated);
    assert!(population.tallies[0].second_source.contains("total_private_repos (needs Administration: read"), "{}", population.tallies[0].second_source);
}

#[tokio::test]
async fn a_list_that_is_shorter_than_its_own_total_is_incomplete() {
    let mut short = fixture("github.repository", "normal");
    short["answers"]["graphql/repositories"]["body"]["data"]["organization"]["repositories"]["totalCount"] = json!(7);
    let (_, population) = assert_contract(&Repository, &collect(&Repository, world(short)).await);
    assert_eq!(population.gaps.len(), 1);
    assert!(population.gaps[0].detail.contains("counts 7 repositories of acme, 6 were read"), "{:?}", population.gaps);
}

#[tokio::test]
async fn a_renamed_repository_is_one_repository() {
    let mut renamed = fixture("github.repository", "normal");
    renamed["answers"]["GET /orgs/acme/repos?type=all&per_page=100"]["body"][0]["full_name"] = json!("acme/website");
    let (resources, population) = assert_contract(&Repository, &collect(&Repository, world(renamed)).await);
    assert_eq!((resources.len(), population.completeness()), (6, Completeness::Reconciled));
    assert_eq!(known(named(&resources, "acme/web"), "secret_scanning"), "enabled");
}

#[tokio::test]
async fn a_repository_made_again_under_its_name_is_one_resource_and_a_gap() {
    let mut again = fixture("github.repository", "normal");
    again["answers"]["GET /orgs/acme/repos?type=all&per_page=100"]["body"][0]["id"] = json!(99);
    let (resources, population) = assert_contract(&Repository, &collect(&Repository, world(again)).await);
    assert_eq!((resources.len(), population.completeness()), (6, Completeness::Incomplete));
    assert!(population.gaps.iter().any(|gap| gap.detail.contains("two repositories are called acme/web")), "{:?}", population.gaps);
}
