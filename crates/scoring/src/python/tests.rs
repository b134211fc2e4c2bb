//! Comparison with CPython 3.11: sums over all code points, and literals tried by hand.

use super::*;

/// FNV-1a, 64 bits.
struct Sum(u64);

impl Sum {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: impl IntoIterator<Item = u8>) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
}

/// Each code point that has a lower case, followed by it.
#[test]
fn lower_case_is_that_of_unicode_14() {
    let (mut sum, mut count) = (Sum::new(), 0);
    for c in char::MIN..=char::MAX {
        let upper = c.to_string();
        let lowered = lower(&upper);
        if lowered != upper {
            sum.add((upper + &lowered).bytes());
            count += 1;
        }
    }
    assert_eq!((count, sum.0), (1433, 0xf5bd_647e_46d7_d31a));
}

/// Each code point that bears on the form of a capital sigma beside it, followed by whether the
/// sigma is final behind it, behind it and a letter, and between a letter on one side and it and a
/// letter on the other.
#[test]
fn final_sigma_is_that_of_unicode_14() {
    let mut sum = Sum::new();
    for c in (char::MIN..=char::MAX).filter(|&c| c != 'Σ') {
        let forms = [
            lower(&format!("{c}Σ")).ends_with('ς'),
            lower(&format!("a{c}Σ")).ends_with('ς'),
            lower(&format!("aΣ{c}a")).starts_with("aς"),
        ];
        if forms != [false, false, true] {
            sum.add(c.to_string().bytes().chain(forms.map(u8::from)));
        }
    }
    assert_eq!(sum.0, 0x0c09_2bb0_9e8c_d389);
}

#[test]
fn lower_knows_the_special_cases() {
    for (text, lowered) in [
        ("ΟΔΟΣ ΣΑΣ.", "οδος σας."),
        ("İI", "i\u{307}i"),
        ("ΑΣ\u{10d50}Α", "ας\u{10d50}α"),
        ("σς ΑΣ\u{301}", "σς ας\u{301}"),
        ("Ǆ ẞ K", "ǆ ß k"),
    ] {
        assert_eq!(lower(text), lowered);
    }
}

#[test]
fn space_is_that_of_str_isspace() {
    let mut sum = Sum::new();
    for c in (char::MIN..=char::MAX).filter(|&c| is_space(c)) {
        sum.add(c.to_string().bytes());
    }
    assert_eq!(sum.0, 0xb86a_e67a_f98e_c53a);
}

#[test]
fn digits_are_those_of_the_regex_crate_and_later_ones_apart() {
    let any_digit = regex::Regex::new(r"^\d$").expect("a pattern");
    let (mut sum, mut later) = (Sum::new(), Vec::new());
    for c in char::MIN..=char::MAX {
        let known = digit(c);
        assert_eq!(known.is_some(), is_digit(c), "{c:?}");
        match (known, any_digit.is_match(c.encode_utf8(&mut [0; 4]))) {
            (Some(value), true) => sum.add(c.to_string().bytes().chain([value])),
            (Some(_), false) => panic!("{c:?} is no digit"),
            (None, true) => later.push(c as u32),
            (None, false) => {}
        }
    }
    assert_eq!(sum.0, 0x927a_7909_1c4e_9a01);
    // What Unicode 15 and 16 added; a later one may add more.
    for zero in [
        0x10D40, 0x116D0, 0x116DA, 0x11BF0, 0x11F50, 0x16130, 0x16D70, 0x1CCF0, 0x1E4F0, 0x1E5F1,
    ] {
        assert!(
            later.contains(&zero),
            "{zero:#X} was no digit in Unicode 14"
        );
    }
}

#[test]
fn float_reads_what_python_reads() {
    for (text, value) in [
        ("1", 1.0),
        (" \t\r\n\u{b}\u{c}1 ", 1.0),
        ("\u{85}1\u{a0}", 1.0),
        ("1_0.0_1e0_1", 100.1),
        ("+.5", 0.5),
        ("5.", 5.0),
        ("1.e5", 100_000.0),
        ("1E+2", 100.0),
        ("１２٣", 123.0),
        ("१.५", 1.5),
        ("1e５", 100_000.0),
        ("１_０", 10.0),
        ("1e400", f64::INFINITY),
        ("-Infinity", f64::NEG_INFINITY),
        ("+inf", f64::INFINITY),
        ("0.1", 0.1),
        ("-0", 0.0),
    ] {
        assert_eq!(float(text), Some(value), "{text:?}");
    }
    assert!(float("-NaN").is_some_and(f64::is_nan));
    for text in [
        "",
        " ",
        ".",
        "+",
        "-",
        "e5",
        ".e5",
        "1e",
        "1e+",
        "1__0",
        "_1",
        "1_",
        "1_.0",
        "1._0",
        "1_e1",
        "1e_1",
        "- 1",
        "1 0",
        "--1",
        "0x1",
        "inf_",
        "i_nf",
        "infin",
        "nan1",
        "−1",
        "²",
        "½",
        "\u{1c}1",
        "1\u{1f}",
        "\u{1c}１",
        "1\0",
        "\u{200b}1",
        "1\u{7f}",
        "?",
        "1,000",
        "$1",
        "\u{1e4f0}",
    ] {
        assert_eq!(float(text), None, "{text:?}");
    }
}

#[test]
fn float_of_a_long_text_is_exact() {
    let zeros = "0".repeat(1_000_000);
    for (text, value) in [
        (format!("0.{zeros}1e1000001"), 1.0),
        (format!("-2{zeros}e-1000000"), -2.0),
        (format!("1{zeros}"), f64::INFINITY),
        (format!("1e{zeros}2"), 100.0),
        (format!("+{zeros}.{zeros}e9{zeros}"), 0.0),
        (format!("1e-9{zeros}"), 0.0),
        (format!("{zeros}.5{zeros}"), 0.5),
        ("0_".repeat(600) + "7", 7.0),
    ] {
        assert_eq!(float(&text), Some(value), "{}…", &text[..10]);
    }
    assert_eq!(float(&format!("1{zeros}e")), None);
    assert_eq!(float(&"1".repeat(4301)), Some(f64::INFINITY));
}
