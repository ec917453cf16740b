//! The log: its mathematics against a foreign implementation, its formats bit by bit, its protocol under crashes and races, and what verification finds.
#![cfg(test)]

mod faulty;
mod formats;
mod mathematics;
mod outside;
mod parsers;
mod protocol;
mod soak;
mod verification;
