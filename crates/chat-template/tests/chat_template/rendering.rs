use chat_template::{ChatTemplate, Conversation, Message, Rendered, SpecialTokensMap};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::recorded::template;

const DATE: jiff::civil::Date = jiff::civil::date(2026, 2, 3);

fn render(source: &str, variables: &Map<String, Value>) -> Rendered {
    let template = ChatTemplate::new(
        "t.jinja".to_string(),
        source.to_string(),
        SpecialTokensMap::default(),
    )
    .unwrap();
    let messages = [Message::new("user", "x")];
    template
        .render(&Conversation {
            messages: &messages,
            add_generation_prompt: true,
            date: DATE,
            variables,
        })
        .unwrap()
}

fn text(source: &str) -> String {
    render(source, &Map::new()).text
}

#[test]
fn dates_are_written_as_python_writes_them() {
    // Python: datetime(2026, 2, 3).strftime(...)
    let cases = [
        ("%d %b %Y", "03 Feb 2026"),
        ("%B %-d, %Y", "February 3, 2026"),
        ("%A %a %w %u %j", "Tuesday Tue 2 2 034"),
        ("%Y-%m-%dT%H:%M:%S.%f%z%Z", "2026-02-03T00:00:00.000000"),
        ("%y/%e/%I%p %U %V %G %C", "26/ 3/12AM 05 06 2026 20"),
        (
            "%c|%x|%X|%D|%F|%T|%R|100%%",
            "Tue Feb  3 00:00:00 2026|02/03/26|00:00:00|02/03/26|2026-02-03|00:00:00|00:00|100%",
        ),
    ];
    for (format, expected) in cases {
        let rendered = render(&format!("{{{{ strftime_now({format:?}) }}}}"), &Map::new());
        assert_eq!(
            rendered,
            Rendered {
                text: expected.to_string(),
                date_used: true
            },
            "{format}"
        );
    }
}

#[test]
fn only_a_template_that_writes_the_date_uses_it() {
    assert!(
        !render(
            "{% if date_string is undefined and strftime_now is undefined %}no{% endif %}",
            &Map::new()
        )
        .date_used
    );
    let source = "{{ day if day is defined else strftime_now('%d') }}";
    assert!(render(source, &Map::new()).date_used);
    let given = Map::from_iter([("day".to_string(), json!("monday"))]);
    assert_eq!(
        render(source, &given),
        Rendered {
            text: "monday".to_string(),
            date_used: false
        }
    );
}

#[test]
fn neither_tools_nor_documents_are_there() {
    assert_eq!(
        text(
            "{{ tools is defined }} {{ tools is none }} {{ documents is none }} {{ bos_token is defined }}"
        ),
        "True True True False"
    );
}

#[test]
fn one_line_end_at_the_end_of_a_template_is_left_out() {
    assert_eq!(text("a\n"), "a");
    assert_eq!(text("a\r\n\r\n"), "a\n");
    assert_eq!(text("{{ 'a\r\nb' }}"), "a\nb");
}

#[test]
fn what_ends_a_turn_is_found() {
    let cases = [
        ("chatml", Some("<|im_end|>\n")),
        ("llama3", Some("<|eot_id|>")),
        ("llama2", Some(" </s>")),
        ("mistral-v1", Some("</s>")),
        ("gemma", Some("<end_of_turn>\n")),
        ("wizardmath", None),
    ];
    let tokens = || SpecialTokensMap::from_iter([("bos_token", "<s>"), ("eos_token", "</s>")]);
    let messages = [Message::new("user", "What is 1?")];
    for (name, expected) in cases {
        let conversation = Conversation {
            messages: &messages,
            add_generation_prompt: true,
            date: DATE,
            variables: &Map::new(),
        };
        let end = template(name, tokens()).end_of_turn(&conversation).unwrap();
        assert_eq!(end.as_deref(), expected, "{name}");
    }
}

proptest! {
    #[test]
    fn a_question_is_never_read_as_a_template(question in any::<String>()) {
        let messages = [Message::new("user", question.as_str())];
        let conversation =
            Conversation { messages: &messages, add_generation_prompt: true, date: DATE, variables: &Map::new() };
        let rendered = template("chatml", SpecialTokensMap::default()).render(&conversation).unwrap();
        prop_assert_eq!(rendered.text, format!("<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"));
    }

    #[test]
    fn any_text_compiles_or_is_refused(source in "[{}%# a-z'\"\\-\n\\\\\\[\\](),.|~=+]{0,80}") {
        let template = ChatTemplate::new("t".to_string(), source, SpecialTokensMap::default());
        if let Ok(template) = template {
            let messages = [Message::new("user", "x")];
            let _ = template.render(&Conversation { messages: &messages, add_generation_prompt: true, date: DATE, variables: &Map::new() });
        }
    }
}
