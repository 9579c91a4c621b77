"""Sights: who is inside a place that is not seen from outside, in which layer that is, and who else sees into it.

Such a place has a layer of its own while somebody is in it. Its bodies are in that layer; it is seen by whoever is
inside, by whom it was allowed, and by staff, all others are not sent it. Knows no gateway and no sockets.
"""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from worldloom.replication.cells import CellTable
from worldloom.replication.feed import I64, Sight
from worldloom.world.avatars import EVERYWHERE, AvatarTable
from worldloom.world.enter import SEE, EnterTable

__all__ = ["LOOK_TICKS", "MOST_LAYERS", "Sights"]

LOOK_TICKS = 10
"""So often everybody is looked at anew, moved or not: rights end, and who stands outside comes nearer."""
MOST_LAYERS = 8
"""Layers of places that one viewer sees at once; the nearest."""
PUBLIC, STAFF = 0, 1
_FIRST, _LAST = 2, 0xFFFF
"""Layers that places may have: a header on the wire has room for as many."""


class Sights:
    """Keeps bodies in the layers in which they belong.

    Args:
        avatars: The bodies.
        cells: Where they are.
        enter: Which place they are in, and who sees into it.
        radius: How many cells far anybody sees.
    """

    def __init__(self, avatars: AvatarTable, cells: CellTable, enter: EnterTable, radius: int) -> None:
        self._avatars, self._cells, self._enter, self._radius = avatars, cells, enter, radius
        self._layers: dict[int, int] = {}
        self._inside: Counter[int] = Counter()
        self._taken: set[int] = set()
        self._next = _FIRST
        self._version = enter.version
        self._looked = 0
        self._seen: dict[int, tuple[int, ...]] = {}
        self._news: dict[int, None] = {}

    def layer(self, row: int) -> int:
        """The layer in which a body belongs: hidden from all but staff it stays so wherever it goes."""
        t = self._avatars
        place = int(t.inside[row])
        return self._layers[place] if place and t.veil[row] == PUBLIC else int(t.veil[row])

    def enter(self, row: int, now_ms: int) -> None:
        """A body is about to come into the world: note where it is, and put it into its layer."""
        t = self._avatars
        place = int(self._enter.private(t.x[row : row + 1], t.z[row : row + 1], now_ms)[0])
        if place:
            self._go(row, place)
        t.layer[row] = self.layer(row)
        self._change(int(t.id[row]), self._own(row))

    def leave(self, row: int) -> None:
        """A body goes out of the world."""
        self._go(row, 0)
        self._change(int(self._avatars.id[row]), ())

    def veil(self, row: int, layer: int, tick: int) -> bool:
        """Where it is not inside anything, and if it is not public, a body is in this layer; False if that is full."""
        t = self._avatars
        before = int(t.veil[row])
        t.veil[row] = layer
        if self._relayer(row, tick):
            return True
        t.veil[row] = before
        return False

    def follow(self, moved: I64, tick: int, now_ms: int) -> None:
        """Put bodies that moved, and from time to time all, into the layers in which they belong.

        Args:
            moved: Rows.
            tick: This tick.
            now_ms: Unix time.
        """
        t = self._avatars
        due = self._version != self._enter.version or tick - self._looked >= LOOK_TICKS
        if not len(self._enter) and not self._inside:
            self._version = self._enter.version
            due = due and bool(self._seen)
        if due:
            self._version, self._looked = self._enter.version, tick
        rows = np.flatnonzero(t.id) if due else moved
        if len(rows) and (len(self._enter) or self._inside):
            place = self._enter.private(t.x[rows], t.z[rows], now_ms)
            for i in np.flatnonzero(place != t.inside[rows]).tolist():
                self._pass(int(rows[i]), int(place[i]), tick, now_ms)
        if due:
            self._look(now_ms)

    def news(self) -> tuple[Sight, ...]:
        """For whom it has changed which places they see into, since this was asked last."""
        news = tuple(Sight(avatar, self._seen.get(avatar, ())) for avatar in self._news)
        self._news.clear()
        return news

    def everything(self) -> tuple[Sight, ...]:
        """Who sees into any place now."""
        return tuple(Sight(avatar, layers) for avatar, layers in self._seen.items())

    # ---- going in and out

    def _pass(self, row: int, place: int, tick: int, now_ms: int) -> None:
        t = self._avatars
        before = int(t.inside[row])
        layer = self._layers.get(before)
        self._go(row, place)
        if not self._relayer(row, tick):
            # Its new layer is full in this cell. Nobody who may not shall see it, so it is seen by staff alone.
            t.layer[row] = STAFF if self._cells.relayer(row, STAFF, tick) else t.layer[row]
        sees = set(self._seen.get(int(t.id[row]), ())) - {layer}
        if layer is not None and before in self._layers and self._sees(row, before, now_ms):
            sees.add(layer)
        own = self._own(row)
        self._change(int(t.id[row]), tuple(sorted({*own, *sorted(sees - {*own})[: MOST_LAYERS - len(own)]})))

    def _go(self, row: int, place: int) -> None:
        """Count a body as inside a place, 0 for none."""
        t = self._avatars
        before = int(t.inside[row])
        t.inside[row] = place
        if place:
            self._inside[place] += 1
            if place not in self._layers:
                self._layers[place] = self._number()
        if before:
            self._inside[before] -= 1
            if not self._inside[before]:
                del self._inside[before]
                self._taken.discard(self._layers.pop(before))

    def _number(self) -> int:
        """A layer that no place has; of late as well, if it can be."""
        while self._next in self._taken:
            self._next = self._after(self._next)
        found = self._next
        self._taken.add(found)
        self._next = self._after(found)
        return found

    @staticmethod
    def _after(layer: int) -> int:
        return layer + 1 if layer < _LAST else _FIRST

    def _relayer(self, row: int, tick: int) -> bool:
        layer = self.layer(row)
        return layer == self._avatars.layer[row] or self._cells.relayer(row, layer, tick)

    # ---- who sees into what

    def _look(self, now_ms: int) -> None:
        """Find out anew who sees into which places, for all."""
        t = self._avatars
        rows = np.flatnonzero(t.inside)
        found: dict[int, list[tuple[int, int]]] = {}
        if len(rows):
            held = np.unique(np.stack([t.inside[rows], t.cx[rows], t.cz[rows]], axis=1), axis=0)
            places, starts = np.unique(held[:, 0], return_index=True)
            bots = self._bots()
            for place, cells in zip(places.tolist(), np.split(held, starts[1:]), strict=True):
                for row in self._candidates(place, bots):
                    if self._sees(row, place, now_ms):
                        self._note(found, row, cells)
            for row in np.flatnonzero((t.id > 0) & (t.access & EVERYWHERE > 0)).tolist():
                self._note(found, row, held)
        seen = {row: () for row in rows.tolist()} | found
        layers = {
            int(t.id[row]): self._chosen(row, [layer for _, layer in sorted(pairs)])
            for row, pairs in seen.items()
        }
        for avatar in [avatar for avatar in self._seen if avatar not in layers]:
            self._change(avatar, ())
        for avatar, sees in layers.items():
            self._change(avatar, sees)

    def _candidates(self, place: int, bots: dict[int, list[int]]) -> Iterable[int]:
        """Rows of the bodies for which it may be otherwise than for everyone whether they see into a place."""
        for account in self._enter.named(place):
            row = self._avatars.row(account)
            if row is not None:
                yield row
            yield from bots.get(account, ())

    def _bots(self) -> dict[int, list[int]]:
        t = self._avatars
        found: dict[int, list[int]] = {}
        for row in np.flatnonzero((t.id > 0) & (t.owner > 0)).tolist():
            found.setdefault(int(t.owner[row]), []).append(row)
        return found

    def _sees(self, row: int, place: int, now_ms: int) -> bool:
        """Whether a body may see into a place from outside."""
        t = self._avatars
        if t.access[row] & EVERYWHERE or place not in self._enter:
            return True
        whose = np.array([account for account in (int(t.id[row]), int(t.owner[row])) if account])
        bits = self._enter.bits(place, whose, now_ms)
        return bool((bits & SEE).any())

    def _note(self, found: dict[int, list[tuple[int, int]]], row: int, held: I64) -> None:
        """A body may see into places, and does where somebody inside is near. ``held``: ``[n, 3]`` place, cx, cz."""
        t = self._avatars
        away = np.abs(held[:, 1:] - (t.cx[row], t.cz[row])).max(axis=1)
        near = np.flatnonzero(away <= self._radius + 1)
        layers = (self._layers[place] for place in held[near, 0].tolist())
        found.setdefault(row, []).extend(zip(away[near].tolist(), layers, strict=True))

    def _own(self, row: int) -> tuple[int, ...]:
        place = int(self._avatars.inside[row])
        return (self._layers[place],) if place else ()

    def _chosen(self, row: int, nearest: list[int]) -> tuple[int, ...]:
        return tuple(sorted([*dict.fromkeys([*self._own(row), *nearest])][:MOST_LAYERS]))

    def _change(self, avatar: int, layers: tuple[int, ...]) -> None:
        if self._seen.get(avatar, ()) == layers:
            return
        if layers:
            self._seen[avatar] = layers
        else:
            self._seen.pop(avatar, None)
        self._news[avatar] = None
