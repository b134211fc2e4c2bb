//! Formulas in a text, and a normal form in which two spellings of one formula are equal.

use std::sync::LazyLock;

use regex::Regex;

/// `$…$`, `$$…$$`, `\(…\)` and `\[…\]`.
static FORMULA: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?s)\$\$(.+?)\$\$|\$(.+?)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]")
        .expect("it is well-formed")
});

/// What can be left out or spelled in another way without changing the meaning of a formula.
static SPELLINGS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    // This engine has no look-ahead: the character that ends a command is matched and put back.
    let spellings = [
        (
            r"\\(?:left|right|big|Big|bigg|Bigg|displaystyle|limits|quad|qquad|mathrm|text|rm|mathbf|boldsymbol|operatorname)(?P<end>[^A-Za-z]|$)",
            "$end",
        ),
        (r"\\[,;:! ]|~|\s+|\\_|_{2,}", ""),
        (r"\\[dtc]frac", r"\frac"),
        (r"\\(?:leqslant|leq|le)(?P<end>[^A-Za-z]|$)", "≤$end"),
        (r"\\(?:geqslant|geq|ge)(?P<end>[^A-Za-z]|$)", "≥$end"),
        (r"\\(?:neq|ne)(?P<end>[^A-Za-z]|$)", "≠$end"),
        (r"\\times(?P<end>[^A-Za-z]|$)", "×$end"),
        (r"\\div(?P<end>[^A-Za-z]|$)", "÷$end"),
        (r"\\cdots|\\ldots|\\dots|…|\.\.\.", "…"),
        // Makes `\frac{1}{23}` and `\frac{12}{3}` one text; the check of the numbers tells them
        // apart.
        (r"[{}]", ""),
        (r"\(\)|（）", ""),
    ];
    let compiled =
        spellings.map(|(pattern, plain)| (Regex::new(pattern).expect("it is well-formed"), plain));
    compiled.into_iter().collect()
});

/// The formulas of a text as they stand there, without their delimiters.
pub(crate) fn of(text: &str) -> Vec<&str> {
    let content = |capture: regex::Captures<'_>| {
        let group = (1..=4)
            .find_map(|group| capture.get(group))
            .map(|group| group.range())?;
        Some(&text[group])
    };
    FORMULA.captures_iter(text).filter_map(content).collect()
}

/// A form in which spacing, sizes, fonts, braces and the spelling of some relations do not matter.
pub(crate) fn normal(formula: &str) -> String {
    // Twice, as what is left out may bring two commands together.
    let once = |text: String| {
        SPELLINGS.iter().fold(text, |text, (pattern, plain)| {
            pattern.replace_all(&text, *plain).into_owned()
        })
    };
    let text = once(once(formula.to_string()));
    text.trim_end_matches(['=', '.', ',', '，', '。', ';'])
        .to_string()
}

/// The parts of a formula between commas that stand in no bracket: `$A, B$` may be translated as
/// "`$A$` and `$B$`".
pub(crate) fn parts(formula: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut after_backslash) = (Vec::new(), 0, 0usize, false);
    for (place, c) in formula.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' | '，' | '、' | ';' if depth == 0 && !after_backslash => {
                parts.push(&formula[start..place]);
                start = place + c.len_utf8();
            }
            _ => {}
        }
        after_backslash = c == '\\';
    }
    parts.push(&formula[start..]);
    parts
}

/// Whether brackets open and close in pairs: a formula that was cut in two means nothing by itself.
pub(crate) fn is_balanced(formula: &str) -> bool {
    let mut depth = [0i32; 2];
    for c in formula.chars() {
        let step = match c {
            '(' | '[' | '{' => 1,
            ')' | ']' | '}' => -1,
            _ => continue,
        };
        // Of half-open intervals one bracket is square: both kinds are counted together.
        depth[usize::from(matches!(c, '{' | '}'))] += step;
    }
    depth.iter().all(|&depth| depth == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_found_between_all_delimiters() {
        assert_eq!(
            of(r"如果 $a=1$, \(b\) 且 \[c\] 或 $$d$$ 。"),
            ["a=1", "b", "c", "d"]
        );
        assert_eq!(of("价格是 5 元"), Vec::<&str>::new());
    }

    #[test]
    fn lists_come_apart_and_tuples_do_not() {
        assert_eq!(parts("A, B、C"), ["A", " B", "C"]);
        assert_eq!(
            parts(r"\left\{a,b\right\}, (1,2)"),
            [r"\left\{a,b\right\}", " (1,2)"]
        );
        assert_eq!(parts(r"1\,000"), [r"1\,000"]);
    }

    #[test]
    fn spellings_of_one_formula_are_equal() {
        let pairs = [
            (r"x^{2} \leqslant 3", r"x^2\le 3"),
            (r"\left(\dfrac{1}{2}\right)", r"(\frac{1}{2})"),
            (r"\mathrm{y}=\mathrm{f}(\mathrm{x})", "y=f(x)"),
            (r"a=(\quad)", "a="),
            (r"1, 2, \ldots, n", r"1,2,\dots,n"),
        ];
        for (one, other) in pairs {
            assert_eq!(normal(one), normal(other));
        }
        assert_ne!(normal("x^2"), normal("x^3"));
        assert_ne!(normal(r"\leftarrow"), normal("arrow"));
    }
}
