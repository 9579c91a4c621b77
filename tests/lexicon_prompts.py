"""Sixty prompts as people might write them, each with the landform that its writer had in mind.

Written before there was a lexicon to answer them, and not changed since to suit it.
"""

from worldloom.worldgen.gan.landforms import Landform

__all__ = ["PROMPTS"]

PROMPTS: dict[Landform, tuple[str, ...]] = {
    Landform.PLAIN: (
        "endless steppe under a big sky",
        "flat farmland in the Netherlands with canals and dykes",
        "a wide river delta with reed beds and mudflats",
        "wheat fields in Kansas as far as the eye can see",
        "golden savanna like the Serengeti, a few acacias",
        "tundra, completely level and boggy, thousands of ponds",
    ),
    Landform.HILLS: (
        "gentle green downs with hedgerows",
        "the Shire, cosy and green",
        "rolling vineyards in Tuscany at sunset",
        "low wooded hills with meadows between them",
        "English countryside, soft slopes, little streams and sheep pastures",
        "undulating farm country, nothing steep",
    ),
    Landform.MOOR: (
        "moor with tors",
        "windswept heath on a high plateau, cut by green dales",
        "Yorkshire dales with stone walls",
        "Dartmoor in the fog",
        "a tableland of heather and peat bogs with deep little valleys",
        "wuthering heights",
    ),
    Landform.HIGHLAND: (
        "Scottish Highlands, dark lochs and bare rounded mountains",
        "Lake District in autumn",
        "a long glen with a lake at the bottom, smoothed by glaciers",
        "Snowdonia: cwms, tarns and sheep",
        "old worn mountains, broad U-shaped valleys",
        "Lapland fells with reindeer",
    ),
    Landform.FJORD: (
        "a misty fjord with steep walls",
        "archipelago of wooded islands",
        "Norwegian coast where mountains fall straight into the sea",
        "narrow inlets and sea cliffs, a drowned mountain coast",
        "Lofoten in winter",
        "small rocky islands, sounds and bays, seals on the skerries",
    ),
    Landform.ALPINE: (
        "jagged peaks with glaciers",
        "K2 and its neighbours",
        "huge snow-capped mountains with deep valleys",
        "like Switzerland, with high passes and alpine meadows",
        "the roof of the world, knife-edge ridges, no trees",
        "towering snowy summits above a pine forest",
    ),
    Landform.CANYON: (
        "slot canyons",
        "a deep gorge carved by a river",
        "Grand Canyon but smaller",
        "rice terraces on steep hills",
        "a maze of ravines with jungle on the slopes",
        "steep forested slopes everywhere, streams in V-shaped valleys",
    ),
    Landform.BADLAND: (
        "cratered dry hills cut by gullies",
        "badlands of South Dakota, striped clay",
        "the Loess Plateau, eroded to pieces",
        "Death Valley: barren, gullied, scorched",
        "arid wasteland with dry washes and crumbling hoodoos",
        "surface of Mars",
    ),
    Landform.SIERRA: (
        "limestone ridges above olive groves",
        "Karst mountains with sinkholes",
        "the Apennines, stony ridges with valleys between",
        "a sierra in Andalusia, white villages, dry scrub",
        "long parallel limestone ranges",
        "Greek mountains with goats and thyme",
    ),
    Landform.VOLCANO: (
        "a cinder cone in a black lava field",
        "Mordor",
        "Mount Fuji",
        "Hawaii with a shield volcano and jungle",
        "a huge crater with a lake in it, smoke rising",
        "ash slopes and old lava flows around a caldera",
    ),
}
