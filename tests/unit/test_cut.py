import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from worldloom.replication.cut import cut
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


@settings(max_examples=120, deadline=None)
@given(st.lists(BLOCK, min_size=1, max_size=8), st.integers(0, 2**32), st.sampled_from([0.05, 0.3, 0.8, 1.0]))
def test_what_is_cut_out_is_what_a_filter_of_entries_leaves_out(heads, seed, share):
    rng = np.random.default_rng(seed)
    words, headers, entries = made(heads, rng)
    before = words.copy()
    gone = [entry for mine in entries for entry in mine if rng.random() < share] or [entries[0][0]]
    positions = np.array([at for entry in gone for at in entry])
    body = cut(words, headers, positions)
    assert body == naive(words, heads, entries, {entry[0] for entry in gone})
    assert all(len(block.entries) for block in blocks(body))
    assert (words == before).all(), "others are sent the same words"


def test_a_body_of_which_all_is_cut_out_is_empty():
    words, headers, entries = made([(BlockKind.ENTER, 0, 0, 0, 1)], np.random.default_rng(1))
    assert cut(words, headers, np.array(entries[0][0])) == b""


def test_the_header_of_a_block_keeps_all_but_its_count():
    words, headers, _ = made([(BlockKind.WORDS, -2, 1, 3, 4)], np.random.default_rng(1))
    (block,) = blocks(cut(words, headers, np.array([2, 4])))
    assert (block.kind, block.dx, block.dz, block.layer) == (BlockKind.WORDS, -2, 1, 3)
    assert block.entries.tolist() == [int(words[1]), int(words[3])]
