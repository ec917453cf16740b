//! Zones of Cloud DNS and what is set for the name resolution of networks. Records are never asked for.
//!
//! The inventory writes in capitals (`PUBLIC`, `KEY_SIGNING`) what the service writes small (`public`, `keySigning`); here all is small and without `_`.

use serde_json::{Value, json};

use crate::collect::gcp::asset::{Asset, Derived, columns};
use crate::collect::gcp::direct::Direct;
use crate::collect::gcp::fields::{Read, list, record, text};
use crate::collect::gcp::typed::Absence;
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause, Kind};

const BOOL: AttributeType = AttributeType::Bool;
const TEXT: AttributeType = AttributeType::Text;

const KEY: &[AttributeDecl] = &[
    AttributeDecl { name: "use", ty: TEXT, meaning: "keysigning or zonesigning", vendor: "keyType" },
    AttributeDecl { name: "algorithm", ty: TEXT, meaning: "e.g. rsasha256", vendor: "algorithm" },
];

/// `gcp.dns_zone`. <https://cloud.google.com/dns/docs/reference/rest/v1/managedZones>
pub static DNS_ZONE: Asset = Asset {
    kind: &Kind {
        name: "gcp.dns_zone",
        meaning: "A zone of Cloud DNS",
        permission: "cloudasset.assets.listResource, or dns.managedZones.list",
        attributes: columns! { "managedZones";
            "name": TEXT, "Its name in the project", "name";
            "dns_name": TEXT, "The domain, with a dot at its end", "dnsName";
            "visibility": TEXT, "public, or private for a zone that only networks of one's own see", "visibility";
            "dnssec": TEXT, "on, off, or transfer while the zone moves", "dnssecConfig.state";
            "keys": AttributeType::List(&AttributeType::Record(KEY)), "What its answers are signed with; none where they are not", "dnssecConfig.defaultKeySpecs";
            "logged": BOOL, "True where questions about a public zone are logged", "cloudLoggingConfig.enableLogging";
            "labels": AttributeType::Map(&AttributeType::Text), "Its labels", "labels";
        },
    },
    types: &["dns.googleapis.com/ManagedZone"],
    absences: &[("logged", Absence::False), ("labels", Absence::NoEntries)],
    derived: &[
        Derived { name: "visibility", read: |data| Ok(text(data, "visibility")?.map(|word| json!(small(word)))) },
        Derived { name: "dnssec", read: dnssec },
        Derived { name: "keys", read: keys },
    ],
    direct: Some(Direct {
        service: "dns",
        operation: "dns.managedZones.list",
        target: "/dns/v1/projects/{project}/managedZones?maxResults=500",
        entries: "managedZones",
        partial: None,
        permission: "dns.managedZones.list",
        name: "//dns.googleapis.com/projects/{project}/managedZones/{name}",
        policy: None,
    }),
};

/// `gcp.dns_policy`. <https://cloud.google.com/dns/docs/reference/rest/v1/policies>
pub static DNS_POLICY: Asset = Asset {
    kind: &Kind {
        name: "gcp.dns_policy",
        meaning: "What is set for the name resolution of networks",
        permission: "cloudasset.assets.listResource, or dns.policies.list",
        attributes: columns! { "policies";
            "name": TEXT, "Its name in the project", "name";
            "networks": AttributeType::List(&TEXT), "Networks that it is for, e.g. projects/acme-prod/global/networks/main", "networks[].networkUrl";
            "logged": BOOL, "True where questions from these networks are logged", "enableLogging";
            "inbound": BOOL, "True where names are resolved for machines outside of Google Cloud", "enableInboundForwarding";
        },
    },
    types: &["dns.googleapis.com/Policy"],
    // "Defaults to no logging if not set."
    absences: &[("logged", Absence::False), ("inbound", Absence::False)],
    derived: &[Derived { name: "networks", read: networks }],
    direct: Some(Direct {
        service: "dns",
        operation: "dns.policies.list",
        target: "/dns/v1/projects/{project}/policies?maxResults=500",
        entries: "policies",
        partial: None,
        permission: "dns.policies.list",
        name: "//dns.googleapis.com/projects/{project}/policies/{name}",
        policy: None,
    }),
};

fn small(word: &str) -> String {
    word.to_ascii_lowercase().replace('_', "")
}

/// A zone without a configuration was made without signatures. <https://cloud.google.com/dns/docs/dnssec>
fn dnssec(data: &Value) -> Read<Value> {
    match record(data, "dnssecConfig")? {
        None => Ok(Some(json!("off"))),
        Some(_) => Ok(text(data, "dnssecConfig/state")?.map(|word| json!(small(word)))),
    }
}

fn keys(data: &Value) -> Read<Value> {
    let specs = list(data, "dnssecConfig/defaultKeySpecs")?.unwrap_or_default();
    let word = |spec: &Value, field: &str| -> Result<String, Gap> {
        text(spec, field)?.map(small).ok_or_else(|| Gap::new(GapCause::LeftOut, format!("a key of the zone has no {field}")))
    };
    let key = |spec| Ok(json!({ "use": word(spec, "keyType")?, "algorithm": word(spec, "algorithm")? }));
    Ok(Some(specs.iter().map(key).collect::<Result<Vec<_>, Gap>>()?.into()))
}

fn networks(data: &Value) -> Read<Value> {
    let entries = list(data, "networks")?.unwrap_or_default();
    let network = |entry| {
        let url = text(entry, "networkUrl")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "a network of the policy has no name"))?;
        Ok(json!(url.split_once("/projects/").map_or_else(|| url.to_owned(), |(_server, path)| format!("projects/{path}"))))
    };
    Ok(Some(entries.iter().map(network).collect::<Result<Vec<_>, Gap>>()?.into()))
}
