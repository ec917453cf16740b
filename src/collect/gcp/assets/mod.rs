//! The tables of kinds that Cloud Asset Inventory shows; how they are asked for and read is `asset`'s business.

mod apis;
mod backups;
mod bigquery;
mod compute;
mod container;
mod disks;
mod dns;
mod keys;
mod logging;
mod monitoring;
mod network;
mod pubsub;
mod secrets;
mod sql;
mod storage;
mod watched;

pub use apis::API_KEY;
pub use backups::{BACKUP_PLAN, RESTORE};
pub use bigquery::{BIGQUERY_DATASET, BIGQUERY_TABLE};
pub use compute::{COMPUTE_PROJECT, INSTANCE};
pub use container::GKE_CLUSTER;
pub use disks::{DISK, SNAPSHOT};
pub use dns::{DNS_POLICY, DNS_ZONE};
pub use keys::{KMS_KEY, KMS_KEY_VERSION};
pub use logging::LOG_BUCKET;
pub use monitoring::{ALERT_POLICY, NOTIFICATION_CHANNEL, SNOOZE, UPTIME_CHECK};
pub use network::{FIREWALL_RULE, NETWORK, SUBNETWORK};
pub use pubsub::{PUBSUB_SUBSCRIPTION, PUBSUB_TOPIC};
pub use secrets::{SECRET, SECRET_VERSION};
pub use sql::SQL_INSTANCE;
pub use storage::BUCKET;
pub use watched::WATCHED_PROJECT;

pub(super) use monitoring::{conditions, seconds};

use crate::collect::gcp::asset::Asset;

/// All of them, by name.
pub static ASSETS: &[&Asset] = &[
    &ALERT_POLICY,
    &API_KEY,
    &BACKUP_PLAN,
    &BIGQUERY_DATASET,
    &BIGQUERY_TABLE,
    &BUCKET,
    &COMPUTE_PROJECT,
    &DISK,
    &DNS_POLICY,
    &DNS_ZONE,
    &FIREWALL_RULE,
    &GKE_CLUSTER,
    &INSTANCE,
    &KMS_KEY,
    &KMS_KEY_VERSION,
    &LOG_BUCKET,
    &NETWORK,
    &NOTIFICATION_CHANNEL,
    &PUBSUB_SUBSCRIPTION,
    &PUBSUB_TOPIC,
    &RESTORE,
    &SECRET,
    &SECRET_VERSION,
    &SNAPSHOT,
    &SNOOZE,
    &SQL_INSTANCE,
    &SUBNETWORK,
    &UPTIME_CHECK,
    &WATCHED_PROJECT,
];
