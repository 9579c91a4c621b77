"""Reports over the wire: the evidence is exactly what the server had sent to who reports, and it is sealed."""

import itertools
from dataclasses import replace
from pathlib import Path

import msgpack
import pytest

from keeping_order import ask, code_of, join_from, kept_world
from overheard import Crowd, Ear, hide
from worldloom.gateway.evidence import KEPT_MS
from worldloom.services import reports
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.geometry import XZ_PER_M
from worldloom_sdk.protocol.messages import BlockReach, SayKind
from worldloom_sdk.testing import World
from worldloom_sdk.testing.server import _SEAL_KEY
from worldloom_sdk.view import View

pytestmark = pytest.mark.slow

HERE = "192.0.2.7"
GENEROUS = {
    "server.connections_per_address": 1_000,
    "limits.says_per_10s": 1_000,
    "limits.commands_per_s": 1_000,
    "limits.accounts_per_hour": 1_000,
    "session.joins_per_s": 1_000,
    "world.speed_m_per_s": 100.0,
    "world.spawn_radius_m": 0.0,
}


class Witness(Ear):
    """Somebody who remembers all that it was sent, and when."""

    def __init__(self, crowd: Crowd, name: str, keep: bool = True) -> None:
        super().__init__(crowd, name, keep)
        self.view = View()
        self.heard: list[list[object]] = []
        self.saw: dict[int, dict[int, tuple[float, float]]] = {}
        self.answers: list[m.Done | m.Refused] = []

    def _take(self, payload: bytes) -> None:
        super()._take(payload)
        message, now = self.crowd.decoded(payload), self.crowd.world.clock.world_ms()
        match message:
            case m.Area():
                self.view.apply_area(
                    message.tick, message.cx, message.cz, message.radius, message.layers, message.body
                )
            case m.AreaComplete():
                self.view.finish_area(message.tick)
            case m.Frame():
                self.view.apply_frame(message.tick, message.body)
                at = message.tick * 50
                self.heard += [
                    [at, f"say{line.kind}", line.avatar, line.name, line.text] for line in message.lines
                ]
            case m.Whispered():
                self.heard.append([now, "whisper", message.avatar, message.name, message.text])
            case m.Signalled():
                name = self.crowd.by_avatar[message.avatar].name
                self.heard.append([now, f"signal {message.channel}", message.avatar, name, message.data])
            case m.Done() | m.Refused():
                self.answers.append(message)

    def remember(self) -> None:
        """What is in view now."""
        others = {a: body.position for a, body in self.view.avatars.items() if a != self.you}
        self.saw[self.crowd.world.clock.world_ms()] = {a: (p.x, p.z) for a, p in others.items()}


class Scene:
    """Some people in a world with time in hand, and a witness who reports."""

    def __init__(self, world: World, names: list[str]) -> None:
        self.world, self.crowd = world, Crowd(world)
        self.ears = [Witness(self.crowd, name) for name in names]
        self.witness = self.ears[0]

    async def begin(self) -> None:
        for ear in self.ears:
            ear.dial()
        await self.pass_s(1)

    async def pass_s(self, seconds: float) -> None:
        for _ in range(round(seconds * 20)):
            await self.crowd.pass_tick()
            self.crowd.read(self.ears)
            self.witness.remember()

    def stand(self, ear: Ear, x: float, z: float) -> None:
        """Go to a place in metres from the spawn, in one step."""
        config = self.world.node.config.world
        ear.x, ear.z = round((config.spawn_x_m + x) * XZ_PER_M), round((config.spawn_z_m + z) * XZ_PER_M)
        ear.step(0, 0, (-(1 << 30), 1 << 30))

    async def report(self, about: int, text: str = "look") -> m.Done | m.Refused:
        self.witness.command(m.Report, about, text)
        await self.crowd.pass_tick()
        return self.witness.answers[-1]

    async def evidence(self, about: int) -> tuple[reports.ReportRow, dict[str, object]]:
        answer = await self.report(about)
        assert isinstance(answer, m.Done), answer
        row = await self.world.node.store.read(reports.report, answer.result)
        return row, msgpack.unpackb(row.evidence)


async def scene_of(world: World, *names: str) -> Scene:
    scene = Scene(world, list(names))
    await scene.begin()
    return scene


async def test_a_report_carries_every_line_whisper_and_signal_of_the_last_half_minute_and_no_older_one() -> (
    None
):
    async with World(land="flat", config=GENEROUS) as world:
        scene = await scene_of(world, "Witness", "Pest", "Other")
        witness, pest, other = scene.ears
        for second in range(40):
            pest.command(m.Say, SayKind(second % 3), f"line {second}")
            pest.command(m.Whisper, witness.you, f"psst {second}")
            pest.command(m.Whisper, other.you, "not for the witness")
            other.command(m.Signal, witness.you if second % 2 else 0, "game", bytes([second]))
            await scene.pass_s(1)
        now = world.clock.world_ms()
        row, told = await scene.evidence(pest.you)
        since = told["world_ms"] - KEPT_MS
        assert now <= told["world_ms"] <= now + 50
        assert told["heard"] == sorted(
            (one for one in witness.heard if one[0] >= since), key=lambda one: one[0]
        )
        assert 85 < len(told["heard"]) <= 93 < len(witness.heard)
        assert told["names"] == {str(pest.you): "Pest", str(other.you): "Other"}
        assert (row.by, row.by_name, row.account, row.about, row.detail) == (
            witness.you, "Witness", pest.you, "Pest", "look",
        )  # fmt: skip


async def test_a_report_carries_who_was_in_view_where_and_nobody_who_was_blocked_or_hidden() -> None:
    async with World(land="flat", config=GENEROUS) as world:
        scene = await scene_of(world, "Witness", "Pest", "Blocked", "Warden", "Far")
        witness, pest, blocked, warden, far = scene.ears
        await world.give_role("Warden", "moderator")
        places = {pest: (3, 4), blocked: (5, 5), warden: (6, 6), far: (90, 0)}
        for ear, place in places.items():
            scene.stand(ear, *place)
        await scene.pass_s(2)
        scene.stand(far, 180, 0)
        await scene.pass_s(3)
        scene.crowd.block(blocked, witness, True, BlockReach.ALL)
        hide(warden, True)
        await scene.pass_s(2)
        scene.stand(pest, -20, 7)
        blocked.command(m.Say, SayKind.SAY, "unheard")
        await scene.pass_s(3)
        _, told = await scene.evidence(pest.you)
        seen = {at: {a: (x, z) for a, x, z in bodies} for at, bodies in told["seen"]}
        assert {after - before for before, after in itertools.pairwise(seen)} == {500}
        assert len(seen) >= 20
        for at, bodies in seen.items():
            assert bodies == {a: (round(x, 1), round(z, 1)) for a, (x, z) in witness.saw[at].items()}, at
        assert {pest.you, blocked.you, warden.you} <= set(list(seen.values())[7])
        assert set(list(seen.values())[-1]) == {pest.you}
        assert told["heard"] == []
        assert scene.crowd.overheard == []


async def test_who_blocks_first_and_reports_then_still_has_the_evidence() -> None:
    async with World(land="flat", config=GENEROUS) as world:
        scene = await scene_of(world, "Witness", "Pest")
        witness, pest = scene.ears
        pest.command(m.Say, SayKind.SAY, "insult")
        await scene.pass_s(2)
        scene.crowd.block(witness, pest, True, BlockReach.ALL)
        pest.command(m.Say, SayKind.SAY, "another")
        await scene.pass_s(3)
        _, told = await scene.evidence(pest.you)
        assert [one[4] for one in told["heard"]] == ["insult"]
        with_pest = [at for at, bodies in told["seen"] if bodies]
        assert 4 <= len(with_pest) <= 7 < len(told["seen"])
        await scene.pass_s(KEPT_MS / 1_000)
        assert (await scene.report(pest.you)).code == "not_found"


async def test_bodies_that_the_budget_dropped_are_not_in_the_evidence() -> None:
    thrifty = {**GENEROUS, "sync.bytes_per_second_per_client": 600}
    async with World(land="flat", config=thrifty) as world:
        scene = await scene_of(world, *(f"Walker {n}" for n in range(40)))
        for number, ear in enumerate(scene.ears):
            scene.stand(ear, number * 1.9, 0)
        for _ in range(30):
            for number, ear in enumerate(scene.ears[1:], 1):
                scene.stand(ear, number * 1.9, scene.crowd.world.tick % 40 / 4)
            await scene.pass_s(0.2)
        _, told = await scene.evidence(scene.ears[1].you)
        outwards = [ear.you for ear in scene.ears[1:]]
        for at, bodies in told["seen"]:
            assert {avatar for avatar, _, _ in bodies} == set(outwards[: len(bodies)])
            assert set(scene.witness.saw[at]) == set(outwards)
        counts = [len(bodies) for _, bodies in told["seen"]]
        assert min(counts) < 10 < max(counts) == len(outwards)


async def test_who_was_neither_seen_nor_heard_cannot_be_reported() -> None:
    async with World(land="flat", config=GENEROUS) as world:
        scene = await scene_of(world, "Witness", "Warden", "Far")
        witness, warden, far = scene.ears
        await world.give_role("Warden", "moderator")
        hide(warden, True)
        scene.stand(far, 90, 0)
        await scene.pass_s(2)
        scene.stand(far, 180, 0)
        await scene.pass_s(KEPT_MS / 1_000 + 2)
        for about in (warden.you, far.you, witness.you, 77_777, (1 << 31) + 5):
            assert (await scene.report(about)).code == "not_found", about
            await scene.pass_s(10.2)
        far.command(m.Whisper, witness.you, "from afar")
        await scene.pass_s(1)
        _, told = await scene.evidence(far.you)
        assert [one[4] for one in told["heard"]] == ["from afar"]


async def test_one_byte_changed_anywhere_breaks_the_seal() -> None:
    async with World(land="flat", config=GENEROUS) as world:
        scene = await scene_of(world, "Witness", "Pest")
        scene.ears[1].command(m.Say, SayKind.SAY, "insult")
        await scene.pass_s(2)
        row, _ = await scene.evidence(scene.ears[1].you)
    assert reports.seal_is_good(row, _SEAL_KEY)
    assert not reports.seal_is_good(row, _SEAL_KEY[:-1] + b"x")
    for at in range(len(row.evidence)):
        evidence = bytearray(row.evidence)
        evidence[at] ^= 1 << at % 8
        assert not reports.seal_is_good(replace(row, evidence=bytes(evidence)), _SEAL_KEY), at
    for at in range(len(row.seal)):
        seal = bytearray(row.seal)
        seal[at] ^= 1
        assert not reports.seal_is_good(replace(row, seal=bytes(seal)), _SEAL_KEY), at
    for changed in (
        {"at_ms": row.at_ms + 1},
        {"by": None},
        {"by_name": "witness"},
        {"account": row.by},
        {"about": "Pes"},
        {"detail": "look!"},
        {"detail": "", "about": "Pestlook"},
        {"evidence": row.evidence[:-1]},
    ):
        assert not reports.seal_is_good(replace(row, **changed), _SEAL_KEY), changed
    assert reports.seal_is_good(replace(row, closed_ms=1), _SEAL_KEY)


async def test_nobody_pushes_an_insult_out_of_the_evidence_by_sending_more() -> None:
    async with World(land="flat", config=GENEROUS) as world:
        scene = await scene_of(world, "Witness", "Pest", "Accomplice")
        witness, pest, accomplice = scene.ears
        pest.command(m.Whisper, witness.you, "insult")
        pest.command(m.Say, SayKind.SAY, "shame")
        await scene.pass_s(0.1)
        for _ in range(100):
            for noisy in (pest, accomplice):
                noisy.command(m.Signal, witness.you, "x", b"")
                noisy.command(m.Say, SayKind.SAY, ".")
                noisy.command(m.Say, SayKind.SAY, ".")
            await scene.pass_s(0.1)
        await scene.pass_s(18)
        _, told = await scene.evidence(pest.you)
        assert told["heard"] == sorted(witness.heard, key=lambda one: one[0])
        assert len(told["heard"]) == 602
        assert [line[4] for line in told["heard"][:2]] == ["insult", "shame"]


async def test_ten_reports_at_once_and_two_a_second_of_all_together(tmp_path: Path) -> None:
    async with kept_world(tmp_path, sweep_s=1.0) as live:
        desk = live.world.gateway.commands.slow[m.Report].__self__
        seconds = [0.0]
        desk._times = replace(desk._times, monotonic=lambda: seconds[0])
        pest = await join_from(live, HERE, "Pest")
        crowd = [await join_from(live, f"198.51.100.{n}") for n in range(12)]
        for one in crowd:
            await ask(pest, m.Whisper, one.you, "insult")
        answers = [await ask(one, m.Report, pest.you, "look") for one in crowd]
        assert [type(answer) for answer in answers] == [m.Done] * 10 + [m.Refused] * 2
        assert (answers[-1].code, answers[-1].retry_after_ms) == ("unavailable", 501)
        seconds[0] += 0.5
        # Who was refused by the fault of others may try again at once.
        assert await code_of(ask(crowd[11], m.Report, pest.you, "look")) == "done"
        assert await code_of(ask(crowd[10], m.Report, pest.you, "look")) == "unavailable"


async def test_one_report_in_ten_seconds_and_twenty_a_day(tmp_path: Path) -> None:
    async with kept_world(tmp_path, sweep_s=1.0) as live:
        desk = live.world.gateway.commands.slow[m.Report].__self__
        seconds = [0.0]
        desk._times = replace(desk._times, monotonic=lambda: seconds[0])
        rosa, pest = await join_from(live, HERE, "Rosa", keep=True), await join_from(live, HERE, "Pest")
        await ask(pest, m.Whisper, rosa.you, "insult")
        codes = []
        for _ in range(22):
            codes.append(await code_of(ask(rosa, m.Report, pest.you, "look")))
            assert (await ask(rosa, m.Report, pest.you, "look")).code == "rate"
            seconds[0] += 10
        assert codes == ["done"] * 20 + ["rate"] * 2
        answer = await ask(rosa, m.Report, pest.you, "look")
        assert 3_000_000 < answer.retry_after_ms <= 86_400_000 / 20
        seconds[0] += answer.retry_after_ms / 1_000
        assert await code_of(ask(rosa, m.Report, pest.you, "look")) == "done"
        # Others have their own; guests of one address share one.
        one, two = await join_from(live, HERE), await join_from(live, HERE)
        await ask(pest, m.Whisper, one.you, "insult")
        await ask(pest, m.Whisper, two.you, "insult")
        assert await code_of(ask(one, m.Report, pest.you, "look")) == "done"
        assert await code_of(ask(two, m.Report, pest.you, "look")) == "rate"
