//! Application Default Credentials: which file holds them, whose quota is used, and whom they act as.
//! <https://cloud.google.com/docs/authentication/application-default-credentials>
//!
//! Left out: what is in the file, which the transport's business is.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::Result;
use secrecy::SecretString;

use crate::catalog::settings::GoogleSettings;
use crate::cli::exit::Failure;
use crate::cli::host::Host;
use crate::collect::transport::GoogleAccount;

const FILE: &str = "GOOGLE_APPLICATION_CREDENTIALS";

/// Who asks Google.
///
/// # Errors
/// Exit code 2 where the credential file cannot be read.
pub fn account(host: &Host, settings: &GoogleSettings) -> Result<GoogleAccount> {
    let quota_project = host.variable("GOOGLE_CLOUD_QUOTA_PROJECT").map(str::to_owned).or_else(|| settings.quota_project.clone());
    let file = match host.variable(FILE) {
        Some(path) => Some(fs::read_to_string(host.folder.join(path)).map_err(|error| unreadable(&format!("{FILE} names {path}, which"), &error))?),
        None => well_known(host).map_or(Ok(None), |path| match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            // Then it is what is attached to the machine.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreadable(&path.display().to_string(), &error)),
        })?,
    };
    Ok(GoogleAccount { file: file.map(SecretString::from), impersonate: settings.impersonate.clone(), quota_project })
}

fn unreadable(what: &str, error: &std::io::Error) -> Failure {
    Failure::usage(format!("{what} cannot be read: {error}; it holds the Google credential, e.g. as `gcloud auth application-default login` writes it"))
}

/// Where gcloud puts it.
fn well_known(host: &Host) -> Option<PathBuf> {
    let below = if cfg!(windows) { ("APPDATA", "gcloud") } else { ("HOME", ".config/gcloud") };
    Some(PathBuf::from(host.variable(below.0)?).join(below.1).join("application_default_credentials.json"))
}
