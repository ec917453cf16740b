//! What holds for any rules and any answers.

use proofline::collect::Collector;
use proofline::collect::github::branch::Branch;
use proofline::collect::github::organization::Organization;
use proofline::collect::github::organization_member::OrganizationMember;
use proofline::collect::github::repository::Repository;
use proofline::model::Resource;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_assert, prop_oneof, proptest};
use serde_json::{Value, json};

use crate::github::rules::{branch, classic, rule, rulesets};
use crate::github::{assert_contract, collect, known, world};

/// The strength of each attribute, so that larger is stricter.
fn strength(branch: &Resource) -> Vec<i64> {
    let number = |name: &str| known(branch, name).as_i64().expect("a number");
    let flag = |name: &str| i64::from(known(branch, name).as_bool().expect("true or false"));
    let checks = i64::try_from(known(branch, "required_checks").as_array().expect("a list").len()).expect("a count");
    let mut all = vec![number("required_approvals"), checks, -flag("allows_force_push"), -flag("allows_deletion")];
    for name in [
        "protected",
        "dismisses_stale_reviews",
        "requires_last_push_approval",
        "requires_code_owner_review",
        "requires_conversation_resolution",
        "restricts_review_dismissals",
        "strict_checks",
        "requires_signatures",
        "requires_linear_history",
        "has_merge_queue",
        "restricts_pushes",
    ] {
        all.push(flag(name));
    }
    all
}

fn any_rule() -> impl Strategy<Value = Value> {
    let kind = prop_oneof![
        Just("NON_FAST_FORWARD"),
        Just("DELETION"),
        Just("UPDATE"),
        Just("MERGE_QUEUE"),
        Just("REQUIRED_SIGNATURES"),
        Just("REQUIRED_LINEAR_HISTORY"),
        Just("BRANCH_NAME_PATTERN"),
        Just("WORKFLOWS"),
    ]
    .prop_map(|kind| (kind, Value::Null));
    let reviews = (0..4_i64, any::<[bool; 4]>()).prop_map(|(approvals, [stale, owner, push, threads])| {
        let parameters = json!({"requiredApprovingReviewCount": approvals, "dismissStaleReviewsOnPush": stale, "requireCodeOwnerReview": owner,
            "requireLastPushApproval": push, "requiredReviewThreadResolution": threads});
        ("PULL_REQUEST", parameters)
    });
    let checks = (any::<bool>(), prop::collection::vec((0..3_u8, prop::option::of(0..3_i64)), 0..3)).prop_map(|(strict, checks)| {
        let checks: Vec<_> = checks.into_iter().map(|(name, app)| json!({"context": format!("c{name}"), "integrationId": app})).collect();
        ("REQUIRED_STATUS_CHECKS", json!({"strictRequiredStatusChecksPolicy": strict, "requiredStatusChecks": checks}))
    });
    (prop_oneof![kind, reviews, checks], 1..4_i64, prop_oneof![Just("ACTIVE"), Just("EVALUATE")])
        .prop_map(|((kind, parameters), ruleset, enforcement)| rule(kind, ruleset, enforcement, parameters))
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf =
        prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), any::<i64>().prop_map(Value::from), "[a-z/\\u{0}é]{0,6}".prop_map(Value::from)];
    let keys = prop_oneof![
        Just("data"),
        Just("organization"),
        Just("repositories"),
        Just("membersWithRole"),
        Just("nodes"),
        Just("edges"),
        Just("node"),
        Just("errors"),
        Just("path"),
        Just("defaultBranchRef"),
        Just("name"),
        Just("nameWithOwner"),
        Just("databaseId"),
        Just("rules"),
        Just("totalCount"),
        Just("branchProtectionRule"),
        Just("id"),
        Just("login"),
    ];
    leaf.prop_recursive(8, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(keys.clone().prop_map(ToOwned::to_owned), inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Adding an active rule never makes a branch weaker in any point.
    #[test]
    fn a_further_rule_never_weakens(rules in prop::collection::vec(any_rule(), 0..5), mut further in any_rule(), with_classic in any::<bool>()) {
        further["repositoryRuleset"]["enforcement"] = json!("ACTIVE");
        let classic = if with_classic { classic(json!({"requiresApprovingReviews": true, "requiredApprovingReviewCount": 1})) } else { Value::Null };
        let lists = rulesets(&[(1, json!([])), (2, json!([])), (3, json!([]))]);
        let before = strength(&block_on(branch(classic.clone(), &rules, lists.clone())));
        let after = strength(&block_on(branch(classic, &[rules, vec![further]].concat(), lists)));
        prop_assert!(before.iter().zip(&after).all(|(before, after)| before <= after), "{before:?} {after:?}");
    }

    /// No answer, however odd, stops a collector or breaks its promise.
    #[test]
    fn any_answer_is_survived(body in any_json(), nodes in prop::collection::vec(any_json(), 0..3)) {
        let page = json!({"totalCount": 2, "pageInfo": {"hasNextPage": false}, "nodes": nodes, "edges": nodes});
        let graphql = json!({"data": {"organization": {"repositories": page, "membersWithRole": page}}, "errors": body});
        for answer in [json!(nodes), graphql, body] {
            let everything = json!({"answers": {}, "default": {"status": 200, "body": answer}});
            let collectors: [&dyn Collector; 4] = [&Organization, &OrganizationMember, &Repository, &Branch];
            for collector in collectors {
                let evidence = block_on(collect(collector, world(everything.clone())));
                assert_contract(collector, &evidence);
            }
        }
    }
}
