//! Repositories of images and packages: who of the public may read them, whether images are scanned, whether a tag can be moved; and what is weak in the images. Images are not listed themselves.

use crate::collect::gcp::asset::{Asset, Derived, PUBLIC_MEMBERS, columns};
use crate::collect::gcp::direct::{Direct, ItemPolicy};
use crate::collect::gcp::fields::{last_of_name, last_word};
use crate::collect::gcp::listed::Listed;
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

/// `gcp.image_vulnerability`. <https://cloud.google.com/artifact-analysis/docs/reference/rest/v1/projects.occurrences>
///
/// What is looked for anew in images of the last thirty days, and as it was found in older ones. <https://cloud.google.com/artifact-analysis/docs/container-scanning-overview>
pub static IMAGE_VULNERABILITY: Listed = Listed(Asset {
    kind: &Kind {
        name: "gcp.image_vulnerability",
        meaning: "A vulnerability of an image in Artifact Registry",
        permission: "cloudasset.assets.listResource, and containeranalysis.occurrences.list",
        attributes: columns! { "occurrences.list";
            "image": TEXT, "Address of the image, with its digest", "resourceUri";
            "vulnerability": TEXT, "e.g. CVE-2026-1234", "noteName";
            "severity": TEXT, "MINIMAL, LOW, MEDIUM, HIGH or CRITICAL; of the distribution where it says so", "vulnerability.effectiveSeverity";
            "fix_available": BOOL, "True where a package that it is in has a version without it", "vulnerability.fixAvailable";
            "found_at": AttributeType::Time, "When it was found in the image", "createTime";
        },
    },
    types: &["artifactregistry.googleapis.com/Repository"],
    // proto3 leaves out what is false.
    absences: &[("fix_available", Absence::False)],
    derived: &[Derived { name: "vulnerability", read: |data| last_word(data, "noteName") }],
    direct: Some(Direct {
        service: "containeranalysis",
        operation: "containeranalysis.projects.occurrences.list",
        target: "/v1/projects/{project}/occurrences?filter=kind%3D%22VULNERABILITY%22&pageSize=1000&fields=occurrences(name,resourceUri,noteName,createTime,vulnerability(effectiveSeverity,fixAvailable)),nextPageToken,unreachable&returnPartialSuccess=true",
        entries: "occurrences",
        partial: Some("unreachable"),
        permission: "containeranalysis.occurrences.list",
        name: "//containeranalysis.googleapis.com/{name}",
        policy: None,
    }),
});
