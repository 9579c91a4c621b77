"""The counter on every store: whoever repeats a request is answered from the receipt, and nothing else is done."""

from types import SimpleNamespace

import pytest

from order_people import NOW, add
from worldloom.errors import Refusal
from worldloom.gateway.counter import Counter
from worldloom.gateway.dealing import Rules
from worldloom.gateway.session import Standing
from worldloom.persistence.store import SqlStore
from worldloom.ports import StyleRow
from worldloom.realm.estates import LandRules
from worldloom_sdk.protocol import messages
from worldloom_sdk.protocol.estate_parts import Run
from worldloom_sdk.protocol.messages import EstateAct, RefusalCode

REGION = [Run(0, pz, 16) for pz in range(16)]


async def test_a_repeated_claim_with_words_makes_no_style(store: SqlStore) -> None:
    ann = await store.run(lambda tx, _: add(tx, "Ann"), None)
    session = SimpleNamespace(account=ann, name="Ann", standing=Standing())
    made: list[str] = []

    async def style_of(rx: int, rz: int, words: str) -> StyleRow:
        made.append(words)
        return StyleRow(rx, rz, b"alps", words)

    rules = Rules(LandRules(claim="anywhere", price=0))
    claim = Counter(store, rules, style_of, lambda: NOW).handlers[messages.Estate]
    asked = messages.Estate(1, EstateAct.CLAIM, key=b"k" * 16, parcels=REGION, text="high alps")
    first = await claim(session, asked)
    assert await claim(session, messages.Estate(2, *_rest(asked))) == first
    assert made == ["high alps"]
    with pytest.raises(Refusal) as caught:
        await claim(session, messages.Estate(3, EstateAct.CLAIM, key=b"k" * 16, parcels=REGION, text="moor"))
    assert (caught.value.code, made) == (RefusalCode.KEY_REUSED, ["high alps"])


@pytest.mark.parametrize("near", [[500], [40, 80], [40, 80, 9_000]])
async def test_a_radius_without_a_place_or_too_wide_is_refused(store: SqlStore, near: list[int]) -> None:
    ann = await store.run(lambda tx, _: add(tx, "Ann"), None)
    session = SimpleNamespace(account=ann, name="Ann", standing=Standing())
    page = Counter(store, Rules(), lambda *_: None, lambda: NOW).handlers[messages.Market]
    with pytest.raises(
        Refusal, match=r"expected (near as x, z and metres around|a place in the world)"
    ) as caught:
        await page(session, messages.Market(1, messages.MarketAct.PAGE, near=near))
    assert caught.value.code is RefusalCode.INVALID


def _rest(asked: messages.Estate) -> tuple[object, ...]:
    return tuple(getattr(asked, name) for name in asked.__struct_fields__[1:])
