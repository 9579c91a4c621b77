"""Terrain: tiles as they were first stored, and content by its hash. What was seen never changes."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from worldloom.ports import EdgesRow, Misfit, TileRow, Tx
from worldloom.world.edges import edges_of, fits, read_edges
from worldloom_sdk.protocol.tiles import decode_tile

__all__ = ["StoreTile", "content", "is_woven", "load", "store"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoreTile:
    """A tile that was made."""

    row: TileRow
    """With its edges; without them, nothing is compared."""
    now_ms: int
    """Unix time."""


def load(tx: Tx, region: tuple[int, int]) -> TileRow | None:
    """The stored tile of region ``(rx, rz)``, or None where nobody has been."""
    return tx.tile(*region)


def is_woven(tx: Tx, region: tuple[int, int]) -> bool:
    """Whether a region has a tile."""
    return bool(tx.woven([region]))


def store(tx: Tx, command: StoreTile) -> TileRow | Misfit:
    """Store a tile unless its region has one, or a stored neighbour's border is another. First stored wins.

    Returns:
        What is stored now, one's own or another's; or ``Misfit``: nothing was, fit the tile to these neighbours.

    Raises:
        ValueError: The hash is not that of the bytes, or the edges are none.
    """
    row = command.row
    got = hashlib.sha256(row.data).hexdigest()
    if got != row.sha256:
        raise ValueError(f"expected a tile named by its hash {got}, got {row.sha256}")
    if row.edges is not None:
        edges = read_edges(row.edges)
        stored = tx.tile(row.rx, row.rz)
        if stored is not None:
            return stored
        around = _known_edges(tx, row)
        if not fits(edges, {(at.rx - row.rx, at.rz - row.rz): read_edges(at.edges or b"") for at in around}):
            return Misfit(tuple(around))
    return tx.insert_tile(row, command.now_ms)


def content(tx: Tx, sha256: str) -> tuple[str, bytes] | None:
    """Media type and bytes of immutable content; None when there is none of that hash (64 hex digits)."""
    return tx.content(sha256)


def _known_edges(tx: Tx, row: TileRow) -> Sequence[EdgesRow]:
    """The edges around a region; where none were kept, the tile itself is read."""
    found = (
        at if at.edges is not None else _read_from_tile(tx, at) for at in tx.neighbour_edges(row.rx, row.rz)
    )
    return [at for at in found if at.edges is not None]


def _read_from_tile(tx: Tx, at: EdgesRow) -> EdgesRow:
    stored = tx.tile(at.rx, at.rz)
    if stored is None:
        return at
    try:
        return replace(at, edges=edges_of(decode_tile(stored.data).heights))
    except ValueError as error:
        # One spoilt tile must not keep the land around it from being made.
        _log.error("region (%d, %d): its stored tile cannot be read: %s", at.rx, at.rz, error)
        return at
