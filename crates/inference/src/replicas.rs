//! A copy of the model on each of several devices: data parallelism. A request is computed by the
//! copy that has room for it first; since copies compute the same, nothing shows which one it was.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use generation::{Completion, Event, KvMemory};

use crate::config::ModelConfig;
use crate::error::{Error, ErrorKind};
use crate::kernels::Compute;
use crate::logprobs::PromptLogprob;
use crate::runner::ModelRunner;
use crate::scheduler::{Listener, Pending, Request, RunOptions};

/// Events that may wait to be reported before the copies do.
const EVENTS: usize = 1024;

/// How often a server looks for requests while copies compute.
const POLL: Duration = Duration::from_millis(1);

/// Copies of a model, at least one.
pub(crate) struct Replicas(Vec<Box<dyn ModelRunner>>);

impl Replicas {
    /// The one copy by itself, or all of them as one.
    ///
    /// # Panics
    /// Without a copy.
    pub(crate) fn of(mut copies: Vec<Box<dyn ModelRunner>>) -> Box<dyn ModelRunner> {
        match copies.len() {
            1 => copies.remove(0),
            count => {
                assert!(count > 0, "a model is on some device");
                Box::new(Self(copies))
            }
        }
    }
}

impl ModelRunner for Replicas {
    fn config(&self) -> &ModelConfig {
        self.0[0].config()
    }

    fn compute(&self) -> &Compute {
        self.0[0].compute()
    }

    fn run(
        &self,
        options: RunOptions<'_>,
        pending: &Pending,
        on_event: &mut dyn FnMut(Event) -> Result<(), Error>,
    ) -> Result<(), Error> {
        thread::scope(|scope| {
            let (sender, receiver) = sync_channel::<Result<(usize, Event), Error>>(EVENTS);
            for (number, copy) in self.0.iter().enumerate() {
                let sender = sender.clone();
                scope.spawn(move || {
                    let run = copy.run(options, pending, &mut |event| {
                        // Nobody listens any more: another copy failed, or the run is stopped.
                        sender.send(Ok((number, event))).map_err(|_| stopped())
                    });
                    if let Err(error) = run {
                        let _ = sender.send(Err(error));
                    }
                });
            }
            drop(sender);
            let mut running = vec![0; self.0.len()];
            // The receiver is gone with the loop, which the copies notice at their next event.
            receiver.into_iter().try_for_each(|told| {
                let (number, event) = told?;
                on_event(summed(event, &mut running, number))
            })
        })
    }

    fn serve(
        &self,
        options: RunOptions<'_>,
        source: &mut dyn FnMut(bool) -> Option<Vec<Request>>,
    ) -> Result<(), Error> {
        let loads: Vec<Load> = self.0.iter().map(|_| Load::default()).collect();
        let is_over = AtomicBool::new(false);
        let failure = Mutex::new(None);
        thread::scope(|scope| {
            let mut copies: Vec<(Sender<Request>, &Load)> = Vec::new();
            for (copy, load) in self.0.iter().zip(&loads) {
                let (sender, requests) = channel();
                copies.push((sender, load));
                let (is_over, failure) = (&is_over, &failure);
                scope.spawn(move || {
                    let mut next = |is_idle| next_requests(&requests, is_idle, is_over);
                    if let Err(error) = copy.serve(options, &mut next) {
                        *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                        is_over.store(true, Ordering::SeqCst);
                    }
                });
            }
            deal(&copies, source, &is_over);
            is_over.store(true, Ordering::SeqCst);
        });
        let failure = failure.into_inner();
        match failure.unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn kv_memory(&self, limit: Option<usize>, tokens: usize) -> KvMemory {
        self.0[0].kv_memory(limit, tokens)
    }

    fn prompt_logits(&self, prompt: &[u32]) -> Result<Vec<Vec<f32>>, Error> {
        self.0[0].prompt_logits(prompt)
    }

    fn prompt_logprobs(&self, prompt: &[u32]) -> Result<Vec<PromptLogprob>, Error> {
        self.0[0].prompt_logprobs(prompt)
    }
}

fn stopped() -> Error {
    Error::new(ErrorKind::Backend, "the run was stopped")
}

/// The event of one copy as one of all: running are those of all copies.
fn summed(event: Event, running: &mut [usize], number: usize) -> Event {
    match event {
        Event::Running(count) => {
            running[number] = count;
            Event::Running(running.iter().sum())
        }
        Event::Finished(_) => {
            running[number] = running[number].saturating_sub(1);
            event
        }
        Event::Prefilled(_) | Event::Decoded(_) => event,
    }
}

/// Requests that a copy of a server has and has not answered.
type Load = Arc<AtomicUsize>;

/// Gives each request to the copy that has fewest, until there are no more.
fn deal(
    copies: &[(Sender<Request>, &Load)],
    source: &mut dyn FnMut(bool) -> Option<Vec<Request>>,
    is_over: &AtomicBool,
) {
    let is_idle = || {
        copies
            .iter()
            .all(|(_, load)| load.load(Ordering::SeqCst) == 0)
    };
    while !is_over.load(Ordering::SeqCst)
        && let Some(requests) = source(is_idle())
    {
        if requests.is_empty() && !is_idle() {
            thread::sleep(POLL);
        }
        for mut request in requests {
            let least = copies
                .iter()
                .min_by_key(|(_, load)| load.load(Ordering::SeqCst));
            let Some((sender, load)) = least else { return };
            request.listener = request
                .listener
                .map(|inner| Box::new(Counted::new(inner, load)) as Box<dyn Listener>);
            // A copy that has failed takes none; the end of the loop follows.
            let _ = sender.send(request);
        }
    }
}

/// What a copy of a server computes next; `None` when it is over.
fn next_requests(
    requests: &Receiver<Request>,
    is_idle: bool,
    is_over: &AtomicBool,
) -> Option<Vec<Request>> {
    const IDLE: Duration = Duration::from_millis(50);
    if is_over.load(Ordering::SeqCst) {
        return None;
    }
    let mut found = Vec::new();
    if is_idle {
        // Not for ever: the end is told by a flag.
        found.extend(requests.recv_timeout(IDLE));
    }
    loop {
        match requests.try_recv() {
            Ok(request) => found.push(request),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => return Some(found),
        }
    }
}

/// A listener whose request counts as load of a copy as long as it lives.
struct Counted {
    inner: Box<dyn Listener>,
    load: Load,
}

impl Counted {
    fn new(inner: Box<dyn Listener>, load: &Load) -> Self {
        load.fetch_add(1, Ordering::SeqCst);
        let load = Arc::clone(load);
        Self { inner, load }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.load.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Listener for Counted {
    fn token(&mut self, token: u32, logprob: Option<f32>) {
        self.inner.token(token, logprob);
    }

    fn is_gone(&self) -> bool {
        self.inner.is_gone()
    }

    fn finished(&mut self, completion: Completion) {
        self.inner.finished(completion);
    }
}
