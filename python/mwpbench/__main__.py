"""`python -m mwpbench` is the command `mwpbench`."""

from ._command import main

if __name__ == "__main__":
    main()
