use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::command::{Done, mwpbench};

const USAGE: i32 = 2;
const INCOMPLETE: i32 = 3;
const INTEGRITY: i32 = 4;

/// A small run of the demo checkpoint in `folder/name`.
fn demo_run(folder: &Path, name: &str, extra: &[&str]) {
    let args = [
        "eval",
        "--model",
        "demo",
        "--tasks",
        "gsm8k,tal",
        "--limit",
        "3",
        "--quiet",
        "--output-dir",
        name,
    ];
    mwpbench(folder, args.iter().chain(extra)).ok();
}

fn two_runs() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    demo_run(
        folder.path(),
        "short",
        &[
            "--max-tokens",
            "8",
            "--tag",
            "train_size=25k",
            "--tag",
            "base=tiny",
        ],
    );
    demo_run(
        folder.path(),
        "long",
        &[
            "--max-tokens",
            "64",
            "--tag",
            "train_size=50k",
            "--tag",
            "base=tiny",
        ],
    );
    folder
}

fn leaderboard(folder: &Path, args: &[&str]) -> Done {
    mwpbench(folder, ["leaderboard"].iter().chain(args))
}

fn edit(file: &Path, change: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    change(&mut value);
    fs::write(file, value.to_string()).unwrap();
}

#[test]
fn two_runs_of_one_model_make_two_rows_with_what_sets_them_apart() {
    let folder = two_runs();
    let table = leaderboard(folder.path(), &["short", "long", "--intervals"])
        .ok()
        .stdout;
    for part in [
        "Leaderboard on the bundled problems (not MwpBench): accuracy in percent by the official scorer",
        "demo (short)",
        "demo (long)",
        "limit 3 a set",
        "at most 8 new tokens",
        "average over 2 of 10 sets, without math, college_math",
    ] {
        assert!(table.contains(part), "no {part:?} in\n{table}");
    }
    assert!(
        !table.contains('\u{1b}'),
        "no bold where there is no terminal"
    );

    let board = leaderboard(
        folder.path(),
        &["short", "long", "--json", "--scorer", "both"],
    )
    .ok()
    .json();
    assert_eq!(board["schema"], "mwpbench.leaderboard.v1");
    let rows = board["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    for row in rows {
        let summary: Value = serde_json::from_slice(
            &fs::read(
                folder
                    .path()
                    .join(row["run"].as_str().unwrap())
                    .join("summary.json"),
            )
            .unwrap(),
        )
        .unwrap();
        let scorer = row["scorer"].as_str().unwrap();
        assert_eq!(
            row["figures"]["micro"]["accuracy"],
            summary["micro"][scorer]
        );
        assert_eq!(
            row["figures"]["gsm8k"]["accuracy"],
            summary["sets"][0][scorer]["accuracy"]
        );
        assert_eq!(
            (&row["samples"], &row["tags"]["base"]),
            (&true.into(), &"tiny".into())
        );
        assert!(row["figures"]["math"].is_null());
    }
}

#[test]
fn the_papers_rows_need_no_run() {
    let folder = tempfile::tempdir().unwrap();
    let board = leaderboard(folder.path(), &["--with-paper", "--json"])
        .ok()
        .json();
    let rows = board["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 18);
    assert_eq!(
        (&rows[0]["model"], &rows[0]["figures"]["gsm8k"]["accuracy"]),
        (&"GPT-4".into(), &0.929.into())
    );
    let subjects = leaderboard(
        folder.path(),
        &["--with-paper", "--json", "--subjects", "college_math"],
    )
    .ok()
    .json();
    assert_eq!(subjects["rows"].as_array().unwrap().len(), 15);
    let sorted = leaderboard(
        folder.path(),
        &["--with-paper", "--format", "csv", "--sort", "agieval_sat"],
    )
    .ok()
    .stdout;
    assert!(
        sorted
            .lines()
            .nth(1)
            .unwrap()
            .starts_with("closed,GPT-4,paper,,official,false,0.929,"),
        "{sorted}"
    );
}

/// LaTeX is not at hand here: what siunitx documents of its columns is looked at instead.
#[test]
fn a_latex_table_for_siunitx_has_numbers_and_braces_alone_in_its_number_columns() {
    let folder = two_runs();
    for more in [&["--with-paper"][..], &["--with-paper", "--intervals"]] {
        let args = [&["short", "long", "--format", "latex-siunitx"][..], more].concat();
        let text = leaderboard(folder.path(), &args).ok().stdout;
        assert!(
            text.contains("\\usepackage{siunitx}") && text.contains("S[table-format=2.1]"),
            "{text}"
        );
        let opened = text.matches('{').count();
        assert_eq!(opened, text.matches('}').count(), "{text}");
        let rows = text.split_once("\\midrule\n").unwrap().1;
        let rows = rows.split("\\bottomrule").next().unwrap();
        let mut figures = 0;
        for row in rows
            .lines()
            .filter(|row| row.ends_with(" \\\\") && row.contains(" & "))
        {
            for cell in row.trim_end_matches(" \\\\").split(" & ").skip(1) {
                let cell = cell.strip_prefix("\\bfseries ").unwrap_or(cell);
                let number = cell.split('{').next().unwrap();
                assert!(
                    cell.starts_with('{') || number.parse::<f64>().is_ok(),
                    "{cell}: {row}"
                );
                assert!(
                    cell[number.len()..].is_empty() || cell.ends_with('}'),
                    "{cell}: {row}"
                );
                figures += 1;
            }
        }
        assert!(figures > 100, "{text}");
    }
}

#[test]
fn a_chart_whose_name_ends_in_png_is_one_of_three_pixels_a_unit() {
    let folder = two_runs();
    let draw = |file: &str| leaderboard(folder.path(), &["short", "long", "--chart", file]);
    draw("bars.svg").ok();
    let drawn = draw("bars.PNG");
    if drawn.code != Some(0) {
        // A machine without a font.
        return drawn.refused(2, &["no font was found", ".svg"]);
    }
    let svg = fs::read_to_string(folder.path().join("bars.svg")).unwrap();
    let png = fs::read(folder.path().join("bars.PNG")).unwrap();
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    let size = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\"",
        number(16) / 3,
        number(20) / 3
    );
    assert!(svg.starts_with(&size), "{size}: {}", &svg[..120]);
}

#[test]
fn files_are_written_where_they_are_asked_for() {
    let folder = two_runs();
    let args = [
        "short",
        "long",
        "--format",
        "latex",
        "--output",
        "a.tex",
        "--chart",
        "bars.svg",
        "--scaling",
        "curve.svg",
    ];
    assert_eq!(leaderboard(folder.path(), &args).ok().stdout, "");
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(read("a.tex").contains("\\toprule"));
    assert!(read("bars.svg").starts_with("<svg ") && read("bars.svg").ends_with("</svg>\n"));
    assert!(read("curve.svg").contains(">25k</text>") && read("curve.svg").contains(">50k</text>"));
    let card = leaderboard(folder.path(), &["short", "--model-index"])
        .ok()
        .stdout;
    assert!(
        card.starts_with("model-index:\n- name: \"demo\"\n") && card.contains("not MwpBench"),
        "{card}"
    );
    let bad = ["short", "--output", "no/such/folder/a.txt"];
    leaderboard(folder.path(), &bad).refused(USAGE, &["cannot write no/such/folder/a.txt"]);
}

#[test]
fn a_finished_run_takes_tags_and_keeps_its_completions() {
    let folder = tempfile::tempdir().unwrap();
    demo_run(
        folder.path(),
        "run",
        &["--max-tokens", "8", "--tag", "train_size=1k"],
    );
    let completions = fs::read(folder.path().join("run/completions.jsonl")).unwrap();
    demo_run(
        folder.path(),
        "run",
        &[
            "--max-tokens",
            "8",
            "--tag",
            "train_size=2k",
            "--tag",
            "base=tiny",
        ],
    );
    let manifest: Value =
        serde_json::from_slice(&fs::read(folder.path().join("run/run.json")).unwrap()).unwrap();
    assert_eq!(
        manifest["tags"],
        serde_json::json!({ "base": "tiny", "train_size": "2k" })
    );
    assert!(!manifest["finished"].is_null());
    assert!(completions == fs::read(folder.path().join("run/completions.jsonl")).unwrap());
    for (tags, part) in [
        (vec!["--tag", "train_size"], "KEY=VALUE"),
        (vec!["--tag", "a=1", "--tag", "a=2"], "given twice"),
    ] {
        let args = ["eval", "--model", "demo", "--output-dir", "other"];
        mwpbench(folder.path(), args.iter().chain(&tags)).refused(USAGE, &[part]);
    }
    assert!(!folder.path().join("other").exists());
}

#[test]
fn what_cannot_be_lined_up_is_refused() {
    let folder = two_runs();
    let path = folder.path();
    let refused =
        |args: &[&str], code: i32, parts: &[&str]| leaderboard(path, args).refused(code, parts);
    refused(&["none"], USAGE, &["none: this folder holds no run"]);
    refused(
        &["short", "./short"],
        USAGE,
        &["short and ./short are the same run"],
    );
    refused(
        &["short", "--sort", "gsm9k"],
        USAGE,
        &["no column \"gsm9k\"", "gsm8k, math"],
    );
    refused(
        &["short", "--scaling", "curve.svg"],
        USAGE,
        &["at least two training sizes"],
    );
    assert!(!path.join("curve.svg").exists());
    // An empty part would stand for every row.
    refused(
        &["short", "--rows", ""],
        USAGE,
        &["--rows", "value is required"],
    );
    refused(&["short", "--columns", ""], USAGE, &["no column \"\""]);
    assert_eq!(leaderboard(path, &[]).code, Some(USAGE));

    edit(&path.join("short/summary.json"), |value| {
        value["sets"][0]["official"]["correct"] = 2.into()
    });
    refused(
        &["long", "short"],
        INTEGRITY,
        &[
            "short/summary.json",
            "gsm8k.official",
            "mwpbench score short",
        ],
    );
    mwpbench(path, ["score", "short"]).ok();
    leaderboard(path, &["short"]).ok();
    edit(&path.join("short/summary.json"), |value| {
        value["model"] = "other".into()
    });
    refused(
        &["short"],
        INTEGRITY,
        &["the model is \"other\"", "\"demo\""],
    );
    edit(&path.join("short/run.json"), |value| {
        value["schema"] = "mwpbench.run.v9".into()
    });
    refused(&["short"], INTEGRITY, &["run.json", "mwpbench.run.v9"]);

    fs::remove_file(path.join("long/summary.json")).unwrap();
    refused(
        &["long"],
        INCOMPLETE,
        &["has all its completions", "mwpbench score long"],
    );
    edit(&path.join("long/run.json"), |value| {
        value["finished"] = Value::Null
    });
    let journal = fs::read_to_string(path.join("long/completions.jsonl")).unwrap();
    let first: String = journal.split_inclusive('\n').take(2).collect();
    fs::write(path.join("long/completions.jsonl"), first).unwrap();
    refused(
        &["long"],
        INCOMPLETE,
        &["the run in long is incomplete: 2 of 6"],
    );
}

#[test]
fn a_folder_of_runs_stands_for_its_finished_runs_and_rows_and_columns_can_be_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for (run, name) in [("one", "First model"), ("two", "Second model")] {
        let output = format!("runs/{run}");
        let args = [
            "eval", "--model", "demo", "--limit", "1", "--quiet", "--name", name,
        ];
        mwpbench(path, args.iter().chain(&["--output-dir", &output])).ok();
    }
    std::fs::create_dir(path.join("runs/begun")).unwrap();
    std::fs::copy(
        path.join("runs/one/run.json"),
        path.join("runs/begun/run.json"),
    )
    .unwrap();

    let done = mwpbench(path, ["leaderboard", "runs"]).ok();
    assert!(done.stdout.contains("First model") && done.stdout.contains("Second model"));
    assert!(
        done.stderr.contains("begun is not finished"),
        "{}",
        done.stderr
    );

    let chosen = mwpbench(
        path,
        [
            "leaderboard",
            "runs",
            "--with-paper",
            "--rows",
            "second,gpt-4",
            "--columns",
            "macro,GSM8K",
            "--title",
            "Ours",
            "--format",
            "markdown",
        ],
    )
    .ok()
    .stdout;
    assert!(chosen.starts_with("**Ours**"), "{chosen}");
    assert!(chosen.contains("| model | macro | GSM8K |"), "{chosen}");
    assert!(
        chosen.contains("GPT-4") && chosen.contains("Second model"),
        "{chosen}"
    );
    assert!(
        !chosen.contains("First model") && !chosen.contains("MetaMath"),
        "{chosen}"
    );
    assert!(
        !chosen.contains("16.0 and a macro"),
        "a note of a row that is not shown: {chosen}"
    );

    mwpbench(path, ["leaderboard", "runs", "--rows", "third"])
        .refused(USAGE, &["\"third\"", "First model, Second model"]);
}
