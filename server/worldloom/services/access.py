"""Access: the ways into an account. Codes for other devices and for a bad day, tokens, the keys of bots.

For persons: who came with a bot's key may ask for none of this. What is secret is told once; its hash is stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from worldloom.errors import Refusal
from worldloom.ports import AccountRow, AuditRow, CodeRow, TokenRow, Tx
from worldloom.realm.names import clean_name, clean_text
from worldloom.realm.order import AuditAct
from worldloom.services import codes
from worldloom.services.accounts import LABEL_MAX, hash_token, insert_named, new_token
from worldloom.services.codes import CodeKind
from worldloom.services.standing import Ask, Standing, enter
from worldloom_sdk.protocol.messages import RefusalCode, Scope, Secret, TokenInfo

__all__ = [
    "BOTS_MAX",
    "TOKENS_MAX",
    "EnterWithCode",
    "Entered",
    "MakeBot",
    "MakeCode",
    "Revoke",
    "Tokens",
    "enter_with_code",
    "make_bot",
    "make_pairing",
    "make_recovery",
    "revoke",
    "token_id",
    "tokens",
    "whose_code",
]

BOTS_MAX = 16
"""Bots of one account."""
TOKENS_MAX = 32
"""Tokens of one account, and keys of one bot."""
_ID_CHARS = 16


@dataclass(frozen=True, slots=True)
class MakeCode:
    """A person wants a code for the own account."""

    account: int
    now_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class EnterWithCode:
    """Somebody shows a recovery or pairing code."""

    code: str
    """As typed."""
    now_ms: int
    """Unix time."""
    label: str = ""
    """Which client program the new token is for; cleaned here."""
    networks: tuple[str, ...] = ()
    """That the address is in."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A code was good."""

    account: AccountRow
    token: str
    """For this device; told once."""
    recovery: str = ""
    """After a recovery: the code that takes the place of the one shown; told once."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """A person wants to know all ways in."""

    account: int
    current_sha256: bytes = b""
    """Of the token that the session came with."""


@dataclass(frozen=True, slots=True)
class Revoke:
    """A person wants a token to be void."""

    account: int
    token_id: str
    """From ``TokenInfo``."""
    now_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class MakeBot:
    """A person wants a key for a bot, and the bot if there is none of that name."""

    account: int
    name: str
    """As typed."""
    scopes: frozenset[Scope]
    now_ms: int
    """Unix time."""


def make_recovery(tx: Tx, command: MakeCode) -> Secret:
    """A new recovery code; the one before is void.

    Raises:
        Refusal: FORBIDDEN for a bot; so for all that a person asks for here.
    """
    _person(tx, command.account)
    text = codes.add_code(tx, CodeKind.RECOVERY, command.account, command.now_ms, None)
    return Secret(text, 0, command.account)


def make_pairing(tx: Tx, command: MakeCode) -> Secret:
    """A code for another device, good once and for ten minutes; the one before is void."""
    _person(tx, command.account)
    until = command.now_ms + codes.PAIRING_MS
    text = codes.add_code(tx, CodeKind.PAIRING, command.account, command.now_ms, until)
    return Secret(text, until, command.account)


def whose_code(tx: Tx, command: EnterWithCode) -> Standing:
    """Of whom a code is, without using it up: so that what can still refuse them comes before ``enter_with_code``.

    Raises:
        Refusal: TOKEN, BANNED; as there.
    """
    return enter(tx, Ask(_good_code(tx, command).account, None, command.networks, command.now_ms))


def enter_with_code(tx: Tx, command: EnterWithCode) -> Entered:
    """Turn a code into a new token for its account.

    An answer may be lost on its way. So the code stays good until somebody who came with the token has been heard, see
    ``accounts.note_seen``; shown again before, it makes another token and another successor, and those that were made
    before, which were told nobody, are void.

    An account that has all the tokens it may have is refused when pairing. After a recovery, where nobody may be left
    who could revoke one, the token that was idle longest makes room; the audit log has it.

    Raises:
        Refusal: TOKEN, the code is unknown, used up or run out, which of them is not told; BANNED; INVALID, the account
            has too many tokens.
    """
    row = _good_code(tx, command)
    account = enter(tx, Ask(row.account, None, command.networks, command.now_ms)).account
    assert account is not None, "a code goes with its account"
    if row.token_sha256 is not None:
        tx.delete_token(row.token_sha256)
    recovery = ""
    if row.kind == CodeKind.RECOVERY:
        kind, beside = CodeKind.RECOVERY, row.code_sha256
        recovery = codes.add_code(tx, kind, account.account, command.now_ms, None, beside=beside)
        _make_room(tx, account, command.now_ms)
    label = clean_text(command.label, LABEL_MAX)
    token = _add_token(tx, account, command.now_ms, label, None)
    tx.set_code_token(row.code_sha256, hash_token(token))
    return Entered(account, token, recovery)


def tokens(tx: Tx, command: Tokens) -> list[TokenInfo]:
    """All tokens of a person and of the person's bots, oldest first within each."""
    _person(tx, command.account)
    found = []
    for owner in _own(tx, command.account):
        found += [_told(owner, row, command.current_sha256) for row in tx.tokens_of([owner.account])]
    return found


def revoke(tx: Tx, command: Revoke) -> AuditRow:
    """Make a token void, of the person or of one of the person's bots. Whoever came with it is to be sent out.

    Raises:
        Refusal: NOT_FOUND, none of these has that id.
    """
    tx.lock_order()
    person = _person(tx, command.account)
    for owner in _own(tx, command.account):
        for row in tx.tokens_of([owner.account]):
            if token_id(row.token_sha256) == command.token_id:
                return _revoke(tx, row, owner, person, command.now_ms)
    raise Refusal(
        RefusalCode.NOT_FOUND,
        f"expected the id of a token of yours or of your bots, got {command.token_id[:_ID_CHARS]!r}",
        hint="ask for your tokens",
    )


def make_bot(tx: Tx, command: MakeBot) -> Secret:
    """A new key for a bot; earlier keys stay good until they are revoked.

    Raises:
        Refusal: NAME_INVALID, NAME_TAKEN; INVALID, there are too many bots or keys.
    """
    _person(tx, command.account)
    name = clean_name(command.name)
    bot = tx.account_by_skeleton(name.skeleton)
    if bot is None or bot.owner != command.account:
        count = len(tx.bots_of(command.account))
        if count >= BOTS_MAX:
            raise Refusal(
                RefusalCode.INVALID,
                f"expected at most {BOTS_MAX} bots of one account, got one more",
                hint="use a bot that you have",
            )
        number = insert_named(tx, name, None, command.now_ms, owner=command.account)
        bot = AccountRow(number, name.shown, None, owner=command.account, created_ms=command.now_ms)
    return Secret(_add_token(tx, bot, command.now_ms, "", command.scopes), 0, bot.account)


def token_id(token_sha256: bytes) -> str:
    """By what a token is named without telling it: 16 hexadecimal digits."""
    return token_sha256.hex()[:_ID_CHARS]


def _good_code(tx: Tx, command: EnterWithCode) -> CodeRow:
    row = tx.code(codes.hash_code(command.code))
    if row is None or row.account is None or codes.is_over(row, command.now_ms):
        raise Refusal(
            RefusalCode.TOKEN,
            "expected a recovery or pairing code that is good, got another text or one that is used up or has run out",
            hint="look for typing errors, or have a new one made on a device where the account is open",
        )
    return row


def _person(tx: Tx, account: int) -> AccountRow:
    row = next(iter(tx.accounts([account])), None)
    if row is None or row.owner is not None:
        raise Refusal(RefusalCode.FORBIDDEN, "expected the account of a person, got a bot's or none")
    return row


def _own(tx: Tx, account: int) -> Sequence[AccountRow]:
    return [*tx.accounts([account]), *tx.bots_of(account)]


def _told(owner: AccountRow, row: TokenRow, current: bytes) -> TokenInfo:
    scopes = None if row.scopes is None else sorted(row.scopes)
    return TokenInfo(
        token_id(row.token_sha256),
        owner.name,
        row.label,
        [*map(str, scopes)] if scopes is not None else None,
        row.created_ms,
        row.used_ms,
        row.token_sha256 == current,
    )


def _add_token(tx: Tx, account: AccountRow, now_ms: int, label: str, scopes: frozenset[Scope] | None) -> str:
    count = len(tx.tokens_of([account.account]))
    if count >= TOKENS_MAX:
        raise Refusal(
            RefusalCode.INVALID,
            f"expected at most {TOKENS_MAX} tokens of {account.name!r}, got one more",
            hint="revoke one that is not needed",
        )
    token = new_token()
    tx.insert_token(TokenRow(hash_token(token), account.account, label, scopes, now_ms))
    return token


def _make_room(tx: Tx, account: AccountRow, now_ms: int) -> None:
    rows = tx.tokens_of([account.account])
    if len(rows) >= TOKENS_MAX:
        tx.lock_order()
        idle = min(rows, key=lambda row: max(row.used_ms, row.created_ms))
        _revoke(tx, idle, account, account, now_ms)


def _revoke(tx: Tx, token: TokenRow, of: AccountRow, by: AccountRow, now_ms: int) -> AuditRow:
    tx.delete_token(token.token_sha256)
    detail = token_id(token.token_sha256)
    row = AuditRow(now_ms, by.account, by.name, AuditAct.REVOKE, of.account, of.name, None, detail, None)
    tx.append_audit(row)
    return row
