"""View groups: the sessions that must receive exactly the same bytes. Knows rows of the mirror, no bytes.

A group is a cell (or a patch of it, where it is crowded), a set of layers and a tier. Groups of one shape, crowded or
not and with equally many layers, form a **family**, whose facts are arrays, so that the frames of all its groups are
built in a few array operations.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from worldloom.replication.feed import I64, SpokenLine
from worldloom.replication.mirror import Mirror
from worldloom.replication.rates import CELL_LADDER, CROWD_LADDER, FAR, NEAR, NEXT, WIDE
from worldloom_sdk.protocol.geometry import TICK_MS

__all__ = [
    "KEPT_TICKS",
    "Around",
    "Family",
    "GroupKey",
    "Owed",
    "Seat",
    "Told",
    "ViewGroup",
    "Views",
    "around",
    "rates_of",
]

NO_PATCH = -1
KEPT_TICKS = 30_000 // TICK_MS
"""How long it is remembered what a viewer was sent."""

Told = tuple[int, tuple[SpokenLine, ...]]
"""A tick, and lines written in it; one object for all who were told the same."""


class Owed(NamedTuple):
    """A cell in view that a viewer has not been told of yet, or only up to a slot."""

    row: int
    slot: int = 0


class Seat:
    """One viewer: a session as replication sees it.

    Attributes:
        avatar: Whose eyes.
        write: Writes one ready-made server frame.
        layers: Layers seen, ascending: its ``own``, and those of places, its ``sight``.
        thin: Whether a quarter of the budget has to do.
        blocked: Avatars that are not sent; ``deaf``: those whose speech alone is not.
        heard: The lines written to it, by tick; of the last ``KEPT_TICKS`` at least, however many they are.
        group: The view group; None while nothing is sent.
        missing: What it has not been told of yet.
        paused: Whether its buffer is full.
        index: Number among the seats.
        ears: Bytes of speech that it may still be sent, as of tick ``ears_at``.
    """

    __slots__ = (
        "avatar", "blocked", "deaf", "ears", "ears_at", "group", "heard", "index", "layers", "missing", "own", "paused",
        "sight", "thin", "write",
    )  # fmt: skip

    def __init__(self, avatar: int, write: Callable[[bytes], None], layers: tuple[int, ...] = (0,)) -> None:
        self.avatar, self.write, self.own, self.layers = avatar, write, layers, layers
        self.sight: tuple[int, ...] = ()
        self.thin = False
        self.blocked: set[int] = set()
        self.deaf: set[int] = set()
        self.heard: deque[Told] = deque(maxlen=KEPT_TICKS + 1)
        self.group: ViewGroup | None = None
        self.missing: list[Owed] = []
        self.paused = False
        self.index = -1
        self.ears, self.ears_at = 0.0, -1_000

    def see(self, own: tuple[int, ...], sight: tuple[int, ...]) -> bool:
        """It sees these layers from now on; whether one is taken away."""
        before = self.layers
        self.own, self.sight = own, sight
        self.layers = tuple(sorted({*own, *sight}))
        return not set(before) <= set(self.layers)

    def hear(self, told: Told) -> None:
        """Remember what it is told in a tick, and forget what is too old."""
        heard = self.heard
        heard.append(told)
        while told[0] - heard[0][0] > KEPT_TICKS:
            heard.popleft()

    def unhear(self) -> None:
        """It was not told the lines of this tick after all."""
        self.heard.pop()


@dataclass(frozen=True, slots=True)
class GroupKey:
    """What makes viewers receive the same: cell, layers, tier, and the patch where the cell is crowded."""

    cx: int
    cz: int
    layers: tuple[int, ...]
    thin: bool
    patch: int = NO_PATCH

    @property
    def crowded(self) -> bool:
        """Whether the group is a patch of a crowded cell."""
        return self.patch != NO_PATCH

    def of_patch(self, patch: int) -> "GroupKey":
        """The group of a patch of the same cell."""
        return GroupKey(self.cx, self.cz, self.layers, self.thin, patch)


@dataclass(frozen=True, slots=True)
class Around:
    """The cells around a viewer, nearest first, for a radius.

    Attributes:
        offsets: ``[P, 2]`` dx, dz.
        band: ``[P]`` band of a whole cell.
        cover: ``[16, 4]`` for each patch of the middle cell: which of the cells hold the patches near it.
        patch_band: ``[16, 4, 16]`` band of every patch of those cells.
    """

    offsets: I64
    band: I64
    cover: I64
    patch_band: I64


@lru_cache
def around(radius: int) -> Around:
    """The neighbourhood for a view radius in cells, 1 or more."""
    span = range(-radius, radius + 1)
    offsets = sorted(
        ((dx, dz) for dx in span for dz in span),
        key=lambda o: (max(abs(o[0]), abs(o[1])), o[0] ** 2 + o[1] ** 2, o),
    )
    band = np.array([WIDE if max(abs(dx), abs(dz)) <= 1 else FAR for dx, dz in offsets], np.int64)
    cover = np.empty((16, 4), np.int64)
    patch_band = np.empty((16, 4, 16), np.int64)
    for patch in range(16):
        pz, px = divmod(patch, 4)
        sides = [
            (dx, dz)
            for dx in (-1 if px < 2 else 0, 0 if px < 2 else 1)
            for dz in ((-1, 0) if pz < 2 else (0, 1))
        ]
        cover[patch] = [offsets.index(side) for side in sides]
        for i, (dx, dz) in enumerate(sides):
            for other in range(16):
                ring_x, ring_z = abs(dx * 4 + other % 4 - px), abs(dz * 4 + other // 4 - pz)
                patch_band[patch, i, other] = _patch_band(ring_x, ring_z)
    return Around(np.array(offsets, np.int64), band, cover, patch_band)


def _patch_band(ring_x: int, ring_z: int) -> int:
    if max(ring_x, ring_z) <= 1:
        return NEAR
    # The corners of the second ring are more than 11 m away.
    return NEXT if max(ring_x, ring_z) == 2 and min(ring_x, ring_z) < 2 else WIDE


@dataclass(eq=False)
class ViewGroup:
    """The viewers of one key. Those in ``special`` get a copy of their own, for they block somebody."""

    key: GroupKey
    family: "Family"
    index: int
    rows: I64
    viewers: dict[Seat, None] = field(default_factory=dict)
    special: dict[Seat, None] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.viewers) + len(self.special)

    def __iter__(self) -> Iterator[Seat]:
        yield from self.viewers
        yield from self.special


class Family:
    """Groups of one shape, as arrays over the group's index.

    Attributes:
        rows: ``[cap, L * P]`` the mirror's rows in view, layer by layer, nearest first.
        patch: ``[cap]``; ``step``: ``[cap]`` on the ladder, -1 before the first plan.
        members: ``[cap]`` how many viewers.
        thin: ``[cap]`` whether the tier is thin.
        sees_self: ``[cap]`` where there is one viewer: whether its body is in a layer that it sees.
        lonely: ``[cap]`` whether the only viewer has nobody near, and is not told of itself.
    """

    def __init__(self, crowded: bool, layers: int, radius: int) -> None:
        self.crowded, self.layers, self.radius = crowded, layers, radius
        self.around = around(radius)
        self.ladder = CROWD_LADDER if crowded else CELL_LADDER
        self.width = len(self.around.offsets) * layers
        self.band = np.tile(self.around.band, layers)
        self.rows = np.zeros((8, self.width), np.int64)
        self.layer_of = np.zeros((8, layers), np.int64)
        self.patch = np.zeros(8, np.int64)
        self.step = np.full(8, -1, np.int64)
        self.members = np.zeros(8, np.int64)
        self.thin = np.zeros(8, np.bool_)
        self.sees_self = np.zeros(8, np.bool_)
        self.lonely = np.zeros(8, np.bool_)
        self.groups: list[ViewGroup | None] = []
        self._spare: list[int] = []

    def add(self, key: GroupKey, rows: I64) -> ViewGroup:
        """A new group without viewers."""
        index = self._spare.pop() if self._spare else len(self.groups)
        group = ViewGroup(key, self, index, rows)
        if index == len(self.groups):
            self.groups.append(group)
            if index == len(self.rows):
                self._grow()
        else:
            self.groups[index] = group
        self.rows[index], self.layer_of[index] = rows, key.layers
        self.patch[index], self.thin[index] = max(key.patch, 0), key.thin
        self.step[index], self.members[index], self.lonely[index] = -1, 0, False
        return group

    def remove(self, group: ViewGroup) -> None:
        """Take a group without viewers away."""
        self.groups[group.index] = None
        self.members[group.index] = 0
        self._spare.append(group.index)

    def cover(self, patch: I64) -> I64:
        """Places ``[G, 4 * L]`` of the cells that are taken by patch, for viewers in these patches ``[G]``."""
        one = self.around.cover[patch]
        size = len(self.around.offsets)
        return np.concatenate([one + layer * size for layer in range(self.layers)], axis=1)

    def patch_bands(self, patch: I64) -> I64:
        """Bands ``[G, 4 * L, 16]`` of their patches."""
        return np.tile(self.around.patch_band[patch], (1, self.layers, 1))

    def _grow(self) -> None:
        for name in ("rows", "layer_of", "patch", "step", "members", "thin", "sees_self", "lonely"):
            column = getattr(self, name)
            setattr(self, name, np.concatenate([column, np.zeros_like(column)]))


def rates_of(group: ViewGroup, step: int) -> I64:
    """Rate numbers ``[L * P, 16]`` of every patch of every cell in view, on a step of the ladder; read-only."""
    family = group.family
    return _rates(family.crowded, family.layers, family.radius, group.key.patch, step)


@lru_cache(maxsize=2048)
def _rates(crowded: bool, layers: int, radius: int, patch: int, step: int) -> I64:
    family = Family(crowded, layers, radius)
    bands = np.repeat(family.band[:, None], 16, axis=1)
    if crowded:
        at = np.array([patch])
        bands[family.cover(at)[0]] = family.patch_bands(at)[0]
    rates = family.ladder[step][bands]
    rates.flags.writeable = False
    return rates


class Views:
    """All groups, by key; holds the mirror's rows that they can see."""

    def __init__(self, mirror: Mirror, radius: int) -> None:
        self._mirror = mirror
        self.radius = radius
        self.families: dict[tuple[bool, int], Family] = {}
        self.groups: dict[GroupKey, ViewGroup] = {}
        self.patched: dict[int, int] = {}
        """Rows that some group takes by patch, and how many groups do."""

    def group(self, key: GroupKey) -> ViewGroup:
        """The group of a key, made when there is none."""
        found = self.groups.get(key)
        if found is not None:
            return found
        shape = (key.crowded, len(key.layers))
        family = self.families.get(shape)
        if family is None:
            family = self.families[shape] = Family(key.crowded, len(key.layers), self.radius)
        hold = self._mirror.hold
        rows = [
            hold((key.cx + dx, key.cz + dz, layer))
            for layer in key.layers
            for dx, dz in family.around.offsets.tolist()
        ]
        group = self.groups[key] = family.add(key, np.array(rows, np.int64))
        for row in self._taken_by_patch(group):
            self.patched[row] = self.patched.get(row, 0) + 1
        return group

    def drop_if_empty(self, group: ViewGroup) -> None:
        """Forget a group that nobody is in."""
        if len(group) or self.groups.get(group.key) is not group:
            return
        del self.groups[group.key]
        for row in self._taken_by_patch(group):
            self.patched[row] -= 1
            if not self.patched[row]:
                del self.patched[row]
        group.family.remove(group)
        for row in group.rows.tolist():
            self._mirror.let_go(row)

    def _taken_by_patch(self, group: ViewGroup) -> list[int]:
        if not group.family.crowded:
            return []
        taken: list[int] = group.rows[group.family.cover(np.array([group.key.patch]))[0]].tolist()
        return taken
