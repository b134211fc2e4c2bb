use dataset_loader::{Benchmark, Problem};
use evaluation::{CompletionRecord, Grader};
use generation::FinishReason;
use reporting::{Item, item_text};

#[test]
fn an_item_is_told_from_prompt_to_verdict() {
    let problem = Problem {
        id: "gsm8k/1".into(),
        set: "gsm8k".into(),
        task: "gsm8k".into(),
        question: "How many?".into(),
        reference: "18".into(),
    };
    let completion = CompletionRecord {
        id: "gsm8k/1".into(),
        set: "gsm8k".into(),
        task: "gsm8k".into(),
        sample: 0,
        completion: " 9 * 2 = 18. The answer is 18.".into(),
        finish_reason: FinishReason::Eos,
        prompt_tokens: 40,
        completion_tokens: 12,
        prompt_hash: "0".into(),
        token_ids: None,
        logprobs: None,
        thinking: None,
        thinking_tokens: None,
        error: None,
    };
    let grader = Grader::new(&Benchmark::published());
    let (verdict, explained) = (
        grader.judge(&problem, &completion),
        grader.explain_completion(&problem, &completion),
    );
    let prompt = "Q: How many?\nA:";
    let text = item_text(&Item {
        problem: &problem,
        prompt,
        completion: &completion,
        verdict: &verdict,
        explained: &explained,
        thinking: false,
        unknown: &[],
    });
    insta::assert_snapshot!(text, @r#"
    gsm8k/1 (gsm8k, task gsm8k)

    ── prompt (40 tokens)
    Q: How many?
    A:

    ── completion (12 tokens, ended by eos)
     9 * 2 = 18. The answer is 18.

    ── reference
    18

    ── official scorer
    verdict     correct
    prediction  18
    reference   18
    decided by  extract/number, equal/number

    ── strict scorer
    verdict     correct
    answer      18
                bytes 27–29, read as 18
    reference   read as 18 (number)
    rule        extract/answer-is        What follows the last 'answer is', with a few words in between, 'answer would be', 'result is' or 'solution is'.
    rule        equal/spelling           Both are written alike.
    "#);
}
