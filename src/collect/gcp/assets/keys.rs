//! Keys of Cloud Key Management Service, and their versions. Neither shows what a key is made of.

use serde_json::{Value, json};

use crate::collect::gcp::asset::{Asset, Derived, PUBLIC_MEMBERS, columns};
use crate::collect::gcp::fields::{Read, last_of_name, record, text, time};
use crate::collect::gcp::typed::Absence;
use crate::model::{AttributeType, Gap, GapCause, Kind};

const TEXT: AttributeType = AttributeType::Text;
const MAP: AttributeType = AttributeType::Map(&AttributeType::Text);
const MAYBE_TEXT: AttributeType = AttributeType::Optional(&AttributeType::Text);
const MAYBE_TIME: AttributeType = AttributeType::Optional(&AttributeType::Time);

/// `gcp.kms_key`. <https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys>
///
/// Keys cannot be listed but by key ring, and key rings by location, so there is no listing of a project to fall back on.
pub static KMS_KEY: Asset = Asset {
    kind: &Kind {
        name: "gcp.kms_key",
        meaning: "A key of Cloud Key Management Service",
        permission: "cloudasset.assets.listResource and cloudasset.assets.listIamPolicy",
        attributes: columns! { "cryptoKeys", PUBLIC_MEMBERS;
            "name": TEXT, "Its name in its key ring", "name";
            "purpose": TEXT, "ENCRYPT_DECRYPT, ASYMMETRIC_SIGN or another; only keys of the first purpose rotate by themselves", "purpose";
            "protection": TEXT, "SOFTWARE, HSM, EXTERNAL or another place where new versions are kept", "versionTemplate.protectionLevel";
            "created_at": AttributeType::Time, "When it was made", "createTime";
            "rotation_period": MAYBE_TEXT, "How often a new version is made, e.g. 7776000s; null where that does not happen by itself", "rotationPeriod";
            "next_rotation": MAYBE_TIME, "When the next version is made; null where that does not happen by itself", "nextRotationTime";
            "primary_state": MAYBE_TEXT, "State of the version that encrypts: ENABLED, DISABLED, DESTROY_SCHEDULED or another; null where there is none", "primary.state";
            "primary_since": MAYBE_TIME, "When that version was made; null where there is none", "primary.createTime";
            "labels": MAP, "Its labels", "labels";
        },
    },
    types: &["cloudkms.googleapis.com/CryptoKey"],
    absences: &[("rotation_period", Absence::Null), ("next_rotation", Absence::Null), ("labels", Absence::NoEntries)],
    derived: &[
        Derived { name: "name", read: last_of_name },
        Derived { name: "primary_state", read: |data| of_primary(data, "state") },
        Derived { name: "primary_since", read: |data| of_primary(data, "createTime") },
    ],
    direct: None,
};

/// `gcp.kms_key_version`.
/// <https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys.cryptoKeyVersions>
pub static KMS_KEY_VERSION: Asset = Asset {
    kind: &Kind {
        name: "gcp.kms_key_version",
        meaning: "A version of a key of Cloud Key Management Service",
        permission: "cloudasset.assets.listResource",
        attributes: columns! { "cryptoKeyVersions";
            "name": TEXT, "Its number in the key", "name";
            "key": TEXT, "Name of the key in its key ring", "name";
            "state": TEXT, "ENABLED, DISABLED, DESTROY_SCHEDULED, DESTROYED or another", "state";
            "created_at": AttributeType::Time, "When it was made", "createTime";
            "destroyed_from": MAYBE_TIME, "When it is to be destroyed; null where that is not scheduled", "destroyTime";
            "algorithm": TEXT, "e.g. GOOGLE_SYMMETRIC_ENCRYPTION", "algorithm";
        },
    },
    types: &["cloudkms.googleapis.com/CryptoKeyVersion"],
    absences: &[("destroyed_from", Absence::Null)],
    derived: &[Derived { name: "name", read: last_of_name }, Derived { name: "key", read: key }],
    direct: None,
};

/// `projects/*/locations/*/keyRings/*/cryptoKeys/*/cryptoKeyVersions/*`.
fn key(data: &Value) -> Read<Value> {
    let Some(name) = text(data, "name")? else { return Ok(None) };
    let key = name.split_once("/cryptoKeys/").and_then(|(_ring, rest)| rest.split_once("/cryptoKeyVersions/"));
    key.map(|(key, _version)| Some(json!(key))).ok_or_else(|| Gap::new(GapCause::Malformed, "the name of a version does not name its key"))
}

/// Only a key that encrypts with one version at a time has a primary version, and a key whose import is not finished has none yet.
fn of_primary(data: &Value, field: &str) -> Read<Value> {
    if record(data, "primary")?.is_none() {
        return Ok(Some(Value::Null));
    }
    let path = format!("primary/{field}");
    Ok(if field == "state" { text(data, &path)? } else { time(data, &path)? }.map(Value::from))
}
