"""Money queries: purses, the ledger, receipts, as the methods of ``ports.MoneyTx``. Decides nothing."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    tuple_,
    update,
)

from worldloom.persistence.inserting import PerEngine
from worldloom.persistence.known import Known
from worldloom.persistence.later import Later, drop
from worldloom.persistence.marks import UNDO
from worldloom.persistence.money_tables import granted, pending, posting, purse, receipt, transfer
from worldloom.ports.money import DayRow, EntryRow, GrantRow, PurseRow, ReceiptRow, TooLittle, TransferRow
from worldloom.realm.ledger import PurseKind, TransferKind, rests

__all__ = ["PURSES_OF", "MoneyQueries", "accounts_among"]

_DAY_MS = 24 * 3_600_000
_PURSE = select(purse.c.id, purse.c.kind, purse.c.account_id, purse.c.ref, purse.c.balance).order_by(
    purse.c.id
)
_PURSES = _PURSE.where(purse.c.id.in_(bindparam("numbers", expanding=True, type_=BigInteger)))
PURSES_OF = Known(
    {
        name: text(
            f"SELECT id, kind, account_id, ref, balance FROM purse WHERE account_id {among} ORDER BY id"
        )
        for name, among in (
            ("sqlite", "IN (SELECT value FROM json_each(:accounts))"),
            ("postgresql", "= ANY(CAST(:accounts AS bigint[]))"),
        )
    }
)
"""Those of several accounts, as ``accounts_among`` makes one value of them: one statement for any number of them."""
_PURSES_FROM = _PURSE.where(purse.c.id >= bindparam("number", type_=BigInteger)).limit(bindparam("limit"))
_ADD_PURSE = Known(
    PerEngine(lambda insert: insert(purse).on_conflict_do_nothing().returning(purse.c.id)),
    "kind",
    "account_id",
    "ref",
    "balance",
)
_CHANGE = Known(
    update(purse)
    .where(
        purse.c.id == bindparam("number", type_=BigInteger),
        or_(purse.c.balance + bindparam("amount", type_=BigInteger) >= 0, purse.c.kind == "mint"),
    )
    .values(balance=purse.c.balance + bindparam("amount", type_=BigInteger))
)
_NEXT_TRANSFER = Known(select(func.coalesce(func.max(transfer.c.id), 0) + 1))
_ADD_POSTING, _ADD_PENDING = (
    Known(insert(table), "transfer_id", "purse_id", "amount") for table in (posting, pending)
)
_ADD_TRANSFER = Known(insert(transfer), "id", "at_ms", "kind", "memo", "by_id", "ref")
_POST_ON_POSTGRESQL = Known(
    text(
        "WITH leg AS (SELECT * FROM unnest(CAST(:purses AS bigint[]), CAST(:amounts AS bigint[]),"
        " CAST(:rests AS boolean[])) AS leg (purse, amount, rests)),"
        # As they are once nobody else can change them; foreign keys to them wait for nobody.
        " held AS MATERIALIZED (SELECT id, kind, balance FROM purse"
        " WHERE id IN (SELECT purse FROM leg WHERE NOT rests) ORDER BY id FOR NO KEY UPDATE),"
        " short AS MATERIALIZED (SELECT leg.purse FROM leg LEFT JOIN held ON held.id = leg.purse WHERE NOT leg.rests"
        " AND (held.id IS NULL OR (held.balance + leg.amount < 0 AND held.kind <> 'mint'))),"
        " changed AS (UPDATE purse SET balance = purse.balance + leg.amount FROM leg"
        " WHERE purse.id = leg.purse AND NOT leg.rests AND NOT EXISTS (SELECT FROM short)),"
        " made AS (INSERT INTO transfer (id, at_ms, kind, memo, by_id, ref)"
        " SELECT nextval('transfer_id_seq'), CAST(:at_ms AS bigint), CAST(:kind AS varchar), CAST(:memo AS varchar),"
        " CAST(:by_id AS integer), CAST(:ref AS bigint) WHERE NOT EXISTS (SELECT FROM short) RETURNING id),"
        " posted AS (INSERT INTO posting (transfer_id, purse_id, amount)"
        " SELECT made.id, leg.purse, leg.amount FROM made, leg),"
        " rested AS (INSERT INTO pending (transfer_id, purse_id, amount)"
        " SELECT made.id, leg.purse, leg.amount FROM made, leg WHERE leg.rests)"
        " SELECT (SELECT id FROM made), (SELECT min(purse) FROM short)"
    )
)
"""One journey, and one statement: the database checks the postings as a whole when it ends."""
_RESTING = select(pending.c.purse_id, func.sum(pending.c.amount)).group_by(pending.c.purse_id)
_OLDEST = (
    select(pending.c.transfer_id, pending.c.purse_id)
    .order_by(pending.c.transfer_id, pending.c.purse_id)
    .limit(bindparam("limit"))
)
_TAKE_RESTING = (
    delete(pending)
    .where(tuple_(pending.c.transfer_id, pending.c.purse_id).in_(_OLDEST))
    .returning(pending.c.purse_id, pending.c.amount)
)
_ENTRIES = (
    select(
        transfer.c.at_ms,
        transfer.c.kind,
        transfer.c.memo,
        transfer.c.by_id,
        transfer.c.ref,
        transfer.c.id,
        posting.c.purse_id,
        posting.c.amount,
    )
    .join(transfer, transfer.c.id == posting.c.transfer_id)
    .where(
        posting.c.purse_id.in_(bindparam("numbers", expanding=True, type_=BigInteger)),
        posting.c.transfer_id < bindparam("before", type_=BigInteger),
    )
    .order_by(posting.c.transfer_id.desc(), posting.c.purse_id)
    .limit(bindparam("limit"))
)
_OTHERS = text(
    "SELECT posting.transfer_id, posting.purse_id, purse.kind, coalesce(account.name, '') FROM posting"
    " JOIN purse ON purse.id = posting.purse_id LEFT JOIN account ON account.id = purse.account_id"
    " WHERE posting.transfer_id IN :numbers ORDER BY posting.transfer_id, posting.purse_id"
).bindparams(bindparam("numbers", expanding=True, type_=BigInteger))
_TRANSFER = select(
    transfer.c.at_ms, transfer.c.kind, transfer.c.memo, transfer.c.by_id, transfer.c.ref, transfer.c.id
).where(transfer.c.id == bindparam("number", type_=BigInteger))
_POSTINGS = (
    select(posting.c.purse_id, posting.c.amount)
    .where(posting.c.transfer_id == bindparam("number", type_=BigInteger))
    .order_by(posting.c.purse_id)
)
_BY_DAY = text(
    f"SELECT transfer.at_ms / {_DAY_MS} AS day, transfer.kind, count(*),"
    " sum(CASE WHEN posting.amount > 0 THEN posting.amount ELSE 0 END),"
    " sum(CASE WHEN posting.amount < 0 THEN -posting.amount ELSE 0 END)"
    " FROM transfer JOIN posting ON posting.transfer_id = transfer.id"
    f" WHERE transfer.at_ms >= :since AND posting.purse_id = :purse GROUP BY transfer.at_ms / {_DAY_MS}, transfer.kind"
    " ORDER BY day DESC, transfer.kind"
)
_POSTED = (
    select(posting.c.purse_id, func.sum(posting.c.amount))
    .where(
        posting.c.transfer_id > bindparam("after", type_=BigInteger),
        posting.c.transfer_id <= bindparam("until", type_=BigInteger),
    )
    .group_by(posting.c.purse_id)
)
_UNBALANCED = text(
    "SELECT number, legs, total FROM (SELECT transfer_id AS number, count(*) AS legs, sum(amount) AS total"
    " FROM posting WHERE transfer_id > :after AND transfer_id <= :until GROUP BY transfer_id) AS summed"
    " WHERE legs < 2 OR total <> 0 OR NOT EXISTS (SELECT 1 FROM transfer WHERE id = number)"
    " UNION ALL SELECT id, 0, 0 FROM transfer WHERE id > :after AND id <= :until"
    " AND NOT EXISTS (SELECT 1 FROM posting WHERE transfer_id = transfer.id) ORDER BY number LIMIT :limit"
)
_RESTING_AMISS = text(
    "SELECT pending.transfer_id, pending.purse_id, pending.amount FROM pending LEFT JOIN posting"
    " ON posting.transfer_id = pending.transfer_id AND posting.purse_id = pending.purse_id"
    " WHERE posting.amount IS NULL OR posting.amount <> pending.amount"
    " ORDER BY pending.transfer_id, pending.purse_id LIMIT :limit"
)
_RESERVE = Known(
    PerEngine(lambda insert: insert(receipt).on_conflict_do_nothing().returning(receipt.c.at_ms)),
    *receipt.c.keys(),
)
"""PostgreSQL's driver does not say how many rows an INSERT wrote; what comes back does."""
_OF_KEY = (receipt.c.account_id == bindparam("of"), receipt.c.key == bindparam("by_key"))
_RECEIPTS = select(
    receipt.c.account_id,
    receipt.c.key,
    receipt.c.request,
    receipt.c.answer,
    receipt.c.refused,
    receipt.c.at_ms,
)
_RECEIPT = Known(_RECEIPTS.where(*_OF_KEY))
_RECEIPTS_AT = _RECEIPTS.where(
    receipt.c.account_id == bindparam("of"), receipt.c.at_ms == bindparam("at", type_=BigInteger)
).order_by(receipt.c.key)
_ANSWER = Later(
    answered=Known(
        update(receipt).where(*_OF_KEY).values(answer=bindparam("told"), refused=bindparam("is_refused"))
    )
)
_COUNT_GRANTS = (
    select(func.count())
    .select_from(granted)
    .where(granted.c.network == bindparam("network"), granted.c.at_ms > bindparam("since"))
)


def accounts_among(engine_name: str, *accounts: int) -> Mapping[str, Any]:
    """What ``PURSES_OF`` is given."""
    return {"accounts": [*accounts] if engine_name == "postgresql" else json.dumps(accounts)}


class MoneyQueries:
    """``ports.MoneyTx`` over a connection that is in a transaction."""

    __slots__ = ()

    connection: Connection
    engine_name: str

    def start_over(self) -> None:
        """Undo all that was done, and let go of what is held: what follows is as in a new transaction."""
        drop(self.connection)
        UNDO.run(self.connection)

    # ---- purses

    def purses(self, numbers: Sequence[int]) -> Sequence[PurseRow]:
        """The purses of these numbers, ascending; numbers of none are passed over."""
        return self._purses(_PURSES, {"numbers": [*numbers]})

    def purses_of(self, *accounts: int) -> Sequence[PurseRow]:
        """The purses of accounts, ascending: of each its own, its grant, either or none."""
        return [
            _purse(row)
            for row in PURSES_OF.rows(self.connection, accounts_among(self.engine_name, *accounts))
        ]

    def purses_from(self, number: int, limit: int) -> Sequence[PurseRow]:
        """All purses from this number on, ascending."""
        return self._purses(_PURSES_FROM, {"number": number, "limit": limit})

    def make_purse(self, kind: PurseKind, account: int | None, ref: int | None) -> int:
        """The number of the one purse of that kind for an account or a listing; made if there is none."""
        whose = purse.c.account_id == account if account is not None else purse.c.ref == ref
        find = select(purse.c.id).where(purse.c.kind == kind.value, whose)
        there = self.connection.execute(find).scalar()
        if there is None:
            values = {"kind": kind.value, "account_id": account, "ref": ref, "balance": 0}
            there = _ADD_PURSE.value(self.connection, values)
        # Nothing comes back if somebody made it just now. Who locks first sees that one; who does not is tried again.
        number: int = self.connection.execute(find).scalar_one() if there is None else there
        return number

    def change_balance(self, purse: int, amount: int) -> bool:
        """Add to a purse's row, or take from it; False, with nothing done, if it has less or is not there."""
        return _CHANGE.changed(self.connection, {"number": purse, "amount": amount}) == 1

    # ---- the ledger

    def post(self, row: TransferRow, postings: Sequence[tuple[int, int]]) -> int:
        """Change the rows of purses, write down the transfer and its postings, (purse, amount); its number."""
        values: dict[str, Any] = {
            "at_ms": row.at_ms,
            "kind": row.kind.value,
            "memo": row.memo,
            "by_id": row.by,
            "ref": row.ref,
        }
        if self.engine_name == "postgresql":
            values |= {
                "purses": [number for number, _ in postings],
                "amounts": [amount for _, amount in postings],
                "rests": [rests(*leg) for leg in postings],
            }
            made, short = _POST_ON_POSTGRESQL.one(self.connection, values)
            if short is not None:
                raise TooLittle(short)
            return int(made)
        resting = [leg for leg in postings if rests(*leg)]
        for of, amount in postings:
            if not rests(of, amount) and not self.change_balance(of, amount):
                raise TooLittle(of)
        number = int(_NEXT_TRANSFER.value(self.connection))
        for adding, legs in ((_ADD_POSTING, postings), (_ADD_PENDING, resting)):
            rows = [{"transfer_id": number, "purse_id": of, "amount": amount} for of, amount in legs]
            adding.each(self.connection, rows)
        _ADD_TRANSFER.run(self.connection, values | {"id": number})
        return number

    def resting(self) -> Mapping[int, int]:
        """What waits to be added to the rows of purses: sum by purse."""
        return {number: int(amount) for number, amount in self.connection.execute(_RESTING)}

    def fold(self, limit: int) -> int:
        """Add what rests to the rows of its purses, at most so many postings; how many."""
        taken = self.connection.execute(_TAKE_RESTING, {"limit": limit}).all()
        sums: dict[int, int] = defaultdict(int)
        for number, amount in taken:
            sums[number] += amount
        for number in sorted(sums):
            if not self.change_balance(number, sums[number]):
                raise ValueError(f"expected purse {number} to take {sums[number]}, got one that does not")
        return len(taken)

    def entries(self, purses: Sequence[int], before: int, limit: int) -> Sequence[EntryRow]:
        """The postings of purses in transfers below a number, newest first."""
        asked = {"numbers": [*purses], "before": before, "limit": limit}
        rows = self.connection.execute(_ENTRIES, asked).all()
        numbers = sorted({row.id for row in rows})
        legs: dict[int, list[tuple[int, PurseKind, str]]] = defaultdict(list)
        if numbers:
            for of, number, kind, name in self.connection.execute(_OTHERS, {"numbers": numbers}):
                legs[of].append((number, PurseKind(kind), name))
        return [
            EntryRow(
                _transfer(row),
                row.purse_id,
                row.amount,
                tuple((kind, name) for number, kind, name in legs[row.id] if number != row.purse_id),
            )
            for row in rows
        ]

    def transfer(self, number: int) -> TransferRow | None:
        """A transfer, without whose; None if there is none of that number."""
        row = self.connection.execute(_TRANSFER, {"number": number}).first()
        return None if row is None else _transfer(row)

    def postings(self, number: int) -> Sequence[tuple[int, int]]:
        """What a transfer gave to purses, (purse, amount); by purse."""
        return [(of, amount) for of, amount in self.connection.execute(_POSTINGS, {"number": number})]

    def by_day(self, purse: int, since_ms: int) -> Sequence[DayRow]:
        """What a purse got and gave since then, by day and kind; newest first."""
        rows = self.connection.execute(_BY_DAY, {"purse": purse, "since": since_ms})
        return [
            DayRow(int(day), TransferKind(kind), count, int(got), int(gave))
            for day, kind, count, got, gave in rows
        ]

    # ---- proving it

    def last_transfer(self) -> int:
        """The highest number of a transfer, or of a posting's, 0 if there is none."""
        highest = [
            self.connection.execute(select(func.coalesce(func.max(column), 0))).scalar_one()
            for column in (transfer.c.id, posting.c.transfer_id)
        ]
        return int(max(highest))

    def posted(self, after: int, until: int) -> Mapping[int, int]:
        """Sums by purse of the postings of transfers ``after < number <= until``."""
        rows = self.connection.execute(_POSTED, {"after": after, "until": until})
        return {number: int(amount) for number, amount in rows}

    def unbalanced(self, after: int, until: int, limit: int) -> Sequence[tuple[int, int, int]]:
        """Transfers in the same range that are no transfers: (number, postings, sum); ascending."""
        rows = self.connection.execute(_UNBALANCED, {"after": after, "until": until, "limit": limit})
        return [(number, legs, int(total)) for number, legs, total in rows]

    def resting_amiss(self, limit: int) -> Sequence[tuple[int, int, int]]:
        """What rests and is not as it was posted: (transfer, purse, amount)."""
        return [
            (of, number, amount)
            for of, number, amount in self.connection.execute(_RESTING_AMISS, {"limit": limit})
        ]

    # ---- receipts and grants

    def reserve_receipt(self, row: ReceiptRow) -> bool:
        """Store a receipt unless its account has one of that key; whether it was stored."""
        values = {
            "account_id": row.account,
            "key": row.key,
            "request": row.request,
            "answer": row.answer,
            "refused": int(row.refused),
            "at_ms": row.at_ms,
        }
        return _RESERVE.one(self.connection, values) is not None

    def receipt(self, account: int, key: bytes) -> ReceiptRow | None:
        """The receipt of a key."""
        row = _RECEIPT.one(self.connection, {"of": account, "by_key": key})
        return None if row is None else _receipt(row)

    def receipts_at(self, account: int, at_ms: int) -> Sequence[ReceiptRow]:
        """The receipts of an account from one moment, by key."""
        rows = self.connection.execute(_RECEIPTS_AT, {"of": account, "at": at_ms})
        return [_receipt(row) for row in rows]

    def answer_receipt(self, row: ReceiptRow) -> None:
        """Put the answer into a receipt that this transaction reserved."""
        told = {"told": row.answer, "is_refused": int(row.refused)}
        _ANSWER.run(self.connection, {"of": row.account, "by_key": row.key, **told})

    def delete_receipts(self, before_ms: int, limit: int) -> int:
        """Delete receipts from before then, at most so many; how many."""
        old = select(receipt.c.account_id, receipt.c.key).where(receipt.c.at_ms < before_ms).limit(limit)
        gone = delete(receipt).where(tuple_(receipt.c.account_id, receipt.c.key).in_(old))
        return self.connection.execute(gone).rowcount

    def count_grants(self, network: str, since_ms: int) -> int:
        """Newcomers from a network who were given money since then."""
        asked = {"network": network, "since": since_ms}
        return int(self.connection.execute(_COUNT_GRANTS, asked).scalar_one())

    def insert_grant(self, row: GrantRow) -> None:
        """Remember that a newcomer was given money."""
        values = {"account_id": row.account, "network": row.network, "at_ms": row.at_ms}
        self.connection.execute(insert(granted), values)

    def delete_grants(self, before_ms: int, limit: int) -> int:
        """Forget grants from before then, at most so many; how many."""
        old = select(granted.c.account_id).where(granted.c.at_ms < before_ms).limit(limit)
        return self.connection.execute(delete(granted).where(granted.c.account_id.in_(old))).rowcount

    def _purses(self, statement: Any, asked: Mapping[str, Any]) -> Sequence[PurseRow]:
        rows = self.connection.execute(statement, asked)
        return [_purse(row) for row in rows]


def _transfer(row: Any) -> TransferRow:
    return TransferRow(row.at_ms, TransferKind(row.kind), row.memo, row.by_id, row.ref, row.id)


def _receipt(row: Any) -> ReceiptRow:
    return ReceiptRow(row[0], row[1], row[2], row[3], bool(row[4]), row[5])


def _purse(row: Any) -> PurseRow:
    return PurseRow(row[0], PurseKind(row[1]), *row[2:])
