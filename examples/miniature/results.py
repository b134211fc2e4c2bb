"""The tables of a finished run, from the files that the stages wrote."""

import importlib.metadata
import json
import os
import platform
import subprocess
import time

PACKAGES = ("torch", "transformers", "trl", "datasets")
KINDS = {"walks": "walks", "random": "random compositions", "long": "walks, longer"}
WHAT = {
    "problems": "seeds and unseen problems",
    "graph": "`extract`, `graph`, `compose`",
    "generate": "`generate`",
    "validate": "`validate`",
    "export": "`screen`, `export`",
    "ablation": "pairs of random compositions, `screen`, `export`",
    "base": "tokenizer, random weights",
    "train": "all trainings, two at a time",
    "evaluate": "`eval` of all models",
    "report": "`compare`, `leaderboard`, `report`",
}


def short(size):
    """4000 as 4 K."""
    return f"{size // 1000} K" if size % 1000 == 0 else str(size)


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def percent(value):
    return f"{100 * value:.1f}"


def between(interval):
    return " – ".join(percent(end).replace("-", "−") for end in interval)


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join([" --- "] + [" ---: "] * (len(head) - 1)) + "|"]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]) + "\n"


def label(name):
    kind, size = name.rsplit("-", 1)
    return f"{short(int(size))}, {KINDS[kind]}"


def models(plan, names):
    rows = []
    for name in names:
        training = load(plan.work / "models" / name / "training.json")
        of_set = load(plan.work / "runs" / name / "summary.json")["sets"][0]
        tasks = [percent(task["strict"]["accuracy"]) for task in of_set["tasks"]]
        figures = [training["epochs"], training["steps"], training["loss"]]
        rows.append([label(name), *figures, percent(of_set["strict"]["accuracy"]), between(of_set["strict"]["interval"]), *tasks, f"{training['cpu_s']:.0f}"])
    head = ["pairs", "epochs", "steps", "mean loss", "solved, %", "95 % interval", "one point", "two", "three", "CPU time, s"]
    return table(head, rows)


def comparisons(plan):
    rows = []
    for one, other in plan.pairs:
        of_set = load(plan.work / "compare" / f"{one}_{other}.json")["sets"][0]
        p = "< 0.0001" if of_set["p"] < 1e-4 else f"{of_set['p']:.4f}"
        rows.append([f"{label(one)} → {label(other)}", f"{100 * of_set['difference']:+.1f}".replace("-", "−"), between(of_set["interval"]), of_set["won"], of_set["lost"], p])
    return table(["comparison", "difference, points", "95 % interval", "won", "lost", "p (McNemar, exact)"], rows)


def verdict(plan):
    """Whether the curve rises from each size to the next, with Holm's adjustment over these steps."""
    steps = [(one, other) for one, other in plan.pairs if one.startswith("walks") and other.startswith("walks")]
    found = [load(plan.work / "compare" / f"{one}_{other}.json")["sets"][0] for one, other in steps]
    order = sorted(range(len(found)), key=lambda i: found[i]["p"])
    adjusted, most = {}, 0.0
    for place, i in enumerate(order):
        most = max(most, min(1.0, found[i]["p"] * (len(found) - place)))
        adjusted[i] = most
    rising = all(found[i]["difference"] > 0 and adjusted[i] < 0.05 for i in adjusted)
    worst = max(adjusted.values())
    words = "rises at every step" if rising else "does NOT rise at every step"
    return f"The curve {words}: the greatest p-value of its {len(found)} steps is {worst:.2g} after Holm's adjustment.\n"


def stages(plan, names):
    rows = []
    for name in names:
        mark = load(plan.work / "done" / f"{name}.json")
        if name == "train":
            # A training that was taken up again was no child of this process from the start.
            mark["cpu_s"] = sum(figures["cpu_s"] for figures in mark["figures"].values())
        rows.append([WHAT[name], round(mark["wall_s"]), round(mark["cpu_s"])])
    rows.append(["all", *(sum(row[column] for row in rows) for column in (1, 2))])
    return table(["stage", "wall time, s", "CPU time, s"], rows)


def data(plan):
    screened, validated = load(plan.project / "screen.json"), load(plan.project / "validate.json")
    removed = ", ".join(f"{reason} {count}" for reason, count in screened["removed"].items() if count) or "none"
    random = load(plan.random_project / "screen.json")
    unseen = load(plan.work / "done" / "problems.json")["figures"]
    return (
        f"{unseen['seeds']} seeds, {validated['pairs']} pairs written, {validated['wrong']} of them found wrong by validation and corrected; "
        f"{screened['kept']} kept (removed: {removed}). Random compositions: {random['read']} pairs, {random['kept']} kept. "
        f"{unseen['unseen']} unseen problems.\n"
    )


def machine(plan):
    versions = [f"{name} {importlib.metadata.version(name)}" for name in PACKAGES]
    program = subprocess.run([plan.mwpbench, "--version"], stdout=subprocess.PIPE, text=True).stdout.strip()
    parameters = load(plan.work / "done" / "base.json")["figures"]["parameters"]
    return (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, "
        f"{', '.join(versions)}, {program}; {parameters} parameters.\n"
    )


def page(plan, names, stage_names):
    """Everything as Markdown. `names`: the models in order; `stage_names`: the stages."""
    parts = [machine(plan), data(plan), models(plan, names), verdict(plan), comparisons(plan), stages(plan, stage_names)]
    return "\n".join(parts)
