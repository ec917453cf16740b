//! Datasets and tables of BigQuery: who of the public may read them, and whose key encrypts them. What is in them is never asked for.
//!
//! Who may read is read from their policies: the inventory does not show a dataset's access entries, which are the same grants in another form, and the service's own
//! listing shows neither, so that there is nothing to fall back on.

use crate::collect::gcp::asset::{Asset, PUBLIC_MEMBERS, columns};
use crate::collect::gcp::typed::Absence;
use crate::model::{AttributeType, Kind};

const TEXT: AttributeType = AttributeType::Text;
const MAP: AttributeType = AttributeType::Map(&AttributeType::Text);
const MAYBE_TEXT: AttributeType = AttributeType::Optional(&AttributeType::Text);

/// `gcp.bigquery_dataset`. <https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets>
pub static BIGQUERY_DATASET: Asset = Asset {
    kind: &Kind {
        name: "gcp.bigquery_dataset",
        meaning: "A dataset of BigQuery",
        permission: "cloudasset.assets.listResource and cloudasset.assets.listIamPolicy",
        attributes: columns! { "bigquery.datasets", PUBLIC_MEMBERS;
            "name": TEXT, "Its name in the project", "datasetReference.datasetId";
            "location": TEXT, "e.g. EU or europe-west4", "location";
            "labels": MAP, "Its labels", "labels";
            "kms_key": MAYBE_TEXT, "The customer's key that new tables are encrypted with; null where it is Google's", "defaultEncryptionConfiguration.kmsKeyName";
        },
    },
    types: &["bigquery.googleapis.com/Dataset"],
    absences: &[("labels", Absence::NoEntries), ("kms_key", Absence::Null)],
    derived: &[],
    direct: None,
};

/// `gcp.bigquery_table`. <https://cloud.google.com/bigquery/docs/reference/rest/v2/tables>
pub static BIGQUERY_TABLE: Asset = Asset {
    kind: &Kind {
        name: "gcp.bigquery_table",
        meaning: "A table or view of BigQuery",
        permission: "cloudasset.assets.listResource and cloudasset.assets.listIamPolicy",
        attributes: columns! { "bigquery.tables", PUBLIC_MEMBERS;
            "name": TEXT, "Its name in the dataset", "tableReference.tableId";
            "dataset": TEXT, "Name of the dataset", "tableReference.datasetId";
            "type": TEXT, "TABLE, VIEW, EXTERNAL, MATERIALIZED_VIEW or SNAPSHOT; a view and an external table hold no data", "type";
            "labels": MAP, "Its labels", "labels";
            "kms_key": MAYBE_TEXT, "The customer's key that it is encrypted with; null where it is Google's", "encryptionConfiguration.kmsKeyName";
        },
    },
    types: &["bigquery.googleapis.com/Table"],
    absences: &[("labels", Absence::NoEntries), ("kms_key", Absence::Null)],
    derived: &[],
    direct: None,
};
