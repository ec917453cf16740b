//! The one integration binary.

#[path = "../sandbox/mod.rs"]
mod sandbox;

mod architecture;
#[cfg(test)]
mod attest;
mod catalog;
mod cli;
mod doctor;
mod evaluate;
mod gcp;
mod gcs_store;
#[cfg(test)]
mod github;
mod recorded_gcp;
#[cfg(test)]
mod recorded_github;
mod redact;
mod report;
mod sandbox_contracts;
mod store;
mod transport;
mod truth;
mod work;
