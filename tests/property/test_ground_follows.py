"""A client's ground follows the server's, however fetching and telling interleave: no edit is lost, none counts twice.

The server: a list of versions of one region's overlay. What it tells goes over a stream in order, and late; what is
fetched is of some version between the moment of asking and that of the answer's coming.
"""

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from worldloom_sdk.ground import Ground
from worldloom_sdk.protocol.overlay import GIVEN_BACK, Overlay, Patch, overlaid, patched
from worldloom_sdk.protocol.tiles import Tile

TILE = Tile(0, 0, np.arange(129 * 129, dtype=np.int16).reshape(129, 129), np.zeros((128, 128), np.uint8))


class Server:
    """One region's overlay in all its versions, and what is on its way to a client."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.versions = [Overlay.empty(0, 0)]
        self.stream: list[tuple[str, int, Patch | None]] = []
        self.told = 0

    def edit(self) -> None:
        height = GIVEN_BACK if self.dice.random() < 0.3 else self.dice.randrange(999)
        side = self.dice.randrange(1, 5)
        patch = Patch(self.dice.randrange(4), self.dice.randrange(4), np.full((side, side), height, np.int16))
        version = len(self.versions)
        self.versions.append(patched(self.versions[-1], patch, version))
        self.told = version
        self.stream.append(("edited", version, patch))

    def tell_region(self) -> None:
        self.stream.append(("woven", self.told, None))


def take(ground: Ground, told: tuple[str, int, Patch | None]) -> None:
    _, version, patch = told
    if patch is not None:
        ground.edited(version, patch)
    else:
        ground.woven("ab" * 32, version)


class Client:
    """What follows it: takes what is told, in order, and fetches when it has to."""

    def __init__(self, server: Server) -> None:
        self.server, self.ground = server, Ground(0, 0)
        self.asked_at: int | None = None

    def hear(self) -> None:
        if self.server.stream:
            take(self.ground, self.server.stream.pop(0))

    def fetch(self) -> None:
        """Ask, or be answered, by any version from the one that was the newest when it asked."""
        versions = self.server.versions
        if self.asked_at is not None:
            self.ground.fetched(versions[self.server.dice.randrange(self.asked_at, len(versions))])
            self.asked_at = None
        elif not self.ground.is_current:
            self.asked_at = len(versions) - 1

    def shows(self, versions: list[Overlay]) -> bool:
        """Whether the ground is that of one of these versions."""
        heights = self.ground.heights(TILE)
        return heights is not None and any(
            np.array_equal(heights, overlaid(TILE.heights, one)) for one in versions
        )


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 120))
def test_the_ground_is_the_servers_once_everything_has_come(seed: int, steps: int) -> None:
    dice = random.Random(seed)
    server = Server(dice)
    for _ in range(dice.randrange(3)):
        server.edit()
    server.stream.clear()
    server.tell_region()
    client = Client(server)
    client.hear()
    happening = [server.edit, client.hear, client.hear, client.fetch, client.fetch, server.tell_region]
    for act in dice.choices(happening, weights=[3, 2, 2, 2, 2, 0.3], k=steps):
        act()
        assert client.ground.heights(TILE) is None or client.shows(server.versions[client.ground.told :])
    while server.stream:
        client.hear()
    while not client.ground.is_current:
        client.fetch()
    assert client.shows(server.versions[-1:])
