"""What keeps order on every store: rows as they were written, acts in the order of commits, codes used once."""

import asyncio
import dataclasses
import statistics
import threading
import time

import pytest
from sqlalchemy import insert, text

from order_people import MINUTE, NOW, add, by, key, named
from worldloom.errors import Refusal
from worldloom.persistence.queries import SqlTx
from worldloom.persistence.store import SqlStore, open_beside, open_store
from worldloom.persistence.tables import sanction
from worldloom.ports import AuditRow, CodeRow, ReportRow, SanctionRow, SeenRow, ShunRow, TokenRow, Tx
from worldloom.realm.networks import networks_of
from worldloom.realm.order import AuditAct, SanctionKind
from worldloom.services import access, accounts, codes, order, people, reports, shuns
from worldloom.services.asking import OPERATOR, Whom
from worldloom.services.standing import SHUNNED_MAX, Ask, standing
from worldloom.services.tidying import tidy
from worldloom_sdk.protocol.messages import BlockReach, RefusalCode, Role, Scope

FAR = 2**53
ACTS = 60


def people_of_all_kinds(tx: Tx, _: None) -> tuple[int, int, int]:
    """Ann, an owner; Bob; Ann's bot."""
    ann, bob = add(tx, "Ann", Role.OWNER), add(tx, "Bob")
    made = access.make_bot(tx, access.MakeBot(ann, "Helper", frozenset({Scope.TALK, Scope.MOVE}), NOW))
    return ann, bob, made.account


async def test_accounts_are_read_with_role_owner_and_times(store: SqlStore) -> None:
    ann, bob, helper = await store.run(people_of_all_kinds, None)
    await store.run(lambda tx, _: tx.set_hidden(ann, True), None)
    await store.run(accounts.note_seen, [SeenRow(ann, key("Ann"), FAR), SeenRow(bob, None, NOW)])
    rows = await store.read(lambda tx, _: tx.accounts([helper, bob, ann, 999, 2**32 - 1]), None)
    assert [(r.account, r.role, r.owner, r.hidden, r.created_ms, r.seen_ms) for r in rows] == [
        (ann, Role.OWNER, None, True, NOW, FAR),
        (bob, Role.RESIDENT, None, False, NOW, NOW),
        (helper, Role.RESIDENT, ann, False, NOW, 0),
    ]
    assert await store.read(lambda tx, _: tx.accounts([]), None) == []
    assert await store.read(lambda tx, _: tx.report(2**40), None) is None
    assert await store.read(lambda tx, _: tx.audit_after(2**40, 9), None) == []
    await store.run(lambda tx, _: tx.delete_shun(ann, 2**32 - 1), None)
    assert await store.read(lambda tx, _: tx.bots_of(ann), None) == rows[2:]
    assert await store.read(lambda tx, _: tx.accounts_named("elp", "elp", 5), None) == rows[2:]
    assert await store.read(lambda tx, _: tx.accounts_named("", "", 2), None) == rows[:2]
    assert await store.read(lambda tx, _: tx.accounts_from(bob, "", "", 5), None) == rows[1:]
    assert await store.read(lambda tx, _: tx.accounts_from(1, "", "", 2), None) == rows[:2]
    assert await store.read(lambda tx, _: tx.accounts_from(1, "elp", "elp", 5), None) == rows[2:]
    assert await store.read(lambda tx, _: tx.accounts_from(2**40, "", "", 5), None) == []


async def test_tokens_are_read_as_they_were_written(store: SqlStore) -> None:
    ann, _, helper = await store.run(people_of_all_kinds, None)
    rows = [
        TokenRow(bytes([1] * 32), ann, "x" * 64, None, NOW + 1, FAR),
        TokenRow(bytes([2] * 32), helper, "", frozenset(Scope), NOW + 2),
        TokenRow(bytes([3] * 32), helper, "", frozenset(), NOW + 3),
    ]
    for row in rows:
        await store.run(lambda tx, row: tx.insert_token(row), row)
    assert [await store.read(lambda tx, row: tx.token(row.token_sha256), row) for row in rows] == rows
    assert (await store.read(lambda tx, _: tx.tokens_of([ann, helper]), None))[2:] == rows
    await store.run(lambda tx, _: tx.delete_token(bytes([1] * 32)), None)
    assert await store.read(lambda tx, _: tx.token(bytes([1] * 32)), None) is None


async def test_codes_are_used_up_one_by_one_and_replaced_by_kind(store: SqlStore) -> None:
    ann, bob, _ = await store.run(people_of_all_kinds, None)
    door = CodeRow(bytes([1] * 32), "invitation", None, NOW, FAR, 2)
    mine = CodeRow(bytes([2] * 32), "recovery", ann, NOW, None, 1)
    new = dataclasses.replace(mine, code_sha256=bytes([3] * 32))
    others = [
        CodeRow(bytes([4] * 32), "pairing", ann, NOW, FAR, 1),
        CodeRow(bytes([5] * 32), "recovery", bob, NOW, None, 1),
    ]
    for row in (door, mine, *others, new):
        await store.run(lambda tx, row: tx.insert_code(row), row)
    found = [await store.read(lambda tx, n: tx.code(bytes([n] * 32)), n) for n in range(1, 6)]
    assert found == [door, None, new, *others]
    assert await store.read(lambda tx, _: tx.count_invitations(NOW), None) == 1
    assert await store.read(lambda tx, _: tx.count_invitations(FAR), None) == 0
    left = []
    for _ in range(3):
        await store.run(lambda tx, _: tx.use_code(door.code_sha256), None)
        left.append(await store.read(lambda tx, _: tx.code(door.code_sha256), None))
    assert left == [dataclasses.replace(door, uses=1), None, None]


async def test_sanctions_in_force_are_found_by_account_and_by_exact_network(store: SqlStore) -> None:
    ann, bob, _ = await store.run(people_of_all_kinds, None)
    on_ann = SanctionRow(SanctionKind.BAN, ann, None, "x" * 500, NOW, FAR, bob, "Bob")
    wide = SanctionRow(SanctionKind.MUTE, None, "2001:e000::/19", "", NOW, None, None, "operator")
    over = SanctionRow(SanctionKind.BAN, None, "2001:e000::/20", "", NOW, NOW + 1, None, "operator")
    for row in (on_ann, wide, over):
        await store.run(lambda tx, row: tx.insert_sanction(row), row)
    home = networks_of("2001:e000::1")
    assert await store.read(lambda tx, _: tx.sanctions([ann], home, NOW + 1), None) == [on_ann, wide]
    assert await store.read(lambda tx, _: tx.sanctions([], home, NOW), None) == [wide, over]
    assert await store.read(lambda tx, _: tx.sanctions([bob], (), NOW), None) == []
    await store.run(lambda tx, _: tx.delete_sanctions(SanctionKind.MUTE, ann, None), None)
    await store.run(lambda tx, _: tx.delete_sanctions(SanctionKind.MUTE, None, "2001:e000::/19"), None)
    assert await store.read(lambda tx, _: tx.sanctions([ann], home, NOW + 1), None) == [on_ann]


async def test_blocks_are_read_from_both_sides_ones_own_first(store: SqlStore) -> None:
    ann, bob, helper = await store.run(people_of_all_kinds, None)
    set_by_others = [ShunRow(bob, ann, BlockReach.ALL, NOW + 9), ShunRow(helper, ann, BlockReach.SPEECH, NOW)]
    own = ShunRow(ann, bob, BlockReach.SPEECH, NOW)
    for row in (*set_by_others, dataclasses.replace(own, reach=BlockReach.ALL), own):
        await store.run(lambda tx, row: tx.save_shun(row), row)
    assert await store.read(lambda tx, _: tx.shuns_around(ann, 9), None) == [own, *set_by_others]
    assert await store.read(lambda tx, _: tx.shuns_around(ann, 2), None) == [own, set_by_others[0]]
    await store.run(lambda tx, _: tx.delete_shun(bob, ann), None)
    assert await store.read(lambda tx, _: tx.shuns_around(bob, 9), None) == [own]


async def test_reports_are_read_as_they_were_filed(store: SqlStore) -> None:
    row = ReportRow(NOW, 2**31 - 1, "x" * 64, None, "Guest 7", "y" * 500, bytes(range(256)) * 99, bytes(32))
    numbers = [await store.run(lambda tx, _: tx.insert_report(row), None) for _ in range(2)]
    found = await store.read(lambda tx, number: tx.report(number), numbers[0])
    assert found == dataclasses.replace(row, number=numbers[0])
    await store.run(lambda tx, number: tx.close_report(number, FAR), numbers[0])
    closed = await store.read(lambda tx, number: tx.report(number), numbers[0])
    assert closed == dataclasses.replace(row, number=numbers[0], closed_ms=FAR)
    left = await store.read(lambda tx, _: tx.open_reports(9), None)
    assert left == [dataclasses.replace(row, number=numbers[1], evidence=b"")]


async def test_the_audit_log_can_be_added_to_and_read_and_nothing_else(store: SqlStore) -> None:
    row = AuditRow(
        NOW, None, "operator", AuditAct.CLOSE_REPORT, 2**31 - 1, "x" * 64, "::/64", "y" * 1000, FAR
    )
    number = await store.run(lambda tx, _: tx.append_audit(row), None)
    for statement in ("UPDATE audit SET detail = ''", "DELETE FROM audit"):
        with pytest.raises(Exception, match="appended to only"):
            await store.run(_execute, statement)
    numbered = dataclasses.replace(row, number=number)
    assert await store.read(lambda tx, _: tx.audit_after(0, 9), None) == [numbered]
    assert await store.read(lambda tx, _: tx.audit_before(number + 1, 9), None) == [numbered]
    assert await store.read(lambda tx, _: tx.audit_after(number, 9), None) == []


def _execute(tx: SqlTx, statement: str) -> None:
    tx.connection.execute(text(statement))


async def test_the_use_cases_that_keep_order_work_on_every_engine(store: SqlStore) -> None:
    _, bob, helper = await store.run(people_of_all_kinds, None)
    ann = await store.read(by, "Ann")
    await store.run(order.ban, order.Sanctioned(ann, named("Bob"), NOW, "rude", 5))
    await store.run(order.ban, order.Sanctioned(ann, Whom(network="192.0.2.0/24"), NOW))
    await store.run(order.mute, order.Sanctioned(ann, Whom(guest="Guest 7"), NOW))
    await store.run(order.unban, order.Act(ann, named("Bob"), NOW))
    await store.run(order.give_role, order.GiveRole(ann, named("Helper"), "moderator", NOW))
    await store.run(order.hide, order.SetHidden(ann, NOW))
    door = await store.run(order.invite, order.Invite(ann, NOW, 2, 5))
    wish = accounts.Register("Eve", key("Eve"), NOW, "tests/1", bytes(32), door.text)
    assert (await store.run(accounts.register, wish)).name == "Eve"
    await store.run(shuns.shun, shuns.Shun(bob, helper, BlockReach.ALL, NOW))
    filing = reports.FileReport(bob, "Bob", helper, "Helper", "spam", b"", bytes(32), NOW)
    number = await store.run(reports.file_report, filing)
    await store.run(reports.close_report, reports.CloseReport(OPERATOR, number, "", NOW))
    pairing = await store.run(access.make_pairing, access.MakeCode(bob, NOW))
    await store.run(access.enter_with_code, access.EnterWithCode(pairing.text, NOW))
    await store.run(access.revoke, access.Revoke(bob, access.token_id(key("Bob")), NOW))
    acts = [row.act.value for row in await store.read(people.audit_after, people.AuditAfter(0))]
    assert acts == ["ban", "ban", "mute", "unban", "role", "hide", "invite", "close_report", "revoke"]
    found = await store.read(standing, Ask(helper, None, networks_of("192.0.2.7"), NOW))
    assert (found.role, found.shunned, found.owner_name) == (Role.MODERATOR, {bob: BlockReach.ALL}, "Ann")
    guest = await store.read(standing, Ask(networks=networks_of("192.0.2.7"), now_ms=NOW))
    assert guest.ban is not None
    assert len(await store.read(people.list_people, people.ListPeople(OPERATOR))) == 4
    assert await store.run(tidy, NOW + 5 * MINUTE) == 1


@pytest.mark.slow
async def test_a_follower_misses_no_act_however_many_act_at_once(store: SqlStore, store_url: str) -> None:
    """Two processes, all acts at once: a number only ever appears above those that were seen."""
    _, bob, _ = await store.run(people_of_all_kinds, None)
    other = open_beside(store_url)
    done = asyncio.Event()

    async def follow() -> list[int]:
        seen: list[int] = []
        while True:
            last_round = done.is_set()
            rows = await store.read(people.audit_after, people.AuditAfter(seen[-1] if seen else 0))
            seen += [row.number for row in rows]
            if last_round and not rows:
                return seen

    follower = asyncio.create_task(follow())
    acts = [
        (store, other)[n % 2].run(order.kick, order.Act(OPERATOR, Whom(account=bob), NOW, str(n)))
        for n in range(ACTS)
    ]
    rows = await asyncio.gather(*acts)
    done.set()
    seen = await follower
    await other.close()
    assert sorted(row.number for row in rows) == seen
    assert len(set(seen)) == ACTS


@pytest.mark.slow
async def test_an_act_that_is_not_committed_yet_keeps_those_after_it_back(store: SqlStore) -> None:
    """Else a follower that has seen the later number would never ask for the earlier one again."""
    row = AuditRow(NOW, None, "operator", AuditAct.KICK, 1, "Bob", None, "", None)
    written, go = threading.Event(), threading.Event()

    def hold(tx: Tx, _: None) -> int:
        number = tx.append_audit(row)
        written.set()
        assert go.wait(10)
        return number

    first = asyncio.create_task(store.run(hold, None))
    assert await asyncio.to_thread(written.wait, 10)
    second = asyncio.create_task(store.run(lambda tx, _: tx.append_audit(row), None))
    await asyncio.wait({second}, timeout=0.3)
    seen = [one.number for one in await store.read(people.audit_after, people.AuditAfter(0))]
    go.set()
    numbers = [await first, await second]
    rest = await store.read(people.audit_after, people.AuditAfter(max(seen, default=0)))
    assert seen + [one.number for one in rest] == numbers


async def test_of_many_who_use_one_code_at_once_exactly_one_can_come_in(store: SqlStore) -> None:
    ann, *_ = await store.run(people_of_all_kinds, None)
    code = await store.run(access.make_recovery, access.MakeCode(ann, NOW))
    entering = access.EnterWithCode(code.text, NOW)
    outcomes = await asyncio.gather(
        *(store.run(access.enter_with_code, entering) for _ in range(8)), return_exceptions=True
    )
    made = {accounts.hash_token(one.token) for one in outcomes if isinstance(one, access.Entered)}
    assert len(made) == 8
    # Whoever was last; the answers of the others are as if they had been lost.
    (kept,) = [
        row for row in await store.read(lambda tx, _: tx.tokens_of([ann]), None) if row.token_sha256 in made
    ]
    await store.run(accounts.note_seen, [SeenRow(ann, kept.token_sha256, NOW)])
    with pytest.raises(Refusal) as refusal:
        await store.run(access.enter_with_code, entering)
    assert refusal.value.code is RefusalCode.TOKEN
    successors = {codes.hash_code(one.recovery) for one in outcomes if isinstance(one, access.Entered)}
    left = [await store.read(lambda tx, code: tx.code(code), code) for code in successors]
    assert len([row for row in left if row is not None]) == 1


async def test_a_code_is_deleted_when_its_token_is_seen_and_outlives_a_token_that_is_not(
    store: SqlStore,
) -> None:
    ann, *_ = await store.run(people_of_all_kinds, None)
    code = CodeRow(bytes([1] * 32), "recovery", ann, NOW, None, 1)
    beside = CodeRow(bytes([2] * 32), "recovery", ann, NOW, None, 1)
    tokens = [TokenRow(bytes([n] * 32), ann, "", None, NOW) for n in (3, 4)]

    def make(tx: Tx, row: TokenRow) -> None:
        tx.insert_token(row)
        tx.set_code_token(code.code_sha256, row.token_sha256)

    async def found() -> list[CodeRow | None]:
        return [await store.read(lambda tx, row: tx.code(row.code_sha256), row) for row in (code, beside)]

    await store.run(lambda tx, _: tx.insert_code(code), None)
    await store.run(lambda tx, _: tx.insert_code(beside, code.code_sha256), None)
    await store.run(make, tokens[0])
    assert await found() == [dataclasses.replace(code, token_sha256=tokens[0].token_sha256), beside]
    await store.run(lambda tx, _: tx.delete_token(tokens[0].token_sha256), None)
    assert await found() == [code, beside]
    await store.run(make, tokens[1])
    await store.run(lambda tx, rows: tx.note_seen(rows), [SeenRow(ann, tokens[0].token_sha256, NOW)])
    assert (await found())[0] is not None
    await store.run(lambda tx, rows: tx.note_seen(rows), [SeenRow(ann, tokens[1].token_sha256, NOW)])
    assert await found() == [None, beside]


async def test_an_invitation_for_three_lets_three_of_eight_in_who_come_at_once(store: SqlStore) -> None:
    door = await store.run(order.invite, order.Invite(OPERATOR, NOW, uses=3))
    wishes = [accounts.Register(f"Bob {c}", key(c), NOW, invitation=door.text) for c in "ABCDEFGH"]
    outcomes = await asyncio.gather(
        *(store.run(accounts.register, wish) for wish in wishes), return_exceptions=True
    )
    assert [one.code for one in outcomes if isinstance(one, Refusal)] == [RefusalCode.ACCESS] * 5
    assert await store.read(lambda tx, _: tx.code(codes.hash_code(door.text)), None) is None


async def test_what_no_column_can_hold_is_cleaned_before_it_is_stored_or_looked_for(store: SqlStore) -> None:
    label = "client\x00" + "x" * 99
    await store.run(accounts.register, accounts.Register("Bob", key("Bob"), NOW, label))
    bob = await store.read(by, "Bob")
    code = await store.run(access.make_pairing, access.MakeCode(bob.account or 0, NOW))
    await store.run(access.enter_with_code, access.EnterWithCode(code.text, NOW, label))
    told = await store.read(access.tokens, access.Tokens(bob.account or 0))
    assert [token.label for token in told] == ["client" + "x" * 58] * 2
    assert await store.read(people.list_people, people.ListPeople(OPERATOR, "x\x00y")) == []
    for text_of_all_kinds in ("\x00", "\U0010ffff" * 200, "%_\\", "'; --"):
        act = order.Sanctioned(OPERATOR, named("Bob"), NOW, text_of_all_kinds)
        assert (await store.run(order.mute, act)).about == "Bob"
        await store.read(people.list_people, people.ListPeople(OPERATOR, text_of_all_kinds))


async def test_what_one_account_is_told_of_blocks_is_limited(store: SqlStore) -> None:
    def crowd(tx: Tx, _: None) -> int:
        everybody = [tx.insert_account(f"n{n}", f"n{n}", None, NOW) or 0 for n in range(SHUNNED_MAX // 16)]
        for one in everybody[1:]:
            tx.save_shun(ShunRow(one, everybody[0], BlockReach.ALL, NOW))
        return everybody[0]

    loathed = await store.run(crowd, None)
    assert len((await store.read(standing, Ask(loathed))).shunned) == SHUNNED_MAX // 16 - 1
    assert len(await store.read(lambda tx, _: tx.shuns_around(loathed, 99), None)) == 99


async def test_two_acts_on_one_account_at_once_leave_one_sanction(store_url: str) -> None:
    stores = [open_store(store_url), open_beside(store_url)]
    _, bob, _ = await stores[0].run(people_of_all_kinds, None)
    command = order.Sanctioned(OPERATOR, Whom(account=bob), NOW)
    await asyncio.gather(*(stores[n % 2].run(order.ban, command) for n in range(10)))
    found = await stores[0].read(lambda tx, _: tx.sanctions([bob], (), NOW), None)
    for one in stores:
        await one.close()
    assert len(found) == 1


@pytest.mark.slow
async def test_a_long_ban_list_does_not_make_logins_slow(store: SqlStore) -> None:
    """100,000 bans; reading them all takes several times as long as is allowed here."""

    def fill(tx: SqlTx, _: None) -> int:
        laid = {"kind": "ban", "reason": "", "created_ms": NOW, "by_name": "operator"}
        networks = (f"10.{n >> 8 & 255}.{n & 255}.0/{24 + (n >> 16)}" for n in range(100_000))
        tx.connection.execute(insert(sanction), [laid | {"network": network} for network in networks])
        return add(tx, "Ann")

    ann = await store.run(fill, None)
    asks = [Ask(ann, key("Ann"), networks_of(f"192.0.2.{n}"), NOW) for n in range(100)]
    times = []
    for ask in asks:
        begun = time.perf_counter()
        assert (await store.read(standing, ask)).ban is None
        times.append(time.perf_counter() - begun)
    banned = await store.read(standing, Ask(networks=networks_of("10.7.7.7"), now_ms=NOW))
    assert banned.ban is not None
    assert statistics.median(times) < 0.01
