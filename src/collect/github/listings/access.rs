//! Who and what has access besides members: installed Apps, webhooks, deploy keys.

use serde_json::Value;

use crate::collect::github::answer::{Fact, Field};
use crate::collect::github::listing::{Derived, Listing, Of, fields};
use crate::model::{AttributeType, Gap, GapCause, Kind};

const BOOL: AttributeType = AttributeType::Bool;
const TEXT: AttributeType = AttributeType::Text;
const TEXTS: AttributeType = AttributeType::List(&AttributeType::Text);
const TIME: AttributeType = AttributeType::Time;
const OPTIONAL_TIME: AttributeType = AttributeType::Optional(&AttributeType::Time);

/// `github.app_installation`. <https://docs.github.com/en/rest/orgs/orgs#list-app-installations-for-an-organization>
pub static APP_INSTALLATION: Listing = Listing {
    kind: &Kind {
        name: "github.app_installation",
        meaning: "a GitHub App installed in an organisation, with what it may do",
        permission: "Administration: read on the organisation (token: admin:org of an owner)",
        attributes: fields! { "GET /orgs/{org}/installations";
            "app": TEXT, "the App's name in URLs", "app_slug";
            "repository_selection": TEXT, "all or selected", "repository_selection";
            "permissions": AttributeType::Map(&AttributeType::Text), "what it may do: read, write or admin, by permission", "permissions";
            "events": TEXTS, "what it is told of", "events";
            "created_at": TIME, "when it was installed", "created_at";
            "suspended_at": OPTIONAL_TIME, "since when it may do nothing; null where it may", "suspended_at";
        },
    },
    operation: "orgs/list-app-installations",
    of: Of::Organization,
    path: "installations?per_page=100",
    items: Some("installations"),
    key: "id",
    title: "app_slug",
    derived: &[],
};

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

/// `github.deploy_key`. <https://docs.github.com/en/rest/deploy-keys/deploy-keys#list-deploy-keys>
pub static DEPLOY_KEY: Listing = Listing {
    kind: &Kind {
        name: "github.deploy_key",
        meaning: "a key that gives a machine access to one repository",
        permission: "Administration: read on all repositories (token: repo of an owner)",
        attributes: fields! { "GET /repos/{owner}/{repo}/keys";
            "repository": TEXT, "owner/name", "owner/name";
            "title": TEXT, "what it is called", "title";
            "read_only": BOOL, "it may not push", "read_only";
            "created_at": TIME, "when it was added", "created_at";
            "last_used": OPTIONAL_TIME, "when it was last used; null where it never was", "last_used";
            "added_by": AttributeType::Optional(&TEXT), "who added it; null where the account is gone", "added_by";
        },
    },
    operation: "repos/list-deploy-keys",
    of: Of::Repository { counted: "deployKeys" },
    path: "keys?per_page=100",
    items: None,
    key: "id",
    title: "title",
    derived: &[],
};
