//! What a credential could not see, and what would let it: the permission ledger of a run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::gap::Gap;
use crate::model::ids::ControlId;

/// A row of the permission ledger: one permission, scope or setting that somebody would have to grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingPermission {
    /// What to grant, as the vendor names it.
    pub cure: String,
    /// What is not known for the lack of it: `kind.attribute`, or the kind alone where the population is not whole; sorted.
    pub unseen: Vec<String>,
    /// The controls that it leaves open, sorted.
    pub controls: Vec<ControlId>,
    /// Observations that it leaves undetermined.
    pub observations: u64,
    /// What the source said to one of those requests.
    pub example: String,
}

/// The permission ledger while it is put together.
#[derive(Debug, Clone, Default)]
pub struct PermissionLedger(BTreeMap<String, MissingPermission>);

impl PermissionLedger {
    /// Notes that `gap` leaves an observation of `control` undetermined, or its population, where `observations` is 0. A gap that nobody can close by granting
    /// something is passed over.
    pub fn note(&mut self, gap: &Gap, unseen: &str, control: &ControlId, observations: u64) {
        let Some(cure) = &gap.cure else { return };
        let empty = || MissingPermission { cure: cure.clone(), unseen: Vec::new(), controls: Vec::new(), observations: 0, example: gap.detail.clone() };
        let row = self.0.entry(cure.clone()).or_insert_with(empty);
        row.add(&[unseen.to_owned()], std::slice::from_ref(control), observations);
    }

    /// Adds the rows of another run, as far as they concern `controls`.
    pub fn merge(&mut self, rows: &[MissingPermission], controls: impl Fn(&ControlId) -> bool) {
        for row in rows {
            let open: Vec<ControlId> = row.controls.iter().filter(|control| controls(control)).cloned().collect();
            if open.is_empty() {
                continue;
            }
            let empty = || MissingPermission { unseen: Vec::new(), controls: Vec::new(), observations: 0, ..row.clone() };
            self.0.entry(row.cure.clone()).or_insert_with(empty).add(&row.unseen, &open, row.observations);
        }
    }

    /// The rows, the one that leaves most controls open first.
    #[must_use]
    pub fn rows(&self) -> Vec<MissingPermission> {
        let mut rows: Vec<MissingPermission> = self.0.values().cloned().collect();
        rows.sort_by(|a, b| (b.controls.len(), b.observations).cmp(&(a.controls.len(), a.observations)).then_with(|| a.cure.cmp(&b.cure)));
        rows
    }
}

impl MissingPermission {
    fn add(&mut self, unseen: &[String], controls: &[ControlId], observations: u64) {
        into_sorted(&mut self.unseen, unseen);
        into_sorted(&mut self.controls, controls);
        self.observations = self.observations.saturating_add(observations);
    }
}

fn into_sorted<T: Ord + Clone>(sorted: &mut Vec<T>, more: &[T]) {
    for item in more {
        if let Err(at) = sorted.binary_search(item) {
            sorted.insert(at, item.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::PermissionLedger;
    use crate::model::{ControlId, Gap, GapCause};

    #[test]
    fn a_permission_is_one_row_however_much_it_hides() {
        let control = |id: &str| id.parse::<ControlId>().expect("an id");
        let gap = |detail: &str| Gap::new(GapCause::Forbidden, detail);
        let mut ledger = PermissionLedger::default();
        ledger.note(&gap("403").cured_by("admin"), "github.branch.protected", &control("REP-02"), 1);
        ledger.note(&gap("404").cured_by("admin"), "github.branch.protected", &control("REP-02"), 1);
        ledger.note(&gap("404").cured_by("admin"), "github.branch", &control("REP-01"), 0);
        ledger.note(&gap("500"), "github.branch", &control("REP-01"), 1);
        ledger.note(&gap("403").cured_by("members"), "github.team", &control("ORG-01"), 9);
        let rows = ledger.rows();
        assert_eq!(rows.len(), 2, "what no permission cures is no row");
        assert_eq!(rows[0].unseen, ["github.branch", "github.branch.protected"]);
        assert_eq!(rows[0].controls, [control("REP-01"), control("REP-02")]);
        assert_eq!((rows[0].observations, rows[0].example.as_str()), (2, "403"));
        let mut of_one = PermissionLedger::default();
        of_one.merge(&rows, |id| id.as_str() == "ORG-01");
        assert_eq!(of_one.rows(), rows[1..]);
    }
}
