//! Every verdict of a period, month by month, from the index into the files of a report.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use chrono_tz::Tz;

use crate::cli::files::Folder;
use crate::evaluate::history::History;
use crate::model::{Assessment, Frequency, Period, Slot};
use crate::report::{Files as _, Monthly};

/// Writes the months of the assessment's period, by the audit calendar. One in which nothing ran has a file without rows. Months that an earlier
/// report left in the same folder are removed: whoever reads the folder as one table would count them too.
///
/// # Errors
/// Where the folder cannot be written.
pub fn write(folder: &mut Folder, assessment: &Assessment, zone: Tz, (monthly, history): (&dyn Monthly, &History)) -> Result<()> {
    let verdicts = history.verdicts();
    let mut names = BTreeSet::new();
    for month in months(assessment.period, zone) {
        let name = monthly.path(&month);
        folder.file(&name, &mut |file| monthly.write(assessment, &month, &mut verdicts.within(month.period), file).map(drop))?;
        names.insert(name);
    }
    forget(folder.path(), monthly.pattern(), &names)
}

/// The months that the period touches, each with what the period has of it.
fn months(period: Period, zone: Tz) -> impl Iterator<Item = Slot> {
    let within = move |month: Slot| {
        let clipped = Period::new(month.period.start().max(period.start()), month.period.end().min(period.end())).ok()?;
        Some(Slot { period: clipped, ..month })
    };
    Frequency::Monthly.slots_in(period, zone).into_iter().filter_map(within)
}

/// Removes the files of other months, and their folders where nothing else is in them.
fn forget(folder: &Path, pattern: &str, names: &BTreeSet<String>) -> Result<()> {
    let Some(((above, before), after)) = pattern.split_once('*').and_then(|(head, tail)| Some((head.rsplit_once('/')?, tail))) else { return Ok(()) };
    for entry in fs::read_dir(folder.join(above)).with_context(|| format!("reading {above}"))? {
        let entry = entry?.file_name();
        let Some(entry) = entry.to_str().filter(|entry| entry.starts_with(before)) else { continue };
        let name = format!("{above}/{entry}{after}");
        let path = folder.join(&name);
        if !names.contains(&name) && path.is_file() {
            fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
            // Something else may be in it.
            fs::remove_dir(path.parent().unwrap_or(folder)).ok();
        }
    }
    Ok(())
}
