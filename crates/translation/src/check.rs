//! Whether a text is the translation of another.

use crate::{formulas, numbers};

/// Characters that a translation may have for each of its source, and beside these: English takes
/// three to four letters where Chinese takes one, formulas are as long.
const MAX_LETTERS_PER_CHARACTER: usize = 8;
const MAX_FURTHER_LETTERS: usize = 80;
/// Things named in one message.
const MAX_NAMED: usize = 5;

/// Whether a text can be the English translation of a Chinese one: it is not blank, has no
/// Chinese, has every formula of the source and every number, and no other number in digits.
/// White space, fonts and other spellings of a formula do not matter; a number may be spelled out,
/// and `3万` may be 30,000.
///
/// Chinese numerals of the source (`三`) are not looked for, as they stand in many words that count
/// nothing; one that the translation gives in digits is no other number.
///
/// # Errors
/// What is wrong, in words for the model.
pub fn check(source: &str, translation: &str) -> Result<(), String> {
    if translation.trim().is_empty() {
        return Err("there is no translation in the reply".to_string());
    }
    if let Some(left) = chinese_in(translation) {
        return Err(format!("there is Chinese left in it: {left}"));
    }
    let max = source.chars().count() * MAX_LETTERS_PER_CHARACTER + MAX_FURTHER_LETTERS;
    let length = translation.chars().count();
    if length > max {
        return Err(format!(
            "it is too long to be the translation alone: {length} characters, at most {max} are expected"
        ));
    }
    let (source, translation) = (numbers::plain(source), numbers::plain(translation));
    let given = numbers::given(&translation);
    let lost = numbers::wanted(&source)
        .into_iter()
        .filter(|wanted| wanted.forms.is_disjoint(&given));
    named(
        "these numbers of the original are missing",
        lost.map(|wanted| wanted.number),
    )?;
    named(
        "these numbers are not in the original",
        numbers::invented(&source, &translation).into_iter(),
    )?;
    let lost = lost_formulas(&source, &translation);
    named(
        "these formulas of the original are missing or changed",
        lost.into_iter().map(|formula| format!("${formula}$")),
    )
}

fn named(what: &str, things: impl Iterator<Item = String>) -> Result<(), String> {
    let all: Vec<String> = things.collect();
    match all.len() {
        0 => Ok(()),
        count if count > MAX_NAMED => Err(format!(
            "{what}: {}, and {} more",
            all[..MAX_NAMED].join(", "),
            count - MAX_NAMED
        )),
        _ => Err(format!("{what}: {}", all.join(", "))),
    }
}

/// Chinese characters, from the first on as far as they go.
fn chinese_in(text: &str) -> Option<String> {
    const MAX_CHARS: usize = 12;
    let start = text.find(is_chinese)?;
    Some(
        text[start..]
            .chars()
            .take_while(|&c| is_chinese(c))
            .take(MAX_CHARS)
            .collect(),
    )
}

/// Whether a text is to be translated at all: it has Chinese characters.
pub(crate) fn has_chinese(text: &str) -> bool {
    text.contains(is_chinese)
}

fn is_chinese(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{323AF}')
}

fn has_content(formula: &str) -> bool {
    formula.contains(|c: char| c.is_alphanumeric()) && formula != r"\mid"
}

/// Formulas of the source that the translation does not have, by the parts of lists. One with
/// Chinese in it has to be translated and cannot be compared.
fn lost_formulas<'s>(source: &'s str, translation: &str) -> Vec<&'s str> {
    // The whole translation is searched: a formula may have been joined with its neighbour, or have
    // lost its dollars.
    let there = formulas::normal(&translation.replace('$', " "));
    let lost = |part: &&str| {
        let normal = formulas::normal(part);
        has_content(&normal)
            && formulas::is_balanced(part)
            && !has_chinese(part)
            && !there.contains(&normal)
    };
    formulas::of(source)
        .into_iter()
        .flat_map(formulas::parts)
        .filter(lost)
        .map(str::trim)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn translations_pass_and_what_is_none_does_not() {
        let source = "王艳家买了一台洗衣机和一台电冰箱，一共花了6000元，电冰箱的价钱是洗衣机的(3/5)，求洗衣机的价钱．";
        let good = "Wang Yan's family bought a washing machine and a refrigerator for 6,000 yuan in all. The refrigerator \
                    costs 3/5 of the price of the washing machine. Find the price of the washing machine.";
        let fault = |text: &str| check(source, text).unwrap_err();
        assert_eq!(check(source, good), Ok(()));
        assert_eq!(check(source, &good.replace("3/5", "three fifths")), Ok(()));
        assert_eq!(
            fault(&good.replace("6,000", "600")),
            "these numbers of the original are missing: 6000"
        );
        assert_eq!(
            fault(&format!("{good} It is 3750.")),
            "these numbers are not in the original: 3750"
        );
        assert_eq!(
            fault(&good.replace("yuan", "元")),
            "there is Chinese left in it: 元"
        );
        assert_eq!(fault(" \n"), "there is no translation in the reply");
        assert!(fault(&good.repeat(9)).starts_with("it is too long"));
    }

    #[test]
    fn formulas_must_be_kept() {
        let source = r"已知 $x^{2} \leqslant 4$ 且 $\mathrm{y}=2 x$, 其中$S_{\text{面积}}=4$, 则 $x=(\quad)$";
        let good = r"Given $x^2 \le 4$ and $y=2x$, where $S_{\text{area}}=4$, find $x$.";
        assert_eq!(check(source, good), Ok(()));
        let message = check(source, &good.replace("y=2x", "y=x^2")).unwrap_err();
        assert!(
            message.ends_with(r"missing or changed: $\mathrm{y}=2 x$"),
            "{message}"
        );
    }
}
