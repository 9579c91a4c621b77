"""Tables of text: read as they stand, and by Markdown."""

from collections.abc import Collection, Sequence

__all__ = ["as_table"]


def as_table(cells: Sequence[Sequence[str]], words: Collection[int] = (0,)) -> str:
    """Rows of cells, the first of them headings.

    Args:
        cells: As many in every row.
        words: Columns that are set to the left; the others are numbers.
    """
    wide = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "| "
        + " | ".join(
            cell.ljust(w) if k in words else cell.rjust(w)
            for k, (cell, w) in enumerate(zip(row, wide, strict=True))
        )
        + " |"
        for row in cells
    ]
    lines.insert(
        1, "|" + "|".join("-" * (w + 1) + ("-" if k in words else ":") for k, w in enumerate(wide)) + "|"
    )
    return "\n".join(lines)
