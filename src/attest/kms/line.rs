//! The way to Cloud KMS: which key, as whom, and again where trouble may pass. What is asked is not known here.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use google_cloud_auth::credentials::{Builder, CacheableResource, Credentials};
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{Extensions, HeaderMap, HeaderValue};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::attest::AttestError;
use crate::attest::exchange::{Answer, Exchange, address, is_loopback, printable};
use crate::attest::kms::{Credential, LIMIT, Settings};

/// The way to the service.
pub(super) struct Line {
    pub(super) settings: Settings,
    base: Url,
    exchange: Exchange,
    credentials: Option<Credentials>,
}

/// What to do about trouble.
pub(super) enum Trouble {
    /// Ask again, not before this.
    Passing(AttestError, Duration),
    Lasting(AttestError),
}

impl Line {
    pub(super) fn new(settings: Settings) -> Result<Self, AttestError> {
        let parts: Vec<&str> = settings.key.split('/').collect();
        let shape = ["projects", "locations", "keyRings", "cryptoKeys", "cryptoKeyVersions"];
        // What could lead elsewhere in an address is no name: `.`, `..`, `?`, `%2f`.
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
        let name = |part: &&str| part.starts_with(|c: char| c.is_ascii_alphanumeric()) && part.chars().all(plain);
        if parts.len() != 10 || !parts.iter().step_by(2).eq(shape.iter()) || !parts.iter().skip(1).step_by(2).all(name) {
            return Err(AttestError::setting(&settings.key, "a key is projects/…/locations/…/keyRings/…/cryptoKeys/…/cryptoKeyVersions/N"));
        }
        let what = "the address of Cloud KMS";
        let base = address(what, &settings.base)?;
        let credentials = match settings.credential {
            Credential::Anonymous => None,
            Credential::ApplicationDefault if base.scheme() != "https" && !is_loopback(&base) => {
                return Err(AttestError::setting(what, "a credential is not sent without TLS"));
            }
            Credential::ApplicationDefault => Some(Builder::default().build().map_err(|_may_quote_the_file| no_credential())?),
        };
        Ok(Self { exchange: Exchange::new(&base, settings.timeout, LIMIT)?, settings, base, credentials })
    }

    /// Asks again where trouble may pass: no answer, 429, 5xx, a checksum that differs.
    pub(super) async fn patiently<T, F: Future<Output = Result<T, Trouble>>>(&self, ask: impl Fn() -> F) -> Result<T, AttestError> {
        let longest = self.settings.delay.saturating_mul(64);
        let again = self.settings.attempts.saturating_sub(1);
        let mut delays = ExponentialBuilder::new().with_min_delay(self.settings.delay).with_max_delay(longest).with_max_times(again).build();
        loop {
            let (error, not_before) = match ask().await {
                Ok(answer) => return Ok(answer),
                Err(Trouble::Lasting(error)) => return Err(error),
                Err(Trouble::Passing(error, not_before)) => (error, not_before),
            };
            let Some(delay) = delays.next() else { return Err(error) };
            tokio::time::sleep(delay.max(not_before.min(longest))).await;
        }
    }

    pub(super) fn url(&self, after: &str) -> Result<Url, Trouble> {
        let text = format!("{}/v1/{}{after}", self.base.as_str().trim_end_matches('/'), self.settings.key);
        address("the address of Cloud KMS", &text).map_err(Trouble::Lasting)
    }

    pub(super) async fn ask<T: DeserializeOwned>(&self, url: &Url, question: Option<String>, role: &'static str) -> Result<T, Trouble> {
        let mut headers = self.headers().await?;
        let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned);
        let answer = match question {
            None => self.exchange.get(url, headers).await,
            Some(question) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                self.exchange.post(url, headers, question.into_bytes()).await
            }
        };
        let answer = answer.map_err(|error| if error.is_transient() { Trouble::Passing(error, Duration::ZERO) } else { Trouble::Lasting(error) })?;
        if answer.status == 200 {
            return serde_json::from_slice(&answer.body).map_err(|_may_quote| malformed("the answer of Cloud KMS", "it is not the JSON that is documented"));
        }
        Err(self.refused(answer, token.as_deref(), role))
    }

    async fn headers(&self) -> Result<HeaderMap, Trouble> {
        let Some(credentials) = &self.credentials else { return Ok(HeaderMap::new()) };
        let not_now = || Trouble::Passing(no_credential(), Duration::ZERO);
        match tokio::time::timeout(self.settings.timeout, credentials.headers(Extensions::new())).await {
            Ok(Ok(CacheableResource::New { data, .. })) => Ok(data),
            // Only said to those who name the version they have, which this does not.
            Ok(Ok(CacheableResource::NotModified)) | Err(_) => Err(not_now()),
            Ok(Err(error)) if error.is_transient() => Err(not_now()),
            Ok(Err(_may_quote_an_answer)) => Err(Trouble::Lasting(no_credential())),
        }
    }

    fn refused(&self, answer: Answer, token: Option<&str>, role: &'static str) -> Trouble {
        let key = self.settings.key.clone();
        let status = answer.status;
        let said = said(&answer.body, token);
        let seconds = answer.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(|value| value.parse().ok()).unwrap_or(0);
        let error = match status {
            401 => no_credential(),
            403 if said.contains("SERVICE_DISABLED") => AttestError::setting(&key, "the API cloudkms.googleapis.com is not enabled in its project"),
            403 => AttestError::Permission { role, resource: key, why: said },
            404 => AttestError::setting(&key, format!("there is no such key version, or {role} is missing: {said}")),
            _ => AttestError::Status { who: answer.who, status, why: said },
        };
        if error.is_transient() { Trouble::Passing(error, Duration::from_secs(seconds)) } else { Trouble::Lasting(error) }
    }
}

/// Google's words in an error answer, with its reasons; not shown where they repeat the credential.
fn said(body: &[u8], token: Option<&str>) -> String {
    #[derive(Deserialize)]
    struct Envelope {
        error: Refusal,
    }
    #[derive(Deserialize)]
    struct Refusal {
        #[serde(default)]
        message: String,
        #[serde(default)]
        details: Vec<Detail>,
    }
    #[derive(Deserialize)]
    struct Detail {
        #[serde(default)]
        reason: String,
    }
    if token.is_some_and(|token| String::from_utf8_lossy(body).contains(token)) {
        return "the answer repeats the credential and is not shown".to_owned();
    }
    let Ok(Envelope { error }) = serde_json::from_slice::<Envelope>(body) else { return printable(body) };
    let reasons: Vec<&str> = error.details.iter().map(|detail| detail.reason.as_str()).filter(|reason| !reason.is_empty()).collect();
    printable([reasons.join(" "), error.message].join(" ").as_bytes())
}

pub(super) fn malformed(what: &'static str, why: &str) -> Trouble {
    Trouble::Lasting(AttestError::Malformed { what, why: why.to_owned() })
}

fn no_credential() -> AttestError {
    AttestError::setting(
        "Google credentials",
        "there are none that Cloud KMS accepts: set Application Default Credentials, e.g. GOOGLE_APPLICATION_CREDENTIALS",
    )
}
