//! `proofline.toml`: what to look at, where evidence goes, and how hard to try.
//!
//! Left out: credentials, which never come from a file, and paths' meaning: they are relative to the file, and `cli` knows where that is.

mod boards;
mod log;
mod redaction;
mod urls;

pub use redaction::RedactionSettings;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use chrono_tz::Tz;
use toml::de::DeTable;

use crate::catalog::mistake::Mistakes;
use crate::catalog::overrides::{ControlOverrides, Overrides};
use crate::catalog::page::{Node, Page, Section, shown};
use crate::catalog::source::SourceFile;
use crate::catalog::suggest;
use crate::catalog::value;
use crate::model::{Boards, ControlId, GcpParent, Severity};

pub use log::{AuthoritySettings, LogSettings, WitnessSettings};

/// A commented `proofline.toml` to start from; it loads once an organisation, folder or project is filled in.
pub const STARTER: &str = include_str!("starter.toml");

/// The whole configuration, defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Whom the report is about; none where the file does not say.
    pub entity: Option<String>,
    /// The audit calendar's time zone.
    pub time_zone: Tz,
    /// Where evidence is kept, e.g. `file:evidence` or `gs://bucket/folder`; a relative path is relative to the configuration file.
    pub store: String,
    /// How a store in Cloud Storage is reached.
    pub storage: StorageSettings,
    /// How evidence is sealed, and who observes it.
    pub log: LogSettings,
    /// How many days the store must keep evidence, whoever wants it gone; none where nothing is asked of it.
    pub retention_days: Option<u32>,
    /// Directories and files of the user's own controls, relative to the configuration file; none means the shipped catalogue.
    pub controls: Option<Vec<String>>,
    /// Directories and files of waivers, beside the user's own controls or the shipped ones.
    pub waivers: Vec<String>,
    /// How many days back the first run looks for merged changes.
    pub first_window_days: u32,
    /// What to look at on GitHub.
    pub github: GitHubSettings,
    /// What to look at in Google Cloud.
    pub google: GoogleSettings,
    /// How hard to try.
    pub limits: Limits,
    /// Within how many days a failure has to be cured, by severity.
    pub remediation: BTreeMap<Severity, u32>,
    /// What is taken out of answers before they are kept.
    pub redaction: RedactionSettings,
    /// Attributes whose changes `diff` counts and does not show, e.g. `github.repository.pushed_at` or `*.updated_at`.
    pub diff_masks: BTreeSet<String>,
    /// Parameters that replace those of the controls.
    pub parameters: Overrides,
}

/// `[github]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitHubSettings {
    /// Logins, sorted.
    pub organizations: Vec<String>,
    /// The slug of the enterprise that they belong to; none where they belong to none, or nobody said.
    pub enterprise: Option<String>,
    /// The REST API's base, without a slash at the end.
    pub base_url: String,
    /// Issues with one of these labels are tasks; sorted.
    pub issue_labels: Vec<String>,
    /// The files of the workflows that release; sorted, empty where nobody said.
    pub release_workflows: Vec<String>,
    /// The boards that say where work stands.
    pub boards: Boards,
}

/// `[google]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoogleSettings {
    /// Organisations, folders and projects, sorted.
    pub parents: Vec<GcpParent>,
    /// The APIs' base with `{service}` in it, without a slash at the end.
    pub base_url: String,
    /// The service account to read as; none for the credentials themselves.
    pub impersonate: Option<String>,
    /// The project whose quota is used; none where the credentials say, or are a service account's own.
    pub quota_project: Option<String>,
}

/// `[storage]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageSettings {
    /// The base of Cloud Storage, without a slash at the end.
    pub base_url: String,
    /// The service account to write evidence as; none for the credentials themselves.
    pub impersonate: Option<String>,
}

/// `[limits]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests under way at the same time.
    pub concurrency: u32,
    /// Seconds that one attempt may take.
    pub timeout_seconds: u32,
    /// Mebibytes that one body may have.
    pub body_mib: u32,
    /// Attempts for one request.
    pub attempts: u32,
    /// Minutes that one run may wait for a rate limit.
    pub max_wait_minutes: u32,
    /// GitHub REST requests in any 60 seconds, 0 for no bound; none leaves it to the server: 800 for one that is not on this machine.
    pub github_per_minute: Option<u32>,
    /// Requests to each of Google's services in any 60 seconds, 0 for no bound; none leaves it to the service: what is documented for one that is not on this machine.
    pub google_per_minute: Option<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { concurrency: 16, timeout_seconds: 60, body_mib: 64, attempts: 5, max_wait_minutes: 60, github_per_minute: None, google_per_minute: None }
    }
}

const KEYS: &[&str] = &[
    "entity",
    "time_zone",
    "store",
    "storage",
    "log",
    "redaction",
    "retention",
    "controls",
    "waivers",
    "first_window_days",
    "github",
    "google",
    "limits",
    "remediation",
    "diff",
    "parameters",
];

/// Reads the configuration.
///
/// # Errors
/// Every mistake in the file.
pub fn settings(file: &SourceFile) -> Result<Settings, Mistakes> {
    let (mut page, table) = Page::open(file);
    let settings = read(&mut page, &table);
    Mistakes(page.finish()).split()?;
    Ok(settings)
}

/// The settings; where a value has a mistake, its default, which is never used since the mistake stops the load.
fn read(page: &mut Page<'_>, table: &DeTable<'_>) -> Settings {
    let root = Section::root(page, table, "the configuration", KEYS);
    let github = github(page, &root);
    let google = google(page, &root);
    if !names_something(&root) {
        let help = "write organizations = [\"your-login\"] under [github], or organizations, folders or projects under [google]";
        page.absent(root.key_at("github"), "there is nothing to look at", help.to_owned());
    }
    Settings {
        entity: root.get("entity").and_then(|node| value::line(page, node, "entity")).map(Cow::into_owned),
        time_zone: root.get("time_zone").and_then(|node| time_zone(page, node)).unwrap_or(Tz::UTC),
        store: root.get("store").and_then(|node| urls::store(page, node)).unwrap_or_else(|| "file:evidence".to_owned()),
        storage: storage(page, &root),
        log: log::read(page, &root),
        retention_days: root
            .get("retention")
            .and_then(|node| Section::of(page, node, "[retention]", &["days"]))
            .and_then(|section| number(page, &section, "days", value::RETENTION_DAYS)),
        controls: root.get("controls").map(|node| control_paths(page, node)),
        waivers: root.get("waivers").map(|node| texts(page, node, "waivers")).unwrap_or_default(),
        first_window_days: number(page, &root, "first_window_days", 1..=366).unwrap_or(30),
        github,
        google,
        limits: limits(page, &root),
        remediation: remediation(page, &root),
        redaction: redaction::read(page, &root),
        diff_masks: diff_masks(page, &root),
        parameters: parameters(page, &root),
    }
}

/// True where an organisation, folder or project is named, rightly or not.
fn names_something(root: &Section<'_, '_>) -> bool {
    let lists = [("github", "organizations"), ("google", "organizations"), ("google", "folders"), ("google", "projects")];
    let named = |(table, key): (&str, &str)| root.get(table)?.get_ref().get(key)?.get_ref().as_array().map(|items| !items.is_empty());
    lists.into_iter().any(|list| named(list).unwrap_or(false))
}

fn time_zone(page: &mut Page<'_>, node: Node<'_, '_>) -> Option<Tz> {
    let given = value::line(page, node, "time_zone")?;
    let zone = given.parse::<Tz>().ok();
    if zone.is_none() {
        let near = suggest::nearest(&given, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
        let help = near.map_or_else(|| "write an IANA name, e.g. Europe/Berlin or UTC".to_owned(), |near| format!("did you mean \"{near}\"?"));
        page.error(node.span(), format!("there is no time zone \"{}\"", shown(&given)), help);
    }
    zone
}

fn github(page: &mut Page<'_>, root: &Section<'_, '_>) -> GitHubSettings {
    let keys = &["organizations", "enterprise", "base_url", "issue_labels", "release_workflows", "projects", "due_field"];
    let section = root.get("github").and_then(|node| Section::of(page, node, "[github]", keys));
    let mut settings = GitHubSettings {
        organizations: Vec::new(),
        enterprise: None,
        base_url: "https://api.github.com".to_owned(),
        issue_labels: vec!["security-task".to_owned()],
        release_workflows: Vec::new(),
        boards: Boards::default(),
    };
    let Some(section) = section else { return settings };
    settings.organizations = names(page, &section, "organizations", &LOGIN);
    settings.enterprise = section.get("enterprise").and_then(|node| name(page, node, "enterprise", &ENTERPRISE));
    if let Some(url) = section.get("base_url").and_then(|node| urls::base(page, node, urls::Service::GitHub)) {
        settings.base_url = url;
    }
    if let Some(node) = section.get("issue_labels") {
        settings.issue_labels = texts(page, node, "issue_labels");
        settings.issue_labels.sort();
        settings.issue_labels.dedup();
    }
    settings.release_workflows = names(page, &section, "release_workflows", &WORKFLOW);
    settings.boards = boards::read(page, &section, &settings.organizations);
    settings
}

fn google(page: &mut Page<'_>, root: &Section<'_, '_>) -> GoogleSettings {
    let keys = &["organizations", "folders", "projects", "base_url", "impersonate", "quota_project"];
    let section = root.get("google").and_then(|node| Section::of(page, node, "[google]", keys));
    let mut settings = GoogleSettings { parents: Vec::new(), base_url: "https://{service}.googleapis.com".to_owned(), impersonate: None, quota_project: None };
    let Some(section) = section else { return settings };
    let organizations = names(page, &section, "organizations", &NUMBER).into_iter().map(GcpParent::Organization);
    settings.parents.extend(organizations);
    settings.parents.extend(names(page, &section, "folders", &NUMBER).into_iter().map(GcpParent::Folder));
    settings.parents.extend(names(page, &section, "projects", &PROJECT).into_iter().map(GcpParent::Project));
    if let Some(url) = section.get("base_url").and_then(|node| urls::base(page, node, urls::Service::Placeholder)) {
        settings.base_url = url;
    }
    settings.impersonate = section.get("impersonate").and_then(|node| name(page, node, "impersonate", &ACCOUNT));
    settings.quota_project = section.get("quota_project").and_then(|node| name(page, node, "quota_project", &PROJECT));
    settings
}

fn storage(page: &mut Page<'_>, root: &Section<'_, '_>) -> StorageSettings {
    let mut settings = StorageSettings { base_url: "https://storage.googleapis.com".to_owned(), impersonate: None };
    let Some(section) = root.get("storage").and_then(|node| Section::of(page, node, "[storage]", &["base_url", "impersonate"])) else { return settings };
    if let Some(url) = section.get("base_url").and_then(|node| urls::base(page, node, urls::Service::Storage)) {
        settings.base_url = url;
    }
    settings.impersonate = section.get("impersonate").and_then(|node| name(page, node, "impersonate", &ACCOUNT));
    settings
}

/// A sort of name that goes into request paths, so that nothing else may.
struct Name {
    what: &'static str,
    valid: fn(&str) -> bool,
    help: &'static str,
}

const LOGIN: Name = Name {
    what: "a GitHub login",
    valid: |name| (1..=39).contains(&name.len()) && !name.starts_with('-') && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'),
    help: "write it as in github.com/LOGIN, e.g. \"acme\"",
};
const ENTERPRISE: Name = Name { what: "the slug of an enterprise", valid: LOGIN.valid, help: "write it as in github.com/enterprises/SLUG, e.g. \"acme-inc\"" };
const WORKFLOW: Name = Name {
    what: "the file of a workflow",
    valid: |name| {
        let file = name.strip_prefix(".github/workflows/").unwrap_or_default();
        let stem = file.strip_suffix(".yml").or_else(|| file.strip_suffix(".yaml")).unwrap_or_default();
        !stem.is_empty() && file.len() <= 255 && !file.contains('/')
    },
    help: "write its path in the repository, e.g. \".github/workflows/release.yml\"",
};
const NUMBER: Name = Name {
    what: "the number of an organisation or folder",
    valid: |name| (1..=25).contains(&name.len()) && name.chars().all(|c| c.is_ascii_digit()),
    help: "write the digits only, as `gcloud organizations list` prints them, e.g. \"123456789012\"",
};
const PROJECT: Name = Name {
    what: "a project id",
    valid: |name| {
        // Projects of a domain are `example.com:name`.
        let id = name.rsplit_once(':').map_or(name, |(_, id)| id);
        name.len() <= 120
            && (4..=30).contains(&id.len())
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | ':'))
    },
    help: "write the id, not the name or number, e.g. \"acme-prod\"",
};

const ACCOUNT: Name = Name {
    what: "the address of a service account",
    valid: |name| {
        let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.'));
        name.len() <= 200 && name.split_once('@').is_some_and(|(id, domain)| plain(id) && plain(domain) && domain.ends_with(".gserviceaccount.com"))
    },
    help: "write it in full, e.g. \"evidence@acme-audit.iam.gserviceaccount.com\"",
};

const MASK: Name = Name {
    what: "an attribute",
    valid: |name| name.rsplit_once('.').is_some_and(|(kind, attribute)| !kind.is_empty() && !attribute.is_empty() && name.len() <= 120),
    help: "write the kind or *, a dot and the attribute, e.g. \"github.repository.pushed_at\" or \"*.updated_at\"",
};

/// One name.
fn name(page: &mut Page<'_>, node: Node<'_, '_>, key: &str, sort: &Name) -> Option<String> {
    let given = value::line(page, node, key)?;
    if (sort.valid)(&given) {
        return Some(given.into_owned());
    }
    page.error(node.span(), format!("\"{}\" is not {}", shown(&given), sort.what), sort.help.to_owned());
    None
}

/// A list of names, sorted, each once.
fn names(page: &mut Page<'_>, section: &Section<'_, '_>, key: &str, sort: &Name) -> Vec<String> {
    section.get(key).map_or_else(Vec::new, |node| names_in(page, node, key, sort))
}

fn names_in(page: &mut Page<'_>, node: Node<'_, '_>, key: &str, sort: &Name) -> Vec<String> {
    let Some(items) = value::list(page, node, key) else { return Vec::new() };
    let mut names = BTreeSet::new();
    for item in items {
        names.extend(name(page, item, key, sort));
    }
    names.into_iter().collect()
}

fn texts(page: &mut Page<'_>, node: Node<'_, '_>, key: &str) -> Vec<String> {
    let Some(items) = value::list(page, node, key) else { return Vec::new() };
    items.filter_map(|item| value::line(page, item, key)).map(Cow::into_owned).collect()
}

fn control_paths(page: &mut Page<'_>, node: Node<'_, '_>) -> Vec<String> {
    if node.get_ref().as_array().is_some_and(|items| items.is_empty()) {
        page.error(node.span(), "`controls` is empty", "name a directory, or leave it out to use the controls in the binary".to_owned());
    }
    texts(page, node, "controls")
}

fn limits(page: &mut Page<'_>, root: &Section<'_, '_>) -> Limits {
    let default = Limits::default();
    let keys = &["concurrency", "timeout_seconds", "body_mib", "attempts", "max_wait_minutes", "github_per_minute", "google_per_minute"];
    let Some(section) = root.get("limits").and_then(|node| Section::of(page, node, "[limits]", keys)) else { return default };
    Limits {
        concurrency: number(page, &section, "concurrency", 1..=100).unwrap_or(default.concurrency),
        timeout_seconds: number(page, &section, "timeout_seconds", 1..=3600).unwrap_or(default.timeout_seconds),
        body_mib: number(page, &section, "body_mib", 1..=64).unwrap_or(default.body_mib),
        attempts: number(page, &section, "attempts", 1..=20).unwrap_or(default.attempts),
        max_wait_minutes: number(page, &section, "max_wait_minutes", 0..=1440).unwrap_or(default.max_wait_minutes),
        github_per_minute: number(page, &section, "github_per_minute", 0..=60_000),
        google_per_minute: number(page, &section, "google_per_minute", 0..=60_000),
    }
}

/// What is used, pushed to or seen every day differs every day.
const VOLATILE: [&str; 4] = ["*.last_seen", "*.last_used", "*.pushed_at", "*.updated_at"];

fn diff_masks(page: &mut Page<'_>, root: &Section<'_, '_>) -> BTreeSet<String> {
    let section = root.get("diff").and_then(|node| Section::of(page, node, "[diff]", &["mask"]));
    match section.and_then(|section| section.get("mask").map(|node| names_in(page, node, "mask", &MASK))) {
        Some(masks) => masks.into_iter().collect(),
        None => VOLATILE.iter().map(|mask| (*mask).to_owned()).collect(),
    }
}

/// The times that the team's policy sets, where the file does not say; 0 sets none.
fn remediation(page: &mut Page<'_>, root: &Section<'_, '_>) -> BTreeMap<Severity, u32> {
    let severities = [(Severity::Critical, 3), (Severity::High, 10), (Severity::Medium, 40), (Severity::Low, 100), (Severity::Info, 0)];
    let keys: Vec<&str> = severities.iter().map(|(severity, _days)| severity.as_str()).collect();
    let section = root.get("remediation").and_then(|node| Section::of(page, node, "[remediation]", &keys));
    let mut days = BTreeMap::new();
    for (severity, default) in severities {
        let given = section.as_ref().and_then(|section| number(page, section, severity.as_str(), 0..=3_650));
        days.insert(severity, given.unwrap_or(default));
    }
    days.retain(|_severity, days| *days > 0);
    days
}

fn number(page: &mut Page<'_>, section: &Section<'_, '_>, key: &str, allowed: RangeInclusive<u32>) -> Option<u32> {
    section.get(key).and_then(|node| value::number(page, node, key, allowed))
}

fn parameters(page: &mut Page<'_>, root: &Section<'_, '_>) -> Overrides {
    let mut overrides = Overrides::default();
    let Some(section) = root.get("parameters").and_then(|node| Section::open(page, node, "[parameters]")) else { return overrides };
    for (id, range, node) in section.entries() {
        let id = match id.parse::<ControlId>() {
            Ok(id) => id,
            Err(invalid) => {
                page.error(range, format!("\"{}\" is not {}", shown(id), invalid.what), "write [parameters.CHG-01]".to_owned());
                continue;
            }
        };
        let Some(table) = Section::open(page, node, "the parameters of a control") else { continue };
        let mut found = ControlOverrides { place: Some(page.place(range)), ..ControlOverrides::default() };
        for (name, _, node) in table.entries() {
            if let Some(value) = value::any(page, node, name) {
                found.values.insert(name.to_owned(), (value, Some(page.place(node.span()))));
            }
        }
        overrides.insert(id, found);
    }
    overrides
}
