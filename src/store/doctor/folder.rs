//! The judgement over a store in a directory: who else may write into it.
//!
//! Left out: ACLs beyond the mode, and what may be done to the disk.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::store::doctor::Check;

/// Whether anybody but the owner may write into a directory of the store.
#[must_use]
pub fn others(root: &Path) -> Check {
    const ID: &str = "others-may-write";
    match open_to_others(root) {
        Ok(None) => Check::pass(ID, "only the owner may write into the store's directories"),
        Ok(Some(directory)) => {
            let cure = format!("run `chmod -R go-w {}`", root.display());
            Check::fail(ID, format!("others than its owner may write into {}, so they can delete and replace what lies there", directory.display()), cure)
        }
        Err(error) => Check::undetermined(ID, format!("the store's directories cannot be read: {error}"), "run doctor as the user that collects"),
    }
}

#[cfg(unix)]
fn open_to_others(root: &Path) -> io::Result<Option<PathBuf>> {
    use std::os::unix::fs::PermissionsExt as _;

    let mut pending = vec![root.to_path_buf()];
    while let Some(directory) = pending.pop() {
        if fs::metadata(&directory)?.permissions().mode() & 0o022 != 0 {
            return Ok(Some(directory));
        }
        for entry in fs::read_dir(&directory)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                pending.push(entry.path());
            }
        }
    }
    Ok(None)
}

#[cfg(not(unix))]
fn open_to_others(_root: &Path) -> io::Result<Option<PathBuf>> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "there are no modes on this system"))
}
