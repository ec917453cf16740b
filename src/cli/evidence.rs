//! The sealed exchanges of a run, as the kinds read them: records in memory, bodies from a spool.

use bytes::Bytes;

use crate::collect::{Evidence, Unreadable};
use crate::model::Exchange;
use crate::store::spool::Spool;

/// Evidence as it was read back from a store.
pub struct StoredEvidence {
    spool: Spool,
    /// By operation, subject and page.
    exchanges: Vec<Exchange>,
}

impl StoredEvidence {
    /// Evidence over `exchanges` as sealed (sorted by operation, subject and page), whose bodies lie in `spool`.
    #[must_use]
    pub const fn new(spool: Spool, exchanges: Vec<Exchange>) -> Self {
        Self { spool, exchanges }
    }
}

impl Evidence for StoredEvidence {
    fn operation(&self, operation: &str) -> &[Exchange] {
        let start = self.exchanges.partition_point(|exchange| exchange.operation.as_str() < operation);
        let rest = self.exchanges.get(start..).unwrap_or_default();
        rest.get(..rest.partition_point(|exchange| exchange.operation == operation)).unwrap_or_default()
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
