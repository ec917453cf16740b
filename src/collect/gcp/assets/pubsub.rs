//! Topics and subscriptions of Pub/Sub: who of the public may write to them and read from them. Messages are never asked for.

use serde_json::json;

use crate::collect::gcp::asset::{Asset, Derived, PUBLIC_MEMBERS, columns};
use crate::collect::gcp::direct::{Direct, ItemPolicy};
use crate::collect::gcp::fields::{last_of_name, last_word, record, text};
use crate::collect::gcp::typed::Absence;
use crate::model::{AttributeType, Kind};

const TEXT: AttributeType = AttributeType::Text;
const MAP: AttributeType = AttributeType::Map(&AttributeType::Text);

/// `gcp.pubsub_topic`. <https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics>
pub static PUBSUB_TOPIC: Asset = Asset {
    kind: &Kind {
        name: "gcp.pubsub_topic",
        meaning: "A topic of Pub/Sub",
        permission: "cloudasset.assets.listResource and cloudasset.assets.listIamPolicy, or pubsub.topics.list and pubsub.topics.getIamPolicy",
        attributes: columns! { "topics", PUBLIC_MEMBERS;
            "name": TEXT, "Its name in the project", "name";
            "labels": MAP, "Its labels", "labels";
            "kms_key": AttributeType::Optional(&AttributeType::Text), "The customer's key that messages are encrypted with; null where it is Google's", "kmsKeyName";
        },
    },
    types: &["pubsub.googleapis.com/Topic"],
    absences: &[("labels", Absence::NoEntries), ("kms_key", Absence::Null)],
    derived: &[Derived { name: "name", read: last_of_name }],
    direct: Some(Direct {
        service: "pubsub",
        operation: "pubsub.projects.topics.list",
        target: "/v1/projects/{project}/topics?pageSize=1000",
        entries: "topics",
        partial: None,
        permission: "pubsub.topics.list",
        name: "//pubsub.googleapis.com/{name}",
        policy: Some(ItemPolicy {
            operation: "pubsub.projects.topics.getIamPolicy",
            target: "/v1/{name}:getIamPolicy?options.requestedPolicyVersion=3",
            permission: "pubsub.topics.getIamPolicy",
        }),
    }),
};

/// `gcp.pubsub_subscription`. <https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions>
pub static PUBSUB_SUBSCRIPTION: Asset = Asset {
    kind: &Kind {
        name: "gcp.pubsub_subscription",
        meaning: "A subscription of Pub/Sub",
        permission: "cloudasset.assets.listResource and cloudasset.assets.listIamPolicy, or pubsub.subscriptions.list and pubsub.subscriptions.getIamPolicy",
        attributes: columns! { "subscriptions", PUBLIC_MEMBERS;
            "name": TEXT, "Its name in the project", "name";
            "topic": TEXT, "Name of the topic; `_deleted-topic_` where that is gone", "topic";
            "labels": MAP, "Its labels", "labels";
            "pushes": AttributeType::Bool, "True where messages are sent to an address, rather than fetched", "pushConfig.pushEndpoint";
            "push_signed": AttributeType::Bool, "True where they are sent with a signed token, by which the receiver knows the sender", "pushConfig.oidcToken";
        },
    },
    types: &["pubsub.googleapis.com/Subscription"],
    absences: &[("labels", Absence::NoEntries)],
    derived: &[
        Derived { name: "name", read: last_of_name },
        Derived { name: "topic", read: |data| last_word(data, "topic") },
        Derived { name: "pushes", read: |data| Ok(Some(json!(text(data, "pushConfig/pushEndpoint")?.is_some()))) },
        Derived { name: "push_signed", read: |data| Ok(Some(json!(record(data, "pushConfig/oidcToken")?.is_some()))) },
    ],
    direct: Some(Direct {
        service: "pubsub",
        operation: "pubsub.projects.subscriptions.list",
        target: "/v1/projects/{project}/subscriptions?pageSize=1000",
        entries: "subscriptions",
        partial: None,
        permission: "pubsub.subscriptions.list",
        name: "//pubsub.googleapis.com/{name}",
        policy: Some(ItemPolicy {
            operation: "pubsub.projects.subscriptions.getIamPolicy",
            target: "/v1/{name}:getIamPolicy?options.requestedPolicyVersion=3",
            permission: "pubsub.subscriptions.getIamPolicy",
        }),
    }),
};
