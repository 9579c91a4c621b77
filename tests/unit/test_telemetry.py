"""Telemetry: what is counted, what is read when somebody looks, and loop lag."""

import asyncio
import math

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from worldloom.app.telemetry import PULLED, LoopLag, Recent, Telemetry, TickReport


def tick(**changes):
    base = {"seconds": 0.01, "late_s": 0.0, "sessions": 3, "groups": 2, "moves": 4, "words": 5, "frames": 6}
    return TickReport(**{**base, "bytes_sent": 700, **changes})


def values(telemetry):
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(telemetry.render().decode())
        for sample in family.samples
    }


def test_a_tick_is_counted_once():
    telemetry = Telemetry()
    telemetry.tick(tick())
    telemetry.tick(tick(late_s=0.030, sessions=4))
    told = values(telemetry)
    assert told["worldloom_tick_seconds_count",] == 2
    assert told["worldloom_tick_late_seconds_sum",] == pytest.approx(0.030)
    assert told["worldloom_late_ticks_total",] == 1
    assert told["worldloom_moves_total",] == 8
    assert told["worldloom_bytes_sent_total",] == 1400
    assert told["worldloom_words_sent_total",] == 10
    assert told["worldloom_frames_sent_total",] == 12
    assert told["worldloom_sessions",] == 4
    assert told["worldloom_groups",] == 2


def test_two_telemetries_share_nothing():
    one, other = Telemetry(), Telemetry()
    one.tick(tick())
    assert values(other)["worldloom_moves_total",] == 0


def test_events_are_counted_by_label():
    telemetry = Telemetry()
    telemetry.pull("sessions_closed", lambda: {"1012": 1})
    telemetry.pull("http_requests", lambda: {"200": 2})
    told = values(telemetry)
    assert told["worldloom_sessions_closed_total", "1012"] == 1
    assert told["worldloom_http_requests_total", "200"] == 2


def test_pulled_metrics_are_read_when_somebody_looks():
    telemetry, waiting = Telemetry(), [1]
    telemetry.pull("store_queue", lambda: waiting[0])
    telemetry.pull("emerge", lambda: {"generated": 3, "fallback": 1})
    waiting[0] = 5
    told = values(telemetry)
    assert told["worldloom_store_queue",] == 5
    assert told["worldloom_emerge_total", "generated"] == 3
    assert told["worldloom_emerge_total", "fallback"] == 1


def test_an_unknown_pulled_metric_is_refused():
    with pytest.raises(KeyError, match="emerge_queue"):
        Telemetry().pull("emerge_que", lambda: 1)


@pytest.mark.parametrize("name", PULLED)
def test_every_pulled_metric_can_be_rendered(name):
    telemetry = Telemetry()
    telemetry.pull(name, lambda: {"x": 1.0} if PULLED[name].label else 1.0)
    assert f"worldloom_{name}" in telemetry.render().decode()


def test_timing_tells_the_last_minute():
    now = [100.0]
    telemetry = Telemetry(clock=lambda: now[0])
    for seconds in np.linspace(0, 0.100, 101):
        telemetry.tick(tick(seconds=float(seconds)))
    now[0] = 160.0
    timing = telemetry.timing()
    assert timing.tick_p50_ms == pytest.approx(50, abs=1)
    assert timing.tick_p99_ms == pytest.approx(99, abs=1)
    assert timing.uptime_s == 60
    assert timing.sessions == 3
    assert timing.rss_bytes > 1_000_000


def test_recent_forgets_the_oldest():
    recent = Recent(3)
    assert recent.quantile(0.5) == 0
    for value in (100, 1, 2, 3):
        recent.add(value)
    assert recent.quantile(1.0) == 3


def test_everything_rendered_is_a_number_before_anything_happened():
    assert all(not math.isnan(value) for value in values(Telemetry()).values())


async def test_loop_lag_is_what_the_sleep_took_too_long():
    telemetry, now, naps = Telemetry(), [0.0], iter([0.10, 0.15, 0.12])

    async def sleep(seconds):
        try:
            now[0] += next(naps)
        except StopIteration:
            raise asyncio.CancelledError from None

    with pytest.raises(asyncio.CancelledError):
        await LoopLag(telemetry, every_s=0.1, sleep=sleep, now=lambda: now[0]).run()
    told = values(telemetry)
    assert told["worldloom_loop_lag_seconds_count",] == 3
    assert told["worldloom_loop_lag_seconds_sum",] == pytest.approx(0.07)
    assert telemetry.timing().loop_lag_p99_ms == pytest.approx(50, abs=1)
