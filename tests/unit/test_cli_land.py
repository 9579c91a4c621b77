"""``worldloom land``: as typed, on a world's database without a server."""

import itertools
import json
import re
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from land_owners import RULES, claimed, claiming, me, rich
from snowfield import snow_tile
from traders import DAY, HOUR, Trader, auctioned, bidding, buying, for_sale, leasing, to_let
from typed import Typed, copied_world, made_world
from worldloom.app.clock import unix_ms
from worldloom.app.sealer import HEAD_FILE
from worldloom.cli.main import main
from worldloom.cli.people_words import shown_time
from worldloom.cli.worldgen_land import regions_of
from worldloom.config import LandConfig
from worldloom.persistence.migrate import migrate
from worldloom.ports import Tx
from worldloom.realm.rights import EstateRole, Verb
from worldloom.services import (
    auctions,
    land,
    leases,
    market,
    money,
    register,
    rights,
    terrain,
    worlds,
    zones,
)
from worldloom.services.asking import OPERATOR, Whom, find
from worldloom.worldgen.ownership import colour_of_owner

NOW = 1_790_000_000_000
"""2026-09-21."""


def populate(tx: Tx, _: None) -> None:
    worlds.open_world(tx, worlds.OpenWorld("Hills", 42, NOW))
    zones.open_zones(tx, zones.Open(OPERATOR, [(0, 0), (0, 1)], 7, NOW))
    ann, _ = rich(tx, "Ann"), rich(tx, "Bob")
    for px in (0, 3, 6):
        claimed(tx, ann, px, 0)
    land.describe(tx, land.Describe(me(ann), 1, NOW, "Inn", "Beds and broth"))
    land.give(tx, land.Give(me(ann), 2, Whom(name="Bob"), RULES, NOW))
    terrain.store(tx, terrain.StoreTile(snow_tile(0, 0), NOW))


@pytest.fixture(scope="module")
def populated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a world where Ann has two estates and Bob one."""
    return made_world(tmp_path_factory, populate)


@pytest.mark.parametrize(
    ("around", "size", "span"),
    [
        ((0.0, 0.0), 1, ((0, 0), (0, 0))),
        ((0.0, 0.0), 2, ((-1, -1), (0, 0))),
        ((0.0, 0.0), 3, ((-1, -1), (1, 1))),
        ((-1.0, 255.0), 3, ((-2, -1), (0, 1))),
    ],
)
def test_the_middle_of_an_odd_number_of_regions_has_the_place_in_it(
    around: tuple[float, float], size: int, span: tuple[tuple[int, int], tuple[int, int]]
) -> None:
    regions = regions_of(around, size, size)
    assert (regions[0], regions[-1]) == span


@pytest.fixture
def typed(
    populated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Typed:
    """That world, to be changed."""
    return Typed("land", copied_world(populated, tmp_path, monkeypatch), capsys)


def test_regions_are_opened_listed_and_closed(typed):
    told = typed.says("open", "--around=-128,-128", "--regions", "2x1", "--price", "12.50")
    assert told == "2 regions open for claiming, 12.50 crowns a parcel: regions -2, -1 to -1, -1.\n"
    assert [(row["rx"], row["rz"], row["price"]) for row in typed.json("zones")] == [
        (-2, -1, 1_250), (-1, -1, 1_250), (0, 0, 7), (0, 1, 7),
    ]  # fmt: skip
    assert typed.json("zones", "--limit", "1")[0]["price"] == 1_250
    assert typed.says("zones", "--limit", "2").splitlines()[-1] == "There are more: --limit 4"
    assert "There are more" not in typed.says("zones", "--limit", "4")
    lines = typed.says("zones").splitlines()
    assert lines[0].split() == ["rx", "rz", "price", "opened", "by"]
    assert "0.07 crowns" in lines[3]
    assert typed.says("open", "--around=128,128", "--price", "0").startswith(
        "1 region open for claiming, free a parcel"
    )
    assert typed.says("close", "--around=128,128") == "1 region closed for claiming, of region 0, 0.\n"
    assert typed("close", "--around=128,128") == 1
    assert typed("open", "--around=0,0", "--price", "much") == 2
    assert "expected an amount" in typed.err


def test_estates_and_parcels_are_shown(typed):
    told = typed.says("show", "1")
    for part in ("Inn", "Ann (#1)", "2, 512 m2, from 0, 0 to 32, 16 m", "Beds and broth"):
        assert part in told
    shown = typed.json("show", "2")
    assert (shown["owner_name"], shown["shape"], shown["runs"]) == ("Bob", 2, [[3, 0, 2]])
    assert typed.says("show", "--at=31.9,0.1").startswith("Parcel 1, 0: 16 to 32 m, 0 to 16 m, region 0, 0\n")
    assert typed.json("show", "--parcel=4,0")["estate"] == 2
    assert typed.json("show", "--at=32,0") == {"parcel": [2, 0], "estate": None, "price": 7}
    assert "to claim it costs 0.07 crowns" in typed.says("show", "--parcel=2,0")
    assert "not open for claiming" in typed.says("show", "--parcel=-1,0")
    assert typed("show", "99") == 1
    assert typed.err == "worldloom: expected an estate, got 99, which is none\n"
    for wrong in ([], ["1", "--parcel=2,0"], ["--parcel=2"], ["0"]):
        assert typed("show", *wrong) == 2


def test_holdings_and_history_are_told(typed):
    told = typed.says("holdings", "ann")
    assert told.splitlines()[0] == "Ann (#1): 4 parcels"
    assert typed.json("holdings", "#2")["estates"][0]["estate"] == 2
    short = typed.json("holdings", "Ann", "--limit", "1")
    assert ([row["estate"] for row in short["estates"]], short["more"]) == ([1], True)
    assert typed("holdings", "Eve") == 1
    rows = typed.json("history")
    assert [(row["row"], row["kind"], row["estate"]) for row in rows] == [
        (4, "give", 2), (3, "claim", 3), (2, "claim", 2), (1, "claim", 1),
    ]  # fmt: skip
    assert [row["row"] for row in typed.json("history", "--of", "Bob")] == [4]
    assert [row["row"] for row in typed.json("history", "2", "--before", "4")] == [2]
    assert "Bob" in typed.says("history", "2", "--limit", "1")
    assert typed.says("history", "2", "--before", "1") == "The register tells of nothing there.\n"


def test_the_history_of_an_estate_that_never_was_is_refused(typed):
    for words in (["77"], ["77", "--json"], ["77", "--of", "Ann"]):
        assert typed("history", *words) == 1
        assert typed.err == "worldloom: expected an estate that is or was, got 77, which never was\n"
        assert typed.out == ""


def test_the_history_tells_what_land_was_sold_for(typed):
    def sell(tx: Tx, _: None) -> None:
        ann, bob = Trader(1, "Ann"), Trader(2, "Bob")
        now = unix_ms()
        offer = market.sell(tx, for_sale(ann, 1, 123_450, now_ms=now))
        money.issue(tx, money.Issue(Whom(account=2), 200_000, "", now))
        market.buy(tx, buying(bob, offer, now_ms=now))

    typed.run(sell)
    sold, listed, claim = typed.json("history", "1")
    assert [(row["kind"], row["price"]) for row in (sold, listed, claim)] == [
        ("sale", 123_450), ("list", None), ("claim", None),
    ]  # fmt: skip
    head, line, *_ = typed.says("history", "1").splitlines()
    assert "price" in head.split()
    assert "1,234.50" in line.split()
    assert typed.out.count("1,234.50") == 1


def test_an_estate_is_shown_with_all_that_binds_it(typed):
    now = unix_ms()
    in_a_day = shown_time(now + DAY)

    def bind(tx: Tx, _: None) -> None:
        ann, bob, cat = Trader(1, "Ann"), Trader(2, "Bob"), rich(tx, "Cat")
        lease = leases.offer_lease(tx, to_let(ann, 1, 250, now_ms=now))
        rights.allow(tx, rights.Allow(ann.by, 1, Whom(name="Bob"), now, verbs=Verb.ENTER))
        leases.lease(tx, leasing(bob, lease, 2, now_ms=now))
        rights.allow(tx, rights.Allow(bob.by, 1, Whom(account=cat), now, verbs=Verb.ENTER))
        market.sell(tx, for_sale(ann, 1, 1_250, now_ms=now, only=2))
        verbs = rights.Allow(ann.by, 3, None, now, verbs=Verb.ENTER | Verb.SEE)
        rights.allow(tx, verbs)
        rights.allow(
            tx, rights.Allow(ann.by, 3, Whom(name="Bob"), now, role=EstateRole.BUILDER, until_ms=now + DAY)
        )
        rights.exclude(tx, rights.Exclude(ann.by, 3, Whom(account=cat), now, reason="rude"))
        auction = market.auction(tx, auctioned(ann, 3, 500, now_ms=now, ends_ms=now + DAY))
        auctions.bid(tx, bidding(bob, auction, 700, now_ms=now))

    typed.run(bind)
    told = typed.says("show", "1")
    for part in (
        "#1, 12.50 crowns, to Bob (#2) alone, without end",
        f"to Bob (#2), until {shown_time(now + 2 * HOUR)} UTC, 2.50 crowns for 1h, renewable until",
        "2.50 crowns for 1h, at most 4 times, renewable",
        "Bob (#2): enter, by Ann (#1), without end (not while another is in charge)",
        "Cat (#3): enter, by Bob (#2), without end",
    ):
        assert part in told
    assert told.count("not while another is in charge") == 1
    told = typed.says("show", "3")
    for part in (
        f"#2, next bid 7.10 crowns or more, highest 7.00 crowns of Bob (#2), until {in_a_day} UTC",
        "everyone: enter, see, by Ann (#1), without end",
        "Bob (#2): builder: ",
        "Cat (#3), by Ann (#1), without end: rude",
    ):
        assert part in told
    shown = typed.json("show", "3")
    assert (shown["listing"]["asked"], shown["listing"]["ends_ms"], shown["lease"]) == (710, now + DAY, None)
    assert shown["permits"][0]["verbs"] == ["enter", "see"]
    assert shown["exclusions"] == [{"account": 3, "by": 1, "until_ms": None, "reason": "rude"}]
    assert typed.json("show", "1")["lease_offer"]["rent"] == 250
    unbound = typed.json("show", "2")
    assert [unbound[name] for name in ("listing", "lease", "lease_offer", "permits", "exclusions")] == [
        None, None, None, [], [],
    ]  # fmt: skip


def test_the_register_is_proved_and_what_is_wrong_with_it_named(typed):
    told = typed.says("verify")
    assert told.startswith(
        "All is there: 4 rows, each as it was sealed, and all land as they tell.\nHead: 4:"
    )
    head = typed.json("verify")["head"]
    assert typed.says("verify", "--head", head).startswith("All is there: 4 rows")
    assert "seal 4, published before, is there" in typed.out
    number, sha256 = head.split(":")
    assert typed("verify", "--head", f"5:{sha256}") == 1
    assert "was cut off: it ends at seal 4" in typed.out
    file = {"world_id": "x", "number": int(number), "hash": "ab" * 32}
    (typed.data / HEAD_FILE).write_text(json.dumps(file))
    assert typed("verify") == 1
    assert "was rewritten: seal 4 is" in typed.out
    (typed.data / HEAD_FILE).unlink()
    with sqlite3.connect(typed.data / "world.db") as base:
        base.execute("DROP TRIGGER register_no_update")
        base.execute("UPDATE register SET account_id = 1 WHERE id = 4")
    assert typed("verify") == 1
    assert typed.out == (
        "Not whole: row 4 of the register is not what was sealed as 4. Good before it: 3 rows.\n"
    )
    assert typed("verify", "--json") == 1
    assert json.loads(typed.out)["row"] == 4
    for wrong in ("4", "0:" + "ab" * 32, "4:" + "ab" * 31, "x:" + "ab" * 32):
        assert typed("verify", "--head", wrong) == 2


def test_an_estate_is_taken_once_somebody_is_sure(typed):
    assert typed("take", "1") == 2
    assert "take estate 1 of Ann, 2 parcels, for nothing: expected a yes" in typed.err
    told = typed.says("take", "1", "--yes", "--reason", "gone for years")
    assert told == "Taken: estate 1 of Ann, 2 parcels. The land is the world's.\n"
    assert '"reason":"gone for years"' in typed.json("history", "1")[0]["detail"]
    assert typed("take", "1", "--yes") == 1
    assert typed.says("verify").startswith("All is there: 5 rows")


def test_who_takes_leased_land_is_told_what_rent_nobody_had_to_pay_back(typed):
    def lease_and_spend(tx: Tx, _: None) -> None:
        now, [ann, bob] = unix_ms(), [find(tx, Whom(name=name)).account for name in ("Ann", "Bob")]
        terms = leases.OfferLease(me(ann), 1, 50_000, 86_400, 2, False, 0, now)
        offer = leases.offer_lease(tx, terms)
        leases.lease(tx, leases.Lease(me(bob), 1, 2, offer.rent, offer.fingerprint, now))
        money.burn(tx, money.Issue(Whom(account=ann), money.balance(tx, ann).own - 20_000, "", now))
        money.burn(tx, money.Issue(None, money.held(tx, money.TREASURY), "", now))

    typed.run(lease_and_spend)
    told = typed.says("take", "1", "--yes").splitlines()
    # Of two days a little is over by now.
    assert re.fullmatch(r"Neither owner nor treasury had 79\d\.\d\d crowns of the tenant's rent: .*", told[1])


def test_a_map_shows_who_owns_what(typed, tmp_path):
    told = typed.says("map", "--around=128,128", "--regions", "1x2", "--pixel-m", "2", "-o", "who.png")
    assert told == (
        "who.png: 500 x 560 pixels, 2 m each; 6 parcels of 3 estates and 2 owners; 1 of 2 regions made\n"
    )
    picture = Image.open(tmp_path / "who.png").convert("RGB")
    # Ann's two parcels at the corner are bluish, as account 1 is everywhere, Bob's amber; snow beside them is neither.
    ann, bob, snow = (picture.getpixel(at) for at in ((12, 4), (36, 4), (60, 100)))
    assert ann[2] > ann[0] + 40
    assert bob[0] > bob[2] + 40
    assert max(snow) - min(snow) < 30
    assert typed("map", "-o", "nowhere/who.png") == 2
    assert "expected a folder" in typed.err
    assert typed("map", "--regions", "64x64", "--pixel-m", "1") == 2


def test_a_map_that_is_not_told_where_shows_all_that_is_owned_or_open_and_a_region_around(typed, tmp_path):
    assert typed.says("open", "--around=900,100", "--price", "0")
    told = typed.says("map", "--pixel-m", "8", "-o", "all.png")
    # From region 0, 0 to 3, 1, and a region around them: 6 x 4.
    assert told.startswith(
        "all.png: 564 x 560 pixels, 8 m each; 6 parcels of 3 estates and 2 owners; 1 of 24 regions"
    )
    assert typed.says("open", "--around=90000,100", "--price", "0")
    assert typed("map") == 2
    assert "regions, more than one picture shows; say which of them with --around and --regions" in typed.err
    assert typed.says("map", "--around=128,128")


def test_owners_that_are_neighbours_in_number_are_far_apart_in_colour():
    colours = [np.array(colour_of_owner(account)) for account in range(1, 31)]
    assert len({tuple(colour) for colour in colours}) == 30
    assert min(np.abs(one - other).sum() for one, other in itertools.pairwise(colours)) > 120


def test_without_a_world_it_says_so(typed, tmp_path):
    assert main(["land", "--data", str(tmp_path / "none"), "zones"]) == 2
    migrate(f"sqlite:///{tmp_path / 'empty' / 'world.db'}")
    assert main(["land", "--data", str(tmp_path / "empty"), "zones"]) == 2


def test_a_claim_by_the_rules_of_another_mode_needs_no_zone(typed, monkeypatch):
    monkeypatch.setenv("WORLDLOOM_LAND__CLAIM", "anywhere")
    monkeypatch.setenv("WORLDLOOM_LAND__PRICE", "1234")
    assert "to claim it costs 12.34 crowns" in typed.says("show", "--parcel=-99,0")
    assert "zones are not looked at" in typed.says("zones")
    assert "this changes nothing" in typed.says("open", "--around=0,0", "--price", "1")
    rules = land.rules_of(LandConfig("anywhere", 1_234))
    made = typed.run(land.claim, claiming(1, [(-99, 0)], 1_234, rules=rules))
    assert made.number == 4
    assert typed.run(register.seal_due) == 5
