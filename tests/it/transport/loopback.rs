//! A server on loopback that answers as scripted, broken answers included, and an archive in memory.
//! Plain threads and sockets, because a framework would repair what these tests break.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use proofline::collect::archive::{Archive, ArchiveError, Kept, Previous};
use proofline::model::{Digest, Exchange, Method};

/// A request as it came in.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

/// What the server does with a request.
pub(super) enum Answer {
    /// Status, headers, body, with a right `content-length`.
    Whole(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// These bytes, then the connection is closed.
    Raw(Vec<u8>),
    /// These bytes, then nothing until the client goes away.
    Stall(Vec<u8>),
}

pub(super) fn json(body: &str) -> Answer {
    Answer::Whole(200, vec![], body.into())
}

pub(super) fn status(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
    Answer::Whole(status, headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(), body.into())
}

pub(super) struct Loopback {
    pub(super) origin: String,
    pub(super) seen: Arc<Mutex<Vec<Seen>>>,
}

impl Loopback {
    /// `script` gets the number of the request, from 0, and the request.
    pub(super) fn start(script: impl Fn(usize, &Seen) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (log, script) = (Arc::clone(&seen), Arc::new(script));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (log, script) = (Arc::clone(&log), Arc::clone(&script));
                std::thread::spawn(move || serve(stream, &log, &*script));
            }
        });
        Self { origin, seen }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(super) fn targets(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.target).collect()
    }
}

/// A client that goes away in the middle is part of some tests, so errors end the connection and nothing else.
fn serve(mut stream: TcpStream, log: &Mutex<Vec<Seen>>, script: &(dyn Fn(usize, &Seen) -> Answer + Send + Sync)) -> Option<()> {
    let seen = read(&stream)?;
    let number = {
        let mut log = log.lock().unwrap();
        log.push(seen.clone());
        log.len() - 1
    };
    match script(number, &seen) {
        Answer::Raw(bytes) => stream.write_all(&bytes).ok(),
        Answer::Stall(bytes) => {
            stream.write_all(&bytes).ok()?;
            stream.read(&mut [0]).ok().map(|_| ())
        }
        Answer::Whole(status, headers, body) => {
            let mut head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n", body.len());
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            stream.write_all(format!("{head}\r\n").as_bytes()).ok()?;
            stream.write_all(&body).ok()
        }
    }
}

fn read(stream: &TcpStream) -> Option<Seen> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        // A header that comes twice is a mistake that must show.
        headers.entry(name.to_ascii_lowercase()).and_modify(|known: &mut String| *known = format!("{known} AND {value}")).or_insert_with(|| value.to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Seen { method, target, headers, body: String::from_utf8(body).ok()? })
}

/// Operation, subject, page, and the kind that asked too.
type Shared = (String, String, Option<u32>, &'static str);

/// Method, URL and body.
type Question = (Method, String, Option<Digest>);

/// Keeps everything, forgets what it is told to forget.
#[derive(Default)]
pub(super) struct MemoryArchive {
    pub(super) bodies: Mutex<BTreeMap<Digest, Bytes>>,
    pub(super) records: Mutex<Vec<Exchange>>,
    pub(super) shared: Mutex<Vec<Shared>>,
    pub(super) earlier: Mutex<BTreeMap<String, Previous>>,
    pub(super) answered: Mutex<BTreeMap<Question, Previous>>,
}

impl MemoryArchive {
    pub(super) fn records(&self) -> Vec<Exchange> {
        self.records.lock().unwrap().clone()
    }

    /// The only record.
    pub(super) fn record(&self) -> Exchange {
        let records = self.records();
        assert_eq!(records.len(), 1, "{records:#?}");
        records[0].clone()
    }

    pub(super) fn stored(&self, exchange: &Exchange) -> Bytes {
        self.bodies.lock().unwrap()[&exchange.sha256].clone()
    }

    fn put(&self, body: Bytes) -> Kept {
        let sha256 = Digest::of(&body);
        let bytes = u64::try_from(body.len()).unwrap();
        self.bodies.lock().unwrap().insert(sha256, body);
        Kept { sha256, bytes }
    }

    /// An earlier run's answer to `url`.
    pub(super) fn remember(&self, url: &str, etag: &str, headers: &[(&str, &str)], body: &str) -> Kept {
        let previous = self.earlier_answer(headers.iter().chain(&[("etag", etag)]), body);
        let kept = previous.kept;
        self.earlier.lock().unwrap().insert(url.to_owned(), previous);
        kept
    }

    /// An answer of the run that this one continues.
    pub(super) fn answer_of_the_continued(&self, method: Method, url: &str, request_body: Option<&str>, body: &str) {
        let previous = self.earlier_answer([].iter(), body);
        let question = (method, url.to_owned(), request_body.map(|body| Digest::of(body.as_bytes())));
        self.answered.lock().unwrap().insert(question, previous);
    }

    fn earlier_answer<'h>(&self, headers: impl Iterator<Item = &'h (&'h str, &'h str)>, body: &str) -> Previous {
        let kept = self.put(Bytes::copy_from_slice(body.as_bytes()));
        let origin =
            proofline::model::Revalidation { run: "20260228T020000Z-9f2c11aa".parse().unwrap(), n: 7, received_at: "2026-02-28T02:00:05Z".parse().unwrap() };
        let headers: BTreeMap<String, String> = headers.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Previous { kept, redacted: Vec::new(), origin, headers: proofline::model::Headers::from(&headers) }
    }
}

#[async_trait]
impl Archive for MemoryArchive {
    async fn keep(&self, body: Bytes) -> Result<Kept, ArchiveError> {
        Ok(self.put(body))
    }

    async fn body(&self, kept: &Kept) -> Result<Bytes, ArchiveError> {
        let bodies = self.bodies.lock().unwrap();
        bodies.get(&kept.sha256).cloned().ok_or_else(|| ArchiveError { what: "reading".into(), source: "gone".into() })
    }

    fn record(&self, exchange: std::sync::Arc<Exchange>) {
        self.records.lock().unwrap().push(std::sync::Arc::unwrap_or_clone(exchange));
    }

    fn also_asked_by(&self, operation: &str, subject: &str, page: Option<u32>, kind: &'static str) {
        self.shared.lock().unwrap().push((operation.to_owned(), subject.to_owned(), page, kind));
    }

    fn previous(&self, url: &str) -> Option<Previous> {
        self.earlier.lock().unwrap().get(url).cloned()
    }

    fn answered(&self, method: Method, url: &str, request_body: Option<&Digest>) -> Option<Previous> {
        self.answered.lock().unwrap().get(&(method, url.to_owned(), request_body.copied())).cloned()
    }
}
