//! `multipart/related` uploads, taken apart without mercy: exactly two parts, the first the metadata with the CRC32C of the second.
//! <https://cloud.google.com/storage/docs/uploading-objects-from-memory>, JSON API, "multipart upload"

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::sandbox::gcs::bucket::{Object, crc};

/// The object that a body describes; otherwise what is wrong with it.
pub(crate) fn parse(content_type: &str, body: &[u8], name: &str) -> Result<Object, String> {
    let boundary = content_type.strip_prefix("multipart/related; boundary=").ok_or("the content type is not multipart/related with a boundary")?;
    let parts = parts(body, boundary.trim_matches('"'))?;
    let [metadata, media] = parts.as_slice() else { return Err(format!("{} parts instead of two", parts.len())) };
    let metadata: Value = serde_json::from_slice(metadata).map_err(|error| format!("the first part is not JSON: {error}"))?;
    match metadata["crc32c"].as_str() {
        None => return Err("the metadata states no crc32c".to_owned()),
        Some(stated) if stated != crc(media) => return Err(format!("crc32c {stated} is stated, {} came", crc(media))),
        Some(_) => {}
    }
    let fields = metadata["metadata"].as_object().cloned().unwrap_or_default();
    Ok(Object {
        name: name.to_owned(),
        bytes: media.to_vec(),
        generation: 0,
        metageneration: 1,
        created: DateTime::<Utc>::UNIX_EPOCH,
        content_type: metadata["contentType"].as_str().unwrap_or("application/octet-stream").to_owned(),
        held: false,
        metadata: fields.into_iter().map(|(key, value)| (key, value.as_str().unwrap_or_default().to_owned())).collect::<BTreeMap<_, _>>(),
    })
}

/// The bodies of the parts. RFC 2046, section 5.1.1.
fn parts<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<&'a [u8]>, String> {
    let opening = format!("--{boundary}\r\n");
    let between = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(opening.as_bytes()).ok_or("the body does not start with its boundary")?;
    let mut found = Vec::new();
    loop {
        let end = position(rest, between.as_bytes()).ok_or("a part does not end")?;
        let part = &rest[..end];
        let head = position(part, b"\r\n\r\n").map(|at| at + 4).or_else(|| part.starts_with(b"\r\n").then_some(2)).ok_or("a part without a head")?;
        found.push(&part[head..]);
        rest = &rest[end + between.len()..];
        if rest.starts_with(b"--") {
            return Ok(found);
        }
        rest = rest.strip_prefix(b"\r\n").ok_or("rubbish after a boundary")?;
    }
}

fn position(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}
