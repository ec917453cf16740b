//! A store in a directory. An object is a read-only file, published whole or not at all.
//!
//! Written to a temporary file, synced, linked to its name (which fails if the name exists), and the directory synced: a crash at any point leaves
//! either no object or the whole one. Temporary files live in `.tmp`, which no key can name.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;

use crate::store::doctor::trial::{self, Deletion, Trial};
use crate::store::{Put, Store, StoreError, key};

/// A directory of objects.
#[derive(Debug, Clone)]
pub struct LocalStore {
    root: PathBuf,
}

impl LocalStore {
    /// Opens the directory, creating it where it does not exist.
    ///
    /// # Errors
    /// `StoreError::Io` where it cannot be created.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let root = root.into();
        let temporary = root.join(".tmp");
        fs::create_dir_all(&temporary).map_err(|source| io("create", &temporary.display().to_string(), source))?;
        Ok(Self { root })
    }

    fn publish(&self, key: &str, bytes: &Bytes) -> Result<Put, StoreError> {
        let target = self.root.join(key);
        let write = |source| io("write", key, source);
        let mut file = tempfile::NamedTempFile::new_in(self.root.join(".tmp")).map_err(write)?;
        file.write_all(bytes).map_err(write)?;
        file.as_file().set_permissions(read_only(file.as_file()).map_err(write)?).map_err(write)?;
        file.as_file().sync_all().map_err(write)?;
        let parent = target.parent().unwrap_or(&self.root);
        self.create_directories(parent).map_err(write)?;
        match file.persist_noclobber(&target) {
            Ok(_file) => {
                sync_directory(parent).map_err(write)?;
                Ok(Put::Created)
            }
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {
                let put = same_or_conflict(&target, key, bytes)?;
                // Whoever created it may not have come to this yet.
                sync_directory(parent).map_err(write)?;
                Ok(put)
            }
            Err(error) => Err(write(error.error)),
        }
    }

    /// Creates the directories between the root and `directory`, syncing each parent, so that a crash cannot take a published name away.
    fn create_directories(&self, directory: &Path) -> std::io::Result<()> {
        if directory.is_dir() || directory == self.root {
            return Ok(());
        }
        let parent = directory.parent().unwrap_or(&self.root);
        self.create_directories(parent)?;
        match fs::create_dir(directory) {
            Ok(()) => sync_directory(parent),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn keys(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let list = |source| io("list", prefix, source);
        // Only the directory that the prefix ends in can hold matches, so the rest of the tree is never walked.
        let (start, _rest) = prefix.rsplit_once('/').unwrap_or(("", prefix));
        let mut pending = vec![self.root.join(start)];
        let mut keys = Vec::new();
        while let Some(directory) = pending.pop() {
            let below = entries(&directory).map_err(list)?;
            let named = below.into_iter().filter_map(|path| Some((self.key_of(&path)?, path)));
            let (folders, files): (Vec<_>, Vec<_>) = named.partition(|(_key, path)| path.is_dir());
            keys.extend(files.into_iter().map(|(key, _path)| key).filter(|key| key.starts_with(prefix)));
            pending.extend(folders.into_iter().filter(|(key, _path)| key.starts_with(prefix) || prefix.starts_with(key)).map(|(_key, path)| path));
        }
        keys.sort_unstable();
        Ok(keys)
    }

    fn key_of(&self, path: &Path) -> Option<String> {
        let relative = path.strip_prefix(&self.root).ok()?;
        let segments: Option<Vec<_>> = relative.components().map(|part| part.as_os_str().to_str()).collect();
        let key = segments?.join("/");
        key::check(&key).is_ok().then_some(key)
    }
}

#[async_trait]
impl Store for LocalStore {
    async fn put_new(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        key::check(key)?;
        let (store, key) = (self.clone(), key.to_owned());
        blocking("write", key.clone(), move || store.publish(&key, &bytes)).await
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        key::check(key)?;
        let (path, key) = (self.root.join(key), key.to_owned());
        blocking("read", key.clone(), move || match fs::read(path) {
            Ok(bytes) => Ok(Some(Bytes::from(bytes))),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory) => Ok(None),
            Err(error) => Err(io("read", &key, error)),
        })
        .await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        if !prefix.is_empty() {
            key::check(prefix.trim_end_matches('/'))?;
        }
        let (store, prefix) = (self.clone(), prefix.to_owned());
        blocking("list", prefix.clone(), move || store.keys(&prefix)).await
    }
}

#[async_trait]
impl Trial for LocalStore {
    async fn try_delete(&self, key: &str) -> Result<Deletion, StoreError> {
        key::check(key)?;
        if !key.starts_with(trial::FOLDER) {
            return Err(StoreError::InvalidKey { key: key.to_owned() });
        }
        let (path, key) = (self.root.join(key), key.to_owned());
        blocking("delete", key.clone(), move || match fs::remove_file(path) {
            Ok(()) => Ok(Deletion::Deleted),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(Deletion::Refused("the file system does not permit it")),
            Err(error) => Err(io("delete", &key, error)),
        })
        .await
    }
}

/// For everybody to read, for nobody to change.
#[cfg(unix)]
fn read_only(_file: &File) -> std::io::Result<fs::Permissions> {
    Ok(std::os::unix::fs::PermissionsExt::from_mode(0o444))
}

#[cfg(not(unix))]
fn read_only(file: &File) -> std::io::Result<fs::Permissions> {
    let mut permissions = file.metadata()?.permissions();
    permissions.set_readonly(true);
    Ok(permissions)
}

/// What lies in a directory; nothing where there is none.
fn entries(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    match fs::read_dir(directory) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect(),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

async fn blocking<T: Send + 'static>(
    action: &'static str,
    key: String,
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(join) => Err(io(action, &key, std::io::Error::other(join))),
    }
}

fn same_or_conflict(target: &Path, key: &str, bytes: &Bytes) -> Result<Put, StoreError> {
    let there = fs::read(target).map_err(|source| io("read", key, source))?;
    if there == *bytes { Ok(Put::Same) } else { Err(StoreError::Conflict { key: key.to_owned() }) }
}

fn sync_directory(directory: &Path) -> std::io::Result<()> {
    File::open(directory)?.sync_all()
}

fn io(action: &'static str, key: &str, source: std::io::Error) -> StoreError {
    StoreError::Io { action, key: key.to_owned(), source }
}
