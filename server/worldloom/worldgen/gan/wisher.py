"""The wisher: words of whoever claims land that nobody has seen, as the style by which it will be woven. No torch."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from worldloom.errors import Refusal
from worldloom.ports import StyleRow
from worldloom.worldgen.gan.file import SHIPPED, read_file
from worldloom.worldgen.gan.provinces import Provinces
from worldloom.worldgen.gan.wish import Wish
from worldloom.worldgen.lexicon import PromptRejected, understand
from worldloom_sdk.protocol.messages import RefusalCode

__all__ = ["WORDS_MAX", "Wisher", "of_file"]

WORDS_MAX = 500
"""Characters."""


class Wisher:
    """``ports.Wisher`` of a trained model.

    Args:
        seed: Of the world.
        table: ``[n, CONDITIONS_N]`` conditions of real windows.
    """

    def __init__(self, seed: int, table: npt.NDArray[np.float32]) -> None:
        self._seed, self._table, self._provinces = seed, table, Provinces(seed, table)

    def wish(self, words: str, rx: int, rz: int) -> StyleRow:
        """What a region is to be like by these words; all else as it would be without.

        Raises:
            Refusal: INVALID, no word of them says anything about land, or they are too long.
        """
        if len(words) > WORDS_MAX:
            raise Refusal(
                RefusalCode.INVALID, f"expected at most {WORDS_MAX} characters for land, got {len(words)}"
            )
        try:
            reading = understand(words)
        except PromptRejected as error:
            raise Refusal(RefusalCode.INVALID, str(error)) from None
        if not reading.understood:
            raise Refusal(
                RefusalCode.INVALID,
                "expected words for land, got none that is known",
                hint='say it like "a misty fjord with steep walls"',
            )
        style = Wish(reading, self._provinces, self._table, self._seed).style(rx, rz)
        return StyleRow(rx, rz, style.key, words)


def of_file(seed: int, weights: str = "") -> Wisher:
    """The wisher of a file's model, or of the one that comes with Worldloom."""
    return Wisher(seed, read_file(Path(weights) if weights else SHIPPED).table)
