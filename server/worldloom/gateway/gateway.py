"""The gateway: owns the sessions, hands their moves up, and writes what comes down. Simulates nothing.

Within a tick: ``collect`` takes the moves of all sockets and sends them to the shard; the shard's frame comes back by
``take_frame`` (or, over a bus, some ticks later), and everybody is written to.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from worldloom.errors import Refusal
from worldloom.gateway.addresses import Addresses
from worldloom.gateway.attendance import Attendance
from worldloom.gateway.bouncer import Bouncer
from worldloom.gateway.commands import Commands
from worldloom.gateway.connection import Connection
from worldloom.gateway.enforcer import Enforcer
from worldloom.gateway.entrance import Admitted, Entrance, Known
from worldloom.gateway.evidence import SAMPLE_TICKS, Evidence
from worldloom.gateway.inbox import MoveInbox
from worldloom.gateway.looks import LookTeller
from worldloom.gateway.news import RegionTeller
from worldloom.gateway.pressure import Pressure
from worldloom.gateway.roster import Roster
from worldloom.gateway.rules import Rules
from worldloom.gateway.session import Buckets, Session, SessionState
from worldloom.gateway.shuns import Shuns
from worldloom.gateway.sockets import GameSocket
from worldloom.gateway.steering import Steering
from worldloom.gateway.times import Times
from worldloom.gateway.welcome import welcome
from worldloom.replication.fanout import FanOut
from worldloom.replication.feed import Join, Part, Renew, ShardFrame, ShardSnapshot
from worldloom.replication.uplink import Uplink
from worldloom.replication.views import Seat
from worldloom.replication.wire import message
from worldloom_sdk.protocol import messages
from worldloom_sdk.protocol.codec import MAX_MESSAGE_BYTES
from worldloom_sdk.protocol.messages import CloseCode, Hello, RefusalCode, Role, Scope

__all__ = ["Gateway"]

Place = tuple[int, int, int, int]

_log = logging.getLogger(__name__)

FINAL = frozenset(
    {
        CloseCode.NORMAL,
        CloseCode.PROTOCOL,
        CloseCode.NOT_BINARY,
        CloseCode.BAD_PAYLOAD,
        CloseCode.POLICY,
        CloseCode.TOO_BIG,
        CloseCode.REMOVED,
    }
)
"""Closed with one of these, a session ends at once: whoever broke the rules has nothing to resume."""
RESUME_GRACE_S = 60.0
"""So long an older resume token stays good for a client that says nothing: it may not have got the Welcome, and a
connection that is dead is noticed after 40 s."""
MAX_WAITING = 1_000
"""Hellos being worked on at once."""


class Gateway:
    """All sessions of one node.

    Args:
        rules: Limits, and what newcomers are told of the world.
        inbox: Where the sockets put moves.
        fanout: Who sees what.
        uplink: The way to the shard.
        times: Clocks.
        on_event: Told of each session that "came", "moved" to another cell or layer, or "left".
    """

    def __init__(
        self,
        rules: Rules,
        inbox: MoveInbox,
        fanout: FanOut,
        uplink: Uplink,
        times: Times,
        on_event: Callable[[str, Session], None] = lambda kind, session: None,
    ) -> None:
        self._rules, self._fanout, self._uplink = rules, fanout, uplink
        self._times, self._monotonic, self._world_ms = times, times.monotonic, times.world_ms
        self._on_event = on_event
        self.roster = Roster()
        self.entrance: Entrance | None = None
        self.enforcer: Enforcer | None = None
        self.on_live: Callable[[Session], None] = lambda session: None
        """Told of who is in the world, or in it again."""
        self.bouncer = Bouncer(fanout, uplink, times, self._throw_out, self._check_role)
        self.shuns = Shuns(self.roster, fanout)
        self.looks = LookTeller(self.roster, fanout)
        self.evidence = Evidence(self.roster, fanout, times.world_ms)
        self.news = RegionTeller(self.roster)
        self.addresses = Addresses(rules)
        self.steering = Steering(self.roster, self.addresses, inbox, rules.moves_per_s, uplink.flush)
        self.pressure = Pressure(fanout, times.monotonic, rules.drain_timeout_s)
        self.commands = Commands(self.roster, fanout, uplink, self.leave, self.steering.put, rules, times)
        self.commands.heard = self._hear
        self.attendance = Attendance(times.unix_ms)
        self._joining: dict[Session, None] = {}
        self._lost: dict[Session, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.departed: dict[int, Place] = {}
        """Last places of accounts that left and are not saved yet: x, z, y, yaw in units."""
        self._departed_before: dict[int, Place] = {}
        self.closed: dict[int, int] = {}
        self._closing = False

    # ---- sockets

    def accept(self, socket: GameSocket) -> Connection:
        """A handshake succeeded; a Hello must follow."""
        socket.deadline(self._rules.hello_timeout_s, CloseCode.POLICY)
        return Connection(socket, self)

    def greet(self, connection: Connection, hello: Hello) -> None:
        """Somebody says Hello: answered by Welcome or Refused, in time."""
        if self._closing or len(self._tasks) >= MAX_WAITING or self._uplink.is_backed_up:
            connection.refuse(Refusal(RefusalCode.UNAVAILABLE, "too many are waiting", "try again", 2_000))
            return
        task = asyncio.get_running_loop().create_task(
            self._welcome(connection, hello), name="gateway.welcome"
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _welcome(self, connection: Connection, hello: Hello) -> None:
        try:
            if self.entrance is None:
                raise Refusal(RefusalCode.UNAVAILABLE, "the world is not open yet", "try again", 2_000)
            self.entrance.check(hello)
            again = self.roster.by_resume(hello.resume) if hello.resume else None
            if again is not None and again.came and not self._thrown_out(again):
                again.resume_used = hello.resume or ""
                again.token, again.recovery = None, ""
                self._take_over(again, connection, resumed=True)
                return
            with self.entrance.coming(hello):
                await self._let_in(connection, hello, self.entrance)
        except Refusal as refusal:
            connection.refuse(refusal)
        except Exception:  # noqa: BLE001 - a task boundary: one newcomer's bad luck is not the world's
            _log.exception("a newcomer could not be let in")
            connection.refuse(
                Refusal(RefusalCode.UNAVAILABLE, "something went wrong here", "try again", 5_000)
            )

    async def _let_in(self, connection: Connection, hello: Hello, entrance: Entrance) -> None:
        as_of = self.enforcer.number if self.enforcer is not None else 0
        known = await entrance.identify(hello, connection.home)
        if known.row is not None and self.roster.find(known.row.account) is not None:
            known = await entrance.redeem(known, hello, connection.home)
        if self._replaces(known, connection):
            return
        self._check_home(connection.home)
        with entrance.room(known):
            who = await entrance.place(known, hello, self.last_place, connection.home)
            if known.row is None and hello.keep and connection.is_open:
                self._check_accounts(connection.home)
                who = await entrance.register(who, hello, connection.home)
            elif connection.is_open:
                known = await entrance.redeem(known, hello, connection.home)
                who = replace(who, known=known)
            # Another connection of the same account may have been faster meanwhile.
            if not self._replaces(known, connection) and connection.is_open:
                self._make_way(connection.home)
                session = self._admit(connection, who)
                if self.enforcer is not None and self.enforcer.number != as_of:
                    self._doubt(session)

    def _doubt(self, session: Session) -> None:
        """It may be something else since it was asked about, or comes from elsewhere now."""
        if self.enforcer is not None:
            self.enforcer.doubt(session)

    def _check_home(self, home: str) -> Session | None:
        """Who has to go before one more may come from an address, if anybody.

        Raises:
            Refusal: There is no room, and all are here.
        """
        try:
            return self.addresses.in_the_way(home)
        except LookupError:
            raise Refusal(
                RefusalCode.FULL, "too many have come from this address", "leave with one of them", 30_000
            ) from None

    def _make_way(self, home: str) -> None:
        lost = self._check_home(home)
        if lost is not None:
            self._end(lost)

    def _check_accounts(self, home: str) -> None:
        wait = self.addresses.take_account(home, self._monotonic())
        if wait:
            raise Refusal(
                RefusalCode.RATE,
                f"expected at most {self._rules.accounts_per_hour} new accounts an hour from one address, got more",
                "come as a guest, or later",
                round(wait * 1_000) + 1,
            )

    def _replaces(self, known: Known, connection: Connection) -> bool:
        """Whether this account is here already: then the newer connection wins."""
        present = self.roster.find(known.row.account) if known.row is not None else None
        if present is None or self._thrown_out(present):
            return False
        if not connection.is_open:
            return True
        # Who was here before has no way back into what is another's now.
        self.roster.void_resume(present)
        self._take_over(present, connection, resumed=False)
        present.token, present.recovery, present.by_code = known.token, known.recovery, known.by_code
        self.bouncer.set_standing(present, known.standing)
        return True

    def _check_role(self, role: Role) -> None:
        if self.entrance is not None:
            self.entrance.check_role(role)

    def _throw_out(self, session: Session) -> None:
        self._detach(session)
        self._end(session)

    def _thrown_out(self, session: Session) -> bool:
        """Whether a session is being closed for good; then it ends now, whenever its client lets go."""
        if session.closing not in FINAL:
            return False
        self._throw_out(session)
        return True

    def _admit(self, connection: Connection, who: Admitted) -> Session:
        row, known, standing = self.roster.new_row(), who.known, who.known.standing
        seat = Seat(who.avatar, connection.socket.write_frame, standing.layers)
        session = Session(
            who.avatar,
            who.account,
            who.name,
            who.skeletons,
            row,
            seat,
            Buckets(self._rules),
            token=known.token,
        )
        session.stand(standing)
        session.recovery, session.wrong_limit = known.recovery, self._rules.wrong_commands
        session.by_code = known.by_code
        session.shunned = known.shunned
        if known.row is not None:
            session.wear(known.row.look or b"")
            session.findable = known.row.findable
        session.own_shuns = known.own_shuns
        self.roster.add(session)
        self.roster.move_tokens[row] = self._rules.moves_per_s
        self._attach(session, connection)
        self.shuns.enter(session)
        self._joining[session] = None
        body = (standing.layer, standing.owner_account or 0, standing.access)
        self._uplink.control(Join(who.avatar, who.x, who.z, who.yaw, *body, who.instead))
        return session

    def _take_over(self, session: Session, connection: Connection, resumed: bool) -> None:
        """A newer socket of the same session, or of the same account: it wins."""
        if not connection.is_open:
            return
        old = session.socket
        if old is not None:
            self._detach(session)
            old.close(CloseCode.REPLACED, "a newer connection took over")
        self._lost.pop(session, None)
        session.told.clear()
        before = session.seat
        session.seat = Seat(session.avatar, connection.socket.write_frame, before.own)
        session.seat.blocked, session.seat.deaf, session.seat.heard = (
            before.blocked,
            before.deaf,
            before.heard,
        )
        session.resumed = resumed
        session.state = SessionState.JOINING
        self.roster.change_row(session)
        self._attach(session, connection)
        self._joining[session] = None
        self._uplink.control(Renew(session.avatar))
        self._doubt(session)

    def _attach(self, session: Session, connection: Connection) -> None:
        connection.session = session
        session.socket = connection.socket
        self.addresses.enter(session, connection.home)
        self.roster.home_of[session.row] = session.home.index if session.home is not None else 0
        session.wrong = session.over_moves = session.closing = 0
        connection.socket.deadline(self._rules.hello_timeout_s, CloseCode.BUSY)

    def _detach(self, session: Session) -> None:
        """The session has no socket any more; its body stays."""
        if session.socket is not None:
            session.socket.row = -1
        session.socket = None
        self._joining.pop(session, None)
        self.pressure.forget(session)
        self._fanout.remove(session.seat)

    def closed_by(self, session: Session, socket: GameSocket, code: int) -> None:
        """A socket is gone."""
        self.closed[code] = self.closed.get(code, 0) + 1
        if session.socket is not socket:
            return
        self._detach(session)
        if session.state is SessionState.ENDED:
            return
        session.state, session.lost_at = SessionState.LOST, self._monotonic()
        self._lost[session] = None
        if code in FINAL or self._rules.resume_s <= 0 or not session.came:
            self._end(session)

    def leave(self, session: Session) -> None:
        """A session ends at its own wish."""
        socket = session.socket
        self._throw_out(session)
        if socket is not None:
            socket.close(CloseCode.NORMAL, "goodbye")

    def _end(self, session: Session) -> None:
        if session.state is SessionState.ENDED:
            return
        session.state = SessionState.ENDED
        self._lost.pop(session, None)
        place = self._place(session)
        if place is not None and session.account is not None:
            self.departed[session.account] = place
        if session.came:
            self._on_event("left", session)
            self.attendance.note(session)
        self.roster.remove(session)
        self.addresses.leave(session)
        self.shuns.leave(session)
        self._uplink.control(Part(session.avatar))

    # ---- the tick

    def collect(self, tick: int) -> None:
        """Send the moves of all sockets, and what else there is, to the shard."""
        self.steering.collect(tick)

    def take_frame(self, frame: ShardFrame) -> None:
        """Write everybody's share of a tick."""
        self._fanout.take_frame(frame)
        for correction in frame.corrections.tolist():
            self._correct(correction)
        for entry in frame.enters[:, 0].tolist():
            self._follow(entry >> 12)
        for news in frame.regions:
            self.news.take(news)
        self._welcome_arrived()
        if frame.tick % SAMPLE_TICKS == 0:
            self.evidence.sample()

    def take_snapshot(self, snapshot: ShardSnapshot) -> None:
        """After a gap: everything anew."""
        self._fanout.take_snapshot(snapshot)
        for session in self.roster:
            self._follow(session.avatar)
        for news in snapshot.regions:
            self.news.take(news)
        self._welcome_arrived()

    def sweep(self) -> None:
        """About once a second: end what has waited too long."""
        now = self._monotonic()
        for session in list(self._lost):
            if now - session.lost_at >= self._rules.resume_s:
                self._end(session)
        for session in self.roster:
            live = session.unheard and session.state is SessionState.LIVE
            if live and now - session.live_at >= RESUME_GRACE_S:
                # By now the client has its new token, or its connection is lost.
                self._hear(session)
        self.steering.forgive()
        self.pressure.sweep()
        self.shuns.sweep()
        self.looks.sweep()

    def places(self) -> dict[int, Place]:
        """Where every account is or was last: x, z, y, yaw in units."""
        here = self._fanout.mirror.bodies(s.account for s in self.roster if s.account is not None)
        places, self.departed = self.departed, {}
        self._departed_before = dict(places)
        return places | here

    def last_place(self, account: int) -> Place | None:
        """Where an account left from, x, z, y, yaw in units, if that may not be in the database yet."""
        return self.departed.get(account) or self._departed_before.get(account)

    async def close(self, retry_after_ms: int) -> None:
        """Tell everybody that the server stops."""
        self._closing = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.commands.errands.close()
        await self.attendance.close()
        told = message(messages.Goodbye("restart", "the server is stopping", retry_after_ms))
        for session in self.roster:
            session.write(told)
            session.close(CloseCode.RESTART, f"retry_after_ms={retry_after_ms}")

    # ---- details

    def _correct(self, correction: list[int]) -> None:
        avatar, seq, x, z, y, yaw, reason = correction
        session = self.roster.find(avatar)
        if session is not None and session.state is SessionState.LIVE:
            session.write(message(messages.Correction(seq, x, z, y, yaw, reason)))

    def _follow(self, avatar: int) -> None:
        """A body came into a cell: perhaps into another region."""
        session = self.roster.find(avatar)
        if session is not None:
            at = self._fanout.mirror.where.get(avatar)
            key = self._fanout.mirror.keys[at[0]] if at else None
            if key is not None:
                self.news.move(session, (key[0] >> 3, key[1] >> 3))
                if session.came:
                    self._on_event("moved", session)

    def _welcome_arrived(self) -> None:
        for session in list(self._joining):
            place = self._place(session)
            if session.socket is None or not session.socket.is_open:
                # It is closing: there is nobody to be welcomed.
                del self._joining[session]
            elif place is not None:
                del self._joining[session]
                self._go_live(session, place)

    def _go_live(self, session: Session, place: tuple[int, int, int, int]) -> None:
        resume = self.roster.renew_resume(session)
        session.write(message(welcome(session, place, self._rules, self._world_ms(), resume)))
        session.token, session.recovery = None, ""
        session.state, session.live_at, session.unheard = SessionState.LIVE, self._monotonic(), True
        if session.socket is not None:
            # Moves take the short way, unless each is to be refused.
            session.socket.row = session.row if session.standing.may(Scope.MOVE) else -1
            session.socket.deadline(None)
            session.socket.max_message = MAX_MESSAGE_BYTES
        self.shuns.renew(session)
        self._fanout.add(session.seat)
        if session.standing.muted_ms(self._times.unix_ms()):
            self.bouncer.tell(session)
        self.news.tell_all(session)
        self.attendance.note(session)
        self.on_live(session)
        if not session.came:
            session.came = True
            self._on_event("came", session)

    def _hear(self, session: Session) -> None:
        """The client has what its last Welcome told."""
        self.roster.confirm_resume(session)
        self.attendance.hear(session)

    def _place(self, session: Session) -> Place | None:
        return self._fanout.mirror.body(session.avatar)
