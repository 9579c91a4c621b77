"""Paint the land of a world that people have walked: ``python tools/paint_walked_world.py DATA -o world.png``.

Reads the stored tiles of a SQLite world (made by ``worldloom serve``), so it shows what was woven for somebody, and
nothing else; what nobody has been near stays dark.
"""

import argparse
from pathlib import Path

from PIL import Image
from sqlalchemy import create_engine, select

from worldloom.persistence.tables import content, tile
from worldloom.worldgen.picture import paint_tiles
from worldloom_sdk.protocol.tiles import decode_tile


def main() -> None:
    """Read, paint, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the world's data folder")
    parser.add_argument("-o", "--output", type=Path, default=Path("world.png"))
    parser.add_argument("--width", type=int, default=1280, help="pixels")
    options = parser.parse_args()
    engine = create_engine(f"sqlite:///{options.data / 'world.db'}")
    with engine.connect() as connection:
        found = connection.execute(select(content.c.data).join(tile, tile.c.sha256 == content.c.sha256))
        tiles = [decode_tile(row.data) for row in found]
    painted = paint_tiles(tiles)
    height = round(options.width * painted.height / painted.width)
    painted.resize((options.width, height), Image.Resampling.LANCZOS).save(options.output, optimize=True)


if __name__ == "__main__":
    main()
