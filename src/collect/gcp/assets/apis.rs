//! Keys that stand for no identity: API keys. The key itself is neither listed by the vendor nor kept.

use serde_json::{Value, json};

use crate::collect::gcp::asset::{Asset, Derived, columns};
use crate::collect::gcp::direct::Direct;
use crate::collect::gcp::fields::{Read, list, record, text};
use crate::collect::gcp::typed::Absence;
use crate::model::{AttributeType, Gap, GapCause, Kind};

const TEXT: AttributeType = AttributeType::Text;

/// `gcp.api_key`. <https://cloud.google.com/api-keys/docs/reference/rest/v2/projects.locations.keys>
pub static API_KEY: Asset = Asset {
    kind: &Kind {
        name: "gcp.api_key",
        meaning: "An API key",
        permission: "cloudasset.assets.listResource, or apikeys.keys.list",
        attributes: columns! { "keys";
            "name": AttributeType::Optional(&AttributeType::Text), "What people call it; null where nobody named it", "displayName";
            "created_at": AttributeType::Time, "When it was made", "createTime";
            "deleted_at": AttributeType::Optional(&AttributeType::Time), "When it was deleted; null where it works", "deleteTime";
            "apis": AttributeType::List(&AttributeType::Text), "Services that it opens; none where it opens all", "restrictions.apiTargets[].service";
            "callers": TEXT, "By what its callers are told apart: browser, server, android, ios; any where they are not", "restrictions";
            "service_account": AttributeType::Optional(&AttributeType::Text), "The service account that it acts as; null where it is none", "serviceAccountEmail";
        },
    },
    types: &["apikeys.googleapis.com/Key"],
    absences: &[("name", Absence::Null), ("deleted_at", Absence::Null), ("service_account", Absence::Null)],
    derived: &[Derived { name: "apis", read: apis }, Derived { name: "callers", read: callers }],
    direct: Some(Direct {
        service: "apikeys",
        operation: "apikeys.projects.locations.keys.list",
        target: "/v2/projects/{project}/locations/global/keys?pageSize=300",
        entries: "keys",
        partial: None,
        permission: "apikeys.keys.list",
        name: "//apikeys.googleapis.com/{name}",
        policy: None,
    }),
};

fn apis(data: &Value) -> Read<Value> {
    let service = |target: &Value| {
        let named = text(target, "service")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "a restriction of the key names no service"))?;
        Ok(json!(named))
    };
    let targets = list(data, "restrictions/apiTargets")?.unwrap_or_default();
    Ok(Some(targets.iter().map(service).collect::<Result<Vec<_>, Gap>>()?.into()))
}

fn callers(data: &Value) -> Read<Value> {
    for (field, word) in [
        ("restrictions/browserKeyRestrictions", "browser"),
        ("restrictions/serverKeyRestrictions", "server"),
        ("restrictions/androidKeyRestrictions", "android"),
        ("restrictions/iosKeyRestrictions", "ios"),
    ] {
        if record(data, field)?.is_some() {
            return Ok(Some(json!(word)));
        }
    }
    Ok(Some(json!("any")))
}
