//! Which span of a completion is the answer, kind by kind: each row is a completion, a reference and
//! whether they agree.

use scoring::strict::judge_completion;

type Row = (&'static str, &'static str, bool);

fn check(rows: &[Row]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(completion, reference, correct)| {
            let judgement = judge_completion(completion, reference);
            (judgement.correct != *correct).then(|| {
                format!(
                    "{completion:?} against {reference:?}: {:?} by {:?}",
                    judgement.answer, judgement.trace
                )
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn bold_answers_and_their_reasons() {
    check(&[
        (
            "The answer is **12** because 3+9 = 12, and 9-3 = 6.",
            "12",
            true,
        ),
        (
            "The answer is **12** because 3+9 = 12, and 9-3 = 6.",
            "6",
            false,
        ),
        ("The answer is **12**, because 18 = 12 + 6.", "12", true),
        ("The answer is **12**, because 18 = 12 + 6.", "18", false),
        (
            "The answer is **12 apples** since 4 boxes hold 3 each.",
            "12",
            true,
        ),
        (
            "**Answer: 12** (because 24/2 = 12, 24 - 12 = 12)",
            "12",
            true,
        ),
        ("**Answer:** 12 (24 / 2)", "12", true),
        ("**Final answer: 7** – 3 and 4 make 7 = 8 - 1.", "7", true),
        ("**The answer is 7.** It is 8 - 1 = 7, not 6.", "7", true),
        ("The answer is **$1,250**, which is 5 * 250.", "1250", true),
        ("The answers are **2** and **3**.", "2, 3", true),
        ("The answers are **2** and **3**.", "2", false),
        (
            "The answer is **3/4** as 6/8 = 3/4 and 1/4 is missing.",
            "\\frac34",
            true,
        ),
        ("The answer is **x = 3** because 2x = 6.", "3", true),
        ("The answer is **C** because A and B fail.", "C", true),
        ("The answer is **C** because A and B fail.", "B", false),
        ("She has **12 apples**.\n\nI hope this helps!", "12", true),
        (
            "So there are **12** in all (5 + 7 = 12, 3 spare).\n\nLet me know if anything is unclear!",
            "12",
            true,
        ),
        (
            "So there are **12** in all (5 + 7 = 12, 3 spare).\n\nHappy learning!\n\nYour tutor",
            "12",
            true,
        ),
        (
            "So there are **12** in all.\n\nTogether with the 3 spare ones: 15.",
            "15",
            true,
        ),
        (
            "**Step 1:** 5 apples.\n**Step 2:** 7 more make 12.",
            "12",
            true,
        ),
        (
            "**Note:** the boxes hold 3 each.\n\nSo there are 12.",
            "3",
            false,
        ),
        ("The answer is **yes**, since 3 < 4.", "yes", true),
        ("The answer is **yes**, since 3 < 4.", "no", false),
    ]);
}

#[test]
fn grouped_digits_in_running_text() {
    check(&[
        ("The total is 2 602.", "2602", true),
        ("The total is 2 602.", "602", false),
        ("The total is 2 602.", "2", false),
        ("It costs 12 345 euros.", "12345", true),
        ("It costs 1 234 567 euros.", "1234567", true),
        ("It costs 1 234 567 euros.", "567", false),
        ("It is 1\u{a0}500 km away.", "1500", true),
        ("It is 1\u{202f}500 km away.", "1500", true),
        ("It is 1\u{2009}500 km away.", "1500", true),
        ("The answer is 29,700.", "29700", true),
        ("The answer is: $29,\\!700$.", "29700", true),
        ("The answer is 1,\\!000.", "1000", true),
        ("So \\boxed{1{,}000}.", "1000", true),
        ("So \\boxed{1\\,000}.", "1000", true),
        ("So \\boxed{29 700}.", "29700", true),
        ("Total: -2 602", "-2602", true),
        ("Total: 2 602.50", "2602.5", true),
        ("Total: 2 602.50", "602.5", false),
        ("The answer is 2 1/2.", "2.5", true),
        ("The answer is 2 1/2.", "1/2", false),
        ("In 2020 300 people came.", "300", true),
        ("In room 0 500 people sat.", "500", true),
        ("The points are 2 60.", "260", false),
        ("#### 1 800", "1800", true),
    ]);
}

#[test]
fn several_boxes() {
    check(&[
        (
            "The roots are $x=\\boxed{2}$ and $x=\\boxed{3}$.",
            "2, 3",
            true,
        ),
        (
            "The roots are $x=\\boxed{2}$ and $x=\\boxed{3}$.",
            "3",
            false,
        ),
        ("$x_1=\\boxed{2}$, $x_2=\\boxed{3}$", "2, 3", true),
        ("$x_{1} = \\boxed{2}$ or $x_{2} = \\boxed{3}$", "3, 2", true),
        ("(a) \\boxed{2} (b) \\boxed{3}", "2, 3", true),
        ("(i) \\boxed{2} and (ii) \\boxed{3}", "2, 3", true),
        ("a) \\boxed{2} b) \\boxed{3}", "2, 3", true),
        ("- \\boxed{2}\n- \\boxed{3}", "2, 3", true),
        (
            "1. \\boxed{2}\n2. \\boxed{3}\n3. \\boxed{5}",
            "2, 3, 5",
            true,
        ),
        ("1. \\boxed{2}\n2. \\boxed{3}\n3. \\boxed{5}", "5", false),
        (
            "Hence x = \\boxed{3}, x = \\boxed{5} and x = \\boxed{7}.",
            "3, 5, 7",
            true,
        ),
        ("\\boxed{2}\n\\boxed{3}", "2, 3", true),
        ("$\\boxed{x=2}$ or $\\boxed{x=3}$", "2, 3", true),
        ("\\boxed{1} bag and \\boxed{2} bins", "1, 2", true),
        ("First we get \\boxed{2}. The sum is \\boxed{3}.", "3", true),
        (
            "First we get \\boxed{2}. The sum is \\boxed{3}.",
            "2, 3",
            false,
        ),
        (
            "Part 1 gives \\boxed{2}. Part 2 gives \\boxed{3}.",
            "3",
            true,
        ),
        (
            "Scratch: \\boxed{9}\nSo finally: \\boxed{2} and \\boxed{3}",
            "2, 3",
            true,
        ),
        ("\\boxed{5}\n\nTo repeat: \\boxed{5}", "5", true),
        (
            "It is \\boxed{\\sqrt{2}}, about \\boxed{\\approx 1.414}.",
            "\\sqrt{2}",
            true,
        ),
        (
            "It is \\boxed{\\sqrt{3}}, about \\boxed{\\approx 1.732}.",
            "\\sqrt{2}",
            false,
        ),
        (
            "It is \\boxed{\\pi/2} (\\boxed{≈ 1.57}).",
            "\\frac{\\pi}{2}",
            true,
        ),
        ("It is \\boxed{2}, in other words \\boxed{2}.", "2", true),
    ]);
}

#[test]
fn headings_are_no_answers() {
    check(&[
        (
            "#### Step 1: 6 and 7\n\n#### Step 2: multiply\n6*7 = 42",
            "42",
            true,
        ),
        (
            "#### Step 1: 6 and 7\n\n#### Step 2: multiply\n6*7 = 42",
            "6",
            false,
        ),
        (
            "#### Step 1\nWe have 6.\n#### Conclusion\nSo there are 42 eggs.",
            "42",
            true,
        ),
        (
            "#### Part 1: the boxes\n6\n#### Part 2: the eggs\nThe answer is 42.",
            "42",
            true,
        ),
        ("#### Step 3: total\nTotal: **42**", "42", true),
        ("#### Final Answer\n42", "42", true),
        ("#### Final Answer:\n\n\\boxed{42}", "42", true),
        ("#### 42", "42", true),
        ("#### 42 apples", "42", true),
        ("#### The answer is 42", "42", true),
        ("#### $42", "42", true),
        ("#### 6*7 = 42", "42", true),
        ("#### -42", "-42", true),
        ("#### Evelyn", "Evelyn", true),
        ("#### D", "D", true),
        ("# Answer\n\n42", "42", true),
        ("We get 41 + 1.\n## Answer\n42", "42", true),
        ("### Final Answer\n\n$$42$$", "42", true),
        ("**Final Answer**\n42", "42", true),
        ("**Answer:**\n\n42", "42", true),
        (
            "The solution is of the form $ax+b$ with $a = 1$.\n# Answer\n\n4",
            "4",
            true,
        ),
        (
            "The solution is of the form $ax+b$ with $a = 1$.\n# Answer\n\n4",
            "1",
            false,
        ),
        (
            "We simplify \\[\\frac{2}{4}\\]\n# Answer\n\n\\frac{1}{2}",
            "\\frac{1}{2}",
            true,
        ),
        ("# Answer to part 1\n\nWe get 42.", "42", true),
    ]);
}

#[test]
fn what_runs_on_is_cut_off() {
    check(&[
        (
            "The answer is 18.\n\nProblem 2: next one. The answer is 11.",
            "18",
            true,
        ),
        (
            "The answer is 18.\n\nProblem 2: next one. The answer is 11.",
            "11",
            false,
        ),
        (
            "The answer is 18.\n\nExercise 2. next one. The answer is 11.",
            "18",
            true,
        ),
        (
            "The answer is 18.\n\nExample 3: next one. The answer is 11.",
            "18",
            true,
        ),
        (
            "\\boxed{18}\n\n**Problem 2.** Next one.\n\n\\boxed{11}",
            "18",
            true,
        ),
        (
            "\\boxed{18}\n\n## Problem 2\nNext one.\n\n\\boxed{11}",
            "18",
            true,
        ),
        (
            "#### 18\n\nQuestion: next one\nAnswer: so #### 11",
            "18",
            true,
        ),
        ("答案是 18。\n\n问题：下一题。答案是 11。", "18", true),
        ("答案是18。\n\n题目：下一题。答案是11。", "18", true),
        ("所以答案是 18。\n\n例2：下一题，答案是 11。", "18", true),
        ("\\boxed{18}\n\nВопрос: ещё. \\boxed{11}", "18", true),
        ("\\boxed{18}\n\nЗадача 2. Ещё. \\boxed{11}", "18", true),
        ("\\boxed{18}\n\nPregunta: otra. \\boxed{11}", "18", true),
        (
            "\\boxed{18}\n\nProblème 2 : encore. \\boxed{11}",
            "18",
            true,
        ),
        (
            "\\boxed{18}\n\nAufgabe 2: noch eine. \\boxed{11}",
            "18",
            true,
        ),
        ("\\boxed{18}\n\n問題：次。\\boxed{11}", "18", true),
        ("\\boxed{18}\n\n문제 2. 다음. \\boxed{11}", "18", true),
        ("\\boxed{18}\n\nคำถาม: ต่อไป \\boxed{11}", "18", true),
        ("\\boxed{18}\n\nSwali: lingine. \\boxed{11}", "18", true),
        ("Question: how many are left?\nSo \\boxed{9}", "9", true),
        (
            "Let us see.\n\n**Problem:** 4 and 5 make?\n\n**Solution:** \\boxed{9}",
            "9",
            true,
        ),
        (
            "Given: 4 and 5\n\nQuestion:\nHow many?\n\nThe sum is 9.",
            "9",
            true,
        ),
        (
            "The first question: 4 or 5?\nThe second question is easy.\n\\boxed{9}",
            "9",
            true,
        ),
        ("So 4 + 5 = 9.\n\nQ: and 5 + 6?\nA: 11", "9", true),
    ]);
}

#[test]
fn echoes_of_the_instruction() {
    check(&[
        (
            "3+4 = 7, so \\boxed{7}. I used \\boxed as asked.",
            "7",
            true,
        ),
        ("So \\boxed{7} (in \\boxed form).", "7", true),
        (
            "\\boxed{7}. Remember to use \\boxed{...} for the answer.",
            "7",
            true,
        ),
        ("\\boxed{7} \\boxed{answer}", "7", true),
        ("\\boxed{7} \\boxed{}", "7", true),
        ("\\boxed{7}\n\n\\boxed", "7", true),
        (
            "Put your answer in \\boxed{answer}. The sum is 7.",
            "7",
            true,
        ),
        (
            "Put your answer in \\boxed{your answer}. The sum is 7.",
            "7",
            true,
        ),
        (
            "Put the final answer in \\boxed{}.\nThe sum is 7.",
            "7",
            true,
        ),
        (
            "The format is \\boxed{\\text{answer}}. So \\boxed{7}.",
            "7",
            true,
        ),
        (
            "I will write \\boxed{[answer]} at the end: \\boxed{7}",
            "7",
            true,
        ),
        ("I will use \\boxed{\\ldots}: \\boxed{7}", "7", true),
        ("Use \\boxed{<answer>}: \\boxed{7}", "7", true),
        ("\\boxed{…} holds it: \\boxed{7}", "7", true),
        ("\\boxed{}", "7", false),
        ("\\boxed{?}", "7", false),
        ("\\boxed{answer}", "7", false),
        (
            "\\boxed{7}\n\nNow add 8 and put it in \\boxed{answer}.",
            "8",
            false,
        ),
        ("Hence $\\boxed 7$.", "7", true),
        ("Hence \\boxed A.", "A", true),
    ]);
}

#[test]
fn option_letters() {
    check(&[
        ("\\boxed{DA}", "AD", true),
        ("\\boxed{D, A}", "AD", true),
        ("\\boxed{A}", "AD", false),
        ("\\boxed{ADB}", "AD", false),
        ("\\boxed{CBA}", "ABC", false),
        ("The correct answer is d.", "D", true),
        ("The correct answer is d.", "B", false),
        ("c)", "C", true),
        ("(c) since 3 < 4", "C", true),
        ("Answer: I believe it is C", "C", true),
        ("ANSWER: A mistake was made, so I cannot say.", "A", false),
        ("The answer is A because 3 < 4.", "A", true),
        ("The answer is A, not B.", "A", true),
        ("Answer: A", "A", true),
        ("Answer: C/D", "C", false),
        ("Answer: C/D", "D", false),
        ("We use \\boxed{E = mc^2}.\n\nAnswer: D", "D", true),
        ("So we choose C, since A and B fail.", "C", true),
        ("I pick (B).", "B", true),
        ("Both A and B are wrong. Hence C.", "C", true),
        ("A says so, but I select D.", "D", true),
        ("Action: Answer(\"B\")", "B", true),
        ("Option D is biased.\nAction: Answer(\"B\")", "D", false),
        ("Finish[C]", "C", true),
        (
            "Trees of type B bear more.\n\nRead the question.\n\nCheck the work.\n\nThen answer.",
            "B",
            false,
        ),
    ]);
}

#[test]
fn words_that_change_a_number() {
    check(&[
        ("The answer is at least 10.", "10", false),
        ("The answer is at most 10.", "10", false),
        ("The answer is more than 10.", "10", false),
        ("The answer is two more than 10.", "10", false),
        ("The answer is half of 10.", "10", false),
        ("The answer is twice 10.", "10", false),
        ("The answer is not 10.", "10", false),
        ("The answer is negative 10.", "10", false),
        ("The answer is minus 10.", "10", false),
        ("The answer is - 10.", "-10", true),
        ("The answer is - 10.", "10", false),
        ("The answer is: -10", "-10", true),
        ("It cannot be 10.", "10", false),
        ("\\boxed{at least 10}", "10", false),
        ("\\boxed{\\text{more than }10}", "10", false),
        ("\\boxed{under 10}", "10", false),
        ("\\boxed{isn't 10}", "10", false),
        ("\\boxed{cannot be 10}", "10", false),
        ("The answer is exactly 10.", "10", true),
        ("The answer is about 10.", "10", true),
        ("The answer is 10, not 11.", "10", true),
        ("So it is 10 and not 11.", "10", true),
        ("So it is 10 and not 11.", "11", false),
        ("Ann must work at least 10 hours.", "10", true),
    ]);
}

#[test]
fn labels_of_parts() {
    check(&[
        ("So \\boxed{(a) 5 (b) 6}.", "5, 6", true),
        ("So \\boxed{(a) 6 (b) 5}.", "5, 6", false),
        ("So \\boxed{5, 6}.", "(a) 5 (b) 6", true),
        ("So \\boxed{6, 5}.", "(a) 5 (b) 6", false),
        ("So \\boxed{(a) 5, (b) 6}.", "(a) 5 (b) 6", true),
        ("So \\boxed{(i) 5 (ii) 6}.", "5, 6", true),
        ("So \\boxed{(i) 5 (ii) 6 (iii) 7}.", "5, 6, 7", true),
        ("So \\boxed{(i) 5 (ii) 6}.", "5, 6, 7", false),
        ("So \\boxed{(1) 5 (2) 6}.", "5, 6", true),
        ("So \\boxed{\\text{(a) }5 \\text{ (b) }6}.", "5, 6", true),
        ("So \\boxed{(a) \\frac12 (b) 6}.", "0.5, 6", true),
        ("So \\boxed{(a) x+1; (b) x-1}.", "x+1, x-1", true),
        ("So \\boxed{(a) x+1; (b) x-1}.", "x-1, x+1", false),
        ("So \\boxed{(a) 5}.", "5, 6", false),
        ("So \\boxed{A. 12}.", "12", true),
        ("So \\boxed{(B) 12}.", "12", true),
        ("So \\boxed{A. 13}.", "12", false),
        ("So \\boxed{\\text{C) }12}.", "12", true),
        ("So \\boxed{(a)(12)}.", "12", false),
        ("So \\boxed{D: 12}.", "12", true),
    ]);
}

#[test]
fn the_number_that_a_lone_sentence_is_about() {
    check(&[
        ("It is 42, i.e. 6 times 7.", "42", true),
        ("It is 42, i.e. 6 times 7.", "7", false),
        ("There are 42 apples left after 3 days.", "42", true),
        ("There are 42 apples left after 3 days.", "3", false),
        ("She needs 42 more to reach 100.", "42", true),
        ("She needs 42 more to reach 100.", "100", false),
        ("He saves 42 dollars within 5 weeks.", "42", true),
        ("It takes 42 steps because 6 * 7 is 42.", "42", true),
        ("She has 42 instead of 43.", "42", true),
        ("She has 42, not 43.", "42", true),
        ("She has 42 out of 50.", "42", true),
        ("After 3 days there are 42.", "42", true),
        ("After 3 days there are 42.", "3", false),
        ("Before noon, at 11, there are 42.", "42", true),
        ("6 times 7 is 42.", "42", true),
        ("6 * 7 = 42 apples.", "42", true),
        (
            "There are 6 rows with 7 apples.\nThat makes 42.",
            "42",
            true,
        ),
        ("He pays 42.", "42", true),
        ("Since 6 and 7 are given, it is 42.", "42", true),
        ("She keeps 42 since 8 are spoiled.", "42", true),
    ]);
}

#[test]
fn clauses_on_constants() {
    check(&[
        (
            "The integral is x^2 + C, where C is the constant of integration.",
            "x^2 + C",
            true,
        ),
        (
            "The integral is x^2 + C, where C is an arbitrary constant.",
            "x^2 + C",
            true,
        ),
        (
            "The integral of 2x is x^2 + C\n where C is a constant.",
            "x^2 + C",
            true,
        ),
        (
            "The integral is x^3 + C, where C is the constant of integration.",
            "x^2 + C",
            false,
        ),
        (
            "It is given by:\n F(x) = x^2 + C\n Where C is an arbitrary constant of integration.",
            "x^2 + C",
            true,
        ),
        (
            "It is given by:\n ∫ 2x dx = x^2 + C,\n where C is any constant.",
            "x^2 + C",
            true,
        ),
        (
            "It is given by:\n ∫ 2x dx = x^3 + C,\n where C is any constant.",
            "x^2 + C",
            false,
        ),
        (
            "C is the constant of integration. Putting all together:\n ∫ (2x) dx = x^2 + C.",
            "x^2 + C",
            true,
        ),
        (
            "The answer is $x^2 + C$, where $C$ is a constant.",
            "x^2 + C",
            true,
        ),
        (
            "Thus y = c_1 e^x + c_2, where c_1 and c_2 are constants",
            "c_1 e^x + c_2",
            true,
        ),
    ]);
}
