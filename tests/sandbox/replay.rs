//! Serves recorded exchanges by service, method and path; what was not recorded is 404. The recordings stay out of the repository.
//!
//! A file is gzipped JSON lines with `method`, `host`, `path`, `status`, `headers`, `body`, and for Google's a `url`, which then counts instead of host and path.
//! Where one path was recorded several times, the answers come in their order and the last one stays.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::sandbox::rest::{Ask, Reply};

/// The exchanges of some files.
pub(crate) struct Recordings {
    /// By service, method and path with query.
    exchanges: BTreeMap<String, Vec<Recorded>>,
    served: Mutex<BTreeMap<String, usize>>,
}

#[derive(Deserialize)]
struct Recorded {
    method: String,
    #[serde(default)]
    host: String,
    path: String,
    url: Option<String>,
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, Value>,
    #[serde(default)]
    body: Value,
}

/// Headers that are about the recorded connection, not about the answer.
const OF_THE_CONNECTION: &[&str] = &["content-length", "content-encoding", "transfer-encoding", "connection", "date"];

impl Recordings {
    /// Reads a `.jsonl.gz` file, or all of those in a folder.
    pub(crate) fn open(path: &Path) -> Self {
        let mut exchanges: BTreeMap<String, Vec<Recorded>> = BTreeMap::new();
        for file in files(path) {
            let lines = BufReader::new(MultiGzDecoder::new(File::open(file).expect("a readable recording"))).lines();
            let recorded = lines.map(|line| serde_json::from_str::<Recorded>(&line.expect("readable lines")).expect("an exchange a line"));
            for (key, recorded) in recorded.filter_map(|recorded| Some((recorded.key()?, recorded))) {
                exchanges.entry(key).or_default().push(recorded);
            }
        }
        Self { exchanges, served: Mutex::default() }
    }

    /// How many different requests are answered.
    pub(crate) fn len(&self) -> usize {
        self.exchanges.len()
    }

    /// The recorded answer; where the query was not recorded so, that of the bare path.
    pub(crate) fn answer(&self, ask: &Ask) -> Reply {
        let bare = key(&ask.service, &ask.method, &ask.path, "");
        let exact = key(&ask.service, &ask.method, &ask.path, &ask.query);
        let Some((key, recorded)) = self.exchanges.get_key_value(&exact).or_else(|| self.exchanges.get_key_value(&bare)) else {
            return Reply::message(404, "Not recorded");
        };
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = served.entry(key.clone()).or_default();
        let answer = recorded.get((*turn).min(recorded.len().saturating_sub(1)));
        *turn += 1;
        answer.map_or_else(|| Reply::message(404, "Not recorded"), |recorded| recorded.reply(&ask.base))
    }
}

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_path_buf()];
    }
    let entries = std::fs::read_dir(path).expect("a folder of recordings").flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|ending| ending == "gz")).collect();
    files.sort();
    files
}

fn key(service: &str, method: &str, path: &str, query: &str) -> String {
    // The client library of the recordings adds alt=json to everything; nobody else does.
    let mut parameters: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().filter(|(name, _)| name != "alt").collect();
    parameters.sort();
    let query: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{service} {method} {path}?{}", query.join("&"))
}

impl Recorded {
    fn key(&self) -> Option<String> {
        if let Some(url) = self.url.as_deref().and_then(|url| Url::parse(url).ok()) {
            let service = url.host_str()?.trim_end_matches(".googleapis.com").to_owned();
            return Some(key(&service, &self.method, url.path(), url.query().unwrap_or_default()));
        }
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        (self.host == "api.github.com" && path.starts_with('/')).then(|| key("github", &self.method, path, query))
    }

    /// Links to the recorded host lead to the sandbox.
    fn reply(&self, base: &str) -> Reply {
        let body = match &self.body {
            Value::Null => Vec::new(),
            Value::String(text) => text.clone().into_bytes(),
            json => json.to_string().into_bytes(),
        };
        let mut reply = Reply::new(self.status, body);
        for (name, value) in self.headers.iter().filter(|(name, _)| !OF_THE_CONNECTION.contains(&name.as_str())) {
            let Some(value) = value.as_str() else { continue };
            let value = if name == "link" || name == "location" { value.replace("https://api.github.com", base) } else { value.to_owned() };
            reply = reply.header(name, value);
        }
        reply
    }
}
