//! What a user can do about an error. Libraries say what is wrong; which flags and commands help is
//! said here.

use anyhow::Error;
use evaluation::{ComparisonError, ExclusionError, MergeError, SelectionError, TemplateError};
use jobs::JobError;
use store::FileError;

use crate::shard::command_of;

/// The end of a message; empty where there is nothing to add.
pub fn way_out(error: &Error) -> String {
    match error.chain().find_map(of_cause) {
        Some(way_out) => format!(". {way_out}"),
        None => String::new(),
    }
}

fn of_cause(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    None.or_else(|| cause.downcast_ref().and_then(of_run))
        .or_else(|| cause.downcast_ref().and_then(of_merge))
        .or_else(|| cause.downcast_ref().and_then(of_comparison))
        .or_else(|| cause.downcast_ref().and_then(of_exclusion))
        .or_else(|| cause.downcast_ref().and_then(of_template))
        .or_else(|| cause.downcast_ref().and_then(of_file))
        .or_else(|| cause.downcast_ref().and_then(of_job))
        .or_else(|| cause.downcast_ref().and_then(of_checkpoint))
        .or_else(|| cause.downcast_ref().and_then(of_chat_template))
        .or_else(|| cause.downcast_ref().and_then(of_pipeline))
        .or_else(|| cause.downcast_ref().and_then(of_translation))
        .or_else(|| cause.downcast_ref().and_then(of_fetch))
        .or_else(|| cause.downcast_ref().and_then(of_hub))
        .or_else(|| cause.downcast_ref().and_then(of_endpoint))
        .or_else(|| cause.downcast_ref().and_then(of_serve))
        .or_else(|| cause.downcast_ref().and_then(of_data))
        .or_else(|| cause.downcast_ref().and_then(of_overlap))
        .or_else(|| cause.downcast_ref().and_then(of_selection))
        .or_else(|| cause.downcast_ref().and_then(of_import))
        .or_else(|| cause.downcast_ref().and_then(of_export))
}

fn of_serve(error: &::serve::Error) -> Option<String> {
    use ::serve::Error;
    match error {
        Error::NoKey(_) => text(
            "Give one by MWPBENCH_SERVE_API_KEY, or in a file with --api-key-file, or listen on loopback: leave out --host",
        ),
        Error::Listen { .. } => text("Choose another address with --host and --port"),
        _ => None,
    }
}

fn text(way_out: &str) -> Option<String> {
    Some(way_out.to_string())
}

fn of_run(error: &evaluation::Error) -> Option<String> {
    use evaluation::Error;
    match error {
        Error::NoRun(_) => text("Name a folder that `mwpbench eval` has written"),
        Error::NotARunFolder(_) => text("Choose another folder with --output-dir"),
        Error::OtherRun { .. } => text(
            "Choose another folder with --output-dir, or give what the run there was begun with",
        ),
        Error::OtherShard { .. } => text("Choose another folder with --output-dir"),
        Error::OneShard { folder, .. } => Some(format!(
            "Put all shards together with `mwpbench merge {} --output-dir RUN`",
            folder.parent().unwrap_or(folder).display()
        )),
        Error::DamagedSummary { folder, .. } => Some(format!(
            "Write it anew with `mwpbench score {}`",
            folder.display()
        )),
        Error::LongPrompts { .. } => text(
            "Leave the set out with --tasks, or count such items as failed with --on-long-prompt fail",
        ),
        Error::NoTokenIds => text("Leave out --log-tokens"),
        Error::OutputIsInput(_) => text("Give another file with --output"),
        // A file that another program wrote is no journal of ours.
        Error::File(FileError::Corrupt {
            file,
            line: Some(_),
            ..
        }) if file.with_file_name("run.json").exists() => {
            text("Or start over in a new folder with --fresh")
        }
        // What an error stands for is not in the chain beside it.
        Error::File(error) => of_file(error),
        _ => None,
    }
}

/// Commands of unfinished shards that are printed.
const MAX_COMMANDS: usize = 8;

fn of_merge(error: &MergeError) -> Option<String> {
    match error {
        MergeError::Run(error) => of_run(error),
        MergeError::NoShards(_) | MergeError::NotAShard(_) => text(
            "Name folders that `mwpbench eval --shard I/N` has written, or the one that holds them",
        ),
        MergeError::Twice { .. } => text("Name one of them"),
        MergeError::OtherCompletions { .. } => text("Choose another folder with --output-dir"),
        MergeError::Unfinished { open, .. } => {
            let commands = open.iter().filter_map(|open| {
                let command = open.command.as_ref()?;
                Some(format!("\n  {}", command_of(command, open.shard)))
            });
            let commands: Vec<String> = commands.collect();
            let more = match commands.len().saturating_sub(MAX_COMMANDS) {
                0 => String::new(),
                more => format!("\n  and {more} more"),
            };
            let commands = commands[..commands.len().min(MAX_COMMANDS)].concat();
            (!commands.is_empty()).then(|| format!("Finish with:{commands}{more}"))
        }
        _ => None,
    }
}

fn of_comparison(error: &ComparisonError) -> Option<String> {
    match error {
        ComparisonError::NotJudged { folder, .. } => Some(format!(
            "Judge it with `mwpbench score {}`",
            folder.display()
        )),
        ComparisonError::Edited { folder, .. } => Some(format!(
            "Judge the run anew with `mwpbench score {}`",
            folder.display()
        )),
        ComparisonError::Baseline { .. } => {
            text("Name a run folder, or a file that `mwpbench baseline save` has written")
        }
        ComparisonError::DifferentItems { .. } => text("Compare those in common with --common"),
        ComparisonError::UnknownProtocol { .. } => text(
            "Where you know that both were asked in the same way, compare them with --allow-unknown",
        ),
        ComparisonError::Unsuited { .. } => text(
            "Give the same flags as the baseline's run, or save another baseline with `mwpbench baseline save`",
        ),
        ComparisonError::OtherItem { id } => {
            Some(format!("Look at each with `mwpbench show RUN --item {id}`"))
        }
        _ => None,
    }
}

fn of_exclusion(error: &ExclusionError) -> Option<String> {
    match error {
        ExclusionError::Unknown { .. } => {
            text("Are they of other data? `mwpbench data show` shows ids")
        }
        _ => None,
    }
}

fn of_template(error: &TemplateError) -> Option<String> {
    match error {
        TemplateError::SystemRefused { .. } | TemplateError::SystemIgnored { .. } => text(
            "Leave --system-prompt out, or give a template that writes it with --chat-template",
        ),
        TemplateError::QuestionIgnored { .. } => text("Give another one with --chat-template"),
        TemplateError::Chat(error) => of_chat_template(error),
        _ => None,
    }
}

fn of_file(error: &FileError) -> Option<String> {
    match error {
        FileError::NotWritable { .. } => text("Choose another folder"),
        FileError::WriteFailed { .. } => text(
            "What was finished is kept: give the disk room and start the same command again to continue",
        ),
        _ => None,
    }
}

fn of_job(error: &JobError) -> Option<String> {
    match error {
        JobError::AllRefused { .. } => text(
            "Read some of them: does the model follow instructions, and is it asked in its own form (--prompt-template)? --max-refused 0 goes on all the same",
        ),
        JobError::TooManyRefused { .. } => text(
            "Where replies are cut off, allow more with --max-tokens; where they have another form, does the model follow instructions, and is it asked in its own form (--prompt-template)? --max-rejected 1 goes on all the same, and uses what there is",
        ),
        _ => None,
    }
}

fn of_fetch(error: &dataset_fetcher::Error) -> Option<String> {
    use dataset_fetcher::Error;
    match error {
        Error::Status { .. } | Error::Unreachable { .. } => text(
            "Download the file by other means and give its folder with --from DIR, or name a mirror with --from URL",
        ),
        Error::NotOffline { .. } => text("Give another folder with --from DIR"),
        Error::NotFromPublisher { .. } => text(
            "Leave --published-by away, or download the files by hand and run `mwpbench data import`",
        ),
        Error::InTheWay { .. } | Error::UnpackedInTheWay { .. } => text("Replace it with --force"),
        Error::Changed { .. } => text("Accept it with --force"),
        Error::NoLockFile { .. } => text("Fetch with `mwpbench data fetch`"),
        Error::Several(errors) => errors.iter().find_map(of_fetch),
        _ => None,
    }
}

fn of_hub(error: &hub::Error) -> Option<String> {
    use hub::Error;
    match error {
        Error::Refused { refusal, page, .. } => of_refusal(*refusal, page),
        Error::Unreachable { kept, .. } => {
            let kept = match kept {
                0 => String::new(),
                kept => format!(
                    "{kept} bytes of the file are kept, and the same command goes on from there. "
                ),
            };
            Some(format!(
                "{kept}Check the network and its proxy (HTTPS_PROXY), name a mirror with HF_ENDPOINT, or download the repository elsewhere and give its folder"
            ))
        }
        Error::Tls { .. } => {
            text("Where a proxy signs connections itself, name its certificate in SSL_CERT_FILE")
        }
        Error::NotCached { .. } => text(
            "Start the same command once without HF_HUB_OFFLINE, or with HF_HUB_CACHE naming the cache that has it, or give a folder",
        ),
        Error::NoSafetensors { .. } => text(
            "Name a revision that has them with @REVISION, or convert it with transformers and give the folder",
        ),
        Error::NameTheFile { name, first, .. } => {
            Some(format!("Name one of them, such as hf://{name}/{first}"))
        }
        Error::IsAdapter { name } => Some(format!("Give --model BASE --adapter {name}")),
        Error::WrongContent { .. } => {
            text("Something on the way changes it: try without a proxy, or another HF_ENDPOINT")
        }
        Error::DiskFull { .. } => text(
            "Give the disk room and start the same command again, which goes on from there, or name another place with HF_HUB_CACHE",
        ),
        Error::Cache { .. } | Error::NoCacheFolder => {
            text("Name another place for the cache with HF_HUB_CACHE")
        }
        _ => None,
    }
}

fn of_refusal(refusal: hub::Refusal, page: &str) -> Option<String> {
    use hub::Refusal;
    match refusal {
        Refusal::NoRepository => Some(format!(
            "Is the name right? A folder would be found where it lies. If {page} shows the repository to you, give your token with HF_TOKEN"
        )),
        Refusal::Gated => Some(format!(
            "Accept its terms at {page}, and give your token with HF_TOKEN or `hf auth login`"
        )),
        Refusal::NoRevision => Some(format!("{page}/tree/main shows the branches and tags")),
        Refusal::Token => text("Give another one with HF_TOKEN, or none"),
        _ => None,
    }
}

fn of_endpoint(error: &endpoint::Error) -> Option<String> {
    use endpoint::{Error, Rejection};
    match error {
        Error::Rejected { rejection, .. } => match rejection {
            Rejection::Key => text("Give it by MWPBENCH_API_KEY, or in a file with --api-key-file"),
            Rejection::Length => text("Ask for fewer new tokens with --max-tokens"),
            _ => None,
        },
        Error::PasswordInUrl { .. } => {
            text("Give a key by MWPBENCH_API_KEY, or in a file with --api-key-file")
        }
        _ => None,
    }
}

fn of_data(error: &dataset_loader::Error) -> Option<String> {
    use dataset_loader::ErrorKind;
    match error.kind() {
        ErrorKind::MissingField(_) => {
            text("A publisher's own file becomes records with `mwpbench data import SET FILE`")
        }
        ErrorKind::OutputIsInput
        | ErrorKind::NeedsOutput { .. }
        | ErrorKind::OtherFileOfSet { .. } => text("Give a file with --output"),
        ErrorKind::WouldReplace => {
            text("Name another file with --output, or replace it with --force")
        }
        ErrorKind::TrainingSplit { .. } => text(
            "Import it with --split train, which is never asked, or with --force where it is no training split",
        ),
        ErrorKind::Untranslated { .. } => text(
            "Translate them with `mwpbench data translate`, leave them out with --tasks, or ask them as a custom data set (`mwpbench data new`)",
        ),
        _ => None,
    }
}

fn of_selection(error: &SelectionError) -> Option<String> {
    match error {
        SelectionError::Unknown { .. } => text("`mwpbench data stats` shows sets and their tasks"),
        _ => None,
    }
}

fn of_export(error: &interchange::ExportError) -> Option<String> {
    use interchange::ExportError;
    match error {
        ExportError::NoHubTask { sets } => Some(format!(
            "Say which it is, such as --hub-task {}=ORGANISATION/DATASET:TASK",
            sets.first().map_or("SET", String::as_str)
        )),
        _ => None,
    }
}

fn of_import(error: &interchange::ImportError) -> Option<String> {
    use interchange::ImportErrorKind;
    match error.kind() {
        ImportErrorKind::Empty => {
            text("Name the file, or the folder in which the files of one run lie themselves")
        }
        ImportErrorKind::NoSamples => {
            text("Run lm-eval again with --log_samples, which writes samples_*.jsonl beside them")
        }
        ImportErrorKind::EmptyLog { .. } => {
            text("Give the log of a run that finished and kept its samples")
        }
        ImportErrorKind::UnknownFields { .. } => text(
            "Say which field is what, such as --map completion=FIELD,reference=FIELD,question=FIELD, or whose files they are with --from",
        ),
        ImportErrorKind::NotRecognised => {
            text("Say whose files they are with --from, or name one file of them")
        }
        ImportErrorKind::Several { .. } => text("Name one of them"),
        ImportErrorKind::MissingField { key, .. } | ImportErrorKind::WrongKind { key, .. } => {
            Some(format!(
                "Name the field that holds it with --map {key}=FIELD (dots lead into objects and lists)"
            ))
        }
        ImportErrorKind::Twice { .. } => text(
            "Where both count, name the field that numbers them with --map sample=FIELD; else take one of them out",
        ),
        ImportErrorKind::OtherQuestion { .. } => {
            text("Name the field that tells items apart with --map id=FIELD")
        }
        ImportErrorKind::OwnRun => text("Use the folder as it is"),
        _ => None,
    }
}

fn of_overlap(error: &overlap::Error) -> Option<String> {
    match error {
        overlap::Error::Unrecognised { .. } => text("Name the field with --field"),
        _ => None,
    }
}

fn of_checkpoint(error: &inference::Error) -> Option<String> {
    use inference::ErrorKind;
    match error.kind() {
        ErrorKind::UnsupportedTokenizer => text("Give it with --tokenizer FILE|DIR"),
        ErrorKind::QuantizedOnGpu => text("Leave out --quantize or --device"),
        ErrorKind::NoGpuSupport => text(
            "Build it with `cargo build --release --features cuda` (docs/engine.md), or compute with --device cpu",
        ),
        ErrorKind::DifferentGpus => text(
            "Name GPUs of one model, such as --device cuda:0,1, and evaluate on the others apart",
        ),
        ErrorKind::GpuUnavailable => text("Without a GPU and its driver compute with --device cpu"),
        ErrorKind::WeightsTooLarge => text(
            "Use a machine with more, --dtype bf16 where the checkpoint is wider, or --quantize q8_0",
        ),
        ErrorKind::WeightsTooLargeForGpu => text(
            "Use a GPU with more, --dtype bf16 where the checkpoint is wider, --quantize q8_0, or --device cpu",
        ),
        ErrorKind::KvCacheTooSmall => text(
            "Generate fewer tokens with --max-tokens, or give the KV cache more memory with --kv-memory",
        ),
        ErrorKind::KvCacheUnavailable => text("Give the KV cache less memory with --kv-memory"),
        _ => None,
    }
}

fn of_chat_template(error: &chat_template::Error) -> Option<String> {
    match error {
        chat_template::Error::NoTemplate { .. } => {
            text("Give one with --chat-template FILE, or choose another --prompt-template")
        }
        chat_template::Error::NoDefault { .. } => text("Name one of them with --chat-template"),
        _ => None,
    }
}

fn of_pipeline(error: &mathscale::Error) -> Option<String> {
    use mathscale::ErrorKind;
    match error.kind() {
        ErrorKind::NoProject => text("`mwpbench mathscale extract` begins one"),
        ErrorKind::Changed { stage } => Some(format!(
            "Put it back, or run `mwpbench mathscale {stage} --fresh`"
        )),
        ErrorKind::NotYet { stage } => Some(format!("Run `mwpbench mathscale {stage}` first")),
        ErrorKind::Stale { stage, .. } => {
            Some(format!("Run `mwpbench mathscale {stage} --fresh` first"))
        }
        ErrorKind::Differs { .. } => text(
            "Give the same again, another --project, or --fresh to replace it (what is there is moved to replaced/)",
        ),
        ErrorKind::Job(error) => of_job(error),
        ErrorKind::Recipe(fault) => of_recipe(fault),
        ErrorKind::NothingToCompose(_) => {
            text("`mwpbench mathscale extract --keep-singletons` keeps concepts of single seeds")
        }
        _ => None,
    }
}

fn of_recipe(fault: &mathscale::RecipeFault) -> Option<String> {
    use mathscale::RecipeFault;
    match fault {
        RecipeFault::Batch { fitting, .. } => {
            let fitting: Vec<String> = fitting.iter().map(ToString::to_string).collect();
            Some(match fitting.is_empty() {
                true => "Give a smaller --per-device, or a larger --batch".to_string(),
                false => format!(
                    "It can be shared by --gpus {}; or give another --per-device or --batch",
                    fitting.join(", ")
                ),
            })
        }
        RecipeFault::NoBaseFile(_) => text(
            "Give the folder of a checkpoint in Hugging Face layout, or its name on the hub (org/name)",
        ),
        RecipeFault::NoPromptCompletion => {
            text("Write it with all forms: `mwpbench mathscale export --fresh` without --forms")
        }
        RecipeFault::OtherFiles(_) | RecipeFault::OtherRecipe { .. } => {
            text("Choose another folder with --output-dir, or move that one away")
        }
        _ => None,
    }
}

fn of_translation(error: &translation::Error) -> Option<String> {
    match error {
        translation::Error::OutputIsInput(_) => text("Name another file with --output"),
        translation::Error::Job(error) => of_job(error),
        _ => None,
    }
}
