"""Scales: how many metres a pixel of a chart may stand for. Apart from it, so that who only asks loads no pictures."""

from worldloom_sdk.protocol.geometry import REGION_M

__all__ = ["PIXEL_M", "pixel_m_for"]

PIXEL_M = (1, 2, 4, 8)
"""Metres to a pixel that a chart may have."""
_LONGEST_PX = 2_048


def pixel_m_for(wide: int, deep: int) -> int:
    """Metres to a pixel so that a chart of so many regions is not too large to look at."""
    longest = max(wide, deep) * REGION_M
    return next((size for size in PIXEL_M if longest / size <= _LONGEST_PX), PIXEL_M[-1])
