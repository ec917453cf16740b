//! The tables of kinds that are listings; how they are asked for and read is `listing`'s business.

mod access;

pub use access::{APP_INSTALLATION, DEPLOY_KEY, ORGANIZATION_SECRET, ORGANIZATION_WEBHOOK, OUTSIDE_COLLABORATOR, PAT_GRANT, RUNNER_GROUP};

use crate::collect::github::listing::Listing;

/// All of them, by name.
pub static LISTINGS: &[&Listing] =
    &[&APP_INSTALLATION, &DEPLOY_KEY, &ORGANIZATION_SECRET, &ORGANIZATION_WEBHOOK, &OUTSIDE_COLLABORATOR, &PAT_GRANT, &RUNNER_GROUP];
