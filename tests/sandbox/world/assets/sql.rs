//! Database servers.

use serde_json::{Value, json};

use crate::sandbox::random::Dice;
use crate::sandbox::world::assets::{Asset, joined};
use crate::sandbox::world::google::Project;

/// Those of a project.
pub(crate) fn of_project(dice: &mut Dice, project: &Project) -> Vec<Asset> {
    type Told = fn(&Project) -> (Value, Value);
    let all: [(usize, &str, Told); 4] = [(45, "main", postgres), (30, "main-replica", replica), (25, "old", mysql), (20, "reports", sql_server)];
    let mut assets = Vec::new();
    for (chance, name, told) in all {
        if dice.chance(chance) {
            let (data, truth) = told(project);
            assets.push(instance(project, name, data, &truth));
        }
    }
    assets
}

/// As it should be.
fn postgres(project: &Project) -> (Value, Value) {
    let key = format!("projects/{}/locations/europe-west4/keyRings/main/cryptoKeys/sql", project.id);
    let data = json!({
        "databaseVersion": "POSTGRES_16", "instanceType": "CLOUD_SQL_INSTANCE",
        "diskEncryptionConfiguration": { "kind": "sql#diskEncryptionConfiguration", "kmsKeyName": key },
        "settings": {
            "availabilityType": "REGIONAL", "deletionProtectionEnabled": true, "userLabels": { "team": "a" }, "edition": "ENTERPRISE",
            "maintenanceWindow": { "kind": "sql#maintenanceWindow", "hour": 3, "day": 7 },
            "backupConfiguration": {
                "kind": "sql#backupConfiguration", "enabled": true, "startTime": "01:00", "pointInTimeRecoveryEnabled": true, "transactionLogRetentionDays": 7,
                "backupRetentionSettings": { "retentionUnit": "COUNT", "retainedBackups": 14 },
            },
            "ipConfiguration": { "ipv4Enabled": false, "sslMode": "ENCRYPTED_ONLY", "requireSsl": false, "authorizedNetworks": [] },
            "databaseFlags": [
                { "name": "cloudsql.iam_authentication", "value": "on" }, { "name": "cloudsql.enable_pgaudit", "value": "on" },
                { "name": "log_connections", "value": "on" }, { "name": "log_disconnections", "value": "on" }, { "name": "log_statement", "value": "ddl" },
            ],
        },
    });
    let flags = json!({ "cloudsql.iam_authentication": "on", "cloudsql.enable_pgaudit": "on", "log_connections": "on", "log_disconnections": "on", "log_statement": "ddl" });
    let truth = json!({
        "engine": "POSTGRES", "version": "POSTGRES_16", "primary": true, "labels": { "team": "a" }, "backups": true, "retained_backups": 14,
        "point_in_time_recovery": true, "log_days": 7, "availability": "REGIONAL", "tls_only": true, "public_address": false, "authorized_networks": [],
        "open_to_world": false, "flags": flags, "iam_authentication": true, "deletion_protection": true, "maintenance_window": true, "kms_key": key,
    });
    (data, truth)
}

/// A replica is not backed up itself.
fn replica(project: &Project) -> (Value, Value) {
    let data = json!({
        "databaseVersion": "POSTGRES_16", "instanceType": "READ_REPLICA_INSTANCE", "masterInstanceName": format!("{}:main", project.id),
        "settings": {
            "availabilityType": "ZONAL", "backupConfiguration": { "kind": "sql#backupConfiguration", "enabled": false },
            "ipConfiguration": { "ipv4Enabled": false, "sslMode": "TRUSTED_CLIENT_CERTIFICATE_REQUIRED", "requireSsl": true },
            "databaseFlags": [{ "name": "cloudsql.iam_authentication", "value": "on" }],
        },
    });
    let truth = json!({
        "engine": "POSTGRES", "version": "POSTGRES_16", "primary": false, "labels": {}, "backups": false, "availability": "ZONAL", "tls_only": true,
        "public_address": false, "authorized_networks": [], "open_to_world": false, "flags": { "cloudsql.iam_authentication": "on" }, "iam_authentication": true,
        "deletion_protection": false, "maintenance_window": false, "kms_key": null,
    });
    (data, truth)
}

/// As it should not be, and with whole numbers as the inventory may write them.
fn mysql(_project: &Project) -> (Value, Value) {
    let data = json!({
        "databaseVersion": "MYSQL_8_0", "instanceType": "CLOUDSQL_INSTANCE", "rootPassword": "nobody may read this",
        "settings": {
            "availabilityType": "ZONAL", "deletionProtectionEnabled": false, "maintenanceWindow": { "kind": "sql#maintenanceWindow", "hour": 0.0, "day": 0.0 },
            "backupConfiguration": {
                "kind": "sql#backupConfiguration", "enabled": true, "binaryLogEnabled": false, "transactionLogRetentionDays": 1.0,
                "backupRetentionSettings": { "retentionUnit": "COUNT", "retainedBackups": 3.0 },
            },
            "ipConfiguration": {
                "ipv4Enabled": true, "requireSsl": false,
                "authorizedNetworks": [{ "kind": "sql#aclEntry", "value": "203.0.113.7", "name": "office" }, { "kind": "sql#aclEntry", "value": "0.0.0.0/0" }],
            },
            "databaseFlags": [{ "name": "local_infile", "value": "on" }, { "name": "cloudsql_iam_authentication", "value": "off" }],
        },
    });
    let truth = json!({
        "engine": "MYSQL", "version": "MYSQL_8_0", "primary": true, "labels": {}, "backups": true, "retained_backups": 3, "point_in_time_recovery": false,
        "log_days": 1, "availability": "ZONAL", "tls_only": false, "public_address": true, "authorized_networks": ["203.0.113.7", "0.0.0.0/0"],
        "open_to_world": true, "flags": { "local_infile": "on", "cloudsql_iam_authentication": "off" }, "iam_authentication": false,
        "deletion_protection": false, "maintenance_window": false, "kms_key": null,
    });
    (data, truth)
}

/// One that was made long ago: the switch for point-in-time recovery has its older name.
fn sql_server(_project: &Project) -> (Value, Value) {
    let data = json!({
        "databaseVersion": "SQLSERVER_2022_STANDARD", "instanceType": "CLOUD_SQL_INSTANCE",
        "settings": {
            "availabilityType": "ZONAL",
            "backupConfiguration": { "kind": "sql#backupConfiguration", "enabled": true, "replicationLogArchivingEnabled": false },
            "ipConfiguration": { "ipv4Enabled": false, "sslMode": "ALLOW_UNENCRYPTED_AND_ENCRYPTED" },
            "databaseFlags": [{ "name": "remote access", "value": "off" }, { "name": "3625" }],
        },
    });
    let truth = json!({
        "engine": "SQLSERVER", "version": "SQLSERVER_2022_STANDARD", "primary": true, "labels": {}, "backups": true, "point_in_time_recovery": false,
        "availability": "ZONAL", "tls_only": false, "public_address": false, "authorized_networks": [], "open_to_world": false,
        "flags": { "remote access": "off", "3625": "" }, "iam_authentication": null, "deletion_protection": false, "maintenance_window": false, "kms_key": null,
    });
    (data, truth)
}

fn instance(project: &Project, name: &str, data: Value, truth: &Value) -> Asset {
    let path = format!("projects/{}/instances/{name}", project.id);
    let common = json!({
        "kind": "sql#instance", "name": name, "project": project.id, "region": "europe-west4", "state": "RUNNABLE", "backendType": "SECOND_GEN",
        "selfLink": format!("https://sqladmin.googleapis.com/sql/v1beta4/{path}"),
    });
    Asset {
        kind: "gcp.sql_instance",
        asset_type: "sqladmin.googleapis.com/Instance",
        name: format!("//cloudsql.googleapis.com/{path}"),
        location: "europe-west4",
        data: joined(common, &data),
        bindings: None,
        truth: joined(json!({ "name": name, "state": "RUNNABLE" }), truth),
    }
}
