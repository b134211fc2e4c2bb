//! Many judgements on threads, which Ctrl-C ends.
//!
//! Threads are started for each batch: a pool would not outlive a fork, and a thread costs less
//! than a judgement.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{Builder, available_parallelism, scope};
use std::time::Duration;

use pyo3::prelude::*;

use crate::guarded::Panicked;
use crate::judging::judging_detached;
use crate::rules::{Item, Judged, Rules};

/// How often Python is asked whether a signal came.
const BETWEEN_SIGNALS: Duration = Duration::from_millis(50);
/// Items that a thread takes at a time.
const TAKEN: usize = 8;
/// Bytes of a thread's stack, as main threads have: no judgement needs another one then.
const STACK: usize = 8 << 20;

/// What all threads of a batch see.
struct Batch<'a> {
    rules: &'a Rules,
    items: &'a [Item<'a>],
    next: AtomicUsize,
    ending: AtomicBool,
}

/// What a thread made: the item's number with what came of it.
type Made = Vec<(usize, Result<Judged, Panicked>)>;

/// As many threads as there are processors for this process.
pub fn processors() -> usize {
    available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Judges all items, in their order, with the interpreter's lock released.
///
/// # Errors
/// What a signal raised, such as `KeyboardInterrupt`, or a panic.
pub fn judge_all(
    py: Python<'_>,
    rules: &Rules,
    items: &[Item<'_>],
    threads: usize,
) -> PyResult<Vec<Judged>> {
    let batch = Batch {
        rules,
        items,
        next: AtomicUsize::new(0),
        ending: AtomicBool::new(false),
    };
    let (made, signal) = py.detach(|| batch.run(threads.min(items.len().div_ceil(TAKEN))));
    signal?;
    let mut judged: Vec<Option<Judged>> = (0..items.len()).map(|_| None).collect();
    for (number, outcome) in made {
        let place = || format!("completions[{number}]");
        judged[number] = Some(outcome.map_err(|panicked| panicked.error(&place()))?);
    }
    Ok(judged.into_iter().flatten().collect())
}

impl Batch<'_> {
    /// Everything that was made, and what a signal raised.
    fn run(&self, threads: usize) -> (Made, PyResult<()>) {
        scope(|scope| {
            let (sender, receiver) = channel();
            let start = |_| {
                let sender = sender.clone();
                Builder::new()
                    .name("mwpbench-judge".to_owned())
                    .stack_size(STACK)
                    .spawn_scoped(scope, move || self.work(sender))
                    .ok()
            };
            let workers: Vec<_> = (0..threads).filter_map(start).collect();
            drop(sender);
            let mut signal = Ok(());
            // Nothing is ever sent: the channel closes when the last thread is done.
            while let Err(RecvTimeoutError::Timeout) = receiver.recv_timeout(BETWEEN_SIGNALS) {
                signal = Python::attach(|py| py.check_signals());
                if signal.is_err() {
                    self.ending.store(true, Ordering::Relaxed);
                    break;
                }
            }
            let mut made = Made::with_capacity(self.items.len());
            for worker in workers {
                made.extend(worker.join().expect("panics are caught where they are"));
            }
            // Where the system gives no thread, the caller's does everything.
            made.extend(self.work(channel().0));
            (made, signal)
        })
    }

    fn work(&self, _open: Sender<()>) -> Made {
        let mut made = Made::new();
        loop {
            let first = self.next.fetch_add(TAKEN, Ordering::Relaxed);
            if first >= self.items.len() {
                return made;
            }
            for number in first..self.items.len().min(first + TAKEN) {
                if self.ending.load(Ordering::Relaxed) {
                    return made;
                }
                made.push((
                    number,
                    judging_detached(|| self.rules.judge(&self.items[number])),
                ));
            }
        }
    }
}
