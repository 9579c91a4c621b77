"""Terrain: tiles as they were first stored, and content by its hash. What was seen never changes."""

import hashlib
from dataclasses import dataclass

from worldloom.ports import TileRow, Tx

__all__ = ["StoreTile", "content", "load", "store"]


@dataclass(frozen=True, slots=True)
class StoreTile:
    """A tile that was made."""

    row: TileRow
    now_ms: int
    """Unix time."""


def load(tx: Tx, region: tuple[int, int]) -> TileRow | None:
    """The stored tile of region ``(rx, rz)``, or None where nobody has been."""
    return tx.tile(*region)


def store(tx: Tx, command: StoreTile) -> TileRow:
    """Store a tile unless its region has one. First stored wins: the answer is what is stored.

    Raises:
        ValueError: The hash is not that of the bytes.
    """
    got = hashlib.sha256(command.row.data).hexdigest()
    if got != command.row.sha256:
        raise ValueError(f"expected a tile named by its hash {got}, got {command.row.sha256}")
    return tx.insert_tile(command.row, command.now_ms)


def content(tx: Tx, sha256: str) -> tuple[str, bytes] | None:
    """Media type and bytes of immutable content; None when there is none of that hash (64 hex digits)."""
    return tx.content(sha256)
