"""Who may do what to whom: the function that decides agrees with a table that people wrote."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worldloom.errors import Refusal
from worldloom.realm.order import allow, allow_edit, is_staff, lesser
from worldloom_sdk.protocol.messages import OrderAct, RefusalCode, Role, Scope

MAY = {
    "list": "moderator owner",
    "show": "moderator owner",
    "kick": "moderator owner",
    "ban": "moderator owner",
    "unban": "moderator owner",
    "mute": "moderator owner",
    "unmute": "moderator owner",
    "role": "owner",
    "invite": "moderator owner",
    "hide": "moderator owner",
    "appear": "moderator owner",
    "reports": "moderator owner",
    "close": "moderator owner",
    "audit": "owner",
}
"""Who may do it at all."""
ON = {"guest": "", "resident": "", "moderator": "guest resident", "owner": "guest resident moderator"}
"""On whom."""
SCOPES = st.none() | st.frozensets(st.sampled_from(Scope))


def allowed(act: OrderAct, role: Role, scopes: frozenset[Scope] | None, other: Role | None) -> bool:
    with contextlib.suppress(Refusal):
        allow(act, role, scopes, other)
        return True
    return False


def test_the_table_knows_every_act_and_role() -> None:
    assert set(MAY) == set(OrderAct)
    assert set(ON) == set(Role)


@given(st.sampled_from(OrderAct), st.sampled_from(Role), SCOPES, st.none() | st.sampled_from(Role))
def test_what_is_allowed_is_what_the_table_says(
    act: OrderAct, role: Role, scopes: frozenset[Scope] | None, other: Role | None
) -> None:
    expected = (
        role in MAY[act].split()
        and (scopes is None or Scope.ORDER in scopes)
        and (other is None or other in ON[role].split())
    )
    assert allowed(act, role, scopes, other) == expected


@pytest.mark.parametrize(
    ("act", "role", "scopes", "other", "text"),
    [
        (OrderAct.BAN, Role.RESIDENT, None, None, "expected the role 'moderator' or higher, got 'resident'"),
        (OrderAct.AUDIT, Role.MODERATOR, None, None, "expected the role 'owner' or higher, got 'moderator'"),
        (OrderAct.BAN, Role.OWNER, frozenset({Scope.MOVE}), None, "expected a key with the scope 'order'"),
        (OrderAct.KICK, Role.OWNER, None, Role.OWNER, "lower role than 'owner', got 'owner'"),
    ],
)
def test_a_refusal_says_what_it_takes(act, role, scopes, other, text: str) -> None:
    with pytest.raises(Refusal, match=text) as refusal:
        allow(act, role, scopes, other)
    assert refusal.value.code is RefusalCode.FORBIDDEN


@given(st.sampled_from(Role), st.sampled_from(Role))
def test_the_lesser_of_two_roles_may_nothing_that_either_may_not(role: Role, other: Role) -> None:
    least = lesser(role, other)
    assert least in (role, other)
    assert is_staff(least) == (is_staff(role) and is_staff(other))
    assert lesser(other, role) == least


@given(st.sampled_from(Role), SCOPES)
def test_terrain_is_edited_by_owners_alone(role: Role, scopes: frozenset[Scope] | None) -> None:
    may = role is Role.OWNER and (scopes is None or Scope.ORDER in scopes)
    expected = contextlib.nullcontext() if may else pytest.raises(Refusal, match=r"^expected")
    with expected as refusal:
        allow_edit(role, scopes)
    assert may or refusal.value.code is RefusalCode.FORBIDDEN
