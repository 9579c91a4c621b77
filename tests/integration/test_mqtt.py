"""Public events over real brokers: order, what a broker's absence costs, refusals, silence, and a whole world."""

import asyncio
import gc
import itertools
import json
import secrets
import ssl
from contextlib import asynccontextmanager

import pytest

from brokers import OwnBroker, listening, public_broker, run_tool
from live_server import live_world, served
from raw_ws import eventually
from worldloom.app import node
from worldloom.bus.broker import Address, BrokerError, Waits, connected
from worldloom.bus.mqtt import MqttPublisher, Patience
from worldloom.config import MqttConfig
from worldloom.ports import PublicEvent
from worldloom.replication.feed import SetLayer
from worldloom_sdk.protocol import messages
from worldloom_sdk.protocol.messages import SayKind

HOST = "127.0.0.1"
HASTY = Patience(connect_s=1.0, answer_s=1.0, backoff_s=0.02, backoff_cap_s=0.05, drain_s=1.0)
EPOCH = 1_760_000_000_000
CONNACK = b"\x20\x02\x00\x00"

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def no_noise(caplog):
    """Nothing is left to the event loop's last resort: no exception that nobody retrieved, no failed callback."""
    yield
    gc.collect()
    assert [r.getMessage() for r in caplog.records if r.name == "asyncio" and r.levelname == "ERROR"] == []


@pytest.fixture
def prefix():
    return f"test/{secrets.token_hex(6)}"


@pytest.fixture
async def broker(tmp_path):
    async with OwnBroker(tmp_path) as broker:
        yield broker


def publisher_to(host, port, prefix, password="", patience=HASTY, **fields):
    config = MqttConfig(enabled=True, host=host, port=port, world_topic=prefix, **fields)
    return MqttPublisher(config, password, "w0", "Hills", EPOCH, patience)


@asynccontextmanager
async def running(publisher):
    """The publisher runs until the block ends, and stops in time."""
    task = asyncio.create_task(publisher.run())
    try:
        yield publisher
    finally:
        task.cancel()
        async with asyncio.timeout(HASTY.drain_s + HASTY.connect_s + 0.5):
            await asyncio.wait([task])
        assert task.cancelled()


def came(rx, rz=0, name="Ada"):
    return PublicEvent("came", rx, rz, at_ms=EPOCH + 1, avatar=7, name=name, how="joined")


async def status_becomes(ear, state):
    async with asyncio.timeout(10):
        while (await ear.next())[1]["state"] != state:
            pass


async def test_events_arrive_in_order_each_on_its_regions_topic(prefix):
    host, port = public_broker()
    async with (
        listening(host, port, f"{prefix}/w0/r/+/+/events") as ear,
        running(publisher_to(host, port, prefix)) as publisher,
    ):
        for rx in range(-20, 20):
            publisher.offer(came(rx, 3))
        heard = [await ear.next() for _ in range(40)]
        await eventually(lambda: publisher.stats().published == 40)
    assert [topic for topic, _ in heard] == [f"{prefix}/w0/r/{rx}/3/events" for rx in range(-20, 20)]
    assert [payload["seq"] for _, payload in heard] == list(range(1, 41))


async def test_events_are_not_retained_and_the_status_is(prefix):
    host, port = public_broker()
    async with running(publisher_to(host, port, prefix)) as publisher:
        publisher.offer(came(0))
        await eventually(lambda: publisher.stats().published == 1)
        async with listening(host, port, f"{prefix}/#") as ear:
            message = await ear.message()
            assert (str(message.topic), message.retain) == (f"{prefix}/w0/status", True)
            publisher.offer(came(5))
            topic, payload = await ear.next()
    assert (topic, payload["seq"]) == (publisher.topics.events(5, 0), 2)


async def test_the_land_registers_head_is_retained_and_told_again_to_a_broker_that_comes_back(broker, prefix):
    topic = f"{prefix}/w0/register"
    async with running(publisher_to(HOST, broker.port, prefix)) as publisher:
        for number in (1, 2):
            publisher.keep_head(number, bytes([number] * 32), EPOCH + number)
        publisher.offer(came(0))
        await eventually(lambda: publisher.stats().published == 1)
        async with listening(HOST, broker.port, topic) as ear:
            message = await ear.message()
            assert message.retain
            assert json.loads(message.payload) == {
                "v": 1, "number": 2, "hash": "02" * 32, "at_ms": EPOCH + 2,
            }  # fmt: skip
        await broker.stop()
        await eventually(lambda: not publisher.stats().connected)
        publisher.keep_head(3, bytes([3] * 32), EPOCH + 3)
        await broker.start()
        await eventually(lambda: publisher.stats().connected)
        async with listening(HOST, broker.port, topic) as ear:
            assert (await ear.next())[1]["number"] == 3


async def test_stopping_sends_what_is_left_and_says_offline(prefix):
    host, port = public_broker()
    async with listening(host, port, f"{prefix}/#") as ear:
        async with running(publisher_to(host, port, prefix)) as publisher:
            await status_becomes(ear, "online")
            for rx in range(100):
                publisher.offer(came(rx))
        heard = await ear.payloads(101)
    assert [payload["seq"] for payload in heard[:100]] == list(range(1, 101))
    assert heard[100]["state"] == "offline"
    assert publisher.stats().queued == 0


async def test_a_connection_that_ends_without_farewell_leaves_the_will(prefix):
    host, port = public_broker()
    topic = f"{prefix}/w0/status"
    async with listening(host, port, topic) as ear:
        with pytest.raises(RuntimeError):
            async with connected(
                Address(host, port, secrets.token_hex(6)), Waits(), topic, b'{"state":"offline"}'
            ):
                raise RuntimeError("the power went out")
        assert (await ear.next())[1] == {"state": "offline"}


async def test_a_broker_that_is_away_costs_only_the_oldest_events_over_the_limit(broker, prefix):
    topics = (HOST, broker.port, f"{prefix}/w0/r/+/+/events")
    async with running(publisher_to(HOST, broker.port, prefix, outbox_limit=50)) as publisher:
        async with listening(*topics, stays="dashboard") as ear:
            for rx in range(3):
                publisher.offer(came(rx))
            assert [p["seq"] for p in await ear.payloads(3)] == [1, 2, 3]
            await eventually(lambda: publisher.stats().published == 3)
        await broker.stop()
        for rx in range(60):
            publisher.offer(came(rx))
        await eventually(lambda: not publisher.stats().connected)
        assert (publisher.stats().queued, publisher.stats().dropped) == (50, 10)
        await broker.start()
        async with listening(*topics, stays="dashboard") as ear:
            heard = [3]
            while heard[-1] != 63:
                heard.append((await ear.next())[1]["seq"])
        # The broker may repeat what its listener had no time to acknowledge.
        assert [number for number in heard if number > 3] == list(range(14, 64))
        await eventually(lambda: publisher.stats().queued == 0)
        assert (publisher.stats().published, publisher.stats().dropped) == (53, 10)


async def test_a_broker_that_dies_amid_a_stream_loses_and_swaps_nothing(broker, prefix):
    topics = (HOST, broker.port, f"{prefix}/w0/r/+/+/events")
    async with listening(*topics, stays="dashboard"):
        pass
    async with running(publisher_to(HOST, broker.port, prefix)) as publisher:
        for rx in range(3000):
            publisher.offer(came(rx))
        await eventually(lambda: publisher.stats().published > 100)
        await broker.stop()
        await broker.start()
        await eventually(lambda: publisher.stats().queued == 0)
    assert publisher.stats().dropped == 0
    heard = [0]
    async with listening(*topics, stays="dashboard") as ear:
        while heard[-1] != 3000:
            heard.append((await ear.next())[1]["seq"])
    assert list(dict.fromkeys(heard)) == list(range(3001))
    # What comes again comes again in order.
    assert sum(later <= earlier for earlier, later in itertools.pairwise(heard)) <= 1


async def test_an_idle_publisher_notices_that_the_broker_is_gone_and_comes_back(broker, prefix):
    async with running(publisher_to(HOST, broker.port, prefix)) as publisher:
        for _ in range(3):
            await eventually(lambda: publisher.stats().connected)
            await broker.stop()
            await eventually(lambda: not publisher.stats().connected)
            assert publisher.stats().last_error
            await broker.start()
        async with listening(HOST, broker.port, publisher.topics.status) as ear:
            await status_becomes(ear, "online")


@pytest.mark.parametrize("says", [b"", CONNACK], ids=["nothing", "welcome and no more"])
async def test_a_broker_that_never_answers_is_tried_again_and_does_not_hold_up_the_end(prefix, says):
    calls = []
    over = asyncio.Event()

    async def mute(reader, writer):
        calls.append(writer)
        writer.write(says)
        await over.wait()
        writer.close()

    server = await asyncio.start_server(mute, HOST, 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        patience = Patience(connect_s=1.0, answer_s=0.1, backoff_s=0.02, drain_s=0.3)
        async with running(publisher_to(HOST, port, prefix, patience=patience)) as publisher:
            publisher.offer(came(0))
            await eventually(lambda: len(calls) > 2)
            stats = publisher.stats()
        over.set()
    assert (stats.connected, stats.queued, stats.published) == (False, 1, 0)
    assert "timed out" in stats.last_error


async def test_a_wrong_password_is_told_of_and_a_right_one_lets_in(tmp_path, prefix):
    passwords = tmp_path / "passwords"
    await run_tool("mosquitto_passwd", "-b", "-c", passwords, "world", "right")
    lines = ("allow_anonymous false", f"password_file {passwords}")
    async with OwnBroker(tmp_path, *lines) as broker:
        async with running(publisher_to(HOST, broker.port, prefix, "wrong", username="world")) as publisher:
            await eventually(lambda: "uthor" in publisher.stats().last_error)
        async with running(publisher_to(HOST, broker.port, prefix, "right", username="world")) as publisher:
            await eventually(lambda: publisher.stats().connected)


async def test_events_that_the_access_list_forbids_are_lost_in_silence_and_harm_nothing(tmp_path, prefix):
    rules = tmp_path / "rules"
    rules.write_text(
        f"topic readwrite {prefix}/w0/status\ntopic write {prefix}/w0/r/1/0/events\ntopic read #\n"
    )
    async with (
        OwnBroker(tmp_path, "allow_anonymous true", f"acl_file {rules}") as broker,
        listening(HOST, broker.port, f"{prefix}/w0/r/#") as ear,
        running(publisher_to(HOST, broker.port, prefix)) as publisher,
    ):
        publisher.offer(came(0))
        publisher.offer(came(1))
        assert (await ear.next())[1]["seq"] == 2
        await eventually(lambda: publisher.stats().published == 2)


async def test_an_event_that_the_broker_chokes_on_is_dropped_and_those_after_it_arrive(tmp_path, prefix):
    heard = []
    async with (
        OwnBroker(tmp_path, "allow_anonymous true", "max_packet_size 600") as broker,
        listening(HOST, broker.port, f"{prefix}/w0/r/#") as ear,
        running(publisher_to(HOST, broker.port, prefix)) as publisher,
    ):
        for name in ("Ada", "Bo", "x" * 800, "Cy", "Di"):
            publisher.offer(came(0, name=name))
        while heard[-1:] != [5]:
            heard.append((await ear.next())[1]["seq"])
        await eventually(lambda: publisher.stats().queued == 0)
    assert list(dict.fromkeys(heard)) == [1, 2, 4, 5]
    assert publisher.stats().dropped == 1


async def test_over_tls_only_a_broker_with_a_known_certificate_is_spoken_to(tmp_path, prefix, monkeypatch):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 -addext"
    alternative = "subjectAltName=IP:127.0.0.1"
    await run_tool("openssl", *make.split(), alternative, "-keyout", key, "-out", certificate)
    lines = ("allow_anonymous true", f"certfile {certificate}", f"keyfile {key}")
    async with OwnBroker(tmp_path, *lines) as broker:
        async with running(publisher_to(HOST, broker.port, prefix, tls=True)) as publisher:
            await eventually(lambda: "CERTIFICATE_VERIFY_FAILED" in publisher.stats().last_error)
        monkeypatch.setenv(ssl.get_default_verify_paths().openssl_cafile_env, str(certificate))
        async with running(publisher_to(HOST, broker.port, prefix, tls=True)) as publisher:
            publisher.offer(came(0))
            await eventually(lambda: publisher.stats().published == 1)


async def test_a_connection_that_cannot_be_made_says_why():
    with pytest.raises(BrokerError, match="refused"):
        async with connected(Address(HOST, 1, "x"), Waits(), "status", b""):
            pass


async def test_whoever_is_connected_when_the_broker_dies_is_told_at_once(broker):
    async def stay_connected():
        async with connected(Address(HOST, broker.port, "x"), Waits(answer_s=60), "status", b""):
            await broker.stop()
            await asyncio.Event().wait()

    async with asyncio.timeout(5):
        with pytest.raises(BrokerError, match="lost"):
            await stay_connected()


async def test_a_world_tells_of_its_land_and_of_people_who_come_walk_over_and_leave(tmp_path, prefix):
    host, port = public_broker()
    mqtt = {"enabled": "true", "host": host, "port": port, "world_topic": prefix}
    async with (
        listening(host, port, f"{prefix}/+/status") as status,
        listening(host, port, f"{prefix}/+/r/+/+/events") as ear,
        served(tmp_path / "data", mqtt=mqtt, world={"spawn_x_m": 250.0, "spawn_radius_m": 0.0}) as process,
    ):
        _, online = await status.next()
        player = await process.join("Ada")
        events = await walked_over_and_left(ear, player)
        process.interrupt()
        assert await process.ended() == 0
        assert "Traceback" not in process.log.read_text()
        _, offline = await status.next()
    assert (online["state"], offline["state"]) == ("online", "offline")
    assert online["world_id"] == player.welcome.world_id
    people = [e for e in events if e["kind"] in ("came", "left")]
    assert [(e["kind"], e["how"], e["rx"], e["rz"]) for e in people] == [
        ("came", "joined", 0, 0),
        ("left", "walked", 0, 0),
        ("came", "walked", 1, 0),
        ("left", "parted", 1, 0),
    ]
    assert {(e["avatar"], e["name"]) for e in people} == {(player.you, "Ada")}
    woven = [e for e in events if e["kind"] == "woven"]
    assert {(0, 0), (1, 0)} <= {(e["rx"], e["rz"]) for e in woven}
    assert {(e["source"], len(e["sha256"])) for e in woven} == {("noise", 64)}
    numbers = [e["seq"] for e in events]
    assert numbers == list(range(1, len(numbers) + 1))
    assert {e["epoch"] for e in events} == {online["epoch"]}


async def walked_over_and_left(ear, player):
    """Walk from region (0, 0) into region (1, 0) and leave there; every event up to then."""
    events = []

    async def hear(**what):
        async with asyncio.timeout(10):
            while not any(what.items() <= event.items() for event in events):
                events.append((await ear.next())[1])

    await hear(kind="came", how="joined")
    await hear(kind="woven", rx=1, rz=0)
    # Made is not yet open: what was edited there is read first.
    await player.until(lambda: (1, 0) in {(r.rx, r.rz) for r in player.all_of(messages.Region) if r.sha256})
    player.move(275.0, 128.0)
    await hear(kind="came", how="walked")
    await player.leave()
    await hear(kind="left", how="parted")
    return events


async def test_with_the_broker_away_a_world_is_healthy_and_stops_in_time(tmp_path):
    mqtt = {"enabled": "true", "host": HOST, "port": 1}
    async with served(tmp_path / "data", mqtt=mqtt) as process:
        player = await process.join("Ada")
        reader, writer = await asyncio.open_connection(HOST, process.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        assert answer.startswith(b"HTTP/1.1 200")
        assert b'"mqtt":{"connected":false' in answer
        await player.drop()
        process.interrupt()
        assert await process.ended() == 0
        assert "Traceback" not in process.log.read_text()


async def test_staff_who_hide_seem_to_leave_and_what_is_said_is_never_published(tmp_path, monkeypatch):
    events = []
    monkeypatch.setattr(node, "_tell_nobody", events.append)
    async with live_world(tmp_path / "data") as live:
        player = await live.join("Ada")
        await player.ask(messages.Say(1, SayKind.SAY, "nobody's business"))
        for layer in (1, 0):
            live.world.uplink.control(SetLayer(player.you, layer))
            await live.ticks(3)
        await player.leave()
        await eventually(lambda: [e.kind for e in events].count("left") == 2)
    people = [(event.kind, event.how) for event in events if event.kind != "woven"]
    assert people == [("came", "joined"), ("left", "parted")] * 2
    assert "business" not in repr(events)
