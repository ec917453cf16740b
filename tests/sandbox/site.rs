//! One installation's world as tests, the demonstration and the figures use it: a sandbox, the configuration that points to it, its weather, its known truth.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use crate::sandbox::behaviour::{self, Action, Behaviour, Fault};
use crate::sandbox::server::Sandbox;
use crate::sandbox::world::audit::ENTERPRISE;
use crate::sandbox::world::boards::BOARD;
use crate::sandbox::world::fates::Fate;
use crate::sandbox::world::releases::RELEASE_WORKFLOW;
use crate::sandbox::world::settings::Leaves;
use crate::sandbox::world::truth::{Truth, instant};
use crate::sandbox::world::{Plan, World};

/// How much there is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) repositories: usize,
    pub(crate) members: usize,
    pub(crate) projects: usize,
    /// Pull requests merged a night.
    pub(crate) changes: usize,
    pub(crate) tasks: usize,
}

impl Default for Size {
    fn default() -> Self {
        Self { repositories: 40, members: 12, projects: 8, changes: 6, tasks: 16 }
    }
}

/// A GitHub and a Google Cloud on loopback, with an organisation called `acme`.
pub(crate) struct Site {
    sandbox: Sandbox,
}

type Attributes = Map<String, Value>;

/// Whether GitHub's limits hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limits {
    Real,
    Off,
}

impl Site {
    /// The one credential that the sandbox's GitHub lets in.
    pub(crate) const TOKEN: &'static str = behaviour::TOKEN;

    /// When the first night's run starts: a Monday, two in the morning.
    pub(crate) fn first_night() -> DateTime<Utc> {
        Plan::default().start
    }

    /// A world for tests.
    pub(crate) fn small() -> Self {
        Self::sized(Size::default())
    }

    /// A world of a given size.
    pub(crate) fn sized(size: Size) -> Self {
        let Size { repositories, members, projects, changes, tasks } = size;
        let plan = Plan { repositories, members, projects, changes_per_night: changes, tasks, ..Plan::default() };
        Self { sandbox: Sandbox::start(World::new(plan), Behaviour::default()) }
    }

    /// A world of a given size, of whose repositories one in so many cannot be read.
    pub(crate) fn with_unreadable(size: Size, one_in: u64) -> Self {
        let site = Self::sized(size);
        let plan = site.sandbox.world().plan.clone();
        site.sandbox.serve_world(World::new(Plan { unreadable_every: Some(one_in), ..plan }));
        site
    }

    /// A small world, whose organisation leaves to its repositories all that GitHub Actions may do.
    pub(crate) fn with_open_actions() -> Self {
        let site = Self::small();
        let plan = site.sandbox.world().plan.clone();
        site.sandbox.serve_world(World::new(Plan { leaves: Leaves::All, ..plan }));
        site
    }

    /// The same organisation, to whose repositories something happens.
    pub(crate) fn befall(&self, fates: Vec<Fate>) {
        let plan = self.sandbox.world().plan.clone();
        self.sandbox.serve_world(World::new(Plan { fates, ..plan }));
    }

    /// The sandbox itself.
    pub(crate) fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// A `proofline.toml` that points here.
    pub(crate) fn configuration(&self) -> String {
        let (github, google) = (self.sandbox.github(), self.sandbox.google());
        let world = self.sandbox.world();
        let general = "entity = \"Acme Sandbox\"\ntime_zone = \"UTC\"\nstore = \"file:evidence\"\nfirst_window_days = 1\n";
        let labels: Vec<String> = world.issue_labels().map(|label| format!("\"{label}\"")).collect();
        let labels = labels.join(", ");
        let tenants = format!("organizations = [\"acme\"]\nenterprise = \"{ENTERPRISE}\"\nbase_url = \"{github}\"\n");
        let of_github = format!("[github]\n{tenants}issue_labels = [{labels}]\nrelease_workflows = [\"{RELEASE_WORKFLOW}\"]\nprojects = [{BOARD}]\n");
        let of_google = format!("[google]\norganizations = [\"{}\"]\nbase_url = \"{google}\"\n", world.google.organization);
        format!("{general}\n{of_github}\n{of_google}\n[limits]\nattempts = 2\nbody_mib = 16\n")
    }

    /// Lets nights pass.
    pub(crate) fn night(&self, night: usize) {
        let plan = self.sandbox.world().plan.clone();
        self.sandbox.serve_world(World::new(Plan { night: u32::try_from(night).unwrap_or(u32::MAX), ..plan }));
    }

    /// GitHub answers 502 to everything.
    pub(crate) fn github_down(&self) {
        self.sandbox.behave(Behaviour::default().with(Fault::always("/github/*", Action::Status(502))));
    }

    /// Nothing goes wrong.
    pub(crate) fn all_well(&self) {
        self.sandbox.behave(Behaviour::default());
    }

    /// How long each answer takes, and whether GitHub's limits hold (5,000 points an hour for REST and for GraphQL, 900 REST requests a minute).
    pub(crate) fn pace(&self, latency: Duration, limits: Limits) {
        let behaviour = match limits {
            Limits::Real => Behaviour { latency, per_minute: Some(900), ..Behaviour::default() },
            Limits::Off => Behaviour { latency, limit: u64::from(u32::MAX), ..Behaviour::default() },
        };
        self.sandbox.behave(behaviour);
    }

    /// One project in so many refuses everything that it is asked itself; their ids.
    pub(crate) fn refuse_one_in(&self, one_in: usize, behaviour: Behaviour) -> Vec<String> {
        let world = self.sandbox.world();
        let refused: Vec<String> = world.google.projects.iter().skip(one_in / 2).step_by(one_in).map(|project| project.id.clone()).collect();
        let fault = |id: &String| Fault::every(1, &format!("*/projects/{id}/*"), Action::Status(403));
        self.sandbox.behave(refused.iter().map(fault).fold(behaviour, Behaviour::with));
        refused
    }

    /// So many points of each of GitHub's limits in an hour; what was used before stays used.
    pub(crate) fn allow(&self, limit: u64) {
        self.sandbox.behave(Behaviour { limit, ..Behaviour::default() });
    }

    /// Answers given so far.
    pub(crate) fn answered(&self) -> usize {
        self.sandbox.counters().total
    }

    /// No request broke a vendor's contract. Where the contracts are missing this says nothing, except in CI, where they must be there.
    #[allow(clippy::disallowed_methods, reason = "CI says so in the environment")]
    pub(crate) fn assert_contracts_held(&self) {
        let violations = self.sandbox.violations();
        assert!(violations.is_empty(), "{}", violations.join("\n"));
        let checked = self.sandbox.holds_contracts() || std::env::var_os("CI").is_none();
        assert!(checked, "the vendors' contracts are missing: run tests/setup.sh");
    }

    /// The true (pass, fail, undetermined) of tonight's controls with their shipped parameters, worked out from the world's facts and not from its answers.
    pub(crate) fn expected_counts(&self) -> BTreeMap<String, (u64, u64, u64)> {
        let world = self.sandbox.world();
        let (truth, now) = (world.truth(), world.now());
        let (from, until) = (instant(now - TimeDelta::days(1)), instant(now));
        let tonight = |change: &Attributes| change["merged_at"].as_str().is_some_and(|at| from.as_str() <= at && at < until.as_str());
        let live = |branch: &Attributes| branch["repository_archived"] == false;
        // Who does not administer a repository does not see the classic rule of a protected branch, nor its security settings.
        let unseen_rule = |branch: &Attributes| branch["protected"] == true;
        let any = |_: &Attributes| true;
        let none = |_: &Attributes| false;
        let is_empty = |list: &Value| list.as_array().is_some_and(Vec::is_empty);
        let released = |repository: &Attributes| repository["archived"] == false && repository["latest_release_tag"] != Value::Null;
        let unarchived = |repository: &Attributes| repository["archived"] == false;
        let personal = |binding: &Attributes| binding["resource_type"] == "project" && binding["member_type"] == "user" && !truth.hides(&binding["resource"]);
        let basic = |role: &Value| matches!(role.as_str(), Some("roles/owner" | "roles/editor"));
        let by_groups = || {
            let of = |principal: &Attributes| principal.get("group_roles").and_then(Value::as_array).map(|roles| roles.iter().any(basic));
            let count = |wanted| truth.of("gcp.principal").filter(|(_, principal)| personal(principal) && of(principal) == wanted).count();
            [Some(false), Some(true), None].map(|wanted| u64::try_from(count(wanted)).unwrap_or(u64::MAX)).into()
        };
        let both = |one: (u64, u64, u64), other: (u64, u64, u64)| (one.0 + other.0, one.1 + other.1, one.2 + other.2);
        let labelled = |project: &Attributes| ["owner", "environment"].iter().all(|label| project["labels"].get(*label).is_some());
        let closed = |bucket: &Attributes| bucket["public_access_prevention"] == "enforced" && bucket["public_members"] == Value::Array(Vec::new());
        let scanned = |repository: &Attributes| repository["secret_scanning"] == "enabled" && repository["push_protection"] == "enabled";
        let counts = |kind: &str, meant: &dyn Fn(&Attributes) -> bool, unseen: &dyn Fn(&Attributes) -> bool, holds: &dyn Fn(&Attributes) -> bool| {
            truth.judged(kind, meant, unseen, holds)
        };
        let rows = [
            ("ORG-01", counts("github.organization", &any, &none, &|organization| organization["two_factor_required"] == true)),
            ("REP-02", counts("github.branch", &live, &none, &|branch| branch["protected"] == true)),
            ("REP-03", counts("github.branch", &live, &unseen_rule, &|branch| branch["required_approvals"].as_u64() >= Some(1))),
            ("REP-01", counts("github.repository", &unarchived, &none, &|repository| repository["properties"].get("classification").is_some())),
            ("REP-18", counts("github.repository", &released, &none, &|repository| repository["latest_release_tag_protected"] == true)),
            ("REP-20", counts("github.repository", &unarchived, &any, &|repository| repository["has_two_admins"] == true)),
            ("REP-21", counts("github.repository", &unarchived, &any, &|repository| is_empty(&repository["direct_writers"]))),
            ("CD-05", counts("github.workflow", &live, &none, &|workflow| is_empty(&workflow["unpinned_uses"]))),
            ("CD-06", counts("github.workflow", &live, &none, &|workflow| workflow["declares_permissions"] == true && workflow["writes_all"] == false)),
            ("CD-07", counts("github.workflow", &live, &none, &|workflow| workflow["checks_out_untrusted"] == false && is_empty(&workflow["injections"]))),
            ("CD-08", counts("github.workflow", &live, &none, &|workflow| is_empty(&workflow["static_cloud_keys"]))),
            ("CD-24", counts("github.workflow_run", &|run| run["in_window"] == true, &none, &|run| !is_empty(&run["merged_pull_requests"]))),
            ("VUL-10", counts("github.repository", &unarchived, &none, &|repository| repository["security_configuration_status"] == "enforced")),
            ("VUL-01", counts("github.repository", &unarchived, &none, &|repository| repository["dependabot_alerts"] == true)),
            ("VUL-03", counts("github.repository", &unarchived, &any, &scanned)),
            ("CHG-03", counts("github.pull_request", &tonight, &none, &|change| change["independent_approvals"].as_u64() >= Some(1))),
            ("IAM-03", both(counts("gcp.iam_binding", &personal, &none, &|binding| !basic(&binding["role"])), by_groups())),
            ("IAM-07", counts("gcp.service_account_key", &any, &none, &|key| key["key_type"] != "USER_MANAGED")),
            ("IAM-19", counts("gcp.project", &|project| project["state"] == "ACTIVE", &none, &labelled)),
            ("STO-01", counts("gcp.bucket", &any, &none, &closed)),
        ];
        rows.into_iter().chain(truth.of_people(now)).chain(truth.of_reviews(now)).map(|(control, counts)| (control.to_owned(), counts)).collect()
    }

    /// How many repositories are public.
    pub(crate) fn public_repositories(&self) -> usize {
        self.sandbox.world().truth().count("github.repository", |repository| repository["visibility"] == "PUBLIC")
    }
}

impl Truth {
    fn hides(&self, id: &Value) -> bool {
        id.as_str().is_some_and(|id| self.hidden.contains(id))
    }

    /// Of the people of the organisation and its audit log: controls with two tests are counted for both.
    fn of_people(&self, now: DateTime<Utc>) -> [(&'static str, (u64, u64, u64)); 5] {
        // The last hour of the log is the next night's.
        let (from, until) = (instant(now - TimeDelta::hours(25)), instant(now - TimeDelta::hours(1)));
        let done =
            |entry: &Attributes, action: &str| entry["action"] == action && entry["at"].as_str().is_some_and(|at| from.as_str() <= at && at < until.as_str());
        let counts = |kind: &str, meant: &dyn Fn(&Attributes) -> bool, holds: &dyn Fn(&Attributes) -> bool| self.judged(kind, meant, &|_| false, holds);
        let of_all = |kind: &str, holds: &dyn Fn(&Attributes) -> bool| counts(kind, &|_| true, holds);
        let both = |a: (u64, u64, u64), b: (u64, u64, u64)| (a.0 + b.0, a.1 + b.1, a.2 + b.2);
        let members = |holds: &dyn Fn(&Attributes) -> bool| of_all("github.organization_member", holds);
        let log = |holds: &dyn Fn(&Attributes) -> bool| of_all("github.audit_log", holds);
        let overridden = counts("github.audit_event", &|entry| done(entry, "protected_branch.policy_override"), &|_| false);
        let lowered = counts("github.audit_event", &|entry| done(entry, "protected_branch.destroy"), &|entry| entry["merges_within_hour"] == 0);
        [
            ("ORG-02", both(members(&|member| member["has_two_factor"] == true), members(&|member| member["insecure_second_factor"] == false))),
            ("ORG-04", both(of_all("github.organization", &|of| of["has_saml"] == true), members(&|member| member["sso_identity"] != Value::Null))),
            ("ORG-22", both(log(&|log| log["lost_days"] == 0), log(&|_| true))),
            ("ORG-24", counts("github.org_role_assignment", &|assignment| assignment["assignment"] != "indirect", &|_| false)),
            ("CHG-13", both(overridden, lowered)),
        ]
    }

    /// Of the review of access, whose task itself is well done.
    fn of_reviews(&self, now: DateTime<Utc>) -> [(&'static str, (u64, u64, u64)); 2] {
        let decisions = |entry: &Attributes| entry["decisions"].as_array().cloned().unwrap_or_default();
        let decided_once = |entry: &Attributes| decisions(entry).len() == 1 && entry.get("standing").is_some_and(|standing| standing != "stranger");
        let (pass, fail, undetermined) = self.judged("github.reviewed_access", &|_| true, &|_| true, &decided_once);
        let removed = |entry: &Attributes| {
            decisions(entry).into_iter().find(|row| row["decision"] == "remove").and_then(|row| row.get("at")?.as_str().map(str::to_owned))
        };
        let limit = |at: String| at.parse::<DateTime<Utc>>().map(|at| at + TimeDelta::hours(48));
        let owed = |entry: &Attributes| {
            removed(entry).is_some_and(|at| entry.get("is_there").is_some_and(|there| there == false) || limit(at).is_ok_and(|limit| now > limit))
        };
        let in_time = |entry: &Attributes| {
            let gone = entry.get("gone_at").and_then(Value::as_str).map(str::to_owned);
            removed(entry).zip(gone).is_some_and(|(at, gone)| limit(at).is_ok_and(|limit| gone <= instant(limit)))
        };
        [("TSK-13", (pass + 1, fail, undetermined)), ("TSK-14", self.judged("github.reviewed_access", &owed, &|_| true, &in_time))]
    }

    /// Pass, fail and undetermined over the resources that are `meant`; of a hidden one, nothing can be told where it is `unseen`.
    fn judged(
        &self,
        kind: &str,
        meant: &dyn Fn(&Attributes) -> bool,
        unseen: &dyn Fn(&Attributes) -> bool,
        holds: &dyn Fn(&Attributes) -> bool,
    ) -> (u64, u64, u64) {
        let mut counts = (0, 0, 0);
        for (id, attributes) in self.of(kind).filter(|(_, attributes)| meant(attributes)) {
            let count = match (self.hidden.contains(id) && unseen(attributes), holds(attributes)) {
                (true, _) => &mut counts.2,
                (false, true) => &mut counts.0,
                (false, false) => &mut counts.1,
            };
            *count += 1;
        }
        counts
    }
}
