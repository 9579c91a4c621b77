"""For all tests: where a commit is judged, generated examples are the same every time; some run alone, some by hand."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from hypothesis import settings

try:
    import fcntl
except ImportError:  # Windows: ``pytest -n 0`` runs them one by one.
    fcntl = None  # type: ignore[assignment]

# A run starts hundreds of Pythons, and each would compile all that it imports, if none may write down what it compiled.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

settings.register_profile("judged", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("judged")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that take minutes are skipped in plain sight, unless ``-m`` asks for them."""
    if "soak" in config.option.markexpr:
        return
    for item in items:
        if item.get_closest_marker("soak"):
            item.add_marker(pytest.mark.skip(reason="minutes long: pytest -m soak"))


@pytest.fixture(scope="session")
def _doors(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[tuple[IO[str], IO[str]]]:
    """Two files that all workers of a run share: a turnstile, and a room behind it."""
    base = tmp_path_factory.getbasetemp()
    folder: Path = base if worker_id == "master" else base.parent
    with (folder / "turnstile").open("w") as turnstile, (folder / "room").open("w") as room:
        yield turnstile, room


@pytest.fixture(autouse=True)
def _room(request: pytest.FixtureRequest, _doors: tuple[IO[str], IO[str]]) -> Iterator[None]:
    """Keep the room to one test where it measures how fast things are, and to others together.

    Who waits for it alone holds the turnstile meanwhile: nobody else goes in before.
    """
    if fcntl is None:
        yield
        return
    turnstile, room = _doors
    alone = request.node.get_closest_marker("alone") is not None
    fcntl.flock(turnstile, fcntl.LOCK_EX)
    fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
    fcntl.flock(turnstile, fcntl.LOCK_UN)
    yield
    fcntl.flock(room, fcntl.LOCK_UN)
