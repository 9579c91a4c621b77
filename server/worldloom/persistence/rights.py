"""Rights: what to say of a file that may not be touched: whose it is, and how to be its owner. Knows no command."""

import os
from pathlib import Path

__all__ = ["denied", "owner_hint"]


def denied(error: PermissionError) -> str:
    """A PermissionError in one line: the file, whose it is, and what to do."""
    path = error.filename
    if not isinstance(path, str | os.PathLike):
        return f"{error.strerror or error}; {owner_hint(Path.cwd())}"
    return f"{os.fspath(path)}: {error.strerror}; {owner_hint(Path(path))}"


def owner_hint(path: Path) -> str:
    """Whose a file is, or the nearest folder above it that can be seen, and what to do about it.

    Args:
        path: What could not be read, written or made.
    """
    seen, owner = _owner(path.absolute())
    if owner is None or owner == os.geteuid():
        return "mend its rights, or choose another"
    name = _name(owner)
    whose = "it" if seen == path.absolute() else str(seen)
    return f"{whose} belongs to {name}: run it as that user: sudo -u {name} ..."


def _owner(path: Path) -> tuple[Path, int | None]:
    if os.name == "nt":
        return path, None
    for place in (path, *path.parents):
        try:
            return place, place.stat().st_uid
        except OSError:
            continue
    return path, None


def _name(owner: int) -> str:
    import pwd  # POSIX alone has it.

    try:
        return pwd.getpwuid(owner).pw_name
    except KeyError:
        return f"'#{owner}'"
