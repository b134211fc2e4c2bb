use std::time::{Duration, Instant};

use chat_template::{ChatTemplate, Conversation, Error, Message, SpecialTokensMap};
use serde_json::Map;

fn compile(source: &str) -> Result<ChatTemplate, Error> {
    ChatTemplate::new(
        "t.jinja".to_string(),
        source.to_string(),
        SpecialTokensMap::default(),
    )
}

fn render(source: &str) -> Result<String, Error> {
    let conversation = Conversation {
        messages: &[Message::new("user", "x")],
        add_generation_prompt: true,
        date: jiff::civil::date(2026, 11, 26),
        variables: &Map::new(),
    };
    compile(source)?
        .render(&conversation)
        .map(|rendered| rendered.text)
}

fn message(source: &str) -> String {
    render(source).unwrap_err().to_string()
}

#[test]
fn a_template_that_cannot_be_understood_is_named_with_the_line() {
    let message = compile("{{ 1 }}\n{% if x %}\n{{ } }}")
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with("t.jinja, line 3: the chat template cannot be understood: "),
        "{message}"
    );
    assert!(matches!(
        compile("{% include 'secret' %}").unwrap_err(),
        Error::Syntax { line: 1, .. }
    ));
    assert!(matches!(
        compile("{% generation %}").unwrap_err(),
        Error::Syntax { .. }
    ));
}

#[test]
fn an_exception_of_the_template_keeps_its_words_and_line() {
    let expected = "t.jinja, line 3: the chat template refuses the conversation: no user here";
    assert_eq!(
        message("\n\n{{ raise_exception('no user here') }}"),
        expected
    );
    let in_macro =
        "{% macro check() %}\n{{ raise_exception('no user here') }}{% endmacro %}\n{{ check() }}";
    assert_eq!(message(in_macro), expected.replace("line 3", "line 2"));
}

#[test]
fn what_fails_is_named_with_the_line() {
    let cases = [
        (
            "\n{{ messages[0].foo.bar }}",
            "t.jinja, line 2: the chat template fails: ",
        ),
        (
            "{{ messages[7].content + 'x' }}",
            "t.jinja, line 1: the chat template fails: ",
        ),
        (
            "{{ unknown() }}",
            "t.jinja, line 1: the chat template fails: unknown function",
        ),
        (
            "{{ 'x'.encode() }}",
            "t.jinja, line 1: the chat template fails: ",
        ),
        (
            "{{ missing | tojson }}",
            "t.jinja, line 1: the chat template fails: tojson: a value is undefined",
        ),
        (
            "{{ strftime_now('%Q') }}",
            "t.jinja, line 1: the chat template fails: strftime_now with %Q is not supported",
        ),
    ];
    for (source, expected) in cases {
        let message = message(source);
        assert!(message.starts_with(expected), "{source}: {message}");
    }
}

#[test]
fn templates_that_do_not_end_are_stopped() {
    let loops = "{% for a in range(99999) %}{% for b in range(99999) %}{% set c = a * b %}{% endfor %}{% endfor %}";
    let doubling = "{% set ns = namespace(x='ab') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}";
    let repeated = "{{ ('x' * 99999) * 99999 }}";
    let output = "{% for a in range(99999) %}{% for b in range(99) %}{{ messages | tojson }}{% endfor %}{% endfor %}";
    let joined = "{{ (['x' * 9999] * 99999) | join }}";
    for source in [loops, doubling, repeated, output, joined] {
        let begun = Instant::now();
        let error = render(source).map(|text| text.len()).unwrap_err();
        assert!(
            matches!(error, Error::StepLimit { line: 1, .. }),
            "{source}: {error}"
        );
        assert!(
            error.to_string().contains("does not come to an end"),
            "{error}"
        );
        // Far above what it takes, far below what it would take.
        assert!(begun.elapsed() < Duration::from_secs(60), "{source}");
    }
}

#[test]
fn deep_templates_are_refused_and_do_not_overflow_the_stack() {
    let recursion = "{% macro again(n) %}{{ again(n + 1) }}{% endmacro %}{{ again(0) }}";
    assert!(matches!(
        render(recursion).unwrap_err(),
        Error::Failed { .. }
    ));
    let nested = format!("{{{{ {}1{} }}}}", "(".repeat(10_000), ")".repeat(10_000));
    assert!(matches!(
        compile(&nested).unwrap_err(),
        Error::Syntax { .. }
    ));
    let lists = "{% set ns = namespace(x=[]) %}{% for i in range(5000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x | tojson }}";
    assert!(
        message(lists).contains("nested too deeply"),
        "{}",
        message(lists)
    );
}

#[test]
fn variables_of_the_conversation_cannot_be_replaced() {
    for name in ["messages", "add_generation_prompt"] {
        let variables = Map::from_iter([(name.to_string(), serde_json::Value::Null)]);
        let conversation = Conversation {
            messages: &[],
            add_generation_prompt: true,
            date: jiff::civil::date(2026, 11, 26),
            variables: &variables,
        };
        let error = compile("x").unwrap().render(&conversation).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
}
