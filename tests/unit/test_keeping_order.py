"""Privileged acts: who may, on whom, what they leave behind, and that each is written down."""

from collections.abc import Iterator

import pytest

from order_people import MINUTE, NOW, add, bot, by, named
from sql_tx import sql_tx
from worldloom.errors import Refusal
from worldloom.persistence.queries import SqlTx
from worldloom.realm.order import AuditAct, SanctionKind
from worldloom.services import access, codes, order, people
from worldloom.services.asking import OPERATOR, By, Whom
from worldloom.services.order import Act, GiveRole, Invite, Sanctioned, SetHidden
from worldloom.services.people import AuditPage, ListPeople, Show
from worldloom.services.standing import Ask, standing
from worldloom.services.tidying import SANCTIONS_KEPT_MS, tidy
from worldloom_sdk.protocol.messages import RefusalCode, Role, Scope


@pytest.fixture
def tx() -> Iterator[SqlTx]:
    """Ann is an owner, Max and Meg are moderators, Bob and Eve are residents."""
    with sql_tx() as opened:
        add(opened, "Ann", Role.OWNER)
        add(opened, "Max", Role.MODERATOR)
        add(opened, "Meg", Role.MODERATOR)
        add(opened, "Bob")
        add(opened, "Eve")
        yield opened


def number(tx: SqlTx, name: str) -> int:
    asked = by(tx, name).account
    assert asked is not None
    return asked


def role(tx: SqlTx, name: str) -> Role:
    return standing(tx, Ask(number(tx, name))).role


def refused(use_case, *command) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        use_case(*command)
    return refusal.value


def log(tx: SqlTx) -> list[tuple[str, str, str]]:
    return [(row.by_name, row.act.value, row.about) for row in tx.audit_after(0, 100)]


LASTING = [(order.ban, SanctionKind.BAN), (order.mute, SanctionKind.MUTE)]


@pytest.mark.parametrize(("lay", "kind"), LASTING)
def test_a_sanction_lies_on_an_account_for_its_time(tx: SqlTx, lay, kind: SanctionKind) -> None:
    row = lay(tx, Sanctioned(by(tx, "Max"), named("bob"), NOW, " was\n rude ", 5))
    bob = number(tx, "Bob")
    assert (row.by, row.account, row.about, row.network) == (number(tx, "Max"), bob, "Bob", None)
    assert (row.detail, row.until_ms, row.number) == ("was rude", NOW + 5 * MINUTE, 1)
    (laid,) = tx.sanctions([bob], [], NOW)
    assert (laid.kind, laid.reason, laid.until_ms, laid.by_name) == (kind, "was rude", row.until_ms, "Max")
    assert tx.sanctions([bob], [], NOW + 5 * MINUTE) == []
    assert tx.audit_after(0, 10) == [row]


@pytest.mark.parametrize(("lay", "kind"), LASTING)
def test_a_sanction_takes_the_place_of_an_earlier_one_of_its_kind(tx: SqlTx, lay, kind: SanctionKind) -> None:
    for minutes in (5, 0, 3):
        lay(tx, Sanctioned(by(tx, "Max"), Whom(network="192.0.2.9/24"), NOW, "", minutes))
        lay(tx, Sanctioned(by(tx, "Max"), named("Bob"), NOW, "", minutes))
    rows = tx.sanctions([number(tx, "Bob")], ["192.0.2.0/24"], NOW)
    assert [(row.kind, row.until_ms) for row in rows] == [(kind, NOW + 3 * MINUTE)] * 2


@pytest.mark.parametrize(
    ("lay", "lift", "kind"),
    [(order.ban, order.unban, SanctionKind.BAN), (order.mute, order.unmute, SanctionKind.MUTE)],
)
def test_what_was_laid_can_be_taken_back_and_nothing_else(tx: SqlTx, lay, lift, kind: SanctionKind) -> None:
    mod = by(tx, "Max")
    for whom in (named("Bob"), Whom(network="192.0.2.0/24")):
        assert refused(lift, tx, Act(mod, whom, NOW)).code is RefusalCode.NOT_FOUND
        order.ban(tx, Sanctioned(mod, whom, NOW))
        order.mute(tx, Sanctioned(mod, whom, NOW))
        lift(tx, Act(mod, whom, NOW))
    left = tx.sanctions([number(tx, "Bob")], ["192.0.2.0/24"], NOW)
    assert [row.kind for row in left] == [{"ban": SanctionKind.MUTE, "mute": SanctionKind.BAN}[kind]] * 2
    assert refused(lift, tx, Act(mod, Whom(network="192.0.2.0/25"), NOW)).code is RefusalCode.NOT_FOUND


def test_a_guest_can_be_sent_out_and_muted_which_only_the_log_keeps(tx: SqlTx) -> None:
    mod, guest = by(tx, "Max"), Whom(guest="Guest 7")
    order.kick(tx, Act(mod, guest, NOW))
    row = order.mute(tx, Sanctioned(mod, guest, NOW, "", 5))
    order.unmute(tx, Act(mod, guest, NOW))
    assert (row.account, row.network, row.until_ms) == (None, None, NOW + 5 * MINUTE)
    assert log(tx) == [("Max", act, "Guest 7") for act in ("kick", "mute", "unmute")]
    assert refused(order.ban, tx, Sanctioned(mod, guest, NOW)).code is RefusalCode.INVALID
    assert refused(order.give_role, tx, GiveRole(OPERATOR, guest, "owner", NOW)).code is RefusalCode.INVALID


def test_a_network_cannot_be_sent_out(tx: SqlTx) -> None:
    wrong = Act(by(tx, "Max"), Whom(network="192.0.2.0/24"), NOW)
    assert refused(order.kick, tx, wrong).code is RefusalCode.INVALID


@pytest.mark.parametrize("act", [order.kick, order.ban, order.unban, order.mute, order.unmute])
@pytest.mark.parametrize(("who", "whom"), [("Max", "Meg"), ("Max", "Ann"), ("Bob", "Eve"), ("Bob", "Ann")])
def test_nobody_acts_on_their_like_or_higher(tx: SqlTx, act, who: str, whom: str) -> None:
    order.ban(tx, Sanctioned(OPERATOR, named(whom), NOW))
    order.mute(tx, Sanctioned(OPERATOR, named(whom), NOW))
    assert refused(act, tx, Sanctioned(by(tx, who), named(whom), NOW)).code is RefusalCode.FORBIDDEN
    assert len(log(tx)) == 2


@pytest.mark.parametrize("act", [order.kick, order.ban, order.unban, order.mute, order.unmute])
def test_nobody_acts_on_themselves(tx: SqlTx, act) -> None:
    assert "got yourself" in refused(act, tx, Sanctioned(by(tx, "Max"), named("Max"), NOW)).text


def test_the_role_that_counts_is_the_stored_one(tx: SqlTx) -> None:
    mod = by(tx, "Max")
    order.kick(tx, Act(mod, named("Bob"), NOW))
    order.give_role(tx, GiveRole(by(tx, "Ann"), named("Max"), "resident", NOW))
    assert mod.role is Role.OWNER
    assert refused(order.kick, tx, Act(mod, named("Bob"), NOW)).code is RefusalCode.FORBIDDEN


def test_guests_and_accounts_that_are_gone_may_nothing(tx: SqlTx) -> None:
    for who in (By(None, "Guest 7"), By(999, "Ghost", Role.OWNER), By(None, "Max", Role.MODERATOR)):
        for use_case, command in [
            (order.kick, Act(who, named("Bob"), NOW)),
            (order.hide, SetHidden(who, NOW)),
            (order.invite, Invite(who, NOW)),
            (order.give_role, GiveRole(who, named("Bob"), "moderator", NOW)),
            (order.recover, Act(who, named("Bob"), NOW)),
            (people.list_people, ListPeople(who)),
            (people.show, Show(who, named("Bob"), NOW)),
            (people.audit_page, AuditPage(who)),
        ]:
            assert refused(use_case, tx, command).code is RefusalCode.FORBIDDEN
    assert log(tx) == []


def test_a_bot_keeps_order_only_with_the_scope_and_as_far_as_its_owner(tx: SqlTx) -> None:
    helper = bot(tx, number(tx, "Max"), "Helper", Scope.ORDER).account
    order.give_role(tx, GiveRole(by(tx, "Ann"), named("Helper"), "moderator", NOW))
    act = Act(By(helper, "Helper", scopes=frozenset({Scope.ORDER})), named("Bob"), NOW)
    order.kick(tx, act)
    without = Act(By(helper, "Helper", scopes=frozenset({Scope.TALK})), named("Bob"), NOW)
    assert refused(order.kick, tx, without).code is RefusalCode.FORBIDDEN
    order.give_role(tx, GiveRole(by(tx, "Ann"), named("Max"), "resident", NOW))
    assert refused(order.kick, tx, act).code is RefusalCode.FORBIDDEN


def test_owners_give_roles_but_only_the_operator_makes_owners(tx: SqlTx) -> None:
    ann = by(tx, "Ann")
    order.give_role(tx, GiveRole(ann, named("Bob"), " Moderator ", NOW))
    assert role(tx, "Bob") is Role.MODERATOR
    assert (
        refused(order.give_role, tx, GiveRole(ann, named("Bob"), "owner", NOW)).code is RefusalCode.FORBIDDEN
    )
    order.give_role(tx, GiveRole(OPERATOR, named("Bob"), "owner", NOW))
    assert (
        refused(order.give_role, tx, GiveRole(ann, named("Bob"), "resident", NOW)).code
        is RefusalCode.FORBIDDEN
    )
    mod = GiveRole(by(tx, "Max"), named("Eve"), "moderator", NOW)
    assert refused(order.give_role, tx, mod).code is RefusalCode.FORBIDDEN
    assert [(row.act, row.about, row.detail) for row in tx.audit_after(0, 9)] == [
        (AuditAct.ROLE, "Bob", "moderator"),
        (AuditAct.ROLE, "Bob", "owner"),
    ]


def test_the_last_owner_may_step_down_and_a_moderator_may_not_step_up(tx: SqlTx) -> None:
    order.give_role(tx, GiveRole(by(tx, "Ann"), named("Ann"), "resident", NOW))
    assert role(tx, "Ann") is Role.RESIDENT
    up = GiveRole(by(tx, "Max"), named("Max"), "owner", NOW)
    assert refused(order.give_role, tx, up).code is RefusalCode.FORBIDDEN


@pytest.mark.parametrize("text", ["", "guest", "admin", "OWNERS"])
def test_what_is_no_role_is_refused_with_those_that_are(tx: SqlTx, text: str) -> None:
    refusal = refused(order.give_role, tx, GiveRole(OPERATOR, named("Bob"), text, NOW))
    assert refusal.code is RefusalCode.INVALID
    assert "expected the role 'resident', 'moderator' or 'owner'" in refusal.text


def test_staff_hide_until_they_appear_or_leave_the_staff(tx: SqlTx) -> None:
    mod = by(tx, "Max")
    order.hide(tx, SetHidden(mod, NOW))
    assert standing(tx, Ask(mod.account)).hidden
    order.appear(tx, SetHidden(mod, NOW))
    assert not standing(tx, Ask(mod.account)).hidden
    order.hide(tx, SetHidden(mod, NOW))
    for given in ("resident", "moderator"):
        order.give_role(tx, GiveRole(OPERATOR, named("Max"), given, NOW))
    assert not standing(tx, Ask(mod.account)).hidden
    assert refused(order.hide, tx, SetHidden(by(tx, "Bob"), NOW)).code is RefusalCode.FORBIDDEN
    assert refused(order.hide, tx, SetHidden(OPERATOR, NOW)).code is RefusalCode.INVALID


def test_an_invitation_is_good_for_a_week_unless_something_else_was_said(tx: SqlTx) -> None:
    assert order.invite(tx, Invite(by(tx, "Max"), NOW)).until_ms == NOW + codes.INVITATION_MS
    assert order.invite(tx, Invite(by(tx, "Max"), NOW, 5, 2)).until_ms == NOW + 2 * MINUTE
    assert [(row.by_name, row.detail) for row in tx.audit_after(0, 9)] == [
        ("Max", "uses: 1"),
        ("Max", "uses: 5"),
    ]
    assert refused(order.invite, tx, Invite(by(tx, "Max"), NOW, 0)).code is RefusalCode.INVALID
    assert refused(order.invite, tx, Invite(by(tx, "Bob"), NOW)).code is RefusalCode.FORBIDDEN


@pytest.mark.slow
def test_open_invitations_are_limited_and_those_that_ran_out_do_not_count(tx: SqlTx) -> None:
    for _ in range(codes.INVITATIONS_MAX):
        order.invite(tx, Invite(OPERATOR, NOW, minutes=1))
    assert "at most 1000 open invitations" in refused(order.invite, tx, Invite(OPERATOR, NOW)).text
    order.invite(tx, Invite(OPERATOR, NOW + MINUTE))


def test_the_operator_gives_a_person_who_has_lost_all_a_recovery_code(tx: SqlTx) -> None:
    made = order.recover(tx, Act(OPERATOR, named("Bob"), NOW, "knows the story"))
    assert access.enter_with_code(tx, access.EnterWithCode(made.text, NOW)).account.name == "Bob"
    assert log(tx) == [("operator", "recovery", "Bob")]
    assert refused(order.recover, tx, Act(by(tx, "Ann"), named("Bob"), NOW)).code is RefusalCode.FORBIDDEN
    bot(tx, number(tx, "Bob"), "Helper")
    assert refused(order.recover, tx, Act(OPERATOR, named("Helper"), NOW)).code is RefusalCode.INVALID


@pytest.mark.parametrize(
    ("whom", "code"),
    [
        (Whom(), "invalid"),
        (Whom(name="  "), "invalid"),
        (Whom(account=4, name="Bob"), "invalid"),
        (Whom(name="Bob", network="192.0.2.0/24"), "invalid"),
        (Whom(network="home"), "invalid"),
        (Whom(network="0.0.0.0/0"), "invalid"),
        (Whom(name="Kim"), "not_found"),
        (Whom(name="<no name>"), "not_found"),
        (Whom(name="admin"), "not_found"),
        (Whom(account=999), "not_found"),
        (Whom(account=2**31 + 5), "not_found"),
    ],
)
def test_whom_it_is_about_must_be_said_and_be_there(tx: SqlTx, whom: Whom, code: str) -> None:
    assert refused(order.ban, tx, Sanctioned(by(tx, "Max"), whom, NOW)).code == code


@pytest.mark.parametrize("typed", ["Bob", "BOB", "b0b", "В0В"])
def test_any_name_that_looks_the_same_finds_somebody(tx: SqlTx, typed: str) -> None:
    assert order.kick(tx, Act(OPERATOR, named(typed), NOW)).about == "Bob"


def test_a_long_reason_is_cut_and_cleaned(tx: SqlTx) -> None:
    row = order.kick(tx, Act(OPERATOR, named("Bob"), NOW, "\u202e" + "x" * 2_000))
    assert row.detail == "x" * order.REASON_MAX


def test_staff_find_people_by_a_part_of_the_name(tx: SqlTx) -> None:
    bot(tx, number(tx, "Ann"), "Annie's Bot")
    found = people.list_people(tx, ListPeople(by(tx, "Max"), "ANN"))
    assert [(one.account.name, one.role, one.owner_name) for one in found] == [
        ("Ann", Role.OWNER, ""),
        ("Annie's Bot", Role.RESIDENT, "Ann"),
    ]
    assert len(people.list_people(tx, ListPeople(OPERATOR))) == 6
    assert len(people.list_people(tx, ListPeople(OPERATOR, limit=2))) == 2
    assert people.list_people(tx, ListPeople(OPERATOR, "100%_")) == []


def test_staff_see_all_about_somebody(tx: SqlTx) -> None:
    order.hide(tx, SetHidden(by(tx, "Max"), NOW))
    order.mute(tx, Sanctioned(OPERATOR, named("Max"), NOW, "loud", 5))
    bot(tx, number(tx, "Max"), "Helper")
    mod = people.to_person(people.show(tx, Show(by(tx, "Meg"), named("Max"), NOW)), True, "192.0.2.7")
    assert (mod.name, mod.role, mod.here, mod.hidden, mod.address) == (
        "Max",
        "moderator",
        True,
        True,
        "192.0.2.7",
    )
    assert [(s.kind, s.reason, s.until_ms, s.by) for s in mod.sanctions] == [
        ("mute", "loud", NOW + 5 * MINUTE, "operator")
    ]
    helper = people.to_person(people.show(tx, Show(OPERATOR, named("Helper"), NOW)))
    assert (helper.is_bot, helper.of, len(helper.sanctions), helper.made_ms) == (True, "Max", 1, NOW)


def test_the_log_is_read_in_pages_by_owners_and_followed_by_hosts(tx: SqlTx) -> None:
    for turn in range(7):
        order.kick(tx, Act(OPERATOR, named("Bob"), NOW + turn))
    ann = by(tx, "Ann")
    newest = people.audit_page(tx, AuditPage(ann, limit=3))
    older = people.audit_page(tx, AuditPage(ann, newest[-1].number, 10))
    assert [row.number for row in [*newest, *older]] == [7, 6, 5, 4, 3, 2, 1]
    assert people.audit_head(tx, None) == 7
    assert [row.number for row in people.audit_after(tx, people.AuditAfter(2, 3))] == [3, 4, 5]
    assert people.to_entry(newest[0]).at_ms == NOW + 6
    assert refused(people.audit_page, tx, AuditPage(by(tx, "Max"))).code is RefusalCode.FORBIDDEN


def test_what_has_run_out_is_deleted_after_a_while(tx: SqlTx) -> None:
    order.invite(tx, Invite(OPERATOR, NOW, minutes=1))
    access.make_recovery(tx, access.MakeCode(number(tx, "Bob"), NOW))
    order.ban(tx, Sanctioned(OPERATOR, named("Bob"), NOW, minutes=1))
    order.mute(tx, Sanctioned(OPERATOR, named("Bob"), NOW))
    assert tidy(tx, NOW) == 0
    assert tidy(tx, NOW + MINUTE) == 1
    assert tidy(tx, NOW + MINUTE + SANCTIONS_KEPT_MS) == 1
    assert tidy(tx, NOW + 100 * SANCTIONS_KEPT_MS) == 0
    assert len(tx.sanctions([number(tx, "Bob")], [], NOW)) == 1
