//! Kinds read from Google Cloud, one file each, or a table in `assets`: through Cloud Asset Inventory (`inventory`), or over the services' own APIs.
//!
//! `asset` asks for what the tables name and reads it (`typed`). `direct` is how the services themselves list it. `hierarchy` finds the projects; `needs` says with which permissions all of it is asked for; `asking` sends, `answer` reads pages and refusals, `fields` reads one JSON item. Left out on purpose: judgement, and anything that needs a client library's types.
//!
//! A disabled API is never taken for an empty one, whichever service it is: `services.disable` skips the check for usage by default, so buckets, service accounts
//! (which exist without the IAM API) and clusters may all be there behind a disabled API. <https://cloud.google.com/service-usage/docs/reference/rest/v1/services/disable>

pub mod access_level;
mod access_policies;
mod activity_log;
mod answer;
mod asking;
mod asset;
pub mod assets;
mod attainment;
pub mod audit_config;
pub mod audit_entry;
mod belonging;
mod constraints;
mod denials;
pub mod deny_rule;
mod direct;
mod fields;
pub mod group;
pub mod group_membership;
mod groups;
mod hierarchy;
pub mod iam_binding;
mod inventory;
mod linked;
mod listed;
mod member;
pub mod monitored_project;
mod needs;
mod objectives;
mod policies;
pub mod principal;
pub mod project;
pub mod security_finding;
mod served;
pub mod service_account_key;
pub mod service_perimeter;
pub mod slo;
pub mod teardown;
mod typed;
mod watching;

pub use access_level::AccessLevel;
pub use audit_config::AuditConfig;
pub use audit_entry::AuditEntry;
pub use deny_rule::DenyRule;
pub use group::Group;
pub use group_membership::GroupMembership;
pub use iam_binding::IamBinding;
pub use listed::Listed;
pub use monitored_project::MonitoredProject;
pub use principal::Principal;
pub use project::Project;
pub use security_finding::SecurityFinding;
pub use service_account_key::ServiceAccountKey;
pub use service_perimeter::ServicePerimeter;
pub use slo::Slo;
pub use teardown::Teardown;
