"""Options that several commands share, and how they become a ``Config``. Knows no command."""

import argparse
import os
from pathlib import Path

from worldloom.config import Config, expectation, load

__all__ = [
    "DEFAULT_FILE",
    "SPARE_FILES",
    "add_config_option",
    "add_data_option",
    "add_listen_options",
    "config_of",
]

DEFAULT_FILE = Path("config.toml")
"""Read from the working directory when it is there and ``--config`` names no other."""
SPARE_FILES = 256
"""Open files needed besides those of clients: database, log, libraries."""

_KEYS = {
    "data": "server.data",
    "host": "server.host",
    "port": "server.port",
    "tls_cert": "server.tls_cert",
    "tls_key": "server.tls_key",
    "generator": "worldgen.generator",
}
"""Option to key."""


def add_config_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--config FILE``."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="settings in TOML (default: config.toml in the working directory, if there)",
    )


def add_data_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--data DIR``."""
    parser.add_argument(
        "--data", metavar="DIR", help="folder of database and secrets (default: worldloom-data)"
    )


def add_listen_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--host``, ``--port``, ``--tls-cert`` and ``--tls-key``."""
    parser.add_argument("--host", metavar="H", help="address to listen on (default: 0.0.0.0)")
    parser.add_argument("--port", metavar="P", type=_port, help="port of HTTP and WebSocket (default: 8420)")
    parser.add_argument("--tls-cert", metavar="F", help="PEM file of the certificate chain")
    parser.add_argument("--tls-key", metavar="F", help="PEM file of its private key")


def _port(text: str) -> int:
    """A number; its bounds are the configuration's."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected {expectation('server.port')}; got {text}") from None


def config_of(args: argparse.Namespace) -> Config:
    """The configuration that file, environment and the given options make.

    Raises:
        ConfigError: A key is unknown or out of bounds.
    """
    path = args.config or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)
    options = {key: getattr(args, option, None) for option, key in _KEYS.items()}
    return load(path, os.environ, options)
