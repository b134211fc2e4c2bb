//! Times the stage `compose` as the program runs it:
//! `compose EXTRACTIONS PROJECT COUNT SEED THREADS`. The project and its graph are made first,
//! where they are not there. Prints seconds and counts as JSON.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use mathscale::{AnnotationPlan, ComposePlan, GraphPlan, MergeOptions, Project, WalkOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [extractions, folder, count, seed, threads] = arguments.as_slice() else {
        return Err("give EXTRACTIONS PROJECT COUNT SEED THREADS".into());
    };
    let mut project = Project::open_to_write(Path::new(folder))?;
    let plan = AnnotationPlan {
        file: extractions.into(),
        merge: MergeOptions::default(),
        fresh: false,
    };
    mathscale::extract_from_annotations(&mut project, &plan)?;
    mathscale::graph(&mut project, &GraphPlan::default())?;
    let started = Instant::now();
    let walks = WalkOptions {
        count: count.parse()?,
        seed: seed.parse()?,
    };
    let plan = ComposePlan {
        walks,
        threads: threads.parse()?,
        fresh: true,
    };
    let outcome = mathscale::compose(&mut project, &plan, &mut |_| ControlFlow::Continue(()))?;
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{}",
        serde_json::json!({ "seconds": seconds, "counts": outcome.record.counts })
    );
    Ok(())
}
