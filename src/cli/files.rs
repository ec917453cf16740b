//! The files of a report in a folder.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::model::{Digest, Hasher};
use crate::report::{Files, Fill, ReportError};

/// A folder that files are written into.
pub struct Folder {
    path: PathBuf,
    written: Vec<Value>,
}

impl Folder {
    /// The folder; it need not be there yet.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, written: Vec::new() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was written: path, bytes and SHA-256 of each file.
    #[must_use]
    pub fn into_written(self) -> Vec<Value> {
        self.written
    }
}

impl Files for Folder {
    /// Written aside and moved into place, so that a full disk leaves the old report rather than half a new one.
    fn file(&mut self, path: &str, fill: &mut Fill<'_>) -> Result<Digest, ReportError> {
        let refused = |source| ReportError::File { file: path.to_owned(), source };
        let place = self.path.join(path);
        let aside = place.with_extension("part");
        fs::create_dir_all(place.parent().unwrap_or(&self.path)).map_err(refused)?;
        let mut into = Counted { file: BufWriter::with_capacity(1 << 16, File::create(&aside).map_err(refused)?), bytes: 0, hasher: Hasher::default() };
        let filled = fill(&mut into).and_then(|()| into.flush().and_then(|()| fs::rename(&aside, &place)).map_err(refused));
        if filled.is_err() {
            fs::remove_file(&aside).ok();
        }
        filled?;
        let digest = into.hasher.finish();
        self.written.push(json!({"file": path, "bytes": into.bytes, "sha256": digest}));
        Ok(digest)
    }
}

/// A file that knows its length and its digest.
struct Counted {
    file: BufWriter<File>,
    bytes: usize,
    hasher: Hasher,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bytes += written;
        self.hasher.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io;

    use super::Folder;
    use crate::report::{Files as _, ReportError};

    #[test]
    fn what_ends_early_leaves_the_old_file_and_nothing_of_the_new() {
        let place = tempfile::tempdir().expect("a folder");
        let mut folder = Folder::new(place.path().join("report"));
        let old = |file: &mut (dyn io::Write + Send)| {
            file.write_all(b"old").expect("written");
            Ok(())
        };
        folder.file("a/b.csv", &mut { old }).expect("written");
        let full = |file: &mut (dyn io::Write + Send)| {
            file.write_all(b"new").expect("written");
            Err(ReportError::File { file: "a/b.csv".to_owned(), source: io::ErrorKind::StorageFull.into() })
        };
        assert!(matches!(folder.file("a/b.csv", &mut { full }), Err(ReportError::File { .. })));
        let names: Vec<_> = fs::read_dir(place.path().join("report/a")).expect("there").map(|entry| entry.expect("an entry").file_name()).collect();
        assert_eq!((names, fs::read(place.path().join("report/a/b.csv")).expect("read")), (vec!["b.csv".into()], b"old".to_vec()));
        assert_eq!(folder.into_written().len(), 1, "only what was written is told");
    }
}
