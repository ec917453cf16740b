//! Each project with what watches over it: where its logs are sent to, what is counted in them, what alerts, what asks whether it is there, whom Google tells. One control can so ask for
//! all of it in every project, where lists of sinks and policies alone would not tell of the project that has none.

use crate::collect::gcp::asset::{Asset, columns};
use crate::model::{AttributeDecl, AttributeType, Kind, attribute};

const BOOL: AttributeType = AttributeType::Bool;
const INT: AttributeType = AttributeType::Int;
const TEXT: AttributeType = AttributeType::Text;

const EXPORT: &[AttributeDecl] = &[
    attribute("name", TEXT, "Name of the sink", "name"),
    attribute("of", TEXT, "Whose sink it is, e.g. organizations/1", "resourceName"),
    attribute("destination", TEXT, "Where the logs go, e.g. storage.googleapis.com/acme-logs", "destination"),
    attribute("filter", TEXT, "Which entries go there; empty where all do", "filter"),
    attribute("disabled", BOOL, "True where none do", "disabled"),
    attribute("exclusions", INT, "How many exclusions in force keep entries out", "exclusions"),
];

const METRIC: &[AttributeDecl] = &[
    attribute("name", TEXT, "Its name in the project", "name"),
    attribute("filter", TEXT, "Which entries it counts", "filter"),
    attribute("disabled", BOOL, "True where it counts none", "disabled"),
];

const ALERT: &[AttributeDecl] = &[
    attribute("name", TEXT, "What people call it", "displayName"),
    attribute("enabled", BOOL, "True where it alerts", "enabled"),
    attribute("channels", INT, "How many channels it tells", "notificationChannels"),
    attribute("conditions", AttributeType::List(&TEXT), "The filter or query of each condition", "conditions"),
];

const CHECK: &[AttributeDecl] = &[
    attribute("name", TEXT, "What people call it", "displayName"),
    attribute("disabled", BOOL, "True where it does not ask", "disabled"),
    attribute("period_seconds", INT, "How often it asks, in seconds", "period"),
    attribute("regions", INT, "From how many regions; 0 where from all", "selectedRegions"),
];

const CONTACT: &[AttributeDecl] = &[
    attribute("of", TEXT, "Whose contact it is, e.g. organizations/1", "name"),
    attribute("categories", AttributeType::List(&TEXT), "Of what Google tells it, e.g. SECURITY or ALL", "notificationCategorySubscriptions"),
    attribute("valid", BOOL, "True where somebody confirmed that mail arrives there", "validationState"),
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
            "contacts": AttributeType::List(&AttributeType::Record(CONTACT)), "Whom Google tells of it, those of its folders and organisation included", "essentialcontacts.googleapis.com/Contact";
            "constraints": AttributeType::List(&TEXT), "Organisation policies in force without a condition, e.g. iam.disableServiceAccountKeyCreation", "orgpolicy.googleapis.com/Policy";
            "access_approval": AttributeType::List(&TEXT), "Products that Google's people need leave for, as the project or what is above it enrols them; all, or names", "accessapproval.googleapis.com/AccessApprovalSettings";
            "apis": AttributeType::List(&TEXT), "Services that are switched on, e.g. compute.googleapis.com", "serviceusage.googleapis.com/Service";
        },
    },
    types: &["cloudresourcemanager.googleapis.com/Project"],
    absences: &[],
    derived: &[],
    direct: None,
};
