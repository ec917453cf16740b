//! Which permissions the enabled controls need in Google Cloud, and a custom role that holds them and no other.
//!
//! Left out: whether they are granted (`permissions` knows what the newest runs were refused), and what GitHub asks for, which is a token's few scopes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::Result;
use comfy_table::{ColumnConstraint, ContentArrangement, Table};
use serde::Serialize;

use crate::catalog::Catalog;
use crate::cli::collect::collectors;
use crate::cli::doctor::{WIDTH, roles};
use crate::cli::summary::table;
use crate::model::{Control, ControlId, GcpParent, Level, Need, Route};

/// A permission that controls need.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Needed {
    permission: &'static str,
    /// The part of the name that tells the service.
    service: &'static str,
    /// Only where Cloud Asset Inventory cannot be asked.
    only_without_inventory: bool,
    /// Asked of a folder or the organisation, for which a custom role has to be made in the organisation.
    above_projects: bool,
    /// One of Google's roles that holds it, among others.
    predefined_role: Option<&'static str>,
    /// What it opens.
    controls: BTreeSet<ControlId>,
}

/// All of them.
#[derive(Debug, Serialize)]
pub(super) struct Needs {
    /// By name.
    permissions: Vec<Needed>,
    /// What holds those that are needed with the inventory.
    custom_role: CustomRole,
    /// What holds the others too.
    custom_role_without_inventory: CustomRole,
}

/// A role as `gcloud iam roles create --file` takes it. <https://cloud.google.com/iam/docs/creating-custom-roles>
#[derive(Debug, Serialize)]
pub(super) struct CustomRole {
    title: &'static str,
    description: String,
    stage: &'static str,
    #[serde(rename = "includedPermissions")]
    included_permissions: Vec<&'static str>,
    /// Where it is made, as the option of gcloud.
    #[serde(skip)]
    made_in: String,
}

impl Needs {
    /// What the controls of a catalogue need below the configured parents; none where nothing of Google Cloud is looked at.
    ///
    /// # Errors
    /// Exit code 2 where a control names a kind that this version cannot collect.
    pub(super) fn of(catalog: &Catalog, parents: &[GcpParent]) -> Result<Option<Self>> {
        let mut found: BTreeMap<&'static str, Needed> = BTreeMap::new();
        for control in &catalog.controls {
            let needs = needs_of(control)?.into_iter().filter(|need| applies(need.level, parents));
            needs.for_each(|need| found.entry(need.permission).or_insert_with(|| Needed::new(need)).serves(need, control));
        }
        let permissions: Vec<Needed> = found.into_values().collect();
        let with: Vec<&Needed> = permissions.iter().filter(|needed| !needed.only_without_inventory).collect();
        let (custom_role, custom_role_without_inventory) = (CustomRole::of(&with, parents), CustomRole::of(&permissions.iter().collect::<Vec<_>>(), parents));
        Ok((!permissions.is_empty()).then_some(Self { permissions, custom_role, custom_role_without_inventory }))
    }

    /// The role to write down.
    pub(super) fn role(&self, route: Route) -> &CustomRole {
        match route {
            Route::Always => &self.custom_role,
            Route::Fallback => &self.custom_role_without_inventory,
        }
    }

    /// What serves the same controls in one row.
    pub(super) fn text(&self) -> String {
        let all: BTreeSet<&ControlId> = self.permissions.iter().flat_map(|needed| &needed.controls).collect();
        let with = self.custom_role.included_permissions.len();
        let mut text = format!(
            "The {} controls that look at Google Cloud need {with} permissions with Cloud Asset Inventory, and {} more where it cannot be asked.\n\
             One of Google's roles that holds each is named, which holds more than that: `proofline doctor --role-yaml FILE` writes a custom role that does not.\n",
            all.len(),
            self.permissions.len().saturating_sub(with),
        );
        for (title, without) in [("WITH THE INVENTORY", false), ("WITHOUT IT ALSO", true)] {
            let rows = self.permissions.iter().filter(|needed| needed.only_without_inventory == without);
            let mut grouped: BTreeMap<(&str, &BTreeSet<ControlId>), Vec<&Needed>> = BTreeMap::new();
            rows.for_each(|needed| grouped.entry((needed.service, &needed.controls)).or_default().push(needed));
            if !grouped.is_empty() {
                let _infallible = writeln!(text, "\n{}", rows_of(title, grouped, all.len()));
            }
        }
        text
    }
}

fn rows_of(title: &str, grouped: BTreeMap<(&str, &BTreeSet<ControlId>), Vec<&Needed>>, all: usize) -> Table {
    let mut table = table(&[title, "CONTROLS"]);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
    // A name that is cut in two cannot be copied.
    table.column_mut(0).map(|names| names.set_constraint(ColumnConstraint::ContentWidth));
    for ((_service, controls), needed) in grouped {
        let held: BTreeSet<String> = needed.iter().filter_map(|needed| Some(format!("  in {}", needed.predefined_role?))).collect();
        let names: Vec<String> = needed.iter().map(|needed| needed.permission.to_owned()).chain(held).collect();
        let shown: Vec<&str> = controls.iter().map(ControlId::as_str).collect();
        table.add_row([names.join("\n"), if controls.len() == all { format!("all {all}") } else { shown.join(" ") }]);
    }
    table
}

impl Needed {
    fn new(need: Need) -> Self {
        Self {
            permission: need.permission,
            service: need.permission.split('.').next().unwrap_or(need.permission),
            only_without_inventory: true,
            above_projects: need.level != Level::Project,
            predefined_role: roles::holding(need.permission),
            controls: BTreeSet::new(),
        }
    }

    fn serves(&mut self, need: Need, control: &Control) {
        self.only_without_inventory &= need.route == Route::Fallback;
        self.controls.insert(control.id.clone());
    }
}

fn needs_of(control: &Control) -> Result<Vec<Need>> {
    let kinds = control.tests.iter().map(|test| test.population.clone()).collect();
    Ok(collectors(&kinds)?.iter().flat_map(|collector| collector.needs()).collect())
}

/// Whether anything is asked with a permission: below a single project there is no folder to list.
fn applies(level: Level, parents: &[GcpParent]) -> bool {
    parents.iter().any(|parent| match (level, parent) {
        (Level::Project, _) | (Level::Folder | Level::Organization, GcpParent::Organization(_)) | (Level::Folder, GcpParent::Folder(_)) => true,
        (Level::Organization, GcpParent::Folder(_)) | (Level::Folder | Level::Organization, GcpParent::Project(_)) => false,
    })
}

impl CustomRole {
    fn of(needed: &[&Needed], parents: &[GcpParent]) -> Self {
        let controls: BTreeSet<&ControlId> = needed.iter().flat_map(|needed| &needed.controls).collect();
        let made_in = parents.iter().find_map(|parent| match parent {
            GcpParent::Organization(number) => Some(format!("--organization={number}")),
            GcpParent::Folder(_) | GcpParent::Project(_) => None,
        });
        let only_projects = parents.iter().all(|parent| matches!(parent, GcpParent::Project(_)));
        Self {
            title: "Proofline collector",
            description: format!("Reads settings for {} controls of Proofline. Changes nothing, and reads no data.", controls.len()),
            stage: "GA",
            included_permissions: needed.iter().map(|needed| needed.permission).collect(),
            made_in: made_in.unwrap_or_else(|| if only_projects { "--project=PROJECT" } else { "--organization=NUMBER" }.to_owned()),
        }
    }

    /// As YAML. Every value is plain text: names of permissions, and sentences without a colon.
    pub(super) fn yaml(&self) -> String {
        let Self { title, description, stage, included_permissions, made_in } = self;
        let mut yaml = format!(
            "# Make it:  gcloud iam roles create proofline {made_in} --file=THIS_FILE\n\
             # Grant it to the collector's account on every organisation, folder or project under [google].\n\
             title: {title}\ndescription: {description}\nstage: {stage}\nincludedPermissions:\n"
        );
        for permission in included_permissions {
            let _infallible = writeln!(yaml, "- {permission}");
        }
        yaml
    }
}
