"""Measure the accuracy of the checkpoint on the sample sets and on fresh problems.

An answer counts as right if the number after the last "The answer is" equals
the reference as a number. This is a quick check for the recipe; the benchmark
has its own, more careful comparison.
"""

import argparse
import random
import re
from collections import defaultdict
from fractions import Fraction

import greedy
import text
from problems import generate

HELD_OUT_SEED = 987654321


def as_number(answer):
    """Read 12, 1,200, $3.50, 3/4, 25% or 25 km as a fraction, or give None."""
    plain = answer.replace(",", "").replace("$", "").replace("\\%", "%").strip().rstrip(".")
    match = re.match(r"(-?\d+(?:\.\d+)?)(?:/(\d+))?\s*(%?)", plain)
    if not match:
        return None
    value = Fraction(match.group(1)) / int(match.group(2) or 1)
    return value / 100 if match.group(3) else value


def given_answer(response):
    """The text after the last "The answer is", or an empty one."""
    head, found, tail = response.rpartition("The answer is")
    return tail.strip() if found else ""


def is_right(response, reference):
    given, wanted = as_number(given_answer(response)), as_number(reference)
    if given is None or wanted is None:
        return False
    return abs(given - wanted) <= abs(wanted) / 10**4


def held_out(count):
    """Fresh problems that share no 8-gram with the samples."""
    overlap = text.OverlapFilter()
    for problem in generate(random.Random(HELD_OUT_SEED), count):
        if overlap.accepts(problem.question):
            yield "held-out " + problem.family, problem.question, problem.answer


def sample_rows(only):
    for row in text.sample_problems():
        if not only or row["data_topic"] in only:
            yield row["data_topic"], row["question"], row["answer"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", default=greedy.CHECKPOINT)
    parser.add_argument("--held-out", type=int, default=0, help="number of generated problems instead of samples")
    parser.add_argument("--only", nargs="*", help="data topics of the sample sets to evaluate")
    parser.add_argument("--show", action="store_true", help="print every wrong response")
    options = parser.parse_args()
    tokenizer, model = greedy.load(options.checkpoint)
    rows = held_out(options.held_out) if options.held_out else sample_rows(options.only)
    right, seen = defaultdict(int), defaultdict(int)
    for topic, question, answer in rows:
        prompt = tokenizer.encode(text.prompt_text(question))
        tokens, _, _ = greedy.decode(model, prompt)
        response = tokenizer.decode(tokens, skip_special_tokens=True)
        good = is_right(response, answer)
        right[topic] += good
        seen[topic] += 1
        if options.show and not good:
            print(f"[{topic}] {question}\n  {response}\n  expected {answer}")
    for topic in sorted(seen):
        print(f"{topic:32} {right[topic]:4} of {seen[topic]:4}  {100 * right[topic] / seen[topic]:5.1f} %")
    total, count = sum(right.values()), sum(seen.values())
    print(f"{'all':32} {total:4} of {count:4}  {100 * total / count:5.1f} %")


if __name__ == "__main__":
    main()
