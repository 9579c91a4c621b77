"""``worldloom status``: a running world as a live table, from ``/healthz`` and ``/metrics`` alone."""

import argparse
import json
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from worldloom.app.secrets import read_secret_file
from worldloom.cli.running import is_of, own_url, trusting, warnings_of
from worldloom.cli.settings import add_config_option, add_data_option, config_of
from worldloom.errors import WorldloomError

__all__ = [
    "Sample",
    "StatusError",
    "add_arguments",
    "parse_metrics",
    "read",
    "report",
    "run",
    "table",
    "token_in",
]

TIMEOUT_S = 5.0
EVERY_S = 1.0
_QUANTITIES = {
    "worldloom_sessions": ("sessions", 1.0, "{:.0f}"),
    "worldloom_connections": ("open sockets", 1.0, "{:.0f}"),
    "worldloom_groups": ("view groups", 1.0, "{:.0f}"),
    "worldloom_regions": ("regions in memory", 1.0, "{:.0f}"),
    "worldloom_tick_recent_p50_seconds": ("tick, median of a minute", 1e3, "{:.1f} ms"),
    "worldloom_tick_recent_p99_seconds": ("tick, 99th percentile", 1e3, "{:.1f} ms"),
    "worldloom_tick_late_recent_p99_seconds": ("lateness, 99th percentile", 1e3, "{:.1f} ms"),
    "worldloom_late_ticks_total": ("late ticks since start", 1.0, "{:.0f}"),
    "worldloom_loop_lag_recent_p99_seconds": ("loop lag, 99th percentile", 1e3, "{:.1f} ms"),
    "worldloom_emerge_queue": ("regions waiting to be made", 1.0, "{:.0f}"),
    "worldloom_store_queue": ("writes waiting for the database", 1.0, "{:.0f}"),
    "worldloom_mqtt_outbox": ("events waiting for the broker", 1.0, "{:.0f}"),
    "worldloom_session_pauses_total": ("pauses of slow readers", 1.0, "{:.0f}"),
    "worldloom_rss_bytes": ("memory", 1e-6, "{:.0f} MB"),
}
"""Metric to label, factor and format: shown as they are."""
_RATES = {
    "worldloom_bytes_sent_total": ("sent", 1e-3, "{:.1f} kB/s"),
    "worldloom_frames_sent_total": ("frames", 1.0, "{:.0f}/s"),
    "worldloom_words_sent_total": ("words", 1.0, "{:.0f}/s"),
    "worldloom_moves_total": ("moves", 1.0, "{:.0f}/s"),
    "worldloom_cpu_seconds_total": ("processor", 1.0, "{:.2f} cores"),
}
"""Counter to label, factor and format: shown a second, from two samples."""
_OUTCOME = "worldloom_emerge_total"


class StatusError(WorldloomError):
    """The server does not answer, or answers something else than a Worldloom server does."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the server told at one moment."""

    at_s: float
    """Monotonic seconds of this process."""
    status: str
    """"ok", or what ``/healthz`` says is wrong."""
    values: Mapping[str, float]
    """By metric, with its label as ``name{label}`` where it has one."""
    health: Mapping[str, Any]
    """As ``/healthz`` told it: to strangers less."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--url``, where the settings are, ``--token-file``, ``--once``, ``--json`` and ``--insecure``."""
    parser.add_argument(
        "--url",
        help="the server, HOST:PORT or a whole URL (default: the one of the settings, on this machine)",
    )
    add_config_option(parser)
    add_data_option(parser)
    parser.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="metrics.token of the server's data folder: needed for a server on another machine",
    )
    parser.add_argument("--once", action="store_true", help="print one table and end")
    parser.add_argument("--json", action="store_true", help="print one JSON object and end")
    parser.add_argument(
        "--insecure", action="store_true", help="take any TLS certificate, such as a self-signed one"
    )


def run(args: argparse.Namespace) -> int:
    """Show the world until Ctrl-C, or once.

    Returns:
        0, or 1 if the server says that something is wrong, or is not the one of the data folder.

    Raises:
        StatusError: The server does not answer.
    """
    config = None if args.url else config_of(args)
    own = None if config is None else config.server
    named = args.url if own is None else own_url(own)
    url = (named if "://" in named else f"http://{named}").rstrip("/")
    # On this machine the certificate's name is another, and there is nobody in between.
    context = trusting() if args.insecure or (own is not None and own.tls_cert) else None
    token = token_in(args.token_file) if args.token_file is not None else ""
    before, now = read(url, context, token), None
    if config is not None and _is_another(before, url, config.data_path, asked=bool(args.data)):
        return 1
    if args.once or args.json:
        time.sleep(EVERY_S)
        now = read(url, context, token)
        if args.json:
            print(json.dumps(report(before, now), ensure_ascii=False))
        else:
            Console().print(table(url, before, now))
        return 0 if now.status == "ok" else 1
    with Live(table(url, before, before), auto_refresh=False) as live:
        while True:
            time.sleep(EVERY_S)
            now = read(url, context, token)
            live.update(table(url, before, now), refresh=True)
            before = now


def read(url: str, context: ssl.SSLContext | None = None, token: str = "") -> Sample:
    """Ask a server how it is.

    Args:
        url: Scheme, host and port.
        context: How to judge its certificate.
        token: Of its metrics; empty for a server on this machine, which asks for none.

    Raises:
        StatusError: It does not answer, or is no Worldloom server.
    """
    health = _get(f"{url}/healthz", context, token)
    try:
        told = json.loads(health)
        status = _status(told)
        values = parse_metrics(_get(f"{url}/metrics", context, token).decode())
    except (ValueError, TypeError, KeyError, AttributeError):
        raise StatusError(f"{url}: expected a Worldloom server; got another answer") from None
    return Sample(time.monotonic(), status, values, told)


def token_in(path: Path) -> str:
    """The token in a file, which its owner alone can read: its only line.

    Raises:
        ConfigError: It cannot be read, or others than its owner can read it too.
        StatusError: It holds something else.
    """
    token = read_secret_file(path).strip()
    if not token.isascii() or not token.isalnum():
        raise StatusError(f"{path}: expected one line with the metrics' token; got something else")
    return token


def parse_metrics(text: str) -> dict[str, float]:
    """Prometheus' text as numbers by name; one label's value follows the name in braces.

    Raises:
        ValueError: It is not that format.
    """
    return {
        sample.name + "".join(f"{{{value}}}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def report(before: Sample, now: Sample) -> dict[str, object]:
    """Two samples as one flat object: metrics without their prefix, traffic as growth in a second."""
    numbers: dict[str, object] = {
        "status": now.status,
        "world": now.health.get("world", ""),
        "warnings": warnings_of(now.health),
    }
    for name in _QUANTITIES:
        if name in now.values:
            numbers[name.removeprefix("worldloom_")] = now.values[name]
    for name in _RATES:
        if name in now.values:
            key = name.removeprefix("worldloom_").removesuffix("_total")
            numbers[f"{key}_per_s"] = round(_rate(before, now, name), 3)
    numbers["emerge"] = _outcomes(now)
    return numbers


def table(url: str, before: Sample, now: Sample) -> Group:
    """Two samples as a table for people."""
    head = Text.assemble(
        str(now.health.get("world", "Worldloom")),
        " at ",
        url,
        ": ",
        (now.status, "green" if now.status == "ok" else "red bold"),
    )
    rows = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    rows.add_column(style="dim")
    rows.add_column(justify="right")
    for name, (label, factor, form) in _QUANTITIES.items():
        if name in now.values:
            rows.add_row(label, form.format(factor * now.values[name]))
    for name, (label, factor, form) in _RATES.items():
        if name in now.values:
            rows.add_row(label, form.format(factor * _rate(before, now, name)))
    for outcome, count in _outcomes(now).items():
        rows.add_row(f"regions: {outcome}", f"{count:.0f}")
    warnings = [Text(f"warning: {warning}", "yellow") for warning in warnings_of(now.health)]
    return Group(head, *warnings, rows)


def _is_another(sample: Sample, url: str, data: Path, *, asked: bool) -> bool:
    """Whether another world answers than the one of a data folder; says so, and of one asked for if it is not known."""
    is_own = is_of(sample.health, data)
    name = repr(str(sample.health.get("world", "")))
    if is_own is False:
        told = f"{url}: another world answers on that port, {name}, not the one of {data}; say with --config or --url"
        print(f"worldloom: {told} where that one is", file=sys.stderr)
    elif is_own is None and asked:
        told = f"{url}: whether {name} is the world of {data} cannot be told: no metrics.token could be read there"
        print(f"worldloom: {told}", file=sys.stderr)
    return is_own is False


def _status(health: Mapping[str, object]) -> str:
    """Health in a few words."""
    problems = health.get("problems")
    named = "; ".join(map(str, problems)) if isinstance(problems, list) else ""
    return "ok" if health["ok"] is True else named or "not well"


def _rate(before: Sample, now: Sample, name: str) -> float:
    """Growth of a counter in a second; 0 when the server started anew in between."""
    elapsed = now.at_s - before.at_s
    growth = now.values[name] - before.values.get(name, 0.0)
    return max(0.0, growth) / elapsed if elapsed > 0 else 0.0


def _outcomes(now: Sample) -> dict[str, float]:
    return {
        name[len(_OUTCOME) + 1 : -1]: value
        for name, value in now.values.items()
        if name.startswith(f"{_OUTCOME}{{")
    }


def _get(url: str, context: ssl.SSLContext | None, token: str) -> bytes:
    if not url.startswith(("http://", "https://")):
        raise StatusError(f"expected --url HOST:PORT, http://HOST:PORT or https://HOST:PORT; got {url}")
    try:
        request = urllib.request.Request(url)
        if token:  # Not for whom a redirection leads to.
            request.add_unredirected_header("Authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=context) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 503:  # Healthz says so when something is wrong; what, is in its body.
                return bytes(error.read())
            raise StatusError(_refused(url, error.code, bool(token))) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise StatusError(
                f"{url}: expected a certificate that is trusted here; got: {reason.verify_message}. "
                "If the server is yours and its certificate self-signed, add --insecure"
            ) from None
        raise StatusError(f"{url}: no answer ({reason}). Is the server running? Else give --url") from None


def _refused(url: str, status: int, has_token: bool) -> str:
    """What an answer that is none of a world's own means, and what to do."""
    if status == 401 and has_token:
        return f"{url}: the token is not this server's; copy metrics.token from its data folder again"
    if status == 401:
        return (
            f"{url}: a server on another machine wants a token; copy metrics.token from its data folder "
            "and give --token-file FILE"
        )
    if status == 404 and url.endswith("/metrics"):
        return (
            f"{url}: not found; a proxy may keep the numbers back. Ask the server itself, on its own machine"
        )
    return f"{url}: expected a Worldloom server; got HTTP {status}"
