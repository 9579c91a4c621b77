from worldloom.bus.local import Link, LossyLink


def run(link: LossyLink, sent: int, ticks: int) -> None:
    """A message a step, then silence."""
    for number in range(ticks):
        for _ in range(number < sent):
            link.send(number)
        link.step()


def test_a_link_delivers_at_once_the_very_same_object():
    got: list[object] = []
    link, message = Link(got.append), object()
    link.send(message)
    assert got == [message]
    assert got[0] is message


def test_without_mischief_a_lossy_link_delivers_in_order_at_the_next_step():
    got: list[int] = []
    link = LossyLink(got.append, seed=1, loss=0, double=0, delay=0)
    link.send(1)
    link.send(2)
    assert got == []
    link.step()
    assert got == [1, 2]


def test_the_same_seed_misbehaves_in_the_same_way_and_another_otherwise():
    stories = []
    for seed in (5, 5, 6):
        got: list[int] = []
        run(LossyLink(got.append, seed), 300, 310)
        stories.append(got)
    assert stories[0] == stories[1]
    assert stories[0] != stories[2]


def test_it_loses_doubles_and_reorders_about_as_much_as_it_says():
    got: list[int] = []
    run(LossyLink(got.append, seed=3, loss=0.2, double=0.3, delay=4), 2_000, 2_010)
    assert 0.77 < len(set(got)) / 2_000 < 0.83
    assert 0.27 < 1 - len(set(got)) / len(got) + 0.07 < 0.37
    assert got != sorted(got)


def test_nothing_is_later_than_its_delay():
    late: list[int] = []
    link = LossyLink(lambda sent: late.append(now - sent), seed=8, loss=0, double=0.2, delay=3)
    for now in range(500):
        link.send(now)
        link.step()
    assert set(late) == {0, 1, 2, 3}


def test_healed_it_delivers_all_that_is_sent_and_still_what_was_on_its_way():
    got: list[int] = []
    link = LossyLink(got.append, seed=2, loss=0, double=0, delay=4)
    for number in range(20):
        link.send(number)
    link.heal()
    for number in range(20, 40):
        link.send(number)
        link.step()
    assert sorted(got) == list(range(40))
    assert [number for number in got if number >= 20] == list(range(20, 40))


def test_what_is_sent_while_delivering_waits_for_the_next_step():
    got: list[int] = []
    link: LossyLink[int]

    def answer(number: int) -> None:
        got.append(number)
        link.send(number + 1)

    link = LossyLink(answer, seed=1, loss=0, double=0, delay=0)
    link.send(0)
    for _ in range(3):
        link.step()
    assert got == [0, 1, 2]
