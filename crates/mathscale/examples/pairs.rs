//! Times the look-ups of few-shot seeds and the screening of pairs at the size of the paper.
//!
//! `cargo run --release -p mathscale --example pairs -- PROJECT [PAIRS]`: PROJECT has been
//! extracted and composed (`tools/mathscale/make_extractions.py`), or `-` for no look-ups. Look-ups
//! are compared with brute force on a sample before the clock starts. PAIRS made-up pairs, of which
//! every tenth repeats another one with a word changed, are then screened against 20,000 made-up
//! test items.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use mathscale::{
    Composition, Extraction, NearestSeeds, PairSource, Project, ScreenPlan, Tests, screen,
};
use overlap::{Index, OverlapOptions, TestItem};
use rayon::prelude::*;
use store::JsonLines;

const EXAMPLES: usize = 3;
const SAMPLE: usize = 500;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("give a project folder")?;
    // So that the memory printed is that of screening alone.
    if folder != "-" {
        look_up(Path::new(&folder))?;
    }
    if let Some(count) = arguments.next() {
        screen_pairs(count.parse()?)?;
    }
    Ok(())
}

fn look_up(folder: &Path) -> Result<(), Box<dyn Error>> {
    let sets: Vec<Vec<String>> = JsonLines::<Extraction>::open(&folder.join("extractions.jsonl"))?
        .map(|extraction| extraction.map(|extraction| extraction.knowledge_points))
        .collect::<Result<_, _>>()?;
    let compositions: Vec<Vec<String>> =
        JsonLines::<Composition>::open(&folder.join("compositions.jsonl"))?
            .map(|composition| composition.map(|composition| composition.knowledge_points))
            .collect::<Result<_, _>>()?;
    let start = Instant::now();
    let index = NearestSeeds::new(sets.iter().map(Vec::as_slice));
    println!(
        "{} seeds indexed in {:.2} s",
        index.len(),
        start.elapsed().as_secs_f64()
    );
    let step = (compositions.len() / SAMPLE).max(1);
    let mut lookup = index.lookup();
    for composition in compositions.iter().step_by(step) {
        assert_eq!(
            lookup.nearest(composition, EXAMPLES),
            brute_force(&sets, composition),
            "{composition:?}"
        );
    }
    println!(
        "{} look-ups equal brute force",
        compositions.len().div_ceil(step)
    );
    let start = Instant::now();
    let sum: usize = compositions
        .par_iter()
        .map_init(
            || index.lookup(),
            |lookup, composition| lookup.nearest(composition, EXAMPLES)[0],
        )
        .sum();
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{} look-ups of {EXAMPLES} seeds with {} threads in {seconds:.1} s ({:.0} a second; check sum {sum})",
        compositions.len(),
        rayon::current_num_threads(),
        compositions.len() as f64 / seconds
    );
    Ok(())
}

/// By the definition of the distance, ties by the order of the seeds.
fn brute_force(sets: &[Vec<String>], asked: &[String]) -> Vec<usize> {
    let asked: BTreeSet<&String> = asked.iter().collect();
    let mut order: Vec<(usize, usize, usize)> = sets
        .iter()
        .enumerate()
        .map(|(place, set)| {
            let set: BTreeSet<&String> = set.iter().collect();
            (
                set.intersection(&asked).count(),
                set.union(&asked).count().max(1),
                place,
            )
        })
        .collect();
    order.sort_by(|one, other| {
        (other.0 * one.1)
            .cmp(&(one.0 * other.1))
            .then(one.2.cmp(&other.2))
    });
    order
        .into_iter()
        .take(EXAMPLES)
        .map(|(.., place)| place)
        .collect()
}

/// A question of about 45 words, its own for each number.
fn question(number: u64) -> String {
    let mut words = String::new();
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for _ in 0..45 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        words.push_str(&format!("w{} ", state % 20_000));
    }
    words + "?"
}

fn screen_pairs(count: u64) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("pairs.jsonl");
    let mut out = BufWriter::new(std::fs::File::create(&file)?);
    for number in 0..count {
        let text = match number % 10 {
            9 => question(number - 5).replacen(' ', " changed ", 1),
            _ => question(number),
        };
        let solution = format!(
            "First 3 + {number} = {}. The answer is {}.",
            number + 3,
            number + 3
        );
        writeln!(
            out,
            "{}",
            serde_json::json!({"id": number, "question": text, "solution": solution})
        )?;
    }
    out.flush()?;
    let items = (0..20_000).map(|n| TestItem {
        id: n.to_string(),
        set: "made up".into(),
        text: question(u64::MAX - n),
    });
    let tests = Tests {
        index: Index::new(items.collect(), OverlapOptions::default())?,
        bundled: false,
    };
    let mut project = Project::open_to_write(&folder.path().join("project"))?;
    let plan = ScreenPlan {
        pairs: PairSource::File(file),
        ..ScreenPlan::default()
    };
    let start = Instant::now();
    let outcome = screen(&mut project, &plan, Some(&tests), &mut |_| {
        ControlFlow::Continue(())
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let removed: BTreeMap<_, _> = outcome
        .details
        .report
        .removed
        .iter()
        .filter(|(_, count)| **count > 0)
        .collect();
    println!(
        "{count} pairs screened in {seconds:.1} s, {} kept, removed {removed:?}",
        outcome.details.report.kept
    );
    assert_eq!(outcome.details.report.kept, count - count / 10);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(peak) = status.lines().find(|line| line.starts_with("VmHWM")) {
        println!("most memory: {}", peak.trim_start_matches("VmHWM:").trim());
    }
    Ok(())
}
