"""Earthworks: the command that edits terrain. Asks the store; whoever holds the land is told what was done."""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any

from worldloom.errors import Refusal, StoreUnavailable
from worldloom.gateway.session import Session
from worldloom.ports import Store
from worldloom.realm.order import allow_edit
from worldloom.services import overlays
from worldloom.services.asking import By
from worldloom_sdk.protocol import messages
from worldloom_sdk.protocol.messages import Edited, RefusalCode
from worldloom_sdk.protocol.overlay import Patch, Region

__all__ = ["Earthworks"]


class Earthworks:
    """A handler for ``Commands.slow``.

    Args:
        store: Where overlays are.
        on_edited: Told of an edit that was committed, and the versions that it made.
        on_doubt: Told of regions in which an edit may have been made: its outcome is unknown.
        unix_ms: Unix time.
    """

    def __init__(
        self,
        store: Store,
        on_edited: Callable[[Patch, Mapping[Region, int]], None],
        on_doubt: Callable[[Iterable[Region]], None],
        unix_ms: Callable[[], int],
    ) -> None:
        self._store, self._unix_ms = store, unix_ms
        self._on_edited, self._on_doubt = on_edited, on_doubt
        self.handlers: dict[type, Callable[[Session, Any], Coroutine[Any, Any, object]]] = {
            messages.EditTerrain: self._edit
        }

    async def _edit(self, session: Session, asked: messages.EditTerrain) -> list[Edited]:
        standing = session.standing
        # The database decides again, in the transaction; this spares it those who may not anyway.
        allow_edit(standing.role, standing.scopes, with_right=session.account is not None)
        patch = _patch(asked)
        by = By(session.account, session.name, standing.role, standing.scopes)
        try:
            versions = await self._store.run(overlays.edit, overlays.Edit(by, patch, self._unix_ms()))
        except StoreUnavailable:
            self._on_doubt(patch.regions())
            raise
        self._on_edited(patch, versions)
        return [Edited(*region, version) for region, version in versions.items()]


def _patch(asked: messages.EditTerrain) -> Patch:
    """What is asked for.

    Raises:
        Refusal: INVALID; it cannot be.
    """
    try:
        return Patch.of_bytes(asked.x, asked.z, asked.width, asked.depth, asked.heights)
    except ValueError as fault:
        raise Refusal(RefusalCode.INVALID, str(fault)) from None
