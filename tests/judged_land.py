"""Land that a judge can learn from: tiles of three landforms that differ as plains, hills and mountains do."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from worldloom.worldgen.gan.dataset import DemTile

F32 = npt.NDArray[np.float32]

SPACING_M = 90.0
# Description, exponent of the amplitudes, height in metres, whether it is folded into ridges.
KINDS = (
    ("flat glacial plain", -2.4, 12.0, False),
    ("rolling hills", -2.1, 120.0, False),
    ("alpine valleys", -1.8, 700.0, True),
)


def piece(kind: int, seed: int, rows: int = 2, columns: int = 2) -> F32:
    """``[128 rows, 128 columns]`` metres of one of ``KINDS``."""
    _, exponent, height, folded = KINDS[kind]
    shape = (128 * rows, 128 * columns)
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1]))
    frequency[0, 0] = np.inf
    waves = np.fft.rfft2(np.random.default_rng((kind, seed)).standard_normal(shape))
    z = np.fft.irfft2(waves * frequency**exponent, s=shape)
    z = z / z.std() * height
    return (np.abs(z) if folded else z + 3 * height).astype(np.float32)


def tile(kind: int, seed: int, rows: int = 2, columns: int = 2) -> DemTile:
    z = piece(kind, seed, rows, columns)
    return DemTile(f"{kind} {seed}", KINDS[kind][0], SPACING_M, z, np.zeros(z.shape, np.uint8))


def write_tiles(folder: Path, kinds: tuple[int, ...] = (0, 1, 2), each: int = 2) -> Path:
    """A folder of them, as ``load_tiles`` reads it."""
    folder.mkdir()
    for made in (tile(kind, seed) for kind in kinds for seed in range(each)):
        np.savez(
            folder / f"{made.name}.npz",
            z=np.round(made.heights / 0.1).astype(np.int16),
            scale=0.1,
            offset=0.0,
            mask=made.mask,
            spacing_m=SPACING_M,
            landform=made.description,
        )
    return folder
