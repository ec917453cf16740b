//! The audit log: what of it a run covers, what an entry says, where the log goes to, and what cannot be told without it.

use proofline::collect::github::audit_event::AuditEvent;
use proofline::collect::github::audit_log::AuditLog;
use proofline::collect::replay::Replay;
use proofline::collect::{Collector, Evidence as _};
use proofline::model::{Completeness, GapCause, Population, Resource, Scope};
use serde_json::{Value, json};

use crate::github::{all_unknown_but, assert_contract_in, fixture, known, run as case, scope, unknown, world};

const FIRST: &str = "GET /orgs/acme/audit-log?phrase=created%3A2025-12-31T23%3A00%3A00Z..2026-02-01T00%3A00%3A00Z&include=web&per_page=100";
const NEXT: &str = "GET /orgs/acme/audit-log?phrase=created%3A2025-12-31T23%3A00%3A00Z..2026-02-01T00%3A00%3A00Z&include=web&per_page=100&after=x";
const STREAMS: &str = "GET /enterprises/acme-inc/audit-log/streams";

fn milliseconds(at: &str) -> i64 {
    at.parse::<chrono::DateTime<chrono::Utc>>().expect("an instant").timestamp_millis()
}

/// An entry; `more` is laid over it.
fn entry(id: &str, action: &str, at: &str, more: &Value) -> Value {
    let mut entry = json!({ "@timestamp": milliseconds(at), "created_at": milliseconds(at), "_document_id": id, "action": action, "org": "acme" });
    entry.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    entry
}

async fn run_in(scope: &Scope, collector: &dyn Collector, answers: &[(&str, Value)]) -> (Vec<Resource>, Population) {
    let answers: serde_json::Map<String, Value> = answers.iter().map(|(target, answer)| ((*target).to_owned(), answer.clone())).collect();
    let fixture = json!({ "answers": answers, "default": { "status": 404, "body": { "message": "Not Found" } } });
    let replay = Replay::new("2026-03-01T02:00:00Z".parse().expect("an instant"), world(fixture));
    collector.fetch(scope, &replay).await.expect("fetch goes on whatever is refused");
    assert_contract_in(scope, collector, &replay.evidence())
}

async fn run(collector: &dyn Collector, answers: &[(&str, Value)]) -> (Vec<Resource>, Population) {
    run_in(&scope(), collector, answers).await
}

fn page(entries: &Value) -> Value {
    json!({ "status": 200, "body": entries })
}

#[tokio::test]
async fn entries_are_read_to_the_last_page_and_cut_at_the_part_that_is_covered() {
    let (resources, population) = case(&AuditEvent, "normal").await;
    assert_eq!(population.completeness(), Completeness::Enumerated, "{:?}", population.gaps);
    let names: Vec<_> = resources.iter().map(|resource| resource.name.as_str()).collect();
    assert_eq!(names, ["e4", "e3", "e2"], "the last hour is the next run's, what was before the last run's");
    let removed = &resources[2];
    assert_eq!(removed.id.as_str(), "github.com/orgs/acme/audit-log/e2");
    for (name, value) in [("action", "org.remove_member"), ("user", "eve"), ("team", "acme/ops"), ("operation_type", "remove"), ("at", "2025-12-31T23:00:00Z")]
    {
        assert_eq!(known(removed, name), value);
    }
    assert_eq!(unknown(removed, "repository").cause, GapCause::LeftOut, "what an entry does not name is not empty");
    let merges: Vec<_> = resources.iter().map(|resource| known(resource, "merges_within_hour")).collect();
    assert_eq!(merges, [json!(1), json!(0), json!(0)], "a merge of the hour that follows is looked at, one of another repository is not");
    assert_eq!((resources[0].evidence.len(), known(&resources[0], "repository")), (1, json!("acme/api")));
}

#[tokio::test]
async fn an_entry_without_a_repository_concerns_all_of_them() {
    let entries = json!([
        entry("e3", "pull_request.merge", "2026-01-10T11:00:00Z", &json!({ "pull_request_url": "https://github.com/acme/web/pull/1" })),
        entry("e2", "pull_request.merge", "2026-01-10T10:59:59Z", &json!({ "pull_request_url": "https://github.com/acme/api/pull/1" })),
        entry("e1", "repository_ruleset.update", "2026-01-10T10:00:00Z", &json!({ "actor": "ada" })),
    ]);
    let (resources, _) = run(&AuditEvent, &[(FIRST, page(&entries))]).await;
    assert_eq!(known(&resources[2], "merges_within_hour"), 1);
    assert_eq!(known(&resources[0], "repository"), "acme/web");
    let nowhere = json!([entries[2], entry("e9", "pull_request.merge", "2026-01-10T10:30:00Z", &json!({}))]);
    let (resources, _) = run(&AuditEvent, &[(FIRST, page(&nowhere))]).await;
    assert_eq!(unknown(&resources[0], "merges_within_hour").cause, GapCause::LeftOut, "a merge that may be of any repository");
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_not_an_empty_one() {
    let message = |status: u16| json!({ "status": status, "body": { "message": "Not Found" } });
    let mut cut = page(&json!([entry("e1", "repo.create", "2026-01-10T10:00:00Z", &json!({}))]));
    cut["headers"] = json!({ "link": "</orgs/acme/audit-log?after=gone>; rel=\"next\"" });
    for (case, answer, cause, read) in [
        ("forbidden", message(403), GapCause::Forbidden, 0),
        ("a plan without a log", message(404), GapCause::Forbidden, 0),
        ("broken", message(502), GapCause::Unanswered, 0),
        ("misshapen", page(&json!({ "events": [] })), GapCause::Malformed, 0),
        ("cut", cut, GapCause::Forbidden, 1),
    ] {
        let (resources, population) = run(&AuditEvent, &[(FIRST, answer.clone())]).await;
        assert_eq!((resources.len(), population.completeness()), (read, Completeness::Incomplete), "{case}");
        let gap = population.gaps.first().expect("a gap");
        assert_eq!(gap.cause, cause, "{case}: {gap}");
        if cause == GapCause::Forbidden {
            let cure = gap.cure.as_deref().expect("a cure");
            assert!(cure.contains("Administration: read") && cure.contains("read:audit_log") && cure.contains("Enterprise Cloud"), "{cure}");
        }
        for resource in &resources {
            assert_eq!(unknown(resource, "merges_within_hour").cause, cause, "what followed is not all known");
        }
        let (logs, _) = run(&AuditLog, &[(FIRST, answer)]).await;
        all_unknown_but(&logs[0], &["organization"]);
        assert_eq!(unknown(&logs[0], "lost_days").cause, cause, "{case}");
    }
    let (resources, population) = run(&AuditEvent, &[(FIRST, page(&json!([])))]).await;
    assert_eq!((resources.len(), population.completeness()), (0, Completeness::Enumerated));
}

#[tokio::test]
async fn what_an_entry_leaves_out_or_misshapes_is_unknown() {
    let (resources, population) = case(&AuditEvent, "partial").await;
    assert_eq!((resources.len(), population.completeness()), (2, Completeness::Enumerated), "{:?}", population.gaps);
    for name in ["actor", "user", "repository", "team", "operation_type"] {
        assert_eq!(unknown(&resources[0], name).cause, GapCause::LeftOut, "{name}");
        let cause = if name == "operation_type" { GapCause::LeftOut } else { GapCause::Malformed };
        assert_eq!(unknown(&resources[1], name).cause, cause, "{name}");
    }
    assert_eq!(known(&resources[0], "merges_within_hour"), 0, "it names no repository, and nothing was merged in any");
    assert_eq!(unknown(&resources[1], "merges_within_hour").cause, GapCause::Malformed, "it names one that cannot be read");
    assert_eq!(unknown(&resources[1], "action").cause, GapCause::Malformed);
}

#[tokio::test]
async fn an_entry_that_cannot_be_placed_leaves_the_log_incomplete() {
    let mut nameless = entry("e1", "repo.create", "2026-01-10T10:00:00Z", &json!({}));
    nameless["_document_id"] = Value::Null;
    let mut timeless = entry("e1", "repo.create", "2026-01-10T10:00:00Z", &json!({}));
    timeless["created_at"] = json!("lately");
    for odd in [nameless, timeless.clone(), json!(7)] {
        let (resources, population) = run(&AuditEvent, &[(FIRST, page(&json!([odd])))]).await;
        assert!(resources.is_empty());
        assert_eq!((population.completeness(), population.gaps[0].cause), (Completeness::Incomplete, GapCause::Malformed), "{odd}");
    }
    let (logs, _) = run(&AuditLog, &[(FIRST, page(&json!([timeless])))]).await;
    assert_eq!(unknown(&logs[0], "event_count").cause, GapCause::Malformed);
    // Git events, which nobody asked for, have no created_at.
    let mut git = entry("e1", "git.push", "2026-01-10T10:00:00Z", &json!({}));
    git.as_object_mut().expect("an object").remove("created_at");
    let (resources, _) = run(&AuditEvent, &[(FIRST, page(&json!([git])))]).await;
    assert_eq!(known(&resources[0], "at"), "2026-01-10T10:00:00Z");
}

#[tokio::test]
async fn a_log_says_how_much_of_it_was_read() {
    let entries = json!([
        entry("e3", "repo.create", "2026-01-31T23:30:00Z", &json!({})),
        entry("e2", "repo.create", "2026-01-10T10:00:00Z", &json!({})),
        entry("e1", "repo.create", "2025-12-31T23:00:00Z", &json!({})),
    ]);
    let (logs, population) = run(&AuditLog, &[(FIRST, page(&entries))]).await;
    assert_eq!(population.completeness(), Completeness::Enumerated);
    let facts: Vec<_> = ["from", "to", "lost_days", "event_count"].iter().map(|name| known(&logs[0], name)).collect();
    assert_eq!(facts, [json!("2025-12-31T23:00:00Z"), json!("2026-01-31T23:00:00Z"), json!(0), json!(2)]);
    let gap = unknown(&logs[0], "streams");
    assert_eq!((gap.cause, gap.cure.as_deref()), (GapCause::NotConfigured, Some("enterprise under [github] in proofline.toml")));
    let mut long = scope();
    long.window = proofline::model::Period::new("2025-06-01T00:00:00Z".parse().expect("an instant"), long.window.end()).expect("a period");
    let asked = FIRST.replace("2025-12-31T23", "2025-05-31T23");
    let (logs, _) = run_in(&long, &AuditLog, &[(&asked, page(&json!([])))]).await;
    assert_eq!(known(&logs[0], "lost_days"), 66, "GitHub keeps 180 days of the 246, the first of them in part");
    // What is lost is no day without an entry.
    let (entries, population) = run_in(&long, &AuditEvent, &[(&asked, page(&json!([])))]).await;
    assert!(entries.is_empty() && population.completeness() == Completeness::Incomplete, "{population:?}");
    assert!(population.gaps[0].detail.contains("the first 66 days are gone"), "{:?}", population.gaps);
}

#[tokio::test]
async fn streams_are_told_by_the_enterprise() {
    let mut enterprise = scope();
    enterprise.github_enterprise = Some("acme-inc".into());
    let normal = fixture("github.audit_log", "normal")["answers"].clone();
    let ask = |answer: Value| {
        let (enterprise, log) = (enterprise.clone(), [FIRST, NEXT].map(|target| (target, normal[target].clone())));
        let answers: Vec<(&str, Value)> = log.into_iter().chain([(STREAMS, answer)]).collect();
        async move { run_in(&enterprise, &AuditLog, &answers).await.0.remove(0) }
    };
    let stream = normal[STREAMS]["body"][0].clone();
    let told = ask(normal[STREAMS].clone()).await;
    assert_eq!(known(&told, "streams"), json!([{ "type": "Splunk", "enabled": true, "paused_at": null }]));
    assert_eq!(told.evidence.len(), 3, "two pages of the log, and the enterprise");
    assert_eq!(known(&ask(page(&json!([]))).await, "streams"), json!([]), "streamed to nowhere");
    let mut odd = stream.clone();
    odd["enabled"] = json!("yes");
    assert_eq!(unknown(&ask(page(&json!([odd]))).await, "streams").cause, GapCause::Malformed);
    let mut silent = stream;
    silent.as_object_mut().expect("an object").remove("paused_at");
    assert_eq!(unknown(&ask(page(&json!([silent]))).await, "streams").cause, GapCause::LeftOut, "it may be paused");
    for status in [403, 404] {
        let gap = unknown(&ask(json!({ "status": status, "body": { "message": "Not Found" } })).await, "streams");
        assert_eq!(gap.cause, GapCause::Forbidden);
        assert!(gap.cure.expect("a cure").contains("enterprise owner"));
    }
}

#[tokio::test]
async fn one_reading_of_the_log_serves_both_kinds() {
    let fixture = json!({ "answers": {}, "default": page(&json!([])) });
    let replay = Replay::new("2026-03-01T02:00:00Z".parse().expect("an instant"), world(fixture));
    AuditEvent.fetch(&scope(), &replay).await.expect("asked");
    AuditLog.fetch(&scope(), &replay).await.expect("asked");
    assert_eq!(replay.evidence().operation("orgs/get-audit-log").len(), 1);
}
