"""Who asks, and how much is granted: addresses, proxies, connections, token buckets, origins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worldloom.gateway.handshake import origin_allowed
from worldloom.gateway.limits import ConnectionLimits, Connections, Proxies, RateLimit, address_key


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:5123", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_an_address_is_counted_under_its_key(address: str, key: str) -> None:
    assert address_key(address) == key


FORWARDED = {
    "no header": ([], "10.0.0.1"),
    "one hop": (["203.0.113.9"], "203.0.113.9"),
    "what the client claims is not believed": (["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
    "several headers": (["1.1.1.1", "203.0.113.9"], "203.0.113.9"),
    "a chain of our proxies": (["203.0.113.9, 10.0.0.7, 10.0.0.8"], "203.0.113.9"),
    "proxies alone": (["10.0.0.7"], "10.0.0.7"),
    "with a port": (["203.0.113.9:4711"], "203.0.113.9"),
    "IPv6": (["[2001:db8::1]:4711"], "2001:db8::1"),
    "nonsense": (["203.0.113.9, unknown"], "10.0.0.1"),
    "empty": ([""], "10.0.0.1"),
}


@pytest.mark.parametrize("case", FORWARDED)
def test_the_client_is_the_rightmost_that_is_no_proxy_of_ours(case: str) -> None:
    headers, address = FORWARDED[case]
    assert Proxies(["10.0.0.0/8"]).client_address("10.0.0.1", headers) == address


def test_without_trust_the_peer_is_the_client() -> None:
    assert Proxies().client_address("10.0.0.1", ["203.0.113.9"]) == "10.0.0.1"


def test_an_entry_that_is_no_network_is_named() -> None:
    with pytest.raises(ValueError, match="not-a-network"):
        Proxies(["not-a-network"])


def test_connections_are_counted_in_total_and_by_address() -> None:
    connections = Connections(ConnectionLimits(total=2, per_address=1))
    assert [connections.enter() for _ in range(3)] == [0, 0, 503]
    connections.leave()
    assert connections.total == 2
    assert [
        connections.enter_address("a"),
        connections.enter_address("a"),
        connections.enter_address("b"),
    ] == [
        0,
        429,
        0,
    ]
    connections.leave_address("a")
    connections.leave_address("a")
    assert connections.enter_address("a") == 0


def test_zero_is_without_limit() -> None:
    connections = Connections(ConnectionLimits(total=0, per_address=0))
    assert (
        {connections.enter() for _ in range(500)}
        == {connections.enter_address("a") for _ in range(500)}
        == {0}
    )
    assert not connections.is_flooded
    assert {RateLimit(0, 0).take("a", 0.0) for _ in range(100)} == {0.0}


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    limit = RateLimit(per_s=2, burst=3)
    assert [limit.take("a", 10.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert limit.take("b", 10.0) == 0
    assert limit.take("a", 10.5) == 0
    assert limit.take("a", 10.5) > 0
    assert [limit.take("a", 99.0) for _ in range(4)] == [0, 0, 0, 0.5]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 2)), max_size=60))
def test_no_key_gets_more_than_burst_and_rate(asked: list[tuple[str, float]]) -> None:
    limit, now, granted = RateLimit(per_s=2, burst=3), 0.0, {"a": 0, "b": 0, "c": 0}
    for key, pause in asked:
        now += pause
        granted[key] += limit.take(key, now) == 0
    assert all(count <= 3 + 2 * now + 1e-6 for count in granted.values())


def test_the_table_of_addresses_is_bounded() -> None:
    limit = RateLimit(per_s=1, burst=1, keys=100)
    for address in range(1000):
        limit.take(str(address), 0.0)
    assert len(limit) == 100


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("http://localhost:8420", "localhost:8420", True),
        ("https://World.example", "world.example", True),
        ("https://world.example", "world.example:443", True),
        ("http://[::1]:8420", "[::1]:8420", True),
        ("https://friend.example", "world.example", True),
        ("https://friend.example/", "world.example", True),
        ("https://friend.example:8443", "world.example", False),
        ("http://localhost:8421", "localhost:8420", False),
        ("http://evil.example", "world.example", False),
        ("http://world.example.evil", "world.example", False),
        ("null", "world.example", False),
        ("", "world.example", False),
        ("file://", "", False),
        ("http://world.example:port", "world.example", False),
        ("http://[", "world.example", False),
    ],
)
def test_a_page_may_connect_to_where_it_came_from_or_if_it_is_named(
    origin: str, host: str, allowed: bool
) -> None:
    assert origin_allowed(origin, host, ("https://friend.example",)) is allowed


def test_a_star_lets_every_page_connect() -> None:
    assert origin_allowed("https://anywhere.example", "world.example", ("*",))
