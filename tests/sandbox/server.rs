//! The server: a thread with a runtime of its own, so that synchronous callers can use it too; dropping the `Sandbox` stops it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt as _, stream};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::sandbox::attachments;
use crate::sandbox::behaviour::{Action, Behaviour, GoogleAuth};
use crate::sandbox::contracts::Contracts;
use crate::sandbox::desk;
use crate::sandbox::graphql::{self, Budget, Question};
use crate::sandbox::journal::{Counters, Entry, Journal};
use crate::sandbox::limits::{Left, Window};
use crate::sandbox::line::{Lines, Scissors};
use crate::sandbox::replay::Recordings;
use crate::sandbox::rest::{self, Ask, Reply};
use crate::sandbox::world::World;
use crate::sandbox::world::truth::instant;

const LARGEST_BODY: usize = 4 << 20;

/// A running sandbox.
pub(crate) struct Sandbox {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// The tokens of the App's installation: numbered, the newest is let in.
#[derive(Debug, Default)]
struct Installation {
    minted: u64,
    used: u64,
}

impl Installation {
    fn token(&self) -> String {
        format!("{INSTALLATION_TOKEN}-{}", self.minted)
    }

    /// True for a request to the App's own endpoints with a JWT, which has three parts, and for one with the newest token while it lasts.
    fn lets_in(&mut self, ask: &Ask, token: &str, lasts: u64) -> bool {
        if ask.path.ends_with("/access_tokens") || ask.path.ends_with("/installation") {
            return token.split('.').count() == 3;
        }
        if token != self.token() {
            return false;
        }
        self.used += 1;
        self.used <= lasts
    }

    fn mint(&mut self) -> String {
        (self.minted, self.used) = (self.minted + 1, 0);
        self.token()
    }
}

/// How the tokens of the App's installation begin.
pub(crate) const INSTALLATION_TOKEN: &str = "sandbox-installation-token";

/// Where answers come from.
enum Source {
    World(RwLock<Arc<World>>),
    Recordings(Recordings),
}

struct Shared {
    base: String,
    /// Where attached files lie: another origin.
    store: String,
    source: Source,
    behaviour: RwLock<Arc<Behaviour>>,
    fault_hits: Mutex<Vec<(u64, u64)>>,
    journal: Mutex<Journal>,
    contracts: Option<Arc<Contracts>>,
    rest: Mutex<Window>,
    minute: Mutex<Window>,
    graphql: Mutex<Window>,
    at_once: AtomicUsize,
    number: AtomicU64,
    installation: Mutex<Installation>,
    started: Instant,
}

impl Sandbox {
    /// Serves a generated world, held to the contracts where they are there.
    pub(crate) fn start(world: World, behaviour: Behaviour) -> Self {
        Self::serve(Source::World(RwLock::new(Arc::new(world))), behaviour, Contracts::shared())
    }

    /// Serves recorded exchanges from a `.jsonl.gz` file or a folder of those; what was not recorded is 404.
    pub(crate) fn replay(path: &Path, behaviour: Behaviour) -> Self {
        Self::serve(Source::Recordings(Recordings::open(path)), behaviour, None)
    }

    fn serve(source: Source, behaviour: Behaviour, contracts: Option<Arc<Contracts>>) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
        listener.set_nonblocking(true).expect("a socket that does not block");
        let address = listener.local_addr().expect("an address");
        let files = std::net::TcpListener::bind("127.0.0.1:0").expect("a second free port on loopback");
        files.set_nonblocking(true).expect("a socket that does not block");
        let shared = Arc::new(Shared {
            base: format!("http://{address}"),
            store: format!("http://{}", files.local_addr().expect("an address")),
            source,
            fault_hits: Mutex::new(vec![(0, 0); behaviour.faults.len()]),
            behaviour: RwLock::new(Arc::new(behaviour)),
            journal: Mutex::default(),
            contracts,
            rest: Mutex::new(Window::starting()),
            minute: Mutex::new(Window::starting()),
            graphql: Mutex::new(Window::starting()),
            at_once: AtomicUsize::new(0),
            number: AtomicU64::new(0),
            installation: Mutex::default(),
            started: Instant::now(),
        });
        let (stop, stopped) = oneshot::channel();
        let state = Arc::clone(&shared);
        let thread = std::thread::spawn(move || run(listener, files, state, stopped));
        Self { address, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn base(&self) -> &str {
        &self.shared.base
    }

    /// The base of GitHub; GraphQL is at `/graphql` below.
    pub(crate) fn github(&self) -> String {
        format!("{}/github", self.base())
    }

    /// The base of a GitHub Enterprise Server: REST at `/api/v3` below, GraphQL at `/api/graphql`.
    pub(crate) fn enterprise(&self) -> String {
        format!("{}/enterprise", self.base())
    }

    /// The base of Google's services, with `{service}` in it.
    pub(crate) fn google(&self) -> String {
        format!("{}/{{service}}", self.base())
    }

    /// The world that is served now.
    pub(crate) fn world(&self) -> Arc<World> {
        self.shared.world().expect("a generated world")
    }

    /// Serves another world from now on, e.g. the next night's.
    pub(crate) fn serve_world(&self, world: World) {
        self.shared.serve(world);
    }

    /// A later hour: nothing of the limits is used up.
    pub(crate) fn refill(&self) {
        for window in [&self.shared.rest, &self.shared.minute, &self.shared.graphql] {
            *lock(window) = Window::starting();
        }
    }

    /// Behaves otherwise from now on; faults are counted anew.
    pub(crate) fn behave(&self, behaviour: Behaviour) {
        *lock(&self.shared.fault_hits) = vec![(0, 0); behaviour.faults.len()];
        *self.shared.behaviour.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(behaviour);
    }

    /// All requests so far, in the order of their arrival at the journal.
    pub(crate) fn requests(&self) -> Vec<Entry> {
        lock(&self.shared.journal).entries.clone()
    }

    /// Counts over all requests so far.
    pub(crate) fn counters(&self) -> Counters {
        lock(&self.shared.journal).counters()
    }

    /// Forgets the requests so far, not the violations.
    pub(crate) fn forget_requests(&self) {
        lock(&self.shared.journal).entries.clear();
    }

    /// The most requests that were under way at once.
    pub(crate) fn most_at_once(&self) -> usize {
        lock(&self.shared.journal).most_at_once
    }

    /// GraphQL points that answers cost so far, by the name of the query.
    pub(crate) fn points(&self) -> std::collections::BTreeMap<String, u64> {
        lock(&self.shared.journal).points.clone()
    }

    /// Requests that broke a vendor's contract, with the reason.
    pub(crate) fn violations(&self) -> Vec<String> {
        lock(&self.shared.journal).violations.clone()
    }

    /// Tokens that the App's installation was given.
    pub(crate) fn tokens_minted(&self) -> u64 {
        lock(&self.shared.installation).minted
    }

    /// Whether requests are held to the contracts.
    pub(crate) fn holds_contracts(&self) -> bool {
        self.shared.contracts.is_some()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Either end may be gone already; both mean that it has stopped.
        let told = self.stop.take().is_some_and(|stop| stop.send(()).is_ok());
        let ended = self.thread.take().is_some_and(|thread| thread.join().is_ok());
        debug_assert!(told && ended || std::thread::panicking(), "the sandbox had stopped before");
    }
}

fn run(listener: std::net::TcpListener, files: std::net::TcpListener, shared: Arc<Shared>, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async move {
        let lines = Lines(TcpListener::from_std(listener).expect("a listener"));
        let files = Lines(TcpListener::from_std(files).expect("a listener"));
        let service = Router::new().fallback(handle).with_state(shared).into_make_service_with_connect_info::<Scissors>();
        let store = service.clone();
        tokio::select! {
            _ended = async { axum::serve(lines, service).await } => {}
            _ended = async { axum::serve(files, store).await } => {}
            _told = stopped => {}
        }
    });
    runtime.shutdown_background();
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts a request as under way until it is dropped.
struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn handle(State(shared): State<Arc<Shared>>, ConnectInfo(scissors): ConnectInfo<Scissors>, request: Request) -> Response {
    let now_at_once = shared.at_once.fetch_add(1, Ordering::SeqCst) + 1;
    let _under_way = UnderWay(&shared.at_once);
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST_BODY).await.unwrap_or_default();
    let ask = Ask::new(&parts, body, &shared.base);
    let behaviour = Arc::clone(&shared.behaviour.read().unwrap_or_else(PoisonError::into_inner));
    tokio::time::sleep(behaviour.latency).await;
    let fault = shared.fault(&behaviour, &ask);
    if let Some(Action::Delay(time)) = &fault {
        tokio::time::sleep(*time).await;
    }
    let reply = match fault {
        Some(Action::Close) => {
            scissors.cut();
            shared.note(&ask, None, now_at_once);
            return Response::new(Body::empty());
        }
        Some(action) => shared.faulty(&behaviour, &ask, &action, now_at_once),
        None => shared.reply(&behaviour, &ask, now_at_once),
    };
    shared.note(&ask, Some(reply.status), now_at_once);
    respond(shared.dated(&behaviour, reply))
}

/// Puts a reply on the line, breaking it where it is to break.
pub(crate) fn respond(reply: Reply) -> Response {
    let body = if reply.broken {
        let half = reply.body.get(..reply.body.len() / 2).unwrap_or_default().to_vec();
        // The pause lets the first half leave before the line breaks.
        let breaking = stream::once(async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
        });
        Body::from_stream(stream::iter([Ok(half)]).chain(breaking))
    } else {
        Body::from(reply.body)
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

impl Shared {
    fn serve(&self, world: World) {
        if let Source::World(current) = &self.source {
            *current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(world);
        }
    }

    fn world(&self) -> Option<Arc<World>> {
        match &self.source {
            Source::World(world) => Some(Arc::clone(&world.read().unwrap_or_else(PoisonError::into_inner))),
            Source::Recordings(_) => None,
        }
    }

    fn note(&self, ask: &Ask, status: Option<u16>, at_once: usize) {
        let mut journal = lock(&self.journal);
        journal.most_at_once = journal.most_at_once.max(at_once);
        let entry = Entry { service: ask.service.clone(), method: ask.method.clone(), path: ask.path.clone(), query: ask.query.clone(), status };
        journal.entries.push(entry);
    }

    /// The fault that is due, if any.
    fn fault(&self, behaviour: &Behaviour, ask: &Ask) -> Option<Action> {
        let path = format!("/{}{}", ask.service, ask.path);
        let with_query = format!("{path}?{}", ask.query);
        let mut hits = lock(&self.fault_hits);
        for (fault, (seen, done)) in behaviour.faults.iter().zip(hits.iter_mut()) {
            if !fault.concerns(if fault.path.contains('?') { &with_query } else { &path }) {
                continue;
            }
            *seen += 1;
            if seen.is_multiple_of(fault.every.max(1)) && *done < fault.times {
                *done += 1;
                return Some(fault.action.clone());
            }
        }
        None
    }

    fn faulty(&self, behaviour: &Behaviour, ask: &Ask, action: &Action, at_once: usize) -> Reply {
        match action {
            Action::Status(status) => Reply::message(*status, "a fault on demand"),
            Action::Body(status, body) => Reply::new(*status, body.clone().into_bytes()).header("content-type", "application/json; charset=utf-8"),
            Action::Html(status) => Reply::new(*status, b"<!DOCTYPE html><title>Unicorn!</title>".to_vec()).header("content-type", "text/html"),
            Action::RateLimited(seconds) => {
                let left = Left { limit: behaviour.limit, used: behaviour.limit, remaining: 0, reset_in: Duration::from_secs(*seconds) };
                self.told(behaviour, ask, Reply::message(403, "API rate limit exceeded for user ID 1."), left)
            }
            Action::SlowDown(seconds) => slow_down(*seconds),
            Action::Truncate => Reply { broken: true, ..self.reply(behaviour, ask, at_once) },
            Action::Cut => {
                let mut reply = self.reply(behaviour, ask, at_once);
                reply.body.truncate(reply.body.len() / 2);
                reply
            }
            Action::Delay(_) | Action::Close => self.reply(behaviour, ask, at_once),
        }
    }

    fn reply(&self, behaviour: &Behaviour, ask: &Ask, at_once: usize) -> Reply {
        if let Source::Recordings(recordings) = &self.source {
            return recordings.answer(ask);
        }
        let Some(world) = self.world() else { return Reply::message(404, "Not Found") };
        if behaviour.concurrency.is_some_and(|most| at_once > most) {
            return slow_down(behaviour.retry_after);
        }
        if ask.service == "attached" {
            let (reply, told) = attachments::store(&world, ask);
            lock(&self.journal).violations.extend(told);
            return reply;
        }
        if ask.service == "github" { self.github(behaviour, &world, ask) } else { self.google(behaviour, &world, ask) }
    }

    fn google(&self, behaviour: &Behaviour, world: &World, ask: &Ask) -> Reply {
        if behaviour.google == GoogleAuth::Required && ask.authorization.is_none() {
            return rest::google_error(401, "UNAUTHENTICATED", "Request is missing required authentication credential.");
        }
        self.held(ask, || rest::google::answer(world, ask))
    }

    fn github(&self, behaviour: &Behaviour, world: &World, ask: &Ask) -> Reply {
        let accepted = ask.authorization.as_deref().and_then(|header| header.split_once(' ')).is_some_and(|(scheme, token)| {
            (scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token"))
                && match behaviour.app_token_lasts {
                    Some(lasts) => lock(&self.installation).lets_in(ask, token, lasts),
                    None => token == behaviour.token || ask.path.ends_with("/access_tokens"),
                }
        });
        if !accepted {
            return Reply::message(401, "Bad credentials");
        }
        if attachments::is_file(&ask.path) {
            return attachments::page(&self.store, ask);
        }
        if let Some(most) = behaviour.per_minute.filter(|_most| !ask.is_graphql()) {
            let mut minute = lock(&self.minute);
            let left = minute.left(most, Duration::from_secs(60));
            minute.take(1);
            if left.remaining == 0 {
                return slow_down(left.reset_in.as_secs() + 1);
            }
        }
        let window = if ask.is_graphql() { &self.graphql } else { &self.rest };
        let left = lock(window).left(behaviour.limit, behaviour.window);
        if left.remaining == 0 {
            return self.told(behaviour, ask, Reply::message(403, "API rate limit exceeded for user ID 1."), left);
        }
        let mut points = 1;
        let reply = self.held(ask, || {
            if let Some((reply, changed)) = desk::answer(world, ask) {
                changed.map(World::new).into_iter().for_each(|world| self.serve(world));
                return reply;
            }
            if ask.is_graphql() {
                let (reply, cost) = self.graphql(behaviour, world, ask, left);
                points = cost;
                return reply;
            }
            let is_minting = behaviour.app_token_lasts.is_some() && ask.path.ends_with("/access_tokens");
            let token = if is_minting { lock(&self.installation).mint() } else { behaviour.token.clone() };
            rest::github::answer(world, ask, &token).revalidated(ask)
        });
        // A 304 costs nothing.
        if reply.status != 304 {
            lock(window).take(points);
        }
        let left = lock(window).left(behaviour.limit, behaviour.window);
        self.told(behaviour, ask, reply, left)
    }

    fn graphql(&self, behaviour: &Behaviour, world: &World, ask: &Ask, left: Left) -> (Reply, u64) {
        let Some(question) = Question::parse(&ask.body) else { return (Reply::message(400, "Problems parsing JSON"), 1) };
        if behaviour.manages.get(question.name()).is_some_and(|most| question.size() > *most) {
            return (Reply::message(504, "We couldn't respond to your request in time. Sorry about that."), 1);
        }
        let reset_at = instant(self.now(behaviour) + TimeDelta::from_std(left.reset_in).unwrap_or_default());
        let budget = Budget { limit: left.limit, remaining: left.remaining.saturating_sub(1), reset_at };
        let answer = graphql::answer(world, &question, &budget, &behaviour.forbidden_fields);
        *lock(&self.journal).points.entry(question.name().to_owned()).or_default() += answer.cost;
        (Reply::json(200, &answer.body), answer.cost)
    }

    /// The answer, or 400 where the request breaks the vendor's contract.
    fn held(&self, ask: &Ask, answer: impl FnOnce() -> Reply) -> Reply {
        let Some(violation) = self.contracts.as_ref().and_then(|contracts| contracts.violation(ask)) else { return answer() };
        let told =
            format!("{} {} {}{}: {violation}", ask.service, ask.method, ask.path, if ask.query.is_empty() { String::new() } else { format!("?{}", ask.query) });
        let reply = Reply::message(400, &format!("the request breaks the published contract: {told}"));
        lock(&self.journal).violations.push(told);
        reply
    }

    fn now(&self, behaviour: &Behaviour) -> DateTime<Utc> {
        let of_world = || self.world().map_or(DateTime::UNIX_EPOCH, |world| world.now()) + TimeDelta::from_std(self.started.elapsed()).unwrap_or_default();
        behaviour.clock.as_ref().map_or_else(of_world, |clock| clock())
    }

    /// The reply with the time of the world's clock, by which it tells resets too: the server's own would add that of this machine.
    fn dated(&self, behaviour: &Behaviour, reply: Reply) -> Reply {
        let date = self.now(behaviour).format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        if self.world().is_some() { reply.header("date", date) } else { reply }
    }

    /// The reply with the headers that GitHub puts on every answer.
    fn told(&self, behaviour: &Behaviour, ask: &Ask, reply: Reply, left: Left) -> Reply {
        let number = self.number.fetch_add(1, Ordering::SeqCst);
        let reset = self.now(behaviour) + TimeDelta::from_std(left.reset_in).unwrap_or_default();
        let reply = reply
            .header("x-ratelimit-limit", left.limit.to_string())
            .header("x-ratelimit-remaining", left.remaining.to_string())
            .header("x-ratelimit-used", left.used.to_string())
            .header("x-ratelimit-reset", reset.timestamp().to_string())
            .header("x-ratelimit-resource", if ask.is_graphql() { "graphql" } else { "core" })
            .header("x-github-api-version-selected", "2022-11-28")
            .header("x-github-request-id", format!("5A4D:{number:06X}"));
        // Not every 304 of GitHub repeats the Link of the answer that it stands for.
        if reply.status == 304 && number % 2 == 1 { reply.without("link") } else { reply }
    }
}

fn slow_down(seconds: u64) -> Reply {
    Reply::message(403, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.").header("retry-after", seconds.to_string())
}
