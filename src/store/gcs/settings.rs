//! What a store in Cloud Storage is told before the first request: where, as whom, how patiently.

use std::time::Duration;

use url::{Host, Url};

use crate::store::StoreError;

/// Where requests go, as whom, and how patiently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GcsSettings {
    /// The service's base URL.
    pub base_url: String,
    /// The base URL of Cloud Resource Manager, which `doctor` asks about audit logs.
    pub resource_manager_url: String,
    /// Who asks.
    pub credential: GcsCredential,
    /// Until one attempt must be over, the last byte of the body included.
    pub timeout: Duration,
    /// How often a request is sent that meets trouble.
    pub attempts: usize,
    /// The wait before the second attempt; it doubles up to 32 times itself.
    pub first_delay: Duration,
    /// What a person sets to give a credential; printed where one is missing.
    pub cure: String,
}

/// A Google credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GcsCredential {
    /// Application Default Credentials. <https://cloud.google.com/docs/authentication/application-default-credentials>
    ApplicationDefault,
    /// This service account, by means of the Application Default Credentials.
    Impersonating(String),
    /// No `Authorization` at all; for emulators.
    Anonymous,
}

impl Default for GcsSettings {
    /// The public service, asked as the Application Default Credentials say.
    fn default() -> Self {
        Self {
            base_url: "https://storage.googleapis.com".to_owned(),
            resource_manager_url: "https://cloudresourcemanager.googleapis.com".to_owned(),
            credential: GcsCredential::ApplicationDefault,
            timeout: Duration::from_mins(1),
            attempts: 6,
            first_delay: Duration::from_secs(1),
            cure: "Application Default Credentials, e.g. GOOGLE_APPLICATION_CREDENTIALS".to_owned(),
        }
    }
}

impl GcsSettings {
    /// The base, where a token and evidence may travel to it.
    pub(super) fn base(&self) -> Result<Url, StoreError> {
        base(&self.base_url, "Cloud Storage")
    }

    /// The base of Cloud Resource Manager, where a token may travel to it.
    pub(super) fn resource_manager(&self) -> Result<Url, StoreError> {
        base(&self.resource_manager_url, "Cloud Resource Manager")
    }

    /// True where requests stay on this machine, which no proxy could reach.
    pub(super) fn is_local(&self) -> bool {
        Url::parse(&self.base_url).is_ok_and(|url| is_local(&url))
    }
}

fn base(given: &str, service: &str) -> Result<Url, StoreError> {
    let wrong = |why: &str| StoreError::Setup(format!("the base URL of {service} {why}"));
    let url = Url::parse(given).map_err(|_not_a_url| wrong("is not a URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("must not hold credentials"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_local(&url) => Ok(url),
        _ => Err(wrong("starts with https://; http:// is only for this machine")),
    }
}

fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
