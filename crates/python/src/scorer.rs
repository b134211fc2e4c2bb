//! The class `Scorer`: which scorer judges, and by which profile.

use std::path::PathBuf;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyString;
use scoring::strict::{Answer, Profile};

use crate::arguments::{optional_text, optional_texts, same_length, text, texts, threads, wrong};
use crate::batch;
use crate::judging::judging;
use crate::rules::{Item, Judged, Rules};
use crate::text::Text;
use crate::verdict::Verdict;

/// A scorer with its profile, read once and used for any number of answers, from any thread.
///
/// scorer: "strict" (values are compared) or "official" (the published scorer of MwpBench, verdict
/// for verdict). profile: of the strict scorer, the name of one that comes with the program
/// ("strict", "choice", "exact", "as_asked", "units_converted") or the path of a file.
///
/// Raises ValueError for a name or a profile that there is not, OSError for a file that cannot be
/// read.
#[pyclass(frozen, module = "mwpbench")]
pub struct Scorer {
    rules: Rules,
}

#[pymethods]
impl Scorer {
    #[new]
    #[pyo3(signature = (scorer = None, profile = None), text_signature = "(scorer=\"strict\", profile=None)")]
    fn new(
        py: Python<'_>,
        scorer: Option<&Bound<'_, PyAny>>,
        profile: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let name = optional_text(scorer, "scorer")?;
        let rules = rules(py, name.as_ref(), profile)?;
        Ok(Self { rules })
    }

    /// "strict" or "official".
    #[getter]
    fn name(&self) -> &'static str {
        self.rules.name()
    }

    /// The profile's name, or the path of its file; None for the official scorer.
    #[getter]
    fn profile(&self) -> Option<&str> {
        self.rules.profile().map(Profile::name)
    }

    /// Judges a completion against a reference; see mwpbench.verify.
    #[pyo3(signature = (reference, completion, *, question = None))]
    pub fn verify(
        slf: Bound<'_, Self>,
        reference: &Bound<'_, PyAny>,
        completion: &Bound<'_, PyAny>,
        question: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Verdict> {
        let reference = text(reference, || "reference".to_owned())?;
        let completion = text(completion, || "completion".to_owned())?;
        let question = optional_text(question, "question")?;
        let texts = (reference, completion, question);
        let judged = slf.get().judge(&texts, Form::Completion)?;
        Ok(Verdict::new(slf.unbind(), texts, judged))
    }

    /// Judges many completions on threads; see mwpbench.verify_batch.
    #[pyo3(signature = (references, completions, *, questions = None, threads = None))]
    pub fn verify_batch(
        slf: Bound<'_, Self>,
        references: &Bound<'_, PyAny>,
        completions: &Bound<'_, PyAny>,
        questions: Option<&Bound<'_, PyAny>>,
        threads: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Vec<Verdict>> {
        let all = AllTexts::read(references, completions, questions)?;
        let threads = self::threads(threads)?;
        let judged = all.judge(slf.py(), &slf.get().rules, threads)?;
        let scorer = slf.unbind();
        Ok(all.verdicts(&scorer, judged))
    }

    /// The answer that a completion gives; see mwpbench.extract.
    #[pyo3(signature = (completion, reference = None))]
    pub fn extract(
        &self,
        completion: &Bound<'_, PyAny>,
        reference: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Option<String>> {
        let py = completion.py();
        let completion = Text::new(&text(completion, || "completion".to_owned())?)?;
        let reference = optional_text(reference, "reference")?;
        let reference = reference.as_ref().map(Text::new).transpose()?;
        let (completion, reference) = (completion.as_str(), reference.as_ref().map(Text::as_str));
        self.released(py, || self.rules.extract(completion, reference))
    }

    /// Whether two answers denote the same; see mwpbench.equal.
    pub fn equal(&self, a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>) -> PyResult<bool> {
        let a = text(a, || "a".to_owned())?;
        let b = text(b, || "b".to_owned())?;
        let judged = self.judge(&(b, a, None), Form::Prediction)?;
        Ok(judged.is_correct())
    }

    fn __repr__(&self) -> String {
        match self.rules.profile() {
            None => "Scorer('official')".to_owned(),
            Some(profile) => format!("Scorer('strict', profile={:?})", profile.name()),
        }
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (String, String))> {
        let module = py.import("mwpbench._mwpbench")?;
        let (name, text) = match &self.rules {
            Rules::Official => (String::new(), String::new()),
            Rules::Strict(profile) => (profile.name().to_owned(), String::new()),
            Rules::Own { profile, text } => (profile.name().to_owned(), text.clone()),
        };
        Ok((module.getattr("_scorer_of_text")?, (name, text)))
    }
}

/// A scorer out of another process: the name of a profile, none for the official scorer, and the
/// text of a user's.
#[pyfunction]
#[pyo3(name = "_scorer_of_text")]
pub fn scorer_of_text(py: Python<'_>, name: &str, text: String) -> PyResult<Scorer> {
    let rules = match (name, text.is_empty()) {
        ("", _) => Rules::Official,
        (name, true) => Rules::Strict(known(py, name)?.ok_or_else(|| no_profile(name))?),
        (name, false) => own(py, name, text)?,
    };
    Ok(Scorer { rules })
}

/// What an answer stands in.
#[derive(Clone, Copy)]
pub enum Form {
    /// A whole response.
    Completion,
    /// Nothing.
    Prediction,
}

impl Form {
    fn of(self, text: &str) -> Answer<'_> {
        match self {
            Self::Completion => Answer::Completion(text),
            Self::Prediction => Answer::Prediction(text),
        }
    }
}

/// Reference, completion and question.
pub type Texts<'py> = (
    Bound<'py, PyString>,
    Bound<'py, PyString>,
    Option<Bound<'py, PyString>>,
);

impl Scorer {
    /// The scorer that a call names, by which the default is read once.
    ///
    /// # Errors
    /// As `Scorer` itself; and a profile beside a `Scorer`, which has one.
    pub fn of<'py>(
        py: Python<'py>,
        scorer: Option<&Bound<'py, PyAny>>,
        profile: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, Self>> {
        static STANDARD: PyOnceLock<Py<Scorer>> = PyOnceLock::new();
        static OFFICIAL: PyOnceLock<Py<Scorer>> = PyOnceLock::new();
        if let Some(given) = scorer
            && let Ok(given) = given.cast::<Self>()
        {
            return match profile {
                None => Ok(given.clone()),
                Some(_) => Err(PyValueError::new_err(
                    "a Scorer has its profile: give either a Scorer or a profile",
                )),
            };
        }
        let name = match scorer {
            Some(value) => match value.cast::<PyString>() {
                Ok(name) => Some(name.clone()),
                Err(_) => return Err(wrong("scorer", "a str or a Scorer", value)),
            },
            None => None,
        };
        let is_official = name.as_ref().is_some_and(|name| name == "official");
        let is_strict = name.as_ref().is_none_or(|name| name == "strict");
        let kept = match (profile, is_strict, is_official) {
            (None, true, _) => &STANDARD,
            (None, _, true) => &OFFICIAL,
            _ => {
                let rules = rules(py, name.as_ref(), profile)?;
                return Bound::new(py, Self { rules });
            }
        };
        if let Some(made) = kept.get(py) {
            return Ok(made.bind(py).clone());
        }
        // Not within `get_or_init`: the lock of the interpreter is released meanwhile, and where
        // another thread forked, the child would wait for an initialization that nobody ends.
        let rules = rules(py, name.as_ref(), None)?;
        let made = Bound::new(py, Self { rules })?;
        // Whoever else made one was first, and both are the same.
        let _ = kept.set(py, made.clone().unbind());
        Ok(made)
    }

    /// Judges one answer.
    ///
    /// # Errors
    /// A panic.
    pub fn judge(
        &self,
        (reference, completion, question): &Texts<'_>,
        form: Form,
    ) -> PyResult<Judged> {
        let py = reference.py();
        let (reference, completion) = (Text::new(reference)?, Text::new(completion)?);
        let question = question.as_ref().map(Text::new).transpose()?;
        let item = Item {
            reference: reference.as_str(),
            answer: form.of(completion.as_str()),
            question: question.as_ref().map(Text::as_str),
        };
        self.released(py, || self.rules.judge(&item))
    }

    /// The final answer of a solution, with the rule that took it; none by the official scorer.
    ///
    /// # Errors
    /// A wrong type, or a panic.
    pub fn final_answer(
        &self,
        solution: &Bound<'_, PyAny>,
    ) -> PyResult<Option<(String, &'static str)>> {
        let text = Text::new(&text(solution, || "solution".to_owned())?)?;
        let text = text.as_str();
        let found = self.released(solution.py(), || {
            self.rules
                .profile()
                .map(|profile| profile.final_answer(text))
        })?;
        Ok(found.flatten().map(|found| (found.text, found.rule)))
    }

    /// The account of one judgement.
    ///
    /// # Errors
    /// A panic.
    pub fn explain(&self, (reference, completion, question): &Texts<'_>) -> PyResult<String> {
        let py = reference.py();
        let (reference, completion) = (Text::new(reference)?, Text::new(completion)?);
        let question = question.as_ref().map(Text::new).transpose()?;
        let item = Item {
            reference: reference.as_str(),
            answer: Answer::Completion(completion.as_str()),
            question: question.as_ref().map(Text::as_str),
        };
        self.released(py, || self.rules.explain(&item))
    }

    /// Does the work without the interpreter's lock.
    fn released<T: Send>(&self, py: Python<'_>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
        judging(py, work).map_err(|panicked| panicked.error("completion"))
    }
}

/// The texts of a batch.
struct AllTexts<'py> {
    references: Vec<Bound<'py, PyString>>,
    completions: Vec<Bound<'py, PyString>>,
    questions: Option<Vec<Option<Bound<'py, PyString>>>>,
}

impl<'py> AllTexts<'py> {
    fn read(
        references: &Bound<'py, PyAny>,
        completions: &Bound<'py, PyAny>,
        questions: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Self> {
        let all = Self {
            references: texts(references, "references")?,
            completions: texts(completions, "completions")?,
            questions: questions
                .map(|questions| optional_texts(questions, "questions"))
                .transpose()?,
        };
        same_length(all.references.len(), all.completions.len(), "completions")?;
        if let Some(questions) = &all.questions {
            same_length(all.references.len(), questions.len(), "questions")?;
        }
        Ok(all)
    }

    fn question(&self, number: usize) -> Option<&Bound<'py, PyString>> {
        self.questions.as_ref()?[number].as_ref()
    }

    fn judge(&self, py: Python<'py>, rules: &Rules, threads: usize) -> PyResult<Vec<Judged>> {
        let encoded = |number: usize| {
            Ok((
                Text::new(&self.references[number])?,
                Text::new(&self.completions[number])?,
                self.question(number).map(Text::new).transpose()?,
            ))
        };
        let encoded = (0..self.references.len()).map(encoded);
        let encoded: Vec<_> = encoded.collect::<PyResult<_>>()?;
        let items: Vec<Item<'_>> = encoded
            .iter()
            .map(|(reference, completion, question)| Item {
                reference: reference.as_str(),
                answer: Answer::Completion(completion.as_str()),
                question: question.as_ref().map(Text::as_str),
            })
            .collect();
        batch::judge_all(py, rules, &items, threads)
    }

    fn verdicts(self, scorer: &Py<Scorer>, judged: Vec<Judged>) -> Vec<Verdict> {
        let Self {
            references,
            completions,
            questions,
        } = self;
        let questions = questions.unwrap_or_else(|| vec![None; references.len()]);
        let texts = references.into_iter().zip(completions).zip(questions);
        texts
            .zip(judged)
            .map(|(((reference, completion), question), judged)| {
                let scorer = scorer.clone_ref(reference.py());
                Verdict::new(scorer, (reference, completion, question), judged)
            })
            .collect()
    }
}

/// The rules that a name and a profile stand for.
fn rules(
    py: Python<'_>,
    name: Option<&Bound<'_, PyString>>,
    profile: Option<&Bound<'_, PyAny>>,
) -> PyResult<Rules> {
    let name = match name {
        Some(name) => name.to_string_lossy().into_owned(),
        None => scoring::Scorer::Strict.name().to_owned(),
    };
    match (name.as_str(), profile) {
        ("official", None) => Ok(Rules::Official),
        ("official", Some(_)) => Err(PyValueError::new_err(
            "the official scorer has no profiles: it is as it was published",
        )),
        ("strict", None) => standard(py).map(Rules::Strict),
        ("strict", Some(profile)) => by_profile(profile),
        (other, _) => Err(PyValueError::new_err(format!(
            "there is no scorer {other:?}: it is \"strict\" or \"official\""
        ))),
    }
}

fn standard(py: Python<'_>) -> PyResult<&'static Profile> {
    judging(py, Profile::standard).map_err(|panicked| panicked.error("profile"))
}

fn known(py: Python<'_>, name: &str) -> PyResult<Option<&'static Profile>> {
    judging(py, || Profile::named(name)).map_err(|panicked| panicked.error("profile"))
}

/// The profile of that name, else that of the file.
fn by_profile(profile: &Bound<'_, PyAny>) -> PyResult<Rules> {
    let path: PathBuf = profile
        .extract()
        .map_err(|_| wrong("profile", "a str or a path", profile))?;
    let name = path.display().to_string();
    let py = profile.py();
    if let Some(profile) = known(py, &name)? {
        return Ok(Rules::Strict(profile));
    }
    // A name with nothing of a path in it was meant as a name.
    let is_name = profile.is_instance_of::<PyString>() && path.components().count() == 1;
    if is_name && !path.exists() {
        return Err(no_profile(&name));
    }
    let text = std::fs::read_to_string(&path).map_err(|error| {
        let kind = error.kind();
        PyErr::from(std::io::Error::new(
            kind,
            format!("cannot read the scoring profile {name}: {error}"),
        ))
    })?;
    own(py, &name, text)
}

fn own(py: Python<'_>, name: &str, text: String) -> PyResult<Rules> {
    let parsed = judging(py, || Profile::parse(name, &text));
    let parsed = parsed.map_err(|panicked| panicked.error("profile"))?;
    let profile = parsed.map_err(|error| {
        PyValueError::new_err(format!("scoring profile {}", error.to_string().trim_end()))
    })?;
    Ok(Rules::Own {
        profile: Box::new(profile),
        text,
    })
}

fn no_profile(name: &str) -> PyErr {
    let known: Vec<&str> = Profile::names().collect();
    PyValueError::new_err(format!(
        "there is no scoring profile {name:?} and no file of that name (known profiles: {})",
        known.join(", ")
    ))
}
