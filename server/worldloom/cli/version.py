"""``worldloom version``."""

import argparse
import platform

from worldloom.app.version import worldloom_version
from worldloom_sdk.protocol.messages import PROTOCOL_VERSION

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the command has no options."""


def run(args: argparse.Namespace) -> int:
    """Print the versions of Worldloom, its protocol and Python."""
    print(
        f"worldloom {worldloom_version()} (protocol {PROTOCOL_VERSION}, Python {platform.python_version()})"
    )
    return 0
