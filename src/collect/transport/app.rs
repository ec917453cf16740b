//! A GitHub App: one installation in each organisation, each with its own token of one hour.
//! <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation>
//!
//! These requests carry or return credentials, so they are neither recorded nor kept.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use octocrab::Octocrab;
use octocrab::models::{AppId, InstallationId};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::collect::transport::keyring::NoPass;
use crate::collect::transport::settings::{Settings, TransportError};
use crate::model::{Gap, GapCause};

/// A token that ends sooner is replaced before it is used.
const LEFT: chrono::Duration = chrono::Duration::minutes(2);
/// Bytes of the answer that names an installation; real ones are below 10 kB.
const ANSWER_LIMIT: usize = 1 << 20;

pub(super) struct App {
    octocrab: Octocrab,
    timeout: Duration,
    installations: Mutex<BTreeMap<String, Slot>>,
}

/// Held while a token is being fetched, so that a hundred waiting requests fetch one.
type Slot = Arc<tokio::sync::Mutex<Installation>>;

#[derive(Default)]
enum Installation {
    #[default]
    Unknown,
    Refused(Gap),
    /// The handle caches its token and renews it.
    Known(InstallationId, Octocrab),
}

#[derive(Deserialize)]
struct Named {
    id: u64,
}

impl App {
    pub(super) fn new(id: u64, pem: &SecretString, settings: &Settings, client: reqwest::Client) -> Result<Self, TransportError> {
        let bad_base = |_error| TransportError::Base { url: settings.github.clone(), why: "it is not an address".into() };
        let octocrab = Octocrab::builder()
            .base_uri(settings.github.trim_end_matches('/'))
            .map_err(bad_base)?
            .app_from_rsa_pem(AppId(id), pem.expose_secret())
            .map_err(|_may_quote_the_key| TransportError::AppKey)?
            .build_with_reqwest(client)
            .map_err(|_may_quote_the_key| TransportError::AppKey)?;
        Ok(Self { octocrab, timeout: settings.timeout, installations: Mutex::default() })
    }

    /// A token for one organisation that is good for some minutes at least.
    pub(super) async fn token(&self, organization: &str) -> Result<SecretString, NoPass> {
        let slot = self.slot(organization);
        let mut installation = slot.lock().await;
        if matches!(*installation, Installation::Unknown) {
            *installation = match self.find(organization).await {
                Ok(id) => Installation::Known(id, self.act_as(id)?),
                Err(NoPass::Never(gap)) => Installation::Refused(gap),
                Err(later @ NoPass::NotNow(_)) => return Err(later),
            };
        }
        match &*installation {
            Installation::Known(_, octocrab) => self.fetch(octocrab, organization).await,
            Installation::Refused(gap) => Err(NoPass::Never(gap.clone())),
            Installation::Unknown => Err(NoPass::NotNow("the installation is not known".into())),
        }
    }

    /// Drops a cached token. False where somebody else has replaced it already.
    pub(super) async fn forget(&self, organization: &str, token: &SecretString) -> bool {
        let slot = self.slot(organization);
        let mut installation = slot.lock().await;
        if let Installation::Known(id, octocrab) = &*installation
            && let Ok(current) = tokio::time::timeout(self.timeout, octocrab.installation_token_with_buffer(chrono::Duration::zero())).await
            && current.is_ok_and(|current| current.expose_secret() == token.expose_secret())
            // A new handle starts with an empty cache.
            && let Ok(fresh) = self.act_as(*id)
        {
            *installation = Installation::Known(*id, fresh);
            return true;
        }
        false
    }

    fn slot(&self, organization: &str) -> Slot {
        let mut installations = self.installations.lock().unwrap_or_else(PoisonError::into_inner);
        // GitHub's names are the same in upper and lower case.
        Arc::clone(installations.entry(organization.to_ascii_lowercase()).or_default())
    }

    fn act_as(&self, id: InstallationId) -> Result<Octocrab, NoPass> {
        self.octocrab.installation(id).map_err(|_may_quote_the_key| NoPass::NotNow("the GitHub App's handle could not be set up".into()))
    }

    async fn fetch(&self, installation: &Octocrab, organization: &str) -> Result<SecretString, NoPass> {
        let later = || NoPass::NotNow(format!("GitHub gave no installation token for {organization}"));
        match tokio::time::timeout(self.timeout, installation.installation_token_with_buffer(LEFT)).await {
            Ok(Ok(token)) => Ok(token),
            Ok(Err(octocrab::Error::GitHub { source, .. })) if matches!(source.status_code.as_u16(), 401 | 403 | 404 | 422) => {
                Err(refused(format!("GitHub refused an installation token for {organization} ({})", source.status_code.as_u16())))
            }
            Ok(Err(_may_quote_the_answer)) => Err(later()),
            Err(_elapsed) => Err(later()),
        }
    }

    /// <https://docs.github.com/en/rest/apps/apps#get-an-organization-installation-for-the-authenticated-app>
    async fn find(&self, organization: &str) -> Result<InstallationId, NoPass> {
        let is_login = !organization.is_empty() && organization.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        if !is_login {
            return Err(NoPass::Never(Gap::new(
                GapCause::NotConfigured,
                "the request does not tell which organisation's installation of the GitHub App to use",
            )));
        }
        let later = || NoPass::NotNow(format!("GitHub did not tell the installation of the App in {organization}"));
        let asked = async {
            let answer = self.octocrab._get(format!("/orgs/{organization}/installation")).await.ok()?;
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), ANSWER_LIMIT).collect().await.ok()?.to_bytes();
            Some((status, body))
        };
        let (status, body) = tokio::time::timeout(self.timeout, asked).await.ok().flatten().ok_or_else(later)?;
        match status {
            200 => serde_json::from_slice::<Named>(&body).map(|named| InstallationId(named.id)).map_err(|_not_one| later()),
            404 => Err(refused(format!("the GitHub App is not installed in {organization}"))),
            401 | 403 => Err(refused(format!("GitHub refused the App's key ({status})"))),
            _ => Err(later()),
        }
    }
}

fn refused(detail: String) -> NoPass {
    NoPass::Never(Gap::new(GapCause::Forbidden, detail).cured_by("the GitHub App installed in the organisation, with its id and private key"))
}
