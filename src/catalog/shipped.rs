//! The catalogue inside the binary: the files of `controls/`.
//!
//! Left out: a user's own controls; `cli` reads those from the directories that the configuration names.

use crate::catalog::source::SourceFile;

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../", $path)))),*]
    };
}

/// One line a file; a test fails where a file of `controls/` is not here.
const FILES: &[(&str, &str)] = files![
    "controls/access.toml",
    "controls/backup.toml",
    "controls/change.toml",
    "controls/cluster.toml",
    "controls/data.toml",
    "controls/delivery.toml",
    "controls/encryption.toml",
    "controls/identity.toml",
    "controls/incident.toml",
    "controls/infrastructure.toml",
    "controls/monitoring.toml",
    "controls/network.toml",
    "controls/organization.toml",
    "controls/repository.toml",
    "controls/secrets.toml",
    "controls/tasks.toml",
    "controls/vulnerability.toml",
    "controls/workloads.toml",
    "controls/criteria/cis-gcp.toml",
    "controls/criteria/cis-github.toml",
    "controls/criteria/iso27001.toml",
    "controls/criteria/nist80053.toml",
    "controls/criteria/soc2.toml",
];

/// Every file of the shipped catalogue, criteria included.
#[must_use]
pub fn files() -> Vec<SourceFile> {
    FILES.iter().map(|(path, text)| SourceFile::new(*path, *text)).collect()
}

/// The shipped criteria only, for use with a user's own controls.
#[must_use]
pub fn criteria() -> Vec<SourceFile> {
    files().into_iter().filter(|file| crate::catalog::criteria::is_criteria_file(&file.path)).collect()
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::files;

    fn toml_files(directory: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(directory).expect("the directory can be read").map(|entry| entry.expect("an entry").path());
        let nested = entries.flat_map(|path| if path.is_dir() { toml_files(&path) } else { vec![path] });
        nested.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect()
    }

    #[test]
    fn every_file_of_the_controls_directory_is_in_the_binary() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut on_disk: Vec<String> = toml_files(&root.join("controls"))
            .iter()
            .map(|path| path.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/"))
            .collect();
        on_disk.sort();
        let mut embedded: Vec<String> = files().into_iter().map(|file| file.path).collect();
        embedded.sort();
        assert_eq!(embedded, on_disk, "add the file's path to FILES in src/catalog/shipped.rs");
    }
}
