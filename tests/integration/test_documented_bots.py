"""The documents' programs: every block of Python in the README and the guide to bots runs as it is printed."""

import logging
import re
from pathlib import Path

import pytest

import worldloom_sdk
from worldloom_sdk import Bot, Spoke
from worldloom_sdk.testing import World

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(name):
    return BLOCK.findall((ROOT / name).read_text(encoding="utf-8"))


def programs(*needles):
    """Blocks of Python with all of the words in them, by where they are printed."""
    return [
        pytest.param(block, id=f"{name}-{number}")
        for name in ("README.md", "docs/bots.md")
        for number, block in enumerate(blocks(name))
        if all(needle in block for needle in needles)
    ]


@pytest.fixture(autouse=True)
def quiet_log(caplog):
    """Nothing that the programs do is worth a warning."""
    caplog.set_level(logging.WARNING)
    yield
    assert caplog.messages == []


@pytest.fixture
def ran(monkeypatch, tmp_path):
    """Runs a program whose bots dial a world in hand, and which ends instead of blocking; its bots."""
    monkeypatch.chdir(tmp_path)

    def run(block, world):
        found = []

        class Documented(Bot):
            def __init__(self, where, **options):
                super().__init__(where, dial=world.dial, clock=world.clock, **options)

            def run(self):
                found.append(self)

        monkeypatch.setattr(worldloom_sdk, "Bot", Documented)
        monkeypatch.setattr(worldloom_sdk, "run_many", found.extend)
        exec(compile(block, "a document", "exec"), {"__name__": "__main__"})
        return found

    return run


def listener(lines):
    """Makes a bot that hears from its first tick on."""

    def make(client):
        bot = Bot(client)
        bot.on(Spoke)(lines.append)
        return bot

    return make


def test_every_block_is_run_below():
    known = programs("bot.run()") + programs("run_many(") + programs("async def test_")
    printed = [*blocks("README.md"), *blocks("docs/bots.md")]
    assert sorted(case.values[0] for case in known) == sorted(printed)
    assert len(printed) >= 4


@pytest.mark.parametrize("block", programs("bot.run()"))
async def test_the_bot_in_fifteen_lines_greets_comes_when_called_and_keeps_its_account(block, ran, tmp_path):
    async with World(land="flat") as world:
        (bot,) = ran(block, world)
        await world.drive(bot.start())
        await world.until(lambda: bot.client.view.complete)
        lines = []
        ada = await world.bot("Ada", listener(lines), at=(bot.position.x + 6.0, bot.position.z))
        await world.until(lambda: lines)
        assert (lines[0].name, lines[0].text) == ("Hilda", "Welcome, Ada!")
        await world.drive(ada.say("come here"))
        await world.until(lambda: bot.position.distance_to(ada.position.x, ada.position.z) < 0.1)
        assert [path.name for path in tmp_path.iterdir()] == ["hilda.token"]
        await bot.stop()


@pytest.mark.parametrize("block", programs("run_many("))
async def test_many_bots_in_one_process_are_all_in_the_world(block, ran):
    async with World(land="flat") as world:
        bots = ran(block, world)
        for bot in bots:
            await world.drive(bot.start())
        assert len(world.avatars) == len(bots) == 30
        for bot in bots:
            await bot.stop()


@pytest.mark.parametrize("block", programs("async def test_"))
async def test_the_test_of_a_bot_passes_as_it_is_printed(block):
    names = {"__name__": "a_test"}
    exec(compile(block, "a document", "exec"), names)
    tests = [test for name, test in names.items() if name.startswith("test_")]
    assert tests
    for test in tests:
        await test()


async def test_the_first_bot_and_the_greeter_that_comes_along_are_in_one_world(ran):
    from worldloom_sdk.examples import greeter

    async with World(land="flat") as world:
        (first,) = ran(blocks("README.md")[0], world)
        second = greeter.make_bot(worldloom_sdk.Client(dial=world.dial, clock=world.clock, name="Greeter"))
        for bot in (first, second):
            await world.drive(bot.start())
        assert [first.name, second.name] == ["Hilda", "Greeter"]
        for bot in (first, second):
            await bot.stop()
