//! The functions of the module: a scorer, and a call of its method.

use pyo3::prelude::*;

use crate::arguments::{optional_text, text};
use crate::guarded::guarded;
use crate::scorer::{Form, Scorer};
use crate::verdict::Verdict;

/// Judges a completion against a reference.
///
/// reference: the data set's answer, alone or at the end of a worked solution. completion: what a
/// model wrote, or an answer alone. question: what it was asked, where that is known: it may demand
/// an order, a rounding, or name options. scorer: "strict", "official" or a Scorer. profile: of the
/// strict scorer, a name or the path of a file (a Scorer reads it once).
///
/// Returns a Verdict, which is true where the answer is right. Raises TypeError for what is no str.
/// Whatever the texts are, nothing else is raised, and the time is bounded. The interpreter's lock
/// is released.
#[pyfunction]
#[pyo3(
    signature = (reference, completion, *, question = None, scorer = None, profile = None),
    text_signature = "(reference, completion, *, question=None, scorer=\"strict\", profile=None)"
)]
pub fn verify(
    py: Python<'_>,
    reference: &Bound<'_, PyAny>,
    completion: &Bound<'_, PyAny>,
    question: Option<&Bound<'_, PyAny>>,
    scorer: Option<&Bound<'_, PyAny>>,
    profile: Option<&Bound<'_, PyAny>>,
) -> PyResult<Verdict> {
    let scorer = Scorer::of(py, scorer, profile)?;
    Scorer::verify(scorer, reference, completion, question)
}

/// Judges many completions, each against the reference in its place, on threads.
///
/// references, completions, questions: sequences of str of one length, such as lists, tuples or
/// columns; a question may be None. threads: how many, one a processor where it is None.
///
/// Returns a list of Verdict in the order of the completions. Raises TypeError with the position of
/// what is no str, such as references[3], and ValueError for sequences of different lengths. The
/// interpreter's lock is released, and Ctrl-C ends a batch.
#[pyfunction]
#[pyo3(
    signature = (references, completions, *, questions = None, scorer = None, profile = None, threads = None),
    text_signature = "(references, completions, *, questions=None, scorer=\"strict\", profile=None, threads=None)"
)]
pub fn verify_batch(
    py: Python<'_>,
    references: &Bound<'_, PyAny>,
    completions: &Bound<'_, PyAny>,
    questions: Option<&Bound<'_, PyAny>>,
    scorer: Option<&Bound<'_, PyAny>>,
    profile: Option<&Bound<'_, PyAny>>,
    threads: Option<&Bound<'_, PyAny>>,
) -> PyResult<Vec<Verdict>> {
    let scorer = Scorer::of(py, scorer, profile)?;
    Scorer::verify_batch(scorer, references, completions, questions, threads)
}

/// The answer that a completion gives, as the strict scorer finds it; None where it gives none.
///
/// With a reference the rules for its kind (a number, a choice, a formula, a text) are followed, as
/// verify does; without one an announced answer is taken, else the last formula or number.
#[pyfunction]
#[pyo3(signature = (completion, reference = None))]
pub fn extract(
    py: Python<'_>,
    completion: &Bound<'_, PyAny>,
    reference: Option<&Bound<'_, PyAny>>,
) -> PyResult<Option<String>> {
    Scorer::of(py, None, None)?
        .get()
        .extract(completion, reference)
}

/// Whether two answers denote the same, by the strict scorer. Both are answers alone, without a
/// text around them.
#[pyfunction]
pub fn equal(py: Python<'_>, a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>) -> PyResult<bool> {
    Scorer::of(py, None, None)?.get().equal(a, b)
}

/// Judges a completion as the published scorer of MwpBench does; the same as
/// verify(reference, completion, scorer="official").
#[pyfunction]
pub fn official(reference: &Bound<'_, PyAny>, completion: &Bound<'_, PyAny>) -> PyResult<Verdict> {
    let name = pyo3::types::PyString::new(reference.py(), "official").into_any();
    let scorer = Scorer::of(reference.py(), Some(&name), None)?;
    Scorer::verify(scorer, reference, completion, None)
}

/// Judges an answer without a text around it, as the cases of the rules want it.
#[pyfunction]
#[pyo3(
    name = "_judge_prediction",
    signature = (reference, prediction, *, question = None, scorer = None, profile = None)
)]
pub fn judge_prediction(
    py: Python<'_>,
    reference: &Bound<'_, PyAny>,
    prediction: &Bound<'_, PyAny>,
    question: Option<&Bound<'_, PyAny>>,
    scorer: Option<&Bound<'_, PyAny>>,
    profile: Option<&Bound<'_, PyAny>>,
) -> PyResult<Verdict> {
    let scorer = Scorer::of(py, scorer, profile)?;
    let texts = (
        text(reference, || "reference".to_owned())?,
        text(prediction, || "prediction".to_owned())?,
        optional_text(question, "question")?,
    );
    let judged = scorer.get().judge(&texts, Form::Prediction)?;
    Ok(Verdict::new(scorer.unbind(), texts, judged))
}

/// The final answer of a solution, with the rule that took it.
#[pyfunction]
#[pyo3(name = "_final_answer")]
pub fn final_answer(
    py: Python<'_>,
    solution: &Bound<'_, PyAny>,
) -> PyResult<Option<(String, &'static str)>> {
    Scorer::of(py, None, None)?.get().final_answer(solution)
}

/// Fails within, for the test that says what comes of it.
#[pyfunction]
#[pyo3(name = "_panic")]
pub fn panic_on_purpose() -> PyResult<()> {
    guarded(|| panic!("on purpose")).map_err(|panicked| panicked.error("completion"))
}
