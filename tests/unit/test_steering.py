"""Steering: which moves count, by session and by address, as ticks pass."""

import struct
from dataclasses import dataclass

import numpy as np

from worldloom.gateway.addresses import Addresses
from worldloom.gateway.inbox import MOVE_PAYLOAD_HEAD, MoveInbox, move_frame
from worldloom.gateway.roster import Roster
from worldloom.gateway.session import Buckets, Session
from worldloom.gateway.steering import Steering
from worldloom.replication.views import Seat


@dataclass(frozen=True)
class Limits:
    moves_per_s: int = 30
    commands_per_s: int = 10
    says_per_10s: int = 8
    wrong_commands: int = 10
    connections_per_address: int = 4
    accounts_per_hour: int = 3


class Wheelhouse:
    """Sessions that move, and what of it is sent on."""

    def __init__(self) -> None:
        self.roster, self.inbox, self.sent = Roster(), MoveInbox(), []
        self.addresses = Addresses(Limits())
        self.steering = Steering(
            self.roster, self.addresses, self.inbox, 30, lambda who, _: self.sent.append(who)
        )
        self.tick = 1_000
        self.steering.collect(self.tick)

    def come(self, avatar: int, address: str) -> Session:
        seat, buckets = Seat(avatar, lambda frame: None), Buckets(Limits())
        made = Session(avatar, None, f"Nn{avatar}", (), self.roster.new_row(), seat, buckets)
        self.roster.add(made)
        self.roster.move_tokens[made.row] = 30
        self.addresses.enter(made, address)
        self.roster.home_of[made.row] = made.home.index
        return made

    def pass_ticks(self, ticks: int, **moves: int) -> dict[int, int]:
        """Let ticks pass, the moves of each avatar coming before the last; how many counted."""
        for name, count in moves.items():
            row = self.roster.find(int(name[1:])).row
            for seq in range(count):
                state = struct.pack("<IiihBB", seq, 0, 0, 0, 0, 0)
                self.inbox.put(row, move_frame(MOVE_PAYLOAD_HEAD + state))
        self.tick += ticks
        self.steering.collect(self.tick)
        who, counts = np.unique(self.sent.pop(), return_counts=True)
        return dict(zip(who.tolist(), counts.tolist(), strict=True))


def test_budgets_grow_with_the_ticks_that_were_left_out() -> None:
    house = Wheelhouse()
    ada = house.come(1, "10.0.0.1")
    for _ in range(200):
        # Thirty a second, while only every fourth tick is run.
        assert house.pass_ticks(4, a1=6) == {1: 6}
    assert ada.over_moves == 0


def test_a_flooder_takes_nothing_from_the_others_at_its_address() -> None:
    house = Wheelhouse()
    house.come(1, "10.0.0.1")
    house.come(2, "10.0.0.1")
    assert house.pass_ticks(1, a1=63, a2=1) == {2: 1}
    for _ in range(60):
        assert house.pass_ticks(1, a1=63, a2=1) == {2: 1}


def test_more_sessions_than_an_address_has_moves_for_are_held_back_and_others_are_not() -> None:
    house = Wheelhouse()
    for avatar in (1, 2, 3):
        house.come(avatar, "10.0.0.1")
    house.come(4, "10.0.0.2")
    assert house.pass_ticks(1, a1=25, a2=25, a3=25, a4=25) == {4: 25}
