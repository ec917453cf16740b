//! Every recorded answer of the endpoints that the organisation kinds use, read by the code that reads the live ones.
//!
//! The recordings are other people's and stay out of this repository: `PROOFLINE_RECORDINGS` names the directory that holds `github.jsonl.gz`, one
//! exchange a line (`path`, `status`, `headers`, `body`). Without it the test says so and passes. What the recordings taught is in `tests/fixtures`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use proofline::collect::Collector;
use proofline::collect::github::branch::Branch;
use proofline::collect::github::organization::Organization;
use proofline::collect::github::organization_member::OrganizationMember;
use proofline::collect::github::repository::Repository;
use proofline::collect::registry::COLLECTORS;
use proofline::model::{Attribute, GapCause, Population, Resource};
use serde_json::{Value, json};

use crate::github::{World, assert_contract, collect, fixture, has_type, known, scope, world};

#[expect(clippy::disallowed_methods, reason = "the recordings are found through the environment, since they are not part of the repository")]
fn recordings() -> Option<Vec<Value>> {
    let directory = PathBuf::from(std::env::var_os("PROOFLINE_RECORDINGS")?);
    let file = std::fs::File::open(directory.join("github.jsonl.gz")).expect("the recordings");
    let lines = BufReader::new(flate2::read::GzDecoder::new(file)).lines();
    Some(lines.map(|line| serde_json::from_str(&line.expect("text")).expect("JSON")).collect())
}

/// Which of the endpoints a recorded path is; none for the many that other kinds use.
fn endpoint(path: &str) -> Option<&'static str> {
    let path = path.split('?').next().unwrap_or_default();
    let steps: Vec<_> = path.trim_matches('/').split('/').collect();
    match steps.as_slice() {
        ["orgs", _] => Some("orgs/get"),
        ["orgs", _, "members"] => Some("orgs/list-members"),
        ["repos", _, _] | ["repositories", _] => Some("repos/get"),
        ["installation" | "search", "repositories"] => Some("lists of repositories"),
        ["repos", _, _, "branches", .., "protection"] => Some("repos/get-branch-protection"),
        ["repos", _, _, "branches", .., "required_signatures"] => None,
        ["repos", _, _, "branches", _, ..] => Some("repos/get-branch"),
        ["repos", _, _, "rules", "branches", ..] => Some("repos/get-branch-rules"),
        _ => None,
    }
}

fn answer(exchange: &Value, body: &Value) -> Value {
    // Links lead to pages that were not recorded for this request.
    let headers: BTreeMap<String, &Value> = exchange["headers"].as_object().into_iter().flatten().map(|(name, value)| (name.to_lowercase(), value)).collect();
    let headers: BTreeMap<_, _> = headers.into_iter().filter(|(name, value)| name != "link" && value.is_string()).collect();
    json!({"status": exchange["status"], "headers": headers, "body": body})
}

async fn organization(exchange: &Value, status: i64) {
    let mut acme = fixture("github.organization", "normal");
    acme["answers"]["GET /orgs/acme"] = answer(exchange, &exchange["body"]);
    let (resources, _) = assert_contract(&Organization, &collect(&Organization, world(acme)).await);
    assert_eq!(resources.len(), 1, "{}", exchange["path"]);
    let told = if status == 200 { &exchange["body"] } else { &Value::Null };
    honest(&resources[0], told, &SETTINGS);
}

async fn repositories(list: &Value, exchange: &Value) -> (Vec<Resource>, Population) {
    let acme = json!({"default": {"status": 404, "body": {"message": "Not Found"}}, "answers": {"GET /orgs/acme/repos?type=all&per_page=100": answer(exchange, list)}});
    assert_contract(&Repository, &collect(&Repository, world(acme)).await)
}

/// The branch of a repository that the viewer does not administer, where REST answers as recorded.
async fn branch(name: &str, answers: &[(&str, Value)]) -> Resource {
    let mut acme = fixture("github.branch", "normal");
    for node in acme["answers"]["graphql/repositories"]["body"]["data"]["organization"]["repositories"]["nodes"].as_array_mut().expect("a list") {
        if node["nameWithOwner"] == "acme/closed" {
            node["defaultBranchRef"]["name"] = json!(name);
            node["defaultBranchRef"]["rules"] =
                if answers.iter().any(|(target, _)| target.starts_with("rules/")) { Value::Null } else { json!({"totalCount": 0, "nodes": []}) };
        }
    }
    for (target, answer) in answers {
        acme["answers"][format!("GET /repos/acme/closed/{target}")] = answer.clone();
    }
    let (resources, _) = assert_contract(&Branch, &collect(&Branch, world(acme)).await);
    resources.into_iter().find(|resource| resource.name == format!("acme/closed@{name}")).expect("the branch stays in the population")
}

/// Each attribute that comes from `field` is known where the recording has a value of the right type, and unknown where it has none.
fn honest(resource: &Resource, body: &Value, fields: &[(&str, &str)]) {
    for (attribute, field) in fields {
        let told = body.pointer(field).is_some_and(|value| !value.is_null());
        let is_known = matches!(resource.attributes[*attribute], Attribute::Known(_));
        assert_eq!(is_known, told, "{attribute} of {} against {field}: {:?}", resource.id, resource.attributes[*attribute]);
    }
}

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const SETTINGS: [(&str, &str); 7] = [
    ("two_factor_required", "/two_factor_requirement_enabled"),
    ("default_repository_permission", "/default_repository_permission"),
    ("members_can_create_public_repositories", "/members_can_create_public_repositories"),
    ("members_can_delete_repositories", "/members_can_delete_repositories"),
    ("members_can_fork_private_repositories", "/members_can_fork_private_repositories"),
    ("verified", "/is_verified"),
    ("created_at", "/created_at"),
];

const FACTS: [(&str, &str); 7] = [
    ("secret_scanning", "/security_and_analysis/secret_scanning/status"),
    ("push_protection", "/security_and_analysis/secret_scanning_push_protection/status"),
    ("dependabot_security_updates", "/security_and_analysis/dependabot_security_updates/status"),
    ("delete_branch_on_merge", "/delete_branch_on_merge"),
    ("archived", "/archived"),
    ("template", "/is_template"),
    ("web_commit_signoff_required", "/web_commit_signoff_required"),
];

#[tokio::test]
async fn every_recorded_answer_is_read_without_loss() {
    let Some(recordings) = recordings() else {
        println!("not run: PROOFLINE_RECORDINGS names no directory with github.jsonl.gz");
        return;
    };
    let mut read: BTreeMap<(&str, i64), u32> = BTreeMap::new();
    let mut objects = BTreeMap::new();
    for exchange in &recordings {
        let (Some(endpoint), Some(status)) = (exchange["path"].as_str().and_then(endpoint), exchange["status"].as_i64()) else { continue };
        // A 304 has no body of its own; the store gives the earlier one.
        if status == 304 {
            continue;
        }
        *read.entry((endpoint, status)).or_default() += 1;
        match endpoint {
            "orgs/get" => organization(exchange, status).await,
            "orgs/list-members" => members(exchange).await,
            "repos/get-branch" | "repos/get-branch-protection" | "repos/get-branch-rules" => protection(endpoint, exchange).await,
            _ => one_by_one(exchange, status, &mut objects).await,
        }
    }
    let list = Value::Array(objects.values().cloned().collect());
    let (resources, population) = repositories(&list, &json!({"status": 200, "headers": {}})).await;
    let names: BTreeSet<_> = objects.values().map(|object| object["full_name"].as_str()).collect();
    assert_eq!(resources.len(), names.len(), "every repository of the recordings, in one list");
    assert_eq!(population.gaps.iter().filter(|gap| gap.detail.contains("two repositories are called")).count(), objects.len() - names.len());
    for ((endpoint, status), count) in &read {
        println!("{endpoint} {status}: {count}");
    }
    println!("distinct repositories: {}", objects.len());
    assert!(read.len() >= 10, "the recordings hold every endpoint: {read:?}");
}

/// Whatever GitHub ever answered to anything, no kind falls over it or tells what is not of the declared type: each answer stands for each REST answer of each
/// kind, its own endpoints' among them, and for the GraphQL answers beyond the list of repositories.
#[tokio::test]
async fn every_kind_withstands_every_recorded_answer() {
    let Some(recordings) = recordings() else {
        println!("not run: PROOFLINE_RECORDINGS names no directory with github.jsonl.gz");
        return;
    };
    let mut distinct: BTreeMap<(String, String), &Value> = BTreeMap::new();
    for exchange in recordings.iter().filter(|exchange| exchange["status"] != 304) {
        distinct.entry((exchange["status"].to_string(), exchange["body"].to_string())).or_insert(exchange);
    }
    let listed = fixture("github.repository", "normal");
    println!("{} recorded exchanges, {} different answers", recordings.len(), distinct.len());
    for collector in COLLECTORS.iter().filter(|collector| collector.kind().name.starts_with("github.")) {
        let (mut own, mut resources, mut gaps) = (0, 0, 0);
        for exchange in distinct.values() {
            let read = withstand(*collector, exchange, &listed).await;
            (own, resources, gaps) = (own + u32::from(read.0), resources + read.1, gaps + read.2);
        }
        println!("{}: {own} answers of its own endpoints, {resources} resources, {gaps} gaps", collector.kind().name);
    }
}

/// Whether the answer is of an endpoint that the kind asks, and how many resources and gaps it made of it.
async fn withstand(collector: &dyn Collector, exchange: &Value, listed: &Value) -> (bool, usize, usize) {
    let answers = Answers::of(exchange, listed);
    let asked = Arc::clone(&answers.asked);
    let evidence = collect(collector, answers.world()).await;
    let mut resources = Vec::new();
    let population = collector.extract(&scope(), &evidence, &mut |resource| resources.push(resource)).expect("stored evidence is readable");
    for resource in &resources {
        assert_declared(collector, resource);
    }
    let is_own = asked.lock().expect("not poisoned").contains(&template(exchange["path"].as_str().unwrap_or_default()));
    (is_own, resources.len(), population.gaps.len())
}

/// One recorded answer to whatever is asked, but for the list of repositories; and what was asked.
struct Answers {
    recorded: Value,
    listed: Value,
    asked: Arc<Mutex<BTreeSet<String>>>,
}

impl Answers {
    fn of(exchange: &Value, listed: &Value) -> Self {
        Self { recorded: answer(exchange, &exchange["body"]), listed: listed["answers"]["graphql/repositories"].clone(), asked: Arc::default() }
    }

    fn world(self) -> World {
        let every = world(json!({"answers": {}, "default": self.recorded}));
        let repositories = world(json!({"answers": {}, "default": self.listed}));
        Box::new(move |request| {
            self.asked.lock().expect("not poisoned").insert(template(&request.target));
            if request.operation == "graphql/repositories" { repositories(request) } else { every(request) }
        })
    }
}

/// A path without its names and numbers.
fn template(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let mut steps: Vec<&str> = path.trim_matches('/').split('/').collect();
    let named = match steps.first() {
        Some(&"repos") => 3,
        Some(&("orgs" | "organizations")) => 2,
        _ => 1,
    };
    let branch = steps.iter().position(|step| *step == "branches");
    for (at, step) in steps.iter_mut().enumerate() {
        let is_name = (1..named).contains(&at) || branch.is_some_and(|branch| at == branch + 1);
        if is_name || step.bytes().all(|byte| byte.is_ascii_digit()) {
            *step = "*";
        }
    }
    steps.join("/")
}

fn assert_declared(collector: &dyn Collector, resource: &Resource) {
    let kind = collector.kind();
    assert!(!resource.evidence.is_empty(), "{} cites nothing", resource.id);
    assert_eq!(resource.attributes.len(), kind.attributes.len(), "{}", resource.id);
    for declared in kind.attributes {
        match &resource.attributes[declared.name] {
            Attribute::Known(value) => assert!(has_type(value, declared.ty), "{} of {} is {value}, not {}", declared.name, resource.id, declared.ty),
            Attribute::Unknown(gap) => assert!(!gap.detail.is_empty(), "{} of {}", declared.name, resource.id),
        }
    }
}

/// Each repository of an answer, alone in a list; refusals as the refusal of a list.
async fn one_by_one(exchange: &Value, status: i64, objects: &mut BTreeMap<i64, Value>) {
    if status != 200 {
        let (resources, population) = repositories(&exchange["body"], exchange).await;
        assert!(resources.is_empty() && !population.gaps.is_empty(), "{}", exchange["path"]);
        let (_, refusal) = population.tallies[0].second_source.split_once("could not be compared").expect("the list was refused");
        let throttled = exchange["body"]["message"].as_str().is_some_and(|message| message.contains("rate limit"));
        assert!(!throttled || !refusal.contains("(needs"), "a rate limit is no missing permission: {refusal}");
        return;
    }
    let body = &exchange["body"];
    let list = body["repositories"].as_array().or_else(|| body["items"].as_array()).cloned().unwrap_or_else(|| vec![body.clone()]);
    for object in list {
        let (resources, population) = repositories(&json!([object]), exchange).await;
        let name = object["full_name"].as_str().unwrap_or_else(|| panic!("{} has no name", exchange["path"]));
        assert!(population.gaps.iter().any(|gap| gap.detail.contains(name)), "{name} is named");
        let repository = &resources[0];
        assert_eq!(known(repository, "name"), name);
        honest(repository, &object, &FACTS);
        let visible = object["visibility"].is_string() || object["private"] == json!(false);
        assert_eq!(matches!(repository.attributes["visibility"], Attribute::Known(_)), visible, "{name}");
        objects.insert(object["id"].as_i64().expect("a number"), object);
    }
}

/// People whom REST lists and GraphQL does not are named and counted.
async fn members(exchange: &Value) {
    let mut acme = fixture("github.organization_member", "empty");
    acme["answers"]["GET /orgs/acme/members?filter=2fa_disabled&per_page=100"] = answer(exchange, &exchange["body"]);
    acme["answers"]["GET /orgs/acme/members?role=admin&per_page=100"] = answer(exchange, &exchange["body"]);
    let (_, population) = assert_contract(&OrganizationMember, &collect(&OrganizationMember, world(acme.clone())).await);
    let people: BTreeSet<_> = exchange["body"].as_array().expect("a list").iter().map(|person| person["login"].as_str().expect("a login")).collect();
    assert!(population.gaps.iter().any(|gap| gap.detail.contains(&format!("GraphQL counts 0 owners, REST {}", people.len()))), "{:?}", population.gaps);
    assert!(population.gaps.iter().any(|gap| gap.detail.contains(&format!("names {} who are not", people.len()))), "{:?}", population.gaps);

    let edges: Vec<_> = people.iter().map(|login| json!({"role": "ADMIN", "hasTwoFactorEnabled": null, "node": {"login": login}})).collect();
    let list = &mut acme["answers"]["graphql/organization_members"]["body"]["data"]["organization"]["membersWithRole"];
    list["totalCount"] = json!(edges.len());
    list["edges"] = json!(edges);
    let (resources, population) = assert_contract(&OrganizationMember, &collect(&OrganizationMember, world(acme)).await);
    assert_eq!((resources.len(), population.gaps.len()), (people.len(), 0));
    assert!(resources.iter().all(|member| known(member, "has_two_factor") == json!(false)));
}

async fn protection(endpoint: &str, exchange: &Value) {
    let recorded = answer(exchange, &exchange["body"]);
    let body = &exchange["body"];
    let flagged = |protected: bool| json!({"status": 200, "body": {"name": "main", "protected": protected}});
    match endpoint {
        "repos/get-branch" => {
            let name = body["name"].as_str().unwrap_or("main");
            let target = format!("branches/{}", utf8_percent_encode(name, RESERVED));
            let branch = branch(name, &[(&target, recorded)]).await;
            match body["protected"].as_bool() {
                Some(protected) => assert_eq!(known(&branch, "protected"), protected, "{}", exchange["path"]),
                None => assert!(matches!(branch.attributes["protected"], Attribute::Unknown(_)), "{}", exchange["path"]),
            }
            assert_eq!(
                matches!(branch.attributes["required_approvals"], Attribute::Known(_)),
                body["protected"] == json!(false),
                "{} {:?}",
                exchange["path"],
                branch.attributes["required_approvals"]
            );
        }
        "repos/get-branch-protection" => {
            let branch = branch("main", &[("branches/main", flagged(true)), ("branches/main/protection", recorded)]).await;
            if exchange["status"] == 200 {
                let reviews = &body["required_pull_request_reviews"];
                assert_eq!(
                    known(&branch, "required_approvals"),
                    if reviews.is_object() { reviews["required_approving_review_count"].clone() } else { json!(0) }
                );
                assert_eq!(known(&branch, "binds_admins"), body["enforce_admins"]["enabled"], "{}", exchange["path"]);
                honest(&branch, body, &[("requires_signatures", "/required_signatures/enabled"), ("allows_force_push", "/allow_force_pushes/enabled")]);
            } else {
                assert_eq!(known(&branch, "rule_sources"), json!([]), "GitHub says that there is no classic rule");
            }
        }
        _ => {
            let branch = branch("main", &[("branches/main", flagged(true)), ("rules/branches/main?per_page=100", recorded)]).await;
            let kinds: BTreeSet<_> = body.as_array().expect("a list").iter().filter_map(|rule| rule["type"].as_str()).collect();
            assert_eq!(matches!(branch.attributes["allows_deletion"], Attribute::Known(_)), kinds.contains("deletion"));
            let Attribute::Unknown(gap) = &branch.attributes["bypass_actors"] else { panic!("REST tells no bypass actors") };
            assert_eq!(gap.cause, GapCause::LeftOut);
        }
    }
}
