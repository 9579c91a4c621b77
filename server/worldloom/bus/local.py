"""Buses within one process: messages are references. Knows nothing of what it carries."""

import random
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Link", "LossyLink"]

M = TypeVar("M")


class Link(Generic[M]):
    """One direction between two parts of a process: what is sent is received at once."""

    def __init__(self, receive: Callable[[M], None]) -> None:
        self._receive = receive

    def send(self, message: M) -> None:
        """Deliver a message."""
        self._receive(message)


class LossyLink(Generic[M]):
    """A link that loses, delays, doubles and reorders, by a seed: what a network does, on a clock in hand.

    Args:
        receive: Where messages go.
        seed: The same seed misbehaves the same way.
        loss: Share of messages that never arrive, 0 to 1.
        double: Share that arrives twice.
        delay: Most steps that a message is late; each draws its own, so that messages overtake one another.
    """

    def __init__(
        self, receive: Callable[[M], None], seed: int, loss: float = 0.1, double: float = 0.1, delay: int = 4
    ) -> None:
        self._receive = receive
        self._random = random.Random(seed)
        self._loss, self._double, self._delay = loss, double, delay
        self._on_the_way: list[tuple[int, int, M]] = []
        self._now = 0
        self._count = 0

    def send(self, message: M) -> None:
        """Put a message on its way, or not."""
        copies = 0 if self._random.random() < self._loss else 1 + (self._random.random() < self._double)
        for _ in range(copies):
            self._count += 1
            due = self._now + self._random.randint(0, self._delay)
            self._on_the_way.append((due, self._count, message))

    def heal(self) -> None:
        """From now on nothing is lost, late or double; what is on its way still arrives."""
        self._loss = self._double = 0.0
        self._delay = 0

    def step(self) -> None:
        """Let time pass: deliver what is due."""
        due = sorted(entry[:2] for entry in self._on_the_way if entry[0] <= self._now)
        messages = {entry[1]: entry[2] for entry in self._on_the_way}
        self._on_the_way = [entry for entry in self._on_the_way if entry[0] > self._now]
        self._now += 1
        for _, number in due:
            self._receive(messages[number])
