//! The organisation as it was at a past instant (`Scope::as_of`): services know no past, and Cloud Asset Inventory lists organisation, folders and projects as they were.
//!
//! Left out: a second count, which nothing of that time gives.

use serde_json::{Value, json};

use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::fields::{text, texts};
use crate::collect::gcp::hierarchy::{Each, Hierarchy, nameless};
use crate::collect::gcp::inventory;
use crate::model::Gap;

impl Hierarchy {
    /// What there was, as the inventory remembers it: each asset names what it lay in.
    pub(super) fn remembered(&mut self, root: &str, evidence: &dyn Evidence, each: Each<'_>) -> Result<(), Unreadable> {
        let tenant = self.tenants.len().saturating_sub(1);
        if !root.starts_with("projects/") {
            self.nodes.entry(root.to_owned()).or_insert(tenant);
        }
        let read = inventory::HIERARCHY.read(root, evidence, &mut |asset, n| Ok(self.remember(root, asset, n, each).unwrap_or_else(Some)))?;
        if let Some(last) = self.tenants.last_mut() {
            "none: of a past instant the inventory alone knows".clone_into(&mut last.source);
        }
        self.gaps.extend(read.gaps);
        self.evidence.extend(read.evidence);
        Ok(())
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
