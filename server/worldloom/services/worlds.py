"""Worlds: the world's own row, made once and never changed by a later start."""

import secrets
from dataclasses import dataclass

from worldloom.ports import Tx, WorldRow

__all__ = ["OpenWorld", "open_world"]

_SEED_LIMIT = 2**63


@dataclass(frozen=True, slots=True)
class OpenWorld:
    """The wish to run a world."""

    name: str
    """For a new world."""
    seed: int
    """For a new world, 0 .. 2**63 - 1; negative to have one made."""
    now_ms: int
    """Unix time."""


def open_world(tx: Tx, command: OpenWorld) -> WorldRow:
    """The stored world, created now if there is none. Name and seed of a world that exists stay what they are.

    Raises:
        ValueError: The seed is 2**63 or more.
    """
    if command.seed >= _SEED_LIMIT:
        raise ValueError(f"expected a seed below 2**63, got {command.seed}")
    stored = tx.world()
    if stored is not None:
        return stored
    seed = command.seed if command.seed >= 0 else secrets.randbelow(_SEED_LIMIT)
    made = WorldRow(secrets.token_hex(16), command.name, seed, command.now_ms)
    tx.insert_world(made)
    # Another node may have been first: what is stored is the world.
    return tx.world() or made
