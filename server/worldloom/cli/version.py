"""``worldloom version``."""

import argparse
import platform
from importlib.metadata import PackageNotFoundError, version

__all__ = ["add_arguments", "run", "worldloom_version"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the command has no options."""


def run(args: argparse.Namespace) -> int:
    """Print the versions of Worldloom, its protocol and Python."""
    from worldloom_sdk.protocol.messages import PROTOCOL_VERSION

    print(
        f"worldloom {worldloom_version()} (protocol {PROTOCOL_VERSION}, Python {platform.python_version()})"
    )
    return 0


def worldloom_version() -> str:
    """The installed version; "source" when run from a source tree that is not installed."""
    try:
        return version("worldloom")
    except PackageNotFoundError:
        return "source"
