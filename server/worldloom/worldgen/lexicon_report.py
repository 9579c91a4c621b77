"""Lexicon report: landforms, measures and climate in plain words."""

from collections.abc import Mapping

from worldloom.worldgen.gan.landforms import Landform

__all__ = ["LANDFORM_WORDS", "climate_in_words", "landforms_in_words", "measures_in_words"]

LANDFORM_WORDS: Mapping[Landform, str] = {
    Landform.PLAIN: "flat or gently waved land",
    Landform.HILLS: "rolling hills",
    Landform.MOOR: "plateaus with dales",
    Landform.HIGHLAND: "highlands worn by ice",
    Landform.FJORD: "mountains in the sea",
    Landform.ALPINE: "high ridges and deep valleys",
    Landform.CANYON: "steep slopes cut by streams",
    Landform.BADLAND: "dry, gullied land",
    Landform.SIERRA: "limestone ranges",
    Landform.VOLCANO: "cones and craters",
}
_MEASURE_WORDS = {
    "steepness": ("gentler", "steeper"),
    "relief": ("lower", "higher"),
    "roughness": ("smoother", "rougher"),
    "hypsometry": ("more low ground", "more high ground"),
    "sharpness": ("rounder", "sharper"),
}
_CLIMATE_WORDS = {
    "warmth": ("cold", "cool", "mild", "warm", "hot"),
    "moisture": ("arid", "dry", "neither dry nor wet", "moist", "wet"),
    "woods": ("bare of trees", "few trees", "some trees", "wooded", "densely wooded"),
}
_SLIGHT, _STRONG = 0.4, 1.3
"""Standard deviations below which a shift is slight, and from which it is strong."""


def landforms_in_words(landforms: Mapping[Landform, float], *, percent: bool) -> str:
    """``75 % mountains in the sea, 25 % ...``, in the order given; without the numbers where ``percent`` is false."""
    return ", ".join(
        f"{weight:.0%} {LANDFORM_WORDS[kind]}".replace("%", " %", 1) if percent else LANDFORM_WORDS[kind]
        for kind, weight in landforms.items()
    )


def measures_in_words(measures: Mapping[str, float]) -> str:
    """``much steeper, a little lower, grand in scale``; empty where nothing is wished."""
    parts = []
    for name, (less, more) in _MEASURE_WORDS.items():
        shift = measures.get(name, 0.0)
        degree = "much " if abs(shift) >= _STRONG else "a little " if abs(shift) < _SLIGHT else ""
        if shift:
            parts.append(degree.replace("much more", "far more") + (more if shift > 0 else less))
    if "grandeur" in measures:
        scales = ("intimate in scale", "middling in scale", "grand in scale")
        parts.append(scales[min(int(measures["grandeur"] * 3), 2)])
    return ", ".join(parts)


def climate_in_words(climate: Mapping[str, float]) -> str:
    """``cool, wet, densely wooded``; of what is given alone."""
    return ", ".join(
        words[min(int((climate[name] + 1) * 2.5), 4)]
        for name, words in _CLIMATE_WORDS.items()
        if name in climate
    )
