"""Judges answers to mathematical questions: does a completion give the reference's answer?

    >>> import mwpbench
    >>> verdict = mwpbench.verify(r"\\frac{3}{4}", "So the answer is 0.75.")
    >>> bool(verdict), verdict.answer
    (True, '0.75')

`verify` judges one completion and `verify_batch` many, on threads. `extract` gives the answer of a
completion, `equal` says whether two answers denote the same, and `official` judges as the published
scorer of MwpBench does. A `Scorer` holds a profile. All of them may be called from any thread and
in processes that were forked; no signal and no clock is involved.

For other programs: `mwpbench.trl`, `mwpbench.verl`, `mwpbench.lm_eval`, `mwpbench.inspect`,
`mwpbench.lighteval`, and `mwpbench.math_verify` in Math-Verify's place. `docs/python.md` in the
repository is the manual.
"""

import os as _os

from . import _mwpbench
from ._mwpbench import (
    Scorer,
    Verdict,
    __version__,
    equal,
    extract,
    official,
    scorer_version,
    verify,
    verify_batch,
)

__all__ = [
    "Scorer",
    "Verdict",
    "__version__",
    "equal",
    "extract",
    "official",
    "scorer_version",
    "verify",
    "verify_batch",
]

if hasattr(_os, "register_at_fork"):
    # What another thread is in the middle of would stay half done in a child.
    _os.register_at_fork(
        before=_mwpbench._before_fork,
        after_in_parent=_mwpbench._after_fork_in_parent,
        after_in_child=_mwpbench._after_fork_in_child,
    )
