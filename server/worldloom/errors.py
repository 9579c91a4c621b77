"""The small tree of errors. Each has a stable code for the wire, says what is wrong, and what to do."""

from worldloom_sdk.protocol.messages import RefusalCode

__all__ = [
    "DATABASE_AWAY",
    "ConfigError",
    "Refusal",
    "StoreBusy",
    "StoreUnavailable",
    "TerrainRejected",
    "WorldloomError",
]

DATABASE_AWAY = "the database cannot be asked just now"
"""All that clients are told of a StoreUnavailable: what the driver said names hosts, files and people."""


class WorldloomError(Exception):
    """Root of the errors that Worldloom raises on purpose; shown to people without a traceback."""


class ConfigError(WorldloomError):
    """A key of the configuration is unknown or out of bounds; the text names key, expected and got."""


class Refusal(WorldloomError):
    """A request is understood and not granted. Travels to the client as ``Refused``.

    Args:
        code: Stable code for programs.
        text: What is wrong, expected and got.
        hint: What to do about it.
        retry_after_ms: When to try again; 0 for not at all.
    """

    def __init__(self, code: RefusalCode, text: str, hint: str = "", retry_after_ms: int = 0) -> None:
        super().__init__(text)
        self.code, self.text, self.hint, self.retry_after_ms = code, text, hint, retry_after_ms


class StoreUnavailable(WorldloomError):
    """The database cannot be reached, or the outcome of a commit is unknown; the idempotency key tells."""


class StoreBusy(StoreUnavailable):
    """Too much is waiting for the database; nothing was done."""


class TerrainRejected(WorldloomError):
    """A terrain source returned something that is no land: wrong shape, not finite, or out of range."""
