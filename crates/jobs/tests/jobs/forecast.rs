//! The estimate of the time left, held against simulated runs whose end is known.

use std::time::Duration;

use jobs::{Forecast, Progress};

/// Random numbers (SplitMix64) that no library's version can change.
struct Random(u64);

impl Random {
    /// Uniform in 0..1.
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Standard normal (Box and Muller).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// A run that is decoded step by step: each step gives every completion under way one token.
#[derive(Clone, Copy, Debug)]
struct Run {
    items: usize,
    /// Completions at a time.
    places: usize,
    max_tokens: usize,
    /// Median of the lengths, in tokens, and the standard deviation of their logarithms.
    median: f64,
    spread: f64,
    /// Seconds a step and a token of a prompt.
    step: f64,
    prompt_token: f64,
}

const RUN: Run = Run {
    items: 400,
    places: 16,
    max_tokens: 2048,
    median: 200.0,
    spread: 0.6,
    step: 0.05,
    prompt_token: 3e-4,
};

/// As in a run of the ten sets on a processor, with more and fewer places, tighter and looser
/// lengths.
const RUNS: [Run; 6] = [
    RUN,
    Run {
        items: 1000,
        places: 64,
        median: 250.0,
        spread: 0.8,
        ..RUN
    },
    Run {
        items: 2000,
        places: 64,
        ..RUN
    },
    Run {
        items: 200,
        places: 8,
        max_tokens: 1024,
        spread: 0.5,
        ..RUN
    },
    // A third of all completions are cut.
    Run {
        items: 300,
        places: 32,
        max_tokens: 512,
        median: 350.0,
        spread: 0.7,
        ..RUN
    },
    // Prompts take two thirds of the time.
    Run {
        items: 600,
        places: 32,
        median: 60.0,
        prompt_token: 2e-3,
        ..RUN
    },
];

const SEEDS: u64 = 8;

/// Plays a run and tells `look` the time and the progress at every event. Returns the time at the
/// end.
fn play(run: Run, seed: u64, resumed: usize, look: &mut dyn FnMut(f64, &Progress)) -> f64 {
    let mut random = Random(seed);
    let mut items: Vec<(usize, usize)> = Vec::new();
    for _ in 0..run.items {
        let tokens = (run.median.ln() + run.spread * random.normal()).exp() as usize;
        let prompt = 100 + (100.0 * random.uniform()) as usize;
        items.push((tokens.clamp(1, run.max_tokens), prompt));
    }
    let mut progress = Progress {
        total: run.items + resumed,
        resumed,
        ..Progress::default()
    };
    let (mut at, mut waiting, mut under_way) = (0.0, items.into_iter(), Vec::new());
    look(at, &progress);
    loop {
        let mut read = 0;
        while under_way.len() < run.places
            && let Some((tokens, prompt)) = waiting.next()
        {
            under_way.push((0, tokens));
            read += prompt;
        }
        if under_way.is_empty() {
            return at;
        }
        at += run.step + run.prompt_token * read as f64;
        progress.prompt_tokens += read;
        progress.running = under_way.len();
        progress.completion_tokens += under_way.len();
        under_way.iter_mut().for_each(|(tokens, _)| *tokens += 1);
        look(at, &progress);
        under_way.retain(|&(tokens, length)| {
            if tokens == length {
                progress.finished += 1;
                progress.completions += 1;
                progress.finished_tokens += length;
                progress.running -= 1;
                look(at, &progress);
            }
            tokens < length
        });
    }
}

/// An estimate and the truth, in seconds.
type Guess = (Option<f64>, f64);

/// Estimates at a hundred moments from a fifth of the run on.
#[derive(Default)]
struct Guesses {
    /// More than a minute before the end.
    early: Vec<Guess>,
    last_minute: Vec<Guess>,
}

impl Guesses {
    /// Of runs, as `estimate` makes them after it was told of progress.
    fn of(
        runs: &[Run],
        resumed: usize,
        mut estimate: impl FnMut(&mut Forecast, f64, &Progress, bool) -> Option<f64>,
    ) -> Self {
        let mut guesses = Self::default();
        for (&run, seed) in runs
            .iter()
            .flat_map(|run| (0..SEEDS).map(move |seed| (run, seed)))
        {
            let end = play(run, seed, resumed, &mut |_, _| {});
            let mut forecast = Forecast::new(run.max_tokens);
            let mut next = end / 5.0;
            play(run, seed, resumed, &mut |at, progress| {
                let is_asked = at >= next && end - at > 1.0;
                let guess = estimate(&mut forecast, at, progress, is_asked);
                if is_asked {
                    next += end / 100.0;
                    let part = if end - at > 60.0 {
                        &mut guesses.early
                    } else {
                        &mut guesses.last_minute
                    };
                    part.push((guess, end - at));
                }
            });
        }
        guesses
    }

    fn of_forecast(runs: &[Run], resumed: usize) -> Self {
        Self::of(runs, resumed, |forecast, at, progress, is_asked| {
            forecast.observe(Duration::from_secs_f64(at), progress);
            let left = if is_asked { forecast.left() } else { None };
            left.map(|left| left.as_secs_f64())
        })
    }

    /// Time so far, times items left over items finished.
    fn of_items(runs: &[Run]) -> Self {
        Self::of(runs, 0, |_, at, progress, _| {
            (progress.finished > 0).then(|| at * progress.open() as f64 / progress.finished as f64)
        })
    }

    /// Share of the early ones that are within 35 % of the truth.
    fn early_hits(&self) -> f64 {
        share(&self.early, |guess, truth| {
            (guess / truth - 1.0).abs() <= 0.35
        })
    }

    /// Share of those in the last minute that are within a factor of 2, or 10 s, of the truth.
    fn last_minute_hits(&self) -> f64 {
        share(&self.last_minute, |guess, truth| {
            (0.5..=2.0).contains(&(guess / truth)) || (guess - truth).abs() <= 10.0
        })
    }
}

fn share(guesses: &[Guess], is_hit: impl Fn(f64, f64) -> bool) -> f64 {
    let hits = guesses
        .iter()
        .filter(|&&(guess, truth)| guess.is_some_and(|guess| is_hit(guess, truth)));
    hits.count() as f64 / guesses.len() as f64
}

/// How often estimates must hold; never is always, as what the last completions do is chance.
const EARLY: f64 = 0.95;
const LAST_MINUTE: f64 = 0.9;

#[test]
fn estimates_hold_from_a_fifth_of_the_run_on_and_in_the_last_minute() {
    let guesses = Guesses::of_forecast(&RUNS, 0);
    let (early, last) = (guesses.early_hits(), guesses.last_minute_hits());
    println!("within 35 %: {early:.3}, in the last minute within a factor of 2: {last:.3}");
    assert!(early >= EARLY, "{early}");
    assert!(last >= LAST_MINUTE, "{last}");
}

#[test]
fn a_share_of_items_does_not_hold() {
    let guesses = Guesses::of_items(&RUNS);
    let (early, last) = (guesses.early_hits(), guesses.last_minute_hits());
    println!("within 35 %: {early:.3}, in the last minute within a factor of 2: {last:.3}");
    assert!(early < EARLY, "{early}");
    assert!(last < LAST_MINUTE, "{last}");
}

#[test]
fn each_kind_of_run_is_estimated_well() {
    for run in RUNS {
        let guesses = Guesses::of_forecast(&[run], 0);
        let (early, last) = (guesses.early_hits(), guesses.last_minute_hits());
        println!(
            "{run:?}: {early:.3} of {}, {last:.3} of {}",
            guesses.early.len(),
            guesses.last_minute.len()
        );
        assert!(early >= 0.9 && last >= 0.7, "{run:?}: {early}, {last}");
    }
}

/// Where most of a run is its last completions. Who knew the law of the lengths would be within a
/// factor of 2 at four moments of five.
#[test]
fn runs_of_few_batches_are_estimated_better_than_by_a_share_of_items() {
    let run = Run { step: 0.2, ..RUN };
    let few = [
        Run {
            items: 64,
            places: 64,
            ..run
        },
        Run {
            items: 128,
            places: 64,
            ..run
        },
        Run { items: 40, ..run },
    ];
    let within_a_factor = |guesses: Guesses| {
        share(&guesses.early, |guess, truth| {
            (0.5..=2.0).contains(&(guess / truth))
        })
    };
    let (ours, items) = (Guesses::of_forecast(&few, 0), Guesses::of_items(&few));
    let (ours, items) = (within_a_factor(ours), within_a_factor(items));
    println!("within a factor of 2: {ours:.3}, by a share of items {items:.3}");
    assert!(ours >= 0.75 && items < 0.4, "{ours}, {items}");
}

#[test]
fn items_of_an_earlier_start_do_not_count_as_work_of_this_one() {
    let (fresh, continued) = (
        Guesses::of_forecast(&RUNS[..1], 0),
        Guesses::of_forecast(&RUNS[..1], 5_000),
    );
    assert_eq!(fresh.early, continued.early);
}

#[test]
fn a_minute_before_the_end_no_one_says_forty() {
    // The last completion runs to the greatest length: 40 items are finished, one has a minute to
    // go.
    let (step, max_tokens) = (0.5, 2000);
    let mut forecast = Forecast::new(max_tokens);
    let mut progress = Progress {
        total: 41,
        running: 41,
        prompt_tokens: 41 * 100,
        ..Progress::default()
    };
    let mut at = 0.0;
    for token in 1..=max_tokens - 120 {
        at += step;
        progress.completion_tokens += progress.running;
        forecast.observe(Duration::from_secs_f64(at), &progress);
        if token % 20 == 0 && token <= 800 {
            progress.finished += 1;
            progress.completions += 1;
            progress.finished_tokens += token;
            progress.running -= 1;
            forecast.observe(Duration::from_secs_f64(at), &progress);
        }
    }
    let left = forecast.left().unwrap().as_secs_f64();
    assert!((20.0..=60.5).contains(&left), "{left}");
}

#[test]
fn counts_that_begin_anew_are_no_tokens_of_an_endless_run() {
    let mut forecast = Forecast::new(100);
    let progress = |completions: usize| Progress {
        total: 8,
        completions,
        finished: completions,
        finished_tokens: completions * 20,
        completion_tokens: completions * 20,
        ..Progress::default()
    };
    for (second, completions) in [4, 8, 1, 2].into_iter().enumerate() {
        forecast.observe(Duration::from_secs(second as u64), &progress(completions));
    }
    let decode = forecast.speeds().decode;
    assert!((0.0..=200.0).contains(&decode), "{decode}");
}

#[test]
fn nothing_is_claimed_before_anything_is_known() {
    let mut forecast = Forecast::new(100);
    let mut progress = Progress {
        total: 8,
        ..Progress::default()
    };
    forecast.observe(Duration::ZERO, &progress);
    assert_eq!(forecast.left(), None);
    for second in 1..50 {
        (progress.running, progress.completion_tokens) = (4, 4 * second);
        forecast.observe(Duration::from_secs(second as u64), &progress);
        assert_eq!(forecast.left(), None);
    }
    assert_eq!(
        Forecast::new(1).left(),
        Some(Duration::ZERO),
        "nothing is left of nothing"
    );
}

#[test]
fn a_server_that_tells_nothing_but_answers_is_estimated_by_their_tokens() {
    // Whole answers, nobody says how many are under way: 10 s and 100 tokens each, 5 at a time.
    let mut forecast = Forecast::new(100);
    let mut progress = Progress {
        total: 50,
        ..Progress::default()
    };
    forecast.observe(Duration::ZERO, &progress);
    for round in 1..=5 {
        for _ in 0..5 {
            progress.finished += 1;
            progress.completions += 1;
            progress.finished_tokens += 100;
            forecast.observe(Duration::from_secs(10 * round), &progress);
        }
    }
    let left = forecast.left().unwrap().as_secs_f64();
    assert!((45.0..=55.0).contains(&left), "{left}");
    assert!(
        (forecast.speeds().decode - 50.0).abs() < 1.0,
        "{:?}",
        forecast.speeds()
    );
}
