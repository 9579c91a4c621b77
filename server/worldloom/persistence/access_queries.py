"""Access queries: accounts, tokens and codes, as the methods of ``ports.OrderTx`` on them. Decides nothing."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    bindparam,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from worldloom.persistence.tables import account, code, token
from worldloom.ports import AccountRow, CodeRow, PlaceRow, SeenRow, TokenRow
from worldloom.realm.money import Currency
from worldloom_sdk.protocol.messages import Role, Scope

__all__ = ["ACCOUNT", "AccessQueries", "to_account"]

ACCOUNT = select(
    account.c.id,
    account.c.name,
    account.c.role,
    account.c.owner_id,
    account.c.hidden,
    account.c.created_ms,
    account.c.seen_ms,
    account.c.place_x,
    account.c.place_z,
    account.c.place_y,
    account.c.place_yaw,
    account.c.look,
    account.c.findable,
)
"""What ``to_account`` reads."""

_TOKEN = select(
    token.c.token_sha256,
    token.c.account_id,
    token.c.label,
    token.c.scopes,
    token.c.created_ms,
    token.c.used_ms,
)
_CODE = select(
    code.c.code_sha256,
    code.c.kind,
    code.c.account_id,
    code.c.created_ms,
    code.c.until_ms,
    code.c.uses,
    code.c.token_sha256,
)
# Numbers of guests are larger than any account's: asked for as BIGINT, they find nobody.
_ACCOUNTS = ACCOUNT.where(account.c.id.in_(bindparam("numbers", expanding=True, type_=BigInteger))).order_by(
    account.c.id
)
_BOTS = ACCOUNT.where(account.c.owner_id == bindparam("owner")).order_by(account.c.id)
_SEEN = (
    update(account)
    .where(account.c.id == bindparam("of"), account.c.seen_ms < bindparam("at"))
    .values(seen_ms=bindparam("at"))
)
_USED = (
    update(token)
    .where(token.c.token_sha256 == bindparam("of"), token.c.used_ms < bindparam("at"))
    .values(used_ms=bindparam("at"))
)
_MADE_FROM = delete(code).where(code.c.token_sha256 == bindparam("of"))
_ONE_TOKEN = _TOKEN.where(token.c.token_sha256 == bindparam("of"))
_TOKENS = _TOKEN.where(token.c.account_id.in_(bindparam("numbers", expanding=True))).order_by(
    token.c.created_ms, token.c.token_sha256
)
_ONE_CODE = _CODE.where(code.c.code_sha256 == bindparam("of"))
_INVITATIONS = select(func.count()).where(
    code.c.kind == "invitation", or_(code.c.until_ms.is_(None), code.c.until_ms > bindparam("now"))
)


def _is_called(part: str, skeleton: str) -> ColumnElement[bool]:
    named = account.c.name.contains(part, autoescape=True)
    return or_(named, account.c.skeleton.contains(skeleton, autoescape=True)) if skeleton else named


class AccessQueries:
    """Half of ``ports.OrderTx`` over a connection that is in a transaction.

    Args:
        connection: Whoever made this commits or rolls back.
        currency: How amounts are written in what people read.
    """

    __slots__ = ("connection", "currency", "engine_name")

    def __init__(self, connection: Connection, currency: Currency) -> None:
        self.connection = connection
        self.currency = currency
        self.engine_name = connection.dialect.name

    def accounts(self, numbers: Sequence[int]) -> Sequence[AccountRow]:
        """The accounts of these numbers, ascending; numbers of nobody are passed over."""
        if not numbers:
            return []
        return [to_account(row) for row in self.connection.execute(_ACCOUNTS, {"numbers": [*numbers]})]

    def accounts_named(self, part: str, skeleton: str, limit: int) -> Sequence[AccountRow]:
        """Accounts whose name contains ``part``, or whose skeleton contains ``skeleton``; by skeleton."""
        found = ACCOUNT.where(_is_called(part, skeleton))
        rows = self.connection.execute(found.order_by(account.c.skeleton).limit(limit))
        return [to_account(row) for row in rows]

    def accounts_from(self, number: int, part: str, skeleton: str, limit: int) -> Sequence[AccountRow]:
        """The same by number, from this one on."""
        found = ACCOUNT.where(account.c.id >= literal(number, BigInteger), _is_called(part, skeleton))
        rows = self.connection.execute(found.order_by(account.c.id).limit(limit))
        return [to_account(row) for row in rows]

    def bots_of(self, account: int) -> Sequence[AccountRow]:
        """The bots of an account, oldest first."""
        return [to_account(row) for row in self.connection.execute(_BOTS, {"owner": account})]

    def set_role(self, number: int, role: Role) -> None:
        """Give an account a role."""
        self.connection.execute(update(account).where(account.c.id == number).values(role=role.value))

    def set_hidden(self, number: int, hidden: bool) -> None:
        """Let an account be invisible, or not."""
        self.connection.execute(update(account).where(account.c.id == number).values(hidden=int(hidden)))

    def set_look(self, number: int, look: bytes | None) -> None:
        """Give an account a look; None: none of its own choice."""
        self.connection.execute(update(account).where(account.c.id == number).values(look=look))

    def set_findable(self, number: int, findable: bool) -> None:
        """Let an account be found by name, or not."""
        self.connection.execute(update(account).where(account.c.id == number).values(findable=int(findable)))

    def note_seen(self, seen: Sequence[SeenRow]) -> None:
        """Remember when accounts and tokens were last here; an earlier time than is known changes nothing.

        A code from which one of the tokens was made is deleted.
        """
        # In one order, so that two writers cannot lock each other's rows crosswise.
        here = sorted({(row.account, row.at_ms) for row in seen})
        used = sorted({(row.token_sha256, row.at_ms) for row in seen if row.token_sha256 is not None})
        for statement, pairs in ((_SEEN, here), (_USED, used)):
            if pairs:
                self.connection.execute(statement, [{"of": of, "at": at} for of, at in pairs])
        if used:
            self.connection.execute(_MADE_FROM, [{"of": of} for of, _ in used])

    def token(self, token_sha256: bytes) -> TokenRow | None:
        """The token of this hash."""
        row = self.connection.execute(_ONE_TOKEN, {"of": token_sha256}).first()
        return None if row is None else _to_token(row)

    def tokens_of(self, accounts: Sequence[int]) -> Sequence[TokenRow]:
        """All tokens of these accounts, oldest first."""
        return [_to_token(row) for row in self.connection.execute(_TOKENS, {"numbers": [*accounts]})]

    def insert_token(self, row: TokenRow) -> None:
        """Add a token."""
        scopes = None if row.scopes is None else ",".join(sorted(row.scopes))
        values = {
            "token_sha256": row.token_sha256,
            "account_id": row.account,
            "label": row.label,
            "scopes": scopes,
            "created_ms": row.created_ms,
            "used_ms": row.used_ms,
        }
        self.connection.execute(insert(token), values)

    def delete_token(self, token_sha256: bytes) -> None:
        """Make a token void."""
        self.connection.execute(delete(token).where(token.c.token_sha256 == token_sha256))

    def code(self, code_sha256: bytes) -> CodeRow | None:
        """The code of this hash, run out or not."""
        row = self.connection.execute(_ONE_CODE, {"of": code_sha256}).first()
        return None if row is None else CodeRow(*row)

    def insert_code(self, row: CodeRow, beside: bytes | None = None) -> None:
        """Add a code; an account's earlier codes of that kind are deleted, but the one of the hash ``beside``."""
        if row.account is not None:
            earlier = (code.c.account_id == row.account) & (code.c.kind == row.kind)
            if beside is not None:
                earlier &= code.c.code_sha256 != beside
            self.connection.execute(delete(code).where(earlier))
        values = {
            "code_sha256": row.code_sha256,
            "kind": str(row.kind),
            "account_id": row.account,
            "created_ms": row.created_ms,
            "until_ms": row.until_ms,
            "uses": row.uses,
            "token_sha256": row.token_sha256,
        }
        self.connection.execute(insert(code), values)

    def use_code(self, code_sha256: bytes) -> None:
        """Take one use from a code; the last use deletes it."""
        this = code.c.code_sha256 == code_sha256
        self.connection.execute(update(code).where(this, code.c.uses > 0).values(uses=code.c.uses - 1))
        self.connection.execute(delete(code).where(this, code.c.uses == 0))

    def set_code_token(self, code_sha256: bytes, token_sha256: bytes) -> None:
        """A token was made from a code. When it is seen, or with the token, that is over."""
        this = code.c.code_sha256 == code_sha256
        self.connection.execute(update(code).where(this).values(token_sha256=token_sha256))

    def count_invitations(self, now_ms: int) -> int:
        """Invitations that have not run out."""
        return self.connection.execute(_INVITATIONS, {"now": now_ms}).scalar_one()


def to_account(row: Any) -> AccountRow:
    """A row of ``ACCOUNT`` as an account."""
    number, name, role, owner, hidden, created_ms, seen_ms, x, z, y, yaw, look, findable = row
    place = None if x is None or z is None or y is None or yaw is None else PlaceRow(number, x, z, y, yaw)
    known = number, name, place, Role(role), owner, bool(hidden), created_ms, seen_ms
    return AccountRow(*known, None if look is None else bytes(look), bool(findable))


def _to_token(row: Any) -> TokenRow:
    sha256, number, label, scopes, created_ms, used_ms = row
    words = None if scopes is None else frozenset(Scope(word) for word in scopes.split(",") if word)
    return TokenRow(sha256, number, label, words, created_ms, used_ms)
