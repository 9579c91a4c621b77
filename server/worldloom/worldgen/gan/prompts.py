"""Prompts: whether land that is woven by a person's words is what they say. The judge decides, not the lexicon.

Each prompt is read by the lexicon, its wish is granted as in a world, a piece is woven far from the gentle middle of
it, every prompt at a place of its own, and the piece's patches are judged together.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from worldloom.errors import ConfigError, TerrainRejected
from worldloom.worldgen.gan.evaluation import cut_mosaic
from worldloom.worldgen.gan.judge import Judge, traits
from worldloom.worldgen.gan.landforms import Landform
from worldloom.worldgen.gan.plane import StyleOf, draw
from worldloom.worldgen.gan.source import GanSource
from worldloom.worldgen.gan.tables import as_table
from worldloom.worldgen.gan.wish import Wish
from worldloom.worldgen.lexicon import MAX_TEXT, understand

__all__ = ["MAX_PROMPTS", "Prompt", "Verdict", "as_text", "check", "judged", "piece", "read_prompts", "woven"]

F32 = npt.NDArray[np.float32]

MAX_PROMPTS = 1_000
SIDE = 8
"""Regions along a side of a piece: four patches, and two squares that are like one window each."""
REGIONS_N = SIDE * SIDE
_FAR = 400
"""Regions from the middle of the world; a multiple of four, as the squares that are alike lie."""
_APART = 16
_MAX_BYTES = 1_000_000
_KEYS = {"prompt", "landform"}


@dataclass(frozen=True, slots=True)
class Prompt:
    """Words, and what who wrote them had in mind."""

    text: str
    landform: Landform


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a prompt."""

    prompt: Prompt
    understood: Landform | None
    """The landform that weighs most in the lexicon's reading; None where it says nothing of the form."""
    first: Landform
    """What the judge says of the land."""
    second: Landform
    """What it would say if it were not that."""

    @property
    def right(self) -> str:
        """``yes``; ``second`` where the judge would have said so next; ``no``."""
        if self.prompt.landform is self.first:
            return "yes"
        return "second" if self.prompt.landform is self.second else "no"


def read_prompts(path: Path) -> list[Prompt]:
    """Read a file: a JSON list of ``{"prompt": TEXT, "landform": NAME}``.

    Raises:
        ConfigError: It is none.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{path}: expected at most {_MAX_BYTES} bytes, got {path.stat().st_size}")
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: expected a file of prompts; got: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: expected prompts in JSON; got: {error}") from None
    if not isinstance(found, list) or not 1 <= len(found) <= MAX_PROMPTS:
        got = f"{len(found)} of them" if isinstance(found, list) else type(found).__name__
        raise ConfigError(f"{path}: expected a list of 1 to {MAX_PROMPTS} prompts, got {got}")
    return [_prompt(entry, f"{path}, prompt {number}") for number, entry in enumerate(found, 1)]


def _prompt(entry: object, where: str) -> Prompt:
    if not isinstance(entry, dict) or entry.keys() != _KEYS:
        raise ConfigError(
            f'{where}: expected {{"prompt": ..., "landform": ...}}, got {json.dumps(entry):.80}'
        )
    text, name = entry["prompt"], entry["landform"]
    if not isinstance(text, str) or not text.strip() or len(text) > MAX_TEXT:
        raise ConfigError(f"{where}: expected a prompt of 1 to {MAX_TEXT} characters, got {text!r:.80}")
    if not isinstance(name, str) or name not in Landform.__members__:
        raise ConfigError(
            f"{where}: expected a landform of {', '.join(Landform.__members__)}; got {name!r:.80}"
        )
    return Prompt(text, Landform[name])


def check(prompts: Sequence[Prompt], judge: Judge) -> None:
    """Say before minutes of work that the judge does not know what is asked for.

    Raises:
        ConfigError: There is such a landform.
    """
    if strange := sorted({prompt.landform for prompt in prompts} - judge.landforms):
        names = ", ".join(kind.name.lower() for kind in strange)
        raise ConfigError(f"expected elevation tiles of every landform of the prompts, got none of: {names}")


def woven(
    source: GanSource,
    seed: int,
    text: str,
    place: int,
    side: int = SIDE,
    on_region: Callable[[], None] = lambda: None,
) -> F32:
    """The patches ``[n, PATCH, PATCH]`` of a piece by words, in pixels.

    Args:
        source: Model and seed.
        seed: The same.
        text: The words.
        place: Number of the piece; every one lies elsewhere.
        side: Regions along a side; two by two of them are a patch.
        on_region: Called after each.
    """
    wish = Wish(understand(text), source.provinces, source.model.table, seed)
    return piece(source, wish.style, place, side, on_region)


def piece(
    source: GanSource,
    chosen: StyleOf,
    place: int,
    side: int = SIDE,
    on_region: Callable[[], None] = lambda: None,
) -> F32:
    """The patches ``[n, PATCH, PATCH]`` of a piece of chosen styles, in pixels; arguments as in ``woven``.

    Raises:
        TerrainRejected: The generator makes what is no land.
    """
    origin = _FAR + _APART * place, _FAR
    found = draw(source, origin, (side, side), 1.0, chosen, heights=False, on_region=on_region)
    if not np.isfinite(found.pixels_m).all():
        raise TerrainRejected("expected finite heights of the generator, got others")
    return cut_mosaic(found.pixels_m)


def judged(judge: Judge, prompt: Prompt, land: F32) -> Verdict:
    """What becomes of a prompt.

    Args:
        judge: Learned from real land.
        prompt: The prompt.
        land: ``[n, PATCH, PATCH]`` that was woven by it, in pixels.
    """
    likely = judge.shares(traits(land, 1.0)).sum(0)
    first, second = sorted(judge.landforms, key=lambda kind: (-likely[kind], kind))[:2]
    return Verdict(prompt, next(iter(understand(prompt.text).landforms), None), first, second)


def as_text(verdicts: Sequence[Verdict]) -> str:
    """A table of all prompts, and the shares that are right."""
    cells = [["prompt", "wanted", "understood", "judged as", "or", "right"]]
    for one in verdicts:
        understood = "-" if one.understood is None else one.understood.name.lower()
        kinds = (one.prompt.landform, one.first, one.second)
        wanted, first, second = (kind.name.lower() for kind in kinds)
        cells.append(
            [
                " ".join(one.prompt.text.replace("|", "/").split()),
                wanted,
                understood,
                first,
                second,
                one.right,
            ]
        )
    count = len(verdicts)
    sums = (
        ("the lexicon understands what was wanted", sum(v.understood is v.prompt.landform for v in verdicts)),
        ("the land is judged to be what was wanted", sum(v.right == "yes" for v in verdicts)),
        ("it is one of the judge's first two", sum(v.right != "no" for v in verdicts)),
        ("the land is judged to be what was understood", sum(v.first is v.understood for v in verdicts)),
    )
    said = [f"{name}: {right} of {count}, {right / count:.0%}" for name, right in sums]
    return "\n".join((as_table(cells, range(len(cells[0]))), "", *said))
