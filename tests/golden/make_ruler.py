"""Writes ruler.json: what the implementation that the ruler's definitions come from says of two sets of patches.

That one is a single file over NumPy and SciPy, of which neither it nor SciPy is a part of this project; the values stay
as they are for as long as the definitions do. Where it is at hand: python tests/golden/make_ruler.py FILE
"""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
SPACING_M = 90.0
COUNT, SIDE, TILE = 100, 48, 12
FEATURES_OF = 3
"""Patches whose features are written down."""


def sheets(seed, steepest):
    """Brownian sheets ``[COUNT, SIDE, SIDE]`` of whole quarter metres, every other one folded into valleys."""
    steps = np.random.default_rng(seed).integers(-steepest, steepest + 1, (COUNT, SIDE, SIDE))
    land = steps.cumsum(1).cumsum(2)
    land[::2] = np.abs(land[::2])
    return (land * 0.25).astype(np.float32)


def sets():
    """What is compared, and the reference."""
    return sheets(1, 9), sheets(2, 6)


def judged(judge):
    land, reference = sets()
    near, base = judge.nearest(land, reference), judge.nearest(reference[:50], reference[50:])
    forth, back = judge.compare(land, reference, SPACING_M), judge.compare(reference, land, SPACING_M)
    return {
        "made_by": "python tests/golden/make_ruler.py FILE",
        "compare": forth,
        "compare_back": back,
        "index": judge.index(forth, back),
        "features": judge.features(land, SPACING_M)[:FEATURES_OF].tolist(),
        "drainage": [measure[:20].tolist() for measure in judge.drainage(land)],
        "nearest": near[:20].tolist(),
        "copy_check": judge.copy_check(land, reference, base),
        "seam_test": judge.seam_test(land[0].astype(np.float64), TILE),
    }


def main(path):
    spec = importlib.util.spec_from_file_location("judge", path)
    judge = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(judge)
    (HERE / "ruler.json").write_text(json.dumps(judged(judge), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
