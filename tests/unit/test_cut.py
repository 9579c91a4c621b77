import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from worldloom.replication.cut import cut, find
from worldloom_sdk.protocol.words import BlockKind, block_header, blocks

KINDS = st.sampled_from([BlockKind.LEAVE, BlockKind.ENTER, BlockKind.WORDS])
BLOCK = st.tuples(KINDS, st.integers(-5, 5), st.integers(-5, 5), st.integers(0, 3), st.integers(1, 6))


def made(heads, rng) -> tuple[np.ndarray, np.ndarray, list[list[list[int]]]]:
    """A body: its words, where its headers are, and for each block the entries as positions of their words."""
    words, headers, entries = [], [], []
    for kind, dx, dz, layer, count in heads:
        wide = 2 if kind is BlockKind.ENTER else 1
        headers.append(len(words))
        words.append(block_header(kind, dx, dz, layer, count))
        entries.append([[len(words) + i * wide + j for j in range(wide)] for i in range(count)])
        words += rng.integers(0, 2**64, count * wide, np.uint64).tolist()
    return np.array(words, np.uint64), np.array(headers), entries


def naive(words, heads, entries, gone) -> bytes:
    kept: list[int] = []
    for (kind, dx, dz, layer, _), mine in zip(heads, entries, strict=True):
        stay = [entry for entry in mine if entry[0] not in gone]
        head = [block_header(kind, dx, dz, layer, len(stay))] if stay else []
        kept += head + [int(words[at]) for entry in stay for at in entry]
    return np.array(kept, np.uint64).astype("<u8").tobytes()


def one(words, headers, positions) -> bytes:
    """One copy of one body."""
    ends, number = np.array([0, len(words)]), np.zeros(len(positions), np.int64)
    out, out_ends = cut(words, ends, headers, np.array([0]), number, np.asarray(positions))
    assert out_ends.tolist() == [0, len(out)]
    return out.astype("<u8").tobytes()


@settings(max_examples=120, deadline=None)
@given(st.lists(BLOCK, min_size=1, max_size=8), st.integers(0, 2**32), st.sampled_from([0.05, 0.3, 0.8, 1.0]))
def test_what_is_cut_out_is_what_a_filter_of_entries_leaves_out(heads, seed, share):
    rng = np.random.default_rng(seed)
    words, headers, entries = made(heads, rng)
    before = words.copy()
    gone = [entry for mine in entries for entry in mine if rng.random() < share] or [entries[0][0]]
    positions = np.array([at for entry in gone for at in entry])
    body = one(words, headers, positions)
    assert body == naive(words, heads, entries, {entry[0] for entry in gone})
    assert all(len(block.entries) for block in blocks(body))
    assert (words == before).all(), "others are sent the same words"


def test_a_body_of_which_all_is_cut_out_is_empty():
    words, headers, entries = made([(BlockKind.ENTER, 0, 0, 0, 1)], np.random.default_rng(1))
    assert one(words, headers, entries[0][0]) == b""


def test_the_header_of_a_block_keeps_all_but_its_count():
    words, headers, _ = made([(BlockKind.WORDS, -2, 1, 3, 4)], np.random.default_rng(1))
    (block,) = blocks(one(words, headers, [2, 4]))
    assert (block.kind, block.dx, block.dz, block.layer) == (BlockKind.WORDS, -2, 1, 3)
    assert block.entries.tolist() == [int(words[1]), int(words[3])]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(BLOCK, min_size=1, max_size=5), min_size=1, max_size=4), st.integers(0, 2**32))
def test_many_copies_of_many_bodies_are_cut_each_by_itself(all_heads, seed):
    rng = np.random.default_rng(seed)
    bodies = [made(heads, rng) for heads in all_heads]
    ends = np.cumsum([0] + [len(words) for words, _, _ in bodies])
    headers = np.concatenate([head + end for (_, head, _), end in zip(bodies, ends, strict=False)])
    whose = rng.integers(0, len(bodies), 7)
    gone = [[e for mine in bodies[b][2] for e in mine if rng.random() < 0.4] for b in whose]
    copy = [c for c, entries in enumerate(gone) for e in entries for _ in e]
    position = [at + ends[b] for b, entries in zip(whose, gone, strict=True) for e in entries for at in e]
    words = np.concatenate([words for words, _, _ in bodies])
    out, at = cut(words, ends, headers, whose, np.array(copy, np.int64), np.array(position, np.int64))
    for number, body in enumerate(whose):
        naively = naive(bodies[body][0], all_heads[body], bodies[body][2], {e[0] for e in gone[number]})
        assert out[at[number] : at[number + 1]].astype("<u8").tobytes() == naively


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 5))
def test_places_are_found_in_the_body_in_which_they_are_asked_for(seed, bodies):
    rng = np.random.default_rng(seed)
    ends = np.concatenate([[0], np.cumsum(rng.integers(0, 12, bodies))])
    places = rng.integers(0, 9, ends[-1])
    blocked = {3, 4, 8}
    suspects = np.flatnonzero(np.isin(places, list(blocked)))
    body, place = rng.integers(0, bodies, 8), rng.choice([3, 4, 8, 40], 8)
    question, position = find(places, ends, suspects, body, place)
    naively = {
        (q, at) for q in range(8) for at in range(ends[body[q]], ends[body[q] + 1]) if places[at] == place[q]
    }
    assert len(question) == len(naively)
    assert set(zip(question.tolist(), position.tolist(), strict=True)) == naively
