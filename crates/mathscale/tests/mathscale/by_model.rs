use std::fs;
use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::path::Path;

use fault::{Class, Fault};
use generation::{Decoding, Prompt, Scripted, ScriptedReply};
use mathscale::{
    Asking, ExtractOutcome, Extraction, MergeMode, MergeOptions, ModelPlan, Project, Rejected,
    ReplyForm, extract_by_model, read_seeds,
};
use store::JsonLines;

/// Answers in a form that depends on the seed, and every other seed at first with rubbish; the last
/// one always.
fn teacher(prompt: &Prompt) -> String {
    let number: usize = prompt.id.parse().unwrap();
    let again = prompt.text.contains("could not be used");
    let reply = match number {
        12 => "I cannot say, {\"topics\": [",
        _ if number.is_multiple_of(2) && !again => {
            "Topics:\n1. A\n2. B\n3. C\nKnowledge points:\n1. x"
        }
        _ if number.is_multiple_of(3) => {
            "{\"topics\": [\"Money\"], \"knowledge_points\": [\"Percents\"]}"
        }
        _ => "Sure!\n**Topics:**\n- money\n\n**Knowledge Points:**\n- Percent\n- Rates\n\nDone.",
    };
    reply.to_string()
}

fn run(
    folder: &Path,
    teacher: &mut Scripted<'_>,
    merge: MergeOptions,
    fresh: bool,
) -> Result<(Project, ExtractOutcome), mathscale::Error> {
    let file = folder.join("seeds.jsonl");
    let record = |number: usize| {
        format!("{{\"question\": \"What is {number} % of 50?\", \"answer\": {number}}}\n")
    };
    fs::write(&file, (1..=12).map(record).collect::<String>()).unwrap();
    let mut project = Project::open_to_write(&folder.join("project"))?;
    let (seeds, source) = read_seeds(&file)?;
    let plan = ModelPlan {
        seeds,
        source,
        asking: Asking {
            decoding: Decoding::greedy(200),
            attempts: NonZeroU32::new(2).unwrap(),
            max_refused: None,
            max_rejected: None,
            render: &|instruction| format!("### {instruction}"),
            rendering: "###".to_string(),
        },
        form: ReplyForm::Lines,
        merge,
        fresh,
    };
    let outcome = extract_by_model(&mut project, &plan, teacher, &mut |_| {
        ControlFlow::Continue(())
    })?;
    Ok((project, outcome))
}

fn extractions(project: &Project) -> Vec<Extraction> {
    JsonLines::read_all(&project.file("extractions.jsonl")).unwrap()
}

#[test]
fn rubbish_is_asked_again_and_what_stays_rubbish_is_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let mut scripted = Scripted::new(teacher);
    let (project, outcome) =
        run(folder.path(), &mut scripted, MergeOptions::default(), false).unwrap();
    assert_eq!(scripted.asked.len(), 12 + 6);
    let counts = &outcome.record.counts;
    assert_eq!(
        (counts["seeds"], counts["set_aside"], counts["replies"]),
        (12, 1, 18)
    );
    assert_eq!(
        (
            counts["completion_tokens"],
            counts["topics"],
            counts["topics_found"]
        ),
        (18, 1, 2)
    );
    assert_eq!(outcome.details.rejected[0].id, "12");
    let rejected: Vec<Rejected> =
        JsonLines::read_all(&project.file("extract.set-aside.jsonl")).unwrap();
    assert!(
        rejected[0].reason.contains("there is no topic"),
        "{rejected:?}"
    );
    let found = extractions(&project);
    assert_eq!(
        (found.len(), found[0].topics.as_slice()),
        (11, ["money".to_string()].as_slice())
    );
    // The same again asks nothing.
    let mut idle = Scripted::new(teacher);
    drop(project);
    assert!(
        run(folder.path(), &mut idle, MergeOptions::default(), false)
            .unwrap()
            .1
            .already_there
    );
    assert_eq!(idle.asked.len(), 0);
}

#[test]
fn other_merging_uses_the_replies_again_and_fresh_alone_asks_anew() {
    let folder = tempfile::tempdir().unwrap();
    run(
        folder.path(),
        &mut Scripted::new(teacher),
        MergeOptions::default(),
        false,
    )
    .unwrap();
    let merging = MergeOptions {
        merge: MergeMode::Plurals,
        keep_singletons: false,
    };
    let refused = run(folder.path(), &mut Scripted::new(teacher), merging, false)
        .err()
        .unwrap()
        .to_string();
    assert!(
        refused.contains("options.merge is \"none\" there and \"plurals\" here"),
        "{refused}"
    );
    let mut scripted = Scripted::new(teacher);
    let (project, outcome) = run(folder.path(), &mut scripted, merging, true).unwrap();
    assert_eq!(
        (scripted.asked.len(), outcome.record.counts["merges"]),
        (0, 1)
    );
    assert!(
        project
            .file("replaced/extract-1/extractions.jsonl")
            .exists()
    );
    drop(project);
    run(folder.path(), &mut scripted, merging, true).unwrap();
    assert_eq!(scripted.asked.len(), 18);
}

#[test]
fn a_run_that_was_cut_off_continues_to_the_same_files() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, _) = run(
        folder.path(),
        &mut Scripted::new(teacher),
        MergeOptions::default(),
        false,
    )
    .unwrap();
    for stops_after in [0, 5, 12, 17] {
        let folder = tempfile::tempdir().unwrap();
        let mut scripted = Scripted {
            fails_after: stops_after,
            ..Scripted::new(teacher)
        };
        let error = run(folder.path(), &mut scripted, MergeOptions::default(), false)
            .err()
            .unwrap();
        assert_eq!(error.class(), Class::Backend, "{error}");
        let mut rest = Scripted::new(teacher);
        let (project, _) = run(folder.path(), &mut rest, MergeOptions::default(), false).unwrap();
        assert_eq!(rest.asked.len(), 18 - stops_after);
        for name in [
            "seeds.jsonl",
            "extractions.jsonl",
            "concepts.json",
            "extract.set-aside.jsonl",
        ] {
            assert_eq!(
                fs::read(project.file(name)).unwrap(),
                fs::read(whole.file(name)).unwrap(),
                "{name}"
            );
        }
    }
}

#[test]
fn items_that_could_not_be_generated_are_asked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut scripted = Scripted::new(|_| ScriptedReply::Failure("too busy".to_string()));
    let error = run(folder.path(), &mut scripted, MergeOptions::default(), false)
        .err()
        .unwrap();
    assert_eq!(error.class(), Class::Incomplete, "{error}");
    assert!(
        error.to_string().contains(
            "12 of 12 items of \"extract\" could not be generated, the first (1): too busy"
        )
    );
    run(
        folder.path(),
        &mut Scripted::new(teacher),
        MergeOptions::default(),
        false,
    )
    .unwrap();
}

#[test]
fn seeds_of_the_usual_forms_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let read = |text: &str| {
        let file = folder.path().join("seeds.jsonl");
        fs::write(&file, text).unwrap();
        read_seeds(&file).map(|(seeds, _)| seeds)
    };
    let seeds = read(
        "{\"data_topic\": \"gsm8k\", \"question_number\": 3, \"question\": \" q \", \"answer\": \"a\"}\n\
         {\"instruction\": \"q\", \"input\": \"i\", \"output\": \"a\"}\n\
         {\"problem\": \"q\", \"solution\": \"a\", \"id\": \"x\"}\n",
    );
    let fields: Vec<[String; 3]> = seeds
        .unwrap()
        .into_iter()
        .map(|seed| [seed.id, seed.question, seed.answer])
        .collect();
    assert_eq!(
        fields,
        [["gsm8k/3", "q", "a"], ["2", "q\ni", "a"], ["x", "q", "a"]]
            .map(|seed| seed.map(str::to_string))
    );
    let refused = |text: &str, part: &str| {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    };
    refused("", "this file holds no record");
    refused(
        "{\"question\": \"\"}\n",
        "line 1: there is no question in a record with the keys question",
    );
    refused(
        "{\"question\": [1]}\n",
        "line 1: the field \"question\" must be a string or a number, found a list",
    );
    refused(
        "{\"id\": 1, \"question\": \"q\"}\n{\"id\": 1, \"question\": \"r\"}\n",
        "line 2: the id \"1\" was used before, in line 1",
    );
}
