"""Training data: tiles are read and refused clearly, windows are dry, landforms are told by descriptions."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from worldloom.errors import ConfigError
from worldloom.worldgen.gan import dataset
from worldloom.worldgen.gan.conditions import CONDITIONS_N, FREE_N, MEASURES, WINDOW
from worldloom.worldgen.gan.dataset import DemTile, cut, load_tiles, patches, table_of
from worldloom.worldgen.gan.landforms import Landform, landform_of

SIDE = 300


def land(seed: int = 1, side: int = SIDE) -> npt.NDArray[np.int16]:
    walk = np.random.default_rng(seed).normal(size=(side, side)).cumsum(0).cumsum(1)
    return np.asarray(200 * walk / np.abs(walk).max() * 10, np.int16)


def write(folder: Path, name: str = "here", **changed: Any) -> Path:
    """A tile of half land and half sea, with changes."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[:, 200:] = 2
    fields: dict[str, Any] = {
        "z": land(),
        "scale": np.float32(0.1),
        "offset": np.float32(50.0),
        "mask": mask,
        "spacing_m": np.float64(30.0),
        "name": name,
        "landform": "alpine valleys + ridges",
    } | changed
    path = folder / f"{name}.npz"
    np.savez_compressed(path, **{key: value for key, value in fields.items() if value is not None})
    return path


def tile(mask: npt.NDArray[np.uint8], name: str = "here", spacing_m: float = 30.0) -> DemTile:
    heights = land(side=len(mask)).astype(np.float32) / 10
    return DemTile(name, "rolling hills", spacing_m, heights, mask)


def refused(folder: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load_tiles(folder)
    return str(caught.value)


def test_tiles_are_read_by_name_in_metres(tmp_path: Path) -> None:
    write(tmp_path, "b")
    write(tmp_path, "a", landform=None, spacing_m=np.float64(90))
    (tmp_path / "SOURCES.md").write_text("no tile")
    first, second = load_tiles(tmp_path)
    assert [(one.name, one.description, one.spacing_m) for one in (first, second)] == [
        ("a", "", 90.0),
        ("b", "alpine valleys + ridges", 30.0),
    ]
    np.testing.assert_allclose(second.heights, land() * 0.1 + 50.0, atol=1e-3)
    assert second.heights.dtype == np.float32
    assert (second.mask[:, 200:] == 2).all()


def test_some_tiles_can_be_left_out_or_alone_be_read(tmp_path: Path) -> None:
    for name in "abc":
        write(tmp_path, name)
    assert [one.name for one in load_tiles(tmp_path, without=("b",))] == ["a", "c"]
    assert [one.name for one in load_tiles(tmp_path, only=("b",))] == ["b"]
    with pytest.raises(ConfigError, match=r"expected elevation tiles \(\*\.npz\), got none"):
        load_tiles(tmp_path, without="abc")


def test_a_folder_without_tiles_is_named(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        assert refused(folder) == f"{folder}: expected elevation tiles (*.npz), got none"


@pytest.mark.parametrize("missing", ["z", "scale", "offset", "mask", "spacing_m"])
def test_a_tile_without_one_of_its_parts_is_refused_by_name(tmp_path: Path, missing: str) -> None:
    path = write(tmp_path, **{missing: None})
    told = refused(tmp_path)
    assert told.startswith(
        f"{path}: expected an elevation tile with z, scale, offset, mask and spacing_m; got: "
    )
    assert missing in told


@pytest.mark.parametrize(
    "changed",
    [
        {"z": np.zeros((4, 4, 4), np.int16)},
        {"z": np.zeros(16, np.int16)},
        {"mask": np.zeros((SIDE, SIDE - 1), np.uint8)},
        {"spacing_m": np.float64(0)},
        {"spacing_m": np.float64("nan")},
        {"spacing_m": np.zeros(3)},
        {"scale": np.float32("nan")},
        {"offset": np.float32("inf")},
        {"scale": "a"},
    ],
    ids=str,
)
def test_a_tile_with_a_wrong_part_is_refused(tmp_path: Path, changed: dict[str, Any]) -> None:
    path = write(tmp_path, **changed)
    told = refused(tmp_path)
    assert told.startswith(f"{path}: expected ")
    assert "got" in told


def test_a_tile_of_too_many_pixels_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "MAX_TILE_PIXELS", SIDE * SIDE - 1)
    write(tmp_path)
    assert f"at most {SIDE * SIDE - 1} pixels, got ({SIDE}, {SIDE})" in refused(tmp_path)


class Bomb:
    """Whose unpickling makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_a_file_that_is_no_tile_is_refused_and_no_code_of_it_runs(tmp_path: Path) -> None:
    good = write(tmp_path).read_bytes()
    path, ran = tmp_path / "here.npz", tmp_path / "it ran"
    np.save(tmp_path / "array.npy", np.zeros((4, 4)))
    damaged = bytearray(good)
    damaged[len(good) // 3] ^= 255
    for data in (
        b"",
        b"no tile",
        good[: len(good) // 2],
        bytes(damaged),
        pickle.dumps(Bomb(ran)),
        (tmp_path / "array.npy").read_bytes(),
    ):
        path.write_bytes(data)
        assert refused(tmp_path).startswith(f"{path}: expected an elevation tile"), data[:20]
    write(tmp_path, z=np.array([Bomb(ran)], object))
    assert refused(tmp_path).startswith(f"{path}: expected")
    assert not ran.exists()


def test_windows_lie_on_dry_land_and_bring_their_conditions() -> None:
    mask = np.zeros((400, 400), np.uint8)
    mask[:, 220:] = 2
    mask[300:, :] = 3
    mask[:3, :50] = 1
    done: list[tuple[int, int]] = []
    windows = cut([tile(mask)], 60, 1, on_window=lambda now, total: done.append((now, total)))
    assert (len(windows), done[-1], len(done)) == (60, (60, 60), 60)
    for k in range(60):
        at = np.s_[windows.row[k] : windows.row[k] + WINDOW, windows.column[k] : windows.column[k] + WINDOW]
        part = mask[at]
        assert part.shape == (WINDOW, WINDOW)
        # A tenth of the somewhat larger square within which windows are moved may be wet.
        assert (part == 0).mean() >= 0.88
        assert windows.heights(k).shape == (WINDOW, WINDOW)
    first = windows.heights(0).astype(np.float64)
    assert windows.conditions[0, MEASURES.index("relief")] == pytest.approx(np.log(np.ptp(first)), abs=1e-4)
    assert windows.conditions[0, len(MEASURES) + Landform.HILLS] == 1
    assert len({(int(r), int(c)) for r, c in zip(windows.row, windows.column, strict=True)}) > 50


def test_windows_of_one_seed_are_the_same_and_small_tiles_have_their_share() -> None:
    large, small = tile(np.zeros((400, 400), np.uint8), "a"), tile(np.zeros((200, 200), np.uint8), "b")
    one, two = (cut([large, small], 100, 1) for _ in range(2))
    other = cut([large, small], 10, 2)
    assert np.array_equal(one.conditions, two.conditions)
    assert not np.array_equal(one.row[:10], other.row)
    # 34 x 34 places to 9 x 9: by the square root some four to one.
    assert 0.10 < (one.which == 1).mean() < 0.32


def test_smaller_windows_are_cut_and_measured_as_they_are() -> None:
    windows = cut([tile(np.zeros((200, 200), np.uint8))], 20, 1, 64)
    assert windows.side == 64
    for k in range(20):
        land = windows.heights(k).astype(np.float64)
        assert land.shape == (64, 64)
        assert windows.conditions[k, MEASURES.index("relief")] == pytest.approx(
            np.log(np.ptp(land)), abs=1e-4
        )


def test_land_without_room_for_a_window_is_refused() -> None:
    wet, little = np.full((400, 400), 2, np.uint8), np.zeros((WINDOW, WINDOW), np.uint8)
    with pytest.raises(ConfigError, match="expected a tile with 128 x 128 pixels of dry land, got none"):
        cut([tile(wet), tile(little)], 10, 1)


def test_patches_are_all_dry_ones_on_a_grid_in_metres() -> None:
    mask = np.zeros((256, 384), np.uint8)
    mask[:128, 128:256] = 2
    mask[128:, :6] = 1
    heights = np.arange(256 * 384, dtype=np.float32).reshape(256, 384)
    found = patches(DemTile("a", "", 30.0, heights, mask), 128, 128)
    # One is sea, one has a void of more than a fiftieth.
    assert [float(patch[0, 0]) for patch in found] == [0.0, 256.0, 128 * 384 + 128.0, 128 * 384 + 256.0]
    assert patches(DemTile("a", "", 30.0, heights, np.full_like(mask, 2)), 128, 128).shape == (0, 128, 128)


def test_a_table_has_each_tile_as_often_as_there_is_land_in_it() -> None:
    large, small = (tile(np.zeros((side, side), np.uint8), spacing_m=s) for side, s in ((400, 30), (150, 90)))
    table = table_of([large, small])
    assert table.shape == (9 + 1, CONDITIONS_N)
    assert list(table[:, MEASURES.index("grandeur")]) == [0.0] * 9 + [1.0]
    assert (table[:, len(MEASURES) + Landform.HILLS] == 1).all()
    free = table[:, -FREE_N:]
    assert 0.7 < float(free.std()) < 1.3, "normal, one draw for each window"
    assert len(np.unique(free)) == free.size
    np.testing.assert_array_equal(free, table_of([large, small])[:, -FREE_N:])


DESCRIPTIONS = {
    "steep fluvial canyons (San Gabriel Mts)": Landform.CANYON,
    "alpine valleys + ridges (Davos, Graubunden)": Landform.ALPINE,
    "tropical mountain island + coast (Mindoro)": Landform.FJORD,
    "tropical islands + coast (Marinduque, S Luzon)": Landform.FJORD,
    "volcanic peninsula + delta + bay (Bataan, Manila)": Landform.VOLCANO,
    "caldera lake + volcanoes (Taal, Laguna, Banahaw)": Landform.VOLCANO,
    "semi-arid coastal range (Almeria)": Landform.SIERRA,
    "steep coastal range (Alpujarra, S Sierra Nevada)": Landform.SIERRA,
    "coastal hills + karst sierras (Malaga)": Landform.SIERRA,
    "semi-arid basin badlands + sierras (Baza, Tabernas N)": Landform.BADLAND,
    "alpine massif + intramontane basin (Sierra Nevada, Granada)": Landform.SIERRA,
    "olive-country hills + limestone sierras (Subbetica)": Landform.SIERRA,
    "volcanic coast + limestone mountains (Vesuvius, Campi Flegrei, Amalfi)": Landform.VOLCANO,
    "coastal plain + volcanic hills (Rome, Alban Hills)": Landform.VOLCANO,
    "rolling hills + coast (S Tuscany, Amiata)": Landform.HILLS,
    "intramontane valleys + Apennines (Umbria)": Landform.SIERRA,
    "high alpine + glaciers + lakes (central Swiss Alps)": Landform.ALPINE,
    "glacial plain + moraine hills (Belarus, Minsk)": Landform.PLAIN,
    "flat glacial plain + rivers (Belarus)": Landform.PLAIN,
    "moorland plateau + plain (Peak District)": Landform.MOOR,
    "lowland plain + moor edge (Lancashire, Cheshire)": Landform.PLAIN,
    "glaciated uplands + coast (Snowdonia)": Landform.HIGHLAND,
    "dales + vale (Yorkshire Dales, York)": Landform.MOOR,
    "glaciated lake mountains (Lake District, Howgills)": Landform.HIGHLAND,
    "rolling uplands + coast (Galloway, Solway)": Landform.HILLS,
    "rolling uplands + firth coast (Ayrshire, Clyde, Arran)": Landform.HILLS,
    "islands + peninsulas (Islay, Jura, Kintyre)": Landform.FJORD,
    "glaciated highlands + lochs (central Highlands)": Landform.HIGHLAND,
    "glaciated highlands + fjord coast (Mull, Glencoe)": Landform.FJORD,
    "very high arid mountains (Aconcagua, central Andes)": Landform.ALPINE,
    "stratovolcano with crater (Mount St Helens)": Landform.VOLCANO,
    "lava plain + butte (Snake River Plain)": Landform.PLAIN,
    "shield volcanoes (Hawaii island, Mauna Kea)": Landform.VOLCANO,
    "basin-and-range mountains (Lost River Range)": Landform.ALPINE,
}


def test_every_training_tile_is_of_the_landform_that_its_description_says() -> None:
    found = {description: landform_of(description) for description in DESCRIPTIONS}
    assert found == DESCRIPTIONS
    assert set(found.values()) == set(Landform)


def test_what_no_word_tells_is_hills_and_case_does_not_matter() -> None:
    assert landform_of("") == landform_of("some place") == Landform.HILLS
    assert landform_of("STEEP CANYONS") == Landform.CANYON


def test_a_tile_that_is_to_be_held_out_and_is_not_there_is_told_by_name(tmp_path: Path) -> None:
    write(tmp_path, "valley")
    with pytest.raises(ConfigError, match="expected a tile called valey; got none of that name"):
        load_tiles(tmp_path, without=("valey",))
