//! The sealed exchanges of a run, as the kinds read them: records in memory, bodies from the store on demand.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use tokio::runtime::Handle;

use crate::collect::{Evidence, Unreadable};
use crate::model::Exchange;
use crate::store::{Store, bodies};

/// Evidence over a store. Reading a body blocks, so it is used from a blocking thread only.
pub struct StoredEvidence {
    store: Arc<dyn Store>,
    handle: Handle,
    operations: BTreeMap<String, Vec<Exchange>>,
}

impl StoredEvidence {
    /// Evidence over `exchanges` as sealed: sorted by operation, subject and page.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, handle: Handle, exchanges: Vec<Exchange>) -> Self {
        let mut operations: BTreeMap<String, Vec<Exchange>> = BTreeMap::new();
        for exchange in exchanges {
            operations.entry(exchange.operation.clone()).or_default().push(exchange);
        }
        Self { store, handle, operations }
    }
}

impl Evidence for StoredEvidence {
    fn operation(&self, operation: &str) -> &[Exchange] {
        self.operations.get(operation).map_or(&[], Vec::as_slice)
    }

    fn body(&self, exchange: &Exchange) -> Result<Bytes, Unreadable> {
        let reading = bodies::get(self.store.as_ref(), &exchange.object, exchange.sha256);
        self.handle.block_on(reading).map_err(|source| Unreadable {
            object: exchange.object.clone(),
            operation: exchange.operation.clone(),
            subject: exchange.subject.clone(),
            source: Box::new(source),
        })
    }
}
