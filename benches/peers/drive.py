"""Run the commands of workloads in interleaved rounds on an idle machine, and compare the peers.

    drive.py WORKLOAD.txt... [--rounds 3] [--out RESULTS.jsonl] [--set NAME=VALUE]... [--only TEXT]
    drive.py --table RESULTS.jsonl

A workload file has one command a line; no shell reads it. `#` starts a comment, and `# measure: FIELD` names the field
of the printed lines to compare: tokens_per_s [default], decode_tokens_per_s, or seconds (less is better). {NAME} in a
command is filled from --set, else from the environment; {SCRIPTS} and {REPOSITORY} are known, and {WORKLOAD} is the
file's name without .txt.

Before each command the machine must be idle. A command during which others took more than --foreign of the processor
time is run again, up to --attempts times; the share is recorded with each line as `foreign`. Results are appended to
--out, and a Markdown table of all that it holds is printed at the end.
"""

import argparse
import json
import os
import re
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent
REPOSITORY = SCRIPTS.parents[1]
OURS = "mwpbench"
LESS_IS_BETTER = {"seconds"}
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
CORES = os.cpu_count()


# Workload files


def known_values(settings):
    values = dict(os.environ, SCRIPTS=str(SCRIPTS), REPOSITORY=str(REPOSITORY))
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            sys.exit(f"--set {setting}: NAME=VALUE is expected")
        values[name] = value
    return values


def filled(word, values, place):
    def value(match):
        if match[1] not in values:
            sys.exit(f"{place}: {match[0]} is not known; give it with --set {match[1]}=VALUE or in the environment")
        return values[match[1]]

    return re.sub(r"\{([A-Z_]+)\}", value, word)


def read_workload(path, values):
    """The measured field and the commands of a workload file."""
    measure, commands = "tokens_per_s", []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        directive = re.match(r"#\s*measure:\s*(\w+)", line)
        if directive:
            measure = directive[1]
        elif line.strip() and not line.startswith("#"):
            known = {**values, "WORKLOAD": path.stem}
            commands.append([filled(word, known, f"{path}:{number}") for word in shlex.split(line)])
    return measure, commands


# The processor


def busy_seconds():
    """Processor time that the machine has spent so far on anything, stolen time included."""
    with open("/proc/stat") as stat:
        ticks = [int(field) for field in stat.readline().split()[1:]]
    user, nice, system, _idle, _wait, interrupts, soft_interrupts, stolen = ticks[:8]
    return (user + nice + system + interrupts + soft_interrupts + stolen) / TICKS_PER_SECOND


def children_seconds():
    """Processor time of the processes that this one has started and seen end, with that of their own."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def wait_until_idle(share, longest):
    """Return once two seconds in a row were idle, or after `longest` seconds."""
    deadline, quiet = time.monotonic() + longest, 0
    while quiet < 2 and time.monotonic() < deadline:
        before, began = busy_seconds(), time.monotonic()
        time.sleep(1)
        used = (busy_seconds() - before) / ((time.monotonic() - began) * CORES)
        quiet = quiet + 1 if used <= share else 0
    return quiet >= 2


# Running


def run(command, timeout):
    """The JSON lines a command printed, others' share of the processor meanwhile, and what went wrong."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        busy, began, own = busy_seconds(), time.monotonic(), children_seconds()
        process = subprocess.Popen(command, stdout=output, stderr=errors)
        try:
            process.wait(timeout)
            late = False
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            late = True
        wall = time.monotonic() - began
        foreign = max(0.0, busy_seconds() - busy - (children_seconds() - own)) / (wall * CORES)
        output.seek(0)
        errors.seek(0)
        lines = [json.loads(line) for line in output.read().splitlines() if line.startswith("{")]
        if late:
            return lines, foreign, f"stopped after {timeout:.0f} s"
        if process.returncode or not lines:
            return lines, foreign, f"exit status {process.returncode}: {errors.read()[-400:].strip()}"
        return lines, foreign, None


def measure_command(command, options):
    """The least disturbed of a few attempts: its lines, and others' share."""
    best, best_foreign = [], 2.0
    for _attempt in range(options.attempts):
        if not wait_until_idle(options.idle, options.wait):
            print("  the machine does not become idle", file=sys.stderr)
        lines, foreign, failure = run(command, options.timeout)
        if failure:
            print(f"  failed: {failure}", file=sys.stderr)
            return []
        if foreign < best_foreign:
            best, best_foreign = lines, foreign
        if foreign <= options.foreign:
            break
        print(f"  others took {foreign:.0%} of the processor", file=sys.stderr)
    for line in best:
        line["foreign"] = round(best_foreign, 3)
    return best


def run_workload(path, options, values):
    measure, commands = read_workload(path, values)
    commands = [command for command in commands if options.only in shlex.join(command)]
    for round_number in range(options.rounds):
        first = round_number % max(1, len(commands))
        for command in commands[first:] + commands[:first]:
            print(f"{path.stem}, round {round_number + 1}: {shlex.join(command)}", file=sys.stderr)
            for line in measure_command(command, options):
                line["workload"] = path.stem
                line.update(measure=measure, round=round_number + 1)
                with open(options.out, "a") as results:
                    results.write(json.dumps(line) + "\n")


# The table


def peer_name(line):
    variant = line.get("variant")
    return line["peer"] + (f", {variant}" if variant else "")


def grouped(lines):
    """Workload → peer → its lines, in the order of first appearance."""
    groups = {}
    for line in lines:
        groups.setdefault(line["workload"], {}).setdefault(peer_name(line), []).append(line)
    return groups


def values_of(lines):
    return [line[line["measure"]] for line in lines if line.get(line["measure"]) is not None]


def advantage(ours, theirs, measure):
    """How many times better `ours` is."""
    return theirs / ours if measure in LESS_IS_BETTER else ours / theirs


def number(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}" if value >= 20 else f"{value:.2f}"


def peer_row(name, lines, our_median):
    measure, values = lines[0]["measure"], values_of(lines)
    middle = statistics.median(values)
    ratio = f"{advantage(our_median, middle, measure):.2f}" if our_median and name != OURS else ""
    tokens = sorted({line["new_tokens"] for line in lines})
    shown_tokens = f"{tokens[0]:,}" if len(tokens) == 1 else f"{tokens[0]:,}–{tokens[-1]:,}"
    spread = f"{number(min(values))}–{number(max(values))}"
    foreign = max(line.get("foreign", 0) for line in lines)
    cells = [name, number(middle), spread, len(values), shown_tokens, f"{foreign:.0%}", ratio]
    return "| " + " | ".join(map(str, cells)) + " |"


def workload_table(workload, peers):
    peers = {name: lines for name, lines in peers.items() if values_of(lines)}
    if not peers:
        return f"### {workload}\n\nNothing was measured."
    any_line = next(iter(peers.values()))[0]
    measure, less = any_line["measure"], any_line["measure"] in LESS_IS_BETTER
    medians = {name: statistics.median(values_of(lines)) for name, lines in peers.items()}
    ours = medians.get(OURS)
    text = [
        f"### {workload}",
        "",
        f"{any_line['dtype']}, {any_line['prompts']} prompts, {any_line['rows']} rows; {measure.replace('_', ' ')}",
        "",
        f"| peer | median | min–max | runs | new tokens | others' CPU, at most | {OURS} is … times better |",
        "|---|---|---|---|---|---|---|",
    ]
    text += [peer_row(name, peers[name], ours) for name in sorted(peers, key=medians.get, reverse=not less)]
    others = {name: median for name, median in medians.items() if name != OURS}
    if ours and others:
        best = (min if less else max)(others, key=others.get)
        text += ["", f"{OURS} against the best peer ({best}): **{advantage(ours, others[best], measure):.2f}**"]
    return "\n".join(text)


def print_tables(path):
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    print("\n\n".join(workload_table(workload, peers) for workload, peers in grouped(lines).items()))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("workloads", nargs="*", type=Path, help="workload files")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--out", type=Path, default=Path("results.jsonl"))
    arguments.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    arguments.add_argument("--only", default="", help="run only the commands that contain this text")
    arguments.add_argument("--idle", type=float, default=0.06, help="busy share of an idle machine, at most")
    arguments.add_argument("--foreign", type=float, default=0.06, help="others' share during a command, at most")
    arguments.add_argument("--attempts", type=int, default=3, help="runs of a command that others disturb, at most")
    arguments.add_argument("--wait", type=float, default=600, help="seconds to wait for an idle machine, at most")
    arguments.add_argument("--timeout", type=float, default=600, help="seconds of a command, at most")
    arguments.add_argument("--table", type=Path, help="print only the tables of these results")
    options = arguments.parse_args()
    if options.table:
        return print_tables(options.table)
    if not options.workloads:
        arguments.error("no workload file is named")
    values = known_values(options.set)
    for path in options.workloads:
        read_workload(path, values)  # Misses are reported before anything runs.
    for path in options.workloads:
        run_workload(path, options, values)
    if options.out.is_file():
        print_tables(options.out)


if __name__ == "__main__":
    main()
