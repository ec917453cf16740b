//! Kinds read from GitHub, one file each, and the nouns they share.
//!
//! Kinds: one file each, or a table in `listings`. Shared: how a field of an answer is read (`answer`, `part`), the bulk listings
//! (`members`, `identities`, `repositories`), the audit log (`audit`), what Actions may do (`actions_policy`), and what protects a branch (`branch_rules`, `classic_rule`, `rulesets`, `protection`). Pull requests and issues: how they are
//! found (`items`), what boards hold (`board`, `issue_board`), who approved (`review`), what shows completion (`completion`, `issue_evidence`,
//! `issue_timeline`, `issue_parts`, `issue_attributes`, `access_review`), and who is and was where (`membership`). The bulk queries are in `queries`;
//! their pages and batches become smaller where GitHub does not manage whole ones (`walk`, `batch`).

pub mod access_review;
mod actions_policy;
mod answer;
mod audit;
mod batch;
mod board;
mod branch_rules;
mod classic_rule;
pub mod completion;
mod deployment_list;
mod deployment_run;
mod identities;
mod inquiry;
mod issue_attributes;
mod issue_board;
mod issue_parts;
mod items;
mod listing;
pub mod listings;
mod members;
mod membership;
mod part;
mod properties;
pub mod protection;
mod records;
mod reporting;
mod repositories;
mod repository_access;
pub mod ruleset;
mod rulesets;
mod run_list;
mod scanning;
mod security_configuration;
mod share;
mod team_access;
mod told;
mod trimmed;
pub mod viewer;
mod walk;
mod wording;
mod workflow_file;

pub use answer::Fact;

pub mod audit_event;
pub mod audit_log;
pub mod branch;
pub mod branch_activity;
pub mod change;
pub mod collaborator;
pub mod deployment;
pub mod discussion;
pub mod issue;
mod issue_evidence;
mod issue_timeline;
pub mod known_repository;
pub mod member_activity;
pub(in crate::collect) mod mention;
pub mod milestone;
pub mod org_role_assignment;
pub mod organization;
pub mod organization_member;
pub mod project;
pub mod project_item;
pub mod pull_request;
pub mod repository;
pub mod repository_actions;
pub mod repository_files;
pub mod repository_security;
pub mod repository_team;
pub mod review;
pub mod reviewed_access;
pub mod task_slot;
pub mod team;
pub mod team_member;
pub mod workflow;
pub mod workflow_run;
