"""Two hosts on one PostgreSQL: what happens on the one is told, once, to whom it concerns on the other."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from databases import postgres_database
from estate_people import COINS, land_world, trader
from raw_ws import eventually
from worldloom_sdk import Paid, Sold
from worldloom_sdk.notices import Noticed

pytestmark = pytest.mark.slow


@pytest.fixture
def postgres() -> Iterator[str]:
    with postgres_database() as url:
        yield url


async def test_who_is_on_another_host_is_told_once(tmp_path: Path, postgres: str) -> None:
    shared = {"storage": {"url": postgres}}
    async with (
        land_world(tmp_path / "one", **shared) as one,
        land_world(tmp_path / "two", **shared) as two,
        trader(one, "Bo") as bo,
        trader(two, "Ada") as ada,
    ):
        told: list[Noticed] = []
        ada.client.listen(lambda event: told.append(event) if isinstance(event, Noticed) else None)
        offer = await ada.sell(await ada.claim([(0, 0)]), 500)
        await bo.buy(offer.listing)
        for amount in (250, 251):
            await bo.money.pay("Ada", amount)
        await eventually(lambda: len(told) >= 3)
        # The last of all: whatever was told twice would have come before it.
        await bo.money.pay("Ada", 252)
        await eventually(lambda: told[-1].amount == 252)
        assert [(type(one), one.amount, one.name) for one in told] == [
            (Sold, 500, "Bo"), (Paid, 250, "Bo"), (Paid, 251, "Bo"), (Paid, 252, "Bo")
        ]  # fmt: skip
        assert len({one.number for one in told}) == 4
        notifiers = [host.world.trading.notifier.told for host in (one, two)]
        assert notifiers == [0, 4]
        assert (await ada.money.balance()).own == COINS - 100 + 488 + 250 + 251 + 252
