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

use super::names::{Names, composition};
use super::search::{Ending, Search, SearchProgress, Searched, search};
use super::walk::{Id, Key};
use crate::error::{Error, ErrorKind};
use crate::graph::Graph;
use crate::project::{Begun, Identity, Output, Project, Stage, StageRecord, WholeFile};
use crate::records::Composition;

const COMPOSITIONS: &str = "compositions.jsonl";

/// What the stage is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComposePlan {
    /// Count and seed.
    pub search: Search,
    /// Threads; 0 for one a core. They do not change the result.
    pub threads: usize,
    /// Replace what the project has of it.
    pub fresh: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComposeOutcome {
    /// Whether nothing had to be done.
    pub already_there: bool,
    /// Compositions in the file.
    pub compositions: u64,
    /// Compositions asked for.
    pub count: u64,
    /// Why there are fewer, where there are.
    pub shortfall: Option<String>,
    /// What the project's manifest holds of it.
    pub record: StageRecord,
}

/// Makes the compositions of a project.
///
/// # Errors
/// The graph is not there, stale or without anything to compose, or the stage was run with
/// something else; a full disk; [`ErrorKind::Interrupted`] when `on_progress` breaks off.
pub fn compose(
    project: &mut Project,
    plan: &ComposePlan,
    on_progress: &mut dyn FnMut(SearchProgress) -> ControlFlow<()>,
) -> Result<ComposeOutcome, Error> {
    let (graph, input) = Graph::of_project(project)?;
    graph
        .check_composable()
        .map_err(|kind| Error::in_file(&project.file("graph.json"), kind))?;
    let identity = Identity {
        inputs: BTreeMap::from([("graph".to_string(), input)]),
        options: BTreeMap::from([
            ("count".to_string(), json!(plan.search.count)),
            ("seed".to_string(), json!(plan.search.seed)),
        ]),
        ..Identity::default()
    };
    if let Begun::AlreadyThere(record) = project.begin(Stage::Compose, identity, plan.fresh)? {
        return Ok(outcome(true, plan.search.count, *record));
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(plan.threads)
        .build();
    let pool = pool
        .map_err(|error| Error::in_file(project.folder(), ErrorKind::Threads(error.to_string())))?;
    // The last number means no concept.
    let narrow = graph.topics().len().max(graph.knowledge_points().len()) < usize::from(u16::MAX);
    let (searched, output) = match narrow {
        true => write::<u16>(project, &graph, plan.search, &pool, on_progress)?,
        false => write::<u32>(project, &graph, plan.search, &pool, on_progress)?,
    };
    let counts = BTreeMap::from([
        ("compositions".to_string(), searched.found),
        ("walks".to_string(), searched.walks),
        (
            "walks_without_knowledge_point".to_string(),
            searched.nothing,
        ),
        (
            "epochs".to_string(),
            searched.walks.div_ceil(graph.topics().len() as u64),
        ),
    ]);
    let possible = searched
        .possible
        .map(|possible| ("possible".to_string(), possible));
    let counts = counts.into_iter().chain(possible).collect();
    let record = project.finish(
        Stage::Compose,
        BTreeMap::from([(COMPOSITIONS.to_string(), output)]),
        counts,
    )?;
    Ok(outcome(false, plan.search.count, record))
}

fn outcome(already_there: bool, count: u64, record: StageRecord) -> ComposeOutcome {
    let of = |name: &str| record.counts.get(name).copied();
    let compositions = of("compositions").unwrap_or(0);
    let walks = of("walks").unwrap_or(0);
    let shortfall = (compositions < count).then(|| match of("possible") {
        Some(possible) if possible == compositions => {
            format!("the graph can give no more than {possible} different compositions: all were found, {count} were asked for")
        }
        Some(possible) => format!(
            "{compositions} of the {count} compositions asked for were found in {walks} walks; the graph can give {possible}, and the others are too rare to be met"
        ),
        None => format!(
            "the graph gave {compositions} of the {count} compositions asked for: {walks} walks were made, and hardly any finds a new one"
        ),
    });
    ComposeOutcome {
        already_there,
        compositions,
        count,
        shortfall,
        record,
    }
}

/// Compositions that become lines at once.
const PART: usize = 1 << 11;
/// Blocks of lines that wait to be written.
const WAITING: usize = 64;

/// Searches and writes: one thread hashes and writes lines while the others walk on.
fn write<I: Id>(
    project: &Project,
    graph: &Graph,
    plan: Search,
    pool: &ThreadPool,
    on_progress: &mut dyn FnMut(SearchProgress) -> ControlFlow<()>,
) -> Result<(Searched, Output), Error> {
    let file = project.file(COMPOSITIONS);
    let failed = |source| Error::in_file(&file, ErrorKind::WriteFailed(source));
    let mut whole = WholeFile::begin(project.folder()).map_err(failed)?;
    let names = Names::of(graph);
    let (sender, receiver) = sync_channel::<Vec<u8>>(WAITING);
    // Blocks are used again: fresh ones would cost more in page faults than the lines in them.
    let spare = Mutex::new(Vec::new());
    let (to_spare, from_spare) = (&spare, &spare);
    let (searched, written) = thread::scope(|scope| {
        let writer = scope.spawn(move || -> io::Result<WholeFile> {
            for block in receiver {
                whole.write_all(&block)?;
                lock(to_spare).push(block);
            }
            Ok(whole)
        });
        let searched = search::<I>(graph, plan, pool, &mut |new, progress| {
            let lines = |part: &[Key<I>]| {
                let mut block = lock(from_spare).pop().unwrap_or_default();
                block.clear();
                names.lines(part, &mut block);
                block
            };
            let blocks: Vec<Vec<u8>> = pool.install(|| new.par_chunks(PART).map(lines).collect());
            // A writer that is gone has failed, and says how below.
            let taken = blocks.into_iter().all(|block| sender.send(block).is_ok());
            if taken {
                on_progress(progress)
            } else {
                ControlFlow::Break(())
            }
        });
        drop(sender);
        (
            searched,
            writer
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
        )
    });
    let whole = written.map_err(failed)?;
    if searched.ending == Ending::Stopped {
        let (found, count) = (searched.found, plan.count);
        return Err(Error::in_file(
            project.folder(),
            ErrorKind::Interrupted {
                stage: Stage::Compose,
                found,
                count,
            },
        ));
    }
    Ok((searched, whole.put(&file).map_err(failed)?))
}

/// A thread that panicked leaves nothing half-done in the list.
fn lock(spare: &Mutex<Vec<Vec<u8>>>) -> MutexGuard<'_, Vec<Vec<u8>>> {
    spare.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The compositions of a graph, in memory, and how the search ended. A graph without an edge from a
/// topic to a KP gives none.
///
/// # Panics
/// If no thread can be started.
pub fn compositions(graph: &Graph, plan: Search) -> (Vec<Composition>, Ending) {
    if graph.check_composable().is_err() {
        return (Vec::new(), Ending::All);
    }
    let mut found = Vec::new();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .expect("a thread can be started");
    let searched = search::<u32>(graph, plan, &pool, &mut |new: &[Key<u32>], _| {
        found.extend(new.iter().map(|key| composition(graph, key)));
        ControlFlow::Continue(())
    });
    (found, searched.ending)
}
