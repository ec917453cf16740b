//! The sandbox itself: its contracts, its limits and faults, and that its APIs serve what is true.

// Tells clippy that what stands here outside of test functions is for tests too.
#![cfg(test)]

mod client;
mod contracts;
mod faults;
mod github;
mod google;
mod recordings;
mod schemas;
