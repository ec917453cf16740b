//! What is true of teams, who is in them, of who has access to repositories, and of what GitHub Actions may do in them.

use serde_json::{Value, json};

use crate::sandbox::world::World;
use crate::sandbox::world::people::Person;
use crate::sandbox::world::repositories::Repository;
use crate::sandbox::world::settings::Leaves;
use crate::sandbox::world::truth::Truth;

impl World {
    /// Teams, who is in them, and what they may do.
    pub(super) fn tell_teams(&self, truth: &mut Truth) {
        let organization = &self.plan.organization;
        let role = |is_maintainer: bool| if is_maintainer { "MAINTAINER" } else { "MEMBER" };
        for team in &self.teams {
            let id = format!("github.com/orgs/{organization}/teams/{}", team.slug);
            for index in &team.members {
                let login = self.login(&Person::Member(*index)).unwrap_or_default();
                let facts = json!({ "organization": organization, "team": team.slug, "login": login, "role": role(Some(*index) == team.maintainer) });
                truth.add("github.team_member", format!("{id}/members/{login}"), facts);
            }
            for repository in team.repositories(self) {
                let name = self.full_name(repository);
                let facts = json!({
                    "repository": name, "repository_archived": repository.archived, "repository_visibility": repository.visibility.upper(), "team": team.slug,
                    "team_member_count": team.members.len(), "permission": team.permission(),
                });
                truth.add("github.repository_team", format!("github.com/{name}/teams/{}", team.slug), facts);
            }
            let facts = json!({
                "organization": organization, "slug": team.slug, "privacy": "VISIBLE", "member_count": team.members.len(),
                "maintainer_count": usize::from(team.maintainer.is_some()), "repository_count": team.repositories(self).len(),
            });
            truth.add("github.team", id, facts);
        }
    }

    /// Whom a repository itself gives access.
    pub(super) fn tell_collaborators(&self, repository: &Repository, truth: &mut Truth) {
        let name = self.full_name(repository);
        let direct = repository.assigned(self).into_iter().filter(|(_, _, through_team)| !through_team).map(|(person, permission, _)| (person, permission));
        let outside = repository.outsiders.iter().map(|index| (Person::Outsider(*index), "READ"));
        for (person, permission) in direct.chain(outside) {
            let Some(login) = self.login(&person) else { continue };
            let id = format!("github.com/{name}/collaborators/{login}");
            if !repository.viewer_is_admin {
                truth.hidden.insert(id.clone());
            }
            let facts = json!({
                "repository": name, "repository_archived": repository.archived, "login": login, "outside": matches!(person, Person::Outsider(_)),
                "permission": permission,
            });
            truth.add("github.collaborator", id, facts);
        }
    }

    /// What Actions may do in a repository. Whether it pins is asked of none while the organisation chooses the actions, and told by none whose Actions are off.
    pub(super) fn tell_actions(&self, repository: &Repository, truth: &mut Truth) {
        if repository.archived || repository.workflows().is_empty() {
            return;
        }
        let name = self.full_name(repository);
        let actions = repository.actions(self.plan.leaves);
        let mut facts = json!({
            "repository": name, "allowed_actions": actions.allowed, "allowed_action_patterns": actions.chosen, "default_workflow_permissions": actions.token,
            "actions_can_approve_pull_requests": actions.approves,
        });
        if let (Value::Object(facts), Leaves::All, true) = (&mut facts, self.plan.leaves, actions.allowed != "none") {
            facts.insert("sha_pinning_required".to_owned(), actions.pinned.into());
        }
        truth.add("github.repository_actions", format!("github.com/{name}"), facts);
    }
}
