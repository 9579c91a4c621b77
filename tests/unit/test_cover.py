"""Cover: what the climate makes of one and the same ground."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from worldloom.worldgen.cover import Cover
from worldloom.worldgen.landform import Relief
from worldloom_sdk.protocol.tiles import (
    HEIGHTS_PER_M,
    SAMPLES,
    SURFACE_CELLS,
    Surface,
    ThingKind,
    Tile,
)

TREES = {ThingKind.CONIFER, ThingKind.BROADLEAF, ThingKind.BIRCH, ThingKind.PALM}
FAR = (40, -17)
Made = tuple[npt.NDArray[np.uint8], npt.NDArray[Any]]


def field(value: float) -> npt.NDArray[np.float32]:
    return np.full((SURFACE_CELLS, SURFACE_CELLS), value, np.float32)


def relief(
    low_m: float = 12.0, high_m: float = 20.0, warmth: float = 0.0, moisture: float = 0.5, woods: float = 0.0
) -> Relief:
    """A slope that rises along x."""
    along = np.rint(np.linspace(low_m, high_m, SAMPLES) * HEIGHTS_PER_M).astype(np.int16)
    heights = np.tile(along, (SAMPLES, 1))
    return Relief(heights, field(0.0), field(moisture), field(warmth), field(woods))


def share(surface: npt.NDArray[np.uint8], kind: Surface) -> float:
    return float((surface == kind).mean())


def covered(land: Relief, regions: int = 4) -> Made:
    """Several regions of one and the same ground, so that chance evens out."""
    cover = Cover(9)
    made = [cover.of(FAR[0] + k, FAR[1] + 2 * k, land) for k in range(regions)]
    for k, (surface, things) in enumerate(made):
        Tile(FAR[0] + k, FAR[1] + 2 * k, land.heights, surface, things)  # Checks bounds.
    return np.concatenate([surface for surface, _ in made]), np.concatenate([things for _, things in made])


def counts(made: Made) -> Counter[int]:
    return Counter(made[1]["kind"].tolist())


def trees(made: Made) -> int:
    return sum(counts(made)[kind] for kind in TREES)


def test_an_arctic_tundra_is_heath_and_snow_without_a_tree() -> None:
    made = covered(relief(5.0, 11.0, warmth=-0.9))
    assert trees(made) == 0
    assert share(made[0], Surface.HEATH) > 0.2
    assert share(made[0], Surface.SNOW) > 0.2
    assert share(made[0], Surface.HEATH) + share(made[0], Surface.SNOW) > 0.98


def test_a_desert_is_sand_where_next_to_nothing_grows() -> None:
    made = covered(relief(warmth=0.5, moisture=0.0))
    assert share(made[0], Surface.SAND) > 0.98
    assert trees(made) < 10
    assert counts(made)[ThingKind.FLOWERS] == 0
    cold = covered(relief(warmth=-0.2, moisture=0.0))
    assert share(cold[0], Surface.SAND) == 0, "where it is cold and dry there is steppe"


def test_the_tropics_have_palms_and_broadleaves_and_the_north_has_conifers_alone() -> None:
    jungle = counts(covered(relief(warmth=0.8, moisture=0.9, woods=1.0)))
    assert jungle[ThingKind.PALM] > 300
    assert jungle[ThingKind.BROADLEAF] > 300
    assert jungle[ThingKind.CONIFER] == jungle[ThingKind.BIRCH] == 0
    taiga = counts(covered(relief(warmth=-0.5, woods=0.9)))
    assert taiga[ThingKind.CONIFER] > 5_000
    assert taiga[ThingKind.BROADLEAF] + taiga[ThingKind.PALM] < 50
    mild = counts(covered(relief()))
    assert mild[ThingKind.BROADLEAF] > 500
    assert mild[ThingKind.PALM] == 0


def test_palms_stand_on_a_tropical_beach_and_on_no_other() -> None:
    beach = {warmth: covered(relief(0.4, 0.7, warmth, 0.8)) for warmth in (0.8, 0.2)}
    assert share(beach[0.8][0], Surface.SAND) > 0.5
    assert counts(beach[0.8])[ThingKind.PALM] > 100
    assert trees(beach[0.2]) == 0


@pytest.mark.parametrize(("warmth", "line_m"), [(-0.4, 38.6), (0.0, 125.0), (0.5, 271.25)])
def test_warmth_moves_the_tree_line(warmth: float, line_m: float) -> None:
    below, above = (relief(line_m + by, line_m + by + 6, warmth, woods=0.01) for by in (-32.0, 40.0))
    below, above = (replace(land, woods=field(0.0), moisture=field(0.9)) for land in (below, above))
    assert trees(covered(below)) > 2_000
    assert trees(covered(above)) < 80


@pytest.mark.parametrize(("warmth", "line_m"), [(-0.4, 77.4), (0.0, 165.0), (0.5, 315.0)])
def test_warmth_moves_the_snow_line(warmth: float, line_m: float) -> None:
    below, above = (covered(relief(line_m + by, line_m + by + 3, warmth))[0] for by in (-20.0, 17.0))
    assert share(below, Surface.SNOW) < 0.02
    assert share(above, Surface.SNOW) > 0.98


def test_woods_that_were_asked_for_cover_all_that_bears_trees_and_the_others_nothing() -> None:
    all_of_it, as_it_comes, none = (covered(relief(woods=woods)) for woods in (1.0, 0.0, -1.0))
    assert share(all_of_it[0], Surface.FOREST) > 0.99
    assert 0.05 < share(as_it_comes[0], Surface.FOREST) < 0.9
    assert share(none[0], Surface.FOREST) == 0
    spots = 4 * 4_096
    assert trees(all_of_it) / spots == pytest.approx(0.62, abs=0.02)
    assert trees(none) == 0
    high = covered(relief(400.0, 420.0, woods=1.0))
    assert trees(high) == 0, "where none can stand none stands"


def test_the_middle_of_the_world_stays_open_whatever_was_asked_for() -> None:
    surface, things = Cover(9).of(0, 0, relief(warmth=0.5, woods=1.0, moisture=1.0))
    assert not (surface[:6, :6] == Surface.FOREST).any()
    assert share(surface, Surface.FOREST) > 0.8
    assert len(things)


def test_meadows_have_flowers_in_patches_and_tufts_of_grass() -> None:
    made = covered(relief(moisture=0.7, woods=-1.0))
    assert share(made[0], Surface.MEADOW) > 0.9
    things = made[1]
    flowers = things[things["kind"] == ThingKind.FLOWERS]
    assert 200 < len(flowers) < 2_000
    assert 200 < counts(made)[ThingKind.TUFT] < 1_000
    one = Cover(9).of(*FAR, relief(moisture=0.7, woods=-1.0))[1]
    one = one[one["kind"] == ThingKind.FLOWERS]
    squares = np.bincount(one["x"].astype(int) // 2_048 * 8 + one["z"] // 2_048, minlength=64)
    assert squares.var() > 1.5 * squares.mean(), "chance alone would spread them more evenly"


def test_the_climate_may_change_within_a_region() -> None:
    east = np.linspace(-1.0, 1.0, SURFACE_CELLS, dtype=np.float32)
    land = replace(relief(30.0, 30.0, moisture=0.1), warmth=np.tile(east, (SURFACE_CELLS, 1)))
    surface, _ = Cover(3).of(*FAR, land)
    assert share(surface[:, :16], Surface.SNOW) > 0.9
    assert share(surface[:, 64:72], Surface.HEATH) > 0.5
    assert share(surface[:, -16:], Surface.SAND) > 0.9


def test_cover_is_the_same_every_time_and_differs_by_world() -> None:
    land = relief()
    (surface, things), (again, same) = Cover(4).of(*FAR, land), Cover(4).of(*FAR, land)
    assert np.array_equal(surface, again)
    assert np.array_equal(things, same)
    assert not np.array_equal(surface, Cover(5).of(*FAR, land)[0])
