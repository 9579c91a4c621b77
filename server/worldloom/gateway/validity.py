"""Validity: from when until when a certificate holds, and what to say of it. Knows no sockets.

Read from the file's bytes (RFC 5280, 4.1): the standard library tells the dates of a certificate only after a handshake
that trusts it, and so never those of one that has run out.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

__all__ = ["SOON_S", "Validity", "validity_of"]

SOON_S = 21 * 86_400
"""A certificate that ends within this time is warned of: what renews it should have done so."""
_FIRST = re.compile(rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----(.+?)-----END", re.DOTALL)
_VERSION, _UTC_TIME = 0xA0, 0x17


@dataclass(frozen=True, slots=True)
class Validity:
    """When a certificate holds, in Unix seconds."""

    not_before_s: float
    not_after_s: float

    def fault(self, unix_s: float) -> str:
        """Why clients do not take it at that time; empty if they do."""
        if unix_s < self.not_before_s:
            return f"the certificate is not valid before {_shown(self.not_before_s)}"
        return f"the certificate expired on {_shown(self.not_after_s)}" if unix_s > self.not_after_s else ""

    def warning(self, unix_s: float) -> str:
        """What is wrong at that time, or will be soon; empty if nothing."""
        left_s = self.not_after_s - unix_s
        if (fault := self.fault(unix_s)) or left_s > SOON_S:
            return fault
        return f"the certificate expires on {_shown(self.not_after_s)}, {left_s / 86_400:.1f} days from now"


def validity_of(pem: bytes) -> Validity | None:
    """When the first certificate of a PEM file holds; None when it cannot be told."""
    found = _FIRST.search(pem)
    try:
        whole = base64.b64decode(found[1]) if found else b""
        certificate = next(_parts(whole))[1]
        fields = [part for part in _parts(next(_parts(certificate))[1]) if part[0] != _VERSION]
        # Serial number, algorithm, issuer, validity.
        begins, ends = (_moment(*part) for part in _parts(fields[3][1]))
    except (binascii.Error, IndexError, StopIteration, ValueError):
        return None
    return Validity(begins, ends)


def _parts(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each value in a constructed one."""
    at = 0
    while at < len(der):
        tag, length, at = der[at], der[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(der[at : at + size], "big"), at + size
        yield tag, der[at : at + length]
        at += length


def _moment(tag: int, content: bytes) -> float:
    text = content.decode("ascii")
    if tag == _UTC_TIME:  # two digits of the year, 1950 to 2049
        text = ("19" if text >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()


def _shown(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
