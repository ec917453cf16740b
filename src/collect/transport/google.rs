//! Who asks Google: what is attached to the machine, or whom a credential file names, and whom either acts as.
//! <https://cloud.google.com/docs/authentication/application-default-credentials>
//!
//! The library exchanges what the file holds for tokens, and renews them minutes before they end. Its errors may quote what a server answered, which may repeat the
//! credential, so that of them only words of OAuth that are known here are told. Left out: which file that is (`cli` knows the environment).

use std::error::Error;

use google_cloud_auth::credentials::{Credentials, external_account, impersonated, mds, service_account, user_account};
use google_cloud_auth::errors::CredentialsError;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::collect::transport::settings::{GoogleAccount, Settings, TransportError};
use crate::model::{Gap, GapCause};

/// A source of tokens.
pub(super) struct Account {
    pub(super) credentials: Credentials,
    sort: Sort,
    impersonates: Option<String>,
    /// Who that is, as far as the file says; people are not named.
    pub(super) who: String,
}

/// What proves who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Attached,
    User,
    Key,
    Impersonated,
    Federated,
}

/// What OAuth and Google call the reasons for which no token is given.
/// <https://datatracker.ietf.org/doc/html/rfc6749#section-5.2>
const REASONS: &[&str] = &[
    "invalid_grant",
    "invalid_client",
    "unauthorized_client",
    "invalid_scope",
    "invalid_target",
    "invalid_request",
    "access_denied",
    "PERMISSION_DENIED",
    "UNAUTHENTICATED",
    "NOT_FOUND",
];

impl Account {
    /// The library's default scope is kept: some services (Kubernetes Engine, IAM) have no read-only one, so that IAM roles are what limits the reader.
    pub(super) fn new(account: &GoogleAccount, settings: &Settings) -> Result<Self, TransportError> {
        let unusable = |why: &str| TransportError::GoogleCredentials { why: why.to_owned(), cure: settings.google_cure.clone() };
        let file = account.file.as_ref().map(|file| serde_json::from_str::<Value>(file.expose_secret())).transpose();
        let file = file.map_err(|_may_quote_the_file| unusable("the credential file is not JSON"))?;
        let named = |field: &str| file.as_ref().and_then(|file| file.get(field)?.as_str()).map(str::to_owned);
        let sort = match (&file, named("type").as_deref()) {
            (None, _) => Sort::Attached,
            (Some(_), Some("authorized_user")) => Sort::User,
            (Some(_), Some("service_account")) => Sort::Key,
            (Some(_), Some("impersonated_service_account")) => Sort::Impersonated,
            (Some(_), Some("external_account")) => Sort::Federated,
            (Some(_), _) => return Err(unusable("the credential file is of a type that is not known here")),
        };
        let who = account.impersonate.clone().unwrap_or_else(|| who(sort, named));
        // The library takes it from some files only.
        let quota = account.quota_project.clone().or_else(|| named("quota_project_id"));
        let built = match &account.impersonate {
            None => of_file(sort, file, quota),
            Some(_) if sort == Sort::Impersonated => {
                return Err(unusable("the credential file acts as a service account already, so that [google] impersonate cannot name another"));
            }
            Some(target) => acting_as(target, file, quota, settings),
        };
        let credentials = built.map_err(|_may_quote_the_file| unusable("the credential file lacks something, or holds a key that cannot be read"))?;
        Ok(Self { credentials, sort, impersonates: account.impersonate.clone(), who })
    }

    /// Why no token is given, and what a person does about it.
    pub(super) fn refused(&self, error: &CredentialsError, cure: &str) -> Gap {
        let told = told_by(error);
        let has = |words: &[&str]| words.iter().any(|word| told.contains(word));
        let acts = self.impersonates.is_some() || matches!(self.sort, Sort::Impersonated | Sort::Federated);
        let reason = REASONS.iter().find(|reason| told.contains(**reason)).map(|reason| format!(" ({reason})")).unwrap_or_default();
        let (what, to_do) = if acts && has(&["PERMISSION_DENIED", "NOT_FOUND"]) {
            let whom = self.impersonates.as_deref().unwrap_or("the account that the credential file names");
            ("acting as the service account was refused", format!("roles/iam.serviceAccountTokenCreator on {whom}, for whoever the credential is"))
        } else {
            match self.sort {
                Sort::User => ("the login was refused", "`gcloud auth application-default login`: the login has ended or was withdrawn".to_owned()),
                Sort::Key => ("the key of the service account gives no token", cure.to_owned()),
                Sort::Federated if reason.is_empty() && !has(&["status"]) => (
                    "the token of the workload could not be read",
                    "the file or address under credential_source of the credential file, as it names it".to_owned(),
                ),
                Sort::Federated => (
                    "the token of the workload was refused",
                    "a new token where credential_source of the credential file says, for the audience and from the issuer that the provider expects"
                        .to_owned(),
                ),
                Sort::Impersonated => {
                    ("the login behind the service account was refused", "`gcloud auth application-default login --impersonate-service-account`".to_owned())
                }
                Sort::Attached => ("the machine has no service account that gives tokens", cure.to_owned()),
            }
        };
        Gap::new(GapCause::NotConfigured, format!("no credential for Google Cloud: {what}{reason}")).cured_by(to_do)
    }
}

/// What a credential file says of who asks. <https://google.aip.dev/auth/4110>
fn who(sort: Sort, named: impl Fn(&str) -> Option<String>) -> String {
    let acts_as = || Some(named("service_account_impersonation_url")?.rsplit_once("/serviceAccounts/")?.1.split(':').next()?.to_owned());
    match sort {
        Sort::Attached => "the service account that is attached to the machine".to_owned(),
        Sort::User => "a person's login".to_owned(),
        Sort::Key => named("client_email").unwrap_or_else(|| "a service account".to_owned()),
        Sort::Impersonated => acts_as().unwrap_or_else(|| "a service account".to_owned()),
        Sort::Federated => acts_as().or_else(|| Some(format!("a workload of {}", named("audience")?))).unwrap_or_else(|| "a workload".to_owned()),
    }
}

type Built = Result<Credentials, google_cloud_auth::build_errors::Error>;

fn of_file(sort: Sort, file: Option<Value>, quota: Option<String>) -> Built {
    /// The builders are of different types, with methods of one name.
    macro_rules! built {
        ($builder:expr) => {
            match quota {
                Some(project) => $builder.with_quota_project_id(project).build(),
                None => $builder.build(),
            }
        };
    }
    let file = file.unwrap_or_default();
    match sort {
        Sort::Attached => built!(mds::Builder::default()),
        Sort::User => built!(user_account::Builder::new(file)),
        Sort::Key => built!(service_account::Builder::new(file)),
        Sort::Impersonated => built!(impersonated::Builder::new(file)),
        Sort::Federated => built!(external_account::Builder::new(file)),
    }
}

/// The quota project counts for what the account asks, not for the exchange.
fn acting_as(target: &str, file: Option<Value>, quota: Option<String>, settings: &Settings) -> Built {
    let builder = match file {
        None => impersonated::Builder::from_source_credentials(mds::Builder::default().build()?).with_target_principal(target),
        Some(file) => {
            let service = settings.google.replace("{service}", "iamcredentials");
            let url = format!("{}/v1/projects/-/serviceAccounts/{target}:generateAccessToken", service.trim_end_matches('/'));
            impersonated::Builder::new(json!({ "service_account_impersonation_url": url, "source_credentials": file }))
        }
    };
    match quota {
        Some(project) => builder.with_quota_project_id(project).build(),
        None => builder.build(),
    }
}

fn told_by(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        told.push_str(&format!("\n{error}\n{error:?}"));
        next = error.source();
    }
    told
}

#[cfg(test)]
mod tests {
    use super::{Sort, who};

    #[test]
    fn what_is_attached_to_a_machine_is_called_so() {
        assert_eq!(who(Sort::Attached, |_field| None), "the service account that is attached to the machine");
    }
}
