//! The recurring tasks of the sample: one that was done, one that was late, one that nobody did, one under way; and a definition that changed.

use proofline::model::{DefinitionChange, Digest, TaskRow};
use serde_json::{Value, json};

use super::sample::run;

fn slot(name: &str, standing: &str, (aspects, because): (&str, &[&str]), more: Value) -> TaskRow {
    let names = ["opened", "assigned", "on-time", "evidenced", "reviewed"];
    let verdict = |letter| match letter {
        'P' => "pass",
        'F' => "fail",
        _ => "not-applicable",
    };
    let aspects: Vec<Value> = names.into_iter().zip(aspects.chars()).map(|(name, letter)| json!([name, verdict(letter)])).collect();
    let (control, slot) = name.split_once(' ').expect("a control and a slot");
    let (starts_at, due) = if slot == "2026-W46" { ("2026-11-08T23:00:00Z", "2026-11-15T23:00:00Z") } else { ("2026-11-15T23:00:00Z", "2026-11-22T23:00:00Z") };
    let mut seen = json!({ "starts_at": starts_at, "ends_at": due, "due": due });
    if let (Value::Object(seen), Value::Object(more)) = (&mut seen, more) {
        seen.extend(more);
    }
    let row = json!({
        "control": control, "title": "A weekly duty of security", "slot": slot, "standing": standing, "because": because, "aspects": aspects,
        "seen": seen, "run": run(20), "exchanges": [4, 5],
    });
    serde_json::from_value(row).expect("a row")
}

pub(crate) fn tasks() -> Vec<TaskRow> {
    let issue = |number: u32| format!("https://github.com/example/security/issues/{number}");
    let list = Digest::of(b"the list of members").to_string();
    let file = |by: &str, at: &str| json!({ "kind": "attachment", "at": at, "by": by, "name": "members.csv", "sha256": list, "counts": true });
    vec![
        slot(
            "REV-01 2026-W46",
            "late",
            ("PPFPP", &["https://github.com/example/security/issues/47 was closed 2026-11-16T09:30:00Z, due 2026-11-15T23:00:00Z"]),
            json!({
                "issues": [issue(47), issue(48)], "opened_at": "2026-11-09T07:00:00Z", "opened_by": "grace", "assignees": ["=kofi<b>"],
                "first_assigned_at": "2026-11-09T07:00:00Z", "closed_at": "2026-11-16T09:30:00Z", "closed_by": "grace", "state_reason": "COMPLETED",
                "evidence": [
                    file("kofi", "2026-11-15T09:00:00Z"),
                    { "kind": "link_only", "at": "2026-11-15T09:00:00Z", "by": "kofi", "name": "https://docs.example.com/d/1", "sha256": null, "counts": false },
                ],
                "doers": ["kofi"], "reviewed_by": ["grace"],
            }),
        ),
        slot(
            "REV-01 2026-W47",
            "open",
            ("-----", &[]),
            json!({ "issues": [issue(52)], "opened_at": "2026-11-16T07:00:00Z", "opened_by": "grace", "assignees": ["kofi"] }),
        ),
        slot(
            "REV-02 2026-W46",
            "missed",
            (
                "F-F--",
                &[
                    "there is no issue with the label restore-test and 'Restore 2026-W46' in its title",
                    "nothing shows that it was done by 2026-11-15T23:00:00Z",
                ],
            ),
            json!({}),
        ),
        slot(
            "REV-03 2026-W46",
            "done",
            ("PPPPP", &[]),
            json!({
                "issues": [issue(41)], "opened_at": "2026-11-09T07:00:00Z", "opened_by": "grace", "assignees": ["kofi"], "first_assigned_at": "2026-11-09T07:00:00Z",
                "closed_at": "2026-11-12T10:00:00Z", "closed_by": "grace", "state_reason": "COMPLETED", "open_boxes": 0, "edits_after_close": 0,
                "evidence": [file("kofi", "2026-11-12T09:00:00Z")], "doers": ["kofi"], "reviewed_by": ["grace"],
            }),
        ),
    ]
}

/// From one approval to two.
pub(crate) fn approvals(from: Digest, to: Digest) -> DefinitionChange {
    let counts = |pass: u32, fail: u32| json!({ "pass": pass, "fail": fail, "waived": 0, "not_applicable": 2, "undetermined": 0 });
    let change = json!({
        "run": run(16), "at": "2026-11-16T02:00:00Z", "from": from, "to": to,
        "parts": [
            { "part": "parameter approvals", "before": "1", "after": "2" },
            { "part": "test 1 because", "before": null, "after": "string(branch.required_approvals) + ' approvals are required; ' + string(params.approvals) + ' are asked for'" },
        ],
        "before": [run(13), "satisfied", counts(7, 0)], "after": [run(16), "not-satisfied", counts(5, 2)],
    });
    serde_json::from_value(change).expect("a change")
}
