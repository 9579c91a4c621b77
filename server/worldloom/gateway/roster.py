"""The roster: who is in the world, found by avatar, name, resume token, move row and region. Knows no messages."""

import secrets
from collections.abc import Collection, Iterable, Iterator

import numpy as np
import numpy.typing as npt

from worldloom.gateway.session import Session
from worldloom.realm.name_index import NameIndex

__all__ = ["Roster"]

I64 = npt.NDArray[np.int64]
Region = tuple[int, int]


class Roster:
    """All sessions, lost ones included until they end.

    Attributes:
        avatar_of: ``[rows]`` avatar id by move row, 0 where the row is free.
        home_of: ``[rows]`` index of the address that the session comes from.
        move_tokens: ``[rows]`` moves that each session may still make.
    """

    def __init__(self) -> None:
        self.avatar_of = np.zeros(64, np.int64)
        self.home_of = np.zeros(64, np.int64)
        self.move_tokens = np.zeros(64, np.float64)
        self._by_row: list[Session | None] = []
        self._spare: list[int] = []
        self._resting: list[int] = []
        self._by_avatar: dict[int, Session] = {}
        self._by_resume: dict[str, Session] = {}
        self._by_skeleton: dict[str, Session] = {}
        self._names = NameIndex()
        self._by_region: dict[Region, dict[Session, None]] = {}

    def __len__(self) -> int:
        return len(self._by_avatar)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._by_avatar.values()))

    @property
    def live(self) -> int:
        """How many have a connection: all but those who may still resume."""
        return sum(session.socket is not None for session in self._by_avatar.values())

    @property
    def in_sight(self) -> int:
        """How many of them everybody may know of."""
        return sum(
            session.socket is not None and not session.standing.hidden for session in self._by_avatar.values()
        )

    def find(self, avatar: int) -> Session | None:
        """Who has this avatar."""
        return self._by_avatar.get(avatar)

    def named(self, part: str) -> list[int]:
        """The avatars of those with a part of a name: first those whose name begins with it."""
        return self._names.find(part)

    def cards(self, avatars: Iterable[int], but: Collection[int]) -> list[bytes]:
        """The packed entries of People of those of some avatars that are here, less some."""
        sessions = self._by_avatar
        return [sessions[avatar].card for avatar in avatars if avatar in sessions and avatar not in but]

    def at_row(self, row: int) -> Session | None:
        """Whose moves come under this row."""
        return self._by_row[row]

    def by_resume(self, token: str) -> Session | None:
        """Whose resume token it is."""
        return self._by_resume.get(token)

    def has_name(self, skeletons: Iterable[str]) -> bool:
        """Whether somebody in the world has a name that looks like that."""
        return any(skeleton in self._by_skeleton for skeleton in skeletons if skeleton)

    def has_guest(self, skeletons: Iterable[str]) -> bool:
        """Whether that is the name of a guest, of whom the database knows nothing."""
        found = (self._by_skeleton.get(skeleton) for skeleton in skeletons if skeleton)
        return any(session is not None and session.account is None for session in found)

    def new_row(self) -> int:
        """A free move row."""
        row = self._spare.pop() if self._spare else len(self._by_row)
        if row == len(self._by_row):
            self._by_row.append(None)
            if row == len(self.avatar_of):
                self.avatar_of = np.concatenate([self.avatar_of, np.zeros_like(self.avatar_of)])
                self.home_of = np.concatenate([self.home_of, np.zeros_like(self.home_of)])
                self.move_tokens = np.concatenate([self.move_tokens, np.zeros_like(self.move_tokens)])
        return row

    def change_row(self, session: Session) -> None:
        """Give a session another move row, so that moves still waiting under the old one count for nobody."""
        self._free(session.row)
        tokens = self.move_tokens[session.row]
        session.row = self.new_row()
        self._by_row[session.row] = session
        self.avatar_of[session.row] = session.avatar
        self.move_tokens[session.row] = tokens

    def inbox_taken(self) -> None:
        """No move waits any more: rows that were freed may be given again."""
        self._spare += self._resting
        self._resting.clear()

    def _free(self, row: int) -> None:
        self._by_row[row] = None
        self.avatar_of[row] = 0
        self._resting.append(row)

    def add(self, session: Session) -> None:
        """Somebody comes in."""
        self._by_avatar[session.avatar] = session
        self._names.remove(session.avatar)
        self._names.add(session.avatar, session.name)
        self._by_row[session.row] = session
        self.avatar_of[session.row] = session.avatar
        for skeleton in session.skeletons:
            self._by_skeleton[skeleton] = session

    def renew_resume(self, session: Session) -> str:
        """A new resume token. The one that the client has stays good until it is known to have the new one."""
        if session.resume_before and session.resume_used == session.resume_before:
            # The Welcome with the one after it was lost.
            self._by_resume.pop(session.resume, None)
        else:
            self.confirm_resume(session)
            session.resume_before = session.resume
        session.resume = secrets.token_urlsafe(24)
        self._by_resume[session.resume] = session
        return session.resume

    def confirm_resume(self, session: Session) -> None:
        """The client has its new resume token: the one before is good no more."""
        self._by_resume.pop(session.resume_before, None)
        session.resume_before = ""

    def void_resume(self, session: Session) -> None:
        """No resume token that was told opens this session any more."""
        self.confirm_resume(session)
        self._by_resume.pop(session.resume, None)
        session.resume = session.resume_used = ""

    def remove(self, session: Session) -> None:
        """Somebody is gone for good."""
        if self._by_avatar.get(session.avatar) is not session:
            return
        del self._by_avatar[session.avatar]
        self._names.remove(session.avatar)
        self.confirm_resume(session)
        self._by_resume.pop(session.resume, None)
        self._free(session.row)
        for skeleton in session.skeletons:
            if self._by_skeleton.get(skeleton) is session:
                del self._by_skeleton[skeleton]
        self.move_to(session, None)

    def move_to(self, session: Session, region: Region | None) -> None:
        """The body is in another region now, or in none."""
        if session.region is not None:
            there = self._by_region.get(session.region, {})
            there.pop(session, None)
            if not there:
                self._by_region.pop(session.region, None)
        session.region = region
        if region is not None:
            self._by_region.setdefault(region, {})[session] = None

    def around(self, rx: int, rz: int) -> list[Session]:
        """Who is in the 3 x 3 regions about one."""
        near = ((rx + dx, rz + dz) for dx in (-1, 0, 1) for dz in (-1, 0, 1))
        return [session for region in near for session in self._by_region.get(region, ())]
