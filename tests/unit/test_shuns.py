"""Personal blocks among those who are here, where the store's word is older than what they wish, or comes late."""

from sim_people import GUEST_BIT, People
from worldloom_sdk.protocol.messages import BlockReach

ROSA, SLY = 7, 8
SHUNNED = {(SLY, ROSA): BlockReach.ALL}


def agreed(people: People) -> None:
    """They are in the world, and nothing to do with blocks is left between them."""
    people.tick(3)
    people.sweep_all()
    for session in people.here:
        assert (session.seat.blocked, session.seat.deaf, session.shunned) == (set(), set(), {})
        assert people.sees(session) == {one.avatar for one in people.here}


def apart(people: People, one: int, other: int) -> None:
    """Neither of two who are here is sent the other's body."""
    people.tick(3)
    people.sweep_all()
    for me, them in ((one, other), (other, one)):
        session = people.roster.find(me)
        assert session.seat.blocked == {them}
        assert them not in people.sees(session)


def test_a_block_taken_back_while_somebody_was_on_the_way_in_is_gone_though_its_owner_leaves_just_then():
    people = People()
    sly = people.come(SLY, SHUNNED)
    people.tick()
    # Rosa's Hello was read before, and her land is ready only now.
    people.shuns.unshun(sly, ROSA, None)
    people.go(sly)
    people.come(ROSA, SHUNNED)
    agreed(people)
    people.come(SLY)
    agreed(people)


def test_a_block_taken_back_while_somebody_was_on_the_way_in_does_not_come_back_with_a_resume():
    people = People()
    sly = people.come(SLY, SHUNNED)
    people.tick()
    people.shuns.unshun(sly, ROSA, None)
    people.go(sly)
    people.tick(2)
    people.sweep_all()
    rosa = people.come(ROSA, SHUNNED)
    people.come(SLY)
    people.tick()
    people.resume(rosa)
    agreed(people)


def test_a_block_that_was_taken_down_after_its_owner_left_is_in_force_when_that_one_comes_again():
    people = People()
    people.come(ROSA)
    sly = people.come(SLY)
    people.tick()
    people.go(sly)
    people.tick(2)
    people.sweep_all()
    # The store was asked about Sly before it had written this.
    people.shuns.shun(sly, ROSA, BlockReach.ALL)
    people.come(SLY)
    apart(people, ROSA, SLY)
    people.shuns.unshun(sly, ROSA, None)
    agreed(people)


def test_a_block_set_in_a_life_that_began_and_ended_while_a_second_hello_waited_is_in_force_in_the_next():
    people = People()
    people.come(ROSA)
    people.tick()
    first = people.come(SLY)
    people.shuns.shun(first, ROSA, BlockReach.ALL)
    people.go(first)
    people.come(SLY)
    apart(people, ROSA, SLY)


def test_a_late_block_cuts_out_a_body_whose_owner_has_left_and_a_late_unblock_leaves_nothing_behind():
    people = People()
    rosa, sly = people.come(ROSA), people.come(SLY)
    people.tick(2)
    people.go(sly)
    people.shuns.shun(sly, ROSA, BlockReach.ALL)
    assert rosa.seat.blocked == {SLY}
    people.shuns.unshun(sly, ROSA, None)
    agreed(people)


def test_a_body_that_comes_after_its_owner_has_gone_again_is_not_sent_to_whom_it_is_blocked():
    people = People()
    rosa = people.come(ROSA, {(ROSA, SLY): BlockReach.ALL})
    bystander = people.come(3)
    people.tick(2)
    sly = people.come(SLY, {(ROSA, SLY): BlockReach.ALL})
    # The connection is lost before the shard's next frame; the sweep falls right between.
    people.go(sly, part=False)
    people.shuns.sweep()
    people.tick()
    assert SLY in people.sees(bystander)
    assert SLY not in people.sees(rosa)
    people.world.part(SLY)
    people.tick(2)
    people.sweep_all()
    assert rosa.seat.blocked == set()


def test_what_a_guest_and_an_account_wished_of_each_other_ends_when_one_of_them_leaves():
    people, guest = People(), GUEST_BIT | 1
    rosa = people.come(ROSA)
    people.come(guest)
    people.tick()
    people.shuns.shun(rosa, guest, BlockReach.ALL)
    people.go(rosa)
    people.come(ROSA)
    agreed(people)


def test_changes_are_remembered_no_longer_than_anybody_can_be_on_the_way_in():
    people = People()
    sly = people.come(SLY)
    people.shuns.shun(sly, ROSA, BlockReach.ALL)
    for _ in range(30):
        people.shuns.sweep()
    assert people.shuns._changes_before == {SLY: {ROSA: BlockReach.ALL}}
    for _ in range(30):
        people.shuns.sweep()
    assert (people.shuns._changes, people.shuns._changes_before) == ({}, {})
