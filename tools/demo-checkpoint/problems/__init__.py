"""Generator of worked elementary word problems, written for the demo checkpoint."""

import importlib
import pkgutil
import random

from .base import FAMILIES, Problem  # noqa: F401

for _module in sorted(m.name for m in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")


def generate(rng, count):
    """Yield `count` problems drawn from all families by their weights."""
    functions = [function for function, _ in FAMILIES]
    weights = [weight for _, weight in FAMILIES]
    for function in rng.choices(functions, weights, k=count):
        yield function(random.Random(rng.getrandbits(64)))
