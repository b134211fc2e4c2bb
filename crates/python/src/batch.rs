//! Many judgements on threads, which Ctrl-C ends.
//!
//! Threads are started for each batch: a pool would not outlive a fork, and a thread costs less
//! than a judgement. None starts or ends while the process forks, since systems leave what they keep
//! of it half done in the child.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{Builder, available_parallelism, park, scope};
use std::time::Duration;

use pyo3::prelude::*;

use crate::forking::unforked;
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
    /// No further item is to be judged.
    ending: AtomicBool,
    /// Threads may end.
    over: AtomicBool,
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
        over: AtomicBool::new(false),
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
            // Nothing is sent through the second channel: it closes when the last thread is done.
            let ((starting, started), (working, done)) = (channel(), channel());
            let start = |_| {
                let (starting, working) = (starting.clone(), working.clone());
                let builder = Builder::new().name("mwpbench-judge".to_owned());
                let builder = builder.stack_size(STACK);
                builder
                    .spawn_scoped(scope, move || self.thread(starting, working))
                    .ok()
            };
            let workers: Vec<_> = unforked(|| {
                let workers: Vec<_> = (0..threads).filter_map(start).collect();
                started.iter().take(workers.len()).for_each(drop);
                workers
            });
            drop(working);
            let signal = self.wait(&done);
            // Where the system gives no thread, the caller's does everything.
            let mut made = self.work();
            unforked(|| {
                self.over.store(true, Ordering::SeqCst);
                for worker in workers {
                    worker.thread().unpark();
                    made.extend(worker.join().expect("panics are caught where they are"));
                }
            });
            (made, signal)
        })
    }

    /// Waits until all threads are done, or a signal raises an error.
    fn wait(&self, done: &Receiver<()>) -> PyResult<()> {
        while let Err(RecvTimeoutError::Timeout) = done.recv_timeout(BETWEEN_SIGNALS) {
            if let Err(raised) = Python::attach(|py| py.check_signals()) {
                self.ending.store(true, Ordering::SeqCst);
                // At most one judgement each.
                while done.recv().is_ok() {}
                return Err(raised);
            }
        }
        Ok(())
    }

    /// What one thread does, from its start to the moment at which it may end.
    fn thread(&self, starting: Sender<()>, working: Sender<()>) -> Made {
        // The caller's thread waits for it.
        let _ = starting.send(());
        let made = self.work();
        drop(working);
        while !self.over.load(Ordering::SeqCst) {
            park();
        }
        made
    }

    fn work(&self) -> Made {
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
                let judge = || self.rules.judge(&self.items[number]);
                made.push((number, judging_detached(judge)));
            }
        }
    }
}
