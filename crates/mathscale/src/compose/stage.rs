//! The stage: `graph.json` → `compositions.jsonl`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use rayon::ThreadPool;
use rayon::prelude::*;
use serde::Serialize;
use serde_json::json;
use store::{AtomicFile, FileError};

use super::names::{Names, composition};
use super::search::{Searched, StopReason, WalkOptions, WalkProgress, search};
use super::walk::{Id, Key};
use crate::driver::{Outputs, StageOutcome, StageWork, run};
use crate::error::{Error, ErrorKind};
use crate::graph::Graph;
use crate::project::{Input, Project, StageIdentity, StageRecord};
use crate::records::Composition;
use crate::stage::{COMPOSITIONS, GRAPH, Stage};

/// The generator of random numbers, for the identity: with another one a graph gives other
/// compositions.
const RANDOM: &str = "chacha8";

/// What the stage is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComposePlan {
    /// Count and seed.
    pub walks: WalkOptions,
    /// Threads; 0 for one a core. They do not change the result.
    pub threads: usize,
    /// Replace what the project has of it.
    pub fresh: bool,
}

/// What came of it.
pub type ComposeOutcome = StageOutcome<ComposeDetails>;

/// How many compositions were found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ComposeDetails {
    /// Compositions in the file.
    pub compositions: u64,
    /// Compositions asked for.
    pub count: u64,
    /// Why there are fewer, where there are.
    pub shortfall: Option<String>,
}

/// Makes the compositions of a project.
///
/// # Errors
/// The graph is not there, stale or without anything to compose, or the stage was run with
/// something else; a full disk; [`ErrorKind::Interrupted`] when `on_progress` breaks off.
pub fn compose(
    project: &mut Project,
    plan: &ComposePlan,
    on_progress: &mut dyn FnMut(WalkProgress) -> ControlFlow<()>,
) -> Result<ComposeOutcome, Error> {
    let (graph, input) = Graph::of_project(project)?;
    let composable = graph.check_composable();
    composable.map_err(|kind| Error::in_file(&project.file(GRAPH), kind))?;
    let mut work = Composing {
        graph,
        input,
        plan,
        on_progress,
    };
    run(project, &mut work, plan.fresh)
}

struct Composing<'a> {
    graph: Graph,
    input: Input,
    plan: &'a ComposePlan,
    on_progress: &'a mut dyn FnMut(WalkProgress) -> ControlFlow<()>,
}

impl StageWork for Composing<'_> {
    type Details = ComposeDetails;

    const STAGE: Stage = Stage::Compose;

    fn identity(&self) -> StageIdentity {
        StageIdentity {
            inputs: BTreeMap::from([("graph".to_string(), self.input.clone())]),
            options: BTreeMap::from([
                ("count".to_string(), json!(self.plan.walks.count)),
                ("seed".to_string(), json!(self.plan.walks.seed)),
                ("random".to_string(), json!(RANDOM)),
            ]),
            ..StageIdentity::default()
        }
    }

    fn write(&mut self, outputs: &mut Outputs<'_>) -> Result<ComposeDetails, Error> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.plan.threads)
            .build();
        let pool = pool.map_err(|error| Error::of(ErrorKind::Threads(error.to_string())))?;
        let (topics, kps) = (self.graph.topics(), self.graph.knowledge_points());
        // The last number means no concept.
        let narrow = topics.len().max(kps.len()) < usize::from(u16::MAX);
        let epoch = topics.len() as u64;
        let searched = match narrow {
            true => self.search_and_write::<u16>(outputs, &pool)?,
            false => self.search_and_write::<u32>(outputs, &pool)?,
        };
        let Searched {
            found,
            walks,
            without_kp,
            ..
        } = searched;
        outputs.count("compositions", found);
        outputs.count("walks", walks);
        outputs.count("walks_without_knowledge_point", without_kp);
        outputs.count("epochs", walks.div_ceil(epoch));
        Ok(details(self.plan.walks.count, found, walks))
    }

    fn details(&self, _: &Project, record: &StageRecord) -> Result<ComposeDetails, Error> {
        let (found, walks) = (record.count("compositions"), record.count("walks"));
        Ok(details(self.plan.walks.count, found, walks))
    }
}

fn details(count: u64, compositions: u64, walks: u64) -> ComposeDetails {
    let shortfall = format!(
        "the graph gave {compositions} of the {count} compositions asked for: {walks} walks were made, and hardly any finds a new one"
    );
    ComposeDetails {
        compositions,
        count,
        shortfall: (compositions < count).then_some(shortfall),
    }
}

/// Compositions that become lines at once.
const PART: usize = 1 << 11;
/// Blocks of lines that wait to be written.
const MAX_WAITING: usize = 64;

impl Composing<'_> {
    /// Searches and writes: one thread hashes and writes lines while the others walk on.
    fn search_and_write<I: Id>(
        &mut self,
        outputs: &mut Outputs<'_>,
        pool: &ThreadPool,
    ) -> Result<Searched, Error> {
        let path = outputs.project.file(COMPOSITIONS);
        let file = AtomicFile::create_in(outputs.project.folder());
        let mut file = file.map_err(FileError::write_failed(&path))?;
        let names = Names::of(&self.graph);
        let (sender, receiver) = sync_channel::<Vec<u8>>(MAX_WAITING);
        // Blocks are used again: fresh ones would cost more in page faults than the lines in them.
        let spare = Mutex::new(Vec::new());
        let (to_spare, from_spare) = (&spare, &spare);
        let (searched, written) = thread::scope(|scope| {
            let writer = scope.spawn(move || -> io::Result<AtomicFile> {
                for block in receiver {
                    file.write_all(&block)?;
                    lock(to_spare).push(block);
                }
                Ok(file)
            });
            let lines = |part: &[Key<I>]| {
                let mut block = lock(from_spare).pop().unwrap_or_default();
                block.clear();
                names.lines(part, &mut block);
                block
            };
            let mut on_new = |new: &[Key<I>], progress| {
                let blocks: Vec<Vec<u8>> =
                    pool.install(|| new.par_chunks(PART).map(lines).collect());
                // A writer that is gone has failed, and says how below.
                match blocks.into_iter().all(|block| sender.send(block).is_ok()) {
                    true => (self.on_progress)(progress),
                    false => ControlFlow::Break(()),
                }
            };
            let searched = search::<I>(&self.graph, self.plan.walks, pool, &mut on_new);
            drop(sender);
            let written = writer.join();
            (
                searched,
                written.unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            )
        });
        let file = written.map_err(FileError::write_failed(&path))?;
        // A part of the file could only be continued with the set of what was found and the number
        // of walks, which are in memory alone.
        if searched.stop_reason == StopReason::Interrupted {
            return Err(Error::of(ErrorKind::Interrupted {
                stage: Stage::Compose,
                done: searched.found,
                what: "compositions",
            }));
        }
        let digest = file.commit(&path).map_err(FileError::write_failed(&path))?;
        outputs.add(COMPOSITIONS, digest);
        Ok(searched)
    }
}

/// A thread that panicked leaves nothing half-done in the list.
fn lock(spare: &Mutex<Vec<Vec<u8>>>) -> MutexGuard<'_, Vec<Vec<u8>>> {
    spare.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The compositions of a graph, in memory, and why the search ended. A graph without an edge from a
/// topic to a KP gives none.
///
/// # Panics
/// If no thread can be started.
pub fn compositions(graph: &Graph, options: WalkOptions) -> (Vec<Composition>, StopReason) {
    if graph.check_composable().is_err() {
        return (Vec::new(), StopReason::NothingNew);
    }
    let mut found = Vec::new();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .expect("a thread can be started");
    let searched = search::<u32>(graph, options, &pool, &mut |new: &[Key<u32>], _| {
        found.extend(new.iter().map(|key| composition(graph, key)));
        ControlFlow::Continue(())
    });
    (found, searched.stop_reason)
}
