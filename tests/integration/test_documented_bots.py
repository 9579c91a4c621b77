"""The documents' programs: every block of Python in the README and the guides runs as it is printed."""

import ast
import asyncio
import logging
import pkgutil
import re
from pathlib import Path

import pytest

import worldloom_sdk.examples
from sdk_peer import SmallWorld
from worldloom.services import auctions, leases
from worldloom_sdk import Bot, Client, Gesture, Role, Spoke
from worldloom_sdk.examples import dice
from worldloom_sdk.protocol import messages as m
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
    """Runs a program whose clients dial a world in hand, and which ends instead of blocking: its bots, or its main."""
    monkeypatch.chdir(tmp_path)

    def run(block, world):
        found = []

        class DocumentedBot(Bot):
            def __init__(self, where, **options):
                super().__init__(where, dial=world.dial, clock=world.clock, **options)

            def run(self):
                found.append(self)

        def documented_client(where, **options):
            return Client(where, dial=world.dial, clock=world.clock, **options)

        with monkeypatch.context() as patched:
            patched.setattr(worldloom_sdk, "Bot", DocumentedBot)
            patched.setattr(worldloom_sdk, "Client", documented_client)
            patched.setattr(worldloom_sdk, "run_many", found.extend)
            patched.setattr(asyncio, "run", found.append)
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


GREETERS, FIRST, ASKERS = programs('"come here"'), programs('"hello" in'), programs("ada.say(")
POSTMEN, OWNERS, GAMBLERS = programs("bot.sit()"), programs("account.make_bot("), programs('"Gambler"')
CROWDS, TESTS, DIGGERS = programs("run_many("), programs("async def test_"), programs("edit_terrain(")
OWNERS_OF_LAND, SHOPPERS, LETTERS = (
    programs("land.join("),
    programs("async def shop"),
    programs("RentDue, check"),
)


def test_every_block_is_run_below():
    known = [
        *OWNERS_OF_LAND,
        *SHOPPERS,
        *LETTERS,
        *GREETERS,
        *FIRST,
        *ASKERS,
        *POSTMEN,
        *OWNERS,
        *GAMBLERS,
        *CROWDS,
        *TESTS,
        *DIGGERS,
    ]
    printed = [*blocks("README.md"), *blocks("docs/bots.md")]
    assert sorted(case.values[0] for case in known) == sorted(printed)
    assert len(printed) >= 9


def test_every_program_that_is_named_is_there_and_the_guide_names_all():
    guide = (ROOT / "docs/bots.md").read_text(encoding="utf-8")
    there = {found.name for found in pkgutil.iter_modules(worldloom_sdk.examples.__path__)} - {"starting"}
    assert set(re.findall(r"worldloom_sdk\.examples\.(\w+)", guide)) <= there
    assert set(re.findall(r"`(\w+)`", guide)) >= there


def test_every_link_of_the_guide_leads_to_a_heading():
    guide = (ROOT / "docs/bots.md").read_text(encoding="utf-8")
    headings = [line.lstrip("# ").lower() for line in guide.splitlines() if line.startswith("#")]
    anchors = {re.sub(r"[^\w -]", "", heading).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", guide)) <= anchors


def test_a_program_whose_bot_is_banned_ends_with_the_status_after_which_the_unit_does_not_start_it():
    world = SmallWorld()
    world.refusals = [m.Refused(0, "banned", "a raid")]
    with pytest.raises(SystemExit) as ended:
        Bot(dial=world.dial, clock=world.clock, name="Ada").run()
    unit = (ROOT / "docs/bots.md").read_text(encoding="utf-8")
    assert f"RestartPreventExitStatus={ended.value.code}\n" in unit


async def test_the_first_bot_answers_who_asks(ran, capsys):
    (first,), (asking,) = [case.values for case in (*FIRST, *ASKERS)]
    async with World(land="flat") as world:
        (bot,) = ran(first, world)
        await world.drive(bot.start())
        (main,) = ran(asking, world)
        await world.drive(main)
        assert capsys.readouterr().out == "Hilda: Hello, Ada!\n"
        await bot.stop()


@pytest.mark.parametrize("block", POSTMEN)
async def test_the_postman_delivers_and_comes_home(block, ran):
    async with World(land="flat") as world:
        lines = []
        await world.bot("Ada", listener(lines), at=(0, 0))
        (bot,) = ran(block, world)
        await world.drive(bot.start())
        came = bot.client.connection.welcome
        await world.until(lambda: bot.client.connection.body.gesture == Gesture.SIT)
        assert (bot.position.x, bot.position.z) == (came.x / 64, came.z / 64)
        assert [line.text for line in lines][-1] == "Post!"
        await bot.stop()


@pytest.mark.parametrize("block", OWNERS)
async def test_the_owner_gets_a_key_with_which_the_bot_comes_in(block, ran, capsys):
    async with World(land="flat") as world:
        (main,) = ran(block, world)
        await world.drive(main)
        key, *tokens = capsys.readouterr().out.splitlines()
        gerda = await world.join(token=key)
        assert (gerda.name, gerda.client.scopes) == ("Gerda", {"move", "talk"})
        assert [token.split(" ", 1)[1] for token in tokens] == ["Ada None", "Gerda ['move', 'talk']"]


async def test_the_owners_program_shows_who_is_here(ran, capsys):
    (block,) = blocks("docs/operating.md")
    async with World(land="flat") as world:
        ada = Client(dial=world.dial, clock=world.clock, name="Ada", token_file="ada.token")
        await world.drive(ada.start())
        await world.drive(ada.stop())
        await world.give_role("Ada", Role.OWNER)
        await world.join("Eve", keep=False)
        (main,) = ran(block, world)
        await world.drive(main)
    told = sorted(line.split(" ") for line in capsys.readouterr().out.splitlines())
    assert [line[:2] for line in told] == [["Ada", "owner"], ["Eve", "guest"]]
    assert all(address for *_, address in told)


@pytest.mark.parametrize("block", DIGGERS)
async def test_the_owner_raises_the_ground_and_gives_some_of_it_back(block, ran, capsys):
    async with World(land="flat") as world:
        olga = Client(dial=world.dial, clock=world.clock, name="Olga", token_file="owner.token")
        await world.drive(olga.start())
        await world.drive(olga.stop())
        await world.give_role("Olga", Role.OWNER)
        (main,) = ran(block, world)
        await world.drive(main)
        assert capsys.readouterr().out == "6.0 5.0\n"


LAND = {"land.claim": "anywhere", "land.price": 100}


async def kept(world, name, coins):
    """An account whose token lies in the folder, with money."""
    client = Client(dial=world.dial, clock=world.clock, name=name, token_file=f"{name.lower()}.token")
    await world.drive(client.start())
    await world.drive(client.stop())
    await world.give_money(name, coins)


async def test_a_plot_is_claimed_joined_and_offered_by_one_program_and_bought_by_the_next(ran, capsys):
    (owner,), (shopper,) = [case.values for case in (*OWNERS_OF_LAND, *SHOPPERS)]
    async with World(land="flat", config=LAND) as world:
        await kept(world, "Ada", 10_000)
        await kept(world, "Bo", 20_000)
        (main,) = ran(owner, world)
        await world.drive(main)
        (bot,) = ran(shopper, world)
        await world.drive(bot.start())
        await world.run(3)
        assert capsys.readouterr().out == "5 20000 9500\nMill is mine for 20000\n"
        await bot.stop()


async def test_an_owner_auctions_lets_and_is_told_what_becomes_of_it(ran, capsys):
    ((block,),) = [case.values for case in LETTERS]
    async with World(land="flat", config=LAND) as world:
        await kept(world, "Cy", 10_000)
        cy = Client(dial=world.dial, clock=world.clock, name="Cy", token_file="cy.token")
        await world.drive(cy.start())
        estates = [await world.drive(cy.land.claim([(3 * number, 0)])) for number in range(2)]
        await world.drive(cy.stop())
        (bot,) = ran(block, world)
        await world.drive(bot.start())
        await world.run(3)
        await world.bot("Ada")
        await world.give_money("Ada", 10_000)
        ada = await world.bot("Ada")
        offer = (await world.drive(ada.market.offer_of(estates[0]))).offer
        await world.drive(ada.bid(offer, 500))
        await world.drive(ada.lease(estates[1]))
        now_ms, store = world.clock.unix_ms() + 7_200_000, world.node.store
        await store.run(auctions.settle, auctions.Settle(offer.listing, now_ms))
        while await store.run(leases.tell_due, now_ms):
            pass
        await world.run(1)
        first, second = (estate.estate for estate in estates)
        assert capsys.readouterr().out.splitlines() == [
            f"bid: estate {first}, 500",
            f"leased: estate {second}, 100",
            f"sold: estate {first}, 500",
            f"lease_ended: estate {second}, 0",
        ]
        await bot.stop()


@pytest.mark.parametrize("block", GAMBLERS)
async def test_the_gambler_plays_with_the_house(block, ran, capsys):
    async with World(land="flat") as world:
        await world.bot("House", dice.make_bot, at=(0, 0))
        (bot,) = ran(block, world)
        await world.drive(bot.start())
        told = await world.until(lambda: capsys.readouterr().out)
        assert ast.literal_eval(told).keys() == {"rolled", "salt", "won", "score"}
        await bot.stop()


@pytest.mark.parametrize("block", GREETERS)
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


@pytest.mark.parametrize("block", CROWDS)
async def test_many_bots_in_one_process_are_all_in_the_world(block, ran):
    async with World(land="flat") as world:
        bots = ran(block, world)
        for bot in bots:
            await world.drive(bot.start())
        assert len(world.avatars) == len(bots) == 30
        for bot in bots:
            await bot.stop()


@pytest.mark.parametrize("block", TESTS)
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
