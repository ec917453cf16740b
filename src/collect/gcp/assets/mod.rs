//! The tables of kinds that Cloud Asset Inventory shows; how they are asked for and read is `asset`'s business.

mod apis;
mod artifacts;
mod backups;
mod balancing;
mod bigquery;
mod compute;
mod container;
mod dataproc;
mod disks;
mod dns;
mod errors;
mod groups;
mod identity;
mod keys;
mod logging;
mod monitoring;
mod network;
mod pubsub;
mod secrets;
mod serverless;
mod sql;
mod storage;
mod stores;
mod watched;

pub use apis::API_KEY;
pub use artifacts::{ARTIFACT_REPOSITORY, IMAGE_VULNERABILITY};
pub use backups::{BACKUP_PLAN, RESTORE};
pub use balancing::{BACKEND_SERVICE, HTTPS_PROXY, SSL_POLICY, SSL_PROXY};
pub use bigquery::{BIGQUERY_DATASET, BIGQUERY_TABLE};
pub use compute::{COMPUTE_PROJECT, INSTANCE};
pub use container::GKE_CLUSTER;
pub use dataproc::DATAPROC_CLUSTER;
pub use disks::{DISK, SNAPSHOT};
pub use dns::{DNS_POLICY, DNS_ZONE};
pub use errors::ERROR_GROUP;
pub use groups::{IMAGE, INSTANCE_GROUP};
pub use identity::{IDENTITY_PROVIDER, SERVICE_ACCOUNT, SERVICE_ACCOUNT_USE};
pub use keys::{KMS_KEY, KMS_KEY_VERSION};
pub use logging::LOG_BUCKET;
pub use monitoring::{ALERT_POLICY, NOTIFICATION_CHANNEL, SNOOZE, UPTIME_CHECK};
pub use network::{FIREWALL_RULE, NETWORK, SUBNETWORK};
pub use pubsub::{PUBSUB_SUBSCRIPTION, PUBSUB_TOPIC};
pub use secrets::{SECRET, SECRET_VERSION};
pub use serverless::{CLOUD_FUNCTION, RUN_SERVICE};
pub use sql::{SQL_BACKUP, SQL_INSTANCE, SQL_RESTORE};
pub use storage::BUCKET;
pub use stores::{ALLOYDB_CLUSTER, REDIS_INSTANCE};
pub use watched::WATCHED_PROJECT;

pub(super) use monitoring::{conditions, seconds};

use crate::collect::gcp::asset::Asset;
use crate::collect::gcp::listed::Listed;

/// Those that the inventory does not show, by name.
pub static LISTED: &[&Listed] = &[&ERROR_GROUP, &IMAGE_VULNERABILITY];

/// Those that it shows, by name.
pub static ASSETS: &[&Asset] = &[
    &ALERT_POLICY,
    &ALLOYDB_CLUSTER,
    &API_KEY,
    &ARTIFACT_REPOSITORY,
    &BACKEND_SERVICE,
    &BACKUP_PLAN,
    &BIGQUERY_DATASET,
    &BIGQUERY_TABLE,
    &BUCKET,
    &CLOUD_FUNCTION,
    &COMPUTE_PROJECT,
    &DATAPROC_CLUSTER,
    &DISK,
    &DNS_POLICY,
    &DNS_ZONE,
    &FIREWALL_RULE,
    &GKE_CLUSTER,
    &HTTPS_PROXY,
    &IDENTITY_PROVIDER,
    &IMAGE,
    &INSTANCE,
    &INSTANCE_GROUP,
    &KMS_KEY,
    &KMS_KEY_VERSION,
    &LOG_BUCKET,
    &NETWORK,
    &NOTIFICATION_CHANNEL,
    &PUBSUB_SUBSCRIPTION,
    &PUBSUB_TOPIC,
    &REDIS_INSTANCE,
    &RESTORE,
    &RUN_SERVICE,
    &SECRET,
    &SECRET_VERSION,
    &SERVICE_ACCOUNT,
    &SERVICE_ACCOUNT_USE,
    &SNAPSHOT,
    &SNOOZE,
    &SQL_BACKUP,
    &SQL_INSTANCE,
    &SQL_RESTORE,
    &SSL_POLICY,
    &SSL_PROXY,
    &SUBNETWORK,
    &UPTIME_CHECK,
    &WATCHED_PROJECT,
];
