//! Database servers of Cloud SQL.
//!
//! Left out: the databases and users inside of them, and passwords, which no answer shows.

use serde_json::{Map, Value, json};

use crate::collect::gcp::asset::{Asset, Derived, columns};
use crate::collect::gcp::direct::Direct;
use crate::collect::gcp::fields::{Read, flag, list, number, record, text};
use crate::collect::gcp::typed::Absence;
use crate::model::{AttributeType, Gap, GapCause, Kind};

const BOOL: AttributeType = AttributeType::Bool;
const INT: AttributeType = AttributeType::Int;
const TEXT: AttributeType = AttributeType::Text;
const TEXTS: AttributeType = AttributeType::List(&AttributeType::Text);
const MAP: AttributeType = AttributeType::Map(&AttributeType::Text);

/// `gcp.sql_instance`. <https://cloud.google.com/sql/docs/mysql/admin-api/rest/v1/instances>
pub static SQL_INSTANCE: Asset = Asset {
    kind: &Kind {
        name: "gcp.sql_instance",
        meaning: "A database server of Cloud SQL",
        permission: "cloudasset.assets.listResource, or cloudsql.instances.list",
        attributes: columns! { "sql.instances";
            "name": TEXT, "Its name in the project", "name";
            "engine": TEXT, "MYSQL, POSTGRES or SQLSERVER", "databaseVersion";
            "version": TEXT, "Engine and version, e.g. POSTGRES_16", "databaseVersion";
            "state": TEXT, "RUNNABLE, SUSPENDED or another state", "state";
            "primary": BOOL, "True for a server that holds the data itself; false for a replica, and for a server outside of Google Cloud that is replicated from", "instanceType";
            "labels": MAP, "Its own labels", "settings.userLabels";
            "backups": BOOL, "True where it is backed up every day", "settings.backupConfiguration.enabled";
            "retained_backups": INT, "How many of the daily backups are kept", "settings.backupConfiguration.backupRetentionSettings.retainedBackups";
            "point_in_time_recovery": BOOL, "True where every moment since the oldest kept log can be restored; for MySQL that is binary logging", "settings.backupConfiguration.pointInTimeRecoveryEnabled";
            "log_days": INT, "Days for which the logs are kept that this takes", "settings.backupConfiguration.transactionLogRetentionDays";
            "availability": TEXT, "REGIONAL where a standby in another zone takes over, else ZONAL", "settings.availabilityType";
            "tls_only": BOOL, "True where connections that are not encrypted are refused", "settings.ipConfiguration.sslMode";
            "public_address": BOOL, "True where it has an address of the internet", "settings.ipConfiguration.ipv4Enabled";
            "authorized_networks": TEXTS, "Addresses outside of Google Cloud that may connect, in CIDR notation", "settings.ipConfiguration.authorizedNetworks[].value";
            "open_to_world": BOOL, "True where half of all addresses or more may connect", "settings.ipConfiguration.authorizedNetworks[].value";
            "flags": MAP, "Flags of the engine that are set; any other has the engine's default", "settings.databaseFlags[]";
            "iam_authentication": AttributeType::Optional(&AttributeType::Bool), "True where people and programs sign in with their own account of Google Cloud; null for SQL Server, which cannot", "settings.databaseFlags[]";
            "deletion_protection": BOOL, "True where it cannot be deleted by mistake", "settings.deletionProtectionEnabled";
            "maintenance_window": BOOL, "True where somebody chose when it may be restarted", "settings.maintenanceWindow.day";
            "kms_key": AttributeType::Optional(&AttributeType::Text), "The customer's key that its disk is encrypted with; null where it is Google's", "diskEncryptionConfiguration.kmsKeyName";
        },
    },
    types: INSTANCES,
    // Deletion protection is off unless somebody switches it on: https://cloud.google.com/sql/docs/mysql/deletion-protection
    absences: &[("labels", Absence::NoEntries), ("deletion_protection", Absence::False), ("kms_key", Absence::Null)],
    derived: &[
        Derived { name: "engine", read: |data| Ok(engine(data)?.map(Value::from)) },
        Derived { name: "primary", read: primary },
        Derived { name: "point_in_time_recovery", read: point_in_time_recovery },
        Derived { name: "tls_only", read: tls_only },
        Derived { name: "authorized_networks", read: |data| Ok(Some(json!(authorized_networks(data)?))) },
        Derived { name: "open_to_world", read: open_to_world },
        Derived { name: "flags", read: |data| Ok(Some(Value::Object(flags(data)?))) },
        Derived { name: "iam_authentication", read: iam_authentication },
        Derived { name: "maintenance_window", read: maintenance_window },
    ],
    direct: LISTED,
};

/// `gcp.sql_backup`: when a server was last backed up; without the inventory each project is asked. <https://cloud.google.com/sql/docs/mysql/admin-api/rest/v1/backupRuns>
pub static SQL_BACKUP: Asset = Asset {
    kind: &Kind {
        name: "gcp.sql_backup",
        meaning: "The backups of a database server of Cloud SQL",
        permission: "cloudasset.assets.listResource, or cloudsql.instances.list and cloudsql.backupRuns.list",
        attributes: columns! { "sql.instances";
            "name": TEXT, "Name of the server in the project", "name";
            "state": TEXT, "RUNNABLE, SUSPENDED or another state of the server", "state";
            "primary": BOOL, "True for a server that holds the data itself; false for a replica, and for a server outside of Google Cloud that is replicated from", "instanceType";
            "last_backup": AttributeType::Optional(&AttributeType::Time), "When the newest backup that succeeded ended; null where none did", "sqladmin.googleapis.com/BackupRun endTime";
        },
    },
    types: INSTANCES,
    absences: &[],
    derived: &[Derived { name: "primary", read: primary }],
    direct: LISTED,
};

/// `gcp.sql_restore`: when a backup was last restored into a server of the same project; which backup that was, operations do not tell.
/// <https://cloud.google.com/sql/docs/mysql/admin-api/rest/v1/operations>
pub static SQL_RESTORE: Asset = Asset {
    kind: &Kind {
        name: "gcp.sql_restore",
        meaning: "The restores of backups of a database server of Cloud SQL",
        permission: "cloudasset.assets.listResource, or cloudsql.instances.list; and cloudsql.instances.get",
        attributes: columns! { "sql.instances";
            "name": TEXT, "Name of the server in the project", "name";
            "state": TEXT, "RUNNABLE, SUSPENDED or another state of the server", "state";
            "primary": BOOL, "True for a server that holds the data itself; false for a replica, and for a server outside of Google Cloud that is replicated from", "instanceType";
            "last_restore": AttributeType::Optional(&AttributeType::Time), "When a backup was last restored without an error into a server of the project; null where the list of operations, which Cloud SQL keeps for a time, holds none", "sql.operations.list endTime";
        },
    },
    types: INSTANCES,
    absences: &[],
    derived: &[Derived { name: "primary", read: primary }],
    direct: LISTED,
};

const INSTANCES: &[&str] = &["sqladmin.googleapis.com/Instance"];

const LISTED: Option<Direct> = Some(Direct {
    service: "sqladmin",
    operation: "sql.instances.list",
    target: "/v1/projects/{project}/instances?maxResults=500",
    entries: "items",
    partial: Some("warnings"),
    permission: "cloudsql.instances.list",
    name: "//cloudsql.googleapis.com/projects/{project}/instances/{name}",
    policy: None,
});

/// What comes before the version: `MYSQL_8_0`, `POSTGRES_16`, `SQLSERVER_2022_STANDARD`.
fn engine(data: &Value) -> Read<&str> {
    Ok(text(data, "databaseVersion")?.map(|version| version.split('_').next().unwrap_or(version)))
}

/// The inventory writes `CLOUDSQL_INSTANCE` for what the service calls `CLOUD_SQL_INSTANCE`.
fn primary(data: &Value) -> Read<Value> {
    match text(data, "instanceType")? {
        Some("CLOUD_SQL_INSTANCE" | "CLOUDSQL_INSTANCE") => Ok(Some(json!(true))),
        Some("READ_REPLICA_INSTANCE" | "READ_POOL_INSTANCE" | "ON_PREMISES_INSTANCE" | "GREEN_INSTANCE") => Ok(Some(json!(false))),
        Some(_unknown) => Err(Gap::new(GapCause::Malformed, "the field instanceType is no type of instance that is known here")),
        None => Ok(None),
    }
}

/// MySQL restores from its binary log; the others have a switch, which had another name before.
/// <https://cloud.google.com/sql/docs/mysql/backup-recovery/pitr>
fn point_in_time_recovery(data: &Value) -> Read<Value> {
    const BACKUPS: &str = "settings/backupConfiguration";
    let Some(engine) = engine(data)? else { return Ok(None) };
    if engine == "MYSQL" {
        return Ok(flag(data, &format!("{BACKUPS}/binaryLogEnabled"))?.map(Value::from));
    }
    let (now, before) = (flag(data, &format!("{BACKUPS}/pointInTimeRecoveryEnabled"))?, flag(data, &format!("{BACKUPS}/replicationLogArchivingEnabled"))?);
    Ok(now.or(before).map(Value::from))
}

/// The mode has priority over the switch that came before it.
/// <https://cloud.google.com/sql/docs/mysql/admin-api/rest/v1/instances#IpConfiguration>
fn tls_only(data: &Value) -> Read<Value> {
    let switch = flag(data, "settings/ipConfiguration/requireSsl")?;
    match text(data, "settings/ipConfiguration/sslMode")? {
        Some("ENCRYPTED_ONLY" | "TRUSTED_CLIENT_CERTIFICATE_REQUIRED") => Ok(Some(json!(true))),
        Some("ALLOW_UNENCRYPTED_AND_ENCRYPTED") => Ok(Some(json!(false))),
        Some("SSL_MODE_UNSPECIFIED") | None => Ok(switch.map(Value::from)),
        Some(_unknown) => Err(Gap::new(GapCause::Malformed, "the field settings/ipConfiguration/sslMode is no mode that is known here")),
    }
}

fn authorized_networks(data: &Value) -> Result<Vec<&str>, Gap> {
    let entries = list(data, "settings/ipConfiguration/authorizedNetworks")?.unwrap_or_default();
    let value = |entry| text(entry, "value")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "an authorised network has no addresses"));
    entries.iter().map(value).collect()
}

/// Two halves (`0.0.0.0/1`, `128.0.0.0/1`) are the whole, so a prefix of one bit counts as open too; what has none is one address.
fn open_to_world(data: &Value) -> Read<Value> {
    let mut open = false;
    for network in authorized_networks(data)? {
        if let Some((_address, bits)) = network.rsplit_once('/') {
            let bits: u8 = bits.parse().map_err(|_error| Gap::new(GapCause::Malformed, "an authorised network is not in CIDR notation"))?;
            open = open || bits <= 1;
        }
    }
    Ok(Some(json!(open)))
}

/// A flag that takes no value comes without one.
fn flags(data: &Value) -> Result<Map<String, Value>, Gap> {
    let mut flags = Map::new();
    for entry in list(data, "settings/databaseFlags")?.unwrap_or_default() {
        let name = text(entry, "name")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "a flag has no name"))?;
        flags.insert(name.to_owned(), json!(text(entry, "value")?.unwrap_or_default()));
    }
    Ok(flags)
}

/// <https://cloud.google.com/sql/docs/postgres/iam-authentication>
fn iam_authentication(data: &Value) -> Read<Value> {
    let name = match engine(data)? {
        None => return Ok(None),
        Some("MYSQL") => "cloudsql_iam_authentication",
        Some("POSTGRES") => "cloudsql.iam_authentication",
        Some(_other) => return Ok(Some(Value::Null)),
    };
    let flags = flags(data)?;
    Ok(Some(json!(flags.get(name).and_then(Value::as_str).is_some_and(|value| value.eq_ignore_ascii_case("on")))))
}

/// Day 0 is any day.
fn maintenance_window(data: &Value) -> Read<Value> {
    if record(data, "settings/maintenanceWindow")?.is_none() {
        return Ok(Some(json!(false)));
    }
    Ok(number(data, "settings/maintenanceWindow/day")?.map(|day| json!(day != 0)))
}
