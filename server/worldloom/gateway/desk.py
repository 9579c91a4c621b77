"""The desk: commands about order, accounts, blocks and reports. Each asks the store; the enforcer puts it in force."""

from collections.abc import Callable, Coroutine
from typing import Any

from worldloom.errors import Refusal
from worldloom.gateway.enforcer import Enforcer
from worldloom.gateway.evidence import Evidence
from worldloom.gateway.limits import RateLimit
from worldloom.gateway.looks import LookTeller
from worldloom.gateway.roster import Roster
from worldloom.gateway.session import Session
from worldloom.gateway.shuns import Shuns
from worldloom.gateway.times import Times
from worldloom.ports import Store, Tx
from worldloom.realm.names import clean_name
from worldloom.realm.order import allow
from worldloom.realm.skeletons import skeleton
from worldloom.services import access, order, people, reports, shuns
from worldloom.services.asking import By, Whom, authorise
from worldloom.services.looks import SetFindable, SetLook, check_look, set_findable, set_look
from worldloom_sdk.protocol import messages
from worldloom_sdk.protocol.messages import AccountAct, BlockReach, OrderAct, Person, RefusalCode

__all__ = ["MAX_BLOCKED", "Desk"]

MAX_BLOCKED = shuns.SHUNS_MAX
PEOPLE_MAX = 100
"""Of one LIST."""
_GUEST_BIT = 1 << 31
_REPORT_EVERY_S = 10.0
_REPORTS_A_DAY = 20
_REPORTS_PER_S, _REPORTS_AT_ONCE = 2.0, 10.0
"""Of all together: each costs some milliseconds."""

Handler = Callable[[Session, Any], Coroutine[Any, Any, object]]
_ACTS: dict[OrderAct, Callable[[Tx, Any], Any]] = {
    OrderAct.KICK: order.kick,
    OrderAct.UNBAN: order.unban,
    OrderAct.UNMUTE: order.unmute,
}
_SANCTIONS: dict[OrderAct, Callable[[Tx, Any], Any]] = {OrderAct.BAN: order.ban, OrderAct.MUTE: order.mute}


class Desk:
    """Handlers for ``Commands.slow``.

    Args:
        store: Where everything durable is.
        roster: Who is here.
        blocks: Personal blocks among them.
        looks: Tells others what they look like.
        evidence: What they were sent.
        enforcer: Told when something was done.
        times: Clocks.
        seal_key: Seals reports.
    """

    def __init__(
        self,
        store: Store,
        roster: Roster,
        blocks: Shuns,
        looks: LookTeller,
        evidence: Evidence,
        enforcer: Enforcer,
        times: Times,
        seal_key: bytes,
    ) -> None:
        self._store, self._roster, self._shuns, self._evidence = store, roster, blocks, evidence
        self._looks = looks
        self._enforcer, self._times, self._seal_key = enforcer, times, seal_key
        self._report_pace = RateLimit(1 / _REPORT_EVERY_S, 1)
        self._reports_a_day = RateLimit(_REPORTS_A_DAY / 86_400, _REPORTS_A_DAY)
        self._all_reports = RateLimit(_REPORTS_PER_S, _REPORTS_AT_ONCE)
        self.handlers: dict[type, Handler] = {
            messages.Order: self._order,
            messages.Account: self._account,
            messages.Report: self._report,
            messages.Block: self._block,
        }

    # ---- order

    async def _order(self, session: Session, asked: messages.Order) -> object:
        # The database decides again, in the transaction; this spares it those who may not anyway.
        allow(asked.act, session.standing.role, session.standing.scopes)
        try:
            return await self._carry_out(session, asked)
        finally:
            self._enforcer.poke()

    async def _carry_out(self, session: Session, asked: messages.Order) -> object:
        by, now = _by(session), self._times.unix_ms()
        run, act = self._store.run, asked.act
        if act in _ACTS:
            await run(_ACTS[act], order.Act(by, self._whom(asked), now, asked.text))
        elif act in _SANCTIONS:
            laid = order.Sanctioned(by, self._whom(asked), now, asked.text, asked.minutes)
            await run(_SANCTIONS[act], laid)
        elif act is OrderAct.ROLE:
            await run(order.give_role, order.GiveRole(by, self._whom(asked), asked.text, now))
        elif act is OrderAct.INVITE:
            return await run(order.invite, order.Invite(by, now, asked.uses, asked.minutes))
        elif act in (OrderAct.HIDE, OrderAct.APPEAR):
            await run(order.hide if act is OrderAct.HIDE else order.appear, order.SetHidden(by, now))
        elif act is OrderAct.CLOSE:
            await run(reports.close_report, reports.CloseReport(by, asked.number, asked.text, now))
        else:
            return await self._look_up(by, asked)
        return None

    async def _look_up(self, by: By, asked: messages.Order) -> object:
        read = self._store.read
        if asked.act is OrderAct.LIST:
            return await self._list(by, asked.name, asked.number)
        if asked.act is OrderAct.SHOW:
            return await self._show(by, asked)
        if asked.act is OrderAct.REPORTS:
            return [
                reports.to_reported(row) for row in await read(reports.open_reports, reports.OpenReports(by))
            ]
        rows = await read(people.audit_page, people.AuditPage(by))
        return [people.to_entry(row) for row in rows]

    async def _list(self, by: By, query: str, start: int) -> list[Person]:
        command = people.ListPeople(by, query, PEOPLE_MAX, start)
        found = await self._store.read(people.list_people, command)
        if start:  # A page of accounts alone: whoever turns pages meets each of them once.
            return [people.to_person(one, self._is_here(one.account.account)) for one in found]
        known = {one.account.account: one for one in found}
        here = [
            people.to_person(known[s.avatar], True) if s.avatar in known else _present(s)
            for s in self._roster
            if s.avatar in known or query.casefold() in s.name.casefold()
        ]
        away = [people.to_person(one) for account, one in known.items() if not self._is_here(account)]
        return [*here, *away][:PEOPLE_MAX]

    def _is_here(self, account: int) -> bool:
        return self._roster.find(account) is not None

    async def _show(self, by: By, asked: messages.Order) -> Person:
        whom = self._whom(asked)
        if whom.guest:
            await self._store.read(_authorised, (by, asked.act))
            session = self._guest(whom.guest)
            if session is None:
                raise Refusal(RefusalCode.NOT_FOUND, f"expected a guest who is here, got {whom.guest!r}")
            return _present(session, session.home.key if session.home is not None else "")
        found = await self._store.read(people.show, people.Show(by, whom, self._times.unix_ms()))
        here = self._roster.find(found.account.account)
        address = here.home.key if here is not None and here.home is not None else ""
        return people.to_person(found, here is not None, address)

    def _whom(self, asked: messages.Order) -> Whom:
        """Whom an order is about; guests are known here alone.

        Raises:
            Refusal: NOT_FOUND, a guest who is not here.
        """
        if asked.avatar & _GUEST_BIT:
            session = self._roster.find(asked.avatar)
            if session is None:
                raise _not_here(asked.avatar)
            return Whom(name=asked.name, network=asked.network, guest=session.name)
        guest = self._guest(asked.name)
        if guest is not None:
            return Whom(account=asked.avatar or None, network=asked.network, guest=guest.name)
        return Whom(asked.avatar or None, asked.name, asked.network)

    def _guest(self, name: str) -> Session | None:
        """The guest with a name that looks like this one."""
        name = name.strip().casefold()
        guests = (session for session in self._roster if session.account is None)
        alike = (
            guest for guest in guests if guest.name.casefold() == name or skeleton(name) in guest.skeletons
        )
        return next(alike, None) if name else None

    # ---- oneself, and one's own account

    async def _look(self, session: Session, look: bytes) -> None:
        check_look(look)
        wait = session.buckets.looks.take(self._times.monotonic())
        if wait:
            raise Refusal(RefusalCode.RATE, "too many looks", "change less often", round(wait * 1_000) + 1)
        if session.account is not None:
            await self._store.run(set_look, SetLook(session.account, look))
        self._looks.change(self._now(session), look)

    async def _findable(self, session: Session, findable: bool) -> None:
        if session.account is not None:
            await self._store.run(set_findable, SetFindable(session.account, findable))
        self._now(session).findable = findable

    def _now(self, session: Session) -> Session:
        """The store may have taken so long that the one who asked has come again."""
        return self._roster.find(session.avatar) or session

    async def _account(self, session: Session, asked: messages.Account) -> object:
        if asked.act is AccountAct.LOOK:
            await self._look(session, asked.look)
        elif asked.act is AccountAct.FINDABLE:
            await self._findable(session, asked.on)
        elif asked.act is AccountAct.BLOCKED:
            return await self._blocked(session)
        else:
            return await self._own_account(session, asked)
        return None

    async def _own_account(self, session: Session, asked: messages.Account) -> object:
        if session.account is None:
            raise Refusal(
                RefusalCode.FORBIDDEN, "expected an account, got a guest", "come with a name that is kept"
            )
        run, now, account = self._store.run, self._times.unix_ms(), session.account
        match asked.act:
            case AccountAct.RECOVERY:
                return await run(access.make_recovery, access.MakeCode(account, now))
            case AccountAct.PAIR:
                return await run(access.make_pairing, access.MakeCode(account, now))
            case AccountAct.TOKENS:
                current = session.standing.token_sha256 or b""
                return await self._store.read(access.tokens, access.Tokens(account, current))
            case AccountAct.BOT:
                self._check_free(asked.name)
                command = access.MakeBot(account, asked.name, frozenset(asked.scopes), now)
                return await run(access.make_bot, command)
            case AccountAct.REVOKE:
                await run(access.revoke, access.Revoke(account, asked.token, now))
                self._enforcer.poke()
        return None

    def _check_free(self, name: str) -> None:
        """A bot may not have the name of a guest who is here.

        Raises:
            Refusal: NAME_TAKEN, or NAME_INVALID.
        """
        wanted = clean_name(name)
        if self._roster.has_guest((wanted.skeleton, wanted.lookalike)):
            raise Refusal(
                RefusalCode.NAME_TAKEN,
                f"the name {wanted.shown!r} is a guest's who is here",
                "choose another",
            )

    # ---- reports

    async def _report(self, session: Session, asked: messages.Report) -> object:
        self._take_report(session)
        evidence = self._evidence.of(session, asked.avatar)
        if evidence is None:
            raise Refusal(
                RefusalCode.NOT_FOUND,
                f"expected somebody whom you saw or heard in the last 30 s, got {asked.avatar}",
            )
        about = self._roster.find(asked.avatar)
        command = reports.FileReport(
            by=session.account,
            by_name=session.name,
            account=asked.avatar if asked.avatar < _GUEST_BIT else None,
            about=about.name if about is not None else f"avatar {asked.avatar}",
            text=asked.text,
            evidence=evidence,
            key=self._seal_key,
            now_ms=self._times.unix_ms(),
        )
        return await self._store.run(reports.file_report, command)

    def _take_report(self, session: Session) -> None:
        key = f"account {session.account}" if session.account is not None else "guest"
        key += f" {session.home.key}" if session.account is None and session.home is not None else ""
        now = self._times.monotonic()
        wait = self._report_pace.take(key, now) or self._reports_a_day.take(key, now)
        if wait:
            limits = f"one report in {_REPORT_EVERY_S:.0f} s and {_REPORTS_A_DAY} a day"
            raise Refusal(
                RefusalCode.RATE, f"expected at most {limits}, got more", "", round(wait * 1_000) + 1
            )
        wait = self._all_reports.take("all", now)
        if wait:
            # It was not theirs.
            self._report_pace.give_back(key)
            self._reports_a_day.give_back(key)
            text = f"expected at most {_REPORTS_PER_S:.0f} reports a second in the whole world, got more"
            raise Refusal(RefusalCode.UNAVAILABLE, text, "try again", round(wait * 1_000) + 1)

    # ---- personal blocks

    async def _blocked(self, session: Session) -> list[messages.Blocked]:
        own = dict(session.own_shuns)
        known = await self._store.read(shuns.names, [avatar for avatar in own if avatar < _GUEST_BIT])
        guests = {one.avatar: one.name for avatar in own if (one := self._roster.find(avatar)) is not None}
        named = {**guests, **known}
        return [messages.Blocked(a, named[a], reach) for a, reach in sorted(own.items()) if a in named]

    async def _block(self, session: Session, asked: messages.Block) -> object:
        avatar = asked.avatar
        if avatar == session.avatar:
            raise Refusal(RefusalCode.INVALID, "expected somebody else to block, got yourself")
        lasts = session.account is not None and avatar < _GUEST_BIT
        if asked.on:
            if len(session.own_shuns) >= MAX_BLOCKED and avatar not in session.own_shuns:
                raise Refusal(RefusalCode.INVALID, f"expected at most {MAX_BLOCKED} blocked, got one more")
            if lasts:
                command = shuns.Shun(session.account or 0, avatar, asked.reach, self._times.unix_ms())
                await self._store.run(shuns.shun, command)
            elif self._roster.find(avatar) is None:
                raise _not_here(avatar)
            self._shuns.shun(session, avatar, asked.reach)
        else:
            still: BlockReach | None = None
            if lasts:
                still = await self._store.run(shuns.unshun, shuns.Unshun(session.account or 0, avatar))
            else:
                other = self._roster.find(avatar)
                if other is not None:
                    still = other.own_shuns.get(session.avatar)
            self._shuns.unshun(session, avatar, still)
        return None


def _authorised(tx: Tx, asked: tuple[By, OrderAct]) -> None:
    authorise(tx, *asked)


def _by(session: Session) -> By:
    return By(session.account, session.name, session.standing.role, session.standing.scopes)


def _present(session: Session, address: str = "") -> Person:
    """Somebody who is here, by what the gateway knows."""
    standing = session.standing
    return Person(
        session.avatar,
        session.name,
        standing.role,
        True,
        standing.owner,
        standing.hidden,
        address=address,
        is_bot=standing.is_bot,
    )


def _not_here(avatar: int) -> Refusal:
    return Refusal(RefusalCode.NOT_FOUND, f"expected somebody who is here, got {avatar}")
