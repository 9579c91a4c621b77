"""Secrets: made at first start, kept in files that their owner alone can read. Knows not what they open."""

import hashlib
import hmac
import os
import secrets
import stat
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from worldloom.errors import ConfigError
from worldloom.persistence.rights import denied, give

__all__ = [
    "METRICS_TOKEN_FILE",
    "NEW_SECRETS",
    "SECRETS_FILE",
    "Secrets",
    "data_mark",
    "metrics_token",
    "mode_fault",
    "open_secrets",
    "read_password",
    "read_secret_file",
    "refuse_other_secrets",
    "restore_secrets",
    "seal_key",
    "secrets_to_keep",
    "write_atomically",
]

SECRETS_FILE = "secrets.toml"
"""Within the data folder."""
METRICS_TOKEN_FILE = "metrics.token"
"""Beside it; follows from the secret, and is written for whoever sets up Prometheus."""
SECRET_BYTES = 32
NEW_SECRETS = (
    "expected the secrets of a world that is there already, got no file: new ones are made. Reports sealed before "
    "cannot be checked any more, and the metrics token is another. If the old file is in a backup, stop, put it back, "
    "and start again"
)
"""Said where a world has lost its secrets."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """The server's secrets; never printed."""

    server: bytes = field(repr=False)
    """32 random bytes, from which keys are derived."""


def open_secrets(data: Path) -> Secrets:
    """Read the secrets in the data folder; at first start make folder (0700) and files (0600).

    Raises:
        ConfigError: The file is readable by others, or is not what was written.
    """
    path = data / SECRETS_FILE
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            text = "# Made at first start. Keep it secret, and back it up with the database.\n"
            write_atomically(path, f'{text}server = "{secrets.token_hex(SECRET_BYTES)}"\n'.encode())
    except OSError as error:
        raise ConfigError(f"{data}: expected a folder to write in; got: {error.strerror}") from None
    opened = _parse(path, read_secret_file(path))
    _write_metrics_token(data / METRICS_TOKEN_FILE, metrics_token(opened))
    return opened


def secrets_to_keep(data: Path) -> dict[str, bytes]:
    """What belongs into a backup besides the database: files of the data folder by name. All else follows from them.

    Raises:
        ConfigError: There are none, or others than their owner can read them.
    """
    path = data / SECRETS_FILE
    if not path.exists():
        raise ConfigError(
            f"{path}: expected the secrets of a world that was served, got no file; say with --data where it is"
        )
    return {SECRETS_FILE: read_secret_file(path).encode()}


def restore_secrets(data: Path, content: bytes) -> None:
    """Put the secrets of a backup back; do nothing if they are there.

    Raises:
        ConfigError: Others are there, these are none, or the folder cannot be written to.
    """
    refuse_other_secrets(data, content)
    path = data / SECRETS_FILE
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            write_atomically(path, content)
    except OSError as error:
        raise ConfigError(f"{path}: expected to write it; got: {error.strerror}") from None


def refuse_other_secrets(data: Path, content: bytes) -> None:
    """Make sure that a data folder has no secrets yet, or the ones given.

    Raises:
        ConfigError: Others are there, or those given are none.
    """
    path = data / SECRETS_FILE
    given = _parse(path, content.decode(errors="replace"))
    if path.exists() and _parse(path, read_secret_file(path)) != given:
        raise ConfigError(
            f"{path}: expected none, or those of the backup; got others, of another world. Choose another folder "
            "with --data, or move the file away"
        )


def metrics_token(opened: Secrets) -> str:
    """What ``/metrics`` wants to hear from elsewhere: 64 hex digits that follow from the server's secret."""
    return hmac.new(opened.server, b"metrics", hashlib.sha256).hexdigest()


def data_mark(token: str) -> str:
    """By which a server and a command see that they speak of one data folder: 16 hex digits.

    Args:
        token: The metrics token of that folder; the mark does not tell it.
    """
    return hashlib.sha256(f"mark {token}".encode()).hexdigest()[:16]


def seal_key(opened: Secrets) -> bytes:
    """What seals reports: 32 bytes that follow from the server's secret."""
    return hmac.new(opened.server, b"reports", hashlib.sha256).digest()


def _write_metrics_token(path: Path, token: str) -> None:
    if path.exists() and read_secret_file(path).strip() == token:
        return
    try:
        write_atomically(path, f"{token}\n".encode())
    except OSError as error:
        raise ConfigError(f"{path}: expected to write it; got: {error.strerror}") from None


def read_secret_file(path: Path) -> str:
    """The text of a file that holds a secret.

    Raises:
        ConfigError: It cannot be read, or others than its owner can read it too.
    """
    fault = mode_fault(path)
    if fault:
        raise ConfigError(fault)
    try:
        return path.read_text(encoding="utf-8")
    except PermissionError as error:
        raise ConfigError(f"expected a readable file; got: {denied(error)}") from None
    except OSError as error:
        raise ConfigError(f"{path}: expected a readable file; got: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: expected UTF-8 text; got other bytes") from None


def read_password(path: Path) -> str:
    """The first line of a password file.

    Raises:
        ConfigError: It cannot be read, is empty, or others can read it.
    """
    lines = read_secret_file(path).splitlines()
    password = lines[0].strip() if lines else ""
    if not password:
        raise ConfigError(f"{path}: expected a password on the first line; got none")
    return password


def mode_fault(path: Path) -> str:
    """What is wrong with the modes of a secret file, and how to mend it; empty if nothing, or no file."""
    if os.name == "nt" or not path.exists():
        return ""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077 == 0:
        return ""
    return f"{path}: expected mode 0600, for its owner alone; got {mode:04o}. Mend it: chmod 600 {path}"


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file for its owner alone, who is the folder's: after a crash it is there whole, or not at all.

    Raises:
        OSError: The folder cannot be written to.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        give(draft, path.parent)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename durable; only POSIX lets a folder be opened for it."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _parse(path: Path, text: str) -> Secrets:
    hint = "restore it from a backup; only without one delete it: a new one is made at the next start"
    try:
        value = tomllib.loads(text)["server"]
        secret = bytes.fromhex(value)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError):
        secret = b""
    if len(secret) != SECRET_BYTES:
        raise ConfigError(f"{path}: expected server = 64 hex digits; got something else: {hint}")
    return Secrets(server=secret)
