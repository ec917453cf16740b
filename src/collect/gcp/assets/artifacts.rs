//! Repositories of images and packages: who of the public may read them, whether images are scanned, whether a tag can be moved. Images are not listed.

use crate::collect::gcp::asset::{Asset, Derived, PUBLIC_MEMBERS, columns};
use crate::collect::gcp::direct::{Direct, ItemPolicy};
use crate::collect::gcp::fields::last_of_name;
use crate::collect::gcp::typed::Absence;
use crate::model::{AttributeType, Kind};

const BOOL: AttributeType = AttributeType::Bool;
const TEXT: AttributeType = AttributeType::Text;

/// `gcp.artifact_repository`. <https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories>
pub static ARTIFACT_REPOSITORY: Asset = Asset {
    kind: &Kind {
        name: "gcp.artifact_repository",
        meaning: "A repository of Artifact Registry",
        permission: "cloudasset.assets.listResource and cloudasset.assets.listIamPolicy, or artifactregistry.repositories.list and artifactregistry.repositories.getIamPolicy",
        attributes: columns! { "repositories", PUBLIC_MEMBERS;
            "name": TEXT, "Its name in the region", "name";
            "format": TEXT, "e.g. DOCKER, NPM or PYTHON", "format";
            "mode": TEXT, "STANDARD_REPOSITORY, REMOTE_REPOSITORY (a cache of another) or VIRTUAL_REPOSITORY (a view of several)", "mode";
            "scanning": TEXT, "SCANNING_ACTIVE, SCANNING_DISABLED or SCANNING_UNSUPPORTED", "vulnerabilityScanningConfig.enablementState";
            "immutable_tags": BOOL, "True where a tag of an image cannot be moved", "dockerConfig.immutableTags";
            "kms_key": AttributeType::Optional(&AttributeType::Text), "The customer's key that it is encrypted with; null where it is Google's", "kmsKeyName";
        },
    },
    types: &["artifactregistry.googleapis.com/Repository"],
    // proto3 leaves out what is false or empty.
    absences: &[("immutable_tags", Absence::False), ("kms_key", Absence::Null)],
    derived: &[Derived { name: "name", read: last_of_name }],
    direct: Some(Direct {
        service: "artifactregistry",
        operation: "artifactregistry.projects.locations.repositories.list",
        target: "/v1/projects/{project}/locations/-/repositories?pageSize=1000",
        entries: "repositories",
        partial: None,
        permission: "artifactregistry.repositories.list",
        name: "//artifactregistry.googleapis.com/{name}",
        policy: Some(ItemPolicy {
            operation: "artifactregistry.projects.locations.repositories.getIamPolicy",
            target: "/v1/{name}:getIamPolicy?options.requestedPolicyVersion=3",
            permission: "artifactregistry.repositories.getIamPolicy",
        }),
    }),
};
