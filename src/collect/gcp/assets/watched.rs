//! Each project with what watches over it: where its logs are sent to, what is counted in them, what alerts, what asks whether it is there. One control can so ask for
//! all of it in every project, where lists of sinks and policies alone would not tell of the project that has none.

use crate::collect::gcp::asset::{Asset, columns};
use crate::model::{AttributeDecl, AttributeType, Kind};

const BOOL: AttributeType = AttributeType::Bool;
const INT: AttributeType = AttributeType::Int;
const TEXT: AttributeType = AttributeType::Text;

const fn member(name: &'static str, ty: AttributeType, meaning: &'static str, vendor: &'static str) -> AttributeDecl {
    AttributeDecl { name, ty, meaning, vendor }
}

const EXPORT: &[AttributeDecl] = &[
    member("name", TEXT, "Name of the sink", "name"),
    member("of", TEXT, "Whose sink it is, e.g. organizations/1", "resourceName"),
    member("destination", TEXT, "Where the logs go, e.g. storage.googleapis.com/acme-logs", "destination"),
    member("filter", TEXT, "Which entries go there; empty where all do", "filter"),
    member("disabled", BOOL, "True where none do", "disabled"),
    member("exclusions", INT, "How many exclusions in force keep entries out", "exclusions"),
];

const METRIC: &[AttributeDecl] = &[
    member("name", TEXT, "Its name in the project", "name"),
    member("filter", TEXT, "Which entries it counts", "filter"),
    member("disabled", BOOL, "True where it counts none", "disabled"),
];

const ALERT: &[AttributeDecl] = &[
    member("name", TEXT, "What people call it", "displayName"),
    member("enabled", BOOL, "True where it alerts", "enabled"),
    member("channels", INT, "How many channels it tells", "notificationChannels"),
    member("conditions", AttributeType::List(&TEXT), "The filter or query of each condition", "conditions"),
];

const CHECK: &[AttributeDecl] = &[
    member("name", TEXT, "What people call it", "displayName"),
    member("disabled", BOOL, "True where it does not ask", "disabled"),
    member("period_seconds", INT, "How often it asks, in seconds", "period"),
    member("regions", INT, "From how many regions; 0 where from all", "selectedRegions"),
];

/// `gcp.watched_project`.
pub static WATCHED_PROJECT: Asset = Asset {
    kind: &Kind {
        name: "gcp.watched_project",
        meaning: "A project, with what tells people when something happens in it",
        permission: "cloudasset.assets.listResource",
        attributes: columns! { "assets.list";
            "log_exports": AttributeType::List(&AttributeType::Record(EXPORT)), "Its sinks, and those of its folders and organisation that take its logs too", "logging.googleapis.com/LogSink";
            "log_metrics": AttributeType::List(&AttributeType::Record(METRIC)), "What is counted in its logs", "logging.googleapis.com/LogMetric";
            "alerts": AttributeType::List(&AttributeType::Record(ALERT)), "Its alert policies", "monitoring.googleapis.com/AlertPolicy";
            "uptime_checks": AttributeType::List(&AttributeType::Record(CHECK)), "Its uptime checks", "monitoring.googleapis.com/UptimeCheckConfig";
        },
    },
    types: &["cloudresourcemanager.googleapis.com/Project"],
    absences: &[],
    derived: &[],
    direct: None,
};
