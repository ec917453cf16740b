//! What is true of rulesets, and of who is let in from outside.
//!
//! Left out: on which repositories a ruleset was seen, which is a matter of who looks.

use serde_json::json;

use crate::sandbox::world::World;
use crate::sandbox::world::protection::{Enforcement, Ruleset};
use crate::sandbox::world::truth::Truth;

impl World {
    /// The rulesets that bear on some repository, whatever their enforcement.
    pub(super) fn tell_rulesets(&self, truth: &mut Truth) {
        let organization = &self.plan.organization;
        let mut tell = |folder: String, source: String, ruleset: &Ruleset| {
            let enforcement = match ruleset.enforcement {
                Enforcement::Active => "ACTIVE",
                Enforcement::Evaluate => "EVALUATE",
                Enforcement::Disabled => "DISABLED",
            };
            let facts = json!({ "name": ruleset.name, "source": source, "enforcement": enforcement, "include": ruleset.include, "exclude": ruleset.exclude });
            truth.add("github.ruleset", format!("github.com/{folder}/rules/{}", ruleset.id), facts);
        };
        let bears = |ruleset: &&Ruleset| self.repositories.iter().any(|repository| ruleset.covers(&repository.name));
        for ruleset in self.rulesets.iter().filter(bears) {
            tell(format!("orgs/{organization}"), format!("organization:{organization}"), ruleset);
        }
        for repository in &self.repositories {
            let name = self.full_name(repository);
            for ruleset in &repository.rulesets {
                tell(name.clone(), format!("repository:{name}"), ruleset);
            }
        }
    }

    /// Who has access to repositories without being a member; the last of them has no second factor.
    pub(super) fn tell_outsiders(&self, truth: &mut Truth) {
        for (place, outsider) in self.outsiders.iter().enumerate() {
            let facts = json!({ "login": outsider.login, "type": "User", "has_two_factor": place + 1 < self.outsiders.len() });
            truth.add("github.outside_collaborator", format!("github.com/orgs/{}/outside_collaborator/{}", self.plan.organization, outsider.login), facts);
        }
    }
}
