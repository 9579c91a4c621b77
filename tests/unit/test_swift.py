"""The generator as the weaver runs it: the same function, and blind to where in an array a pixel lies."""

import threading

import numpy as np
import numpy.typing as npt
import pytest
import torch

from small_loom import LOOM_SEED, patchwork, small_generator
from worldloom.worldgen.gan.latents import Latents
from worldloom.worldgen.gan.model import LATENTS, SIZES, Generator, needs
from worldloom.worldgen.gan.swift import Swift
from worldloom.worldgen.gan.weaver import HALO, REGION_PX, Weaver

F32 = npt.NDArray[np.float32]
WINDOW = (-HALO, REGION_PX + HALO)


@torch.inference_mode()
def both(generator: Generator, seed: int) -> tuple[F32, F32]:
    """Heights by the plain way and by the swift one, for the same latents, noises and modulations."""
    rng = np.random.default_rng(seed)
    plan = needs(*WINDOW)
    noises = [Latents(seed, str(k), 2).on(own.takes, own.takes) for k, own in enumerate(plan)]
    latents = Latents(seed, "latent", LATENTS).on(plan[0].takes, plan[0].takes)
    swift = Swift(generator, *WINDOW)
    films = []
    for spread, channels in zip(swift.spreads, SIZES[generator.size], strict=True):
        n = len(range(*spread.regions))
        films_of_regions = torch.from_numpy(rng.normal(0, 0.3, (n * n, 2 * channels)).astype(np.float32))
        spread.of(films_of_regions)
        films.append(torch.cat((spread.scale - 1, spread.shift), 2).permute(2, 0, 1)[None].clone())
    plain = generator(
        torch.from_numpy(latents)[None], [torch.from_numpy(n)[None] for n in noises], films, WINDOW, WINDOW
    )
    return plain[0, 0].numpy(), swift(latents, noises)


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
def test_it_is_the_generator_but_for_the_last_bits(size: str) -> None:
    torch.manual_seed(2)
    plain, swift = both(Generator(size).eval(), 4)
    assert plain.std() > 0.1
    assert np.abs(plain - swift).max() < 2e-5 * plain.std()


@pytest.mark.parametrize("size", SIZES)
@torch.inference_mode()
def test_no_sum_depends_on_where_in_an_array_a_pixel_lies(size: str) -> None:
    """All cells are told the same, which is full of digits: all pixels have to be the same to the bit."""
    torch.manual_seed(3)
    swift = Swift(Generator(size).eval(), *WINDOW)
    rng = np.random.default_rng(5)
    for spread, channels in zip(swift.spreads, SIZES[size], strict=True):
        n = len(range(*spread.regions))
        film = rng.normal(0.5, 0.3, 2 * channels).astype(np.float32)
        spread.of(torch.from_numpy(film).expand(n * n, -1))
    plan = needs(*WINDOW)
    sides = [own.takes[1] - own.takes[0] for own in plan]
    latents = np.broadcast_to(rng.normal(0, 1, (LATENTS, 1, 1)), (LATENTS, sides[0], sides[0]))
    noises = [np.broadcast_to(rng.normal(0, 1, (2, 1, 1)), (2, side, side)) for side in sides]
    heights = swift(latents.astype(np.float32), [noise.astype(np.float32) for noise in noises])
    assert np.isfinite(heights[0, 0])
    assert np.unique(heights).size == 1


def test_it_does_not_remember_what_it_computed_before() -> None:
    loom, other = (Weaver(small_generator(), LOOM_SEED) for _ in range(2))
    first = loom.pixels(3, 1, patchwork, patchwork)
    kept = first.copy()
    loom.pixels(-8, 5, patchwork, patchwork)
    assert np.array_equal(first, kept), "what it gave is not written to again"
    assert np.array_equal(loom.pixels(3, 1, patchwork, patchwork), kept)
    assert np.array_equal(other.pixels(3, 1, patchwork, patchwork), kept)


def test_odd_windows_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected even ends, .* got -3, 68"):
        Swift(small_generator(), -3, 68)


@pytest.mark.slow
def test_two_threads_do_not_write_into_one_anothers_arrays() -> None:
    """A worker that was given up for lost may still be weaving when the next one begins."""
    loom, alone = Weaver(small_generator(), LOOM_SEED), Weaver(small_generator(), LOOM_SEED)
    regions = [(i, 0) for i in range(8)]
    made: dict[tuple[int, int, int], F32] = {}

    def weave(thread: int) -> None:
        for rx, rz in regions:
            made[thread, rx, rz] = loom.pixels(rx, rz, patchwork, patchwork)

    threads = [threading.Thread(target=weave, args=(k,)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for rx, rz in regions:
        expected = alone.pixels(rx, rz, patchwork, patchwork)
        for k in range(3):
            assert np.array_equal(made[k, rx, rz], expected), (k, rx, rz)
    assert len(loom._idle) <= 3
