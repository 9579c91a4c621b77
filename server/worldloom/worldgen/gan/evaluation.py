"""Evaluation: a trained generator beside unseen real land and beside noise, all measured against its training land."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from worldloom.errors import ConfigError
from worldloom.worldgen.gan.artefacts import copy_check, nearest, parity, seam_test
from worldloom.worldgen.gan.baselines import perlin_patches, spectral_patches
from worldloom.worldgen.gan.copies import sought
from worldloom.worldgen.gan.dataset import DemTile, load_tiles, patches
from worldloom.worldgen.gan.filters import F64
from worldloom.worldgen.gan.ruler import Comparison, Survey, distances, index, survey
from worldloom.worldgen.gan.tables import as_table

__all__ = ["PATCH", "Draw", "Evaluation", "Yardstick", "cut_mosaic", "evaluate"]

F32 = npt.NDArray[np.float32]
Draw = Callable[[int, int], F32]
"""Count of patches and seed to heights in metres: ``[count, PATCH, PATCH]``, or a mosaic ``[h, w]`` of them."""
OnStage = Callable[[int, int, str], None]
"""Told how many stages are done, of how many, and which comes now."""

PATCH = 128
"""Samples along a side of what is measured."""
_LIKE = 0.93
"""A copy correlates so much with some place of the training tiles."""
_SOUGHT = 96
"""Patches of a set that are sought all over the tiles, at most."""
_COLUMNS: tuple[tuple[str, str, str, float], ...] = (
    ("n", "n", "d", 1),
    ("index", "index", ".2f", 1),
    ("KID", "kid", ".2f", 1),
    ("+-", "kid_std", ".2f", 1),
    ("lsd dex", "lsd", ".3f", 1),
    ("beta", "beta_mean", ".2f", 1),
    ("slope w1", "slope_w1_deg", ".2f", 1),
    ("curv w1", "curv_w1", ".3f", 1),
    ("skew", "skew_mean", ".2f", 1),
    ("skew w1", "skew_w1", ".3f", 1),
    ("hypso w1", "hypso_w1", ".3f", 1),
    ("local w1", "local_w1", ".3f", 1),
    ("coher w1", "coherence_w1", ".3f", 1),
    ("axis", "axis_bias", ".3f", 1),
    ("pits", "pits_mean", ".0f", 1),
    ("pits w1", "pits_w1", ".1f", 1),
    ("fill e-3", "fill_mean", ".2f", 1000),
    ("fill w1 e-3", "fill_w1", ".2f", 1000),
    ("area exp", "area_exp_mean", ".2f", 1),
    ("exp w1", "area_exp_w1", ".3f", 1),
    ("divers.", "diversity_ratio", ".2f", 1),
    ("parity", "parity", ".4f", 1),
    ("ncc med", "ncc_median", ".2f", 1),
    ("ncc max", "ncc_max", ".2f", 1),
    ("over .95", "over95", ".3f", 1),
    ("copied", "copied", ".3f", 1),
    ("any med", "anywhere_median", ".2f", 1),
    ("any .93", "anywhere", ".3f", 1),
    ("seam", "seam", ".3f", 1),
    ("seam z", "seam_z", ".1f", 1),
)
"""Heading, measure, format, factor."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A table: a row of measures for each set."""

    reference: int
    """Patches of training land that all is measured against."""
    rows: dict[str, Comparison] = field(default_factory=dict)

    def text(self) -> str:
        """As a table that is read as it stands, and by Markdown."""
        cells = [["set", *(heading for heading, *_ in _COLUMNS)]]
        cells += [
            [name, *(_cell(row, *column[1:]) for column in _COLUMNS)] for name, row in self.rows.items()
        ]
        return as_table(cells)


def _cell(row: Comparison, name: str, form: str, factor: float) -> str:
    if name not in row:
        return "-"
    return format(int(row[name]) if form == "d" else row[name] * factor, form)


class Yardstick:
    """Real land, measured once: what sets of patches are compared with.

    Args:
        train: Patches ``[n, PATCH, PATCH]`` that the generator learned from.
        held_out: Patches of tiles that it never saw.
        spacing_m: Metres between samples.
        tiles: What ``train`` was cut from; copies are sought all over it.
    """

    def __init__(self, train: F32, held_out: F32, spacing_m: float, tiles: Sequence[F32] = ()) -> None:
        self.spacing_m, self._tiles = spacing_m, tiles
        self.train = train
        self.reference: Survey = survey(train, spacing_m)
        self.near: F64 = nearest(held_out, train)
        self._base = distances(survey(held_out, spacing_m), self.reference)
        self.held_out = self._row(self._base, held_out, self.near)

    @classmethod
    def of(cls, folder: Path, held_out: Collection[str], spacing_m: float) -> "Yardstick":
        """From a folder of elevation tiles; those of another spacing are left out.

        Raises:
            ConfigError: A held-out tile is missing, or there is no dry land of this spacing on one of the sides.
        """
        if missing := sorted(set(held_out) - {path.stem for path in folder.glob("*.npz")}):
            raise ConfigError(f"{folder}: expected all held-out tiles, got none called {', '.join(missing)}")
        seen, unseen = _tiles(folder, spacing_m, without=held_out), _tiles(folder, spacing_m, only=held_out)
        train, other = (
            _land(seen, "training", folder, spacing_m),
            _land(unseen, "held-out", folder, spacing_m),
        )
        whole = [tile.heights for tile in seen if min(tile.heights.shape) >= PATCH]
        return cls(train, other, spacing_m, whole)

    def row(self, land: F32) -> Comparison:
        """Measure patches: all of ``distances`` and of ``copy_check``, index, parity, and copies anywhere in the tiles.

        Raises:
            ValueError: They are no patches of the reference's size.
        """
        if land.ndim != 3 or land.shape[1:] != self.train.shape[1:]:
            raise ValueError(f"expected patches [n, {PATCH}, {PATCH}], got {land.shape}")
        return self._row(
            distances(survey(land, self.spacing_m), self.reference), land, nearest(land, self.train)
        )

    def _row(self, measured: Comparison, land: F32, near: F64) -> Comparison:
        scored = {"index": index(measured, self._base), "parity": parity(land)}
        if self._tiles:
            like = sought(land[:: -(-len(land) // _SOUGHT)] if len(land) > _SOUGHT else land, self._tiles)
            scored |= {"anywhere_median": float(np.median(like)), "anywhere": float((like > _LIKE).mean())}
        return measured | scored | copy_check(near, self.near)


def evaluate(
    draw: Draw,
    folder: Path,
    held_out: Collection[str],
    *,
    spacing_m: float = 90.0,
    count: int = 192,
    seeds: Sequence[int] = (1, 2, 3),
    tile: int = 64,
    on_stage: OnStage = lambda done, total, stage: None,
) -> Evaluation:
    """Measure a generator: a row for held-out land, one for each seed, two of noise.

    Differences of the index below 0.2 are noise: look at several seeds.

    Args:
        draw: Makes land.
        folder: Elevation tiles, those of training among them.
        held_out: Names of the tiles that the generator was not trained on.
        spacing_m: Metres between samples of what ``draw`` makes; tiles of other spacings are not looked at.
        count: Patches of each set, at least 2.
        seeds: Of the generator; the first is that of the noise too.
        tile: Samples along a side of the pieces that mosaics are put together of.
        on_stage: Told of each stage.

    Raises:
        ConfigError: The folder does not hold the tiles.
        ValueError: ``draw`` gives no patches, or heights that are not finite.
    """
    if count < 2 or not seeds:
        raise ValueError(f"expected at least 2 patches and a seed, got {count} and {len(seeds)}")
    total = len(seeds) + 3
    on_stage(0, total, "real land")
    yard = Yardstick.of(folder, held_out, spacing_m)
    rows = {"held-out land": yard.held_out}
    for done, seed in enumerate(seeds, 1):
        name = f"model, seed {seed}"
        on_stage(done, total, name)
        rows[name] = _model_row(yard, draw(count, seed), count, tile)
    for done, (name, make) in enumerate(
        (("Perlin, 6 octaves", perlin_patches), ("fBm, real exponents", spectral_patches)), len(seeds) + 1
    ):
        on_stage(done, total, name)
        rows[name] = yard.row(make(yard.reference.stats, count, PATCH, seeds[0]))
    on_stage(total, total, "done")
    return Evaluation(yard.reference.count, rows)


def _model_row(yard: Yardstick, land: F32, count: int, tile: int) -> Comparison:
    if land.ndim != 2:
        return yard.row(land[:count])
    seam, z = seam_test(land, tile)
    return yard.row(cut_mosaic(land)[:count]) | {"seam": seam, "seam_z": z, "parity": parity(land)}


def cut_mosaic(mosaic: F32) -> F32:
    """The patches of a mosaic, side by side: ``[h, w]`` to ``[n, PATCH, PATCH]``."""
    rows, columns = mosaic.shape[0] // PATCH, mosaic.shape[1] // PATCH
    kept = mosaic[: rows * PATCH, : columns * PATCH].reshape(rows, PATCH, columns, PATCH)
    return kept.transpose(0, 2, 1, 3).reshape(-1, PATCH, PATCH)


def _tiles(
    folder: Path, spacing_m: float, without: Collection[str] = (), only: Collection[str] | None = None
) -> list[DemTile]:
    return [t for t in load_tiles(folder, without, only) if abs(t.spacing_m - spacing_m) < 0.01 * spacing_m]


def _land(tiles: list[DemTile], which: str, folder: Path, spacing_m: float) -> F32:
    found = [patches(tile, PATCH, PATCH) for tile in tiles]
    count = sum(map(len, found))
    if count < 2:
        raise ConfigError(
            f"{folder}: expected at least 2 dry patches of {PATCH} samples at {spacing_m:g} m in {which} tiles, "
            f"got {count}"
        )
    return np.concatenate(found)
