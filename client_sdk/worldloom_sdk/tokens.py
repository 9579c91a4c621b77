"""Token files: where a bot keeps who it is. One token, one file, readable by its owner alone."""

import os
import tempfile
from pathlib import Path

__all__ = ["read_token", "write_token"]

_MAX_BYTES = 256


def read_token(path: Path) -> str | None:
    """The token in a file, or ``None`` if there is no such file.

    Raises:
        ValueError: The file holds something that is no token. The text names the file, never what is in it.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    token = raw.strip().decode("ascii", "replace")
    if not 16 <= len(token) <= 128 or not token.isprintable():
        raise ValueError(f"expected a token of 16 to 128 characters in {path}, got something else")
    return token


def write_token(path: Path, token: str) -> None:
    """Keep a token, mode 0600, whole or not at all.

    Raises:
        OSError: The file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(token.encode("ascii") + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
