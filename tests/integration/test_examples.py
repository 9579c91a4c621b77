"""The examples: each in a real world with time in hand, asked for what it is for; and each by its command line."""

import asyncio
import hashlib
import json
import logging
import math
import random
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

import worldloom_sdk.examples
from worldloom.services import auctions, leases
from worldloom_sdk import (
    AccessRefused,
    Bot,
    LeaseEnded,
    Refused,
    Role,
    SayKind,
    Scope,
    Signalled,
    Sold,
    Spoke,
    Standing,
    Whispered,
)
from worldloom_sdk.examples import (
    auctioneer,
    chatlog,
    crowd,
    dice,
    estate_agent,
    explorer,
    greeter,
    herald,
    keys,
    moderator,
    painter,
    parade,
    patrol,
    speculator,
    starting,
    tour,
)
from worldloom_sdk.protocol.estate_parts import Balance
from worldloom_sdk.testing import World

pytestmark = pytest.mark.slow

EXAMPLES = sorted(
    path.stem
    for path in Path(worldloom_sdk.examples.__path__[0]).glob("[a-z]*.py")
    if path.stem != "starting"
)
RIM_M = 32_768 * 256
"""The end of the world."""


@pytest.fixture(autouse=True)
def quiet_log(caplog):
    """Nothing that the examples do is worth a warning."""
    caplog.set_level(logging.WARNING)
    yield
    assert caplog.messages == []


@pytest.fixture
async def world():
    async with World(land="flat") as world:
        yield world


def person(client):
    """Somebody who does not say that it is a bot."""
    return Bot(client, bot=False)


def heard_by(bot, kind):
    """Texts of a kind of event that a bot is told of."""
    heard = []
    bot.on(kind)(lambda event: heard.append(event.text))
    return heard


def making(module, **options):
    """Makes the bot of an example from a client."""
    return lambda client: module.make_bot(client, **options)


# ---- on the move


async def test_the_guide_waits_for_its_guest_tells_of_each_sight_and_comes_home(world):
    sights = [tour.Sight(8, 0, "The old oak."), tour.Sight(8, 8, "The well.")]
    guide = await world.bot("Guide", making(tour, sights=sights), at=(0, 0))
    ada = await world.bot("Ada", person, at=(-8, 0))
    lines = heard_by(ada, Spoke)
    await world.drive(ada.say("A tour, please"))
    await world.until(lambda: guide.position.x == 8)
    await world.run(1)
    assert lines == ["Come along, Ada! Say nothing, just walk with me."]  # of the oak it tells who is there
    following = asyncio.ensure_future(ada.follow(guide.me, near=2.0))
    await world.until(lambda: "Thank you" in lines[-1])
    assert lines[1:3] == [
        "The old oak. We stand 5 m above the sea.", "The well. We stand 5 m above the sea.",
    ]  # fmt: skip
    await world.until(lambda: world.avatars[guide.me.id].distance_to(0, 0) == 0)
    following.cancel()


async def test_the_guide_goes_on_without_a_guest_who_is_lost(world):
    await world.bot("Guide", making(tour, sights=[tour.Sight(12, 0, "The oak.")], wait_s=2.0), at=(0, 0))
    ada = await world.bot("Ada", person, at=(-2, 0))
    lines = heard_by(ada, Spoke)
    await world.drive(ada.say("tour"))
    await world.until(lambda: lines and "Thank you" in lines[-1])
    assert lines[1] == "Ada is not with us any more. I go on."


async def test_the_patrol_whispers_who_was_where_to_who_asks(world):
    posts = [(0, 0), (30, 0)]
    ada = await world.bot("Ada", person, at=(4, 0))
    told = heard_by(ada, Whispered)
    guard = await world.bot("Patrol", making(patrol, posts=posts, speed=6.0), at=(0, 0))
    await world.run(9)
    await world.drive(ada.whisper(guard.me, "report"))
    await world.until(lambda: len(told) == 2)
    assert told == ["post 1: Ada 4 m off", "post 2: nobody"]


async def test_the_explorer_tells_of_each_region_once_and_goes_elsewhere_where_no_land_comes(capsys):
    fast = {"world.speed_m_per_s": 60.0, "worldgen.ahead_s": 0.0}
    async with World(land="flat", config=fast) as world:
        make = making(explorer, leg_m=400.0, speed=50.0, patience_s=2.0)
        bot = await world.bot("Explorer", make, at=(130, 10))
        world.keep_land_back()
        await world.until(lambda: world.avatars[bot.me.id].x > 511)
        await world.until(lambda: world.avatars[bot.me.id].x < 300)
        at_first = capsys.readouterr().out.splitlines()
        world.give_land()
        then = await world.until(lambda: capsys.readouterr().out.splitlines())
    assert len(at_first) == 9
    assert at_first[0].endswith(": 5 to 5 m, by meadow")
    assert len(set(at_first + then)) == len(at_first + then)


async def test_the_explorer_goes_elsewhere_at_the_end_of_the_world():
    async with World(land="flat") as world:
        bot = await world.bot("Explorer", making(explorer, leg_m=20.0, speed=12.0), at=(RIM_M - 10, 0))
        await world.until(lambda: world.avatars[bot.me.id].x > RIM_M - 1)
        await world.until(lambda: world.avatars[bot.me.id].x < RIM_M - 25)
        await world.until(lambda: world.avatars[bot.me.id].z < -15)


def test_a_spiral_comes_by_every_square_once():
    corners = explorer.spiral(worldloom_sdk.Position(0, 0, 0), 1.0)
    places = [next(corners) for _ in range(48)]
    assert sorted([*places, (0, 0)]) == [(x, z) for x in range(-3, 4) for z in range(-3, 4)]


async def test_the_painter_writes_a_picture_of_the_land_with_its_colours_and_hills(tmp_path):
    file = tmp_path / "map.png"
    async with World() as world:
        await world.bot("Painter", making(painter, file=file), at=(10, 10))
        await world.until(file.exists, within=15)
    picture = read_png(file.read_bytes())
    assert picture.shape == (3 * 128, 3 * 128, 3)
    land = picture[..., 1] > picture[..., 2]
    assert land.mean() > 0.2
    assert len(np.unique(picture[land], axis=0)) > 200
    assert list(tmp_path.iterdir()) == [file]


def read_png(data):
    """Pixels ``[height, width, 3]`` of a PNG file; every checksum is looked at."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack_from(">I", data, at + 8 + length)[0]
        chunks[kind], at = body, at + 12 + length
    width, height = struct.unpack_from(">II", chunks[b"IHDR"])
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, 1 + 3 * width)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(height, width, 3)


async def test_two_hundred_bots_march_in_rows_and_stay_in_step():
    show = parade.Parade(x=-7.0, z=-14.0, side=3.0, speed=11.0, halt_s=3.5)
    async with World(land="flat", config={"server.connections_per_address": 200}) as world:
        bots = [
            show.make_bot(worldloom_sdk.Client(dial=world.dial, clock=world.clock, name=f"Piper {n}"), n)
            for n in range(200)
        ]
        await world.drive(asyncio.gather(*(bot.start() for bot in bots)))
        for until_s, x, z in ((3.4, -7.0, -14.0), (5.0, -4.0, -14.0)):
            await world.run(until_s - world.now)
            places = [world.avatars[bot.me.id][::2] for bot in bots]
            assert places == [(x + n % 10 * 1.5, z + n // 10 * 1.5) for n in range(200)]
        await asyncio.gather(*(bot.stop() for bot in bots))


# ---- listening


async def test_the_chronicler_writes_down_what_who_was_told_of_it_says_and_nobody_else(world, tmp_path):
    file = tmp_path / "chat.jsonl"
    await world.bot("Chronicler", making(chatlog, file=file), at=(0, 0))
    ada, bob = [await world.bot(name, person, at=(3, z)) for name, z in (("Ada", 0), ("Bob", 3))]
    lines = heard_by(ada, Spoke)
    await world.drive(bob.say("before anybody told me"))
    await world.until(lambda: chatlog.NOTE in lines)
    await world.drive(ada.say("The sea is near — är det?"))
    await world.drive(bob.say("off the record"))
    await world.until(lambda: "Bob, I leave you out." in lines)
    await world.drive(bob.say("a secret"))
    await world.drive(ada.say("HELLO", SayKind.SHOUT))
    await world.run(0.5)
    written = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [(entry["name"], entry["how"], entry["text"]) for entry in written] == [
        ("Ada", "say", "The sea is near — är det?"), ("Ada", "shout", "HELLO"),
    ]  # fmt: skip


def test_a_full_book_makes_room(tmp_path):
    for _ in range(50):
        chatlog.write_down("x" * 99, tmp_path / "chat.jsonl", kilobytes=1, files=2)
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert sizes.keys() == {"chat.jsonl", "chat.jsonl.1"}
    assert max(sizes.values()) <= 1000


async def with_marshal(world):
    """An owner, its moderating bot that came by a key, and somebody else."""
    olga = await world.bot("Olga", person, at=(0, 5))
    await world.give_role("Olga", Role.OWNER)
    key = (await world.drive(olga.account.make_bot("Marshal", [Scope.TALK, Scope.ORDER]))).text
    await world.drive(olga.staff.give_role("Marshal", Role.MODERATOR))
    marshal = await world.join("", making(moderator), token=key)
    mal = await world.bot("Mal", person, at=(marshal.position.x + 3, marshal.position.z))
    return olga, marshal, mal


async def test_the_marshal_warns_then_mutes_who_repeats_a_line_and_bans_nobody(world):
    olga, marshal, mal = await with_marshal(world)
    warned, standing = heard_by(mal, Whispered), []
    mal.on(Standing)(standing.append)
    assert (marshal.name, marshal.client.role, marshal.client.scopes) == (
        "Marshal", "moderator", {"talk", "order"},
    )  # fmt: skip
    for line in ("Buy!", "buy!", " BUY! "):
        await world.drive(mal.say(line))
    await world.until(lambda: warned)
    assert warned == ["Please stop saying the same again and again, or I have to mute you."]
    assert standing == []
    for _ in range(3):
        await world.drive(mal.say("Buy!"))
    await world.until(lambda: standing)
    assert standing[0].reason == "saying the same again and again"
    assert standing[0].muted == pytest.approx(300, abs=2)
    with pytest.raises(Refused, match="muted"):
        await world.drive(mal.say("Buy!"))
    audit = await world.drive(olga.staff.audit())
    assert [(entry.by, entry.act, entry.about) for entry in audit][:1] == [("Marshal", "mute", "Mal")]
    assert mal.client.in_world


async def test_the_marshal_warns_who_shouts_too_much_but_never_staff(world):
    olga, _, mal = await with_marshal(world)
    warned, of_staff = heard_by(mal, Whispered), heard_by(olga, Whispered)
    for number in range(4):
        await world.drive(olga.say(f"{number}", SayKind.SHOUT))
        await world.drive(mal.say(f"{number} APPLES ARE FOR SALE"))
    await world.until(lambda: warned)
    assert (warned, of_staff) == (["Please stop shouting too much, or I have to mute you."], [])


async def test_a_marshal_without_the_right_says_so_in_the_log(world, caplog):
    await world.join("Marshal", making(moderator))
    assert "Marshal: expected the role moderator" in caplog.text
    caplog.clear()


# ---- land and money


@pytest.fixture
async def land():
    """A world in which land is for claiming anywhere, at 100 a parcel."""
    config = {"land.claim": "anywhere", "land.price": 100}
    async with World(land="flat", config=config) as world:
        yield world


async def rich(world, name, make=person, coins=100_000, at=(0, 0)):
    """Somebody with money."""
    await world.bot(name, person, at=at)
    await world.give_money(name, coins)
    return await world.bot(name, make)


HOURS_MS = 24 * 3_600_000


async def later(world):
    """What is over a day from now is settled and told of now: nobody sits through it."""
    now_ms = world.clock.unix_ms() + HOURS_MS
    for listing in await world.node.store.read(auctions.due, auctions.Due(now_ms)):
        await world.node.store.run(auctions.settle, auctions.Settle(listing, now_ms))
    while await world.node.store.run(leases.tell_due, now_ms):
        pass


async def test_the_agent_claims_plots_lets_them_and_knows_who_has_them(land):
    agent = await rich(land, "Agent", making(estate_agent, plots=2, rent=70, hours=1.0, at=(64.0, 64.0)))
    ada = await rich(land, "Ada", at=(3, 0))
    lines = heard_by(ada, Spoke)

    async def to_let():
        return [offer async for offer in ada.market.to_let(sort="price")]

    await land.run(3)
    offers = await land.drive(to_let())
    assert [(offer.name, offer.rent, offer.parcels) for offer in offers] == [
        ("Plot 1", 70, 4),
        ("Plot 2", 70, 4),
    ]
    await land.drive(ada.say("A plot, please"))
    await land.until(lambda: lines)
    assert lines[0].startswith("Ada, 2 free, Plot 1 for 70 a period: lease estate ")
    lease = await land.drive(ada.lease(offers[0]))
    assert await land.drive(agent.money.balance()) == Balance(100_000 - 800 + 70 - 1, 0, "crown", 2)
    assert [offer.name for offer in await land.drive(to_let())] == ["Plot 2"]
    told = []
    ada.on(LeaseEnded)(told.append)
    await later(land)
    await land.until(lambda: told)
    assert told[0].lease == lease.lease


async def test_the_auctioneer_cries_bids_and_goes_on_to_the_next_estate(land):
    seller = await rich(land, "Auctioneer", at=(0, 0))
    first = await land.drive(seller.claim([(0, 0)], name="Hill"))
    second = await land.drive(seller.claim([(5, 5)]))
    await land.drive(seller.stop())
    crier = await land.bot("Auctioneer", making(auctioneer, price=200, step=10, minutes=2.0))
    ada = await rich(land, "Ada", at=(3, 0))
    lines = heard_by(ada, Spoke)
    offer = (await land.drive(ada.market.offer_of(first))).offer
    await land.drive(ada.bid(offer, 250))
    await land.until(lambda: lines)
    await later(land)
    await land.until(lambda: len(lines) >= 3)
    assert lines == [
        f"250 is bid for number {offer.listing}! Who gives 260?",
        "Sold to Ada for 250!",
        "Number 2, land at 80, 80, 1 parcel! Who gives 200?",
    ]
    assert (await land.drive(ada.land.show(first))).owner_name == "Ada"
    await later(land)
    await land.until(lambda: len(lines) == 4)
    assert lines[3] == "Nobody? Then I keep it."
    assert (await land.drive(crier.land.show(second))).owner_name == "Auctioneer"


async def test_the_speculator_buys_what_is_cheap_and_asks_what_others_ask(land):
    ada = await rich(land, "Ada")
    for number, price in enumerate((1_000, 1_100, 1_200, 500)):
        estate = await land.drive(ada.claim([(3 * number, 0)]))
        await land.drive(ada.sell(estate, price))
    bo = await rich(land, "Bo")
    for number, price in enumerate((1_000, 1_050)):
        estate = await land.drive(bo.claim([(3 * number, 3)]))
        await land.drive(bo.sell(estate, price))
    cheap = (await land.drive(ada.market(sort="price")))[0]
    others = await land.drive(bo.market(kind="sale"))
    assert speculator.worth(cheap, others) is None  # of two others nobody can tell
    cy = await rich(land, "Cy")
    estate = await land.drive(cy.claim([(6, 3)]))
    await land.drive(cy.sell(estate, 1_200))
    agent = await rich(land, "Speculator", making(speculator, budget=600, every_s=5.0))
    await land.run(12)
    trades = await land.drive(agent.market.trades())
    assert [(offer.price, offer.seller_name) for offer in trades.offers] == [(1_050, "Speculator")]
    gained = []
    agent.on(Sold)(gained.append)
    await land.drive(bo.buy(trades.offers[0], max_price=1_050))
    await land.until(lambda: gained)
    assert (await land.drive(agent.money.balance())).own == 100_000 - 500 + 1_050 - 26


# ---- game and time


async def test_the_house_rolls_before_the_bet_and_pays_by_the_rules(world):
    house = await world.bot("House", making(dice, dice=random.Random(7)), at=(0, 0))
    ada = await world.bot("Ada", person, at=(3, 0))
    answers = []
    ada.on(Signalled)(lambda signal: answers.append(json.loads(signal.data)))

    async def ask(data):
        known = len(answers)
        await world.drive(ada.signal("dice", data, to=house.me.id))
        await world.until(lambda: len(answers) > known)
        return answers[-1]

    assert (await ask(b"\xff[[["))["error"].startswith("expected")
    assert (await ask(b'{"bet": "over"}'))["error"] == 'expected {"play": true} first'
    score = 0
    for _ in range(3):
        seal = (await ask(b'{"play": true}'))["seal"]
        assert (await ask(b'{"play": true}'))["seal"] == seal  # asking again rolls no other dice
        told = await ask(b'{"bet": "under"}')
        sealed = " ".join(map(str, (told["salt"], *told["rolled"])))
        assert hashlib.sha256(sealed.encode()).hexdigest() == seal
        score += math.copysign(1, 6.5 - sum(told["rolled"]))
        assert told["score"] == score
    assert answers[-1].keys() == {"rolled", "salt", "won", "score"}


async def test_seven_wins_four_and_is_called_out(world):
    house = await world.bot("House", making(dice, dice=random.Random(7)), at=(0, 0))
    ada = await world.bot("Ada", person, at=(3, 0))
    lines = heard_by(ada, Spoke)
    table = dice.Table(sealed=("salt", 3, 4))
    assert dice.answer(table, {"bet": "seven"}, random.Random(7))["score"] == 4
    assert dice.answer(dice.Table(sealed=("salt", 3, 4)), {"bet": "over"}, random.Random(7))["won"] == -1
    for _ in range(8):
        await world.drive(ada.signal("dice", b'{"play": true}', to=house.me.id))
        await world.drive(ada.signal("dice", b'{"bet": "seven"}', to=house.me.id))
        await world.run(1)
    assert lines[0].startswith("Seven! Ada has ")


async def test_the_herald_calls_the_hour_and_tells_the_time(world):
    await world.bot("Herald", making(herald, day_minutes=2.4), at=(0, 0))  # an hour is 6 s
    ada = await world.bot("Ada", person, at=(3, 0))
    lines = heard_by(ada, Spoke)
    await world.until(lambda: len(lines) == 2, within=20)
    first, second = [int(line.removeprefix("It is ").partition(" ")[0]) for line in lines]
    assert second == (first + 1) % 24
    await world.drive(ada.say("What time is it?"))
    await world.until(lambda: len(lines) == 3)
    assert lines[2].startswith(f"Ada, it is {second}:")


def test_a_day_of_the_world_has_24_hours():
    assert [herald.time_of_day(minutes * 60_000, 60.0) for minutes in (0, 30, 59, 60)] == [
        (0, 0), (12, 0), (23, 36), (0, 0),
    ]  # fmt: skip


# ---- started by hand


async def act(world, folder, *words):
    """What keys does, with the options that it would read."""
    options = keys.parser().parse_args(["world", "--token-file", str(folder / "ada.token"), *words])
    client = worldloom_sdk.Client(
        dial=world.dial, clock=world.clock, name="Ada", token_file=options.token_file
    )
    await world.drive(keys.carry_out(client, options))
    await world.run(1)


async def test_a_key_is_made_listed_and_revoked(world, tmp_path, capsys):
    key_file = tmp_path / "hilda.key"
    await act(world, tmp_path, "make", "Hilda", "talk", "--key-file", str(key_file))
    assert [path.stat().st_mode & 0o777 for path in tmp_path.iterdir()] == [0o600, 0o600]
    hilda = await world.join("", token=key_file.read_text().strip())
    assert (hilda.name, hilda.client.scopes) == ("Hilda", {"talk"})
    capsys.readouterr()
    await act(world, tmp_path, "list")
    mine, bots = capsys.readouterr().out.splitlines()
    assert mine.endswith("everything; last used now (this one)")
    assert " Hilda: talk; last used " in bots
    await act(world, tmp_path, "revoke", bots.split()[0])
    assert not hilda.client.in_world
    with pytest.raises(Refused):
        await world.join("", token=key_file.read_text().strip())


def greeter_in(world, *words):
    """The greeter, as these options make it."""
    options = starting.options_for("", "Gerda").parse_args(["world", *words])
    return starting.telling(greeter.make_bot("", dial=world.dial, clock=world.clock, **starting.who(options)))


async def test_a_bot_that_is_in_says_where_and_as_whom(tmp_path, capsys):
    async with World(land="flat", config={"world.name": "Lindholm"}) as world:
        for words in ((), ("--name", "Gerd", "--token-file", str(tmp_path / "gerd.token"))):
            bot = greeter_in(world, *words)
            await world.drive(bot.start())
            await world.run(0.1)
            await world.drive(bot.stop())
    assert capsys.readouterr().out.splitlines() == [
        "in the world Lindholm as Gerda, a guest", "in the world Lindholm as Gerd, a resident",
    ]  # fmt: skip


async def test_an_invitation_lets_a_bot_in_that_keeps_a_token_file_and_is_needed_once(tmp_path):
    async with World(land="flat", config={"access.mode": "invitation"}) as world:
        olga = await world.bot("Olga", person)
        await world.give_role("Olga", Role.OWNER)
        code = (await world.drive(olga.staff.invite())).text
        with pytest.raises(AccessRefused, match="together with a name and a token file"):
            await world.drive(greeter_in(world, "--access", code).start())
        kept = ("--token-file", str(tmp_path / "gerda.token"))
        for words in (("--access", code, *kept), kept):
            bot = greeter_in(world, *words)
            await world.drive(bot.start())
            assert (bot.name, bot.client.role) == ("Gerda", Role.RESIDENT)
            await world.drive(bot.stop())


async def test_a_crowd_comes_in_by_the_password(tmp_path):
    secret = tmp_path / "password"
    secret.write_text("open sesame\n")
    secret.chmod(0o600)
    closed = {"access.mode": "password", "access.password_file": str(secret)}
    show = parade.Parade()
    async with World(land="flat", config=closed) as world:
        here = {"dial": world.dial, "clock": world.clock, "access": "open sesame"}
        for bot in (crowd.make_bot("", 1, **here), show.make_bot("", 1, **here)):
            await world.drive(bot.start())
            assert bot.client.in_world
            await world.drive(bot.stop())


def start(name, *words):
    """Starts an example by hand; a process."""
    command = [sys.executable, "-m", f"worldloom_sdk.examples.{name}", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process):
    """Status of a process that has ended, and what it wrote to standard output and standard error."""
    told, faults = process.communicate(timeout=60)
    return process.returncode, told, faults


def test_every_example_says_what_it_does_and_how_it_is_run():
    asked = {name: start(name, "--help") for name in EXAMPLES}
    answers = {name: ended(process) for name, process in asked.items()}
    assert {(status, faults) for status, _, faults in answers.values()} == {(0, "")}
    unsaid = [
        name
        for name, (_, told, _) in answers.items()
        if f"python -m worldloom_sdk.examples.{name} 127.0.0.1:8420" not in told
        or "--access CODE" not in told
    ]
    assert unsaid == []


def test_there_are_as_many_examples_as_the_package_says():
    assert all(name in worldloom_sdk.examples.__doc__ for name in EXAMPLES)
    assert len(EXAMPLES) >= 10


def test_a_key_file_that_is_not_there_is_one_line(tmp_path):
    status, _, faults = ended(start("greeter", "--key-file", str(tmp_path / "no.key")))
    assert status == 1
    assert faults == f"expected a file with a key, got {tmp_path / 'no.key'}: there is no such file\n"
