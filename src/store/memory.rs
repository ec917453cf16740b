//! A store that lives as long as the process: for tests and for trying things out.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;

use async_trait::async_trait;
use bytes::Bytes;

use crate::store::{Put, Store, StoreError, key};

/// Objects in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    objects: Mutex<BTreeMap<String, Bytes>>,
}

#[async_trait]
impl Store for MemoryStore {
    async fn put_new(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        key::check(key)?;
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        match objects.get(key) {
            None => {
                objects.insert(key.to_owned(), bytes);
                Ok(Put::Created)
            }
            Some(there) if *there == bytes => Ok(Put::Same),
            Some(_) => Err(StoreError::Conflict { key: key.to_owned() }),
        }
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        key::check(key)?;
        Ok(self.objects.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(objects.range(prefix.to_owned()..).map(|(key, _bytes)| key).take_while(|key| key.starts_with(prefix)).cloned().collect())
    }
}
