//! Repositories: two lists joined, and a count.

use proofline::collect::Collector;
use proofline::collect::github::branch::Branch;
use proofline::collect::github::branch_activity::BranchActivity;
use proofline::collect::github::repository::Repository;
use proofline::collect::github::repository_security::RepositorySecurity;
use proofline::collect::github::workflow::Workflow;
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
    assert_eq!(population.completeness(), Completeness::Reconciled, "the REST list names the one that is hidden: {:?}", population.gaps);
    // What lies in it is not known to anybody.
    let within: [&dyn Collector; 3] = [&Branch, &Workflow, &BranchActivity];
    for collector in within {
        let (_, within) = assert_contract(collector, &collect(collector, world(fixture("github.repository", "partial"))).await);
        let details: Vec<_> = within.gaps.iter().map(|gap| gap.detail.as_str()).collect();
        assert!(details.iter().any(|detail| detail.contains("1 repositories on a page of 3 are hidden")), "{details:?}");
        assert!(details.iter().any(|detail| detail.contains("acme/closed")), "{details:?}");
    }
    // One that is hidden and that nothing names is missing.
    let mut nameless = fixture("github.repository", "partial");
    for (asked, answer) in nameless["answers"].as_object_mut().expect("answers") {
        if let (true, Some(items)) = (asked.contains("/repos?"), answer["body"].as_array_mut()) {
            items.retain(|item| item["full_name"] != "acme/closed");
        }
    }
    let (_, population) = assert_contract(&Repository, &collect(&Repository, world(nameless)).await);
    assert!(population.gaps.iter().any(|gap| gap.detail.contains("are hidden")), "{:?}", population.gaps);
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

/// The answers of listings beside the bulk query.
fn beside() -> Value {
    let grant = |login: &str, source: &str| json!({"permissionSources": [{"permission": "ADMIN", "source": {"__typename": source}}], "node": {"login": login}});
    let reader = json!({"permissionSources": [{"permission": "READ", "source": {"__typename": "Repository"}}], "node": {"login": "zoe"}});
    let all = |edges: Value| json!({"totalCount": edges.as_array().map_or(0, Vec::len), "edges": edges});
    let mut normal = fixture("github.repository", "normal");
    let access = json!({"totalCount": 6, "pageInfo": {"hasNextPage": false, "endCursor": null}, "nodes": [
        {"databaseId": 1, "nameWithOwner": "acme/web", "everybody": {"totalCount": 900, "edges": [grant("ada", "Team"), grant("grace", "Repository")]},
         "direct": all(json!([grant("grace", "Repository"), reader]))},
        {"databaseId": 2, "nameWithOwner": "acme/api", "everybody": {"totalCount": 900, "edges": [grant("ada", "Organization")]}, "direct": all(json!([]))},
        {"databaseId": 3, "nameWithOwner": "acme/old", "everybody": all(json!([grant("ada", "Team"), grant("root", "Organization")])), "direct": null},
    ]});
    for (asked, body) in [
        (
            "GET /orgs/acme/properties/values?per_page=100",
            json!([
                {"repository_id": 1, "properties": [{"property_name": "class", "value": "soc2"}, {"property_name": "unset", "value": null}, {"property_name": "langs", "value": ["go", "ts"]}]},
                {"repository_id": 2, "properties": [{"property_name": "class", "value": 7}]},
            ]),
        ),
        ("GET /orgs/acme/code-security/configurations?per_page=100", json!([{"id": 17, "name": "Baseline"}, {"id": 18, "name": "Old"}])),
        ("GET /orgs/acme/code-security/configurations/17/repositories?per_page=100", json!([{"status": "enforced", "repository": {"id": 1}}])),
        (
            "GET /orgs/acme/code-security/configurations/18/repositories?per_page=100",
            json!([{"status": "removed", "repository": {"id": 1}}, {"status": "removed", "repository": {"id": 2}}]),
        ),
        ("GET /repos/acme/web/private-vulnerability-reporting", json!({"enabled": true})),
        ("graphql/repository_access", json!({"data": {"organization": {"repositories": access}}})),
    ] {
        normal["answers"][asked] = json!({"status": 200, "body": body});
    }
    normal
}

#[tokio::test]
async fn what_listings_of_the_organisation_tell_of_a_repository_is_joined_by_number() {
    let (resources, population) = assert_contract(&Repository, &collect(&Repository, world(beside())).await);
    assert!(population.gaps.is_empty(), "{:?}", population.gaps);
    let (web, api, old) = (named(&resources, "acme/web"), named(&resources, "acme/api"), named(&resources, "acme/old"));
    assert_eq!(known(web, "properties"), json!({"class": "soc2", "langs": "go, ts"}));
    assert_eq!(unknown(api, "properties").cause, GapCause::Malformed);
    assert_eq!(unknown(old, "properties").cause, GapCause::Incomplete, "a repository that the list leaves out has no properties that are known");
    assert_eq!((known(web, "security_configuration"), known(web, "security_configuration_status")), (json!("Baseline"), json!("enforced")));
    assert_eq!(known(api, "security_configuration_status"), "removed");
    assert_eq!(known(old, "security_configuration"), Value::Null, "all configurations were read whole, and it is in none");
    assert_eq!(known(web, "has_two_admins"), true, "two are two, however many were not read");
    assert_eq!(unknown(api, "has_two_admins").cause, GapCause::Incomplete);
    assert_eq!(known(old, "has_two_admins"), false, "an owner is not an administrator who was named");
    assert_eq!((known(web, "direct_writers"), known(api, "direct_writers")), (json!(["grace"]), json!([])));
    assert_eq!(unknown(old, "direct_writers").cause, GapCause::LeftOut);
}

#[tokio::test]
async fn a_listing_that_is_refused_or_cut_leaves_every_repository_unknown_and_none_without() {
    for (asked, attributes) in [
        ("GET /orgs/acme/properties/values?per_page=100", &["properties"][..]),
        ("GET /orgs/acme/code-security/configurations?per_page=100", &["security_configuration", "security_configuration_status"]),
        ("GET /orgs/acme/code-security/configurations/17/repositories?per_page=100", &["security_configuration"]),
        ("graphql/repository_access", &["has_two_admins", "direct_writers"]),
    ] {
        let mut refused = beside();
        refused["answers"][asked] = json!({"status": 403, "body": {"message": "Must have admin rights"}});
        let (resources, _) = assert_contract(&Repository, &collect(&Repository, world(refused)).await);
        for name in attributes {
            assert_eq!(unknown(named(&resources, "acme/old"), name).cause, GapCause::Forbidden, "{asked} {name}");
        }
        let mut cut = beside();
        cut["answers"][asked]["headers"] = json!({"link": "<https://api.github.com/lost>; rel=\"next\""});
        if let Some(page) = cut["answers"][asked].pointer_mut("/body/data/organization/repositories/pageInfo") {
            *page = json!({"hasNextPage": true, "endCursor": "lost"});
        }
        let (resources, _) = assert_contract(&Repository, &collect(&Repository, world(cut)).await);
        for name in attributes {
            unknown(named(&resources, "acme/empty"), name);
        }
    }
}

#[tokio::test]
async fn a_scan_is_none_only_where_github_says_so() {
    let asked = "GET /repos/acme/web/code-scanning/analyses?per_page=1&ref=refs%2Fheads%2Fmain";
    let scan = |error: &str| json!([{"created_at": "2026-01-30T00:00:00Z", "error": error}]);
    for (status, body, expected) in [
        (200, scan(""), Ok(json!("2026-01-30T00:00:00Z"))),
        (200, json!([]), Ok(Value::Null)),
        (404, json!({"message": "no analysis found"}), Ok(Value::Null)),
        (404, json!({"message": "Not Found"}), Err(GapCause::Forbidden)),
        (403, json!({"message": "Code Security must be enabled for this repository to use code scanning."}), Err(GapCause::Forbidden)),
        (200, scan("it broke"), Err(GapCause::Unanswered)),
        (200, json!([{"created_at": "2026-01-30T00:00:00Z"}]), Err(GapCause::LeftOut)),
        (200, json!({}), Err(GapCause::Malformed)),
    ] {
        let mut scanned = beside();
        scanned["answers"][asked] = json!({"status": status, "body": body});
        let (resources, _) = assert_contract(&RepositorySecurity, &collect(&RepositorySecurity, world(scanned)).await);
        match &named(&resources, "acme/web").attributes["last_code_scan"] {
            Attribute::Known(value) => assert_eq!(Ok(value.clone()), expected, "{status} {body}"),
            Attribute::Unknown(gap) => assert_eq!(Err(gap.cause), expected, "{status} {body}"),
        }
    }
}

#[tokio::test]
async fn a_scan_is_looked_for_unless_there_is_certainly_no_code() {
    let asked = "GET /repos/acme/api/code-scanning/analyses?per_page=1&ref=refs%2Fheads%2Fmain";
    for (languages, is_asked) in [
        (json!({"totalCount": 0, "nodes": []}), false),
        (json!({"totalCount": 1, "nodes": []}), true),
        (json!({"totalCount": 1, "nodes": [{"name": "Go"}]}), true),
        (Value::Null, true),
    ] {
        let mut site = beside();
        site["answers"][asked] = json!({"status": 200, "body": [{"created_at": "2026-01-30T00:00:00Z", "error": ""}]});
        site["answers"]["graphql/repositories"]["body"]["data"]["organization"]["repositories"]["nodes"][0]["languages"] = languages.clone();
        let (resources, _) = assert_contract(&RepositorySecurity, &collect(&RepositorySecurity, world(site)).await);
        match &named(&resources, "acme/api").attributes["last_code_scan"] {
            Attribute::Known(_) => assert!(is_asked, "{languages}"),
            Attribute::Unknown(gap) => assert_eq!((gap.cause, is_asked), (GapCause::Incomplete, false), "{languages}"),
        }
    }
}

#[tokio::test]
async fn reports_in_private_are_asked_of_public_repositories_only() {
    let (resources, population) = assert_contract(&RepositorySecurity, &collect(&RepositorySecurity, world(beside())).await);
    assert!(population.completeness().is_complete(), "{:?}", population.gaps);
    let of = |name: &str| named(&resources, name);
    assert_eq!(known(of("acme/web"), "private_vulnerability_reporting"), true);
    assert_eq!(known(of("acme/api"), "private_vulnerability_reporting"), Value::Null, "GitHub offers it to public repositories only");
    assert_eq!(unknown(of("acme/old"), "private_vulnerability_reporting").cause, GapCause::Malformed, "not prepared");
}

#[tokio::test]
async fn the_tag_of_a_release_is_protected_by_active_rules_only() {
    let rule = |kind: &str, enforcement: &str| json!({"type": kind, "repositoryRuleset": {"enforcement": enforcement}});
    for (rules, expected) in [
        (vec![rule("DELETION", "ACTIVE"), rule("UPDATE", "ACTIVE")], true),
        (vec![rule("DELETION", "ACTIVE"), rule("NON_FAST_FORWARD", "ACTIVE")], true),
        (vec![rule("DELETION", "ACTIVE"), rule("UPDATE", "EVALUATE")], false),
        (vec![rule("UPDATE", "ACTIVE")], false),
        (vec![], false),
    ] {
        let mut released = beside();
        let node = &mut released["answers"]["graphql/repositories"]["body"]["data"]["organization"]["repositories"]["nodes"][0];
        let name = node["nameWithOwner"].as_str().expect("a name").to_owned();
        node["latestRelease"] = json!({"tagName": "v1", "tag": {"rules": {"totalCount": rules.len(), "nodes": rules}}});
        let (resources, _) = assert_contract(&Repository, &collect(&Repository, world(released)).await);
        let of = named(&resources, &name);
        assert_eq!((known(of, "latest_release_tag"), known(of, "latest_release_tag_protected")), (json!("v1"), json!(expected)), "{rules:?}");
    }
    let mut cut = beside();
    let node = &mut cut["answers"]["graphql/repositories"]["body"]["data"]["organization"]["repositories"]["nodes"][0];
    let name = node["nameWithOwner"].as_str().expect("a name").to_owned();
    node["latestRelease"] = json!({"tagName": "v1", "tag": {"rules": {"totalCount": 3, "nodes": [rule("DELETION", "ACTIVE"), rule("UPDATE", "ACTIVE")]}}});
    let (resources, _) = assert_contract(&Repository, &collect(&Repository, world(cut)).await);
    assert_eq!(unknown(named(&resources, &name), "latest_release_tag_protected").cause, GapCause::Incomplete);
}
