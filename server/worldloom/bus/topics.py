"""Public events on MQTT: topics and payloads, as docs/mqtt.md has them. Knows no broker.

An event is small JSON. It carries the epoch (one run of the server) and a number that rises by one with each event, so
that a consumer can drop what comes twice and see what is missing.
"""

from typing import Final

import msgspec

from worldloom.ports import PublicEvent

__all__ = ["MAX_PAYLOAD_BYTES", "PAYLOAD_VERSION", "WorldTopics"]

PAYLOAD_VERSION: Final = 1
"""``v`` of every payload; rises when a field changes its meaning. New fields may come without."""
MAX_PAYLOAD_BYTES: Final = 1_024
"""No payload is larger: well below what the least broker takes."""


class WorldTopics:
    """The topics of one world and what is said on them in one run.

    Args:
        prefix: First levels of every topic.
        world_id: The level after them: unique without anybody's doing, and the same for ever.
        name: The world's name, told in the status.
        epoch: Unix ms at which this run began.
    """

    def __init__(self, prefix: str, world_id: str, name: str, epoch: int) -> None:
        self.base = f"{prefix}/{world_id}"
        self.status = f"{self.base}/status"
        self.register = f"{self.base}/register"
        self._world_id, self._name, self._epoch = world_id, name, epoch

    def events(self, rx: int, rz: int) -> str:
        """The topic of a region's events."""
        return f"{self.base}/r/{rx}/{rz}/events"

    def payload(self, event: PublicEvent, seq: int) -> bytes:
        """An event as JSON; fields that do not concern its kind are left out."""
        told: dict[str, int | str] = {
            "v": PAYLOAD_VERSION,
            "epoch": self._epoch,
            "seq": seq,
            "at_ms": event.at_ms,
            "kind": event.kind,
            "rx": event.rx,
            "rz": event.rz,
        }
        if event.avatar:
            told |= {"how": event.how, "avatar": event.avatar, "name": event.name}
        if event.sha256:
            told |= {"source": event.source, "sha256": event.sha256}
        return msgspec.json.encode(told)

    def head(self, number: int, sha256: bytes, at_ms: int) -> bytes:
        """What the retained head of the land register says."""
        told = {"v": PAYLOAD_VERSION, "number": number, "hash": sha256.hex(), "at_ms": at_ms}
        return msgspec.json.encode(told)

    def state(self, online: bool) -> bytes:
        """What the retained status says."""
        return msgspec.json.encode(
            {
                "v": PAYLOAD_VERSION,
                "epoch": self._epoch,
                "state": "online" if online else "offline",
                "world": self._name,
                "world_id": self._world_id,
            }
        )
