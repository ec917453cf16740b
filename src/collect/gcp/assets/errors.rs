//! Errors of programs that run, as Error Reporting groups them.

use serde_json::{Value, json};

use crate::collect::gcp::asset::{Asset, Derived, columns};
use crate::collect::gcp::direct::Direct;
use crate::collect::gcp::fields::{Read, list, text};
use crate::collect::gcp::listed::Listed;
use crate::collect::gcp::typed::Absence;
use crate::model::{AttributeType, Gap, GapCause, Kind};

const TEXT: AttributeType = AttributeType::Text;
const TIME: AttributeType = AttributeType::Time;

/// `gcp.error_group`. <https://cloud.google.com/error-reporting/reference/rest/v1beta1/projects.groupStats/list>
///
/// The events themselves are not asked for: their messages hold what programs wrote.
pub static ERROR_GROUP: Listed = Listed(Asset {
    kind: &Kind {
        name: "gcp.error_group",
        meaning: "A group of errors of programs that happened in the last thirty days",
        permission: "cloudasset.assets.listResource, and errorreporting.groups.list",
        attributes: columns! { "groupStats.list";
            "group": TEXT, "Its id in the project", "group.groupId";
            "status": TEXT, "OPEN, ACKNOWLEDGED, RESOLVED or MUTED", "group.resolutionStatus";
            "tracking_issues": AttributeType::List(&AttributeType::Text), "Addresses of the issues that it is followed in", "group.trackingIssues[].url";
            "first_seen": TIME, "When it first happened, about", "firstSeenTime";
            "last_seen": TIME, "When it last happened, about", "lastSeenTime";
        },
    },
    types: &[
        "appengine.googleapis.com/Service",
        "cloudfunctions.googleapis.com/CloudFunction",
        "cloudfunctions.googleapis.com/Function",
        "compute.googleapis.com/Instance",
        "container.googleapis.com/Cluster",
        "run.googleapis.com/Service",
    ],
    // "An unspecified resolution status will be interpreted as OPEN"
    absences: &[("status", Absence::Text("OPEN"))],
    derived: &[Derived { name: "tracking_issues", read: tracking_issues }],
    direct: Some(Direct {
        service: "clouderrorreporting",
        operation: "clouderrorreporting.projects.groupStats.list",
        target: "/v1beta1/projects/{project}/groupStats?timeRange.period=PERIOD_30_DAYS&pageSize=100&fields=errorGroupStats(group,firstSeenTime,lastSeenTime),nextPageToken",
        entries: "errorGroupStats",
        partial: None,
        permission: "errorreporting.groups.list",
        name: "//clouderrorreporting.googleapis.com/{group/name}",
        policy: None,
    }),
});

fn tracking_issues(data: &Value) -> Read<Value> {
    let url = |issue| text(issue, "url")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "an issue of a group of errors has no address"));
    let issues = list(data, "group/trackingIssues")?.unwrap_or_default();
    Ok(Some(json!(issues.iter().map(url).collect::<Result<Vec<_>, Gap>>()?)))
}
