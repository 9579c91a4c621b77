"""Counts: how many of what, as people say it. Knows no amounts of money."""

__all__ = ["counted"]


def counted(count: int, one: str) -> str:
    """So many of something: "1 parcel", "0 parcels", "2,048 parcels".

    Args:
        count: How many.
        one: A single one's name; more of them have an s at the end.
    """
    return f"{count:,} {one}{'' if count == 1 else 's'}"
