//! The class `Verdict`.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::rules::Judged;
use crate::scorer::{Scorer, Texts};

/// Verdicts by name.
const ALL: [scoring::Verdict; 5] = [
    scoring::Verdict::Correct,
    scoring::Verdict::Wrong,
    scoring::Verdict::NoAnswer,
    scoring::Verdict::Truncated,
    scoring::Verdict::Failed,
];

/// What a scorer says of one completion; true where the answer is right.
///
/// Two verdicts are equal where everything that they say is. A verdict can be pickled, with the
/// texts that it is about.
#[pyclass(frozen, module = "mwpbench")]
pub struct Verdict {
    judged: Judged,
    scorer: Py<Scorer>,
    reference: Py<PyString>,
    completion: Py<PyString>,
    question: Option<Py<PyString>>,
}

impl Verdict {
    /// A judgement with what it is about.
    pub fn new(
        scorer: Py<Scorer>,
        (reference, completion, question): Texts<'_>,
        judged: Judged,
    ) -> Self {
        Self {
            judged,
            scorer,
            reference: reference.unbind(),
            completion: completion.unbind(),
            question: question.map(Bound::unbind),
        }
    }
}

/// What a pickled verdict is made of again.
type Said = (String, Option<String>, Option<(usize, usize)>, Vec<String>);

#[pymethods]
impl Verdict {
    /// "correct", "wrong" (an answer that does not equal the reference), "no_answer" or
    /// "truncated" (thoughts that are never closed).
    #[getter]
    fn verdict(&self) -> &'static str {
        self.judged.verdict.as_str()
    }

    /// Whether the answer equals the reference.
    #[getter]
    fn correct(&self) -> bool {
        self.judged.is_correct()
    }

    /// The answer as found in the completion; None where there is none.
    #[getter]
    fn answer(&self) -> Option<&str> {
        self.judged.answer.as_deref()
    }

    /// Where the answer was found: completion[span[0]:span[1]]. None where there is no answer, or
    /// it is put together from several places, and for the official scorer.
    #[getter]
    fn span(&self) -> Option<(usize, usize)> {
        self.judged.span.map(|[start, end]| (start, end))
    }

    /// Ids of the rules that decided, in order.
    #[getter]
    fn trace<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.judged.trace.iter().map(|rule| &**rule))
    }

    /// The account of the judgement: what was found and read, and the rules that decided with what
    /// they are for. The completion is judged once more for it.
    fn explain(&self, py: Python<'_>) -> PyResult<String> {
        let texts = (
            self.reference.bind(py).clone(),
            self.completion.bind(py).clone(),
            self.question.as_ref().map(|text| text.bind(py).clone()),
        );
        self.scorer.get().explain(&texts)
    }

    fn __bool__(&self) -> bool {
        self.judged.is_correct()
    }

    /// 1.0 or 0.0, as rewards and averages want it.
    fn __float__(&self) -> f64 {
        f64::from(u8::from(self.judged.is_correct()))
    }

    fn __int__(&self) -> u8 {
        u8::from(self.judged.is_correct())
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> Py<PyAny> {
        let py = other.py();
        match other.cast::<Self>() {
            Ok(other) => {
                let equal = self.judged == other.get().judged;
                pyo3::types::PyBool::new(py, equal)
                    .to_owned()
                    .into_any()
                    .unbind()
            }
            Err(_) => py.NotImplemented(),
        }
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let Judged {
            verdict,
            answer,
            span,
            trace,
        } = &self.judged;
        (verdict, answer, span, trace).hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let answer = match self.answer() {
            Some(answer) => PyString::new(py, answer).repr()?.to_string(),
            None => "None".to_owned(),
        };
        Ok(format!("Verdict({:?}, answer={answer})", self.verdict()))
    }

    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let module = py.import("mwpbench._mwpbench")?;
        let trace = self.judged.trace.iter().map(ToString::to_string);
        let said: Said = (
            self.verdict().to_owned(),
            self.judged.answer.clone(),
            self.span(),
            trace.collect(),
        );
        let texts = (&self.reference, &self.completion, &self.question);
        let state = (&self.scorer, texts, said).into_pyobject(py)?;
        Ok((module.getattr("_restored")?, state))
    }
}

/// A verdict out of another process.
#[pyfunction]
#[pyo3(name = "_restored")]
pub fn restored(scorer: Bound<'_, Scorer>, texts: Texts<'_>, said: Said) -> PyResult<Verdict> {
    let (verdict, answer, span, trace) = said;
    let known = ALL.into_iter().find(|known| known.as_str() == verdict);
    let judged = Judged {
        verdict: known.ok_or_else(|| {
            PyValueError::new_err(format!("{verdict:?} is the name of no verdict"))
        })?,
        answer,
        span: span.map(|(start, end)| [start, end]),
        trace: trace.into_iter().map(Cow::Owned).collect(),
    };
    Ok(Verdict::new(scorer.unbind(), texts, judged))
}
