//! Runs written by the test → leaderboards.

use std::fs;
use std::path::{Path, PathBuf};

use dataset_loader::{Benchmark, Set};
use evaluation::{macro_average, micro_average, wilson_interval};
use fault::{Class, Fault};
use reporting::{
    Entry, Leaderboard, LeaderboardError, LeaderboardFormat, LeaderboardPlan, Scorers, Subjects,
};
use serde_json::{Value, json};

/// A run folder in the making.
pub struct Run {
    name: String,
    manifest: Value,
    summary: Value,
}

/// Accuracy by both scorers of so many of `n` items.
fn counts(official: usize, strict: usize, n: usize) -> Value {
    let accuracy = |correct: usize| json!({ "correct": correct, "accuracy": correct as f64 / n as f64, "interval": wilson_interval(correct, n) });
    json!({ "n": n, "official": accuracy(official), "strict": accuracy(strict), "no_answer": 0, "truncated": 0, "failed": 0 })
}

fn merged(mut base: Value, more: Value) -> Value {
    base.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    base
}

/// Published items under the official cap.
fn size(count: usize) -> usize {
    count.min(2000)
}

fn set_summary(set: &Set, percent: usize, divisor: usize) -> Value {
    let counted = |count: usize| {
        let n = size(count) / divisor;
        counts(n * percent / 100, n * percent / 110, n)
    };
    let tasks: Vec<Value> = set
        .tasks
        .iter()
        .map(|task| merged(json!({ "task": task.name }), counted(task.count)))
        .collect();
    let expected: usize = set.tasks.iter().map(|task| size(task.count)).sum();
    let (official, strict, n) = tasks.iter().fold((0, 0, 0), |(official, strict, n), task| {
        let of = |scorer: &str| task[scorer]["correct"].as_u64().unwrap() as usize;
        (
            official + of("official"),
            strict + of("strict"),
            n + task["n"].as_u64().unwrap() as usize,
        )
    });
    let base = json!({ "set": set.name, "title": set.title, "level": set.level, "in_average": set.in_average, "expected": expected,
        "tasks": if tasks.len() > 1 { tasks } else { Vec::new() } });
    merged(base, counts(official, strict, n))
}

impl Run {
    /// A whole run of MwpBench that gets `percent` of every set right.
    pub fn whole(name: &str, model: &str, percent: usize) -> Self {
        Self::of_sets(name, model, percent, |_| Some(1))
    }

    /// A run of the sets for which `divisor` says which part of their items was asked.
    pub fn of_sets(
        name: &str,
        model: &str,
        percent: usize,
        divisor: impl Fn(&Set) -> Option<usize>,
    ) -> Self {
        let benchmark = Benchmark::published();
        let asked = |set: &&Set| set.in_average && divisor(set).is_some();
        let sets: Vec<Value> = benchmark
            .sets()
            .iter()
            .filter(asked)
            .map(|set| set_summary(set, percent, divisor(set).unwrap()))
            .collect();
        let missing: Vec<&str> = benchmark
            .sets()
            .iter()
            .filter(|set| set.in_average && divisor(set).is_none())
            .map(|set| set.name.as_str())
            .collect();
        let partial: Vec<&Value> = sets
            .iter()
            .filter(|set| set["n"] != set["expected"])
            .map(|set| &set["set"])
            .collect();
        let problems: u64 = sets.iter().map(|set| set["n"].as_u64().unwrap()).sum();
        let summary = json!({
            "schema": "mwpbench.summary.v1", "model": model, "protocol": "official", "deviations": [], "data": "full_test.json",
            "sets": sets, "micro": null, "macro": null, "complete": missing.is_empty() && partial.is_empty(),
            "missing": missing, "partial": partial, "reference_errors": [],
        });
        let manifest = json!({
            "schema": "mwpbench.run.v1", "version": "0.1.0",
            "identity": {
                "model": { "name": model, "kind": "local", "details": {} },
                "data": { "name": "full_test.json", "samples": false, "digest": "d", "problems": problems, "problems_digest": "p" },
                "template": { "name": "alpaca", "digest": "t", "text": "{question}" },
                "decoding": { "max_tokens": 2048, "stop": [] }, "protocol": "official", "limit": null,
            },
            "environment": {"published_data": "true"}, "started": "2026-01-01T00:00:00Z", "finished": "2026-01-01T01:00:00Z",
        });
        let mut run = Self {
            name: name.to_string(),
            manifest,
            summary,
        };
        run.average();
        run
    }

    /// Computes the averages anew.
    fn average(&mut self) {
        let sets = self.summary["sets"].as_array().unwrap();
        let of = |scorer: &str| -> Vec<(usize, f64)> {
            let figure = |set: &Value| {
                (
                    set["n"].as_u64().unwrap() as usize,
                    set[scorer]["accuracy"].as_f64().unwrap(),
                )
            };
            sets.iter()
                .filter(|set| set["in_average"] == true)
                .map(figure)
                .collect()
        };
        let both = |average: &dyn Fn(Vec<(usize, f64)>) -> Option<f64>| json!({ "official": average(of("official")), "strict": average(of("strict")) });
        let micro = both(&|sets| micro_average(sets));
        let macro_ = both(&|sets| macro_average(sets.into_iter().map(|(_, accuracy)| accuracy)));
        self.summary["micro"] = micro;
        self.summary["macro"] = macro_;
    }

    fn on_samples(mut self) -> Self {
        self.manifest["identity"]["data"]["samples"] = true.into();
        self.manifest["identity"]["data"]["name"] = "samples".into();
        self.summary["data"] = "samples".into();
        self.summary["complete"] = false.into();
        self
    }

    /// The run with a tag.
    pub fn tagged(mut self, key: &str, value: &str) -> Self {
        self.manifest["tags"][key] = value.into();
        self
    }

    fn deviating(mut self, deviation: &str) -> Self {
        self.summary["deviations"]
            .as_array_mut()
            .unwrap()
            .push(deviation.into());
        self
    }

    fn write(&self, root: &Path) -> PathBuf {
        let folder = root.join(&self.name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("run.json"), self.manifest.to_string()).unwrap();
        fs::write(folder.join("summary.json"), self.summary.to_string()).unwrap();
        folder
    }
}

fn entries(root: &Path, runs: &[Run]) -> Result<Vec<Entry>, LeaderboardError> {
    let folders: Vec<PathBuf> = runs.iter().map(|run| run.write(root)).collect();
    Entry::read_all(&Benchmark::published(), &folders)
}

pub fn board(runs: &[Run], plan: LeaderboardPlan) -> Leaderboard {
    let root = tempfile::tempdir().unwrap();
    Leaderboard::new(
        &Benchmark::published(),
        entries(root.path(), runs).unwrap(),
        plan,
    )
    .unwrap()
}

fn text(runs: &[Run], plan: LeaderboardPlan, format: LeaderboardFormat) -> String {
    board(runs, plan).text(format)
}

fn json(runs: &[Run], plan: LeaderboardPlan) -> Value {
    serde_json::from_str(&text(runs, plan, LeaderboardFormat::Json)).unwrap()
}

const PLAIN: LeaderboardFormat = LeaderboardFormat::Terminal {
    width: None,
    styled: false,
};

/// Some of the sets whole, one in part, the others not.
fn in_part(name: &str, model: &str, percent: usize) -> Run {
    Run::of_sets(name, model, percent, |set| match set.name.as_str() {
        "gsm8k" | "math" => Some(1),
        "tal" => Some(11),
        _ => None,
    })
}

#[test]
fn runs_are_sorted_by_their_micro_average_and_marked_where_they_cannot_be_compared() {
    let runs = [
        Run::whole("one", "base-7b", 20),
        in_part("two", "part", 50),
        Run::whole("three", "tuned-7b", 40),
    ];
    insta::assert_snapshot!(text(&runs, LeaderboardPlan::default(), PLAIN), @r#"
    Leaderboard (not every row is a whole run of MwpBench: see the notes): accuracy in percent by the official scorer
    ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
     model      GSM8K   MATH   College     TAL   M23k    Ape   Gaokao   AG-Gk   AG-SAT   AG-M     micro     macro
    ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
     part        50.0   50.0         –   50.0ᵃ      –      –        –       –        –      –   50.0ᵃ,ᵇ   50.0ᵃ,ᵇ
     tuned-7b    40.0   39.9      40.0    40.0   39.9   40.0     40.0    39.9     39.2   40.0      40.0      39.9
     base-7b     19.9   19.9      19.9    20.0   19.9   20.0     19.9    19.8     19.6   19.9      19.9      19.9
    ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
    College = CollegeMath, TAL = TAL-SCQ, M23k = Math23k, Ape = Ape210k, Gaokao = GaokaoBench-Math, AG-Gk = AGIEval-Gaokao-Math, AG-SAT = AGIEval-SAT-Math, AG-M = AGIEval-MATH.
    ᵃ other numbers of problems than the protocol's: TAL-SCQ 136 in place of 1496 (not comparable).
    ᵇ average over 3 of 10 sets, without college_math, math23k, ape210k, gaokao_bench, agieval_gaokao, agieval_sat, agieval_math (not comparable).
    "#);
}

#[test]
fn the_papers_rows_stand_beside_runs_of_the_same_base_model() {
    let runs = [
        Run::whole("one", "ours", 45).tagged("base", "mistral 7b"),
        Run::whole("two", "other", 12),
        Run::whole("three", "demo", 99).on_samples(),
    ];
    let plan = LeaderboardPlan {
        with_paper: true,
        ..LeaderboardPlan::default()
    };
    insta::assert_snapshot!(text(&runs, plan, PLAIN), @r#"
    Leaderboard (not every row is a whole run of MwpBench: see the notes): accuracy in percent by the official scorer
    ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
     model                    GSM8K   MATH   College    TAL   M23k    Ape   Gaokao   AG-Gk   AG-SAT   AG-M   micro   macro
    ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
     closed
       GPT-4 ᵃ                 92.9   51.8      24.4   51.8   76.5   61.5     35.4    28.2     68.6   50.7    52.0    54.2
       GPT-3.5-Turbo ᵃ         74.1   37.8      21.6   42.9   62.5   44.0     23.2    15.3     55.8   37.4    39.8    41.5
     LLaMA-2 13B
       MathScale ᵃ             71.3   33.8      20.4   38.1   61.1   43.7     20.0    12.3     55.8   34.7    37.1    39.1
       MetaMath ᵃ              70.8   22.8      10.1   25.4   48.6   31.6      9.6     5.6     38.2   22.9    26.8    28.6
       GAIR-Abel ᵃ             66.4   16.6       7.9   21.1   42.2   27.8      7.0     4.9     30.3   18.2    22.3    24.3
       WizardMath ᵃ            62.0   14.3       7.8   18.7   38.3   25.2      8.2     3.4     29.4   15.8    20.2    22.3
       MAmmoTH ᵃ               56.5   12.6       6.5   17.3   39.5   28.1      5.9     4.9     20.5   12.5    18.9    20.4
       LLaMA-2 13B ᵃ            7.1    3.5       1.2    6.3    9.5    7.9      0.7     0.4      6.8    3.7     4.5     4.7
     LLaMA-2 7B
       MathScale ᵃ             66.3   31.1      20.9   35.2   59.0   41.8     19.6    12.6     57.8   31.1    35.0    37.5
       MetaMath ᵃ              66.2   20.6       9.4   22.5   44.0   29.9      5.9     5.1     36.2   20.8    24.5    26.1
       GAIR-Abel ᵃ             57.6   12.7       6.6   18.3   35.4   24.5      4.3     4.4     23.5   14.6    18.5    20.2
       WizardMath ᵃ            52.8   10.3       6.8   14.0   32.5   19.2      5.9     6.1     22.5   11.7   15.8ᵇ   17.1ᵇ
       MAmmoTH ᵃ               50.0    9.5       6.2   13.3   34.6   21.4      3.9     2.7     19.6   10.9    15.6    17.2
       LLaMA-2 7B ᵃ             4.5    4.2       2.3    7.6    6.8    7.3      2.1     2.9      2.9    5.0     4.7     4.6
     Mistral 7B
       ours                    45.0   44.9      45.0   45.0   45.0   45.0     44.9    44.8     44.1   45.0    45.0    44.9
       MathScale Mistral ᵃ     74.8   35.2      21.8   39.9   64.4   46.0     21.4    14.3     57.8   32.9    38.7    40.8
       WizardMath v1.1 ᵃ       78.1   32.8      16.0   34.4   58.3   41.4     16.1     9.6     55.8   33.0    35.4    37.6
       MetaMath Mistral ᵃ      77.4   28.4      15.7   31.4   55.1   38.1     15.3    10.1     50.9   28.4    32.7    35.1
       Mistral 7B ᵃ            15.5   10.1       7.5   17.9   18.5   15.5      6.2     5.9     22.5   10.4    11.9    13.0
     base not tagged
       other                   12.0   11.9      12.0   12.0   11.9   12.0     11.8    11.9     11.8   11.9    11.9    11.9
     bundled (not MwpBench)
       demo ᶜ                  98.9   98.9      98.9   99.0   98.9   99.0     98.8    98.8     98.0   98.9    98.9    98.8
    ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    College = CollegeMath, TAL = TAL-SCQ, M23k = Math23k, Ape = Ape210k, Gaokao = GaokaoBench-Math, AG-Gk = AGIEval-Gaokao-Math, AG-SAT = AGIEval-SAT-Math, AG-M = AGIEval-MATH.
    ᵃ published figures, not run here: MathScale paper, arXiv:2403.02884v1, table 5, official scorer.
    ᵇ as printed in the paper, but its own ten accuracies give a micro average of 16.0 and a macro average of 18.2.
    ᶜ on the bundled problems, which are not MwpBench (not comparable).
    "#);
}

#[test]
fn markdown_has_intervals_and_the_best_in_bold() {
    let runs = [
        Run::whole("one", "base|7b", 20),
        Run::whole("two", "tuned_7b", 40).deviating("at most 8 new tokens"),
    ];
    let plan = LeaderboardPlan {
        intervals: true,
        subjects: Some(Subjects::Math),
        with_paper: true,
        ..LeaderboardPlan::default()
    };
    insta::assert_snapshot!(text(&runs, plan, LeaderboardFormat::Markdown), @r#"
    **Leaderboard (not every row is a whole run of MwpBench: see the notes), subjects of MATH: accuracy in percent by the official scorer**

    | model | Prealgebra | Algebra | Intermediate Algebra | Precalculus | Counting \& Probability | Geometry | Number Theory | MATH |
    | :-- | --: | --: | --: | --: | --: | --: | --: | --: |
    | *closed* |  |  |  |  |  |  |  |  |
    | GPT-4<sup>a,b</sup> | **75.2** | **71.3** | **25.3** | **30.4** | **52.5** | **41.7** | **45.7** | **51.8** |
    | GPT-3.5-Turbo<sup>a,b</sup> | 59.3 | 55.5 | 17.3 | 20.1 | 30.1 | 29.8 | 30.3 | 37.8 |
    | *LLaMA-2 13B* |  |  |  |  |  |  |  |  |
    | MathScale<sup>a,b</sup> | **52.9** | **53.4** | **13.6** | **17.3** | **24.6** | **25.6** | **25.7** | **33.8** |
    | MetaMath<sup>a,b</sup> | 39.3 | 32.1 | 11.9 | 10.2 | 18.5 | 17.7 | 15.3 | 22.8 |
    | GAIR-Abel<sup>a,b</sup> | 28.3 | 23.3 | 8.1 | 9.1 | 13.0 | 15.0 | 9.4 | 16.6 |
    | WizardMath<sup>a,b</sup> | 23.6 | 21.4 | 7.5 | 7.1 | 10.9 | 12.3 | 6.8 | 14.3 |
    | MAmmoTH<sup>a,b</sup> | 21.4 | 17.2 | 6.9 | 7.8 | 11.8 | 8.7 | 6.2 | 12.6 |
    | *LLaMA-2 7B* |  |  |  |  |  |  |  |  |
    | MathScale<sup>a,b</sup> | **48.9** | **49.3** | **12.4** | **15.2** | **23.2** | **23.3** | **23.8** | **31.1** |
    | MetaMath<sup>a,b</sup> | 34.0 | 29.6 | 8.7 | 9.8 | 17.5 | 15.4 | 17.5 | 20.6 |
    | GAIR-Abel<sup>a,b</sup> | 21.4 | 17.6 | 7.7 | 6.9 | 10.1 | 9.8 | 7.4 | 12.7 |
    | WizardMath<sup>a,b</sup> | 16.5 | 15.2 | 6.3 | 5.8 | 6.7 | 8.5 | 5.9 | 10.3 |
    | MAmmoTH<sup>a,b</sup> | 15.1 | 12.5 | 6.5 | 4.3 | 9.9 | 7.3 | 6.1 | 9.5 |
    | *Mistral 7B* |  |  |  |  |  |  |  |  |
    | MathScale Mistral<sup>a,b</sup> | **55.9** | **52.8** | **14.6** | 18.6 | **28.9** | **26.5** | **27.5** | **35.2** |
    | WizardMath v1.1<sup>a,b</sup> | 51.4 | 50.7 | 13.9 | **19.9** | 25.5 | 24.4 | 22.4 | 32.8 |
    | MetaMath Mistral<sup>a,b</sup> | 47.1 | 41.4 | 13.2 | 12.6 | 23.4 | 23.7 | 19.8 | 28.4 |
    | *base not tagged* |  |  |  |  |  |  |  |  |
    | tuned\_7b<sup>c</sup> | 40.0<br>36.8–43.2 | 39.9<br>37.2–42.7 | 40.0<br>36.8–43.2 | 39.9<br>35.9–44.1 | 39.9<br>35.6–44.3 | 39.9<br>35.6–44.3 | 40.0<br>36.0–44.2 | 39.9<br>38.6–41.3 |
    | base\|7b | 20.0<br>17.5–22.8 | 20.0<br>17.8–22.3 | 19.9<br>17.5–22.7 | 20.0<br>16.8–23.5 | 19.8<br>16.5–23.7 | 19.8<br>16.5–23.6 | 20.0<br>16.8–23.6 | 19.9<br>18.9–21.1 |

    Bold: the best of its base model among figures that can be compared.<br>
    Intervals of 95 %: Wilson's of sets; published figures have none.<br>
    <sup>a</sup> published figures, not run here: MathScale paper, arXiv:2403.02884v1, tables 5 and 9, official scorer.<br>
    <sup>b</sup> the header of the paper's table 9 is broken: the order of its last four subjects is inferred from table 5.<br>
    <sup>c</sup> not the official protocol: at most 8 new tokens (not comparable).
    "#);
}

#[test]
fn both_scorers_have_rows_of_their_own() {
    let runs = [
        Run::whole("one", "base-7b", 20),
        Run::whole("two", "tuned-7b", 40),
    ];
    let plan = LeaderboardPlan {
        scorers: Scorers::Both,
        ..LeaderboardPlan::default()
    };
    let rows = json(&runs, plan)["rows"].clone();
    let told: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["model"].clone(), row["scorer"].clone()))
        .collect();
    let expected = [
        ("tuned-7b", "official"),
        ("tuned-7b", "strict"),
        ("base-7b", "official"),
        ("base-7b", "strict"),
    ];
    assert_eq!(
        told,
        expected.map(|(model, scorer)| (Value::from(model), Value::from(scorer)))
    );
    assert_eq!(
        [0, 1, 2, 3].map(|row| rows[row]["figures"]["micro"]["best"] == true),
        [true, true, false, false]
    );
}

#[test]
fn rows_without_the_figure_come_last_in_either_direction() {
    let order = |ascending: bool| -> Vec<String> {
        let runs = [
            in_part("one", "part", 50),
            Run::whole("two", "low", 20),
            Run::whole("three", "high", 40),
        ];
        let plan = LeaderboardPlan {
            sort: Some("CollegeMath".into()),
            ascending,
            ..LeaderboardPlan::default()
        };
        let rows = json(&runs, plan)["rows"].clone();
        rows.as_array()
            .unwrap()
            .iter()
            .map(|row| row["model"].as_str().unwrap().to_string())
            .collect()
    };
    assert_eq!(order(false), ["high", "low", "part"]);
    assert_eq!(order(true), ["low", "high", "part"]);
}

#[test]
fn runs_of_one_name_are_told_apart_by_their_folders() {
    let runs = [
        Run::whole("first", "tuned", 20),
        Run::whole("a/same", "tuned", 30),
        Run::whole("b/same", "tuned", 40),
    ];
    let rows = json(&runs, LeaderboardPlan::default())["rows"].clone();
    let names: Vec<&str> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["model"].as_str().unwrap())
        .collect();
    assert!(
        names[0].ends_with("b/same)")
            && names[1].ends_with("a/same)")
            && names[2] == "tuned (first)",
        "{names:?}"
    );
}

#[test]
fn samples_never_stand_among_real_runs_and_are_never_better_than_them() {
    let runs = [
        Run::whole("one", "demo", 90).on_samples(),
        Run::whole("two", "low", 20),
        Run::whole("three", "high", 40),
    ];
    let value = json(&runs, LeaderboardPlan::default());
    let rows = value["rows"].as_array().unwrap();
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row["model"].as_str().unwrap(),
                row["group"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("high", "base not tagged"),
            ("low", "base not tagged"),
            ("demo", "bundled (not MwpBench)")
        ]
    );
    assert_eq!(rows[2]["figures"]["micro"]["best"], false);
    assert_eq!(rows[2]["figures"]["micro"]["comparable"], false);
    let all = text(
        &[Run::whole("one", "demo", 90).on_samples()],
        LeaderboardPlan::default(),
        PLAIN,
    );
    assert!(
        all.starts_with("Leaderboard on the bundled problems (not MwpBench)"),
        "{all}"
    );
}

#[test]
fn a_marked_row_is_not_the_best_of_unmarked_ones() {
    let runs = [
        Run::whole("one", "quantized", 60).deviating("weights rounded to q8_0"),
        Run::whole("two", "low", 20),
        Run::whole("three", "high", 40),
    ];
    let rows = json(&runs, LeaderboardPlan::default())["rows"].clone();
    assert_eq!(
        [0, 1, 2].map(|row| rows[row]["figures"]["gsm8k"]["best"] == true),
        [false, true, false]
    );
    // Rows with one mark are compared with each other.
    let runs = ["low", "high"]
        .map(|name| Run::whole(name, name, 10 * name.len()).deviating("limit 5 a set"));
    let rows = json(&runs, LeaderboardPlan::default())["rows"].clone();
    assert_eq!(
        (&rows[0]["model"], &rows[0]["figures"]["gsm8k"]["best"]),
        (&"high".into(), &true.into())
    );
}

#[test]
fn a_narrow_terminal_gets_several_blocks_with_every_column() {
    let runs = [
        Run::whole("one", "a-checkpoint-with-a-long-name", 20),
        Run::whole("two", "tuned-7b", 40),
    ];
    for width in [40, 60, 80, 120] {
        let format = LeaderboardFormat::Terminal {
            width: Some(width),
            styled: false,
        };
        let text = text(
            &runs,
            LeaderboardPlan {
                intervals: true,
                ..LeaderboardPlan::default()
            },
            format,
        );
        let table = text.lines().filter(|line| line.starts_with([' ', '─']));
        assert!(
            table
                .clone()
                .all(|line| line.chars().count() <= usize::from(width)),
            "{text}"
        );
        let words: Vec<&str> = table.flat_map(str::split_whitespace).collect();
        for name in [
            "GSM8K", "MATH", "College", "TAL", "M23k", "Ape", "Gaokao", "AG-Gk", "AG-SAT", "AG-M",
            "micro", "macro",
        ] {
            assert_eq!(
                words.iter().filter(|word| **word == name).count(),
                1,
                "{name} at {width}:\n{text}"
            );
        }
    }
}

#[test]
fn only_a_terminal_gets_bold_letters() {
    let runs = [Run::whole("one", "low", 20), Run::whole("two", "high", 40)];
    let styled = LeaderboardFormat::Terminal {
        width: None,
        styled: true,
    };
    assert!(text(&runs, LeaderboardPlan::default(), styled).contains("\u{1b}[1m"));
    assert!(!text(&runs, LeaderboardPlan::default(), PLAIN).contains('\u{1b}'));
}

#[test]
fn csv_has_a_field_for_every_column() {
    let runs = [Run::whole("one", "a,\"b\"", 20), in_part("two", "part", 50)];
    let plan = LeaderboardPlan {
        intervals: true,
        with_paper: true,
        include_fresh_gaokao: true,
        ..LeaderboardPlan::default()
    };
    let text = text(&runs, plan, LeaderboardFormat::Csv);
    let rows = parse_csv(&text);
    assert_eq!(rows.len(), 1 + 18 + 2);
    assert_eq!(rows[0].len(), 6 + 3 * 13 + 1);
    assert!(rows.iter().all(|row| row.len() == rows[0].len()));
    let ours = rows.iter().find(|row| row[3].ends_with("one")).unwrap();
    assert_eq!(
        (ours[1].as_str(), ours[6].as_str()),
        ("a,\"b\"", "0.199393")
    );
    let paper = rows.iter().find(|row| row[1] == "GPT-4").unwrap();
    assert_eq!(
        (paper[2].as_str(), paper[6].as_str(), paper[7].as_str()),
        ("paper", "0.929", "")
    );
}

/// A reader of RFC 4180 that shares nothing with the writer.
fn parse_csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut inside) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (inside, c) {
            (true, '"') if chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            (_, '"') => inside = !inside,
            (false, ',') => row.push(std::mem::take(&mut field)),
            (false, '\r') => {
                assert_eq!(chars.next(), Some('\n'));
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            (_, c) => field.push(c),
        }
    }
    assert!(!inside && field.is_empty() && row.is_empty());
    rows
}

#[test]
fn a_model_card_gets_each_set_with_its_revision_and_both_averages() {
    let runs = [Run::whole("one", "tuned: \"7b\"", 40)];
    let board = board(
        &runs,
        LeaderboardPlan {
            scorers: Scorers::Both,
            ..LeaderboardPlan::default()
        },
    );
    let text = board.model_index(&Benchmark::published());
    let first: String = text
        .lines()
        .take(31)
        .map(|line| format!("{line}\n"))
        .collect();
    insta::assert_snapshot!(first, @r#"
    model-index:
    - name: "tuned: \"7b\""
      results:
      - task:
          type: text-generation
          name: Text Generation
        dataset:
          name: "GSM8K (MwpBench)"
          type: mwpbench
          config: "gsm8k"
          split: test
          revision: "768a3c873f598bb9b4d4dfb9267b099e35f8fe56"
          args:
            problems: 1319
            num_few_shot: 0
            prompt_template: "alpaca"
            max_new_tokens: 2048
            protocol: "official"
        metrics:
        - type: accuracy
          value: 39.95
          name: "accuracy (official scorer)"
          verified: false
        - type: accuracy
          value: 36.32
          name: "accuracy (strict scorer)"
          verified: false
        source:
          name: "mwpbench 0.1.0"
      - task:
          type: text-generation
    "#);
    assert_eq!(text.matches("  - task:").count(), 11);
    assert_eq!(text.matches("verified: false").count(), 10 * 2 + 4);
}

/// As many problems as the benchmark has are not the benchmark.
#[test]
fn data_that_are_not_the_published_files_are_called_own_data() {
    let own = || {
        let mut run = Run::whole("one", "tuned", 40);
        run.manifest["environment"] = json!({});
        run
    };
    let plan = || LeaderboardPlan {
        source_url: Some("https://example.org/evaluation".to_string()),
        ..LeaderboardPlan::default()
    };
    let card = board(&[own()], plan()).model_index(&Benchmark::published());
    assert!(
        !card.contains("(MwpBench)") && !card.contains("revision:"),
        "{card}"
    );
    assert!(card.contains("name: \"GSM8K (own data)\"") && card.contains("type: own-data"));
    assert!(
        card.contains("url: \"https://example.org/evaluation\""),
        "{card}"
    );
    let table = text(&[own()], plan(), PLAIN);
    assert!(
        table.contains("own data: not the published files"),
        "{table}"
    );
    let published = text(&[Run::whole("one", "tuned", 40)], plan(), PLAIN);
    assert!(!published.contains("own data"), "{published}");
}

/// The folder's only run must be refused with a message of these parts.
fn refused(run: &Run, parts: &[&str]) -> LeaderboardError {
    let root = tempfile::tempdir().unwrap();
    let folder = run.write(root.path());
    let error = Entry::read_all(&Benchmark::published(), &[folder]).unwrap_err();
    let message = error.to_string();
    assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    error
}

#[test]
fn figures_that_cannot_be_are_refused_by_name() {
    let spoilt = |parts: &[&str], spoil: &dyn Fn(&mut Value)| {
        let mut run = Run::whole("one", "tuned", 40);
        spoil(&mut run.summary);
        let error = refused(&run, parts);
        assert!(
            error.class() == Class::Integrity || matches!(error, LeaderboardError::Run(_)),
            "{error:?}"
        );
    };
    spoilt(
        &[
            "gsm8k.official.accuracy is 0.9",
            "527 of 1319",
            "mwpbench score",
        ],
        &|value| value["sets"][0]["official"]["accuracy"] = 0.9.into(),
    );
    spoilt(&["gsm8k.strict.correct is 1400"], &|value| {
        value["sets"][0]["strict"]["correct"] = 1400.into()
    });
    spoilt(&["gsm8k.official.interval"], &|value| {
        value["sets"][0]["official"]["interval"] = json!([0.5, 0.6])
    });
    spoilt(&["gsm8k.n is 0"], &|value| value["sets"][0]["n"] = 0.into());
    spoilt(&["the set gsm8k is there twice"], &|value| {
        value["sets"][1] = value["sets"][0].clone()
    });
    spoilt(&["gsm8k.in_average"], &|value| {
        value["sets"][0]["in_average"] = false.into()
    });
    spoilt(&["its tasks have"], &|value| {
        value["sets"][1]["tasks"][0] = merged(value["sets"][1]["tasks"][0].clone(), counts(1, 1, 9))
    });
    spoilt(&["the task MATH.Algebra is there twice"], &|value| {
        value["sets"][1]["tasks"][1] = value["sets"][1]["tasks"][0].clone()
    });
    spoilt(&["micro.official is 0.9"], &|value| {
        value["micro"]["official"] = 0.9.into()
    });
    spoilt(&["macro.official is nothing"], &|value| {
        value["macro"] = Value::Null
    });
    spoilt(&["gsm8k.failed"], &|value| {
        value["sets"][0]["failed"] = 99_999.into()
    });
    // What serde refuses: the file is named.
    spoilt(&["summary.json", "accuracy"], &|value| {
        _ = value["sets"][0]["official"]
            .as_object_mut()
            .unwrap()
            .remove("accuracy")
    });
    spoilt(&["summary.json", "null"], &|value| {
        value["sets"][0]["official"]["accuracy"] = Value::Null
    });
    spoilt(&["summary.json", "mwpbench.summary.v2"], &|value| {
        value["schema"] = "mwpbench.summary.v2".into()
    });
}

#[test]
fn numbers_that_are_none_are_refused() {
    for number in ["NaN", "Infinity", "1e999"] {
        let root = tempfile::tempdir().unwrap();
        let folder = Run::whole("one", "tuned", 40).write(root.path());
        let summary = fs::read_to_string(folder.join("summary.json")).unwrap();
        let start = summary.find("\"accuracy\":").unwrap() + "\"accuracy\":".len();
        let end = start + summary[start..].find(',').unwrap();
        fs::write(
            folder.join("summary.json"),
            format!("{}{number}{}", &summary[..start], &summary[end..]),
        )
        .unwrap();
        let error = Entry::read_all(&Benchmark::published(), &[folder]).unwrap_err();
        assert!(error.to_string().contains("summary.json"), "{error}");
    }
}

#[test]
fn files_of_two_runs_in_one_folder_are_refused() {
    let mut run = Run::whole("one", "tuned", 40);
    run.summary["model"] = "another".into();
    let error = refused(&run, &["the model is \"another\"", "\"tuned\""]);
    assert_eq!(error.class(), Class::Integrity);
    let mut run = Run::whole("one", "tuned", 40);
    run.manifest["identity"]["data"]["problems"] = 7.into();
    refused(&run, &["the number of problems is \"15534\"", "\"7\""]);
    let mut run = Run::whole("one", "tuned", 40);
    run.manifest["schema"] = "mwpbench.run.v9".into();
    refused(&run, &["run.json", "mwpbench.run.v9"]);
}

#[test]
fn an_unfinished_run_is_refused_with_how_far_it_is() {
    let mut run = Run::whole("one", "tuned", 40);
    run.manifest["finished"] = Value::Null;
    refused(&run, &["is incomplete: 0 of 15534"]);
    let root = tempfile::tempdir().unwrap();
    let folder = Run::whole("one", "tuned", 40).write(root.path());
    fs::remove_file(folder.join("summary.json")).unwrap();
    let error = Entry::read_all(&Benchmark::published(), &[folder]).unwrap_err();
    assert!(error.to_string().contains("0 of 15534"), "{error}");
}

#[test]
fn a_folder_twice_and_nothing_at_all_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let folder = Run::whole("one", "tuned", 40).write(root.path());
    let folders = [folder.clone(), root.path().join("one/../one")];
    let error = Entry::read_all(&Benchmark::published(), &folders).unwrap_err();
    assert!(matches!(error, LeaderboardError::Twice { .. }), "{error}");
    let nothing = Leaderboard::new(
        &Benchmark::published(),
        Vec::new(),
        LeaderboardPlan::default(),
    )
    .unwrap_err();
    assert!(matches!(nothing, LeaderboardError::Nothing), "{nothing}");
    let missing =
        Entry::read_all(&Benchmark::published(), &[root.path().join("none")]).unwrap_err();
    assert!(missing.to_string().contains("holds no run"), "{missing}");
}

#[test]
fn an_unknown_column_is_refused_with_those_there_are() {
    let root = tempfile::tempdir().unwrap();
    let entries = entries(root.path(), &[Run::whole("one", "tuned", 40)]).unwrap();
    let plan = LeaderboardPlan {
        sort: Some("gsm9k".into()),
        ..LeaderboardPlan::default()
    };
    let error = Leaderboard::new(&Benchmark::published(), entries, plan)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("gsm9k") && error.contains("gsm8k, math") && error.contains("macro, model"),
        "{error}"
    );
}

#[test]
fn a_leaderboard_fits_the_terminal() {
    let plan = LeaderboardPlan {
        with_paper: true,
        intervals: true,
        ..LeaderboardPlan::default()
    };
    let runs = [
        Run::whole("one", "base-7b", 20),
        Run::of_sets("two", "tuned-7b-with-a-longer-name", 40, |set| {
            (set.name != "math").then_some(2)
        }),
    ];
    let board = board(&runs, plan);
    crate::at_each_width("leaderboard", |width| {
        board.text(LeaderboardFormat::Terminal {
            width: Some(width),
            styled: false,
        })
    });
}
