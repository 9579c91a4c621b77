"""Styles: what regions are to be like, stored the first time that somebody needs to know. Never changed."""

from collections.abc import Sequence
from dataclasses import dataclass

from worldloom.ports import StyleRow, Tx

__all__ = ["ChooseStyles", "CommitStyles", "around", "choose", "commit", "within"]


@dataclass(frozen=True, slots=True)
class CommitStyles:
    """The world's own styles of the regions on which a tile depends."""

    rx: int
    rz: int
    rows: Sequence[StyleRow]
    now_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class ChooseStyles:
    """Styles that somebody chose."""

    rows: Sequence[StyleRow]
    now_ms: int
    """Unix time."""


def around(tx: Tx, region: tuple[int, int]) -> Sequence[StyleRow]:
    """The stored styles of the 3 x 3 regions around ``(rx, rz)``."""
    return tx.styles_around(*region)


def within(tx: Tx, regions: Sequence[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """The stored styles of regions and of those beside them, by region."""
    # Every third region sees all that are around it.
    seen = {(rx - rx % 3 + 1, rz - rz % 3 + 1) for rx, rz in regions for rx, rz in _beside(rx, rz)}
    return {(row.rx, row.rz): row.style for at in sorted(seen) for row in tx.styles_around(*at)}


def _beside(rx: int, rz: int) -> list[tuple[int, int]]:
    return [(rx + dx, rz + dz) for dx in (-1, 0, 1) for dz in (-1, 0, 1)]


def commit(tx: Tx, command: CommitStyles) -> Sequence[StyleRow]:
    """Store what is not stored yet; what is in force around the region then."""
    tx.insert_styles(command.rows, command.now_ms)
    return tx.styles_around(command.rx, command.rz)


def choose(tx: Tx, command: ChooseStyles) -> Sequence[StyleRow]:
    """Store styles where neither land nor style is yet.

    Returns:
        Those that were stored; the land of the others is settled already.
    """
    free = [row for row in command.rows if _is_free(tx, row.rx, row.rz)]
    tx.insert_styles(free, command.now_ms)
    return free


def _is_free(tx: Tx, rx: int, rz: int) -> bool:
    settled = any((row.rx, row.rz) == (rx, rz) for row in tx.styles_around(rx, rz))
    return not settled and tx.tile(rx, rz) is None
