"""Reports, sealed with their evidence; and personal blocks."""

import dataclasses
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_people import NOW, add, by
from sql_tx import sql_tx
from worldloom.errors import Refusal
from worldloom.persistence.queries import SqlTx
from worldloom.ports import ReportRow
from worldloom.services import reports, shuns
from worldloom.services.asking import OPERATOR, By
from worldloom.services.reports import CloseReport, FileReport, OpenReports, seal, seal_is_good
from worldloom.services.shuns import SHUNS_MAX, Shun, Unshun
from worldloom_sdk.protocol.messages import BlockReach, RefusalCode, Role

KEY = bytes(range(32))
SEALED = ("at_ms", "by", "by_name", "account", "about", "detail", "evidence")


@pytest.fixture
def tx() -> Iterator[SqlTx]:
    with sql_tx() as opened:
        add(opened, "Ann", Role.OWNER)
        add(opened, "Bob")
        yield opened


def file(tx: SqlTx, text: str = "spam", evidence: bytes = b"\x91\xc0") -> int:
    return reports.file_report(tx, FileReport(2, "Bob", None, "Guest 7", text, evidence, KEY, NOW))


def test_a_report_is_kept_with_its_evidence_and_its_seal_is_good(tx: SqlTx) -> None:
    row = reports.report(tx, file(tx, " spam \u202e "))
    assert row is not None
    assert (row.by_name, row.about, row.detail, row.evidence) == ("Bob", "Guest 7", "spam", b"\x91\xc0")
    assert seal_is_good(row, KEY)
    assert not seal_is_good(row, bytes(32))
    assert reports.report(tx, 99) is None


@pytest.mark.parametrize("name", SEALED)
def test_a_report_that_was_changed_shows_it(tx: SqlTx, name: str) -> None:
    row = reports.report(tx, file(tx))
    assert row is not None
    changed = {
        "at_ms": 1,
        "by": 3,
        "by_name": "Eve",
        "account": 1,
        "about": "x",
        "detail": "y",
        "evidence": b"z",
    }
    assert not seal_is_good(dataclasses.replace(row, **{name: changed[name]}), KEY)
    assert seal_is_good(dataclasses.replace(row, closed_ms=5, number=9), KEY)


@given(st.text(max_size=9), st.text(max_size=9), st.text(max_size=9), st.text(max_size=9))
def test_nothing_can_be_moved_from_one_part_of_a_report_to_another(a: str, b: str, c: str, d: str) -> None:
    first, second = (ReportRow(0, None, "", None, about, text, b"", b"") for about, text in ((a, b), (c, d)))
    assert (seal(first, KEY) == seal(second, KEY)) == ((a, b) == (c, d))


def test_too_much_evidence_is_an_error(tx: SqlTx) -> None:
    with pytest.raises(ValueError, match="bytes of evidence"):
        file(tx, evidence=bytes(reports.EVIDENCE_MAX + 1))


def test_open_reports_are_told_oldest_first_until_they_are_closed(tx: SqlTx) -> None:
    numbers = [file(tx, text) for text in ("one", "two", "three")]
    row = reports.close_report(tx, CloseReport(by(tx, "Ann"), numbers[1], "talked to them", NOW))
    assert (row.about, row.detail) == ("Guest 7", f"report {numbers[1]}: talked to them")
    left = [reports.to_reported(one) for one in reports.open_reports(tx, OpenReports(OPERATOR))]
    assert [(one.text, one.by) for one in left] == [("one", "Bob"), ("three", "Bob")]
    assert len(reports.open_reports(tx, OpenReports(OPERATOR, 1))) == 1


def test_a_report_is_closed_once_and_by_staff(tx: SqlTx) -> None:
    number = file(tx)
    for who in (by(tx, "Bob"), By(None, "Guest 7")):
        for use_case, command in [
            (reports.close_report, CloseReport(who, number, "", NOW)),
            (reports.open_reports, OpenReports(who)),
        ]:
            with pytest.raises(Refusal) as refusal:
                use_case(tx, command)
            assert refusal.value.code is RefusalCode.FORBIDDEN
    reports.close_report(tx, CloseReport(OPERATOR, number, "", NOW))
    for wrong in (number, 99):
        with pytest.raises(Refusal, match="expected an open report") as refusal:
            reports.close_report(tx, CloseReport(OPERATOR, wrong, "", NOW))
        assert refusal.value.code is RefusalCode.NOT_FOUND


def test_a_block_is_set_changed_and_taken_back(tx: SqlTx) -> None:
    shuns.shun(tx, Shun(1, 2, BlockReach.ALL, NOW))
    shuns.shun(tx, Shun(1, 2, BlockReach.SPEECH, NOW))
    assert [row.reach for row in tx.shuns_around(2, 9)] == [BlockReach.SPEECH]
    assert shuns.unshun(tx, Unshun(1, 2)) is None
    assert tx.shuns_around(1, 9) == []
    assert shuns.unshun(tx, Unshun(1, 2)) is None


def test_who_takes_a_block_back_is_told_what_the_other_one_still_blocks(tx: SqlTx) -> None:
    shuns.shun(tx, Shun(1, 2, BlockReach.ALL, NOW))
    shuns.shun(tx, Shun(2, 1, BlockReach.SPEECH, NOW))
    assert shuns.unshun(tx, Unshun(1, 2)) is BlockReach.SPEECH


@pytest.mark.parametrize(("other", "code"), [(1, "invalid"), (99, "not_found"), (2**31 + 7, "not_found")])
def test_a_block_is_of_another_account(tx: SqlTx, other: int, code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        shuns.shun(tx, Shun(1, other, BlockReach.ALL, NOW))
    assert refusal.value.code == code


def test_the_blocks_of_one_account_are_limited_however_many_others_have_set(tx: SqlTx) -> None:
    others = [tx.insert_account(f"n{n}", f"n{n}", None, NOW) or 0 for n in range(SHUNS_MAX + 1)]
    for other in others[:-1]:
        shuns.shun(tx, Shun(1, other, BlockReach.ALL, NOW))
        shuns.shun(tx, Shun(other, 1, BlockReach.ALL, NOW))
    with pytest.raises(Refusal, match="expected at most 64 blocks, got one more"):
        shuns.shun(tx, Shun(1, others[-1], BlockReach.ALL, NOW))
    shuns.shun(tx, Shun(1, others[0], BlockReach.SPEECH, NOW))
    shuns.shun(tx, Shun(others[-1], 1, BlockReach.ALL, NOW))
