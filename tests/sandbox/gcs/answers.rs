//! Requests to the bucket and what they are answered. <https://cloud.google.com/storage/docs/json_api/v1>

use serde_json::{Value, json};

use crate::sandbox::gcs::Fault;
use crate::sandbox::gcs::bucket::{Bucket, Object, Refusal, crc};
use crate::sandbox::gcs::upload;
use crate::sandbox::rest::{Ask, Reply};

/// The answer, after its effect.
pub(crate) fn answer(bucket: &mut Bucket, ask: &Ask, content_type: &str, fault: Option<Fault>) -> Reply {
    let token = ask.authorization.as_deref().and_then(|header| header.strip_prefix("Bearer "));
    if bucket.needs_token && token.is_none() {
        return refused(401, "required", "Anonymous caller does not have the access.");
    }
    bucket.tokens.extend(token.map(ToOwned::to_owned));
    let segments = ask.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let (named, rest) = match segments.as_slice() {
        ["storage", "v1", "b", named, rest @ ..] => (*named, rest),
        ["upload", "storage", "v1", "b", named, "o"] => (*named, ["upload"].as_slice()),
        _ => return refused(404, "notFound", "Not Found"),
    };
    if named != bucket.name {
        return refused(404, "notFound", "The specified bucket does not exist.");
    }
    match (ask.method.as_str(), rest) {
        ("POST", ["upload"]) => failing(bucket, |bucket| insert(bucket, ask, content_type)),
        ("GET", ["o"]) => list(bucket, ask, fault),
        ("GET", ["o", name]) if ask.parameter("alt").as_deref() == Some("media") => download(bucket, name, fault),
        ("GET", ["o", name]) => with(bucket, "storage.objects.get", |bucket| match bucket.live.get(*name) {
            Some(object) => Reply::json(200, &object.json(&bucket.name)),
            None => no_object(&bucket.name, name),
        }),
        ("DELETE", ["o", name]) => delete(bucket, name),
        ("PATCH", ["o", name]) => patch(bucket, name, &ask.body),
        ("GET", []) => with(bucket, "storage.buckets.get", |bucket| Reply::json(200, &bucket.json())),
        ("GET", ["iam"]) => with(bucket, "storage.buckets.getIamPolicy", |bucket| {
            Reply::json(200, &json!({"kind": "storage#policy", "version": 3, "etag": "CAE=", "bindings": bucket.bindings}))
        }),
        ("GET", ["iam", "testPermissions"]) => {
            let held: Vec<String> =
                ask.parameters().into_iter().filter(|(name, value)| name == "permissions" && bucket.may(value)).map(|(_, value)| value).collect();
            Reply::json(200, &json!({"kind": "storage#testIamPermissionsResponse", "permissions": held}))
        }
        _ => refused(405, "methodNotAllowed", "Method Not Allowed"),
    }
}

/// An upload, unless there is an outage.
fn failing(bucket: &mut Bucket, upload: impl FnOnce(&mut Bucket) -> Reply) -> Reply {
    match &mut bucket.outage {
        None => upload(bucket),
        Some(outage) if outage.left > 0 => {
            outage.left -= 1;
            upload(bucket)
        }
        Some(outage) => {
            if std::mem::take(&mut outage.after_effect) {
                upload(bucket);
            }
            refused(503, "backendError", "Service unavailable.")
        }
    }
}

fn insert(bucket: &mut Bucket, ask: &Ask, content_type: &str) -> Reply {
    if !bucket.may("storage.objects.create") {
        return forbidden("storage.objects.create");
    }
    let name = ask.parameter("name").unwrap_or_default();
    if ask.parameter("uploadType").as_deref() != Some("multipart") {
        bucket.complaint = Some("an upload that is not one multipart request".to_owned());
        return refused(400, "invalid", "only multipart");
    }
    let object = match upload::parse(content_type, &ask.body, &name) {
        Ok(object) => object,
        Err(wrong) => {
            bucket.complaint = Some(wrong.clone());
            return refused(400, "invalid", &wrong);
        }
    };
    let expected = ask.parameter("ifGenerationMatch").and_then(|text| text.parse().ok());
    // Replacing an object takes the right to delete it.
    if expected.is_none() && bucket.live.contains_key(&name) && !bucket.may("storage.objects.delete") {
        return forbidden("storage.objects.delete");
    }
    match bucket.write(object, expected) {
        Ok(object) => Reply::json(200, &object.json(&bucket.name)),
        Err(refusal) => refusal_of(refusal),
    }
}

fn delete(bucket: &mut Bucket, name: &str) -> Reply {
    if !bucket.may("storage.objects.delete") {
        return forbidden("storage.objects.delete");
    }
    match bucket.delete(name) {
        Ok(true) => Reply::new(204, Vec::new()),
        Ok(false) => no_object(&bucket.name, name),
        Err(refusal) => refusal_of(refusal),
    }
}

/// Only holds can be changed; whatever else the body says is a mistake.
fn patch(bucket: &mut Bucket, name: &str, body: &[u8]) -> Reply {
    if !bucket.may("storage.objects.update") {
        return forbidden("storage.objects.update");
    }
    let held = match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(serde_json::Value::Object(members)) if members.len() == 1 => members.get("temporaryHold").and_then(serde_json::Value::as_bool),
        _ => None,
    };
    let Some(held) = held else { return refused(400, "invalid", "only temporaryHold can be changed") };
    let bucket_name = bucket.name.clone();
    match bucket.live.get_mut(name) {
        None => no_object(&bucket_name, name),
        Some(object) => {
            object.held = held;
            object.metageneration += 1;
            Reply::json(200, &object.json(&bucket_name))
        }
    }
}

fn download(bucket: &Bucket, name: &str, fault: Option<Fault>) -> Reply {
    if !bucket.may("storage.objects.get") {
        return forbidden("storage.objects.get");
    }
    let Some(object) = bucket.live.get(name) else {
        return Reply::new(404, format!("No such object: {}/{name}", bucket.name).into_bytes()).header("content-type", "text/html; charset=UTF-8");
    };
    let reply = Reply::new(200, object.bytes.clone())
        .header("content-type", object.content_type.clone())
        .header("content-length", object.bytes.len().to_string())
        .header("x-goog-generation", object.generation.to_string())
        .header("x-goog-metageneration", object.metageneration.to_string())
        .header("x-goog-storage-class", "STANDARD")
        .header("x-goog-stored-content-encoding", "identity")
        .header("x-goog-stored-content-length", object.bytes.len().to_string());
    match fault {
        Some(Fault::NoCrc) => reply,
        Some(Fault::WrongCrc) => reply.header("x-goog-hash", format!("crc32c={}", crc(b"something else"))),
        _ => reply.header("x-goog-hash", format!("crc32c={}", crc(&object.bytes))),
    }
}

fn list(bucket: &Bucket, ask: &Ask, fault: Option<Fault>) -> Reply {
    if !bucket.may("storage.objects.list") {
        return forbidden("storage.objects.list");
    }
    let prefix = ask.parameter("prefix").unwrap_or_default();
    let flag = |name: &str| ask.parameter(name).as_deref() == Some("true");
    let all: Vec<&Object> = if flag("softDeleted") {
        bucket.soft_deleted.iter().collect()
    } else if flag("versions") {
        bucket.live.values().chain(&bucket.noncurrent).collect()
    } else {
        bucket.live.values().collect()
    };
    let fitting: Vec<&Object> = all.into_iter().filter(|object| object.name.starts_with(&prefix)).collect();
    let size = ask.parameter("maxResults").and_then(|text| text.parse().ok()).unwrap_or(1000).min(bucket.page_size).max(1);
    let start = ask.parameter("pageToken").and_then(|token| token.strip_prefix("page-")?.parse().ok()).unwrap_or(0_usize);
    let items: Vec<Value> = fitting.iter().skip(start).take(size).map(|object| listed(bucket, object)).collect();
    let mut shown = json!({"kind": "storage#objects"});
    if !items.is_empty() {
        shown["items"] = json!(items);
    }
    let next = if fault == Some(Fault::SamePage) { start } else { start + size };
    // A field that was not asked for is not sent.
    if next < fitting.len() && ask.parameter("fields").is_none_or(|fields| fields.contains("nextPageToken")) {
        shown["nextPageToken"] = json!(format!("page-{next}"));
    }
    Reply::json(200, &shown)
}

fn listed(bucket: &Bucket, object: &Object) -> Value {
    let mut shown = object.json(&bucket.name);
    if bucket.noncurrent.iter().any(|other| other.generation == object.generation) {
        shown["timeDeleted"] = json!(super::bucket::instant(bucket.now));
    }
    shown
}

fn with(bucket: &Bucket, permission: &str, answer: impl FnOnce(&Bucket) -> Reply) -> Reply {
    if bucket.may(permission) { answer(bucket) } else { forbidden(permission) }
}

fn refusal_of(refusal: Refusal) -> Reply {
    match refusal {
        Refusal::Precondition => refused(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold."),
        Refusal::Retention => refused(403, "retentionPolicyNotMet", "Object is subject to bucket's retention policy and cannot be deleted or overwritten."),
        Refusal::Hold => {
            refused(403, "objectUnderActiveHold", "Object is under active Temporary hold and cannot be deleted, overwritten or archived until hold is removed.")
        }
        Refusal::Rate => refused(429, "rateLimitExceeded", "The object exceeded the rate limit for object mutation operations (create, update, and delete)."),
    }
}

fn no_object(bucket: &str, name: &str) -> Reply {
    refused(404, "notFound", &format!("No such object: {bucket}/{name}"))
}

fn forbidden(permission: &str) -> Reply {
    let text = format!("collector@acme.iam.gserviceaccount.com does not have {permission} access to the Google Cloud Storage object.");
    refused(403, "forbidden", &text)
}

/// The JSON API's error shape, which is older than the other services'.
fn refused(code: u16, reason: &str, message: &str) -> Reply {
    Reply::json(code, &json!({"error": {"code": code, "message": message, "errors": [{"message": message, "domain": "global", "reason": reason}]}}))
}
