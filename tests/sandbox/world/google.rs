//! Google Cloud: an organisation, folders, projects and what is in them, as facts. The JSON of the APIs is made in `rest`.

use chrono::{DateTime, Utc};

use crate::sandbox::random::Dice;
use crate::sandbox::world::assets::{self, Asset};
use crate::sandbox::world::directory::{self, Group};
use crate::sandbox::world::{Plan, hostile};

/// One organisation.
#[derive(Debug, Clone)]
pub(crate) struct Google {
    pub(crate) organization: u64,
    pub(crate) domain: String,
    pub(crate) bindings: Vec<Binding>,
    pub(crate) audited: Vec<Audited>,
    pub(crate) folders: Vec<Folder>,
    pub(crate) projects: Vec<Project>,
    pub(crate) groups: Vec<Group>,
    pub(crate) inventory: Inventory,
}

/// Whether Cloud Asset Inventory answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inventory {
    /// It does.
    On,
    /// Its API is switched off where it is asked from.
    Off,
    /// The viewer may not ask it.
    Forbidden,
}

/// A folder.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    pub(crate) number: u64,
    pub(crate) name: &'static str,
    /// `organizations/1` or `folders/2`.
    pub(crate) parent: String,
    pub(crate) bindings: Vec<Binding>,
}

/// A project.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    pub(crate) id: String,
    pub(crate) number: u64,
    pub(crate) name: String,
    pub(crate) active: bool,
    pub(crate) parent: String,
    pub(crate) labels: Vec<(&'static str, &'static str)>,
    pub(crate) created: DateTime<Utc>,
    /// APIs that are switched off, e.g. `container.googleapis.com`.
    pub(crate) disabled: Vec<&'static str>,
    /// The viewer may not read its IAM policy.
    pub(crate) policy_refused: bool,
    pub(crate) bindings: Vec<Binding>,
    pub(crate) audited: Vec<Audited>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) buckets: Vec<Bucket>,
    pub(crate) clusters: Vec<Cluster>,
    /// What else is in it, by type.
    pub(crate) assets: Vec<Asset>,
}

/// A role and who has it.
#[derive(Debug, Clone)]
pub(crate) struct Binding {
    pub(crate) role: &'static str,
    pub(crate) members: Vec<String>,
    /// Expression of a condition.
    pub(crate) condition: Option<&'static str>,
}

/// Access to data that is logged.
#[derive(Debug, Clone)]
pub(crate) struct Audited {
    pub(crate) service: &'static str,
    pub(crate) log_type: &'static str,
    pub(crate) exempted: Vec<String>,
}

impl Audited {
    fn everywhere(log_type: &'static str) -> Self {
        Self { service: "allServices", log_type, exempted: Vec::new() }
    }
}

/// A service account.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) email: String,
    pub(crate) disabled: bool,
    pub(crate) keys: Vec<Key>,
}

/// A key of a service account.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) user_managed: bool,
    pub(crate) disabled: bool,
    pub(crate) from: DateTime<Utc>,
    pub(crate) until: DateTime<Utc>,
}

/// Who makes and rotates a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manager {
    Google,
    User,
}

/// A bucket.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    pub(crate) created: DateTime<Utc>,
    pub(crate) prevention_enforced: bool,
    pub(crate) uniform: bool,
    pub(crate) versioning: bool,
    /// Seconds, and whether it is locked.
    pub(crate) retention: Option<(u64, bool)>,
    pub(crate) kms_key: Option<String>,
    pub(crate) bindings: Vec<Binding>,
}

/// A Kubernetes cluster.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    pub(crate) name: &'static str,
    pub(crate) location: &'static str,
    pub(crate) zones: Vec<&'static str>,
    pub(crate) private_nodes: bool,
    /// Reachable from any address.
    pub(crate) open: bool,
    pub(crate) legacy_abac: bool,
    pub(crate) encrypted: bool,
    pub(crate) labels: Vec<(&'static str, &'static str)>,
}

impl Google {
    /// Generates.
    pub(crate) fn new(plan: &Plan) -> Self {
        let organization = number_of(plan);
        let domain = format!("{}.example", plan.organization);
        let root = format!("organizations/{organization}");
        let folder = |number, name, parent: &str| Folder { number, name, parent: parent.to_owned(), bindings: Vec::new() };
        let mut folders = vec![
            folder(201, "production", &root),
            folder(202, "managed instances", "folders/201"),
            folder(203, "development", &root),
            folder(204, "empty", &root),
        ];
        if let Some(development) = folders.get_mut(2) {
            development.bindings.push(Binding { role: "roles/editor", members: vec![format!("group:developers@{domain}")], condition: None });
        }
        let bindings = vec![
            Binding { role: "roles/resourcemanager.organizationAdmin", members: vec![format!("user:owner@{domain}")], condition: None },
            Binding { role: "roles/browser", members: vec!["allAuthenticatedUsers".to_owned()], condition: None },
            Binding { role: "roles/viewer", members: vec![format!("domain:{domain}"), "user:advisor@partner.example".to_owned()], condition: None },
        ];
        let projects: Vec<Project> = (0..plan.projects).map(|index| project(plan, index, &domain, &root)).collect();
        let groups = directory::groups(plan, &domain, &projects);
        let audited = vec![Audited::everywhere("DATA_WRITE")];
        Self { organization, domain, bindings, audited, folders, projects, groups, inventory: plan.inventory }
    }

    /// By id or number.
    pub(crate) fn project(&self, name: &str) -> Option<&Project> {
        self.projects.iter().find(|project| project.id == name || project.number.to_string() == name)
    }
}

/// The organisation's number.
pub(crate) fn number_of(plan: &Plan) -> u64 {
    100_000_000 + plan.seed
}

impl Project {
    fn has(&self, api: &str) -> bool {
        !self.disabled.contains(&api)
    }

    /// What tells one of its service accounts from every other there ever was.
    pub(crate) fn unique_id(&self, account: &Account) -> String {
        let place = self.accounts.iter().position(|known| known.email == account.email).unwrap_or_default();
        format!("1000000000{:07}{place:04}", self.number)
    }

    /// Whether the viewer gets to see what an API keeps of it.
    pub(crate) fn answers(&self, api: &str) -> bool {
        self.active && self.has(api)
    }
}

fn project(plan: &Plan, index: usize, domain: &str, root: &str) -> Project {
    let number = u64::try_from(index).unwrap_or_default();
    let mut dice = Dice::of(plan.seed, "project", &[number]);
    let parents = [root, "folders/201", "folders/202", "folders/202", "folders/203"];
    let parent = (*dice.pick(&parents)).to_owned();
    let production = parent != "folders/203";
    let id = format!("{}-{}-{index}", plan.organization, if production { "prod" } else { "dev" });
    let environment = if production { "production" } else { "development" };
    let mut labels = vec![("environment", environment)];
    labels.extend(dice.chance(80).then_some(("owner", "cloud-devops")));
    let mut project = Project {
        name: if index == 6 { hostile::HOSTILE.first().copied().unwrap_or_default().chars().take(30).collect() } else { format!("Project {index}") },
        number: 400_000_000 + number,
        active: index != 4,
        parent,
        labels: if index == 5 { Vec::new() } else { labels },
        created: plan.instant(-700 + i64::try_from(index % 600).unwrap_or_default()),
        disabled: match index {
            1 => vec!["container.googleapis.com"],
            2 => vec!["iam.googleapis.com", "container.googleapis.com"],
            _ => Vec::new(),
        },
        policy_refused: index == 7,
        bindings: bindings(&mut dice, &id, domain),
        audited: audited(&mut Dice::of(plan.seed, "audited", &[number]), &id),
        accounts: accounts(plan, &mut dice, &id),
        buckets: buckets(plan, &mut dice, &id),
        clusters: clusters(&mut dice, environment),
        assets: Vec::new(),
        id,
    };
    project.assets = assets::of_project(plan, &project);
    for night in (1..=plan.night).filter(|night| plan.drifts("project drift", *night, number)) {
        drift(plan, &mut project, night, domain);
    }
    project
}

fn bindings(dice: &mut Dice, id: &str, domain: &str) -> Vec<Binding> {
    let binding = |role, members: Vec<String>| Binding { role, members, condition: None };
    let mut all = vec![
        binding("roles/viewer", vec![format!("group:auditors@{domain}")]),
        binding("roles/container.developer", vec![format!("serviceAccount:deployer@{id}.iam.gserviceaccount.com"), format!("group:cloud-devops@{domain}")]),
    ];
    if dice.chance(25) {
        all.push(binding("roles/owner", vec![format!("user:ada@{domain}")]));
    }
    if dice.chance(20) {
        all.push(binding("roles/editor", vec!["user:contractor@partner.example".to_owned(), format!("deleted:user:gone@{domain}?uid=123456789")]));
    }
    if dice.chance(10) {
        all.push(binding("roles/run.invoker", vec!["allUsers".to_owned()]));
    }
    if dice.chance(25) {
        let members = vec![format!("user:bo@{domain}")];
        all.push(Binding { role: "roles/logging.viewer", members, condition: Some("request.time < timestamp(\"2027-01-01T00:00:00Z\")") });
    }
    all
}

fn audited(dice: &mut Dice, id: &str) -> Vec<Audited> {
    let mut all: Vec<Audited> = ["ADMIN_READ", "DATA_READ"].into_iter().filter(|_type| dice.chance(80)).map(Audited::everywhere).collect();
    if dice.chance(20) {
        all.push(Audited {
            service: "storage.googleapis.com",
            log_type: "DATA_READ",
            exempted: vec![format!("serviceAccount:backup@{id}.iam.gserviceaccount.com")],
        });
    }
    all
}

fn accounts(plan: &Plan, dice: &mut Dice, id: &str) -> Vec<Account> {
    let names = ["deployer", "backup", "monitor"];
    let count = 1 + dice.below(3);
    let account = |(nth, name): (usize, &str)| {
        let mut keys = vec![key(plan, dice, Manager::Google, -5)];
        if dice.chance(30) {
            let age = i64::try_from(dice.below(500)).unwrap_or_default();
            keys.push(key(plan, dice, Manager::User, -age));
        }
        Account { email: format!("{name}@{id}.iam.gserviceaccount.com"), disabled: nth == 2 && dice.chance(40), keys }
    };
    names.into_iter().enumerate().take(count).map(account).collect()
}

fn key(plan: &Plan, dice: &mut Dice, manager: Manager, day: i64) -> Key {
    let user_managed = manager == Manager::User;
    let from = plan.instant(day);
    Key {
        id: dice.hex(40),
        user_managed,
        disabled: user_managed && dice.chance(15),
        from,
        until: if user_managed { plan.instant(3_650) } else { plan.instant(12) },
    }
}

fn buckets(plan: &Plan, dice: &mut Dice, id: &str) -> Vec<Bucket> {
    let count = dice.below(4);
    (0..count).map(|nth| bucket(plan, dice, id, nth)).collect()
}

fn bucket(plan: &Plan, dice: &mut Dice, id: &str, nth: usize) -> Bucket {
    let public = dice.chance(12);
    let mut bindings = vec![Binding { role: "roles/storage.legacyBucketOwner", members: vec![format!("projectOwner:{id}")], condition: None }];
    if public {
        bindings.push(Binding { role: "roles/storage.objectViewer", members: vec!["allUsers".to_owned()], condition: None });
    }
    Bucket {
        name: format!("{id}-data-{nth}"),
        created: plan.instant(-400),
        prevention_enforced: !public && dice.chance(60),
        uniform: public || dice.chance(80),
        versioning: dice.chance(60),
        retention: dice.chance(40).then(|| (86_400 * 30, dice.chance(50))),
        kms_key: dice.chance(20).then(|| format!("projects/{id}/locations/europe-west4/keyRings/main/cryptoKeys/data")),
        bindings,
    }
}

fn clusters(dice: &mut Dice, environment: &'static str) -> Vec<Cluster> {
    if !dice.chance(60) {
        return Vec::new();
    }
    let regional = dice.chance(65);
    vec![Cluster {
        name: "main",
        location: if regional { "europe-west4" } else { "europe-west4-a" },
        zones: if regional { vec!["europe-west4-a", "europe-west4-b", "europe-west4-c"] } else { vec!["europe-west4-a"] },
        private_nodes: dice.chance(75),
        open: dice.chance(25),
        legacy_abac: dice.chance(5),
        encrypted: dice.chance(50),
        labels: vec![("environment", environment)],
    }]
}

/// One thing changes.
fn drift(plan: &Plan, project: &mut Project, night: u32, domain: &str) {
    let mut dice = Dice::of(plan.seed, "which project drift", &[u64::from(night), project.number]);
    match dice.below(3) {
        0 => project.bindings.push(Binding { role: "roles/owner", members: vec![format!("user:night-{night}@{domain}")], condition: None }),
        1 => {
            let fresh = key(plan, &mut dice, Manager::User, i64::from(night));
            project.accounts.iter_mut().take(1).for_each(|account| account.keys.push(fresh.clone()));
        }
        _ => project.buckets.iter_mut().take(1).for_each(|bucket| bucket.prevention_enforced = !bucket.prevention_enforced),
    }
}
