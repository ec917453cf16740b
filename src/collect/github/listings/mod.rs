//! The tables of kinds that are listings; how they are asked for and read is `listing`'s business.

mod access;
mod alerts;
mod delivery;
mod secrets;
mod webhooks;

pub use access::{APP_INSTALLATION, DEPLOY_KEY, OUTSIDE_COLLABORATOR, PAT_GRANT, RUNNER_GROUP};
pub use alerts::{CODE_SCANNING_ALERT, DEPENDABOT_ALERT, SECRET_ALERT};
pub use delivery::{ENVIRONMENT, RELEASE};
pub use secrets::{
    ENVIRONMENT_SECRET, ORGANIZATION_DEPENDABOT_SECRET, ORGANIZATION_SECRET, ORGANIZATION_VARIABLE, REPOSITORY_DEPENDABOT_SECRET, REPOSITORY_SECRET,
    REPOSITORY_VARIABLE,
};
pub use webhooks::{ORGANIZATION_WEBHOOK, REPOSITORY_WEBHOOK};

pub use crate::collect::github::listing::Asked;
use crate::collect::github::listing::Listing;

/// All of them, by name.
pub static LISTINGS: &[&Listing] = &[
    &APP_INSTALLATION,
    &CODE_SCANNING_ALERT,
    &DEPENDABOT_ALERT,
    &DEPLOY_KEY,
    &ENVIRONMENT,
    &ENVIRONMENT_SECRET,
    &ORGANIZATION_DEPENDABOT_SECRET,
    &ORGANIZATION_SECRET,
    &ORGANIZATION_VARIABLE,
    &ORGANIZATION_WEBHOOK,
    &OUTSIDE_COLLABORATOR,
    &PAT_GRANT,
    &RELEASE,
    &REPOSITORY_DEPENDABOT_SECRET,
    &REPOSITORY_SECRET,
    &REPOSITORY_VARIABLE,
    &REPOSITORY_WEBHOOK,
    &RUNNER_GROUP,
    &SECRET_ALERT,
];
