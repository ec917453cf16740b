//! Kinds read from Google Cloud, one file each, over the services' own APIs.
//!
//! `hierarchy` finds the projects and is the one place to change when another source (Cloud Asset Inventory) enumerates them;
//! `asking` sends, `answer` reads pages and refusals, `fields` reads one JSON item. Left out on purpose: judgement, and anything that needs a client library's types.
//!
//! A disabled API is never taken for an empty one, whichever service it is: `services.disable` skips the check for usage by default, so buckets, service accounts
//! (which exist without the IAM API) and clusters may all be there behind a disabled API. <https://cloud.google.com/service-usage/docs/reference/rest/v1/services/disable>

mod answer;
mod asking;
pub mod bucket;
mod fields;
pub mod gke_cluster;
mod hierarchy;
pub mod iam_binding;
pub mod project;
pub mod service_account_key;

pub use bucket::Bucket;
pub use gke_cluster::GkeCluster;
pub use iam_binding::IamBinding;
pub use project::Project;
pub use service_account_key::ServiceAccountKey;
