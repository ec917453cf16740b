//! A store that fails on demand: before a write, or after it with the answer lost. The process is then taken to be dead.
#![cfg(test)]

use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use proofline::store::{Put, Store, StoreError};

/// When a write fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// The object does not exist.
    Before,
    /// The object exists, and the writer does not learn of it.
    After,
}

/// Fails from the `countdown`-th write on.
pub(crate) struct Faulty<'a> {
    inner: &'a dyn Store,
    left: AtomicI64,
    when: When,
}

impl<'a> Faulty<'a> {
    pub(crate) fn new(inner: &'a dyn Store, writes: i64, when: When) -> Self {
        Self { inner, left: AtomicI64::new(writes), when }
    }

    /// Whether it has failed.
    pub(crate) fn is_dead(&self) -> bool {
        self.left.load(Ordering::SeqCst) < 0
    }
}

fn dead(key: &str) -> StoreError {
    StoreError::Unavailable { action: "write", key: key.to_owned(), why: "the process is dead".to_owned() }
}

#[async_trait]
impl Store for Faulty<'_> {
    async fn put_new(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        tokio::task::yield_now().await;
        match self.left.fetch_sub(1, Ordering::SeqCst) {
            1.. => self.inner.put_new(key, bytes).await,
            0 if self.when == When::After => {
                self.inner.put_new(key, bytes).await?;
                Err(dead(key))
            }
            _ => Err(dead(key)),
        }
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        tokio::task::yield_now().await;
        if self.is_dead() { Err(dead(key)) } else { self.inner.get(key).await }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        tokio::task::yield_now().await;
        if self.is_dead() { Err(dead(prefix)) } else { self.inner.list(prefix).await }
    }
}
