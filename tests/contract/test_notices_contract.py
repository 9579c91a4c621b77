"""Notices on every store: each account its own, followed by number without a gap, kept for a while."""

import asyncio
import threading

import pytest

from order_people import NOW, add
from worldloom.persistence.store import SqlStore, open_beside
from worldloom.ports import Tx
from worldloom.services import notices
from worldloom.services.notices import KEPT, KEPT_MS, Following, NoticeKind, Read, Seek, WantNotices

DAY = 86_400_000


def two(tx: Tx, _: None) -> tuple[int, int]:
    return add(tx, "Ann"), add(tx, "Bob")


def tell(tx: Tx, told: tuple[int, int, int]) -> None:
    """So many notices to an account, at a time."""
    account, count, at_ms = told
    for number in range(count):
        notices.tell(tx, [account], NoticeKind.SOLD, at_ms, listing=number, to=None)


async def test_notices_are_read_by_whom_they_are_for_newest_first(store: SqlStore) -> None:
    ann, bob = await store.run(two, None)
    await store.run(tell, (ann, 3, NOW))
    await store.run(tell, (bob, 1, NOW + 1))
    mine = await store.read(notices.mine, WantNotices(ann))
    assert [(one.kind, one.at_ms, one.detail, one.read) for one in mine] == [
        (NoticeKind.SOLD, NOW, {"listing": n}, False) for n in (2, 1, 0)
    ]
    assert list(await store.read(notices.mine, WantNotices(ann, mine[0].notice, 1))) == [mine[1]]
    assert await store.run(notices.read, Read(ann, mine[1].notice)) == 2
    assert await store.run(notices.read, Read(ann, mine[0].notice)) == 1
    assert {one.read for one in await store.read(notices.mine, WantNotices(ann))} == {True}
    assert [one.read for one in await store.read(notices.mine, WantNotices(bob))] == [False]


async def test_who_follows_is_told_what_comes_after(store: SqlStore) -> None:
    ann, bob = await store.run(two, None)
    await store.run(tell, (ann, 2, NOW))
    following = Following(await store.read(notices.head, None))
    assert await store.read(notices.follow, following.seek()) == []
    await store.run(tell, (bob, 5, NOW))
    first = following.take(await store.read(notices.follow, Seek(following.number, limit=3)), NOW)
    rest = following.take(await store.read(notices.follow, following.seek()), NOW)
    assert [one.detail["listing"] for one in (*first, *rest)] == [0, 1, 2, 3, 4]
    assert following.take(await store.read(notices.follow, following.seek()), NOW) == []


async def test_what_is_committed_after_a_higher_number_is_not_passed_over(postgres_url: str) -> None:
    """Numbers are drawn before the commit: two hosts may commit them the other way round."""
    early, late = open_beside(postgres_url), open_beside(postgres_url)
    ann, bob = await early.run(two, None)
    following = Following(await early.read(notices.head, None))
    told, go_on = threading.Event(), threading.Event()

    def slowly(tx: Tx, _: None) -> None:
        tell(tx, (ann, 1, NOW))
        told.set()
        go_on.wait(10)

    slow = asyncio.ensure_future(early.run(slowly, None))
    assert await asyncio.to_thread(told.wait, 10)
    await late.run(tell, (bob, 1, NOW))
    first = following.take(await late.read(notices.follow, following.seek()), NOW)
    go_on.set()
    await slow
    second = following.take(await late.read(notices.follow, following.seek()), NOW)
    assert [[one.account for one in some] for some in (first, second)] == [[bob], [ann]]
    await early.close()
    await late.close()


async def test_what_is_old_or_too_much_is_deleted(store: SqlStore) -> None:
    ann, bob = await store.run(two, None)
    await store.run(tell, (ann, 2, NOW - KEPT_MS - 1))
    await store.run(tell, (ann, KEPT + 3, NOW))
    await store.run(tell, (bob, KEPT, NOW))
    assert await store.run(notices.tidy, NOW) == 5
    assert await store.run(notices.tidy, NOW) == 0
    newest = await store.read(notices.mine, WantNotices(ann))
    assert [one.detail["listing"] for one in newest] == list(range(KEPT + 2, KEPT - 98, -1))


@pytest.mark.parametrize("limit", [-5, 0, 10**9])
async def test_a_page_of_notices_has_bounds(store: SqlStore, limit: int) -> None:
    ann, _ = await store.run(two, None)
    await store.run(tell, (ann, KEPT, NOW))
    assert 1 <= len(await store.read(notices.mine, WantNotices(ann, limit=limit))) <= notices.PAGE_MAX
