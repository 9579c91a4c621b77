"""The report of a run: one JSON object for programs, a table for people."""

import json
from dataclasses import asdict, dataclass

from rich.table import Table

__all__ = ["CrowdReport"]

_UNITS = {
    "_ms": "ms",
    "_cores": "cores",
    "_per_s": "1/s",
    "_per_update": "bytes",
    "_client_s": "bytes/s",
    "_mb": "MB",
    "_kb": "kB",
    "seconds": "s",
    "_hz": "Hz",
}
"""By how a key ends."""


@dataclass(frozen=True)
class CrowdReport:
    """What ``worldloom bench crowd`` measured; the JSON object has exactly these keys."""

    scenario: str
    clients: int
    connected: int
    """In the world when the window began."""
    dropped: int
    """Lost from then on."""
    p50_age_ms: float
    p99_age_ms: float
    p99_full_rate_age_ms: float
    p99_gap_near_ms: float
    p99_gap_view_ms: float
    server_cpu_cores: float
    updates_per_s: int
    """Delivered to all clients."""
    bytes_per_update: float
    bytes_per_client_s: int
    server_rss_mb: float
    rss_per_client_kb: float
    tick_p99_ms: float
    late_ticks: int
    load_cpu_cores: float
    load_bound: bool
    """The load was the bottleneck: the run does not count."""
    seconds: float
    move_hz: float
    trades_per_s: float
    """Done and answered meanwhile; 0 where none were asked for."""

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    def to_table(self) -> Table:
        """A row a figure, with its unit."""
        table = Table(title=f"{self.scenario}, {self.clients} clients", show_header=False)
        for name, value in asdict(self).items():
            unit = next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "")
            shown = str(value) if isinstance(value, bool | str) else f"{value:,}"
            table.add_row(name.replace("_", " "), shown, unit)
        return table
