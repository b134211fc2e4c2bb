"""Writes the vectors that crates/statistics must reproduce, from scipy, statsmodels and code of its own.

Nothing here is shared with the crate: where a library has the method, the library computes it; where none has, it is
written down here another way (root finding instead of closed forms, enumeration instead of recursion, drawing item by
item instead of by counts, simulation instead of formulas).
"""

import argparse
import itertools
import json
import math
import pathlib

import numpy
from scipy import optimize, stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "crates/statistics/tests/fixtures"


def wilson(random):
    cases = [(0, 1), (1, 1), (0, 30), (30, 30), (1, 2), (4999, 5000)]
    cases += [(int(random.integers(0, n + 1)), int(n)) for n in random.integers(1, 6000, 40)]
    for correct, n in cases:
        alpha = float(random.choice([0.01, 0.05, 0.1, 0.2]))
        low, high = proportion_confint(correct, n, alpha=alpha, method="wilson")
        yield {"correct": correct, "n": n, "alpha": alpha, "interval": [float(low), float(high)]}


def answers(random, problems, samples):
    """Correct answers to each problem, problems being of different difficulty."""
    return random.binomial(samples, random.beta(0.7, 0.9, problems))


def clustered(random):
    for _ in range(20):
        problems, samples = int(random.integers(2, 80)), int(random.integers(1, 9))
        correct = answers(random, problems, samples)
        alpha = float(random.choice([0.05, 0.1]))
        single = numpy.concatenate([[1.0] * k + [0.0] * (samples - k) for k in correct])
        groups = numpy.repeat(numpy.arange(problems), samples)
        fit = OLS(single, numpy.ones_like(single)).fit(
            cov_type="cluster", cov_kwds={"groups": groups, "use_correction": True}, use_t=False
        )
        low, high = fit.conf_int(alpha)[0]
        yield {
            "correct": correct.tolist(),
            "samples": samples,
            "alpha": alpha,
            "interval": [max(0.0, float(low)), min(1.0, float(high))],
        }


def pass_at_k(random):
    for _ in range(60):
        samples = int(random.integers(1, 200))
        correct, k = int(random.integers(0, samples + 1)), int(random.integers(1, samples + 1))
        if random.random() < 0.3:
            correct, k = min(correct, 3), min(k, 10)
        # Exact integers, rounded once.
        value = 1 - math.comb(samples - correct, k) / math.comb(samples, k)
        yield {"correct": correct, "samples": samples, "k": k, "value": value}


def majority(random):
    for _ in range(40):
        samples = int(random.integers(1, 11))
        classes = [int(c) if c < 4 else None for c in random.integers(0, 5, samples)]
        right = int(random.integers(0, 4))
        correct = [c == right for c in classes]
        k = int(random.integers(1, samples + 1))
        total = 0.0
        draws = list(itertools.combinations(range(samples), k))
        for draw in draws:
            votes = [classes[i] for i in draw if classes[i] is not None]
            if votes:
                most = max(votes.count(c) for c in set(votes))
                first = [c for c in set(votes) if votes.count(c) == most]
                total += sum(c == right for c in first) / len(first)
        yield {"classes": classes, "correct": correct, "k": k, "value": total / len(draws)}


def mcnemar_exact(random):
    pairs = [(0, 0), (0, 1), (5, 5), (0, 12), (200, 150), (3000, 2800), (9000, 9000), (9100, 8900)]
    pairs += [tuple(int(x) for x in random.integers(0, top, 2)) for top in random.integers(2, 400, 40)]
    for only_a, only_b in pairs:
        n = only_a + only_b
        p = float(mcnemar([[0, only_a], [only_b, 0]], exact=True).pvalue) if n else 1.0
        if n:
            other = float(stats.binomtest(only_a, n, 0.5).pvalue)
            assert math.isclose(p, other, rel_tol=1e-9), (only_a, only_b, p, other)
        # Half the probability of what was seen does not count as more extreme, at either side.
        mass = float(stats.binom.pmf(min(only_a, only_b), n, 0.5))
        mid_p = 1.0 if n == 0 else 1 - mass / 2 if only_a == only_b else p - mass
        yield {"only_a": only_a, "only_b": only_b, "p": p, "mid_p": mid_p}


def holm(random):
    for size in [1, 2, 3, 5, 10, 10, 10]:
        p = random.random(size) ** 3
        if size == 5:
            p[1] = p[3]
        yield {"p": p.tolist(), "adjusted": multipletests(p, method="holm")[1].tolist()}


def tango(random):
    def constrained(only_b, only_a, n, difference):
        """Most likely share of items that only A solves, by maximising the trinomial likelihood."""
        least, most = max(0.0, -difference), (1.0 - difference) / 2

        rest = n - only_b - only_a
        if rest == 0:
            return most

        width = most - least

        def slope(more):
            # Derivative of only_b ln(q + d) + only_a ln q + rest ln(1 - 2q - d) at q = least + more.
            own = only_a / (least + more) if only_a else 0.0
            other = only_b / (max(0.0, difference) + more) if only_b else 0.0
            return own + other - rest / (width - more)

        if slope(width * 1e-12) <= 0:
            return least
        return least + optimize.brentq(slope, width * 1e-12, width * (1 - 1e-9), xtol=1e-18, rtol=1e-15)

    def statistic(difference, only_b, only_a, n):
        q = constrained(only_b, only_a, n, difference)
        return (only_b - only_a - n * difference) / math.sqrt(n * (2 * q + difference * (1 - difference)))

    def interval(only_b, only_a, n, alpha):
        z = float(stats.norm.isf(alpha / 2))
        seen, tiny = (only_b - only_a) / n, 1e-9
        low = high = seen
        if seen > -1 + tiny:
            low = optimize.brentq(lambda d: statistic(d, only_b, only_a, n) - z, -1 + 1e-6, seen - tiny, xtol=1e-14)
        if seen < 1 - tiny:
            high = optimize.brentq(lambda d: statistic(d, only_b, only_a, n) + z, seen + tiny, 1 - 1e-6, xtol=1e-14)
        return [low, high]

    cases = [(0, 0, 50), (0, 3, 20), (5, 0, 40), (20, 0, 20), (0, 7, 7), (1, 1, 3)]
    for n in random.integers(20, 5000, 40):
        cells = random.multinomial(n, random.dirichlet([4, 1, 1, 3]))
        cases.append((int(cells[1]), int(cells[2]), int(n)))
    for only_b, only_a, n in cases:
        alpha = float(random.choice([0.05, 0.1]))
        yield {"only_a": only_a, "only_b": only_b, "n": n, "alpha": alpha, "interval": interval(only_b, only_a, n, alpha)}


def bootstrap(random):
    """Item by item with numpy, strata apart; BCa from scipy for a single stratum."""
    resamples = 40_000
    for sizes, samples in [([300], 1), ([40], 4), ([60, 25, 200], 1), ([30, 30, 12, 80], 5), ([150, 90], 8)]:
        sets = [answers(random, n, samples) for n in sizes]
        drawn = []
        for correct in sets:
            index = random.integers(0, len(correct), (resamples, len(correct)))
            drawn.append((correct[index] / samples).mean(axis=1))
        drawn = numpy.array(drawn)
        weights = {"micro": numpy.array(sizes) / sum(sizes), "macro": numpy.full(len(sizes), 1 / len(sizes))}
        case = {"sets": [correct.tolist() for correct in sets], "samples": samples}
        for name, weight in weights.items():
            means = weight @ drawn
            case[name] = {
                "value": float(sum(w * (c / samples).mean() for w, c in zip(weight, sets))),
                "standard_error": float(means.std(ddof=1)),
                "interval": numpy.quantile(means, [0.025, 0.975]).tolist(),
            }
        if len(sets) == 1:
            found = stats.bootstrap(
                (sets[0] / samples,), numpy.mean, n_resamples=resamples, method="BCa", rng=random, batch=1000
            )
            case["bca"] = [float(bound) for bound in found.confidence_interval]
        yield case


def skewed(random):
    """BCa of a skewed set without repetition, where it differs most from the percentile interval."""
    for items in [25, 40]:
        values = numpy.round(random.lognormal(0, 1, items), 6)
        found = stats.bootstrap(
            (values,), numpy.mean, n_resamples=40_000, method="BCa", rng=random, batch=1000
        )
        yield {
            "values": values.tolist(),
            "standard_error": float(found.standard_error),
            "interval": [float(bound) for bound in found.confidence_interval],
        }


def differences(random):
    """Two runs with several answers a problem: the sign-flip test and the bootstrap's p, item by item."""
    resamples = 40_000
    for problems, samples, shift in [(40, 4, 0.0), (60, 4, 0.08), (120, 8, 0.04), (25, 3, 0.2)]:
        ease = random.beta(0.8, 0.8, problems)
        a = random.binomial(samples, ease)
        b = random.binomial(samples, numpy.clip(ease + shift, 0, 1))
        d = (b - a) / samples
        signs = random.integers(0, 2, (resamples, problems)) * 2 - 1
        flipped = numpy.abs((signs * d).mean(axis=1)) >= abs(d.mean()) - 1e-12
        yield {
            "a": a.tolist(),
            "b": b.tolist(),
            "samples": samples,
            "p_sign_flip": float((flipped.sum() + 1) / (resamples + 1)),
        }


def sensitivity(random):
    """Simulated power at the numbers of items that the formulas give."""
    runs = 40_000
    z = float(stats.norm.isf(0.025))
    for difference, discordance in [(0.02, 0.1), (0.03, 0.2), (0.05, 0.3), (0.1, 0.25)]:
        # Connor (1987), written out.
        n = math.ceil(
            (z * math.sqrt(discordance) + stats.norm.ppf(0.8) * math.sqrt(discordance - difference**2)) ** 2
            / difference**2
        )
        only_b = (discordance + difference) / 2
        b, a, _ = random.multinomial(n, [only_b, discordance - only_b, 1 - discordance], runs).T
        found = numpy.abs(b - a) > z * numpy.sqrt(a + b)
        yield {"difference": difference, "discordance": discordance, "n": n, "power": float(found.mean())}


PUBLISHED = {
    "tango": [
        {
            "source": "M. W. Fagerland, S. Lydersen and P. Laake, Statistics in Medicine 33 (2014): airway "
            "hyper-responsiveness before and after stem cell transplantation (Bentur et al. 2009), 1, 1, 7, 12",
            "only_a": 7, "only_b": 1, "n": 21, "alpha": 0.05, "interval": [-0.517, -0.026], "digits": 3,
        },
        {
            "source": "scoreci.mp(25, 28, 618) of the R package PropCIs at 90 %",
            "only_a": 25, "only_b": 28, "n": 618, "alpha": 0.1, "interval": [-0.0148, 0.0247], "digits": 4,
        },
    ],
    "mcnemar": [
        {
            "source": "M. W. Fagerland, S. Lydersen and P. Laake, BMC Medical Research Methodology 13 (2013) 91: the same "
            "table; by hand 2 (1 + 8) / 2^8 and 10 / 2^8",
            "only_a": 7, "only_b": 1, "p": 0.0703125, "mid_p": 0.0390625,
        },
    ],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=pathlib.Path, default=FIXTURES, help="folder of the JSON files")
    parser.add_argument("--seed", type=int, default=20240305)
    arguments = parser.parse_args()
    files = {
        "proportions": [wilson, clustered, pass_at_k, majority],
        "paired": [mcnemar_exact, holm, tango],
        "resampling": [bootstrap, differences, skewed],
        "sensitivity": [sensitivity],
    }
    arguments.output.mkdir(parents=True, exist_ok=True)
    for number, (name, sections) in enumerate(files.items()):
        found = {}
        for place, section in enumerate(sections):
            random = numpy.random.default_rng([arguments.seed, number, place])
            found[section.__name__] = list(section(random))
        write(arguments.output / f"{name}.json", found)
    write(arguments.output / "published.json", PUBLISHED)


def write(path, sections):
    """A case a line, so that a change is seen as one."""
    parts = []
    for name, cases in sections.items():
        lines = ",\n".join(json.dumps(case) for case in cases)
        parts.append(f'"{name}": [\n{lines}\n]')
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n")
    print(f"{path.name}: " + ", ".join(f"{len(cases)} {name}" for name, cases in sections.items()))


if __name__ == "__main__":
    main()
