//! Notations that other notations say as well: the fractions of plain TeX, numbers with units of
//! `siunitx`, matrices of plain TeX, numbers with the separators of other countries.

use std::borrow::Cow;

/// No text has more of these than it is worth to respell.
const MAX_RESPELLED: usize = 16;

/// The open ends of an interval: round brackets may as well hold a tuple.
const OPEN_START: &str = "\u{2985}";
const OPEN_END: &str = "\u{2986}";

/// The text in the one notation that the reader knows.
pub(super) fn respelled(text: Cow<'_, str>) -> Cow<'_, str> {
    if let Some(number) = foreign_number(&text) {
        return Cow::Owned(number);
    }
    if is_indian(undelimited(&text)) {
        return Cow::Owned(undelimited(&text).replace(',', ""));
    }
    if let Some(list) = number_list(&text) {
        return Cow::Owned(list);
    }
    let mut text = text;
    if text.contains("{:}") {
        text = Cow::Owned(text.replace("{:}", ":"));
    }
    if let Some(turned) = outward_brackets(&text) {
        text = Cow::Owned(turned);
    }
    if let Some(excepted) = excepted(&text) {
        return Cow::Owned(excepted);
    }
    if !has_command(&text) {
        return text;
    }
    for (command, respell) in INFIXES {
        // Every turn copies the text: the limit keeps the work linear in it.
        for _ in 0..MAX_RESPELLED {
            match infix(&text, command, respell) {
                Some(changed) => text = Cow::Owned(changed),
                None => break,
            }
        }
    }
    for _ in 0..MAX_RESPELLED {
        match measured(&text).or_else(|| plain_matrix(&text)) {
            Some(changed) => text = Cow::Owned(changed),
            None => break,
        }
    }
    text
}

/// Intervals whose open ends have brackets that face outward, with the signs for open ends: `]1, 3[`,
/// `[1, 3[`. Only where all square brackets of the text pair up, one after the other, around two ends
/// each.
fn outward_brackets(text: &str) -> Option<String> {
    const MAX_INTERVALS: usize = 16;
    // Most texts have no bracket at all, and most others `[` … `]`.
    let first = text.bytes().position(|byte| matches!(byte, b'[' | b']'))?;
    let faces_outward = |at: usize| text.as_bytes()[at] == b']';
    let last = text.bytes().rposition(|byte| matches!(byte, b'[' | b']'))?;
    if !faces_outward(first) && faces_outward(last) && !text.contains('∪') && !text.contains("cup")
    {
        return None;
    }
    let mut places = text.match_indices(['[', ']']);
    let mut turned = String::with_capacity(text.len());
    let (mut copied, mut outward, mut count) = (0, false, 0);
    while let Some((open, left)) = places.next() {
        let (close, right) = places.next()?;
        count += 1;
        let ends = &text[open + 1..close];
        // `(1, 2]` closes what a round bracket opened.
        let balanced = is_balanced(&text[copied..open]);
        if count > MAX_INTERVALS || !balanced || !are_two_ends(ends) {
            return None;
        }
        outward |= left == "]" || right == "[";
        turned.push_str(&text[copied..open]);
        turned.push_str(if left == "]" { OPEN_START } else { "[" });
        // Between numbers with a decimal comma stands a semicolon.
        match ends.split_once(';') {
            Some((lower, upper)) => {
                turned.push_str(&lower.replace(',', "."));
                turned.push(',');
                turned.push_str(&upper.replace(',', "."));
            }
            None => turned.push_str(ends),
        }
        turned.push_str(if right == "[" { OPEN_END } else { "]" });
        copied = close + 1;
    }
    turned.push_str(&text[copied..]);
    outward.then_some(turned)
}

fn is_balanced(text: &str) -> bool {
    text.matches('(').count() == text.matches(')').count()
}

/// Whether a text has two parts with one separator between them, outside of brackets.
fn are_two_ends(text: &str) -> bool {
    if text.trim_start().starts_with([',', ';']) || text.trim_end().ends_with([',', ';']) {
        return false;
    }
    let (mut depth, mut commas, mut semicolons) = (0_usize, 0, 0);
    for sign in text.bytes() {
        match sign {
            b'(' | b'{' => depth += 1,
            b')' | b'}' => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return false,
            },
            b',' if depth == 0 => commas += 1,
            b';' if depth == 0 => semicolons += 1,
            _ => {}
        }
    }
    // `\;` is a space and would be counted, which only leaves such a text as it is.
    depth == 0 && (semicolons == 1 || semicolons == 0 && commas == 1)
}

/// Whether any command that is respelled may be there: most texts have none, which one pass shows.
fn has_command(text: &str) -> bool {
    const HEADS: [&str; 11] = [
        "over", "choose", "brack", "SI", "si{", "qty", "num", "ang{", "unit", "pmatrix{", "matrix{",
    ];
    text.match_indices('\\').any(|(at, _)| {
        let rest = &text[at + 1..];
        matches!(
            rest.as_bytes().first(),
            Some(b'o' | b'c' | b'b' | b'S' | b's' | b'q' | b'n' | b'a' | b'u' | b'p' | b'm' | b'v')
        ) && (HEADS.iter().any(|head| rest.starts_with(head))
            || rest.starts_with("bmatrix{")
            || rest.starts_with("vmatrix{"))
    })
}

/// Commands between two arguments, and the command that stands before both.
const INFIXES: [(&str, &str); 3] = [
    ("\\over", "\\frac"),
    ("\\choose", "\\binom"),
    ("\\brack", "\\frac"),
];

/// `{a \over b}` as `{\frac{a}{b}}`. Without braces the arguments reach to the signs of relation.
fn infix(text: &str, command: &str, prefix: &str) -> Option<String> {
    let at = text
        .match_indices(command)
        .map(|(at, _)| at)
        .find(|at| !text[at + command.len()..].starts_with(|c: char| c.is_ascii_alphabetic()))?;
    let start =
        bound(text[..at].char_indices().rev(), '}', '{').map_or(0, |(at, c)| at + c.len_utf8());
    let behind = at + command.len();
    let end =
        bound(text[behind..].char_indices(), '{', '}').map_or(text.len(), |(to, _)| behind + to);
    let (over, under) = (text[start..at].trim(), text[behind..end].trim());
    let parts = [
        &text[..start],
        prefix,
        "{",
        over,
        "}{",
        under,
        "}",
        &text[end..],
    ];
    (!over.is_empty() && !under.is_empty()).then(|| parts.concat())
}

/// The first sign that ends an argument on this side.
fn bound(
    signs: impl Iterator<Item = (usize, char)>,
    opens: char,
    closes: char,
) -> Option<(usize, char)> {
    let mut depth = 0_usize;
    for (at, sign) in signs {
        if sign == opens {
            depth += 1;
        } else if sign == closes {
            match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return Some((at, sign)),
            }
        } else if depth == 0 && matches!(sign, '=' | '<' | '>' | '$' | ',' | ';' | '&') {
            return Some((at, sign));
        }
    }
    None
}

/// `\SI{5}{\metre\per\second}` as `5\text{ metre per second}`, `\num{5}` as `5`, `\ang{30}` as
/// `30^{\circ}`.
fn measured(text: &str) -> Option<String> {
    const COMMANDS: [(&str, usize); 6] = [
        ("\\SI{", 2),
        ("\\qty{", 2),
        ("\\num{", 1),
        ("\\ang{", 1),
        ("\\unit{", 1),
        ("\\si{", 1),
    ];
    let (at, command, arguments) = COMMANDS
        .iter()
        .find_map(|(command, arguments)| Some((text.find(command)?, *command, *arguments)))?;
    let (first, mut rest) = argument(&text[at + command.len() - 1..])?;
    let value = match command {
        "\\ang{" => format!("{first}^{{\\circ}}"),
        // siunitx takes a comma for a decimal mark.
        "\\num{" => first.replace(',', "."),
        "\\unit{" | "\\si{" => unit_words(first),
        _ => {
            let (unit, behind) = argument(rest).filter(|_| arguments == 2)?;
            rest = behind;
            first.to_owned() + &unit_words(unit)
        }
    };
    Some([&text[..at], &value, rest].concat())
}

/// `\metre\per\second\squared` in words.
fn unit_words(unit: &str) -> String {
    const PREFIXES: [(&str, &str); 6] = [
        ("\\kilo\\", "kilo"),
        ("\\centi\\", "centi"),
        ("\\milli\\", "milli"),
        ("\\micro\\", "micro"),
        ("\\mega\\", "mega"),
        ("\\giga\\", "giga"),
    ];
    let mut words = unit.to_owned();
    for (prefix, joined) in PREFIXES {
        words = words.replace(prefix, &format!("\\{joined}"));
    }
    let words = words.replace(['\\', '.', '~'], " ");
    let squared = words.replace(" squared", "^2").replace(" cubed", "^3");
    format!("\\text{{ {} }}", squared.trim())
}

/// The argument in the braces that a text starts with, and the rest.
fn argument(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    for (at, sign) in text.char_indices() {
        match sign {
            '{' => depth += 1,
            '}' if depth == 1 => return Some((&text[1..at], &text[at + 1..])),
            '}' => depth = depth.checked_sub(1)?,
            _ if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// `\pmatrix{1&2\cr3&4}` as an environment.
fn plain_matrix(text: &str) -> Option<String> {
    const NAMES: [&str; 4] = ["pmatrix", "bmatrix", "vmatrix", "matrix"];
    let (at, name) = NAMES
        .iter()
        .find_map(|name| Some((text.find(&format!("\\{name}{{"))?, *name)))?;
    let (rows, rest) = argument(&text[at + 1 + name.len()..])?;
    let rows = rows
        .trim_end()
        .trim_end_matches("\\cr")
        .replace("\\cr", "\\\\ ");
    let (begin, end) = (format!("\\begin{{{name}}}"), format!("\\end{{{name}}}"));
    Some([&text[..at], &begin, &rows, &end, rest].concat())
}

/// A whole text that is a number with the separators of some country, in plain digits. Only what
/// can be nothing else: `1.234,56`, `1.234.567`, `1'234.5`, `1 234,5`, `12,34,567`, `1_000`.
pub(super) fn foreign_number(text: &str) -> Option<String> {
    const MAX_BYTES: usize = 60;
    let other =
        |byte: u8| byte.is_ascii_alphabetic() || b"+*/^=()[]<>|&%".contains(&byte) || byte == b'\n';
    if text.len() > MAX_BYTES || text.bytes().any(other) {
        return None;
    }
    let bare = text.trim_matches(['$', ' ']);
    let (sign, digits) = match bare.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", bare),
    };
    let spaced = [
        "\\;", "\\:", "\\,", "\\ ", "~", "\u{202f}", "\u{a0}", "\u{2009}",
    ]
    .iter()
    .fold(digits.to_owned(), |text, space| text.replace(space, " "));
    let number = spaced.replace(['’', '`'], "'");
    if !number
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b".,' _{}".contains(&byte))
    {
        return None;
    }
    plain_number(&number).map(|plain| format!("{sign}{plain}"))
}

fn plain_number(number: &str) -> Option<String> {
    // `3{,}14` is a decimal, `3{,}140` a group.
    if let Some((whole, fraction)) = number.split_once("{,}") {
        let decimal = is_digits(whole) && is_digits(fraction) && fraction.len() != 3;
        return decimal.then(|| format!("{whole}.{fraction}"));
    }
    for mark in ['.', ' ', '\''] {
        // Groups with a mark of their own leave the comma for the decimal point.
        if let Some((whole, fraction)) = number.split_once(',')
            && is_digits(fraction)
            && is_grouped(whole, mark)
        {
            return Some(format!("{}.{fraction}", whole.replace(mark, "")));
        }
    }
    if number.matches('.').count() >= 2 && is_grouped(number, '.') {
        return Some(number.replace('.', ""));
    }
    for mark in ['\'', '_', ' '] {
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if is_grouped(whole, mark) && fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            let point = if fraction.is_empty() { "" } else { "." };
            return Some([&whole.replace(mark, ""), point, fraction].concat());
        }
    }
    is_indian(number).then(|| number.replace(',', ""))
}

/// `25,100,55` with blanks behind its commas: not all of them divide thousands, and so none does. A
/// group such as `050` is no number of a list.
fn number_list(text: &str) -> Option<String> {
    let bare = undelimited(text);
    let is_number = |part: &str| {
        let digits = part.strip_prefix('-').unwrap_or(part);
        is_digits(digits) && (digits.len() == 1 || !digits.starts_with('0'))
    };
    let is_list = bare.matches(',').count() >= 2
        && bare.split(',').all(is_number)
        && !is_grouped(bare.strip_prefix('-').unwrap_or(bare), ',')
        && !is_indian(bare);
    is_list.then(|| bare.replace(',', ", "))
}

/// `36,36,108` as a list, where the other side is one: it may be a number with the groups of India.
pub(crate) fn list_beside(text: &str, other: &str) -> Option<String> {
    let bare = undelimited(text);
    let listed = other.contains(", ") || other.contains(" and ") || number_list(other).is_some();
    (listed && is_indian(bare)).then(|| bare.replace(',', ", "))
}

/// Without the delimiters of a formula.
fn undelimited(text: &str) -> &str {
    let mut bare = text.trim_matches(['$', ' ', '.']);
    for (open, close) in [("\\(", "\\)"), ("\\[", "\\]"), ("\\displaystyle", "")] {
        let inner = bare.strip_prefix(open);
        let inner = inner.and_then(|inner| inner.strip_suffix(close));
        bare = inner.map_or(bare, |inner| inner.trim_matches([' ', '.']));
    }
    bare
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Groups of three behind one to three digits, at least one of them.
fn is_grouped(text: &str, mark: char) -> bool {
    let mut groups = text.split(mark);
    let first = groups.next().unwrap_or_default();
    let mut count = 0;
    let threes = groups.all(|group| {
        count += 1;
        group.len() == 3 && is_digits(group)
    });
    threes && count > 0 && (1..=3).contains(&first.len()) && is_digits(first) && first != "0"
}

/// `12,34,567`: groups of two before the last three digits. Round numbers that rise, such as
/// `10,20,300`, are a list.
fn is_indian(text: &str) -> bool {
    let groups: Vec<&str> = text.split(',').collect();
    let [first, middle @ .., last] = groups.as_slice() else {
        return false;
    };
    let is_round = |group: &&str| group.ends_with('0') && !group.starts_with('0');
    !groups.iter().all(is_round)
        && !middle.is_empty()
        && (1..=2).contains(&first.len())
        && middle.iter().all(|group| group.len() == 2)
        && last.len() == 3
        && groups.iter().all(|group| is_digits(group))
}

/// `all real numbers except 0` as a difference of sets.
fn excepted(text: &str) -> Option<String> {
    const HEADS: [&str; 6] = [
        "all real numbers except ",
        "all reals except ",
        "all real numbers but ",
        "all real numbers other than ",
        "all real x except ",
        "any real number except ",
    ];
    if !text.contains("real") {
        return None;
    }
    let plain = super::words::unwrapped(text);
    let lowered = plain.to_lowercase();
    let head = HEADS.iter().find(|head| lowered.starts_with(**head))?;
    let points = plain[head.len()..].trim().replace(" and ", ", ");
    let points = points
        .split_once('=')
        .map_or(points.as_str(), |(_, value)| value);
    Some(format!("\\mathbb{{R}} \\setminus \\{{{points}\\}}"))
}
