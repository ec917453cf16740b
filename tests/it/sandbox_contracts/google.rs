//! Google Cloud: pages reach every project, and what is served is what is true.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::client::Asking;
use crate::sandbox::behaviour::GoogleAuth;
use crate::sandbox::world::google::Inventory;
use crate::sandbox::{Behaviour, Plan, Sandbox, World};

/// Without the inventory, what is true is what the services themselves tell.
fn start() -> Sandbox {
    Sandbox::start(World::new(Plan { projects: 45, inventory: Inventory::Off, ..Plan::default() }), Behaviour::default())
}

#[tokio::test]
async fn pages_reach_every_project_from_above_and_by_search() {
    let sandbox = start();
    let asking = Asking::new(&sandbox);
    let searched = asking.google_all("cloudresourcemanager", "/v3/projects:search?pageSize=7", "projects").await;
    assert_eq!(searched.len(), 45);
    let root = format!("organizations/{}", sandbox.world().google.organization);
    let (mut nodes, mut walked) = (vec![root], BTreeSet::new());
    while let Some(node) = nodes.pop() {
        let folders = asking.google_all("cloudresourcemanager", &format!("/v3/folders?parent={node}&pageSize=2"), "folders").await;
        nodes.extend(folders.iter().map(|folder| folder["name"].as_str().unwrap().to_owned()));
        let projects = asking.google_all("cloudresourcemanager", &format!("/v3/projects?parent={node}&showDeleted=true"), "projects").await;
        walked.extend(projects.iter().map(|project| project["projectId"].as_str().unwrap().to_owned()));
    }
    let found: BTreeSet<String> = searched.iter().map(|project| project["projectId"].as_str().unwrap().to_owned()).collect();
    assert_eq!(walked, found);
    let truth = sandbox.world().truth();
    for project in &searched {
        let id = format!("//cloudresourcemanager.googleapis.com/projects/{}", project["projectId"].as_str().unwrap());
        assert_eq!(truth.kinds["gcp.project"][&id]["state"], project["state"]);
    }
    assert_eq!(sandbox.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn buckets_keys_and_clusters_are_the_truth() {
    let sandbox = start();
    let (asking, truth) = (Asking::new(&sandbox), sandbox.world().truth());
    let (mut buckets, mut keys, mut clusters, mut disabled) = (0, 0, 0, 0);
    for project in sandbox.world().google.projects.iter().filter(|project| project.active) {
        let id = &project.id;
        for bucket in asking.google_all("storage", &format!("/storage/v1/b?project={id}&maxResults=1&projection=noAcl"), "items").await {
            let name = bucket["name"].as_str().unwrap();
            let fact = &truth.kinds["gcp.bucket"][&format!("//storage.googleapis.com/{name}")];
            let policy: Value = asking.google("storage", &format!("/storage/v1/b/{name}/iam?optionsRequestedPolicyVersion=3")).await.json().await.unwrap();
            assert_eq!(policy.to_string().contains("allUsers"), fact["public_members"] == json!(["allUsers"]));
            assert_eq!(bucket["iamConfiguration"]["publicAccessPrevention"], fact["public_access_prevention"]);
            buckets += 1;
        }
        let listed = asking.google("container", &format!("/v1/projects/{id}/locations/-/clusters?fields=clusters(name,location),missingZones")).await;
        if listed.status() == 403 {
            assert!(listed.text().await.unwrap().contains("SERVICE_DISABLED"));
            disabled += 1;
        } else {
            let page: Value = listed.json().await.unwrap();
            let found = page["clusters"].as_array().map(Vec::as_slice).unwrap_or_default();
            assert!(found.iter().all(|cluster| cluster.as_object().unwrap().len() == 2), "only what the mask names");
            clusters += found.len();
        }
        for account in asking.google_all("iam", &format!("/v1/projects/{id}/serviceAccounts?pageSize=1"), "accounts").await {
            let listed: Value = asking.google("iam", &format!("/v1/{}/keys", account["name"].as_str().unwrap())).await.json().await.unwrap();
            keys += listed["keys"].as_array().unwrap().len();
        }
    }
    let all = |kind: &str| truth.kinds[kind].len();
    assert_eq!((buckets, keys, clusters), (all("gcp.bucket"), all("gcp.service_account_key"), all("gcp.gke_cluster")));
    assert!(disabled == 2 && buckets > 20 && clusters > 10);
    assert!(truth.count("gcp.bucket", |bucket| bucket["public_members"] == json!(["allUsers"])) > 0);
}

#[tokio::test]
async fn policies_are_the_truth_and_refused_where_they_are_not_for_the_viewer() {
    let sandbox = start();
    let (asking, truth) = (Asking::new(&sandbox), sandbox.world().truth());
    let (mut members, mut refused) = (0, 0);
    let world = sandbox.world();
    let projects = world.google.projects.iter().filter(|project| project.active).map(|project| format!("projects/{}", project.id));
    let nodes = world.google.folders.iter().map(|folder| format!("folders/{}", folder.number)).chain([format!("organizations/{}", world.google.organization)]);
    for name in projects.chain(nodes) {
        let reply = asking.google_post("cloudresourcemanager", &format!("/v3/{name}:getIamPolicy")).await;
        if reply.status() == 403 {
            assert!(truth.hidden.contains(&format!("//cloudresourcemanager.googleapis.com/{name}")));
            refused += 1;
            members += world.google.project(name.split_once('/').unwrap().1).unwrap().bindings.iter().map(|binding| binding.members.len()).sum::<usize>();
            continue;
        }
        let policy: Value = reply.json().await.unwrap();
        members += policy["bindings"].as_array().into_iter().flatten().map(|binding| binding["members"].as_array().unwrap().len()).sum::<usize>();
    }
    assert_eq!((members, refused), (truth.kinds["gcp.iam_binding"].len(), 1));
}

#[tokio::test]
async fn a_credential_may_be_asked_for() {
    let sandbox = Sandbox::start(World::new(Plan::default()), Behaviour { google: GoogleAuth::Required, ..Behaviour::default() });
    assert_eq!(Asking::new(&sandbox).google("cloudresourcemanager", "/v3/projects:search").await.status(), 401);
}
