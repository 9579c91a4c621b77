"""Units and grids of the world, shared by server and clients. Knows no messages.

Axes as in glTF: right-handed, metres, Y up. Positions on the wire are integers: x and z in 1/64 m, y in 1/16 m.
Cell, patch, parcel and region of a coordinate are floor divisions, half-open. Yaw 0 looks to +Z, counter-clockwise
seen from above, in 1/256 turns.
"""

__all__ = [
    "CELLS_PER_REGION",
    "CELL_M",
    "CELL_SHIFT",
    "CELL_UNITS",
    "GROUND_Y",
    "PATCHES_PER_CELL",
    "PATCH_M",
    "PATCH_SHIFT",
    "REGION_LIMIT",
    "REGION_M",
    "REGION_SHIFT",
    "TICK_MS",
    "XZ_PER_M",
    "Y_PER_M",
    "to_units",
]

XZ_PER_M = 64
"""Units of x and z per metre."""
Y_PER_M = 16
"""Units of y per metre."""

REGION_M = 256
CELL_M = 32
PATCH_M = 8

REGION_SHIFT = 14
"""``x >> REGION_SHIFT`` is the region index of a position in units."""
CELL_SHIFT = 11
PATCH_SHIFT = 9
CELL_UNITS = 1 << CELL_SHIFT
CELLS_PER_REGION = REGION_M // CELL_M
PATCHES_PER_CELL = CELL_M // PATCH_M
"""Patches along one side of a cell (so 16 to a cell)."""

REGION_LIMIT = 32_767
"""The world ends at region index +-32,767: a wall."""

GROUND_Y = -32_768
"""A move's y that means: on the ground, or on the sea where that is higher. The server fills in the height."""

TICK_MS = 50
"""One simulation step. ``tick = floor(world time / 50 ms)``, the same on every shard."""


def to_units(x_m: float, z_m: float) -> tuple[int, int]:
    """Turn metres into wire units, rounding to the nearest.

    Raises:
        ValueError: A coordinate is not finite.
    """
    try:
        return round(x_m * XZ_PER_M), round(z_m * XZ_PER_M)
    except (OverflowError, ValueError):
        raise ValueError(f"expected finite metres, got x={x_m} z={z_m}") from None
