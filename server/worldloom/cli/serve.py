"""``worldloom serve``: starts a node and says where to connect. Knows no part of the node."""

import argparse
import asyncio
import importlib.util
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from worldloom.app.version import worldloom_version
from worldloom.cli.settings import (
    SPARE_FILES,
    add_config_option,
    add_data_option,
    add_listen_options,
    config_of,
)
from worldloom.config import ignored_variables
from worldloom.errors import ConfigError
from worldloom_sdk.protocol.messages import SUBPROTOCOL_PATH

__all__ = ["add_arguments", "announcement", "raise_file_limit", "run"]


_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that name a key of the configuration."""
    add_config_option(parser)
    add_data_option(parser)
    add_listen_options(parser)
    parser.add_argument(
        "--generator", choices=["auto", "gan", "noise"], help="what makes the land (default: auto)"
    )


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM.

    Returns:
        0 after an orderly stop.

    Raises:
        WorldloomError: The configuration is wrong, or something that it names cannot be used.
    """
    config = config_of(args)
    from worldloom.app.logs import setup_logs
    from worldloom.app.node import serve
    from worldloom.persistence.folders import no_empty_folder
    from worldloom.worldgen.sources import check_generator

    check_generator(config.worldgen.generator, bool(config.worldgen.weights))

    setup_logs(config.log)
    for line in ignored_variables(os.environ):
        _log.warning("%s", line)
    with no_empty_folder(config.data_path), asyncio.Runner(loop_factory=_loop_factory()) as runner:
        _make_data_folder(config.data_path)
        raise_file_limit(config.server.max_connections + SPARE_FILES)
        code: int = runner.run(serve(config, ready=lambda url: print(announcement(url), flush=True)))
    return code


def announcement(url: str, network_address: str | None = None) -> str:
    """What people are told once the world is open.

    Args:
        url: Scheme, host and port listened on, for example ``http://0.0.0.0:8420``.
        network_address: This machine's address for others; found out by default.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    everywhere = host in {"0.0.0.0", "::"}
    other = (network_address or _network_address()) if everywhere else None
    here = _netloc("127.0.0.1" if everywhere else host, parts.port)
    socket_scheme = "wss" if parts.scheme == "https" else "ws"
    lines = [
        f"Worldloom {worldloom_version()} is open. To walk in it, open this link in a browser:",
        "",
        f"  {parts.scheme}://{here}/",
        *(
            [f"  {parts.scheme}://{_netloc(other, parts.port)}/  from elsewhere in the network"]
            if other
            else []
        ),
        "",
        f"Bots come in at {socket_scheme}://{here}{SUBPROTOCOL_PATH}. Ctrl-C saves and stops.",
    ]
    return "\n".join(lines)


def _netloc(host: str, port: int | None) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def raise_file_limit(needed: int) -> None:
    """Raise the soft limit of open files to what is needed, as far as the hard limit allows."""
    try:
        import resource
    except ImportError:  # Windows has no such limit.
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _make_data_folder(data: Path) -> None:
    """Make the folder, for its owner alone, or say what to do.

    Raises:
        ConfigError: It cannot be made.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"server.data: expected a folder that is there or can be made; got {data}: {error.strerror}. "
            "Choose another with --data, or mend the rights of the one above it"
        ) from None


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The loop of uvloop where there is one, else asyncio's own."""
    if os.name == "nt" or importlib.util.find_spec("uvloop") is None:
        return None
    import uvloop

    return uvloop.new_event_loop


def _network_address() -> str | None:
    """The address that others on the network reach this machine by; asks the routing table, sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(
                ("192.0.2.1", 9)
            )  # Documentation range: connecting a datagram socket sends no packet.
            return str(probe.getsockname()[0])
        except OSError:
            return None
