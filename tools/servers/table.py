"""Writes the results of real servers and of lm-eval into docs/endpoints.md, between its marks.

    table.py [--check]        with --check: changes nothing, and exits 1 where the page has other figures
"""

import json
import re
import sys

from checks import Checks
from serving import ROOT

PAGE = ROOT / "docs/endpoints.md"
RESULTS = ROOT / "tools/servers/results"
LM_EVAL = ROOT / "tools/lm-eval/result.json"
TITLES = {
    "completions": "completions",
    "unstreamed": "no stream",
    "defaults": "2,048 new tokens",
    "chat": "chat",
    "rendered": "chat rendered here",
    "samples": "2 samples, drawn again",
    "logprobs": "log-probabilities",
    "resumed": "killed, resumed",
    "restarted": "server killed, restarted",
}


def cell(result, name):
    """Equal of all items; a dash where the check was not run."""
    found = result["checks"].get(name)
    if found is None:
        return "–"
    if "failed" in found:
        return "failed"
    return f"{found['equal']} of {found['n']}"


def row(cells):
    return "| " + " | ".join(cells) + " |"


def servers():
    results = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*.json"))]
    named = [f"{result['server']} {next(iter(result['versions'].values()))}" for result in results]
    table = [row(["server", *TITLES.values(), "date"]), "|---" * (len(TITLES) + 2) + "|"]
    table += [row([name, *(cell(result, check) for check in Checks.NAMES), result["date"]]) for name, result in zip(named, results)]
    reasons = []
    for result in results:
        for check, found in result["checks"].items():
            if "why_less" in found:
                reasons.append(f"* {result['server']}, {TITLES[check]}: {found['why_less']}")
        reasons += [f"* {result['server']}, {TITLES[check]}: {reason}" for check, reason in result["skipped"].items()]
    return "\n".join([*table, "", "A dash: that check has no result yet.", *([""] + reasons if reasons else [])])


def lm_eval():
    result = json.loads(LM_EVAL.read_text(encoding="utf-8"))
    table = [row(["lm-eval " + result["versions"]["lm-eval"], "prompts equal", "token ids equal", "texts equal", "date"]), "|---" * 5 + "|"]
    for kind in ["hf", "local-completions"]:
        found = result[kind]
        counts = ["not told" if found[what] is None else f"{found[what]} of {found['n']}" for what in ["prompts", "token_ids", "texts"]]
        table.append(row([f"`{kind}`", *counts, result["date"]]))
    return "\n".join(table)


def replaced(page, mark, text):
    """The page with what stands between two marks replaced."""
    pattern = re.compile(rf"(<!-- {mark}: written by tools/servers/table.py -->\n).*?(<!-- end of {mark} -->)", re.DOTALL)
    page, count = pattern.subn(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", page)
    if count != 1:
        sys.exit(f"{PAGE} has {count} places marked {mark}, wanted is one")
    return page


def main():
    page = PAGE.read_text(encoding="utf-8")
    new = replaced(page, "servers", servers())
    if LM_EVAL.exists():
        new = replaced(new, "lm-eval", lm_eval())
    if "--check" in sys.argv[1:]:
        if new != page:
            sys.exit(f"{PAGE} has other figures than {RESULTS}: run tools/servers/table.py")
        return
    PAGE.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
