//! Runs written by the test → leaderboards.

use std::fs;
use std::path::{Path, PathBuf};

use dataset_loader::{Benchmark, Set};
use evaluation::{macro_average, micro_average, wilson_interval};
use reporting::{Entry, Leaderboard, LeaderboardError, LeaderboardFormat, LeaderboardPlan, Scorers, Subjects};
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
    base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
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
    let tasks: Vec<Value> =
        set.tasks.iter().map(|task| merged(json!({ "task": task.name }), counted(task.count))).collect();
    let expected: usize = set.tasks.iter().map(|task| size(task.count)).sum();
    let (official, strict, n) = tasks.iter().fold((0, 0, 0), |(official, strict, n), task| {
        let of = |scorer: &str| task[scorer]["correct"].as_u64().unwrap() as usize;
        (official + of("official"), strict + of("strict"), n + task["n"].as_u64().unwrap() as usize)
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
    pub fn of_sets(name: &str, model: &str, percent: usize, divisor: impl Fn(&Set) -> Option<usize>) -> Self {
        let benchmark = Benchmark::published();
        let asked = |set: &&Set| set.in_average && divisor(set).is_some();
        let sets: Vec<Value> =
            benchmark.sets().iter().filter(asked).map(|set| set_summary(set, percent, divisor(set).unwrap())).collect();
        let missing: Vec<&str> = benchmark
            .sets()
            .iter()
            .filter(|set| set.in_average && divisor(set).is_none())
            .map(|set| set.name.as_str())
            .collect();
        let partial: Vec<&Value> =
            sets.iter().filter(|set| set["n"] != set["expected"]).map(|set| &set["set"]).collect();
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
            "environment": {}, "started": "2026-01-01T00:00:00Z", "finished": "2026-01-01T01:00:00Z",
        });
        let mut run = Self { name: name.to_string(), manifest, summary };
        run.average();
        run
    }

    /// Computes the averages anew.
    fn average(&mut self) {
        let sets = self.summary["sets"].as_array().unwrap();
        let of = |scorer: &str| -> Vec<(usize, f64)> {
            let figure = |set: &Value| (set["n"].as_u64().unwrap() as usize, set[scorer]["accuracy"].as_f64().unwrap());
            sets.iter().filter(|set| set["in_average"] == true).map(figure).collect()
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
        self.summary["deviations"].as_array_mut().unwrap().push(deviation.into());
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
    Leaderboard::new(&Benchmark::published(), entries(root.path(), runs).unwrap(), plan).unwrap()
}

fn text(runs: &[Run], plan: LeaderboardPlan, format: LeaderboardFormat) -> String {
    board(runs, plan).text(format)
}

fn json(runs: &[Run], plan: LeaderboardPlan) -> Value {
    serde_json::from_str(&text(runs, plan, LeaderboardFormat::Json)).unwrap()
}

const PLAIN: LeaderboardFormat = LeaderboardFormat::Terminal { width: None, styled: false };

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
    let runs = [Run::whole("one", "base-7b", 20), in_part("two", "part", 50), Run::whole("three", "tuned-7b", 40)];
    insta::assert_snapshot!(text(&runs, LeaderboardPlan::default(), PLAIN), @"");
}

#[test]
fn the_papers_rows_stand_beside_runs_of_the_same_base_model() {
    let runs = [
        Run::whole("one", "ours", 45).tagged("base", "mistral 7b"),
        Run::whole("two", "other", 12),
        Run::whole("three", "demo", 99).on_samples(),
    ];
    let plan = LeaderboardPlan { with_paper: true, ..LeaderboardPlan::default() };
    insta::assert_snapshot!(text(&runs, plan, PLAIN), @"");
}

#[test]
fn markdown_has_intervals_and_the_best_in_bold() {
    let runs = [Run::whole("one", "base|7b", 20), Run::whole("two", "tuned_7b", 40).deviating("at most 8 new tokens")];
    let plan = LeaderboardPlan {
        intervals: true,
        subjects: Some(Subjects::Math),
        with_paper: true,
        ..LeaderboardPlan::default()
    };
    insta::assert_snapshot!(text(&runs, plan, LeaderboardFormat::Markdown), @"");
}

#[test]
fn both_scorers_have_rows_of_their_own() {
    let runs = [Run::whole("one", "base-7b", 20), Run::whole("two", "tuned-7b", 40)];
    let plan = LeaderboardPlan { scorers: Scorers::Both, ..LeaderboardPlan::default() };
    let rows = json(&runs, plan)["rows"].clone();
    let told: Vec<_> =
        rows.as_array().unwrap().iter().map(|row| (row["model"].clone(), row["scorer"].clone())).collect();
    let expected = [("tuned-7b", "official"), ("tuned-7b", "strict"), ("base-7b", "official"), ("base-7b", "strict")];
    assert_eq!(told, expected.map(|(model, scorer)| (Value::from(model), Value::from(scorer))));
    assert_eq!([0, 1, 2, 3].map(|row| rows[row]["figures"]["micro"]["best"] == true), [true, true, false, false]);
}

#[test]
fn rows_without_the_figure_come_last_in_either_direction() {
    let order = |ascending: bool| -> Vec<String> {
        let runs = [in_part("one", "part", 50), Run::whole("two", "low", 20), Run::whole("three", "high", 40)];
        let plan = LeaderboardPlan { sort: Some("CollegeMath".into()), ascending, ..LeaderboardPlan::default() };
        let rows = json(&runs, plan)["rows"].clone();
        rows.as_array().unwrap().iter().map(|row| row["model"].as_str().unwrap().to_string()).collect()
    };
    assert_eq!(order(false), ["high", "low", "part"]);
    assert_eq!(order(true), ["low", "high", "part"]);
}

#[test]
fn runs_of_one_name_are_told_apart_by_their_folders() {
    let runs = [Run::whole("first", "tuned", 20), Run::whole("a/same", "tuned", 30), Run::whole("b/same", "tuned", 40)];
    let rows = json(&runs, LeaderboardPlan::default())["rows"].clone();
    let names: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row["model"].as_str().unwrap()).collect();
    assert!(names[0].ends_with("b/same)") && names[1].ends_with("a/same)") && names[2] == "tuned (first)", "{names:?}");
}

#[test]
fn samples_never_stand_among_real_runs_and_are_never_better_than_them() {
    let runs =
        [Run::whole("one", "demo", 90).on_samples(), Run::whole("two", "low", 20), Run::whole("three", "high", 40)];
    let value = json(&runs, LeaderboardPlan::default());
    let rows = value["rows"].as_array().unwrap();
    let told: Vec<_> =
        rows.iter().map(|row| (row["model"].as_str().unwrap(), row["group"].as_str().unwrap())).collect();
    assert_eq!(told, [("high", "base not tagged"), ("low", "base not tagged"), ("demo", "samples (not MwpBench)")]);
    assert_eq!(rows[2]["figures"]["micro"]["best"], false);
    assert_eq!(rows[2]["figures"]["micro"]["comparable"], false);
    let all = text(&[Run::whole("one", "demo", 90).on_samples()], LeaderboardPlan::default(), PLAIN);
    assert!(all.starts_with("Leaderboard on the program's own samples (not MwpBench)"), "{all}");
}

#[test]
fn a_marked_row_is_not_the_best_of_unmarked_ones() {
    let runs = [
        Run::whole("one", "quantized", 60).deviating("weights rounded to q8_0"),
        Run::whole("two", "low", 20),
        Run::whole("three", "high", 40),
    ];
    let rows = json(&runs, LeaderboardPlan::default())["rows"].clone();
    assert_eq!([0, 1, 2].map(|row| rows[row]["figures"]["gsm8k"]["best"] == true), [false, true, false]);
    // Rows with one mark are compared with each other.
    let runs = ["low", "high"].map(|name| Run::whole(name, name, 10 * name.len()).deviating("limit 5 a set"));
    let rows = json(&runs, LeaderboardPlan::default())["rows"].clone();
    assert_eq!((&rows[0]["model"], &rows[0]["figures"]["gsm8k"]["best"]), (&"high".into(), &true.into()));
}

#[test]
fn a_narrow_terminal_gets_several_blocks_with_every_column() {
    let runs = [Run::whole("one", "a-checkpoint-with-a-long-name", 20), Run::whole("two", "tuned-7b", 40)];
    for width in [40, 60, 80, 120] {
        let format = LeaderboardFormat::Terminal { width: Some(width), styled: false };
        let text = text(&runs, LeaderboardPlan { intervals: true, ..LeaderboardPlan::default() }, format);
        let table = text.lines().filter(|line| line.starts_with([' ', '─']));
        assert!(table.clone().all(|line| line.chars().count() <= usize::from(width)), "{text}");
        let words: Vec<&str> = table.flat_map(str::split_whitespace).collect();
        for name in
            ["GSM8K", "MATH", "College", "TAL", "M23k", "Ape", "Gaokao", "AG-Gk", "AG-SAT", "AG-M", "micro", "macro"]
        {
            assert_eq!(words.iter().filter(|word| **word == name).count(), 1, "{name} at {width}:\n{text}");
        }
    }
}

#[test]
fn only_a_terminal_gets_bold_letters() {
    let runs = [Run::whole("one", "low", 20), Run::whole("two", "high", 40)];
    let styled = LeaderboardFormat::Terminal { width: None, styled: true };
    assert!(text(&runs, LeaderboardPlan::default(), styled).contains("\u{1b}[1m"));
    assert!(!text(&runs, LeaderboardPlan::default(), PLAIN).contains('\u{1b}'));
}

#[test]
fn csv_has_a_field_for_every_column() {
    let runs = [Run::whole("one", "a,\"b\"", 20), in_part("two", "part", 50)];
    let plan = LeaderboardPlan { intervals: true, with_paper: true, fresh: true, ..LeaderboardPlan::default() };
    let text = text(&runs, plan, LeaderboardFormat::Csv);
    let rows = parse_csv(&text);
    assert_eq!(rows.len(), 1 + 18 + 2);
    assert_eq!(rows[0].len(), 6 + 3 * 13 + 1);
    assert!(rows.iter().all(|row| row.len() == rows[0].len()));
    let ours = rows.iter().find(|row| row[3].ends_with("one")).unwrap();
    assert_eq!((ours[1].as_str(), ours[6].as_str()), ("a,\"b\"", "0.19939"));
    let paper = rows.iter().find(|row| row[1] == "GPT-4").unwrap();
    assert_eq!((paper[2].as_str(), paper[6].as_str(), paper[7].as_str()), ("paper", "0.929", ""));
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
    let board = board(&runs, LeaderboardPlan { scorers: Scorers::Both, ..LeaderboardPlan::default() });
    let text = board.model_index(&Benchmark::published());
    let first: String = text.lines().take(32).map(|line| format!("{line}\n")).collect();
    insta::assert_snapshot!(first, @"");
    assert_eq!(text.matches("  - task:").count(), 11);
    assert_eq!(text.matches("verified: false").count(), 10 * 2 + 4);
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
        assert!(error.is_integrity() || matches!(error, LeaderboardError::Run(_)), "{error:?}");
    };
    spoilt(&["gsm8k.official.accuracy is 0.9", "527 of 1319", "mwpbench score"], &|value| {
        value["sets"][0]["official"]["accuracy"] = 0.9.into()
    });
    spoilt(&["gsm8k.strict.correct is 1400"], &|value| value["sets"][0]["strict"]["correct"] = 1400.into());
    spoilt(&["gsm8k.official.interval"], &|value| value["sets"][0]["official"]["interval"] = json!([0.5, 0.6]));
    spoilt(&["gsm8k.n is 0"], &|value| value["sets"][0]["n"] = 0.into());
    spoilt(&["the set gsm8k is there twice"], &|value| value["sets"][1] = value["sets"][0].clone());
    spoilt(&["gsm8k.in_average"], &|value| value["sets"][0]["in_average"] = false.into());
    spoilt(&["its tasks have"], &|value| {
        value["sets"][1]["tasks"][0] = merged(value["sets"][1]["tasks"][0].clone(), counts(1, 1, 9))
    });
    spoilt(&["the task MATH.Algebra is there twice"], &|value| {
        value["sets"][1]["tasks"][1] = value["sets"][1]["tasks"][0].clone()
    });
    spoilt(&["micro.official is 0.9"], &|value| value["micro"]["official"] = 0.9.into());
    spoilt(&["macro.official is nothing"], &|value| value["macro"] = Value::Null);
    spoilt(&["gsm8k.failed"], &|value| value["sets"][0]["failed"] = 99_999.into());
    // What serde refuses: the file is named.
    spoilt(&["summary.json", "accuracy"], &|value| {
        _ = value["sets"][0]["official"].as_object_mut().unwrap().remove("accuracy")
    });
    spoilt(&["summary.json", "null"], &|value| value["sets"][0]["official"]["accuracy"] = Value::Null);
    spoilt(&["summary.json", "mwpbench.summary.v2"], &|value| value["schema"] = "mwpbench.summary.v2".into());
}

#[test]
fn numbers_that_are_none_are_refused() {
    for number in ["NaN", "Infinity", "1e999"] {
        let root = tempfile::tempdir().unwrap();
        let folder = Run::whole("one", "tuned", 40).write(root.path());
        let summary = fs::read_to_string(folder.join("summary.json")).unwrap();
        let start = summary.find("\"accuracy\":").unwrap() + "\"accuracy\":".len();
        let end = start + summary[start..].find(',').unwrap();
        fs::write(folder.join("summary.json"), format!("{}{number}{}", &summary[..start], &summary[end..])).unwrap();
        let error = Entry::read_all(&Benchmark::published(), &[folder]).unwrap_err();
        assert!(error.to_string().contains("summary.json"), "{error}");
    }
}

#[test]
fn files_of_two_runs_in_one_folder_are_refused() {
    let mut run = Run::whole("one", "tuned", 40);
    run.summary["model"] = "another".into();
    assert!(refused(&run, &["the model is \"another\"", "\"tuned\""]).is_integrity());
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
    let nothing = Leaderboard::new(&Benchmark::published(), Vec::new(), LeaderboardPlan::default()).unwrap_err();
    assert!(matches!(nothing, LeaderboardError::Nothing), "{nothing}");
    let missing = Entry::read_all(&Benchmark::published(), &[root.path().join("none")]).unwrap_err();
    assert!(missing.to_string().contains("holds no run"), "{missing}");
}

#[test]
fn an_unknown_column_is_refused_with_those_there_are() {
    let root = tempfile::tempdir().unwrap();
    let entries = entries(root.path(), &[Run::whole("one", "tuned", 40)]).unwrap();
    let plan = LeaderboardPlan { sort: Some("gsm9k".into()), ..LeaderboardPlan::default() };
    let error = Leaderboard::new(&Benchmark::published(), entries, plan).unwrap_err().to_string();
    assert!(error.contains("gsm9k") && error.contains("gsm8k, math") && error.contains("macro, model"), "{error}");
}
