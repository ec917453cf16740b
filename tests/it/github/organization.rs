//! Organisations and their members.

use std::collections::BTreeMap;

use proofline::collect::github::organization::Organization;
use proofline::collect::github::organization_member::OrganizationMember;
use proofline::model::{Completeness, GapCause};
use serde_json::json;

use crate::github::{all_unknown_but, assert_contract, collect, fixture, known, named, run, unknown, world};

#[tokio::test]
async fn an_organisation_is_read_from_eleven_answers() {
    let (resources, population) = run(&Organization, "normal").await;
    let acme = named(&resources, "acme");
    assert_eq!(acme.id.as_str(), "github.com/orgs/acme");
    assert_eq!(population.completeness(), Completeness::Enumerated);
    let attributes: BTreeMap<_, _> = acme.attributes.keys().map(|name| (name.as_str(), known(acme, name))).collect();
    let expected = json!({
        "login": "acme", "two_factor_required": true, "default_repository_permission": "read", "members_can_create_public_repositories": false,
        "members_can_delete_repositories": false, "members_can_change_repository_visibility": false, "members_can_fork_private_repositories": false,
        "owner_count": 2, "default_workflow_permissions": "read", "actions_can_approve_pull_requests": false, "allowed_actions": "selected",
        "allowed_action_patterns": ["acme/*", "docker/login-action@*"],
        "verified": true, "created_at": "2019-04-01T09:30:00Z", "members_can_create_teams": false, "members_can_invite_outside_collaborators": true,
        "members_can_delete_issues": false, "sha_pinning_required": true, "fork_approval_policy": "all_external_contributors", "workflow_log_days": 90,
        "ip_allow_list": false, "notifications_restricted": true, "verified_domain_count": 1, "has_saml": true,
        "actions_enabled_for": "all", "immutable_releases_for": "all", "default_configuration_public": "open", "default_configuration_private": "baseline",
    });
    assert_eq!(json!(attributes), expected);
}

#[tokio::test]
async fn an_organisation_that_refuses_stays_in_the_population_with_nothing_known() {
    for case in ["forbidden", "not_found"] {
        let (resources, _) = run(&Organization, case).await;
        all_unknown_but(&resources[0], &[]);
        let gap = unknown(&resources[0], "two_factor_required");
        assert_eq!(gap.cause, GapCause::Forbidden);
        assert!(gap.cure.expect("a cure").contains("Administration: read"));
    }
}

#[tokio::test]
async fn a_setting_that_is_null_or_left_out_is_not_off() {
    let (resources, _) = run(&Organization, "partial").await;
    all_unknown_but(&resources[0], &["login", "created_at", "owner_count"]);
    assert_eq!(unknown(&resources[0], "two_factor_required").cause, GapCause::LeftOut);
    assert_eq!(unknown(&resources[0], "allowed_actions").cause, GapCause::Forbidden);
    let (resources, _) = run(&Organization, "malformed").await;
    assert_eq!(unknown(&resources[0], "two_factor_required").cause, GapCause::Malformed);
    assert_eq!(known(&resources[0], "allowed_actions"), "none", "Actions are off");
    assert_eq!(known(&resources[0], "allowed_action_patterns"), json!(null), "none were chosen");
    let (resources, _) = run(&Organization, "truncated").await;
    assert_eq!(unknown(&resources[0], "owner_count").cause, GapCause::Forbidden, "the second page of members answered 404");
    let (resources, _) = run(&Organization, "empty").await;
    assert_eq!(unknown(&resources[0], "owner_count").cause, GapCause::LeftOut, "no organisation is without an owner");
}

#[tokio::test]
async fn a_default_is_none_only_where_the_list_of_defaults_could_be_read() {
    let read = |body: serde_json::Value| async move {
        let mut told = fixture("github.organization", "normal");
        told["answers"]["GET /orgs/acme/code-security/configurations/defaults"]["body"] = body;
        assert_contract(&Organization, &collect(&Organization, world(told)).await).0
    };
    for (body, public, private) in [
        (json!([]), json!(null), json!(null)),
        (json!([{"default_for_new_repos": "all", "configuration": {"name": "baseline"}}]), json!("baseline"), json!("baseline")),
        (json!([{"default_for_new_repos": "public", "configuration": {"name": "open"}}]), json!("open"), json!(null)),
    ] {
        let resources = read(body).await;
        assert_eq!((known(&resources[0], "default_configuration_public"), known(&resources[0], "default_configuration_private")), (public, private));
    }
    for body in [json!({}), json!([{"configuration": {"name": "baseline"}}]), json!([{"default_for_new_repos": "all"}])] {
        let resources = read(body).await;
        unknown(&resources[0], "default_configuration_public");
        unknown(&resources[0], "default_configuration_private");
    }
}

#[tokio::test]
async fn the_list_of_chosen_actions_is_none_only_where_no_list_decides() {
    const LIST: &str = "GET /orgs/acme/actions/permissions/selected-actions";
    let read = |allowed: &'static str, list: serde_json::Value| async move {
        let mut told = fixture("github.organization", "normal");
        told["answers"]["GET /orgs/acme/actions/permissions"]["body"]["allowed_actions"] = allowed.into();
        told["answers"][LIST] = list;
        assert_contract(&Organization, &collect(&Organization, world(told)).await).0
    };
    let list = |body: serde_json::Value| json!({ "status": 200, "body": body });
    assert_eq!(known(&read("all", list(json!({ "patterns_allowed": ["acme/*"] }))).await[0], "allowed_action_patterns"), json!(null));
    assert_eq!(known(&read("selected", list(json!({ "patterns_allowed": [] }))).await[0], "allowed_action_patterns"), json!([]));
    let refused = |status: u16| json!({ "status": status, "body": { "message": "Must have admin rights" } });
    for (told, cause) in [
        (refused(403), GapCause::Forbidden),
        (refused(404), GapCause::Forbidden),
        (list(json!({ "verified_allowed": false })), GapCause::LeftOut),
        (list(json!({ "patterns_allowed": "acme/*" })), GapCause::Malformed),
        (list(json!({ "patterns_allowed": ["acme/*", 7] })), GapCause::Malformed),
    ] {
        assert_eq!(unknown(&read("selected", told.clone()).await[0], "allowed_action_patterns").cause, cause, "{told}");
    }
}

#[tokio::test]
async fn a_rate_limit_without_a_header_is_no_missing_permission() {
    let limited =
        json!({"answers": {}, "default": {"status": 403, "body": {"message": "You have exceeded a secondary rate limit. Please wait a few minutes"}}});
    let (resources, _) = assert_contract(&Organization, &collect(&Organization, world(limited)).await);
    let gap = unknown(&resources[0], "two_factor_required");
    assert_eq!((gap.cause, gap.cure), (GapCause::Unanswered, None));
}

#[tokio::test]
async fn a_provider_that_is_null_is_none_only_for_who_may_see_it() {
    for (administers, expected) in [(json!(true), Some(json!(false))), (json!(false), None), (json!(null), None)] {
        let mut odd = fixture("github.organization", "normal");
        let organization = &mut odd["answers"]["graphql/organization_security"]["body"]["data"]["organization"];
        organization["samlIdentityProvider"] = json!(null);
        organization["viewerCanAdminister"] = administers;
        let (resources, _) = assert_contract(&Organization, &collect(&Organization, world(odd)).await);
        match expected {
            Some(expected) => assert_eq!(known(&resources[0], "has_saml"), expected),
            None => assert_eq!(unknown(&resources[0], "has_saml").cause, GapCause::LeftOut),
        }
    }
}

#[tokio::test]
async fn owners_are_counted_twice() {
    let mut odd = fixture("github.organization", "normal");
    odd["answers"]["GET /orgs/acme/members?role=admin&per_page=100"]["body"] = json!([{"login": "ada", "id": 1}]);
    let (resources, _) = assert_contract(&Organization, &collect(&Organization, world(odd)).await);
    let gap = unknown(&resources[0], "owner_count");
    assert_eq!(gap.cause, GapCause::Incomplete);
    assert!(gap.detail.contains("grace"), "{gap}");
}

#[tokio::test]
async fn members_are_read_to_the_last_page_and_reconciled() {
    let (resources, population) = run(&OrganizationMember, "normal").await;
    assert_eq!(population.completeness(), Completeness::Reconciled);
    let facts: Vec<_> = resources.iter().map(|member| (member.name.as_str(), known(member, "role"), known(member, "has_two_factor"))).collect();
    assert_eq!(facts, [("ada", json!("ADMIN"), json!(true)), ("grace", json!("ADMIN"), json!(true)), ("linus", json!("MEMBER"), json!(false))]);
    assert_eq!(resources[2].id.as_str(), "github.com/orgs/acme/people/linus");
    assert_eq!(resources[2].evidence.len(), 6, "two listings of GraphQL and two of REST say so, with the query that tells of a provider");
    let beside: Vec<_> = resources.iter().map(|member| (known(member, "insecure_second_factor"), known(member, "sso_identity"))).collect();
    assert_eq!(beside, [(json!(false), json!("guid-of-ada")), (json!(true), json!("guid-of-grace")), (json!(false), json!(null))]);
}

#[tokio::test]
async fn a_second_factor_that_is_hidden_is_unknown_unless_rest_tells() {
    let (resources, population) = run(&OrganizationMember, "partial").await;
    let gap = unknown(named(&resources, "ada"), "has_two_factor");
    assert_eq!((gap.cause, gap.cure.is_some()), (GapCause::LeftOut, true));
    assert_eq!(unknown(named(&resources, "linus"), "role").detail, "role: Resource not accessible by integration");
    assert!(population.gaps.is_empty(), "everybody is enumerated");
    let mut told = fixture("github.organization_member", "partial");
    told["answers"]["GET /orgs/acme/members?filter=2fa_disabled&per_page=100"] = json!({"status": 200, "body": [{"login": "linus", "id": 3}]});
    let (resources, _) = assert_contract(&OrganizationMember, &collect(&OrganizationMember, world(told)).await);
    assert_eq!(known(named(&resources, "ada"), "has_two_factor"), true);
    assert_eq!(known(named(&resources, "linus"), "has_two_factor"), false);
}

/// What is done to an answer.
type Change<'c> = &'c dyn Fn(&mut serde_json::Value);

/// Who is not listed has no identity only where the list was read to its end, and no insecure factor only where there was such a list.
#[tokio::test]
async fn an_identity_that_is_not_listed_is_unknown_unless_the_list_is_whole() {
    let (resources, _) = run(&OrganizationMember, "partial").await;
    assert_eq!(unknown(named(&resources, "ada"), "sso_identity").cause, GapCause::Forbidden);
    assert_eq!(unknown(named(&resources, "ada"), "insecure_second_factor").cause, GapCause::Forbidden);
    let normal = fixture("github.organization_member", "normal");
    let security = "graphql/organization_security";
    let second = "graphql/organization_identities after aWRlbnRpdHk=";
    let cases: [(&str, &str, Change<'_>, Option<GapCause>); 7] = [
        ("none, says an owner", security, &|answer| answer["body"]["data"]["organization"]["samlIdentityProvider"] = json!(null), None),
        (
            "hidden",
            security,
            &|answer| {
                answer["body"]["data"]["organization"]["samlIdentityProvider"] = json!(null);
                answer["body"]["data"]["organization"]["viewerCanAdminister"] = json!(false);
            },
            Some(GapCause::LeftOut),
        ),
        ("cut", second, &|answer| *answer = json!({ "status": 502, "body": {} }), Some(GapCause::Unanswered)),
        (
            "misshapen",
            second,
            &|answer| answer["body"]["data"]["organization"]["samlIdentityProvider"]["externalIdentities"]["nodes"] = json!(7),
            Some(GapCause::Malformed),
        ),
        (
            "a hidden identity",
            second,
            &|answer| answer["body"]["data"]["organization"]["samlIdentityProvider"]["externalIdentities"]["nodes"] = json!([null]),
            Some(GapCause::LeftOut),
        ),
        (
            "fewer than GitHub counts",
            second,
            &|answer| answer["body"]["data"]["organization"]["samlIdentityProvider"]["externalIdentities"]["totalCount"] = json!(4),
            Some(GapCause::Incomplete),
        ),
        ("whole", second, &|_answer| {}, None),
    ];
    for (case, operation, change, cause) in cases {
        let mut odd = normal.clone();
        change(&mut odd["answers"][operation]);
        let (resources, population) = assert_contract(&OrganizationMember, &collect(&OrganizationMember, world(odd)).await);
        assert!(population.gaps.is_empty(), "{case}: everybody is enumerated");
        match cause {
            None => assert_eq!(known(named(&resources, "linus"), "sso_identity"), json!(null), "{case}"),
            Some(cause) => assert_eq!(unknown(named(&resources, "linus"), "sso_identity").cause, cause, "{case}"),
        }
        if operation == second {
            assert_eq!(known(named(&resources, "ada"), "sso_identity"), "guid-of-ada", "{case}: what was read stays true");
        }
    }
}

#[tokio::test]
async fn a_member_on_two_pages_is_one_member_and_the_missing_one_is_noticed() {
    let mut shifted = fixture("github.organization_member", "normal");
    let second = &mut shifted["answers"]["graphql/organization_members after bWVtYmVy"]["body"]["data"]["organization"]["membersWithRole"];
    second["edges"] = json!([{"role": "ADMIN", "hasTwoFactorEnabled": true, "node": {"databaseId": 2, "login": "grace"}}]);
    let (resources, population) = assert_contract(&OrganizationMember, &collect(&OrganizationMember, world(shifted)).await);
    assert_eq!((resources.len(), population.tallies[0].second_count), (2, Some(3)));
    assert!(!population.completeness().is_complete());
}

#[tokio::test]
async fn two_lists_that_contradict_each_other_decide_nothing() {
    let mut odd = fixture("github.organization_member", "normal");
    odd["answers"]["GET /orgs/acme/members?filter=2fa_disabled&per_page=100"]["body"] = json!([{"login": "ada", "id": 1}, {"login": "eve", "id": 9}]);
    let (resources, population) = assert_contract(&OrganizationMember, &collect(&OrganizationMember, world(odd)).await);
    assert_eq!(unknown(named(&resources, "ada"), "has_two_factor").cause, GapCause::Incomplete);
    assert_eq!(unknown(named(&resources, "linus"), "has_two_factor").cause, GapCause::Incomplete);
    assert!(population.gaps.iter().any(|gap| gap.detail.contains("eve")), "{:?}", population.gaps);
}

#[tokio::test]
async fn a_cut_member_list_is_incomplete_and_keeps_what_was_read() {
    let (resources, population) = run(&OrganizationMember, "truncated").await;
    assert_eq!(resources.len(), 2);
    assert_eq!(population.gaps.first().expect("a gap").cause, GapCause::Unanswered);
}
