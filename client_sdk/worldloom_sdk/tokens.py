"""Token files: where a bot keeps who it is. One account, one file, readable by its owner alone.

The first line is the token. A second one, "recovery:" and a code, is there if the account's recovery code is known.
"""

import os
import tempfile
from pathlib import Path
from typing import NamedTuple

from worldloom_sdk.errors import SetupError

__all__ = ["Kept", "check_writable", "read_token", "write_token"]

_MAX_BYTES = 512
_RECOVERY = "recovery:"


class Kept(NamedTuple):
    """What a token file holds; secrets."""

    token: str
    recovery: str = ""
    """Empty if it is not known here."""


def read_token(path: Path) -> Kept | None:
    """What is in a file, or ``None`` if there is no such file.

    Raises:
        SetupError: It cannot be read, or holds something that is no token. The text names the file, never what is
            in it.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise SetupError(f"token_file: expected a file that can be read, got {path}: {_why(fault)}") from None
    token, *more = raw.strip().decode("ascii", "replace").splitlines() or [""]
    known = all(line.startswith(_RECOVERY) for line in more) and len(more) <= 1
    if not 16 <= len(token) <= 128 or not token.isprintable() or not known:
        raise SetupError(
            f"token_file: expected a token of 16 to 128 characters in {path}, got something else; "
            "if it holds no token worth keeping, delete it: a new account is then asked for"
        )
    return Kept(token, *(line.removeprefix(_RECOVERY).strip() for line in more))


def check_writable(path: Path) -> None:
    """Make sure that a token can be kept there, before an account is made whose token would be lost.

    Raises:
        SetupError: Its folder is missing or cannot be written to, or the path is a folder.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        handle, draft = _draft(path)
        os.close(handle)
        os.unlink(draft)
    except OSError as fault:
        raise SetupError(
            f"token_file: expected a file that can be written, got {path}: {_why(fault)}; "
            "make its folder, or name another file"
        ) from None


def write_token(path: Path, kept: Kept) -> None:
    """Keep a token, and the recovery code if there is one; mode 0600, whole or not at all.

    Raises:
        OSError: The file cannot be written, or its folder is missing.
    """
    handle, draft = _draft(path)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(f"{kept.token}\n".encode("ascii"))
            if kept.recovery:
                file.write(f"{_RECOVERY} {kept.recovery}\n".encode("ascii"))
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise


def _draft(path: Path) -> tuple[int, str]:
    """A new file beside the path, open for writing, made with mode 0600: its descriptor and its path."""
    return tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")


def _why(fault: OSError) -> str:
    return (fault.strerror or str(fault)).lower()
