"""Addresses: how many sessions one may have, and what they may ask for together."""

from dataclasses import dataclass

import pytest

from worldloom.gateway.addresses import IDLE_KEPT, Addresses
from worldloom.gateway.session import Buckets, Session, SessionState
from worldloom.replication.views import Seat


@dataclass(frozen=True)
class Limits:
    moves_per_s: int = 30
    commands_per_s: int = 10
    says_per_10s: int = 8
    wrong_commands: int = 10
    connections_per_address: int = 4
    accounts_per_hour: int = 3


def session(avatar: int, lost_at: float = -1.0) -> Session:
    """A session, lost since then unless negative."""
    made = Session(
        avatar, None, f"Nn{avatar}", (), avatar, Seat(avatar, lambda frame: None), Buckets(Limits())
    )
    made.lost_at = lost_at
    made.state = SessionState.LOST if lost_at >= 0 else SessionState.LIVE
    return made


def test_an_address_with_as_many_sessions_as_connections_has_to_give_up_its_oldest_lost_one() -> None:
    addresses = Addresses(Limits())
    for avatar, lost_at in ((1, -1.0), (2, 9.0), (3, 5.0), (4, -1.0)):
        assert addresses.in_the_way("10.0.0.1") is None
        addresses.enter(session(avatar, lost_at), "10.0.0.1")
    in_the_way = addresses.in_the_way("10.0.0.1")
    assert in_the_way is not None
    assert in_the_way.avatar == 3
    assert addresses.in_the_way("10.0.0.2") is None


def test_an_address_whose_sessions_are_all_here_has_no_room() -> None:
    addresses = Addresses(Limits())
    for avatar in range(1, 5):
        addresses.enter(session(avatar), "10.0.0.1")
    with pytest.raises(LookupError):
        addresses.in_the_way("10.0.0.1")


def test_the_sessions_of_an_address_share_half_of_what_its_connections_could_ask_for() -> None:
    addresses = Addresses(Limits())
    ada, bob = session(1), session(2)
    addresses.enter(ada, "10.0.0.1")
    addresses.enter(bob, "10.0.0.1")
    assert ada.home is bob.home
    assert addresses.moves_per_s == 60
    assert ada.home is not None
    granted = sum(not ada.home.says.take(100.0) for _ in range(100))
    assert granted == 16


def test_an_address_that_nobody_is_here_from_keeps_its_budget_and_is_forgotten_in_the_end() -> None:
    addresses = Addresses(Limits())
    ada = session(1)
    addresses.enter(ada, "10.0.0.1")
    addresses.enter(ada, "10.0.0.2")
    assert len(addresses) == 1
    home = ada.home
    addresses.leave(ada)
    addresses.leave(ada)
    assert (len(addresses), ada.home) == (0, None)
    addresses.enter(ada, "10.0.0.2")
    assert ada.home is home
    addresses.leave(ada)
    for avatar in range(2, 2 * IDLE_KEPT):
        one = session(avatar)
        addresses.enter(one, f"10.{avatar >> 8}.{avatar & 255}.1")
        addresses.leave(one)
    assert len(addresses.move_tokens) == 2 * IDLE_KEPT
    addresses.enter(ada, "10.0.0.2")
    assert ada.home is not home


def test_an_address_makes_so_many_accounts_an_hour_even_if_it_comes_and_goes() -> None:
    addresses = Addresses(Limits())
    assert [addresses.take_account("10.0.0.1", 0.0) for _ in range(3)] == [0, 0, 0]
    assert addresses.take_account("10.0.0.1", 0.0) == pytest.approx(1200)
    assert addresses.take_account("10.0.0.2", 0.0) == 0
    assert addresses.take_account("10.0.0.1", 1201.0) == 0
