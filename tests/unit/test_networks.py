"""Networks: one way to write each, and all that an address is in."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worldloom.errors import Refusal
from worldloom.realm.networks import clean_network, networks_of
from worldloom_sdk.protocol.messages import RefusalCode

V4 = st.ip_addresses(v=4).map(str)
V6 = st.ip_addresses(v=6).filter(lambda a: a.ipv4_mapped is None).map(str)


@pytest.mark.parametrize(
    ("typed", "clean"),
    [
        ("192.0.2.7", "192.0.2.7/32"),
        (" 192.0.2.7/24 ", "192.0.2.0/24"),
        ("10.9.8.7/8", "10.0.0.0/8"),
        ("2001:DB8::1", "2001:db8::/64"),
        ("2001:db8:0:0:1:2:3:4/128", "2001:db8::/64"),
        ("2001:db8:ffff::/33", "2001:db8:8000::/33"),
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ("::ffff:192.0.2.7/120", "192.0.2.0/24"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("2001:e000::/19", "2001:e000::/19"),
    ],
)
def test_a_network_is_written_in_one_way(typed: str, clean: str) -> None:
    assert clean_network(typed) == clean
    assert clean_network(clean) == clean


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "home",
        "192.0.2",
        "192.0.2.0/33",
        "192.0.2.0/-1",
        "192.0.2.0/255.255.0.0",
        "1.2.3.4/8/8",
        "2001:db8::/129",
        "/24",
        "010.0.0.1",
    ],
)
def test_what_is_no_network_is_refused_with_what_was_expected_and_got(typed: str) -> None:
    with pytest.raises(Refusal, match=r"expected an address or a network.*got") as refusal:
        clean_network(typed)
    assert refusal.value.code is RefusalCode.INVALID


@pytest.mark.parametrize("typed", ["0.0.0.0/0", "10.0.0.0/7", "::/0", "2001::/18", "::ffff:0:0/96"])
def test_too_wide_a_network_is_refused(typed: str) -> None:
    with pytest.raises(Refusal, match=r"expected an IPv. network of /\d+ or narrower, got"):
        clean_network(typed)


def test_networks_of_an_address_go_from_the_widest_to_the_narrowest() -> None:
    assert networks_of("192.0.2.7")[0] == "192.0.0.0/8"
    assert networks_of("192.0.2.7")[-1] == "192.0.2.7/32"
    assert len(networks_of("192.0.2.7")) == 25
    assert len(networks_of("2001:db8::1")) == 46
    assert networks_of("2001:db8::1")[-1] == "2001:db8::/64"
    assert networks_of("2001:db8::/64") == networks_of("2001:db8::1")
    assert networks_of("::ffff:192.0.2.7") == networks_of("192.0.2.7")


@pytest.mark.parametrize("address", ["", "home", "unix:", "1.2.3"])
def test_of_what_is_no_address_no_network_is_known(address: str) -> None:
    assert networks_of(address) == ()


@given(V4, V4, st.integers(8, 32))
def test_networks_of_an_ipv4_address_are_those_that_contain_it(address: str, other: str, prefix: int) -> None:
    for base in (address, other):
        network = clean_network(f"{base}/{prefix}")
        inside = ipaddress.ip_address(address) in ipaddress.ip_network(network)
        assert (network in networks_of(address)) == inside


@given(V6, V6, st.integers(19, 128), st.integers(0, 128))
def test_networks_of_an_ipv6_address_are_those_that_contain_it(
    address: str, other: str, prefix: int, shared: int
) -> None:
    own, far = int(ipaddress.ip_address(address)), int(ipaddress.ip_address(other))
    near = own >> shared << shared | far & ((1 << shared) - 1)
    for base in (address, str(ipaddress.IPv6Address(near))):
        network = clean_network(f"{base}/{prefix}")
        inside = ipaddress.ip_address(address) in ipaddress.ip_network(network)
        assert (network in networks_of(address)) == inside
