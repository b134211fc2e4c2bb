//! JUnit's XML: a test case a rule. What failed is a failure; what could not be decided is an error,
//! so that a report keeps the two apart.

use evaluation::{Gate, GateVerdict};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

const NAME: &str = "mwpbench gate";

/// The report of a gate.
pub fn gate_junit(gate: &Gate) -> String {
    let mut suite = TestSuite::new(NAME);
    for (name, run) in [("baseline", &gate.baseline), ("candidate", &gate.candidate)] {
        suite.add_property((
            name,
            format!("{} ({})", run.name, run.source.display()).as_str(),
        ));
    }
    suite.add_property(("scorer", gate.scorer.name()));
    suite.add_property(("alpha", gate.alpha.to_string().as_str()));
    suite.add_property(("verdict", gate.verdict.title()));
    for rule in &gate.rules {
        let mut status = match rule.verdict {
            GateVerdict::Passed => TestCaseStatus::success(),
            GateVerdict::Failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
            _ => TestCaseStatus::non_success(NonSuccessKind::Error),
        };
        if rule.verdict != GateVerdict::Passed {
            status
                .set_type(rule.verdict.title())
                .set_message(rule.why.as_str());
        }
        let mut case = TestCase::new(format!("{} of {}", rule.rule.title(), rule.scope), status);
        case.set_classname("mwpbench.gate");
        if rule.verdict == GateVerdict::Passed {
            case.set_system_out(rule.why.as_str());
        }
        suite.add_test_case(case);
    }
    if gate.verdict == GateVerdict::ProtocolsDiffer {
        for found in gate
            .differences
            .iter()
            .filter(|found| found.aspect.forbids_comparison())
        {
            let message = format!(
                "{}: baseline {}, candidate {}",
                found.what, found.a, found.b
            );
            suite.add_test_case(broken(
                &format!("same {}", found.aspect.title()),
                "protocols differ",
                &message,
            ));
        }
    }
    written(suite)
}

/// The report of a gate that came to no verdict.
pub fn gate_error_junit(message: &str) -> String {
    let mut suite = TestSuite::new(NAME);
    suite.add_test_case(broken("verdict", "no verdict", message));
    written(suite)
}

fn broken(name: &str, kind: &str, message: &str) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type(kind).set_message(message);
    let mut case = TestCase::new(name, status);
    case.set_classname("mwpbench.gate");
    case
}

fn written(suite: TestSuite) -> String {
    let mut report = Report::new(NAME);
    report.add_test_suite(suite);
    let text = report.to_string().expect("writing to memory succeeds");
    // Schemas of the format know `skipped` of a suite alone, and Jenkins refuses it above.
    text.replacen(" skipped=\"0\"", "", 1)
}
