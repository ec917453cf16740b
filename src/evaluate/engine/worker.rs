//! What happens on the evaluating thread: compile the plan, then answer job after job until nobody asks any more.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};

use cel::common::value::Val;
use cel::{Program, Value};

use crate::evaluate::engine::fault::Fault;
use crate::evaluate::engine::plan::{Part, Plan, PlannedTest, Trace, Work};
use crate::evaluate::engine::program::{self, Answer, Names, References};
use crate::evaluate::engine::subject::Subject;
use crate::evaluate::engine::value;
use crate::evaluate::{EvaluateError, SOURCE_LIMIT};

/// Subjects, and what to evaluate on them.
pub(super) struct Job {
    pub(super) subjects: Arc<Vec<Subject>>,
    pub(super) work: Vec<Work>,
    /// Expressions, by test, that are not evaluated any more.
    pub(super) given_up: BTreeSet<(usize, Part)>,
}

/// One answer of the thread.
pub(super) enum Reply {
    /// The first: what each test's `require` names.
    Ready(Result<Vec<References>, EvaluateError>),
    /// One for each piece of work.
    Judged(Trace),
}

/// Tells the watchdog a slow expression from many quick ones.
#[derive(Debug)]
pub(super) struct Progress {
    step: Mutex<(u64, Part)>,
    abandoned: AtomicBool,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { step: Mutex::new((0, Part::Where)), abandoned: AtomicBool::new(false) }
    }

    /// How many expressions were begun, and which part of its test the last one is.
    pub(super) fn step(&self) -> (u64, Part) {
        *self.step.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the thread to end at the next name that its expression looks up.
    pub(super) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }

    fn begin(&self, part: Part) {
        let mut step = self.step.lock().unwrap_or_else(PoisonError::into_inner);
        *step = (step.0.wrapping_add(1), part);
    }
}

/// One test, compiled.
struct Compiled {
    noun: &'static str,
    parameters: Box<dyn Val>,
    filter: Option<Program>,
    require: Program,
    because: Option<Program>,
}

/// Compiles the plan, says so, and serves; returns when the other side of either channel is gone.
pub(super) fn serve(plan: &Plan, inbox: &Receiver<Job>, outbox: &Sender<Reply>, progress: &Progress) {
    let compiled: Result<Vec<Compiled>, EvaluateError> = plan.tests.iter().map(|test| Compiled::new(test, progress)).collect();
    let compiled = match compiled {
        Ok(compiled) => compiled,
        Err(error) => return drop(outbox.send(Reply::Ready(Err(error)))),
    };
    let references = compiled.iter().map(|test| References::of(test.require.expression(), test.noun)).collect();
    let now: Result<Box<dyn Val>, _> = Value::Timestamp(plan.now.fixed_offset()).try_into();
    let (Ok(now), Ok(())) = (now, outbox.send(Reply::Ready(Ok(references)))) else { return };
    while let Ok(job) = inbox.recv() {
        for work in &job.work {
            let (Some(test), Some(subject)) = (compiled.get(work.test), job.subjects.get(work.subject)) else { return };
            let abandoned = Some(&progress.abandoned);
            let names = Names { noun: test.noun, subject: Some(subject), parameters: test.parameters.as_ref(), now: Some(now.as_ref()), abandoned };
            let trace = test.trace(|part, program| job.answer(*work, part, program, (&names, progress)));
            if outbox.send(Reply::Judged(trace)).is_err() {
                return;
            }
        }
    }
}

impl Job {
    fn answer(&self, work: Work, part: Part, program: &Program, (names, progress): (&Names<'_>, &Progress)) -> Answer {
        if self.given_up.contains(&(work.test, part)) {
            return Answer::None(Fault::TimedOut);
        }
        progress.begin(part);
        program::evaluate(program.expression(), names)
    }
}

impl Compiled {
    fn new(test: &PlannedTest, progress: &Progress) -> Result<Self, EvaluateError> {
        let mut parameters = Vec::new();
        for (name, json) in &test.parameters {
            let refused = |message: String| EvaluateError::Parameter { control: test.control.clone(), name: name.clone(), message };
            parameters.push((name.clone(), value::parameter(json).map_err(|misfit| refused(misfit.to_string()))?));
        }
        let compile = |part: Part, source: &String| {
            progress.begin(part);
            let refused = |message: String| EvaluateError::Expression { control: test.control.clone(), test: test.number, part: part.as_str(), message };
            if source.len() > SOURCE_LIMIT {
                return Err(refused(format!("longer than {SOURCE_LIMIT} bytes")));
            }
            program::compile(source).map_err(|errors| refused(errors.errors.first().map_or_else(String::new, |error| error.msg.clone())))
        };
        Ok(Self {
            noun: test.noun,
            parameters: value::map(parameters.into_iter()).try_into().map_err(|_engine| EvaluateError::ThreadEnded)?,
            filter: test.filter.as_ref().map(|source| compile(Part::Where, source)).transpose()?,
            require: compile(Part::Require, &test.require)?,
            because: test.because.as_ref().map(|source| compile(Part::Because, source)).transpose()?,
        })
    }

    /// `where`, then `require` unless that excludes the resource, then `because` for a failure.
    fn trace(&self, evaluate: impl Fn(Part, &Program) -> Answer) -> Trace {
        let mut trace = Trace { filter: self.filter.as_ref().map(|filter| evaluate(Part::Where, filter)), ..Trace::default() };
        if matches!(trace.filter, None | Some(Answer::Truth(true))) {
            trace.require = Some(evaluate(Part::Require, &self.require));
        }
        if trace.require == Some(Answer::Truth(false)) {
            trace.because = self.because.as_ref().map(|because| evaluate(Part::Because, because));
        }
        trace
    }
}
