//! A GitHub and a Google Cloud to run against, on loopback, over real HTTP. For tests, the demonstration and the figures; no part of the program.
//!
//! `Sandbox::start(World::new(Plan::default()), Behaviour::default())` serves a generated organisation whose true compliance is known (`World::truth`);
//! `Sandbox::replay(path, behaviour)` serves recorded traffic. Every request is held to the vendors' published contracts where `tests/setup.sh` has put them.
//! GitHub is at `sandbox.github()`, Google's services at `sandbox.google()` with `{service}` in it.
//! Names are reached as `crate::sandbox::…`, so whoever includes this file calls the module `sandbox`.

#![allow(dead_code, unused_imports, reason = "each binary that includes the sandbox uses a part of it")]
#![allow(clippy::expect_used, reason = "a sandbox that cannot start must stop the test at once")]

pub(crate) mod attachments;
pub(crate) mod behaviour;
pub(crate) mod contracts;
pub(crate) mod desk;
#[cfg(test)]
pub(crate) mod emulator;
#[cfg(test)]
pub(crate) mod gcs;
pub(crate) mod graphql;
pub(crate) mod journal;
pub(crate) mod limits;
pub(crate) mod line;
pub(crate) mod random;
pub(crate) mod replay;
pub(crate) mod rest;
pub(crate) mod server;
pub(crate) mod site;
pub(crate) mod world;

pub(crate) use behaviour::{Action, Behaviour, Fault};
pub(crate) use server::Sandbox;
pub(crate) use world::{Plan, Viewer, World};
