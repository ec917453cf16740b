//! The Google Cloud kinds over real recordings, where `PROOFLINE_RECORDINGS` names the directory that holds `gcp.jsonl.gz`; the recordings are not part of this repository.
//! Every item of every recorded body must come out as a resource, or be named in a gap.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "what tests share fails by panicking and says what it saw"
)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use flate2::read::GzDecoder;
use proofline::collect::Collector;
use proofline::collect::api::Request;
use proofline::collect::gcp::assets::{BUCKET, DISK, DNS_POLICY, DNS_ZONE, GKE_CLUSTER, PUBSUB_SUBSCRIPTION, PUBSUB_TOPIC, SNAPSHOT, SQL_INSTANCE};
use proofline::collect::gcp::{IamBinding, Project, ServiceAccountKey};
use proofline::collect::replay::Answer;
use proofline::model::{Attribute, GapCause};
use serde_json::{Value, json};

use crate::gcp::{Outcome, SWITCHED_OFF, collect, scope};

/// A recorded exchange; the others of the file are for other kinds.
struct Recording {
    file: String,
    method: String,
    /// With the host where it was recorded, else the flattened path.
    place: String,
    status: u16,
    body: Value,
}

/// Listings that tables read: a part of the address, its last word, the member that holds the items, the operation, the kind.
static TABLES: &[(&str, &str, &str, &str, &dyn Collector)] = &[
    ("/sql/v1beta4/", "instances", "items", "sql.instances.list", &SQL_INSTANCE),
    ("/compute/v1/", "snapshots", "items", "compute.snapshots.list", &SNAPSHOT),
    ("dns.googleapis.com/", "managedZones", "managedZones", "dns.managedZones.list", &DNS_ZONE),
    ("dns.googleapis.com/", "policies", "policies", "dns.policies.list", &DNS_POLICY),
    ("pubsub.googleapis.com/", "topics", "topics", "pubsub.projects.topics.list", &PUBSUB_TOPIC),
    ("pubsub.googleapis.com/", "subscriptions", "subscriptions", "pubsub.projects.subscriptions.list", &PUBSUB_SUBSCRIPTION),
];

#[tokio::test]
async fn every_recorded_item_is_a_resource_or_a_named_gap() {
    let Some(path) = recordings() else {
        println!("PROOFLINE_RECORDINGS is not set: no recordings were read");
        return;
    };
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    for line in BufReader::new(GzDecoder::new(File::open(&path).unwrap())).lines() {
        let recording = Recording::parse(&line.unwrap());
        if let Some((endpoint, outcome, items)) = recording.replayed().await {
            let count = counts.entry(endpoint).or_default();
            count.add(&recording, &outcome, items);
        }
    }
    for (endpoint, count) in &counts {
        println!("{endpoint}: {count:?}");
    }
    for endpoint in [
        "storage.buckets.list",
        "container.clusters.list",
        "projects.getIamPolicy",
        "organizations.getIamPolicy",
        "folders.getIamPolicy",
        "serviceAccounts.list",
        "keys.list",
        "projects.list v1",
        "sql.instances.list",
        "compute.disks.aggregatedList",
    ] {
        assert!(counts.get(endpoint).is_some_and(|count| count.items > 0), "no recording of {endpoint} in {}", path.display());
    }
}

#[derive(Debug, Default)]
struct Count {
    exchanges: usize,
    items: usize,
    resources: usize,
    known: usize,
    left_out: BTreeMap<String, usize>,
    malformed: BTreeMap<String, usize>,
    gaps: BTreeMap<String, usize>,
}

impl Count {
    /// Items are what the raw JSON holds, counted without the code under test.
    fn add(&mut self, recording: &Recording, outcome: &Outcome, items: usize) {
        let named = outcome.population.gaps.iter().filter(|gap| gap.cause == GapCause::Malformed).count();
        assert!(outcome.resources.len() + named >= items, "{}: {items} items made {} resources and {named} gaps", recording.file, outcome.resources.len());
        assert!(recording.status == 200 || !outcome.population.gaps.is_empty(), "{}: a refusal passed for an answer", recording.file);
        self.exchanges += 1;
        self.items += items;
        self.resources += outcome.resources.len();
        for resource in &outcome.resources {
            for (name, attribute) in &resource.attributes {
                match attribute {
                    Attribute::Known(_) => self.known += 1,
                    Attribute::Unknown(gap) if gap.cause == GapCause::Malformed => *self.malformed.entry(name.clone()).or_default() += 1,
                    Attribute::Unknown(_) => *self.left_out.entry(name.clone()).or_default() += 1,
                }
            }
        }
        for gap in &outcome.population.gaps {
            *self.gaps.entry(format!("{:?}", gap.cause)).or_default() += 1;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the recordings lie outside the repository, and only this test wants them")]
fn recordings() -> Option<PathBuf> {
    std::env::var_os("PROOFLINE_RECORDINGS").map(|directory| PathBuf::from(directory).join("gcp.jsonl.gz"))
}

impl Recording {
    fn parse(line: &str) -> Self {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let url = text("url");
        let place = if url.is_empty() { text("path") } else { url.split('?').next().unwrap_or_default().to_owned() };
        Self { file: text("file"), method: text("method"), place, status: u16::try_from(line["status"].as_u64().unwrap()).unwrap(), body: line["body"].clone() }
    }

    /// The endpoint, what its kind made of the body, and how many items the body holds.
    async fn replayed(&self) -> Option<(&'static str, Outcome, usize)> {
        if let Some(found) = self.of_tables().await {
            return Some(found);
        }
        let place = self.place.as_str();
        let get = self.method == "GET";
        let tail = place.rsplit('/').next().unwrap_or_default();
        let many = |list: &str| self.body[list].as_array().map_or(0, Vec::len);
        let one = |list: &str| json!({ list: [self.body.clone()] });
        let body = || self.body.clone();
        let policies = || distinct_grants(&self.body);
        Some(match () {
            () if get && place.ends_with("storage/v1/b") => {
                ("storage.buckets.list", self.through(&BUCKET, "storage.buckets.list", body()).await, many("items"))
            }
            () if get && place.contains("storage/v1/b/") && tail == "iam" => ("storage.buckets.getIamPolicy", self.bucket_policy().await, 1),
            () if get && place.contains("storage/v1/b/") => ("storage.buckets.get", self.through(&BUCKET, "storage.buckets.list", one("items")).await, 1),
            () if get && place.contains("container.googleapis.com") && tail == "clusters" => {
                ("container.clusters.list", self.through(&GKE_CLUSTER, "container.projects.locations.clusters.list", body()).await, many("clusters"))
            }
            () if get && place.contains("container.googleapis.com") && place.contains("/clusters/") && !place.contains("nodePools") => {
                ("container.clusters.get", self.through(&GKE_CLUSTER, "container.projects.locations.clusters.list", one("clusters")).await, 1)
            }
            () if is_policy(place, "projects") => ("projects.getIamPolicy", self.policy("projects/p").await, policies()),
            () if is_policy(place, "organizations") => ("organizations.getIamPolicy", self.policy("organizations/1").await, policies()),
            () if is_policy(place, "folders") => ("folders.getIamPolicy", self.policy("folders/2").await, policies()),
            () if get && place.contains("iam.googleapis.com") && tail == "serviceAccounts" => {
                ("serviceAccounts.list", self.accounts(body()).await, many("accounts"))
            }
            () if get && place.contains("serviceAccounts") && tail == "keys" => ("keys.list", self.keys(body()).await, many("keys")),
            () if get && place.contains("serviceAccounts") && place.contains("/keys/") => ("keys.get", self.keys(one("keys")).await, 1),
            () if get && place.contains("serviceAccounts-") && place.contains("-keys-") => ("keys.get (refused)", self.keys(body()).await, 0),
            () if get && place.contains("cloudresourcemanager") && tail == "projects" => {
                ("projects.list v1", self.below(&Project, "cloudresourcemanager.projects.list").await, many("projects"))
            }
            () if get && place.contains("cloudresourcemanager") && place.contains("/projects/") => {
                ("projects.get v1", self.through(&Project, "cloudresourcemanager.projects.get", body()).await, 1)
            }
            () if get && place.contains("cloudresourcemanager") && tail == "folders" => {
                ("folders.list v2", self.below(&Project, "cloudresourcemanager.folders.list").await, 0)
            }
            // Refusals of other services have the same shapes as ours would.
            () if self.status >= 400 => ("refusals of any service", self.through(&BUCKET, "storage.buckets.list", body()).await, 0),
            () => return None,
        })
    }

    /// The same for what tables read from the services' own listings.
    async fn of_tables(&self) -> Option<(&'static str, Outcome, usize)> {
        let place = self.place.as_str();
        let (tail, holder) = (place.rsplit('/').next().unwrap_or_default(), place.rsplit('/').nth(1).unwrap_or_default());
        if self.method != "GET" || self.status != 200 || tail.contains(':') {
            return None;
        }
        if place.ends_with("/aggregated/disks") {
            let places = self.body["items"].as_object().into_iter().flat_map(|places| places.values());
            let items = places.map(|place| place["disks"].as_array().map_or(0, Vec::len)).sum();
            return Some(("compute.disks.aggregatedList", self.through(&DISK, "compute.disks.aggregatedList", self.body.clone()).await, items));
        }
        let (_, last, member, operation, kind) = *TABLES.iter().find(|(part, last, ..)| place.contains(part) && [tail, holder].contains(last))?;
        let many = tail == last;
        let body = if many { self.body.clone() } else { json!({ member: [self.body.clone()] }) };
        let items = if many { self.body[member].as_array().map_or(0, Vec::len) } else { 1 };
        Some((operation, self.through(kind, operation, body).await, items))
    }

    fn answer(&self, body: &Value) -> Answer {
        Answer::new(self.status, body.to_string())
    }

    /// The body as the answer to `operation` about one project.
    async fn through(&self, collector: &dyn Collector, operation: &str, body: Value) -> Outcome {
        collect(collector, &scope(&["projects/p"]), |request| if request.operation == operation { self.answer(&body) } else { around(request) }).await
    }

    /// The body as the answer to `operation` about an organisation.
    async fn below(&self, collector: &dyn Collector, operation: &str) -> Outcome {
        let ours = |request: &Request| request.operation == operation && request.subject == "organizations/1";
        collect(collector, &scope(&["organizations/1"]), |request| if ours(request) { self.answer(&self.body) } else { around(request) }).await
    }

    async fn policy(&self, subject: &str) -> Outcome {
        let ours = |request: &Request| request.operation.ends_with("getIamPolicy") && request.subject == subject;
        collect(&IamBinding, &scope(&[subject]), |request| if ours(request) { self.answer(&self.body) } else { around(request) }).await
    }

    async fn bucket_policy(&self) -> Outcome {
        let listed = json!({"items": [{"name": "b"}]}).to_string();
        let outcome = collect(&BUCKET, &scope(&["projects/p"]), |request| match request.operation {
            "storage.buckets.list" => Answer::new(200, listed.clone()),
            "storage.buckets.getIamPolicy" => self.answer(&self.body),
            _ => around(request),
        })
        .await;
        let Attribute::Known(public) = &outcome.resources[0].attributes["public_members"] else { panic!("{}: the policy was not read", self.file) };
        let named = self.body.to_string();
        for member in ["allUsers", "allAuthenticatedUsers"] {
            let listed = public.as_array().unwrap().contains(&json!(member));
            assert_eq!(listed, named.contains(&format!("\"{member}\"")), "{}: {member}", self.file);
        }
        outcome
    }

    /// Each recorded account, given one key.
    async fn accounts(&self, body: Value) -> Outcome {
        collect(&ServiceAccountKey, &scope(&["projects/p"]), |request| match request.operation {
            "iam.projects.serviceAccounts.list" => self.answer(&body),
            "iam.projects.serviceAccounts.keys.list" => Answer::new(200, json!({"keys": [{"name": format!("{}/keys/1", request.subject)}]}).to_string()),
            _ => around(request),
        })
        .await
    }

    async fn keys(&self, body: Value) -> Outcome {
        let account =
            json!({"accounts": [{"name": "projects/p/serviceAccounts/a@p.iam.gserviceaccount.com", "email": "a@p.iam.gserviceaccount.com"}]}).to_string();
        collect(&ServiceAccountKey, &scope(&["projects/p"]), |request| match request.operation {
            "iam.projects.serviceAccounts.list" => Answer::new(200, account.clone()),
            "iam.projects.serviceAccounts.keys.list" => self.answer(&body),
            _ => around(request),
        })
        .await
    }
}

/// Everything that leads to the recorded question.
fn around(request: &Request) -> Answer {
    match request.operation {
        "cloudresourcemanager.projects.get" => Answer::new(200, r#"{"projectId":"p","name":"projects/1","state":"ACTIVE"}"#),
        // The recordings are of the services themselves.
        "cloudasset.assets.list" => Answer::new(403, SWITCHED_OFF),
        _ => Answer::new(200, "{}"),
    }
}

/// `~v1-projects-acme-getIamPolicy`: policies were recorded without their address. Those of things inside a project have longer names.
fn is_policy(place: &str, collection: &str) -> bool {
    let inside = [
        "-instances-",
        "-serviceAccounts-",
        "-topics-",
        "-keyRings-",
        "-functions-",
        "-locations-",
        "-regions-",
        "-secrets-",
        "-subscriptions-",
        "-apps-",
        "-zones-",
        "-global-",
    ];
    let name = place.trim_start_matches('~');
    let versioned = ["v1-", "v2-", "v3-"].iter().any(|version| name.strip_prefix(version).is_some_and(|rest| rest.starts_with(&format!("{collection}-"))));
    versioned && name.ends_with("-getIamPolicy") && !inside.iter().any(|part| name.contains(part))
}

/// Distinct (role, member, condition) of a policy, from the raw JSON.
fn distinct_grants(policy: &Value) -> usize {
    let mut grants = std::collections::BTreeSet::new();
    for binding in policy["bindings"].as_array().into_iter().flatten() {
        for member in binding["members"].as_array().into_iter().flatten() {
            grants.insert((binding["role"].to_string(), member.to_string(), binding["condition"].to_string()));
        }
    }
    grants.len()
}
