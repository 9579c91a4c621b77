"""Who is asking, and how much of it is granted: proxies, connections, requests. Knows no sockets and no HTTP.

People behind one IPv6 network count as one address (/64): that is what a single household is given.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

__all__ = ["ConnectionLimits", "Connections", "Proxies", "RateLimit", "address_key"]


_SPARE = 64
"""Connections over the limit that are told why."""


def address_key(address: str) -> str:
    """The key under which an address is counted: itself, or the /64 of an IPv6 address."""
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, 64), strict=False))
    return str(parsed) if parsed is not None else address


def _parse(address: str) -> IPv4Address | IPv6Address | None:
    """An address, port and brackets left off, an IPv4 address in IPv6 clothes undressed; None for anything else."""
    text = address.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        parsed = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return mapped or parsed


class Proxies:
    """The reverse proxies whose ``X-Forwarded-For`` is believed.

    Args:
        trusted: Addresses or networks, for example ``10.0.0.0/8``.

    Raises:
        ValueError: An entry is neither; the text names it.
    """

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        self._networks = [ip_network(entry, strict=False) for entry in trusted]

    def trusts(self, address: str) -> bool:
        """Whether this is one of our proxies."""
        parsed = _parse(address)
        return parsed is not None and any(parsed in network for network in self._networks)

    def client_address(self, peer: str, forwarded: Sequence[str]) -> str:
        """Whom a request really comes from: the rightmost address that is no proxy of ours.

        Args:
            peer: Address at the other end of the connection.
            forwarded: The ``X-Forwarded-For`` headers in order; believed as far as trusted proxies wrote them.
        """
        hops = [hop for header in forwarded for hop in header.split(",")]
        address = peer
        while hops and self.trusts(address):
            parsed = _parse(hops.pop())
            if parsed is None:
                break
            address = str(parsed)
        return address


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How many connections there may be; 0 is without limit."""

    total: int = 4000
    per_address: int = 64


class Connections:
    """Counts connections, in total and by address. Bounded by the connections themselves."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._by_key: dict[str, int] = {}
        self.total = 0

    @property
    def is_flooded(self) -> bool:
        """Whether there are so many over the limit that not even a reason can be given."""
        return 0 < self._limits.total < self.total - _SPARE

    def enter(self) -> int:
        """One more connection: 0, or the HTTP status to refuse it with. Count it in either case."""
        self.total += 1
        return 503 if 0 < self._limits.total < self.total else 0

    def leave(self) -> None:
        """One connection less."""
        self.total -= 1

    def enter_address(self, key: str) -> int:
        """One more connection of that address: 0, or the HTTP status to refuse it with. Count it in either case."""
        count = self._by_key[key] = self._by_key.get(key, 0) + 1
        return 429 if 0 < self._limits.per_address < count else 0

    def leave_address(self, key: str) -> None:
        """One connection of that address less."""
        count = self._by_key.get(key, 0) - 1
        if count > 0:
            self._by_key[key] = count
        else:
            self._by_key.pop(key, None)


class RateLimit:
    """A token bucket for each of many keys, in a bounded table: the key longest unused is forgotten first.

    Args:
        per_s: Tokens that come back each second; 0 or less is without limit.
        burst: Tokens of a full bucket.
        keys: Size of the table.
    """

    def __init__(self, per_s: float, burst: float, keys: int = 10_000) -> None:
        self._per_s, self._burst, self._keys = per_s, burst, keys
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: str, now: float) -> float:
        """Take one token at ``now``, in seconds of any steady clock.

        Returns:
            0 when it is granted, else the seconds until there will be a token.
        """
        if self._per_s <= 0:
            return 0.0
        tokens, since = self._buckets.pop(key, (self._burst, now))
        tokens = min(self._burst, tokens + (now - since) * self._per_s)
        wait = 0.0 if tokens >= 1 else (1 - tokens) / self._per_s
        self._buckets[key] = (tokens - 1 if tokens >= 1 else tokens, now)
        if len(self._buckets) > self._keys:
            self._buckets.popitem(last=False)
        return wait

    def give_back(self, key: str) -> None:
        """Put back a token that should not have been asked for."""
        if key in self._buckets:
            tokens, since = self._buckets[key]
            self._buckets[key] = (min(self._burst, tokens + 1), since)
