use std::fs;
use std::path::{Path, PathBuf};

use mathscale::{
    AnnotationPlan, ConceptReport, ExtractOutcome, Extraction, MergeMode, MergeOptions, Project,
    Rejected, Seed, extract_from_annotations,
};
use serde_json::{Value, json};
use store::JsonLines;

/// Real data, which no checkout has to have.
pub fn shared_data(path: &str) -> PathBuf {
    let root = std::env::var_os("MWPBENCH_SHARED_DATA").map(PathBuf::from);
    let root =
        root.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"));
    root.join(path)
}

pub fn extract(
    folder: &Path,
    file: &Path,
    merge: MergeOptions,
) -> Result<(Project, ExtractOutcome), mathscale::Error> {
    let mut project = Project::open_to_write(&folder.join("project"))?;
    let plan = AnnotationPlan {
        file: file.to_path_buf(),
        merge,
        fresh: false,
    };
    let outcome = extract_from_annotations(&mut project, &plan)?;
    Ok((project, outcome))
}

fn extract_records(
    folder: &Path,
    records: &[Value],
    merge: MergeOptions,
) -> Result<Project, mathscale::Error> {
    let file = folder.join("annotations.jsonl");
    fs::write(
        &file,
        records
            .iter()
            .map(|record| format!("{record}\n"))
            .collect::<String>(),
    )
    .unwrap();
    extract(folder, &file, merge).map(|(project, _)| project)
}

fn lines<T: serde::de::DeserializeOwned>(project: &Project, name: &str) -> Vec<T> {
    JsonLines::read_all(&project.file(name)).unwrap()
}

const KEEP: MergeOptions = MergeOptions {
    merge: MergeMode::None,
    keep_singletons: true,
};

#[test]
#[ignore = "needs the real data ($MWPBENCH_SHARED_DATA)"]
fn tal_routes_give_the_published_figures() {
    let file = shared_data("native/tal/en_single_choice_train_3K.jsonl");
    let folder = tempfile::tempdir().unwrap();
    let (project, outcome) = extract(folder.path(), &file, MergeOptions::default()).unwrap();
    let counts = &outcome.record.counts;
    assert_eq!(
        (
            counts["seeds"],
            counts["topics"],
            counts["knowledge_points"]
        ),
        (3000, 9, 281)
    );
    assert_eq!(
        (
            counts["topics_found"],
            counts["topic_singletons"],
            counts["set_aside"]
        ),
        (13, 4, 0)
    );
    let seeds: Vec<Seed> = lines(&project, "seeds.jsonl");
    assert_eq!((seeds.len(), seeds[0].answer.as_str()), (3000, "$$0$$"));
    assert!(
        seeds[0]
            .solution
            .as_ref()
            .unwrap()
            .starts_with("We consider the last two-digit")
    );
    let extractions: Vec<Extraction> = lines(&project, "extractions.jsonl");
    assert_eq!(extractions[0].topics, ["Number Theory Modules"]);
    assert_eq!(
        extractions[0].knowledge_points,
        ["Divisibility Rules", "Division without Remainders"]
    );
    let report = ConceptReport::of_project(&project).unwrap();
    let spelling = report
        .knowledge_points
        .spellings
        .iter()
        .find(|spelling| spelling.name == "Equivalent Substitution");
    assert_eq!(spelling.unwrap().also, [" Equivalent Substitution"]);
}

#[test]
#[ignore = "needs the real data ($MWPBENCH_SHARED_DATA)"]
fn a_models_extractions_give_the_published_figures() {
    let file = shared_data("mathscale/math_extraction.json");
    let folder = tempfile::tempdir().unwrap();
    let (project, _) = extract(folder.path(), &file, MergeOptions::default()).unwrap();
    let report = ConceptReport::of_project(&project).unwrap();
    let [topics, kps] = [&report.topics, &report.knowledge_points];
    assert_eq!((topics.found, kps.found), (101, 259));
    assert_eq!((topics.spelled, kps.spelled), (99, 253), "case apart");
    assert_eq!((topics.kept, kps.kept), (24, 23));
    let seeds: Vec<Seed> = lines(&project, "seeds.jsonl");
    assert_eq!(seeds[0].id, "8");
    assert!(seeds[0].answer.contains("\\boxed{11}"));
}

fn record(id: u32, topics: &[&str], knowledge_points: &[&str]) -> Value {
    json!({ "id": id, "topics": topics, "knowledge_points": knowledge_points, "question": "1 + 1?", "answer": 2 })
}

#[test]
fn spellings_are_merged_and_singletons_removed() {
    let records = [
        record(1, &["Money", "money."], &["Percent  of a number"]),
        record(2, &["money"], &["percent of a number", "Lone"]),
        record(3, &["Money"], &["Percent of a number:"]),
    ];
    let folder = tempfile::tempdir().unwrap();
    let project = extract_records(folder.path(), &records, MergeOptions::default()).unwrap();
    for extraction in lines::<Extraction>(&project, "extractions.jsonl") {
        assert_eq!(
            (extraction.topics, extraction.knowledge_points),
            (vec!["Money".into()], vec!["Percent of a number".into()])
        );
    }
    let report = ConceptReport::of_project(&project).unwrap();
    assert_eq!(
        (
            report.topics.found,
            report.topics.spelled,
            report.topics.kept
        ),
        (3, 1, 1)
    );
    assert_eq!(
        (
            report.knowledge_points.singletons,
            report.knowledge_points.removed
        ),
        (1, vec!["Lone".to_string()])
    );
    fs::create_dir(folder.path().join("other")).unwrap();
    let kept = extract_records(&folder.path().join("other"), &records, KEEP).unwrap();
    assert_eq!(
        lines::<Extraction>(&kept, "extractions.jsonl")[1].knowledge_points,
        ["Lone", "percent of a number"].map(|name| name.replace("percent", "Percent"))
    );
}

#[test]
fn plurals_are_merged_where_asked_for_and_listed() {
    let records = [
        record(1, &["Triangles"], &["Pythagorean theorem"]),
        record(2, &["Triangle"], &["Pythagorean theorem"]),
        record(3, &["triangles"], &["Pythagorean theorems", "Sine rule"]),
        record(4, &["Triangles"], &["Line rule"]),
    ];
    let merged = |merge: MergeMode| {
        let folder = tempfile::tempdir().unwrap();
        let project = extract_records(
            folder.path(),
            &records,
            MergeOptions {
                merge,
                keep_singletons: true,
            },
        )
        .unwrap();
        ConceptReport::of_project(&project).unwrap()
    };
    assert_eq!(
        (
            merged(MergeMode::None).topics.kept,
            merged(MergeMode::None).knowledge_points.kept
        ),
        (2, 4)
    );
    let plurals = merged(MergeMode::Plurals);
    assert_eq!((plurals.topics.kept, plurals.knowledge_points.kept), (1, 3));
    assert_eq!(
        (
            plurals.topics.merges[0].into.as_str(),
            plurals.topics.merges[0].from.as_str()
        ),
        ("Triangles", "Triangle")
    );
}

#[test]
fn seeds_that_cannot_be_used_are_rejected_with_their_place() {
    let long = "x".repeat(10_000);
    let records = [
        record(1, &["Money"], &["Percent"]),
        record(2, &["Mon\u{7}ey"], &["Percent"]),
        record(3, &["Money"], &[&long]),
        record(4, &[], &[]),
        record(5, &["Money"], &[" . "]),
        record(6, &["Money"], &vec!["k"; 65]),
        json!({ "qid": "7", "problem": "?", "knowledge_point_routes": ["Overseas->Algebra"] }),
    ];
    let folder = tempfile::tempdir().unwrap();
    let project = extract_records(folder.path(), &records, KEEP).unwrap();
    let rejected: Vec<Rejected> = lines(&project, "extract.set-aside.jsonl");
    let lines_of: Vec<String> = rejected
        .iter()
        .map(|item| format!("{}: {}", item.place.as_ref().unwrap(), item.reason))
        .collect();
    let expected = [
        "line 2: the topic \"Mon\\u{7}ey\": a name with the control character U+0007".to_string(),
        format!(
            "line 3: the knowledge point \"{}…\": a name of 10000 characters, of which 200 are allowed",
            &long[..40]
        ),
        "line 4: it names no concept".to_string(),
        "line 5: a knowledge point without a name".to_string(),
        "line 6: 65 knowledge points, of which 64 are allowed".to_string(),
        "line 7: the route \"Overseas->Algebra\" has no topic after \"Knowledge Point\""
            .to_string(),
    ];
    assert_eq!(lines_of, expected);
    assert_eq!(lines::<Extraction>(&project, "extractions.jsonl").len(), 1);
}

#[test]
fn files_that_are_no_annotations_are_refused() {
    let refused = |text: &str, parts: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("annotations.jsonl");
        fs::write(&file, text).unwrap();
        let error = extract(folder.path(), &file, KEEP)
            .err()
            .unwrap()
            .to_string();
        for part in parts {
            assert!(error.contains(part), "no {part:?} in: {error}");
        }
        let project = Project::open(&folder.path().join("project")).unwrap();
        assert!(project.manifest().stages.is_empty(), "nothing is begun");
    };
    refused("", &["annotations.jsonl: this file holds no record"]);
    refused(
        "{\"question\": \"x\"}\n",
        &[
            "annotations.jsonl, line 1",
            "the keys question",
            "knowledge_point_routes",
        ],
    );
    refused(
        "{\"topics\": [\"a\"]}\n",
        &["line 1: the field \"knowledge_points\" is missing"],
    );
    refused(
        "{\"topics\": \"a\", \"knowledge_points\": []}\n",
        &["\"topics\" must be a list of strings, found a string"],
    );
    refused(
        "{\"topics\": [1], \"knowledge_points\": []}\n",
        &["must be a list of strings, found a number"],
    );
    refused(
        "{\"topics\": [\"\"], \"knowledge_points\": []}\n",
        &["none of its 1 records can be used (line 1: a topic"],
    );
    refused("7\n", &["line 1: a number in place of a record"]);
    refused(
        "{\"topics\": [\n",
        &["line 1: the record that begins here is not closed"],
    );
    let twice = format!(
        "{}\n{}\n",
        record(1, &["a"], &["b"]),
        record(1, &["a"], &["b"])
    );
    refused(&twice, &["line 2: the id \"1\" was used before, in line 1"]);
}
