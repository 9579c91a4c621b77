"""Rights: whose a file is or shall be, and what to say of one that may not be touched. Knows no command."""

import os
import shlex
from pathlib import Path

__all__ = ["denied", "give", "owner_hint", "owner_name"]


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
    if _owner(seen.parent)[1] == os.geteuid():
        # In one's own folder: somebody else, most likely root, made it by mistake.
        return f"{whose} belongs to {name}: sudo chown -R {_name(os.geteuid())}: {shlex.quote(str(seen))}"
    return f"{whose} belongs to {name}: run it as that user: sudo -u {name} ..."


def owner_name(path: Path) -> str:
    """Whose a file or folder is, by name; empty where files have no owners, or it cannot be told."""
    owner = _owner(path)[1]
    return "" if owner is None else _name(owner)


def give(made: Path, folder: Path) -> None:
    """Give what was just made to whose a folder is, where root made it by mistake; else it stays whose it is.

    Args:
        made: A file or folder. Should it have become a link meanwhile, the link is given, not what it leads to.
        folder: The data folder.

    Raises:
        OSError: It cannot be given.
    """
    if os.name == "nt" or os.geteuid() != 0:
        return
    found = folder.stat()
    if found.st_uid != 0:
        os.chown(made, found.st_uid, found.st_gid, follow_symlinks=False)


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
