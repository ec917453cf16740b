//! How rules add up: classic rules, rulesets, enforcement and bypass actors.

use proofline::collect::github::branch::Branch;
use proofline::model::{GapCause, Resource};
use serde_json::{Value, json};

use crate::github::{assert_contract, collect, fixture, known, named, unknown, world};

/// The branch of one repository whose `defaultBranchRef` and `rulesets` are as given.
pub(crate) async fn branch(classic: Value, rules: &[Value], rulesets: Value) -> Resource {
    let mut one = fixture("github.branch", "normal");
    let mut node = one["answers"]["graphql/repositories after cGFnZQ=="]["body"]["data"]["organization"]["repositories"]["nodes"][2].clone();
    node["defaultBranchRef"] = json!({"name": "main", "branchProtectionRule": classic, "rules": {"totalCount": rules.len(), "nodes": rules}});
    node["rulesets"] = rulesets;
    let page = &mut one["answers"]["graphql/repositories"]["body"]["data"]["organization"]["repositories"];
    page["nodes"] = json!([node]);
    page["pageInfo"] = json!({"hasNextPage": false, "endCursor": null});
    let evidence = collect(&Branch, world(one)).await;
    assert_contract(&Branch, &evidence).0.remove(0)
}

pub(crate) fn rule(kind: &str, ruleset: i64, enforcement: &str, parameters: Value) -> Value {
    json!({"type": kind, "repositoryRuleset": {"databaseId": ruleset, "name": format!("r{ruleset}"), "enforcement": enforcement}, "parameters": parameters})
}

pub(crate) fn pull_request(approvals: i64) -> Value {
    json!({"requiredApprovingReviewCount": approvals, "dismissStaleReviewsOnPush": false, "requireCodeOwnerReview": false,
        "requireLastPushApproval": false, "requiredReviewThreadResolution": false})
}

pub(crate) fn rulesets(bypass: &[(i64, Value)]) -> Value {
    let nodes: Vec<_> = bypass
        .iter()
        .map(|(id, actors)| json!({"databaseId": id, "bypassActors": {"totalCount": actors.as_array().map_or(0, Vec::len), "nodes": actors}}))
        .collect();
    json!({"totalCount": nodes.len(), "nodes": nodes})
}

pub(crate) fn actor(change: Value) -> Value {
    let mut actor =
        json!({"bypassMode": "ALWAYS", "organizationAdmin": false, "enterpriseOwner": false, "deployKey": false, "repositoryRoleName": null, "actor": null});
    actor.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
    actor
}

pub(crate) fn classic(change: Value) -> Value {
    let mut rule = json!({
        "pattern": "main", "isAdminEnforced": false, "requiresApprovingReviews": false, "requiredApprovingReviewCount": null, "dismissesStaleReviews": false,
        "requireLastPushApproval": false, "requiresCodeOwnerReviews": false, "requiresConversationResolution": false, "restrictsReviewDismissals": false,
        "requiresStatusChecks": false, "requiresStrictStatusChecks": true, "requiredStatusChecks": [], "requiresCommitSignatures": false, "requiresLinearHistory": false,
        "allowsForcePushes": false, "allowsDeletions": false, "restrictsPushes": false, "lockBranch": false,
        "bypassPullRequestAllowances": {"totalCount": 0, "nodes": []}, "bypassForcePushAllowances": {"totalCount": 0, "nodes": []},
    });
    rule.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
    rule
}

#[tokio::test]
async fn rulesets_that_are_only_evaluated_or_switched_off_protect_nothing() {
    for enforcement in ["EVALUATE", "DISABLED"] {
        let branch =
            branch(Value::Null, &[rule("PULL_REQUEST", 1, enforcement, pull_request(2)), rule("NON_FAST_FORWARD", 1, enforcement, Value::Null)], rulesets(&[]))
                .await;
        assert_eq!(
            (known(&branch, "protected"), known(&branch, "required_approvals"), known(&branch, "allows_force_push")),
            (json!(false), json!(0), json!(true)),
            "{enforcement}"
        );
        assert_eq!(known(&branch, "rule_sources"), json!([]));
    }
}

#[tokio::test]
async fn the_stricter_of_classic_rule_and_rulesets_wins() {
    let both = classic(json!({"requiresApprovingReviews": true, "requiredApprovingReviewCount": 1, "allowsForcePushes": true, "requiresStatusChecks": true,
        "requiresStrictStatusChecks": false, "requiredStatusChecks": [{"context": "ci", "app": null}]}));
    let checks = json!({"strictRequiredStatusChecksPolicy": true, "requiredStatusChecks": [{"context": "ci", "integrationId": 5}, {"context": "sast"}]});
    let rules = [
        rule("PULL_REQUEST", 1, "ACTIVE", pull_request(3)),
        rule("PULL_REQUEST", 2, "ACTIVE", pull_request(2)),
        rule("NON_FAST_FORWARD", 2, "ACTIVE", Value::Null),
        rule("REQUIRED_STATUS_CHECKS", 2, "ACTIVE", checks),
        rule("MERGE_QUEUE", 2, "ACTIVE", Value::Null),
        rule("UPDATE", 2, "ACTIVE", Value::Null),
    ];
    let branch = branch(both, &rules, rulesets(&[(1, json!([])), (2, json!([]))])).await;
    for (name, value) in [
        ("required_approvals", json!(3)),
        ("allows_force_push", json!(false)),
        ("allows_deletion", json!(false)),
        ("strict_checks", json!(true)),
        ("has_merge_queue", json!(true)),
        ("restricts_pushes", json!(true)),
        ("required_checks", json!([{"context": "ci", "app": "5"}, {"context": "sast", "app": null}])),
        ("rule_sources", json!(["classic:main", "ruleset:r1", "ruleset:r2"])),
    ] {
        assert_eq!(known(&branch, name), value, "{name}");
    }
}

#[tokio::test]
async fn a_classic_rule_counts_only_what_it_requires() {
    let branch = branch(classic(json!({"dismissesStaleReviews": true, "requiredApprovingReviewCount": null})), &[], rulesets(&[])).await;
    assert_eq!((known(&branch, "protected"), known(&branch, "required_approvals")), (json!(true), json!(0)));
    assert_eq!(known(&branch, "dismisses_stale_reviews"), false, "no reviews are required, so none is dismissed");
    assert_eq!(known(&branch, "strict_checks"), false, "no checks are required");
}

#[tokio::test]
async fn rules_that_police_names_only_do_not_protect() {
    let branch = branch(
        Value::Null,
        &[rule("BRANCH_NAME_PATTERN", 1, "ACTIVE", Value::Null), rule("COMMIT_MESSAGE_PATTERN", 1, "ACTIVE", Value::Null)],
        rulesets(&[(1, json!([]))]),
    )
    .await;
    assert_eq!((known(&branch, "protected"), known(&branch, "rule_sources")), (json!(false), json!(["ruleset:r1"])));
}

#[tokio::test]
async fn administrators_are_bound_where_what_binds_them_is_as_strict_as_all_together() {
    let owner = || json!([actor(json!({"organizationAdmin": true}))]);
    let role = || json!([actor(json!({"repositoryRoleName": "admin", "bypassMode": "PULL_REQUEST"}))]);
    let team = || json!([actor(json!({"actor": {"__typename": "Team", "slug": "release"}}))]);
    let reviews = |ruleset, approvals| rule("PULL_REQUEST", ruleset, "ACTIVE", pull_request(approvals));
    let lax = || classic(json!({"requiresApprovingReviews": true, "requiredApprovingReviewCount": 2}));
    let strict = || classic(json!({"isAdminEnforced": true, "requiresApprovingReviews": true, "requiredApprovingReviewCount": 2}));
    let cases = [
        ("a ruleset nobody bypasses", Value::Null, vec![reviews(1, 1)], vec![(1, json!([]))], json!(true), json!([])),
        ("owners bypass the only ruleset", Value::Null, vec![reviews(1, 1)], vec![(1, owner())], json!(false), json!(["role:organization-admin"])),
        ("administrators bypass it in pull requests", Value::Null, vec![reviews(1, 1)], vec![(1, role())], json!(false), json!(["role:admin"])),
        ("a team bypasses it", Value::Null, vec![reviews(1, 1)], vec![(1, team())], json!(true), json!(["team:release"])),
        ("a classic rule without administrators", lax(), vec![], vec![], json!(false), json!([])),
        ("a classic rule with administrators", strict(), vec![], vec![], json!(true), json!([])),
        ("a weaker ruleset does not mend the classic rule", lax(), vec![reviews(1, 1)], vec![(1, json!([]))], json!(false), json!([])),
        (
            "a bypassed ruleset that adds nothing does no harm",
            strict(),
            vec![reviews(1, 1)],
            vec![(1, owner())],
            json!(true),
            json!(["role:organization-admin"]),
        ),
        ("a bypassed ruleset that adds something does", strict(), vec![reviews(1, 3)], vec![(1, owner())], json!(false), json!(["role:organization-admin"])),
    ];
    for (what, classic, rules, bypass, binds, actors) in cases {
        let branch = branch(classic, &rules, rulesets(&bypass)).await;
        assert_eq!((known(&branch, "binds_admins"), known(&branch, "bypass_actors")), (binds, actors), "{what}");
    }
}

#[tokio::test]
async fn a_bypass_list_that_is_hidden_cut_or_unnamed_is_unknown() {
    let rules = [rule("PULL_REQUEST", 1, "ACTIVE", pull_request(1))];
    let hidden = json!({"totalCount": 1, "nodes": [{"databaseId": 1, "bypassActors": null}]});
    let cut = json!({"totalCount": 1, "nodes": [{"databaseId": 1, "bypassActors": {"totalCount": 9, "nodes": [actor(json!({"deployKey": true}))]}}]});
    let elsewhere = json!({"totalCount": 11, "nodes": [{"databaseId": 8, "bypassActors": {"totalCount": 0, "nodes": []}}]});
    let unnamed = rulesets(&[(1, json!([actor(json!({}))]))]);
    for (what, rulesets, cause) in [
        ("hidden", hidden, GapCause::LeftOut),
        ("cut", cut, GapCause::Incomplete),
        ("in a list that is cut", elsewhere, GapCause::Incomplete),
        ("unnamed", unnamed, GapCause::LeftOut),
        ("no rulesets shown", Value::Null, GapCause::LeftOut),
    ] {
        let branch = branch(Value::Null, &rules, rulesets).await;
        assert_eq!((unknown(&branch, "binds_admins").cause, unknown(&branch, "bypass_actors").cause), (cause, cause), "{what}");
        assert_eq!(known(&branch, "required_approvals"), 1, "{what}");
    }
}

#[tokio::test]
async fn an_overflowing_rule_list_is_never_shortened() {
    let mut one = fixture("github.branch", "normal");
    let api = &mut one["answers"]["graphql/repositories"]["body"]["data"]["organization"]["repositories"]["nodes"][0];
    api["defaultBranchRef"]["rules"]["totalCount"] = json!(60);
    let (resources, _) = assert_contract(&Branch, &collect(&Branch, world(one)).await);
    let api = named(&resources, "acme/api@main");
    assert_eq!(unknown(api, "required_approvals").detail, "only 4 of 60 defaultBranchRef.rules were read");
    assert_eq!(known(api, "allows_force_push"), false, "what a visible rule forbids stays forbidden");
}
