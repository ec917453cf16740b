//! Branches: what the bulk query tells of their rules, and what REST is asked where it is silent.

use proofline::collect::Evidence;
use proofline::collect::github::branch::Branch;
use proofline::collect::replay::ReplayedEvidence;
use proofline::model::{Attribute, Completeness, GapCause};
use serde_json::{Value, json};

use crate::github::{assert_contract, collect, fixture, known, named, run, unknown, world};

#[tokio::test]
async fn branches_are_protected_as_their_rules_add_up() {
    let (resources, population) = run(&Branch, "normal").await;
    assert_eq!(population.completeness(), Completeness::Reconciled, "{:?}", population.gaps);
    assert_eq!(resources.len(), 5, "an empty repository has no branch");
    assert!(population.tallies[0].second_source.ends_with("less 1 empty repositories"));

    let web = named(&resources, "acme/web@main");
    assert_eq!(web.id.as_str(), "github.com/acme/web/tree/main");
    assert_eq!((known(web, "protected"), known(web, "required_approvals"), known(web, "binds_admins")), (json!(true), json!(2), json!(true)));
    assert_eq!(known(web, "required_checks"), json!([{"context": "ci/test", "app": "github-actions"}]));
    assert_eq!((known(web, "bypass_actors"), known(web, "rule_sources")), (json!(["app:renovate"]), json!(["classic:main"])));

    let api = named(&resources, "acme/api@main");
    assert_eq!((known(api, "required_approvals"), known(api, "allows_force_push"), known(api, "allows_deletion")), (json!(1), json!(false), json!(false)));
    assert_eq!(known(api, "required_checks"), json!([{"context": "ci/build", "app": "15368"}, {"context": "lint", "app": null}]));
    for name in ["binds_admins", "bypass_actors"] {
        assert!(unknown(api, name).cure.expect("a cure").contains("Administration: write"), "{name}");
    }

    let old = named(&resources, "acme/old@main");
    assert_eq!((known(old, "protected"), known(old, "required_approvals"), known(old, "allows_force_push")), (json!(false), json!(0), json!(true)));
    assert_eq!((known(old, "repository_archived"), known(old, "binds_admins"), known(old, "rule_sources")), (json!(true), json!(false), json!([])));
}

#[tokio::test]
async fn a_classic_rule_that_cannot_be_seen_hides_what_visible_rules_do_not_settle() {
    let (resources, _) = run(&Branch, "normal").await;
    let closed = named(&resources, "acme/closed@main");
    assert_eq!(
        (known(closed, "protected"), known(closed, "requires_signatures"), known(closed, "allows_force_push")),
        (json!(true), json!(true), json!(false))
    );
    for name in ["required_approvals", "required_checks", "allows_deletion", "binds_admins", "bypass_actors", "rule_sources", "requires_linear_history"] {
        assert!(matches!(closed.attributes[name], Attribute::Unknown(_)), "{name}");
    }
    let gap = unknown(closed, "required_approvals");
    assert_eq!(gap.cause, GapCause::Forbidden);
    assert!(gap.detail.contains("404: Not Found") && gap.cure.expect("a cure").contains("Administration: read"));

    let door = named(&resources, "acme/open-door@release/#1 ü");
    assert_eq!((known(door, "protected"), known(door, "required_approvals")), (json!(false), json!(0)), "GitHub says that it is not protected");
}

#[tokio::test]
async fn the_flag_of_a_branch_with_another_name_is_not_believed() {
    let mut renamed = fixture("github.branch", "normal");
    renamed["answers"]["GET /repos/acme/open-door/branches/release%2F%231%20%C3%BC"]["body"]["name"] = json!("trunk");
    let (resources, _) = assert_contract(&Branch, &collect(&Branch, world(renamed)).await);
    assert!(matches!(named(&resources, "acme/open-door@release/#1 ü").attributes["protected"], Attribute::Unknown(_)));
}

#[tokio::test]
async fn rest_is_asked_only_where_the_bulk_query_is_silent() {
    let evidence = collect(&Branch, world(fixture("github.branch", "normal"))).await;
    let asked = |operation| evidence.operation(operation).iter().map(|exchange| exchange.subject.as_str()).collect::<Vec<_>>();
    assert_eq!(asked("repos/get-branch"), ["acme/closed@main", "acme/open-door@release/#1 ü"]);
    assert_eq!(asked("repos/get-branch-protection"), ["acme/closed@main"], "the other said that it is not protected");
    assert_eq!(asked("repos/get-branch-rules"), Vec::<&str>::new());
}

#[tokio::test]
async fn after_a_few_refusals_the_rules_of_the_others_are_not_asked_for() {
    let mut many = fixture("github.branch", "normal");
    let page = &mut many["answers"]["graphql/repositories"]["body"]["data"]["organization"]["repositories"];
    let hidden = page["nodes"][1].clone();
    let copies: Vec<Value> = (0..5)
        .map(|number| {
            let mut copy = hidden.clone();
            copy["databaseId"] = json!(9000 + number);
            copy["nameWithOwner"] = json!(format!("acme/hidden-{number}"));
            copy
        })
        .collect();
    page["nodes"] = json!(copies);
    for number in 0..5 {
        many["answers"][format!("GET /repos/acme/hidden-{number}/branches/main")] = json!({"status": 200, "body": {"name": "main", "protected": true}});
        many["answers"][format!("GET /repos/acme/hidden-{number}/branches/main/protection")] = json!({"status": 404, "body": {"message": "Not Found"}});
    }
    let asked = |evidence: &ReplayedEvidence| evidence.operation("repos/get-branch-protection").len();
    let evidence = collect(&Branch, world(many.clone())).await;
    assert_eq!(asked(&evidence), 3);
    let (resources, _) = assert_contract(&Branch, &evidence);
    for number in 0..5 {
        let gap = unknown(named(&resources, &format!("acme/hidden-{number}@main")), "required_approvals");
        assert!(!gap.cause.is_transient() && gap.to_string().contains("Administration: read"), "asked or not, it is not known: {gap}");
    }
    // One that is answered shows that the credential may read them.
    many["answers"]["GET /repos/acme/hidden-1/branches/main/protection"] = json!({"status": 404, "body": {"message": "Branch not protected"}});
    assert_eq!(asked(&collect(&Branch, world(many)).await), 5);
}

#[tokio::test]
async fn the_flag_alone_proves_a_classic_rule_only_where_no_ruleset_explains_it() {
    let mut only = fixture("github.branch", "normal");
    let page = &mut only["answers"]["graphql/repositories"]["body"]["data"]["organization"]["repositories"];
    let rules = &mut page["nodes"][1]["defaultBranchRef"]["rules"];
    assert_eq!(rules["totalCount"], 2);
    *rules = json!({"totalCount": 1, "nodes": [{"type": "BRANCH_NAME_PATTERN", "repositoryRuleset": {"databaseId": 71, "name": "names", "enforcement": "ACTIVE"}, "parameters": null}]});
    let (resources, _) = assert_contract(&Branch, &collect(&Branch, world(only.clone())).await);
    assert_eq!(unknown(named(&resources, "acme/closed@main"), "protected").cause, GapCause::Forbidden);

    only["answers"]["graphql/repositories"]["body"]["data"]["organization"]["repositories"]["nodes"][1]["defaultBranchRef"]["rules"] =
        json!({"totalCount": 0, "nodes": []});
    let (resources, _) = assert_contract(&Branch, &collect(&Branch, world(only)).await);
    let closed = named(&resources, "acme/closed@main");
    assert_eq!(known(closed, "protected"), true);
    assert!(matches!(closed.attributes["required_approvals"], Attribute::Unknown(_)));
}

#[tokio::test]
async fn who_administers_is_told_that_there_is_no_classic_rule() {
    let mut told = fixture("github.branch", "normal");
    told["answers"]["GET /repos/acme/closed/branches/main/protection"] = json!({"status": 404, "body": {"message": "Branch not protected"}});
    let (resources, _) = assert_contract(&Branch, &collect(&Branch, world(told)).await);
    let closed = named(&resources, "acme/closed@main");
    assert_eq!((known(closed, "required_approvals"), known(closed, "rule_sources")), (json!(0), json!(["ruleset:signed"])));
}

#[tokio::test]
async fn rest_shows_a_classic_rule_to_a_reader_of_administration() {
    let mut told = fixture("github.branch", "normal");
    let rule = json!({
        "required_pull_request_reviews": {"dismiss_stale_reviews": true, "require_code_owner_reviews": false, "required_approving_review_count": 2, "require_last_push_approval": false},
        "required_status_checks": {"strict": true, "contexts": ["ci"], "checks": [{"context": "ci", "app_id": -1}, {"context": "sast", "app_id": 7}]},
        "enforce_admins": {"enabled": true}, "required_linear_history": {"enabled": false}, "allow_force_pushes": {"enabled": true}, "allow_deletions": {"enabled": false},
        "required_conversation_resolution": {"enabled": false},
    });
    told["answers"]["GET /repos/acme/closed/branches/main/protection"] = json!({"status": 200, "body": rule});
    let (resources, _) = assert_contract(&Branch, &collect(&Branch, world(told.clone())).await);
    let closed = named(&resources, "acme/closed@main");
    assert_eq!(
        (known(closed, "required_approvals"), known(closed, "dismisses_stale_reviews"), known(closed, "allows_deletion")),
        (json!(2), json!(true), json!(false))
    );
    assert_eq!(known(closed, "allows_force_push"), false, "the ruleset forbids what the classic rule allows");
    assert_eq!(known(closed, "required_checks"), json!([{"context": "ci", "app": null}, {"context": "sast", "app": "7"}]));
    assert_eq!(known(closed, "rule_sources"), json!(["classic:main", "ruleset:signed"]));
    assert_eq!(unknown(closed, "bypass_actors").cause, GapCause::LeftOut);
    assert_eq!(unknown(closed, "has_merge_queue").cause, GapCause::LeftOut);
    // An older answer names checks but not their Apps, and no signatures.
    let required = &mut told["answers"]["GET /repos/acme/closed/branches/main/protection"]["body"]["required_status_checks"];
    required.as_object_mut().expect("an object").remove("checks");
    let (resources, _) = assert_contract(&Branch, &collect(&Branch, world(told)).await);
    assert_eq!(unknown(named(&resources, "acme/closed@main"), "required_checks").cause, GapCause::LeftOut);
}

#[tokio::test]
async fn rules_that_graphql_does_not_show_are_asked_of_rest() {
    let (resources, _) = run(&Branch, "partial").await;
    let api = named(&resources, "acme/api@main");
    assert_eq!(unknown(api, "required_approvals").cause, GapCause::Forbidden);
    assert!(matches!(api.attributes["protected"], Attribute::Unknown(_)));

    let mut told = fixture("github.branch", "partial");
    let rules = json!([
        {"type": "deletion", "ruleset_source_type": "Organization", "ruleset_source": "acme", "ruleset_id": 70},
        {"type": "pull_request", "ruleset_source_type": "Organization", "ruleset_source": "acme", "ruleset_id": 70, "parameters": {
            "required_approving_review_count": 3, "dismiss_stale_reviews_on_push": true, "require_code_owner_review": false,
            "require_last_push_approval": false, "required_review_thread_resolution": false}},
    ]);
    told["answers"]["GET /repos/acme/api/rules/branches/main?per_page=100"] = json!({"status": 200, "body": rules});
    let (resources, _) = assert_contract(&Branch, &collect(&Branch, world(told)).await);
    let api = named(&resources, "acme/api@main");
    assert_eq!((known(api, "required_approvals"), known(api, "protected"), known(api, "allows_deletion")), (json!(3), json!(true), json!(false)));
    assert_eq!(known(api, "rule_sources"), json!(["ruleset:70"]));
    assert!(unknown(api, "binds_admins").cure.is_some());
}

#[tokio::test]
async fn a_default_branch_that_is_hidden_is_a_gap_and_not_an_empty_repository() {
    let mut hidden = fixture("github.branch", "normal");
    let web = &mut hidden["answers"]["graphql/repositories after cGFnZQ=="]["body"]["data"]["organization"]["repositories"]["nodes"][2];
    web["defaultBranchRef"] = Value::Null;
    let (resources, population) = assert_contract(&Branch, &collect(&Branch, world(hidden)).await);
    assert_eq!(resources.len(), 4);
    assert!(population.gaps[0].detail.starts_with("acme/web has a default branch that is not shown"), "{:?}", population.gaps);
}
