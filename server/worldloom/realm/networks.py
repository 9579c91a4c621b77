"""Networks: what a sanction can lie on, as one text each, and all of them that an address is in. Knows no sockets."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from worldloom.errors import Refusal
from worldloom_sdk.protocol.messages import RefusalCode

__all__ = ["WIDEST", "clean_network", "networks_of"]

WIDEST = {4: 8, 6: 19}
"""Bits of the widest network that a sanction may lie on, by version of the protocol."""
_NARROWEST = {4: 32, 6: 64}
"""And of the narrowest: an IPv6 subscriber has a /64 at least."""
_BITS = {4: 32, 6: 128}
_MAPPED = IPv6Network("::ffff:0:0/96")
_CACHED = 4_096


def clean_network(text: str) -> str:
    """The one way to write a network: ``192.0.2.0/24``, ``2001:db8::/64``.

    Bits of hosts are cleared, an IPv4 network within ``::ffff:0:0/96`` is written as IPv4, an IPv6 address or a network
    narrower than /64 means its /64.

    Args:
        text: An address or a network.

    Raises:
        Refusal: INVALID; it is neither, or too wide.
    """
    network = _undressed(_parse(text.strip()))
    version = network.version
    if network.prefixlen < WIDEST[version]:
        raise _invalid(f"expected an IPv{version} network of /{WIDEST[version]} or narrower, got {network}")
    prefix = min(network.prefixlen, _NARROWEST[version])
    return str(network.supernet(new_prefix=prefix))


@lru_cache(maxsize=_CACHED)
def networks_of(address: str) -> tuple[str, ...]:
    """Every network that contains an address and that a sanction may lie on, as ``clean_network`` writes them.

    Args:
        address: As text, or an IPv6 address's /64; of what is neither, nothing is known.

    Returns:
        /8 to /32 for IPv4, /19 to /64 for IPv6; widest first.
    """
    try:
        own = ip_address(address.partition("/")[0].partition("%")[0])
    except ValueError:
        return ()
    if isinstance(own, IPv6Address):
        own = own.ipv4_mapped or own
    bits, write = _BITS[own.version], type(own)
    prefixes = range(WIDEST[own.version], _NARROWEST[own.version] + 1)
    return tuple(f"{_cut(int(own), bits - prefix, write)}/{prefix}" for prefix in prefixes)


def _cut(number: int, low_bits: int, write: type[IPv4Address] | type[IPv6Address]) -> str:
    return str(write(number >> low_bits << low_bits))


def _parse(text: str) -> IPv4Network | IPv6Network:
    address, slash, prefix = text.partition("/")
    try:
        if slash and not (prefix.isascii() and prefix.isdigit()):
            raise ValueError(prefix)
        return ip_network(address.partition("%")[0] + slash + prefix, strict=False)
    except ValueError:
        raise _invalid(f"expected an address or a network as in 192.0.2.0/24, got {text[:60]!r}") from None


def _undressed(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    if not isinstance(network, IPv6Network) or not network.subnet_of(_MAPPED):
        return network
    low = int(network.network_address) & 0xFFFF_FFFF
    return IPv4Network((low, network.prefixlen - _MAPPED.prefixlen))


def _invalid(text: str) -> Refusal:
    return Refusal(RefusalCode.INVALID, text)
