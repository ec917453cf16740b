//! The trial: create an object, try to put other bytes in its place, read it back, try to delete it. The only real proof that a store writes once.
//!
//! In a store that passes, one small object `doctor/<random>` stays behind for as long as the store keeps anything.

use async_trait::async_trait;
use bytes::Bytes;

use crate::model::Digest;
use crate::store::doctor::Check;
use crate::store::{Put, Store, StoreError};

/// What the keys of trials start with.
pub const FOLDER: &str = "doctor/";

/// A store that can be put on trial.
#[async_trait]
pub trait Trial: Store {
    /// Tries to delete an object of a trial; any other key is refused.
    ///
    /// # Errors
    /// `StoreError` where it cannot be told what happened.
    async fn try_delete(&self, key: &str) -> Result<Deletion, StoreError>;
}

/// What became of an attempt to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deletion {
    /// The object is gone.
    Deleted,
    /// The store refused, and this is what it said.
    Refused(&'static str),
}

const IDS: [&str; 3] = ["create-once", "read-back", "no-delete"];

/// Puts a store on trial with the object `doctor/<random>`. `cure` says what to do about a store that lets delete.
pub async fn run(store: &dyn Trial, random: &str, cure: &str) -> Vec<Check> {
    let key = format!("{FOLDER}{random}");
    let first = Bytes::from(format!("proofline doctor {random}\n"));
    match store.put_new(&key, first.clone()).await {
        Ok(Put::Created) => {}
        // A lost reply looks the same; either way the object was not seen to be new.
        Ok(Put::Same) => return IDS.map(|id| Check::undetermined(id, format!("{key} was there already"), "run doctor again")).to_vec(),
        Err(error) => {
            return IDS
                .map(|id| Check::undetermined(id, format!("no object could be created: {error}"), "cure the reason given, then run doctor again"))
                .to_vec();
        }
    }
    vec![create_again(store, &key, random).await, read_back(store, &key, &first).await, delete(store, &key, cure).await]
}

async fn create_again(store: &dyn Trial, key: &str, random: &str) -> Check {
    const ID: &str = "create-once";
    match store.put_new(key, Bytes::from(format!("proofline doctor {random}, other bytes\n"))).await {
        Err(StoreError::Conflict { .. }) => Check::pass(ID, "a second object of the same name was refused"),
        Ok(Put::Created | Put::Same) => Check::fail(ID, "a second object of the same name was accepted", "do not keep evidence in this store"),
        Err(error) => Check::undetermined(ID, error.to_string(), "cure the reason given, then run doctor again"),
    }
}

async fn read_back(store: &dyn Trial, key: &str, first: &Bytes) -> Check {
    const ID: &str = "read-back";
    let expected = Digest::of(first);
    match store.get(key).await {
        Ok(Some(there)) if Digest::of(&there) == expected => Check::pass(ID, format!("what was written came back, sha256 {expected}")),
        Ok(Some(there)) => Check::fail(ID, format!("other bytes came back, sha256 {}", Digest::of(&there)), "do not keep evidence in this store"),
        Ok(None) => Check::fail(ID, "what was written is not there", "do not keep evidence in this store"),
        Err(error) => Check::undetermined(ID, error.to_string(), "cure the reason given, then run doctor again"),
    }
}

async fn delete(store: &dyn Trial, key: &str, cure: &str) -> Check {
    const ID: &str = "no-delete";
    match store.try_delete(key).await {
        Ok(Deletion::Refused(by)) => Check::pass(ID, format!("deleting was refused: {by}")),
        Ok(Deletion::Deleted) => Check::fail(ID, "whoever runs proofline can delete evidence, so assurance stays at L1", cure),
        Err(error) => Check::undetermined(ID, error.to_string(), "cure the reason given, then run doctor again"),
    }
}
