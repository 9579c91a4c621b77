"""The trained source: regions woven by the model. Implements ``ports.TerrainSource``."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from worldloom.errors import TerrainRejected
from worldloom.ports import Styles
from worldloom.worldgen.cover import Cover
from worldloom.worldgen.gan.file import SHIPPED
from worldloom.worldgen.gan.ground import Blend, Grain, raised, sampled, spread, values_of, wide
from worldloom.worldgen.gan.model import HEIGHT_UNIT
from worldloom.worldgen.gan.modulations import StyleOf
from worldloom.worldgen.gan.provinces import Provinces
from worldloom.worldgen.gan.silt import NODES, PITCH_M, Silt, nodes_of
from worldloom.worldgen.gan.style import Style, read_style
from worldloom.worldgen.gan.weaver import Weaver
from worldloom.worldgen.gan.weights import Model, read_model
from worldloom.worldgen.landform import Relief
from worldloom.worldgen.lattice import key_of, smoothstep
from worldloom.worldgen.pages import keep_pages
from worldloom_sdk.protocol.geometry import REGION_LIMIT, REGION_M
from worldloom_sdk.protocol.tiles import HEIGHTS_PER_M, MAX_HEIGHT, MIN_HEIGHT, SAMPLES, SURFACE_CELLS, Tile

__all__ = ["GAN_VERSION", "GanSource", "OnPart", "of_file"]

F32 = npt.NDArray[np.float32]
OnPart = Callable[[str], None]

GAN_VERSION = 3
"""Changes whenever the same model and seed give other land. 2: hollows are silted up. 3: ranges of provinces."""
_Key = tuple[int, int, tuple[bytes, ...]]
"""Region, and the styles around by z and x."""
_MEMORY = 512
"""Regions whose pixels are kept: those around are needed for a region's silt, and are mostly the next ones."""


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
        self.on_part: OnPart = lambda part: None
        """Told when a part of a region is ready: net, silt, ground, cover; for benchmarks."""
        self._cover = Cover(seed)
        self._grain = Grain(key_of(seed, "grain"))
        self._at_samples = Blend(np.arange(SAMPLES) / (SAMPLES - 1))
        self._at_nodes = Blend(np.arange(NODES) / NODES)
        self._silt = Silt(self.provinces.style, self._at_its_nodes)
        self._pixels: dict[_Key, F32] = {}
        self._nodes: dict[_Key, tuple[F32, F32]] = {}
        self._at_quads = Blend((np.arange(SURFACE_CELLS) + 0.5) / SURFACE_CELLS)
        # More threads would sum in another order, and take the processor from the ticks.
        torch.set_num_threads(1)
        keep_pages()

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

        def style(x: int, z: int) -> Style:
            return around(x - rx, z - rz)

        told = self.on_part
        pixels = self.pixels(rx, rz, style)
        told("net")
        silt = self.silt(rx, rz, style)
        told("silt")
        shape, steep = sampled(pixels)
        nine = _nine(rx, rz, style)
        slope, foot = self._at_samples.of(values_of(nine, "slope", "foot"))
        height = raised(shape, slope, foot, wide(rx, rz, self.provinces.floor_m)) + silt
        height = self._grain.on(rx, rz, height, steep * HEIGHT_UNIT * slope)
        units = np.clip(np.rint(height * HEIGHTS_PER_M), MIN_HEIGHT, MAX_HEIGHT).astype(np.int16)
        told("ground")
        climate = self._at_quads.of(values_of(nine, "slope", "moisture", "warmth", "woods"))
        relief = Relief(units, smoothstep(0.05, 0.5, climate[0]), *climate[1:])
        surface, things = self._cover.of(rx, rz, relief)
        told("cover")
        return Tile(rx, rz, units, surface, things, provenance=self._provenance())

    def pixels(self, rx: int, rz: int, style: StyleOf) -> F32:
        """What the net makes of a region, as ``Weaver.pixels``; kept for a while.

        Args:
            rx: Region index.
            rz: Region index.
            style: In force; asked for the 3 x 3 regions around.

        Raises:
            TerrainRejected: The model made what is no land.
        """
        key = _key(rx, rz, _nine(rx, rz, style))
        known = self._pixels.get(key)
        if known is None:
            known = self.weaver.pixels(rx, rz, self.provinces.style, style)
            if not np.isfinite(known).all():
                raise TerrainRejected(f"expected finite heights of region ({rx}, {rz}), got others")
            if len(self._pixels) >= _MEMORY:
                self._pixels.clear()
            self._pixels[key] = known
        return known

    def silt(self, rx: int, rz: int, style: StyleOf) -> F32:
        """How high silt lies in a region's hollows: metres at its samples, ``[129, 129]``."""
        return spread(self._silt.on(rx, rz, style))

    def _at_its_nodes(self, rx: int, rz: int, style: StyleOf) -> tuple[F32, F32]:
        """``silt.BlockOf``."""
        nine = _nine(rx, rz, style)
        key = _key(rx, rz, nine)
        known = self._nodes.get(key)
        if known is None:
            slope, foot = self._at_nodes.of(values_of(nine, "slope", "foot"))
            at = np.arange(NODES, dtype=np.float64) * PITCH_M
            floor = self.provinces.floor_m((rx * REGION_M + at)[None, :], (rz * REGION_M + at)[:, None])
            shape = nodes_of(self.pixels(rx, rz, style))
            if len(self._nodes) >= _MEMORY:
                self._nodes.clear()
            known = self._nodes[key] = raised(shape, slope, foot, floor.astype(np.float32)), slope
        return known

    def _provenance(self) -> dict[str, str | int]:
        return {
            "generator": "gan",
            "version": GAN_VERSION,
            "model": self.model.sha256,
            "seed": str(self._seed),
        }


def _nine(rx: int, rz: int, style: StyleOf) -> list[list[Style]]:
    """Of the 3 x 3 regions around, by z and x."""
    return [[style(rx + dx, rz + dz) for dx in (-1, 0, 1)] for dz in (-1, 0, 1)]


def _key(rx: int, rz: int, nine: list[list[Style]]) -> _Key:
    return rx, rz, tuple(style.land for row in nine for style in row)


def of_file(seed: int, weights: str = "") -> GanSource:
    """The source with the model of a file, or of Worldloom's own; the first region is as quick as any."""
    source = GanSource(read_model(Path(weights) if weights else SHIPPED), seed)
    source.generate(0, 0)
    return source
