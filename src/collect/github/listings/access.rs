//! Who and what has access besides members: installed Apps, webhooks, deploy keys.

use serde_json::Value;

use crate::collect::github::answer::{Fact, Field};
use crate::collect::github::listing::{Derived, Listing, Of, Unlisted, fields};
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
    unlisted: None,
};

/// `github.outside_collaborator`. <https://docs.github.com/en/rest/orgs/outside-collaborators#list-outside-collaborators-for-an-organization>
pub static OUTSIDE_COLLABORATOR: Listing = Listing {
    kind: &Kind {
        name: "github.outside_collaborator",
        meaning: "somebody who has access to repositories of an organisation without being a member",
        permission: "Members: read, by an owner (token: admin:org of an owner)",
        attributes: fields! { "GET /orgs/{org}/outside_collaborators";
            "login": TEXT, "the name of the account", "login";
            "type": TEXT, "User or Bot", "type";
            "has_two_factor": BOOL, "the account has a second factor: the listing with filter=2fa_disabled does not hold it", "(filter=2fa_disabled)";
        },
    },
    operation: "orgs/list-outside-collaborators",
    of: Of::Organization,
    path: "outside_collaborators?per_page=100",
    items: None,
    key: "login",
    title: "login",
    derived: &[],
    unlisted: Some(Unlisted { name: "has_two_factor", query: "filter=2fa_disabled" }),
};

/// `github.pat_grant`. <https://docs.github.com/en/rest/orgs/personal-access-tokens#list-fine-grained-personal-access-tokens-with-access-to-organization-resources>
pub static PAT_GRANT: Listing = Listing {
    kind: &Kind {
        name: "github.pat_grant",
        meaning: "a fine-grained personal access token that may act on an organisation",
        permission: "Personal access tokens: read on the organisation, as a GitHub App; GitHub answers no token here",
        attributes: fields! { "GET /orgs/{org}/personal-access-tokens";
            "owner": TEXT, "whose it is", "owner.login";
            "repository_selection": TEXT, "none, all or subset", "repository_selection";
            "permissions": AttributeType::Map(&PERMISSIONS), "what it may do, by what it is about and by permission", "permissions";
            "granted_at": TIME, "when access was granted", "access_granted_at";
            "expired": BOOL, "it has expired", "token_expired";
            "expires_at": OPTIONAL_TIME, "when it expires; null where it never does", "token_expires_at";
            "last_used_at": OPTIONAL_TIME, "when it was last used; null where it never was", "token_last_used_at";
        },
    },
    operation: "orgs/list-pat-grants",
    of: Of::Organization,
    path: "personal-access-tokens?per_page=100",
    items: None,
    key: "id",
    title: "token_name",
    derived: &[],
    unlisted: None,
};

const PERMISSIONS: AttributeType = AttributeType::Map(&AttributeType::Text);

/// `github.organization_secret`: names and dates, never values. <https://docs.github.com/en/rest/actions/secrets#list-organization-secrets>
pub static ORGANIZATION_SECRET: Listing = Listing {
    kind: &Kind {
        name: "github.organization_secret",
        meaning: "a secret for the workflows of an organisation's repositories: its name and age, never its value",
        permission: "Secrets: read on the organisation (token: admin:org of an owner)",
        attributes: fields! { "GET /orgs/{org}/actions/secrets";
            "name": TEXT, "what it is called", "name";
            "visibility": TEXT, "which repositories may use it: all, private or selected", "visibility";
            "created_at": TIME, "when it was first set", "created_at";
            "updated_at": TIME, "when it was last set", "updated_at";
        },
    },
    operation: "actions/list-org-secrets",
    of: Of::Organization,
    path: "actions/secrets?per_page=100",
    items: Some("secrets"),
    key: "name",
    title: "name",
    derived: &[],
    unlisted: None,
};

/// `github.organization_dependabot_secret`. <https://docs.github.com/en/rest/dependabot/secrets#list-organization-secrets>
pub static ORGANIZATION_DEPENDABOT_SECRET: Listing = Listing {
    kind: &Kind {
        name: "github.organization_dependabot_secret",
        meaning: "a secret that Dependabot may use in an organisation's repositories: its name and age, never its value",
        permission: "Dependabot secrets: read on the organisation (token: admin:org of an owner)",
        attributes: fields! { "GET /orgs/{org}/dependabot/secrets";
            "name": TEXT, "what it is called", "name";
            "visibility": TEXT, "which repositories may use it: all, private or selected", "visibility";
            "created_at": TIME, "when it was first set", "created_at";
            "updated_at": TIME, "when it was last set", "updated_at";
        },
    },
    operation: "dependabot/list-org-secrets",
    of: Of::Organization,
    path: "dependabot/secrets?per_page=100",
    items: Some("secrets"),
    key: "name",
    title: "name",
    derived: &[],
    unlisted: None,
};

/// `github.runner_group`. <https://docs.github.com/en/rest/actions/self-hosted-runner-groups#list-self-hosted-runner-groups-for-an-organization>
pub static RUNNER_GROUP: Listing = Listing {
    kind: &Kind {
        name: "github.runner_group",
        meaning: "a group of self-hosted runners, with who may use it",
        permission: "Self-hosted runners: read on the organisation (token: admin:org of an owner)",
        attributes: fields! { "GET /orgs/{org}/actions/runner-groups";
            "name": TEXT, "what it is called", "name";
            "visibility": TEXT, "which repositories may use it: all, private or selected", "visibility";
            "is_default": BOOL, "it is the one that runners join by themselves", "default";
            "allows_public_repositories": BOOL, "public repositories may use it", "allows_public_repositories";
            "restricted_to_workflows": BOOL, "only listed workflows may use it", "restricted_to_workflows";
            "inherited": BOOL, "it is the enterprise's", "inherited";
        },
    },
    operation: "actions/list-self-hosted-runner-groups-for-org",
    of: Of::Organization,
    path: "actions/runner-groups?per_page=100",
    items: Some("runner_groups"),
    key: "id",
    title: "name",
    derived: &[],
    unlisted: None,
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
    unlisted: None,
};
