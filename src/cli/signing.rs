//! Who signs the log: a key from the environment, a key file, or a key of Cloud KMS. Key material is never printed and never leaves the process.

use std::path::Path;

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};

use crate::attest::AttestError;
use crate::attest::kms::{self, Kms};
use crate::cli::exit::Failure;
use crate::cli::host::Host;
use crate::cli::network::url_is_loopback;
use crate::cli::project::Project;
use crate::ledger::signer::{KeyFile, SignError, Signer};
use crate::model::Digest;

/// The variable that holds a key.
const KEY: &str = "PROOFLINE_LOG_KEY";
/// The variable that names a key's file.
pub const KEY_FILE: &str = "PROOFLINE_LOG_KEY_FILE";
/// The same for the key that takes over.
const NEW_KEY: &str = "PROOFLINE_LOG_NEW_KEY";
const NEW_KEY_FILE: &str = "PROOFLINE_LOG_NEW_KEY_FILE";

/// The signer that is configured; none where none is.
///
/// # Errors
/// Exit code 2 where it is configured twice or cannot be used. What a key holds is not quoted.
pub async fn configured(host: &Host, project: &Project) -> Result<Option<Box<dyn Signer>>> {
    let local = from_environment(host, KEY, KEY_FILE)?;
    match (local, &project.settings.log.kms) {
        (Some(_), Some(_)) => Err(Failure::usage(format!("two keys are configured: take kms out of [log], or do not set {KEY} or {KEY_FILE}")).into()),
        (Some(key), None) => Ok(Some(Box::new(key))),
        (None, Some(name)) => Ok(Some(Box::new(Remote(connect(project, name).await?)))),
        (None, None) => Ok(None),
    }
}

/// The key that is to take over.
///
/// # Errors
/// Exit code 2 where there is none or it cannot be used.
pub async fn successor(host: &Host, project: &Project, kms: Option<&str>) -> Result<Box<dyn Signer>> {
    match (from_environment(host, NEW_KEY, NEW_KEY_FILE)?, kms) {
        (Some(key), None) => Ok(Box::new(key)),
        (None, Some(name)) => Ok(Box::new(Remote(connect(project, name).await?))),
        _ => Err(Failure::usage(format!("set {NEW_KEY_FILE} to the file of the new key, or name a key with --kms")).into()),
    }
}

/// A log's name where none is configured: it follows from its first key.
#[must_use]
pub fn origin(project: &Project, signer: &dyn Signer) -> String {
    let own = || format!("proofline/{}", Digest::of(&signer.public_key()).to_string().get(..16).unwrap_or_default());
    project.settings.log.origin.clone().unwrap_or_else(own)
}

fn from_environment(host: &Host, text: &str, file: &str) -> Result<Option<KeyFile>> {
    let pem = match (host.variable(text), host.variable(file)) {
        (Some(_), Some(_)) => return Err(Failure::usage(format!("{text} and {file} are both set: set one of them")).into()),
        (Some(pem), None) => SecretString::from(pem),
        (None, Some(path)) => read(host, file, path)?,
        (None, None) => return Ok(None),
    };
    let key = KeyFile::from_pem(pem.expose_secret());
    key.map(Some).map_err(|error| Failure::usage(format!("{}: {error}", if host.variable(file).is_some() { file } else { text })).into())
}

fn read(host: &Host, variable: &str, path: &str) -> Result<SecretString> {
    let path = host.folder.join(path);
    private(&path).map_err(|why| Failure::usage(format!("{variable}: {why}")))?;
    let text = std::fs::read_to_string(&path).map_err(|error| Failure::usage(format!("{variable}: {}: {error}", path.display())))?;
    Ok(SecretString::from(text))
}

/// A key that others can read is not the owner's alone.
#[cfg(unix)]
fn private(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?.permissions().mode();
    if mode & 0o077 == 0 { Ok(()) } else { Err(format!("others may read {}: run `chmod 600 {}`", path.display(), path.display())) }
}

#[cfg(not(unix))]
fn private(_path: &Path) -> Result<(), String> {
    Ok(())
}

async fn connect(project: &Project, key: &str) -> Result<Kms> {
    let settings = &project.settings;
    let base = settings.log.kms_base_url.clone().unwrap_or_else(|| settings.google.base_url.replace("{service}", "cloudkms"));
    let credential = if url_is_loopback(&base) { kms::Credential::Anonymous } else { kms::Credential::ApplicationDefault };
    let attempts = usize::try_from(settings.limits.attempts).unwrap_or(usize::MAX);
    let connected = Kms::connect(kms::Settings { base, credential, attempts, ..kms::Settings::new(key) }).await;
    match connected {
        Err(error @ AttestError::Setting { .. }) => Err(Failure::usage(format!("the log's key {key}: {error}")).into()),
        connected => connected.with_context(|| format!("the log's key {key}")),
    }
}

struct Remote(Kms);

#[async_trait]
impl Signer for Remote {
    fn public_key(&self) -> [u8; 32] {
        self.0.public_key()
    }

    async fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        self.0.sign(message).await.map_err(|error| SignError::Service(error.to_string()))
    }
}
