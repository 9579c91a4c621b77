"""Scenes: a part of the world as glTF, for game engines and modelling programs. Knows no storage and no files.

One root node; under it a node for each region with its ground, the sea where there is some, and its things, whose
nodes share one mesh for each kind. Metres, Y up, as in the world; the scene's origin is the low corner of the
rectangle, so that positions stay exact however far out it lies.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from worldloom.worldgen.gltf import INDICES, VERTICES, Glb
from worldloom.worldgen.layout import Region, rectangle
from worldloom.worldgen.mesh import Ground, Mesh, linear, triangles
from worldloom.worldgen.picture import depth_colour
from worldloom.worldgen.shapes import shape_of
from worldloom_sdk.protocol.geometry import CELL_M, CELLS_PER_REGION, REGION_M, XZ_PER_M
from worldloom_sdk.protocol.tiles import ThingKind, Tile

__all__ = ["scene"]

_SEA_DEPTH_M = 6.0
"""The sea has the colour of water so deep."""
_SEA_ALPHA = 0.72
_KINDS = frozenset(ThingKind)


def scene(
    tiles: Mapping[Region, Tile],
    stored: set[Region],
    generator: str,
    facts: Mapping[str, Any],
    lod: int = 1,
    things: bool = True,
    on_region: Callable[[], None] = lambda: None,
) -> Glb:
    """Build the scene of a rectangle of regions.

    Args:
        tiles: Every region of the rectangle.
        stored: Those of them that people have seen; their nodes say so.
        generator: What writes the file, with its version.
        facts: What is to be said of the land; stands in ``asset.extras``.
        lod: Every n-th sample of the ground; one of ``mesh.LODS``.
        things: Whether trees, rocks and the like are in it.
        on_region: Told of each region that is done.
    """
    glb, ground = Glb(generator, facts), Ground(tiles, lod)
    parts = _Parts(glb)
    low, _ = rectangle(tiles)
    regions = []
    for (rx, rz), tile in sorted(tiles.items(), key=lambda item: (item[0][1], item[0][0])):
        children = []
        if (cells := ground.sea((rx, rz))).any():
            children.append(glb.add("nodes", name="sea", mesh=parts.sea(cells)))
        if things and (standing := _standing(tile, ground, parts)):
            children.append(glb.add("nodes", name="things", children=standing))
        regions.append(
            glb.add(
                "nodes",
                name=f"region {rx},{rz}",
                mesh=parts.land((rx, rz), ground),
                translation=[(rx - low[0]) * REGION_M, 0, (rz - low[1]) * REGION_M],
                extras={"rx": rx, "rz": rz, "stored": (rx, rz) in stored},
                **({"children": children} if children else {}),
            )
        )
        on_region()
    glb.show(glb.add("nodes", name="land", children=regions))
    return glb


def _standing(tile: Tile, ground: Ground, parts: "_Parts") -> list[int]:
    """A node for each thing of a tile; kinds that are not known are left out."""
    x, z = tile.things["x"] / XZ_PER_M, tile.things["z"] / XZ_PER_M
    heights = ground.height((tile.rx, tile.rz), x, z).round(3).tolist()
    nodes = []
    for thing, at_x, at_y, at_z in zip(tile.things, x.tolist(), heights, z.tolist(), strict=True):
        if int(thing["kind"]) not in _KINDS:
            continue
        turn, size = int(thing["yaw"]) * math.tau / 256, int(thing["scale"]) / 64
        nodes.append(
            parts.glb.add(
                "nodes",
                mesh=parts.thing(ThingKind(int(thing["kind"]))),
                translation=[at_x, at_y, at_z],
                rotation=[0, round(math.sin(turn / 2), 7), 0, round(math.cos(turn / 2), 7)],
                scale=[size, size, size],
            )
        )
    return nodes


class _Parts:
    """Meshes and materials that nodes share, each added when it is first asked for."""

    def __init__(self, glb: Glb) -> None:
        self.glb = glb
        self._things: dict[ThingKind, int] = {}
        self._seas: dict[bytes, int] = {}
        self._shared_water: dict[str, Any] | None = None
        self._indices: int | None = None
        self._matt: dict[str, int] = {}

    def land(self, region: Region, ground: Ground) -> int:
        """The ground of a region; all regions share their indices."""
        mesh = ground.mesh(region)
        if self._indices is None and mesh.indices is not None:
            self._indices = self.glb.put(mesh.indices, INDICES)
        return self._add(f"ground {region[0]},{region[1]}", mesh, "ground", self._indices)

    def thing(self, kind: ThingKind) -> int:
        """The shape of a kind of thing."""
        if kind not in self._things:
            self._things[kind] = self._add(kind.name.lower(), shape_of(kind), "things", None)
        return self._things[kind]

    def sea(self, cells: npt.NDArray[np.bool_]) -> int:
        """The surface of the sea over cells ``[8, 8]`` of a region."""
        key = cells.tobytes()
        if key not in self._seas:
            indices = triangles(CELLS_PER_REGION + 1).reshape(-1, 6)[cells.reshape(-1)].reshape(-1)
            primitive = {**self._water(), "indices": self.glb.put(indices, INDICES)}
            self._seas[key] = self.glb.add("meshes", name="sea", primitives=[primitive])
        return self._seas[key]

    def _water(self) -> dict[str, Any]:
        """What all seas share: the corners of the cells, and what water looks like."""
        if self._shared_water is None:
            along = np.arange(CELLS_PER_REGION + 1, dtype=np.float32) * CELL_M
            x, z = np.meshgrid(along, along)
            corners = np.stack([x, np.zeros_like(x), z], axis=-1).reshape(-1, 3)
            up = np.tile(np.array([0, 1, 0], np.float32), (len(corners), 1))
            colour = [round(float(part), 4) for part in linear(depth_colour(_SEA_DEPTH_M))]
            look = {"baseColorFactor": [*colour, _SEA_ALPHA], "metallicFactor": 0, "roughnessFactor": 0.15}
            self._shared_water = {
                "attributes": {
                    "POSITION": self.glb.put(corners, VERTICES, bounds=True),
                    "NORMAL": self.glb.put(up, VERTICES),
                },
                "material": self.glb.add(
                    "materials", name="sea", alphaMode="BLEND", doubleSided=True, pbrMetallicRoughness=look
                ),
            }
        return self._shared_water

    def _add(self, name: str, mesh: Mesh, material: str, indices: int | None) -> int:
        primitive: dict[str, Any] = {
            "attributes": {
                "POSITION": self.glb.put(mesh.positions, VERTICES, bounds=True),
                "NORMAL": self.glb.put(mesh.normals, VERTICES),
                "COLOR_0": self.glb.put(mesh.colours, VERTICES),
            },
            "material": self._matt_of(material),
        }
        if indices is not None:
            primitive["indices"] = indices
        return self.glb.add("meshes", name=name, primitives=[primitive])

    def _matt_of(self, name: str) -> int:
        """A material without shine that takes its colour from the vertices."""
        if name not in self._matt:
            matt = {"metallicFactor": 0, "roughnessFactor": 1}
            self._matt[name] = self.glb.add("materials", name=name, pbrMetallicRoughness=matt)
        return self._matt[name]
