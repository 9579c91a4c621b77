"""Layers: the noises of ``lattice`` in single precision, and splines; equal to the bit where regions meet."""

import numpy as np
import numpy.typing as npt
import pytest

from worldloom.worldgen.lattice import fbm, key_of
from worldloom.worldgen.layers import Layer, Spline, layers, middle, octaves

F64 = npt.NDArray[np.float64]
KEY = key_of(5, "any")
FEW = [*octaves(300.0, KEY, 3), Layer(90.0, KEY ^ 7)]
MANY = [Layer(12.7, KEY), Layer(5.9, KEY ^ 1, 1), Layer(11.5, KEY ^ 2, 2)]


def places(region: int, count: int) -> F64:
    """Places of a region from edge to edge, metres."""
    return np.asarray(region * 256.0 + np.linspace(0.0, 256.0, count))


@pytest.mark.parametrize("count", [33, 129])
@pytest.mark.parametrize(("rx", "rz"), [(0, 0), (-40, 7), (32_766, -32_767)])
def test_octaves_are_those_of_fractal_noise(count: int, rx: int, rz: int) -> None:
    x, z = places(rx, count), places(rz, count)
    first, second, third = layers(x, z, octaves(46.0, KEY, 3))
    assert first.dtype == np.float32
    expected = fbm(x[None, :] / 46.0, z[:, None] / 46.0, KEY, 3)
    assert expected.std() > 0.2
    np.testing.assert_allclose(first + second / 2 + third / 4, expected, atol=3e-4)


@pytest.mark.parametrize(("which", "count"), [(FEW, 33), (MANY, 129)])
@pytest.mark.parametrize(("rx", "rz"), [(0, 0), (-1, -1), (811, -4077), (-32_767, 32_765)])
def test_neighbours_agree_to_the_bit_along_their_edge(
    which: list[Layer], count: int, rx: int, rz: int
) -> None:
    here, east, south = (
        layers(places(rx + dx, count), places(rz + dz, count), which) for dx, dz in ((0, 0), (1, 0), (0, 1))
    )
    assert here.shape == (len(which), count, count)
    assert here.std(axis=(1, 2)).min() > 0.05
    assert np.array_equal(here[:, :, -1], east[:, :, 0])
    assert np.array_equal(here[:, -1], south[:, 0])


def test_layers_do_not_depend_on_their_company() -> None:
    x, z = places(3, 20), places(-8, 20)
    together = layers(x, z, FEW)
    for layer, found in zip(FEW, together, strict=True):
        np.testing.assert_allclose(layers(x, z, [layer])[0], found, atol=1e-6)


def test_a_grid_of_too_many_cells_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a grid of at most 128 cells of a layer, got"):
        layers(places(0, 40), places(0, 40), [Layer(1.0, KEY, 1)])


@pytest.mark.parametrize(("per_node", "count", "first"), [(4, 128, 0.5), (8, 129, 0.0), (4, 129, 0.0)])
def test_a_spline_keeps_planes(per_node: int, count: int, first: float) -> None:
    spline = Spline(per_node, count, first)
    nodes = np.arange(spline.nodes) - 1.0
    plane = (3.0 * nodes[None, :] - 2.0 * nodes[:, None]).astype(np.float32)
    found, level = spline.of(np.stack((plane, np.ones_like(plane))))
    at = (np.arange(count) + first) / per_node
    np.testing.assert_allclose(found, 3.0 * at[None, :] - 2.0 * at[:, None], atol=1e-4)
    np.testing.assert_allclose(level, 1.0, atol=1e-6)


def test_splines_of_neighbours_agree_to_the_bit() -> None:
    spline = Spline(8, 129)
    far = np.random.default_rng(2).normal(size=(1, 60, 60)).astype(np.float32)
    n = spline.nodes
    here, east, south = (
        spline.of(far[:, dz : dz + n, dx : dx + n])[0] for dx, dz in ((0, 0), (16, 0), (0, 16))
    )
    assert np.array_equal(here[:, -1], east[:, 0])
    assert np.array_equal(here[-1], south[0])


def test_the_middle_of_a_quad_is_the_mean_of_its_corners() -> None:
    corners = np.array([[1.0, 2.0, 4.0], [3.0, 6.0, 8.0]], np.float32)
    assert middle(corners).tolist() == [[3.0, 5.0]]
