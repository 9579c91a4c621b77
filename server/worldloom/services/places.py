"""Places: where accounts were last, so that who comes back finds themselves there."""

from collections.abc import Sequence

from worldloom.ports import PlaceRow, Tx

__all__ = ["save"]


def save(tx: Tx, places: Sequence[PlaceRow]) -> None:
    """Remember last places; of two for one account, the later in ``places`` counts."""
    last = {place.account: place for place in places}
    tx.save_places(list(last.values()))
