//! What is true of who holds roles, by name and by groups, and of what is denied to them: computed from policies and from who is in which group.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::sandbox::world::directory::Member;
use crate::sandbox::world::google::{Binding, Google, Project};
use crate::sandbox::world::truth::Truth;
use crate::sandbox::world::truth_google::labels;

/// Tells of everybody at each place that gives a role to them or to a group of theirs.
pub(super) fn tell(google: &Google, truth: &mut Truth) {
    tell_place(google, truth, &format!("organizations/{}", google.organization), None);
    for folder in &google.folders {
        tell_place(google, truth, &format!("folders/{}", folder.number), None);
    }
    for project in google.projects.iter().filter(|project| project.active) {
        tell_place(google, truth, &format!("projects/{}", project.id), Some(project));
    }
}

/// A place with the policy that is set on it, and what is above it, nearest first.
fn in_force<'g>(google: &'g Google, name: &str) -> Vec<(String, &'g [Binding])> {
    let project = name.strip_prefix("projects/").and_then(|id| google.project(id));
    let folder = google.folders.iter().find(|folder| format!("folders/{}", folder.number) == name);
    let (here, parent): (&[Binding], Option<&str>) = match (project, folder) {
        (Some(project), _) => (&project.bindings, Some(&project.parent)),
        (None, Some(folder)) => (&folder.bindings, Some(&folder.parent)),
        (None, None) => (&google.bindings, None),
    };
    let mut all = vec![(name.to_owned(), here)];
    all.extend(parent.into_iter().flat_map(|parent| in_force(google, parent)));
    all
}

/// A member of a group as a policy would name it.
fn named(member: &Member) -> String {
    match member.kind {
        "USER" => format!("user:{}", member.key),
        "SERVICE_ACCOUNT" => format!("serviceAccount:{}", member.key),
        "GROUP" => format!("group:{}", member.key),
        _ => format!("principalSet://goog/cloudIdentityCustomerId/{}", member.key),
    }
}

/// Everybody in a group, with those of the groups within it. None here is in itself.
fn within(google: &Google, group: &str) -> BTreeSet<String> {
    let address = group.trim_start_matches("group:");
    let direct: BTreeSet<String> = google.groups.iter().filter(|known| known.address == address).flat_map(|known| &known.members).map(named).collect();
    let nested: Vec<String> = direct.iter().filter(|member| member.starts_with("group:")).flat_map(|member| within(google, member)).collect();
    direct.into_iter().chain(nested).collect()
}

fn tell_place(google: &Google, truth: &mut Truth, name: &str, project: Option<&Project>) {
    let resource = format!("//cloudresourcemanager.googleapis.com/{name}");
    let policies = in_force(google, name);
    let given = |policy: &[Binding], member: &str| policy.iter().filter(|b| b.members.iter().any(|of| of == member)).map(|b| b.role).collect::<BTreeSet<_>>();
    let here = policies.first().map(|(_, policy)| *policy).unwrap_or_default();
    let direct: BTreeSet<String> = here.iter().flat_map(|binding| &binding.members).cloned().collect();
    let by_groups: Vec<String> = direct.iter().filter(|member| member.starts_with("group:")).flat_map(|group| within(google, group)).collect();
    let above: BTreeSet<&str> = policies.iter().map(|(place, _)| place.as_str()).collect();
    for member in direct.into_iter().chain(by_groups).collect::<BTreeSet<_>>() {
        let inherited: BTreeSet<&str> = policies.iter().skip(1).flat_map(|(_, policy)| given(policy, &member)).collect();
        let attributes = json!({
            "resource": resource, "resource_type": name.split('/').next().unwrap_or(name).trim_end_matches('s'), "project": project.map(|project| &project.id),
            "project_labels": project.map_or_else(|| json!({}), |project| labels(&project.labels)), "member": member,
            "member_type": member.split(':').next(), "roles": given(here, &member), "inherited_roles": inherited,
            "denied_permissions": denied(google, &member, &above),
        });
        let mut told = attributes;
        if let (Value::Object(told), Some(roles)) = (&mut told, group_roles(google, &member, &policies)) {
            told.insert("group_roles".to_owned(), json!(roles));
        }
        truth.add("gcp.principal", format!("{resource}?member={member}"), told);
    }
}

/// Roles of groups that somebody is in. Of a person it cannot be told where everybody of a customer is in one of them.
fn group_roles(google: &Google, member: &str, policies: &[(String, &[Binding])]) -> Option<BTreeSet<&'static str>> {
    let mut roles = BTreeSet::new();
    for binding in policies.iter().flat_map(|(_, policy)| policy.iter()) {
        for group in binding.members.iter().filter(|of| of.starts_with("group:")) {
            let within = within(google, group);
            if within.contains(member) {
                roles.insert(binding.role);
            } else if within.iter().any(|of| of.starts_with("principalSet:")) && (member.starts_with("user:") || member.starts_with("domain:")) {
                return None;
            }
        }
    }
    Some(roles)
}

/// Keys are denied to all but who breaks the glass, and deletion in the first folder to all; so to several together only the latter for certain.
fn denied(google: &Google, member: &str, above: &BTreeSet<&str>) -> Vec<&'static str> {
    let is_one = ["user:", "serviceAccount:", "deleted:"].iter().any(|kind| member.starts_with(kind));
    let breaks_the_glass = within(google, &format!("glass@{}", google.domain)).contains(member);
    let first = google.folders.first().is_some_and(|folder| above.contains(format!("folders/{}", folder.number).as_str()));
    let deletion = first.then_some("cloudresourcemanager.googleapis.com/projects.delete");
    deletion.into_iter().chain((is_one && !breaks_the_glass).then_some("iam.googleapis.com/serviceAccountKeys.create")).collect()
}
