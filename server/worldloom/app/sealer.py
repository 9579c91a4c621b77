"""Sealer: has the register sealed within a second, and publishes its head: to a file, and to who else is told.

Whoever kept a head that was published can prove that the register was neither cut off nor rewritten since. A register
that has lost what was published here is not published on: the last good head stays until the operator has looked.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path

from worldloom.app.secrets import write_atomically
from worldloom.errors import ConfigError, StoreUnavailable
from worldloom.ports import Store
from worldloom.ports.land import SealRow
from worldloom.realm.chain import HASH_BYTES
from worldloom.services import register
from worldloom.services.register import Head

__all__ = ["HEAD_FILE", "Sealer", "read_head"]

HEAD_FILE = "register-head.json"
"""Within the data folder."""
EVERY_S = 0.5
RETRY_S = 5.0
"""While the database is away."""
MAX_BYTES = 4_096

_log = logging.getLogger(__name__)


class Sealer:
    """Seals and publishes.

    Args:
        store: Where the register is.
        path: The file that has the head.
        world_id: Written into the file: whose register it is.
        publish: Takes each new head; must not wait.
        unix_ms: The time of day.
    """

    def __init__(
        self,
        store: Store,
        path: Path,
        world_id: str,
        publish: Callable[[SealRow, int], None],
        unix_ms: Callable[[], int],
    ) -> None:
        self._store, self._path, self._world_id = store, path, world_id
        self._publish, self._unix_ms = publish, unix_ms
        self._last: SealRow | None = None
        self._has_looked = False
        self._known: Head | None = None
        """Published, by this run or one before."""
        self.fault = ""
        """Why nothing is published any more; empty: all is well."""

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            self._known = await asyncio.to_thread(read_head, self._path, self._world_id)
        except ConfigError as error:
            self._give_up(str(error))
        while True:
            try:
                await self.look()
            except StoreUnavailable as fault:
                _log.warning("the register is not sealed, later again: %s", fault)
                await asyncio.sleep(RETRY_S)
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Seal what waits, and publish the head if it is another.

        Raises:
            StoreUnavailable: Not now.
        """
        head, is_due = await self._store.read(register.state, None)
        if is_due:
            while await self._store.run(register.seal_due, None) >= register.SEALED_AT_ONCE:
                pass
            head, _ = await self._store.read(register.state, None)
        if self.fault or (head == self._last and self._has_looked):
            return
        self._has_looked = True
        if self._known is not None:
            wrong = await self._store.read(register.missing, self._known)
            if wrong:
                self._give_up(wrong)
                return
        self._last = head
        if head is not None:
            await self._tell(head)

    async def _tell(self, head: SealRow) -> None:
        self._known = Head(head.number, head.hash)
        told = {
            "v": 1,
            "world_id": self._world_id,
            "number": head.number,
            "hash": head.hash.hex(),
            "at_ms": self._unix_ms(),
        }
        try:
            await asyncio.to_thread(write_atomically, self._path, json.dumps(told).encode() + b"\n")
        except OSError as error:
            _log.warning("%s: the register's head is not written: %s", self._path, error.strerror)
            self._last = None
        self._publish(head, self._unix_ms())

    def _give_up(self, why: str) -> None:
        self.fault = why
        _log.error("no head of the register is published any more: %s; see worldloom land verify", why)


def read_head(path: Path, world_id: str = "") -> Head | None:
    """The head that was published to a file; None if there is no file.

    Args:
        path: The file.
        world_id: Whose it must be; empty: anybody's.

    Raises:
        ConfigError: It cannot be read, or is no head, or another world's.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES)
        told = json.loads(text)
        head = Head(int(told["number"]), bytes.fromhex(told["hash"]))
        whose = str(told["world_id"])
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{path}: expected to read the register's head; got: {error.strerror}") from None
    except (KeyError, TypeError, ValueError):
        raise ConfigError(f"{path}: expected the register's head, got something else") from None
    if head.number < 1 or len(head.hash) != HASH_BYTES:
        raise ConfigError(f"{path}: expected the register's head, got something else")
    if world_id and whose != world_id:
        raise ConfigError(f"{path}: expected the head of this world's register, got another world's")
    return head
