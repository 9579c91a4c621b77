"""What a run is asked to be, and its bounds. Knows not how it is done."""

from dataclasses import dataclass

from worldloom.bench.scenarios import Scenario
from worldloom.errors import WorldloomError

__all__ = ["BenchFault", "Plan"]

MOST_CLIENTS = 20_000
MOST_BLOCKS = 64


class BenchFault(WorldloomError):
    """The run cannot be made: an option is out of range, or clients were not let in."""


@dataclass(frozen=True)
class Plan:
    """What a run is asked to be.

    Raises:
        BenchFault: A number is out of range.
    """

    scenario: Scenario
    clients: int
    seconds: float
    """Of measuring, after all have joined and warmed up."""
    move_hz: float = 10.0
    full_rate: bool = False
    """No budget of bytes per client."""
    blockers: int = 0
    """Clients that block others."""
    blocks: int = 5
    """How many each of them blocks."""
    border_steppers: int = 0
    """Clients that step to and fro on a cell border."""
    emerge_load: bool = False
    """New land has to be woven all the time."""
    generator: str = "noise"
    """What weaves it."""
    busy_neighbour: bool = False
    """A busy process shares the server's core."""
    trade_load: bool = False
    """Land is bought all the time."""

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("--clients", self.clients, 2, MOST_CLIENTS),
            ("--seconds", self.seconds, 1, 3600),
            ("--move-hz", self.move_hz, 0.5, 30),
            ("--blockers", self.blockers, 0, self.clients),
            ("--blocks", self.blocks, 1, MOST_BLOCKS),
            ("--border-steppers", self.border_steppers, 0, self.clients),
        ):
            if not low <= value <= high:
                raise BenchFault(f"{name}: expected {low} to {high}, got {value}")
