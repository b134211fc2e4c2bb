//! What holds for whole judgements of the strict scorer: reflexive, symmetric, blind to notation,
//! never to value.

use proptest::prelude::*;
use scoring::strict::{judge_completion, judge_prediction};

/// A rational number as numerator and denominator, not reduced.
#[derive(Clone, Copy, Debug)]
struct Rational {
    numerator: i64,
    denominator: i64,
}

impl Rational {
    /// The notations in which anyone might write it; a few do not exist for every number.
    fn notations(self) -> Vec<String> {
        let Self {
            numerator: n,
            denominator: d,
        } = self;
        let sign = if n < 0 { "-" } else { "" };
        let m = n.abs();
        let mut notations = vec![
            format!("{n}/{d}"),
            format!("\\frac{{{n}}}{{{d}}}"),
            format!("{sign}\\dfrac{{{m}}}{{{d}}}"),
            format!("$\\tfrac{{{n}}}{{{d}}}$"),
            format!("\\frac{{{}}}{{{}}}", 3 * n, 3 * d),
            format!("{n} \\div {d}"),
            format!("\\left({n}\\right) \\cdot {d}^{{-1}}"),
            format!("x = \\frac{{{n}}}{{{d}}}"),
            format!("\\boxed{{\\frac{{{n}}}{{{d}}}}}"),
            format!("\\sqrt{{{}}}/{d} \\cdot ({sign}1)", m * m),
            format!("\\log_2(2^{{{n}/{d}}})"),
        ];
        if m > d && m % d != 0 {
            notations.push(format!("{sign}{}\\frac{{{}}}{{{d}}}", m / d, m % d));
            notations.push(format!("{sign}{} {}/{d}", m / d, m % d));
        }
        if let Some(decimal) = self.decimal() {
            notations.push(decimal.clone());
            notations.push(format!("{decimal}0"));
            notations.push(format!("\\text{{{decimal}}}"));
        }
        if n % d == 0 && (n / d).abs() >= 1000 {
            let whole = (m / d).to_string();
            let (head, tail) = whole.split_at(whole.len() - 3);
            notations.push(format!("{sign}{head},{tail}"));
            notations.push(format!("{sign}{head}{{,}}{tail}"));
            notations.push(format!("{sign}{head}\\,{tail}"));
        }
        notations
    }

    /// The decimal, where it ends.
    fn decimal(self) -> Option<String> {
        let (sign, m) = (
            if self.numerator < 0 { "-" } else { "" },
            self.numerator.abs(),
        );
        let mut digits = String::new();
        let mut rest = m % self.denominator;
        while rest != 0 && digits.len() < 8 {
            rest *= 10;
            digits.push(char::from(
                b'0' + u8::try_from(rest / self.denominator).ok()?,
            ));
            rest %= self.denominator;
        }
        (rest == 0 && !digits.is_empty())
            .then(|| format!("{sign}{}.{digits}", m / self.denominator))
    }
}

fn rationals() -> impl Strategy<Value = Rational> {
    let denominator = prop_oneof![
        Just(1_i64),
        2_i64..60,
        prop::sample::select(vec![8, 10, 16, 20, 25, 40, 50, 100, 125])
    ];
    let numerator = prop_oneof![-60_i64..60, -9_999_i64..9_999];
    (numerator, denominator).prop_map(|(numerator, denominator)| Rational {
        numerator,
        denominator,
    })
}

/// A polynomial in x by its coefficients, the constant first.
fn polynomial(coefficients: &[i64], order: &[usize]) -> String {
    let mut text = String::new();
    for &power in order {
        let coefficient = coefficients[power];
        if coefficient != 0 {
            let variable = match power {
                0 => String::new(),
                1 => "x".to_owned(),
                _ => format!("x^{{{power}}}"),
            };
            let sign = if coefficient < 0 {
                "-"
            } else if text.is_empty() {
                ""
            } else {
                "+"
            };
            let size = coefficient.abs();
            let shown = if size == 1 && power > 0 {
                String::new()
            } else {
                size.to_string()
            };
            text.push_str(&format!("{sign}{shown}{variable}"));
        }
    }
    if text.is_empty() {
        "0".to_owned()
    } else {
        text
    }
}

/// The same by Horner's scheme.
fn nested(coefficients: &[i64]) -> String {
    coefficients
        .iter()
        .rev()
        .fold(String::new(), |inner, coefficient| match inner.as_str() {
            "" => format!("({coefficient})"),
            _ => format!("(x \\cdot {inner} + ({coefficient}))"),
        })
}

/// Answers without prose around them.
fn formulas() -> impl Strategy<Value = String> {
    let atom = prop::sample::select(vec![
        "1",
        "2",
        "0.5",
        "x",
        "y",
        "\\pi",
        "\\sqrt{2}",
        "\\frac{1}{3}",
        "50\\%",
        "3 \\text{ cm}",
        "\\infty",
        "i",
        "n!",
        "e^x",
    ]);
    let joined = (
        prop::collection::vec(atom, 1..4),
        prop::sample::select(vec!["+", "-", "\\cdot ", ", ", "=", "<", "/", "^"]),
    )
        .prop_map(|(atoms, sign)| atoms.join(sign));
    (
        joined,
        prop::sample::select(vec![
            ("", ""),
            ("(", ")"),
            ("[", "]"),
            ("\\{", "\\}"),
            ("$", "$"),
            ("\\left(", "\\right)"),
        ]),
    )
        .prop_map(|(inner, (open, close))| format!("{open}{inner}{close}"))
}

/// Texts rich in what the rules look for.
fn fragments() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => prop::sample::select(vec![
            "\\boxed{", "}", "{", "$", "\\(", "\\)", "the answer is ", "#### ", "答案是", "(B)", "A, B", "-3/4", "1,250.50", "\\frac{1}{2}",
            "\\frac", "\\sqrt", "^", "_", "\\left(", "\\right]", " and ", "=", "<", "\\le ", ". ", "x", "3:45", "p.m.", "\\%", "\\cup ",
            "\\begin{pmatrix}", "\\end{pmatrix}", "&", "\\\\", "!", "|", "\\pm ", "\\infty", "cm", "yes", "1", "2", ",", ";", "\n", "\\text{",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_judged_and_equals_itself(text in fragments()) {
        let judgement = judge_prediction(&text, &text);
        prop_assert!(!judgement.trace.is_empty());
        prop_assert_eq!(judgement.correct, !text.trim().is_empty(), "{:?}", judgement);
        judge_completion(&text, "3");
        judge_completion(&text, "\\frac{x}{2}");
        judge_completion("The answer is 3.", &text);
    }

    #[test]
    fn equality_has_no_direction(left in formulas(), right in formulas()) {
        prop_assert_eq!(judge_prediction(&left, &right).correct, judge_prediction(&right, &left).correct);
    }

    #[test]
    fn a_number_is_the_same_in_every_notation(value in rationals(), seed in any::<prop::sample::Index>()) {
        let notations = value.notations();
        let reference = seed.get(&notations);
        for notation in &notations {
            let judgement = judge_prediction(notation, reference);
            prop_assert!(judgement.correct, "{notation} against {reference}: {judgement:?}");
        }
    }

    #[test]
    fn another_number_never_is(value in rationals(), seed in any::<prop::sample::Index>()) {
        let other = Rational { numerator: value.numerator + 1, ..value };
        let notations = value.notations();
        let reference = seed.get(&notations);
        for notation in other.notations() {
            let judgement = judge_prediction(&notation, reference);
            prop_assert!(!judgement.correct, "{notation} against {reference}: {judgement:?}");
        }
    }

    #[test]
    fn a_polynomial_is_the_same_in_every_order_and_form(
        coefficients in prop::collection::vec(-9_i64..10, 1..6),
        order in Just((0..6_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let order: Vec<usize> = order.into_iter().filter(|&power| power < coefficients.len()).collect();
        let sorted: Vec<usize> = (0..coefficients.len()).rev().collect();
        let reference = polynomial(&coefficients, &sorted);
        for text in [polynomial(&coefficients, &order), nested(&coefficients)] {
            let judgement = judge_prediction(&text, &reference);
            prop_assert!(judgement.correct, "{text} against {reference}: {judgement:?}");
        }
        let mut others = coefficients.clone();
        others[0] += 1;
        let judgement = judge_prediction(&polynomial(&others, &order), &reference);
        prop_assert!(!judgement.correct, "{reference}: {judgement:?}");
    }
}

/// Quadratic work on these would take hours.
#[test]
fn a_hostile_megabyte_takes_no_longer_than_any_other() {
    const BYTES: usize = 1_000_000;
    for piece in [
        "{",
        "}",
        "\\boxed{",
        "\\boxed{1}",
        "(",
        ")",
        "((1)/(2))",
        "1",
        "-",
        "1/",
        "1,",
        ".",
        "$",
        "$x$",
        "\\frac",
        "\\frac{",
        "\\sqrt",
        "\\left(",
        "\\begin{pmatrix}",
        "&",
        "\\\\",
        "^",
        "^{",
        "_",
        "=",
        "<",
        "!",
        "|",
        "x",
        "xy",
        "1 and ",
        "answer is ",
        "is ",
        "是",
        "答案",
        "\\text{",
        "\\pm",
        "\\cup",
        "'",
        "`",
        "**",
        "\n",
        "\\",
        "3:",
        "%",
        "e",
        "١",
        "\u{301}",
    ] {
        let text = piece.repeat(BYTES / piece.len());
        for reference in ["1", "x", "B", "word", text.as_str()] {
            judge_completion(&text, reference);
            judge_prediction(&text, reference);
        }
        judge_prediction("1", &text);
        // Short enough to be parsed, deep enough to overflow a stack that recursion is not kept
        // from.
        let short = piece.repeat(16_000 / piece.len());
        judge_prediction(&short, "1");
        judge_prediction(&short, &format!("{short}1"));
    }
}

#[test]
fn an_option_letter_is_the_same_in_every_dress() {
    for capital in 'A'..='J' {
        let small = capital.to_ascii_lowercase();
        let dresses = [
            capital.to_string(),
            format!("({capital})"),
            format!("\\text{{({capital})}}"),
            small.to_string(),
            format!("({small})"),
        ];
        for prediction in &dresses {
            for reference in &dresses {
                assert!(
                    judge_prediction(prediction, reference).correct,
                    "{prediction} against {reference}"
                );
            }
        }
    }
}
