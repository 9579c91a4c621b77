"""What is known of somebody who comes in: the longest sanctions, with bots and networks, and personal blocks."""

from collections.abc import Iterator

import pytest

from order_people import MINUTE, NOW, add, bot, key
from sql_tx import sql_tx
from worldloom.errors import Refusal
from worldloom.persistence.queries import SqlTx
from worldloom.ports import SanctionRow, ShunRow
from worldloom.realm.networks import networks_of
from worldloom.realm.order import SanctionKind
from worldloom.services.accounts import hash_token
from worldloom.services.standing import Ask, enter, muted_ms, standing
from worldloom_sdk.protocol.messages import BlockReach, RefusalCode, Role, Scope

HOME = networks_of("192.0.2.7")


@pytest.fixture
def tx() -> Iterator[SqlTx]:
    with sql_tx() as opened:
        yield opened


def lay(tx: SqlTx, kind: SanctionKind, on: int | str, minutes: int | None, reason: str = "") -> None:
    account, network = (on, None) if isinstance(on, int) else (None, on)
    until = None if minutes is None else NOW + minutes * MINUTE
    tx.insert_sanction(SanctionRow(kind, account, network, reason, NOW, until, None, "operator"))


def test_somebody_with_a_token_is_known_with_role_and_all(tx: SqlTx) -> None:
    ann = add(tx, "Ann", Role.MODERATOR)
    found = standing(tx, Ask(None, key("Ann"), HOME, NOW))
    assert found.account is not None
    assert (found.account.account, found.role, found.scopes) == (ann, Role.MODERATOR, None)
    assert (found.token_good, found.ban, found.mute, found.shunned) == (True, None, None, {})
    assert standing(tx, Ask(ann, None, HOME, NOW)) == found


def test_a_guest_has_a_standing_too(tx: SqlTx) -> None:
    found = standing(tx, Ask(networks=HOME, now_ms=NOW))
    assert (found.account, found.role, found.token_good, found.ban) == (None, Role.GUEST, True, None)


@pytest.mark.parametrize("of", [Ask(None, key("Bob")), Ask(77), Ask(1, key("Bob")), Ask(2, key("Ann"))])
def test_an_unknown_account_or_token_or_one_of_somebody_else_is_not_good(tx: SqlTx, of: Ask) -> None:
    add(tx, "Ann")
    add(tx, "Eve")
    assert not standing(tx, of).token_good
    with pytest.raises(Refusal) as refusal:
        enter(tx, of)
    assert refusal.value.code is RefusalCode.TOKEN


def test_a_token_that_is_void_is_not_good_any_more(tx: SqlTx) -> None:
    ann = add(tx, "Ann")
    tx.delete_token(key("Ann"))
    assert not standing(tx, Ask(ann, key("Ann"))).token_good


@pytest.mark.parametrize("kind", SanctionKind)
def test_the_longest_sanction_in_force_counts(tx: SqlTx, kind: SanctionKind) -> None:
    ann = add(tx, "Ann")
    lay(tx, kind, ann, 5, "short")
    lay(tx, kind, "192.0.2.0/24", 60, "long")
    lay(tx, kind, "192.0.0.0/8", -1, "over")
    lay(tx, kind, "198.51.100.0/24", None, "elsewhere")
    found = standing(tx, Ask(ann, None, HOME, NOW))
    laid = {SanctionKind.BAN: found.ban, SanctionKind.MUTE: found.mute}
    assert laid[kind] is not None
    assert laid.pop(kind).reason == "long"
    assert [*laid.values()] == [None]
    lay(tx, kind, ann, None, "without end")
    found = standing(tx, Ask(ann, None, HOME, NOW))
    assert "without end" in {row.reason for row in (found.ban, found.mute) if row is not None}


def test_who_is_banned_is_refused_with_the_reason_and_the_time_that_is_left(tx: SqlTx) -> None:
    ann = add(tx, "Ann")
    lay(tx, SanctionKind.BAN, ann, 5, "was rude")
    with pytest.raises(Refusal, match="this account is banned: was rude") as refusal:
        enter(tx, Ask(ann, None, HOME, NOW + MINUTE))
    assert (refusal.value.code, refusal.value.retry_after_ms) == (RefusalCode.BANNED, 4 * MINUTE)
    assert enter(tx, Ask(ann, None, HOME, NOW + 5 * MINUTE)).ban is None


def test_a_ban_without_end_names_no_time(tx: SqlTx) -> None:
    lay(tx, SanctionKind.BAN, "192.0.2.0/24", None)
    with pytest.raises(Refusal, match=r"this address is banned$") as refusal:
        enter(tx, Ask(networks=HOME, now_ms=NOW))
    assert refusal.value.retry_after_ms == 0


def test_a_ban_for_longer_than_the_wire_can_say_is_said_as_long_as_it_can(tx: SqlTx) -> None:
    lay(tx, SanctionKind.BAN, "192.0.2.0/24", 2**46)
    with pytest.raises(Refusal) as refusal:
        enter(tx, Ask(networks=HOME, now_ms=NOW))
    assert refusal.value.retry_after_ms == 2**53 - 1


def test_a_mute_is_told_in_milliseconds_from_now(tx: SqlTx) -> None:
    ann = add(tx, "Ann")
    assert muted_ms(standing(tx, Ask(ann)), NOW) == 0
    lay(tx, SanctionKind.MUTE, ann, 5)
    assert muted_ms(standing(tx, Ask(ann, now_ms=NOW)), NOW + MINUTE) == 4 * MINUTE
    lay(tx, SanctionKind.MUTE, ann, None)
    assert muted_ms(standing(tx, Ask(ann, now_ms=NOW)), NOW) == 2**53 - 1


def test_a_bot_is_banned_and_muted_with_its_owner(tx: SqlTx) -> None:
    ann = add(tx, "Ann")
    token = bot(tx, ann, "Helper", Scope.TALK).text
    lay(tx, SanctionKind.MUTE, ann, None, "noise")
    found = standing(tx, Ask(None, hash_token(token), (), NOW))
    assert (found.owner_name, found.scopes) == ("Ann", frozenset({Scope.TALK}))
    assert found.mute is not None
    assert found.mute.reason == "noise"


def test_a_banned_bot_leaves_its_owner_free(tx: SqlTx) -> None:
    ann = add(tx, "Ann")
    lay(tx, SanctionKind.BAN, bot(tx, ann, "Helper").account, None)
    assert standing(tx, Ask(ann)).ban is None


@pytest.mark.parametrize(
    ("own", "owners", "counts"),
    [
        (Role.MODERATOR, Role.RESIDENT, Role.RESIDENT),
        (Role.MODERATOR, Role.OWNER, Role.MODERATOR),
        (Role.RESIDENT, Role.OWNER, Role.RESIDENT),
    ],
)
def test_a_bot_counts_as_no_more_than_its_owner(tx: SqlTx, own: Role, owners: Role, counts: Role) -> None:
    ann = add(tx, "Ann", owners)
    helper = bot(tx, ann, "Helper").account
    tx.set_role(helper, own)
    assert standing(tx, Ask(helper)).role is counts


def test_networks_do_not_count_for_staff_but_accounts_do(tx: SqlTx) -> None:
    ann = add(tx, "Ann", Role.MODERATOR)
    lay(tx, SanctionKind.BAN, "192.0.2.0/24", None)
    assert enter(tx, Ask(ann, None, HOME, NOW)).ban is None
    lay(tx, SanctionKind.BAN, ann, None)
    with pytest.raises(Refusal, match="this account is banned"):
        enter(tx, Ask(ann, None, HOME, NOW))


def test_only_staff_are_hidden(tx: SqlTx) -> None:
    ann = add(tx, "Ann", Role.MODERATOR)
    tx.set_hidden(ann, True)
    assert standing(tx, Ask(ann)).hidden
    tx.set_role(ann, Role.RESIDENT)
    assert not standing(tx, Ask(ann)).hidden


def test_blocks_of_both_directions_are_one_and_the_wider_reach_counts(tx: SqlTx) -> None:
    ann, bob, eve = add(tx, "Ann"), add(tx, "Bob"), add(tx, "Eve")
    tx.save_shun(ShunRow(ann, bob, BlockReach.SPEECH, NOW))
    tx.save_shun(ShunRow(bob, ann, BlockReach.ALL, NOW))
    tx.save_shun(ShunRow(eve, ann, BlockReach.SPEECH, NOW))
    found = standing(tx, Ask(ann))
    assert found.shunned == {bob: BlockReach.ALL, eve: BlockReach.SPEECH}
    assert found.own_shuns == {bob: BlockReach.SPEECH}
    assert standing(tx, Ask(eve)).shunned == {ann: BlockReach.SPEECH}
