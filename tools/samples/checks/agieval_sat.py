"""Independent computations for datasets/agieval_sat/sample.jsonl."""

from sympy import (
    Eq,
    FiniteSet,
    I,
    Interval,
    Rational,
    S,
    expand,
    latex,
    solve,
    solveset,
    symbols,
    sympify,
    together,
)

x, y, a, b, k, t, v = symbols("x y a b k t v", real=True)
G, p, q = symbols("G p q")


def bare(text):
    """Drop everything from a LaTeX answer that does not change its meaning."""
    for mark in ("$", r"\left", r"\right"):
        text = text.replace(mark, "")
    return "".join(text.split())


def written_as(compute):
    """Return a test that a reference is written like the LaTeX of compute()."""
    return lambda reference: bare(reference) == bare(compute())


def expression_from_equation():
    (value,) = solve(Eq(7 * (k - 2), 3 * k + 18), k)
    return 2 * value - 1


def membership_cost():
    """Fit the line through the costs of no visit and of one visit."""
    cost = [45 + sum([18] * visits) for visits in range(2)]
    return f"C={latex((cost[1] - cost[0]) * v + cost[0])}"


def linear_system():
    found = solve([3 * x + 2 * y - 4, x - 4 * y - 20], (x, y))
    return f"({found[x]},{found[y]})"


def original_price():
    (price,) = solve(
        x * (1 - Rational(30, 100)) * (1 + Rational(5, 100)) - Rational(8820, 100), x
    )
    return rf"\${price}"


def is_original_price(reference):
    """Compare a dollar amount, whose sign bare() would drop."""
    return reference.strip().strip("$").replace(" ", "") == original_price()


def complex_product():
    real, imaginary = expand((4 - 3 * I) * (2 + 5 * I)).as_real_imag()
    return f"{real}+{imaginary} i"


def quadratic_solutions():
    roots = sorted(solve(2 * x**2 - 5 * x - 12, x))
    return "and".join(f"x={latex(root)}" for root in roots)


def temperature_range():
    inside = solveset(abs(t - 72) < 4, t, S.Reals)
    assert inside == Interval.open(inside.start, inside.end)
    return f"{inside.start}<T<{inside.end}"


def visitor_growth():
    later = 100 * (1 - Rational(20, 100)) * (1 + Rational(35, 100))
    return rf"{later - 100} \%"


def largest_angle():
    angles = (x + 10, 3 * x, 2 * x + 20)
    (value,) = solve(sum(angles) - 180, x)
    return rf"{max(angle.subs(x, value) for angle in angles)}^{{\circ}}"


def root_difference():
    low, high = sorted(solve(2 * x**2 - 12 * x + 7, x))
    return high - low


def doubles_every_three_hours(reference):
    """Evaluate the model at multiples of 3 hours and halfway to the first."""
    name, formula = bare(reference).split("=")
    formula = formula.replace("500(2)^", "500*2**").replace(r"{\frac{t}{3}}", "(t/3)")
    model = sympify(formula, locals={"t": t})
    doubled = all(model.subs(t, 3 * i) == 500 * 2**i for i in range(6))
    halfway = model.subs(t, Rational(3, 2))
    return name == "f(t)" and doubled and halfway**2 == 500 * 1000


def circle_from_diameter():
    start, end = (-2, 1), (6, 7)
    center = [Rational(u + w, 2) for u, w in zip(start, end)]
    squared_radius = sum((u - c) ** 2 for u, c in zip(start, center))
    left = latex((x - center[0]) ** 2) + "+" + latex((y - center[1]) ** 2)
    return f"{left}={squared_radius}"


def identity_constant():
    difference = expand((3 * x + a) * (x - 5) - (3 * x**2 + b * x - 20))
    return solve(difference.as_poly(x).coeffs(), (a, b))[b]


def radical_solutions():
    # Both sides of the equation are nonnegative, so x >= 0.
    squared = solveset(3 * x + 28 - x**2, x, Interval(0, S.Infinity))
    return latex(FiniteSet(*squared))


def project_score():
    (score,) = solve(Eq(G, (2 * q + 3 * p) / 5), p)
    return f"p={latex(together(score))}"


def vertex_form():
    parabola = x**2 - 8 * x + 3
    (axis,) = solve(parabola.diff(x), x)
    return f"y={latex((x - axis) ** 2)}{int(parabola.subs(x, axis)):+}"


def drone_height():
    height = Rational(320)
    for _ in range(40):
        height -= Rational(7, 2)
    return f"{height} meters"


CHECKS = {
    "sample.1": expression_from_equation,
    "sample.9": lambda: Rational(36, 84),
    "sample.10": lambda: Rational(125, 100) / 40 * 108,
    "sample.13": root_difference,
    "sample.16": identity_constant,
}

COMPARE = {
    "sample.2": written_as(
        lambda: latex(expand((3 * x**2 - 5 * x + 2) - 2 * (x**2 - 4 * x - 1)))
    ),
    "sample.3": written_as(membership_cost),
    "sample.4": written_as(linear_system),
    "sample.5": is_original_price,
    "sample.6": written_as(complex_product),
    "sample.7": written_as(quadratic_solutions),
    "sample.8": written_as(temperature_range),
    "sample.11": written_as(visitor_growth),
    "sample.12": written_as(largest_angle),
    "sample.14": doubles_every_three_hours,
    "sample.15": written_as(circle_from_diameter),
    "sample.17": written_as(radical_solutions),
    "sample.18": written_as(project_score),
    "sample.19": written_as(vertex_form),
    "sample.20": written_as(drone_height),
}
