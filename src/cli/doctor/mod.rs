//! `doctor`: whether the store keeps evidence from those who would delete it, whether what is in it is signed and observed, what could not be seen, and what
//! has to be granted so that it can.

mod log;
mod needs;
mod observers;
mod permissions;
mod roles;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use comfy_table::ContentArrangement;
use serde_json::json;

use crate::catalog::Catalog;
use crate::cli::args;
use crate::cli::doctor::needs::Needs;
use crate::cli::due::day_start;
use crate::cli::exit::{Exit, Failure};
use crate::cli::host::Host;
use crate::cli::project::{Place, Project};
use crate::cli::summary::{Form, instant, table};
use crate::model::{ControlId, MissingPermission, Route, Verdict};
use crate::store::doctor::bucket::{self, Expected};
use crate::store::doctor::{Check, Unseen, folder, is_write_once, trial};
use crate::store::gcs::GcsStore;
use crate::store::local::LocalStore;
use crate::store::{Store, snapshot};

/// Columns of the table; what is longer goes on below.
const WIDTH: u16 = 120;

/// Runs the verb. One object `doctor/<random>` is created, and stays where it cannot be deleted.
///
/// # Errors
/// Where the configuration is wrong or a directory cannot be opened; what cannot be seen in the store is no error.
pub async fn run(host: &mut Host, project: &Project, arguments: &args::Doctor, form: Form) -> Result<Exit> {
    let catalog = project.catalog(host, &project.control_files()?)?;
    let needs = Needs::of(&catalog, &project.settings.google.parents)?;
    if let Some(file) = &arguments.role_yaml {
        return write_role(host, needs.as_ref(), file, arguments);
    }
    let mut checks = match project.place()? {
        Place::Folder(root) => of_folder(host, &root).await?,
        Place::Bucket(store) => of_bucket(host, project, (arguments, &catalog), &store).await?,
    };
    checks.extend(log::checks(host, project).await?);
    let (check, missing) = permissions::check(project).await;
    checks.push(check);
    let told = Told { store: &project.settings.store, at: host.now(), checks: &checks, missing: &missing, needs: needs.as_ref() };
    match form {
        Form::Json => told.json(host)?,
        Form::Text => told.text(host)?,
    }
    Ok(exit(&checks))
}

async fn of_folder(host: &Host, root: &Path) -> Result<Vec<Check>> {
    let store = LocalStore::open(root).with_context(|| format!("opening the store {}", root.display()))?;
    let mut checks = vec![folder::others(root)];
    let cure = "keep evidence in a bucket with a locked retention policy: store = \"gs://BUCKET/FOLDER\"";
    checks.extend(trial::run(&store, &random(host), cure).await);
    Ok(checks)
}

async fn of_bucket(host: &Host, project: &Project, (arguments, catalog): (&args::Doctor, &Catalog), store: &GcsStore) -> Result<Vec<Check>> {
    store.connect().await?;
    let zone = project.settings.time_zone;
    let from = match arguments.from {
        Some(day) => Ok(day_start(day, zone)),
        None => first_run(store, host.now()).await,
    };
    let clock = Arc::clone(&host.clock);
    let seen = store.inspect(&move || clock()).await;
    let mut checks = bucket::judge(&seen, &Expected { from, asked: project.asked_retention(&catalog.controls) });
    let cure = "lock the bucket's retention policy, and collect as an account that has roles/storage.objectCreator and roles/storage.objectViewer only";
    checks.extend(trial::run(store, &random(host), cure).await);
    Ok(checks)
}

/// Writes the custom role, and looks at nothing.
fn write_role(host: &mut Host, needs: Option<&Needs>, file: &Path, arguments: &args::Doctor) -> Result<Exit> {
    let needs = needs.ok_or_else(|| Failure::usage("no enabled control looks at Google Cloud, or nothing under [google] says where"))?;
    let role = needs.role(if arguments.without_inventory { Route::Fallback } else { Route::Always });
    if file == Path::new("-") {
        write!(host.out, "{}", role.yaml())?;
    } else {
        fs::write(host.folder.join(file), role.yaml()).with_context(|| format!("writing {}", file.display()))?;
        writeln!(host.err, "{} holds the role; its first lines say how to make it", file.display())?;
    }
    Ok(Exit::Satisfied)
}

/// When the first sealed run began; now where there is none.
async fn first_run(store: &dyn Store, now: DateTime<Utc>) -> Result<DateTime<Utc>, Unseen> {
    let unseen = |error: &dyn std::fmt::Display| Unseen(format!("when the evidence begins cannot be told ({error}); give --from"));
    let runs = snapshot::runs(store).await.map_err(|error| unseen(&error))?;
    let Some(first) = runs.first() else { return Ok(now) };
    let sealed = snapshot::open(store, first).await.map_err(|error| unseen(&error))?;
    Ok(sealed.manifest.started_at)
}

fn random(host: &Host) -> String {
    (0..4).map(|_| format!("{:08x}", (host.random)())).collect()
}

fn exit(checks: &[Check]) -> Exit {
    let any = |verdict| checks.iter().any(|check| check.verdict == verdict);
    if any(Verdict::Fail) {
        Exit::NotSatisfied
    } else if any(Verdict::Undetermined) {
        Exit::Undetermined
    } else {
        Exit::Satisfied
    }
}

struct Told<'a> {
    store: &'a str,
    at: DateTime<Utc>,
    checks: &'a [Check],
    missing: &'a [MissingPermission],
    needs: Option<&'a Needs>,
}

impl Told<'_> {
    fn json(&self, host: &mut Host) -> Result<()> {
        let document = json!({"store": self.store, "at": instant(self.at), "write_once": is_write_once(self.checks), "checks": self.checks,
            "permissions": self.missing, "google": self.needs});
        writeln!(host.out, "{}", serde_json::to_string_pretty(&document)?)?;
        Ok(())
    }

    /// What to grant, and what it would open.
    fn grants(&self) -> String {
        let mut table = table(&["WHAT TO GRANT", "CONTROLS IT LEAVES OPEN", "WHAT IS NOT SEEN"]);
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
        for row in self.missing {
            let controls: Vec<&str> = row.controls.iter().map(ControlId::as_str).collect();
            table.add_row([row.cure.clone(), controls.join(" "), row.unseen.join(" ")]);
        }
        table.to_string()
    }

    fn text(&self, host: &mut Host) -> Result<()> {
        let mut table = table(&["CHECK", "VERDICT", "WHAT WAS SEEN"]);
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
        for check in self.checks {
            table.add_row([check.id, check.verdict.as_str(), &check.detail]);
        }
        writeln!(host.out, "{}\n\n{table}\n", self.store)?;
        let mut cures: Vec<(&str, Vec<&str>)> = Vec::new();
        for (id, cure) in self.checks.iter().filter_map(|check| Some((check.id, check.cure.as_deref()?))) {
            match cures.iter_mut().find(|(known, _)| *known == cure) {
                Some((_, ids)) => ids.push(id),
                None => cures.push((cure, vec![id])),
            }
        }
        for (cure, ids) in cures {
            writeln!(host.out, "{}: {cure}", ids.join(", "))?;
        }
        if !self.missing.is_empty() {
            writeln!(host.out, "\n{}", self.grants())?;
        }
        if let Some(needs) = self.needs {
            write!(host.out, "\n{}", needs.text())?;
        }
        let of = |verdict| self.checks.iter().filter(|check| check.verdict == verdict).count();
        let (pass, fail, undetermined) = (of(Verdict::Pass), of(Verdict::Fail), of(Verdict::Undetermined));
        writeln!(host.out, "\n{} checks: {pass} pass, {fail} fail, {undetermined} undetermined", self.checks.len())?;
        if is_write_once(self.checks) {
            writeln!(host.out, "Write once over the whole period: assurance may reach L2, and more with time stamps and witnesses.")?;
        } else {
            writeln!(host.out, "Assurance stays at L1: it was not seen that this store keeps evidence from those who may delete.")?;
        }
        Ok(())
    }
}
