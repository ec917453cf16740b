//! Sets the transport up from configuration and environment, and runs the kinds over it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use chrono::{DateTime, Utc};
use secrecy::SecretString;

use crate::catalog::settings::Settings;
use crate::cli::archive::RunArchive;
use crate::cli::collect::collectors;
use crate::cli::exit::Failure;
use crate::cli::google;
use crate::cli::host::{self, Host};
use crate::cli::progress::Progress;
use crate::cli::project::Project;
use crate::collect::ApiError;
use crate::collect::github::viewer;
use crate::collect::memory::Memory;
use crate::collect::redact::Redactor;
use crate::collect::transport::{self, Credentials, GitHubCredential, GoogleCredential, GooglePace, Stop, Surroundings, Transport};
use crate::model::Scope;

/// How a person gives a GitHub credential; printed where one is missing.
const GITHUB_CURE: &str = "GITHUB_TOKEN set to a token with read access, or PROOFLINE_GITHUB_APP_ID and PROOFLINE_GITHUB_APP_KEY_FILE";
/// How a person gives a Google credential.
pub const GOOGLE_CURE: &str =
    "Application Default Credentials: `gcloud auth application-default login`, an attached service account, or GOOGLE_APPLICATION_CREDENTIALS";

/// What to fetch, and what to take out of it.
pub struct Errand<'a> {
    /// Where to look.
    pub scope: &'a Scope,
    /// Which kinds need it.
    pub kinds: &'a BTreeSet<String>,
    /// Takes out of answers what may not be kept.
    pub redactor: Redactor,
    /// What earlier runs knew.
    pub memory: Memory,
}

/// Fetches everything the kinds need, and tells who asked each source. Ends early on Ctrl-C, with nothing sealed.
///
/// # Errors
/// Where collecting cannot go on at all.
pub async fn fetch(host: &Host, project: &Project, archive: Arc<RunArchive>, errand: Errand<'_>) -> Result<BTreeMap<String, String>> {
    let Errand { scope, kinds, redactor, memory } = errand;
    let progress = Arc::new(Progress::new(host.screen, host.err.clone()));
    let (stopper, stop) = Stop::pair();
    let watching = Arc::clone(&progress);
    let surroundings = Surroundings { clock: Arc::new(Clock(Arc::clone(&host.clock))), observer: Arc::new(move |event| watching.observe(&event)), stop };
    let interrupt = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stopper.stop();
        }
    });
    let collectors = collectors(kinds)?;
    let credentials = credentials(host, &project.settings)?;
    let is_token = matches!(credentials.github, GitHubCredential::Token(_));
    let transport = Transport::new(settings(&project.settings), credentials, archive, surroundings)?.redacting(redactor).remembering(memory);
    let fetched = async {
        futures::future::try_join_all(collectors.iter().map(|collector| collector.fetch(scope, &transport))).await?;
        let mut identities = transport.identities();
        // An App says who it is, and has no login.
        if let (Some(token), Some(organization), true) = (identities.get_mut(transport::GITHUB), scope.github_organizations.first(), is_token)
            && let Some(owner) = viewer::login(organization, &transport).await?
        {
            *token = format!("{owner}, by {token}");
        }
        Ok(identities)
    };
    let fetched: Result<_, ApiError> = fetched.await;
    interrupt.abort();
    progress.finish();
    Ok(fetched?)
}

/// What the transport is told.
#[must_use]
pub fn settings(configured: &Settings) -> transport::Settings {
    let limits = &configured.limits;
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let emulated = url_is_loopback(&configured.github.base_url);
    transport::Settings {
        github: configured.github.base_url.clone(),
        google: configured.google.base_url.clone(),
        concurrency: count(limits.concurrency),
        github_per_minute: match limits.github_per_minute {
            Some(requests) => Some(count(requests)).filter(|requests| *requests > 0),
            // An emulator has no unannounced limit to stay below.
            None if emulated => None,
            None => transport::Settings::default().github_per_minute,
        },
        google_per_minute: match limits.google_per_minute {
            Some(0) => GooglePace::Unbounded,
            Some(requests) => GooglePace::Each(count(requests)),
            None if url_is_loopback(&configured.google.base_url) => GooglePace::Unbounded,
            None => GooglePace::Documented,
        },
        timeout: Duration::from_secs(u64::from(limits.timeout_seconds)),
        body_limit: count(limits.body_mib) << 20,
        attempts: count(limits.attempts),
        max_wait: Duration::from_secs(u64::from(limits.max_wait_minutes) * 60),
        github_cure: GITHUB_CURE.to_owned(),
        google_cure: GOOGLE_CURE.to_owned(),
        ..transport::Settings::default()
    }
}

fn credentials(host: &Host, configured: &Settings) -> Result<Credentials> {
    let emulated = url_is_loopback(&configured.google.base_url);
    Ok(Credentials {
        github: github_credential(host)?,
        google: match (!configured.google.parents.is_empty(), emulated) {
            (false, _) => GoogleCredential::Missing,
            (true, true) => GoogleCredential::Anonymous,
            (true, false) => GoogleCredential::Account(google::account(host, &configured.google)?),
        },
    })
}

/// True where a base URL leads to this machine: an emulator, to which no credential goes.
#[must_use]
pub fn url_is_loopback(base: &str) -> bool {
    let host = url::Url::parse(&base.replace("{service}", "service")).ok().and_then(|url| url.host().map(|host| host.to_owned()));
    match host {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn github_credential(host: &Host) -> Result<GitHubCredential> {
    if let Some(id) = host.variable("PROOFLINE_GITHUB_APP_ID") {
        let id = id.parse().map_err(|_source| Failure::usage("PROOFLINE_GITHUB_APP_ID is not a number: it is the \"App ID\" on the App's settings page"))?;
        let file = host.variable("PROOFLINE_GITHUB_APP_KEY_FILE");
        let file =
            file.ok_or_else(|| Failure::usage("PROOFLINE_GITHUB_APP_ID is set, so PROOFLINE_GITHUB_APP_KEY_FILE must name the App's private key (PEM)"))?;
        let pem =
            fs::read_to_string(host.folder.join(file)).map_err(|error| Failure::usage(format!("PROOFLINE_GITHUB_APP_KEY_FILE cannot be read: {error}")))?;
        return Ok(GitHubCredential::App { id, private_key_pem: SecretString::from(pem) });
    }
    let token = host.variable("GITHUB_TOKEN").or_else(|| host.variable("GH_TOKEN"));
    Ok(token.map_or(GitHubCredential::Missing, |token| GitHubCredential::Token(SecretString::from(token.to_owned()))))
}

/// The host's clock, as the transport wants it.
struct Clock(host::Clock);

impl transport::Clock for Clock {
    fn now(&self) -> DateTime<Utc> {
        (self.0)()
    }
}
