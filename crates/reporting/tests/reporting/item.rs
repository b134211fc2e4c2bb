use dataset_loader::Problem;
use evaluation::{CompletionRecord, VerdictRecord, judge};
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
        error: None,
    };
    let verdict: VerdictRecord = judge(&problem, &completion);
    let text =
        item_text(&Item { problem: &problem, prompt: "Q: How many?\nA:", completion: &completion, verdict: &verdict });
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
    decided by  extract/answer-is, equal/spelling
    "#);
}
