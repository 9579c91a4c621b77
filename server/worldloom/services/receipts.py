"""Receipts: a request that carries a key has one effect and one answer, however often it is sent.

The client makes the key and sends the request until it is answered. The receipt is written in the transaction of the
effect itself: what was committed has one, what was not has none, so that asking again tells which.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from worldloom.errors import Refusal
from worldloom.ports import Tx
from worldloom.ports.money import ReceiptRow
from worldloom_sdk.protocol.messages import RefusalCode

__all__ = ["KEPT_MS", "KEY_BYTES", "PASSING", "Outcome", "once", "repeated"]

KEY_BYTES = 16
KEPT_MS = 7 * 24 * 3_600_000
"""How long a receipt is kept, at least."""
PASSING = frozenset({RefusalCode.RATE, RefusalCode.STATE, RefusalCode.UNAVAILABLE})
"""Refusals that are about the moment: asked again, the answer may be another, so they leave no receipt."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: the same the first time and every other."""

    answer: bytes
    """MessagePack: what the work returned, or of a refusal [code, text, hint]."""
    refused: bool
    repeated: bool
    """Whether it was answered before, and nothing was done now."""

    def result(self, kind: type[T] | Any = Any) -> T | Any:
        """What the work returned, as it is on its way to the client.

        Args:
            kind: Its type, as msgspec decodes it.

        Raises:
            Refusal: That is how it ended.
        """
        if self.refused:
            code, text, hint = msgspec.msgpack.decode(self.answer, type=tuple[RefusalCode, str, str])
            raise Refusal(code, text, hint)
        return msgspec.msgpack.decode(self.answer, type=kind)


def once(
    tx: Tx, account: int, key: bytes, request: bytes, now_ms: int, work: Callable[[], object]
) -> Outcome:
    """Do what a request asks for, unless it was done before.

    The use case returns the outcome; whoever called the store then asks for its ``result()``. So a refusal, too, is
    committed, and asked again it is refused in the same words.

    Args:
        tx: The transaction of the work itself, in which nothing was done before but to lock.
        account: Whose request it is; keys of different accounts have nothing to do with each other.
        key: 16 bytes, made by the client for this one request.
        request: All that was asked for, as bytes that are the same when it is asked again.
        now_ms: Unix time.
        work: Does it in ``tx``; returns what MessagePack can hold. When it refuses, what it did is undone.

    Raises:
        Refusal: KEY_REUSED, the key was that of another request; INVALID, it is no key; or one of PASSING by the work.
    """
    if len(key) != KEY_BYTES:
        raise Refusal(RefusalCode.INVALID, f"expected a key of {KEY_BYTES} bytes, got {len(key)}")
    sha256 = hashlib.sha256(request).digest()
    # Reserved before anything is done: of two that are sent at once, one waits here, or is tried again.
    if not tx.reserve_receipt(ReceiptRow(account, key, sha256, b"", False, now_ms)):
        return _as_before(tx, account, key, sha256)
    try:
        answer = msgspec.msgpack.encode(work())
    except Refusal as refusal:
        if refusal.code in PASSING or refusal.retry_after_ms:
            raise
        answer = msgspec.msgpack.encode([refusal.code, refusal.text, refusal.hint])
        # Whoever waited with the same key goes first then, and has done it, or was refused.
        tx.start_over()
        if not tx.reserve_receipt(ReceiptRow(account, key, sha256, answer, True, now_ms)):
            return _as_before(tx, account, key, sha256)
        return Outcome(answer, True, False)
    tx.answer_receipt(ReceiptRow(account, key, sha256, answer, False, now_ms))
    return Outcome(answer, False, False)


def repeated(tx: Tx, asked: tuple[int, bytes, bytes]) -> Outcome | None:
    """What became of a request that was sent before; None if it is new. Only reads.

    Args:
        tx: The transaction.
        asked: Whose it is, its key and all that was asked for, as for ``once``.

    Raises:
        Refusal: KEY_REUSED.
    """
    account, key, request = asked
    if tx.receipt(account, key) is None:
        return None
    return _as_before(tx, account, key, hashlib.sha256(request).digest())


def _as_before(tx: Tx, account: int, key: bytes, sha256: bytes) -> Outcome:
    row = tx.receipt(account, key)
    if row is None or row.request != sha256:
        raise Refusal(
            RefusalCode.KEY_REUSED,
            "expected a new key for a new request, got the key of an earlier one",
            hint="make a key for each request; send the same one again only with the same content",
        )
    return Outcome(row.answer, row.refused, True)
