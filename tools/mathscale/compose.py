#!/usr/bin/env python3
"""Compositions in plain Python: the same walks as `mwpbench mathscale compose`, with dictionaries and bisection.

The yardstick for its speed and for the distribution of what it gives; see benches/mathscale.py. Other random numbers, so other
compositions.

    compose.py extractions.jsonl compositions.jsonl --count 2000000
"""

import argparse
import json
import random
from bisect import bisect
from collections import Counter, defaultdict
from itertools import accumulate, combinations

EPSILON = 1e-5


def read_graph(path):
    """The topics, and for each sub-graph the neighbours of every concept with the sums of their weights."""
    pairs = [defaultdict(Counter) for _ in range(3)]
    topics = set()
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            own_topics, own_kps = sorted(set(record["topics"])), sorted(set(record["knowledge_points"]))
            topics.update(own_topics)
            for graph, names in ((pairs[0], own_topics), (pairs[2], own_kps)):
                for u, v in combinations(names, 2):
                    graph[u][v] += 1
                    graph[v][u] += 1
            for topic in own_topics:
                pairs[1][topic].update(own_kps)

    def rows(graph):
        sums = {u: list(accumulate(w + EPSILON for w in row.values())) for u, row in graph.items()}
        # The last place, so that rounding never leads beyond it.
        return {u: (list(row), sums[u], sums[u][-1], len(row) - 1) for u, row in graph.items()}

    return sorted(topics), [rows(graph) for graph in pairs]


def compositions(topics, graphs, count, seed):
    """Yields unique pairs of sorted tuples until there are `count`, epoch after epoch."""
    topic_topic, topic_kp, kp_kp = (graph.get for graph in graphs)
    draw = random.Random(seed).random
    seen = set()
    while len(seen) < count:
        for topic in topics:
            found_topics = {topic}
            for _ in range(1 if draw() < 0.5 else 2):
                row = topic_topic(topic)
                if row:
                    names, sums, total, last = row
                    topic = names[bisect(sums, draw() * total, 0, last)]
                    found_topics.add(topic)
            row = topic_kp(topic)
            if not row:
                continue
            names, sums, total, last = row
            kp = names[bisect(sums, draw() * total, 0, last)]
            found_kps = {kp}
            for _ in range(int(draw() * 5)):
                row = kp_kp(kp)
                if row:
                    names, sums, total, last = row
                    kp = names[bisect(sums, draw() * total, 0, last)]
                    found_kps.add(kp)
            key = (tuple(sorted(found_topics)), tuple(sorted(found_kps)))
            if key not in seen:
                seen.add(key)
                yield key
                if len(seen) == count:
                    return


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("extractions")
    parser.add_argument("output")
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    topics, graphs = read_graph(arguments.extractions)
    names = {*topics, *(name for graph in graphs for names, *_ in graph.values() for name in names)}
    quoted = {name: json.dumps(name, ensure_ascii=False) for name in names}.__getitem__
    with open(arguments.output, "w", encoding="utf-8") as out:
        for found_topics, found_kps in compositions(topics, graphs, arguments.count, arguments.seed):
            line = ",".join(map(quoted, found_topics)), ",".join(map(quoted, found_kps))
            out.write('{"topics":[%s],"knowledge_points":[%s]}\n' % line)


if __name__ == "__main__":
    main()
