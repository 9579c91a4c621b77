"""Settlers: visitors far from everybody and each other, so that land has to be woven without pause.

Each comes in by its account at its own place, waits until the land around it is woven, goes, and the next comes.
"""

import contextlib
from time import monotonic

from worldloom.bench.client import Client, Stage
from worldloom.bench.load import Load
from worldloom_sdk.protocol.codec import encode
from worldloom_sdk.protocol.messages import Leave

__all__ = ["Settlers"]

AT_ONCE = 16
REGIONS_AROUND = 9
_LONGEST_S = 3.0


class Settlers:
    """Keeps ``AT_ONCE`` settlers in the world for as long as there are accounts.

    Attributes:
        come: How many came.
        woven: Regions that they were told of as woven.
    """

    def __init__(self, load: Load, tokens: list[str]) -> None:
        self._load, self._tokens = load, tokens[::-1]
        self._here: list[Client] = []
        self.come = 0
        self.woven = 0

    def tend(self) -> None:
        """See off who is done and let the next ones in; to be called every few milliseconds."""
        now = monotonic()
        for client in self._here:
            if client.woven >= REGIONS_AROUND or now - client.since > _LONGEST_S:
                self._see_off(client)
        self._here = [client for client in self._here if client.stage is not Stage.GONE]
        if len(self._here) < AT_ONCE and self._tokens:
            self._here.append(self._load.start(-1, self._tokens.pop()))
            self.come += 1

    def _see_off(self, client: Client) -> None:
        self.woven += client.woven
        if client.stage in (Stage.ARRIVING, Stage.IN):
            with contextlib.suppress(OSError):
                client.say(encode(Leave()))
        self._load.lose(client, "")
