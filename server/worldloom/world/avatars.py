"""The avatar table: one row per body, one array per property. Knows no clients, no cells' contents, no time."""

import hashlib

import numpy as np
import numpy.typing as npt

__all__ = ["BOT", "COLUMNS", "EVERYWHERE", "I64", "AvatarTable"]

I64 = npt.NDArray[np.int64]

COLUMNS = (
    "id", "x", "z", "y", "yaw", "gesture", "seq", "reach", "lift", "budget_tick",
    "cx", "cz", "layer", "slot", "cell", "pending", "crossed", "crossed_before", "owner", "access", "inside", "veil",
)  # fmt: skip
"""Every column is ``int64[capacity]``: one kind of number keeps the arithmetic exact and free of casts."""

BOT = 1
"""``access``: it is no person."""
EVERYWHERE = 2
"""``access``: it may go everywhere, for it keeps order here."""


class AvatarTable:
    """Bodies as columns. A row number is valid from ``add`` to ``remove`` and is then given again.

    Attributes:
        id: Avatar id, 0 where the row is free.
        x: Position in 1/64 m; ``z`` likewise, ``y`` in 1/16 m.
        yaw: In 1/256 turns.
        gesture: 0-63.
        seq: Number of the last move taken, -1 before the first.
        reach: Distance allowed by speed at ``budget_tick``, in 1/1280 m (1/64 m a second is one unit a tick).
        lift: Likewise upwards or downwards, in 1/320 m.
        budget_tick: When ``reach`` and ``lift`` were counted.
        cx: The cell that the body belongs to; ``cz`` likewise. May lag behind x and z: see ``replication.cells``.
        layer: Who may see it.
        slot: Number within (cell, layer).
        cell: Row of the cell in the shard's cell table.
        pending: Bits of rate classes that have not been told of the last change; bit 0: changed in this tick.
        crossed: Tick of the last change of cell; ``crossed_before``: of the one before.
        owner: Of a bot: whose it is, an account; 0 for none.
        access: ``BOT`` and ``EVERYWHERE``, joined.
        inside: The place in which it is, if that is not seen from outside; else 0.
        veil: The layer in which it is seen where it is not ``inside`` anything.
    """

    id: I64
    x: I64
    z: I64
    y: I64
    yaw: I64
    gesture: I64
    seq: I64
    reach: I64
    lift: I64
    budget_tick: I64
    cx: I64
    cz: I64
    layer: I64
    slot: I64
    cell: I64
    pending: I64
    crossed: I64
    crossed_before: I64
    owner: I64
    access: I64
    inside: I64
    veil: I64

    def __init__(self, capacity: int = 64) -> None:
        for name in COLUMNS:
            setattr(self, name, np.zeros(capacity, np.int64))
        self._free = list(range(capacity - 1, -1, -1))
        self._rows: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, avatar: int) -> bool:
        return avatar in self._rows

    def row(self, avatar: int) -> int | None:
        """The row of an avatar, or None."""
        return self._rows.get(avatar)

    def rows(self, avatars: I64) -> I64:
        """Rows of many avatars, ``[n]``; -1 where there is no such body."""
        get = self._rows.get
        return np.fromiter((get(a, -1) for a in avatars.tolist()), np.int64, len(avatars))

    def add(self, avatar: int) -> int:
        """A fresh row, all zero but for id, seq and the crossing times.

        Raises:
            ValueError: That avatar has a body already.
        """
        if avatar in self._rows:
            raise ValueError(f"expected a new avatar, got {avatar}, which has a body")
        if not self._free:
            self._grow()
        row = self._free.pop()
        for name in COLUMNS:
            getattr(self, name)[row] = 0
        self.id[row] = avatar
        self.seq[row] = -1
        self.crossed[row] = self.crossed_before[row] = -1_000
        self._rows[avatar] = row
        return row

    def remove(self, avatar: int) -> None:
        """Take the body away; nothing happens when there is none."""
        row = self._rows.pop(avatar, None)
        if row is not None:
            self.id[row] = 0
            self.pending[row] = 0
            self._free.append(row)

    def digest(self) -> str:
        """A hash of every body's state, in order of avatar id: equal states give equal digests."""
        order = np.array([self._rows[a] for a in sorted(self._rows)], np.int64)
        state = hashlib.blake2b(digest_size=16)
        for name in COLUMNS:
            state.update(getattr(self, name)[order].astype("<i8").tobytes())
        return state.hexdigest()

    def _grow(self) -> None:
        old = len(self.id)
        for name in COLUMNS:
            column = getattr(self, name)
            setattr(self, name, np.concatenate([column, np.zeros(old, np.int64)]))
        self._free = list(range(2 * old - 1, old - 1, -1))
