//! Who and what has access besides members: installed Apps, tokens, outside collaborators, runners, deploy keys.

use crate::collect::github::listing::{Asked, Listing, Of, Unlisted, fields};
use crate::model::{AttributeType, Kind};

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

/// `github.credential_authorization`. The last characters of tokens and the fingerprints of keys are taken out of the answers before they are kept.
/// <https://docs.github.com/en/enterprise-cloud@latest/rest/orgs/orgs#list-saml-sso-authorizations-for-an-organization>
pub static CREDENTIAL_AUTHORIZATION: Listing = Listing {
    kind: &Kind {
        name: "github.credential_authorization",
        meaning: "a token or key of a member that was let into an organisation with single sign-on",
        permission: "an organisation of GitHub Enterprise Cloud with SAML single sign-on, and a credential of an owner (App: Administration: read on the organisation; token: read:org)",
        attributes: fields! { "GET /orgs/{org}/credential-authorizations";
            "login": TEXT, "whose it is", "login";
            "type": TEXT, "personal access token (classic), SSH key, OAuth app token or GitHub app token", "credential_type";
            "scopes": TEXTS, "what a token may do; unknown for a key", "scopes";
            "authorized_at": TIME, "when it was let in", "credential_authorized_at";
            "accessed_at": OPTIONAL_TIME, "when it was last used; null where it never was", "credential_accessed_at";
            "expires_at": OPTIONAL_TIME, "when the token expires; null where it never does, unknown for a key", "authorized_credential_expires_at";
        },
    },
    operation: "orgs/list-saml-sso-authorizations",
    of: Of::Organization,
    path: "credential-authorizations?per_page=100",
    items: None,
    key: "credential_id",
    title: "credential_id",
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
    of: Of::Repository(Asked::Counted("deployKeys")),
    path: "keys?per_page=100",
    items: None,
    key: "id",
    title: "title",
    derived: &[],
    unlisted: None,
};
