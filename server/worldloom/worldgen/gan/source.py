"""The trained source: regions woven by the model. Implements ``ports.TerrainSource``."""

from pathlib import Path

import numpy as np
import torch

from worldloom.errors import TerrainRejected
from worldloom.ports import Styles
from worldloom.worldgen.cover import Cover
from worldloom.worldgen.gan.file import SHIPPED
from worldloom.worldgen.gan.ground import Blend, grain, raised, sampled
from worldloom.worldgen.gan.model import HEIGHT_UNIT
from worldloom.worldgen.gan.provinces import Provinces
from worldloom.worldgen.gan.style import Style, read_style
from worldloom.worldgen.gan.weaver import Weaver
from worldloom.worldgen.gan.weights import Model, read_model
from worldloom.worldgen.landform import Relief
from worldloom.worldgen.lattice import key_of, smoothstep
from worldloom_sdk.protocol.geometry import REGION_LIMIT, REGION_M
from worldloom_sdk.protocol.tiles import HEIGHTS_PER_M, MAX_HEIGHT, MIN_HEIGHT, SAMPLE_M, SAMPLES, Tile

__all__ = ["GAN_VERSION", "GanSource", "of_file"]

GAN_VERSION = 1
"""Changes whenever the same model and seed give other land."""


class GanSource:
    """Land by a trained model.

    Args:
        model: Read from its file.
        seed: Of the world, 0 .. 2**63 - 1.
    """

    name = "gan"

    def __init__(self, model: Model, seed: int) -> None:
        self.model, self._seed = model, seed
        self.provinces = Provinces(seed, model.table)
        self.weaver = Weaver(model.generator, seed)
        self._cover = Cover(seed)
        self._grain = key_of(seed, "grain")
        self._blend = Blend(np.arange(SAMPLES) / (SAMPLES - 1))
        # More threads would sum in another order, and take the processor from the ticks.
        torch.set_num_threads(1)

    def generate(self, rx: int, rz: int) -> Tile:
        """The tile of a region by the world's own styles."""
        return self.weave(rx, rz, {})

    def weave(self, rx: int, rz: int, styles: Styles) -> Tile:
        """The tile of a region.

        Args:
            rx: Region index.
            rz: Region index.
            styles: Those in force in the 3 x 3 regions around, by offset; the world's own where there is none.

        Raises:
            ValueError: The region is beyond the end of the world, or a style is none.
            TerrainRejected: The model made what is no land.
        """
        if max(abs(rx), abs(rz)) > REGION_LIMIT:
            raise ValueError(f"expected region indices within +-{REGION_LIMIT}, got {rx}, {rz}")
        chosen = {at: read_style(data) for at, data in styles.items()}

        def around(dx: int, dz: int) -> Style:
            return chosen.get((dx, dz)) or self.provinces.style(rx + dx, rz + dz)

        pixels = self.weaver.pixels(rx, rz, self.provinces.style, lambda x, z: around(x - rx, z - rz))
        if not np.isfinite(pixels).all():
            raise TerrainRejected(f"expected finite heights of region ({rx}, {rz}), got others")
        shape, steep = sampled(pixels)
        samples = np.arange(SAMPLES, dtype=np.float64) * SAMPLE_M
        x, z = (rx * REGION_M + samples)[None, :], (rz * REGION_M + samples)[:, None]
        height = raised(shape, around, self.provinces.floor_m(x, z), self._blend)
        slope = steep * HEIGHT_UNIT * self._blend.of(lambda dx, dz: around(dx, dz).slope)
        height = grain(x, z, height, slope, self._grain)
        units = np.clip(np.rint(height * HEIGHTS_PER_M), MIN_HEIGHT, MAX_HEIGHT).astype(np.int16)
        moisture = self._blend.of(lambda dx, dz: around(dx, dz).moisture)
        rugged = smoothstep(0.05, 0.5, self._blend.of(lambda dx, dz: around(dx, dz).slope))
        surface, things = self._cover.of(rx, rz, Relief(units, moisture, rugged))
        return Tile(rx, rz, units, surface, things, provenance=self._provenance())

    def _provenance(self) -> dict[str, str | int]:
        return {
            "generator": "gan",
            "version": GAN_VERSION,
            "model": self.model.sha256,
            "seed": str(self._seed),
        }


def of_file(seed: int, weights: str = "") -> GanSource:
    """The source with the model of a file, or of Worldloom's own; the first region is as quick as any."""
    source = GanSource(read_model(Path(weights) if weights else SHIPPED), seed)
    source.generate(0, 0)
    return source
