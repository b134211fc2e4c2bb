//! JUnit's XML: a test case a rule. What failed is a failure; what could not be decided is an error,
//! so that a report keeps the two apart. The report holds what the stricter of the published schemas
//! ask for (windyroad/JUnit-Schema, JUnit.xsd; jenkinsci/xunit-plugin, junit-10.xsd) and nothing that
//! either forbids.

use std::time::Duration;

use evaluation::{Gate, GateVerdict};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

const NAME: &str = "mwpbench gate";

/// The report of a gate, written at this time (UTC, `2026-11-29T08:30:00`).
pub fn gate_junit(gate: &Gate, at: &str) -> String {
    let mut suite = TestSuite::new(NAME);
    let mut passed = String::new();
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
            passed.push_str(&format!("{}: {}\n", case.name.as_str(), rule.why));
        }
        suite.add_test_case(timed(case));
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
    written(suite, &passed, at)
}

/// The report of a gate that came to no verdict, written at this time (UTC).
pub fn gate_error_junit(message: &str, at: &str) -> String {
    let mut suite = TestSuite::new(NAME);
    suite.add_test_case(broken("verdict", "no verdict", message));
    written(suite, "", at)
}

fn broken(name: &str, kind: &str, message: &str) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type(kind).set_message(message);
    let mut case = TestCase::new(name, status);
    case.set_classname("mwpbench.gate");
    timed(case)
}

/// A case takes no time of its own: the gate judges all rules at once.
fn timed(mut case: TestCase) -> TestCase {
    case.set_time(Duration::ZERO);
    case
}

fn written(mut suite: TestSuite, output: &str, at: &str) -> String {
    suite
        .set_time(Duration::ZERO)
        .set_system_out(output)
        .set_system_err("");
    let attributes = [
        ("timestamp", at),
        // The machine is nobody's business.
        ("hostname", "localhost"),
        ("package", "mwpbench"),
        ("id", "0"),
    ];
    let attributes = attributes.map(|(name, value)| (name.into(), value.into()));
    suite.extra.extend(attributes);
    if suite.properties.is_empty() {
        suite.add_property(("verdict", "no verdict"));
    }
    let mut report = Report::new(NAME);
    report.add_test_suite(suite);
    let text = report.to_string().expect("writing to memory succeeds");
    // The Ant schema knows no attribute of the root, and readers take them from the suites.
    let root = text.find("<testsuites ").expect("the report has a root");
    let end = root + text[root..].find('>').expect("the root is closed");
    format!("{}<testsuites{}", &text[..root], &text[end..])
}
