//! `doctor`, end to end over the strict fake: each way in which a store does not keep evidence turns exactly its own check.
#![cfg(test)]

use std::collections::BTreeMap;
use std::fs;

use chrono::{DateTime, TimeDelta, Utc};
use proofline::cli::exit::Exit;
use proofline::model::Verdict;
use proofline::store::doctor::access::{AuditLogs, Binding, audit_configuration, bindings};
use proofline::store::doctor::bucket::{Expected, Inspection, judge};
use proofline::store::doctor::facts::read;
use proofline::store::doctor::retention::Asked;
use proofline::store::doctor::{Check, Unseen, is_write_once};
use serde_json::{Value, json};

use crate::cli::Bench;
use crate::gcs_store::{configuration, fake};
use crate::sandbox::gcs::bucket::Bucket;
use crate::sandbox::gcs::{FakeGcs, Fault, Verb};
use crate::sandbox::site::{Site, Size};

/// A well-kept bucket with a clock like the bench's.
fn kept() -> (Site, FakeGcs, Bench) {
    let (site, fake) = (Site::small(), fake());
    let bench = Bench::new(&configuration(&site, &fake));
    fake.bucket().now = bench.now;
    fake.bucket().retention = Some((400 * 86_400, true, bench.now - TimeDelta::days(30)));
    fake.bucket().step = TimeDelta::seconds(2);
    (site, fake, bench)
}

fn verdicts(document: &Value) -> BTreeMap<String, String> {
    let checks = document["checks"].as_array().expect("checks");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    checks.iter().map(|check| (text(&check["id"]), text(&check["verdict"]))).collect()
}

fn check<'a>(document: &'a Value, id: &str) -> &'a Value {
    document["checks"].as_array().expect("checks").iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("no check {id}"))
}

#[test]
fn a_well_kept_bucket_passes_everything_that_can_be_seen() {
    let (_site, fake, mut bench) = kept();
    let (exit, document) = bench.json(&["doctor"]);
    let others: Vec<_> = verdicts(&document).into_iter().filter(|(_, verdict)| verdict != "pass").collect();
    assert_eq!(others, ["audit-logs", "log", "permissions"].map(|id| (id.to_owned(), "undetermined".to_owned())), "{document:#}");
    assert_eq!((exit, &document["write_once"], document["checks"].as_array().map(Vec::len)), (Exit::Undetermined, &json!(true), Some(16)));
    assert!(
        check(&document, "audit-logs")["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("resourcemanager.projects.getIamPolicy") || detail.contains("40"))
    );
    // The trial left its object, which cannot be deleted, and nothing else.
    let bucket = fake.bucket();
    let names: Vec<_> = bucket.live.keys().collect();
    assert!(names.len() == 1 && names[0].starts_with("prod/doctor/"), "{names:?}");
    drop(bucket);
    assert_eq!(fake.violations(), Vec::<String>::new());

    let shown = bench.run(&["doctor", "--from", "2026-01-01"]);
    assert_eq!(shown.exit, Exit::NotSatisfied);
    assert!(shown.out.contains("276 days from 2026-01-01T00:00:00Z on are"), "{}", shown.out);
    assert!(shown.out.contains("16 checks: 12 pass, 1 fail, 3 undetermined") && shown.out.contains("Assurance stays at L1"), "{}", shown.out);
}

#[test]
fn each_weakness_turns_its_own_check() {
    type Weaken = fn(&mut Bucket);
    let weaknesses: &[(Weaken, &str, &str, &str)] = &[
        (|b| b.retention = b.retention.map(|(s, _, since)| (s, false, since)), "retention-lock", "fail", "can remove it"),
        (|b| b.retention = Some((3600, true, b.now - TimeDelta::days(9))), "retention-lock", "fail", "3600 seconds"),
        (|b| b.retention = Some((400 * 86_400, true, b.now + TimeDelta::hours(30))), "retention-start", "fail", "2 days from"),
        (|b| b.versioning = true, "versions", "fail", "versioning is on"),
        (|b| b.uniform_access = false, "access", "fail", "ACLs"),
        (|b| b.public_access_prevention = "inherited".to_owned(), "access", "fail", "\"inherited\""),
        (|b| b.lifecycle = json!({"rule": [{"action": {"type": "Delete"}, "condition": {"age": 399}}]}), "lifecycle", "fail", "after 399 days"),
        (|b| b.lifecycle = json!({"rule": [{"action": {"type": "Delete"}, "condition": {"isLive": false}}]}), "lifecycle", "fail", "whatever their age"),
        (|b| b.lifecycle = json!({"rule": [{"action": {"type": "Something"}}]}), "lifecycle", "fail", "whatever their age"),
        (|b| b.kms_key = Some("projects/p/locations/eu/keyRings/r/cryptoKeys/k".to_owned()), "encryption", "undetermined", "cryptoKeys/k"),
        (|b| b.bindings = json!([{"role": "roles/storage.objectAdmin", "members": ["user:ann@example.com"]}]), "grants", "fail", "ann@example.com"),
        (|b| b.bindings = json!([{"role": "roles/storage.objectViewer", "members": ["allUsers"]}]), "grants", "fail", "public"),
        (|b| b.bindings = json!([{"role": "projects/p/roles/mine", "members": ["user:ann@example.com"]}]), "grants", "undetermined", "roles/mine"),
        (|b| _ = b.permissions.insert("storage.objects.delete".to_owned()), "own-permissions", "fail", "storage.objects.delete"),
        (|b| _ = b.permissions.remove("storage.buckets.getIamPolicy"), "grants", "undetermined", "roles/iam.securityReviewer"),
        (|b| b.now -= TimeDelta::minutes(10), "clock", "fail", "ahead of"),
    ];
    for (weaken, id, verdict, detail) in weaknesses {
        let (_site, fake, mut bench) = kept();
        weaken(&mut fake.bucket());
        let (exit, document) = bench.json(&["doctor"]);
        let expected: BTreeMap<_, _> = [("audit-logs", "undetermined"), ("log", "undetermined"), ("permissions", "undetermined"), (*id, *verdict)]
            .into_iter()
            .map(|(id, verdict)| (id.to_owned(), verdict.to_owned()))
            .collect();
        let others: BTreeMap<_, _> = verdicts(&document).into_iter().filter(|(_, verdict)| verdict != "pass").collect();
        assert_eq!(others, expected, "{detail}: {document:#}");
        let found = check(&document, id);
        assert!(found["detail"].as_str().is_some_and(|text| text.contains(detail)) && found["cure"].is_string(), "{detail}: {found}");
        assert_eq!(exit, if *verdict == "fail" { Exit::NotSatisfied } else { Exit::Undetermined });
        assert_eq!(fake.violations(), Vec::<String>::new());
    }
}

#[test]
fn a_bucket_without_retention_is_caught_by_its_settings_and_by_the_trial() {
    let (_site, fake, mut bench) = kept();
    fake.bucket().retention = None;
    fake.bucket().soft_delete_seconds = 604_800;
    fake.bucket().permissions.insert("storage.objects.delete".to_owned());
    let (exit, document) = bench.json(&["doctor"]);
    let failed: Vec<_> = verdicts(&document).into_iter().filter(|(_, verdict)| verdict == "fail").map(|(id, _)| id).collect();
    assert_eq!(failed, ["no-delete", "own-permissions", "retention-lock", "retention-start"], "{document:#}");
    assert_eq!((exit, &document["write_once"]), (Exit::NotSatisfied, &json!(false)));
    // What the trial deleted is seen by the next doctor.
    let (_exit, document) = bench.json(&["doctor"]);
    assert_eq!(check(&document, "soft-deleted")["verdict"], "fail", "{document:#}");
    // Under versioning a deletion leaves a noncurrent version.
    fake.bucket().versioning = true;
    bench.json(&["doctor"]);
    let (_exit, document) = bench.json(&["doctor"]);
    assert!(check(&document, "versions")["detail"].as_str().is_some_and(|text| text.contains("1 noncurrent")), "{document:#}");
}

#[test]
fn the_lock_is_what_refuses_and_not_only_the_lack_of_a_permission() {
    let (_site, fake, mut bench) = kept();
    fake.bucket().permissions.insert("storage.objects.delete".to_owned());
    let (_exit, document) = bench.json(&["doctor"]);
    assert_eq!(check(&document, "no-delete")["verdict"], "pass");
    assert!(check(&document, "no-delete")["detail"].as_str().is_some_and(|text| text.contains("retention policy keeps it")), "{document:#}");
}

#[test]
fn a_service_that_lies_about_preconditions_is_caught() {
    let (_site, fake, mut bench) = kept();
    fake.bucket().honours_preconditions = false;
    fake.bucket().retention = None;
    fake.bucket().permissions.insert("storage.objects.delete".to_owned());
    let (exit, document) = bench.json(&["doctor"]);
    assert_eq!((exit, &check(&document, "create-once")["verdict"]), (Exit::NotSatisfied, &json!("fail")));
    assert_eq!(check(&document, "read-back")["verdict"], "fail", "the second object took the first one's place");
}

#[test]
fn what_cannot_be_seen_is_undetermined_and_never_a_pass() {
    let (_site, fake, mut bench) = kept();
    fake.bucket().permissions.clear();
    let (exit, document) = bench.json(&["doctor"]);
    assert_eq!(exit, Exit::Undetermined);
    // Asking which permissions one has needs none: there are none.
    let passed: Vec<_> = verdicts(&document).into_iter().filter(|(_, verdict)| verdict != "undetermined").map(|(id, _)| id).collect();
    assert_eq!(passed, ["own-permissions"], "{document:#}");
    assert!(check(&document, "retention-start")["detail"].as_str().is_some_and(|text| text.contains("--from") || text.contains("inspect")));
    assert!(check(&document, "create-once")["detail"].as_str().is_some_and(|text| text.contains("roles/storage.objectCreator")));
    fake.fault(Verb::Bucket, Fault::Status(404));
    let (exit, _document) = bench.json(&["doctor"]);
    assert_eq!(exit, Exit::Undetermined);
}

#[test]
fn a_directory_stays_at_l1_and_says_so() {
    let site = Site::small();
    let mut bench = Bench::new(&site.configuration());
    let (exit, document) = bench.json(&["doctor"]);
    assert_eq!((exit, &document["write_once"]), (Exit::NotSatisfied, &json!(false)));
    let verdicts = verdicts(&document);
    assert_eq!((verdicts["create-once"].as_str(), verdicts["read-back"].as_str(), verdicts["no-delete"].as_str()), ("pass", "pass", "fail"));
    assert!(check(&document, "no-delete")["detail"].as_str().is_some_and(|text| text.contains("L1")));
    let left = fs::read_dir(bench.folder.path().join("evidence/doctor")).expect("the trial's folder").count();
    assert_eq!(left, 0, "the trial deleted what it could delete");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let root = bench.folder.path().join("evidence");
        for (mode, expected) in [(0o755, "pass"), (0o775, "fail"), (0o777, "fail")] {
            fs::set_permissions(root.join("doctor"), fs::Permissions::from_mode(mode)).expect("changed");
            fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).expect("changed");
            fs::set_permissions(root.join(".tmp"), fs::Permissions::from_mode(0o755)).expect("changed");
            let (_exit, document) = bench.json(&["doctor"]);
            assert_eq!(check(&document, "others-may-write")["verdict"], expected, "{mode:o}");
        }
    }
}

#[test]
fn collect_refuses_a_bucket_that_is_locked_for_less_than_asked() {
    let (site, fake, _) = kept();
    let asking = |days: u32| format!("{}\n[retention]\ndays = {days}\n", configuration(&site, &fake));
    let refused = Bench::new(&asking(401)).run(&["collect", "--due"]);
    assert_eq!(refused.exit, Exit::Usage, "{}", refused.err);
    for text in ["[retention] in proofline.toml asks to keep evidence for 401 days", "locked for 400 days only", "--retention-period=401d"] {
        assert!(refused.err.contains(text), "{text}: {}", refused.err);
    }
    assert_eq!(fake.count(Verb::Upload), 0, "nothing is put into a bucket that is not good enough");

    let mut bench = Bench::new(&asking(400));
    fake.bucket().now = bench.now;
    let (_exit, document) = bench.json(&["doctor"]);
    assert!(check(&document, "retention-lock")["detail"].as_str().is_some_and(|text| text.contains("asks for 400 days")), "{document:#}");
    let done = bench.run(&["collect", "--due"]);
    assert!(done.exit == Exit::NotSatisfied && !done.err.contains("asks to keep"), "{}", done.err);

    fake.bucket().retention = None;
    bench.now += TimeDelta::days(1);
    let warned = bench.run(&["collect", "--due"]);
    assert!(warned.exit == Exit::NotSatisfied && warned.err.contains("warning: [retention] in proofline.toml asks"), "{}", warned.err);
}

#[test]
fn a_control_may_ask_for_more_than_the_configuration() {
    let (site, fake, _) = kept();
    let mut bench = Bench::new(&format!("controls = [\"mine.toml\"]\n{}\n[retention]\ndays = 30\n", configuration(&site, &fake)));
    let control = proofline::catalog::shipped::files().into_iter().find(|file| file.text.contains("id = \"REP-03\"")).expect("shipped").text;
    let mine = control.replacen("id = \"REP-03\"\n", "id = \"REP-03\"\nretention_days = 2555\n", 1);
    fs::write(bench.folder.path().join("mine.toml"), mine).expect("written");
    let refused = bench.run(&["collect", "--due"]);
    assert_eq!(refused.exit, Exit::Usage, "{}", refused.err);
    assert!(refused.err.contains("control REP-03 asks to keep evidence for 2555 days"), "{}", refused.err);
}

fn inspection(bucket: &Value) -> Inspection {
    Inspection {
        name: "acme-evidence".to_owned(),
        bucket: read(bucket).ok_or_else(|| Unseen("not a bucket".to_owned())),
        policy: Ok(Vec::new()),
        held: Ok(Vec::new()),
        noncurrent: Ok(0),
        soft_deleted: Ok(0),
        audit: Ok(AuditLogs { reads: true, writes: true }),
        skew: Ok(TimeDelta::zero()),
    }
}

fn verdict_of(checks: &[Check], id: &str) -> Verdict {
    checks.iter().find(|check| check.id == id).expect("the check").verdict
}

#[test]
fn a_setting_that_is_not_there_is_never_taken_for_a_good_one() {
    let at: DateTime<Utc> = "2026-11-23T02:00:00Z".parse().expect("an instant");
    let expected = Expected { from: Ok(at), asked: Some(Asked { days: 400, by: "[retention]".to_owned() }) };
    let mut bucket = Bucket::locked("acme-evidence", at).json();
    assert!(judge(&inspection(&bucket), &expected).iter().all(Check::holds));
    for (pointer, id, verdict) in [
        ("/retentionPolicy/effectiveTime", "retention-start", Verdict::Undetermined),
        ("/retentionPolicy/retentionPeriod", "retention-lock", Verdict::Undetermined),
        ("/retentionPolicy/isLocked", "retention-lock", Verdict::Fail),
        ("/iamConfiguration/publicAccessPrevention", "access", Verdict::Undetermined),
        ("/iamConfiguration/uniformBucketLevelAccess", "access", Verdict::Undetermined),
        ("/iamConfiguration", "access", Verdict::Undetermined),
        ("/retentionPolicy", "retention-lock", Verdict::Fail),
        ("/retentionPolicy", "retention-start", Verdict::Fail),
    ] {
        let mut without = bucket.clone();
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        without.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object").remove(key).expect("was there");
        assert_eq!(verdict_of(&judge(&inspection(&without), &expected), id), verdict, "{pointer}");
    }
    // An answer that is no bucket says nothing about one.
    for other in [json!({}), json!([]), json!({"kind": "storage#object"}), json!({"kind": "storage#bucket", "versioning": "off"})] {
        let checks = judge(&inspection(&other), &expected);
        assert_eq!(checks.iter().filter(|check| check.verdict == Verdict::Undetermined).count(), 6, "{other}");
        assert!(!is_write_once(&checks));
    }
    // What nobody could count is not zero.
    let mut seen = inspection(&bucket);
    seen.noncurrent = Err(Unseen("no".to_owned()));
    seen.soft_deleted = Err(Unseen("no".to_owned()));
    seen.skew = Err(Unseen("no".to_owned()));
    let checks = judge(&seen, &expected);
    assert!(["versions", "soft-deleted", "clock"].iter().all(|id| verdict_of(&checks, id) == Verdict::Undetermined));
    bucket["lifecycle"] = json!({"rule": [{"action": {"type": "SetStorageClass", "storageClass": "NEARLINE"}, "condition": {"age": 90}}, {"action": {"type": "Delete"}, "condition": {"age": 400}}]});
    assert_eq!(verdict_of(&judge(&inspection(&bucket), &expected), "lifecycle"), Verdict::Pass);
}

#[test]
fn policies_are_read_as_they_are_documented() {
    assert_eq!(bindings(&json!({"kind": "storage#policy", "etag": "CAE="})), Some(Vec::new()));
    assert_eq!(bindings(&json!({"kind": "storage#policy"})), None, "an answer without an etag is no policy");
    assert_eq!(bindings(&json!({"etag": "CAE=", "bindings": {}})), None);
    let granted = bindings(&json!({"etag": "CAE=", "bindings": [{"role": "roles/viewer", "members": ["user:a@example.com"], "condition": {"title": "t"}}]}));
    assert_eq!(granted, Some(vec![Binding { role: "roles/viewer".to_owned(), members: vec!["user:a@example.com".to_owned()] }]));

    let logs = |of: &Value| audit_configuration(&json!({"auditConfigs": of}));
    let both = json!([{"logType": "DATA_READ"}, {"logType": "DATA_WRITE"}]);
    for service in ["allServices", "storage.googleapis.com"] {
        assert_eq!(logs(&json!([{"service": service, "auditLogConfigs": both}])), AuditLogs { reads: true, writes: true });
    }
    assert_eq!(logs(&json!([{"service": "iam.googleapis.com", "auditLogConfigs": both}])), AuditLogs::default());
    let exempting = json!([{"logType": "DATA_READ", "exemptedMembers": ["user:a@example.com"]}, {"logType": "DATA_WRITE"}]);
    assert_eq!(logs(&json!([{"service": "allServices", "auditLogConfigs": exempting}])), AuditLogs { reads: false, writes: true });
    assert_eq!(audit_configuration(&json!({})), AuditLogs::default());
}

#[test]
fn what_the_credential_could_not_see_is_listed_with_what_to_grant() {
    let site = Site::sized(Size { repositories: 60, members: 10, projects: 2, changes: 3, tasks: 4 });
    let mut bench = Bench::new(&site.configuration());
    let (_, document) = bench.json(&["doctor"]);
    assert_eq!((&check(&document, "permissions")["verdict"], &document["permissions"]), (&json!("undetermined"), &json!([])));
    let told = bench.run(&["collect"]);
    let acts = |c: char| c != '\n' && proofline::model::unseen::is_invisible(c);
    assert!(told.out.contains("\\u{202e}") && !told.out.contains(acts) && !told.err.contains(acts), "a hostile name acts in the terminal: {:?}", told.out);
    let (exit, document) = bench.json(&["doctor"]);
    assert_eq!(check(&document, "permissions")["verdict"], "undetermined");
    assert_ne!(exit, Exit::Satisfied);
    // The sandbox's token does not administer every repository.
    let missing = document["permissions"].as_array().expect("rows");
    let row = missing.iter().find(|row| row["unseen"].as_array().is_some_and(|unseen| unseen.contains(&json!("github.repository.push_protection"))));
    let row = row.unwrap_or_else(|| panic!("{document:#}"));
    assert!(row["cure"].as_str().is_some_and(|cure| cure.contains("Administration: read on the repository")), "{row}");
    assert!(row["controls"].as_array().is_some_and(|controls| controls.contains(&json!("VUL-03"))), "{row}");
    assert!(row["observations"].as_u64().is_some_and(|observations| observations > 0) && row["example"].is_string(), "{row}");
    let shown = bench.run(&["doctor"]).out;
    assert!(shown.contains("WHAT TO GRANT") && shown.contains("VUL-03"), "{shown}");
    let report = bench.folder.path().join("report");
    bench.run(&["report", "--out", report.to_str().expect("UTF-8")]);
    let table = fs::read_to_string(report.join("permissions.csv")).expect("a table");
    assert!(table.contains("github.repository.push_protection") && table.contains("VUL-03"), "{table}");
    let page = fs::read_to_string(report.join("index.html")).expect("a page");
    assert!(page.contains("What to grant"), "the ledger is on page one");
}
