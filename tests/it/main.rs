//! The one integration binary.

#[path = "../sandbox/mod.rs"]
mod sandbox;

mod architecture;
mod assets;
mod attachments;
#[cfg(test)]
mod attest;
mod audit_entries;
mod catalog;
mod cli;
mod continued;
mod controls_readme;
mod credentials;
#[cfg(test)]
mod diff;
mod divided;
mod doctor;
mod evaluate;
#[cfg(test)]
mod export;
mod gcp;
mod gcp_policies;
mod gcs_store;
#[cfg(test)]
mod github;
mod groups;
mod guards;
#[cfg(test)]
mod holds;
#[cfg(test)]
mod index;
#[cfg(test)]
mod key_service;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod ledger;
mod listed;
mod mentions;
mod mutate;
#[cfg(test)]
mod needs;
#[cfg(test)]
mod observers;
mod principals;
mod reconstructed;
mod recorded_gcp;
#[cfg(test)]
mod recorded_github;
mod redact;
mod refused;
#[cfg(test)]
mod register;
mod report;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod sample;
mod sandbox_contracts;
#[cfg(test)]
mod sealed;
mod slo;
#[cfg(test)]
mod slots;
mod store;
mod stored;
mod tasks;
#[cfg(test)]
mod tools;
mod transport;
mod traps;
mod truth;
mod verdicts;
mod waivers;
mod work;
mod year;
