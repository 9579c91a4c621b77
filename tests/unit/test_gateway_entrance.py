"""The gateway with its clock in hand: races between a Hello, a tick and the database, in the worst order."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from databases import sqlite_database
from raw_ws import BINARY, FakeTransport, eventually, frame, move_payload, request
from sim_world import payloads
from worldloom.app.node import World
from worldloom.config import Config, SessionConfig, WorldConfig
from worldloom.errors import StoreUnavailable
from worldloom.gateway.sockets import GameSocket, SocketSettings
from worldloom.persistence.store import open_store
from worldloom.services import worlds
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.codec import decode_server, encode
from worldloom_sdk.protocol.geometry import GROUND_Y


class HandClock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def world_ms(self) -> int:
        return round(self.now * 1_000)


class Slow:
    """The real store, but every answer can be held back, or refused."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.open = asyncio.Event()
        self.open.set()
        self.asked = 0
        self.broken = False

    async def _ask(self, method: Any, *args: Any) -> Any:
        self.asked += 1
        if self.broken:
            raise StoreUnavailable("expected a database, got none")
        answer = await method(*args)
        await self.open.wait()
        return answer

    async def run(self, *args: Any) -> Any:
        return await self._ask(self._store.run, *args)

    async def read(self, *args: Any) -> Any:
        return await self._ask(self._store.read, *args)


class Client:
    """A client's end without a network."""

    def __init__(self, world: World) -> None:
        self.socket = GameSocket(world.gateway.accept, world.inbox, SocketSettings())
        self.transport = FakeTransport(self.socket, world.inbox)
        self.transport.deliver(request())
        self._read = len(self.transport.written)

    def send(self, message: Any) -> None:
        payload = message if isinstance(message, bytes) else encode(message)
        self.transport.deliver(frame(BINARY, payload))

    def hello(self, name: str = "", **fields: Any) -> None:
        self.send(m.Hello(1, "test", name, **fields))

    def received(self) -> list[Any]:
        """All messages so far, up to the closing frame."""
        messages = []
        with suppress(AssertionError):
            for payload in payloads(bytes(self.transport.written[self._read :])):
                messages.append(decode_server(payload))  # noqa: PERF401 - what came before the end counts
        return messages

    def first(self, kind: type) -> Any:
        return next((message for message in self.received() if isinstance(message, kind)), None)


@dataclass
class Hand:
    """A world whose ticks are called by hand."""

    world: World
    store: Slow
    clock: HandClock
    ticks: Any

    def tick(self, count: int = 1) -> None:
        for _ in range(count):
            self.clock.now += 0.05
            self.world.tick(next(self.ticks))

    async def enters(self, client: Client) -> m.Welcome:
        """Wait for the answers of database and land, and tick until a client is welcome."""
        await self.joins(client)
        self.tick()
        return client.first(m.Welcome)

    async def joins(self, client: Client) -> None:
        """Wait until only a tick is missing."""
        joining = self.world.gateway._joining
        await eventually(lambda: any(session.socket is client.socket for session in joining))

    async def calm(self) -> None:
        """Wait until no Hello is being worked on."""
        await eventually(lambda: not self.world.gateway._tasks)

    def at(self, avatar: int) -> tuple[int, int]:
        table = self.world.shard.avatars
        row = table.row(avatar)
        return int(table.x[row]) // 64, int(table.z[row]) // 64


@pytest.fixture
async def hand(tmp_path: Path) -> AsyncIterator[Hand]:
    url = sqlite_database(tmp_path / "world.db")
    store = await asyncio.to_thread(open_store, url)
    row = await store.run(worlds.open_world, worlds.OpenWorld("Test", 7, 0))
    place = WorldConfig(spawn_x_m=128.0, spawn_z_m=128.0, spawn_radius_m=0.0)
    config = Config(world=place, session=SessionConfig(max_sessions=3))
    slow, clock = Slow(store), HandClock()
    world = World(config, slow, row, clock)
    emerging = asyncio.create_task(world.emerge.run())
    await world._land_ready(0, 0)
    yield Hand(world, slow, clock, itertools.count(2_000))
    emerging.cancel()
    await asyncio.gather(emerging, *world.gateway._tasks, return_exceptions=True)
    await store.close()


def walks(client: Client, seq: int, x: int, z: int) -> None:
    client.send(move_payload(seq, x * 64, z * 64, GROUND_Y))


async def test_moves_of_the_old_connection_do_not_outlive_it(hand: Hand) -> None:
    """They lie in the inbox, highly numbered, when the newer connection wins, which counts from the beginning."""
    old, new = Client(hand.world), Client(hand.world)
    old.hello()
    welcome = await hand.enters(old)
    walks(old, 5_000, 129, 128)
    new.hello(resume=welcome.resume)
    await hand.calm()
    hand.tick()
    assert new.first(m.Welcome).resumed
    walks(new, 1, 130, 128)
    hand.tick()
    assert hand.at(welcome.you) == (130, 128)


async def test_moves_of_who_left_are_not_taken_for_those_of_who_comes(hand: Hand) -> None:
    first, second = Client(hand.world), Client(hand.world)
    second.hello("Bo Bo")
    bo = await hand.enters(second)
    first.hello("Ada")
    ada = await hand.enters(first)
    third = Client(hand.world)
    third.hello("Cy Cy")
    await eventually(lambda: len(hand.world.gateway.roster) == 3)
    walks(first, 9_000, 129, 128)
    first.send(m.Leave())
    hand.tick()
    cy = third.first(m.Welcome)
    walks(third, 1, 128, 130)
    hand.tick()
    assert hand.at(cy.you) == (128, 130)
    assert hand.world.shard.avatars.row(ada.you) is None
    assert bo.you != cy.you


async def test_of_one_token_twice_before_either_is_in_one_gets_in_and_replaces_the_other(hand: Hand) -> None:
    maker, one, two = Client(hand.world), Client(hand.world), Client(hand.world)
    maker.hello("Ada", keep=True)
    welcome = await hand.enters(maker)
    maker.send(m.Leave())
    hand.tick()
    hand.store.open.clear()
    one.hello(token=welcome.token)
    two.hello(token=welcome.token)
    hand.store.open.set()
    await hand.calm()
    hand.tick()
    let_in = [client for client in (one, two) if client.first(m.Welcome)]
    replaced = [client for client in (one, two) if client.transport.written.endswith(b"took over")]
    assert sorted([*let_in, *replaced], key=id) == sorted([one, two], key=id)
    assert let_in[0].first(m.Welcome).you == welcome.you
    assert len(hand.world.gateway.roster) == 1


async def test_the_last_place_is_known_before_it_is_stored(hand: Hand) -> None:
    client = Client(hand.world)
    client.hello("Ada", keep=True)
    welcome = await hand.enters(client)
    walks(client, 1, 133, 128)
    hand.tick()
    client.send(m.Leave())
    hand.tick()
    hand.store.open.clear()
    saving = asyncio.create_task(hand.world.save_places())
    asked = hand.store.asked
    await eventually(lambda: hand.store.asked > asked)
    again = Client(hand.world)
    again.hello(token=welcome.token)
    hand.store.open.set()
    await saving
    assert (await hand.enters(again)).x == 133 * 64


@pytest.mark.parametrize("keep", [False, True])
async def test_a_name_on_its_way_in_is_nobody_elses(hand: Hand, keep: bool) -> None:
    first, second = Client(hand.world), Client(hand.world)
    hand.store.open.clear()
    first.hello("Ada", keep=keep)
    second.hello("ADA", keep=not keep)
    await eventually(lambda: second.first(m.Refused))
    assert second.first(m.Refused).code == m.RefusalCode.NAME_TAKEN
    hand.store.open.set()
    assert (await hand.enters(first)).name == "Ada"


async def test_a_name_is_free_again_when_who_was_on_the_way_has_gone(hand: Hand) -> None:
    first, second = Client(hand.world), Client(hand.world)
    hand.store.open.clear()
    first.hello("Ada", keep=True)
    first.transport._protocol.connection_lost(None)
    hand.store.open.set()
    await hand.calm()
    second.hello("Ada", keep=True)
    assert (await hand.enters(second)).token


async def test_no_more_are_promised_a_place_than_there_are(hand: Hand) -> None:
    clients = [Client(hand.world) for _ in range(6)]
    hand.world.land.remove(0, 0)
    for client in clients:
        client.hello()
    await hand.calm()
    hand.tick()
    codes = [client.first(m.Refused) and client.first(m.Refused).code for client in clients]
    assert codes.count(m.RefusalCode.FULL) == 3
    assert len(hand.world.gateway.roster) == 3


async def test_without_a_database_newcomers_are_asked_to_come_again(hand: Hand) -> None:
    guest, resident, nameless = Client(hand.world), Client(hand.world), Client(hand.world)
    hand.store.broken = True
    guest.hello("Ada")
    resident.hello(token="t" * 43)
    nameless.hello()
    await hand.calm()
    for client in (guest, resident, nameless):
        # Nobody can be told from who is banned.
        refused = client.first(m.Refused)
        assert (refused.code, refused.retry_after_ms > 0) == (m.RefusalCode.UNAVAILABLE, True)
        assert refused.text == "the database cannot be asked just now"


async def test_a_closed_world_lets_nobody_in(hand: Hand) -> None:
    inside, late = Client(hand.world), Client(hand.world)
    inside.hello()
    await hand.enters(inside)
    await hand.world.gateway.close(5_000)
    late.hello()
    assert late.first(m.Refused).code == m.RefusalCode.UNAVAILABLE
    assert inside.received()[-1] == m.Goodbye("restart", "the server is stopping", 5_000)


async def test_who_is_closed_on_the_way_in_is_never_welcomed(hand: Hand) -> None:
    hasty = Client(hand.world)
    hasty.hello()
    await hand.joins(hasty)
    hasty.send(m.Leave())
    hand.tick(3)
    assert hasty.first(m.Welcome) is None
    assert not hasty.socket.is_open
    assert len(hand.world.fanout.seats) == 0
