//! The files of an exported pack, in a folder or a zip file that anybody may have made: none is read beyond its limit, and none hides behind another.
//!
//! Left out: what the files mean.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, ensure};
use async_trait::async_trait;
use bytes::Bytes;
use zip::{CompressionMethod, ZipArchive};

use crate::cli::export::pack::is_inside;
use crate::store::bodies::MAX_BODY;
use crate::store::check::Problem;
use crate::store::{Put, Store, StoreError};

/// No file of a pack is larger: the largest body, and what packing adds where there is nothing to gain.
const MAX_FILE: u64 = MAX_BODY + (MAX_BODY >> 7);

/// The files of a pack, read as a store is.
pub(super) struct Files {
    /// Their names, with `/`.
    pub(super) names: BTreeSet<String>,
    source: Source,
}

enum Source {
    Folder(PathBuf),
    /// Boxed, since it is many times larger than a path.
    Zip(Box<Mutex<Archive>>),
}

struct Archive {
    zip: ZipArchive<BufReader<File>>,
    /// Where each file is in the directory of the archive.
    places: BTreeMap<String, usize>,
}

impl Files {
    /// Opens a pack, and says what in it is no file with a name of its own.
    ///
    /// # Errors
    /// Where it is neither a folder nor a zip file that can be read.
    pub(super) fn open(path: &Path) -> Result<(Self, Vec<Problem>)> {
        if path.is_dir() {
            let mut names = BTreeSet::new();
            below(path, path, &mut names)?;
            return Ok((Self { names, source: Source::Folder(path.to_path_buf()) }, Vec::new()));
        }
        let mut zip = ZipArchive::new(BufReader::new(File::open(path)?))?;
        // A few bytes that many files share are a way to keep a reader busy for years.
        ensure!(!zip.has_overlapping_files()?, "files overlap in it");
        let (places, problems) = directory(&zip)?;
        let names = places.keys().cloned().collect();
        Ok((Self { names, source: Source::Zip(Box::new(Mutex::new(Archive { zip, places }))) }, problems))
    }

    /// A file.
    ///
    /// # Errors
    /// Where it is missing, damaged, too large or no regular file.
    pub(super) fn read(&self, name: &str) -> Result<Bytes> {
        match &self.source {
            Source::Folder(root) => {
                let path = root.join(name);
                let known = fs::symlink_metadata(&path)?;
                ensure!(known.is_file(), "it is no regular file");
                whole(File::open(path)?, known.len())
            }
            Source::Zip(archive) => {
                let mut archive = archive.lock().unwrap_or_else(PoisonError::into_inner);
                let Archive { zip, places } = &mut *archive;
                let place = places.get(name).copied().unwrap_or(usize::MAX);
                let file = zip.by_index(place)?;
                ensure!(!file.is_symlink(), "it is no regular file");
                // Whatever is worth packing was packed already; an archive that swells is not one of ours.
                let is_plain = file.compression() == CompressionMethod::Stored && file.compressed_size() == file.size();
                ensure!(is_plain, "it is packed in another way than `export` does");
                let length = file.size();
                whole(file, length)
            }
        }
    }

    /// A file; none where there is none or it cannot be read, which the list of digests was held against already.
    pub(super) fn readable(&self, name: &str) -> Option<Bytes> {
        self.names.contains(name).then(|| self.read(name).ok()).flatten()
    }
}

/// All of a file, which is as long as was said.
fn whole(file: impl Read, length: u64) -> Result<Bytes> {
    ensure!(length <= MAX_FILE, "it has {length} bytes, and a file of a pack at most {MAX_FILE}");
    let mut bytes = Vec::new();
    file.take(length.saturating_add(1)).read_to_end(&mut bytes)?;
    ensure!(u64::try_from(bytes.len()).is_ok_and(|found| found == length), "it is said to have {length} bytes and has others");
    Ok(bytes.into())
}

/// The files of an archive by name. What another program may unpack as something else is told.
fn directory(zip: &ZipArchive<BufReader<File>>) -> Result<(BTreeMap<String, usize>, Vec<Problem>)> {
    let (mut places, mut problems) = (BTreeMap::new(), Vec::new());
    if zip.metadata().has_duplicate_names() {
        problems.push(Problem::new("the zip file", "it holds several files of one name"));
    }
    for place in 0..zip.len() {
        let entry = zip.by_index_data(place)?;
        let Ok(name) = entry.name() else {
            problems.push(Problem::new("the zip file", format!("the name of its file {place} cannot be read")));
            continue;
        };
        if let Some(folder) = name.strip_suffix('/')
            && entry.size() == 0
            && is_inside(folder)
        {
            continue;
        }
        if !is_inside(&name) {
            problems.push(Problem::new(name.as_ref(), "it is no name for a file of a pack"));
        } else if places.insert(name.as_ref().to_owned(), place).is_some() {
            problems.push(Problem::new(name.as_ref(), "several files have this name"));
        }
    }
    Ok((places, problems))
}

fn below(root: &Path, folder: &Path, names: &mut BTreeSet<String>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.is_symlink() {
            below(root, &path, names)?;
        } else {
            let name: Vec<_> = path.strip_prefix(root)?.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
            names.insert(name.join("/"));
        }
    }
    Ok(())
}

#[async_trait]
impl Store for Files {
    async fn put_new(&self, _key: &str, _bytes: Bytes) -> Result<Put, StoreError> {
        Err(StoreError::Setup("a pack is read only".to_owned()))
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        if !self.names.contains(key) {
            return Ok(None);
        }
        let damaged = |error: anyhow::Error| StoreError::Damaged { action: "read", key: key.to_owned(), why: format!("{error:#}") };
        self.read(key).map(Some).map_err(damaged)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        Ok(self.names.iter().filter(|name| name.starts_with(prefix)).cloned().collect())
    }
}
