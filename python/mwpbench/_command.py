"""The command `mwpbench`: the whole program, in this process."""

import signal
import sys

from . import _mwpbench


def main() -> None:
    """Runs the program with the arguments of the command line and ends the process."""
    # Signals as a program finds them that nothing of Python started. Where SIGINT was ignored from
    # the start, as in the background of a shell, Python left it so.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "SIGXFSZ"):
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    _mwpbench._run_command(["mwpbench", *sys.argv[1:]])
