//! What Cloud Monitoring watches and whom it tells: alert policies, channels, uptime checks, snoozes. Measured values are never asked for, and neither addresses of
//! channels nor headers of checks are kept (`model::redaction`).

use serde_json::{Value, json};

use crate::collect::gcp::asset::{Asset, Derived, columns};
use crate::collect::gcp::direct::Direct;
use crate::collect::gcp::fields::{Read, list, text};
use crate::collect::gcp::typed::Absence;
use crate::model::{AttributeType, Gap, GapCause, Kind};

const BOOL: AttributeType = AttributeType::Bool;
const INT: AttributeType = AttributeType::Int;
const TEXT: AttributeType = AttributeType::Text;
const TEXTS: AttributeType = AttributeType::List(&AttributeType::Text);
const MAYBE_TEXT: AttributeType = AttributeType::Optional(&AttributeType::Text);

/// `gcp.alert_policy`. <https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies>
pub static ALERT_POLICY: Asset = Asset {
    kind: &Kind {
        name: "gcp.alert_policy",
        meaning: "A policy of Cloud Monitoring that says when whom to alert",
        permission: "cloudasset.assets.listResource, or monitoring.alertPolicies.list",
        attributes: columns! { "alertPolicies";
            "name": TEXT, "What people call it", "displayName";
            "enabled": BOOL, "True where it alerts", "enabled";
            "channels": TEXTS, "Channels that it tells, e.g. projects/acme-prod/notificationChannels/7", "notificationChannels";
            "conditions": TEXTS, "What it watches: the filter or query of each condition", "conditions[] conditionThreshold.filter";
            "documentation": MAYBE_TEXT, "What whoever is alerted reads; null where there is nothing", "documentation.content";
            "severity": MAYBE_TEXT, "CRITICAL, ERROR or WARNING; null where nobody said", "severity";
        },
    },
    types: &["monitoring.googleapis.com/AlertPolicy"],
    // Whether it is enabled has to be told: "clients should not make any assumption about the state if it has not been populated".
    absences: &[("channels", Absence::NoItems), ("documentation", Absence::Null), ("severity", Absence::Null)],
    derived: &[Derived { name: "conditions", read: |data| Ok(Some(json!(conditions(data)?))) }],
    direct: Some(Direct {
        service: "monitoring",
        operation: "monitoring.projects.alertPolicies.list",
        target: "/v3/projects/{project}/alertPolicies?pageSize=1000",
        entries: "alertPolicies",
        partial: None,
        permission: "monitoring.alertPolicies.list",
        name: "//monitoring.googleapis.com/{name}",
        policy: None,
    }),
};

/// `gcp.notification_channel`. <https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.notificationChannels>
pub static NOTIFICATION_CHANNEL: Asset = Asset {
    kind: &Kind {
        name: "gcp.notification_channel",
        meaning: "A channel by which Cloud Monitoring tells people",
        permission: "cloudasset.assets.listResource, or monitoring.notificationChannels.list",
        attributes: columns! { "notificationChannels";
            "name": MAYBE_TEXT, "What people call it; null where nobody named it", "displayName";
            "type": TEXT, "e.g. email, slack, pagerduty", "type";
            "enabled": BOOL, "True where it passes alerts on", "enabled";
            "verification": TEXT, "VERIFIED, UNVERIFIED, or VERIFICATION_STATUS_UNSPECIFIED where its type knows no verification", "verificationStatus";
        },
    },
    types: &["monitoring.googleapis.com/NotificationChannel"],
    // "the state is unknown, omitted, or is not applicable"
    absences: &[("name", Absence::Null), ("verification", Absence::Text("VERIFICATION_STATUS_UNSPECIFIED"))],
    derived: &[],
    direct: Some(Direct {
        service: "monitoring",
        operation: "monitoring.projects.notificationChannels.list",
        target: "/v3/projects/{project}/notificationChannels?pageSize=1000",
        entries: "notificationChannels",
        partial: None,
        permission: "monitoring.notificationChannels.list",
        name: "//monitoring.googleapis.com/{name}",
        policy: None,
    }),
};

/// `gcp.uptime_check`. <https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.uptimeCheckConfigs>
pub static UPTIME_CHECK: Asset = Asset {
    kind: &Kind {
        name: "gcp.uptime_check",
        meaning: "A check of Cloud Monitoring that asks a service from outside whether it is there",
        permission: "cloudasset.assets.listResource, or monitoring.uptimeCheckConfigs.list",
        attributes: columns! { "uptimeCheckConfigs";
            "name": TEXT, "What people call it", "displayName";
            "host": MAYBE_TEXT, "The host that it asks; null where it asks something else than a host", "monitoredResource.labels.host";
            "path": MAYBE_TEXT, "The path that it asks for; null where that is / or it speaks no HTTP", "httpCheck.path";
            "tls": BOOL, "True where it asks by HTTPS", "httpCheck.useSsl";
            "validates_certificate": BOOL, "True where a bad certificate is a failure", "httpCheck.validateSsl";
            "disabled": BOOL, "True where it does not ask", "disabled";
            "period_seconds": INT, "How often it asks, in seconds", "period";
            "regions": TEXTS, "Regions that it asks from; none where from all", "selectedRegions";
        },
    },
    types: &["monitoring.googleapis.com/UptimeCheckConfig"],
    absences: &[
        ("host", Absence::Null),
        ("path", Absence::Null),
        ("tls", Absence::False),
        ("validates_certificate", Absence::False),
        ("disabled", Absence::False),
        // "Not specifying this field will result in Uptime checks running from all available regions."
        ("regions", Absence::NoItems),
    ],
    derived: &[Derived { name: "period_seconds", read: |data| Ok(seconds(data, "period")?.map(Value::from)) }],
    direct: Some(Direct {
        service: "monitoring",
        operation: "monitoring.projects.uptimeCheckConfigs.list",
        target: "/v3/projects/{project}/uptimeCheckConfigs?pageSize=100",
        entries: "uptimeCheckConfigs",
        partial: None,
        permission: "monitoring.uptimeCheckConfigs.list",
        name: "//monitoring.googleapis.com/{name}",
        policy: None,
    }),
};

/// `gcp.snooze`. <https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.snoozes>
pub static SNOOZE: Asset = Asset {
    kind: &Kind {
        name: "gcp.snooze",
        meaning: "A time in which alert policies stay silent",
        permission: "cloudasset.assets.listResource, or monitoring.snoozes.list",
        attributes: columns! { "snoozes";
            "name": TEXT, "What people call it", "displayName";
            "starts_at": AttributeType::Time, "When it begins", "interval.startTime";
            "ends_at": AttributeType::Time, "When it ends", "interval.endTime";
            "policies": TEXTS, "Alert policies that it silences, e.g. projects/acme-prod/alertPolicies/7", "criteria.policies";
        },
    },
    types: &["monitoring.googleapis.com/Snooze"],
    absences: &[("policies", Absence::NoItems)],
    derived: &[],
    direct: Some(Direct {
        service: "monitoring",
        operation: "monitoring.projects.snoozes.list",
        target: "/v3/projects/{project}/snoozes?pageSize=1000",
        entries: "snoozes",
        partial: None,
        permission: "monitoring.snoozes.list",
        name: "//monitoring.googleapis.com/{name}",
        policy: None,
    }),
};

/// The filter or query of each condition, whatever its type.
pub(in crate::collect::gcp) fn conditions(policy: &Value) -> Result<Vec<String>, Gap> {
    const WRITTEN: [&str; 6] = [
        "conditionThreshold/filter",
        "conditionAbsent/filter",
        "conditionMatchedLog/filter",
        "conditionMonitoringQueryLanguage/query",
        "conditionPrometheusQueryLanguage/query",
        "conditionSql/query",
    ];
    let conditions = list(policy, "conditions")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "the source left out the conditions of an alert policy"))?;
    let written = |condition: &Value| {
        let found = WRITTEN.iter().find_map(|path| text(condition, path).transpose());
        found.unwrap_or_else(|| Err(Gap::new(GapCause::LeftOut, "a condition of an alert policy has neither a filter nor a query"))).map(str::to_owned)
    };
    conditions.iter().map(written).collect()
}

/// A duration in whole seconds, e.g. `60s`. <https://protobuf.dev/reference/protobuf/google.protobuf/#duration>
pub(in crate::collect::gcp) fn seconds(data: &Value, field: &str) -> Read<i64> {
    let whole = |written: &str| written.strip_suffix('s').and_then(|number| number.parse().ok());
    text(data, field)?
        .map(|written| whole(written).ok_or_else(|| Gap::new(GapCause::Malformed, format!("the field {field} is not a number of seconds"))))
        .transpose()
}
