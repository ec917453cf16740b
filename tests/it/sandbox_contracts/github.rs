//! GitHub: pages reach everything, ETags change where data changed, and what is served is what is true.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::client::Asking;
use crate::sandbox::world::repositories::Repository;
use crate::sandbox::{Behaviour, Plan, Sandbox, Viewer, World};

fn start(plan: Plan) -> Sandbox {
    Sandbox::start(World::new(plan), Behaviour::default())
}

fn large() -> Plan {
    Plan { repositories: 230, members: 120, tasks: 60, changes_per_night: 20, not_admin_percent: 10, ..Plan::default() }
}

const REPOSITORIES: &str = "query($after: String) { rateLimit { cost nodeCount } organization(login: \"acme\") { repositories(first: 100, after: $after, orderBy: {field: NAME, direction: ASC}) {
    totalCount pageInfo { hasNextPage endCursor } nodes {
      nameWithOwner viewerCanAdminister isArchived isEmpty deleteBranchOnMerge deployKeys(first: 1) { totalCount }
      outside: collaborators(first: 1, affiliation: OUTSIDE) { totalCount }
      defaultBranchRef { name
        branchProtectionRule { requiresApprovingReviews requiredApprovingReviewCount allowsForcePushes }
        rules(first: 50) { nodes { type parameters { ... on PullRequestParameters { requiredApprovingReviewCount } } } } } } } } }";

async fn bulk(asking: &Asking<'_>) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), Value::Null);
    loop {
        let answer = asking.query(REPOSITORIES, &json!({ "after": after })).await;
        assert!(answer["errors"].is_null(), "{answer}");
        let page = &answer["data"]["organization"]["repositories"];
        assert_eq!(page["totalCount"], 230);
        all.extend(page["nodes"].as_array().unwrap().iter().cloned());
        if page["pageInfo"]["hasNextPage"] == false {
            return all;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

#[tokio::test]
async fn pages_reach_every_repository_and_member() {
    let sandbox = start(large());
    let asking = Asking::new(&sandbox);
    let expected: BTreeSet<String> = sandbox.world().repositories.iter().map(|repository| format!("acme/{}", repository.name)).collect();
    let rest = asking.all("/orgs/acme/repos?type=all&per_page=100").await;
    let by_rest: BTreeSet<String> = rest.iter().map(|repository| repository["full_name"].as_str().unwrap().to_owned()).collect();
    let graphql = bulk(&asking).await;
    let by_graphql: BTreeSet<String> = graphql.iter().map(|repository| repository["nameWithOwner"].as_str().unwrap().to_owned()).collect();
    assert_eq!((by_rest.len(), &by_rest), (230, &expected));
    assert_eq!(by_graphql, expected);
    assert_eq!(asking.all("/orgs/acme/members?per_page=50").await.len(), 120);
    let organization = asking.json("/orgs/acme").await;
    assert_eq!(organization["public_repos"].as_u64().unwrap() + organization["total_private_repos"].as_u64().unwrap(), 230);
    let paths: Vec<String> = sandbox.requests().into_iter().map(|entry| entry.path).collect();
    assert!(paths.iter().any(|path| path.starts_with("/organizations/9001/repos")), "Link goes by id");
    assert_eq!(sandbox.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn bulk_facts_are_the_truth_where_the_viewer_administers() {
    let sandbox = start(large());
    let truth = sandbox.world().truth();
    let mut compared = 0;
    for repository in bulk(&Asking::new(&sandbox)).await {
        let id = format!("github.com/{}", repository["nameWithOwner"].as_str().unwrap());
        let fact = |name: &str| truth.attribute("github.repository", &id, name).cloned().unwrap();
        assert_eq!((&repository["isArchived"], &repository["isEmpty"]), (&fact("archived"), &fact("empty")));
        let admin = repository["viewerCanAdminister"] == true;
        assert_eq!(truth.hidden.contains(&id), !admin);
        let branch = &repository["defaultBranchRef"];
        if branch.is_null() {
            assert_eq!(fact("empty"), true);
            continue;
        }
        if !admin {
            assert!(branch["branchProtectionRule"].is_null() && repository["outside"].is_null());
            continue;
        }
        let of_branch = |name: &str| truth.attribute("github.branch", &format!("{id}/tree/{}", branch["name"].as_str().unwrap()), name).cloned().unwrap();
        let classic = &branch["branchProtectionRule"];
        let rules = branch["rules"]["nodes"].as_array().unwrap();
        let approvals = rules.iter().map(|rule| &rule["parameters"]["requiredApprovingReviewCount"]).chain([&classic["requiredApprovingReviewCount"]]);
        assert_eq!(json!(approvals.filter_map(Value::as_u64).max().unwrap_or(0)), of_branch("required_approvals"), "{id}");
        let forbids = classic["allowsForcePushes"] == false || rules.iter().any(|rule| rule["type"] == "NON_FAST_FORWARD");
        assert_eq!(json!(!forbids), of_branch("allows_force_push"), "{id}");
        assert_eq!(json!(!classic.is_null() || !rules.is_empty()), of_branch("protected"), "{id}");
        assert_eq!(repository["outside"]["totalCount"], fact("outside_collaborator_count"));
        compared += 1;
    }
    assert!(compared > 150, "{compared}");
}

#[tokio::test]
async fn three_answers_tell_unprotected_from_hidden() {
    let sandbox = start(large());
    let (asking, world, truth) = (Asking::new(&sandbox), sandbox.world(), sandbox.world().truth());
    let mut seen = BTreeMap::new();
    for repository in world.repositories.iter().filter(|repository| repository.branch().is_some()).take(60) {
        let base = format!("/repos/acme/{}", repository.name);
        let name = &repository.default_branch;
        let protected = asking.json(&format!("{base}/branches/{name}")).await["protected"] == true;
        assert_eq!(json!(protected), truth.kinds["github.branch"][&format!("github.com/acme/{}/tree/{name}", repository.name)]["protected"]);
        let rules = asking.all(&format!("{base}/rules/branches/{name}?per_page=1")).await;
        let reply = asking.get(&format!("{base}/branches/{name}/protection")).await;
        let status = reply.status().as_u16();
        let message = reply.json::<Value>().await.unwrap()["message"].as_str().unwrap_or_default().to_owned();
        let expected = match (&repository.classic, repository.viewer_is_admin) {
            (_, false) => (404, "Not Found"),
            (Some(_), true) => (200, ""),
            (None, true) => (404, "Branch not protected"),
        };
        assert_eq!((status, message.as_str()), expected);
        *seen.entry((repository.viewer_is_admin, protected, rules.is_empty())).or_insert(0) += 1;
    }
    assert!(seen.len() >= 5, "{seen:?}");
}

#[tokio::test]
async fn second_factors_are_listed_for_owners_only() {
    let owned = start(Plan { night: 1, ..Plan::default() });
    let truth = owned.world().truth();
    let asking = Asking::new(&owned);
    let without = asking.all("/orgs/acme/members?filter=2fa_disabled").await.len();
    assert_eq!(without, truth.count("github.organization_member", |member| member["has_two_factor"] == false));
    assert!(without > 0);
    let owners = asking.all("/orgs/acme/members?role=admin").await.len();
    assert_eq!(json!(owners), truth.kinds["github.organization"]["github.com/orgs/acme"]["owner_count"]);

    let member = start(Plan { viewer: Viewer::Member, ..Plan::default() });
    let asking = Asking::new(&member);
    assert_eq!(asking.get("/orgs/acme/members?filter=2fa_disabled").await.status(), 422);
    assert_eq!(asking.get("/orgs/acme/actions/permissions/workflow").await.status(), 403);
    assert!(asking.json("/orgs/acme").await.get("two_factor_requirement_enabled").is_none());
    let query = "{ organization(login: \"acme\") { membersWithRole(first: 100) { edges { hasTwoFactorEnabled node { login } } } } }";
    let answer = asking.query(query, &json!({})).await;
    let edges = answer["data"]["organization"]["membersWithRole"]["edges"].as_array().unwrap().clone();
    assert!(edges.len() == 25 && edges.iter().all(|edge| edge["hasTwoFactorEnabled"].is_null()));
}

#[tokio::test]
async fn a_renamed_repository_is_redirected_and_an_unknown_one_is_not_there() {
    let sandbox = start(Plan::default());
    let world = sandbox.world();
    let renamed: &Repository = world.repositories.iter().find(|repository| repository.former_name.is_some()).unwrap();
    let old = renamed.former_name.as_deref().unwrap();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let reply = client.get(format!("{}/repos/acme/{old}", sandbox.github())).bearer_auth("sandbox-token").send().await.unwrap();
    assert_eq!(reply.status(), 301);
    assert_eq!(reply.headers()["location"].to_str().unwrap(), format!("{}/repositories/{}", sandbox.github(), renamed.id));
    let asking = Asking::new(&sandbox);
    assert_eq!(asking.json(&format!("/repositories/{}", renamed.id)).await["name"], renamed.name);
    assert_eq!(asking.get("/repos/acme/never-there").await.status(), 404);
    let answer = asking.query("{ repository(owner: \"acme\", name: \"never-there\") { name } }", &json!({})).await;
    assert_eq!((&answer["data"]["repository"], &answer["errors"][0]["type"]), (&Value::Null, &json!("NOT_FOUND")));
}

#[tokio::test]
async fn etags_change_where_data_changed_and_nowhere_else() {
    let sandbox = start(Plan { changes_per_night: 3, ..Plan::default() });
    let asking = Asking::new(&sandbox);
    let first = sandbox.world();
    let mut etags = BTreeMap::new();
    for repository in &first.repositories {
        let url = format!("{}/repos/acme/{}", sandbox.github(), repository.name);
        let etag = asking.url(&url).await.headers()["etag"].to_str().unwrap().to_owned();
        etags.insert(url, etag);
    }
    let same = |url: String, etag: String| {
        let asking = &asking;
        async move { (asking.try_url(&url, Some(&etag)).await.unwrap().status() == 304, url) }
    };
    for (url, etag) in &etags {
        assert!(same(url.clone(), etag.clone()).await.0, "{url}");
    }
    sandbox.serve_world(first.next_night());
    let second = sandbox.world();
    let shown = |repository: &Repository| {
        format!("{:?}", (repository.pushed, &repository.visibility, repository.secret_scanning, repository.push_protection, repository.delete_branch_on_merge))
    };
    let mut unchanged = 0;
    for (before, after) in first.repositories.iter().zip(&second.repositories) {
        let url = format!("{}/repos/acme/{}", sandbox.github(), before.name);
        let (not_modified, _) = same(url.clone(), etags[&url].clone()).await;
        assert_eq!(not_modified, shown(before) == shown(after), "{url}");
        unchanged += usize::from(not_modified);
    }
    assert!(unchanged > 30 && unchanged < 40, "{unchanged}");
}

#[tokio::test]
async fn search_finds_the_merged_changes_and_ends_at_a_thousand() {
    let sandbox = start(Plan { repositories: 30, changes_per_night: 90, history_nights: 12, ..Plan::default() });
    let world = sandbox.world();
    let asking = Asking::new(&sandbox);
    let query = "query($q: String!, $after: String) { search(query: $q, type: ISSUE, first: 100, after: $after) { issueCount pageInfo { hasNextPage endCursor } nodes { ... on PullRequest { url mergedAt baseRefName } } } }";
    let merged = world.repositories.iter().flat_map(|repository| &repository.pull_requests).filter(|change| change.merged.is_some()).count();
    assert!(merged > 1_000);
    let (mut found, mut after) = (0, Value::Null);
    loop {
        let answer = asking.query(query, &json!({ "q": "org:acme is:pr is:merged", "after": after })).await;
        let page = &answer["data"]["search"];
        assert_eq!(page["issueCount"], merged, "{answer}");
        found += page["nodes"].as_array().unwrap().len();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(found, 1_000);
    let day = world.now().date_naive();
    let narrow = asking.query(query, &json!({ "q": format!("org:acme is:pr merged:{day}..{day}") })).await;
    let of_day = world
        .repositories
        .iter()
        .flat_map(|repository| &repository.pull_requests)
        .filter_map(|change| change.merged.as_ref())
        .filter(|merge| merge.at.date_naive() == day)
        .count();
    assert_eq!(narrow["data"]["search"]["issueCount"], of_day);
}

#[tokio::test]
async fn limits_of_graphql_are_those_of_github() {
    let sandbox = start(Plan::default());
    let asking = Asking::new(&sandbox);
    let of = |inner: &str| format!("{{ rateLimit {{ cost nodeCount }} organization(login: \"acme\") {{ {inner} }} }}");
    for (inner, refusal) in [
        ("repositories(first: 101) { nodes { name } }", "EXCESSIVE_PAGINATION"),
        ("repositories { nodes { name } }", "MISSING_PAGINATION_BOUNDARIES"),
        ("repositories(first: 100) { nodes { pullRequests(first: 100) { nodes { reviews(first: 100) { nodes { state } } } } } }", "MAX_NODE_LIMIT_EXCEEDED"),
        ("repositories(first: 1, after: \"made up\") { nodes { name } }", "INVALID_CURSOR_ARGUMENTS"),
    ] {
        let answer = asking.query(&of(inner), &json!({})).await;
        assert_eq!((&answer["errors"][0]["type"], &answer["data"]), (&json!(refusal), &Value::Null), "{answer}");
    }
    // The example of the documentation: 100 repositories × 50 pull requests × 60 issues is 5,101 requests, 51 points.
    let inner = "repositories(first: 100) { nodes { pullRequests(first: 50) { nodes { closingIssuesReferences(first: 60) { nodes { number } } } } } }";
    let answer = asking.query(&of(inner), &json!({})).await;
    assert_eq!(answer["data"]["rateLimit"], json!({ "cost": 51, "nodeCount": 305_100 }), "{answer}");
}

#[tokio::test]
async fn nodes_are_found_by_id_and_null_where_there_is_none() {
    let sandbox = start(Plan::default());
    let ids = json!(["R_1000000", "made up", "I_1000001_1"]);
    let answer = Asking::new(&sandbox).query("query($ids: [ID!]!) { nodes(ids: $ids) { __typename ... on Issue { number } } }", &json!({ "ids": ids })).await;
    assert_eq!(answer["data"]["nodes"], json!([{ "__typename": "Repository" }, null, { "__typename": "Issue", "number": 1 }]), "{answer}");
    assert_eq!((&answer["errors"][0]["type"], &answer["errors"][0]["path"]), (&json!("NOT_FOUND"), &json!(["nodes", 1])));
}

#[test]
fn a_world_is_a_function_of_its_plan() {
    let plan = Plan { night: 3, ..large() };
    assert_eq!(format!("{:?}", World::new(plan.clone())), format!("{:?}", World::new(plan.clone())));
    assert_ne!(format!("{:?}", World::new(plan.clone())), format!("{:?}", World::new(Plan { seed: 2, ..plan })));
}

#[test]
fn a_later_night_only_adds_to_the_past() {
    let first = World::new(Plan { night: 2, ..large() }).truth();
    let later = World::new(Plan { night: 3, ..large() }).truth();
    let all = |kind: &str| later.kinds[kind].len();
    for (id, change) in first.of("github.pull_request") {
        assert_eq!(later.kinds["github.pull_request"].get(id), Some(change), "{id}");
    }
    assert!(all("github.pull_request") > first.kinds["github.pull_request"].len());
    assert_eq!(all("github.organization_member"), first.kinds["github.organization_member"].len() + 1);
    let changed = first.of("github.branch").filter(|(id, branch)| later.kinds["github.branch"].get(*id) != Some(*branch)).count();
    assert!(changed > 0 && changed < 20, "{changed}");
}

#[test]
fn the_awkward_cases_are_all_there() {
    let world = World::new(large());
    let truth = world.truth();
    let count = |condition: fn(&serde_json::Map<String, Value>) -> bool| truth.count("github.pull_request", condition);
    let at_head =
        |change: &serde_json::Map<String, Value>| change["approvals"].as_array().unwrap().iter().any(|approval| approval["commit"] == change["head_oid"]);
    assert!(count(|change| change["independent_approvals"] == 0 && !change["approvals"].as_array().unwrap().is_empty()) > 5);
    assert!(count(|change| change["independent_approvals"].as_u64() >= Some(2)) > 2);
    assert!(truth.count("github.pull_request", |change| !change["approvals"].as_array().unwrap().is_empty() && !at_head(change)) > 2);
    assert!(count(|change| change["claims_no_review"] == true) > 1 && count(|change| change["author"].is_null()) > 1);
    assert!(count(|change| change["author_type"] == "Bot") > 1 && count(|change| change["test_plan_length"] == 0) > 1);
    let tasks = |condition: fn(&serde_json::Map<String, Value>) -> bool| truth.count("github.issue", condition);
    assert!(tasks(|task| task["state"] == "CLOSED" && task["open_boxes"] == 2) > 1 && tasks(|task| task["edits_after_close"] == 1) > 1);
    assert!(tasks(|task| !task["reopened_at"].is_null()) > 1 && tasks(|task| task["state_reason"] == "NOT_PLANNED") > 1);
    assert!(tasks(|task| !task["closing_pull_requests"].as_array().unwrap().is_empty()) > 1);
    assert!(world.repositories.iter().any(|repository| repository.empty) && world.repositories.iter().any(|repository| repository.archived));
    assert!(truth.count("github.branch", |branch| branch["protected"] == true && branch["binds_admins"] == false) > 5);
    assert!(truth.count("github.branch", |branch| branch["bypass_actors"] != json!([])) > 5);
}
