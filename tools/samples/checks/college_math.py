"""Independent computations for datasets/college_math/sample.jsonl."""

import re
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import permutations
from math import comb

from sympy import (
    E,
    Eq,
    Function,
    I,
    Interval,
    Matrix,
    Poly,
    Rational,
    S,
    apart,
    cos,
    diag,
    diff,
    div,
    dsolve,
    erfc,
    exp,
    expand,
    eye,
    factorial,
    hessian,
    idiff,
    integrate,
    laplace_transform,
    latex,
    limit,
    linsolve,
    log,
    oo,
    pi,
    radsimp,
    roots,
    sec,
    series,
    simplify,
    sin,
    solve,
    solveset,
    sqrt,
    symbols,
    tan,
)
from sympy.calculus.util import continuous_domain
from sympy.parsing.sympy_parser import (
    implicit_multiplication,
    parse_expr,
    standard_transformations,
)

x, y, z, t, a, k, m, h = symbols("x y z t a k m h", real=True)
n = symbols("n", integer=True, nonnegative=True)
C, c, c_1, c_2, c_3 = symbols("C c c_1 c_2 c_3")
f = Function("f")


# --- Reading and writing LaTeX ------------------------------------------------------------


def bare(text):
    """Drop the blanks, sizing commands and formula delimiters of a LaTeX answer."""
    for mark in (r"\left", r"\right", "$"):
        text = text.replace(mark, "")
    return "".join(text.split())


def written_as(compute):
    """Return a test that a reference is written like the LaTeX that compute() returns."""
    return lambda reference: bare(reference) == bare(compute())


def read(text):
    """Read a formula with powers, fractions and the functions sin, cos and exp."""
    text = re.sub(r"\\left|\\right|\$", "", text)
    text = re.sub(r"\\frac\{(\w+)\}\{(\w+)\}", r"((\1)/(\2))", text)
    text = re.sub(r"\^\{([^{}]*)\}", r"**(\1)", text).replace("^", "**")
    text = re.sub(r"\\(sin|cos)", r" \1", text)
    names = {symbol.name: symbol for symbol in (x, y, t, n, c)} | {"e": E, "sin": sin, "cos": cos}
    return parse_expr(text, names, (*standard_transformations, implicit_multiplication))


def array(matrix):
    """Write a matrix like the references do, with right-aligned columns."""
    rows = [" & ".join(map(str, row)) for row in matrix.tolist()]
    return rf"\left[\begin{{array}}{{{'r' * matrix.cols}}}" + r" \\ ".join(rows) + r"\end{array}\right]"


def only(values):
    """Return the single element of a collection."""
    (value,) = values
    return value


# --- Algebra ------------------------------------------------------------------------------


def simplified_linear_expression():
    """The line through two points of the graph of the given expression."""
    values = [7 - 3 * (2 * value - 5) + 4 * value for value in (0, 1)]
    return values[0] + (values[1] - values[0]) * a


def equation_with_absolute_value():
    return solveset(Eq(3 * abs(m - 2), m + 8), m, S.Reals)


def polynomial_division():
    quotient, remainder = div(2 * x**3 - x**2 - 13 * x - 1, x - 3, x)
    return quotient + remainder / (x - 3)


def linear_system():
    return only(linsolve([4 * x + 3 * y - 7, 5 * x - 2 * y + 20], x, y))


def double_inequality():
    return solveset(-5 < 3 - 2 * x, x, S.Reals) & solveset(3 - 2 * x <= 11, x, S.Reals)


def rationalized_denominator():
    return radsimp(6 / (sqrt(7) - 2))


def grains_of_rice():
    return Rational("1.2e4") / Rational("2.5e-5")


def solved_formula():
    p, q, r = symbols("p q r")
    return only(solve(Eq(1 / p + 1 / r, 2 / q), r))


def complex_quotient():
    """The quotient a + bi from the real and imaginary parts of (a + bi)(3 + i) = 5 - 2i."""
    parts = solve([3 * x - y - 5, x + 3 * y + 2], [x, y])
    return parts[x] + parts[y] * I


def canoe_and_current():
    speeds = solve([Eq(4 * (x - y), 24), Eq(Rational("2.4") * (x + y), 24)], [x, y])
    unit = r"\mathrm{~km} / \mathrm{h}"
    return rf"Canoe: ${speeds[x]} {unit}$, current: ${speeds[y]} {unit}$"


# --- Precalculus --------------------------------------------------------------------------


def circle_equation(center_x, center_y, radius_squared):
    def square(variable, center):
        return rf"({variable}{-center:+d})^{{2}}"

    return f"{square('x', center_x)}+{square('y', center_y)}={radius_squared}"


def tangent_circle():
    """The circle about (2, -3) that meets x = 0 in a single point."""
    radius = symbols("radius", positive=True)
    intersections = Poly((0 - 2) ** 2 + (y + 3) ** 2 - radius**2, y)
    return circle_equation(2, -3, only(solve(intersections.discriminant(), radius)) ** 2)


def trigonometric_solutions():
    return solveset(sqrt(3) * tan(x) - 2 * sin(x), x, Interval.Ropen(0, 2 * pi))


def domain_of_function():
    return continuous_domain(log(x + 5) - sqrt(8 - x) / x, x, S.Reals)


def tangent_of_half_angle():
    return only(value for value in solve(Eq((1 - t**2) / (1 + t**2), Rational(7, 25)), t) if value > 0)


def exponential_equation():
    """Take logarithms of both sides."""
    return only(solve(Eq(log(4) + (x - 2) * log(7), (x + 1) * log(3)), x))


def partial_fractions():
    return apart((3 * x**2 - 2 * x + 8) / (x * (x**2 + 4)), x)


def product_of_polar_forms():
    modulus, angle = 2**3 * Rational(1, 4), 3 * (pi / 18) + pi / 2
    return modulus * cos(angle) + modulus * I * sin(angle)


def compound_interest():
    balance = Decimal(3200)
    for _ in range(6 * 12):
        balance *= 1 + Decimal("0.045") / 12
    return Rational(str(balance.quantize(Decimal("0.01"), ROUND_HALF_UP)))


def circle_from_polar_equation():
    """The center and the radius from three points of the curve."""
    polar = [(4 * sin(angle) - 2 * cos(angle), angle) for angle in (S.Zero, pi / 4, pi / 2)]
    points = [(r * cos(angle), r * sin(angle)) for r, angle in polar]
    solution = solve([(u - x) ** 2 + (v - y) ** 2 - k for u, v in points], [x, y, k], dict=True)[0]
    return circle_equation(int(solution[x]), int(solution[y]), solution[k])


def composed_function():
    inner = 2 / x
    return simplify(inner / (inner + 4))


# --- Calculus -----------------------------------------------------------------------------


def derivative():
    return limit(((x + h) ** 2 * log(1 + (x + h) ** 2) - x**2 * log(1 + x**2)) / h, h, 0)


def antiderivative():
    positive = symbols("x", positive=True)
    return integrate(log(positive) / positive**3, positive) + C


def limit_of_quotient():
    return limit((exp(2 * x) - 1 - 2 * x) / (1 - cos(3 * x)), x, 0)


def convergence_of_series():
    """The alternating series test, and the integral test for the absolute values."""
    term = log(1 + 1 / x)
    alternating = limit(term, x, oo) == 0 and simplify(diff(term, x)) == -1 / (x * (x + 1))
    positive = symbols("x", positive=True)
    absolute = integrate(log(1 + 1 / positive), (positive, 1, oo)) != oo
    if absolute:
        return "converges absolutely"
    return "converges conditionally" if alternating else "diverges"


def tangent_line():
    slope = idiff(x**2 + x * y + 2 * y**2 - 8, y, x).subs({x: 2, y: 1})
    return expand(1 + slope * (x - 2))


def melting_cube():
    edge = Function("s")(t)
    edge_rate = only(solve(Eq(diff(edge**3, t), -6), diff(edge, t)))
    surface_rate = diff(6 * edge**2, t).subs(diff(edge, t), edge_rate).subs(edge, 8)
    return rf"{-surface_rate} \mathrm{{~cm}}^{{2}} / \mathrm{{min}}"


def enclosed_area():
    lower, upper = sorted(solve(Eq(y**2 - 3, 2 * y), y))
    return integrate(2 * y - (y**2 - 3), (y, lower, upper))


def radius_and_interval():
    """The radius from the ratio of the terms; the ends give the known series of 1/n."""
    coefficient = 2**n / (n * 5**n)
    radius = limit(coefficient / coefficient.subs(n, n + 1), n, oo)
    left, right = -Rational(1, 2) - radius, -Rational(1, 2) + radius
    assert simplify((2 * right + 1) / 5) == 1, "the harmonic series, which diverges"
    assert simplify((2 * left + 1) / 5) == -1, "the alternating harmonic series, which converges"
    return f"R={radius}, I=[{left},{right})"


def volume_of_revolution():
    return pi * integrate(sec(x) ** 2, (x, 0, pi / 3))


def maclaurin_series(reference):
    """Add the first terms of the referenced series and compare with the expansion."""
    prefix = r"\sum_{n=0}^{\infty}"
    text = reference.strip("$")
    if not text.startswith(prefix):
        return False
    term = read(text.removeprefix(prefix))
    partial_sum = sum(term.subs(n, index) for index in range(6))
    return expand(partial_sum - series(x / (1 + 3 * x**2), x, 0, 12).removeO()) == 0


# --- Vector calculus ----------------------------------------------------------------------


def gradient():
    return tuple(diff(x**2 * y * exp(z), variable) for variable in (x, y, z))


def tangent_plane():
    surface, point = x**2 - 3 * x * y, {x: 2, y: 1}
    slopes = [diff(surface, variable).subs(point) for variable in (x, y)]
    return surface.subs(point) + slopes[0] * (x - 2) + slopes[1] * (y - 1)


def double_integral():
    """Integrate over the same triangle in the other order."""
    return integrate(integrate(y * sqrt(1 + x**3), (y, 0, x)), (x, 0, 2))


def line_integral():
    curve = {x: t, y: t**2}
    work = y**2 * diff(curve[x], t) + 2 * x * diff(curve[y], t)
    return integrate(work.subs(curve), (t, 0, 1))


def curl():
    p, q, r = y * z**2, x**2 * y, x * z
    return (diff(r, y) - diff(q, z), diff(p, z) - diff(r, x), diff(q, x) - diff(p, y))


def local_extrema():
    surface = 2 * x**2 - 4 * x * y + y**4
    minima, saddles = [], []
    for point in sorted(solve([diff(surface, x), diff(surface, y)], [x, y]), reverse=True):
        lowest, highest = sorted(hessian(surface, [x, y]).subs({x: point[0], y: point[1]}).eigenvals())
        assert lowest * highest != 0 and highest > 0, "no degenerate point and no maximum"
        (minima if lowest > 0 else saddles).append("({},{})".format(*point))
    return f"local min. {','.join(minima)}; saddle pt. {','.join(saddles)}"


def closest_points():
    """On the curve, the squared distance is x^2 + 16/x with positive x."""
    u = symbols("u", positive=True)
    distance_squared = u**2 + 16 / u
    nearest = only(solve(diff(distance_squared, u), u))
    assert diff(distance_squared, u, 2).subs(u, nearest) > 0
    return {(nearest, height) for height in solve(Eq(nearest * y**2, 16), y)}


def volume_below_plane():
    """Integrate z between the surfaces in polar coordinates about the axis of the solid."""
    r, angle = symbols("r angle", nonnegative=True)
    difference = (4 * y - x**2 - y**2).subs({x: r * cos(angle), y: 2 + r * sin(angle)})
    return integrate(integrate(expand(difference * r), (r, 0, 2)), (angle, 0, 2 * pi))


def arc_length():
    curve = Matrix([2 * t, t**2, t**3 / 3])
    speed = sqrt(diff(curve, t).dot(diff(curve, t)).factor())
    return integrate(simplify(speed), (t, 0, 3))


def potential():
    """Integrate the first component, and complete the result with a function of y."""
    u, v = symbols("x y", positive=True)
    partial = integrate(v * exp(u * v) - 2 * u, u)
    rest = simplify(u * exp(u * v) + 5 - diff(partial, v))
    return partial + integrate(rest, v) + C


# --- Probability --------------------------------------------------------------------------


def binomial_tail():
    success = Fraction(1, 3)
    return sum(comb(5, i) * success**i * (1 - success) ** (5 - i) for i in (4, 5))


def density_constant_and_mean():
    constant = only(solve(integrate(c * x**2 * (1 - x), (x, 0, 1)) - 1, c))
    mean = integrate(x * constant * x**2 * (1 - x), (x, 0, 1))
    return f"c={constant}, E(X)={mean}"


def stationary_distribution():
    transition = Matrix([[0, 1, 0], [Rational(1, 3), 0, Rational(2, 3)], [Rational(1, 2), Rational(1, 2), 0]])
    distribution = only((transition.T - eye(3)).nullspace())
    return tuple(distribution / sum(distribution))


def poisson_process():
    """P(N_1 = 2 and N_3 - N_1 = 3) / P(N_1 = 2) with the independent increments."""

    def probability(count, length):
        mean = 2 * length
        return exp(-mean) * mean**count / factorial(count)

    return probability(2, 1) * probability(3, 2) / probability(2, 1)


def variance_of_combination():
    covariance, weights = Matrix([[4, -2], [-2, 9]]), Matrix([3, -2])
    return only(weights.T * covariance * weights)


def defective_part():
    defects = {"A": Fraction(60, 100) * Fraction(2, 100), "B": Fraction(40, 100) * Fraction(5, 100)}
    return defects["B"] / sum(defects.values())


def normal_tail():
    probability = erfc((13 - 10) / (sqrt(4) * sqrt(2))) / 2
    return Rational(round(probability * 10**4), 10**4)


def second_moment():
    return diff((1 - 2 * t) ** -3, t, 2).subs(t, 0)


def density_of_reciprocal():
    """Differentiate P(Y <= y) = P(X >= 1/y), which is positive for y > 1."""
    value = symbols("y", positive=True)
    distribution = integrate(2 * x, (x, 1 / value, 1))
    assert distribution.subs(value, 1) == 0 and limit(distribution, value, oo) == 1
    constant, power = diff(distribution, value).as_coeff_exponent(value)
    return f"f_{{Y}}(y)={constant} y^{{{power}}} for y>1"


def first_green_ball():
    orders = list(permutations("rrrgg"))
    return tuple(
        Fraction(sum(order.index("g") == before for order in orders), len(orders)) for before in range(4)
    )


# --- Linear algebra -----------------------------------------------------------------------


def matrix_product():
    return array(Matrix([[1, 0, 2], [-1, 3, 1]]) * Matrix([[3, 1], [2, -1], [0, 4]]))


def determinant():
    return Matrix([[2, 1, 0], [-1, 3, 4], [5, 0, -2]]).det()


def inverse_matrix():
    return "A^{-1}=" + array(Matrix([[1, 2, 0], [0, 1, 3], [0, 0, 1]]).inv())


def eigenvalues():
    return set(Matrix([[5, -2], [1, 2]]).eigenvals())


def system_with_parameter():
    solution = only(linsolve([x + 2 * y - z - 3, 2 * x + 4 * y + z - 9, y - t], x, y, z))
    entries = zip("xyz", (latex(entry) for entry in solution))
    return f"Solution is: $[{', '.join(f'{name}={entry}' for name, entry in entries)}]$"


def null_space_basis():
    basis = Matrix([[1, -2, 3], [2, -4, 6]]).nullspace()
    return r"\{" + ",".join(map(array, basis)) + r"\}"


def reflection_matrix():
    """Reflect the basis of the plane and its normal, and change to the standard basis."""
    basis = Matrix([[1, 1, 0], [-2, 0, 1], [1, -1, 2]]).T
    reflection = basis * diag(1, 1, -1) * basis.inv()
    return r"\frac{1}{3}" + array(3 * reflection)


def singular_matrix():
    return only(solve(Matrix([[1, k, 2], [0, 3, 1], [2, 1, k]]).det(), k))


def distance_to_line():
    difference = Matrix([2, 1, 3]) - t * Matrix([1, 2, 2])
    distance_squared = difference.dot(difference)
    return sqrt(distance_squared.subs(t, only(solve(diff(distance_squared, t), t))))


def linear_dependence():
    u, v, w = Matrix([1, 1, 2]), Matrix([2, -1, 1]), Matrix([1, -5, -4])
    solution = solve(list(x * u + y * v - w), [x, y])
    return (
        "The vectors are linearly dependent, "
        rf"$\vec{{w}}={solution[x]} \vec{{u}}{int(solution[y]):+d} \vec{{v}}$."
    )


# --- Differential equations ---------------------------------------------------------------


def third_order_equation():
    """The exponentials of the characteristic roots, and the constant particular solution."""
    multiplicities = roots(t**3 - 3 * t**2 + 4, t)
    terms = [
        x**power * exp(root * x)
        for root, multiplicity in sorted(multiplicities.items())
        for power in range(multiplicity)
    ]
    particular = only(solve(4 * y - 8, y))
    return particular + sum(constant * term for constant, term in zip((c_1, c_2, c_3), terms))


def linear_problem():
    equation = Eq(x * f(x).diff(x) - f(x), x**2 * cos(x))
    return dsolve(equation, f(x), ics={f(pi): 2 * pi}).rhs


def separable_problem():
    """Integrate both sides of y'/y^2 = 3 sqrt(x) from the initial point on."""
    u, v = symbols("u v", positive=True)
    sides = Eq(integrate(v**-2, (v, Rational(1, 3), y)), integrate(3 * sqrt(u), (u, 1, x)))
    return only(solve(sides, y))


def exact_equation(reference):
    """The gradient of the left side must be the given pair, and the right side a constant."""
    left, right = reference.split("=")
    left = read(left)
    pair = (exp(y) - 2 * x, x * exp(y) + cos(y))
    return read(right) == c and all(
        simplify(diff(left, variable) - component) == 0 for variable, component in zip((x, y), pair)
    )


def particular_solution(reference):
    """Insert the referenced function into the equation."""
    name, solution = reference.strip("$").split("=")
    solution = read(solution)
    return name == "y_{p}" and simplify(diff(solution, x, 2) + 4 * solution - 12 * cos(2 * x)) == 0


def laplace():
    s = symbols("s")
    return laplace_transform(exp(-2 * t) * cos(3 * t) + t, t, s, noconds=True)


def fundamental_set():
    """Reduction of order from y_1 = e^{2x}."""
    u = symbols("x", positive=True)
    first = exp(2 * u)
    wronskian = exp(-integrate(expand((1 - 8 * u) / (2 * u)), u))
    second = first * integrate(simplify(wronskian / first**2), u)
    residual = 2 * u * diff(second, u, 2) + (1 - 8 * u) * diff(second, u) + (8 * u - 2) * second
    assert simplify(residual) == 0
    return {first, simplify(second / 2)}


def system_with_initial_values():
    solution = (Matrix([[1, 4], [2, 3]]) * t).exp() * Matrix([3, 0])
    return tuple(map(expand, solution))


def salt_in_tank(reference):
    """Insert the referenced function into the balance of inflow and outflow."""
    name, amount = reference.strip("$").split("=")
    amount = read(amount)
    balance = diff(amount, t) - (4 * Rational(1, 2) - 4 * amount / 100)
    return name == "Q(t)" and simplify(balance) == 0 and amount.subs(t, 0) == 10


def power_series_solution(reference):
    """Compute the coefficients by repeated differentiation of y'' = x y' + 2 y at 0."""
    derivatives = [1, 3]
    for order in range(4):
        derivatives.append((order + 2) * derivatives[order])
    polynomial = sum(Rational(value, factorial(order)) * x**order for order, value in enumerate(derivatives))
    name, terms = reference.strip("$").split("=")
    return name == "y" and terms.endswith(r"+\cdots") and read(terms.removesuffix(r"+\cdots")) == polynomial


CHECKS = {
    "sample.1": simplified_linear_expression,
    "sample.2": equation_with_absolute_value,
    "sample.3": polynomial_division,
    "sample.4": linear_system,
    "sample.5": double_inequality,
    "sample.6": rationalized_denominator,
    "sample.7": grains_of_rice,
    "sample.8": solved_formula,
    "sample.9": complex_quotient,
    "sample.12": trigonometric_solutions,
    "sample.13": domain_of_function,
    "sample.14": tangent_of_half_angle,
    "sample.15": exponential_equation,
    "sample.16": partial_fractions,
    "sample.17": product_of_polar_forms,
    "sample.18": compound_interest,
    "sample.20": composed_function,
    "sample.21": derivative,
    "sample.22": antiderivative,
    "sample.23": limit_of_quotient,
    "sample.24": convergence_of_series,
    "sample.25": tangent_line,
    "sample.27": enclosed_area,
    "sample.29": volume_of_revolution,
    "sample.31": gradient,
    "sample.32": tangent_plane,
    "sample.33": double_integral,
    "sample.34": line_integral,
    "sample.35": curl,
    "sample.37": closest_points,
    "sample.38": volume_below_plane,
    "sample.39": arc_length,
    "sample.40": potential,
    "sample.41": binomial_tail,
    "sample.43": stationary_distribution,
    "sample.44": poisson_process,
    "sample.45": variance_of_combination,
    "sample.46": defective_part,
    "sample.47": normal_tail,
    "sample.48": second_moment,
    "sample.50": first_green_ball,
    "sample.52": determinant,
    "sample.54": eigenvalues,
    "sample.58": singular_matrix,
    "sample.59": distance_to_line,
    "sample.61": third_order_equation,
    "sample.62": linear_problem,
    "sample.63": separable_problem,
    "sample.66": laplace,
    "sample.67": fundamental_set,
    "sample.68": system_with_initial_values,
}

COMPARE = {
    "sample.10": written_as(canoe_and_current),
    "sample.11": written_as(tangent_circle),
    "sample.19": written_as(circle_from_polar_equation),
    "sample.26": written_as(melting_cube),
    "sample.28": written_as(radius_and_interval),
    "sample.30": maclaurin_series,
    "sample.36": written_as(local_extrema),
    "sample.42": written_as(density_constant_and_mean),
    "sample.49": written_as(density_of_reciprocal),
    "sample.51": written_as(matrix_product),
    "sample.53": written_as(inverse_matrix),
    "sample.55": written_as(system_with_parameter),
    "sample.56": written_as(null_space_basis),
    "sample.57": written_as(reflection_matrix),
    "sample.60": written_as(linear_dependence),
    "sample.64": exact_equation,
    "sample.65": particular_solution,
    "sample.69": salt_in_tank,
    "sample.70": power_series_solution,
}
