//! No judgement is under way while the process forks.
//!
//! A child has the thread that forked and no other. What another thread was setting up at that
//! moment (the rules are read at the first judgement) would stay half done in the child, and its
//! first judgement would wait for ever. So Python asks here before it forks and after it: judgements
//! that are under way end first, which takes milliseconds, and others wait.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

use pyo3::prelude::*;

/// Judgements that are under way.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);
/// Threads that are about to fork.
static FORKING: AtomicUsize = AtomicUsize::new(0);

/// How long a thread waits before it looks again.
const MOMENT: Duration = Duration::from_micros(50);

/// A judgement, from its begin to its end.
struct UnderWay;

impl UnderWay {
    fn begin() -> Self {
        loop {
            UNDER_WAY.fetch_add(1, Ordering::SeqCst);
            if FORKING.load(Ordering::SeqCst) == 0 {
                return Self;
            }
            UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
            sleep(MOMENT);
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Does the work at a moment at which the process does not fork.
pub fn unforked<T>(work: impl FnOnce() -> T) -> T {
    let _under_way = UnderWay::begin();
    work()
}

/// Waits until no judgement is under way, and holds others up.
#[pyfunction]
#[pyo3(name = "_before_fork")]
pub fn before_fork(py: Python<'_>) {
    py.detach(|| {
        FORKING.fetch_add(1, Ordering::SeqCst);
        while UNDER_WAY.load(Ordering::SeqCst) > 0 {
            sleep(MOMENT);
        }
    });
}

/// Lets judgements go on in the parent.
#[pyfunction]
#[pyo3(name = "_after_fork_in_parent")]
pub fn after_fork_in_parent() {
    FORKING.fetch_sub(1, Ordering::SeqCst);
}

/// Lets judgements go on in the child, whose only thread this is: others that were about to begin
/// one, or to fork, are not there.
#[pyfunction]
#[pyo3(name = "_after_fork_in_child")]
pub fn after_fork_in_child() {
    UNDER_WAY.store(0, Ordering::SeqCst);
    FORKING.store(0, Ordering::SeqCst);
}
