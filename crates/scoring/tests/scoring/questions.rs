//! What the question decides, and how a profile switches it off.

use scoring::strict::{Answer, Profile};

#[test]
fn each_rule_can_be_switched_off() {
    let jake = (
        "How many peaches does Jake have?",
        "Answer:\nJake has 136 apples and 3 peaches.",
        "3",
    );
    let boys = (
        "13 boys share 26 marbles. What does each get?",
        "Answer: Each of the 13 boys gets 2 marbles.",
        "2",
    );
    let most = (
        "Who has most?\nOptions: ['Ann', 'Bob']",
        "The answer is B.",
        "Bob",
    );
    let tenth = (
        "How long is it, to the nearest tenth?",
        "\\boxed{3.1}",
        "\\pi",
    );
    for (key, (question, completion, reference)) in [
        ("asked_quantity", jake),
        ("given_numbers", boys),
        ("options", most),
        ("rounding", tenth),
    ] {
        let text = format!("purpose = 'p'\nsource = 's'\n[question]\n{key} = false\n");
        let without = Profile::parse("without", &text).expect("a profile");
        let judge = |profile: &Profile| {
            profile.judge(Answer::Completion(completion), reference, Some(question))
        };
        let id = format!("question/{key}");
        let with = judge(Profile::standard());
        assert!(
            with.correct && with.trace.contains(&id.as_str()),
            "{with:?}"
        );
        let without = judge(&without);
        assert!(
            !without.correct && !without.trace.contains(&id.as_str()),
            "{without:?}"
        );
    }
}

#[test]
fn letters_and_texts_of_options() {
    let layouts = [
        "How much is 3 + 4?\nA) 6\nB) 7\nC) 8",
        "How much is 3 + 4?\n(A) 6\n(B) 7\n(C) 8",
        "How much is 3 + 4? (A) 6 (B) 7 (C) 8",
        "How much is 3 + 4?\nA. 6\nB. 7\nC. 8\n",
        "How much is 3 + 4?\nChoices:\n  A: 6\n  B: 7\n  C: 8",
        "How much is 3 + 4? A、6 B、7 C、8",
        "How much is 3 + 4?\nOptions: ['6', '7', '8']",
        "How much is $3 + 4$? $\\textbf{(A)}\\ 6 \\qquad \\textbf{(B)}\\ 7 \\qquad \\textbf{(C)}\\ 8$",
    ];
    for question in layouts {
        for (completion, seven) in [
            ("The answer is B.", true),
            ("The answer is (B) 7.", true),
            ("The answer is \\boxed{7}.", true),
            ("\\boxed{B}", true),
            ("\\boxed{\\text{(B) }7}", true),
            ("\\boxed{\\text{B}}", true),
            ("#### 7", true),
            ("**Answer: B**", true),
            ("# Answer\n\nB", true),
            ("Answer: 7", true),
            ("The answer is C.", false),
            ("The answer is (C) 8.", false),
            ("The answer is \\boxed{8}.", false),
            ("\\boxed{C}", false),
            ("#### 6", false),
            ("\\boxed{9}", false),
        ] {
            for reference in ["B", "7"] {
                let judgement = Profile::standard().judge(
                    Answer::Completion(completion),
                    reference,
                    Some(question),
                );
                assert_eq!(
                    judgement.correct, seven,
                    "{completion:?} against {reference} under {question:?}: {judgement:?}"
                );
            }
        }
    }
}

#[test]
fn of_several_numbers_the_asked_one() {
    for (question, completion, answer) in [
        (
            "How many peaches does Jake have?",
            "Answer: Jake has 136 apples and 3 peaches.",
            "3",
        ),
        (
            "How many apples does Jake have?",
            "Answer: Jake has 136 apples and 3 peaches.",
            "136",
        ),
        (
            "How many more apples are needed?",
            "Answer: Ann needs 4 apples to fill 2 boxes.",
            "4",
        ),
        (
            "How many boxes does Ann fill?",
            "Answer: Ann puts 12 apples into 3 boxes.",
            "3",
        ),
        (
            "How many cherries are left?",
            "Answer: Of the 9 plums and the cherries, 5 cherries are left.",
            "5",
        ),
        (
            "13 boys share 26 marbles. What does each get?",
            "Answer: Each of the 13 boys gets 2 marbles.",
            "2",
        ),
        (
            "A pack of 12 costs $84. What is the price of one?",
            "Answer: One of the 12 costs $7.",
            "7",
        ),
        (
            "What is the price of one?",
            "Answer: One costs $7, and a dozen of 12 costs $84.",
            "7",
        ),
        (
            "How many pots are there?",
            "Answer: The 10 gardens hold 5440 pots with 32 flowers each.",
            "5440",
        ),
        (
            "How many flowers are there?",
            "The answer is that 5440 pots hold 174080 flowers.",
            "174080",
        ),
    ] {
        let judge = |reference: &str| {
            Profile::standard().judge(Answer::Completion(completion), reference, Some(question))
        };
        assert!(judge(answer).correct, "{completion}: {:?}", judge(answer));
    }
}
