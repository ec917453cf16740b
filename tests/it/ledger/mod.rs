//! The log: its mathematics against a foreign implementation, its formats bit by bit, its protocol under crashes and races, what verification finds, and what programs by others say.
#![cfg(test)]

mod faulty;
mod formats;
mod mathematics;
mod outside;
mod parsers;
mod protocol;
mod soak;
mod verification;
