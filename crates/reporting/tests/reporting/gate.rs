use evaluation::{
    Aspect, Gate, GateVerdict, ProtocolDifference, Rule, RuleOutcome, RunLabel, Scorer,
};
use reporting::{
    gate_annotations, gate_error_annotation, gate_error_junit, gate_error_markdown, gate_junit,
    gate_markdown, gate_text,
};

fn label(name: &str, source: &str) -> RunLabel {
    RunLabel {
        name: name.into(),
        source: source.into(),
        baseline: source.ends_with("json"),
        samples: 1,
    }
}

fn rule(rule: Rule, scope: &str, verdict: GateVerdict, why: &str) -> RuleOutcome {
    RuleOutcome {
        rule,
        scope: scope.into(),
        verdict,
        why: why.into(),
        drop: None,
        limit: None,
        n_needed: None,
    }
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
            rule(
                Rule::Whole,
                "candidate",
                GateVerdict::Passed,
                "0 of 9 completions failed",
            ),
            rule(
                Rule::Drop,
                "micro average",
                GateVerdict::Failed,
                "dropped by 4.0 points; 100 % <sure>",
            ),
            rule(
                Rule::Drop,
                "gsm8k",
                GateVerdict::CannotTell,
                "about 9 items would do",
            ),
        ],
        sets: Vec::new(),
        micro: None,
        macro_: None,
    }
}

/// When reports are written.
const AT: &str = "2026-11-29T08:30:00";

#[test]
fn a_gate_is_told_in_four_forms() {
    insta::assert_snapshot!(gate_text(&gate(), None), @r#"
    gate: FAILED (rules: 1 failed, 1 cannot tell, 1 passed; official scorer, alpha 0.05)
    baseline   llama        (baseline base.json)
    candidate  llama|tuned  (runs/b)
    warning: look twice
    What is compared:
      model: weights digest: baseline 1, candidate 2

    ───────────────────────────────────────────────────────────────────────────
     rule    of              verdict       why
    ───────────────────────────────────────────────────────────────────────────
     whole   candidate       passed        0 of 9 completions failed
     drop    micro average   failed        dropped by 4.0 points; 100 % <sure>
     drop    gsm8k           cannot tell   about 9 items would do
    ───────────────────────────────────────────────────────────────────────────
    "#);
    insta::assert_snapshot!(gate_markdown(&gate()), @r#"
    ## mwpbench gate: FAILED (rules: 1 failed, 1 cannot tell, 1 passed; official scorer, alpha 0.05)

    Baseline: llama (base.json)<br>Candidate: llama\|tuned (runs/b)

    > Warning: look twice

    | differs | baseline | candidate |
    |---|---|---|
    | model: weights digest | 1 | 2 |

    | rule | of | verdict | why |
    |---|---|---|---|
    | whole | candidate | **passed** | 0 of 9 completions failed |
    | drop | micro average | **failed** | dropped by 4.0 points; 100 % \<sure\> |
    | drop | gsm8k | **cannot tell** | about 9 items would do |
    "#);
    insta::assert_snapshot!(gate_junit(&gate(), AT), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites>
        <testsuite name="mwpbench gate" tests="3" skipped="0" errors="1" failures="1" time="0.000" timestamp="2026-11-29T08:30:00" hostname="localhost" package="mwpbench" id="0">
            <properties>
                <property name="baseline" value="llama (base.json)"/>
                <property name="candidate" value="llama|tuned (runs/b)"/>
                <property name="scorer" value="official"/>
                <property name="alpha" value="0.05"/>
                <property name="verdict" value="failed"/>
            </properties>
            <testcase name="whole of candidate" classname="mwpbench.gate" time="0.000"/>
            <testcase name="drop of micro average" classname="mwpbench.gate" time="0.000">
                <failure message="dropped by 4.0 points; 100 % &lt;sure&gt;" type="failed"/>
            </testcase>
            <testcase name="drop of gsm8k" classname="mwpbench.gate" time="0.000">
                <error message="about 9 items would do" type="cannot tell"/>
            </testcase>
            <system-out>whole of candidate: 0 of 9 completions failed
    </system-out>
            <system-err></system-err>
        </testsuite>
    </testsuites>
    "#);
    insta::assert_snapshot!(gate_annotations(&gate()), @r#"
    ::error title=mwpbench gate%3A drop of micro average%3A failed::dropped by 4.0 points; 100 %25 <sure>
    ::warning title=mwpbench gate%3A drop of gsm8k%3A cannot tell::about 9 items would do
    "#);
}

#[test]
fn a_gate_fits_the_terminal() {
    crate::at_each_width("gate", |width| gate_text(&gate(), Some(width)));
}

#[test]
fn what_is_not_comparable_and_what_came_to_no_verdict_are_errors() {
    let mut other = gate();
    other.rules.clear();
    other.verdict = GateVerdict::ProtocolsDiffer;
    other.differences[0].aspect = Aspect::Template;
    assert!(gate_text(&other, None).contains("The protocols differ, so that figures are not comparable:\n  template: weights digest: baseline 1, candidate 2\n"));
    assert!(gate_junit(&other, AT).contains("errors=\"1\" failures=\"0\""));
    assert!(gate_annotations(&other).starts_with(
        "::error title=mwpbench gate%3A protocols differ::weights digest: baseline 1"
    ));
    let message = "the run in b is incomplete: <3> of 4";
    assert!(gate_error_junit(message, AT).contains(
        "<error message=\"the run in b is incomplete: &lt;3&gt; of 4\" type=\"no verdict\""
    ));
    assert!(gate_error_markdown(message).contains("\\<3\\> of 4"));
    assert_eq!(
        gate_error_annotation(message),
        format!("::error title=mwpbench gate%3A no verdict::{message}\n")
    );
}

/// Elements of a report with the attributes that must and that may be there, by both published
/// schemas of the format: windyroad/JUnit-Schema (JUnit.xsd) and jenkinsci/xunit-plugin
/// (junit-10.xsd).
const ELEMENTS: [(&str, &[&str], &[&str]); 9] = [
    ("testsuites", &[], &[]),
    (
        "testsuite",
        &[
            "name",
            "timestamp",
            "hostname",
            "tests",
            "failures",
            "errors",
            "time",
            "package",
            "id",
        ],
        &["skipped"],
    ),
    ("properties", &[], &[]),
    ("property", &["name", "value"], &[]),
    ("testcase", &["name", "classname", "time"], &[]),
    ("failure", &["type"], &["message"]),
    ("error", &["type"], &["message"]),
    ("system-out", &[], &[]),
    ("system-err", &[], &[]),
];

#[test]
fn reports_are_what_both_schemas_of_junit_ask_for() {
    let mut other = gate();
    other.rules.clear();
    other.verdict = GateVerdict::ProtocolsDiffer;
    other.differences[0].aspect = Aspect::Template;
    let reports = [
        gate_junit(&gate(), AT),
        gate_junit(&other, AT),
        gate_error_junit("no run", AT),
    ];
    for report in reports {
        let mut of_suite = Vec::new();
        for tag in report
            .split('<')
            .skip(2)
            .filter(|tag| !tag.starts_with('/'))
        {
            let tag = tag.split('>').next().unwrap().trim_end_matches('/');
            let name = tag.split(' ').next().unwrap();
            let found = ELEMENTS.iter().find(|(known, ..)| *known == name);
            let (_, required, optional) = found.unwrap_or_else(|| panic!("{name} in\n{report}"));
            let attributes: Vec<&str> = tag
                .split("=\"")
                .filter_map(|part| part.rsplit_once([' ', '\"']).map(|(_, name)| name))
                .filter(|name| !name.is_empty())
                .collect();
            let is_known = |name: &&str| required.contains(name) || optional.contains(name);
            assert!(attributes.iter().all(is_known), "{tag}: {attributes:?}");
            assert!(
                required.iter().all(|name| attributes.contains(name)),
                "{tag}: {attributes:?}"
            );
            if ["properties", "testcase", "system-out", "system-err"].contains(&name) {
                of_suite.push(name);
            }
        }
        of_suite.dedup();
        assert_eq!(
            of_suite,
            ["properties", "testcase", "system-out", "system-err"],
            "{report}"
        );
    }
}
