//! One project in twenty refuses everything: what is in it is unknown or missing out loud, and nothing else is touched, through the inventory or without it.
#![cfg(test)]

use std::collections::BTreeMap;

use proofline::model::{Attribute, Resource};
use serde_json::Value;

use crate::sandbox::Behaviour;
use crate::sandbox::site::{Site, Size};
use crate::sandbox::world::google::Inventory;
use crate::sandbox::world::{Plan, World};
use crate::truth::{Read, collected};

/// What all policies tell together, so that each that is refused makes it unknown.
const TOLD_BY_ALL: &[&str] = &["held_roles"];

/// What is known of each resource.
fn known(read: &Read) -> BTreeMap<&str, BTreeMap<String, Value>> {
    let value = |attribute: &Attribute| match attribute {
        Attribute::Known(value) => Some(value.clone()),
        Attribute::Unknown(_) => None,
    };
    let own = |(name, _attribute): &(&String, &Attribute)| !TOLD_BY_ALL.contains(&name.as_str());
    let of = |resource: &Resource| resource.attributes.iter().filter(own).filter_map(|(name, attribute)| Some((name.clone(), value(attribute)?))).collect();
    read.resources.iter().map(|resource| (resource.id.as_str(), of(resource))).collect()
}

/// How much of what was known before is not known any more, all of it in those projects.
fn lost(before: &[Read], after: &[Read], refused: &[String]) -> usize {
    let mut lost = 0;
    for (before, after) in before.iter().zip(after).filter(|(before, _)| before.kind.starts_with("gcp.")) {
        assert_eq!(before.kind, after.kind);
        let (known_before, known_after) = (known(before), known(after));
        assert!(known_after.keys().all(|id| known_before.contains_key(id)), "{}: something came up", before.kind);
        for (id, facts) in known_before {
            let in_refused = facts.get("project").and_then(|project| project.as_str()).is_some_and(|project| refused.iter().any(|name| name == project));
            let now = known_after.get(id);
            if in_refused {
                let told = now.is_none_or(|now| facts.iter().all(|(name, value)| now.get(name).is_none_or(|now| now == value)));
                assert!(told, "{} {id} changed", before.kind);
                assert!(now.is_some() || !after.population.completeness().is_complete(), "{} {id} is missing and nothing says so", before.kind);
                lost += facts.len() - now.map_or(0, BTreeMap::len);
            } else {
                assert_eq!(now, Some(&facts), "{} {id}", before.kind);
            }
        }
    }
    lost
}

#[test]
fn projects_that_refuse_leave_all_others_as_they_are() {
    for (inventory, at_least) in [(Inventory::On, 1), (Inventory::Off, 30)] {
        let site = Site::sized(Size { repositories: 1, members: 1, projects: 40, changes: 1, tasks: 1 });
        let plan = site.sandbox().world().plan.clone();
        site.sandbox().serve_world(World::new(Plan { inventory, ..plan }));
        let before = collected(&site);
        let refused = site.refuse_one_in(20, Behaviour::default());
        assert_eq!(refused.len(), 2);
        let lost = lost(&before, &collected(&site), &refused);
        assert!(lost >= at_least, "{lost} facts of projects that refuse are lost");
        site.assert_contracts_held();
    }
}
