"""The test kit: a real world within the process, its clock in hand. Needs ``worldloom[server-light]``."""

from worldloom_sdk.testing.clock import HandClock
from worldloom_sdk.testing.land import Meadow
from worldloom_sdk.testing.world import World

__all__ = ["HandClock", "Meadow", "World"]
