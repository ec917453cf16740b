//! A made-up assessment of a made-up company: two weeks, ten due nights of which two were missed, every conclusion, changed definitions, an unchanged answer.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use proofline::model::assessment::DayAssurance;
use proofline::model::{
    Assessment, Body, Cited, Control, ControlAssessment, Counts, Criterion, Digest, Exchange, Finding, FindingStatus, Frequency, Headers, Observation,
    PageMark, Period, Population, Revalidation, RunId, RunSummary, Severity, SlotRow, SlotState, Verdict, WaivedFailures, WaiverUse,
};
use serde_json::{Value, json};

use super::sample_deviations::episodes;
use super::sample_tasks::{approvals, tasks};

const NIGHTS: [(u32, &str); 8] =
    [(11, "4be1c06d"), (12, "e07a9135"), (13, "1d5f82ce"), (16, "88c3ab40"), (17, "5a0e6f19"), (18, "c92d7b73"), (19, "07f4e1a8"), (20, "b3692d5c")];

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn period() -> Period {
    Period::new(at("2026-11-08T23:00:00Z"), at("2026-11-22T23:00:00Z")).expect("not empty")
}

pub(crate) fn run(day: u32) -> RunId {
    let (_, suffix) = NIGHTS.iter().find(|(night, _)| *night == day).expect("a night with a run");
    format!("202611{day:02}T020000Z-{suffix}").parse().expect("a run id")
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("the sample is of that type")
}

/// One made-up assessment.
pub(crate) fn assessment() -> Assessment {
    Assessment {
        entity: "Example Ltd".to_owned(),
        period: period(),
        time_zone: "Europe/Berlin".to_owned(),
        prepared_at: at("2026-11-20T08:30:00Z"),
        tool: "proofline 0.1.0".to_owned(),
        store: "file:evidence".to_owned(),
        scope: Some(read(json!({
            "github_organizations": ["example"], "issue_labels": ["compliance", "security-task"],
            "gcp_parents": [{"organization": "123456789012"}],
            "window": {"start": "2026-11-08T23:00:00Z", "end": "2026-11-20T02:00:00Z"},
        }))),
        scope_changes: vec![read(json!({
            "run": run(17), "at": "2026-11-17T02:00:00Z", "lines": ["label compliance came into scope", "Google Cloud projects/example-old went out of scope"],
        }))],
        controls: vec![gcp_access_review(), two_factor(), members(), pull_requests(), clusters(), keys(), branches(), buckets(), restore_tests()],
        criteria: criteria(),
        runs: NIGHTS.iter().map(|(day, _)| summary(*day)).collect(),
        populations: populations(),
        episodes: episodes(),
        remediation: BTreeMap::from([(Severity::Critical, 3), (Severity::High, 10), (Severity::Medium, 40)]),
        permissions: vec![read(json!({
            "cure": "Administration: read on the repository (token: repo of somebody who administers it)", "controls": ["REP-03"],
            "unseen": ["github.branch.binds_admins", "github.branch.required_approvals"], "observations": 3,
            "example": "repos/get-branch-protection for example/<b>vault</b> answered 404: Not Found",
        }))],
        evidence: evidence(),
        tasks: tasks(),
        waivers: waivers(),
        log: Some(read(json!({
            "origin": "example.com/evidence", "first_key": format!("example.com/evidence+0a1b2c3d+{}=", "A".repeat(43)),
            "size": 24, "root": format!("{}=", "B".repeat(43)),
        }))),
        days: NIGHTS.iter().enumerate().map(|(n, (day, _))| assured(n, summary(*day).started_at)).collect(),
    }
}

/// One that is used and renews another, the one that it renews, and one that nobody needed and that was declared after a run without it.
fn waivers() -> Vec<WaiverUse> {
    let used: Vec<RunId> = [16, 17, 18, 19, 20].map(run).to_vec();
    let common = json!({
        "control": "GKE-02", "resource": "*/clusters/staging-eu", "file": "controls/waivers.toml", "requested_by": "cloud-devops", "approved_by": "security-lead",
    });
    let of = |waiver: Value, use_of: Value| {
        let mut whole = json!({
            "standing": "in-force", "failures": 0, "runs": [], "days": [], "first_run": run(11), "first_declared_at": "2026-11-11T02:00:00Z", "retroactive": null,
            "renewed_by": [], "spans": ["2026-08-01", "2026-12-15"], "changed": [],
        });
        let mut both = common.clone();
        both.as_object_mut().expect("a table").extend(waiver.as_object().expect("a table").clone());
        whole["waiver"] = both;
        whole.as_object_mut().expect("a table").extend(use_of.as_object().expect("a table").clone());
        read(whole)
    };
    vec![
        of(
            json!({"id": "WVR-2026-002", "reason": "The old node pool has public addresses.", "approved_on": "2026-08-01", "expires_on": "2026-11-15", "ticket": "SEC-311"}),
            json!({"standing": "expired", "renewed_by": ["WVR-2026-004"]}),
        ),
        of(
            json!({
                "id": "WVR-2026-003", "control": "STO-01", "resource": "//storage.googleapis.com/example-public-site", "reason": "The site is public on purpose.",
                "approved_on": "2026-11-10", "expires_on": "2027-02-28", "ticket": "SEC-340",
            }),
            json!({"retroactive": run(16), "first_run": run(17), "first_declared_at": "2026-11-17T02:00:00Z", "spans": ["2026-11-10", "2027-02-28"]}),
        ),
        of(
            json!({
                "id": "WVR-2026-004", "reason": "The old node pool has public addresses until it is moved.", "compensating": "A firewall rule lets nobody in from outside.",
                "approved_on": "2026-11-16", "expires_on": "2026-12-15", "ticket": "https://tickets.example.com/SEC-338", "renews": "WVR-2026-002",
            }),
            json!({
                "failures": 5, "runs": used, "days": ["2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20"],
                "first_run": run(16), "first_declared_at": "2026-11-16T02:00:00Z",
            }),
        ),
    ]
}

/// The bucket is locked from the third night on.
fn assured(night: usize, at: DateTime<Utc>) -> DayAssurance {
    let (level, lacks) = match night {
        0 | 1 => ("L1", "storage that was locked all day: it is locked since 2026-11-10T09:00:00Z"),
        _ => ("L3", "a witness outside: no cosignature is stored that verifies"),
    };
    read(json!({"day": at.date_naive(), "runs": 1, "level": level, "lacks": lacks}))
}

fn criteria() -> Vec<Criterion> {
    let soc2 = "SOC 2 (Trust Services Criteria 2017)";
    let iso = "ISO/IEC 27001:2022 Annex A";
    [
        ("soc2:A1.2", soc2, "Backups and recovery are in place and watched"),
        ("soc2:A1.3", soc2, "Recovery procedures are tested"),
        ("soc2:CC6.1", soc2, "Logical access to information is restricted"),
        ("soc2:CC6.2", soc2, "Access is granted and removed in time"),
        ("soc2:CC6.3", soc2, "Access follows roles and least privilege"),
        ("soc2:CC7.2", soc2, "Anomalies are watched for"),
        ("soc2:CC7.4", soc2, "Incidents are handled by a defined procedure"),
        ("soc2:CC8.1", soc2, "Changes are authorised, tested and approved"),
        ("iso27001:A.5.15", iso, "Rules of access are set and applied"),
        ("iso27001:A.5.18", iso, "Access rights are granted, reviewed and removed"),
        ("iso27001:A.8.2", iso, "Privileged access is restricted and managed"),
        ("iso27001:A.8.13", iso, "Backups are kept and tested"),
        ("iso27001:A.8.20", iso, "Networks are secured"),
        ("iso27001:A.8.32", iso, "Changes follow change management"),
    ]
    .map(|(id, framework, title)| Criterion { id: id.parse().expect("a criterion"), framework: framework.to_owned(), title: title.to_owned() })
    .to_vec()
}

fn summary(day: u32) -> RunSummary {
    let started_at = at(&format!("2026-11-{day:02}T02:00:00Z"));
    let run = run(day);
    let manifest = Digest::of(run.as_str().as_bytes());
    let broken = day == 19;
    RunSummary {
        started_at,
        ended_at: started_at + TimeDelta::seconds(38 + i64::from(day % 7) * 4),
        trigger: "due".to_owned(),
        as_of: None,
        tool: "proofline 0.1.0".to_owned(),
        program: Some(Digest::of(b"this program")),
        identities: [("GitHub", "App 271828"), ("Google Cloud", "proofline@acme-audit.iam.gserviceaccount.com")]
            .map(|(system, who)| (system.to_owned(), who.to_owned()))
            .into(),
        object: format!("runs/{run}/manifest.json"),
        evaluation: format!("{run}-{}", manifest.short()),
        exchanges: 61 + day % 3,
        not_modified: if day == 11 {
            0
        } else if day == 20 {
            10
        } else {
            52
        },
        failed: if broken { 4 } else { 1 },
        partial: if broken { vec!["gcp.service_account_key".to_owned()] } else { Vec::new() },
        continues: (day == 20).then(|| self::run(19)),
        budget: read(json!({
            "sent": if broken { 77 } else if day == 20 { 19 } else { 61 + day % 3 }, "waited_ms": if broken { 61_400 } else { 0 },
            "unchanged": if day == 11 { 0 } else if day == 20 { 10 } else { 52 }, "taken_over": if day == 20 { 44 } else { 0 },
            "limits": {"core": {"limit": 5_000, "least": 4_940, "used": 9}, "graphql": {"limit": 5_000, "least": 4_871, "used": 129}},
        })),
        manifest,
        run,
    }
}

/// A control over the period: `states` has one letter a slot (p, w, f, u pass, waived, fail, undetermined; n not run; . pending; - before start).
fn control(definition: Value, states: &str, observations: Vec<Observation>) -> ControlAssessment {
    let control: Control = {
        let mut whole = definition;
        let digest = Digest::of(whole.to_string().as_bytes());
        whole["file"] = json!("controls/example.toml");
        whole["digest"] = json!(digest);
        for test in whole["tests"].as_array_mut().expect("tests") {
            test["examples"] = json!([]);
            if test.get("may_be_empty").is_none() {
                test["may_be_empty"] = json!(false);
            }
        }
        read(whole)
    };
    let slots = control.frequency.slots_in(period(), Tz::Europe__Berlin);
    assert_eq!(slots.len(), states.len(), "{}", control.id);
    let rows: Vec<_> = slots
        .into_iter()
        .zip(states.chars())
        .map(|(slot, letter)| {
            let state = state(letter);
            let ran = !matches!(state, SlotState::NotRun | SlotState::Pending | SlotState::BeforeStart);
            let inside = |day: &u32| ran && slot.period.contains(at(&format!("2026-11-{day:02}T02:00:00Z")));
            let runs: Vec<_> = NIGHTS.iter().map(|(day, _)| *day).filter(inside).map(run).collect();
            let runs = if control.frequency == Frequency::Daily { runs } else { runs.into_iter().take(1).collect() };
            SlotRow { slot, state, late: state == SlotState::Late, runs }
        })
        .collect();
    let findings = findings(&control, &rows, &observations);
    ControlAssessment {
        control,
        other_definitions: Vec::new(),
        definition_changes: Vec::new(),
        schedules: Vec::new(),
        slots: rows,
        findings,
        observations: observations.into(),
    }
}

fn state(letter: char) -> SlotState {
    match letter {
        'p' => SlotState::Pass,
        'w' => SlotState::Waived,
        'f' => SlotState::Fail,
        'u' => SlotState::Undetermined,
        'i' => SlotState::Partial,
        'l' => SlotState::Late,
        'n' => SlotState::NotRun,
        '.' => SlotState::Pending,
        _ => SlotState::BeforeStart,
    }
}

/// The newest finding counts the observations; an earlier one of another state moves its odd ones over.
fn findings(control: &Control, rows: &[SlotRow], observations: &[Observation]) -> Vec<(RunId, Finding)> {
    let mut counts = Counts::default();
    observations.iter().for_each(|seen| counts.add(seen.verdict));
    let ran: Vec<_> = rows.iter().flat_map(|row| row.runs.iter().map(move |run| (run, row.state))).collect();
    let newest = ran.last().map(|(_, state)| *state);
    let last = ran.len().saturating_sub(1);
    let found = |(index, (run, state)): (usize, (&RunId, SlotState))| {
        let odd = counts.fail + counts.undetermined;
        let calm = Counts { pass: counts.pass + odd + counts.waived, fail: 0, undetermined: 0, waived: 0, ..counts };
        let counts = match state {
            state if Some(state) == newest => counts,
            SlotState::Fail => Counts { fail: 1, pass: calm.pass.saturating_sub(1), ..calm },
            SlotState::Undetermined | SlotState::Partial => Counts { undetermined: 1, pass: calm.pass.saturating_sub(1), ..calm },
            _ => calm,
        };
        let status = match state {
            SlotState::Pass | SlotState::Late | SlotState::Waived => FindingStatus::Satisfied,
            SlotState::Fail => FindingStatus::NotSatisfied,
            _ => FindingStatus::Undetermined,
        };
        let reasons = match status {
            FindingStatus::Satisfied => Vec::new(),
            _ if index == last => reasons(observations),
            FindingStatus::NotSatisfied => vec![format!("{} of {} in scope fail", counts.fail, counts.in_scope())],
            FindingStatus::Undetermined => vec!["the source did not answer for one resource, after 5 attempts".to_owned()],
        };
        let by = |waived: u64| WaivedFailures { waiver: "WVR-2026-004".parse().expect("a waiver id"), failures: waived, names: vec!["staging-eu".to_owned()] };
        let waived_by = Some(counts.waived).filter(|waived| *waived > 0).map(by).into_iter().collect();
        let transient = status == FindingStatus::Undetermined && index != last;
        (run.clone(), Finding { control: control.id.clone(), status, counts, reasons, waived_by, transient })
    };
    ran.into_iter().enumerate().map(found).collect()
}

fn reasons(observations: &[Observation]) -> Vec<String> {
    let odd = observations.iter().filter(|seen| matches!(seen.verdict, Verdict::Fail | Verdict::Undetermined));
    odd.map(|seen| format!("{}: {}", seen.name, seen.because)).collect()
}

fn seen(control: &str, kind: &str, (resource, name): (String, String), (verdict, because): (Verdict, &str), evidence: &[u32]) -> Observation {
    Observation {
        control: control.parse().expect("a control id"),
        test: 1,
        kind: kind.into(),
        resource: resource.parse().expect("a resource id"),
        name: name.into(),
        verdict,
        because: because.into(),
        waiver: None,
        transient: false,
        evidence: evidence.into(),
    }
}

fn branches() -> ControlAssessment {
    use Verdict::{Fail, NotApplicable, Pass};
    let rows = [
        ("api", Pass, "2 approvals are required; 2 are asked for", 0_u32),
        ("billing", Fail, "1 approval is required; 2 are asked for", 12),
        ("charts", Pass, "2 approvals are required; 2 are asked for", 0),
        ("docs", Pass, "2 approvals are required; 2 are asked for", 0),
        ("infrastructure", Pass, "2 approvals are required; 2 are asked for", 0),
        ("legacy-portal", NotApplicable, "where is false: branch.is_default && !branch.repository_archived", 0),
        ("mobile", Fail, "0 approvals are required; 2 are asked for", 13),
        ("prototype-2019", NotApplicable, "where is false: branch.is_default && !branch.repository_archived", 0),
        ("web", Pass, "2 approvals are required; 2 are asked for", 0),
    ];
    let observations = rows.map(|(name, verdict, because, own)| {
        let id = (format!("github.com/example/{name}/refs/heads/main"), format!("example/{name} main"));
        let evidence = if own == 0 { vec![4, 5] } else { vec![4, 5, own] };
        seen("REP-03", "github.branch", id, (verdict, because), &evidence)
    });
    let mut control = control(
        json!({
            "id": "REP-03", "title": "Default branches accept only reviewed changes", "owner": "cloud-devops", "severity": "critical",
            "satisfies": ["soc2:CC8.1", "iso27001:A.8.32"], "frequency": "daily",
            "why": "A change that only its author has seen can carry a mistake, or intent, into production.",
            "fix": "Require pull requests with at least `approvals` approvals in the branch protection rule or ruleset of the default branch.",
            "parameters": {"approvals": 2},
            "tests": [{
                "population": "github.branch", "where": "branch.is_default && !branch.repository_archived",
                "require": "branch.required_approvals >= params.approvals &&\n!branch.allows_force_push",
                "because": "string(branch.required_approvals) + ' approvals are required; ' + string(params.approvals) + ' are asked for'",
            }],
        }),
        "--pppnnfffff..",
        observations.to_vec(),
    );
    let earlier = Digest::of(b"the definition that asked for one approval");
    control.definition_changes = vec![approvals(earlier, control.control.digest)];
    control.other_definitions = [11, 12, 13].map(|day| (run(day), earlier)).to_vec();
    control
}

fn two_factor() -> ControlAssessment {
    let id = ("github.com/example".to_owned(), "example".to_owned());
    control(
        json!({
            "id": "ACC-01", "title": "The organisation requires two-factor authentication", "owner": "security", "severity": "critical",
            "satisfies": ["soc2:CC6.1", "iso27001:A.5.15"], "frequency": "daily",
            "why": "A stolen password alone would open the source code.",
            "fix": "Organisation settings → Authentication security → Require two-factor authentication.",
            "parameters": {}, "tests": [{"population": "github.organization", "where": null, "require": "organization.two_factor_required", "because": null}],
        }),
        "--pppnnppppp..",
        vec![seen("ACC-01", "github.organization", id, (Verdict::Pass, ""), &[1])],
    )
}

fn members() -> ControlAssessment {
    let names = ["amara", "bjorn", "chiara", "deepak", "elif", "francois", "grace", "hiroshi", "ines", "jonas", "kofi", "lucia"];
    let rows = names.map(|name| {
        let unknown = matches!(name, "elif" | "kofi");
        let judged = if unknown {
            (Verdict::Undetermined, "the source left out member.two_factor (needs Members: read, as an owner of the organisation)")
        } else {
            (Verdict::Pass, "")
        };
        seen("ACC-04", "github.organization_member", (format!("github.com/example/{name}"), name.to_owned()), judged, &[2, 3])
    });
    control(
        json!({
            "id": "ACC-04", "title": "Every member has two-factor authentication enabled", "owner": "security", "severity": "high",
            "satisfies": ["soc2:CC6.1", "soc2:CC6.2", "iso27001:A.5.18"], "frequency": "daily",
            "why": "One account without a second factor is enough for an intruder.",
            "fix": "Ask the member to enable it, or remove the membership after a week.",
            "parameters": {}, "tests": [{"population": "github.organization_member", "where": "!member.is_bot", "require": "member.two_factor", "because": null}],
        }),
        "--uuunnuuuuu..",
        rows.to_vec(),
    )
}

fn pull_requests() -> ControlAssessment {
    let repositories = ["api", "billing", "infrastructure", "web"];
    let titles = [
        "Bump the base image",
        "Retry uploads on 503",
        "Move cron jobs to UTC",
        "Cache the price list",
        "Drop the old login",
        "=SUM(A1:A9) is wrong in the export",
    ];
    let rows = (0_usize..24).map(|index| {
        let repository = repositories[index % repositories.len()];
        let number = 310 + index;
        let name = format!("{repository}#{number} {}", titles[index % titles.len()]);
        let judged = if index == 17 {
            (Verdict::Fail, "merged by its author at 2026-11-18T16:41:09Z without any approval")
        } else {
            (Verdict::Pass, "1 approval by another person")
        };
        seen("CHG-01", "github.pull_request", (format!("github.com/example/{repository}/pull/{number}"), name), judged, &[6, 7])
    });
    control(
        json!({
            "id": "CHG-01", "title": "Every merged change was approved by somebody other than its author", "owner": "cloud-devops", "severity": "high",
            "satisfies": ["soc2:CC8.1", "iso27001:A.8.32"], "frequency": "daily",
            "why": "A rule on a branch says what should happen; the merged changes say what did.",
            "fix": "Review the change now, record the review on the pull request, and find out how the rule was bypassed.",
            "parameters": {}, "tests": [{
                "population": "github.pull_request", "where": "pull_request.base_is_default && !pull_request.author_is_bot",
                "require": "pull_request.independent_approvals >= 1",
                "because": "string(pull_request.independent_approvals) + ' approvals by another person'", "may_be_empty": true,
            }],
        }),
        "--plpnnppfff..",
        rows.collect(),
    )
}

fn keys() -> ControlAssessment {
    let rows = [
        ("backup-writer", "9d1f", Verdict::Fail, "the key is 214 days old; 90 are allowed"),
        ("ci-deployer", "30ac", Verdict::Pass, "the key is 12 days old; 90 are allowed"),
        ("grafana-reader", "77be", Verdict::Pass, "the key is 41 days old; 90 are allowed"),
    ];
    let observations = rows.map(|(account, key, verdict, because)| {
        let id = format!("//iam.googleapis.com/projects/example-prod/serviceAccounts/{account}@example-prod.iam.gserviceaccount.com/keys/{key}");
        seen("IAM-07", "gcp.service_account_key", (id, format!("{account}, key {key}")), (verdict, because), &[9])
    });
    control(
        json!({
            "id": "IAM-07", "title": "Service account keys are younger than 90 days", "owner": "cloud-devops", "severity": "high",
            "satisfies": ["soc2:CC6.1", "iso27001:A.8.2"], "frequency": "daily",
            "why": "A key that is never changed is a password that everybody who ever saw it still has.",
            "fix": "Replace the key by workload identity; where that is not possible, rotate it.",
            "parameters": {"max_age_days": 90}, "tests": [{
                "population": "gcp.service_account_key", "where": "key.user_managed", "require": "now - key.created_at < duration(string(params.max_age_days * 24) + 'h')",
                "because": "'the key is ' + string((now - key.created_at).getHours() / 24) + ' days old; ' + string(params.max_age_days) + ' are allowed'", "may_be_empty": true,
            }],
        }),
        "--fffnnfffif..",
        observations.to_vec(),
    )
}

fn buckets() -> ControlAssessment {
    let rows = ["example-backups", "example-evidence", "example-prod-assets", "example-terraform-state"].map(|name| {
        let id = (format!("//storage.googleapis.com/{name}"), name.to_owned());
        seen("STO-01", "gcp.bucket", id, (Verdict::Pass, "public access prevention is enforced, 0 public members"), &[10])
    });
    let mut control = control(
        json!({
            "id": "STO-01", "title": "Buckets cannot be opened to the public", "owner": "cloud-devops", "severity": "critical",
            "satisfies": ["soc2:CC6.1", "soc2:CC6.3", "iso27001:A.5.15"], "frequency": "daily",
            "why": "One wrong grant publishes everything in the bucket; enforced prevention makes the mistake impossible.",
            "fix": "Set public access prevention to enforced, or, where publishing is the purpose, add the bucket to `public_buckets`.",
            "parameters": {"public_buckets": []}, "tests": [{
                "population": "gcp.bucket", "where": "!(bucket.name in params.public_buckets)",
                "require": "bucket.public_access_prevention == 'enforced' && bucket.public_members.size() == 0",
                "because": "'public access prevention is ' + bucket.public_access_prevention", "may_be_empty": true,
            }],
        }),
        "--pppnnuuuuu..",
        rows.to_vec(),
    );
    let reason = "gcp.bucket is incomplete: listing the buckets of projects/example-sandbox answered 403 (needs storage.buckets.list on the project)";
    for (_, finding) in control.findings.iter_mut().skip(3) {
        finding.status = FindingStatus::Undetermined;
        finding.reasons = vec![reason.to_owned()];
        finding.transient = false;
    }
    control
}

fn clusters() -> ControlAssessment {
    let rows = ["prod-eu", "staging-eu"].map(|name| {
        let id = format!("//container.googleapis.com/projects/example-prod/locations/europe-west3/clusters/{name}");
        let judged =
            if name == "staging-eu" { (Verdict::Waived, "nodes have public addresses") } else { (Verdict::Pass, "private nodes, 2 authorised networks") };
        let mut seen = seen("GKE-02", "gcp.gke_cluster", (id, name.to_owned()), judged, &[11]);
        seen.waiver = (name == "staging-eu").then(|| "WVR-2026-004".parse().expect("a waiver id"));
        seen
    });
    control(
        json!({
            "id": "GKE-02", "title": "Cluster nodes have no public addresses", "owner": "cloud-devops", "severity": "high",
            "satisfies": ["soc2:CC6.1", "iso27001:A.8.20"], "frequency": "daily",
            "why": "A node with a public address is reachable by anybody who finds a hole in it.",
            "fix": "Recreate the node pool with private nodes behind Cloud NAT.",
            "parameters": {}, "tests": [
                {"population": "gcp.gke_cluster", "where": "cluster.status == 'RUNNING'", "require": "cluster.private_nodes", "because": "'private nodes'"},
                {"population": "gcp.gke_cluster", "where": null, "require": "cluster.authorized_networks.size() > 0", "because": null},
            ],
        }),
        "--ffpnnwwwww..",
        rows.to_vec(),
    )
}

fn restore_tests() -> ControlAssessment {
    let id = ("github.com/example/operations/issues/87".to_owned(), "operations#87 Restore test, week 46".to_owned());
    control(
        json!({
            "id": "TSK-04", "title": "The weekly restore test is done, evidenced and reviewed", "owner": "cloud-devops", "severity": "medium",
            "satisfies": ["soc2:A1.2", "soc2:A1.3", "iso27001:A.8.13"], "frequency": "weekly",
            "why": "A backup that was never restored is a hope.",
            "fix": "Restore the newest backup, attach the log to the issue, and ask a colleague to review it.",
            "parameters": {"label": "restore-test"}, "tests": [{
                "population": "github.issue", "where": "params.label in issue.labels", "require": "issue.state == 'closed' && issue.closed_by != issue.author", "because": null,
            }],
        }),
        "pp",
        vec![seen("TSK-04", "github.issue", id, (Verdict::Pass, "closed on 2026-11-13 by grace; opened by kofi"), &[8])],
    )
}

fn gcp_access_review() -> ControlAssessment {
    control(
        json!({
            "id": "ACC-12", "title": "Owners of Google Cloud projects are reviewed", "owner": "security", "severity": "medium",
            "satisfies": ["soc2:CC6.3", "iso27001:A.5.18"], "frequency": "monthly",
            "why": "People change teams; their rights stay until somebody looks.",
            "fix": "Review the list of owners and close the month's task.",
            "parameters": {}, "tests": [{"population": "gcp.iam_binding", "where": "binding.role == 'roles/owner'", "require": "binding.members.size() <= 3", "because": null}],
        }),
        ".",
        Vec::new(),
    )
}

fn populations() -> Vec<(RunId, Population)> {
    let rows = [
        json!({"kind": "gcp.bucket", "definition": "all buckets of every project below organizations/123456789012", "evidence": [10],
            "tallies": [{"tenant": "projects/example-prod", "count": 4, "second_source": "the source offers no count"}],
            "gaps": [{"cause": "forbidden", "detail": "listing the buckets of projects/example-sandbox answered 403", "cure": "storage.buckets.list on projects/example-sandbox"}]}),
        json!({"kind": "gcp.gke_cluster", "definition": "all clusters of every project below organizations/123456789012", "evidence": [11], "gaps": [],
            "tallies": [{"tenant": "projects/example-prod", "count": 2, "second_source": "the source offers no count"}, {"tenant": "projects/example-sandbox", "count": 0, "second_source": "the source offers no count"}]}),
        json!({"kind": "gcp.service_account_key", "definition": "all keys of every service account of every project below organizations/123456789012", "evidence": [9], "gaps": [],
            "tallies": [{"tenant": "projects/example-prod", "count": 3, "second_source": "the source offers no count"}]}),
        json!({"kind": "github.branch", "definition": "the default branch of every repository of the organisation example", "evidence": [4, 5], "gaps": [],
            "tallies": [{"tenant": "github.com/example", "count": 9, "second_count": 9, "second_source": "GET /orgs/example public_repos + total_private_repos"}]}),
        json!({"kind": "github.issue", "definition": "issues of the organisation example with a task label", "evidence": [8], "gaps": [],
            "tallies": [{"tenant": "github.com/example", "count": 1, "second_count": 1, "second_source": "GraphQL issues.totalCount"}]}),
        json!({"kind": "github.organization", "definition": "the organisation example", "evidence": [1], "gaps": [],
            "tallies": [{"tenant": "github.com/example", "count": 1, "second_count": 1, "second_source": "the configuration names it"}]}),
        json!({"kind": "github.organization_member", "definition": "all members of the organisation example", "evidence": [2, 3], "gaps": [],
            "tallies": [{"tenant": "github.com/example", "count": 12, "second_count": 12, "second_source": "GraphQL membersWithRole.totalCount"}]}),
        json!({"kind": "github.pull_request", "definition": "pull requests of the organisation example merged in the window", "evidence": [6, 7], "gaps": [],
            "tallies": [{"tenant": "github.com/example", "count": 24, "second_count": 24, "second_source": "search issueCount over the same window"}]}),
    ];
    rows.map(|row| (run(if row["kind"] == "github.issue" { 16 } else { 20 }), read(row))).to_vec()
}

/// The weekly control's newest run is that of the 16th, every other's that of the 20th.
fn evidence() -> Vec<Cited> {
    let github = "https://api.github.com";
    let orgs = format!("{github}/orgs/example");
    let rules = |name: &str| format!("{github}/repos/example/{name}/rules/branches/main?per_page=100");
    let rows = [
        ("orgs/get", "example", orgs.clone(), None),
        ("orgs/list-members", "example", format!("{orgs}/members?per_page=100&role=all"), Some(1)),
        ("orgs/list-members", "example 2fa_disabled", format!("{orgs}/members?filter=2fa_disabled&per_page=100"), Some(1)),
        ("graphql/repositories", "example", format!("{github}/graphql"), Some(1)),
        ("graphql/branch-rules", "example", format!("{github}/graphql"), Some(1)),
        ("graphql/pull-requests", "example", format!("{github}/graphql"), Some(1)),
        ("graphql/pull-requests", "example", format!("{github}/graphql"), Some(2)),
        ("issues/list-for-org", "example", format!("{orgs}/issues?filter=all&labels=security-task&state=all&per_page=100"), Some(1)),
        (
            "iam.projects.serviceAccounts.keys.list",
            "projects/example-prod",
            "https://iam.googleapis.com/v1/projects/example-prod/serviceAccounts/-/keys".to_owned(),
            None,
        ),
        (
            "storage.buckets.list",
            "projects/example-prod",
            "https://storage.googleapis.com/storage/v1/b?project=example-prod&projection=full".to_owned(),
            Some(1),
        ),
        (
            "container.projects.locations.clusters.list",
            "projects/example-prod",
            "https://container.googleapis.com/v1/projects/example-prod/locations/-/clusters".to_owned(),
            None,
        ),
        ("repos/get-branch-rules", "example/billing", rules("billing"), Some(1)),
        ("repos/get-branch-rules", "example/mobile", rules("mobile"), Some(1)),
        (
            "storage.buckets.list",
            "projects/example-sandbox",
            "https://storage.googleapis.com/storage/v1/b?project=example-sandbox&projection=full".to_owned(),
            Some(1),
        ),
    ];
    let last_page = |operation: &str, number: u32| PageMark { number, last: Some(operation != "graphql/pull-requests" || number == 2) };
    (1_u32..)
        .zip(rows)
        .map(|(n, (operation, subject, url, page))| {
            let exchange = exchange(n, (operation, subject), url, page.map(|number| last_page(operation, number)));
            let pack = format!("packs/2026-11/{}.zpack", Digest::of(b"a pack"));
            let body = Body { sha256: exchange.sha256, bytes: exchange.bytes, pack: pack.into(), offset: u64::from(n) * 700, length: 700 };
            Cited { run: run(if n == 8 { 16 } else { 20 }), exchange, body }
        })
        .collect()
}

fn exchange(n: u32, (operation, subject): (&str, &str), url: String, page: Option<PageMark>) -> Exchange {
    let sha256 = Digest::of(format!("{operation} {subject} {page:?}").as_bytes());
    let query = operation.starts_with("graphql/").then(|| Digest::of(operation.as_bytes()));
    let unchanged = matches!(n, 1 | 12);
    let refused = n == 14;
    let earlier = Revalidation { run: run(16), n, received_at: at("2026-11-16T02:00:04Z") };
    let status = if unchanged {
        304
    } else if refused {
        403
    } else {
        200
    };
    let sent_at = at(if n == 8 { "2026-11-16T02:00:01Z" } else { "2026-11-20T02:00:01Z" }) + TimeDelta::milliseconds(i64::from(n) * 830);
    Exchange {
        n,
        operation: operation.to_owned(),
        subject: subject.to_owned(),
        asked_by: vec![operation.split(['/', '.']).next().unwrap_or_default().to_owned()],
        method: if query.is_some() { proofline::model::Method::Post } else { proofline::model::Method::Get },
        api_version: url.contains("github").then(|| "2022-11-28".to_owned()),
        url,
        request_body: query,
        sent_at,
        took_ms: 90 + u64::from(n) * 7,
        attempts: 1,
        waited_ms: 0,
        status: Some(status),
        error: None,
        headers: Headers::from(&std::collections::BTreeMap::from([(
            "date".to_owned(),
            (sent_at + TimeDelta::seconds(3)).format("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        )])),
        sha256,
        bytes: 1_830 + u64::from(n) * 977,
        redacted: redacted(operation),
        page,
        revalidates: unchanged.then_some(earlier),
    }
}

fn redacted(operation: &str) -> Vec<String> {
    let places: &[&str] = match operation {
        "graphql/pull-requests" => &["/data/search/nodes/*/author/email", "/data/search/nodes/*/commits/nodes/*/commit/author/email"],
        "orgs/get" => &["/billing_email", "/email"],
        _ => &[],
    };
    places.iter().map(|place| (*place).to_owned()).collect()
}
