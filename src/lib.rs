//! Proofline collects evidence that security controls operate and security tasks were done, and proves it.
//!
//! ```text
//! controls/*.toml ──catalog──▶ Catalog ────────────────────────────────────┐
//!                                                                          ▼
//! GitHub, GCP, … ──collect──▶ Evidence ──store──▶ Snapshot ──extract──▶ evaluate ──▶ Assessment ──report──▶ html, csv, …
//!               (async, no opinion)     │            (pure)     (pure)               │
//!                                         └────────▶ ledger ◀────────────────────────┘   signed checkpoint
//! ```
//!
//! | folder | may name | may use |
//! |---|---|---|
//! | model | – | serde, chrono types, sha2, base64 (only in note) |
//! | catalog | model | toml, regex |
//! | collect | model | octocrab, reqwest, google-cloud-auth (only in transport), regex, hmac (only in redact), tokio |
//! | store | model | tokio; google-cloud-storage, reqwest (only in gcs) |
//! | ledger | model, store | ed25519-dalek (only in signer), base64 |
//! | attest | model | reqwest, google-cloud-auth, the X.509 and CMS crates, aws-lc-rs |
//! | evaluate | model | the expression engine |
//! | report | model | csv, rust_xlsxwriter (only in xlsx), parquet (only in parquet), uuid (only in oscal), the template engine |
//! | cli | all | clap, anyhow, tokio, tracing |
//!
//! Siblings never meet: `cli` composes. Evaluation reads *stored* bytes, never what is in memory.

pub mod model;

pub mod attest;
pub mod catalog;
pub mod collect;
pub mod store;

pub mod ledger;

pub mod evaluate;
pub mod report;

pub mod cli;
