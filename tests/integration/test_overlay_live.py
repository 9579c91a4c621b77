"""Edits of terrain in a real world over real sockets: seen by all who are near, by who comes late, and after a kill."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from databases import postgres_database
from keeping_order import appoint, ask, code_of, kept_world, owner_of
from live_server import Live, live_world, served
from raw_ws import eventually
from worldloom.app.clock import unix_ms
from worldloom.persistence.store import open_beside
from worldloom.services import order as services
from worldloom.services import overlays
from worldloom.services.asking import OPERATOR, Whom
from worldloom_sdk import Client, Refused, TerrainEdited
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.overlay import Patch, decode_overlay
from worldloom_sdk.testing.land import Meadow

pytestmark = pytest.mark.slow

BORDER = 256.0
"""Between regions (0, 0) and (1, 0); everybody comes in at (128, 128)."""
HILL = [[20.0] * 9 for _ in range(5)]


@asynccontextmanager
async def clients(port: int, *names: str, **fields: Any) -> AsyncIterator[list[Client]]:
    """SDK clients with accounts, in the world."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(Client(f"127.0.0.1:{port}", name=name, keep=True, **fields))
            for name in names
        ]


async def crown(live: Live, client: Client) -> None:
    """Make a client an owner, as the operator does."""
    whom = Whom(account=client.me.id)
    await live.world.store.run(services.give_role, services.GiveRole(OPERATOR, whom, "owner", unix_ms()))
    await eventually(lambda: client.role == "owner")


async def ground(client: Client, x: float, z: float) -> float:
    return await client.terrain.wait(x, z, timeout=10.0)


async def test_two_clients_and_a_late_comer_walk_the_same_ground_across_a_border(tmp_path: Path) -> None:
    async with (
        live_world(tmp_path / "data", source=Meadow()) as live,
        clients(live.port, "Olga", "Ben") as both,
    ):
        olga, ben = both
        await crown(live, olga)
        places = [(BORDER + dx, 128.0 + dz) for dx in (-8, -3.5, 0, 0.5, 8, 9, 12) for dz in (0, 2.25)]
        for client in both:
            for at in places:
                assert await ground(client, *at) == 5.0
        heard = asyncio.ensure_future(ben.wait_for(TerrainEdited, lambda e: e.rx == 1, timeout=10.0))
        await olga.edit_terrain(BORDER - 8, 124, HILL)
        assert olga.terrain.peek(BORDER, 128) == 20.0, "right after the edit"
        assert (await heard).version == 1
        async with clients(live.port, "Cy") as (cy,):
            expected = [20.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0, None, 20.0, None, None, None, 5.0, 5.0]
            for (x, z), height in zip(places, expected, strict=True):
                seen = [await ground(client, x, z) for client in (olga, ben, cy)]
                assert len(set(seen)) == 1
                assert height is None or seen[0] == height
            await olga.edit_terrain(BORDER, 128, [[None]])
            assert olga.terrain.peek(BORDER, 128) == 5.0
            for client in (ben, cy):
                await eventually(lambda client=client: client.terrain.peek(BORDER, 128) == 5.0)


async def test_who_walks_walks_on_the_new_ground_and_who_stands_there_is_lifted(tmp_path: Path) -> None:
    async with (
        live_world(tmp_path / "data", source=Meadow()) as live,
        clients(live.port, "Olga", "Ben") as both,
    ):
        olga, ben = both
        await crown(live, olga)
        await ben.move(128.0, 128.0)
        table = live.world.shard.avatars

        def height(client: Client) -> float:
            return float(table.y[table.row(client.me.id)]) / 16

        await eventually(lambda: height(ben) == 5.0)
        await olga.edit_terrain(120, 120, [[30.0] * 9 for _ in range(9)])
        await eventually(lambda: height(ben) == 30.0)
        # By the height that it is at, and by none: neither is refused.
        await ben.move(129.0, 129.0, 30.0)
        await ben.move(130.0, 130.0)
        await eventually(lambda: live.where(ben.me.id) == (130.0, 130.0))
        assert height(ben) == 30.0
        await olga.edit_terrain(120, 120, [[-10.0] * 9 for _ in range(9)])
        await eventually(lambda: height(ben) == 0.0)
        await ben.move(131.0, 131.0)
        await eventually(lambda: live.where(ben.me.id) == (131.0, 131.0))


async def test_what_is_refused_is_told_and_changes_nothing(tmp_path: Path) -> None:
    async with kept_world(tmp_path / "data", source=Meadow()) as live:
        olga, ben = await owner_of(live), await live.join("Ben", keep=True)
        flat = struct.pack("<4h", *[160] * 4)
        good = (64, 64, 2, 2, flat)
        assert await code_of(ask(ben, m.EditTerrain, *good)) == "forbidden"
        await appoint(live, ben, "moderator")
        assert await code_of(ask(ben, m.EditTerrain, *good)) == "forbidden"
        assert await code_of(ask(olga, m.EditTerrain, 128 * 900, 64, 2, 2, flat)) == "not_found"
        assert await code_of(ask(olga, m.EditTerrain, 4_194_304, 64, 2, 2, flat)) == "invalid"
        assert await code_of(ask(olga, m.EditTerrain, 64, 64, 2, 1, flat)) == "invalid"
        assert (
            await code_of(ask(olga, m.EditTerrain, 64, 64, 2, 2, struct.pack("<4h", *[23_041] * 4)))
            == "invalid"
        )
        too_many = await olga.ask(m.EditTerrain(77, 64, 64, 33, 1, bytes(66)))
        assert isinstance(too_many, m.Refused)
        assert (too_many.id, too_many.code) == (77, "invalid")
        await live.ticks(2)
        assert not olga.all_of(m.TerrainEdited)
        assert live.world.shard.overlay_version(0, 0) == 0
        done = await ask(olga, m.EditTerrain, *good)
        assert isinstance(done, m.Done)
        assert done.result == [[0, 0, 1]]
        told = await ben.next(m.TerrainEdited)
        assert told == m.TerrainEdited(0, 0, 1, *good)


async def test_edits_are_limited_as_other_commands_are(tmp_path: Path) -> None:
    async with kept_world(tmp_path / "data", source=Meadow(), limits={"commands_per_s": 2}) as live:
        olga = await owner_of(live)
        edit = (64, 64, 1, 1, struct.pack("<h", 160))
        codes = [await code_of(ask(olga, m.EditTerrain, *edit)) for _ in range(8)]
        assert codes[:4] == ["done"] * 4
        assert "rate" in codes[4:]


async def test_the_overlay_is_fetched_by_http_as_it_is_now(tmp_path: Path) -> None:
    async with kept_world(tmp_path / "data", source=Meadow()) as live, httpx.AsyncClient() as http:
        olga, base = await owner_of(live), f"http://127.0.0.1:{live.port}/overlay"
        assert (await http.get(f"{base}/0/0")).status_code == 404
        assert (await http.get(f"{base}/32768/0")).status_code == 400
        assert (await http.get(f"{base}/x/0")).status_code == 400
        await ask(olga, m.EditTerrain, 5, 6, 1, 1, struct.pack("<h", 320))
        first = await http.get(f"{base}/0/0")
        headers = {name: first.headers[name] for name in ("content-type", "cache-control")}
        assert headers == {
            "content-type": "application/vnd.worldloom.overlay", "cache-control": "no-cache",
        }  # fmt: skip
        assert first.headers["access-control-allow-origin"] == "*"
        read = decode_overlay(first.content)
        assert (read.version, read.samples[6, 5]) == (1, 320)
        again = await http.get(f"{base}/0/0", headers={"If-None-Match": first.headers["etag"]})
        assert again.status_code == 304
        await ask(olga, m.EditTerrain, 5, 6, 1, 1, struct.pack("<h", 352))
        newer = await http.get(f"{base}/0/0", headers={"If-None-Match": first.headers["etag"]})
        assert (newer.status_code, decode_overlay(newer.content).version) == (200, 2)


async def test_an_edit_made_beside_the_server_is_taken_over_with_the_next_one_here(tmp_path: Path) -> None:
    """As another host's would be: its version is missed, the overlay is read anew, and everybody near is told."""
    data = tmp_path / "data"
    async with live_world(data, source=Meadow()) as live, clients(live.port, "Olga", "Ben") as (olga, ben):
        await crown(live, olga)
        assert await ground(ben, 40, 40) == 5.0
        beside = open_beside(live.world.config.storage_url)
        far = Patch.of_metres(40, 40, [[9.0]])
        await beside.run(overlays.edit, overlays.Edit(OPERATOR, far, 7))
        await beside.close()
        assert ben.terrain.peek(40, 40) == 5.0
        await olga.edit_terrain(60, 60, [[11.0]])
        for client in (olga, ben):
            await eventually(lambda client=client: client.terrain.height(60, 60) == 11.0)
            assert await ground(client, 40, 40) == 9.0
        x, z = np.array([40 * 64], np.int64), np.array([40 * 64], np.int64)
        assert live.world.land.ground(x, z)[0].tolist() == [9 * 16]


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
async def test_edits_that_were_acknowledged_are_there_after_a_kill(tmp_path: Path, engine: str) -> None:
    data, limits = tmp_path / "data", {"commands_per_s": 1_000}
    async with AsyncExitStack() as stack:
        storage: dict[str, Any] = {}
        if engine == "postgres":
            storage = {"url": stack.enter_context(postgres_database())}
        done: list[int] = []
        async with (
            served(data, storage=storage, limits=limits) as world,
            clients(world.port, "Olga") as (olga,),
        ):
            token = olga.token
            beside = open_beside(storage.get("url", f"sqlite:///{data / 'world.db'}"))
            whom = Whom(account=olga.me.id)
            await beside.run(services.give_role, services.GiveRole(OPERATOR, whom, "owner", 7))
            await beside.close()
            await eventually(lambda: olga.role == "owner")

            async def edit_on() -> None:
                for n in range(10_000):
                    await olga.edit_terrain(100.0 + 2 * (n % 8), 100.0, [[n / 32]])
                    done.append(n)

            editing = asyncio.ensure_future(edit_on())
            await eventually(lambda: len(done) > 12 or editing.done())
            world.kill()
            await asyncio.wait([editing])
            assert editing.exception() is not None
        newest = {100.0 + 2 * (n % 8): n / 32 for n in done}
        # The last one may have been made without an answer.
        newest.pop(100.0 + 2 * (len(done) % 8), None)
        async with (
            served(data, storage=storage) as world,
            Client(f"127.0.0.1:{world.port}", token=token) as olga,
        ):
            assert {x: await ground(olga, x, 100.0) for x in newest} == newest
            await olga.edit_terrain(100.0, 110.0, [[3.0]])
            assert olga.terrain.peek(100.0, 110.0) == 3.0


async def test_who_may_not_edit_is_refused_and_what_is_no_edit_is_not_sent(
    tmp_path: Path,
) -> None:
    async with live_world(tmp_path / "data", source=Meadow()) as live, clients(live.port, "Ben") as (ben,):
        with pytest.raises(Refused) as refused:
            await ben.edit_terrain(10, 10, [[3.0]])
        assert refused.value.code == "forbidden"
        with pytest.raises(ValueError, match="multiple of 2 m"):
            await ben.edit_terrain(11, 10, [[3.0]])
