"""Region news: tells each session of the land in the 3 x 3 regions around its body, and of edits. Knows no tiles."""

from dataclasses import replace

from worldloom.gateway.roster import Region, Roster
from worldloom.gateway.session import Session, SessionState
from worldloom.replication.feed import FORGOTTEN, RegionNews
from worldloom.replication.wire import message
from worldloom_sdk.protocol import messages
from worldloom_sdk.protocol.overlay import Patch

__all__ = ["RegionTeller"]


class RegionTeller:
    """What is known of every region that the shard holds."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._known: dict[Region, RegionNews] = {}

    def __len__(self) -> int:
        return len(self._known)

    def take(self, news: RegionNews) -> None:
        """The shard made, or began to make, or forgot a region, or somebody edited it."""
        region = news.rx, news.rz
        if news.state == FORGOTTEN:
            self._known.pop(region, None)
            return
        edit = _edit_frame(news, news.patch) if news.patch is not None else b""
        known = self._known[region] = replace(news, patch=None)
        for session in self._roster.around(*region):
            self._tell(session, known, edit)

    def move(self, session: Session, region: Region) -> None:
        """A body is in this region now."""
        if session.region != region:
            self._roster.move_to(session, region)
            self.tell_all(session)

    def tell_all(self, session: Session) -> None:
        """Tell a session what it does not know yet of the regions around it."""
        if session.region is None or session.state is not SessionState.LIVE:
            return
        rx, rz = session.region
        near = [(rx + dx, rz + dz) for dx in (0, -1, 1) for dz in (0, -1, 1)]
        session.told = {region: told for region, told in session.told.items() if region in near}
        for region in near:
            news = self._known.get(region)
            if news is not None:
                self._tell(session, news)

    def _tell(self, session: Session, news: RegionNews, edit: bytes = b"") -> None:
        """Tell a session of a region, by the frame of an edit if that is all that it does not know.

        A client that does not keep up reading gets no edits; once it does, it is told what version there is.
        """
        region, what = (news.rx, news.rz), (news.sha256 or "weaving", news.overlay)
        told = session.told.get(region)
        if session.state is not SessionState.LIVE or told == what:
            return
        if edit and session.socket is not None and session.socket.paused:
            return
        session.told[region] = what
        if edit and told == (news.sha256, news.overlay - 1):
            session.write(edit)
            return
        whole = messages.Region(news.rx, news.rz, news.state, news.sha256, news.source, news.overlay)
        session.write(message(whole))


def _edit_frame(news: RegionNews, patch: Patch) -> bytes:
    """The message of an edit, ready to be written to whoever knows the version before."""
    size = patch.width, patch.depth
    edited = messages.TerrainEdited(news.rx, news.rz, news.overlay, patch.x, patch.z, *size, patch.to_bytes())
    return message(edited)
