//! Settings of repositories that follow from what they are: how they are classified, who administers them, what they released.

use chrono::{DateTime, TimeDelta, Utc};

use crate::sandbox::world::World;
use crate::sandbox::world::people::Person;
use crate::sandbox::world::protection::Rule;
use crate::sandbox::world::repositories::{Repository, Visibility};

/// The one security configuration: its number and name.
pub(crate) const CONFIGURATION: (u64, &str) = (17, "Baseline");

/// The actions that may run beside GitHub's own.
const CHOSEN_ACTIONS: &[&str] = &["acme/*", "google-github-actions/auth@*"];

/// What an organisation or a repository says of GitHub Actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Actions {
    /// all, local_only or selected; none where Actions are off.
    pub(crate) allowed: &'static str,
    pub(crate) pinned: bool,
    /// The actions that were chosen, where they are what decides.
    pub(crate) chosen: Option<&'static [&'static str]>,
    /// read or write.
    pub(crate) token: &'static str,
    pub(crate) approves: bool,
}

/// What the organisation leaves to its repositories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaves {
    /// Whether they take actions by the SHA of a commit only.
    Pinning,
    /// Everything.
    All,
}

impl Leaves {
    /// The organisation's own policy.
    pub(crate) fn actions(self) -> Actions {
        match self {
            Self::Pinning => Actions { allowed: "selected", pinned: false, chosen: Some(CHOSEN_ACTIONS), token: "read", approves: false },
            Self::All => Actions { allowed: "all", pinned: false, chosen: None, token: "write", approves: true },
        }
    }
}

/// Pinned, with a token that may only read.
const CI: &str = "name: CI\non: [push, pull_request]\npermissions:\n  contents: read\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n      - run: make test\n";
/// Not pinned, with a long-lived key.
const DEPLOY: &str = "on:\n  push:\n    branches: [main]\njobs:\n  deploy:\n    permissions: write-all\n    steps:\n      - uses: google-github-actions/auth@v2\n        with:\n          credentials_json: ${{ secrets.GCP_SA_KEY }}\n";
/// What no workflow should do.
const TRIAGE: &str = "on: pull_request_target\njobs:\n  greet:\n    steps:\n      - uses: actions/checkout@v4\n        with:\n          ref: ${{ github.event.pull_request.head.sha }}\n      - run: echo ${{ github.event.pull_request.title }}\n";

impl Repository {
    /// The files of its default branch.
    pub(crate) fn files(&self) -> &'static [&'static str] {
        if self.id.is_multiple_of(6) { &["README.md", "tools/setup.exe"] } else { &["README.md"] }
    }

    /// The value of the custom property `classification`; none where it is not set.
    pub(crate) fn classification(&self) -> Option<&'static str> {
        match self.name.split('-').next() {
            Some("deploy" | "infra") => Some("deploy"),
            Some("docs") => None,
            _ => Some("soc2-scoped"),
        }
    }

    /// How the security configuration is attached; none where it never was.
    pub(crate) fn configuration(&self) -> Option<&'static str> {
        match self.id % 10 {
            0 => None,
            1 => Some("removed"),
            2 => Some("failed"),
            _ => Some("enforced"),
        }
    }

    /// The languages of its code.
    pub(crate) fn languages(&self) -> &'static [&'static str] {
        if self.classification().is_none() || self.empty { &[] } else { &["Go", "TypeScript"] }
    }

    /// When its default branch was last scanned; none where it never was.
    pub(crate) fn last_scan(&self, world: &World) -> Option<DateTime<Utc>> {
        (!self.id.is_multiple_of(5)).then(|| world.plan.instant(0) - TimeDelta::days(i64::try_from(self.id % 9).unwrap_or_default()))
    }

    /// Whether it takes reports in private; none where it is not public.
    pub(crate) fn takes_reports(&self) -> Option<bool> {
        (self.visibility == Visibility::Public).then_some(self.security_policy)
    }

    /// The tag of the latest release, where there is one.
    pub(crate) fn latest_tag(&self) -> Option<&'static str> {
        (self.id.is_multiple_of(4) && !self.empty).then_some("v1.2.0")
    }

    /// The rules that hold for that tag.
    pub(crate) fn tag_rules(&self) -> &'static [Rule] {
        if self.id.is_multiple_of(8) { &[Rule::Deletion, Rule::Update] } else { &[] }
    }

    /// What it makes of what the organisation leaves to it.
    pub(crate) fn actions(&self, left: Leaves) -> Actions {
        let pinned = self.id.is_multiple_of(2);
        let (allowed, chosen) = match (left, self.id % 5) {
            (Leaves::All, _) if self.id.is_multiple_of(7) => ("none", None),
            (Leaves::Pinning, _) | (Leaves::All, 0 | 1) => ("selected", Some(CHOSEN_ACTIONS)),
            (Leaves::All, 2) => ("selected", Some(["*"].as_slice())),
            (Leaves::All, 3) => ("local_only", None),
            (Leaves::All, _) => ("all", None),
        };
        match left {
            Leaves::Pinning => Actions { allowed, pinned, chosen, ..left.actions() },
            Leaves::All => {
                let token = if self.id.is_multiple_of(3) { "write" } else { "read" };
                Actions { allowed, pinned, chosen, token, approves: self.id % 4 == 1 }
            }
        }
    }

    /// The files of `.github/workflows`, with their texts.
    pub(crate) fn workflows(&self) -> Vec<(&'static str, &'static str)> {
        let files = [("ci.yml", CI), ("deploy.yaml", DEPLOY), ("triage.yml", TRIAGE)];
        let some = files.into_iter().take(usize::try_from(self.id % 4).unwrap_or_default());
        let release = self.releases_itself().then_some(("release.yml", CI));
        some.chain(release).filter(|_file| !self.empty).collect()
    }

    /// Who has access otherwise than from above, with the permission, and whether through a team.
    pub(crate) fn assigned(&self, world: &World) -> Vec<(Person, &'static str, bool)> {
        let through_team = !self.id.is_multiple_of(3);
        let admins = if self.id.is_multiple_of(5) { 1 } else { 3 };
        (0..world.members.len().min(admins)).map(|index| (Person::Member(index), "ADMIN", through_team)).collect()
    }
}
