//! The one integration binary.

#[path = "../sandbox/mod.rs"]
mod sandbox;

mod architecture;
mod catalog;
mod cli;
mod evaluate;
mod gcp;
mod github;
mod report;
mod store;
mod transport;
mod work;
