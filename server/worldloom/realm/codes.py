"""Codes for people to write down and type: Crockford's base32, in groups of four. Makes none; knows not what they open.

The alphabet has no I, L, O and U; who types them for 1 and 0 is understood. See https://www.crockford.com/base32.html.
"""

__all__ = ["ALPHABET", "clean_code", "format_code"]

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""32 characters: 5 bits each."""
_GROUP = 4
_LIMIT = 128
_FORGIVEN = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": "", "\t": "", "\n": "", "\r": ""})
_KNOWN = frozenset(ALPHABET)


def format_code(bare: str) -> str:
    """A code with a dash after each fourth character, as people are told it."""
    return "-".join(bare[at : at + _GROUP] for at in range(0, len(bare), _GROUP))


def clean_code(text: str) -> str:
    """What was meant by a typed code: without dashes and blanks, capital letters, O as 0, I and L as 1.

    Args:
        text: As somebody typed it.

    Returns:
        Characters of ``ALPHABET``; empty when it cannot be a code.
    """
    if len(text) > _LIMIT or not text.isascii():
        return ""
    bare = text.upper().translate(_FORGIVEN)
    return bare if _KNOWN.issuperset(bare) else ""
