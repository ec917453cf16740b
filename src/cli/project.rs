//! One installation: its configuration, its control files, its store.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::catalog::settings::{self, Settings};
use crate::catalog::{self, Catalog, Mistakes, SourceFile, Style, shipped};
use crate::cli::exit::Failure;
use crate::cli::host::{Host, Screen};
use crate::cli::network::{GOOGLE_CURE, url_is_loopback};
use crate::cli::vocabulary;
use crate::model::{Control, Period, Scope};
use crate::store::doctor::retention::{self, Asked};
use crate::store::gcs::{GcsCredential, GcsSettings, GcsStore};
use crate::store::local::LocalStore;
use crate::store::{Store, StoreError};

/// The configuration and where it lies.
pub struct Project {
    /// What `proofline.toml` says.
    pub settings: Settings,
    /// The folder of `proofline.toml`; relative paths in it start here.
    pub folder: PathBuf,
    /// The text of `proofline.toml`; a run keeps it beside its evidence.
    pub text: String,
}

impl Project {
    /// Whom reports are about.
    #[must_use]
    pub fn entity(&self) -> String {
        self.settings.entity.clone().unwrap_or_else(|| self.settings.github.organizations.join(", "))
    }

    /// Reads the configuration file.
    ///
    /// # Errors
    /// Exit code 2: it is missing or wrong.
    pub fn read(host: &Host, config: &Path) -> Result<Self> {
        let path = host.folder.join(config);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Failure::usage(format!("there is no {}: write one with `proofline init`, or name it with --config FILE", config.display())).into());
            }
            Err(error) => return Err(Failure::usage(format!("{} cannot be read: {error}", config.display())).into()),
        };
        let file = SourceFile::new(config.display().to_string(), text.as_str());
        let settings = settings::settings(&file).map_err(|mistakes| Failure::usage(shown(&mistakes, host)))?;
        Ok(Self { settings, folder: path.parent().unwrap_or(Path::new(".")).to_path_buf(), text })
    }

    /// The control and criteria files, the configured ones or those shipped in the binary, and the files of waivers.
    ///
    /// # Errors
    /// Exit code 2: a configured path cannot be read.
    pub fn control_files(&self) -> Result<Vec<SourceFile>> {
        let mut files = self.declared_controls()?;
        let mut waivers = Vec::new();
        for path in &self.settings.waivers {
            collect_files(&self.folder.join(path), Path::new(path), &mut waivers)
                .map_err(|error| Failure::usage(format!("waivers = [\"{path}\"]: {error:#}")))?;
        }
        // A file that lies in a directory of controls was read with these.
        let own = self.settings.controls.is_some();
        waivers.retain(|file| !(own && files.iter().any(|known| known.path == file.path)));
        files.extend(waivers);
        Ok(files)
    }

    fn declared_controls(&self) -> Result<Vec<SourceFile>> {
        let Some(configured) = &self.settings.controls else { return Ok(shipped::files()) };
        let mut files = Vec::new();
        for path in configured {
            collect_files(&self.folder.join(path), Path::new(path), &mut files)
                .map_err(|error| Failure::usage(format!("controls = [\"{path}\"]: {error:#}")))?;
        }
        // Controls of one's own still refer to the published criteria; a file of the same name takes the place of the shipped one.
        let name = |file: &SourceFile| file.path.rsplit_once("criteria/").map(|(_above, name)| name.to_owned());
        let own = |shipped: &SourceFile| files.iter().any(|file| name(file) == name(shipped));
        let published: Vec<SourceFile> = shipped::criteria().into_iter().filter(|file| !own(file)).collect();
        files.extend(published);
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    /// The validated catalogue; warnings go to `host.err`.
    ///
    /// # Errors
    /// Exit code 2: every mistake in every file.
    pub fn catalog(&self, host: &Host, files: &[SourceFile]) -> Result<Catalog> {
        catalog::load(files, &vocabulary(), &self.settings.parameters).map_err(|mistakes| Failure::usage(shown(&mistakes, host)).into())
    }

    /// What a run looks at, with `window` as the window of changes.
    #[must_use]
    pub fn scope(&self, window: Period) -> Scope {
        let sorted = |names: &[String]| names.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
        Scope {
            github_organizations: sorted(&self.settings.github.organizations),
            github_enterprise: self.settings.github.enterprise.clone(),
            issue_labels: sorted(&self.settings.github.issue_labels),
            release_workflows: sorted(&self.settings.github.release_workflows),
            boards: self.settings.github.boards.clone(),
            gcp_parents: self.settings.google.parents.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect(),
            window,
            as_of: None,
            tasks: None,
        }
    }

    /// Opens the store.
    ///
    /// # Errors
    /// Exit code 2: the URL is not one that this version knows. Otherwise, where the folder cannot be created.
    pub fn store(&self) -> Result<Arc<dyn Store>> {
        let url = &self.settings.store;
        match self.place()? {
            Place::Folder(root) => Ok(Arc::new(LocalStore::open(root).with_context(|| format!("opening the store {url}"))?)),
            Place::Bucket(store) => Ok(Arc::new(*store)),
        }
    }

    /// Where the store lies. Nothing is created and nothing is asked.
    ///
    /// # Errors
    /// Exit code 2: the URL is not one that this version knows.
    pub fn place(&self) -> Result<Place> {
        let url = &self.settings.store;
        if let Some(path) = url.strip_prefix("file:") {
            return Ok(Place::Folder(self.folder.join(path.strip_prefix("//").unwrap_or(path))));
        }
        if !url.starts_with("gs:") {
            let help = "write file:FOLDER or gs://BUCKET/FOLDER, e.g. store = \"file:evidence\"";
            return Err(Failure::usage(format!("store = {url:?}: {help}")).into());
        }
        let wrong = |error: StoreError| Failure::usage(error.to_string());
        let address = url.parse().map_err(wrong)?;
        Ok(Place::Bucket(Box::new(GcsStore::new(address, self.gcs_settings()).map_err(wrong)?)))
    }

    /// The longest time for which `[retention]` and the controls ask for evidence to be kept.
    #[must_use]
    pub fn asked_retention(&self, controls: &[Control]) -> Option<Asked> {
        let own = self.settings.retention_days.map(|days| Asked { days, by: "[retention] in proofline.toml".to_owned() });
        let of = |control: &Control| Some(Asked { days: control.retention_days?, by: format!("control {}", control.id) });
        retention::longest(own.into_iter().chain(controls.iter().filter_map(of)))
    }

    fn gcs_settings(&self) -> GcsSettings {
        let Settings { storage, limits, google, .. } = &self.settings;
        let credential = match &storage.impersonate {
            _ if url_is_loopback(&storage.base_url) => GcsCredential::Anonymous,
            Some(account) => GcsCredential::Impersonating(account.clone()),
            None => GcsCredential::ApplicationDefault,
        };
        GcsSettings {
            base_url: storage.base_url.clone(),
            resource_manager_url: google.base_url.replace("{service}", "cloudresourcemanager"),
            credential,
            timeout: Duration::from_secs(u64::from(limits.timeout_seconds)),
            attempts: usize::try_from(limits.attempts).unwrap_or(usize::MAX),
            cure: GOOGLE_CURE.to_owned(),
            ..GcsSettings::default()
        }
    }
}

/// Where a store lies.
pub enum Place {
    /// In a folder.
    Folder(PathBuf),
    /// In a bucket of Cloud Storage.
    Bucket(Box<GcsStore>),
}

fn shown(mistakes: &Mistakes, host: &Host) -> String {
    format!("\n{}", mistakes.render(style(host)))
}

/// How diagnostics are shown on the host's screen.
#[must_use]
pub fn style(host: &Host) -> Style {
    match host.screen {
        Screen::Terminal => Style::Colour,
        Screen::Log => Style::Plain,
    }
}

/// Adds the TOML files at or below `path`, named by `name`, in the order of names. Links are followed once by the system, never chased in circles: depth is bounded.
fn collect_files(path: &Path, name: &Path, files: &mut Vec<SourceFile>) -> Result<()> {
    anyhow::ensure!(name.components().count() < 32, "{} lies too deep", name.display());
    if path.is_dir() {
        let mut entries = fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let inner = entry.path();
            if inner.is_dir() || inner.extension().is_some_and(|extension| extension == "toml") {
                collect_files(&inner, &name.join(entry.file_name()), files)?;
            }
        }
        return Ok(());
    }
    let bytes = fs::read(path).with_context(|| name.display().to_string())?;
    let text = String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8", name.display()))?;
    let slashed: Vec<_> = name.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    files.push(SourceFile::new(slashed.join("/"), text));
    Ok(())
}
