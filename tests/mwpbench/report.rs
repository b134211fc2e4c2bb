//! `mwpbench report`: the page as a file. In a browser `tools/report/browser.py` drives it.

use std::fs;
use std::io::Read;
use std::path::Path;

use serde_json::Value;

use crate::command::mwpbench;

/// A run of the demo checkpoint over the first problems.
fn run(folder: &Path, name: &str, limit: &str, more: &[&str]) {
    let args = [
        "eval",
        "--model",
        "demo",
        "--tasks",
        "gsm8k",
        "--limit",
        limit,
        "--max-tokens",
        "60",
        "--quiet",
        "--output-dir",
        name,
    ];
    mwpbench(folder, args.iter().chain(more)).ok();
}

/// What stands between two texts.
fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    let rest = page
        .split_once(start)
        .unwrap_or_else(|| panic!("no {start}"))
        .1;
    rest.split_once(end).unwrap().0
}

/// The data under an id of the page: seven bits a character, some of two bytes with those before them.
fn data(page: &str, id: &str) -> Value {
    let start = format!("<script type=\"text/plain\" id=\"{id}\">");
    let coded = between(page, &start, "</script>");
    let escaped = [0, 7, 8, 9, 10, 11, 12, 13, 14, 15, 26, 27, 60];
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0u32, 0);
    for code in coded.chars().map(u32::from) {
        let before = (256..1920)
            .contains(&code)
            .then(|| escaped[(code as usize - 256) / 128]);
        for group in before.into_iter().chain([code % 128]) {
            (bits, count) = (bits << 7 | group, count + 7);
            if count >= 8 {
                count -= 8;
                bytes.push((bits >> count) as u8);
            }
        }
    }
    let mut text = String::new();
    flate2::read::DeflateDecoder::new(bytes.as_slice())
        .read_to_string(&mut text)
        .unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_page_holds_the_run_and_nothing_from_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    run(
        path,
        "run",
        "3",
        &["--tag", "name=</title><script>alert(1)</script>"],
    );
    let done = mwpbench(path, ["report", "run"]).ok();
    assert_eq!(done.stdout, "wrote run/report.html\n");
    let page = fs::read_to_string(path.join("run/report.html")).unwrap();
    // One script of its own, and data that are none.
    assert_eq!(page.matches("<script>").count(), 1);
    assert_eq!(page.matches("<script").count(), 3);
    assert!(!page.contains("alert(1)</script>"));
    for outside in ["http://", "https://", "src=", "@import", "url("] {
        let markup = page.replace("http://www.w3.org/1998/Math/MathML", "");
        assert!(!markup.contains(outside), "{outside}");
    }
    let policy = between(&page, "Content-Security-Policy\" content=\"", "\">");
    assert!(
        policy.starts_with("default-src &#39;none&#39;; script-src &#39;sha256-"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");

    let index = data(&page, "index");
    let block = data(&page, "b0");
    assert_eq!(index["id"].as_array().unwrap().len(), 3);
    let completions = fs::read_to_string(path.join("run/completions.jsonl")).unwrap();
    let problems = fs::read_to_string(path.join("run/problems.jsonl")).unwrap();
    let lines = |text: &str| -> Vec<Value> {
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let verdicts = lines(&fs::read_to_string(path.join("run/verdicts.jsonl")).unwrap());
    for (place, (completion, problem)) in
        lines(&completions).iter().zip(lines(&problems)).enumerate()
    {
        assert_eq!(index["id"][place], problem["id"]);
        assert_eq!(index["t"][place], completion["completion_tokens"]);
        // Formulas stand between marks.
        let text = |marked: &Value| marked.as_str().unwrap().replace('\u{7f}', "");
        let [head, rest, said] = [
            &index["head"][place],
            &block["texts"][place][0],
            &block["texts"][place][1],
        ];
        assert_eq!(text(head) + &text(rest), problem["question"]);
        assert_eq!(text(said), completion["completion"]);
        assert_eq!(block["items"][place]["r"], problem["reference"]);
        // What stands elsewhere is a number: the answer that is the span, the prediction that is the answer.
        let shown = &block["items"][place]["c"][0];
        let (strict, official) = (&verdicts[place]["strict"], &verdicts[place]["official"]);
        let answer = match (&shown["a"], &strict["span"]) {
            (Value::Number(_), span) => {
                let at = |end: usize| span[end].as_u64().unwrap() as usize;
                completion["completion"].as_str().unwrap()[at(0)..at(1)].into()
            }
            (Value::Null, _) => Value::Null,
            (answer, _) => text(answer).into(),
        };
        assert_eq!(answer, strict["answer"]);
        let prediction = if shown["o"] == 0 {
            &answer
        } else {
            &shown["o"]
        };
        assert_eq!(prediction, &official["prediction"]);
    }
    // Written again in its place, but nowhere else over another file.
    mwpbench(path, ["report", "run"]).ok();
    fs::write(path.join("notes.html"), "mine").unwrap();
    mwpbench(path, ["report", "run", "--output", "notes.html"])
        .refused(2, &["notes.html is there and holds something else"]);
    assert_eq!(fs::read_to_string(path.join("notes.html")).unwrap(), "mine");
}

#[test]
fn runs_over_other_problems_are_refused_and_an_unfinished_one_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    run(path, "one", "3", &[]);
    run(path, "two", "2", &[]);
    mwpbench(path, ["report", "one", "two", "--output", "both.html"]).refused(
        2,
        &[
            "one and two asked different problems: gsm8k/sample.",
            "in one alone",
        ],
    );
    mwpbench(path, ["report", "nothing"]).refused(2, &["nothing"]);
    mwpbench(path, ["report", "one", "--output", "no/such/page.html"])
        .refused(2, &["cannot write"]);

    // As an interruption leaves it: two of three completions.
    let completions = fs::read_to_string(path.join("one/completions.jsonl")).unwrap();
    let kept: Vec<&str> = completions.lines().take(2).collect();
    fs::write(path.join("one/completions.jsonl"), kept.join("\n") + "\n").unwrap();
    fs::remove_file(path.join("one/summary.json")).unwrap();
    fs::remove_file(path.join("one/verdicts.jsonl")).unwrap();
    let done = mwpbench(path, ["report", "one", "--output", "part.html"]).ok();
    assert_eq!(done.stderr, "one: unfinished, 2 of 3 completions\n");
    let page = fs::read_to_string(path.join("part.html")).unwrap();
    assert!(page.contains("unfinished: 2 of 3 completions"));
    let index = data(&page, "index");
    assert_eq!(index["rows"], serde_json::json!([1, 1, 0]));
    assert!(!path.join("one/summary.json").exists());
}

#[test]
fn two_runs_over_the_same_problems_stand_beside_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    run(path, "one", "3", &[]);
    run(
        path,
        "two",
        "3",
        &["--temperature", "1", "--samples", "2", "--seed", "7"],
    );
    mwpbench(path, ["report", "one", "two", "--output", "both.html"]).ok();
    let page = fs::read_to_string(path.join("both.html")).unwrap();
    let index = data(&page, "index");
    assert_eq!(
        index["runs"],
        serde_json::json!(["demo (one)", "demo (two)"])
    );
    assert_eq!(index["rows"], serde_json::json!([3, 3, 3]));
    assert_eq!(index["run"], serde_json::json!([0, 1, 1, 0, 1, 1, 0, 1, 1]));
    assert!(page.contains("won and lost against"));
}
