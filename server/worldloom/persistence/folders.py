"""Folders: none that was made for something which then failed is left behind. Knows not what they hold."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["no_empty_folder"]


@contextlib.contextmanager
def no_empty_folder(folder: Path) -> Iterator[None]:
    """Should the block fail, take a folder and those above it away again: if the block made them, and while empty.

    Args:
        folder: What the block makes unless it is there.
    """
    missing = [path for path in (folder, *folder.parents) if not os.path.lexists(path)]
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):  # Not empty: what is in it is worth its folder.
            for path in missing:
                path.rmdir()
        raise
