"""What is typed at the command line, and what it says: for tests of commands beside a world."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from worldloom.cli.main import main
from worldloom.persistence.migrate import migrate
from worldloom.persistence.store import open_beside
from worldloom.ports import Tx


def run_beside(url: str, use_case: Callable[[Tx, Any], Any], command: Any = None) -> Any:
    """Run a use case on a database."""

    async def once() -> Any:
        store = open_beside(url)
        try:
            return await store.run(use_case, command)
        finally:
            await store.close()

    return asyncio.run(once())


def made_world(factory: pytest.TempPathFactory, populate: Callable[[Tx, Any], Any]) -> Path:
    """The database of a new world that a use case has filled."""
    path = factory.mktemp("populated") / "world.db"
    migrate(f"sqlite:///{path}")
    run_beside(f"sqlite:///{path}", populate)
    return path


def copied_world(populated: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, to be changed: its data folder, in a folder that becomes the working directory."""
    monkeypatch.chdir(folder)
    data = folder / "data"
    data.mkdir(mode=0o700)
    shutil.copy(populated, data / "world.db")
    return data


class Typed:
    """What is typed, what it says, and the database behind it.

    Args:
        command: Its first word.
        data: The world's folder.
        capsys: Pytest's.
        url: Of the database, if it is not the folder's own.
    """

    def __init__(self, command: str, data: Path, capsys: pytest.CaptureFixture[str], url: str = "") -> None:
        self.command, self.data, self._capsys = command, data, capsys
        self.url = url or f"sqlite:///{data / 'world.db'}"
        self.out = self.err = ""

    def __call__(self, *words: str) -> int:
        """Run a command; its exit code."""
        try:
            return main([self.command, "--data", str(self.data), *words])
        except SystemExit as ended:
            return int(ended.code or 0)
        finally:
            self.out, self.err = self._capsys.readouterr()

    def says(self, *words: str) -> str:
        """What a command that is done says."""
        assert self(*words) == 0, self.err
        assert self.err == ""
        return self.out

    def json(self, *words: str) -> Any:
        """What it says to programs."""
        return json.loads(self.says(*words, "--json"))

    def run(self, use_case: Callable[[Tx, Any], Any], command: Any = None) -> Any:
        """Run a use case on the same database."""
        return run_beside(self.url, use_case, command)
