//! Service accounts, and who outside may act as one.

use serde_json::{Value, json};

use crate::collect::gcp::asset::{Asset, Derived, PUBLIC_MEMBERS, columns};
use crate::collect::gcp::fields::{Read, text};
use crate::collect::gcp::typed::Absence;
use crate::model::{AttributeType, Kind};

const BOOL: AttributeType = AttributeType::Bool;
const TEXT: AttributeType = AttributeType::Text;
const MAYBE: AttributeType = AttributeType::Optional(&AttributeType::Text);

/// `gcp.service_account`. <https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts>
///
/// Read from the inventory only, since the service gives the policy of one account at a time. That an account may act for everybody of a Google Workspace (domain-wide
/// delegation) is granted in its Admin console, and no API of Google Cloud tells it: the list there goes by `oauth2_client_id`.
pub static SERVICE_ACCOUNT: Asset = Asset {
    kind: &Kind {
        name: "gcp.service_account",
        meaning: "A service account",
        permission: "cloudasset.assets.listResource and cloudasset.assets.listIamPolicy",
        attributes: columns! { "serviceAccounts", PUBLIC_MEMBERS;
            "email": TEXT, "Its address", "email";
            "disabled": BOOL, "True where nobody can act as it", "disabled";
            "oauth2_client_id": TEXT, "By which the Admin console of Google Workspace names it where it has domain-wide delegation; no policy shows that", "oauth2ClientId";
            "is_default": BOOL, "True for those that Compute Engine and App Engine make by themselves", "email";
        },
    },
    types: &["iam.googleapis.com/ServiceAccount"],
    absences: &[("disabled", Absence::False)],
    derived: &[Derived { name: "is_default", read: is_default }],
    direct: None,
};

/// `gcp.service_account_use`: when an account last signed in, which is asked of each project that has accounts.
/// <https://cloud.google.com/policy-intelligence/docs/service-account-usage-tools>
///
/// Read from the inventory only, as the accounts are.
pub static SERVICE_ACCOUNT_USE: Asset = Asset {
    kind: &Kind {
        name: "gcp.service_account_use",
        meaning: "The use of a service account",
        permission: "cloudasset.assets.listResource and policyanalyzer.serviceAccountLastAuthenticationActivities.query",
        attributes: columns! { "serviceAccounts";
            "email": TEXT, "Its address", "email";
            "disabled": BOOL, "True where nobody can sign in as it", "disabled";
            "last_used": AttributeType::Optional(&AttributeType::Time), "On which day it last signed in, its keys included, as far as Policy Analyzer looks back; null where it never did", "activities.query lastAuthenticatedTime";
        },
    },
    types: &["iam.googleapis.com/ServiceAccount"],
    absences: &[("disabled", Absence::False)],
    derived: &[],
    direct: None,
};

/// `gcp.identity_provider`. <https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers>
///
/// Read from the inventory only: the service lists those of one pool at a time.
pub static IDENTITY_PROVIDER: Asset = Asset {
    kind: &Kind {
        name: "gcp.identity_provider",
        meaning: "A provider of a workload identity pool: whose tokens are taken in place of Google's",
        permission: "cloudasset.assets.listResource",
        attributes: columns! { "providers";
            "name": TEXT, "Its name in the pool", "name";
            "pool": TEXT, "Name of the pool", "name";
            "issuer": MAYBE, "Who signs the tokens of OpenID Connect, e.g. https://token.actions.githubusercontent.com; null for AWS, SAML and X.509", "oidc.issuerUri";
            "condition": MAYBE, "What must be true of a token; null where every token of the issuer is taken", "attributeCondition";
            "disabled": BOOL, "True where no token is taken", "disabled";
            "state": TEXT, "ACTIVE or DELETED", "state";
        },
    },
    types: &["iam.googleapis.com/WorkloadIdentityPoolProvider"],
    // proto3 leaves out what is false or empty.
    absences: &[("issuer", Absence::Null), ("condition", Absence::Null), ("disabled", Absence::False)],
    derived: &[Derived { name: "name", read: |data| word(data, 0) }, Derived { name: "pool", read: |data| word(data, 2) }],
    direct: None,
};

fn is_default(data: &Value) -> Read<Value> {
    let is_default = |email: &str| email.ends_with("-compute@developer.gserviceaccount.com") || email.ends_with("@appspot.gserviceaccount.com");
    Ok(text(data, "email")?.map(|email| json!(is_default(email))))
}

/// Of `…/workloadIdentityPools/POOL/providers/NAME`, counted from the end.
fn word(data: &Value, place: usize) -> Read<Value> {
    Ok(text(data, "name")?.and_then(|name| name.rsplit('/').nth(place)).map(Value::from))
}
