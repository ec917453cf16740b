//! One line per kind. Nothing else in the program lists them.

use std::sync::LazyLock;

use crate::collect::Collector;
use crate::collect::gcp;
use crate::collect::github;
use crate::model::Kind;

/// Every kind that can be collected, by name.
pub static COLLECTORS: &[&dyn Collector] = &[
    &gcp::assets::ALERT_POLICY,
    &gcp::assets::ALLOYDB_CLUSTER,
    &gcp::assets::API_KEY,
    &gcp::assets::ARTIFACT_REPOSITORY,
    &gcp::AuditConfig,
    &gcp::assets::BACKEND_SERVICE,
    &gcp::assets::BACKUP_PLAN,
    &gcp::assets::BIGQUERY_DATASET,
    &gcp::assets::BIGQUERY_TABLE,
    &gcp::assets::BUCKET,
    &gcp::assets::CLOUD_FUNCTION,
    &gcp::assets::COMPUTE_PROJECT,
    &gcp::assets::DATAPROC_CLUSTER,
    &gcp::assets::DISK,
    &gcp::assets::DNS_POLICY,
    &gcp::assets::DNS_ZONE,
    &gcp::assets::ERROR_GROUP,
    &gcp::assets::FIREWALL_RULE,
    &gcp::assets::GKE_CLUSTER,
    &gcp::Group,
    &gcp::GroupMembership,
    &gcp::assets::HTTPS_PROXY,
    &gcp::IamBinding,
    &gcp::assets::IDENTITY_PROVIDER,
    &gcp::assets::IMAGE,
    &gcp::assets::IMAGE_VULNERABILITY,
    &gcp::assets::INSTANCE,
    &gcp::assets::INSTANCE_GROUP,
    &gcp::assets::KMS_KEY,
    &gcp::assets::KMS_KEY_VERSION,
    &gcp::assets::LOG_BUCKET,
    &gcp::MonitoredProject,
    &gcp::assets::NETWORK,
    &gcp::assets::NOTIFICATION_CHANNEL,
    &gcp::Principal,
    &gcp::Project,
    &gcp::assets::PUBSUB_SUBSCRIPTION,
    &gcp::assets::PUBSUB_TOPIC,
    &gcp::assets::REDIS_INSTANCE,
    &gcp::assets::RESTORE,
    &gcp::assets::RUN_SERVICE,
    &gcp::assets::SECRET,
    &gcp::assets::SECRET_VERSION,
    &gcp::SecurityFinding,
    &gcp::assets::SERVICE_ACCOUNT,
    &gcp::ServiceAccountKey,
    &gcp::assets::SERVICE_ACCOUNT_USE,
    &gcp::Slo,
    &gcp::assets::SNAPSHOT,
    &gcp::assets::SNOOZE,
    &gcp::assets::SQL_BACKUP,
    &gcp::assets::SQL_INSTANCE,
    &gcp::assets::SQL_RESTORE,
    &gcp::assets::SSL_POLICY,
    &gcp::assets::SSL_PROXY,
    &gcp::assets::SUBNETWORK,
    &gcp::assets::UPTIME_CHECK,
    &gcp::assets::WATCHED_PROJECT,
    &github::listings::APP_INSTALLATION,
    &github::audit_event::AuditEvent,
    &github::audit_log::AuditLog,
    &github::branch::Branch,
    &github::branch_activity::BranchActivity,
    &github::change::Change,
    &github::listings::CODE_SCANNING_ALERT,
    &github::collaborator::Collaborator,
    &github::listings::CREDENTIAL_AUTHORIZATION,
    &github::listings::DEPENDABOT_ALERT,
    &github::listings::DEPLOY_KEY,
    &github::deployment::Deployment,
    &github::discussion::Discussion,
    &github::listings::ENVIRONMENT,
    &github::listings::ENVIRONMENT_SECRET,
    &github::listings::ENVIRONMENT_VARIABLE,
    &github::issue::Issue,
    &github::known_repository::KnownRepository,
    &github::member_activity::MemberActivity,
    &github::milestone::Milestone,
    &github::org_role_assignment::OrgRoleAssignment,
    &github::organization::Organization,
    &github::listings::ORGANIZATION_DEPENDABOT_SECRET,
    &github::organization_member::OrganizationMember,
    &github::listings::ORGANIZATION_SECRET,
    &github::listings::ORGANIZATION_VARIABLE,
    &github::listings::ORGANIZATION_WEBHOOK,
    &github::listings::OUTSIDE_COLLABORATOR,
    &github::listings::PAT_GRANT,
    &github::project::Project,
    &github::project_item::ProjectItem,
    &github::pull_request::PullRequest,
    &github::listings::RELEASE,
    &github::repository::Repository,
    &github::repository_actions::RepositoryActions,
    &github::listings::REPOSITORY_DEPENDABOT_SECRET,
    &github::repository_files::RepositoryFiles,
    &github::listings::REPOSITORY_SECRET,
    &github::repository_security::RepositorySecurity,
    &github::repository_team::RepositoryTeam,
    &github::listings::REPOSITORY_VARIABLE,
    &github::listings::REPOSITORY_WEBHOOK,
    &github::reviewed_access::ReviewedAccess,
    &github::ruleset::Ruleset,
    &github::listings::RUNNER_GROUP,
    &github::listings::SECRET_ALERT,
    &github::team::Team,
    &github::team_member::TeamMember,
    &github::workflow::Workflow,
    &github::workflow_run::WorkflowRun,
];

static KINDS: LazyLock<Vec<&'static Kind>> = LazyLock::new(|| COLLECTORS.iter().map(|collector| collector.kind()).collect());

/// What every registered kind promises, by name.
#[must_use]
pub fn kinds() -> &'static [&'static Kind] {
    &KINDS
}

/// The collector of a kind.
#[must_use]
pub fn find(kind: &str) -> Option<&'static dyn Collector> {
    COLLECTORS.iter().copied().find(|collector| collector.kind().name == kind)
}
