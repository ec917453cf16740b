//! A strict Cloud Storage with one bucket, on loopback: what no emulator enforces is enforced here, by the documentation.
//!
//! `ifGenerationMatch=0` on a taken name is 412, replacing or deleting under retention 403, a second write of a name within a second of the fake clock 429;
//! every upload states its CRC32C. The clock moves by a fixed step with each request and by nothing else. Requests are held to the Discovery document where
//! `tests/setup.sh` has put it. Faults come on demand, one for each matching request.
//! Left out: resumable uploads (refused), ACLs, holds, requester pays.

pub(crate) mod answers;
pub(crate) mod bucket;
pub(crate) mod upload;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::sandbox::contracts::Contracts;
use crate::sandbox::gcs::bucket::Bucket;
use crate::sandbox::line::{Lines, Scissors};
use crate::sandbox::rest::{self, Ask, Reply};
use crate::sandbox::server::respond;

/// The sort of request that a fault waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Upload,
    Download,
    List,
    Stat,
    Delete,
    Bucket,
}

/// What goes wrong once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The request takes effect, and the connection is closed before a byte of the answer.
    LostReply,
    /// This status, without effect.
    Status(u16),
    /// Half of the body, then the connection breaks.
    Truncated,
    /// The announced checksum is another one's.
    WrongCrc,
    /// The announced checksum is left out.
    NoCrc,
    /// A listing that names itself as its next page.
    SamePage,
}

/// A running fake.
pub(crate) struct FakeGcs {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    bucket: Mutex<Bucket>,
    faults: Mutex<Vec<(Verb, Fault)>>,
    seen: Mutex<Vec<String>>,
    violations: Mutex<Vec<String>>,
    contracts: Option<Arc<Contracts>>,
}

impl FakeGcs {
    /// Serves a bucket.
    pub(crate) fn start(bucket: Bucket) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
        listener.set_nonblocking(true).expect("a socket that does not block");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            bucket: Mutex::new(bucket),
            faults: Mutex::default(),
            seen: Mutex::default(),
            violations: Mutex::default(),
            contracts: Contracts::shared(),
        });
        let (stop, stopped) = oneshot::channel();
        let state = Arc::clone(&shared);
        let thread = std::thread::spawn(move || run(listener, state, stopped));
        Self { address, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next request of this sort meets this fault; further ones wait for further requests.
    pub(crate) fn fault(&self, verb: Verb, fault: Fault) {
        lock(&self.shared.faults).push((verb, fault));
    }

    /// The bucket, to look at and to change behind the program's back.
    pub(crate) fn bucket(&self) -> MutexGuard<'_, Bucket> {
        lock(&self.shared.bucket)
    }

    /// Method and target of every request so far.
    pub(crate) fn seen(&self) -> Vec<String> {
        lock(&self.shared.seen).clone()
    }

    /// How many requests of a sort there were.
    pub(crate) fn count(&self, verb: Verb) -> usize {
        lock(&self.shared.seen).iter().filter(|line| line.starts_with(&format!("{verb:?} "))).count()
    }

    /// Requests that broke the published contract, or a rule of this fake's.
    pub(crate) fn violations(&self) -> Vec<String> {
        lock(&self.shared.violations).clone()
    }

    /// Faults that nothing has met.
    pub(crate) fn faults_left(&self) -> usize {
        lock(&self.shared.faults).len()
    }
}

impl Drop for FakeGcs {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _gone = stop.send(());
        }
        drop(self.thread.take().map(JoinHandle::join));
    }
}

fn run(listener: std::net::TcpListener, shared: Arc<Shared>, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async move {
        let lines = Lines(TcpListener::from_std(listener).expect("a listener"));
        let service = Router::new().fallback(handle).with_state(shared).into_make_service_with_connect_info::<Scissors>();
        tokio::select! {
            _ended = async { axum::serve(lines, service).await } => {}
            _told = stopped => {}
        }
    });
    runtime.shutdown_background();
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn handle(State(shared): State<Arc<Shared>>, ConnectInfo(scissors): ConnectInfo<Scissors>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let content_type = parts.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let body = to_bytes(body, 96 << 20).await.unwrap_or_default();
    let ask = Ask {
        base: String::new(),
        service: "storage".to_owned(),
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        authorization: parts.headers.get("authorization").and_then(|value| value.to_str().ok()).map(ToOwned::to_owned),
        if_none_match: None,
        body,
    };
    let verb = verb(&ask);
    lock(&shared.seen).push(format!("{verb:?} {} {}?{}", ask.method, ask.path, ask.query));
    let fault = shared.take_fault(verb);
    match fault {
        Some(Fault::Status(status)) => respond(rest::google_error(status, "FAULT", "a fault on demand")),
        Some(Fault::LostReply) => {
            drop(shared.answer(&ask, &content_type, None));
            scissors.cut();
            Response::new(Body::empty())
        }
        other => respond(shared.answer(&ask, &content_type, other)),
    }
}

impl Shared {
    fn take_fault(&self, verb: Verb) -> Option<Fault> {
        let mut faults = lock(&self.faults);
        let at = faults.iter().position(|(concerned, _)| *concerned == verb)?;
        Some(faults.remove(at).1)
    }

    fn answer(&self, ask: &Ask, content_type: &str, fault: Option<Fault>) -> Reply {
        if let Some(violation) = self.contracts.as_ref().and_then(|contracts| contracts.violation(ask)) {
            let told = format!("{} {}?{}: {violation}", ask.method, ask.path, ask.query);
            let reply = rest::google_error(400, "INVALID_ARGUMENT", &format!("the request breaks the published contract: {told}"));
            lock(&self.violations).push(told);
            return reply;
        }
        let mut bucket = lock(&self.bucket);
        bucket.tick();
        let reply = answers::answer(&mut bucket, ask, content_type, fault);
        if let Some(broken) = bucket.complaint.take() {
            lock(&self.violations).push(broken);
        }
        let date = bucket.now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let reply = reply.header("date", date);
        if fault == Some(Fault::Truncated) { Reply { broken: true, ..reply } } else { reply }
    }
}

fn verb(ask: &Ask) -> Verb {
    let objects = ask.path.contains("/o");
    match (ask.method.as_str(), objects) {
        ("DELETE", _) => Verb::Delete,
        ("POST", _) => Verb::Upload,
        _ if ask.path.ends_with("/o") => Verb::List,
        _ if ask.path.contains("/o/") && ask.parameter("alt").as_deref() == Some("media") => Verb::Download,
        _ if ask.path.contains("/o/") => Verb::Stat,
        _ => Verb::Bucket,
    }
}
