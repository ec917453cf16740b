//! Stage 2: the world → bytes → populations.
//!
//! `fetch` is asynchronous and holds no opinion: it asks until everything is enumerated, and what comes back is stored as received, but for what `redact` takes out first.
//! `extract` is synchronous and reads *stored* exchanges only, so that it can be re-performed offline. Both sit in one file per kind, because both know the same API.
//! Left out on purpose: judgement (`evaluate`), and where bytes live (`store`; the composition in `cli` hands in an `Archive`).

pub mod answer;
pub mod api;
pub mod archive;
pub mod attachment;
pub mod evidence;
pub mod gcp;
pub mod github;
pub mod listing;
pub mod memory;
pub mod paging;
pub mod redact;
pub mod registry;
pub mod replay;
pub mod transport;

pub use api::{Api, ApiError, Reply, Request};
pub use archive::{Archive, Kept, Previous};
pub use evidence::{Evidence, Unreadable};

use async_trait::async_trait;
use chrono::TimeDelta;

use crate::model::{Kind, Need, Population, Resource, Scope};

/// A resource kind: how to ask for it, and how to read what came back.
#[async_trait]
pub trait Collector: Send + Sync {
    /// What it promises.
    fn kind(&self) -> &'static Kind;

    /// Every permission that `fetch` asks with, where the source grants them one by one; none where it does not, and `Kind::permission` says it all.
    fn needs(&self) -> Vec<Need> {
        Vec::new()
    }

    /// How long back everything that it reads can be asked about a past instant (`Scope::as_of`); none where some of it is gone with the night.
    fn remembers(&self) -> Option<TimeDelta> {
        None
    }

    /// Asks until everything in `scope` is enumerated. Refusals and silence are recorded by the `Api` and are no reason to stop:
    /// one unreadable repository or project never drops the rest.
    ///
    /// # Errors
    /// Only where collecting cannot go on at all.
    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError>;

    /// Reads the stored exchanges, hands each resource (complete, see `Resource::completed`) to `emit` and returns the population with its completeness.
    /// Reads page by page and keeps nothing that grows with the number of pages, except counts and small joins.
    ///
    /// # Errors
    /// Only where stored evidence cannot be read back; what a source left out or refused is a gap in the data.
    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable>;
}
