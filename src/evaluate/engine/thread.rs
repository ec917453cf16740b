//! The thread that everything is compiled, evaluated and dropped on, and the watchdog beside it.
//!
//! Deep expressions overflow ordinary stacks, which no program survives, hence one thread with a very large (lazily used) stack. The engine cannot be
//! interrupted either, hence the watchdog: an expression over its time limit is given up, its thread abandoned and replaced. An abandoned thread ends at the
//! next name that its expression looks up, with its evaluation, or with the process. This is the only file of the stage that measures time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::evaluate::engine::plan::{Part, Plan, Trace, Work};
use crate::evaluate::engine::program::References;
use crate::evaluate::engine::subject::Subject;
use crate::evaluate::engine::worker::{Job, Progress, Reply, serve};
use crate::evaluate::{EvaluateError, TIME_LIMIT};

/// Measured: all hostile shapes of 4 KiB pass in a debug build with 96 MiB.
const STACK: usize = 256 << 20;

/// After so many timeouts an expression is not evaluated again: each of them may cost a thread.
const PATIENCE: u32 = 3;

/// The watchdog's side.
#[derive(Debug)]
pub(in crate::evaluate) struct Engine {
    plan: Arc<Plan>,
    worker: Worker,
    limit: Duration,
    references: Vec<References>,
    /// By test and part.
    timeouts: BTreeMap<(usize, Part), u32>,
}

#[derive(Debug)]
struct Worker {
    jobs: Sender<Job>,
    replies: Receiver<Reply>,
    progress: Arc<Progress>,
    /// Last, because fields are dropped in order: without a channel the thread that is waited for ends.
    thread: LargeThread,
}

/// A thread with the large stack: waited for when dropped.
///
/// It is never detached: glibc's `pthread_detach` (seen in 2.36) looks at the thread's block once more after it has let go of it. Where the thread ends just then,
/// a stack of this size is unmapped at once, and the program dies of it, seldom and under load.
#[derive(Debug)]
struct LargeThread(Option<JoinHandle<()>>);

enum Heard {
    Reply(Reply),
    /// One expression has been running for the whole limit.
    Stuck(Part),
    Ended,
}

impl Engine {
    /// Compiles the plan. `limit` bounds each expression on each resource.
    pub(in crate::evaluate) fn start(plan: Plan, limit: Duration) -> Result<Self, EvaluateError> {
        let plan = Arc::new(plan);
        let (worker, references) = Worker::start(&plan)?;
        Ok(Self { plan, worker, limit, references, timeouts: BTreeMap::new() })
    }

    /// Bounds each expression on each resource from now on.
    pub(in crate::evaluate) fn set_limit(&mut self, limit: Duration) {
        self.limit = limit;
    }

    /// The bound in force.
    pub(in crate::evaluate) fn limit(&self) -> Duration {
        self.limit
    }

    /// What the test's `require` names.
    pub(in crate::evaluate) fn references(&self, test: usize) -> Option<&References> {
        self.references.get(test)
    }

    /// One trace for each piece of work, in its order.
    pub(in crate::evaluate) fn run(&mut self, subjects: Vec<Subject>, work: &[Work]) -> Result<Vec<Trace>, EvaluateError> {
        let subjects = Arc::new(subjects);
        let mut traces = Vec::with_capacity(work.len());
        while let Some(rest) = work.get(traces.len()..).filter(|rest| !rest.is_empty()) {
            self.run_until_stuck(&subjects, rest, &mut traces)?;
        }
        Ok(traces)
    }

    /// Sends the work and hears all of it, or up to the first expression over its limit.
    fn run_until_stuck(&mut self, subjects: &Arc<Vec<Subject>>, work: &[Work], traces: &mut Vec<Trace>) -> Result<(), EvaluateError> {
        let given_up = self.timeouts.iter().filter(|(_, count)| **count >= PATIENCE).map(|(place, _)| *place).collect();
        let job = Job { subjects: Arc::clone(subjects), work: work.to_vec(), given_up };
        self.worker.jobs.send(job).map_err(|_unsent| EvaluateError::ThreadEnded)?;
        for work in work {
            match self.worker.hear(self.limit) {
                Heard::Reply(Reply::Judged(trace)) => traces.push(trace),
                Heard::Reply(Reply::Ready(_)) | Heard::Ended => return Err(EvaluateError::ThreadEnded),
                Heard::Stuck(part) => {
                    self.worker.progress.abandon();
                    self.worker.thread.abandon();
                    traces.push(Trace::stuck_in(part));
                    *self.timeouts.entry((work.test, part)).or_default() += 1;
                    // The old worker is dropped with its channels: its thread ends at the latest when it tries to reply.
                    (self.worker, self.references) = Worker::start(&self.plan)?;
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

impl Worker {
    fn start(plan: &Arc<Plan>) -> Result<(Self, Vec<References>), EvaluateError> {
        let (jobs, inbox) = channel();
        let (outbox, replies) = channel();
        let progress = Arc::new(Progress::new());
        let (of_thread, shared) = (Arc::clone(plan), Arc::clone(&progress));
        let thread = LargeThread::spawn(move || serve(&of_thread, &inbox, &outbox, &shared))?;
        let mut worker = Self { jobs, replies, progress, thread };
        // Compiling is bounded by the source limit, so this limit is only there against a defect.
        match worker.hear(TIME_LIMIT) {
            Heard::Reply(Reply::Ready(references)) => return Ok((worker, references?)),
            Heard::Stuck(_) => worker.thread.abandon(),
            Heard::Reply(Reply::Judged(_)) | Heard::Ended => {}
        }
        Err(EvaluateError::ThreadEnded)
    }

    /// The next reply. An expression may run for up to twice the limit before it counts as stuck, never for less than the limit.
    fn hear(&self, limit: Duration) -> Heard {
        loop {
            let (before, _) = self.progress.step();
            match self.replies.recv_timeout(limit) {
                Ok(reply) => return Heard::Reply(reply),
                Err(RecvTimeoutError::Disconnected) => return Heard::Ended,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let (after, part) = self.progress.step();
            if after == before {
                return Heard::Stuck(part);
            }
        }
    }
}

impl LargeThread {
    fn spawn(task: impl FnOnce() + Send + 'static) -> Result<Self, EvaluateError> {
        let builder = std::thread::Builder::new().name("expressions".to_owned()).stack_size(STACK);
        builder.spawn(task).map(|handle| Self(Some(handle))).map_err(EvaluateError::NoThread)
    }

    /// Gives the thread up without waiting for it, and what it holds with it.
    fn abandon(&mut self) {
        std::mem::forget(self.0.take());
    }
}

impl Drop for LargeThread {
    fn drop(&mut self) {
        // A panic on the thread has been told by the channel that it left.
        drop(self.0.take().map(JoinHandle::join));
    }
}

/// Runs `task` on a thread with the large stack and waits for it at most `limit`; none where it takes longer or fails.
pub(super) fn on_large_stack<T: Send + 'static>(limit: Duration, task: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (outbox, inbox) = channel();
    let mut thread = LargeThread::spawn(move || drop(outbox.send(task()))).ok()?;
    let told = inbox.recv_timeout(limit);
    if matches!(told, Err(RecvTimeoutError::Timeout)) {
        thread.abandon();
    }
    told.ok()
}
