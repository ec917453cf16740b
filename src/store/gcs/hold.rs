//! Temporary holds: an object that is held cannot be deleted or replaced by anybody, whatever its age. <https://cloud.google.com/storage/docs/object-holds>
//!
//! Left out: what is held and why, which the log says.

use crate::store::gcs::GcsStore;
use crate::store::{StoreError, key};

/// What is to become of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// It is kept.
    Placed,
    /// It is kept only as long as the bucket says.
    Lifted,
}

impl GcsStore {
    /// Places or lifts the hold on an object. Doing it again changes nothing.
    ///
    /// # Errors
    /// `StoreError`; it takes `storage.objects.update`, which whoever collects should not have.
    pub async fn hold(&self, key: &str, hold: Hold) -> Result<(), StoreError> {
        key::check(key)?;
        let name = self.address().name(key);
        let path = ["storage", "v1", "b", self.address().bucket(), "o", &name];
        let body = match hold {
            Hold::Placed => r#"{"temporaryHold":true}"#,
            Hold::Lifted => r#"{"temporaryHold":false}"#,
        };
        let answer = self.client().await?.patch(&path, body).await;
        answer.map(|_answer| ()).map_err(|trouble| trouble.told(&self.asked("hold", key)))
    }
}
