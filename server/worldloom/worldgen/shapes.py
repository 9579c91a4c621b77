"""Shapes: what a tree, a bush or a stone looks like in few triangles, at its usual size. Knows no tiles.

A shape stands on the ground at the origin and reaches a little below it, for slopes.
"""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from worldloom.worldgen.mesh import Mesh, linear
from worldloom.worldgen.picture import crown_of
from worldloom_sdk.protocol.tiles import ThingKind

__all__ = ["shape_of"]

F64 = npt.NDArray[np.float64]
Colour = tuple[int, int, int]
Profile = list[tuple[float, float]]
"""Radius and height in metres, from below upwards."""

_BARK: Colour = (98, 76, 56)
_WHITE_BARK: Colour = (226, 222, 212)
_STALK: Colour = (96, 130, 62)


def shape_of(kind: ThingKind) -> Mesh:
    """The shape of a kind, each face flat and of one colour; 12 to 90 triangles."""
    colour, radius = crown_of(kind)
    parts = _PARTS[kind](radius, colour)
    faces = np.concatenate([part for part, _ in parts])
    normals = np.cross(faces[:, 1] - faces[:, 0], faces[:, 2] - faces[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    colours = np.concatenate([np.tile((*linear(tone), 1.0), (3 * len(part), 1)) for part, tone in parts])
    return Mesh(
        faces.reshape(-1, 3).astype(np.float32),
        np.repeat(normals, 3, axis=0).astype(np.float32),
        np.rint(colours * 255.0).astype(np.uint8),
    )


def _turned(profile: Profile, sides: int, uneven: float = 0.0) -> F64:
    """A profile turned around the Y axis: triangles ``[n, 3, 3]``, outside counter-clockwise.

    Args:
        profile: A radius of 0 closes the shape.
        sides: Corners of each ring.
        uneven: How far a corner may stand out or in, as a share of its radius; always in the same way.
    """
    angle = 2 * np.pi * np.arange(sides + 1) / sides
    rings = []
    for k, (radius, y) in enumerate(profile):
        reach = radius * (1 + uneven * np.sin(3 * np.arange(sides + 1) % sides * 2.1 + 2 * k))
        rings.append(np.stack([reach * np.cos(angle), np.full(sides + 1, y), reach * np.sin(angle)], axis=1))
    faces = []
    for ((below, _), (above, _)), (low, high) in zip(pairwise(profile), pairwise(rings), strict=True):
        if above > 0:
            faces.append(np.stack([low[:-1], high[:-1], high[1:]], axis=1))
        if below > 0:
            faces.append(np.stack([low[:-1], high[1:], low[1:]], axis=1))
    return np.concatenate(faces)


Parts = list[tuple[F64, Colour]]


def _conifer(radius: float, colour: Colour) -> Parts:
    tiers = [(1.0, 1.2, 4.8), (0.8, 3.2, 6.8), (0.55, 5.2, 8.8)]
    crowns: Parts = [(_turned([(0, y), (radius * wide, y), (0, top)], 7), colour) for wide, y, top in tiers]
    return [(_turned([(0.24, -0.5), (0.18, 1.3)], 5), _BARK), *crowns]


def _broadleaf(radius: float, colour: Colour) -> Parts:
    crown: Profile = [(0, 2.2), (0.75 * radius, 2.8), (radius, 4.6), (0.7 * radius, 6.4), (0, 7.2)]
    return [(_turned([(0.32, -0.5), (0.22, 2.6)], 5), _BARK), (_turned(crown, 7, 0.1), colour)]


def _birch(radius: float, colour: Colour) -> Parts:
    crown: Profile = [(0, 2.6), (0.7 * radius, 3.6), (radius, 5.2), (0.5 * radius, 7.8), (0, 8.8)]
    return [(_turned([(0.18, -0.5), (0.12, 3.2)], 5), _WHITE_BARK), (_turned(crown, 6, 0.1), colour)]


def _bush(radius: float, colour: Colour) -> Parts:
    return [(_turned([(0.6 * radius, -0.3), (radius, 0.5), (0.65 * radius, 1.0), (0, 1.2)], 6, 0.15), colour)]


def _rock(radius: float, colour: Colour) -> Parts:
    return [(_turned([(0.9 * radius, -0.4), (radius, 0.25), (0.55 * radius, 0.7), (0, 0.8)], 6, 0.2), colour)]


def _deadwood(radius: float, colour: Colour) -> Parts:
    log = _turned([(0, -radius), (0.17, -radius), (0.12, radius), (0, radius)], 6)
    lying = np.stack([log[..., 0], 0.1 - log[..., 2], log[..., 1]], axis=-1)
    return [(lying, colour)]


def _reed(radius: float, colour: Colour) -> Parts:
    stalk = _turned([(0.06, -0.2), (0, 1.5)], 3)
    spots = [(0.0, 0.0), (0.7, 0.3), (-0.5, 0.6), (-0.2, -0.8)]
    return [
        (stalk * (1, 1 - 0.1 * k, 1) + (x * radius, 0, z * radius), colour) for k, (x, z) in enumerate(spots)
    ]


def _tuft(radius: float, colour: Colour) -> Parts:
    blade = _turned([(0.05, -0.2), (0, 0.5)], 3)
    spots = [(0.0, 0.0), (0.8, 0.2), (-0.6, 0.6), (-0.1, -0.9), (0.5, -0.5)]
    return [
        (blade * (1, 1 - 0.1 * k, 1) + (x * radius, 0, z * radius), colour) for k, (x, z) in enumerate(spots)
    ]


def _flowers(radius: float, colour: Colour) -> Parts:
    stalk = _turned([(0.02, -0.2), (0.02, 0.3)], 3)
    bloom = _turned([(0, 0.26), (0.09, 0.36), (0, 0.34)], 5)
    spots = [(0.0, 0.0), (0.9, 0.1), (-0.6, 0.6)]
    return [
        (part * (1, 1 - 0.12 * k, 1) + (x * radius, 0, z * radius), tone)
        for k, (x, z) in enumerate(spots)
        for part, tone in ((stalk, _STALK), (bloom, colour))
    ]


def _palm(radius: float, colour: Colour) -> Parts:
    crown: Profile = [(0, 6.2), (0.6 * radius, 6.5), (radius, 5.9), (0.5 * radius, 7.0), (0, 7.3)]
    return [(_turned([(0.24, -0.5), (0.14, 6.4)], 5), _BARK), (_turned(crown, 6, 0.2), colour)]


_PARTS = {
    ThingKind.CONIFER: _conifer,
    ThingKind.BROADLEAF: _broadleaf,
    ThingKind.BIRCH: _birch,
    ThingKind.BUSH: _bush,
    ThingKind.ROCK: _rock,
    ThingKind.DEADWOOD: _deadwood,
    ThingKind.REED: _reed,
    ThingKind.TUFT: _tuft,
    ThingKind.FLOWERS: _flowers,
    ThingKind.PALM: _palm,
}
