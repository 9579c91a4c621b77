"""``worldloom worldgen style``: the operator says by words what land is to be like where nobody has been yet."""

import argparse
import asyncio
from pathlib import Path

from worldloom.app.clock import unix_ms
from worldloom.cli.settings import add_config_option, add_data_option, config_of
from worldloom.cli.worldgen_land import read_place, read_size, regions_of
from worldloom.errors import ConfigError
from worldloom.persistence.store import open_beside
from worldloom.ports import StyleRow, Tx, WorldRow
from worldloom.realm.counts import counted
from worldloom.services import styles
from worldloom.worldgen.sources import check_model

__all__ = ["add_to"]


def add_to(jobs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``style`` and its options."""
    job = jobs.add_parser(
        "style",
        help="say by words what land is to be like where nobody has been yet",
        description="Say by words what the trained generator is to weave in a part of the world. Where land is settled "
        "already nothing changes: what was seen stays. Works beside a running server. With --try nothing is "
        "stored, and you are told what was understood.",
    )
    job.add_argument("words", metavar="WORDS", help='like "a misty fjord with steep walls"')
    add_config_option(job)
    add_data_option(job)
    job.add_argument(
        "--around", type=read_place, default=(0.0, 0.0), metavar="X,Z", help="middle, metres (default: 0,0)"
    )
    job.add_argument(
        "--regions", type=read_size, default=(4, 4), metavar="WxD", help="regions of 256 m (default: 4x4)"
    )
    job.add_argument(
        "--weights", type=Path, metavar="FILE", help="another model than the world's (worldgen.weights)"
    )
    job.add_argument("--try", dest="trial", action="store_true", help="only say what was understood")
    job.set_defaults(alone=_run)


def _run(args: argparse.Namespace) -> int:
    from worldloom.worldgen.lexicon import understand

    reading = understand(args.words)
    if not reading.understood:
        unknown = f": {', '.join(reading.ignored)}" if reading.ignored else ""
        raise ConfigError(
            f"expected words for land, got none that is known{unknown}. docs/worldgen-words.md tells which are"
        )
    if args.trial:
        print(reading.describe())
        return 0
    config = config_of(args)
    regions = regions_of(args.around, *args.regions)
    weights = args.weights or (Path(config.worldgen.weights) if config.worldgen.weights else None)
    check_model(weights, ("safetensors",))
    stored = asyncio.run(_store(config.storage_url, args.words, regions, weights))
    print(reading.describe())
    kept = len(regions) - stored
    print(
        f"{counted(stored, 'region')} will be woven so"
        + (f"; {kept} settled already, left as before" if kept else "")
    )
    return 0 if stored else 1


async def _store(url: str, words: str, regions: list[tuple[int, int]], weights: Path | None) -> int:
    from worldloom.worldgen.gan.file import SHIPPED, read_file
    from worldloom.worldgen.gan.provinces import Provinces
    from worldloom.worldgen.gan.wish import Wish
    from worldloom.worldgen.lexicon import understand

    store = open_beside(url)
    try:
        world = await store.read(_world, None)
        if world is None:
            raise ConfigError("expected a world in the database, got none. Start it once")
        table = read_file(weights or SHIPPED).table
        wish = Wish(understand(words), Provinces(world.seed, table), table, world.seed)
        rows = [StyleRow(rx, rz, wish.style(rx, rz).key, words) for rx, rz in regions]
        return len(await store.run(styles.choose, styles.ChooseStyles(rows, unix_ms())))
    finally:
        await store.close()


def _world(tx: Tx, _: None) -> WorldRow | None:
    return tx.world()
