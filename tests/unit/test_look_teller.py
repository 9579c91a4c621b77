"""Changed looks are told to whoever has the body in view, a bounded number at a time."""

from types import SimpleNamespace

from sim_world import SimWorld, payloads
from worldloom.gateway.looks import AT_ONCE, LookTeller
from worldloom.gateway.roster import Roster
from worldloom.gateway.session import Buckets, Session
from worldloom.replication.views import Seat
from worldloom_sdk.protocol.codec import decode_server
from worldloom_sdk.protocol.messages import Looks

LIMITS = SimpleNamespace(commands_per_s=10, says_per_10s=8, wrong_commands=10)
LOOK = bytes((2, 1, 4, 18, 3))


class Street:
    """People in a row, the first at 0 m, each with a session that remembers what is written to it."""

    def __init__(self, *metres: float) -> None:
        self.world, self.roster = SimWorld(), Roster()
        self.teller = LookTeller(self.roster, self.world.fanout)
        self.told: dict[int, list[Looks]] = {}
        for avatar, x in enumerate(metres, 1):
            self.add(avatar, self.world.join(avatar, x, 0).seat)
        self.world.tick(3)

    def add(self, avatar: int, seat: Seat) -> None:
        session = Session(avatar, None, f"P{avatar}", (), self.roster.new_row(), seat, Buckets(LIMITS))
        told = self.told.setdefault(avatar, [])

        def hear(data: bytes) -> None:
            told.extend(map(decode_server, payloads(data)))

        session.socket = SimpleNamespace(writer=hear, paused=seat.paused, unsent_bytes=0)
        self.roster.add(session)

    def change(self, avatar: int, look: bytes = LOOK) -> None:
        self.teller.change(self.roster.find(avatar), look)

    def sweep(self) -> list[int]:
        """To whom something was told."""
        before = {avatar: len(told) for avatar, told in self.told.items()}
        self.teller.sweep()
        return [avatar for avatar, told in self.told.items() if len(told) > before[avatar]]


def test_it_is_told_to_who_has_the_body_in_view_paused_or_not():
    street = Street(0, 40, 100, 200)
    street.world.fanout.pause(street.roster.find(2).seat)
    street.change(1)
    assert street.sweep() == [1, 2]
    assert street.told[2][0].looks[0].look == LOOK
    assert street.sweep() == []


def test_who_blocks_is_not_told_and_who_has_gone_is_not_told_of():
    street = Street(0, 1, 2)
    street.roster.find(2).seat.blocked.add(1)
    street.change(1)
    assert street.sweep() == [1, 3]
    street.change(3)
    street.world.part(3)
    street.world.tick(2)
    assert street.sweep() == []


def test_the_same_look_again_is_no_news():
    street = Street(0, 1)
    street.change(1)
    street.sweep()
    street.change(1)
    assert len(street.teller) == 0


def test_of_many_changes_the_last_of_each_is_told_in_turn_in_one_message():
    street = Street(*range(AT_ONCE + 4))
    for look in (bytes(5), LOOK):
        for avatar in street.told:
            street.change(avatar, look)
    street.sweep()
    street.sweep()
    sizes = [len(told.looks) for told in street.told[1]]
    assert sizes == [AT_ONCE, 4]
    assert {worn.look for told in street.told[1] for worn in told.looks} == {LOOK}
