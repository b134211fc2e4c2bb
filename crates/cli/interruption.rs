//! SIGINT and SIGTERM: the first one ends a run after the step that is being computed, with
//! everything kept; the second one ends the program at once, and so does the first where there is
//! nothing to keep.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit;

/// Whether a run is going on, which can be stopped in order.
static RUNNING: AtomicBool = AtomicBool::new(false);
static ASKED: AtomicBool = AtomicBool::new(false);

/// Installs the handler of signals.
pub fn listen() -> anyhow::Result<()> {
    Ok(ctrlc::set_handler(|| {
        let first = !ASKED.swap(true, Ordering::SeqCst);
        if !(first && RUNNING.load(Ordering::SeqCst)) {
            std::process::exit(exit::INTERRUPTED.into());
        }
        eprintln!("interrupted: stopping after this step; once more to stop at once");
    })?)
}

/// Whether to continue; from the first call on a signal stops the run in order.
pub fn may_go_on() -> ControlFlow<()> {
    RUNNING.store(true, Ordering::SeqCst);
    if ASKED.load(Ordering::SeqCst) {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    }
}
