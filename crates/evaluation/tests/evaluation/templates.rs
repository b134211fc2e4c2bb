use evaluation::{Template, TemplateError};

#[test]
fn alpaca_is_the_default_and_ends_without_a_newline() {
    assert_eq!(Template::names().next(), Some("alpaca"));
    let prompt = Template::named("alpaca")
        .unwrap()
        .render("What is 1+1?")
        .unwrap();
    assert_eq!(
        prompt,
        "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\
         \n### Instruction:\nWhat is 1+1?\n\n### Response:"
    );
}

#[test]
fn the_other_templates_differ_as_the_official_driver_has_it() {
    let render = |name: &str| Template::named(name).unwrap().render("Q").unwrap();
    assert_eq!(render("none"), "Q");
    assert_eq!(
        render("alpaca_cot"),
        format!("{} Let's think step by step.", render("alpaca"))
    );
    assert!(
        render("alpaca_force_ans")
            .ends_with("### Instruction:\nQ\n\nTry to conclude your response with 'The answer is ...'.\n### Response:")
    );
}

#[test]
fn braces_in_a_question_mean_nothing() {
    let question = r"Let $S = \{1, 2\}$ and {question} be";
    assert_eq!(
        Template::named("none").unwrap().render(question).unwrap(),
        question
    );
}

#[test]
fn a_users_file_must_hold_the_placeholder_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.txt");
    let path = file.to_str().unwrap();
    std::fs::write(&file, "Solve: {question}\nAnswer:").unwrap();
    let template = Template::resolve(path).unwrap();
    assert_eq!(template.render("1+1").unwrap(), "Solve: 1+1\nAnswer:");
    for (text, expected) in [("Solve:", 0), ("{question} {question}", 2)] {
        std::fs::write(&file, text).unwrap();
        let error = Template::resolve(path).unwrap_err();
        assert!(
            matches!(error, TemplateError::Placeholder { count, .. } if count == expected),
            "{error}"
        );
    }
}

#[test]
fn an_unknown_name_is_answered_with_the_known_ones() {
    let text = Template::resolve("alpacca").unwrap_err().to_string();
    assert!(
        text.contains("alpaca, none, alpaca_force_ans, alpaca_cot"),
        "{text}"
    );
}
