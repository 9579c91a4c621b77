"""People who trade, for tests: accounts with money, and land that they own."""

from dataclasses import dataclass, replace

from order_people import NOW, add
from worldloom.ports import Tx
from worldloom.ports.land import EstateRow
from worldloom.realm.estates import LandRules, Parcel
from worldloom.services import auctions, land, leases, market, money
from worldloom.services.asking import By, Whom

RULES = LandRules(claim="anywhere", price=0)
"""Land costs nothing: what people have is what they were given."""
FEE = 250
"""2.5 %."""
HOUR, DAY = 3_600_000, 86_400_000


@dataclass(frozen=True)
class Trader:
    """Somebody with a purse."""

    account: int
    name: str

    @property
    def by(self) -> By:
        return By(self.account, self.name)


def trader(tx: Tx, name: str, coins: int = 0) -> Trader:
    """A new account with that much money."""
    account = add(tx, name)
    if coins:
        money.issue(tx, money.Issue(Whom(account=account), coins, "", NOW))
    return Trader(account, name)


def own(tx: Tx, who: Trader, *parcels: Parcel, name: str = "") -> EstateRow:
    """An estate of these parcels."""
    return land.claim(tx, land.Claim(who.by, parcels, 0, RULES, NOW, name))


def coins(tx: Tx, who: Trader) -> int:
    """What somebody has."""
    return money.balance(tx, who.account).own


def for_sale(seller: Trader, estate: int, price: int, /, **changed: object) -> market.Sell:
    return replace(market.Sell(seller.by, estate, price, FEE, NOW), **changed)


def auctioned(seller: Trader, estate: int, price: int = 100, /, **changed: object) -> market.Auction:
    return replace(market.Auction(seller.by, estate, price, 10, NOW + DAY, FEE, NOW), **changed)


def buying(buyer: Trader, offer: object, **changed: object) -> market.Buy:
    """Buy what is shown."""
    shown = (offer.listing, offer.price, offer.fingerprint)
    return replace(market.Buy(buyer.by, *shown, RULES, NOW), **changed)


def bidding(bidder: Trader, offer: object, amount: int, **changed: object) -> auctions.Bid:
    return replace(auctions.Bid(bidder.by, offer.listing, amount, offer.fingerprint, RULES, NOW), **changed)


def to_let(owner: Trader, estate: int, rent: int = 100, /, **changed: object) -> leases.OfferLease:
    """For hours, up to four, renewable."""
    return replace(leases.OfferLease(owner.by, estate, rent, 3_600, 4, True, FEE, NOW), **changed)


def leasing(tenant: Trader, offer: object, periods: int = 1, /, **changed: object) -> leases.Lease:
    shown = (periods, offer.rent, offer.fingerprint)
    return replace(leases.Lease(tenant.by, offer.estate, *shown, NOW), **changed)
