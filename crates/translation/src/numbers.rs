//! Numbers in a text: those in digits, and those that English spells out.
//!
//! A number is compared by its digits in a plain form: no thousands separators, no zeros that mean
//! nothing. A fraction is its two numbers, a percentage the number before the sign, so that
//! `(3/5)`, `\frac{3}{5}` and "three fifths" agree.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

/// A number in plain form, such as `0.5` or `1200`.
pub(crate) type Number = String;

static DIGITS: LazyLock<Regex> = LazyLock::new(|| pattern(r"\d+(?:\.\d+)?"));
static GROUPED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b\d{1,3}(?:(?:\{,\}|[, ]|\\,)\d{3})+(?:\.\d+)?"));
static CHINESE: LazyLock<Regex> =
    LazyLock::new(|| pattern("[零〇一二两三四五六七八九十百千万亿]+"));
// The longer units first: the first alternative that matches is taken.
static WITH_UNIT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(\d+(?:\.\d+)?)\$?\s*(百万|千万|十亿|百|千|万|亿|月)"));
static EXERCISE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(\s*\d{1,2}\.)\d"));
static WORD: LazyLock<Regex> = LazyLock::new(|| pattern(r"[A-Za-z]+"));
static SCALED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)(\d+(?:\.\d+)?)\$?[\s~-]*(hundred|thousand|million|billion)"));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is well-formed")
}

/// Digits, points and commas of full width in their plain form, and a space after the number that
/// an exercise has (`4.2019年`).
pub(crate) fn plain(text: &str) -> String {
    let narrow = plain_width(text);
    match EXERCISE.captures(&narrow) {
        Some(number) => format!("{} {}", &number[1], &narrow[number[1].len()..]),
        None => narrow,
    }
}

fn plain_width(text: &str) -> String {
    let narrow = |c: char| match c {
        '０'..='９' | '．' | '，' | '％' | '＋' | '－' | '／' | '（' | '）' | '＝' => {
            char::from_u32(c as u32 - 0xFEE0).unwrap_or(c)
        }
        other => other,
    };
    text.chars().map(narrow).collect()
}

/// The plain form of digits, perhaps with a point.
fn plain_form(digits: &str) -> Number {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let (whole, fraction) = (
        whole.trim_start_matches('0'),
        fraction.trim_end_matches('0'),
    );
    let whole = if whole.is_empty() { "0" } else { whole };
    match fraction.is_empty() {
        true => whole.to_string(),
        false => format!("{whole}.{fraction}"),
    }
}

/// A number times a power of ten, in plain form.
fn shifted(number: &str, zeros: i32) -> Number {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{fraction}");
    let point = whole.len() as i32 + zeros;
    match (point, digits.len() as i32) {
        (point, length) if point >= length => plain_form(&format!(
            "{digits}{}",
            "0".repeat((point - length) as usize)
        )),
        (point, _) if point <= 0 => {
            plain_form(&format!("0.{}{digits}", "0".repeat(-point as usize)))
        }
        (point, _) => plain_form(&format!(
            "{}.{}",
            &digits[..point as usize],
            &digits[point as usize..]
        )),
    }
}

/// The numbers in digits, each with how often it stands there.
pub(crate) fn in_digits(text: &str) -> BTreeMap<Number, usize> {
    let mut found = BTreeMap::new();
    for number in DIGITS.find_iter(text) {
        *found.entry(plain_form(number.as_str())).or_default() += 1;
    }
    found
}

/// A number of the source, and every form in which a translation may give it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequiredNumber {
    /// The number as it stands in the source.
    pub(crate) number: Number,
    /// Numbers, any of which will do.
    pub(crate) forms: BTreeSet<Number>,
}

/// The numbers of a Chinese text that its translation must have, each once. `3万` may be 30,000 or
/// 30 thousand, `5月` may be May.
pub(crate) fn wanted(source: &str) -> Vec<RequiredNumber> {
    let mut all: BTreeMap<Number, BTreeSet<Number>> = in_digits(source)
        .into_keys()
        .map(|number| (number.clone(), BTreeSet::from([number])))
        .collect();
    for capture in WITH_UNIT.captures_iter(source) {
        let number = plain_form(&capture[1]);
        let shifts: &[i32] = match &capture[2] {
            "百" => &[2],
            "千" => &[3],
            // Written out, and beside the units of English: 3万 is 30,000 or 30 thousand, 120万 is
            // 1.2 million.
            "万" => &[4, 1, -2],
            "百万" => &[6, 3],
            "千万" => &[7, 1],
            "亿" => &[8, 2, -1],
            "十亿" => &[9, 1],
            _ => &[],
        };
        let forms = shifts
            .iter()
            .map(|&zeros| shifted(&number, zeros))
            .chain(month(&number, &capture[2]));
        all.entry(number.clone()).or_default().extend(forms);
    }
    all.into_iter()
        .map(|(number, forms)| RequiredNumber { number, forms })
        .collect()
}

/// A mark that stands for a month's name; no number looks like it.
fn month(number: &str, unit: &str) -> Option<Number> {
    (unit == "月" && (1..=12).any(|month| month.to_string() == number))
        .then(|| format!("month {number}"))
}

/// The numbers that a translation has, in digits, in words, and as names of months. Where digits
/// may be read in two ways (`1,000`), both.
pub(crate) fn given(translation: &str) -> BTreeSet<Number> {
    let mut found: BTreeSet<Number> = in_digits(translation).into_keys().collect();
    for grouped in GROUPED.find_iter(translation) {
        let joined: String = grouped
            .as_str()
            .chars()
            .filter(|c| c.is_ascii_digit() || *c == '.')
            .collect();
        found.insert(plain_form(&joined));
    }
    for capture in SCALED.captures_iter(translation) {
        found.insert(shifted(
            &plain_form(&capture[1]),
            zeros_of(&capture[2].to_lowercase()).unwrap_or(0),
        ));
    }
    let words: Vec<String> = WORD
        .find_iter(translation)
        .map(|word| word.as_str().to_lowercase())
        .collect();
    spelled_out(&words, &mut found);
    found
}

/// Numbers that stand in digits in a translation although the source has no such number, be it in
/// digits, in Chinese numerals or with a unit that was multiplied out.
pub(crate) fn invented(source: &str, translation: &str) -> Vec<Number> {
    let mut known: BTreeSet<Number> = wanted(source)
        .into_iter()
        .flat_map(|wanted| wanted.forms)
        .collect();
    for numeral in CHINESE.find_iter(source) {
        known.extend(chinese(numeral.as_str()));
    }
    if source.contains('半') {
        // A fraction is its two numbers here.
        known.extend(["1", "2", "0.5"].map(str::to_string));
    }
    // Digits that only group: `12,000` is neither 12 nor 0 where the source has 12000.
    let mut rest = translation.to_string();
    for grouped in GROUPED.find_iter(translation) {
        let joined: String = grouped
            .as_str()
            .chars()
            .filter(|c| c.is_ascii_digit() || *c == '.')
            .collect();
        if known.contains(&plain_form(&joined)) {
            rest = rest.replacen(grouped.as_str(), " ", 1);
        }
    }
    for capture in SCALED.captures_iter(translation) {
        let scaled = shifted(
            &plain_form(&capture[1]),
            zeros_of(&capture[2].to_lowercase()).unwrap_or(0),
        );
        if known.contains(&scaled) {
            rest = rest.replacen(&capture[0], " ", 1);
        }
    }
    in_digits(&rest)
        .into_keys()
        .filter(|number| !known.contains(number))
        .collect()
}

/// What a Chinese numeral may mean: its value, its digits one by one, and the values of its parts.
fn chinese(numeral: &str) -> Vec<Number> {
    let digit = |c: char| {
        "零一二三四五六七八九"
            .chars()
            .position(|own| own == c)
            .or(match c {
                '〇' => Some(0),
                '两' => Some(2),
                _ => None,
            })
    };
    let (mut total, mut section, mut last) = (0u64, 0u64, 0u64);
    let mut values = BTreeSet::new();
    let mut in_row = String::new();
    for c in numeral.chars() {
        if let Some(value) = digit(c) {
            last = value as u64;
            in_row.push_str(&value.to_string());
            values.insert(last);
            continue;
        }
        let unit: u64 = match c {
            '十' => 10,
            '百' => 100,
            '千' => 1000,
            '万' => 10_000,
            _ => 100_000_000,
        };
        // Each part by itself too: 三百 may be three hundred, and 千 a thousand.
        values.insert(unit);
        if unit < 10_000 {
            section = section.saturating_add(last.max(1).saturating_mul(unit));
        } else {
            total = total.saturating_add(section.saturating_add(last).max(1).saturating_mul(unit));
            section = 0;
        }
        last = 0;
    }
    values.insert(total.saturating_add(section).saturating_add(last));
    values
        .into_iter()
        .map(|value| value.to_string())
        .chain((!in_row.is_empty()).then(|| plain_form(&in_row)))
        .collect()
}

/// Powers of ten by name.
fn zeros_of(word: &str) -> Option<i32> {
    Some(match word {
        "hundred" => 2,
        "thousand" => 3,
        "million" => 6,
        "billion" => 9,
        _ => return None,
    })
}

/// The value of a cardinal, an ordinal, or the name of a part.
fn value_of(word: &str) -> Option<u64> {
    const CARDINALS: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    const TENS: [&str; 8] = [
        "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
    ];
    const IRREGULAR: [(&str, u64); 14] = [
        ("first", 1),
        ("second", 2),
        ("third", 3),
        ("fifth", 5),
        ("eighth", 8),
        ("ninth", 9),
        ("twelfth", 12),
        ("once", 1),
        ("twice", 2),
        ("double", 2),
        ("half", 2),
        ("halves", 2),
        ("quarter", 4),
        ("dozen", 12),
    ];
    let known = |word: &str| {
        let cardinal = CARDINALS
            .iter()
            .position(|own| *own == word)
            .map(|value| value as u64);
        let tens = || {
            TENS.iter()
                .position(|own| *own == word)
                .map(|place| (place as u64 + 2) * 10)
        };
        let irregular = || {
            IRREGULAR
                .iter()
                .find(|(own, _)| *own == word)
                .map(|(_, value)| *value)
        };
        cardinal.or_else(tens).or_else(irregular)
    };
    let ordinal = |word: &str| match word.strip_suffix("ieth") {
        Some(stem) => known(&format!("{stem}y")),
        None => word.strip_suffix("th").and_then(known),
    };
    let whole = |word: &str| known(word).or_else(|| ordinal(word));
    whole(word).or_else(|| word.strip_suffix('s').and_then(whole))
}

/// Adds the numbers that words spell out: each word by itself, and each run of them
/// (`two hundred and five`).
fn spelled_out(words: &[String], found: &mut BTreeSet<Number>) {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let (mut total, mut section, mut running) = (0u64, 0u64, false);
    for (index, word) in words.iter().enumerate() {
        if let Some(month) = MONTHS.iter().position(|own| own == word) {
            found.insert(format!("month {}", month + 1));
        }
        match word.as_str() {
            // What is one is often not counted.
            "a" | "an" | "each" | "every" | "per" | "single" => _ = found.insert("1".to_string()),
            "half" | "halves" | "semi" => found.extend(["1", "2", "0.5"].map(str::to_string)),
            "quarter" => _ = found.insert("1".to_string()),
            _ => {}
        }
        if let Some(value) = value_of(word) {
            found.insert(value.to_string());
            // Words that only stand together are added up as well (`two fifths` gives 2, 5 and 7).
            // That may excuse a lost number; it never accuses, as only digits can be invented.
            section = section.saturating_add(value);
            running = true;
        } else if let Some(zeros) = zeros_of(word).filter(|_| running) {
            // At most a billion, which fits.
            let unit = 10u64.pow(zeros as u32);
            found.insert(unit.to_string());
            if unit == 100 {
                section = section.max(1).saturating_mul(unit);
            } else {
                total = total.saturating_add(section.max(1).saturating_mul(unit));
                section = 0;
            }
        } else if !(running
            && word == "and"
            && words
                .get(index + 1)
                .is_some_and(|next| value_of(next).is_some()))
        {
            (total, section, running) = (0, 0, false);
            continue;
        }
        found.insert(total.saturating_add(section).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(numbers: &[&str]) -> BTreeSet<Number> {
        numbers.iter().map(|number| number.to_string()).collect()
    }

    #[test]
    fn an_exercise_is_numbered_apart() {
        assert_eq!(in_digits(&plain("4.2019年")), in_digits("4 2019"));
        assert_eq!(in_digits(&plain("有4.2019吨")), in_digits("4.2019"));
    }

    #[test]
    fn digits_are_read_in_plain_form() {
        let found = in_digits(&plain_width("３个, 2.50元, 007, (3/5), 15%, 2 and 2"));
        let expected = [
            ("0", 0),
            ("3", 2),
            ("2.5", 1),
            ("7", 1),
            ("5", 1),
            ("15", 1),
            ("2", 2),
        ];
        for (number, count) in expected {
            assert_eq!(
                found.get(number).copied().unwrap_or_default(),
                count,
                "{number}"
            );
        }
    }

    #[test]
    fn thousands_may_be_grouped() {
        for text in [
            "1,200,000 people",
            "1 200 000 people",
            "1{,}200{,}000 people",
            "1.2 million people",
        ] {
            assert!(given(text).contains("1200000"), "{text}");
            assert_eq!(
                invented("有1200000人", text),
                Vec::<Number>::new(),
                "{text}"
            );
            assert_eq!(invented("有120万人", text), Vec::<Number>::new(), "{text}");
        }
        // A pair of numbers is not one.
        assert!(given("(100,200)").is_superset(&set(&["100", "200"])));
        assert_eq!(
            invented("点(100,200)", "the point (100,200)"),
            Vec::<Number>::new()
        );
    }

    #[test]
    fn words_count_as_numbers() {
        let text = "Twenty-five of the three hundred and seven pupils read two fifths of half a dozen books twice";
        assert!(
            given(text).is_superset(&set(&["25", "20", "5", "307", "2", "0.5", "1", "12"])),
            "{:?}",
            given(text)
        );
        assert!(given("two thousand and forty").contains("2040"));
        assert!(given("the twentieth of May").is_superset(&set(&["20", "month 5"])));
        assert!(!given("some people").contains("1"));
    }

    #[test]
    fn chinese_units_may_be_multiplied_out() {
        let forms = |text: &str| {
            wanted(text)
                .into_iter()
                .flat_map(|wanted| wanted.forms)
                .collect::<BTreeSet<_>>()
        };
        assert!(forms("3.5万吨").is_superset(&set(&["3.5", "35000", "35"])));
        assert!(forms("2亿").is_superset(&set(&["2", "200000000", "200", "0.2"])));
        assert!(forms("5月3日").is_superset(&set(&["5", "month 5", "3"])));
        assert!(!forms("13月").contains("month 13"));
    }

    #[test]
    fn chinese_numerals_may_become_digits() {
        for (numeral, value) in [
            ("三", "3"),
            ("十二", "12"),
            ("二百零五", "205"),
            ("三万二千", "32000"),
            ("两", "2"),
        ] {
            assert!(
                chinese(numeral).contains(&value.to_string()),
                "{numeral}: {:?}",
                chinese(numeral)
            );
        }
        assert!(chinese("二〇二三").contains(&"2023".to_string()));
        assert_eq!(
            invented("三个苹果和半个梨", "3 apples and 1/2 of a pear, 4 in all"),
            ["4"]
        );
    }

    #[test]
    fn powers_of_ten_move_the_point() {
        for (number, zeros, expected) in [
            ("3.5", 4, "35000"),
            ("120", -2, "1.2"),
            ("5", -2, "0.05"),
            ("0.25", 2, "25"),
        ] {
            assert_eq!(shifted(number, zeros), expected);
        }
    }
}
