import argparse
import json
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.dialects import sqlite

from worldloom.bench import market
from worldloom.bench.plan import BenchFault
from worldloom.persistence.bulk import fill
from worldloom.persistence.market_page import lease_page, page
from worldloom.persistence.migrate import migrate
from worldloom.realm.market import MarketSort
from worldloom.services.listings import WantPage, _filter

SMALL = market.World(1_000, 100)
NOW = market.NOW_MS
BY = {
    MarketSort.PRICE: "ix_listing_asked",
    MarketSort.SIZE: "ix_listing_parcels",
    MarketSort.ENDS: "ix_listing_ends_ms",
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("market") / "world.db"
    migrate(f"sqlite:///{path}")
    fill(f"sqlite:///{path}", market.tables(SMALL))
    return path


def plan(path: Path, statement) -> list[str]:
    """How SQLite would read it."""
    spelled = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    with sqlite3.connect(path) as connection:
        return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {spelled}")]


def test_the_world_has_as_much_as_was_asked_for(filled):
    with sqlite3.connect(filled) as connection:
        counts = [
            connection.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0]
            for name in ("deed", "listing", "lease_offer")
        ]
    assert counts == [1_000, 100, 100]


def of(steps: list[str], table: str) -> str:
    (step,) = (step for step in steps if step.startswith((f"SCAN {table}", f"SEARCH {table}")))
    return step


@pytest.mark.parametrize("sort", BY)
@pytest.mark.parametrize("wanted", [{}, {"viewer": 7}, {"after": (500, 3)}])
def test_a_plain_page_is_walked_by_the_index_of_its_order(filled, sort, wanted):
    steps = plan(filled, page(_filter(WantPage(NOW, sort, **wanted))))
    assert f"USING INDEX {BY[sort]}" in of(steps, "listing")


def test_what_is_filtered_by_its_order_is_walked_too(filled):
    price = WantPage(NOW, MarketSort.PRICE, price_from=5, price_to=10**6)
    size = WantPage(NOW, MarketSort.SIZE, parcels_from=2)
    found = [of(plan(filled, page(_filter(wanted))), "listing") for wanted in (price, size)]
    assert "SEARCH listing USING INDEX ix_listing_asked" in found[0]
    assert "SEARCH listing USING INDEX ix_listing_parcels" in found[1]


@pytest.mark.parametrize("sort", BY)
@pytest.mark.parametrize(
    "wanted",
    [
        {"name": "oak"},
        {"kind": market.ListingKind.AUCTION},
        {"price_from": 5, "parcels_from": 2},
        {"near": (0, 0, 4_096)},
    ],
)
def test_a_page_that_may_have_to_look_at_everything_reads_the_table_itself(filled, sort, wanted):
    assert (
        of(plan(filled, page(_filter(WantPage(NOW, sort, viewer=7, **wanted)))), "listing") == "SCAN listing"
    )


def test_the_newest_are_walked_by_their_numbers(filled):
    steps = plan(filled, page(_filter(WantPage(NOW, viewer=7))))
    assert of(steps, "listing") == "SCAN listing"
    after = plan(filled, page(_filter(WantPage(NOW, after=(7, 7)))))
    assert "USING INTEGER PRIMARY KEY" in of(after, "listing")


@pytest.mark.parametrize("sort", list(MarketSort))
def test_what_is_near_is_found_by_its_place(filled, sort):
    near = WantPage(NOW, sort, near=(0, 0, 500), viewer=7, price_from=5)
    for statement, table in ((page, "listing"), (lease_page, "lease_offer")):
        steps = plan(filled, statement(_filter(near)))
        assert f"SEARCH {table} USING INDEX ix_{table}_px" in of(steps, table)


def test_a_benchmark_of_a_small_market_reports_every_kind_of_page(capsys):
    parser = argparse.ArgumentParser()
    market.add_arguments(parser)
    words = ["--parcels", "1000", "--listings", "100", "--pages", "2", "--json"]
    assert market.run(parser.parse_args(words)) in (0, 1)
    told = json.loads(capsys.readouterr().out)
    assert told["engine"] == "sqlite"
    assert len(told["median_ms"]) == len(told["p99_ms"]) == 24
    assert told["worst_p99_ms"] == max(told["p99_ms"].values())


@pytest.mark.parametrize(("parcels", "listings"), [(99, 20), (1_000, 19), (1_000, 500), (10**8, 50)])
def test_a_market_beyond_the_bounds_is_refused(parcels, listings):
    with pytest.raises(BenchFault, match="expected"):
        market.World(parcels, listings)
