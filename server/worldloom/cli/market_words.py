"""Words of ``worldloom market`` and ``worldloom land``: how offers, leases and rights are shown. Asks no database."""

import json
from typing import TYPE_CHECKING, Any

from worldloom.cli.people_words import plain, shown_time, until
from worldloom.ports.market import LeaseOfferRow, LeaseRow, ListingRow
from worldloom.ports.rights import ExclusionRow, PermitRow
from worldloom.realm.counts import counted
from worldloom.realm.market import ListingKind, is_over
from worldloom.realm.money import Currency
from worldloom_sdk.protocol.estate import Verb

if TYPE_CHECKING:
    from worldloom.services.binding import Binding

__all__ = ["as_json", "bound_lines", "listing_as_json", "offer_as_json", "price_told", "shown_period"]

_LISTING = (
    "listing", "kind", "estate", "seller", "parcels", "price", "asked", "step", "top", "top_bid", "only", "created_ms",
    "ends_ms",
)  # fmt: skip
_LEASE_OFFER = (
    "offer", "estate", "owner", "parcels", "rent", "period_ms", "max_periods", "renewable", "only", "created_ms",
)  # fmt: skip
_LEASE = "lease", "tenant", "rent", "period_ms", "from_ms", "until_ms", "latest_ms", "renewable"
"""What programs are told of rows."""
_UNITS = ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)


def shown_period(period_ms: int) -> str:
    """A time as it is typed: "1d12h"."""
    told = ""
    for unit, size_ms in _UNITS:
        count, period_ms = divmod(period_ms, size_ms)
        told += f"{count}{unit}" if count else ""
    return told or "0s"


def price_told(detail: str) -> int | None:
    """The price in a detail of the register, minor units; None if it tells of none."""
    price = json.loads(detail or "{}").get("price")
    return price if isinstance(price, int) else None


def bound_lines(currency: Currency, found: "Binding", now_ms: int) -> list[tuple[str, str]]:
    """What binds an estate, for people: a word and what there is to say, nothing for what there is not."""
    told = []
    if found.listing is not None:
        told.append(_listing_line(currency, found, found.listing, now_ms))
    if found.lease is not None:
        told.append(("Leased", _lease(currency, found, found.lease)))
    if found.offer is not None:
        told.append(("To let", _offer(currency, found, found.offer)))
    told += [("Allowed", _permit(found, row, now_ms)) for row in found.permits]
    told += [("Excluded", _exclusion(found, row, now_ms)) for row in found.exclusions]
    return told


def _listing_line(currency: Currency, found: "Binding", row: ListingRow, now_ms: int) -> tuple[str, str]:
    to = f", to {_who(found, row.only)} alone" if row.only is not None else ""
    over = ", over and not settled yet" if is_over(row.ends_ms, now_ms) else ""
    end = f"{until(row.ends_ms)}{over}"
    if row.kind is ListingKind.SALE:
        return "For sale", f"#{row.listing}, {currency.shown(row.price)}{to}, {end}"
    bid = f"next bid {currency.shown(row.asked)} or more"
    if row.top is not None:
        bid += f", highest {currency.shown(row.top_bid or 0)} of {_who(found, row.top)}"
    return "Auction", f"#{row.listing}, {bid}{to}, {end}"


def _lease(currency: Currency, found: "Binding", row: LeaseRow) -> str:
    renewed = f", renewable until {shown_time(row.latest_ms)} UTC" if row.renewable else ""
    return f"to {_who(found, row.tenant)}, {until(row.until_ms)}, {_rent(currency, row)}{renewed}"


def _offer(currency: Currency, found: "Binding", row: LeaseOfferRow) -> str:
    most = f"at most {counted(row.max_periods, 'time')}"
    to = f", to {_who(found, row.only)} alone" if row.only is not None else ""
    return f"{_rent(currency, row)}, {most}{', renewable' if row.renewable else ''}{to}"


def _rent(currency: Currency, row: LeaseRow | LeaseOfferRow) -> str:
    return f"{currency.shown(row.rent)} for {shown_period(row.period_ms)}"


def _permit(found: "Binding", row: PermitRow, now_ms: int) -> str:
    whom = "everyone" if row.account is None else _who(found, row.account)
    verbs = ", ".join(str(verb.name).lower() for verb in Verb(row.verbs)) or "nothing"
    role = f"{row.role}: " if row.role else ""
    return f"{whom}: {role}{verbs}, by {_who(found, row.giver)}, {_end(found, row, now_ms)}"


def _exclusion(found: "Binding", row: ExclusionRow, now_ms: int) -> str:
    reason = f": {plain(row.reason)}" if row.reason else ""
    return f"{_who(found, row.account)}, by {_who(found, row.giver)}, {_end(found, row, now_ms)}{reason}"


def _end(found: "Binding", row: PermitRow | ExclusionRow, now_ms: int) -> str:
    if row.until_ms is not None and row.until_ms <= now_ms:
        return f"{until(row.until_ms)} (over)"
    return until(row.until_ms) + (" (not while another is in charge)" if row.giver != found.in_charge else "")


def _who(found: "Binding", account: int) -> str:
    name = found.names.get(account, "")
    return f"{plain(name)} (#{account})" if name else f"#{account}"


# ---- for programs


def as_json(found: "Binding") -> dict[str, Any]:
    """What binds an estate, for programs: amounts in minor units, times in Unix milliseconds."""
    return {
        "listing": None if found.listing is None else listing_as_json(found.listing),
        "lease": None if found.lease is None else _fields(found.lease, _LEASE),
        "lease_offer": None if found.offer is None else offer_as_json(found.offer),
        "permits": [
            {
                "account": row.account,
                "by": row.giver,
                "verbs": [str(verb.name).lower() for verb in Verb(row.verbs)],
                "role": row.role,
                "until_ms": row.until_ms,
            }
            for row in found.permits
        ],
        "exclusions": [
            {"account": row.account, "by": row.giver, "until_ms": row.until_ms, "reason": row.reason}
            for row in found.exclusions
        ],
    }


def listing_as_json(row: ListingRow) -> dict[str, Any]:
    """An offer or auction, for programs."""
    return _fields(row, _LISTING)


def offer_as_json(row: LeaseOfferRow) -> dict[str, Any]:
    """An offer of a lease, for programs."""
    return _fields(row, _LEASE_OFFER)


def _fields(row: object, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}
