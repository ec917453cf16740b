//! Roles that Google made, as far as they hold what a collector needs: for whoever would rather grant those than make one of their own.
//!
//! Each holds more than the permissions named here; of several that hold one, the one that holds least. What a role holds is Google's to change.
//! <https://cloud.google.com/iam/docs/roles-permissions>, one page a service.

/// A permission, and the narrowest role that holds it.
const HELD: &[(&str, &str)] = &[
    ("apikeys.keys.list", "roles/serviceusage.apiKeysViewer"),
    ("artifactregistry.repositories.getIamPolicy", "roles/iam.securityReviewer"),
    ("artifactregistry.repositories.list", "roles/artifactregistry.reader"),
    ("cloudasset.assets.listAccessPolicy", "roles/cloudasset.viewer"),
    ("cloudasset.assets.listIamPolicy", "roles/cloudasset.viewer"),
    ("cloudasset.assets.listResource", "roles/cloudasset.viewer"),
    ("cloudfunctions.functions.getIamPolicy", "roles/cloudfunctions.viewer"),
    ("cloudfunctions.functions.list", "roles/cloudfunctions.viewer"),
    ("cloudsql.backupRuns.list", "roles/cloudsql.viewer"),
    ("cloudsql.instances.get", "roles/cloudsql.viewer"),
    ("cloudsql.instances.list", "roles/cloudsql.viewer"),
    ("compute.", "roles/compute.viewer"),
    ("container.clusters.list", "roles/container.clusterViewer"),
    ("containeranalysis.occurrences.list", "roles/containeranalysis.occurrences.viewer"),
    ("dns.managedZones.list", "roles/dns.reader"),
    ("dns.policies.list", "roles/dns.reader"),
    ("errorreporting.groups.list", "roles/errorreporting.viewer"),
    ("gkebackup.backupPlans.list", "roles/gkebackup.viewer"),
    ("iam.denypolicies.", "roles/iam.denyReviewer"),
    ("iam.serviceAccountKeys.list", "roles/iam.serviceAccountViewer"),
    ("iam.serviceAccounts.list", "roles/iam.serviceAccountViewer"),
    ("logging.logEntries.list", "roles/logging.viewer"),
    ("monitoring.", "roles/monitoring.viewer"),
    ("policyanalyzer.serviceAccountLastAuthenticationActivities.query", "roles/policyanalyzer.activityAnalysisViewer"),
    ("pubsub.subscriptions.getIamPolicy", "roles/iam.securityReviewer"),
    ("pubsub.subscriptions.list", "roles/pubsub.viewer"),
    ("pubsub.topics.getIamPolicy", "roles/iam.securityReviewer"),
    ("pubsub.topics.list", "roles/pubsub.viewer"),
    ("resourcemanager.folders.getIamPolicy", "roles/iam.securityReviewer"),
    ("resourcemanager.folders.list", "roles/browser"),
    ("resourcemanager.organizations.getIamPolicy", "roles/iam.securityReviewer"),
    ("resourcemanager.projects.get", "roles/browser"),
    ("resourcemanager.projects.getIamPolicy", "roles/browser"),
    ("resourcemanager.projects.list", "roles/browser"),
    ("run.services.getIamPolicy", "roles/run.viewer"),
    ("run.services.list", "roles/run.viewer"),
    ("securitycenter.findings.list", "roles/securitycenter.findingsViewer"),
    ("storage.buckets.getIamPolicy", "roles/iam.securityReviewer"),
    ("storage.buckets.list", "roles/storage.bucketViewer"),
];

/// The narrowest of Google's roles that holds a permission; none where this version knows none.
pub(super) fn holding(permission: &str) -> Option<&'static str> {
    let is_it = |held: &str| held == permission || held.ends_with('.') && permission.starts_with(held);
    HELD.iter().find(|(held, _role)| is_it(held)).map(|(_held, role)| *role)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{HELD, holding};
    use crate::collect::registry::COLLECTORS;

    #[test]
    fn a_role_is_known_for_everything_that_a_kind_needs_and_for_nothing_else() {
        let needed: BTreeSet<&str> = COLLECTORS.iter().flat_map(|collector| collector.needs()).map(|need| need.permission).collect();
        for permission in &needed {
            assert!(holding(permission).is_some(), "{permission}");
        }
        for (held, _role) in HELD {
            assert!(needed.iter().any(|permission| permission.starts_with(held)), "{held} is needed by nothing");
        }
    }
}
