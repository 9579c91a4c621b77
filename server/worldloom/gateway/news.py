"""Region news: tells each session of the land in the 3 x 3 regions around its body. Knows no tiles."""

from worldloom.gateway.roster import Region, Roster
from worldloom.gateway.session import Session, SessionState
from worldloom.replication.feed import FORGOTTEN, RegionNews
from worldloom.replication.wire import message
from worldloom_sdk.protocol import messages

__all__ = ["RegionTeller"]


class RegionTeller:
    """What is known of every region that the shard holds."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._known: dict[Region, RegionNews] = {}

    def __len__(self) -> int:
        return len(self._known)

    def take(self, news: RegionNews) -> None:
        """The shard made, or began to make, or forgot a region."""
        if news.state == FORGOTTEN:
            self._known.pop((news.rx, news.rz), None)
            return
        self._known[news.rx, news.rz] = news
        for session in self._roster.around(news.rx, news.rz):
            self._tell(session, news)

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

    def _tell(self, session: Session, news: RegionNews) -> None:
        what = news.sha256 or "weaving"
        if session.state is SessionState.LIVE and session.told.get((news.rx, news.rz)) != what:
            session.told[news.rx, news.rz] = what
            session.write(message(messages.Region(news.rx, news.rz, news.state, news.sha256, news.source)))
