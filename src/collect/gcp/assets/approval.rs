//! Whether Google's own people need leave to look into a project.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::collect::gcp::asset::{Asset, Derived, columns};
use crate::collect::gcp::direct::Direct;
use crate::collect::gcp::fields::{Read, list, text};
use crate::collect::gcp::listed::Listed;
use crate::model::{AttributeType, Gap, GapCause, Kind};

/// `gcp.access_approval`. <https://cloud.google.com/assured-workloads/access-approval/docs/reference/rest/v1/AccessApprovalSettings>
pub static ACCESS_APPROVAL: Listed = Listed(Asset {
    kind: &Kind {
        name: "gcp.access_approval",
        meaning: "Access Approval in a project",
        permission: "accessapproval.settings.get",
        attributes: columns! { "getAccessApprovalSettings";
            "products": AttributeType::List(&AttributeType::Text), "Products that Google's people need leave for, by the project or by what is above it; all, or names", "enrolledServices[].cloudProduct";
        },
    },
    types: &["cloudresourcemanager.googleapis.com/Project"],
    absences: &[],
    derived: &[Derived { name: "products", read: products }],
    direct: Some(Direct {
        service: "accessapproval",
        operation: "accessapproval.projects.getAccessApprovalSettings",
        target: "/v1/projects/{project}/accessApprovalSettings?alt=json",
        entries: "",
        partial: None,
        permission: "accessapproval.settings.get",
        name: "//accessapproval.googleapis.com/projects/{project}/accessApprovalSettings",
        policy: None,
    }),
});

/// Where nobody enrolled anything the settings hold their name alone, and where that is missing nothing is known.
fn products(data: &Value) -> Read<Value> {
    text(data, "name")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "the settings of Access Approval have no name"))?;
    let mut products = BTreeSet::new();
    for field in ["enrolledServices", "ancestorsEnrolledServices"] {
        for service in list(data, field)?.unwrap_or_default() {
            products.insert(text(service, "cloudProduct")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "an enrolled service has no product"))?);
        }
    }
    Ok(Some(json!(products)))
}
