"""Pages: memory that is given back is kept, for the next region needs as much again."""

import numpy as np

__all__ = ["keep_pages"]


def keep_pages() -> None:
    """Save a third to a half of the time: the arrays of a region are just large enough for glibc to map each one anew.

    It raises that limit, and what it keeps of freed memory to twice as much, to the largest block that was given
    back; so one is given back. Nothing touches it, so it costs no memory; elsewhere this is harmless.
    """
    np.empty(1 << 23, np.uint8)
