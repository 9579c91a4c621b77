"""The generator's net: which cells a pixel needs, how stages are enlarged, and that any piece can be made alone."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from small_loom import small_generator, style_of
from worldloom.worldgen.gan.landforms import Landform
from worldloom.worldgen.gan.latents import Latents
from worldloom.worldgen.gan.model import LATENTS, PITCH, STAGES, Generator, Needs, needs, up2

SMOOTH, SHARP = np.array([1, 5, 10, 10, 5, 1]) / 16, np.array([0, 1, 3, 3, 1, 0]) / 4
REACH = 6
"""Cells of the coarsest stage around that of a pixel on which it depends."""


def piece(generator: Generator, rows: tuple[int, int], columns: tuple[int, int]) -> torch.Tensor:
    """Pixels of one plane, by one style."""
    plans = list(zip(needs(*rows), needs(*columns), strict=True))
    at = [(down.takes, across.takes) for down, across in plans]
    latents = torch.from_numpy(Latents(1, "latent", LATENTS).on(*at[0]))[None]
    noises = [torch.from_numpy(Latents(1, f"noise {k}", 2).on(*where))[None] for k, where in enumerate(at)]
    conditions = torch.from_numpy(style_of(Landform.ALPINE).conditions)[None]
    with torch.no_grad():
        height: torch.Tensor = generator(
            latents, noises, generator.films(conditions, conditions), rows, columns
        )
    return height[0, 0]


@pytest.fixture(scope="module")
def generator() -> Generator:
    return small_generator()


def test_needs_of_an_interval_are_those_worked_out_by_hand() -> None:
    assert needs(0, 64) == [
        Needs((-6, 8), (-4, 6)),
        Needs((-6, 10), (-4, 8)),
        Needs((-6, 14), (-4, 12)),
        Needs((-5, 21), (-3, 19)),
        Needs((-4, 36), (-2, 34)),
        Needs((-2, 66), (0, 64)),
    ]


@given(low=st.integers(-(10**6), 10**6), size=st.integers(1, 300))
def test_each_stage_gives_the_next_just_what_enlarging_needs(low: int, size: int) -> None:
    plan = needs(low, low + size)
    assert len(plan) == STAGES
    assert plan[-1].gives == (low, low + size)
    for coarse, fine in itertools.pairwise(plan):
        first, last = fine.takes[0] // 2 - 1, (fine.takes[1] - 1) // 2 + 1
        assert coarse.gives == (first, last + 1)
    assert all(one.takes == (one.gives[0] - 2, one.gives[1] + 2) for one in plan)


@given(low=st.integers(-500, 500), size=st.integers(1, 200), cells=st.integers(-40_000, 40_000))
def test_needs_move_with_the_interval_by_whole_cells(low: int, size: int, cells: int) -> None:
    there = needs(low + cells * PITCH, low + cells * PITCH + size)
    for k, (here, moved) in enumerate(zip(needs(low, low + size), there, strict=True)):
        by = cells * 2**k
        assert moved.takes == (here.takes[0] + by, here.takes[1] + by)


@pytest.mark.parametrize("target", [(0, 12), (1, 12), (0, 11), (-5, 4), (-6, 1), (7, 8)])
@pytest.mark.parametrize("axis", [2, 3])
@pytest.mark.parametrize(("smooth", "taps"), [(True, SMOOTH), (False, SHARP)], ids=["smooth", "sharp"])
def test_enlarging_is_the_filter_1_5_10_10_5_1_or_1_3_3_1(
    target: tuple[int, int], axis: int, smooth: bool, taps: np.ndarray
) -> None:
    source = -8, 12
    line = np.random.default_rng(1).normal(size=20)
    spread = np.zeros(40)
    spread[::2] = line
    whole = np.convolve(spread, taps)[2:]  # Of pixel 2 * source[0] and on.
    expected = whole[target[0] - 2 * source[0] : target[1] - 2 * source[0]]
    x = torch.from_numpy(line).reshape((1, 1, 20, 1) if axis == 2 else (1, 1, 1, 20))
    found = up2(x, source, target, axis, smooth).reshape(-1).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_level_plane_stays_level_when_it_is_enlarged() -> None:
    for smooth in (True, False):
        assert bool((up2(torch.ones(1, 1, 9, 1), (0, 9), (2, 16), 2, smooth) == 1).all())


@pytest.mark.slow
@pytest.mark.parametrize("at", [(0, 0), (-64, 37), (91, -130), (5, 11)])
def test_a_piece_alone_is_the_same_land_as_in_a_larger_one(generator: Generator, at: tuple[int, int]) -> None:
    large = piece(generator, (-192, 192), (-192, 192))
    alone = piece(generator, (at[0], at[0] + 40), (at[1], at[1] + 55))
    within = large[at[0] + 192 : at[0] + 232, at[1] + 192 : at[1] + 247]
    assert float(large.std()) > 0.1
    # Other shapes sum in another order: the last bits differ, no more.
    assert float((alone - within).abs().max()) < 1e-4 * float(large.abs().max())


def test_pieces_of_one_shape_at_one_place_in_the_lattice_agree_to_the_bit(generator: Generator) -> None:
    here, east, south = (
        piece(generator, (z - 4, z + 68), (x - 4, x + 68)) for x, z in ((-64, 128), (0, 128), (-64, 192))
    )
    assert torch.equal(here[:, -8:], east[:, :8])
    assert torch.equal(here[-8:], south[:8])


def test_a_pixel_depends_on_no_latents_beyond_six_cells(generator: Generator) -> None:
    rows = columns = (-64, 96)
    plan = needs(*rows)
    low = plan[0].takes[0]
    latents = torch.from_numpy(Latents(1, "latent", LATENTS).on(plan[0].takes, plan[0].takes))[None]
    latents.requires_grad_()
    noises = [torch.zeros(1, 2, *[one.takes[1] - one.takes[0]] * 2) for one in plan]
    conditions = torch.from_numpy(style_of(Landform.ALPINE).conditions)[None]
    with torch.no_grad():
        films = generator.films(conditions, conditions)
    height = generator(latents, noises, films, rows, columns)
    for pixel in (0, 17, PITCH - 1):
        (gradient,) = torch.autograd.grad(height[0, 0, 64 + pixel, 64 + pixel], latents, retain_graph=True)
        felt = np.argwhere(gradient[0].abs().amax(0).numpy() > 0) + low
        first, last = needs(pixel, pixel + 1)[0].takes
        assert -REACH <= first <= felt.min()
        assert felt.max() < last <= REACH + 1
        # Stages that enlarge sharply need a little less than is asked for them.
        assert felt.max() - felt.min() >= 7


def test_a_command_changes_land_and_one_far_outside_all_land_counts_as_the_farthest(
    generator: Generator,
) -> None:
    far, farther = (torch.full((1, len(generator.mean)), value) for value in (1e4, 1e6))
    assert torch.equal(generator.standard(far), generator.standard(farther))
    plain = torch.from_numpy(style_of(Landform.PLAIN).conditions)[None]
    alps = torch.from_numpy(style_of(Landform.ALPINE).conditions)[None]
    with torch.no_grad():
        apart = generator.embedding(plain) - generator.embedding(alps)
    assert float(apart.abs().max()) > 0.01
