#!/usr/bin/env python3
"""Writes extractions at the paper's scale, for measurements: 20,000 seeds over 2,018 topics and 8,892 knowledge points.

Frequencies fall off like those of words (Zipf), and a seed's knowledge points come from the neighbourhood of its topic, so that
the graph has the hubs and the clusters of a real one. Every concept occurs in two seeds or more. Equal arguments give equal files.

    make_extractions.py extractions.jsonl
    mwpbench mathscale extract --from-annotations extractions.jsonl --project DIR
"""

import argparse
import bisect
import itertools
import json
import random

WORDS = (
    "linear quadratic rational integer fraction decimal percent ratio rate angle triangle circle polygon area volume surface prime factor "
    "multiple divisor remainder sequence series limit derivative integral matrix vector complex absolute inverse exponential logarithm "
    "probability expected variance median graph slope intercept function domain range root polynomial inequality equation system "
    "permutation combination counting set union proof induction modular distance speed time money interest discount mixture work age "
    "average proportion scale similarity congruence tangent chord sector parallel perpendicular coordinate symmetry rotation"
).split()
FORMS = (
    "Definition and properties of {}",
    "Applications of {}",
    "Solving problems with {}",
    "Relation between {} and {}",
    "Computing {} from {}",
    "Interpretation of {} in terms of {}",
)


def names(count, form_count, rng):
    """Different names of the length that a model gives."""
    found = {}
    while len(found) < count:
        form = rng.choice(FORMS[:form_count])
        words = (" ".join(rng.sample(WORDS, 2)) for _ in range(form.count("{}")))
        found[form.format(*words)] = None
    return list(found)


class Zipf:
    """Draws 0 to n - 1, number k in proportion to (k + 3) ** -exponent."""

    def __init__(self, n, exponent):
        self.sums = list(itertools.accumulate((k + 3) ** -exponent for k in range(n)))

    def draw(self, rng):
        return bisect.bisect(self.sums, rng.random() * self.sums[-1])


def extractions(seeds, topics, knowledge_points, rng):
    topic_names = [name.removeprefix("Definition and properties of ").capitalize() for name in names(topics, 1, rng)]
    kp_names = names(knowledge_points, len(FORMS), rng)
    topic_zipf, kp_zipf = Zipf(topics, 1.0), Zipf(knowledge_points, 0.8)
    # The knowledge points near a topic: a window whose place the topic decides, half of the time.
    window = Zipf(120, 0.9)
    places = [rng.randrange(knowledge_points) for _ in range(topics)]

    def seed():
        first = topic_zipf.draw(rng)
        ts = {first} if rng.random() < 0.45 else {first, (first * 7 + window.draw(rng)) % topics}
        ks = set()
        for _ in range(rng.randint(1, 5)):
            near = rng.random() < 0.7
            ks.add((places[first] + window.draw(rng)) % knowledge_points if near else kp_zipf.draw(rng))
        return ts, ks

    found = [seed() for _ in range(seeds)]
    complete(found, 0, topics, 2, rng)
    complete(found, 1, knowledge_points, 5, rng)
    for number, (ts, ks) in enumerate(found):
        yield {
            "id": str(number + 1),
            "topics": sorted(topic_names[t] for t in ts),
            "knowledge_points": sorted(kp_names[k] for k in ks),
        }


def complete(found, kind, count, most, rng):
    """Puts concepts of fewer than two seeds in place of one of the most frequent ones, or beside it where there is room."""
    seeds_of = [0] * count
    for seed in found:
        for concept in seed[kind]:
            seeds_of[concept] += 1
    for concept in range(count):
        while seeds_of[concept] < 2:
            own = rng.choice(found)[kind]
            if concept in own:
                continue
            if len(own) >= most:
                common = max(own, key=lambda other: seeds_of[other])
                if seeds_of[common] <= 3:
                    continue
                own.discard(common)
                seeds_of[common] -= 1
            own.add(concept)
            seeds_of[concept] += 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output")
    parser.add_argument("--seeds", type=int, default=20_000)
    parser.add_argument("--topics", type=int, default=2_018)
    parser.add_argument("--knowledge-points", type=int, default=8_892)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    with open(arguments.output, "w", encoding="utf-8") as out:
        for record in extractions(arguments.seeds, arguments.topics, arguments.knowledge_points, rng):
            out.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
