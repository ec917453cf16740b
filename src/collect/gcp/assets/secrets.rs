//! Secrets of Secret Manager and their versions: what they are called, how old they are and where they are kept. What they hold is never asked for.
//!
//! The service lists the secrets of a project and those of each of its locations apart, so there is no one listing to fall back on.

use serde_json::{Value, json};

use crate::collect::gcp::asset::{Asset, Derived, PUBLIC_MEMBERS, columns};
use crate::collect::gcp::fields::{Read, last_of_name, list, record, text};
use crate::collect::gcp::typed::Absence;
use crate::model::{AttributeType, Gap, GapCause, Kind};

const TEXT: AttributeType = AttributeType::Text;
const TIME: AttributeType = AttributeType::Time;
const MAP: AttributeType = AttributeType::Map(&AttributeType::Text);
const MAYBE_TIME: AttributeType = AttributeType::Optional(&AttributeType::Time);

/// `gcp.secret`. <https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets>
pub static SECRET: Asset = Asset {
    kind: &Kind {
        name: "gcp.secret",
        meaning: "A secret of Secret Manager, without what it holds",
        permission: "cloudasset.assets.listResource and cloudasset.assets.listIamPolicy",
        attributes: columns! { "secrets", PUBLIC_MEMBERS;
            "name": TEXT, "Its name in the project", "name";
            "labels": MAP, "Its labels", "labels";
            "created_at": TIME, "When it was made", "createTime";
            "expires_at": MAYBE_TIME, "When it deletes itself; null where it does not", "expireTime";
            "next_rotation": MAYBE_TIME, "When somebody is told to renew it; null where nobody is", "rotation.nextRotationTime";
            "locations": AttributeType::Optional(&AttributeType::List(&AttributeType::Text)), "Where it is kept; null where Google keeps it in many places", "replication.userManaged.replicas[].location";
            "customer_key": AttributeType::Bool, "True where the customer's keys encrypt it in every place", "replication.automatic.customerManagedEncryption.kmsKeyName";
        },
    },
    types: &["secretmanager.googleapis.com/Secret"],
    absences: &[("labels", Absence::NoEntries), ("expires_at", Absence::Null), ("next_rotation", Absence::Null)],
    derived: &[
        Derived { name: "name", read: last_of_name },
        Derived { name: "locations", read: locations },
        Derived { name: "customer_key", read: customer_key },
    ],
    direct: None,
};

/// `gcp.secret_version`. <https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions>
pub static SECRET_VERSION: Asset = Asset {
    kind: &Kind {
        name: "gcp.secret_version",
        meaning: "A version of a secret of Secret Manager, without what it holds",
        permission: "cloudasset.assets.listResource",
        attributes: columns! { "secrets.versions";
            "name": TEXT, "Its number in the secret", "name";
            "secret": TEXT, "Name of the secret", "name";
            "state": TEXT, "ENABLED, DISABLED or DESTROYED", "state";
            "created_at": TIME, "When it was made", "createTime";
        },
    },
    types: &["secretmanager.googleapis.com/SecretVersion"],
    absences: &[],
    derived: &[Derived { name: "name", read: last_of_name }, Derived { name: "secret", read: secret }],
    direct: None,
};

/// `projects/*/secrets/*/versions/*`, or the same below a location.
fn secret(data: &Value) -> Read<Value> {
    let Some(name) = text(data, "name")? else { return Ok(None) };
    let secret = name.split_once("/secrets/").and_then(|(_project, rest)| rest.split_once("/versions/"));
    secret.map(|(secret, _version)| Some(json!(secret))).ok_or_else(|| Gap::new(GapCause::Malformed, "the name of a version does not name its secret"))
}

/// A secret of one location, `projects/*/locations/*/secrets/*`, has no replication.
fn locations(data: &Value) -> Read<Value> {
    if let Some(location) = location(data)? {
        return Ok(Some(json!([location])));
    }
    if record(data, "replication/automatic")?.is_some() {
        return Ok(Some(Value::Null));
    }
    let Some(replicas) = list(data, "replication/userManaged/replicas")? else { return Ok(None) };
    let place = |replica| text(replica, "location")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "a replica of the secret has no location"));
    Ok(Some(json!(replicas.iter().map(place).collect::<Result<Vec<_>, Gap>>()?)))
}

fn location(data: &Value) -> Read<&str> {
    let Some(name) = text(data, "name")? else { return Err(Gap::new(GapCause::LeftOut, "the secret has no name")) };
    Ok(name.split_once("/locations/").and_then(|(_project, rest)| rest.split('/').next()))
}

/// No configuration means that Google's keys encrypt it.
fn customer_key(data: &Value) -> Read<Value> {
    const KEY: &str = "customerManagedEncryption/kmsKeyName";
    if location(data)?.is_some() {
        return Ok(Some(json!(text(data, KEY)?.is_some())));
    }
    if let Some(automatic) = record(data, "replication/automatic")? {
        return Ok(Some(json!(text(&json!(automatic), KEY)?.is_some())));
    }
    let Some(replicas) = list(data, "replication/userManaged/replicas")? else { return Ok(None) };
    let mut all = true;
    for replica in replicas {
        all = text(replica, KEY)?.is_some() && all;
    }
    Ok(Some(json!(all)))
}
