"""Outage: whether a database does what is asked of it. A line in the log when it stops to, and one when it does again.

Knows no database and no request. ``why`` is fit for strangers' eyes; what the driver said goes into the log alone.
"""

import logging
import threading

__all__ = ["Outage"]

_log = logging.getLogger(__name__)


class Outage:
    """What the last request to a database came to.

    Args:
        verb: What is asked of it: "read" or "written".
        level: Of the lines in the log; lower where the caller tells people itself.
    """

    def __init__(self, verb: str, level: int = logging.ERROR) -> None:
        self.why = ""
        """What is wrong, in a few words; empty when the last request was answered."""
        self._verb, self._level = verb, level
        self._lock = threading.Lock()

    def failed(self, why: str, detail: object) -> None:
        """The database failed. From any thread.

        Args:
            why: The reason, in a few words.
            detail: What the driver said; only for the log.
        """
        with self._lock:
            known, self.why = self.why == why, why
        if not known:
            _log.log(self._level, "the database cannot be %s, %s: %s", self._verb, why, detail)

    def worked(self) -> None:
        """The database did what was asked of it. From any thread."""
        if not self.why:
            return
        with self._lock:
            was, self.why = self.why, ""
        if was:
            _log.log(min(self._level, logging.INFO), "the database can be %s again", self._verb)
