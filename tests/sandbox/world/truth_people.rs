//! What is true of the people of the organisation and of its audit log, by the program's own kinds, ids and attribute names.

use serde_json::{Value, json};

use crate::sandbox::world::people::ROLES;
use crate::sandbox::world::truth::{Truth, instant};
use crate::sandbox::world::{Viewer, World};

impl World {
    pub(super) fn tell_people(&self, truth: &mut Truth) {
        let login = &self.plan.organization;
        let hidden = self.plan.viewer == Viewer::Member;
        let entries = self.audit_log();
        for member in &self.members {
            let id = format!("github.com/orgs/{login}/people/{}", member.login);
            if hidden {
                truth.hidden.insert(id.clone());
            }
            let role = if member.owner { "ADMIN" } else { "MEMBER" };
            let facts = json!({
                "login": member.login, "role": role, "has_two_factor": member.two_factor, "organization": login, "sso_identity": member.identity(),
                "insecure_second_factor": member.insecure(),
            });
            truth.add("github.organization_member", id.clone(), facts);
            let newest = entries.iter().find(|entry| entry.actor.as_ref() == Some(&member.login));
            let facts = json!({
                "login": member.login, "organization": login, "last_event_at": newest.map(|entry| instant(entry.at)),
                "last_action": newest.map(|entry| entry.action),
            });
            truth.add("github.member_activity", id, facts);
        }
        for (number, name) in ROLES.iter().filter(|_| !hidden) {
            let (teams, users) = self.holders(name);
            let teams = teams.into_iter().map(|slug| (format!("teams/{slug}"), format!("team:{slug}"), "direct"));
            let users = users.into_iter().map(|(login, assignment)| (format!("users/{login}"), login.to_owned(), assignment));
            for (path, holder, assignment) in teams.chain(users) {
                let facts = json!({ "organization": login, "role": name, "source": "Predefined", "holder": holder, "assignment": assignment });
                truth.add("github.org_role_assignment", format!("github.com/orgs/{login}/organization-roles/{number}/{path}"), facts);
            }
        }
    }

    pub(super) fn tell_audit_log(&self, truth: &mut Truth) {
        let login = &self.plan.organization;
        let log = format!("github.com/orgs/{login}/audit-log");
        let streams = json!([{ "type": "Google Cloud Storage", "enabled": true, "paused_at": null }]);
        truth.add("github.audit_log", log.clone(), json!({ "organization": login, "lost_days": 0, "streams": streams }));
        if self.plan.viewer == Viewer::Member {
            truth.hidden.insert(log.clone());
            return;
        }
        for entry in self.audit_log() {
            let mut facts = json!({
                "id": entry.id, "organization": login, "action": entry.action, "at": instant(entry.at), "operation_type": entry.operation,
                "merges_within_hour": self.merged_within_hour(entry.at, entry.repository.as_deref()),
            });
            let named = [("actor", entry.actor), ("user", entry.user), ("team", entry.team), ("repository", entry.repository)];
            let named = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?))));
            if let Value::Object(facts) = &mut facts {
                facts.extend(named);
            }
            truth.add("github.audit_event", format!("{log}/{}", entry.id), facts);
        }
    }
}
