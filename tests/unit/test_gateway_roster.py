"""The roster: who is found by what, and move rows that are never another's too soon."""

from dataclasses import dataclass

from worldloom.gateway.roster import Roster
from worldloom.gateway.session import Buckets, Session
from worldloom.replication.views import Seat


@dataclass(frozen=True)
class Limits:
    commands_per_s: int = 10
    says_per_10s: int = 8
    wrong_commands: int = 10


def session(roster: Roster, avatar: int, *skeletons: str) -> Session:
    """A session in the roster."""
    seat = Seat(avatar, lambda frame: None)
    made = Session(avatar, None, f"Nn{avatar}", skeletons, roster.new_row(), seat, Buckets(Limits()))
    roster.add(made)
    return made


def test_a_session_is_found_by_avatar_row_and_looks_until_it_is_gone() -> None:
    roster = Roster()
    ada = session(roster, 7, "ada", "acla")
    assert (roster.find(7), roster.at_row(ada.row), int(roster.avatar_of[ada.row])) == (ada, ada, 7)
    assert roster.has_name(["x", "acla"])
    roster.remove(ada)
    assert (roster.find(7), roster.at_row(ada.row), int(roster.avatar_of[ada.row])) == (None, None, 0)
    assert not roster.has_name(["ada", "acla"])
    assert len(roster) == 0


def test_a_freed_row_is_given_again_only_once_no_move_waits_under_it() -> None:
    roster = Roster()
    first = session(roster, 7)
    roster.remove(first)
    assert session(roster, 8).row != first.row
    roster.inbox_taken()
    assert session(roster, 9).row == first.row


def test_a_session_that_changes_its_row_keeps_its_moves_and_is_not_under_the_old_one() -> None:
    roster = Roster()
    ada = session(roster, 7)
    old = ada.row
    roster.move_tokens[old] = 12.5
    roster.change_row(ada)
    assert ada.row != old
    assert (roster.at_row(old), int(roster.avatar_of[old])) == (None, 0)
    assert (roster.at_row(ada.row), int(roster.avatar_of[ada.row])) == (ada, 7)
    assert float(roster.move_tokens[ada.row]) == 12.5


def test_rows_are_not_used_up_by_many_who_come_and_go() -> None:
    roster = Roster()
    for avatar in range(1, 1000):
        made = session(roster, avatar)
        roster.change_row(made)
        roster.inbox_taken()
        roster.remove(made)
        roster.inbox_taken()
    assert len(roster.avatar_of) == 64


def test_a_resume_token_is_good_until_the_client_is_known_to_have_the_next() -> None:
    roster = Roster()
    ada = session(roster, 7)
    oldest, old, new = (roster.renew_resume(ada) for _ in range(3))
    assert (roster.by_resume(oldest), roster.by_resume(old), roster.by_resume(new)) == (None, ada, ada)
    roster.confirm_resume(ada)
    assert (roster.by_resume(old), roster.by_resume(new)) == (None, ada)
    roster.remove(ada)
    assert roster.by_resume(new) is None


def test_however_many_welcomes_are_lost_the_token_that_the_client_has_stays_good() -> None:
    roster = Roster()
    ada = session(roster, 7)
    held = roster.renew_resume(ada)
    lost = []
    for _ in range(4):
        assert roster.by_resume(held) is ada
        ada.resume_used = held
        lost.append(roster.renew_resume(ada))
    assert [roster.by_resume(token) for token in lost] == [None, None, None, ada]


def test_who_looks_like_somebody_who_stays_does_not_free_that_name_by_going() -> None:
    roster = Roster()
    stays, goes = session(roster, 7, "ada"), session(roster, 8, "ida")
    goes.skeletons = ("ida", "ada")
    roster.remove(goes)
    assert roster.has_name(["ada"])
    assert roster.find(7) is stays


def test_sessions_are_found_around_their_region() -> None:
    roster = Roster()
    near, far = session(roster, 7), session(roster, 8)
    roster.move_to(near, (4, 4))
    roster.move_to(far, (9, 9))
    assert roster.around(5, 5) == [near]
    roster.move_to(near, None)
    assert roster.around(5, 5) == []
