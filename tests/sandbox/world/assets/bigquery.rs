//! Datasets and tables of BigQuery.

use serde_json::{Value, json};

use crate::sandbox::random::Dice;
use crate::sandbox::world::assets::{Asset, joined, policy};
use crate::sandbox::world::google::Project;

/// Those of a project.
pub(crate) fn of_project(dice: &mut Dice, project: &Project) -> Vec<Asset> {
    let mut assets = Vec::new();
    if dice.chance(40) {
        let key = format!("projects/{}/locations/eu/keyRings/main/cryptoKeys/warehouse", project.id);
        let fields = json!({ "labels": { "team": "a" }, "defaultEncryptionConfiguration": { "kmsKeyName": key } });
        assets.push(dataset(project, "warehouse", &fields, (&json!({ "labels": { "team": "a" }, "kms_key": key }), None)));
        let fields = json!({ "type": "TABLE", "labels": { "team": "a" }, "encryptionConfiguration": { "kmsKeyName": key } });
        assets.push(table(project, "orders", &fields, (&json!({ "type": "TABLE", "labels": { "team": "a" }, "kms_key": key }), None)));
        let open = dice.chance(15).then_some("allUsers");
        assets.push(table(project, "orders_by_day", &json!({ "type": "VIEW" }), (&json!({ "type": "VIEW", "labels": {}, "kms_key": null }), open)));
    }
    if dice.chance(15) {
        let open = dice.chance(50).then_some("allAuthenticatedUsers");
        assets.push(dataset(project, "scratch", &json!({}), (&json!({ "labels": {}, "kms_key": null }), open)));
    }
    assets
}

fn dataset(project: &Project, name: &str, fields: &Value, (told, public): (&Value, Option<&str>)) -> Asset {
    let common = json!({
        "kind": "bigquery#dataset", "id": format!("{}:{name}", project.id), "location": "EU", "datasetReference": { "datasetId": name, "projectId": project.id },
    });
    Asset {
        kind: "gcp.bigquery_dataset",
        asset_type: "bigquery.googleapis.com/Dataset",
        name: format!("//bigquery.googleapis.com/projects/{}/datasets/{name}", project.id),
        location: "EU",
        data: joined(common, fields),
        bindings: Some(policy("roles/bigquery.dataViewer", public)),
        truth: joined(json!({ "name": name, "location": "EU" }), told),
    }
}

fn table(project: &Project, name: &str, fields: &Value, (told, public): (&Value, Option<&str>)) -> Asset {
    let common = json!({
        "kind": "bigquery#table", "id": format!("{}:warehouse.{name}", project.id),
        "tableReference": { "datasetId": "warehouse", "projectId": project.id, "tableId": name },
    });
    Asset {
        kind: "gcp.bigquery_table",
        asset_type: "bigquery.googleapis.com/Table",
        name: format!("//bigquery.googleapis.com/projects/{}/datasets/warehouse/tables/{name}", project.id),
        location: "EU",
        data: joined(common, fields),
        bindings: Some(policy("roles/bigquery.dataViewer", public)),
        truth: joined(json!({ "name": name, "dataset": "warehouse" }), told),
    }
}
