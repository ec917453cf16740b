//! The groups of an organisation's directory, and who is in them.

use serde_json::{Value, json};

use crate::sandbox::world::Plan;
use crate::sandbox::world::google::Project;
use crate::sandbox::world::truth::instant;

/// A group.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// `groups/03ab`.
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) members: Vec<Member>,
}

/// Somebody in a group.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// An address, or the id of a customer, which stands for everybody.
    pub(crate) key: String,
    /// USER, GROUP, SERVICE_ACCOUNT, OTHER.
    pub(crate) kind: &'static str,
    pub(crate) owner: bool,
    pub(crate) expires: Option<String>,
}

impl Group {
    /// `groups/03ab/memberships/7`.
    pub(crate) fn membership(&self, nth: usize) -> String {
        format!("{}/memberships/{}", self.name, 1_000 + nth)
    }

    /// As Cloud Identity shows them. What the basic view would leave out is here.
    pub(crate) fn memberships(&self) -> Vec<Value> {
        self.members.iter().enumerate().map(|(nth, member)| self.shown(nth, member)).collect()
    }

    fn shown(&self, nth: usize, member: &Member) -> Value {
        let mut roles = vec![match &member.expires {
            Some(at) => json!({ "name": "MEMBER", "expiryDetail": { "expireTime": at } }),
            None => json!({ "name": "MEMBER" }),
        }];
        roles.extend(member.owner.then(|| json!({ "name": "OWNER" })));
        json!({ "name": self.membership(nth), "preferredMemberKey": { "id": member.key }, "type": member.kind, "roles": roles,
            "createTime": "2025-01-01T00:00:00Z", "updateTime": "2025-01-01T00:00:00Z", "deliverySetting": "ALL_MAIL" })
    }
}

/// One group with a guest for a while, one that nobody owns, one with another in it, one that a deny rule leaves out, and one that holds nothing.
pub(crate) fn groups(plan: &Plan, domain: &str, projects: &[Project]) -> Vec<Group> {
    let at_home = |name: &str| format!("{name}@{domain}");
    let member = |key: String, kind: &'static str| Member { key, kind, owner: false, expires: None };
    let user = |name: &str| member(at_home(name), "USER");
    let owner = |name: &str| Member { owner: true, ..user(name) };
    let group = |id: &str, name: &str, members: Vec<Member>| Group { name: format!("groups/{id}"), address: at_home(name), members };
    let guest = Member { expires: Some(instant(plan.instant(60))), ..member("auditor@partner.example".to_owned(), "USER") };
    let account = projects.first().map(|project| member(format!("deployer@{}.iam.gserviceaccount.com", project.id), "SERVICE_ACCOUNT"));
    let mut devops = vec![owner("ada"), user("bo"), member(at_home("oncall"), "GROUP")];
    devops.extend(account);
    vec![
        group("03auditors", "auditors", vec![owner("owner"), guest]),
        group("03developers", "developers", vec![user("bo"), member("C0example".to_owned(), "OTHER")]),
        group("03devops", "cloud-devops", devops),
        group("03glass", "glass", vec![owner("ada")]),
        group("03oncall", "oncall", vec![owner("ada"), user("carol")]),
        group("03party", "party", vec![owner("ada")]),
    ]
}
