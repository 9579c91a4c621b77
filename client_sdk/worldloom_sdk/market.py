"""Market: buying, selling, auctions and leases. Turns calls into commands and their results; knows no connection."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from worldloom_sdk.errors import Refused, TooDear
from worldloom_sdk.keyed import Keyed, called
from worldloom_sdk.land import EstateLike, estate_number, metres
from worldloom_sdk.money import account_fields
from worldloom_sdk.order import Whom
from worldloom_sdk.protocol.estate_parts import (
    Bought,
    LeaseInfo,
    LeaseOffer,
    LeaseOfferPage,
    LeaseTerms,
    Offer,
    OfferPage,
    ShownOffer,
    Trades,
)
from worldloom_sdk.protocol.messages import Market as Message
from worldloom_sdk.protocol.messages import MarketAct, RefusalCode

__all__ = ["Market"]

_LOOKS = 3
"""So often an offer that has changed meanwhile is looked at anew."""
WITHIN_M = 500.0
"""So far around a place, if nobody says how far."""
WITHIN_MAX_M = 4_096
"""So far around a place the page of the market can look."""
_PAGE = {"price_from": "min_price", "price_to": "max_price", "parcels_from": "min_parcels", "text": "name"}
_CALLED: Mapping[MarketAct, Mapping[str, str]] = {
    MarketAct.PAGE: _PAGE,
    MarketAct.TO_LET: _PAGE,
    MarketAct.BID: {"price": "amount"},
    MarketAct.OFFER_LEASE: {"price": "rent", "seconds": "period_s", "periods": "max_periods"},
}
"""How calls name what they put into a field of another name."""


class Market:
    """The market: ``await bot.market(sort="price", near=(40, 80), within=500)`` is its first page.

    What only asks, everybody may. What changes something is for accounts, with the scope trade for keys; it is done
    once, and asked for until it is answered; see ``Keyed.deal`` for what it raises, and for ``key``. Amounts are whole
    minor units.

    Args:
        keyed: Sends what must not be lost.
    """

    def __init__(self, keyed: Keyed) -> None:
        self._keyed = keyed

    # ---- what there is

    async def __call__(
        self,
        *,
        kind: str = "",
        sort: str = "newest",
        min_price: int = 0,
        max_price: int | None = None,
        min_parcels: int = 0,
        name: str = "",
        near: tuple[float, float] | None = None,
        within: float | None = None,
        limit: int = 50,
    ) -> list[Offer]:
        """The first of what is for sale.

        Args:
            kind: Only "sale" or only "auction".
            sort: Either "newest", "price", "size" (the largest first) or "ends" (what ends first).
            min_price: Of an auction, the least next bid counts.
            max_price: None: any.
            min_parcels: How large it is at least.
            name: A part of the estate's name.
            near: x and z in metres: only what lies around there.
            within: With ``near`` alone: so many metres around, at most 4,096; 500 unless it is said.
            limit: So many at most, 50 in all.
        """
        page = await self._page(
            MarketAct.PAGE,
            [],
            kind=kind,
            sort=sort,
            min_price=min_price,
            max_price=max_price,
            min_parcels=min_parcels,
            name=name,
            near=near,
            within=within,
            limit=limit,
        )
        return list(page.offers)

    async def offers(self, **wanted: Any) -> AsyncIterator[Offer]:
        """All that is for sale, chosen as by a call; asks for a page at a time, as far as they are wanted."""
        after: list[int] | None = []
        while after is not None:
            page: OfferPage = await self._page(MarketAct.PAGE, after, **wanted)
            for offer in page.offers:
                yield offer
            after = page.next

    async def to_let(self, **wanted: Any) -> AsyncIterator[LeaseOffer]:
        """All that is to let and free, chosen as by a call, by the rent of a period."""
        after: list[int] | None = []
        while after is not None:
            page: LeaseOfferPage = await self._page(MarketAct.TO_LET, after, **wanted)
            for offer in page.offers:
                yield offer
            after = page.next

    async def show(self, listing: Offer | int) -> ShownOffer:
        """All about an offer. Refused with "sold" or "not_for_sale" when it has ended."""
        number = listing if isinstance(listing, int) else listing.listing
        return await self._ask(MarketAct.SHOW, listing=number)

    async def offer_of(self, estate: EstateLike) -> ShownOffer:
        """What is for sale of an estate. Refused with "not_for_sale" when it is not offered."""
        return await self._ask(MarketAct.SHOW, estate=estate_number(estate))

    async def terms(self, estate: EstateLike | LeaseOffer) -> LeaseTerms:
        """On what terms an estate is to let, and who has it now."""
        return await self._ask(MarketAct.TERMS, estate=_estate(estate))

    async def trades(self) -> Trades:
        """What this account offers, bids for and has leased."""
        return await self._ask(MarketAct.TRADES)

    # ---- selling and buying

    async def sell(
        self,
        estate: EstateLike,
        price: int,
        *,
        only: Whom | None = None,
        seconds: int = 0,
        key: bytes | None = None,
    ) -> Offer:
        """Offer an estate at a price.

        Args:
            estate: One's own, or where this account was given ``Verb.SELL``: the money is the owner's.
            price: The treasury's fee goes off it; see ``Offer.fee``.
            only: To whom alone it is offered.
            seconds: For how long, 60 at least; 0: until it is withdrawn.
            key: See ``Keyed.deal``.
        """
        fields = {"price": price, "seconds": seconds, **account_fields(only)}
        return await self._deal(MarketAct.SELL, key, estate=estate_number(estate), **fields)

    async def auction(
        self, estate: EstateLike, price: int, *, step: int, seconds: int, key: bytes | None = None
    ) -> Offer:
        """Offer an estate to whoever bids most within so many seconds.

        Args:
            estate: One's own, or where this account was given ``Verb.SELL``: the money is the owner's.
            price: The first bid at least.
            step: What each further bid must be above the one before.
            seconds: 60 at least; late bids move the end.
            key: See ``Keyed.deal``.
        """
        fields = {"price": price, "step": step, "seconds": seconds}
        return await self._deal(MarketAct.AUCTION, key, estate=estate_number(estate), **fields)

    async def withdraw(self, listing: Offer | int, *, key: bytes | None = None) -> None:
        """Take an offer back; not once somebody has bid."""
        number = listing if isinstance(listing, int) else listing.listing
        await self._deal(MarketAct.WITHDRAW, key, listing=number)

    async def buy(
        self, listing: Offer | int, *, max_price: int | None = None, key: bytes | None = None
    ) -> Bought:
        """Buy what is offered at a price: exactly what was shown, or nothing.

        Args:
            listing: An offer, as it was shown; or its number: then it is looked at first, and again if it changes.
            max_price: Of that, at most so much; None: what was shown.
            key: See ``Keyed.deal``; with one, give the offer as it was shown.

        Raises:
            TooDear: It costs more than ``max_price``.
            Refused: "sold", somebody was faster; "changed", it is not what was shown; "funds".
        """
        for look in range(_LOOKS):
            offer = (await self.show(listing)).offer if isinstance(listing, int) else listing
            if max_price is not None and offer.price > max_price:
                raise TooDear(offer.price, max_price)
            fields = {"price": offer.price, "fingerprint": offer.fingerprint}
            try:
                return await self._deal(MarketAct.BUY, key, listing=offer.listing, **fields)
            except Refused as refused:
                is_shown = not isinstance(listing, int) or key is not None
                if refused.code != RefusalCode.CHANGED or is_shown or look == _LOOKS - 1:
                    raise
        raise AssertionError("not reached")

    async def bid(self, listing: Offer | int, amount: int, *, key: bytes | None = None) -> Offer:
        """Bid in an auction; the money is held until somebody bids more. The offer as it is then.

        Args:
            listing: An offer, as it was shown; or its number: then it is looked at first.
            amount: ``Offer.asked`` at least.
            key: See ``Keyed.deal``; with one, give the offer as it was shown.

        Raises:
            Refused: "changed", the bid is too low by now, or it is not what was shown; "funds"; "not_for_sale".
        """
        offer = (await self.show(listing)).offer if isinstance(listing, int) else listing
        fields = {"price": amount, "fingerprint": offer.fingerprint}
        return await self._deal(MarketAct.BID, key, listing=offer.listing, **fields)

    # ---- leases

    async def offer_lease(
        self,
        estate: EstateLike,
        rent: int,
        *,
        period_s: int,
        max_periods: int = 1,
        renewable: bool = True,
        only: Whom | None = None,
        key: bytes | None = None,
    ) -> LeaseOffer:
        """Offer an estate for lease, in place of an earlier offer.

        Args:
            estate: One's own, or where this account was given ``Verb.LEASE``: the rent is the owner's.
            rent: Of one period, paid in advance; the treasury's fee goes off it.
            period_s: Seconds of a period, 60 at least.
            max_periods: Of one lease, renewals included.
            renewable: Whether a tenant may stay on.
            only: To whom alone it is offered.
            key: See ``Keyed.deal``.
        """
        fields = {"price": rent, "seconds": period_s, "periods": max_periods, "renewable": renewable}
        number = estate_number(estate)
        return await self._deal(MarketAct.OFFER_LEASE, key, estate=number, **fields, **account_fields(only))

    async def end_lease_offer(self, estate: EstateLike, *, key: bytes | None = None) -> None:
        """Offer an estate for lease no longer; a lease in force goes on."""
        await self._deal(MarketAct.END_LEASE_OFFER, key, estate=estate_number(estate))

    async def lease(
        self,
        estate: EstateLike | LeaseOffer,
        periods: int = 1,
        *,
        max_rent: int | None = None,
        key: bytes | None = None,
    ) -> LeaseInfo:
        """Lease an estate for some periods, all paid now.

        Args:
            estate: An offer, as it was shown; or an estate: then its terms are looked at first.
            periods: How many.
            max_rent: Of one, at most so much; None: what was shown.
            key: See ``Keyed.deal``; with one, give the offer as it was shown.

        Raises:
            TooDear: The rent is more than ``max_rent``.
            Refused: "not_for_sale", it is not to let; "leased", somebody has it; "changed"; "funds".
        """
        offer = estate if isinstance(estate, LeaseOffer) else (await self.terms(estate)).offer
        if offer is None:
            text = f"expected an estate that is to let to you, got {_estate(estate)}, which is not"
            raise Refused(RefusalCode.NOT_FOR_SALE, text)
        if max_rent is not None and offer.rent > max_rent:
            raise TooDear(offer.rent, max_rent)
        fields = {"periods": periods, "price": offer.rent, "fingerprint": offer.fingerprint}
        return await self._deal(MarketAct.LEASE, key, estate=offer.estate, **fields)

    async def renew(self, lease: LeaseInfo | int, periods: int = 1, *, key: bytes | None = None) -> LeaseInfo:
        """Pay for further periods of a lease, on the same terms."""
        number = lease if isinstance(lease, int) else lease.lease
        return await self._deal(MarketAct.RENEW, key, lease=number, periods=periods)

    # ---- inside

    async def _page(
        self,
        act: MarketAct,
        after: list[int],
        *,
        kind: str = "",
        sort: str = "newest",
        min_price: int = 0,
        max_price: int | None = None,
        min_parcels: int = 0,
        name: str = "",
        near: tuple[float, float] | None = None,
        within: float | None = None,
        limit: int = 50,
    ) -> Any:
        fields: dict[str, object] = {"kind": kind, "sort": sort, "limit": limit, "after": after}
        fields |= {"price_from": min_price, "parcels_from": min_parcels, "text": name}
        if max_price is not None:
            fields["price_to"] = max_price
        if near is None and within is not None:
            raise ValueError(
                f"within: expected near=(x, z) with it, the place around which; got {within!r} alone"
            )
        if near is not None:
            around = WITHIN_M if within is None else within
            if not isinstance(around, int | float) or not 0 <= around <= WITHIN_MAX_M:
                raise ValueError(f"within: expected 0 to {WITHIN_MAX_M} metres, got {around!r}")
            fields["near"] = [*map(round, metres("near", near)), round(around)]
        return await self._ask(act, **fields)

    async def _ask(self, act: MarketAct, **fields: object) -> Any:
        with called(_CALLED.get(act, {})):
            return await self._keyed.ask(Message, act=act, **fields)

    async def _deal(self, act: MarketAct, key: bytes | None, **fields: object) -> Any:
        with called(_CALLED.get(act, {})):
            return await self._keyed.deal(Message, key, act=act, **fields)


def _estate(estate: EstateLike | LeaseOffer) -> int:
    return estate.estate if isinstance(estate, LeaseOffer) else estate_number(estate)
