"""Messages about land, as part of ``messages``: what is made where, and how people change it."""

from typing import Annotated

from msgspec import Meta, Struct

__all__ = ["CommandId", "EditTerrain", "Region", "TerrainEdited"]

CommandId = Annotated[int, Meta(ge=1, le=0xFFFF_FFFF)]
"""Of any command."""
SampleIndex = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
Side = Annotated[int, Meta(ge=1, le=32)]


class EditTerrain(Struct, array_like=True, tag=13, frozen=True, forbid_unknown_fields=True):
    """client -> server, a command. Sets the ground's height at a rectangle of samples, or gives them back. For owners.

    Sample (x, z) lies at (2x, 2z) metres of the world. Each must be of a region whose land is made; on a border it is
    changed in all regions that have it. In force within a tick, and kept. Every session that was told of one of the
    regions gets a TerrainEdited.
    """

    id: CommandId
    """Yours, counted from 1; the answer has it, too."""
    x: SampleIndex
    """Of the low corner; the world's samples are -4,194,176 to 4,194,304."""
    z: SampleIndex
    width: Side
    """Samples along x."""
    depth: Side
    """Samples along z."""
    heights: Annotated[bytes, Meta(min_length=2, max_length=2_048)]
    """width x depth int16, little-endian, rows of x. In 1/32 m, -7,680 to 23,040; or -32,768: the tile's own height."""


class Region(Struct, array_like=True, tag=43, frozen=True):
    """server -> client. What is known of a region near you. When woven: fetch ``/content/{sha256}`` for its tile.

    With an ``overlay`` above 0, fetch ``/overlay/{rx}/{rz}`` as well. A region is told again when its overlay became
    another otherwise than by a TerrainEdited that you were sent.
    """

    rx: int
    rz: int
    state: int
    """A RegionState."""
    sha256: str = ""
    """Of its tile, 64 hexadecimal digits in lower case; empty while it is being woven."""
    source: str = ""
    """Which source made it: "noise", a model's name, or "fallback"."""
    overlay: int = 0
    """Version of its overlay; 0: nothing was ever changed there."""


class TerrainEdited(Struct, array_like=True, tag=46, frozen=True):
    """server -> client. Samples of a region that you were told of were set, or given back.

    One for each region that has some of an edit's samples, with just those. It makes version ``version - 1`` of the
    region's overlay version ``version``; see [land](#land).
    """

    rx: int
    rz: int
    version: int
    """Of the region's overlay from now on."""
    x: int
    """Global sample coordinate of the low corner."""
    z: int
    width: int
    """Samples along x."""
    depth: int
    """Samples along z."""
    heights: bytes
    """As in EditTerrain."""
