"""The counter: commands about money, land and the market. Who repeats one by its key gets the answer of before.

Reads answer from what is committed. What changes something runs in the store behind a receipt: a refusal of it is
committed too, and raised here.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import msgspec

from worldloom.errors import Refusal
from worldloom.gateway.dealing import DEALS, Dealer, Rules, StyleOf, parcels_of, whom_of
from worldloom.gateway.session import Session
from worldloom.ports import Store, StyleRow, Tx, is_locking, locks_first
from worldloom.realm.estates import Parcel, check_estate, whole_region
from worldloom.realm.market import ListingKind, MarketSort
from worldloom.realm.money import AMOUNT_MAX
from worldloom.services import auctions, holdings, land, listings, money, notices, showing, zones
from worldloom.services.asking import By, Whom
from worldloom.services.receipts import Outcome, once, repeated
from worldloom_sdk.protocol import estate_parts as parts
from worldloom_sdk.protocol import messages
from worldloom_sdk.protocol.codec import encode
from worldloom_sdk.protocol.estate import KEYED
from worldloom_sdk.protocol.messages import EstateAct, MarketAct, MoneyAct, RefusalCode, Scope

__all__ = ["Counter"]

_PLAN_SIDE = 3
_SELLING = {"": None, **{kind.value: kind for kind in ListingKind}}

Handler = Callable[[Session, Any], Coroutine[Any, Any, object]]
Asked = messages.Money | messages.Estate | messages.Market


@dataclass(frozen=True, slots=True)
class _Request:
    """Something that is done once."""

    account: int
    key: bytes
    content: bytes
    """All that was asked for."""
    now_ms: int
    work: Callable[[Tx], object]
    claims: bool
    """Whether it is a claim: these wait for each other."""


class Counter:
    """Handlers for ``Commands.slow``.

    Args:
        store: Where money and land are.
        rules: The operator's.
        style_of: Makes a region's style of words.
        unix_ms: Unix time.
        on_deal: Told that something was done: somebody may be told of it.
    """

    def __init__(
        self,
        store: Store,
        rules: Rules,
        style_of: StyleOf,
        unix_ms: Callable[[], int],
        on_deal: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._rules, self._style_of = store, rules, style_of
        # Otherwise regions that were opened once mean nothing.
        self._has_zones = rules.land.claim == "zones"
        self._unix_ms, self._on_deal = unix_ms, on_deal
        self.handlers: dict[type, Handler] = {
            messages.Money: self._money,
            messages.Estate: self._estate,
            messages.Market: self._market,
        }

    # ---- what changes something

    async def _deal(self, session: Session, asked: Asked) -> object:
        """Carry out an act that carries a key; what Done carries.

        Raises:
            Refusal: The act's, now or when it was asked for first; or what speaks against asking.
        """
        account, now_ms = _trader(session), self._unix_ms()
        content = encode(msgspec.structs.replace(asked, id=1, key=b""))
        style = None
        if isinstance(asked, messages.Estate) and asked.act is EstateAct.CLAIM and asked.text:
            # Words take a while to be made a style of: not for an answer that is there already.
            before = await self._store.read(repeated, (account, asked.key, content))
            if before is not None:
                return before.result()
            style = await self._style(asked)
        dealer = Dealer(_by(session), asked, self._rules, now_ms, style, tuple(_parcels(asked)))
        deal = DEALS[asked.act]
        claims = asked.act is EstateAct.CLAIM
        request = _Request(account, asked.key, content, now_ms, lambda tx: deal(tx, dealer), claims)
        outcome = await self._store.run(_once_locking if is_locking(deal) else _once, request)
        if not outcome.repeated:
            self._on_deal()
        return outcome.result()

    async def _style(self, asked: messages.Estate) -> StyleRow:
        """The style of the words with which a region is claimed.

        Raises:
            Refusal: INVALID, it is no region; or the words say nothing.
        """
        region = whole_region(_parcels(asked))
        if region is None:
            raise _invalid("expected words for all 256 parcels of a region, got some for other parcels")
        return await self._style_of(*region, asked.text or "")

    # ---- money

    async def _money(self, session: Session, asked: messages.Money) -> object:
        if asked.act in KEYED[messages.Money]:
            return await self._deal(session, asked)
        account, read = _trader(session), self._store.read
        match asked.act:
            case MoneyAct.BALANCE:
                found = await read(money.balance, account)
                return parts.Balance(found.own, found.granted, self._rules.coin, self._rules.digits)
            case MoneyAct.STATEMENT:
                return await read(showing.statement, showing.AskStatement(account, asked.before))
            case MoneyAct.NOTICES:
                wanted = notices.WantNotices(account, asked.before or None)
                return [showing.notice(told) for told in await read(notices.mine, wanted)]
        return await self._store.run(notices.read, notices.Read(account, asked.before))

    # ---- land

    async def _estate(self, session: Session, asked: messages.Estate) -> object:
        if asked.act in KEYED[messages.Estate]:
            return await self._deal(session, asked)
        read, act = self._store.read, asked.act
        match act:
            case EstateAct.PARCEL:
                at = next(iter(parcels_of(asked.parcels)), None)
                if at is None:
                    raise _invalid("expected a parcel, got none")
                return showing.parcel(await read(holdings.parcel, holdings.AskParcel(at, self._rules.land)))
            case EstateAct.SHOW:
                return await read(showing.estate_of, (asked.estate, self._unix_ms()))
            case EstateAct.HOLDINGS:
                whom = whom_of(asked) or Whom(account=_somebody(session))
                return await read(showing.owned, holdings.AskHoldings(whom, asked.before))
            case EstateAct.HISTORY:
                about = holdings.AskHistory(asked.estate or None, whom_of(asked), asked.before)
                return await read(showing.history, about)
            case EstateAct.RIGHTS:
                return await read(showing.rights, (_by(session), asked.estate, self._unix_ms()))
            case EstateAct.ZONES:
                after = _region(asked.region) if asked.region else None
                return await read(showing.zones_page, zones.AskZones(after)) if self._has_zones else []
            case EstateAct.PLAN:
                rx, rz = _region(asked.region)
                wanted = holdings.AskPlan((rx - 1, rz - 1), _PLAN_SIDE, _PLAN_SIDE, self._unix_ms())
                plan = await read(showing.plan, wanted)
                return plan if self._has_zones else msgspec.structs.replace(plan, zones=[])
        return await read(_price, (parcels_of(asked.parcels), self._rules))

    # ---- the market

    async def _market(self, session: Session, asked: messages.Market) -> object:
        if asked.act in KEYED[messages.Market]:
            return await self._deal(session, asked)
        read, now_ms = self._store.read, self._unix_ms()
        match asked.act:
            case MarketAct.PAGE:
                return await read(showing.offer_page, _wanted(session, asked, now_ms))
            case MarketAct.TO_LET:
                return await read(showing.to_let_page, _wanted(session, asked, now_ms))
            case MarketAct.SHOW:
                return await self._show(session, asked, now_ms)
            case MarketAct.TERMS:
                return await read(showing.terms, listings.ShowLease(asked.estate, now_ms, session.account))
        return await read(showing.trades, showing.AskTrades(_trader(session), session.name, now_ms))

    async def _show(self, session: Session, asked: messages.Market, now_ms: int) -> object:
        wanted = listings.Show(now_ms, asked.listing or None, asked.estate or None, session.account)
        shown = await self._store.read(listings.show, wanted)
        if shown.is_over:
            # Whoever looks first settles it.
            await self._store.run(auctions.settle, auctions.Settle(shown.listing.listing, now_ms))
            self._on_deal()
            shown = await self._store.read(listings.show, wanted)
        return showing.shown_offer(shown)


def _by(session: Session) -> By:
    return By(session.account, session.name, session.standing.role, session.standing.scopes)


def _parcels(asked: Asked) -> list[Parcel]:
    return parcels_of(asked.parcels) if isinstance(asked, messages.Estate) else []


def _once(tx: Tx, request: _Request) -> Outcome:
    if request.claims:
        tx.lock_claims()
    return once(tx, request.account, request.key, request.content, request.now_ms, lambda: request.work(tx))


@locks_first
def _once_locking(tx: Tx, request: _Request) -> Outcome:
    """For a deal that locks first: its receipt is as safe, since it is written under a condition."""
    return _once(tx, request)


def _price(tx: Tx, asked: tuple[list[Parcel], Rules]) -> int:
    """What parcels cost together.

    Raises:
        Refusal: SOLD, one is somebody's; NOT_FOR_SALE; INVALID, they can be no estate.
    """
    parcels, rules = asked
    wanted = check_estate(parcels, min(rules.land.claim_max, rules.land.estate_max))
    if taken := tx.deeds(wanted):
        at = taken[0].px, taken[0].pz
        raise Refusal(RefusalCode.SOLD, f"expected parcels that nobody owns, got {at}, which is somebody's")
    return land.price_of(tx, wanted, rules.land)


def _wanted(session: Session, asked: messages.Market, now_ms: int) -> listings.WantPage:
    """What page of the market is asked for.

    Raises:
        Refusal: INVALID, a field is none of those there are.
    """
    if asked.sort not in MarketSort.__members__.values():
        raise _invalid(f"expected an order of {', '.join(MarketSort)}, got {asked.sort!r}")
    if asked.kind not in _SELLING:
        raise _invalid(f"expected a kind of {', '.join(ListingKind)}, or none, got {asked.kind!r}")
    if len(asked.near) not in (0, 3):
        raise _invalid(f"expected near as x, z and metres around, or nothing; got {asked.near}")
    if len(asked.after) not in (0, 2):
        raise _invalid(f"expected after as next of the page before, or nothing; got {asked.after}")
    return listings.WantPage(
        now_ms,
        MarketSort(asked.sort),
        asked.limit,
        session.account,
        _SELLING[asked.kind],
        asked.price_from or None,
        asked.price_to if asked.price_to < AMOUNT_MAX else None,
        asked.parcels_from or None,
        asked.text,
        (asked.near[0], asked.near[1], asked.near[2]) if asked.near else None,
        (asked.after[0], asked.after[1]) if asked.after else None,
    )


def _region(given: list[int]) -> tuple[int, int]:
    if len(given) != 2:
        raise _invalid(f"expected a region [rx, rz], got {len(given)} numbers")
    return given[0], given[1]


def _somebody(session: Session) -> int:
    if session.account is None:
        raise Refusal(
            RefusalCode.FORBIDDEN,
            "expected an account, got a guest",
            "come with a name that is kept: money and land belong to accounts",
        )
    return session.account


def _trader(session: Session) -> int:
    """The account whose money and land it is about.

    Raises:
        Refusal: FORBIDDEN, a guest, or a key without the scope.
    """
    account = _somebody(session)
    session.standing.need(Scope.TRADE)
    return account


def _invalid(text: str) -> Refusal:
    return Refusal(RefusalCode.INVALID, text)
