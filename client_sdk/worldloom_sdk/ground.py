"""Ground: tile and overlay of one region, as a client comes to know them. Fetches nothing, waits for nothing.

What is told (Region, TerrainEdited) and what is fetched (tile, overlay) come in any order: versions say what is missing
and what is known already, so that no edit is lost and none counts twice.
"""

from collections import deque
from typing import Final

from worldloom_sdk.protocol.overlay import Overlay, Patch, overlaid, patched
from worldloom_sdk.protocol.tiles import I16, Tile

__all__ = ["Ground"]

_EDITS_KEPT: Final = 64


class Ground:
    """What is known of one region that is woven.

    Args:
        rx: Region index.
        rz: Region index.

    Attributes:
        sha256: Name of its tile.
        told: The newest version of its overlay that is known to be.
    """

    def __init__(self, rx: int, rz: int) -> None:
        self.rx, self.rz = rx, rz
        self.sha256 = ""
        self.told = 0
        self._overlay: Overlay | None = None
        self._kept: deque[tuple[int, Patch]] = deque(maxlen=_EDITS_KEPT)
        self._joined: tuple[Tile, Overlay, I16] | None = None

    @property
    def is_current(self) -> bool:
        """Whether the overlay is here as it was told last."""
        return self._overlay is not None and self._overlay.version >= self.told

    def woven(self, sha256: str, version: int) -> None:
        """The server told of the region."""
        self.sha256, self.told = sha256, version
        if self._overlay is None or self._overlay.version != version:
            self._overlay = Overlay.empty(self.rx, self.rz) if version == 0 else None
            self._kept.clear()

    def edited(self, version: int, patch: Patch) -> None:
        """The server told of an edit."""
        self.told = max(self.told, version)
        self._kept.append((version, patch))
        if self._overlay is not None:
            self._take_kept(self._overlay)

    def fetched(self, overlay: Overlay) -> None:
        """The overlay came, of whatever version; look at ``is_current`` then."""
        self._take_kept(overlay)

    def heights(self, tile: Tile) -> I16 | None:
        """Heights ``[129, 129]`` in 1/32 m, tile and overlay joined; None while the overlay is not here."""
        overlay = self._overlay
        if overlay is None or not self.is_current:
            return None
        if self._joined is None or self._joined[0] is not tile or self._joined[1] is not overlay:
            self._joined = tile, overlay, overlaid(tile.heights, overlay)
        return self._joined[2]

    def _take_kept(self, overlay: Overlay) -> None:
        while self._kept:
            version, patch = self._kept[0]
            if version > overlay.version + 1:
                break
            if version == overlay.version + 1:
                overlay = patched(overlay, patch, version)
            self._kept.popleft()
        self._overlay = overlay
