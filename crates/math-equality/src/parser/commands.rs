//! Commands of LaTeX and what each means to the lexer.

use super::tokens::{Bracket, Kind, Large, Named, Style};
use crate::{
    expr::{Constant, Function},
    value::Comparison,
};

/// What a command means.
pub(super) enum Meaning<'t> {
    /// A token.
    Token(Kind<'t>),
    /// Nothing at all.
    Nothing,
    /// White space.
    Space,
    /// A wide space.
    Gap,
    /// A size for the delimiter behind it, such as `\left`.
    Delimiter,
    /// Its argument counts, in that style; `None` keeps the style.
    Transparent(Option<Style>),
    /// As `\mathbf`: its argument counts, and a single `i`, `j` or `k` is a unit vector.
    Bold,
    /// `\mathbb`.
    Blackboard,
    /// Its argument is dropped, as that of `\hspace`.
    Dropped,
    /// A name or a colour in braces that is dropped, and braces behind it that are not.
    Styled,
    /// Its argument is an exponent in running text.
    Superscript,
    /// Its argument is an index in running text.
    Subscript,
    Begin,
    End,
    /// `\not`: negates the relation behind it.
    Not,
    /// `\textcircled`.
    Circled,
}

/// The meaning of the command with that name.
pub(super) fn meaning(name: &str) -> Meaning<'_> {
    use Meaning::*;
    match name {
        "left" | "right" | "middle" | "big" | "Big" | "bigg" | "Bigg" | "bigl" | "bigr"
        | "Bigl" | "Bigr" | "biggl" | "biggr" | "Biggl" | "Biggr" | "bigm" => Delimiter,
        "displaystyle" | "textstyle" | "limits" | "nolimits" | "hline" | "textbackslash"
        | "tiny" | "scriptsize" | "footnotesize" | "small" | "normalsize" | "large" | "Large"
        | "LARGE" | "huge" | "Huge" | "strut" | "relax" | "allowbreak" | "hfill" | "centering"
        | "bf" | "it" | "scriptstyle" | "dsize" | "nonumber" | "notag" | "!" | "/" => Nothing,
        "," | ":" | ";" | " " | "\n" | "\t" | "space" | "thinspace" | "enspace"
        | "nobreakspace" => Space,
        "quad" | "qquad" | "newline" | "par" => Gap,
        "text" | "mbox" | "textrm" | "textbf" | "textit" | "textnormal" | "mathrm"
        | "operatorname" | "mathsf" | "textup" | "textsf" | "hbox" | "texttt" | "mathtt"
        | "mathop" | "emph" => Transparent(Some(Style::Words)),
        "rm" => Transparent(Some(Style::Words)),
        "mathit" | "mathcal" | "mathfrak" | "mathscr" | "underline" | "mathnormal"
        | "ensuremath" | "smash" => Transparent(None),
        "mathbf" | "boldsymbol" | "bm" | "pmb" | "bold" => Bold,
        "mathbb" | "Bbb" => Blackboard,
        "hspace" | "vspace" | "phantom" | "hphantom" | "vphantom" | "label" | "tag" | "color" => {
            Dropped
        }
        "textcolor" | "colorbox" | "style" | "class" | "cssId" | "href" | "bbox" => Styled,
        "textsuperscript" => Superscript,
        "textsubscript" => Subscript,
        "begin" => Begin,
        "end" => End,
        "not" => Not,
        "textcircled" => Circled,
        _ => match token(name) {
            Some(kind) => Token(kind),
            None => Token(Kind::Unknown),
        },
    }
}

fn token(name: &str) -> Option<Kind<'_>> {
    operator(name)
        .or_else(|| comparison(name))
        .or_else(|| named(name))
}

fn operator(name: &str) -> Option<Kind<'_>> {
    use Bracket::*;
    Some(match name {
        "frac" | "dfrac" | "tfrac" | "cfrac" | "nicefrac" | "sfrac" | "flatfrac" | "xfrac" => {
            Kind::Frac
        }
        "sqrt" => Kind::Sqrt,
        "binom" | "dbinom" | "tbinom" => Kind::Binomial,
        "cdot" | "times" | "ast" | "cdotp" | "bullet" | "centerdot" => Kind::Times,
        "div" => Kind::Divide,
        "pm" => Kind::PlusMinus,
        "mp" => Kind::MinusPlus,
        "cup" | "bigcup" => Kind::Cup,
        "cap" | "bigcap" => Kind::Cap,
        "setminus" | "backslash" | "smallsetminus" => Kind::SetMinus,
        "mid" => Kind::Mid,
        "vert" | "lvert" | "rvert" | "textbar" => Kind::Bar,
        "Vert" | "lVert" | "rVert" | "|" => Kind::DoubleBar,
        "lfloor" => Kind::Open(Floor),
        "rfloor" => Kind::Close(Floor),
        "lceil" => Kind::Open(Ceil),
        "rceil" => Kind::Close(Ceil),
        "langle" => Kind::Open(Angle),
        "rangle" => Kind::Close(Angle),
        "{" | "lbrace" => Kind::Open(Brace),
        "}" | "rbrace" => Kind::Close(Brace),
        "lbrack" => Kind::Open(Square),
        "rbrack" => Kind::Close(Square),
        "colon" => Kind::Colon,
        "prime" => Kind::Prime,
        "circ" | "degree" | "textdegree" => Kind::Degree,
        "%" => Kind::Percent,
        "$" | "textdollar" => Kind::Currency("dollar"),
        "pounds" | "pound" | "textsterling" => Kind::Currency("pound sterling"),
        "euro" | "texteuro" => Kind::Currency("euro"),
        "yen" | "textyen" => Kind::Currency("yuan"),
        "_" => Kind::Underscore,
        "&" => Kind::And,
        "bmod" | "mod" => Kind::Mod,
        "pmod" | "pod" => Kind::ModGroup,
        "sum" => Kind::Large(Large::Sum),
        "prod" => Kind::Large(Large::Product),
        "int" | "iint" | "iiint" | "oint" => Kind::Large(Large::Integral),
        "lim" => Kind::Large(Large::Limit),
        "ldots" | "dots" | "cdots" | "vdots" | "ddots" | "dotsc" | "dotsb" | "textellipsis" => {
            Kind::Dots
        }
        "emptyset" | "varnothing" | "O" => Kind::EmptySet,
        _ => return None,
    })
}

fn comparison(name: &str) -> Option<Kind<'_>> {
    use Comparison::*;
    Some(Kind::Compare(match name {
        "le" | "leq" | "leqslant" | "leqq" | "lte" => LessOrEqual,
        "ge" | "geq" | "geqslant" | "geqq" | "gte" => GreaterOrEqual,
        "lt" | "textless" => Less,
        "gt" | "textgreater" => Greater,
        "ne" | "neq" => NotEqual,
        "approx" | "thickapprox" | "approxeq" | "doteq" | "simeq" => Approximately,
        "in" => In,
        "equiv" => Congruent,
        "land" | "wedge" => Other('∧'),
        "lor" | "vee" => Other('∨'),
        "oplus" => Other('⊕'),
        "gets" | "leftarrow" | "longleftarrow" => Other('←'),
        "leftrightarrow" => Other('↔'),
        "Leftarrow" | "impliedby" | "Longleftarrow" => Other('⇐'),
        "subsetneq" => Other('⊊'),
        "nsubseteq" => Other('⊈'),
        "ni" => Other('∋'),
        "vdash" => Other('⊢'),
        "models" => Other('⊨'),
        "notin" => Other('∉'),
        "sim" => Other('∼'),
        "cong" => Other('≅'),
        "perp" | "bot" => Other('⊥'),
        "parallel" => Other('∥'),
        "subset" => Other('⊂'),
        "subseteq" | "subseteqq" => Other('⊆'),
        "supset" => Other('⊃'),
        "supseteq" => Other('⊇'),
        "propto" => Other('∝'),
        "to" | "rightarrow" | "longrightarrow" => Other('→'),
        "mapsto" => Other('↦'),
        "Rightarrow" | "implies" | "Longrightarrow" => Other('⇒'),
        "Leftrightarrow" | "iff" => Other('⇔'),
        "ll" => Other('≪'),
        "gg" => Other('≫'),
        _ => return None,
    }))
}

fn named(name: &str) -> Option<Kind<'_>> {
    Some(match name {
        "infty" | "infinity" => Kind::Constant(Constant::Infinity),
        "pi" => Kind::Constant(Constant::Pi),
        "R" | "N" | "Z" | "Q" | "C" => Kind::NumberSet(char::from(name.as_bytes()[0])),
        "reals" | "Reals" => Kind::NumberSet('R'),
        "imath" => Kind::Constant(Constant::I),
        "ell" | "alpha" | "beta" | "gamma" | "delta" | "epsilon" | "zeta" | "eta" | "theta"
        | "iota" | "kappa" | "lambda" | "mu" | "nu" | "xi" | "rho" | "sigma" | "tau"
        | "upsilon" | "phi" | "chi" | "psi" | "omega" | "Gamma" | "Delta" | "Theta" | "Lambda"
        | "Xi" | "Sigma" | "Upsilon" | "Phi" | "Psi" | "Omega" | "Pi" | "partial" | "nabla"
        | "hbar" | "jmath" | "aleph" => Kind::Name(name),
        "varepsilon" => Kind::Name("epsilon"),
        "varphi" => Kind::Name("phi"),
        "vartheta" => Kind::Name("theta"),
        "varrho" => Kind::Name("rho"),
        "overline" | "bar" | "overrightarrow" | "vec" | "tilde" | "widetilde" | "dot" | "ddot"
        | "hat" | "widehat" | "overleftrightarrow" | "overset" | "overarc" => {
            Kind::Accent(match name {
                "bar" => "overline",
                "overrightarrow" => "vec",
                "widetilde" => "tilde",
                "widehat" => "hat",
                other => other,
            })
        }
        "neg" | "lnot" => Kind::Prefix("not"),
        "angle" | "measuredangle" => Kind::Prefix("angle"),
        "triangle" | "odot" | "square" | "parallelogram" | "bigtriangleup" => Kind::Prefix(name),
        _ => return function(name).map(Kind::Function),
    })
}

/// The function of that name; second names are for the tables to map.
pub(super) fn function(name: &str) -> Option<Named> {
    use Function::*;
    Some(Named::Known(match name {
        "ln" => Ln,
        "log" => LogUnbased,
        "sin" => Sin,
        "cos" => Cos,
        "tan" => Tan,
        "cot" => Cot,
        "sec" => Sec,
        "csc" => Csc,
        "arcsin" => Arcsin,
        "arccos" => Arccos,
        "arctan" => Arctan,
        "arccot" => Arccot,
        "arcsec" => Arcsec,
        "arccsc" => Arccsc,
        "sinh" => Sinh,
        "cosh" => Cosh,
        "tanh" => Tanh,
        "arcsinh" => Arsinh,
        "arccosh" => Arcosh,
        "arctanh" => Artanh,
        "abs" => Abs,
        "floor" => Floor,
        "ceil" => Ceil,
        "gcd" => Gcd,
        "lcm" => Lcm,
        "min" => Min,
        "max" => Max,
        "Re" => Re,
        "Im" => Im,
        "sgn" => Sign,
        "exp" => return Some(Named::Exp),
        "lg" => return Some(Named::Lg),
        "sech" => return Some(Named::Reciprocal(Cosh)),
        "csch" => return Some(Named::Reciprocal(Sinh)),
        "coth" => return Some(Named::Reciprocal(Tanh)),
        "cbrt" => return Some(Named::CubeRoot),
        "cis" => return Some(Named::Cis),
        "erf" => return Some(Named::Opaque("erf")),
        "erfc" => return Some(Named::Opaque("erfc")),
        "erfi" => return Some(Named::Opaque("erfi")),
        "adj" => return Some(Named::Opaque("adj")),
        "det" => return Some(Named::Opaque("det")),
        "arg" => return Some(Named::Opaque("arg")),
        "tr" => return Some(Named::Opaque("tr")),
        "dim" => return Some(Named::Opaque("dim")),
        "rank" => return Some(Named::Opaque("rank")),
        _ => return None,
    }))
}

/// The inverse of a trigonometric or hyperbolic function, for `\sin^{-1}`.
pub(super) fn inverse(function: Function) -> Option<Function> {
    use Function::*;
    Some(match function {
        Sin => Arcsin,
        Cos => Arccos,
        Tan => Arctan,
        Cot => Arccot,
        Sec => Arcsec,
        Csc => Arccsc,
        Sinh => Arsinh,
        Cosh => Arcosh,
        Tanh => Artanh,
        _ => return None,
    })
}
