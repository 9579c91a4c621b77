"""The judge: of which landform a patch is, by what the ruler measures of it. Learns from real land; knows no model.

Linear discriminants on standardised traits, all landforms as likely, their common covariance drawn towards the round
one (Friedman, "Regularized discriminant analysis", 1989). Directions play no part, nor does scale: a world shows
pixels, and nobody sees whether they are 30 or 90 m of real land.

Landforms of real land run into one another, and a tile's description is not true of every patch in it; so the judge
is tried on real land first (``trial``), and what it reaches there is the most that can be asked of a generator.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from worldloom.errors import ConfigError
from worldloom.worldgen.gan.dataset import DemTile, patches
from worldloom.worldgen.gan.drainage import drainage
from worldloom.worldgen.gan.features import DIRECTED, FEATURES_N, features
from worldloom.worldgen.gan.filters import F64, Patches
from worldloom.worldgen.gan.landforms import LANDFORMS_N, Landform, landform_of
from worldloom.worldgen.gan.ruler import stats
from worldloom.worldgen.gan.tables import as_table

__all__ = ["TOGETHER", "Judge", "Known", "Share", "Trial", "known", "share_right", "traits", "trial"]

I64 = npt.NDArray[np.int64]

PATCH = 128
"""Samples along a side of what the judge learns from."""
TOGETHER = 16
"""Patches that are judged as one piece of land."""
_SPACING_M = 30.0
"""All land is judged as if a pixel were so many metres."""
_ROUND = 0.1
"""Share of the round covariance; from 0.03 to 0.6 it makes little difference on real land."""
_AT_ONCE = 64
_UNDIRECTED = [k for k in range(FEATURES_N) if k not in DIRECTED]


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Real patches, measured, and what they are."""

    traits: F64
    """``[n, traits]``."""
    kinds: I64
    """``[n]`` landforms."""
    tiles: I64
    """``[n]``: of which tile; those of one tile follow each other."""


class Judge:
    """Tells landforms.

    Args:
        traits: ``[n, traits]`` of real land.
        kinds: ``[n]`` landforms; at least two kinds.

    Raises:
        ValueError: There are too few.
    """

    def __init__(self, traits: F64, kinds: I64) -> None:
        found = np.unique(kinds)
        if len(found) < 2:
            raise ValueError(f"expected patches of at least two landforms, got {len(found)}")
        # A landform counts by itself, not by how much of it there is.
        weight = 1.0 / (np.bincount(kinds, minlength=LANDFORMS_N)[kinds] * len(found))
        self._mean = weight @ traits
        self._spread = np.sqrt(weight @ (traits - self._mean) ** 2) + 1e-6
        seen = self._standard(traits)
        middles = np.stack([seen[kinds == kind].mean(0) for kind in found])
        off = seen - middles[np.searchsorted(found, kinds)]
        within = (weight[:, None] * off).T @ off
        # A little more, so that it can be solved even where patches do not differ at all.
        plain = (_ROUND * np.trace(within) / len(within) + 1e-6) * np.eye(len(within))
        covariance = (1 - _ROUND) * within + plain
        self.landforms = frozenset(Landform(int(kind)) for kind in found)
        """What it can say."""
        self._found = found
        self._axes = np.linalg.solve(covariance, middles.T)  # [traits, found]
        self._offset = -0.5 * (middles.T * self._axes).sum(0)

    def shares(self, traits: F64) -> F64:
        """How likely each landform is: ``[n, traits]`` to ``[n, LANDFORMS_N]``, each row summing to 1."""
        score = self._standard(traits) @ self._axes + self._offset
        likely = np.exp(score - score.max(1, keepdims=True))
        out = np.zeros((len(traits), LANDFORMS_N))
        out[:, self._found] = likely / likely.sum(1, keepdims=True)
        return out

    def _standard(self, traits: F64) -> F64:
        """In deviations, squashed at three as the ruler does."""
        return np.asarray(3 * np.tanh((traits - self._mean) / self._spread / 3))


def traits(land: Patches, spacing_m: float) -> F64:
    """What the ruler measures of each patch, but for directions.

    Args:
        land: ``[n, s, s]`` metres, n at least 2.
        spacing_m: Metres between samples.

    Returns:
        ``[n, traits]``.

    Raises:
        ValueError: They are no patches.
    """
    parts = []
    for part in np.array_split(land, -(-len(land) // _AT_ONCE)):
        z = part.astype(np.float64) * (_SPACING_M / spacing_m)
        found = stats(z, _SPACING_M, drained=1)
        plain = (found.beta, found.hypsometry, found.relief, found.local, found.coherence, found.skew)
        parts.append(
            np.column_stack((features(z, _SPACING_M)[:, _UNDIRECTED], found.spectrum, *plain, *drainage(z)))
        )
    return np.concatenate(parts)


def known(tiles: Sequence[DemTile], on_tile: Callable[[int, int], None] = lambda done, total: None) -> Known:
    """Measure all dry patches of tiles, side by side; a tile with a single one is left out.

    Args:
        tiles: Of any spacing; their descriptions tell the landform.
        on_tile: Told how many are done, of how many.

    Raises:
        ConfigError: There are not two landforms among them.
    """
    rows, kinds, which = [], [], []
    for k, tile in enumerate(tiles):
        cut = patches(tile, PATCH, PATCH)
        if len(cut) >= 2:
            rows.append(traits(cut, tile.spacing_m))
            kinds += [int(landform_of(tile.description))] * len(cut)
            which += [k] * len(cut)
        on_tile(k + 1, len(tiles))
    if len(set(kinds)) < 2:
        names = ", ".join(Landform(kind).name.lower() for kind in set(kinds)) or "none"
        raise ConfigError(
            f"expected tiles of at least two landforms with dry patches of {PATCH} samples, got {names}"
        )
    return Known(np.concatenate(rows), np.array(kinds), np.array(which))


@dataclass(frozen=True, slots=True)
class Share:
    """How often the judge is right, means over the landforms."""

    first: float
    """Of all, those where the landform is what the judge says."""
    second: float
    """Those where it is one of the first two."""


@dataclass(frozen=True, slots=True)
class Trial:
    """The judge on real land."""

    patches: int
    tiles: int
    landforms: int
    unseen: Share
    """Single patches of tiles that it did not learn from; landforms of one tile alone are left out."""
    unseen_together: Share
    """Likewise, ``TOGETHER`` patches of a tile at once."""
    half_seen: Share
    """Single patches of the other half of tiles that it did learn from."""
    half_seen_together: Share

    def text(self) -> str:
        """A sentence and a table."""
        rows = (
            ("tiles it never saw, patch by patch", self.unseen),
            (f"tiles it never saw, {TOGETHER} patches together", self.unseen_together),
            ("unseen halves of its tiles, patch by patch", self.half_seen),
            (f"unseen halves of its tiles, {TOGETHER} patches together", self.half_seen_together),
            ("by chance", Share(1 / self.landforms, 2 / self.landforms)),
        )
        cells = [["the judge on real land", "right", "among two"]]
        cells += [[name, f"{share.first:.0%}", f"{share.second:.0%}"] for name, share in rows]
        head = f"The judge learned from {self.patches} patches of {self.tiles} tiles, {self.landforms} landforms."
        return f"{head}\n\n{as_table(cells)}"


def trial(land: Known) -> Trial:
    """Try the judge on land that it did not learn from."""
    tiles_of = [len(np.unique(land.tiles[land.kinds == kind])) for kind in range(LANDFORMS_N)]
    told = np.array(tiles_of)[land.kinds] > 1
    pieces = _pieces(land.tiles)
    unseen = _left_out(land, land.tiles)
    half_seen = _left_out(land, _halves(land.tiles))
    return Trial(
        len(land.kinds),
        len(np.unique(land.tiles)),
        len(np.unique(land.kinds)),
        share_right(unseen[told], land.kinds[told]),
        _together(unseen[told], land.kinds[told], pieces[told]),
        share_right(half_seen, land.kinds),
        _together(half_seen, land.kinds, pieces),
    )


def share_right(likely: F64, kinds: I64) -> Share:
    """How often ``likely`` (``[n, LANDFORMS_N]``) is right about ``kinds``; every landform counts the same."""
    if not len(kinds):
        return Share(float("nan"), float("nan"))
    order = np.argsort(-likely, 1, kind="stable")
    first = order[:, 0] == kinds
    second = first | (order[:, 1] == kinds)
    means = [(first[kinds == kind].mean(), second[kinds == kind].mean()) for kind in np.unique(kinds)]
    return Share(*(float(mean) for mean in np.mean(means, 0)))


def _left_out(land: Known, folds: I64) -> F64:
    """What a judge says of each fold that learned from the others: ``[n, LANDFORMS_N]``."""
    out = np.empty((len(folds), LANDFORMS_N))
    for fold in np.unique(folds):
        away = folds == fold
        # Without the only tiles of all landforms but one there is nothing to tell.
        if len(np.unique(land.kinds[~away])) < 2:
            out[away] = np.eye(LANDFORMS_N)[land.kinds[~away][0]]
            continue
        out[away] = Judge(land.traits[~away], land.kinds[~away]).shares(land.traits[away])
    return out


def _together(likely: F64, kinds: I64, pieces: I64) -> Share:
    starts = np.flatnonzero(np.diff(pieces, prepend=-1))
    return share_right(np.add.reduceat(likely, starts), kinds[starts])


def _halves(tiles: I64) -> I64:
    """0 for the first half of each tile, 1 for the other: its north and its south."""
    starts, counts = np.unique(tiles, return_index=True, return_counts=True)[1:]
    at = np.arange(len(tiles)) - np.repeat(starts, counts)
    return np.asarray(2 * at >= np.repeat(counts, counts)).astype(np.int64)


def _pieces(tiles: I64) -> I64:
    """Numbers of runs of ``TOGETHER`` patches of one tile, the last of each tile being shorter."""
    starts, counts = np.unique(tiles, return_index=True, return_counts=True)[1:]
    at = np.arange(len(tiles)) - np.repeat(starts, counts)
    return np.cumsum(np.diff(tiles, prepend=-1).astype(bool) | (at % TOGETHER == 0)).astype(np.int64)
