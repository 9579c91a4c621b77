"""Prompts as people might write them, each with the landform that its writer had in mind.

The sixty plain ones were written before there was a lexicon to answer them, the forty oblique ones after it had been
written and before it was asked. The forty unseen ones came last: the lexicon was asked once and nothing was changed to
suit them, so that their share tells what to expect of a stranger's words.
"""

from worldloom.worldgen.gan.landforms import Landform

__all__ = ["OBLIQUE", "PROMPTS", "UNSEEN"]

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

OBLIQUE: dict[Landform, tuple[str, ...]] = {
    Landform.PLAIN: (
        "somewhere you can watch your dog run away for three days",
        "rice country by a slow brown river, water everywhere, no slopes at all",
        "the Hungarian puszta with wild horses",
        "a dried-out seabed, white and level to the edge of the sky",
    ),
    Landform.HILLS: (
        "the Windows XP wallpaper",
        "Sussex on a May morning, sheep and chalk paths",
        "soft folds of land with oak woods, ponds and old farmsteads",
        "bumpy but friendly, like a rumpled green blanket",
    ),
    Landform.MOOR: (
        "a bleak upland of purple heather where ponies graze among granite outcrops",
        "high flat top with steep-sided green valleys eaten into it",
        "Hound of the Baskervilles country",
        "blanket bog and gritstone edges like the Peak District",
    ),
    Landform.HIGHLAND: (
        "Glencoe on a rainy day",
        "smooth old mountains scraped by ice, with ribbon lakes",
        "bald fells, corries and a dark lake under each one",
        "where the Highlander film takes place",
    ),
    Landform.FJORD: (
        "sailing between mountains, deep dark water on both sides",
        "Pacific Northwest sounds, spruce islands in the rain",
        "a drowned mountain range, only its tops above the waves",
        "Viking village at the end of a long sea arm",
    ),
    Landform.ALPINE: (
        "somewhere a snow leopard would live, thin air and prayer flags",
        "Heidi's home, with waterfalls and big white teeth of rock all round",
        "spires of granite like Torres del Paine",
        "high mountains with lots of snow, difficult to cross",
    ),
    Landform.CANYON: (
        "river bends far below red cliffs",
        "deep narrow valleys with a monastery clinging to the walls",
        "Vietnamese rice paddies stacked up the mountainsides",
        "a tangle of steep jungle ridges with creeks at the bottom",
    ),
    Landform.BADLAND: (
        "a western movie set, dust and dry creek beds",
        "nothing grows here, the clay is scored by every rain",
        "Tatooine canyons and crumbling mesas",
        "a red alien desert with pits and gullies",
    ),
    Landform.SIERRA: (
        "white rock and pines above the Adriatic",
        "sun-baked grey ridges with goat paths and small chapels",
        "Provence hills smelling of lavender, pale cliffs",
        "long folded mountains, one behind the other, caves and springs",
    ),
    Landform.VOLCANO: (
        "an island that is one big smoking mountain",
        "the land where the dark lord forges his ring",
        "black sand, steam and a perfect cone",
        "Pompeii the day before",
    ),
}

UNSEEN: dict[Landform, tuple[str, ...]] = {
    Landform.PLAIN: (
        "flooded forest and slow channels, like the Okavango",
        "big fields, straight ditches, poplars and church towers on the horizon",
        "frozen emptiness, not a bump for miles",
        "grass as high as a man and not one hill",
    ),
    Landform.HILLS: (
        "orchards and hop gardens on low round hills",
        "a friendly green land of dips and rises with brooks",
        "Burgundy wine slopes",
        "grassy knolls under scattered oaks, like the Palouse",
    ),
    Landform.MOOR: (
        "open heath with bogs, cut by wooded cloughs",
        "a high wet table of peat, edges dropping into valleys",
        "Exmoor ponies and bracken",
        "a plateau with a village in each dale",
    ),
    Landform.HIGHLAND: (
        "Cairngorms in winter",
        "broad glacial troughs between round-shouldered hills",
        "tarn-dotted fells with becks tumbling down",
        "a brooding loch below heathery bens",
    ),
    Landform.FJORD: (
        "steep islands scattered in a cold sea",
        "a coast torn to pieces by ice, hundreds of inlets",
        "Geirangerfjord with waterfalls",
        "cliffs, coves, puffins and a lighthouse",
    ),
    Landform.ALPINE: (
        "the Matterhorn",
        "a wall of ice and rock, avalanches, base camp",
        "chamois country above the tree line",
        "sharp snowy crests, hanging glaciers, deep dark valleys",
    ),
    Landform.CANYON: (
        "a river that has cut a mile down into red rock",
        "hills so steep that every field is a terrace",
        "Kyoto's mountains, cedar forest and shrines",
        "deep wooded ravines one after another",
    ),
    Landform.BADLAND: (
        "bare clay hills, furrowed by rain",
        "dried-up country of gulches and buttes, good for outlaws",
        "Cappadocia",
        "lifeless brown slopes with a thousand rills",
    ),
    Landform.SIERRA: (
        "dry stone walls, almonds and grey crags in Mallorca",
        "bare white mountains behind Dubrovnik",
        "limestone peaks with caves, monasteries and shepherds",
        "pine-clad ridges above a Mediterranean valley",
    ),
    Landform.VOLCANO: (
        "Etna in eruption",
        "a perfectly round crater filled with blue water",
        "black desert of lava with steaming cracks",
        "the lonely fire mountain",
    ),
}
