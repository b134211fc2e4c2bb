use chat_template::{ChatTemplate, SpecialTokensMap};
use dataset_loader::Benchmark;
use evaluation::{ChatSettings, Error, RunFolder, Template, TemplateError};
use generation::{FinishReason, Prompt, Scripted};
use serde_json::{Map, Value, json};

use crate::scripted::{plan, problems, run};

/// Zephyr's format, with the day where the template is told to write it, and a refusal.
const SOURCE: &str = "{{ bos_token }}\
    {%- if day %}{{ strftime_now('%d %b %Y') }}\n{% endif -%}\
    {%- for m in messages -%}\
    {%- if 'forbidden' in m.content %}{{ raise_exception('no such words') }}{% endif -%}\
    <|{{ m.role }}|>\n{{ m.content | trim }}{{ eos_token }}\n\
    {%- endfor -%}\
    {%- if add_generation_prompt %}<|assistant|>\n{% endif -%}";

fn settings() -> ChatSettings {
    let date = jiff::civil::date(2026, 11, 26);
    ChatSettings {
        system: None,
        date,
        variables: Map::new(),
        turn: None,
    }
}

fn template_of(source: &str, settings: ChatSettings) -> Result<Template, TemplateError> {
    let tokens = [
        ("bos_token", "<s>"),
        ("eos_token", "</s>"),
        ("pad_token", "<pad>"),
    ];
    let template = ChatTemplate::new(
        "t.jinja".to_string(),
        source.to_string(),
        SpecialTokensMap::from_iter(tokens),
    );
    Template::chat(template.unwrap(), settings)
}

fn template(settings: ChatSettings) -> Template {
    template_of(SOURCE, settings).unwrap()
}

fn with_system(system: &str) -> ChatSettings {
    ChatSettings {
        system: Some(system.to_string()),
        ..settings()
    }
}

fn dated() -> ChatSettings {
    ChatSettings {
        variables: Map::from_iter([("day".to_string(), json!(true))]),
        ..settings()
    }
}

#[test]
fn a_question_becomes_what_the_user_says() {
    let plain = template(settings());
    assert_eq!(
        plain.render("1 + {question}?").unwrap(),
        "<s><|user|>\n1 + {question}?</s><|assistant|>\n"
    );
    assert_eq!(
        (plain.name(), plain.text()),
        ("chat", "<s><|user|>\n{question}</s><|assistant|>\n")
    );
    assert!(plain.writes_special_tokens() && plain.stop_strings().is_empty());
    let system = template(with_system("Be brief."));
    assert_eq!(
        system.render("Q").unwrap(),
        "<s><|system|>\nBe brief.</s><|user|>\nQ</s><|assistant|>\n"
    );
    assert_eq!(plain.bos(), Some("<s>"));
}

#[test]
fn everything_that_changes_a_prompt_changes_the_digest_and_nothing_else_does() {
    let base = template(settings());
    let other_day = ChatSettings {
        date: jiff::civil::date(2027, 1, 1),
        ..settings()
    };
    assert_eq!(base.digest(), template(other_day.clone()).digest());
    let tokens = SpecialTokensMap::from_iter([
        ("bos_token", "<s>"),
        ("eos_token", "</s>"),
        ("sep_token", "|"),
    ]);
    let elsewhere = ChatTemplate::new("u.jinja".to_string(), SOURCE.to_string(), tokens).unwrap();
    assert_eq!(
        base.digest(),
        Template::chat(elsewhere, settings()).unwrap().digest()
    );

    let dated_elsewhere = ChatSettings {
        date: other_day.date,
        ..dated()
    };
    let changed = [
        template(with_system("Be brief.")),
        template(with_system("")),
        template(dated()),
        template(dated_elsewhere),
        template_of(&SOURCE.replace("trim", "lower"), settings()).unwrap(),
    ];
    let mut digests: Vec<String> = changed
        .iter()
        .chain([&base])
        .map(Template::digest)
        .collect();
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), changed.len() + 1);
}

#[test]
fn a_template_that_cannot_ask_is_refused_with_the_way_out() {
    let refusing = format!(
        "{{% if messages[0].role == 'system' %}}{{{{ raise_exception('no system') }}}}{{% endif %}}{SOURCE}"
    );
    let message = template_of(&refusing, with_system("Be brief."))
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with("the chat template takes no system prompt ("),
        "{message}"
    );
    assert!(
        message.contains("t.jinja, line 1: the chat template refuses the conversation: no system"),
        "{message}"
    );
    let dropping = "{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}";
    let error = template_of(dropping, with_system("Be brief.")).unwrap_err();
    assert!(
        matches!(error, TemplateError::SystemIgnored { .. }),
        "{error}"
    );
    assert!(template_of(dropping, with_system(" ")).is_ok());
    let error = template_of("always the same", settings()).unwrap_err();
    assert!(
        matches!(error, TemplateError::QuestionIgnored { .. }),
        "{error}"
    );
    let error =
        template_of("{{ raise_exception('never') }}", with_system("Be brief.")).unwrap_err();
    assert!(matches!(error, TemplateError::Chat(_)), "{error}");
}

#[test]
fn warnings_name_date_begin_and_end() {
    let eos = ["</s>".to_string()];
    assert_eq!(
        template(settings()).warnings(Some("<s>"), &eos),
        Vec::<String>::new()
    );
    assert_eq!(
        template(settings()).warnings(None, &eos),
        Vec::<String>::new()
    );
    let date = template(dated()).warnings(Some("<s>"), &eos);
    assert!(
        date.len() == 1 && date[0].contains("2026-11-26 here: give this date"),
        "{date:?}"
    );
    let begin = template_of(&SOURCE.replace("{{ bos_token }}", ""), settings())
        .unwrap()
        .warnings(Some("<s>"), &eos);
    assert!(
        begin.len() == 1 && begin[0].contains("does not write \"<s>\""),
        "{begin:?}"
    );
    let end = template(settings()).warnings(Some("<s>"), &["<|end|>".to_string()]);
    assert!(
        end.len() == 1 && end[0].contains("ends a turn with \"</s>\""),
        "{end:?}"
    );
    assert!(end[0].contains("(\"<|end|>\")"), "{end:?}");
    let silent = template_of(
        "{% for m in messages %}{{ m.content }}{% endfor %}",
        settings(),
    )
    .unwrap();
    assert!(silent.warnings(None, &eos)[0].contains("ends a turn with \"\""));
}

#[test]
fn a_run_folder_renders_its_prompts_again_without_the_checkpoint() {
    let parent = tempfile::tempdir().unwrap();
    let benchmark = Benchmark::published();
    let mut asked = plan(problems(&benchmark, &[("gsm8k", 3)]));
    asked.template = template(ChatSettings {
        system: Some("Be brief.".to_string()),
        ..dated()
    });
    asked.decoding.stop = asked.template.stop_strings();
    let answer = |prompt: &Prompt| {
        assert!(
            prompt
                .text
                .starts_with("<s>26 Nov 2026\n<|system|>\nBe brief.</s><|user|>\nWhich"),
            "{}",
            prompt.text
        );
        (prompt.text.clone(), FinishReason::Eos)
    };
    let folder = parent.path().join("run");
    let summary = run(&asked, &mut Scripted::new(answer), &folder)
        .unwrap()
        .summary;
    assert!(
        ["template chat", "no stop strings"]
            .iter()
            .all(|part| summary.deviations.iter().any(|found| found == part))
    );
    let opened = RunFolder::open(&folder).unwrap();
    let problem = &opened.problems().unwrap()[1];
    let rendered = opened
        .template()
        .unwrap()
        .render(&problem.question)
        .unwrap();
    assert_eq!(
        opened.completions().unwrap()[&(problem.id.clone(), 0)].completion,
        rendered
    );
    assert_eq!(opened.template().unwrap().digest(), asked.template.digest());

    // The same command goes on, another day or system prompt does not.
    run(&asked, &mut Scripted::new(answer), &folder).unwrap();
    asked.template = template(ChatSettings {
        date: jiff::civil::date(2026, 11, 27),
        ..with_system("Be long.")
    });
    let message = run(&asked, &mut Scripted::new(answer), &folder)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("template.chat.system is \"Be brief.\" there and \"Be long.\" here"),
        "{message}"
    );
    assert!(
        message.contains("template.chat.date is \"2026-11-26\" there and null here"),
        "{message}"
    );
    assert!(!message.contains("raise_exception"), "{message}");
}

#[test]
fn a_manifest_from_before_chat_templates_still_opens() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("run");
    let asked = plan(problems(&Benchmark::published(), &[("gsm8k", 1)]));
    run(&asked, &mut Scripted::new(crate::scripted::right), &folder).unwrap();
    let manifest: Value =
        serde_json::from_slice(&std::fs::read(folder.join("run.json")).unwrap()).unwrap();
    assert!(
        manifest["identity"]["template"].get("chat").is_none(),
        "{manifest}"
    );
    assert_eq!(
        RunFolder::open(&folder)
            .unwrap()
            .template()
            .unwrap()
            .render("Q")
            .unwrap(),
        "Q"
    );
}

#[test]
fn a_question_that_the_template_refuses_stops_the_run_before_anything_is_asked() {
    let parent = tempfile::tempdir().unwrap();
    let mut asked = plan(problems(&Benchmark::published(), &[("gsm8k", 3)]));
    asked.problems[1].question = "Is this forbidden?".to_string();
    asked.template = template(settings());
    let mut generator = Scripted::new(crate::scripted::right);
    let error = run(&asked, &mut generator, &parent.path().join("run")).unwrap_err();
    assert!(
        matches!(&error, Error::Template { id, .. } if id == "gsm8k/1"),
        "{error}"
    );
    assert!(generator.asked.is_empty() && !parent.path().join("run").exists());
}
