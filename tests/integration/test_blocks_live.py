"""Personal blocks and invisibility: neither side is sent any byte about whom it must not know of."""

import asyncio
import random
from pathlib import Path

import pytest

from keeping_order import ask, code_of, join_from, kept_world
from live_server import Player
from overheard import Crowd, Ear, hide
from raw_ws import eventually
from worldloom.app.clock import unix_ms
from worldloom.services import accounts, shuns
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.geometry import XZ_PER_M
from worldloom_sdk.protocol.messages import BlockReach, SayKind
from worldloom_sdk.testing import World

MANY = {
    "server.connections_per_address": 20_000,
    "server.max_connections": 20_000,
    "limits.commands_per_s": 1_000,
    "limits.says_per_10s": 1_000,
    "limits.accounts_per_hour": 100_000,
    "session.joins_per_s": 10_000,
    "sync.write_buffer_bytes": 8_192,
    "world.spawn_radius_m": 40.0,
}
SPAN = (-40 * XZ_PER_M, 40 * XZ_PER_M)
TICKS_PER_S = 20


class Story:
    """Random lives of many: they walk, talk, ask, block, hide, come, go, lose their connection, read slowly."""

    def __init__(self, crowd: Crowd, people: int, staff: int, seed: int) -> None:
        self.crowd, self.random = crowd, random.Random(seed)
        self.staff = [Ear(crowd, f"Warden {n}", keep=True) for n in range(staff)]
        others = [Ear(crowd, f"Walker {n}", keep=n % 3 > 0) for n in range(people - staff)]
        self.ears = [*self.staff, *others]
        self.away: list[tuple[int, Ear]] = []
        self.ticks = 0
        self.acts = dict.fromkeys(("block", "unblock", "hide", "leave", "cut", "stall", "swap"), 0)
        span_x = crowd.world.node.config.world.spawn_x_m, crowd.world.node.config.world.spawn_z_m
        middle = round(span_x[0] * XZ_PER_M)
        self.span = (middle + SPAN[0], middle + SPAN[1])

    async def begin(self) -> None:
        for ear in self.ears:
            ear.dial()
        await self.live(40, rare=0)
        for ear in self.staff:
            await self.crowd.world.give_role(ear.name, "moderator")

    async def live(self, ticks: int, rare: int = 3) -> None:
        for _ in range(ticks):
            self.ticks += 1
            self.come_back()
            here = [ear for ear in self.ears if ear.here]
            for ear in here[self.ticks % 2 :: 2]:
                ear.step(self.random.randrange(-24, 25), self.random.randrange(-24, 25), self.span)
            for _ in range(rare):
                await self.act(here)
            await self.crowd.pass_tick()
            self.crowd.read(self.ears)

    def come_back(self) -> None:
        due = [ear for at, ear in self.away if at <= self.ticks]
        self.away = [(at, ear) for at, ear in self.away if at > self.ticks]
        for ear in due:
            ear.dial()

    async def act(self, here: list[Ear]) -> None:
        ear, other = self.random.sample(here, 2)
        if not (ear.here and other.here):
            return
        kinds = (
            self.talk,
            self.talk,
            self.ask,
            self.block,
            self.block,
            self.unblock,
            self.hide,
            self.go,
            self.stall,
        )
        self.random.choice(kinds)(ear, other)
        if self.random.random() < 0.01:
            await self.swap()

    def talk(self, ear: Ear, other: Ear) -> None:
        match self.random.randrange(4):
            case 0:
                ear.command(m.Say, self.random.choice(list(SayKind)), "Good day")
            case 1:
                ear.command(m.Whisper, other.you, "psst")
            case 2:
                ear.command(m.Signal, other.you, "game", b"one")
            case 3:
                ear.command(m.Signal, 0, "game", b"all")

    def ask(self, ear: Ear, other: Ear) -> None:
        ear.send(m.Who([other.you, *self.random.sample(sorted(self.crowd.by_avatar), 20)]))

    def block(self, ear: Ear, other: Ear) -> None:
        self.acts["block"] += 1
        self.crowd.block(ear, other, True, self.random.choice(list(BlockReach)))

    def unblock(self, ear: Ear, other: Ear) -> None:
        wishes = [pair for pair in self.crowd.wishes if pair[0] == ear.you]
        if len(self.crowd.wishes) > 2 * len(self.ears) and wishes:
            known = self.crowd.by_avatar[self.random.choice(wishes)[1]]
            self.acts["unblock"] += 1
            self.crowd.block(ear, known, False, BlockReach.ALL)

    def hide(self, ear: Ear, other: Ear) -> None:
        warden = self.random.choice(self.staff)
        if warden.here:
            self.acts["hide"] += 1
            hide(warden, self.random.random() < 0.6)

    def go(self, ear: Ear, other: Ear) -> None:
        if len(self.away) > len(self.ears) // 5:
            return
        if self.random.random() < 0.5:
            self.acts["cut"] += 1
            ear.cut()
        else:
            self.acts["leave"] += 1
            self.crowd.forget(ear)
            ear.send(m.Leave())
            ear.here, ear.resume = False, None
        self.away.append((self.ticks + self.random.randrange(1, 80), ear))

    def stall(self, ear: Ear, other: Ear) -> None:
        slow = [one for one in self.ears if not one.reads]
        for one in slow:
            one.reads = self.random.random() < 0.5
        if len(slow) < 5:
            self.acts["stall"] += 1
            ear.reads = False

    async def swap(self) -> None:
        """Somebody of the staff is so no longer, or again."""
        self.acts["swap"] += 1
        warden = self.random.choice(self.staff)
        await self.crowd.world.give_role(warden.name, self.random.choice(("resident", "moderator")))


async def overhear(people: int, seconds: int, seed: int, budget: int = 6_000) -> Story:
    """Let so many people live for so long; with a small budget (bytes a second) their cells are taken by patch."""
    config = {**MANY, "sync.bytes_per_second_per_client": budget}
    async with World(land="flat", config=config, seed=seed) as world:
        story = Story(Crowd(world), people, people // 8, seed)
        await story.begin()
        await story.live(seconds * TICKS_PER_S)
        return story


@pytest.mark.slow
async def test_nobody_is_sent_anything_about_blocked_or_hidden_people_in_20_s_of_random_play() -> None:
    story = await overhear(people=30, seconds=20, seed=5, budget=1_500)
    assert story.crowd.overheard == []
    assert story.crowd.messages > 6_000
    assert all(story.acts.values()), story.acts


@pytest.mark.soak
@pytest.mark.timeout(1_800)
async def test_nobody_is_sent_anything_about_blocked_or_hidden_people_in_10_minutes_of_100() -> None:
    story = await overhear(people=100, seconds=600, seed=23)
    assert story.crowd.overheard == []
    assert story.crowd.messages > 500_000


# ---- over real sockets


HERE, THERE = "192.0.2.7", "203.0.113.9"


async def knows_of(player: Player, other: Player) -> list[str]:
    """By which messages somebody was told of somebody else, in all of its connection."""
    await player.ping()
    told = [f"entered {other.you}"] * player.entered.count(other.you)
    told += [line.text for line in player.lines if line.avatar == other.you]
    told += [message.text for message in player.all_of(m.Whispered) if message.avatar == other.you]
    told += [message.channel for message in player.all_of(m.Signalled) if message.avatar == other.you]
    return told + [
        one.name for message in player.all_of(m.People) for one in message.people if one.avatar == other.you
    ]


async def try_to_be_known(player: Player, other: Player) -> None:
    """Do all that somebody else could be told of."""
    for kind in SayKind:
        await ask(player, m.Say, kind, "hey")
    await ask(player, m.Whisper, other.you, "psst")
    await ask(player, m.Signal, other.you, "one", b"")
    await ask(player, m.Signal, 0, "all", b"")
    other.send(m.Who([player.you]))
    player.move(130, 129)
    await other.ping()


@pytest.mark.slow
async def test_a_block_between_accounts_lasts_over_reconnects_and_restarts_both_ways(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        rosa, sly = (
            await join_from(live, HERE, "Rosa", keep=True),
            await join_from(live, THERE, "Sly", keep=True),
        )
        await rosa.until(lambda: rosa.sees(sly.you))
        assert await code_of(ask(rosa, m.Block, sly.you, True)) == "done"
        await rosa.until(lambda: not rosa.sees(sly.you))
        await sly.until(lambda: not sly.sees(rosa.you))
        tokens = rosa.welcome.token, sly.welcome.token
        for resume in (True, False):
            await rosa.drop()
            rosa = await join_from(
                live, HERE, token=tokens[0], resume=rosa.welcome.resume if resume else None
            )
            await try_to_be_known(sly, rosa)
            assert (rosa.welcome.resumed, await knows_of(rosa, sly)) == (resume, [])
    async with kept_world(tmp_path) as live:
        sly, rosa = [await join_from(live, HERE, token=token) for token in reversed(tokens)]
        await try_to_be_known(sly, rosa)
        await try_to_be_known(rosa, sly)
        assert (await knows_of(rosa, sly), await knows_of(sly, rosa)) == ([], [])
        # Who comes anew is not announced either.
        await sly.leave()
        sly = await join_from(live, HERE, token=tokens[1])
        assert await code_of(ask(rosa, m.Block, sly.you, False)) == "done"
        await rosa.until(lambda: rosa.sees(sly.you))
        await sly.until(lambda: sly.sees(rosa.you))


@pytest.mark.slow
async def test_a_block_made_while_the_other_is_away_or_on_its_way_in_tells_no_byte_of_its_coming(
    tmp_path: Path,
) -> None:
    async with kept_world(tmp_path) as live:
        rosa, sly = (
            await join_from(live, HERE, "Rosa", keep=True),
            await join_from(live, THERE, "Sly", keep=True),
        )
        late, token = await join_from(live, THERE, "Late", keep=True), sly.welcome.token
        await sly.leave()
        await late.leave()
        await rosa.until(lambda: not rosa.sees(sly.you) and not rosa.sees(late.you))
        known = await knows_of(rosa, sly), await knows_of(rosa, late)
        assert await code_of(ask(rosa, m.Block, sly.you, True)) == "done"
        sly = await join_from(live, THERE, token=token)
        entrance = live.world.gateway.entrance
        place = entrance.place

        async def slowly(*args):
            # The store has said already whom the newcomer has nothing to do with.
            assert await code_of(ask(rosa, m.Block, late.you, True)) == "done"
            return await place(*args)

        entrance.place = slowly
        late = await join_from(live, THERE, token=late.welcome.token)
        entrance.place = place
        for other in (sly, late):
            await try_to_be_known(other, rosa)
            await try_to_be_known(rosa, other)
            assert await knows_of(other, rosa) == []
        assert (await knows_of(rosa, sly), await knows_of(rosa, late)) == known


@pytest.mark.slow
async def test_a_block_written_down_after_its_owner_left_is_in_force_though_that_one_was_on_the_way_back(
    tmp_path: Path,
) -> None:
    async with kept_world(tmp_path) as live:
        rosa, sly = (
            await join_from(live, HERE, "Rosa", keep=True),
            await join_from(live, THERE, "Sly", keep=True),
        )
        gateway, store = live.world.gateway, live.world.store
        entrance, run, written = gateway.entrance, store.run, asyncio.Event()
        place = entrance.place

        async def in_its_time(use_case, command):
            if use_case is shuns.shun:
                await written.wait()
            return await run(use_case, command)

        store.run = in_its_time
        token = sly.welcome.token
        sly.send(m.Block(1, rosa.you, True))
        await sly.leave()
        await rosa.until(lambda: not rosa.sees(sly.you))

        async def slowly(*args):
            # The store has said already whom Sly has nothing to do with.
            written.set()
            await eventually(lambda: not gateway.commands.errands._tasks)
            return await place(*args)

        known, entrance.place = await knows_of(rosa, sly), slowly
        sly = await join_from(live, THERE, token=token)
        await try_to_be_known(sly, rosa)
        await try_to_be_known(rosa, sly)
        assert (await knows_of(rosa, sly), await knows_of(sly, rosa)) == (known, [])


@pytest.mark.slow
async def test_speech_alone_may_be_blocked_and_one_of_two_taken_back_leaves_the_other(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        rosa, sly = (
            await join_from(live, HERE, "Rosa", keep=True),
            await join_from(live, THERE, "Sly", keep=True),
        )
        await rosa.until(lambda: rosa.sees(sly.you))
        assert await code_of(ask(rosa, m.Block, sly.you, True, BlockReach.SPEECH)) == "done"
        await try_to_be_known(sly, rosa)
        await try_to_be_known(rosa, sly)
        assert await knows_of(rosa, sly) == [f"entered {sly.you}", "Sly"]
        assert await knows_of(sly, rosa) == [f"entered {rosa.you}", "Rosa"]
        # The wider of two blocks counts, and each takes back its own.
        assert await code_of(ask(sly, m.Block, rosa.you, True)) == "done"
        await rosa.until(lambda: not rosa.sees(sly.you))
        assert await code_of(ask(sly, m.Block, rosa.you, False)) == "done"
        await rosa.until(lambda: rosa.sees(sly.you))
        await ask(sly, m.Say, SayKind.SHOUT, "hey")
        await live.ticks(2)
        heard = await knows_of(rosa, sly)
        assert "hey" not in heard
        assert await code_of(ask(rosa, m.Block, sly.you, False)) == "done"
        await ask(sly, m.Say, SayKind.SHOUT, "at last")
        await rosa.until(lambda: rosa.lines[-1].text == "at last")


@pytest.mark.slow
async def test_with_a_guest_a_block_ends_when_one_of_them_leaves(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        rosa, guest = await join_from(live, HERE, "Rosa", keep=True), await join_from(live, THERE, "Gus")
        for of_guest in (True, False):
            blocker, other = (guest, rosa) if of_guest else (rosa, guest)
            assert await code_of(ask(blocker, m.Block, other.you, True)) == "done"
            await rosa.until(lambda who=rosa: not who.sees(guest.you))
            await guest.until(lambda who=rosa: not guest.sees(who.you))
            # At once, before anybody has swept up.
            await rosa.leave()
            rosa = await join_from(live, HERE, token=rosa.welcome.token)
            await rosa.until(lambda who=rosa: who.sees(guest.you))
            await guest.until(lambda who=rosa: guest.sees(who.you))
        assert await code_of(ask(rosa, m.Block, guest.you, True)) == "done"
        await guest.leave()
        again = await join_from(live, THERE, "Gus")
        await rosa.until(lambda: rosa.sees(again.you))
        await eventually(lambda: not live.world.gateway.shuns._leaving)
        session = live.world.gateway.roster.find(rosa.you)
        assert (session.shunned, session.own_shuns, session.seat.blocked) == ({}, {}, set())


@pytest.mark.slow
async def test_an_account_may_block_64_others_whether_they_are_here_or_not(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        rosa = await join_from(live, HERE, "Rosa", keep=True)
        others = []
        for number in range(65):
            registered = accounts.Register(f"Other {number}", bytes([number]) * 32, unix_ms())
            others.append((await live.world.store.run(accounts.register, registered)).account)
        codes = [await code_of(ask(rosa, m.Block, other, True)) for other in others]
        assert codes == ["done"] * 64 + ["invalid"]
        assert await code_of(ask(rosa, m.Block, others[0], True, BlockReach.SPEECH)) == "done"
        assert await code_of(ask(rosa, m.Block, others[0], False)) == "done"
        assert await code_of(ask(rosa, m.Block, others[64], True)) == "done"
        assert await code_of(ask(rosa, m.Block, 99_999, True)) == "invalid"
        assert await code_of(ask(rosa, m.Block, others[1], False)) == "done"
        assert await code_of(ask(rosa, m.Block, 99_999, True)) == "not_found"
