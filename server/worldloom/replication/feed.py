"""What crosses the bus between gateway and shard: moves and controls one way, frames and snapshots the other.

Plain data. In one process references travel; between hosts the same classes are packed.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from worldloom_sdk.protocol.messages import Line
from worldloom_sdk.protocol.overlay import Patch

__all__ = [
    "FORGOTTEN",
    "SECTIONS",
    "Control",
    "Join",
    "MoveBatch",
    "Part",
    "RegionNews",
    "Renew",
    "Resync",
    "SetAccess",
    "SetLayer",
    "ShardFrame",
    "ShardSnapshot",
    "Sight",
    "Speak",
    "SpokenLine",
]

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

FORGOTTEN = -1
"""State of a region that the shard holds no longer, for nobody is near."""

SECTIONS = 9
"""Sections of a cell's words: repeats of rate class 1, 2, 3, 4, then fresh words of class 4, 3, 2, 1, 0."""


@dataclass(frozen=True, slots=True)
class Join:
    """Control: a body comes into the world at a place (units); the shard sets it down near there."""

    avatar: int
    x: int
    z: int
    yaw: int
    layer: int = 0
    owner: int = 0
    """Of a bot: whose it is, an account."""
    access: int = 0
    """As in the avatar table."""
    instead: tuple[int, int] | None = None
    """Where else, x and z, if it may not be there, nor anywhere near: for a place that somebody asked for."""


@dataclass(frozen=True, slots=True)
class Part:
    """Control: a body goes out of the world."""

    avatar: int


@dataclass(frozen=True, slots=True)
class SetLayer:
    """Control: a body is seen in another layer from now on, where no place has a layer of its own."""

    avatar: int
    layer: int


@dataclass(frozen=True, slots=True)
class SetAccess:
    """Control: a body may go elsewhere than before, for it is somebody else here now."""

    avatar: int
    owner: int
    access: int


@dataclass(frozen=True, slots=True)
class Renew:
    """Control: a new connection steers the body; its moves count from the beginning."""

    avatar: int


@dataclass(frozen=True, slots=True)
class Speak:
    """Control: a line is spoken where the body stands."""

    avatar: int
    name: str
    kind: int
    text: str
    reach: int
    """In 1/64 m; -1: the whole region."""


Control = Join | Part | SetLayer | SetAccess | Renew | Speak


@dataclass(frozen=True, slots=True)
class MoveBatch:
    """gateway -> shard, one a tick: moves as they came, and the controls that the shard has not acknowledged yet.

    ``number`` rises from batch to batch: the moves of one that was overtaken on the way are out of date.
    ``controls[0]`` has number ``first_control``; numbers rise by one. The shard takes each exactly once, in order.
    """

    gateway: int
    epoch: int
    number: int
    avatar: I64
    moves: I64
    """``[6, n]``: seq, x, z, y, yaw, gesture."""
    first_control: int
    controls: tuple[Control, ...]


@dataclass(frozen=True, slots=True)
class Resync:
    """gateway -> shard: a frame was missed (or none was ever seen); send a snapshot of everything."""

    gateway: int


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """A line on its way to those who can hear it; position in 1/64 m, and the layer of the body that speaks."""

    avatar: int
    name: str
    kind: int
    text: str
    x: int
    z: int
    reach: int
    layer: int = 0

    def line(self) -> Line:
        """As clients are told."""
        return Line(self.avatar, self.name, self.kind, self.text)


@dataclass(frozen=True, slots=True)
class Sight:
    """Whoever steers this body sees these layers beside its own, from this tick on; of places that others do not."""

    avatar: int
    layers: tuple[int, ...]
    """Ascending."""


@dataclass(frozen=True, slots=True)
class RegionNews:
    """What the shard knows of a region: woven (with the tile's hash), being woven, or ``FORGOTTEN``.

    Attributes:
        overlay: Version of the region's overlay.
        patch: The edit that made this version of the one before, if that is the news.
    """

    rx: int
    rz: int
    state: int
    sha256: str = ""
    source: str = ""
    overlay: int = 0
    patch: Patch | None = None


@dataclass(frozen=True, slots=True)
class ShardFrame:
    """shard -> gateways, one a tick: all that changed, encoded once.

    Attributes:
        cells: ``[C, 3]`` cx, cz, layer of the cells that have words.
        bounds: ``[C, SECTIONS + 1]`` where each section of each cell begins and ends in ``words``.
        words: ``[W]``, cell by cell, section by section.
        leave_cells: ``[L, 3]``; ``leaves``: ``[L]`` leave entries.
        enter_cells: ``[E, 3]``; ``enters``: ``[E, 2]`` enter entries.
        corrections: ``[n, 7]`` avatar, seq, x, z, y, yaw, reason.
        controls_taken: Number of the last control taken, by (gateway, epoch).
        sights: For whom it has changed which layers of places they see.
    """

    shard: int
    epoch: int
    seq: int
    tick: int
    cells: I64
    bounds: I64
    words: U64
    leave_cells: I64
    leaves: U64
    enter_cells: I64
    enters: U64
    corrections: I64
    lines: tuple[SpokenLine, ...] = ()
    regions: tuple[RegionNews, ...] = ()
    controls_taken: dict[tuple[int, int], int] = field(default_factory=dict)
    sights: tuple[Sight, ...] = ()


@dataclass(frozen=True, slots=True)
class ShardSnapshot:
    """shard -> one gateway: everything, the state after frame ``seq``. ``cells`` ``[N, 3]``, ``entries`` ``[N, 2]``."""

    gateway: int
    shard: int
    epoch: int
    seq: int
    tick: int
    cells: I64
    entries: U64
    regions: tuple[RegionNews, ...]
    sights: tuple[Sight, ...] = ()
    """Of everybody who sees any layer of a place."""
