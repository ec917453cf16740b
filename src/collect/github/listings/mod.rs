//! The tables of kinds that are listings; how they are asked for and read is `listing`'s business.

mod access;
mod alerts;
mod delivery;

pub use access::{
    APP_INSTALLATION, DEPLOY_KEY, ORGANIZATION_DEPENDABOT_SECRET, ORGANIZATION_SECRET, ORGANIZATION_WEBHOOK, OUTSIDE_COLLABORATOR, PAT_GRANT, RUNNER_GROUP,
};
pub use alerts::{CODE_SCANNING_ALERT, DEPENDABOT_ALERT, SECRET_ALERT};
pub use delivery::{ENVIRONMENT, RELEASE};

use crate::collect::github::listing::Listing;

/// All of them, by name.
pub static LISTINGS: &[&Listing] = &[
    &APP_INSTALLATION,
    &CODE_SCANNING_ALERT,
    &DEPENDABOT_ALERT,
    &DEPLOY_KEY,
    &ENVIRONMENT,
    &ORGANIZATION_DEPENDABOT_SECRET,
    &ORGANIZATION_SECRET,
    &ORGANIZATION_WEBHOOK,
    &OUTSIDE_COLLABORATOR,
    &PAT_GRANT,
    &RELEASE,
    &RUNNER_GROUP,
    &SECRET_ALERT,
];
