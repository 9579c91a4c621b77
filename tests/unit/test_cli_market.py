"""``worldloom market``: as typed, on a world's database without a server."""

from pathlib import Path

import pytest

from traders import DAY, HOUR, Trader, auctioned, bidding, for_sale, own, to_let, trader
from typed import Typed, copied_world, made_world, run_beside
from worldloom.app.clock import unix_ms
from worldloom.cli.market_words import price_told, shown_period
from worldloom.cli.people_words import shown_time
from worldloom.persistence.migrate import migrate
from worldloom.ports import Tx
from worldloom.services import auctions, leases, listings, market, worlds

NOW = unix_ms()
ENDS = NOW + 30 * DAY


def populate(tx: Tx, _: None) -> None:
    worlds.open_world(tx, worlds.OpenWorld("Hills", 42, NOW))
    ann, bob = trader(tx, "Ann", 10_000), trader(tx, "Bob", 10_000)
    own(tx, ann, (0, 0), name="Inn")
    own(tx, ann, (3, 0), (4, 0), name="Mill")
    own(tx, bob, (6, 0), (7, 0), (8, 0), name="Quay")
    own(tx, bob, (20, 0), name="Hut")
    market.sell(tx, for_sale(ann, 1, 1_250, now_ms=NOW))
    offer = market.auction(tx, auctioned(ann, 2, 500, now_ms=NOW, ends_ms=ENDS))
    auctions.bid(tx, bidding(bob, offer, 700, now_ms=NOW))
    market.sell(tx, for_sale(bob, 3, 300, now_ms=NOW, only=1, ends_ms=NOW + 40 * DAY))
    leases.offer_lease(tx, to_let(bob, 3, 90, now_ms=NOW))


@pytest.fixture(scope="module")
def populated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world with a sale, an auction, a sale to one account alone, which is also to let, and a hut."""
    return made_world(tmp_path_factory, populate)


@pytest.fixture
def typed(
    populated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Typed:
    return Typed("market", copied_world(populated, tmp_path, monkeypatch), capsys)


def test_what_is_offered_is_listed_the_newest_first(typed):
    head, *lines = typed.says("list").splitlines()
    assert head.split() == ["#", "kind", "estate", "name", "parcels", "price", "seller", "to", "ends"]
    assert lines[0].split()[:7] == ["3", "sale", "3", "Quay", "3", "3.00", "crowns"]
    assert "#1" in lines[0].split()
    assert lines[1].split()[:7] == ["2", "auction", "2", "Mill", "2", "7.10", "crowns"]
    assert lines[1].endswith(shown_time(ENDS))
    assert lines[2].split() == ["1", "sale", "1", "Inn", "1", "12.50", "crowns", "Ann", "(#1)", "-"]
    assert lines[3:5] == ["", "To let:"]
    assert lines[6].split() == ["3", "Quay", "3", "0.90", "crowns", "1h", "4", "Bob", "(#2)"]


def test_kind_and_order_say_what_is_listed(typed):
    def estates(*words: str) -> list[int]:
        return [row["estate"] for row in typed.json("list", *words)["offers"]]

    assert estates("--sort", "price") == [3, 2, 1]
    assert estates("--sort", "size") == [3, 2, 1]
    assert estates("--sort", "ends") == [2, 3, 1]
    assert estates("--kind", "auction") == [2]
    assert estates("--kind", "sale", "--sort", "price") == [3, 1]
    told = typed.json("list", "--kind", "lease")
    assert (told["offers"], [row["rent"] for row in told["to_let"]]) == ([], [90])
    assert "To let" not in typed.says("list", "--kind", "sale")
    for wrong in (["--kind", "gift"], ["--sort", "beauty"], ["--limit", "0"]):
        assert typed("list", *wrong) == 2


def test_a_list_that_is_cut_says_so_and_a_long_one_is_read_page_by_page(typed, monkeypatch):
    monkeypatch.setattr(listings, "PAGE_MAX", 1)
    assert [row["estate"] for row in typed.json("list", "--sort", "ends")["offers"]] == [2, 3, 1]
    cut = typed.json("list", "--limit", "2")
    assert ([row["listing"] for row in cut["offers"]], cut["more"]) == ([3, 2], True)
    assert typed.says("list", "--limit", "2").splitlines()[-1] == "There are more: --limit 4"
    assert "There are more" not in typed.says("list", "--limit", "3")


def test_an_offer_is_shown_by_its_number_or_its_estate(typed):
    told = typed.says("show", "2")
    assert told == typed.says("show", "--estate", "2")
    for part in (
        "2  Mill",
        "Ann (#1)",
        f"#2, next bid 7.10 crowns or more, highest 7.00 crowns of Bob (#2), until {shown_time(ENDS)} UTC",
    ):
        assert part in told
    told = typed.says("show", "3")
    assert "#3, 3.00 crowns, to Ann (#1) alone, until" in told
    assert "0.90 crowns for 1h, at most 4 times, renewable" in told
    shown = typed.json("show", "1")
    assert (shown["estate"], shown["owner_name"], shown["listing"]["price"]) == (1, "Ann", 1_250)
    assert (shown["lease"], shown["lease_offer"]) == (None, None)


def test_what_is_not_offered_is_refused(typed):
    assert typed("show", "9") == 1
    assert typed.err == "worldloom: expected an offer, got 9, which is none\n"
    assert typed("show", "--estate", "4") == 1
    assert typed.err == "worldloom: expected an estate that is offered or to let, got 4, which is not\n"
    assert typed("show", "--estate", "9") == 1
    assert typed.err == "worldloom: expected an estate, got 9, which is none\n"
    typed.run(market.withdraw, market.Withdraw(Trader(1, "Ann").by, 1, NOW))
    assert typed("show", "1") == 1
    for wrong in ([], ["1", "--estate", "1"], ["0"]):
        assert typed("show", *wrong) == 2


def test_where_nothing_is_offered_it_says_so(tmp_path, capsys):
    path = tmp_path / "world.db"
    migrate(f"sqlite:///{path}")
    assert Typed("market", path.parent, capsys)("list") == 2
    run_beside(f"sqlite:///{path}", worlds.open_world, worlds.OpenWorld("Hills", 42, NOW))
    assert Typed("market", path.parent, capsys).says("list") == "Nothing is offered.\n"


@pytest.mark.parametrize(
    ("period_ms", "told"),
    [(HOUR, "1h"), (DAY + 12 * HOUR, "1d12h"), (61_000, "1m1s"), (7 * DAY, "7d"), (0, "0s")],
)
def test_a_period_is_told_as_it_is_typed(period_ms, told):
    assert shown_period(period_ms) == told


@pytest.mark.parametrize(
    ("detail", "price"), [('{"listing":1,"price":5}', 5), ('{"listing":1}', None), ("{}", None), ("", None)]
)
def test_a_detail_tells_a_price_or_none(detail, price):
    assert price_told(detail) == price
