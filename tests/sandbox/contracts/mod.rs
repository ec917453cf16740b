//! The vendors' published contracts, to which every request is held: GitHub's OpenAPI description and GraphQL schema, Google's Discovery documents.
//!
//! They are third-party data and not in the repository: `tests/setup.sh` puts them into `target/contracts` (or `PROOFLINE_CONTRACTS`). Without them nothing is checked.
//! Left out: bodies of requests other than GraphQL queries, and the sandbox's own answers (a test checks those).

pub(crate) mod discovery;
pub(crate) mod openapi;
pub(crate) mod operation;
pub(crate) mod schema;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::sandbox::contracts::discovery::Discovery;
use crate::sandbox::contracts::openapi::OpenApi;
use crate::sandbox::contracts::schema::GraphQlSchema;
use crate::sandbox::rest::Ask;

/// All contracts.
pub(crate) struct Contracts {
    github: OpenApi,
    graphql: GraphQlSchema,
    google: Discovery,
}

static SHARED: OnceLock<Option<Arc<Contracts>>> = OnceLock::new();

impl Contracts {
    /// Those of this process, read once; none where they have not been fetched.
    pub(crate) fn shared() -> Option<Arc<Self>> {
        SHARED.get_or_init(|| Self::open(&folder()).map(Arc::new)).clone()
    }

    /// Reads a folder; none where it is not there.
    ///
    /// # Panics
    /// Where it is there and incomplete or unreadable: half a check would pass for a whole one.
    pub(crate) fn open(folder: &Path) -> Option<Self> {
        if !folder.is_dir() {
            return None;
        }
        let read = |name: &str| std::fs::read(folder.join(name)).expect("the contracts are complete: run tests/setup.sh again");
        Some(Self {
            github: OpenApi::parse(&read("api.github.com.json")).beside(OpenApi::parse(&read("ghec.json"))),
            graphql: GraphQlSchema::new(String::from_utf8(read("schema.graphql")).expect("the schema is text")),
            google: Discovery::open(&folder.join("google")),
        })
    }

    /// What is wrong with a request; none where it is as published.
    pub(crate) fn violation(&self, ask: &Ask) -> Option<String> {
        match ask.service.as_str() {
            "github" if ask.is_graphql() => self.graphql.violation(ask),
            "github" => self.github.violation(ask),
            _ => self.google.violation(ask),
        }
    }
}

/// Where the contracts are kept.
#[allow(clippy::disallowed_methods, reason = "the test bed's own setting; the program never sees it")]
pub(crate) fn folder() -> PathBuf {
    let chosen = std::env::var_os("PROOFLINE_CONTRACTS").map(PathBuf::from);
    chosen.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/contracts"))
}
