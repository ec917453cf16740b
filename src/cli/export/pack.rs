//! An auditor's pack being written: a folder or a zip file, and the list of what went into it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::cli::exit::Failure;
use crate::model::Digest;

/// What holds the digest of every other file.
const SUMS: &str = "SHA256SUMS";

/// A pack that is being written.
pub struct Pack {
    target: Target,
    sums: BTreeMap<String, Digest>,
    bytes: u64,
}

enum Target {
    Folder(PathBuf),
    /// Boxed, since it is many times larger than a path.
    Zip(Box<ZipWriter<BufWriter<File>>>),
}

/// What was written.
pub struct Written {
    /// Files, the list of digests included.
    pub files: usize,
    /// Their bytes together.
    pub bytes: u64,
    /// Runs in it.
    pub runs: usize,
    /// SHA-256 of the list of digests, which stands for the whole pack.
    pub sums: Digest,
}

impl Pack {
    /// Starts a pack: a zip file where the name ends so, else a folder. Nothing that exists is written over.
    ///
    /// # Errors
    /// Exit code 2 where something is there already.
    pub fn create(path: &Path) -> Result<Self> {
        let is_zip = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
        let target = if is_zip {
            let file = File::options().write(true).create_new(true).open(path).map_err(|error| Failure::usage(format!("--out {}: {error}", path.display())))?;
            Target::Zip(Box::new(ZipWriter::new(BufWriter::new(file))))
        } else {
            let is_free = match fs::read_dir(path) {
                Ok(mut entries) => entries.next().is_none(),
                Err(error) => error.kind() == std::io::ErrorKind::NotFound,
            };
            if !is_free {
                return Err(Failure::usage(format!("--out {}: name a folder that is new or empty, or a .zip file", path.display())).into());
            }
            Target::Folder(path.to_path_buf())
        };
        Ok(Self { target, sums: BTreeMap::new(), bytes: 0 })
    }

    /// True where the file is in the pack already.
    #[must_use]
    pub fn holds(&self, name: &str) -> bool {
        self.sums.contains_key(name)
    }

    /// Adds a file.
    ///
    /// # Errors
    /// Where it cannot be written, or another file has its name.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        ensure!(is_inside(name), "{name:?} is no name for a file of a pack");
        let digest = Digest::of(bytes);
        match self.sums.insert(name.to_owned(), digest) {
            None => self.write(name, bytes),
            Some(there) => {
                ensure!(there == digest, "two files of the pack would be called {name}");
                Ok(())
            }
        }
    }

    /// Ends the pack with the list of digests, in the form that `sha256sum -c` reads.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(mut self, runs: usize) -> Result<Written> {
        let list: String = self.sums.iter().map(|(name, digest)| format!("{digest}  {name}\n")).collect();
        self.write(SUMS, list.as_bytes())?;
        if let Target::Zip(zip) = self.target {
            zip.finish()?.into_inner().context("writing the zip file")?.sync_all()?;
        }
        Ok(Written { files: self.sums.len() + 1, bytes: self.bytes, runs, sums: Digest::of(list.as_bytes()) })
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        match &mut self.target {
            Target::Folder(folder) => {
                let path = folder.join(name);
                fs::create_dir_all(path.parent().unwrap_or(folder))
                    .and_then(|()| fs::write(&path, bytes))
                    .with_context(|| format!("writing {}", path.display()))
            }
            Target::Zip(zip) => {
                // Nearly everything is packed already; the same pack gives the same bytes, so it has no times.
                let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored).large_file(bytes.len() > 1 << 30);
                zip.start_file(name, options)?;
                zip.write_all(bytes).with_context(|| format!("writing {name} into the zip file"))
            }
        }
    }
}

/// Names come from stored manifests, which somebody may have written to reach outside.
pub(crate) fn is_inside(name: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', ':', '\n', '\r', '\0']);
    !name.is_empty() && name.len() <= 512 && name.split('/').all(part)
}

#[cfg(test)]
mod tests {
    use super::is_inside;

    #[test]
    fn names_stay_inside_the_pack() {
        for good in ["README.md", "controls/mine/a b.toml", "runs/x/manifest.json"] {
            assert!(is_inside(good), "{good}");
        }
        for bad in ["", "/etc/passwd", "../x", "a/../../b", "a//b", "a\\b", "c:/x", "a\nb", "./a"] {
            assert!(!is_inside(bad), "{bad:?}");
        }
    }
}
