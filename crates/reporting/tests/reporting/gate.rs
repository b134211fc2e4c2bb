use evaluation::{Aspect, Gate, GateVerdict, ProtocolDifference, Rule, RuleOutcome, RunLabel, Scorer};
use reporting::{
    gate_annotations, gate_error_annotation, gate_error_junit, gate_error_markdown, gate_junit, gate_markdown, gate_text,
};

fn label(name: &str, source: &str) -> RunLabel {
    RunLabel { name: name.into(), source: source.into(), baseline: source.ends_with("json"), samples: 1 }
}

fn rule(rule: Rule, scope: &str, verdict: GateVerdict, why: &str) -> RuleOutcome {
    RuleOutcome { rule, scope: scope.into(), verdict, why: why.into(), drop: None, limit: None, n_needed: None }
}

fn gate() -> Gate {
    Gate {
        schema: "mwpbench.gate.v1",
        verdict: GateVerdict::Failed,
        scorer: Scorer::Official,
        alpha: 0.05,
        baseline: label("llama", "base.json"),
        candidate: label("llama|tuned", "runs/b"),
        warnings: vec!["look twice".into()],
        differences: vec![ProtocolDifference {
            aspect: Aspect::Model,
            what: "weights digest".into(),
            a: "1".into(),
            b: "2".into(),
        }],
        rules: vec![
            rule(Rule::Whole, "candidate", GateVerdict::Passed, "0 of 9 completions failed"),
            rule(Rule::Drop, "micro average", GateVerdict::Failed, "dropped by 4.0 points; 100 % <sure>"),
            rule(Rule::Drop, "gsm8k", GateVerdict::CannotTell, "about 9 items would do"),
        ],
        sets: Vec::new(),
        micro: None,
        macro_: None,
    }
}

#[test]
fn a_gate_is_told_in_four_forms() {
    insta::assert_snapshot!(gate_text(&gate(), None), @"");
    insta::assert_snapshot!(gate_markdown(&gate()), @"");
    insta::assert_snapshot!(gate_junit(&gate()), @"");
    insta::assert_snapshot!(gate_annotations(&gate()), @"");
}

#[test]
fn what_is_not_comparable_and_what_came_to_no_verdict_are_errors() {
    let mut other = gate();
    other.rules.clear();
    other.verdict = GateVerdict::ProtocolsDiffer;
    other.differences[0].aspect = Aspect::Template;
    assert!(gate_text(&other, None).contains("The protocols differ, so that figures are not comparable:\n  template: weights digest: baseline 1, candidate 2\n"));
    assert!(gate_junit(&other).contains("failures=\"0\" errors=\"1\""));
    assert!(gate_annotations(&other).starts_with("::error title=mwpbench gate%3A protocols differ::weights digest: baseline 1"));
    let message = "the run in b is incomplete: <3> of 4";
    assert!(gate_error_junit(message).contains("<error message=\"the run in b is incomplete: &lt;3&gt; of 4\" type=\"no verdict\""));
    assert!(gate_error_markdown(message).contains("\\<3\\> of 4"));
    assert_eq!(gate_error_annotation(message), format!("::error title=mwpbench gate%3A no verdict::{message}\n"));
}
