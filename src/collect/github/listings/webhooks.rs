//! Webhooks: where an organisation and its repositories send what happens in them.
//!
//! GitHub shows asterisks for a webhook's secret. What an address itself holds of a key is taken out before it is kept (the rule `webhook-address`).

use serde_json::Value;

use crate::collect::github::answer::{Fact, Field};
use crate::collect::github::listing::{Asked, Derived, Listing, Of, fields};
use crate::model::{AttributeType, Gap, GapCause, Kind};

const BOOL: AttributeType = AttributeType::Bool;
const TEXT: AttributeType = AttributeType::Text;
const TEXTS: AttributeType = AttributeType::List(&AttributeType::Text);
const TIME: AttributeType = AttributeType::Time;
const OPTIONAL_INT: AttributeType = AttributeType::Optional(&AttributeType::Int);

/// `github.organization_webhook`. <https://docs.github.com/en/rest/orgs/webhooks#list-organization-webhooks>
pub static ORGANIZATION_WEBHOOK: Listing = Listing {
    kind: &Kind {
        name: "github.organization_webhook",
        meaning: "a webhook of an organisation: where events are sent to",
        permission: "Webhooks: read on the organisation (token: admin:org_hook of an owner)",
        attributes: fields! { "GET /orgs/{org}/hooks";
            "url": TEXT, "where events are sent to", "config.url";
            "active": BOOL, "it is switched on", "active";
            "events": TEXTS, "what is sent; * for everything", "events";
            "verifies_certificate": BOOL, "the receiver's certificate is checked", "config.insecure_ssl";
            "has_secret": BOOL, "deliveries are signed", "config.secret";
            "updated_at": TIME, "when it was last changed", "updated_at";
        },
    },
    operation: "orgs/list-webhooks",
    of: Of::Organization,
    path: "hooks?per_page=100",
    items: None,
    key: "id",
    title: "config.url",
    derived: &[Derived { name: "verifies_certificate", read: verifies_certificate }, Derived { name: "has_secret", read: has_secret }],
    unlisted: None,
};

/// `github.repository_webhook`. <https://docs.github.com/en/rest/repos/webhooks#list-repository-webhooks>
pub static REPOSITORY_WEBHOOK: Listing = Listing {
    kind: &Kind {
        name: "github.repository_webhook",
        meaning: "a webhook of a repository that is not archived: where events are sent to",
        permission: "Webhooks: read on all repositories (token: read:repo_hook of an administrator of each)",
        attributes: fields! { "GET /repos/{owner}/{repo}/hooks";
            "repository": TEXT, "owner/name", "owner/name";
            "url": TEXT, "where events are sent to", "config.url";
            "active": BOOL, "it is switched on", "active";
            "events": TEXTS, "what is sent; * for everything", "events";
            "verifies_certificate": BOOL, "the receiver's certificate is checked", "config.insecure_ssl";
            "has_secret": BOOL, "deliveries are signed", "config.secret";
            "last_response": OPTIONAL_INT, "the status with which the receiver last answered; null where nothing was sent yet", "last_response.code";
            "updated_at": TIME, "when it was last changed", "updated_at";
        },
    },
    operation: "repos/list-webhooks",
    of: Of::Repository(Asked::InUse),
    path: "hooks?per_page=100",
    items: None,
    key: "id",
    title: "config.url",
    derived: &[Derived { name: "verifies_certificate", read: verifies_certificate }, Derived { name: "has_secret", read: has_secret }],
    unlisted: None,
};

/// `insecure_ssl` is 0 or 1, as a number or as text.
fn verifies_certificate(hook: &Field<'_>) -> Fact<Value> {
    let insecure = hook.path(&["config", "insecure_ssl"]);
    match insecure.value() {
        Some(value) if *value == "0" || *value == 0 => Ok(true.into()),
        Some(value) if *value == "1" || *value == 1 => Ok(false.into()),
        Some(_) => Err(Gap::new(GapCause::Malformed, "config.insecure_ssl is neither 0 nor 1")),
        None => Err(insecure.gap()),
    }
}

/// GitHub shows asterisks for a secret and leaves it out where there is none.
fn has_secret(hook: &Field<'_>) -> Fact<Value> {
    let config = hook.get("config");
    config.get("url").text()?;
    Ok(config.get("secret").value().is_some().into())
}
