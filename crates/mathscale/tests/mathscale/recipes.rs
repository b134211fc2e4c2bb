//! Recipes for every trainer, and the scripts in them, run with commands that only take notes.

use std::fs;
use std::path::Path;

use mathscale::{
    BaseModel, ErrorKind, ExportFormat, ExportPlan, LoraOptions, PairSource, Project, RecipeFault,
    RecipeOutcome, RecipePlan, ScreenPlan, ScreenRules, Trainer, export, recipe, screen,
};
use serde_json::{Value, json};

use crate::exporting;

/// A project with its export, of which a tenth is held out.
fn exported(folder: &Path) -> Project {
    exported_as(folder, Vec::new())
}

fn exported_as(folder: &Path, formats: Vec<ExportFormat>) -> Project {
    let mut project = exporting::screened(folder);
    let plan = ExportPlan {
        formats,
        validation_share: 0.1,
        ..ExportPlan::default()
    };
    export(&mut project, &plan, &mut exporting::go_on).unwrap();
    project
}

/// A model's folder without weights that could be read.
fn base(folder: &Path, edit: impl FnOnce(&mut Value)) -> BaseModel {
    let folder = folder.join("a base");
    fs::create_dir_all(&folder).unwrap();
    let mut config = json!({
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 4096,
        "num_hidden_layers": 32, "num_attention_heads": 32, "intermediate_size": 11008,
        "vocab_size": 32000, "max_position_embeddings": 4096, "rms_norm_eps": 1e-5
    });
    edit(&mut config);
    let tokenizer = json!({
        "added_tokens": [{"id": 1, "content": "<s>"}, {"id": 2, "content": "</s>"}],
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
        }
    });
    let tokenizer_config = json!({"bos_token": "<s>", "eos_token": "</s>"});
    for (file, value) in [
        ("config.json", config),
        ("tokenizer.json", tokenizer),
        ("tokenizer_config.json", tokenizer_config),
    ] {
        fs::write(folder.join(file), value.to_string()).unwrap();
    }
    fs::write(folder.join("model.safetensors"), "").unwrap();
    BaseModel::in_folder(&folder).unwrap()
}

/// Screens again, and keeps fewer pairs.
fn screened_anew(project: &mut Project, folder: &Path) {
    let rules = ScreenRules {
        min_jaccard: None,
        max_question_chars: Some(46),
        ..ScreenRules::default()
    };
    let again = ScreenPlan {
        pairs: PairSource::File(folder.join("pairs.jsonl")),
        rules,
        fresh: true,
    };
    let kept = screen(project, &again, None, &mut exporting::go_on).unwrap();
    let kept = kept.details.report.kept;
    assert!((1..200).contains(&kept), "{kept}");
}

fn plan(folder: &Path, trainer: Trainer) -> RecipePlan {
    RecipePlan {
        base: base(folder, |_| ()),
        trainer,
        lora: None,
        gpus: 8,
        gpu_memory: Some(80_000_000_000),
        batch: RecipePlan::PAPER_BATCH,
        per_device: None,
        epochs: RecipePlan::PAPER_EPOCHS,
        learning_rate: None,
        warmup: RecipePlan::WARMUP,
        max_length: RecipePlan::MAX_LENGTH,
        seed: 0,
        folder: folder.join("recipe"),
    }
}

fn read(plan: &RecipePlan, file: &str) -> String {
    fs::read_to_string(plan.folder.join(file)).unwrap()
}

fn fault(result: Result<RecipeOutcome, mathscale::Error>) -> RecipeFault {
    match result.unwrap_err().kind() {
        ErrorKind::Recipe(fault) => fault.clone(),
        other => panic!("{other}"),
    }
}

#[test]
fn every_trainer_has_its_files_and_the_papers_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let project = exported(folder.path());
    for trainer in Trainer::ALL {
        for (lora, gpus) in [(None, 1), (None, 8), (Some(LoraOptions::default()), 8)] {
            let plan = RecipePlan {
                lora,
                gpus,
                folder: folder
                    .path()
                    .join(format!("{trainer}-{}-{gpus}", lora.is_some())),
                ..plan(folder.path(), trainer)
            };
            let outcome = recipe(&project, &plan).unwrap();
            let batch = outcome.batch;
            assert_eq!(batch.devices * batch.per_device * batch.accumulation, 128);
            assert_eq!(outcome.files.last().unwrap(), "recipe.json");
            for file in &outcome.files {
                let text = read(&plan, file);
                let has_hole = text.contains("{{") || text.contains("{%");
                assert!(!text.is_empty() && !has_hole, "{trainer}: {file}: {text}");
            }
            let config = read(&plan, "train.yaml");
            let rate = if lora.is_some() { "0.0002" } else { "0.00002" };
            for part in [rate, "2048", "cosine", "a base"] {
                assert!(config.contains(part), "{trainer}: no {part} in {config}");
            }
            assert_eq!(
                config.contains("rank: 16") || config.contains("lora_r: 16"),
                lora.is_some()
            );
            let readme = read(&plan, "README.md");
            for part in ["the paper's", "an estimate", "| ours |", "mwpbench gate"] {
                assert!(
                    readme.to_lowercase().contains(part),
                    "{trainer}: no {part} in {readme}"
                );
            }
        }
    }
}

/// What is trained on begins with the prompt of the export and ends with the end of a text, whoever
/// puts the tokens there.
#[test]
fn records_are_those_of_the_export_and_llama_factory_has_the_tokens_written_out() {
    let folder = tempfile::tempdir().unwrap();
    let project = exported(folder.path());
    let exported =
        fs::read_to_string(project.file("export/prompt_completion/train.jsonl")).unwrap();
    for trainer in Trainer::ALL {
        let plan = RecipePlan {
            folder: folder.path().join(trainer.name()),
            ..plan(folder.path(), trainer)
        };
        recipe(&project, &plan).unwrap();
        let written = read(&plan, "data/train.jsonl");
        if trainer != Trainer::LlamaFactory {
            assert_eq!(written, exported, "{trainer}");
            continue;
        }
        assert_eq!(written.lines().count(), exported.lines().count());
        for (written, exported) in written.lines().zip(exported.lines()) {
            let [written, exported] =
                [written, exported].map(|line| serde_json::from_str::<Value>(line).unwrap());
            let text = |value: &Value| value.as_str().unwrap().to_string();
            assert_eq!(
                written["prompt"],
                format!("<s>{}", text(&exported["prompt"]))
            );
            let completion = format!("{}</s>", text(&exported["completion"]));
            assert_eq!(written["completion"], completion);
        }
    }
}

#[test]
fn gpus_that_cannot_share_the_batch_are_refused_with_those_that_can() {
    let folder = tempfile::tempdir().unwrap();
    let project = exported(folder.path());
    let three = RecipePlan {
        gpus: 3,
        ..plan(folder.path(), Trainer::Trl)
    };
    let RecipeFault::Batch { fitting, .. } = fault(recipe(&project, &three)) else {
        panic!("not refused for its batch");
    };
    assert_eq!(fitting, [1, 2, 4, 8, 16, 32, 64, 128]);
    assert!(!three.folder.exists());
    let other = RecipePlan {
        batch: 96,
        per_device: Some(2),
        ..three
    };
    let batch = recipe(&project, &other).unwrap().batch;
    assert_eq!((batch.per_device, batch.accumulation), (2, 16));
}

#[test]
fn the_estimate_says_what_does_not_fit_and_what_would() {
    let folder = tempfile::tempdir().unwrap();
    let project = exported(folder.path());
    let one = RecipePlan {
        gpus: 1,
        ..plan(folder.path(), Trainer::Trl)
    };
    let outcome = recipe(&project, &one).unwrap();
    assert_eq!(
        (outcome.fits, outcome.fitting_gpus, outcome.lora_fits),
        (Some(false), Some(2), true)
    );
    assert_eq!(outcome.batch.per_device, 1);
    let readme = read(&one, "README.md");
    assert!(
        readme.contains("does NOT fit the 80.0 GB") && readme.contains("on 2 GPUs"),
        "{readme}"
    );
    let eight = RecipePlan {
        folder: folder.path().join("eight"),
        ..plan(folder.path(), Trainer::Trl)
    };
    let outcome = recipe(&project, &eight).unwrap();
    assert_eq!((outcome.fits, outcome.fitting_gpus), (Some(true), None));
    // More records at a time than on one GPU, as there is room.
    assert!(outcome.batch.per_device > 1, "{outcome:?}");
}

#[test]
fn the_same_recipe_is_there_already_and_another_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let project = exported(folder.path());
    let plan = plan(folder.path(), Trainer::Axolotl);
    assert!(!recipe(&project, &plan).unwrap().already_there);
    assert!(recipe(&project, &plan).unwrap().already_there);
    let other = RecipePlan {
        epochs: 2,
        ..plan.clone()
    };
    let message = fault(recipe(&project, &other)).to_string();
    assert!(
        message.contains("epochs is 3 there, and 2 here"),
        "{message}"
    );
    // Killed before its end: begun anew.
    fs::remove_file(plan.folder.join("recipe.json")).unwrap();
    fs::remove_file(plan.folder.join("README.md")).unwrap();
    assert!(!recipe(&project, &other).unwrap().already_there);
    // A training is never written over.
    fs::remove_file(plan.folder.join("recipe.json")).unwrap();
    fs::create_dir(plan.folder.join("output")).unwrap();
    assert!(matches!(
        fault(recipe(&project, &other)),
        RecipeFault::OtherFiles(_)
    ));
}

#[test]
fn an_export_that_is_stale_or_lacks_the_form_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = exported_as(folder.path(), vec![ExportFormat::Chat]);
    let plan = plan(folder.path(), Trainer::Trl);
    assert_eq!(
        fault(recipe(&project, &plan)),
        RecipeFault::NoPromptCompletion
    );
    let again = ExportPlan {
        fresh: true,
        ..ExportPlan::default()
    };
    export(&mut project, &again, &mut exporting::go_on).unwrap();
    screened_anew(&mut project, folder.path());
    let error = recipe(&project, &plan).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Stale { .. }), "{error}");
    assert!(!plan.folder.exists());
}

#[test]
fn what_a_trainer_cannot_train_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let project = exported(folder.path());
    let refused = |edit: fn(&mut Value), change: fn(&mut RecipePlan), part: &str| {
        let mut plan = RecipePlan {
            base: base(folder.path(), edit),
            ..plan(folder.path(), Trainer::Torchtune)
        };
        plan.base = base(folder.path(), edit);
        change(&mut plan);
        let message = recipe(&project, &plan).unwrap_err().to_string();
        assert!(message.contains(part), "no {part} in {message}");
    };
    let same = |_: &mut RecipePlan| ();
    refused(
        |config| config["tie_word_embeddings"] = true.into(),
        same,
        "one tensor for both",
    );
    refused(
        |config| config["model_type"] = "gemma3".into(),
        same,
        "type \"gemma3\"",
    );
    refused(
        |config| config["rope_scaling"] = json!({"rope_type": "yarn"}),
        same,
        "type \"yarn\"",
    );
    refused(|_| (), |plan| plan.batch = 1024, "fewer than 1024");
    refused(|_| (), |plan| plan.gpus = 0, "TRL alone");
    refused(|_| (), |plan| plan.epochs = 0, "epochs of 0");
    refused(
        |_| (),
        |plan| plan.learning_rate = Some(2.0),
        "learning rate of 2",
    );
    refused(|_| (), |plan| plan.warmup = 1.0, "warm-up of 1");
    refused(|_| (), |plan| plan.max_length = 8192, "made for 4096");
    let experts = |config: &mut Value| config["num_local_experts"] = 8.into();
    let lora = |plan: &mut RecipePlan| {
        plan.trainer = Trainer::Trl;
        plan.lora = Some(LoraOptions::default());
    };
    refused(experts, lora, "experts");
}

/// Scripts are run here, with a folder of commands that note what they are asked.
#[cfg(unix)]
mod scripts {
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;
    use std::process::{Command, Output};

    use super::*;

    /// Puts a command on a path of its own, which notes its arguments in `asked` beside the recipe.
    fn command(folder: &Path, name: &str) -> PathBuf {
        let commands = folder.join("commands");
        fs::create_dir_all(&commands).unwrap();
        let file = commands.join(name);
        fs::write(
            &file,
            format!("#!/bin/sh\necho {name} \"$@\" >> ../asked\n"),
        )
        .unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        commands
    }

    fn run(plan: &RecipePlan, script: &str, commands: Option<&Path>) -> Output {
        let given = commands
            .map(|path| format!("{}:", path.display()))
            .unwrap_or_default();
        Command::new("bash")
            .arg(plan.folder.join(script))
            .args(["--extra", "x"])
            .env("PATH", format!("{given}/usr/bin:/bin"))
            .output()
            .unwrap()
    }

    fn asked(folder: &Path) -> String {
        let file = folder.join("asked");
        let asked = fs::read_to_string(&file).unwrap_or_default();
        let _ = fs::remove_file(file);
        asked
    }

    fn checkpoint(plan: &RecipePlan, step: usize, is_whole: bool) {
        let folder = plan.folder.join(format!("output/checkpoint-{step}"));
        fs::create_dir_all(&folder).unwrap();
        if is_whole {
            fs::write(folder.join("trainer_state.json"), "{}").unwrap();
        }
    }

    #[test]
    fn a_trainer_that_is_not_there_is_named_with_the_line_that_installs_it() {
        let folder = tempfile::tempdir().unwrap();
        let project = exported(folder.path());
        for (trainer, line) in [
            (Trainer::Trl, "pip install 'trl"),
            (Trainer::Axolotl, "pip install 'axolotl"),
            (
                Trainer::LlamaFactory,
                "pip install 'llamafactory>=0.9.5' deepspeed",
            ),
            (Trainer::Torchtune, "pip install torch torchtune"),
        ] {
            let plan = RecipePlan {
                folder: folder.path().join(trainer.name()),
                ..plan(folder.path(), trainer)
            };
            recipe(&project, &plan).unwrap();
            let done = run(&plan, "train.sh", None);
            let said = String::from_utf8(done.stderr).unwrap();
            assert_eq!(done.status.code(), Some(127), "{said}");
            assert!(said.contains(line), "{said}");
            assert!(!plan.folder.join("output").exists());
        }
    }

    /// The last checkpoint that is whole, by its number and not by its name.
    #[test]
    fn a_training_that_was_broken_off_goes_on_from_its_last_whole_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let project = exported(folder.path());
        for (trainer, name, resume) in [
            (
                Trainer::Trl,
                "trl",
                "--resume_from_checkpoint output/checkpoint-100",
            ),
            (
                Trainer::Axolotl,
                "accelerate",
                "--resume_from_checkpoint output/checkpoint-100",
            ),
            (
                Trainer::LlamaFactory,
                "llamafactory-cli",
                "resume_from_checkpoint=output/checkpoint-100",
            ),
        ] {
            let plan = RecipePlan {
                gpus: 1,
                folder: folder.path().join(trainer.name()),
                ..plan(folder.path(), trainer)
            };
            recipe(&project, &plan).unwrap();
            command(folder.path(), "axolotl");
            let commands = command(folder.path(), name);
            fs::create_dir(plan.folder.join("output")).unwrap();
            assert!(run(&plan, "train.sh", Some(&commands)).status.success());
            let first = asked(folder.path());
            assert!(
                first.contains("--extra x") && !first.contains("resume"),
                "{first}"
            );
            // It says that it came to its end, and is not trained twice.
            assert!(run(&plan, "train.sh", Some(&commands)).status.success());
            assert_eq!(asked(folder.path()), "");
            fs::remove_file(plan.folder.join("output/finished")).unwrap();
            for (step, is_whole) in [(20, true), (100, true), (120, false)] {
                checkpoint(&plan, step, is_whole);
            }
            assert!(run(&plan, "train.sh", Some(&commands)).status.success());
            let again = asked(folder.path());
            assert!(again.contains(resume), "{again}");
        }
        let plan = RecipePlan {
            folder: folder.path().join("tune"),
            ..plan(folder.path(), Trainer::Torchtune)
        };
        recipe(&project, &plan).unwrap();
        let commands = command(folder.path(), "tune");
        let state = plan.folder.join("output/recipe_state");
        fs::create_dir_all(&state).unwrap();
        fs::write(state.join("recipe_state.pt"), "x").unwrap();
        assert!(run(&plan, "train.sh", Some(&commands)).status.success());
        assert!(asked(folder.path()).contains("resume_from_checkpoint=True"));
    }

    #[test]
    fn what_came_out_is_asked_in_the_template_it_was_trained_on() {
        let folder = tempfile::tempdir().unwrap();
        let project = exported(folder.path());
        let plan = RecipePlan {
            lora: Some(LoraOptions::default()),
            ..plan(folder.path(), Trainer::Trl)
        };
        recipe(&project, &plan).unwrap();
        let commands = command(folder.path(), "mwpbench");
        let early = run(&plan, "eval.sh", Some(&commands));
        assert_eq!(early.status.code(), Some(3));
        assert!(
            String::from_utf8(early.stderr)
                .unwrap()
                .contains("train.sh")
        );
        fs::create_dir(plan.folder.join("output")).unwrap();
        fs::write(plan.folder.join("output/finished"), "").unwrap();
        assert!(run(&plan, "eval.sh", Some(&commands)).status.success());
        let base = plan.base.name();
        assert_eq!(
            asked(folder.path()),
            format!(
                "mwpbench eval --model {base} --prompt-template alpaca --output-dir eval-base --extra x\n\
                 mwpbench eval --model {base} --adapter output --prompt-template alpaca --output-dir eval --extra x\n\
                 mwpbench gate --baseline eval-base --candidate eval\n"
            )
        );
    }
}
