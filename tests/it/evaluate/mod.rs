//! Stage 4 from outside: expressions checked, resources judged, findings concluded, examples run. Kinds here are made up, so that no collector is needed.

#![allow(clippy::expect_used, clippy::panic, reason = "the lints' exception for tests does not reach the functions that tests share")]

mod checking;
mod concluding;
mod hostile;
mod judging;
mod waiving;
mod world;
