import argparse
import json

import pytest

from worldloom.bench import crowd
from worldloom.bench.plan import BenchFault
from worldloom.bench.server_process import parse_ticks, ticks_between

_KEYS = (
    "scenario clients connected dropped p50_age_ms p99_age_ms p99_full_rate_age_ms p99_gap_near_ms p99_gap_view_ms "
    "server_cpu_cores updates_per_s bytes_per_update bytes_per_client_s server_rss_mb rss_per_client_kb tick_p99_ms "
    "late_ticks load_cpu_cores load_bound seconds move_hz trades_per_s"
)
_METRICS = """\
# HELP worldloom_late_ticks_total Ticks that began late.
worldloom_late_ticks_total {late}
worldloom_tick_seconds_bucket{{le="0.01"}} {fast}
worldloom_tick_seconds_bucket{{le="0.02"}} {all}
worldloom_tick_seconds_bucket{{le="+Inf"}} {all}
worldloom_tick_seconds_count {all}
"""


def _args(*words):
    parser = argparse.ArgumentParser()
    crowd.add_arguments(parser)
    return parser.parse_args(words)


def test_ticks_are_those_between_two_readings_of_the_metrics():
    before = parse_ticks(_METRICS.format(late=3, fast=100, all=100))
    after = parse_ticks(_METRICS.format(late=5, fast=150, all=200))
    assert ticks_between(before, after) == (2, pytest.approx(19.8))


@pytest.mark.parametrize(
    "words",
    [("--clients", "1"), ("--seconds", "0"), ("--blockers", "501"), ("--blocks", "65"), ("--move-hz", "31")],
)
def test_an_option_out_of_range_is_named_with_expected_and_got(words):
    with pytest.raises(BenchFault, match=rf"{words[0]}: expected .* got {words[1]}"):
        crowd.run(_args(*words))


@pytest.mark.slow
@pytest.mark.alone
def test_a_small_crowd_is_measured_against_the_real_server(capsys):
    crowd.run(_args("--clients", "20", "--seconds", "3", "--json"))
    report = json.loads(capsys.readouterr().out)
    assert list(report) == _KEYS.split()
    assert (report["connected"], report["dropped"]) == (20, 0)
    assert 20 * 19 * 10 * 0.9 < report["updates_per_s"] < 20 * 19 * 10 * 1.1
    assert 0 < report["p50_age_ms"] <= report["p99_age_ms"] < 1_000
