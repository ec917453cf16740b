//! A store in a bucket of Google Cloud Storage.
//!
//! An object is created by one request that carries `ifGenerationMatch=0` and its CRC32C: the service refuses it where the name is taken (412) or the bytes
//! arrived damaged. After a 412 the bytes that are there are read and compared, so that an answer lost on the way never turns into a failure, and other
//! bytes never into a success. Objects are sent in a single request each, and refused over 80 MiB.
//! <https://cloud.google.com/storage/docs/request-preconditions>
//!
//! Left out: deleting, except for what `doctor` tries to delete and must not be able to.

mod address;
mod client;
pub mod hold;
mod inspect;
mod settings;
mod trouble;

pub use address::Address;
pub use inspect::Clock;
pub use settings::{GcsCredential, GcsSettings};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use tokio::sync::OnceCell;

use crate::model::Digest;
use crate::store::gcs::client::Client;
use crate::store::gcs::trouble::{Asked, Trouble};
use crate::store::{Put, Store, StoreError, key};

/// The most bytes of one object: 80 MiB, which holds the largest answer that may be collected even where it does not pack.
pub const LARGEST: u64 = 80 << 20;

/// Objects in a bucket. Not `Debug`: it holds the credential.
pub struct GcsStore {
    address: Address,
    settings: GcsSettings,
    client: OnceCell<Client>,
}

impl GcsStore {
    /// A store at `address`. Nothing is sent and no credential is looked for before the first request.
    ///
    /// # Errors
    /// `StoreError::Setup` where the base URL cannot be used.
    pub fn new(address: Address, settings: GcsSettings) -> Result<Self, StoreError> {
        settings.base()?;
        Ok(Self { address, settings, client: OnceCell::new() })
    }

    /// Where it lies.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Finds a credential, which is otherwise done by the first request.
    ///
    /// # Errors
    /// `StoreError::Setup` where there is none that can be used.
    pub async fn connect(&self) -> Result<(), StoreError> {
        self.client().await.map(|_client| ())
    }

    /// What the service says of every object below `prefix`.
    ///
    /// # Errors
    /// As `list`.
    pub async fn written(&self, prefix: &str) -> Result<Vec<Written>, StoreError> {
        let items = self.items(prefix, Which::Live).await?;
        let of = |item: Item| {
            let key = self.address.key(&item.name)?.to_owned();
            Some(Written { key, at: item.time_created, untouched: item.metageneration.as_deref() == Some("1") })
        };
        Ok(items.into_iter().filter_map(of).collect())
    }

    async fn client(&self) -> Result<&Client, StoreError> {
        self.client.get_or_try_init(|| Client::new(&self.settings)).await
    }

    fn asked<'a>(&'a self, action: &'static str, key: &'a str) -> Asked<'a> {
        Asked { action, key, address: &self.address, cure: &self.settings.cure }
    }

    async fn create(&self, key: &str, bytes: &Bytes) -> Result<Put, StoreError> {
        let client = self.client().await?;
        match client.patiently(|| self.create_once(client, key, bytes)).await {
            Ok(()) => Ok(Put::Created),
            Err(Trouble::Status(412)) => self.same_or_conflict(key, bytes).await,
            Err(trouble) => Err(trouble.told(&self.asked("write", key))),
        }
    }

    async fn create_once(&self, client: &Client, key: &str, bytes: &Bytes) -> Result<(), Trouble> {
        let write = client.storage.write_object(self.address.resource(), self.address.name(key), bytes.clone());
        let write = write
            .set_if_generation_match(0_i64)
            .set_content_type(content_type(key))
            .set_metadata([("sha256", Digest::of(bytes).to_string())])
            .with_known_crc32c(crc32c::crc32c(bytes));
        // Boxed: the library's future is several kilobytes.
        Box::pin(write.send_unbuffered()).await?;
        Ok(())
    }

    /// The name is taken: by our own earlier attempt whose answer was lost, by another run with the same bytes, or by something else.
    async fn same_or_conflict(&self, key: &str, bytes: &Bytes) -> Result<Put, StoreError> {
        match self.get(key).await {
            Ok(Some(there)) if there == *bytes => Ok(Put::Same),
            // Larger than any of ours is certainly not the same.
            Ok(Some(_)) | Err(StoreError::TooLarge { .. }) => Err(StoreError::Conflict { key: key.to_owned() }),
            Ok(None) => Err(StoreError::Unavailable { action: "write", key: key.to_owned(), why: "the name was taken, and then nothing was there".to_owned() }),
            Err(error) => Err(error),
        }
    }

    async fn read_once(&self, client: &Client, key: &str) -> Result<Bytes, Trouble> {
        let mut reader = Box::pin(client.storage.read_object(self.address.resource(), self.address.name(key)).send()).await?;
        let object = reader.object();
        let size = u64::try_from(object.size).unwrap_or(u64::MAX);
        if size > LARGEST {
            return Err(Trouble::TooLarge(size));
        }
        let announced = object.checksums.and_then(|checksums| checksums.crc32c);
        let mut bytes = Vec::new();
        while let Some(chunk) = reader.next().await.transpose()? {
            bytes.extend_from_slice(&chunk);
        }
        match announced {
            None => Err(Trouble::Damaged("the answer came without a checksum")),
            Some(crc) if crc != crc32c::crc32c(&bytes) => Err(Trouble::Damaged("the checksum does not match")),
            Some(_) => Ok(Bytes::from(bytes)),
        }
    }

    /// One page of names, and the token of the next.
    async fn page(&self, client: &Client, prefix: &str, which: Which, token: Option<&str>) -> Result<Page, Trouble> {
        let mut query = vec![
            ("fields", "nextPageToken,items(name,timeCreated,metageneration,timeDeleted)"),
            ("maxResults", "1000"),
            ("prefix", prefix),
            ("projection", "noAcl"),
        ];
        query.extend(match which {
            Which::Live => None,
            Which::AllVersions => Some(("versions", "true")),
            Which::SoftDeleted => Some(("softDeleted", "true")),
        });
        query.extend(token.map(|token| ("pageToken", token)));
        let answer = client.read(&["storage", "v1", "b", self.address.bucket(), "o"], &query).await?;
        serde_json::from_slice(&answer.body).map_err(|_not_json| Trouble::Malformed("the listing is not in the documented form"))
    }

    async fn items(&self, prefix: &str, which: Which) -> Result<Vec<Item>, StoreError> {
        let client = self.client().await?;
        let within = self.address.name(prefix);
        let mut items = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = self.page(client, &within, which, token.as_deref()).await.map_err(|trouble| trouble.told(&self.asked("list", prefix)))?;
            items.extend(page.items);
            match page.next_page_token.filter(|next| !next.is_empty()) {
                None => return Ok(items),
                // Following it would never end, and stopping here would leave objects out.
                Some(next) if token.as_ref() == Some(&next) => {
                    return Err(Trouble::Malformed("the listing names the same page as its next one").told(&self.asked("list", prefix)));
                }
                Some(next) => token = Some(next),
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    items: Vec<Item>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    name: String,
    /// When a version became noncurrent; only such have it.
    time_deleted: Option<String>,
    time_created: Option<DateTime<Utc>>,
    metageneration: Option<String>,
}

/// What Cloud Storage says of an object by itself; whoever writes cannot set it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its key.
    pub key: String,
    /// When it was created, by the service's clock, UTC; none where the service does not say.
    pub at: Option<DateTime<Utc>>,
    /// Its metadata was never changed, e.g. by a hold.
    pub untouched: bool,
}

/// Which objects a listing shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Live,
    AllVersions,
    SoftDeleted,
}

#[async_trait]
impl Store for GcsStore {
    async fn put_new(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        key::check(key)?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if length > LARGEST {
            return Err(StoreError::TooLarge { key: key.to_owned(), bytes: length, limit: LARGEST });
        }
        self.create(key, &bytes).await
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        key::check(key)?;
        let client = self.client().await?;
        match client.patiently(|| self.read_once(client, key)).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Trouble::Status(404)) => Ok(None),
            Err(trouble) => Err(trouble.told(&self.asked("read", key))),
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        if !prefix.is_empty() {
            key::check(prefix.trim_end_matches('/'))?;
        }
        let items = self.items(prefix, Which::Live).await?;
        let mut keys: Vec<String> = items.iter().filter_map(|item| self.address.key(&item.name)).map(ToOwned::to_owned).collect();
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }
}

/// For whoever opens an object in the console; we never read it.
fn content_type(key: &str) -> &'static str {
    match key.rsplit_once('.') {
        Some((_, "json")) => "application/json",
        Some((_, "zst")) => "application/zstd",
        _ => "application/octet-stream",
    }
}
