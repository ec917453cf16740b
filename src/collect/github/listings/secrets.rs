//! Secrets and variables, by name and age. GitHub shows no value of a secret, but those of variables: they are taken out before anything is kept (the rule `variable`).

use crate::collect::github::listing::{Asked, Listing, Of, fields};
use crate::model::{AttributeType, Kind};

const TEXT: AttributeType = AttributeType::Text;
const TIME: AttributeType = AttributeType::Time;

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

/// `github.repository_secret`. <https://docs.github.com/en/rest/actions/secrets#list-repository-secrets>
pub static REPOSITORY_SECRET: Listing = Listing {
    kind: &Kind {
        name: "github.repository_secret",
        meaning: "a secret for the workflows of a repository that is not archived and has some: its name and age, never its value",
        permission: "Secrets: read on all repositories (token: repo of a collaborator of each)",
        attributes: fields! { "GET /repos/{owner}/{repo}/actions/secrets";
            "repository": TEXT, "owner/name", "owner/name";
            "name": TEXT, "what it is called", "name";
            "created_at": TIME, "when it was first set", "created_at";
            "updated_at": TIME, "when it was last set", "updated_at";
        },
    },
    operation: "actions/list-repo-secrets",
    of: Of::Repository(Asked::WithWorkflows),
    path: "actions/secrets?per_page=100",
    items: Some("secrets"),
    key: "name",
    title: "name",
    derived: &[],
    unlisted: None,
};

/// `github.repository_dependabot_secret`. <https://docs.github.com/en/rest/dependabot/secrets#list-repository-secrets>
pub static REPOSITORY_DEPENDABOT_SECRET: Listing = Listing {
    kind: &Kind {
        name: "github.repository_dependabot_secret",
        meaning: "a secret that Dependabot may use in a repository that is not archived and configures Dependabot: its name and age, never its value",
        permission: "Dependabot secrets: read on all repositories (token: repo of a collaborator of each)",
        attributes: fields! { "GET /repos/{owner}/{repo}/dependabot/secrets";
            "repository": TEXT, "owner/name", "owner/name";
            "name": TEXT, "what it is called", "name";
            "created_at": TIME, "when it was first set", "created_at";
            "updated_at": TIME, "when it was last set", "updated_at";
        },
    },
    operation: "dependabot/list-repo-secrets",
    of: Of::Repository(Asked::WithDependabot),
    path: "dependabot/secrets?per_page=100",
    items: Some("secrets"),
    key: "name",
    title: "name",
    derived: &[],
    unlisted: None,
};

/// `github.environment_secret`. <https://docs.github.com/en/rest/actions/secrets#list-environment-secrets>
pub static ENVIRONMENT_SECRET: Listing = Listing {
    kind: &Kind {
        name: "github.environment_secret",
        meaning: "a secret for deployments to an environment of a repository that is not archived: its name and age, never its value",
        permission: "Environments: read on all repositories (token: repo of a collaborator of each)",
        attributes: fields! { "GET /repos/{owner}/{repo}/environments/{environment_name}/secrets";
            "repository": TEXT, "owner/name", "owner/name";
            "environment": TEXT, "the environment", "environment_name";
            "name": TEXT, "what it is called", "name";
            "created_at": TIME, "when it was first set", "created_at";
            "updated_at": TIME, "when it was last set", "updated_at";
        },
    },
    operation: "actions/list-environment-secrets",
    of: Of::Repository(Asked::Environments),
    path: "secrets?per_page=100",
    items: Some("secrets"),
    key: "name",
    title: "name",
    derived: &[],
    unlisted: None,
};

/// `github.organization_variable`. <https://docs.github.com/en/rest/actions/variables#list-organization-variables>
pub static ORGANIZATION_VARIABLE: Listing = Listing {
    kind: &Kind {
        name: "github.organization_variable",
        meaning: "a variable for the workflows of an organisation's repositories: its name and age, never its value",
        permission: "Variables: read on the organisation (token: admin:org of an owner)",
        attributes: fields! { "GET /orgs/{org}/actions/variables";
            "name": TEXT, "what it is called", "name";
            "visibility": TEXT, "which repositories may use it: all, private or selected", "visibility";
            "created_at": TIME, "when it was first set", "created_at";
            "updated_at": TIME, "when it was last set", "updated_at";
        },
    },
    operation: "actions/list-org-variables",
    of: Of::Organization,
    path: "actions/variables?per_page=30",
    items: Some("variables"),
    key: "name",
    title: "name",
    derived: &[],
    unlisted: None,
};

/// `github.repository_variable`. <https://docs.github.com/en/rest/actions/variables#list-repository-variables>
pub static REPOSITORY_VARIABLE: Listing = Listing {
    kind: &Kind {
        name: "github.repository_variable",
        meaning: "a variable for the workflows of a repository that is not archived and has some: its name and age, never its value",
        permission: "Variables: read on all repositories (token: repo of a collaborator of each)",
        attributes: fields! { "GET /repos/{owner}/{repo}/actions/variables";
            "repository": TEXT, "owner/name", "owner/name";
            "name": TEXT, "what it is called", "name";
            "created_at": TIME, "when it was first set", "created_at";
            "updated_at": TIME, "when it was last set", "updated_at";
        },
    },
    operation: "actions/list-repo-variables",
    of: Of::Repository(Asked::WithWorkflows),
    path: "actions/variables?per_page=30",
    items: Some("variables"),
    key: "name",
    title: "name",
    derived: &[],
    unlisted: None,
};

/// `github.environment_variable`. <https://docs.github.com/en/rest/actions/variables#list-environment-variables>
pub static ENVIRONMENT_VARIABLE: Listing = Listing {
    kind: &Kind {
        name: "github.environment_variable",
        meaning: "a variable for deployments to an environment of a repository that is not archived: its name and age, never its value",
        permission: "Environments: read on all repositories (token: repo of a collaborator of each)",
        attributes: fields! { "GET /repos/{owner}/{repo}/environments/{environment_name}/variables";
            "repository": TEXT, "owner/name", "owner/name";
            "environment": TEXT, "the environment", "environment_name";
            "name": TEXT, "what it is called", "name";
            "created_at": TIME, "when it was first set", "created_at";
            "updated_at": TIME, "when it was last set", "updated_at";
        },
    },
    operation: "actions/list-environment-variables",
    of: Of::Repository(Asked::Environments),
    path: "variables?per_page=30",
    items: Some("variables"),
    key: "name",
    title: "name",
    derived: &[],
    unlisted: None,
};
