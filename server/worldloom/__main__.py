"""``python -m worldloom`` and the ``worldloom`` command. Knows nothing but where the command line begins."""

import sys

from worldloom.cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
