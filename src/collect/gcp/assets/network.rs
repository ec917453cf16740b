//! Networks and what may come in.

use serde_json::{Value, json};

use crate::collect::gcp::asset::{Asset, Derived, columns};
use crate::collect::gcp::direct::Direct;
use crate::collect::gcp::fields::{Read, flag, last_word, list, part, text, texts};
use crate::collect::gcp::typed::Absence;
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause, Kind};

const BOOL: AttributeType = AttributeType::Bool;
const TEXT: AttributeType = AttributeType::Text;
const TEXTS: AttributeType = AttributeType::List(&AttributeType::Text);

/// `gcp.network`. <https://cloud.google.com/compute/docs/reference/rest/v1/networks>
pub static NETWORK: Asset = Asset {
    kind: &Kind {
        name: "gcp.network",
        meaning: "A VPC network",
        permission: "cloudasset.assets.listResource, or compute.networks.list",
        attributes: columns! { "compute.networks";
            "name": TEXT, "Its name in the project; `default` is the one that Google makes", "name";
            "legacy": BOOL, "True for a network without subnetworks, with one range of its own", "IPv4Range";
            "dns_logged": BOOL, "True where a policy of Cloud DNS logs what its machines look up; unknown without the inventory", "policies[].enableLogging";
            "auto_subnets": BOOL, "True where each region gets a subnetwork by itself; unknown for a legacy network", "autoCreateSubnetworks";
        },
    },
    types: &["compute.googleapis.com/Network"],
    absences: &[],
    derived: &[Derived { name: "legacy", read: |data| Ok(Some(json!(part(data, "IPv4Range")?.is_some()))) }],
    direct: Some(Direct {
        service: "compute",
        operation: "compute.networks.list",
        target: "/compute/v1/projects/{project}/global/networks?maxResults=500",
        entries: "items",
        partial: None,
        permission: "compute.networks.list",
        name: "//compute.googleapis.com/{selfLink}",
        policy: None,
    }),
};

const PROTOCOL: &[AttributeDecl] = &[
    AttributeDecl { name: "protocol", ty: TEXT, meaning: "tcp, udp, icmp, a number, or all", vendor: "IPProtocol" },
    AttributeDecl { name: "ports", ty: TEXTS, meaning: "e.g. 22 or 8000-8080; none means every port", vendor: "ports" },
];

/// `gcp.firewall_rule`. <https://cloud.google.com/compute/docs/reference/rest/v1/firewalls>
pub static FIREWALL_RULE: Asset = Asset {
    kind: &Kind {
        name: "gcp.firewall_rule",
        meaning: "A firewall rule of a VPC network",
        permission: "cloudasset.assets.listResource, or compute.firewalls.list",
        attributes: columns! { "compute.firewalls";
            "name": TEXT, "Its name in the project", "name";
            "network": TEXT, "Name of the network", "network";
            "direction": TEXT, "INGRESS or EGRESS", "direction";
            "disabled": BOOL, "True where it is not in force", "disabled";
            "source_ranges": TEXTS, "Addresses that it is for, in CIDR notation; none where it is for tags or accounts", "sourceRanges";
            "open_to_world": BOOL, "True for a rule that lets in half of all IPv4 or IPv6 addresses or more", "sourceRanges";
            "allowed": AttributeType::List(&AttributeType::Record(PROTOCOL)), "What it lets through; none for a rule that denies", "allowed";
            "opens_ssh_or_rdp": BOOL, "True where TCP port 22 or 3389 is among what it lets through", "allowed[].ports";
            "logged": BOOL, "True where connections are logged", "logConfig.enable";
        },
    },
    types: &["compute.googleapis.com/Firewall"],
    // https://cloud.google.com/firewall/docs/firewalls#firewall_rule_components
    absences: &[
        ("disabled", Absence::False),
        ("source_ranges", Absence::NoItems),
        ("allowed", Absence::NoItems),
        ("allowed.ports", Absence::NoItems),
        ("logged", Absence::False),
    ],
    derived: &[
        Derived { name: "network", read: |data| last_word(data, "network") },
        Derived { name: "open_to_world", read: open_to_world },
        Derived { name: "opens_ssh_or_rdp", read: opens_ssh_or_rdp },
    ],
    direct: Some(Direct {
        service: "compute",
        operation: "compute.firewalls.list",
        target: "/compute/v1/projects/{project}/global/firewalls?maxResults=500",
        entries: "items",
        partial: None,
        permission: "compute.firewalls.list",
        name: "//compute.googleapis.com/{selfLink}",
        policy: None,
    }),
};

/// `gcp.subnetwork`. <https://cloud.google.com/compute/docs/reference/rest/v1/subnetworks>
pub static SUBNETWORK: Asset = Asset {
    kind: &Kind {
        name: "gcp.subnetwork",
        meaning: "A subnetwork of a VPC network",
        permission: "cloudasset.assets.listResource, or compute.subnetworks.list",
        attributes: columns! { "compute.subnetworks";
            "name": TEXT, "Its name in the region", "name";
            "network": TEXT, "Name of the network", "network";
            "purpose": TEXT, "PRIVATE for one that machines are in; others are a load balancer's, or a service's", "purpose";
            "flow_logs": BOOL, "True where samples of its traffic are logged", "logConfig.enable";
            "private_google_access": BOOL, "True where machines without an external address reach Google's APIs", "privateIpGoogleAccess";
        },
    },
    types: &["compute.googleapis.com/Subnetwork"],
    // A subnetwork that somebody made before there were purposes is of the default one.
    absences: &[("purpose", Absence::Text("PRIVATE")), ("flow_logs", Absence::False), ("private_google_access", Absence::False)],
    derived: &[Derived { name: "network", read: |data| last_word(data, "network") }, Derived { name: "flow_logs", read: flow_logs }],
    direct: Some(Direct {
        service: "compute",
        operation: "compute.subnetworks.aggregatedList",
        target: "/compute/v1/projects/{project}/aggregated/subnetworks?maxResults=500",
        entries: "items/*/subnetworks",
        partial: None,
        permission: "compute.subnetworks.list",
        name: "//compute.googleapis.com/{selfLink}",
        policy: None,
    }),
};

/// In `logConfig.enable`, or in the field that came before it.
fn flow_logs(data: &Value) -> Read<Value> {
    let (now, before) = (flag(data, "logConfig/enable")?, flag(data, "enableFlowLogs")?);
    Ok(Some(json!(now.or(before).unwrap_or(false))))
}

/// Two halves (`0.0.0.0/1`, `128.0.0.0/1`) are the whole, so a prefix of one bit counts as open too. An ingress rule without sources is for any address.
fn open_to_world(data: &Value) -> Read<Value> {
    if text(data, "direction")? != Some("INGRESS") {
        return Ok(Some(json!(false)));
    }
    let (ranges, tags, accounts) = (texts(data, "sourceRanges")?, texts(data, "sourceTags")?, texts(data, "sourceServiceAccounts")?);
    let Some(ranges) = ranges.filter(|ranges| !ranges.is_empty()) else {
        let limited = [tags, accounts].into_iter().flatten().any(|sources| !sources.is_empty());
        return Ok(Some(json!(!limited)));
    };
    let mut open = false;
    for range in ranges {
        let bits = range.rsplit_once('/').and_then(|(_address, bits)| bits.parse::<u8>().ok());
        open = open || bits.ok_or_else(|| Gap::new(GapCause::Malformed, "a source range is not in CIDR notation"))? <= 1;
    }
    Ok(Some(json!(open)))
}

fn opens_ssh_or_rdp(data: &Value) -> Read<Value> {
    let mut opens = false;
    for allowed in list(data, "allowed")?.unwrap_or_default() {
        let protocol = text(allowed, "IPProtocol")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "a protocol of the rule has no name"))?;
        if !matches!(protocol, "tcp" | "6" | "all") {
            continue;
        }
        let ports = texts(allowed, "ports")?.unwrap_or_default();
        opens = opens || ports.is_empty();
        for port in ports {
            opens = opens || holds(port, 22)? || holds(port, 3389)?;
        }
    }
    Ok(Some(json!(opens)))
}

/// Whether a port or range of ports, `8000-8080`, holds a port.
fn holds(range: &str, port: u32) -> Result<bool, Gap> {
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    match (first.trim().parse::<u32>(), last.trim().parse::<u32>()) {
        (Ok(first), Ok(last)) => Ok(first <= port && port <= last),
        _ => Err(Gap::new(GapCause::Malformed, "a port of the rule is not a number")),
    }
}
