"""Threads, processes and signals."""

import functools
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

import mwpbench

posix = pytest.mark.skipif(os.name != "posix", reason="NOT RUN: needs processes that fork")
# Takes some hundredths of a second, most answers some hundred-thousandths.
SLOW = ("5, 6, 7", "(a) 5 (b) 6 " * 8000)


def judged(pair):
    return mwpbench.verify(*pair)


def test_sixteen_threads_give_the_verdicts_of_one(labelled):
    pairs = [(reference, completion) for reference, completion, _ in labelled]
    alone = [judged(pair) for pair in pairs]
    start = threading.Barrier(16)

    def work(number):
        start.wait()
        # Each in an order of its own.
        order = pairs[number * 37 % len(pairs) :] + pairs[: number * 37 % len(pairs)]
        verdicts = [judged(pair) for pair in order]
        back = number * 37 % len(pairs)
        return verdicts[len(pairs) - back :] + verdicts[: len(pairs) - back]

    with ThreadPoolExecutor(16) as pool:
        for verdicts in pool.map(work, range(16)):
            assert verdicts == alone
    assert mwpbench.verify_batch(*zip(*pairs), threads=16) == alone


def test_batches_of_many_threads_at_once(labelled):
    references, completions, _ = zip(*labelled[:500])
    expected = mwpbench.verify_batch(references, completions, threads=1)
    with ThreadPoolExecutor(8) as pool:
        made = [pool.submit(mwpbench.verify_batch, references, completions) for _ in range(16)]
        assert all(future.result() == expected for future in made)


def test_other_threads_run_while_a_batch_does():
    ticks = []
    done = threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    ticker = threading.Thread(target=tick)
    ticker.start()
    began = time.perf_counter()
    references, completions = [SLOW[0]] * 100, [SLOW[1]] * 100
    called = time.perf_counter()
    mwpbench.verify_batch(references, completions)
    ended = time.perf_counter()
    done.set()
    ticker.join()
    during = [tick for tick in ticks if called < tick < ended]
    assert ended - began < 60
    assert len(during) > (ended - called) * 50, (len(during), ended - called)


def test_a_small_stack_is_enough():
    """Threads of musl have 128 KiB, those of some servers 256."""
    old = threading.stack_size(128 * 1024)
    results = []
    deep = "\\frac{1}{" * 60 + "2" + "}" * 60
    texts = [deep, "(" * 64 + "1" + ")" * 64, "\\sqrt{" * 60 + "x" + "}" * 60, "x^{" * 60 + "2" + "}" * 60]
    texts += ["(" * 100_000, "\\int_0^1 x^2 dx", "\\sum_{n=1}^{\\infty} \\frac{1}{n^2}"]

    def work():
        for text in texts:
            for other in texts:
                results.append(mwpbench.verify(text, f"The answer is ${other}$."))
        results.append(mwpbench.official(deep, deep))

    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(old)
    assert len(results) == len(texts) ** 2 + 1


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_processes_give_the_verdicts_of_one(method, labelled):
    pairs = [(reference, completion) for reference, completion, _ in labelled[:300]]
    # The rules are read before the processes are made, and threads were used.
    expected = mwpbench.verify_batch(*zip(*pairs))
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        assert list(pool.map(judged, pairs, chunksize=50)) == expected
        # Functions of the module themselves, and a batch with threads in a child.
        assert pool.submit(mwpbench.verify_batch, *zip(*pairs)).result(timeout=60) == expected
        scorer = mwpbench.Scorer(profile="exact")
        assert pool.submit(scorer.verify, "3 cm", "It is 3.").result(timeout=60) == scorer.verify(
            "3 cm", "It is 3."
        )


@posix
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_judges_that_was_forked_while_others_judged(labelled):
    """Run apart, so that the first judgement, which reads the rules, is under way too."""
    code = """
import os, sys, threading, time
import mwpbench
def work():
    while True:
        mwpbench.verify("3/4", "The answer is 0.75.")
        mwpbench.verify_batch(["1"] * 40, ["1"] * 40, profile="exact")
for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
for number in range(40):
    child = os.fork()
    if child == 0:
        right = mwpbench.verify("3/4", "The answer is 0.75.").correct
        right &= all(mwpbench.verify_batch(["1"] * 40, ["It is 1."] * 40, profile="choice"))
        grandchild = os.fork()
        if grandchild == 0:
            os._exit(0 if mwpbench.verify("1", "It is 1.") else 1)
        right &= os.waitpid(grandchild, 0)[1] == 0
        os._exit(0 if right is True else 1)
    deadline = time.time() + 20
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        if time.time() > deadline:
            os.kill(child, 9)
            sys.exit(f"child {number} hangs")
        time.sleep(0.002)
    if status:
        sys.exit(f"child {number} ended with {status}")
print("all")
sys.stdout.flush()
os._exit(0)
"""
    for _ in range(3):
        done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=120)
        assert done.stdout == "all\n", (done.stdout, done.stderr)


@posix
def test_ctrl_c_ends_a_long_batch():
    code = f"""
import sys, time
import mwpbench
reference, completion = {SLOW[0]!r}, {SLOW[1][:12]!r} * 8000
n = 20000
references, completions = [reference] * n, [completion] * n
print("begun", flush=True)
began = time.time()
try:
    mwpbench.verify_batch(references, completions)
    print("not interrupted", flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
print(mwpbench.verify("1", "It is 1.").verdict, flush=True)
"""
    # Where these tests run in the background of a shell, it has had SIGINT ignored.
    heard = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, preexec_fn=heard)
    try:
        assert process.stdout.readline() == "begun\n"
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        began = time.time()
        assert process.stdout.readline() == "interrupted\n"
        assert time.time() - began < 2
        assert process.stdout.readline() == "correct\n"
        assert process.wait(timeout=10) == 0
    finally:
        process.kill()
        process.wait()


@posix
def test_a_signal_handler_of_the_program_runs_within_a_batch():
    seen = []
    old = signal.signal(signal.SIGALRM, lambda *_: seen.append(time.perf_counter()))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        verdicts = mwpbench.verify_batch([SLOW[0]] * 2000, [SLOW[1]] * 2000, threads=1)
        ended = time.perf_counter()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert len(verdicts) == 2000 and seen and seen[0] < ended


def test_functions_can_be_pickled():
    for function in (mwpbench.verify, mwpbench.verify_batch, mwpbench.equal, mwpbench.extract):
        assert pickle.loads(pickle.dumps(function)) is function
