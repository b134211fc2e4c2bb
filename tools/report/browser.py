#!/usr/bin/env python3
"""Drives the page of `mwpbench report` in headless Chromium.

    pip install -r tools/report/requirements.txt        # and Chromium: Debian's package `chromium`
    tools/report/browser.py --mwpbench target/debug/mwpbench [--axe FOLDER] [--screenshots docs/report] [--large RUN]

Two runs over the bundled problems are answered by a server on loopback, one of them by hostile texts. Checked: the page
loads without an error and without a request, its counts are those of summary.json, search and filters find what they
should, an item is opened by its link and by keys, nothing of a hostile text runs, and axe-core (FOLDER holds
node_modules/axe-core) finds no serious fault. With --large the times of a run of one's own are measured too.
Exit code 1 where something is not so.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from server import serve

HOSTILE = [
    "<script>window.hostile = 1</script> The answer is 1.",
    "</script><script>window.hostile = 2</script> The answer is 2.",
    "<img src=x onerror=\"window.hostile = 3\"> The answer is <b>3</b>.",
    "<a href=\"javascript:window.hostile=4\">four</a> The answer is $\\href{javascript:window.hostile=4}{4}$.",
    "The answer is \u202e21\u202c and \u200f\u2066x\u2069\ufeff.",
    "<svg onload=window.hostile=5><style>*{display:none}</style><base href=//evil.example> The answer is 5.",
    "<!-- --><![CDATA[ x ]]> &lt;script&gt; &#60;script&#62; The answer is \\boxed{<script>window.hostile=6</script>}.",
    "$\\text{<img src=x onerror=window.hostile=7>}$ and \\(\\style{color:red}{x}\\) The answer is 7. \ufffd\ufffe \x00\x07",
    "$" + "{" * 500 + "x" + "}" * 500 + "$ The answer is 8.",
    "\\boxed{" + "\\frac{1}{" * 200 + "2" + "}" * 200 + "}",
    "\x7f\x7f<img src=x onerror=window.hostile=8>\x7f $x\u202e\x7f$ $\\text{\u202e<b>\x07}$ The answer is $9$.",
    "$a\u202eb\u2066\x07$ and $\\text{\u202e & <img src=x onerror=window.hostile=9>}$. The answer is $10$.",
]

FAILURES = []


def check(what, found, expected=True):
    same = found == expected
    print(f"{'ok  ' if same else 'FAIL'} {what}" + ("" if same else f": expected {expected!r}, found {found!r}"), flush=True)
    if not same:
        FAILURES.append(what)


def answers(texts):
    """A completion for a prompt, the same one each time."""
    return lambda prompt: texts[sum(prompt.encode()) % len(texts)]


def make_run(mwpbench, folder, texts, *flags):
    address, stop = serve(answers(texts))
    command = [mwpbench, "eval", "--model", "scripted", "--endpoint", address, "--output-dir", folder, "--quiet",
               "--max-concurrency", "4", *flags]
    done = subprocess.run(command, capture_output=True, text=True)
    stop()
    if not (folder / "summary.json").exists():
        sys.exit(f"{' '.join(map(str, command))}: {done.stderr}")
    return folder


def report(mwpbench, page, *runs):
    done = subprocess.run([mwpbench, "report", *runs, "--output", page, "--force"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return page


def until(page, expression):
    """Waits for an expression to hold. (Playwright's own wait needs `eval`, which the page forbids.)"""
    for _ in range(400):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(25)
    raise TimeoutError(expression)


def count(page):
    return int(page.locator("#count").inner_text().split()[0])


class Browser:
    """A page of its own for each file, with everything that it says and asks for."""

    def __init__(self, chromium):
        self.chromium, self.errors, self.requests = chromium, [], []

    def open(self, file, fragment="", **options):
        page = self.chromium.new_context(**options).new_page()
        page.on("console", lambda message: message.type in ("error", "warning") and self.errors.append(message.text))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("dialog", lambda dialog: self.errors.append("a dialog opened"))
        page.goto(f"file://{file}{fragment}")
        page.wait_for_selector("html[data-ready=yes]", timeout=60_000)
        return page

    def loaded(self, page):
        page.wait_for_selector("html[data-loaded=yes]", timeout=120_000)
        return page


def check_counts(page, run):
    """What the filters count, against the run's own summary."""
    summary = json.loads((run / "summary.json").read_text())
    items = sum(entry["n"] for entry in summary["sets"])
    check("all items are listed", count(page), items)
    for scorer, name in ((0, "official"), (1, "strict")):
        page.select_option("#scorer", str(scorer))
        page.select_option("#verdict", "right")
        check(f"correct by the {name} scorer", count(page), sum(entry[name]["correct"] for entry in summary["sets"]))
    for kind, key in (("none", "no_answer"), ("cut", "truncated"), ("failed", "failed")):
        page.select_option("#verdict", kind)
        check(f"{key} as in the summary", count(page), sum(entry[key] for entry in summary["sets"]))
    page.select_option("#verdict", "")
    for place, entry in enumerate(summary["sets"]):
        page.select_option("#set", str(place))
        if count(page) != entry["n"]:
            check(f"items of {entry['set']}", count(page), entry["n"])
    page.click("#clear")


def check_browsing(page):
    page.keyboard.press("j")
    page.wait_for_selector("#item[data-item]")
    first = page.locator("#item").get_attribute("data-item")
    page.keyboard.press("j")
    until(page, f"document.getElementById('item').dataset.item !== {json.dumps(first)}")
    second = page.locator("#item").get_attribute("data-item")
    page.keyboard.press("k")
    until(page, f"document.getElementById('item').dataset.item === {json.dumps(first)}")
    check("j and k go on and back", first != second)
    check("the address names the item", "item=" in page.url)
    page.keyboard.press("3")
    check("3 shows what is wrong", page.locator("#verdict").input_value(), "wrong")
    page.keyboard.press("1")
    page.keyboard.press("/")
    check("/ goes to the search", page.evaluate("document.activeElement.id"), "search")
    page.keyboard.type(second)
    until(page, "parseInt(document.getElementById('count').textContent) < 20")
    check("an id is found", second in page.locator("#list .id").all_text_contents())
    page.fill("#search", "zzzz no such text")
    until(page, "document.getElementById('count').textContent.startsWith('0 of')")
    page.keyboard.press("Escape")
    page.click("#clear")
    rules = page.locator("#rule option").all()
    text = rules[1].inner_text()
    page.select_option("#rule", rules[1].get_attribute("value"))
    check("a rule's items are as many as it says", count(page), int(re.search(r"\((\d+)\)$", text)[1]))
    page.click("#clear")
    return second


def check_item(browser, file, run, item):
    page = browser.open(file, f"#item={item}")
    page.wait_for_selector(f"#item[data-item='{item}']")
    problems = {line["id"]: line for line in map(json.loads, (run / "problems.jsonl").read_text().splitlines())}
    page.keyboard.press("f")
    page.wait_for_timeout(200)
    shown = page.locator("#item .text").first.text_content()
    check("a link opens its item, whole", shown, problems[item]["question"])
    check("the prompt is the one that was asked", problems[item]["question"] in page.locator("#item details").text_content())


def check_formulas(page):
    """MathML, made from the characters of the page, is what the formula says; `f` shows the source, in which nothing is lost."""
    page.fill("#search", "Half of it is")
    until(page, "document.getElementById('count').textContent.split(' ')[0] !== document.getElementById('count').textContent.split(' ')[2]")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.wait_for_selector("#item .card .text math")
    # Whatever the attributes.
    shown = page.evaluate("[...document.querySelectorAll('#item .card .text math')].map(math => math.innerHTML.replace(/ [a-z]+=\"[^\"]*\"/g, ''))")
    check("formulas are MathML", shown, ["<mfrac><mrow><mn>12</mn></mrow><mrow><mn>2</mn></mrow></mfrac><mo>=</mo><mn>6</mn>"])
    page.keyboard.press("f")
    until(page, "document.querySelectorAll('#item math').length === 0")
    check("their source is there", page.locator("#item .card .text").text_content(),
          "Half of it is $\\frac{12}{2} = 6$, so the answer is \\boxed{6}.")
    page.keyboard.press("f")
    page.click("#clear")


def check_hostile(browser, file):
    page = browser.loaded(browser.open(file))
    formulas, turned = 0, False
    for _ in range(60):
        page.keyboard.press("j")
        page.wait_for_timeout(25)
        for control in page.locator("#item details:not([open]) summary").all():
            control.click()
        formulas += page.evaluate("document.querySelectorAll('#item math').length")
        turned |= page.evaluate("/[\\u202a-\\u202e\\u2066-\\u2069\\u200f\\ufeff]/.test(document.body.textContent)")
    check("no hostile text ran", page.evaluate("window.hostile === undefined"))
    check("no element came from a text", page.evaluate(
        "document.querySelectorAll('#item img, #item script, #item style, #item base, #item svg, #item a[href^=javascript]').length"), 0)
    check("the base address is the file's", page.evaluate("document.baseURI.startsWith('file:')"))
    check("nothing turns text around", turned, False)
    check("there are formulas", formulas > 0)


def check_access(page, axe):
    source = (axe / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
    page.evaluate(source)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    serious = [f"{fault['id']}: {fault['nodes'][0]['html'][:120]}" for fault in found
               if fault["impact"] in ("serious", "critical")]
    check("axe-core finds no serious fault", serious, [])


def measure(browser, file, run):
    lines = sum((run / name).stat().st_size for name in ("problems.jsonl", "completions.jsonl", "verdicts.jsonl"))
    size = file.stat().st_size
    print(f"     {size:,} bytes of {lines:,} in JSON Lines: {size / lines:.3f}")
    started = time.monotonic()
    page = browser.open(file)
    print(f"     list drawn after {time.monotonic() - started:.2f} s; first paint "
          f"{page.evaluate('performance.getEntriesByName(`first-contentful-paint`)[0].startTime'):.0f} ms; {count(page)} items")
    browser.loaded(page)
    print(f"     all texts read after {time.monotonic() - started:.2f} s")
    spent = []
    for change in (lambda: page.select_option("#verdict", "wrong"), lambda: page.select_option("#set", "0"),
                   lambda: page.click("#clear"), lambda: page.fill("#search", "answer is 12"),
                   lambda: page.fill("#search", "qqqq"), lambda: page.click("#clear")):
        change()
        page.wait_for_timeout(600)
        spent.append(float(page.locator("#count").get_attribute("data-milliseconds")))
    print(f"     filters, ms: {spent}")
    check("a filter takes less than 100 ms", max(spent) < 100)


def screenshots(browser, file, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, options in {
        "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
        "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
        "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
    }.items():
        page = browser.loaded(browser.open(file, **options))
        page.screenshot(path=folder / f"{name}-summary.png")
        page.locator("#browser").scroll_into_view_if_needed()
        page.evaluate("document.getElementById('browser').scrollIntoView()")
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.wait_for_timeout(400)
        page.screenshot(path=folder / f"{name}-items.png")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mwpbench", type=Path, required=True)
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("chromium-browser"))
    parser.add_argument("--axe", type=Path)
    parser.add_argument("--screenshots", type=Path)
    parser.add_argument("--large", type=Path)
    arguments = parser.parse_args()
    mwpbench = arguments.mwpbench.resolve()
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        temporary = Path(temporary)
        honest = ["Half of it is $\\frac{12}{2} = 6$, so the answer is \\boxed{6}.", "The answer is 5.", "I do not know.",
                  "She has $$x^2 + 1 = 17$$ apples. The answer is 4.", "\\[\\sum_{i=1}^{4} i = 10\\] The answer is 10."]
        one = make_run(mwpbench, temporary / "honest", honest, "--tag", "name=honest")
        two = make_run(mwpbench, temporary / "hostile", HOSTILE, "--tag", "name=<b>hostile</b>")
        chromium = playwright.chromium.launch(executable_path=arguments.chromium, args=["--no-sandbox"])
        browser = Browser(chromium)
        single = report(mwpbench, temporary / "one.html", one)
        page = browser.loaded(browser.open(single))
        check_counts(page, one)
        item = check_browsing(page)
        check_formulas(page)
        check_item(browser, single, one, item)
        both = report(mwpbench, temporary / "both.html", one, two)
        check_hostile(browser, both)
        page = browser.loaded(browser.open(both))
        page.select_option("#flip", "changed:1")
        changed = count(page)
        page.select_option("#flip", "won:1")
        won = count(page)
        page.select_option("#flip", "lost:1")
        check("what changed was won or lost", changed, won + count(page))
        page.click("#clear")
        page.keyboard.press("j")
        page.wait_for_selector("#item[data-item]")
        check("two runs stand beside each other", page.locator("#item .card").count(), 2)
        if arguments.axe:
            check_access(page, arguments.axe)
        check("the console has no error", browser.errors, [])
        if arguments.large:
            measure(browser, report(mwpbench, temporary / "large.html", arguments.large), arguments.large)
        leaving = [url for url in browser.requests if not url.startswith((f"file://{temporary}", "blob:", "data:"))]
        check("no request leaves the page", leaving, [])
        if arguments.screenshots:
            screenshots(browser, both, arguments.screenshots)
        chromium.close()
    sys.exit(1 if FAILURES else 0)


if __name__ == "__main__":
    main()
