//! Runs of the workflows that release: who is asked, to which end, and what is told of each run.

use proofline::collect::Evidence as _;
use proofline::collect::github::workflow_run::WorkflowRun;
use proofline::collect::replay::{Answer, Replay, ReplayedEvidence};
use proofline::collect::{Collector as _, Request};
use proofline::model::{Attribute, Completeness, GapCause, Population, Resource, Scope};
use serde_json::{Value, json};

use crate::github::{assert_contract_in, fixture, known, scope as plain, unknown, world};

const LIST: &str = "actions/list-workflow-runs";
/// From the beginning of the week that is thirty days before January.
const FIRST: &str = "GET /repos/acme/api/actions/workflows/release.yml/runs?created=%3E%3D2025-11-27T00%3A00%3A00Z&exclude_pull_requests=true&per_page=100";

fn scope(workflows: &[&str]) -> Scope {
    Scope { release_workflows: workflows.iter().map(|name| format!(".github/workflows/{name}")).collect(), ..plain() }
}

/// A run of acme/api that succeeded.
fn run(number: u32, created: &str) -> Value {
    json!({
        "id": 100 + number, "node_id": format!("WR_{number}"), "run_number": number, "run_attempt": 1, "event": "push", "head_branch": "main", "head_sha": "b1",
        "head_repository": { "id": 1 }, "repository": { "id": 1 }, "actor": { "login": "ada" }, "triggering_actor": { "login": "grace" }, "status": "completed",
        "conclusion": "success", "created_at": created, "run_started_at": created, "updated_at": created,
        "html_url": format!("https://github.com/acme/api/actions/runs/{}", 100 + number),
    })
}

fn changed(mut run: Value, fields: Value) -> Value {
    run.as_object_mut().expect("a run").extend(fields.as_object().expect("fields").clone());
    run
}

fn page(total: usize, runs: &[Value]) -> Value {
    json!({ "status": 200, "body": { "total_count": total, "workflow_runs": runs } })
}

/// What is told of the commits of these runs.
fn commits(changes: &[(u32, Value)]) -> Value {
    let node = |(number, nodes): &(u32, Value)| {
        let changes = json!({ "totalCount": nodes.as_array().map(Vec::len), "nodes": nodes });
        json!({ "id": format!("WR_{number}"), "checkSuite": { "commit": { "associatedPullRequests": changes } } })
    };
    json!({ "status": 200, "body": { "data": { "nodes": changes.iter().map(node).collect::<Vec<_>>() } } })
}

/// The repositories of `github.repository`, of which only acme/api has workflows: these.
fn answers(workflows: &[&str], others: &[(&str, Value)]) -> Value {
    let mut all = fixture("github.repository", "normal");
    let entries: Vec<Value> = workflows.iter().map(|name| json!({ "name": name, "type": "blob" })).collect();
    for page in ["graphql/repositories", "graphql/repositories after cGFnZQ=="] {
        for node in all["answers"][page]["body"]["data"]["organization"]["repositories"]["nodes"].as_array_mut().expect("nodes") {
            let is_api = node["nameWithOwner"] == "acme/api";
            node["workflows"] = json!({ "__typename": "Tree", "entries": if is_api { entries.clone() } else { Vec::new() } });
        }
    }
    for (target, answer) in others {
        all["answers"][*target] = answer.clone();
    }
    all
}

async fn collected(scope: &Scope, answer: impl Fn(&Request) -> Answer + Send + Sync) -> ReplayedEvidence {
    let replay = Replay::new("2026-03-01T02:00:00Z".parse().expect("an instant"), answer);
    WorkflowRun.fetch(scope, &replay).await.expect("fetch goes on whatever is refused");
    replay.evidence()
}

async fn read(others: &[(&str, Value)]) -> (Vec<Resource>, Population) {
    let scope = scope(&["release.yml"]);
    let evidence = collected(&scope, world(answers(&["ci.yml", "release.yml"], others))).await;
    assert_contract_in(&scope, &WorkflowRun, &evidence)
}

#[tokio::test]
async fn each_run_is_told_as_it_is_and_only_who_has_such_a_workflow_is_asked() {
    let next = format!("{}&page=2", FIRST.trim_start_matches("GET "));
    let again =
        changed(run(8, "2025-12-20T00:00:00Z"), json!({ "run_attempt": 2, "run_started_at": "2026-01-20T00:00:00Z", "updated_at": "2026-01-20T00:00:00Z" }));
    let mut first = page(4, &[run(9, "2026-01-31T23:59:59Z"), again.clone()]);
    first["headers"] = json!({ "link": format!("<{next}>; rel=\"next\"") });
    let tag = changed(
        run(7, "2026-01-01T00:00:00Z"),
        json!({ "head_branch": "=cmd|'/c'!A1\u{202e}", "conclusion": null, "status": "queued", "actor": null, "event": "release" }),
    );
    let old = changed(run(6, "2025-12-31T23:59:59Z"), json!({ "conclusion": "failure", "head_repository": { "id": 2 } }));
    let change = |number: u32, merged: bool, base: &str| json!({ "number": number, "merged": merged, "baseRefName": base });
    let told = commits(&[
        (9, json!([change(5, true, "main"), change(4, true, "main"), change(3, false, "main"), change(2, true, "release-1")])),
        (8, json!([])),
        (7, json!([change(5, true, "main")])),
    ]);
    let others = [(FIRST, first), (&*format!("GET {next}"), page(4, &[again, tag, old])), ("graphql/run-commits", told)];
    let scope = scope(&["release.yml"]);
    let evidence = collected(&scope, world(answers(&["ci.yml", "release.yml"], &others))).await;
    assert_eq!(evidence.operation(LIST).len(), 2, "nobody else is asked");
    let (runs, population) = assert_contract_in(&scope, &WorkflowRun, &evidence);
    assert_eq!(population.completeness(), Completeness::Reconciled, "{:?} {:?}", population.gaps, population.tallies);
    let of = |attribute: &str| runs.iter().map(|run| known(run, attribute)).collect::<Vec<_>>();
    assert_eq!(of("number"), [9, 8, 7, 6]);
    assert_eq!(of("merged_pull_requests"), [json!([4, 5]), json!([]), json!([5]), Value::Null]);
    assert_eq!(of("in_window"), [true, true, true, false]);
    assert_eq!(of("on_default_branch"), [true, true, false, false]);
    assert_eq!(of("from_fork"), [false, false, false, true]);
    assert_eq!(of("conclusion"), [json!("success"), json!("success"), Value::Null, json!("failure")]);
    let (last, earlier) = (json!("2026-01-31T23:59:59Z"), json!("2026-01-20T00:00:00Z"));
    assert_eq!(of("recovered_at"), [last, earlier.clone(), earlier.clone(), earlier]);
    assert_eq!(
        [known(&runs[2], "actor"), known(&runs[2], "started_by"), known(&runs[2], "branch")],
        [Value::Null, json!("grace"), json!("=cmd|'/c'!A1\u{202e}")]
    );
    assert_eq!((runs[0].id.as_str(), runs[0].name.as_str()), ("github.com/acme/api/actions/runs/109", "acme/api: release.yml #9"));
    assert_eq!([known(&runs[1], "attempt"), known(&runs[1], "workflow")], [json!(2), json!(".github/workflows/release.yml")]);
}

#[tokio::test]
async fn runs_that_nobody_named_or_that_a_misspelt_name_would_hide_are_not_an_empty_population() {
    let nobody = scope(&[]);
    let evidence = collected(&nobody, world(answers(&["release.yml"], &[]))).await;
    assert_eq!(evidence.operation("graphql/repositories").len(), 0, "nothing is asked in vain");
    let misspelt = scope(&["release.yml", "relaese.yml"]);
    let other = collected(&misspelt, world(answers(&["release.yml"], &[(FIRST, page(0, &[]))]))).await;
    for (scope, evidence, why) in
        [(nobody, evidence, "no workflow is said to release"), (misspelt, other, "has .github/workflows/relaese.yml on its default branch")]
    {
        let (runs, population) = assert_contract_in(&scope, &WorkflowRun, &evidence);
        assert_eq!((runs.len(), population.gaps.len()), (0, 1), "{:?}", population.gaps);
        let gap = &population.gaps[0];
        assert!(gap.cause == GapCause::NotConfigured && gap.detail.contains(why), "{gap:?}");
        assert!(gap.cure.as_deref().is_some_and(|cure| cure.contains("release_workflows")), "{gap:?}");
    }
}

#[tokio::test]
async fn a_workflow_that_did_not_run_is_an_empty_population() {
    let (runs, population) = read(&[(FIRST, page(0, &[]))]).await;
    assert_eq!((runs.len(), population.completeness()), (0, Completeness::Reconciled), "{:?}", population.gaps);
}

#[tokio::test]
async fn what_is_refused_cut_or_miscounted_is_never_whole() {
    let one = || run(9, "2026-01-20T00:00:00Z");
    let refused = |status: u16| json!({ "status": status, "body": { "message": "Not Found" } });
    let mut cut = page(2, &[one()]);
    cut["headers"] = json!({ "link": format!("<{}&page=2>; rel=\"next\"", FIRST.trim_start_matches("GET ")) });
    let uncounted = json!({ "status": 200, "body": { "workflow_runs": [one()] } });
    let nameless = changed(one(), json!({ "id": "nine" }));
    for (case, answer, cause, count) in [
        ("403", refused(403), Some(GapCause::Forbidden), 0),
        ("404", refused(404), Some(GapCause::Forbidden), 0),
        ("502", refused(502), Some(GapCause::Unanswered), 0),
        ("cut", cut, Some(GapCause::Malformed), 1),
        ("more", page(2, &[one()]), None, 1),
        ("fewer", page(1, &[one(), run(8, "2026-01-19T00:00:00Z")]), None, 2),
        ("uncounted", uncounted, Some(GapCause::LeftOut), 1),
        ("negative", page(0, &[]), None, 0),
        ("misshapen", json!({ "status": 200, "body": { "total_count": 1, "workflow_runs": { "odd": true } } }), Some(GapCause::Malformed), 0),
        ("a list", json!({ "status": 200, "body": [one()] }), Some(GapCause::LeftOut), 0),
        ("nameless", page(1, &[nameless]), Some(GapCause::Malformed), 0),
    ] {
        let answer = if case == "negative" { json!({ "status": 200, "body": { "total_count": -1, "workflow_runs": [] } }) } else { answer };
        let cause = if case == "negative" { Some(GapCause::Malformed) } else { cause };
        let (runs, population) = read(&[(FIRST, answer)]).await;
        assert_eq!((runs.len(), population.completeness().is_complete()), (count, false), "{case}: {:?}", population.tallies);
        match cause {
            Some(cause) => assert!(population.gaps.iter().any(|gap| gap.cause == cause), "{case}: {:?}", population.gaps),
            None => assert_eq!(population.completeness(), Completeness::Mismatched, "{case}"),
        }
    }
    let scope = scope(&["release.yml"]);
    let stopped = collected(&scope, world(answers(&["release.yml"], &[(FIRST, page(1, &[one()]))]))).await.stopped();
    assert_eq!(assert_contract_in(&scope, &WorkflowRun, &stopped).1.completeness(), Completeness::Incomplete);
}

#[tokio::test]
async fn workflows_that_are_hidden_are_not_none() {
    let mut hidden = answers(&["release.yml"], &[(FIRST, page(0, &[]))]);
    let nodes = &mut hidden["answers"]["graphql/repositories"]["body"]["data"]["organization"]["repositories"]["nodes"];
    for node in nodes.as_array_mut().expect("nodes").iter_mut().filter(|node| node["nameWithOwner"] != "acme/api") {
        node.as_object_mut().expect("a node").remove("workflows");
    }
    let scope = scope(&["release.yml"]);
    let (_, population) = assert_contract_in(&scope, &WorkflowRun, &collected(&scope, world(hidden)).await);
    assert!(population.gaps.iter().any(|gap| gap.detail.contains("the workflows of acme/")), "{:?}", population.gaps);
}

#[tokio::test]
async fn what_is_left_out_or_misshapen_is_unknown_and_may_be_what_made_others_good() {
    let whole = changed(run(8, "2026-01-19T00:00:00Z"), json!({ "conclusion": "failure" }));
    for odd in [None, Some(json!({ "odd": [1] }))] {
        let keeps = |(name, value): (&String, &Value)| match name.as_str() {
            "id" => Some((name.clone(), value.clone())),
            _ => odd.clone().map(|odd| (name.clone(), odd)),
        };
        let bare: Value = Value::Object(run(9, "2026-01-20T00:00:00Z").as_object().expect("a run").iter().filter_map(keeps).collect());
        let (runs, population) = read(&[(FIRST, page(2, &[bare, whole.clone()])), ("graphql/run-commits", commits(&[(8, json!([]))]))]).await;
        assert_eq!(population.completeness(), Completeness::Reconciled, "{:?}", population.gaps);
        let told = runs[0].attributes.iter().filter(|(_, attribute)| matches!(attribute, Attribute::Known(_))).map(|(name, _)| name.as_str());
        assert_eq!(told.collect::<Vec<_>>(), ["repository", "workflow"]);
        assert_eq!(known(&runs[1], "merged_pull_requests"), json!([]));
        unknown(&runs[1], "recovered_at");
    }
}

#[tokio::test]
async fn a_commit_of_which_nothing_is_told_is_not_one_that_nobody_brought() {
    let one = page(1, &[run(9, "2026-01-20T00:00:00Z")]);
    let refused = |status: u16| json!({ "status": status, "body": { "message": "no" } });
    let nodes = |nodes: Value| json!({ "status": 200, "body": { "data": { "nodes": nodes } } });
    let hidden = json!([{ "id": "WR_9", "checkSuite": { "commit": { "associatedPullRequests": { "totalCount": 2, "nodes": [{ "number": 1, "merged": true, "baseRefName": "main" }] } } } }]);
    let baseless = commits(&[(9, json!([{ "number": 1, "merged": true }]))]);
    for (answer, cause) in [
        (refused(403), GapCause::Forbidden),
        (refused(502), GapCause::Unanswered),
        (nodes(json!([null])), GapCause::Unanswered),
        (nodes(json!([{ "id": "WR_9", "checkSuite": null }])), GapCause::LeftOut),
        (nodes(hidden), GapCause::Incomplete),
        (baseless, GapCause::LeftOut),
    ] {
        let (runs, population) = read(&[(FIRST, one.clone()), ("graphql/run-commits", answer)]).await;
        assert!(population.completeness().is_complete(), "the run is known to be there: {:?}", population.gaps);
        assert_eq!(unknown(&runs[0], "merged_pull_requests").cause, cause);
        assert_eq!(known(&runs[0], "recovered_at"), "2026-01-20T00:00:00Z");
    }
}

/// A GitHub with a run every so many seconds of January 2026, which shows no more than 1,000 of a span.
fn busy(runs: u32, every: i64) -> impl Fn(&Request) -> Answer + Send + Sync {
    let others = world(answers(&["release.yml"], &[("graphql/run-commits", commits(&[]))]));
    let start: chrono::DateTime<chrono::Utc> = "2026-01-01T00:00:00Z".parse().expect("an instant");
    let all: Vec<_> = (0..runs).map(|nth| (nth, start + chrono::TimeDelta::seconds(i64::from(nth) * every))).collect();
    move |request| {
        if request.operation != LIST {
            return others(request);
        }
        let url = url::Url::parse(&format!("https://api.github.com{}", request.target.trim_start_matches("https://api.github.com"))).expect("a target");
        let parameter = |name: &str| url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned());
        let (created, number) = (parameter("created").expect("a span"), parameter("page").map_or(1, |page| page.parse::<usize>().expect("a number")));
        let (first, last) = created.strip_prefix(">=").map_or_else(|| created.split_once("..").expect("two ends"), |first| (first, "2026-03-01T02:00:00Z"));
        let (first, last) = (first.parse().expect("an instant"), last.parse::<chrono::DateTime<chrono::Utc>>().expect("an instant"));
        let inside: Vec<_> = all.iter().rev().filter(|(_, at)| (first..=last).contains(at)).collect();
        let shown: Vec<Value> = inside.iter().take(1_000).skip((number - 1) * 100).take(100).map(|(nth, at)| run(*nth, &at.to_rfc3339())).collect();
        let answer = Answer::new(200, json!({ "total_count": inside.len(), "workflow_runs": shown }).to_string());
        let target = request.target.split("&page=").next().expect("a target");
        if number * 100 < inside.len().min(1_000) { answer.header("link", format!("<{target}&page={}>; rel=\"next\"", number + 1)) } else { answer }
    }
}

#[tokio::test]
async fn a_span_of_more_runs_than_are_shown_is_asked_for_in_parts() {
    let scope = scope(&["release.yml"]);
    for (runs, requests) in [(999, 10), (1_000, 11), (2_500, 28)] {
        let evidence = collected(&scope, busy(runs, 900)).await;
        let (resources, population) = assert_contract_in(&scope, &WorkflowRun, &evidence);
        assert_eq!(population.completeness(), Completeness::Reconciled, "{runs}: {:?} {:?}", population.gaps, population.tallies);
        assert_eq!((resources.len(), population.tallies[0].second_count), (usize::try_from(runs).expect("a count"), Some(u64::from(runs))));
        let asked = evidence.operation(LIST).len();
        assert!((requests..requests + 6).contains(&asked), "{runs} runs took {asked} requests");
    }
}

#[tokio::test]
async fn more_runs_than_are_shown_of_one_second_are_not_all() {
    let scope = scope(&["release.yml"]);
    let evidence = collected(&scope, busy(1_200, 0)).await;
    let (resources, population) = assert_contract_in(&scope, &WorkflowRun, &evidence);
    assert_eq!((resources.len(), population.completeness()), (1_000, Completeness::Incomplete));
    assert!(population.gaps.iter().any(|gap| gap.detail.contains("no more than 1000 runs of a second")), "{:?}", population.gaps);
}
