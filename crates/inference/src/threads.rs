//! The threads that compute: started once, given jobs many thousand times a second.
//!
//! A job here takes microseconds, less than a sleeping thread needs to wake. So workers spin for a
//! moment before they sleep, and the caller works as one of them. Which thread runs which task
//! never shows in a result: each task writes to its own part.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// How often a worker spins for a job before it sleeps: some tenths of a millisecond, the time
/// between two steps.
const SPINS: usize = 4_000;

/// A fixed number of threads that share the tasks of one job at a time.
#[derive(Debug)]
pub(crate) struct Threads {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// Held while a job runs.
    job_lock: Mutex<()>,
}

/// A job as all threads see it: called with the thread's number.
type Work<'a> = &'a (dyn Fn(usize) + Sync);

#[derive(Debug, Default)]
struct Shared {
    /// Counts the jobs given out.
    job_number: AtomicUsize,
    /// The current job: a pointer to a [`Work`] on the stack of the thread that gave it out.
    job: AtomicUsize,
    /// Workers that have not finished the current job.
    busy: AtomicUsize,
    sleepers: AtomicUsize,
    panicked: AtomicBool,
    ending: AtomicBool,
    sleep_lock: Mutex<()>,
    wake: Condvar,
}

impl Threads {
    /// Starts `count` threads less one, the caller's being the first; `None` for one a core.
    ///
    /// # Errors
    /// When the system refuses to start a thread.
    pub(crate) fn start(count: Option<usize>) -> std::io::Result<Self> {
        let count = Self::wanted(count);
        let mut threads = Self {
            shared: Arc::default(),
            workers: Vec::with_capacity(count - 1),
            job_lock: Mutex::new(()),
        };
        for number in 1..count {
            let shared = Arc::clone(&threads.shared);
            let worker = std::thread::Builder::new().name(format!("compute-{number}"));
            threads
                .workers
                .push(worker.spawn(move || shared.work(number))?);
        }
        Ok(threads)
    }

    /// How many [`Self::start`] makes, the caller's included: at least one.
    pub(crate) fn wanted(count: Option<usize>) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        count.unwrap_or_else(cores).max(1)
    }

    /// How many there are, the caller's included.
    pub(crate) fn count(&self) -> usize {
        self.workers.len() + 1
    }

    /// Runs tasks `0..tasks`, each once, on whichever thread is free; `task` gets the thread's
    /// number and the task's.
    ///
    /// # Panics
    /// When a task does. A task must not give out work itself.
    pub(crate) fn for_each(&self, tasks: usize, task: impl Fn(usize, usize) + Sync) {
        if tasks <= 1 || self.workers.is_empty() {
            return (0..tasks).for_each(|number| task(0, number));
        }
        let next = AtomicUsize::new(0);
        self.run(&|thread| {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= tasks {
                    return;
                }
                task(thread, number);
            }
        });
    }

    fn run(&self, work: Work<'_>) {
        let _job_lock = lock(&self.job_lock);
        // The job and the count need no order among themselves: workers read them after the number,
        // which is raised last.
        let shared = &*self.shared;
        shared
            .job
            .store((&raw const work) as usize, Ordering::Relaxed);
        shared.busy.store(self.workers.len(), Ordering::Relaxed);
        shared.job_number.fetch_add(1, Ordering::SeqCst);
        if shared.sleepers.load(Ordering::SeqCst) > 0 {
            // Under the lock: a worker that has just looked in vain is asleep by now, or looks
            // again.
            let _sleep_lock = lock(&shared.sleep_lock);
            shared.wake.notify_all();
        }
        let own = catch_unwind(AssertUnwindSafe(|| work(0)));
        // `work` lives until every worker is done with it, come what may.
        let mut spins = 0;
        // Acquire, for the Release of each worker: what its tasks wrote is seen from here on.
        while shared.busy.load(Ordering::Acquire) > 0 {
            spin_or_yield(&mut spins);
        }
        if let Err(panic) = own {
            resume_unwind(panic);
        }
        assert!(
            !shared.panicked.swap(false, Ordering::Relaxed),
            "a task panicked on another thread"
        );
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.shared.ending.store(true, Ordering::SeqCst);
        self.shared.job_number.fetch_add(1, Ordering::SeqCst);
        {
            let _sleep_lock = lock(&self.shared.sleep_lock);
            self.shared.wake.notify_all();
        }
        for worker in self.workers.drain(..) {
            // A worker catches every panic of its tasks, so that it always ends in order.
            let _ = worker.join();
        }
    }
}

impl Shared {
    fn work(&self, number: usize) {
        let mut seen = 0;
        loop {
            seen = self.next_job(seen);
            if self.ending.load(Ordering::SeqCst) {
                return;
            }
            let job = self.job.load(Ordering::Relaxed) as *const Work<'_>;
            // SAFETY: the pointer was stored before the job's number was raised, which `next_job`
            // has seen, and `run` does not return before this thread has lowered `busy`.
            let work = unsafe { *job };
            if catch_unwind(AssertUnwindSafe(|| work(number))).is_err() {
                self.panicked.store(true, Ordering::Relaxed);
            }
            self.busy.fetch_sub(1, Ordering::Release);
        }
    }

    /// Waits until there is a job after number `seen`, and returns its number.
    fn next_job(&self, seen: usize) -> usize {
        for _ in 0..SPINS {
            let current = self.job_number.load(Ordering::Acquire);
            if current != seen {
                return current;
            }
            std::hint::spin_loop();
        }
        let mut sleep_lock = lock(&self.sleep_lock);
        // Either this thread sees the new number, or the thread that raised it sees the sleeper and
        // wakes it.
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        let current = loop {
            let current = self.job_number.load(Ordering::SeqCst);
            if current != seen {
                break current;
            }
            sleep_lock = self
                .wake
                .wait(sleep_lock)
                .unwrap_or_else(PoisonError::into_inner);
        };
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
        current
    }
}

/// Waits a little; after a while it yields the core, perhaps to the thread that is waited for.
fn spin_or_yield(spins: &mut usize) {
    *spins += 1;
    if *spins < SPINS {
        std::hint::spin_loop()
    } else {
        std::thread::yield_now()
    }
}

fn lock(mutex: &Mutex<()>) -> MutexGuard<'_, ()> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_runs_once() {
        for count in [1, 2, 5] {
            let threads = Threads::start(Some(count)).unwrap();
            assert_eq!(threads.count(), count);
            for tasks in [0, 1, 2, 3, 100, 1_000] {
                let runs: Vec<AtomicUsize> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
                threads.for_each(tasks, |thread, task| {
                    assert!(thread < count);
                    runs[task].fetch_add(1, Ordering::Relaxed);
                });
                assert!(
                    runs.iter().all(|runs| runs.load(Ordering::Relaxed) == 1),
                    "{tasks} tasks"
                );
            }
        }
    }

    #[test]
    fn sleepers_wake() {
        let threads = Threads::start(Some(3)).unwrap();
        for _ in 0..5 {
            std::thread::sleep(std::time::Duration::from_millis(30));
            let sum = AtomicUsize::new(0);
            threads.for_each(64, |_, task| {
                sum.fetch_add(task, Ordering::Relaxed);
            });
            assert_eq!(sum.into_inner(), 64 * 63 / 2);
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_breaks_nothing() {
        let threads = Threads::start(Some(2)).unwrap();
        for broken in 0..8 {
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                threads.for_each(8, |_, task| {
                    std::thread::sleep(std::time::Duration::from_millis(1));
                    assert!(task != broken);
                });
            }));
            assert!(outcome.is_err());
        }
        let count = AtomicUsize::new(0);
        threads.for_each(10, |_, _| {
            count.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(count.into_inner(), 10);
    }

    #[test]
    fn several_callers_take_turns() {
        let threads = Threads::start(Some(2)).unwrap();
        let sum = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    (0..200).for_each(|_| {
                        threads.for_each(3, |_, task| {
                            sum.fetch_add(task, Ordering::Relaxed);
                        })
                    });
                });
            }
        });
        assert_eq!(sum.into_inner(), 4 * 200 * 3);
    }
}
