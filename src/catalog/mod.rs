//! Stage 1: TOML text → validated `Catalog`. Every mistake in every file is collected in one go, each with its place and a suggestion.
//!
//! Left out on purpose: reading files, the expression engine and the list of resource kinds; `cli` hands all three in.

mod control;
mod control_test;
mod criteria;
mod expression;
mod mistake;
mod overrides;
mod page;
pub mod schema;
pub mod settings;
pub mod shipped;
mod source;
mod suggest;
mod task;
mod value;
mod waiver;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use toml::de::DeTable;

use crate::catalog::control::Register;
pub use crate::catalog::mistake::{Mistake, Mistakes, Style};
pub use crate::catalog::overrides::Overrides;
use crate::catalog::page::Page;
pub use crate::catalog::source::{Place, SourceFile};
use crate::model::{Control, ControlId, Criterion, CriterionId, ExpressionMistake, ExpressionSite, Kind, Waiver};

/// What controls may speak of.
#[derive(Clone, Copy)]
pub struct Vocabulary<'v> {
    /// The resource kinds.
    pub kinds: &'v [&'static Kind],
    /// The expression engine's check; its ranges are bytes of the expression's source.
    pub check: &'v dyn Fn(&ExpressionSite<'_>) -> Vec<ExpressionMistake>,
}

impl fmt::Debug for Vocabulary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vocabulary").field("kinds", &self.kinds.len()).finish_non_exhaustive()
    }
}

/// Controls, waivers and criteria without errors.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalog {
    /// Sorted by id.
    pub controls: Vec<Control>,
    /// Sorted by id.
    pub criteria: Vec<Criterion>,
    /// Sorted by id.
    pub waivers: Vec<Waiver>,
    /// What is worth a look and stops nothing.
    pub warnings: Mistakes,
}

impl Catalog {
    /// The control with this id.
    #[must_use]
    pub fn control(&self, id: &ControlId) -> Option<&Control> {
        self.controls.iter().find(|control| control.id == *id)
    }

    /// The waivers of a control.
    pub fn waivers_of<'a>(&'a self, id: &'a ControlId) -> impl Iterator<Item = &'a Waiver> {
        self.waivers.iter().filter(move |waiver| waiver.control == *id)
    }

    /// The criterion with this id.
    #[must_use]
    pub fn criterion(&self, id: &CriterionId) -> Option<&Criterion> {
        self.criteria.iter().find(|criterion| criterion.id == *id)
    }

    /// The criteria that no control helps to meet.
    #[must_use]
    pub fn uncovered(&self) -> Vec<&Criterion> {
        let covered: BTreeSet<&CriterionId> = self.controls.iter().flat_map(|control| &control.satisfies).collect();
        self.criteria.iter().filter(|criterion| !covered.contains(&criterion.id)).collect()
    }
}

/// Reads controls, waivers and criteria: files in a `criteria/` directory hold criteria, the others controls and waivers.
///
/// # Errors
/// Every mistake of every file, and of the overrides, where at least one is an error.
pub fn load(files: &[SourceFile], vocabulary: &Vocabulary<'_>, overrides: &Overrides) -> Result<Catalog, Mistakes> {
    let mut found = BTreeMap::new();
    let mut known = BTreeMap::new();
    let mut criteria = Vec::new();
    for (at, file) in files.iter().enumerate().filter(|(_, file)| criteria::is_criteria_file(&file.path)) {
        let (mut page, table) = Page::open(file);
        criteria.extend(criteria::criteria(&mut page, &table, &mut known));
        found.insert(at, page.finish());
    }
    let mut register = Register { vocabulary, overrides, criteria: &known, ids: BTreeMap::new(), override_mistakes: Vec::new() };
    let mut controls = Vec::new();
    let mut pages: Vec<(usize, Page<'_>, DeTable<'_>)> = Vec::new();
    for (at, file) in files.iter().enumerate().filter(|(_, file)| !criteria::is_criteria_file(&file.path)) {
        let (mut page, table) = Page::open(file);
        controls.extend(control::controls(&mut page, &table, &mut register));
        pages.push((at, page, table));
    }
    // Afterwards, because a waiver may stand in front of what it names, in another file too.
    let mut waivers = waiver::Register::new(&register.ids);
    for (_, page, table) in &mut pages {
        waivers.read(page, table);
    }
    let waivers = waivers.finish(&mut pages);
    found.extend(pages.into_iter().map(|(at, page, _table)| (at, page.finish())));
    let mut mistakes: Vec<Mistake> = found.into_values().flatten().collect();
    mistakes.extend(overrides.unknown(&register.ids));
    mistakes.extend(register.override_mistakes);
    controls.sort_by(|a, b| a.id.cmp(&b.id));
    criteria.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Catalog { controls, criteria, waivers, warnings: Mistakes(mistakes).split()? })
}
