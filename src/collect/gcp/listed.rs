//! Kinds that the inventory does not show: their service lists them, project by project.
//!
//! Only projects that hold certain assets are asked (those with a repository of images for what is weak in images), so that an organisation of two hundred projects
//! is not asked two hundred times; without the inventory all of them are. Left out: the tables themselves (`assets`).

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::asking::for_each;
use crate::collect::gcp::asset::{Asset, Reading};
use crate::collect::gcp::hierarchy::{self, Hierarchy, ProjectRow, sorted};
use crate::collect::gcp::{inventory, needs};
use crate::model::{Kind, Need, Population, Resource, Scope};

/// A kind that its service lists. The table is that of an asset, but for its types: they are what a project holds that is asked.
#[derive(Debug)]
pub struct Listed(pub(super) Asset);

#[async_trait]
impl Collector for Listed {
    fn kind(&self) -> &'static Kind {
        self.0.kind
    }

    fn needs(&self) -> Vec<Need> {
        needs::of_listed(&self.0)
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        let kind = self.0.kind.name;
        let (found, (), holders) =
            futures::try_join!(hierarchy::ask(scope, api, kind), inventory::ask_projects(scope, api, kind), self.0.resources().ask_holders(scope, api, kind))?;
        let Some(direct) = self.0.direct.as_ref() else { return Ok(()) };
        for_each(found.asked(holders), |project| direct.ask(project, api, kind)).await
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let hierarchy = Hierarchy::read(scope, evidence, &mut |_item, _id, _n| None)?;
        let mut population = Population::of(self.0.kind, String::new());
        let mut reading = Reading::new(&self.0, &hierarchy, evidence, emit);
        for parent in inventory::parents(scope) {
            let asked = self.asked(&parent, &hierarchy, evidence, &mut population)?;
            reading.services(&parent, asked.into_iter(), &mut population)?;
        }
        population.definition = format!(
            "every {} of the projects below {} that hold {}",
            self.0.kind.noun(),
            inventory::parents(scope).into_iter().collect::<Vec<_>>().join(", "),
            self.0.types.join(", ")
        );
        population.evidence = sorted(population.evidence);
        Ok(population)
    }
}

impl Listed {
    /// The projects below a parent that were asked.
    fn asked<'h>(
        &self,
        parent: &str,
        hierarchy: &'h Hierarchy,
        evidence: &dyn Evidence,
        population: &mut Population,
    ) -> Result<BTreeMap<&'h str, &'h ProjectRow>, Unreadable> {
        let query = self.0.resources();
        if query.refused(parent, evidence)?.is_some() {
            return Ok(hierarchy.live_below(parent).collect());
        }
        let mut holders = BTreeMap::new();
        let mut unknown = BTreeSet::new();
        let listed = query.read(parent, evidence, &mut |asset, _n| {
            Ok(match inventory::owner(asset, hierarchy) {
                Ok(owner) => {
                    holders.extend(owner.filter(|(_id, row)| row.live));
                    None
                }
                Err(gap) => unknown.insert(gap.detail.clone()).then_some(gap),
            })
        })?;
        let compared = inventory::compare(parent, hierarchy, evidence)?;
        for read in [listed, compared] {
            population.gaps.extend(read.gaps);
            population.evidence.extend(read.evidence);
        }
        Ok(holders)
    }
}
