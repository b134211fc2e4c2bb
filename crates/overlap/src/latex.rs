//! What LaTeX commands and mathematical signs stand for, so that both ways of writing have one
//! normal form.

/// What a command or sign becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Nothing: spacing, style, sizes.
    Nothing,
    /// A word.
    Word(&'static str),
    /// Signs that count for exact matching.
    Signs(&'static str),
}

use Meaning::{Nothing, Signs, Word};

/// Commands for spacing, fonts, sizes and dots. Their arguments stay.
const NOTHING: [&str; 60] = [
    "Big",
    "Bigg",
    "Biggl",
    "Biggr",
    "Bigl",
    "Bigr",
    "big",
    "bigg",
    "biggl",
    "biggr",
    "bigl",
    "bigr",
    "bigskip",
    "bf",
    "bm",
    "boldsymbol",
    "cdots",
    "displaystyle",
    "dots",
    "dotsc",
    "emph",
    "ensuremath",
    "hbox",
    "hfill",
    "hphantom",
    "hspace",
    "it",
    "ldots",
    "left",
    "limits",
    "lvert",
    "mathbb",
    "mathbf",
    "mathcal",
    "mathit",
    "mathop",
    "mathrm",
    "mathsf",
    "mbox",
    "medskip",
    "mid",
    "newline",
    "noindent",
    "nolimits",
    "operatorname",
    "phantom",
    "qquad",
    "quad",
    "right",
    "rm",
    "rvert",
    "text",
    "textbf",
    "textit",
    "textrm",
    "textstyle",
    "thinspace",
    "underline",
    "vert",
    "vspace",
];

/// Commands with a sign of their own, or another name for the same.
const COMMANDS: [(&str, Meaning); 25] = [
    ("dfrac", Word("frac")),
    ("tfrac", Word("frac")),
    ("cfrac", Word("frac")),
    ("rightarrow", Word("to")),
    ("longrightarrow", Word("to")),
    ("degree", Word("circ")),
    ("varnothing", Word("emptyset")),
    ("varphi", Word("phi")),
    // As `<=` of plain text is split into its two signs.
    ("le", Signs("< =")),
    ("leq", Signs("< =")),
    ("leqslant", Signs("< =")),
    ("ge", Signs("> =")),
    ("geq", Signs("> =")),
    ("geqslant", Signs("> =")),
    ("lt", Signs("<")),
    ("gt", Signs(">")),
    ("ne", Signs("≠")),
    ("neq", Signs("≠")),
    ("approx", Signs("≈")),
    ("times", Signs("*")),
    ("cdot", Signs("*")),
    ("ast", Signs("*")),
    ("div", Signs("/")),
    ("pm", Signs("±")),
    ("slash", Signs("/")),
];

/// Signs other than letters and digits. What is not here parts words and is else nothing.
const SIGNS: [(char, Meaning); 35] = [
    ('+', Signs("+")),
    ('=', Signs("=")),
    ('<', Signs("<")),
    ('>', Signs(">")),
    ('/', Signs("/")),
    ('\u{2044}', Signs("/")),
    ('\u{2215}', Signs("/")),
    ('÷', Signs("/")),
    ('%', Signs("%")),
    ('×', Signs("*")),
    ('·', Signs("*")),
    ('⋅', Signs("*")),
    ('±', Signs("±")),
    ('≤', Signs("< =")),
    ('⩽', Signs("< =")),
    ('≥', Signs("> =")),
    ('⩾', Signs("> =")),
    ('≠', Signs("≠")),
    ('≈', Signs("≈")),
    ('√', Word("sqrt")),
    ('∞', Word("infty")),
    ('°', Word("circ")),
    ('∠', Word("angle")),
    ('△', Word("triangle")),
    ('∈', Word("in")),
    ('∉', Word("notin")),
    ('∩', Word("cap")),
    ('∪', Word("cup")),
    ('⊂', Word("subset")),
    ('⊥', Word("perp")),
    ('∥', Word("parallel")),
    ('∅', Word("emptyset")),
    ('→', Word("to")),
    ('∑', Word("sum")),
    ('∫', Word("int")),
];

const GREEK: [(char, &str); 25] = [
    ('α', "alpha"),
    ('β', "beta"),
    ('γ', "gamma"),
    ('δ', "delta"),
    ('ε', "epsilon"),
    ('ζ', "zeta"),
    ('η', "eta"),
    ('θ', "theta"),
    ('ι', "iota"),
    ('κ', "kappa"),
    ('λ', "lambda"),
    ('μ', "mu"),
    ('ν', "nu"),
    ('ξ', "xi"),
    ('ο', "omicron"),
    ('π', "pi"),
    ('ρ', "rho"),
    ('σ', "sigma"),
    ('ς', "sigma"),
    ('τ', "tau"),
    ('υ', "upsilon"),
    ('φ', "phi"),
    ('χ', "chi"),
    ('ψ', "psi"),
    ('ω', "omega"),
];

/// What a command (without its backslash) stands for; `None` where its name is a word as any other.
pub(crate) fn command(name: &str) -> Option<Meaning> {
    if NOTHING.contains(&name) {
        return Some(Nothing);
    }
    COMMANDS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, meaning)| *meaning)
}

/// What a character that is neither letter nor digit stands for.
pub(crate) fn sign(c: char) -> Meaning {
    SIGNS
        .iter()
        .find(|(known, _)| *known == c)
        .map_or(Nothing, |(_, meaning)| *meaning)
}

/// The name of a Greek letter in lower case.
pub(crate) fn greek(c: char) -> Option<&'static str> {
    GREEK
        .iter()
        .find(|(known, _)| *known == c)
        .map(|(_, name)| *name)
}
