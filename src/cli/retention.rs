//! What `collect` demands of the store before it puts evidence there for years.

use std::io::Write as _;

use anyhow::Result;

use crate::cli::exit::Failure;
use crate::cli::host::Host;
use crate::cli::project::{Place, Project};
use crate::model::Control;
use crate::store::doctor::retention::{self, Kept};

/// Refuses a bucket that is locked for less than the configuration and the controls ask for. Where nothing locks evidence at all, or that cannot be seen,
/// collecting goes on with a warning: evidence that can be deleted is better than none.
///
/// # Errors
/// Exit code 2: the bucket is locked for less.
pub async fn demand(host: &mut Host, project: &Project, controls: &[Control]) -> Result<()> {
    let Some(asked) = project.asked_retention(controls) else { return Ok(()) };
    let wish = format!("{} asks to keep evidence for {} days", asked.by, asked.days);
    let doubt = match project.place()? {
        Place::Folder(_) => "and a directory keeps nothing from those who may delete".to_owned(),
        Place::Bucket(store) => match store.facts().await {
            Err(error) => format!("and whether the bucket does cannot be seen: {error}"),
            Ok(facts) => match retention::compare(Some(&asked), &facts) {
                Kept::Locked { .. } => return Ok(()),
                Kept::TooShort { period, asked } => {
                    let name = store.address().bucket();
                    let cure = retention::lengthen(name, &asked);
                    return Err(Failure::usage(format!("{wish}, and the bucket {name} is locked for {period} only: {cure}; or ask for less")).into());
                }
                Kept::Unlocked => "and the bucket's retention policy is not locked".to_owned(),
                Kept::Nothing => "and the bucket has no retention policy".to_owned(),
                Kept::Undetermined => "and the bucket's retention policy does not say its period".to_owned(),
            },
        },
    };
    writeln!(host.err, "warning: {wish}, {doubt}; `proofline doctor` says more")?;
    Ok(())
}
