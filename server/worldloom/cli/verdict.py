"""Verdicts: how a check of the doctor ended. Knows no check."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Check", "State"]


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    """The server runs, but know this."""
    FAIL = "fail"
    """The server will not run, or not safely."""


@dataclass(frozen=True, slots=True)
class Check:
    """What was found, and what to do about it."""

    state: State
    name: str
    found: str
    advice: str = ""
    closing: str = ""
    """What stands below all checks if none failed, where it is not that the server can be started."""
