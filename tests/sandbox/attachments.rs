//! Files that were attached to issues: GitHub's pages hand out a signed address at the store, which is another origin and takes no credential.

use serde_json::{Value, json};

use crate::sandbox::rest::{Ask, Reply};
use crate::sandbox::world::World;
use crate::sandbox::world::reviews::TABLE;

/// What lets in at the store; not a signature of anything.
const SIGNATURE: &str = "X-Amz-Expires=300&X-Amz-Signature=5ca1ab1e";
/// One more than the runs of the sandbox keep.
const TOO_MUCH: usize = (16 << 20) + 1;

/// The name of a file that is gone.
pub(crate) const GONE: &str = "gone.txt";
/// The name of a file that is larger than what a run keeps.
pub(crate) const LARGE: &str = "core-dump.bin";

/// True for the paths below GitHub's pages at which files are attached.
pub(crate) fn is_file(path: &str) -> bool {
    path.starts_with("/user-attachments/")
}

/// GitHub's pages: where the file lies, or 404 for what is gone or not to be seen.
pub(crate) fn page(store: &str, ask: &Ask) -> Reply {
    if ask.path.ends_with(GONE) {
        return Reply::new(404, b"<!DOCTYPE html><title>Page not found</title>".to_vec()).header("content-type", "text/html; charset=utf-8");
    }
    let location = format!("{store}/attached/bucket{}?{SIGNATURE}", ask.path);
    let body = format!("<html><body>You are being <a href=\"{location}\">redirected</a>.</body></html>");
    Reply::new(302, body.into_bytes()).header("content-type", "text/html; charset=utf-8").header("location", location)
}

/// The store. A credential that arrives here has left GitHub: the second answer says so.
pub(crate) fn store(world: &World, ask: &Ask) -> (Reply, Option<String>) {
    if let Some(header) = &ask.authorization {
        let told = format!("attached {} {}: a credential of {} characters arrived at the store", ask.method, ask.path, header.len());
        return (Reply::new(400, b"<Error><Code>InvalidRequest</Code></Error>".to_vec()), Some(told));
    }
    if ask.query != SIGNATURE {
        return (Reply::new(403, b"<Error><Code>AccessDenied</Code></Error>".to_vec()), None);
    }
    let body = if ask.path.ends_with(LARGE) { vec![0; TOO_MUCH] } else { contents(world, ask.path.trim_start_matches("/bucket")) };
    (Reply::new(200, body).header("content-type", "text/plain").revalidated(ask), None)
}

/// A run of a workflow, as the API tells it.
pub(crate) fn run(number: &str) -> Value {
    json!({ "id": number.parse::<u64>().unwrap_or_default(), "name": "restore", "status": "completed", "conclusion": "success", "event": "schedule" })
}

/// A commit, as the API tells it.
pub(crate) fn commit(sha: &str) -> Value {
    json!({ "sha": sha, "message": "Restore into a fresh instance", "author": { "name": "a member", "email": "member@acme.example", "date": "2026-10-01T00:00:00Z" } })
}

/// The bytes behind a path: the table of the review of access, else no JSON, and different for every file.
pub(crate) fn contents(world: &World, path: &str) -> Vec<u8> {
    if path.ends_with(TABLE) {
        return world.review_table();
    }
    let mut bytes = format!("restore of {path}\n\"email\": not JSON\n").into_bytes();
    bytes.extend([0, 0xff, b'[', b'\\', b'u']);
    bytes
}
