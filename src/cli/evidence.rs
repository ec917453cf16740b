//! The sealed exchanges of a run, as the kinds read them: records in memory, bodies from a spool.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::collect::{Evidence, Unreadable};
use crate::model::Exchange;
use crate::store::spool::Spool;

/// Evidence as it was read back from a store.
pub struct StoredEvidence {
    spool: Spool,
    operations: BTreeMap<String, Vec<Exchange>>,
}

impl StoredEvidence {
    /// Evidence over `exchanges` as sealed (sorted by operation, subject and page), whose bodies lie in `spool`.
    #[must_use]
    pub fn new(spool: Spool, exchanges: Vec<Exchange>) -> Self {
        let mut operations: BTreeMap<String, Vec<Exchange>> = BTreeMap::new();
        for exchange in exchanges {
            operations.entry(exchange.operation.clone()).or_default().push(exchange);
        }
        Self { spool, operations }
    }
}

impl Evidence for StoredEvidence {
    fn operation(&self, operation: &str) -> &[Exchange] {
        self.operations.get(operation).map_or(&[], Vec::as_slice)
    }

    fn body(&self, exchange: &Exchange) -> Result<Bytes, Unreadable> {
        self.spool.get(exchange.sha256).map_err(|source| Unreadable {
            sha256: exchange.sha256,
            operation: exchange.operation.clone(),
            subject: exchange.subject.clone(),
            source: Box::new(source),
        })
    }
}
