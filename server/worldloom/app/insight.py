"""Insight: what a running node tells of itself, tick by tick and whenever somebody looks."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from worldloom.app.heart import Heart
from worldloom.app.sealer import Sealer
from worldloom.app.supervise import Supervisor
from worldloom.app.telemetry import Telemetry, TickReport
from worldloom.app.version import worldloom_version
from worldloom.app.world import World
from worldloom.bus.mqtt import MqttPublisher
from worldloom.gateway.listening import Renewal
from worldloom.gateway.serving import GameServer
from worldloom.persistence.store import SqlStore, StoreStats

__all__ = ["Pulse", "health", "pull"]

_log = logging.getLogger(__name__)

STILL_S = 2.0
"""A world that has not ticked well for so long is not well."""


class Pulse:
    """One beat: a tick of the world, and its report.

    Args:
        world: What ticks.
        telemetry: Takes the report.
        now: Monotonic seconds.
    """

    def __init__(self, world: World, telemetry: Telemetry, now: Callable[[], float] = time.monotonic) -> None:
        self.failed = 0
        """Ticks that ended in an error."""
        self._world, self._telemetry, self._now = world, telemetry, now
        self._before = (0, 0, 0, 0)
        self._good_at = now()

    @property
    def still_s(self) -> float:
        """Seconds since the last tick that went well, or since this was made."""
        return self._now() - self._good_at

    def beat(self, tick: int, late_s: float) -> None:
        """Run a tick and report it."""
        began = time.perf_counter()
        world = self._world
        try:
            world.tick(tick)
            self._good_at = self._now()
        except Exception:  # noqa: BLE001 - a task boundary: the world goes on with its next tick
            self.failed += 1
            _log.exception("tick %d failed", tick)
        totals = world.fanout.totals
        now = (world.gateway.steering.taken, totals.words, totals.frames, totals.bytes)
        moves, words, frames, sent = (new - old for new, old in zip(now, self._before, strict=True))
        self._before = now
        self._telemetry.tick(
            TickReport(
                seconds=time.perf_counter() - began,
                late_s=late_s,
                sessions=len(world.gateway.roster),
                groups=len(world.fanout.views.groups),
                moves=moves,
                words=words,
                frames=frames,
                bytes_sent=sent,
            )
        )


def health(
    world: World,
    telemetry: Telemetry,
    pulse: Pulse,
    supervisor: Supervisor,
    publisher: MqttPublisher | None,
    store: StoreStats,
    renewal: Renewal,
    stopping: bool,
    sealer: Sealer | None = None,
) -> dict[str, Any]:
    """What ``/healthz`` tells; ``problems`` says why it is not ``ok``. Strangers may read it: no path, no address."""
    emerge = asdict(world.emerge.stats())
    problems = ["the server is stopping"] if stopping else []
    problems += _store_problems(store, world.enforcer.is_available)
    if pulse.still_s > STILL_S:
        problems.append(f"no tick went well for {pulse.still_s:.0f} s; {pulse.failed} failed since start")
    problems += [f"a task keeps failing: {name}" for name in supervisor.failing()]
    how = "died" if world.config.worldgen.worker == "process" else "hung"
    warnings = (
        [f"the generator {how} too often: noise stands in until restart"] if emerge["source_retired"] else []
    )
    warnings += renewal.warnings(time.time())
    warnings += [f"the land register: {sealer.fault}"] if sealer is not None and sealer.fault else []
    return {
        "ok": not problems,
        "status": "stopping" if stopping else "open",
        "problems": problems,
        "warnings": warnings,
        "version": worldloom_version(),
        "world": world.row.name,
        "world_ms": world.clock.world_ms(),
        **asdict(telemetry.timing()),
        "emerge": {key: value for key, value in emerge.items() if key != "outcomes"},
        **({"mqtt": _mqtt_health(publisher)} if publisher is not None else {}),
    }


def _store_problems(store: StoreStats, is_followed: bool) -> list[str]:
    """The audit log is read four times a second: so long reading is not unwell unseen. Writing has its probe."""
    problems = []
    if store.read_fault or not is_followed:
        problems.append(f"the database cannot be reached: {store.read_fault or 'too much waits for it'}")
    if store.write_fault:
        problems.append(f"the database cannot be written: {store.write_fault}")
    return problems


def pull(
    telemetry: Telemetry,
    world: World,
    store: SqlStore,
    server: GameServer,
    publisher: MqttPublisher | None,
    answers: Counter[int],
    pulse: Pulse,
    heart: Heart,
    supervisor: Supervisor,
    renewal: Renewal,
) -> None:
    """Metrics that are read when somebody looks."""
    telemetry.pull("emerge_queue", lambda: world.emerge.stats().queued)
    telemetry.pull("emerge", lambda: {str(o): float(n) for o, n in world.emerge.stats().outcomes.items()})
    telemetry.pull("store_queue", lambda: store.stats().queued)
    telemetry.pull("store_batches", lambda: store.stats().batches)
    telemetry.pull("store_writes", lambda: store.stats().commits)
    telemetry.pull("ticks_failed", lambda: pulse.failed)
    telemetry.pull("ticks_missed", lambda: heart.missed)
    telemetry.pull("task_restarts", lambda: {name: float(n) for name, n in supervisor.restarts.items()})
    telemetry.pull("connections", lambda: server.connections)
    telemetry.pull("regions", lambda: len(world.land))
    telemetry.pull("session_pauses", lambda: world.gateway.pressure.pauses)
    telemetry.pull(
        "sessions_closed", lambda: {str(code): float(n) for code, n in world.gateway.closed.items()}
    )
    telemetry.pull(
        "commands_refused", lambda: {str(c): float(n) for c, n in world.gateway.commands.refused.items()}
    )
    telemetry.pull("http_requests", lambda: {str(status): float(n) for status, n in answers.items()})
    if (validity := renewal.validity) is not None:
        telemetry.pull("tls_expires_seconds", lambda: (renewal.validity or validity).not_after_s)
    if publisher is not None:
        telemetry.pull("mqtt_outbox", lambda: publisher.stats().queued)
        telemetry.pull("mqtt_dropped", lambda: publisher.stats().dropped)


def _mqtt_health(publisher: MqttPublisher) -> dict[str, Any]:
    """A broker that is away costs the world nothing: it is told of, and no reason to be unhealthy."""
    stats = publisher.stats()
    return {"connected": stats.connected, "queued": stats.queued, "dropped": stats.dropped}
