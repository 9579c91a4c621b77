"""The most that one account may own holds whatever it gets at the same moment, on two hosts of one database."""

import asyncio
import itertools
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from estate_people import rows
from order_people import NOW
from raw_ws import eventually
from traders import RULES, buying, for_sale, own, trader
from worldloom.errors import Refusal
from worldloom.persistence.store import open_beside
from worldloom.ports import Tx, is_locking, locks_first
from worldloom.services import land, market
from worldloom.services.asking import Whom

SMALL = replace(RULES, owner_max=3)
WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)

Act = tuple[Callable[[Tx, Any], object], Any]


def offered(tx: Tx, _: None) -> dict[str, Act]:
    """Three ways in which Bob gets two parcels, of which any two are too much."""
    ann, bob = trader(tx, "Ann"), trader(tx, "Bob", 1_000)
    for px in (0, 10):
        own(tx, ann, (px, 0), (px + 1, 0))
    offer = market.sell(tx, for_sale(ann, 1, 100))
    return {
        "claim": (land.claim, land.Claim(bob.by, [(20, 0), (21, 0)], 0, SMALL, NOW)),
        "buy": (market.buy, buying(bob, offer, rules=SMALL)),
        "give": (land.give, land.Give(ann.by, 2, Whom(account=bob.account), SMALL, NOW)),
    }


@pytest.mark.parametrize(("first", "second"), [*itertools.permutations(("claim", "buy", "give"), 2)])
async def test_what_comes_at_once_counts_together(postgres_url: str, first: str, second: str) -> None:
    here, there = open_beside(postgres_url), open_beside(postgres_url)
    acts = await here.run(offered, None)
    (use_case, command), later = acts[first], acts[second]
    done, go_on = threading.Event(), threading.Event()

    def slowly(tx: Tx, _: None) -> None:
        use_case(tx, command)
        done.set()
        go_on.wait(10)

    marked = locks_first(slowly) if is_locking(use_case) else slowly
    slow = asyncio.ensure_future(here.run(marked, None))
    assert await asyncio.to_thread(done.wait, 10)
    fast = asyncio.ensure_future(there.run(*later))
    await eventually(lambda: fast.done() or rows(postgres_url, WAITING) != [(0,)])
    go_on.set()
    one, other = await asyncio.gather(slow, fast, return_exceptions=True)
    assert one is None
    assert isinstance(other, Refusal)
    assert other.text == "expected at most 3 parcels of one account, got 4"
    assert await here.read(lambda tx, _: tx.parcels_owned(2), None) == 2
    await here.close()
    await there.close()
