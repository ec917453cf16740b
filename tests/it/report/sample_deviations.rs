//! The times in which resources of the sample failed: open, cured in time and late, one whose cure did not hold.

use proofline::model::{Digest, Episode};
use serde_json::{Value, json};

use super::sample::{at, run};

/// A sighting in a night's run, or on an earlier day of a run whose name is made up.
fn seen(day: u32, evidence: &[u32]) -> Value {
    let run = run(day);
    let at = at(&format!("2026-11-{day:02}T02:00:00Z"));
    json!({ "run": run, "at": at, "evidence": evidence, "evaluation": Digest::of(format!("evaluation of {run}").as_bytes()) })
}

fn episode(control: &str, (kind, id, name): (&str, &str, &str), because: &str, nights: (Option<u32>, u32, u32), more: Value) -> Episode {
    let (good, first, last) = nights;
    let mut episode = json!({
        "id": Digest::of(format!("{control}{id}{first}").as_bytes()).short(), "control": control, "test": 1, "kind": kind, "resource": id, "name": name,
        "last_good": good.map(|day| seen(day, &[])), "first_seen": seen(first, &[9]), "last_seen": seen(last, &[]), "because": because,
        "outcome": "open", "ended": null, "untold": 0, "waived": false, "again": false, "came_back": false, "redefined": false,
    });
    if let (Value::Object(episode), Value::Object(more)) = (&mut episode, more) {
        episode.extend(more);
    }
    serde_json::from_value(episode).expect("an episode")
}

pub(crate) fn episodes() -> Vec<Episode> {
    let request = ("github.pull_request", "github.com/example/web/pull/327", "web#327 =SUM(A1:A9) is wrong in the export");
    let key = "//iam.googleapis.com/projects/example-prod/serviceAccounts/backup-writer@example-prod.iam.gserviceaccount.com/keys/9d1f";
    let cluster = ("gcp.gke_cluster", "//container.googleapis.com/projects/example-prod/locations/europe-west3/clusters/prod-eu", "prod-eu");
    let branch = ("github.branch", "github.com/example/web/branches/main", "web, main");
    vec![
        episode("CHG-01", request, "merged by its author at 2026-11-18T16:41:09Z without any approval", (None, 18, 20), json!({})),
        episode(
            "GKE-02",
            cluster,
            "a node pool has public addresses",
            (None, 11, 12),
            json!({"outcome": "fixed", "ended": seen(13, &[11]), "redefined": true}),
        ),
        episode(
            "IAM-07",
            ("gcp.service_account_key", key, "backup-writer, key 9d1f"),
            "the key is 205 days old; 90 are allowed",
            (None, 11, 20),
            json!({"untold": 1}),
        ),
        episode("REP-03", branch, "needs 0 approvals", (Some(12), 13, 16), json!({"outcome": "fixed", "ended": seen(17, &[5]), "came_back": true})),
        episode("REP-03", branch, "needs 0 approvals", (Some(18), 19, 20), json!({"again": true, "waived": true})),
    ]
}
