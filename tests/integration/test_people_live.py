"""``worldloom people`` beside a served world: another process acts, open sockets feel it within a second."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from databases import postgres_database
from live_server import Player, Served, served
from worldloom.gateway.session import FOREVER
from worldloom_sdk.protocol import messages as m

pytestmark = pytest.mark.slow

IN_FORCE_WITHIN_S = 1.0


@dataclass
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str
    ended_s: float
    """Monotonic seconds."""


@dataclass
class Operator:
    """Somebody at the command line, where a world's data is."""

    data: Path
    url: str = ""
    felt_unix_s: list[float] = field(default_factory=list)
    """When each act was felt in the world."""

    async def people(self, *words: str) -> Said:
        """Run ``worldloom people`` in a process of its own."""
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        environment["WORLDLOOM_STORAGE__URL"] = self.url
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "worldloom", "people", *words, "--data", str(self.data)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
        )
        out, err = await process.communicate()
        return Said(process.returncode or 0, out.decode(), err.decode(), time.monotonic())

    async def done(self, *words: str) -> str:
        """Run a command that must be done; what it says."""
        said = await self.people(*words)
        assert (said.code, said.err) == (0, ""), said
        return said.out

    async def act(self, felt: Awaitable[Any], *words: str) -> None:
        """Run a command that somebody in the world feels, less than a second after it has ended or before."""
        feeling = asyncio.create_task(_when(felt))
        said = await self.people(*words)
        assert said.code == 0, said
        felt_s, felt_unix_s = await feeling
        assert felt_s - said.ended_s < IN_FORCE_WITHIN_S
        self.felt_unix_s.append(felt_unix_s)

    async def delays_s(self) -> list[float]:
        """For each act, the seconds from what the audit log says, a moment before the commit, until it was felt."""
        acts = reversed(json.loads(await self.done("audit", "--json")))
        pairs = zip(acts, self.felt_unix_s, strict=True)
        return [felt_unix_s - act["at_ms"] / 1_000 for act, felt_unix_s in pairs]


async def _when(felt: Awaitable[Any]) -> tuple[float, float]:
    await felt
    return time.monotonic(), time.time()


async def sent_out(player: Player, code: str, reason: str) -> None:
    """Wait until somebody is sent out, with a word."""
    assert await player.closed() == m.CloseCode.REMOVED
    goodbye = player.received[-1]
    assert isinstance(goodbye, m.Goodbye)
    assert (goodbye.code, goodbye.text) == (code, reason)


async def told(player: Player, role: str, muted_ms: int = 0) -> None:
    """Wait until somebody is told to be this."""
    await player.next(m.Standing, lambda now: (now.role, now.muted_ms) == (role, muted_ms))


async def name_of(world: Served, guest: Player) -> str:
    """What the server calls a guest."""
    watcher = await world.join()
    watcher.send(m.Who([guest.you]))
    people = await watcher.next(m.People)
    await watcher.leave()
    return people.people[0].name


async def is_kept_out(world: Served, **hello: str) -> None:
    """Make sure that somebody with this Hello is not let in."""
    player = await Player.dial(world.port)
    player.send(m.Hello(m.PROTOCOL_VERSION, "test", "", **hello))
    assert (await player.next(m.Goodbye)).code == "banned"


async def test_acts_of_another_process_are_in_force_within_a_second(tmp_path: Path) -> None:
    data = tmp_path / "data"
    operator = Operator(data)
    async with served(data) as world:
        ann, bob = await world.join("Ann", keep=True), await world.join("Bob", keep=True)
        eve, guest = await world.join("Eve", keep=True), await world.join()
        name = await name_of(world, guest)
        await operator.act(told(ann, "moderator"), "role", "ann", "moderator")
        ban = ("ban", "bob", "--for", "7d", "--reason", "insults")
        await operator.act(sent_out(bob, "banned", "insults"), *ban)
        await is_kept_out(world, token=bob.welcome.token)
        await operator.act(told(eve, "resident", FOREVER), "mute", "Eve", "--reason", "noise")
        await operator.act(told(eve, "resident"), "unmute", "Eve")
        await operator.act(sent_out(eve, "kicked", ""), "kick", str(eve.you))
        await operator.act(told(guest, "guest", FOREVER), "mute", name)
        await operator.act(sent_out(guest, "kicked", "bye"), "kick", name, "--reason", "bye")
        other = await world.join()
        raid = ("ban", "--network", "127.0.0.0/24", "--reason", "raid")
        await operator.act(sent_out(other, "banned", "raid"), *raid)
        await is_kept_out(world)
        await ann.ping()
        assert not ann.gone
        delays = await operator.delays_s()
        assert max(delays) < IN_FORCE_WITHIN_S, delays
        assert "Traceback" not in world.log.read_text()


async def test_acts_of_another_process_are_in_force_within_a_second_on_postgresql(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with postgres_database() as url:
        operator = Operator(data, url)
        async with served(data, storage={"url": url}) as world:
            bob, eve = await world.join("Bob", keep=True), await world.join("Eve", keep=True)
            await operator.act(told(eve, "owner"), "role", "Eve", "owner", "--yes")
            await operator.act(sent_out(bob, "banned", "insults"), "ban", "Bob", "--reason", "insults")
            delays = await operator.delays_s()
            assert max(delays) < IN_FORCE_WITHIN_S, delays


async def test_what_a_reporter_was_sent_is_read_with_its_seal_intact(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with served(data) as world:
        ann, bob = await world.join("Ann", keep=True), await world.join("Bob", keep=True)
        bob.send(m.Say(1, m.SayKind.SHOUT, "go [b]away[/b]"))
        await ann.until(lambda: ann.lines)
        bob.send(m.Whisper(2, ann.you, "or else"))
        await ann.next(m.Whispered)
        answer = await ann.ask(m.Report(1, bob.you, "he threatens"))
        assert answer == m.Done(1, 1)
        operator = Operator(data)
        text = await operator.done("report", "1")
        assert "intact" in text
        assert "go [b]away[/b]" in text
        found = json.loads(await operator.done("report", "1", "--json"))
    lines = [(one["kind"], one["avatar"], one["text"]) for one in found["heard"]]
    assert lines == [("say1", bob.you, "go [b]away[/b]"), ("whisper", bob.you, "or else")]
    assert all(0 <= one["before_ms"] <= 30_000 for one in found["heard"])
    assert (found["seal"], found["by"], found["about"], found["text"]) == (
        "intact",
        "Ann",
        "Bob",
        "he threatens",
    )


async def test_after_the_server_has_stopped_it_goes_on_and_counts_when_it_is_back(tmp_path: Path) -> None:
    data = tmp_path / "data"
    operator = Operator(data)
    async with served(data) as world:
        token = (await world.join("Bob", keep=True)).welcome.token
        world.interrupt()
        assert await world.ended() == 0
    await operator.done("ban", "Bob", "--reason", "insults")
    code = (await operator.done("recover", "Bob")).splitlines()[0]
    async with served(data) as world:
        player = await Player.dial(world.port)
        player.send(m.Hello(m.PROTOCOL_VERSION, "test", "", token=token))
        assert (await player.next(m.Goodbye)).code == "banned"
        await operator.done("unban", "Bob")
        again = await world.join(code=code)
        assert again.welcome.name == "Bob"


async def test_an_invitation_made_beside_the_server_opens_its_door(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with served(data, access={"mode": "invitation"}) as world:
        code = (await Operator(data).done("invite")).splitlines()[0]
        outside = await Player.dial(world.port)
        outside.send(m.Hello(m.PROTOCOL_VERSION, "test", ""))
        assert (await outside.next(m.Goodbye)).code == "access"
        inside = await world.join("Ann", keep=True, access=code)
        assert inside.welcome.role == "resident"
