//! The tables of kinds that Cloud Asset Inventory shows; how they are asked for and read is `asset`'s business.

mod compute;
mod network;

pub use compute::{COMPUTE_PROJECT, INSTANCE};
pub use network::{FIREWALL_RULE, NETWORK, SUBNETWORK};

use crate::collect::gcp::asset::Asset;

/// All of them, by name.
pub static ASSETS: &[&Asset] = &[&COMPUTE_PROJECT, &FIREWALL_RULE, &INSTANCE, &NETWORK, &SUBNETWORK];
