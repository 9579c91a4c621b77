import argparse
import json
from time import monotonic

import pytest

from worldloom.bench import crowd
from worldloom.bench.offers import buyers_spots
from worldloom.bench.plan import BenchFault
from worldloom.bench.residents import Settings, make_world, write_config
from worldloom.bench.server_process import Cores, ServerProcess, free_port
from worldloom.bench.trade_load import BUYERS, TradeLoad, offers_for, write_job
from worldloom.config import load

_LONG_S = 30.0


@pytest.fixture
def job(tmp_path):
    """Four buyers with four offers each, and somebody else before them."""
    config, data = tmp_path / "config.toml", tmp_path / "data"
    write_config(config, Settings(clients=4, full_rate=False, trades=True))
    tokens = make_world(config, data, [(0, 0), *buyers_spots(4)])
    url = load(config, {}, {"server.data": str(data)}).storage_url
    path = tmp_path / "buyers.json"
    write_job(path, url, tokens[1:], seconds=4 * BUYERS / 2_000, others=1)
    return path


@pytest.fixture
def server(job):
    with ServerProcess(
        job.with_name("config.toml"), job.with_name("data"), free_port(), Cores.choose().server
    ) as server:
        server.wait_ready()
        yield server


def _until_they_buy(trades):
    end = monotonic() + _LONG_S
    while not trades.buying():
        assert monotonic() < end


def _spoil(job, change):
    told = json.loads(job.read_text())
    change(told)
    job.write_text(json.dumps(told))


def test_offers_last_for_two_thousand_trades_a_second():
    assert offers_for(17.0) * BUYERS >= 34_000 > (offers_for(17.0) - 1) * BUYERS


@pytest.mark.slow
def test_the_crowd_is_measured_while_land_is_bought(capsys):
    parser = argparse.ArgumentParser()
    crowd.add_arguments(parser)
    crowd.run(parser.parse_args(["--clients", "20", "--seconds", "1", "--trade-load", "--json"]))
    report = json.loads(capsys.readouterr().out)
    assert (report["connected"], report["dropped"]) == (20, 0)
    assert 0 < report["trades_per_s"] < 2_000
    # Buyers and their land are out of sight: nobody is told of more than the walkers.
    assert report["updates_per_s"] < 20 * 19 * 10 * 1.2


@pytest.mark.slow
def test_buyers_that_have_nothing_left_to_buy_are_an_error(job, server):
    with TradeLoad(job, server.port, Cores.choose().load) as trades:
        _until_they_buy(trades)
        trades._process.wait(_LONG_S)
        with pytest.raises(BenchFault, match="had bought all its 4 offers before the end"):
            trades.stop(0.0, monotonic())


@pytest.mark.slow
def test_a_refused_buyer_is_an_error(job, server):
    _spoil(job, lambda told: told["offers"][2][0].__setitem__(0, 10**6))
    with TradeLoad(job, server.port, Cores.choose().load) as trades:
        _until_they_buy(trades)
        trades._process.wait(_LONG_S)
        with pytest.raises(BenchFault, match="a buyer was refused"):
            trades.stop(0.0, monotonic())


@pytest.mark.slow
def test_buyers_that_are_not_let_in_are_an_error(job, server):
    _spoil(job, lambda told: told["tokens"].__setitem__(1, "nobody's"))
    with (
        TradeLoad(job, server.port, Cores.choose().load) as trades,
        pytest.raises(BenchFault, match="expected buyers to come in, got: "),
    ):
        _until_they_buy(trades)


@pytest.mark.slow
def test_lost_buyers_are_an_error(job, server):
    _spoil(job, lambda told: told.update(offers=[some * 10_000 for some in told["offers"]]))
    with TradeLoad(job, server.port, Cores.choose().load) as trades:
        _until_they_buy(trades)
        server.stop()
        with pytest.raises(BenchFault, match="expected buyers to buy to the end"):
            trades.stop(0.0, monotonic())
