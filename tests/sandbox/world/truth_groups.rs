//! What is true of groups that hold roles: computed from policies and from who is in which group.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::sandbox::world::directory::{Group, Member};
use crate::sandbox::world::google::{Binding, Google, Inventory};
use crate::sandbox::world::truth::Truth;

/// Tells of each group that holds a role, and of those within it.
pub(super) fn tell(google: &Google, truth: &mut Truth) {
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    let mut waiting: Vec<&Group> = google.groups.iter().filter(|group| !held(google, group).is_empty()).collect();
    while let Some(group) = waiting.pop() {
        if reached.insert(&group.address) {
            waiting.extend(google.groups.iter().filter(|within| group.members.iter().any(|member| member.key == within.address)));
        }
    }
    // A policy that the viewer may not read may give a role to any of them.
    let unread = google.inventory != Inventory::On && google.projects.iter().any(|project| project.active && project.policy_refused);
    for group in google.groups.iter().filter(|group| reached.contains(group.address.as_str())) {
        for id in tell_group(google, group, &reached, truth) {
            truth.hidden.extend(unread.then_some(id));
        }
    }
}

/// Roles and where they are held, in that order.
fn held(google: &Google, group: &Group) -> BTreeSet<(&'static str, String)> {
    let mut policies: Vec<(String, &[Binding])> = vec![(format!("organizations/{}", google.organization), &google.bindings)];
    policies.extend(google.folders.iter().map(|folder| (format!("folders/{}", folder.number), folder.bindings.as_slice())));
    policies.extend(google.projects.iter().filter(|project| project.active).map(|project| (format!("projects/{}", project.id), project.bindings.as_slice())));
    let named = format!("group:{}", group.address);
    let given = policies.iter().flat_map(|(place, bindings)| bindings.iter().map(move |binding| (place, binding)));
    given
        .filter(|(_, binding)| binding.members.contains(&named))
        .map(|(place, binding)| (binding.role, format!("//cloudresourcemanager.googleapis.com/{place}")))
        .collect()
}

fn tell_group(google: &Google, group: &Group, reached: &BTreeSet<&str>, truth: &mut Truth) -> Vec<String> {
    let held = held(google, group);
    let owners: BTreeSet<&str> = group.members.iter().filter(|member| member.owner).map(|member| member.key.as_str()).collect();
    let within: BTreeSet<&str> = google
        .groups
        .iter()
        .filter(|other| reached.contains(other.address.as_str()) && other.members.iter().any(|member| member.key == group.address))
        .map(|other| other.address.as_str())
        .collect();
    let id = format!("//cloudidentity.googleapis.com/groups?address={}", group.address);
    let places: Vec<Value> = held.iter().map(|(role, resource)| json!({ "role": role, "resource": resource })).collect();
    let attributes = json!({ "group": group.address, "held_roles": places, "within": within, "owners": owners, "member_count": group.members.len() });
    truth.add("gcp.group", id.clone(), attributes);
    let mut ids = vec![id];
    let roles: BTreeSet<&str> = held.iter().map(|(role, _)| *role).collect();
    for (nth, member) in group.members.iter().enumerate() {
        let id = format!("//cloudidentity.googleapis.com/{}", group.membership(nth));
        let mut attributes = tell_member(member, google);
        if let Value::Object(attributes) = &mut attributes {
            attributes.insert("group".to_owned(), json!(group.address));
            attributes.insert("held_roles".to_owned(), json!(roles));
            attributes.insert("group_has_owner".to_owned(), json!(!owners.is_empty()));
        }
        truth.add("gcp.group_membership", id.clone(), attributes);
        ids.push(id);
    }
    ids
}

fn tell_member(member: &Member, google: &Google) -> Value {
    let domain = member.key.split_once('@').map(|(_, domain)| domain);
    let project = domain.and_then(|domain| domain.strip_suffix(".iam.gserviceaccount.com")).and_then(|id| google.project(id));
    json!({
        "member": member.key, "member_type": member.kind, "member_domain": domain, "member_project": project.map(|project| &project.id),
        "roles": if member.owner { json!(["MEMBER", "OWNER"]) } else { json!(["MEMBER"]) }, "expires_at": member.expires,
    })
}
