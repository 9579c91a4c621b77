"""Accounts and guests in a simulated world, with what each of them shuns; no sockets, and no store but what is told."""

from sim_world import SimWorld
from worldloom.gateway.roster import Roster
from worldloom.gateway.session import Buckets, Session
from worldloom.gateway.shuns import Shuns
from worldloom.replication.views import Seat
from worldloom_sdk.protocol.messages import BlockReach

GUEST_BIT = 1 << 31

Wishes = dict[tuple[int, int], BlockReach]


class _Limits:
    commands_per_s = says_per_10s = wrong_commands = 10


class People:
    """Who is here, as the gateway has them: they come, resume and go."""

    def __init__(self) -> None:
        self.world = SimWorld()
        self.roster = Roster()
        self.shuns = Shuns(self.roster, self.world.fanout)

    @property
    def here(self) -> list[Session]:
        return list(self.roster)

    def come(self, avatar: int, told: Wishes | None = None, x: float = 0.0) -> Session:
        """Somebody comes in, of whom the store said what is ``told``: who wishes what of whom."""
        account = None if avatar >= GUEST_BIT else avatar
        seat = Seat(avatar, lambda data: None)
        session = Session(avatar, account, f"{avatar}", (), self.roster.new_row(), seat, Buckets(_Limits()))
        told = told or {}
        session.own_shuns = {b: reach for (a, b), reach in told.items() if a == avatar}
        for (a, b), reach in told.items():
            other = b if a == avatar else a
            session.shunned[other] = min(reach, session.shunned.get(other, reach))
        self.roster.add(session)
        self.shuns.enter(session)
        self.world.join(avatar, x, 0.0)
        self._sit(session)
        return session

    def resume(self, session: Session) -> None:
        before = session.seat
        self.world.resume(session.avatar)
        session.seat = Seat(session.avatar, lambda data: None)
        session.seat.blocked, session.seat.deaf = before.blocked, before.deaf
        self._sit(session)

    def _sit(self, session: Session) -> None:
        """In the seat that the world made, with a mirror of its own."""
        seat = self.world.watchers[session.avatar].seat
        seat.blocked, seat.deaf = set(session.seat.blocked), set(session.seat.deaf)
        session.seat = seat
        self.world.fanout.remove(seat)
        self.shuns.renew(session)
        self.world.fanout.add(seat)

    def go(self, session: Session, part: bool = True) -> None:
        """Somebody goes; unless ``part``, the shard is told later."""
        if part:
            self.world.part(session.avatar)
        self.roster.remove(session)
        self.shuns.leave(session)

    def tick(self, count: int = 1) -> None:
        self.world.tick(count)
        for session in self.here:
            session.came |= session.avatar in self.world.fanout.mirror.where

    def sweep_all(self) -> None:
        """As often as it takes until those who are gone are forgotten, seen or not."""
        for _ in range(12):
            self.shuns.sweep()

    def sees(self, session: Session) -> set[int]:
        """Whose bodies its client's mirror has."""
        return set(self.world.watchers[session.avatar].view.avatars)
