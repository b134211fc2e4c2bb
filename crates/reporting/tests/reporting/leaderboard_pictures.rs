//! Charts and LaTeX: other programs have to read them.

use std::fs;
use std::process::Command;

use reporting::{LeaderboardError, LeaderboardFormat, LeaderboardPlan, Subjects};

use crate::leaderboard::{Run, board};

fn runs() -> Vec<Run> {
    vec![
        Run::whole("one", "base & <7b>_x%", 20),
        Run::whole("two", "tuned#1 --[2] {x}", 40),
    ]
}

/// Whether every tag is closed by its own, nothing is cut off, and no character is out of place.
fn is_well_formed(xml: &str) -> bool {
    let mut open = Vec::new();
    let mut rest = xml;
    while let Some(start) = rest.find('<') {
        if rest[..start].contains('>') {
            return false;
        }
        let Some(end) = rest[start..].find('>') else {
            return false;
        };
        let tag = &rest[start + 1..start + end];
        let name = tag.split(' ').next().unwrap_or_default();
        match (name.strip_prefix('/'), tag.ends_with('/')) {
            (Some(name), _) if open.pop() != Some(name) => return false,
            (None, false) => open.push(name),
            _ => (),
        }
        rest = &rest[start + end + 1..];
    }
    let mut entities = xml.match_indices('&').map(|(at, _)| &xml[at..]);
    open.is_empty()
        && entities.all(|text| {
            ["&amp;", "&lt;", "&gt;", "&quot;"]
                .iter()
                .any(|entity| text.starts_with(entity))
        })
}

#[test]
fn a_broken_picture_is_noticed() {
    assert!(is_well_formed("<a><b x=\"1\"/><c>t &amp; u</c></a>"));
    assert!(
        ["<a><b></a>", "<a>", "<a>&x</a>", "<a b", "<a>></a>"]
            .iter()
            .all(|xml| !is_well_formed(xml))
    );
}

#[test]
fn bars_say_what_they_are() {
    let chart = board(
        &runs(),
        LeaderboardPlan {
            intervals: true,
            ..LeaderboardPlan::default()
        },
    )
    .accuracy_chart();
    assert!(is_well_formed(&chart), "{chart}");
    for part in [
        "role=\"img\"",
        "<title id=\"title\">MwpBench leaderboard: accuracy in percent by the official scorer</title>",
        "<desc id=\"description\">Bar chart",
        "base &amp; &lt;7b&gt;_x%, GSM8K: 19.9 (17.9 to 22.2)",
        "prefers-color-scheme: dark",
        ">AG-SAT</text>",
    ] {
        assert!(chart.contains(part), "no {part} in\n{chart}");
    }
    // Two rows, twelve columns, two swatches, the page.
    assert_eq!(chart.matches("<rect ").count(), 2 * 12 + 2 + 1);
    assert_eq!(
        chart.matches("class=\"error\"").count(),
        2 * 10 * 3,
        "averages have no interval"
    );
}

#[test]
fn many_rows_are_dots_on_a_page() {
    let plan = LeaderboardPlan {
        with_paper: true,
        intervals: true,
        ..LeaderboardPlan::default()
    };
    let chart = board(&runs(), plan).accuracy_chart();
    assert!(is_well_formed(&chart), "{chart}");
    assert!(chart.contains("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"760\""));
    assert!(
        chart.contains("<desc id=\"description\">Dot plot"),
        "{chart}"
    );
    // Eighteen rows of the paper and two of ours, twelve columns.
    assert_eq!(chart.matches("<circle ").count(), 20 * 12);
    assert_eq!(chart.matches("class=\"error\"").count(), 2 * 10);
    assert_eq!(chart.matches("class=\"strong\"").count(), 12);
    // Every strip of panels names its rows.
    assert_eq!(chart.matches(">GPT-4 ᵃ</text>").count(), 3);
    let x = chart.split(" x=\"").skip(1);
    let x: Vec<f64> = x
        .map(|rest| rest.split('"').next().unwrap().parse().unwrap())
        .collect();
    assert!(x.iter().all(|&x| (0.0..740.0).contains(&x)), "{x:?}");
}

#[test]
fn a_curve_rises_with_the_logarithm_of_the_size() {
    let sized = |size: &str, percent: usize| {
        Run::whole(size, &format!("tuned-{size}"), percent).tagged("train_size", size)
    };
    let runs = [
        sized("25000", 20),
        sized("100k", 30),
        sized("400k", 40),
        Run::whole("none", "untagged", 10),
    ];
    let picture = board(&runs, LeaderboardPlan::default())
        .scaling_curve()
        .unwrap();
    assert!(is_well_formed(&picture), "{picture}");
    assert_eq!(picture.matches("<polyline ").count(), 12);
    assert_eq!(picture.matches("<circle ").count(), 12 * 3);
    assert!(!picture.contains("Intervals of 95 %"));
    assert!(
        picture.contains("Left out, without a tag train_size: untagged."),
        "{picture}"
    );
    // Each size is four times the one before: their distances are equal.
    let first = picture
        .split("<polyline points=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let x: Vec<f64> = first
        .split([' ', ','])
        .step_by(2)
        .map(|number| number.parse().unwrap())
        .collect();
    assert!((x[1] - x[0] - (x[2] - x[1])).abs() < 0.2, "{x:?}");
    let plan = LeaderboardPlan {
        intervals: true,
        columns: Some(vec!["gsm8k".to_string(), "math".to_string()]),
        ..LeaderboardPlan::default()
    };
    let picture = board(&runs, plan).scaling_curve().unwrap();
    assert!(is_well_formed(&picture), "{picture}");
    // A bar of each interval, with two caps.
    assert_eq!(picture.matches("<path d=\"M").count(), 2 * 3);
    assert!(
        picture.contains("Intervals of 95 %: Wilson's of sets."),
        "{picture}"
    );
    assert!(
        picture.contains("tuned-25000, GSM8K: 19.9 (17.9 to 22.2) at 25k"),
        "{picture}"
    );
}

#[test]
fn a_curve_needs_two_sizes_that_are_numbers() {
    let one = [
        Run::whole("one", "tuned", 20).tagged("train_size", "25k"),
        Run::whole("two", "other", 20),
    ];
    let error = board(&one, LeaderboardPlan::default())
        .scaling_curve()
        .unwrap_err();
    assert!(
        matches!(error, LeaderboardError::TooFewSizes { sizes: 1 }),
        "{error}"
    );
    let odd = [Run::whole("one", "tuned", 20).tagged("train_size", "many")];
    let error = board(&odd, LeaderboardPlan::default())
        .scaling_curve()
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("train_size is \"many\"") && error.contains("25000"),
        "{error}"
    );
}

#[test]
fn a_training_curve_is_linear_in_steps_and_has_intervals() {
    let runs = [
        Run::whole("a", "checkpoint-500", 20),
        Run::whole("b", "checkpoint-1000", 30),
        // A tag says it where a name does not.
        Run::whole("c", "final", 40).tagged("step", "1_500"),
        Run::whole("d", "base", 10),
        Run::whole("e", "checkpoint-2000", 10).tagged("step", "unknown"),
    ];
    let picture = board(&runs, LeaderboardPlan::default())
        .training_curve()
        .unwrap();
    assert!(is_well_formed(&picture), "{picture}");
    assert_eq!(picture.matches("<polyline ").count(), 12);
    assert_eq!(picture.matches("<circle ").count(), 12 * 3);
    let lacking = ["base, checkpoint-2000", "checkpoint-2000, base"]
        .map(|names| format!("Left out, without a known training step: {names}."));
    assert!(
        lacking.iter().any(|line| picture.contains(line)),
        "{picture}"
    );
    assert!(picture.contains(", over training steps</text>"));
    let first = picture.split("<polyline points=\"").nth(1).unwrap();
    let x: Vec<f64> = first
        .split('"')
        .next()
        .unwrap()
        .split([' ', ','])
        .step_by(2)
        .map(|number| number.parse().unwrap())
        .collect();
    assert!((x[1] - x[0] - (x[2] - x[1])).abs() < 0.2, "{x:?}");
    // Beside averages those of sets would hide each other; alone they are drawn unasked.
    let columns = |names: &[&str]| {
        let plan = LeaderboardPlan {
            columns: Some(names.iter().map(|name| name.to_string()).collect()),
            ..LeaderboardPlan::default()
        };
        let picture = board(&runs, plan).training_curve().unwrap();
        picture.matches("<path d=\"M").count()
    };
    assert_eq!(columns(&["gsm8k", "math"]), 2 * 3);
    assert!(columns(&["gsm8k", "micro"]) <= 3);
    let one = [Run::whole("one", "checkpoint-5", 20)];
    let error = board(&one, LeaderboardPlan::default())
        .training_curve()
        .unwrap_err();
    assert!(
        matches!(error, LeaderboardError::TooFewSteps { steps: 1 }),
        "{error}"
    );
}

fn latex_tables(format: LeaderboardFormat) -> Vec<String> {
    let plans = [
        LeaderboardPlan {
            with_paper: true,
            include_fresh_gaokao: true,
            ..LeaderboardPlan::default()
        },
        LeaderboardPlan {
            intervals: true,
            ..LeaderboardPlan::default()
        },
        LeaderboardPlan {
            with_paper: true,
            subjects: Some(Subjects::CollegeMath),
            ..LeaderboardPlan::default()
        },
    ];
    plans
        .into_iter()
        .map(|plan| board(&runs(), plan).text(format))
        .collect()
}

#[test]
fn latex_tables_are_whole() {
    for table in latex_tables(LeaderboardFormat::Latex) {
        for part in [
            "\\toprule",
            "\\midrule",
            "\\bottomrule",
            "base \\& \\textless{}7b\\textgreater{}\\_x\\%",
            "\\textbf{",
        ] {
            assert!(table.contains(part), "no {part} in\n{table}");
        }
        assert_eq!(table.matches('{').count(), table.matches('}').count());
        let cells = |line: &&str| line.ends_with("\\\\") && line.contains(" & ");
        let widths: Vec<usize> = table
            .lines()
            .filter(cells)
            .map(|line| line.matches(" & ").count())
            .collect();
        assert!(widths.windows(2).all(|pair| pair[0] == pair[1]), "{table}");
    }
}

#[test]
#[ignore = "needs pdflatex"]
fn latex_tables_compile_and_fit_the_page() {
    let mut tables = latex_tables(LeaderboardFormat::Latex);
    tables.extend(latex_tables(LeaderboardFormat::LatexSiunitx));
    let root = tempfile::tempdir().unwrap();
    let document = format!(
        "\\documentclass{{article}}\n\\usepackage[margin=2.5cm]{{geometry}}\n\\usepackage[T1]{{fontenc}}\n\\usepackage{{booktabs}}\n\\usepackage{{graphicx}}\n\\usepackage{{siunitx}}\n\
         \\sisetup{{mode=text, reset-text-series=false, text-series-to-math=true}}\n\\begin{{document}}\n{}\n\\end{{document}}\n",
        tables.join("\n")
    );
    fs::write(root.path().join("page.tex"), document).unwrap();
    let compiled = Command::new("pdflatex")
        .args(["-interaction=nonstopmode", "-halt-on-error", "page.tex"])
        .current_dir(root.path())
        .output()
        .expect("pdflatex");
    let log = String::from_utf8_lossy(&compiled.stdout);
    assert!(compiled.status.success(), "{log}");
    assert!(!log.contains("Overfull \\hbox"), "{log}");
}

#[test]
#[ignore = "needs python3 with PyYAML"]
fn a_model_card_is_yaml() {
    let mut runs = runs();
    runs.push(Run::whole("three", "yes: \"no\"\n- x", 10));
    let plan = LeaderboardPlan {
        source_url: Some("https://example.org/a?b=c&d: e".to_string()),
        ..LeaderboardPlan::default()
    };
    let text = board(&runs, plan).model_index(&dataset_loader::Benchmark::published());
    let check = "import sys, yaml\ncard = yaml.safe_load(sys.stdin)\n\
                 names = [model['name'] for model in card['model-index']]\nassert names[2] == 'yes: \"no\"\\n- x', names\n\
                 results = [result for model in card['model-index'] for result in model['results']]\nassert len(results) == 33\n\
                 assert all(metric['verified'] is False and 0 <= metric['value'] <= 100 for result in results for metric in result['metrics'])\n\
                 assert all(result['task']['type'] == 'text-generation' and result['dataset']['type'] and result['source']['url'] == 'https://example.org/a?b=c&d: e' for result in results)\n";
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("card.yaml");
    fs::write(&file, text).unwrap();
    let done = Command::new("python3")
        .args(["-c", check])
        .stdin(fs::File::open(file).unwrap())
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}
