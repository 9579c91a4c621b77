"""The weaver: neighbours computed alone are one land to the bit, and a style is felt nearby alone."""

import random
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pytest
import torch

from small_loom import LOOM_SEED, patchwork, small_generator, style_of
from worldloom.worldgen.gan.landforms import Landform
from worldloom.worldgen.gan.model import STAGES, needs
from worldloom.worldgen.gan.modulations import Spread
from worldloom.worldgen.gan.style import Style
from worldloom.worldgen.gan.weaver import HALO, REGION_PX, StyleOf, Weaver
from worldloom_sdk.protocol.geometry import REGION_LIMIT

Region = tuple[int, int]
F32 = npt.NDArray[np.float32]


def weaver() -> Weaver:
    return Weaver(small_generator(), LOOM_SEED)


def square(corner: Region, side: int) -> list[Region]:
    return [(corner[0] + i, corner[1] + j) for j in range(side) for i in range(side)]


def woven(loom: Weaver, regions: Iterable[Region], style: StyleOf = patchwork) -> dict[Region, F32]:
    return {at: loom.pixels(*at, patchwork, style) for at in regions}


def differing(land: dict[Region, F32]) -> list[tuple[Region, Region]]:
    """Neighbours whose shared pixels are not equal to the bit."""
    wrong = []
    for (rx, rz), here in land.items():
        east, south, corner = (land.get(at) for at in ((rx + 1, rz), (rx, rz + 1), (rx + 1, rz + 1)))
        both = 2 * HALO
        if east is not None and not np.array_equal(here[:, -both:], east[:, :both]):
            wrong.append(((rx, rz), (rx + 1, rz)))
        if south is not None and not np.array_equal(here[-both:], south[:both]):
            wrong.append(((rx, rz), (rx, rz + 1)))
        if corner is not None and not np.array_equal(here[-both:, -both:], corner[:both, :both]):
            wrong.append(((rx, rz), (rx + 1, rz + 1)))
    return wrong


@pytest.mark.slow
@pytest.mark.parametrize("corner", [(-2, -1), (4_000, -9_001), (-REGION_LIMIT, REGION_LIMIT - 2)])
def test_neighbours_share_their_pixels_to_the_bit_each_alone_and_in_any_order(corner: Region) -> None:
    regions = square(corner, 3)
    random.Random(1).shuffle(regions)
    land = {at: weaver().pixels(*at, patchwork, patchwork) for at in regions}
    assert differing(land) == []
    assert land[corner].shape == (REGION_PX + 2 * HALO,) * 2
    assert min(float(pixels.std()) for pixels in land.values()) > 0.05


@pytest.mark.soak
@pytest.mark.timeout(1_200)
def test_a_thousand_regions_share_their_pixels_to_the_bit() -> None:
    regions = square((-16, -16), 32)
    random.Random(2).shuffle(regions)
    land = woven(weaver(), regions)
    assert len(land) > 1_000
    assert differing(land) == []


def test_two_weavers_of_one_model_and_seed_agree_and_other_seeds_do_not() -> None:
    one, two, other = weaver(), weaver(), Weaver(small_generator(), LOOM_SEED + 1)
    one.pixels(5, 5, patchwork, patchwork)
    assert np.array_equal(one.pixels(-3, 2, patchwork, patchwork), two.pixels(-3, 2, patchwork, patchwork))
    away = other.pixels(-3, 2, patchwork, patchwork)
    assert not np.allclose(two.pixels(-3, 2, patchwork, patchwork), away, atol=0.1)


def test_regions_of_one_style_and_regions_beside_another_style_meet() -> None:
    """The first has one modulation for all of it, the second one on a grid: where they overlap it is the same."""
    even, other = style_of(Landform.PLAIN), style_of(Landform.CANYON)

    def style(rx: int, rz: int) -> Style:
        return other if rx >= 3 else even

    loom = weaver()
    land = {(rx, 0): loom.pixels(rx, 0, lambda rx, rz: even, style) for rx in range(6)}
    assert differing(land) == []


@pytest.mark.slow
def test_a_chosen_style_is_felt_in_the_3_x_3_regions_around_and_hardly_beyond_160_m() -> None:
    chosen = style_of(Landform.CANYON)

    def style(rx: int, rz: int) -> Style:
        return chosen if (rx, rz) == (0, 0) else patchwork(rx, rz)

    loom = weaver()
    regions = square((-2, -2), 5)
    before, after = woven(loom, regions), woven(loom, regions, style)
    inner = slice(HALO, HALO + REGION_PX)
    page = np.zeros((5 * REGION_PX,) * 2)
    for (rx, rz), pixels in before.items():
        change = np.abs(after[rx, rz] - pixels)
        if max(abs(rx), abs(rz)) > 1:
            assert not change.any(), (rx, rz)
        rows, columns = (slice((k + 2) * REGION_PX, (k + 3) * REGION_PX) for k in (rz, rx))
        page[rows, columns] = change[inner, inner]
    spread = float(np.std(np.concatenate(list(before.values()))))
    middle = page[2 * REGION_PX : 3 * REGION_PX, 2 * REGION_PX : 3 * REGION_PX]
    at = np.arange(5 * REGION_PX) + 0.5
    away = np.maximum(np.maximum(2 * REGION_PX - at, at - 3 * REGION_PX), 0)
    far = np.maximum(away[:, None], away[None, :])
    assert middle.mean() > 0.05 * spread
    assert page[(far > 0) & (far < 16)].mean() > 0.1 * middle.mean(), "it comes in softly"
    beyond = page[far > 160 / 4]
    assert beyond.max() < 0.01 * middle.mean()


def test_the_style_that_is_asked_for_lies_within_the_regions_that_are_promised() -> None:
    asked: dict[str, set[Region]] = {"macro": set(), "style": set()}

    def asking(name: str) -> StyleOf:
        def style(rx: int, rz: int) -> Style:
            asked[name].add((rx, rz))
            return patchwork(rx, rz)

        return style

    weaver().pixels(10, -20, asking("macro"), asking("style"))
    assert asked["style"] == set(square((9, -21), 3))
    assert max(max(abs(rx - 10), abs(rz + 20)) for rx, rz in asked["macro"]) <= 4


@pytest.mark.parametrize("stage", range(STAGES))
def test_modulations_lie_at_the_middles_of_the_coarsest_cells(stage: int) -> None:
    takes = needs(-HALO, REGION_PX + HALO)[stage].takes
    spread = Spread(stage, takes, 1)
    # A slope over the cells is the same slope over the stage's own grid, by where the middles lie.
    slope = torch.arange(*spread.cells, dtype=torch.float32) + 0.5
    across, down = slope.expand(len(slope), -1), slope[:, None].expand(-1, len(slope))
    spread.of_cells(torch.stack((across, down))[..., None])
    middles = (torch.arange(takes[0] + 1, takes[1] - 1) + 0.5) / 2**stage
    assert torch.equal(spread.scale[..., 0], middles.expand(len(middles), -1))
    assert torch.equal(spread.shift[..., 0], middles[:, None].expand(-1, len(middles)))


def test_many_styles_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worldloom.worldgen.gan.modulations._MEMORY", 60)
    loom, alone = weaver(), weaver()
    for rx in range(3):
        assert np.array_equal(
            loom.pixels(9 * rx, 0, patchwork, patchwork), alone.pixels(9 * rx, 0, patchwork, patchwork)
        )
        assert len(loom._films._known) <= 60
