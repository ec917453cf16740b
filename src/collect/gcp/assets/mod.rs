//! The tables of kinds that Cloud Asset Inventory shows; how they are asked for and read is `asset`'s business.

mod compute;
mod container;
mod network;
mod storage;

pub use compute::{COMPUTE_PROJECT, INSTANCE};
pub use container::GKE_CLUSTER;
pub use network::{FIREWALL_RULE, NETWORK, SUBNETWORK};
pub use storage::BUCKET;

use crate::collect::gcp::asset::Asset;

/// All of them, by name.
pub static ASSETS: &[&Asset] = &[&BUCKET, &COMPUTE_PROJECT, &FIREWALL_RULE, &GKE_CLUSTER, &INSTANCE, &NETWORK, &SUBNETWORK];
