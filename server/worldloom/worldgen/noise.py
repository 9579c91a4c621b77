"""The noise source: endless land from a seed alone. A terrain source that cannot fail and needs no model."""

from worldloom.worldgen.cover import Cover
from worldloom.worldgen.landform import Landform
from worldloom.worldgen.pages import keep_pages
from worldloom_sdk.protocol.geometry import REGION_LIMIT
from worldloom_sdk.protocol.tiles import Tile

__all__ = ["NOISE_VERSION", "NoiseSource"]

NOISE_VERSION = 2
"""Changes whenever the same seed gives other land."""


class NoiseSource:
    """Hills, coasts, ranges and woods; implements ``ports.TerrainSource``. Safe to call from several threads.

    Args:
        seed: Of the world, 0 .. 2**63 - 1.
    """

    name = "noise"

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._landform = Landform(seed)
        self._cover = Cover(seed)
        keep_pages()

    def generate(self, rx: int, rz: int) -> Tile:
        """The tile of a region; shared edges equal the neighbours' to the bit.

        Raises:
            ValueError: The region is beyond the end of the world.
        """
        if max(abs(rx), abs(rz)) > REGION_LIMIT:
            raise ValueError(f"expected region indices within +-{REGION_LIMIT}, got {rx}, {rz}")
        relief = self._landform.relief(rx, rz)
        surface, things = self._cover.of(rx, rz, relief)
        provenance: dict[str, str | int] = {
            "generator": "noise",
            "version": NOISE_VERSION,
            "seed": str(self._seed),
        }
        return Tile(rx, rz, relief.heights, surface, things, provenance=provenance)
