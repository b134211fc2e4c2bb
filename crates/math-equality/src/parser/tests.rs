//! Forms of answers and what each is read as; what no text may do.

use proptest::prelude::*;

use super::parse;

/// A form and what it shows, class by class.
const FORMS: &[(&str, &str)] = &[
    // Integers and separators.
    ("42", "42"),
    ("-7", "-7"),
    ("$42$", "42"),
    (r"\(42\)", "42"),
    (r"\[ 42 \]", "42"),
    ("$$42$$", "42"),
    (r"\boxed{42}", "42"),
    ("**42**", "42"),
    ("42.", "42"),
    ("1,234,567", "1234567"),
    (r"32,\!349", "32349"),
    (r"11,\! 111,\! 111,\! 100", "11111111100"),
    ("32{,}349", "32349"),
    (r"3\,504", "3504"),
    ("32 349", "32349"),
    ("１２３", "123"),
    // Decimals.
    ("3.14", "157/50#3"),
    (".5", "1/2#1"),
    ("-.75", "-3/4#2"),
    ("1,000.99", "100099/100#6"),
    ("0,111", "111/1000#3"),
    ("1000,99", "100099/100#6"),
    (r"0.\overline{3}", "1/3"),
    (r"0.1\overline{6}", "1/6"),
    (r"0.\dot{3}", "1/3"),
    (r"6.5\times10^{3}", "6500#2"),
    (r"1.76 \times 10^{-10}", "11/62500000000#3"),
    ("6.5e3", "6500#2"),
    (
        r"2.314814814815 \times 10^{-3}",
        "462962962963/200000000000000#13",
    ),
    // Lists.
    ("1,2,3", "list(1,2,3)"),
    ("1, 234", "list(1,234)"),
    ("3,5", "list(3,5)"),
    ("3, 5 and 7", "list(3,5,7)"),
    (r"19, 46, \text{ and } 82", "list(19,46,82)"),
    ("0 或 3", "list(0,3)"),
    ("$5$;$10$", "list(5,10)"),
    (
        r"1+\sqrt 2,\ 1-\sqrt 2",
        "list(sum(1,pow(2,1/2)),sum(1,prod(-1,pow(2,1/2))))",
    ),
    ("$(45,2),(-10,-9)$", "list(tuple(45,2),tuple(-10,-9))"),
    (r"\boxed{1} and \boxed{2}", "list(1,2)"),
    (r"\boxed{1}\boxed{2}", "list(1,2)"),
    // Fractions and mixed numbers.
    (r"\frac12", "1/2"),
    (r"\frac{3}{4}", "3/4"),
    (r"-\dfrac{7}{9}", "-7/9"),
    (r"\tfrac{27}{8}", "27/8"),
    (r"\frac1{10}", "1/10"),
    (r"\frac{\sqrt6}3", "prod(pow(6,1/2),pow(3,-1))"),
    (r"\frac94\pi", "prod(9/4,pi)"),
    ("(3/5)", "3/5"),
    ("50/(1+(1/4))", "prod(50,pow(sum(1,1/4),-1))"),
    ("1(1/2)", "3/2"),
    ("29((1)/(5))", "146/5"),
    (r"1\frac12", "3/2"),
    (r"33 \frac{1}{3}", "100/3"),
    ("1 1/2", "3/2"),
    (r"-1\frac{1}{3}", "-4/3"),
    ("3½", "7/2"),
    ("2/0", "prod(2,pow(0,-1))"),
    // Percent, money, units.
    (r"33\%", "qty(33;%)"),
    ("15%", "qty(15;%)"),
    ("28 percent", "qty(28;%)"),
    ("1800/(1+20%)", "prod(1800,pow(sum(1,prod(20,1/100)),-1))"),
    (r"\$20", "qty(20;money dollar)"),
    ("$5", "qty(5;money dollar)"),
    (r"\$15,\!000", "qty(15000;money dollar)"),
    (r"-\$0.50", "qty(-1/2#2;money dollar)"),
    (r"5.4 \text{ cents}", "qty(27/5#2;money cent)"),
    ("$$27$$ dollars", "qty(27;money dollar)"),
    ("1,000.99€", "qty(100099/100#6;money euro)"),
    ("£$30$", "qty(30;money pound sterling)"),
    ("5元", "qty(5;money yuan)"),
    (r"0.06 \text{ yuan}", "qty(3/50#1;money yuan)"),
    ("3 million", "3000000"),
    ("10cm", "qty(10;cm)"),
    ("10 cm", "qty(10;cm)"),
    (r"0.25\,\text{ cm}", "qty(1/4#2;cm)"),
    (r"10\text{ cm}^{2}", "qty(10;cm^2)"),
    (r"864 \mbox{ inches}^2", "qty(864;in^2)"),
    (
        r"8\sqrt{3} \text { square inches}",
        "qty(prod(8,pow(3,1/2));in^2)",
    ),
    (
        r"1.4 \times 10^{9} \mathrm{~m}^{3}",
        "qty(1400000000#2;m^3)",
    ),
    (r"81 \mathrm{~km} / \mathrm{hr}", "qty(81;km/h)"),
    ("5 miles per hour", "qty(5;mi/h)"),
    (r"-(100 \mathrm{~N})", "qty(-100;N)"),
    ("5 apples", "qty(5;apple)"),
    (r"125\textnormal{ miles}", "qty(125;mi)"),
    (r"18\text{ ways.}", "qty(18;way)"),
    (r"9 \text{ multiples}", "qty(9;multiple)"),
    ("12千克", "qty(12;kg)"),
    ("10m", "prod(10,m)"),
    ("2 h", "qty(2;h)"),
    ("1 h 45 min", "list(qty(1;h),qty(45;min))"),
    // Degrees.
    (r"120^\circ", "qty(120;deg)"),
    (r"$90^{\circ}$", "qty(90;deg)"),
    (r"-5^\circ", "qty(-5;deg)"),
    ("45°", "qty(45;deg)"),
    (r"69\text{ degrees}", "qty(69;deg)"),
    (r"32^{\circ} \mathrm{F}", "qty(32;°F)"),
    (
        r"$179^{\circ} 59^{\prime} 56^{\prime \prime}$",
        "qty(sum(179,59/60,7/450);deg)",
    ),
    (r"\sin 30^\circ", "sin(degrees(30))"),
    (r"45^\circ, 135^\circ", "list(qty(45;deg),qty(135;deg))"),
    // Bases, ratios, times.
    ("4210_{7}", "base(1477_7)"),
    ("-221_3", "base(-25_3)"),
    ("152A_{11}", "base(1968_11)"),
    (r"204_{\text{five}}", "base(54_5)"),
    ("3:1", "ratio(3:1)"),
    ("$$12:9:10$$", "ratio(12:9:10)"),
    ("V_1:V_2=11:21", "rel(ratio(V_{1}:V_{2}) = ratio(11:21))"),
    ("3:45 p.m.", "time(3:45:00pm)"),
    (r"\text{4:30 p.m.}", "time(4:30:00pm)"),
    ("$$03:25$$", "time(3:25:00)"),
    ("20:34:00", "time(20:34:00)"),
    (r"9\text{ a.m.}", "time(9:00:00am)"),
    // Roots and powers.
    (r"\sqrt2", "pow(2,1/2)"),
    (r"5 \sqrt[3]{3}", "prod(5,pow(3,1/3))"),
    ("√10", "pow(10,1/2)"),
    ("sqrt(3)", "pow(3,1/2)"),
    (r"\sqrt{65}", "pow(65,1/2)"),
    ("2^{2005}", "pow(2,2005)"),
    ("2**3", "pow(2,3)"),
    ("2^10", "pow(2,10)"),
    ("10^{10^{10}}", "pow(10,pow(10,10))"),
    ("2^6 * 3^5", "prod(pow(2,6),pow(3,5))"),
    ("2^6 3^5", "prod(pow(2,6),pow(3,5))"),
    ("5 4.6", "text(5 4.6)"),
    ("x^2/4", "prod(pow(x,2),pow(4,-1))"),
    ("e^{-x / 3}", "pow(E,prod(-1,prod(x,pow(3,-1))))"),
    ("e^(-x)", "pow(E,prod(-1,x))"),
    // Constants and complex numbers.
    (r"256 \pi", "prod(256,pi)"),
    (r"\frac{\pi}{2}", "prod(pi,pow(2,-1))"),
    ("2pi", "prod(2,pi)"),
    ("3+4i", "sum(3,prod(4,I))"),
    (
        r"-\frac{1}{3}+\frac{\sqrt{3}}{3} \mathrm{i}",
        "sum(-1/3,prod(prod(pow(3,1/2),pow(3,-1)),I))",
    ),
    (
        r"1 - \frac{1}{\mathrm{e}}",
        "sum(1,prod(-1,prod(1,pow(E,-1))))",
    ),
    (r"-\infty", "prod(-1,inf)"),
    // Functions.
    (r"\sin 2x", "sin(prod(2,x))"),
    (r"\sin x \cos 3x", "prod(sin(x),cos(prod(3,x)))"),
    (r"\sin^2 x", "pow(sin(x),2)"),
    (r"\sin^{-1} x", "arcsin(x)"),
    (r"\arctan \left(\frac{3}{4}\right)", "arctan(3/4)"),
    (r"\log_2 8", "log(2,8)"),
    (r"\log _{\frac{1}{2}}(x)", "log(1/2,x)"),
    (r"\log x", "logunbased(x)"),
    (r"\lg x", "log(10,x)"),
    (r"\ln |x|", "ln(abs(x))"),
    (
        r"- \cot{\left(x \right)} \csc{\left(x \right)}",
        "prod(-1,prod(cot(x),csc(x)))",
    ),
    ("|x-1|", "abs(sum(x,-1))"),
    (r"\lvert x \rvert", "abs(x)"),
    ("2|x|+|y|", "sum(prod(2,abs(x)),abs(y))"),
    (r"\lfloor x \rfloor", "floor(x)"),
    (r"\lceil 2.5 \rceil", "ceil(5/2#2)"),
    ("5!", "factorial(5)"),
    ("n!!", "doublefactorial(n)"),
    (r"\frac{1}{2004!}", "prod(1,pow(factorial(2004),-1))"),
    (r"\binom{10}{3}", "binomial(10,3)"),
    ("C_{10}^{3}", "binomial(10,3)"),
    (r"\exp(2x)", "pow(E,prod(2,x))"),
    (r"\max(1,2)", "max(1,2)"),
    (r"\gcd(12,18)", "gcd(12,18)"),
    (r"\sum_{k=1}^{n} k^2", "finitesum(k,1,n,pow(k,2))"),
    (
        r"\int_0^1 x dx",
        "sum(prod(0,sum(1,0),1),prod(1,sum(pow(1,2),prod(-1,pow(0,2))),1/2))",
    ),
    (r"\lim_{x \to 0} x", "opaque(lim,x,0,x)"),
    (r"\frac{dy}{dx}", "opaque(derivative,prod(d,y),prod(d,x))"),
    (r"7 \bmod 3", "mod(7,3)"),
    // Polynomials, names.
    ("2x^2 + 5x - 1", "sum(prod(2,pow(x,2)),prod(5,x),-1)"),
    (
        "4x(8x^2-x+5)",
        "prod(4,x,sum(prod(8,pow(x,2)),prod(-1,x),5))",
    ),
    ("n(n+1)", "prod(n,sum(n,1))"),
    ("(x-6)^{3} / 3+C", "sum(prod(pow(sum(x,-6),3),pow(3,-1)),C)"),
    ("c_1 e^{x} + c_{2}", "sum(prod(c_{1},pow(E,x)),c_{2})"),
    (r"\alpha+\beta", "sum(alpha,beta)"),
    (
        r"\overrightarrow{AB}-\vec{a}",
        "sum(vec{AB},prod(-1,vec{a}))",
    ),
    (r"\angle ABC", "angle{ABC}"),
    (r"\overline{3+4i}", "conjugate(sum(3,prod(4,I)))"),
    ("y''", "y''"),
    ("f(x-1)+1", "sum(call(f,sum(x,-1)),1)"),
    ("xy", "prod(x,y)"),
    ("-x", "prod(-1,x)"),
    ("--3", "3"),
    // Relations.
    ("x=5", "rel(x = 5)"),
    ("f(x)=2x+3", "rel(call(f,x) = sum(prod(2,x),3))"),
    (
        "g^{-1}(x)=-3x+2",
        "rel(call(g^{-1},x) = sum(prod(-1,prod(3,x)),2))",
    ),
    ("A(3)=5", "rel(call(A,3) = 5)"),
    ("x = 5+5+1 = 7 = 11", "rel(x = sum(5,5,1) = 7 = 11)"),
    (r"x\approx11", "rel(x ~ 11)"),
    (r"\approx 5", "5"),
    (r"x \in [-2,7]", "rel(x in interval[-2,7])"),
    (r"x \in (1,2)", "rel(x in interval(1,2))"),
    (r"x \in R", "rel(x in numbers(R))"),
    (r"-2 \\le x \\le 7", "rel(-2 <= x <= 7)"),
    ("x >= 5", "rel(x >= 5)"),
    ("x != 5", "rel(x != 5)"),
    (r"x \not= 5", "rel(x != 5)"),
    (r"a \equiv 3 \pmod 5", "rel(a == 3 == 5)"),
    (
        "f(2) < f(1) < f(4)",
        "rel(call(f,2) < call(f,1) < call(f,4))",
    ),
    (r"y=\pm\frac12 x", "rel(y = pm(prod(1/2,x)))"),
    ("x = 3 or x = 5", "list(rel(x = 3),rel(x = 5))"),
    ("x = 1, 2", "list(rel(x = 1),rel(x = 2))"),
    ("x=-1 and x=3", "list(rel(x = -1),rel(x = 3))"),
    ("x=1, y=(1,2)", "system(rel(x = 1),rel(y = tuple(1,2)))"),
    ("x=1, y=2", "system(rel(x = 1),rel(y = 2))"),
    (
        "p=5,q=2;p=7,q=2",
        "list(system(rel(p = 5),rel(q = 2)),system(rel(p = 7),rel(q = 2)))",
    ),
    ("(p,q)=(3,2)", "rel(tuple(p,q) = tuple(3,2))"),
    ("x<2 or x>4", "list(rel(x < 2),rel(x > 4))"),
    (
        r"x \geq 0 \text{ and } x \neq 1",
        "inter(rel(x >= 0),rel(x != 1))",
    ),
    (r"y=2x \quad (x>0)", "system(rel(y = prod(2,x)),rel(x > 0))"),
    // Plus and minus.
    (r"3 \pm 2 \sqrt{2}", "pm(3,prod(2,pow(2,1/2)))"),
    (r"\pm 8", "pm(8)"),
    (
        r"\frac{-1 \pm i \sqrt{3}}{4}",
        "list(prod(sum(-1,prod(I,pow(3,1/2))),pow(4,-1)),prod(sum(-1,prod(-1,prod(I,pow(3,1/2)))),pow(4,-1)))",
    ),
    (r"(1, \pm 2)", "list(tuple(1,2),tuple(1,-2))"),
    (
        r"\{1\pm\sqrt{5},-2\}",
        "set(sum(1,pow(5,1/2)),sum(1,prod(-1,pow(5,1/2))),-2)",
    ),
    (r"2, 1 \pm i", "list(2,sum(1,I),sum(1,prod(-1,I)))"),
    (r"1 \mp x", "pm(1,x)"),
    // Intervals and sets.
    (r"(-\infty, 3]", "interval(prod(-1,inf),3]"),
    ("[2, 3)", "interval[2,3)"),
    ("[0,1]", "interval[0,1]"),
    (r"(2,\infty)", "interval(2,inf)"),
    (
        r"(-\infty,-1) \cup (0,1)",
        "union(interval(prod(-1,inf),-1),interval(0,1))",
    ),
    (r"\{-1\} \cup [0,7)", "union(set(-1),interval[0,7))"),
    (r"\mathbb{R} \setminus \{1\}", "diff(numbers(R),set(1))"),
    (r"A \cap B=\{2\}", "rel(inter(A,B) = set(2))"),
    (r"\{1,2\}", "set(1,2)"),
    ("{1,3}", "set(1,3)"),
    ("{x, x - 1}", "set(x,sum(x,-1))"),
    (r"\emptyset", "set()"),
    (r"\varnothing", "set()"),
    (r"\{\}", "set()"),
    (r"\mathbb{R}", "numbers(R)"),
    (r"\{x \mid -1<x<2\}", "builder(x;rel(-1 < x < 2))"),
    (r"\{x | -2 \leq x < 1\}", "builder(x;rel(-2 <= x < 1))"),
    (
        r"\{x \in R : x \geq 0\}",
        "builder(rel(x in numbers(R));rel(x >= 0))",
    ),
    (
        r"\{x \mid x<0$ or $x>4\}",
        "builder(x;list(rel(x < 0),rel(x > 4)))",
    ),
    (
        r"\left\{x \mid \frac{1}{3} \leq x<4\right\}",
        "builder(x;rel(1/3 <= x < 4))",
    ),
    // Tuples, vectors, matrices.
    ("(1,2)", "tuple(1,2)"),
    ("(1,234)", "tuple(1,234)"),
    ("(0;-2;6)", "tuple(0,-2,6)"),
    (r"\left( \frac{1}{5}, 2, 0 \right)", "tuple(1/5,2,0)"),
    ("[1, 2, 3]", "tuple(1,2,3)"),
    (r"\langle 1,2\rangle", "tuple(1,2)"),
    (r"\mathbf{i}-2\mathbf{j}", "tuple(1,-2)"),
    (r"3\hat{i}+\hat{k}", "tuple(3,0,1)"),
    (r"\begin{pmatrix} 1 \\ 7 \end{pmatrix}", "matrix(1;7)"),
    (
        r"\begin{bmatrix} 1 & 2 \\ 3 & 4 \\ \end{bmatrix}",
        "matrix(1,2;3,4)",
    ),
    (
        r"\left[\begin{array}{rr}12 & -7 \\ -5 & 3\end{array}\right]",
        "matrix(12,-7;-5,3)",
    ),
    (
        r"c_{1}\left[\begin{array}{r}-2 \\ 1\end{array}\right] e^{t}",
        "matrix(prod(prod(c_{1},pow(E,t)),-2);prod(prod(c_{1},pow(E,t)),1))",
    ),
    ("(1,2)+t(3,4)", "tuple(sum(1,prod(t,3)),sum(2,prod(t,4)))"),
    (
        r"\begin{vmatrix} 1 & 2 \\ 3 & 4 \end{vmatrix}",
        "opaque(determinant,2,1,2,3,4)",
    ),
    (
        r"\begin{cases} a+b=1 \\ a-b=2 \end{cases}",
        "system(rel(sum(a,b) = 1),rel(sum(a,prod(-1,b)) = 2))",
    ),
    (
        r"\begin{cases} x & x>0 \\ 0 & \text{otherwise} \end{cases}",
        "cases(x if rel(x > 0);0)",
    ),
    (
        r"\left\{\begin{array}{rll}6 p & \text { if } & p \leq 6 \\ 5 p & \text { if } & p>6\end{array}\right.",
        "cases(prod(6,p) if rel(p <= 6);prod(5,p) if rel(p > 6))",
    ),
    (r"\\begin{matrix} x \\\\ 2 \\end{matrix}", "matrix(x;2)"),
    // Words and choices.
    ("B", "choice(B)"),
    ("(B)", "choice(B)"),
    (r"\text{(C)}", "choice(C)"),
    (r"$\mathrm{(C)}$", "choice(C)"),
    ("B.", "choice(B)"),
    ("Option B", "choice(B)"),
    ("选B", "choice(B)"),
    (r"\text{A,C,F}", "list(choice(A),choice(C),choice(F))"),
    (r"\text{odd}", "text(odd)"),
    ("No.", "text(no)"),
    ("II", "text(ii)"),
    ("$AB$", "text(ab)"),
    ("Yes", "text(yes)"),
    ("converges", "text(converges)"),
    ("All real numbers", "numbers(R)"),
    ("三", "3"),
    ("twenty-one", "21"),
    ("是", "text(yes)"),
    ("无解", "set()"),
    ("①③", "list(text((1)),text((3)))"),
    ("approximately 12", "12"),
    ("Solution is: 5", "5"),
    ("II only", "text(ii only)"),
    ("none", "text(none)"),
    ("The means are the same.", "text(the means are the same)"),
    (
        "660, with words behind it that say more",
        "text(660, with words behind it that say more)",
    ),
    (r"\foo{x}", r"text(\foox)"),
    ("2 +", "text(2 +)"),
    ("((1,2)", "text(((1,2))"),
];

#[test]
fn every_form_is_read_as_listed() {
    let wrong: Vec<String> = FORMS
        .iter()
        .filter_map(|(text, expected)| {
            let shown = parse(text).value.to_string();
            (shown != *expected).then(|| format!("{text}: {shown}, not {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_rule_says_who_read_the_text() {
    for (text, rule) in [
        ("12", "parse/number"),
        ("（１２）", "parse/formula"),
        ("(B)", "parse/choice"),
        ("Does not exist.", "parse/phrase"),
        ("x+1", "parse/formula"),
        ("the same", "parse/text"),
    ] {
        assert_eq!(parse(text).rules, [rule], "{text}");
    }
}

#[test]
fn deep_nesting_is_text() {
    for (open, close) in [
        ("(", ")"),
        ("{", "}"),
        ("\\{", "\\}"),
        ("[", "]"),
        ("|", "|"),
        ("\\frac{", "}{2}"),
        ("\\sqrt", ""),
        ("x^", ""),
        ("-", ""),
    ] {
        for depth in [10, 63, 64, 65, 1_000, 3_000] {
            parse(&format!("{}1{}", open.repeat(depth), close.repeat(depth)));
        }
    }
    assert_eq!(
        parse(&format!("{}1{}", "(".repeat(60), ")".repeat(60))).rules,
        ["parse/formula"]
    );
    assert_eq!(
        parse(&format!("{}1{}", "(".repeat(70), ")".repeat(70))).rules,
        ["parse/text"]
    );
}

#[test]
fn long_chains_stay_flat() {
    // Dropping a deep tree would exhaust the stack as reading it would.
    for link in [
        "1/",
        "2-",
        "\\pm",
        "x'",
        "3!",
        "x=",
        "A\\setminus ",
        "\\{1\\}\\setminus",
        "\\sin ",
        "1,",
        "1;",
        "a\\cup ",
    ] {
        parse(&format!("{}1", link.repeat(16_000 / link.len())));
    }
}

#[test]
fn a_megabyte_is_read_at_once() {
    for piece in [
        "1",
        "1,",
        "\\frac{1}{2}+",
        "{",
        "$",
        "\\begin{",
        "\\text{",
        "or ",
        "（",
        "\\",
    ] {
        assert_eq!(
            parse(&piece.repeat(1_000_000 / piece.len())).rules,
            ["parse/text"],
            "{piece}"
        );
    }
}

/// Pieces of formulas, to be strung together at random.
fn fragments() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "\\frac",
        "{",
        "}",
        "12",
        ".",
        ",",
        "(",
        ")",
        "[",
        "]",
        "|",
        "\\left",
        "\\right",
        "\\{",
        "\\}",
        "x",
        "e",
        "i",
        "_",
        "^",
        "-",
        "\\pm",
        "=",
        "<",
        "\\begin{cases}",
        "\\end{cases}",
        "\\begin{array}{rr}",
        "\\end{array}",
        "&",
        "\\\\",
        "\\text{",
        "and",
        "or",
        "\\sqrt",
        "\\sin",
        "\\log",
        "\\overline",
        "\\circ",
        "$",
        "$$",
        "\\$",
        "%",
        "cm",
        "square",
        " ",
        "!",
        ":",
        ";",
        "\\sum",
        "\\int",
        "C",
        "f",
        "\\mathbf{i}",
        "\\boxed{",
        "\\cup",
        "\\in",
        "\\infty",
        "元",
        "或",
        "½",
        "×",
        "p.m.",
        "three",
        "\\mathbb{R}",
        "\\dot",
        "'",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,80}") {
        parse(&text);
    }

    #[test]
    fn arbitrary_formulas_never_panic(text in fragments()) {
        let parsed = parse(&text);
        prop_assert_eq!(&parsed, &parse(&text));
        prop_assert!(!parsed.value.to_string().is_empty());
    }

    #[test]
    fn integers_are_read_exactly(value in any::<i64>()) {
        prop_assert_eq!(parse(&value.to_string()).value.to_string(), value.to_string());
    }
}
