//! The traps that tools of this kind fall into, one test each: what is asked is what a shipped control says, or what an auditor is handed, and never a pass.
//!
//! Left out: tokens of Apps that end within a run (`transport::app`), and waivers, of which there are none yet.
#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use chrono::TimeDelta;
use proofline::catalog::{self, Overrides, shipped};
use proofline::cli::exit::Exit;
use proofline::cli::vocabulary;
use proofline::collect::gcp::Project;
use proofline::collect::gcp::assets::{BUCKET, GKE_CLUSTER};
use proofline::collect::github::branch::Branch;
use proofline::collect::github::organization::Organization;
use proofline::collect::github::repository::Repository;
use proofline::collect::replay::{Answer, Replay};
use proofline::collect::{Collector as _, registry};
use proofline::evaluate::Judge;
use proofline::model::{Attribute, Control, Expression, FindingStatus, GapCause, Population, Resource, Verdict};
use serde_json::{Value, json};

use crate::cli::Bench;
use crate::gcp;
use crate::github::rules::{actor, branch, classic, pull_request, rule, rulesets};
use crate::github::{assert_contract, collect, fixture, scope, unknown, world};
use crate::sandbox::Behaviour;
use crate::sandbox::site::{Site, Size};
use crate::truth::read_back;

static CONTROLS: LazyLock<Vec<Control>> =
    LazyLock::new(|| catalog::load(&shipped::files(), &vocabulary(), &Overrides::default()).expect("the shipped controls load").controls);

/// A shipped control, with its tests of one kind only.
fn control(id: &str, kind: &str) -> Control {
    let mut control = CONTROLS.iter().find(|control| control.id.as_str() == id).unwrap_or_else(|| panic!("no {id}")).clone();
    control.tests.retain(|test| test.population == kind);
    control
}

/// A control that every resource of a kind passes: what it finds in a population is what the population allows.
fn lenient(kind: &str) -> Control {
    let mut lenient = control("REP-02", "github.branch");
    for test in &mut lenient.tests {
        (test.population, test.filter, test.require, test.because) = (kind.to_owned(), None, Expression("true".to_owned()), None);
    }
    lenient
}

fn judge(control: &Control) -> Judge {
    Judge::new(std::slice::from_ref(control), registry::kinds(), "2026-03-01T02:00:00Z".parse().expect("an instant")).expect("a judge")
}

/// What a shipped control says of a resource.
fn says(id: &str, resource: &Resource) -> Verdict {
    judge(&control(id, &resource.kind)).observe(vec![resource.clone()]).expect("judged").remove(0).verdict
}

/// What is found where every resource that was seen passes.
fn found((resources, population): (Vec<Resource>, Population)) -> FindingStatus {
    let mut judge = judge(&lenient(&population.kind));
    judge.observe(resources).expect("judged");
    judge.conclude(&[population]).remove(0).status
}

fn of(gcp: gcp::Outcome) -> (Vec<Resource>, Population) {
    (gcp.resources, gcp.population)
}

fn named<'r>(resources: &'r [Resource], name: &str) -> &'r Resource {
    resources.iter().find(|resource| resource.name == name).unwrap_or_else(|| panic!("no {name}"))
}

#[tokio::test]
async fn a_404_of_protection_may_mean_that_one_may_not_look() {
    let (branches, _) = assert_contract(&Branch, &collect(&Branch, world(fixture("github.branch", "normal"))).await);
    let hidden = named(&branches, "acme/closed@main");
    assert_eq!((says("REP-02", hidden), says("REP-03", hidden)), (Verdict::Pass, Verdict::Undetermined), "it is protected, nobody may see how");
    let open = branches.iter().find(|branch| branch.name.starts_with("acme/open-door@")).expect("a branch");
    assert_eq!((says("REP-02", open), says("REP-03", open)), (Verdict::Fail, Verdict::Fail), "the branch itself says that it is not protected");
}

#[tokio::test]
async fn a_403_may_mean_that_the_plan_does_not_offer_it() {
    let mut plan = fixture("github.branch", "normal");
    let message = "Upgrade to GitHub Pro or make this repository public to enable this feature.";
    plan["answers"]["GET /repos/acme/closed/branches/main/protection"] = json!({ "status": 403, "body": { "message": message } });
    let (branches, _) = assert_contract(&Branch, &collect(&Branch, world(plan)).await);
    let closed = named(&branches, "acme/closed@main");
    assert_eq!(says("REP-03", closed), Verdict::Undetermined);
    assert!(unknown(closed, "required_approvals").to_string().contains("Upgrade to GitHub Pro"), "what GitHub says is handed on");
}

#[tokio::test]
async fn rulesets_that_only_evaluate_or_are_disabled_are_no_protection() {
    for (enforcement, expected) in [("EVALUATE", Verdict::Fail), ("DISABLED", Verdict::Fail), ("ACTIVE", Verdict::Pass)] {
        let rules = [rule("PULL_REQUEST", 1, enforcement, pull_request(2)), rule("NON_FAST_FORWARD", 1, enforcement, Value::Null)];
        let branch = branch(Value::Null, &rules, rulesets(&[(1, json!([]))])).await;
        for control in ["REP-02", "REP-03", "REP-15"] {
            assert_eq!(says(control, &branch), expected, "{enforcement} {control}");
        }
    }
}

#[tokio::test]
async fn who_bypasses_a_ruleset_matters_and_is_not_guessed() {
    let rules = [rule("PULL_REQUEST", 1, "ACTIVE", pull_request(2))];
    let hidden = json!({"totalCount": 1, "nodes": [{"databaseId": 1, "bypassActors": null}]});
    let owners = rulesets(&[(1, json!([actor(json!({"organizationAdmin": true}))]))]);
    for (bypass, expected) in [(rulesets(&[(1, json!([]))]), Verdict::Pass), (owners, Verdict::Fail), (hidden, Verdict::Undetermined)] {
        let branch = branch(Value::Null, &rules, bypass).await;
        assert_eq!((says("REP-03", &branch), says("REP-13", &branch)), (Verdict::Pass, expected));
    }
}

#[tokio::test]
async fn the_stricter_of_classic_rule_and_rulesets_is_in_force() {
    let lax = || classic(json!({"requiresApprovingReviews": false, "allowsForcePushes": true}));
    let strict = [rule("PULL_REQUEST", 1, "ACTIVE", pull_request(1)), rule("NON_FAST_FORWARD", 1, "ACTIVE", Value::Null)];
    for (rules, expected) in [(&strict[..], Verdict::Pass), (&[], Verdict::Fail)] {
        let branch = branch(lax(), rules, rulesets(&[(1, json!([]))])).await;
        assert_eq!((says("REP-03", &branch), says("REP-15", &branch)), (expected, expected));
    }
}

/// A branch is asked which rules hold for it, so that `~ALL`, `~DEFAULT_BRANCH`, excluded names and rulesets of the organisation are GitHub's to work out.
#[test]
fn rulesets_of_the_organisation_and_their_patterns_count_where_they_hold() {
    let site = &SHARED.site;
    let world = site.sandbox().world();
    let truth = world.truth();
    let all = read_back(SHARED.bench.folder.path());
    let branches = all.iter().find(|read| read.kind == "github.branch").expect("branches");
    let mut answers = BTreeSet::new();
    for repository in world.repositories.iter().filter(|repository| !repository.archived && repository.classic.is_none()) {
        let Some(branch) = repository.branch() else { continue };
        let seen =
            branches.resources.iter().find(|seen| seen.id.as_str() == format!("github.com/{}/tree/{branch}", world.full_name(repository))).expect("a branch");
        let holds = truth.attribute("github.branch", seen.id.as_str(), "protected").expect("a fact") == &json!(true);
        assert_eq!(says("REP-02", seen), if holds { Verdict::Pass } else { Verdict::Fail }, "{}", seen.id);
        answers.insert(holds);
    }
    assert_eq!(answers.len(), 2, "rulesets hold for some branches and not for others");
}

#[test]
fn a_negative_test_of_a_missing_field_does_not_pass() {
    let kind = Branch.kind();
    let mut branch = Resource::new(kind, "github.com/acme/web/tree/main".parse().expect("an id"), "acme/web@main", vec![1]);
    branch.know("name", "main");
    let branch = branch.completed(kind);
    let negatives = [
        "!branch.allows_force_push",
        "branch.allows_force_push == false",
        "branch.allows_force_push ? false : true",
        "size(branch.bypass_actors) == 0",
        "branch.bypass_actors.all(actor, false)",
        "!('ada' in branch.bypass_actors)",
        "!branch.bypass_actors.exists(actor, actor == 'ada')",
        "branch.required_approvals != 0",
    ];
    for require in negatives {
        let mut control = lenient(kind.name);
        require.clone_into(&mut control.tests[0].require.0);
        assert_eq!(judge(&control).observe(vec![branch.clone()]).expect("judged")[0].verdict, Verdict::Undetermined, "{require}");
    }
    // What would turn "missing" into an answer is no control at all.
    for refused in ["!has(branch.allows_force_push)", "!branch.?allows_force_push.orValue(false)"] {
        let file = catalog::SourceFile::new(
            "mine.toml",
            format!(
                "[[control]]\nid = \"X-01\"\ntitle = \"t\"\nowner = \"o\"\nseverity = \"low\"\nfrequency = \"daily\"\nwhy = \"w\"\nfix = \"f\"\n[[control.test]]\npopulation = \"github.branch\"\nrequire = \"{refused}\"\n"
            ),
        );
        let refusal = catalog::load(&[file], &vocabulary(), &Overrides::default()).expect_err(refused).to_string();
        assert!(refusal.contains("has(") || refusal.contains("optional"), "{refusal}");
    }
}

#[tokio::test]
async fn first_pages_are_not_the_whole() {
    let whole = assert_contract(&Repository, &collect(&Repository, world(fixture("github.repository", "normal"))).await);
    assert_eq!(found(whole), FindingStatus::Satisfied);
    let truncated = assert_contract(&Repository, &collect(&Repository, world(fixture("github.repository", "truncated"))).await);
    assert!(!truncated.0.is_empty());
    assert_eq!(found(truncated), FindingStatus::Undetermined, "what was seen passes, and is not all there is");
}

/// Search shows no more than 1,000 of what it finds. So nothing is enumerated by it: connections are, to their ends, and search says only how many there ought to be.
#[test]
fn search_that_ends_at_a_thousand_enumerates_nothing() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/collect");
    let mut pending = vec![sources];
    let mut searches = 0;
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending.extend(fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path()));
            continue;
        }
        let text = fs::read_to_string(&path).expect("text");
        assert!(!text.contains("\"/search/"), "{} searches by REST", path.display());
        let asks: Vec<&str> = text.match_indices(" search(").map(|(at, _)| &text[at..]).filter(|_| path.extension().is_some_and(|e| e == "graphql")).collect();
        searches += asks.len();
        for ask in asks {
            let asked = ask.split_once('{').and_then(|(_, rest)| rest.split_once('}')).expect("a selection").0;
            assert!(matches!(asked.trim(), "issueCount" | "discussionCount"), "{} asks for more than a count: {asked}", path.display());
        }
    }
    assert_eq!(searches, 2);

    let site = Site::sized(Size { repositories: 3, members: 8, projects: 1, changes: 1, tasks: 1_100 });
    let truth = u64::try_from(site.sandbox().world().truth().of("github.issue").count()).expect("small");
    let (_, document) = Bench::new(&site.configuration()).json(&["collect", "--control", "TSK-01"]);
    let populations = document["populations"].as_array().expect("populations");
    let tasks = &populations.iter().find(|population| population["kind"] == "github.issue").expect("tasks")["tallies"][0];
    assert!(truth > 1_000);
    assert_eq!((tasks["count"].as_u64(), tasks["second_count"].as_u64()), (Some(truth), Some(truth)), "{tasks}");
}

#[test]
fn one_unreadable_repository_neither_drops_the_rest_nor_vanishes() {
    let site = Site::with_unreadable(Size { repositories: 30, members: 6, projects: 1, changes: 2, tasks: 2 }, 10);
    let world = site.sandbox().world();
    let unreadable = u64::try_from(world.repositories.iter().filter(|repository| !world.is_readable(repository)).count()).expect("small");
    let (_, document) = Bench::new(&site.configuration()).json(&["collect", "--control", "REP-20"]);
    let counts = &crate::cli::finding(&document, "REP-20")["counts"];
    let all: u64 = counts.as_object().expect("counts").values().filter_map(Value::as_u64).sum();
    assert!(unreadable > 0 && counts["undetermined"].as_u64() >= Some(unreadable), "{counts}");
    assert_eq!(all, 30, "{counts}");
}

#[tokio::test]
async fn a_rate_limit_is_not_taken_for_missing_access() {
    for (status, message, cause) in [
        (403, "API rate limit exceeded for user ID 1.", GapCause::Unanswered),
        (403, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.", GapCause::Unanswered),
        (429, "Too many requests", GapCause::Unanswered),
        (403, "Must have admin rights to Repository.", GapCause::Forbidden),
    ] {
        let replay = Replay::new("2026-03-01T02:00:00Z".parse().expect("an instant"), |_| Answer::new(status, json!({ "message": message }).to_string()));
        Organization.fetch(&scope(), &replay).await.expect("fetched");
        let (resources, population) = assert_contract(&Organization, &replay.evidence());
        let causes: BTreeSet<GapCause> = resources[0]
            .attributes
            .values()
            .filter_map(|attribute| match attribute {
                Attribute::Unknown(gap) => Some(gap.cause),
                Attribute::Known(_) => None,
            })
            .collect();
        assert!(
            causes.contains(&cause) && !causes.contains(&if cause == GapCause::Forbidden { GapCause::Unanswered } else { GapCause::Forbidden }),
            "{message}: {causes:?}"
        );
        let mut judge = judge(&control("ORG-01", "github.organization"));
        let seen = judge.observe(resources).expect("judged").remove(0);
        assert_eq!((seen.verdict, seen.transient), (Verdict::Undetermined, cause == GapCause::Unanswered), "{message}");
        assert_eq!(judge.permissions(&[population]).is_empty(), cause == GapCause::Unanswered, "{message}");
    }
}

#[test]
fn requests_side_by_side_are_bounded() {
    let site = Site::small();
    // GitHub allows 100 at once; others may use the same token.
    site.sandbox().behave(Behaviour { concurrency: Some(50), latency: Duration::from_millis(3), ..Behaviour::default() });
    let (_, document) = Bench::new(&site.configuration()).json(&["collect"]);
    assert!(site.sandbox().most_at_once() > 1);
    assert_eq!(document["budget"]["waited_ms"], 0, "no limit was met: {}", document["budget"]);
}

#[tokio::test]
async fn what_only_administrators_are_told_is_not_off_for_others() {
    let mut outside = fixture("github.repository", "normal");
    for page in ["graphql/repositories", "graphql/repositories after cGFnZQ=="] {
        let nodes = outside["answers"][page]["body"]["data"]["organization"]["repositories"]["nodes"].as_array_mut().expect("nodes");
        nodes.iter_mut().for_each(|node| node["viewerCanAdminister"] = false.into());
    }
    let listed = outside["answers"].as_object_mut().expect("answers").iter_mut().filter(|(ask, _)| ask.contains("/repos?"));
    let items = listed.flat_map(|(_, answer)| answer["body"].as_array_mut().expect("a list")).map(|item| item.as_object_mut().expect("an object"));
    for item in items {
        item.retain(|name, _| name != "security_and_analysis" && name != "delete_branch_on_merge");
    }
    let (resources, _) = assert_contract(&Repository, &collect(&Repository, world(outside)).await);
    for repository in resources.iter().filter(|repository| repository.name != "acme/old") {
        assert_eq!(says("VUL-03", repository), Verdict::Undetermined, "{}", repository.name);
        assert_ne!(repository.attributes["delete_branch_on_merge"], Attribute::Known(json!(false)), "{}", repository.name);
    }
}

#[tokio::test]
async fn an_api_that_is_disabled_is_no_project_without_resources() {
    assert_eq!(found(of(gcp::fixture(&GKE_CLUSTER, "disabled").await)), FindingStatus::Undetermined);
    assert_eq!(found(of(gcp::fixture(&BUCKET, "disabled").await)), FindingStatus::Undetermined);
}

#[tokio::test]
async fn one_forbidden_place_neither_fails_the_listing_nor_is_forgotten() {
    for case in ["missing-zones", "forbidden"] {
        let (clusters, population) = of(gcp::fixture(&GKE_CLUSTER, case).await);
        assert!(!clusters.is_empty(), "{case}");
        assert_eq!(found((clusters, population)), FindingStatus::Undetermined, "{case}");
    }
}

#[tokio::test]
async fn projects_that_are_being_deleted_are_shown_as_such() {
    let (projects, _) = of(gcp::fixture(&Project, "normal").await);
    let leaving: Vec<_> = projects.iter().filter(|project| project.attributes["state"] == Attribute::Known(json!("DELETE_REQUESTED"))).collect();
    assert!(!leaving.is_empty());
    assert!(leaving.iter().all(|project| says("IAM-19", project) == Verdict::NotApplicable));
}

/// Two runs in one hour, and the report of them.
struct Shared {
    site: Site,
    bench: Bench,
    first: std::collections::BTreeMap<std::path::PathBuf, Vec<u8>>,
    runs: [Value; 2],
}

static SHARED: LazyLock<Shared> = LazyLock::new(|| {
    let site = Site::small();
    let mut bench = Bench::new(&site.configuration());
    let one = bench.json(&["collect"]).1;
    let first = bench.objects();
    bench.now += TimeDelta::minutes(1);
    let two = bench.json(&["collect"]).1;
    let report = bench.run(&["report", "--out", "report"]);
    assert_eq!(report.exit, Exit::Satisfied, "{}", report.err);
    Shared { site, bench, first, runs: [one, two] }
});

#[test]
fn two_runs_in_the_same_hour_overwrite_nothing() {
    let now = SHARED.bench.objects();
    assert_ne!(SHARED.runs[0]["run"], SHARED.runs[1]["run"]);
    assert!(now.len() > SHARED.first.len());
    for (path, bytes) in &SHARED.first {
        assert!(now.get(path) == Some(bytes), "{} was overwritten", path.display());
    }
}

#[test]
fn tables_are_separated_by_commas_and_no_cell_is_a_formula() {
    let mut cells = 0;
    for entry in fs::read_dir(SHARED.bench.folder.path().join("report")).expect("a report") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "csv") {
            continue;
        }
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(false).from_path(&path).expect("a table");
        for row in reader.records() {
            let row = row.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert!(row.len() > 1, "{}", path.display());
            for cell in &row {
                cells += 1;
                assert!(!cell.starts_with(['=', '+', '@', '\t', '\r']), "{}: {cell:?}", path.display());
            }
        }
    }
    assert!(cells > 1_000, "{cells}");
}

#[test]
fn a_report_loads_nothing_from_anywhere() {
    let html = fs::read_to_string(SHARED.bench.folder.path().join("report/index.html")).expect("a report");
    for loads in ["<script src", "<link", "<img", "<iframe", "@import", "url(http", "src=\"http", "src=http"] {
        assert!(!html.contains(loads), "{loads}");
    }
}

#[test]
fn findings_that_were_fixed_in_time_or_late_are_shown() {
    let all = read_back(SHARED.bench.folder.path());
    let alerts = all.iter().find(|read| read.kind == "github.dependabot_alert").expect("alerts");
    let fixed: Vec<_> = alerts.resources.iter().filter(|alert| alert.attributes["state"] == Attribute::Known(json!("fixed"))).collect();
    assert!(!fixed.is_empty());
    let results = fs::read_to_string(SHARED.bench.folder.path().join("report/results.csv")).expect("results");
    for alert in fixed {
        assert!(results.contains(alert.id.as_str()), "{} is judged", alert.id);
    }
}

#[test]
fn a_night_that_was_missed_stays_missed() {
    let site = Site::sized(Size { repositories: 2, members: 2, projects: 1, changes: 1, tasks: 1 });
    let mut bench = Bench::new(&site.configuration());
    bench.json(&["collect", "--due"]);
    site.night(70);
    bench.now += TimeDelta::days(70);
    let (_, late) = bench.json(&["collect", "--due"]);
    let missed = late["not_run"].as_array().expect("slots");
    let slots = |control: &str| missed.iter().find(|row| row["control"] == control).and_then(|row| row["slots"].as_array()).map_or(0, Vec::len);
    assert_eq!(slots("ORG-01"), 69, "one run makes up for no other: {missed:?}");
    let manifest = bench.folder.path().join("evidence/runs").join(late["run"].as_str().expect("a run")).join("manifest.json");
    let sealed: serde_json::Value = serde_json::from_slice(&fs::read(manifest).expect("sealed")).expect("JSON");
    let written = sealed["not_run"]["ORG-01"].as_array().expect("the gap is written down by the run that ends it");
    assert_eq!((written.len(), &written[0], &written[68]), (69, &json!("2026-11-03"), &json!("2027-01-10")));
    bench.now += TimeDelta::days(1);
    bench.json(&["collect", "--due"]);
    let report = bench.run(&["report", "--out", "report", "--from", "2026-11-02"]);
    assert_eq!(report.exit, Exit::Satisfied, "{}", report.err);
    let slots = fs::read_to_string(bench.folder.path().join("report/slots.csv")).expect("slots");
    let missed = slots.lines().filter(|line| line.starts_with("ORG-01,daily,") && line.contains(",not-run,")).count();
    assert_eq!(missed, 69, "{slots}");
}
