//! The organisation as it was at a past instant (`Scope::as_of`): services know no past, and Cloud Asset Inventory lists organisation, folders and projects as they were.
//!
//! Left out: a second count, which nothing of that time gives.

use serde_json::{Value, json};

use crate::collect::api::{Api, ApiError, Reply};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::asking::entries;
use crate::collect::gcp::fields::{text, texts};
use crate::collect::gcp::hierarchy::{Each, Found, Hierarchy, nameless};
use crate::collect::gcp::inventory;
use crate::model::{Gap, Scope};

/// Asks the inventory, and tells what there was, for a source that knows of the past by itself.
///
/// # Errors
/// Only where collecting cannot go on at all.
pub(in crate::collect::gcp) async fn ask_remembered(scope: &Scope, api: &dyn Api, kind: &'static str) -> Result<Found, ApiError> {
    let mut hierarchy = Hierarchy::default();
    let take = |root: &str, page: &Reply| {
        hierarchy.take_root(root);
        for asset in entries(page, "assets") {
            // What cannot be made out is told when it is read.
            drop(hierarchy.remember(root, &asset, 0, &mut |_item, _id, _n| None));
        }
    };
    inventory::HIERARCHY.ask_each(scope, api, kind, take).await?;
    let mut found = Found { nodes: hierarchy.nodes.keys().cloned().collect(), ..Found::default() };
    found.add(hierarchy.live().map(|(id, _row)| (id.to_owned(), None)));
    Ok(found)
}

impl Hierarchy {
    /// What there was, as the inventory remembers it: each asset names what it lay in.
    pub(super) fn remembered(&mut self, root: &str, evidence: &dyn Evidence, each: Each<'_>) -> Result<(), Unreadable> {
        self.take_root(root);
        let read = inventory::HIERARCHY.read(root, evidence, &mut |asset, n| Ok(self.remember(root, asset, n, each).unwrap_or_else(Some)))?;
        if let Some(last) = self.tenants.last_mut() {
            "none: of a past instant the inventory alone knows".clone_into(&mut last.source);
        }
        self.gaps.extend(read.gaps);
        self.evidence.extend(read.evidence);
        Ok(())
    }

    fn take_root(&mut self, root: &str) {
        if !root.starts_with("projects/") {
            self.nodes.entry(root.to_owned()).or_insert(self.tenants.len().saturating_sub(1));
        }
    }

    fn remember(&mut self, root: &str, asset: &Value, n: u32, each: Each<'_>) -> Result<Option<Gap>, Gap> {
        let line = texts(asset, "ancestors")?.unwrap_or_default();
        let line: Vec<&str> = line.iter().copied().take_while(|node| *node != root).chain(line.contains(&root).then_some(root)).collect();
        let Some(itself) = line.first() else { return Ok(Some(nameless("folder or project", root))) };
        let above = line.get(1).copied().unwrap_or(root);
        if itself.starts_with("projects/") {
            let data = asset.pointer("/resource/data").unwrap_or(&Value::Null);
            let state = text(data, "state")?.or(text(data, "lifecycleState")?);
            let project = json!({ "name": itself, "projectId": text(data, "projectId")?, "state": state, "labels": data.get("labels") });
            return Ok(self.take(&project, n, above, each));
        }
        if *itself != root {
            self.nodes.entry((*itself).to_owned()).or_insert(self.tenants.len().saturating_sub(1));
            self.parents.insert((*itself).to_owned(), above.to_owned());
        }
        Ok(None)
    }
}
