"""Ways into an account: codes, invitations, tokens, keys of bots."""

from collections.abc import Iterator

import pytest

from order_people import NOW, add, bot, key
from sql_tx import sql_tx
from worldloom.errors import Refusal
from worldloom.persistence.queries import SqlTx
from worldloom.ports import SanctionRow, SeenRow
from worldloom.realm.order import AuditAct, SanctionKind
from worldloom.services import access, accounts, codes
from worldloom.services.access import BOTS_MAX, TOKENS_MAX, EnterWithCode, MakeBot, MakeCode, Revoke, Tokens
from worldloom.services.asking import OPERATOR
from worldloom.services.order import Invite, invite
from worldloom.services.standing import Ask, enter, standing
from worldloom_sdk.protocol.messages import RefusalCode, Scope


@pytest.fixture
def tx() -> Iterator[SqlTx]:
    with sql_tx() as opened:
        yield opened


@pytest.fixture
def ann(tx: SqlTx) -> int:
    return add(tx, "Ann")


def come(tx: SqlTx, code: str, now_ms: int = NOW) -> access.Entered:
    return access.enter_with_code(tx, EnterWithCode(code, now_ms, "phone"))


def refused(use_case, *command) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        use_case(*command)
    return refusal.value


def hear(tx: SqlTx, entered: access.Entered) -> None:
    """Who came with the token was heard."""
    row = SeenRow(entered.account.account, accounts.hash_token(entered.token), NOW)
    accounts.note_seen(tx, [row])


def test_a_code_stays_good_until_who_came_with_its_token_was_heard(tx: SqlTx, ann: int) -> None:
    for make in (access.make_recovery, access.make_pairing):
        code = make(tx, MakeCode(ann, NOW)).text
        lost, told = come(tx, code), come(tx, code)
        assert refused(come, tx, lost.recovery or "none").code is RefusalCode.TOKEN
        assert tx.token(accounts.hash_token(lost.token)) is None
        accounts.note_seen(tx, [SeenRow(ann, None, NOW), SeenRow(ann, key("Ann"), NOW)])
        assert access.whose_code(tx, EnterWithCode(code, NOW)).account is not None
        hear(tx, told)
        hear(tx, told)
        assert refused(come, tx, code).code is RefusalCode.TOKEN
        assert tx.token(accounts.hash_token(told.token)) is not None


def test_who_shows_the_new_recovery_code_has_it_and_the_one_before_is_void(tx: SqlTx, ann: int) -> None:
    code = access.make_recovery(tx, MakeCode(ann, NOW)).text
    first = come(tx, code)
    second = come(tx, first.recovery)
    assert refused(come, tx, code).code is RefusalCode.TOKEN
    assert all(tx.token(accounts.hash_token(one.token)) for one in (first, second))
    hear(tx, second)
    assert refused(come, tx, first.recovery).code is RefusalCode.TOKEN
    assert come(tx, second.recovery).account.account == ann


def test_a_new_code_asked_for_makes_one_that_was_used_void_and_a_token_taken_back_does_not(
    tx: SqlTx, ann: int
) -> None:
    code = access.make_recovery(tx, MakeCode(ann, NOW)).text
    lost = come(tx, code)
    access.revoke(tx, Revoke(ann, access.token_id(accounts.hash_token(lost.token)), NOW))
    again = come(tx, code)
    access.make_recovery(tx, MakeCode(ann, NOW))
    for void in (code, lost.recovery, again.recovery):
        assert refused(come, tx, void).code is RefusalCode.TOKEN


def test_a_recovery_code_opens_the_account_once_and_is_replaced(tx: SqlTx, ann: int) -> None:
    code = access.make_recovery(tx, MakeCode(ann, NOW)).text
    entered = come(tx, code.lower().replace("-", ""))
    assert entered.account.account == ann
    assert enter(tx, Ask(token_sha256=accounts.hash_token(entered.token))).account.name == "Ann"
    hear(tx, entered)
    assert refused(come, tx, code).code is RefusalCode.TOKEN
    again = come(tx, entered.recovery)
    assert again.recovery not in (code, entered.recovery)


def test_a_pairing_code_is_good_once_and_for_ten_minutes(tx: SqlTx, ann: int) -> None:
    made = access.make_pairing(tx, MakeCode(ann, NOW))
    assert made.until_ms == NOW + codes.PAIRING_MS
    assert refused(come, tx, made.text, made.until_ms).code is RefusalCode.TOKEN
    entered = come(tx, made.text, made.until_ms - 1)
    assert (entered.account.account, entered.recovery) == (ann, "")
    hear(tx, entered)
    assert refused(come, tx, made.text).code is RefusalCode.TOKEN


@pytest.mark.parametrize("make", [access.make_recovery, access.make_pairing])
def test_a_new_code_makes_the_one_before_void_and_no_other(tx: SqlTx, ann: int, make) -> None:
    both = [
        access.make_recovery(tx, MakeCode(ann, NOW)).text,
        access.make_pairing(tx, MakeCode(ann, NOW)).text,
    ]
    old = both[make is access.make_pairing]
    other = both[make is not access.make_pairing]
    new = make(tx, MakeCode(ann, NOW)).text
    assert refused(come, tx, old).code is RefusalCode.TOKEN
    assert come(tx, new).account.account == ann
    assert come(tx, other).account.account == ann


def test_unknown_used_and_run_out_codes_are_answered_alike(tx: SqlTx, ann: int) -> None:
    used = access.make_recovery(tx, MakeCode(ann, NOW)).text
    hear(tx, come(tx, used))
    over = access.make_pairing(tx, MakeCode(ann, NOW)).text
    door = invite(tx, Invite(OPERATOR, NOW)).text
    late = NOW + codes.PAIRING_MS
    answers = [refused(come, tx, code, late) for code in (used, over, door, "never made", "", "\x00")]
    assert len({(e.code, e.text, e.hint, e.retry_after_ms) for e in answers}) == 1


def test_whose_a_code_is_can_be_asked_without_using_it_up(tx: SqlTx, ann: int) -> None:
    code = access.make_pairing(tx, MakeCode(ann, NOW)).text
    for _ in range(2):
        found = access.whose_code(tx, EnterWithCode(code, NOW)).account
        assert found is not None
        assert found.account == ann
    assert refused(access.whose_code, tx, EnterWithCode("wrong", NOW)).code is RefusalCode.TOKEN
    assert come(tx, code).account.account == ann


def test_who_is_banned_cannot_come_with_a_code_and_keeps_it(tx: SqlTx, ann: int) -> None:
    code = access.make_recovery(tx, MakeCode(ann, NOW)).text
    tx.insert_sanction(SanctionRow(SanctionKind.BAN, ann, None, "", NOW, NOW + 5, None, "operator"))
    assert refused(come, tx, code).code is RefusalCode.BANNED
    assert come(tx, code, NOW + 5).account.account == ann


def test_a_recovery_with_all_tokens_in_use_makes_room_and_writes_it_down(tx: SqlTx, ann: int) -> None:
    for _ in range(TOKENS_MAX - 1):
        come(tx, access.make_pairing(tx, MakeCode(ann, NOW + 1)).text, NOW + 1)
    full = access.make_pairing(tx, MakeCode(ann, NOW + 2)).text
    assert "at most 32 tokens" in refused(come, tx, full, NOW + 2).text
    accounts.note_seen(tx, [SeenRow(ann, row.token_sha256, NOW + 3) for row in tx.tokens_of([ann])[1:]])
    come(tx, access.make_recovery(tx, MakeCode(ann, NOW + 4)).text, NOW + 4)
    assert len(tx.tokens_of([ann])) == TOKENS_MAX
    assert tx.token(key("Ann")) is None
    (row,) = tx.audit_after(0, 10)
    assert (row.act, row.account, row.detail) == (AuditAct.REVOKE, ann, access.token_id(key("Ann")))


def test_tokens_of_a_person_and_of_the_bots_are_told_without_their_secrets(tx: SqlTx, ann: int) -> None:
    bot(tx, ann, "Helper", Scope.TALK, Scope.MOVE)
    add(tx, "Eve")
    accounts.note_seen(tx, [SeenRow(ann, key("Ann"), NOW + 7)])
    mine, helpers = access.tokens(tx, Tokens(ann, key("Ann")))
    assert (mine.name, mine.scopes, mine.current, mine.used_ms) == ("Ann", None, True, NOW + 7)
    assert mine.id == key("Ann").hex()[:16]
    assert (helpers.name, helpers.scopes, helpers.current) == ("Helper", ["move", "talk"], False)


def test_a_token_of_ones_own_or_of_a_bot_can_be_made_void(tx: SqlTx, ann: int) -> None:
    helper = bot(tx, ann, "Helper")
    sha256 = accounts.hash_token(helper.text)
    row = access.revoke(tx, Revoke(ann, access.token_id(sha256), NOW))
    assert (row.account, row.by, row.about) == (helper.account, ann, "Helper")
    assert not standing(tx, Ask(helper.account, sha256)).token_good
    access.revoke(tx, Revoke(ann, access.token_id(key("Ann")), NOW))
    assert tx.token(key("Ann")) is None
    assert [row.act for row in tx.audit_after(0, 10)] == [AuditAct.REVOKE] * 2


def test_a_token_of_somebody_else_cannot_be_made_void(tx: SqlTx, ann: int) -> None:
    add(tx, "Eve")
    for wrong in (access.token_id(key("Eve")), "", "0" * 16, key("Ann").hex()):
        assert refused(access.revoke, tx, Revoke(ann, wrong, NOW)).code is RefusalCode.NOT_FOUND
    assert tx.audit_after(0, 10) == []


def test_a_bot_may_ask_for_none_of_this(tx: SqlTx, ann: int) -> None:
    helper = bot(tx, ann, "Helper", *Scope).account
    asked = [
        (access.make_recovery, MakeCode(helper, NOW)),
        (access.make_pairing, MakeCode(helper, NOW)),
        (access.tokens, Tokens(helper)),
        (access.revoke, Revoke(helper, "0" * 16, NOW)),
        (access.make_bot, MakeBot(helper, "Nested", frozenset(), NOW)),
        (access.make_recovery, MakeCode(999, NOW)),
    ]
    assert {refused(use_case, tx, command).code for use_case, command in asked} == {RefusalCode.FORBIDDEN}


def test_a_bot_of_one_name_is_made_once_and_gets_more_keys(tx: SqlTx, ann: int) -> None:
    first, second = bot(tx, ann, "Helper", Scope.MOVE), bot(tx, ann, "HELPER", Scope.TALK)
    assert first.account == second.account != ann
    scopes = [standing(tx, Ask(None, accounts.hash_token(s.text))).scopes for s in (first, second)]
    assert scopes == [frozenset({Scope.MOVE}), frozenset({Scope.TALK})]
    assert [row.name for row in tx.bots_of(ann)] == ["Helper"]


def test_a_key_without_scopes_is_a_key_that_may_nothing_that_needs_one(tx: SqlTx, ann: int) -> None:
    token = bot(tx, ann, "Helper").text
    assert standing(tx, Ask(None, accounts.hash_token(token))).scopes == frozenset()


@pytest.mark.parametrize(
    ("name", "code"),
    [("Eve", "name_taken"), ("EVE", "name_taken"), ("Ann", "name_taken"), ("admin", "name_invalid")],
)
def test_a_bot_has_a_name_as_everybody_has(tx: SqlTx, ann: int, name: str, code: str) -> None:
    add(tx, "Eve")
    assert refused(access.make_bot, tx, MakeBot(ann, name, frozenset(), NOW)).code == code


def test_bots_and_their_keys_are_limited(tx: SqlTx, ann: int) -> None:
    for letter in "ABCDEFGHJKNPQRST":
        bot(tx, ann, f"Helper {letter}")
    assert len(tx.bots_of(ann)) == BOTS_MAX
    assert "at most 16 bots" in refused(bot, tx, ann, "Another").text
    for _ in range(TOKENS_MAX - 1):
        bot(tx, ann, "Helper A")
    assert "at most 32 tokens" in refused(bot, tx, ann, "Helper A").text


def test_a_newcomer_gets_a_recovery_code_with_the_account(tx: SqlTx) -> None:
    code = codes.new_code(codes.CodeKind.RECOVERY)
    wish = accounts.Register("Bob", key("Bob"), NOW, "tests/1", codes.hash_code(code))
    bob = accounts.register(tx, wish)
    assert accounts.register(tx, wish) == bob
    assert [row.label for row in tx.tokens_of([bob.account])] == ["tests/1"]
    assert come(tx, code).account.account == bob.account


def test_an_invitation_is_used_up_by_as_many_as_it_was_made_for(tx: SqlTx) -> None:
    text = invite(tx, Invite(OPERATOR, NOW, uses=2)).text
    first = accounts.Register("Bob", key("Bob"), NOW, invitation=text)
    accounts.register(tx, first)
    accounts.register(tx, first)
    accounts.register(tx, accounts.Register("Eve", key("Eve"), NOW, invitation=text.lower()))
    late = accounts.Register("Kim", key("Kim"), NOW, invitation=text)
    assert refused(accounts.register, tx, late).code is RefusalCode.ACCESS


def test_unknown_used_and_run_out_invitations_are_answered_alike(tx: SqlTx, ann: int) -> None:
    used = invite(tx, Invite(OPERATOR, NOW)).text
    accounts.register(tx, accounts.Register("Bob", key("Bob"), NOW, invitation=used))
    over = invite(tx, Invite(OPERATOR, NOW, minutes=1)).text
    recovery = access.make_recovery(tx, MakeCode(ann, NOW)).text
    wishes = [
        accounts.Register("Eve", key("Eve"), NOW + 60_000, invitation=text)
        for text in (used, over, recovery, "")
    ]
    answers = [refused(accounts.register, tx, wish) for wish in wishes]
    assert {(e.code, e.text) for e in answers} == {(RefusalCode.ACCESS, answers[0].text)}
    assert come(tx, recovery).account.account == ann


def test_a_newcomer_from_a_banned_network_is_refused(tx: SqlTx) -> None:
    tx.insert_sanction(SanctionRow(SanctionKind.BAN, None, "192.0.2.0/24", "", NOW, None, None, "operator"))
    wish = accounts.Register("Bob", key("Bob"), NOW, networks=("192.0.2.0/24",))
    assert refused(accounts.register, tx, wish).code is RefusalCode.BANNED
    assert tx.account_by_token(key("Bob")) is None


def test_of_two_times_that_somebody_was_here_the_later_counts(tx: SqlTx, ann: int) -> None:
    accounts.note_seen(tx, [SeenRow(ann, key("Ann"), NOW + 9), SeenRow(ann, None, NOW + 5)])
    accounts.note_seen(tx, [SeenRow(ann, key("Ann"), NOW), SeenRow(99, bytes(32), NOW)])
    accounts.note_seen(tx, [])
    assert [row.seen_ms for row in tx.accounts([ann])] == [NOW + 9]
    assert [row.used_ms for row in tx.tokens_of([ann])] == [NOW + 9]
